//! `proposals reject`: proposals out of a file. Nothing is sealed, so who proposed something can take it back unread.

use std::process::ExitCode;

use secretree::error::{Failure, Result};
use secretree::vault::{Addressee, Content, Proposal};

use super::choice::{Sweep, chosen};
use super::{nothing_named, opened, shown};
use crate::context::Context;
use crate::ui::escaped;

/// Take proposals out of an environment's file
///
/// PATH is a path or the label of a proposal. Without a key, labels are all that is known; so you can take back
/// what you proposed.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    override_usage = "secretree proposals reject [OPTIONS] <ENV> <PATH>...\n       secretree proposals reject [OPTIONS] --junk <ENV>",
    after_help = "\
Examples:
  secretree proposals reject prod stripe.key
  secretree proposals reject prod p9a8b7c6d5e4f3021 --commit
  secretree proposals reject prod --junk"
)]
pub(super) struct Args {
    /// The environment
    #[arg(value_name = "ENV")]
    environment: String,
    /// The places, or labels of proposals
    #[arg(value_name = "PATH")]
    paths: Vec<String>,
    /// Everything that cannot be accepted
    #[arg(long, conflicts_with_all = ["paths", "all"])]
    junk: bool,
    /// Everything
    #[arg(long, conflicts_with = "paths")]
    all: bool,
    /// Commit the changed file
    #[arg(long)]
    commit: bool,
}

/// Runs the command.
pub(super) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    let (loaded, name) = context.policy_for(&args.environment, Some("proposals reject"))?;
    let sweep = match (args.junk, args.all) {
        (true, _) => Sweep::Junk,
        (_, true) => Sweep::Everything,
        _ if args.paths.is_empty() => return Err(nothing_named("reject", &name, "--junk").into()),
        _ => Sweep::Nothing,
    };
    let mut vault = context.vault(&loaded)?;
    let rules = vault.rules(&name)?;
    let lock = vault.lock()?;
    let file = vault.load(&name)?;
    let reading = vault.read(&file)?;
    // What stands readable by mistake is not written again, and never committed.
    reading.check(rules)?;
    let proposals = match opened(&mut vault, &file)? {
        Ok(environment) => vault.proposals(&environment)?,
        Err(reason) => {
            // Saving notes the file's key as trusted, so a strange one is not written under either.
            if let Addressee::Unknown { .. } = vault.addressee(&file)? {
                return Err(reason);
            }
            if sweep == Sweep::Junk {
                return Err(reason);
            }
            vault.sealed_proposals(&reading)?
        }
    };
    context.tell(&mut vault);
    let rejected = chosen(rules, proposals, &args.paths, sweep)?;
    if rejected.is_empty() {
        context.ui.note(&format!("`{name}` has nothing to reject"));
        return Ok(ExitCode::SUCCESS);
    }
    if sweep == Sweep::Everything {
        let lines: Vec<_> = rejected.iter().map(|proposal| described(&name, proposal)).collect();
        if !context.ui.confirm(&lines, "reject all of this?")? {
            return Err(Failure::failed("nothing was rejected").into());
        }
    }
    vault.save(&lock, &[(&file, reading.without(&rejected)?)])?;
    drop(lock);
    context.tell(&mut vault);
    for proposal in &rejected {
        context.ui.note(&format!("rejected {}", described(&name, proposal)));
    }
    if args.commit {
        let places: Vec<_> = rejected.iter().map(|proposal| place(&name, proposal)).collect();
        let message = format!("secrets: reject {}", places.join(", "));
        context.commit(&vault, std::slice::from_ref(&file.relative), &message)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// `dev:stripe.key`, or the environment and the label of what has no path.
fn place(name: &secretree::names::EnvironmentName, proposal: &Proposal) -> String {
    match &proposal.content {
        Content::Value(proposed) => format!("{name}:{}", proposed.path),
        _ => format!("{name} {}", proposal.label),
    }
}

fn described(name: &secretree::names::EnvironmentName, proposal: &Proposal) -> String {
    let place = escaped(&place(name, proposal)).into_owned();
    let from = shown(&proposal.provenance);
    match &proposal.content {
        Content::Value(_) => format!("`{place}`, {} ({from})", proposal.label),
        Content::Junk(reason) => format!("`{place}` ({from}): {}", escaped(reason)),
        Content::Sealed => format!("`{place}` ({from})"),
    }
}
