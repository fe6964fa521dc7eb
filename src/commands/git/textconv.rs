//! `git textconv`: an environment file as `git diff`, `log -p`, `show` and `blame` show it. Git starts it for each blob, so
//! it does nothing before it is needed, asks nobody, and never fails.

use std::path::PathBuf;
use std::process::ExitCode;

use secretree::error::Result;
use secretree::files::{FILE_LIMIT, read_bounded};
use secretree::textconv::{Detail, textconv};

use crate::context::Context;
use crate::ui::escaped;

/// Show an environment file as git diff shows it
///
/// A line for each value: its path and its version, which is new whenever the value is. Who can read the
/// environment also sees eight hex digits, the same for the same value at the same path under the same key,
/// and a rough length. `git config secretree.reveal true` shows readers the values themselves;
/// `git -c secretree.reveal=true diff` does it once.
///
/// Nobody is asked for a passphrase, and no plugin or key command is started: without an identity that opens
/// at once, there are paths and versions.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  secretree git textconv secrets/dev.yaml"
)]
pub(crate) struct Args {
    /// The file: git names one that it made of a blob
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Runs the command.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    let text = match read_bounded(&args.file, FILE_LIMIT) {
        Ok(bytes) => {
            let mut identities = context.free_identities();
            textconv(&bytes, &mut identities, || detail(context))
        }
        // Git would give up on the whole diff.
        Err(error) => format!("# secretree: {}\n", escaped(&error.to_string()))
            .into_bytes()
            .into(),
    };
    context.ui.data(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// What the person set for themselves. Asked of git, which knows `-c` and included files; a repository cannot set it for
/// others.
fn detail(context: &Context) -> Detail {
    let asked = || {
        let arguments = ["config", "--type=bool", "--get", "secretree.reveal"];
        context.git(context.folder()).ok()?.run(&arguments).ok()
    };
    match asked() {
        Some(output) if output.stdout.trim_ascii() == b"true" => Detail::Values,
        _ => Detail::Marks,
    }
}
