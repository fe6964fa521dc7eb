//! `keygen`: a new identity.

use std::io::{IsTerminal as _, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use secretree::crypto::new_identity::NewIdentity;
use secretree::error::{Failure, Result};
use secretree::secret::Secret;
use serde::Serialize;

use crate::context::{Context, identity_text, refuse_existing};
use crate::ui::escaped;

/// Make an identity: a private key, and the public key to give to others
///
/// The private key goes to a file that only you can read, `~/.config/secretree/identity.txt` unless FILE
/// is named; an existing file is never replaced. The public key is printed.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
With --passphrase the age tools open the file too; the public key is kept in FILE.pub beside it. `-o -` writes
the private key to standard output, which must be no terminal, and the public key to standard error.

Examples:
  secretree keygen
  secretree keygen --passphrase
  secretree keygen -o ci.txt       for a machine: its text goes into SECRETREE_KEY there
  secretree keygen -o - | gh secret set SECRETREE_KEY"
)]
pub(crate) struct Args {
    /// Write the private key to FILE; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Protect the private key with a passphrase
    #[arg(long)]
    passphrase: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Made<'a> {
    public_key: &'a str,
    file: &'a Path,
}

/// Runs the command.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    if args.output.as_deref() == Some(Path::new("-")) {
        return print(args, context);
    }
    let file = match &args.output {
        Some(file) => file.clone(),
        None => context.identity_file()?,
    };
    refuse_existing(&file, args.passphrase)?;
    let public = context.make_identity(&file, ask(args, context)?.as_ref())?;
    let shown = file.display().to_string();
    context.ui.note(&escaped(&format!("the private key is in `{shown}`")));
    if args.output.is_some() {
        let note = format!("it is used with `-i {shown}`, or if SECRETREE_IDENTITY names it");
        context.ui.note(&escaped(&note));
    }
    if context.ui.wants_json() {
        context.ui.json(&Made {
            public_key: public.canonical(),
            file: &file,
        })?;
    } else {
        context.ui.data(format!("{public}\n").as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The private key for a pipe: it never touches a disk.
fn print(args: &Args, context: &Context) -> Result<ExitCode> {
    if context.ui.wants_json() {
        return Err(Failure::usage("`-o -` prints the private key, which is no JSON").into());
    }
    if stdout().is_terminal() {
        return Err(
            Failure::failed("standard output is a terminal, where a private key must not be shown")
                .hint("pipe it to where it belongs, or name a file: secretree keygen -o FILE")
                .into(),
        );
    }
    let identity = NewIdentity::generate();
    let text = identity_text(&identity, ask(args, context)?.as_ref())?;
    context.ui.data(text.expose())?;
    context.ui.note(&format!("public key: {}", identity.public_key()));
    Ok(ExitCode::SUCCESS)
}

fn ask(args: &Args, context: &Context) -> Result<Option<Secret>> {
    match args.passphrase {
        true => context.new_passphrase("passphrase for the new identity").map(Some),
        false => Ok(None),
    }
}
