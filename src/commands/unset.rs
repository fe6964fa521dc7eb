//! `unset`: values that shall be gone.

use std::process::ExitCode;

use secretree::error::Result;

use crate::context::{Context, place};
use crate::ui::escaped;

/// Remove values
///
/// Mappings and lists that become empty are removed too. Old values stay in git's history: change them
/// where they are used.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    override_usage = "secretree unset [OPTIONS] <ENV> <PATH>...",
    after_help = "\
Examples:
  secretree unset prod stripe.key
  secretree unset dev old.token old.url --commit"
)]
pub(crate) struct Args {
    /// The environment
    #[arg(value_name = "ENV")]
    environment: String,
    /// The places of the values
    #[arg(value_name = "PATH")]
    paths: Vec<String>,
    /// Commit the changed file
    #[arg(long)]
    commit: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    place::operand(
        context,
        &args.environment,
        args.paths.first().map(String::as_str),
        "unset",
    )?;
    let (loaded, name) = context.policy_for(&args.environment, None)?;
    let mut vault = context.vault(&loaded)?;
    let lock = vault.lock()?;
    let file = vault.load(&name)?;
    let reading = [vault.read(&file)?];
    let mut paths = Vec::new();
    for text in &args.paths {
        paths.push(place::path(&vault, &name, &reading, text)?);
    }
    let [reading] = reading;
    let environment = vault.unlock(reading)?;
    for path in &paths {
        if environment.reading.tree.node(path).is_none() {
            return Err(place::nothing_at(&name, std::slice::from_ref(&environment.reading), path, "unset").into());
        }
    }
    let (text, changes) = environment.unset(&paths)?;
    vault.save(&lock, &[(&file, text)])?;
    drop(lock);
    context.tell(&mut vault);
    for path in &changes.removed {
        context.ui.note(&escaped(&format!("removed `{name}:{path}`")));
    }
    if args.commit {
        let removed: Vec<_> = changes.removed.iter().map(ToString::to_string).collect();
        let message = format!("secrets: unset {name}:{}", removed.join(", "));
        context.commit(&vault, std::slice::from_ref(&file.relative), &message)?;
    }
    Ok(ExitCode::SUCCESS)
}
