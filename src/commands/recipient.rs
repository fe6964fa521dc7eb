//! `recipient`: the people and machines of the policy. Each verb under it has its own file.

mod add;
mod keys;
mod list;
mod remove;
mod show;

use std::process::ExitCode;

use secretree::error::{Failure, Result};
use secretree::names::{NAME_RULE, RecipientName, did_you_mean};
use secretree::policy::{Access, Policy, PolicyChange};

use crate::context::{Context, shown_diff};

/// Show, add and remove the people and machines of the policy
///
/// What is changed is the policy only, comments and layout kept. The environment files follow with
/// `secretree apply`; who had access keeps what they have read.
#[derive(clap::Args)]
#[command(verbatim_doc_comment, disable_help_subcommand = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

/// The verbs under `recipient`.
#[derive(clap::Subcommand)]
enum Verb {
    Add(add::Args),
    Remove(remove::Args),
    List(list::Args),
    Show(show::Args),
}

/// Runs the command.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    match &args.verb {
        Verb::Add(args) => add::run(args, context),
        Verb::Remove(args) => remove::run(args, context),
        Verb::List(args) => list::run(args, context),
        Verb::Show(args) => show::run(args, context),
    }
}

/// A name that was typed. What was typed may be a private key at the wrong place, so it is not repeated.
fn checked_name(text: &str) -> Result<RecipientName> {
    RecipientName::new(text).ok_or_else(|| {
        let failure = Failure::usage(format!("NAME is no name: {NAME_RULE}"));
        let looks_like_a_key =
            text.len() > 64 || text.contains([' ', '\n']) || text.to_ascii_uppercase().contains("KEY");
        match RecipientName::fitted(text).filter(|_| !looks_like_a_key) {
            Some(fitted) => failure.hint(format!("did you mean `{fitted}`?")).into(),
            None => failure.into(),
        }
    })
}

/// The failure for a name that the policy does not have.
fn unknown(policy: &Policy, name: &RecipientName) -> Failure {
    let failure = Failure::failed(format!("`{name}` is no recipient"));
    let names = || {
        policy
            .people
            .recipients()
            .iter()
            .map(|recipient| recipient.name.as_str())
    };
    match did_you_mean(name.as_str(), names()) {
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None => failure.hint("secretree recipient list"),
    }
}

/// Shows the lines that changed, commits them if asked, and says which files follow.
fn report(context: &Context, change: &PolicyChange, commit: Option<&str>, environments: &[String]) -> Result<()> {
    for line in shown_diff(change) {
        context.ui.note(&line);
    }
    if let Some(message) = commit {
        let vault = context.vault(&change.after)?;
        context.commit(&vault, &change.paths(), message)?;
    }
    let names = environments.join(" ");
    match (environments.is_empty(), commit) {
        (true, None) => context.ui.note("next: commit"),
        (true, Some(_)) => {}
        (false, None) => context
            .ui
            .note(&format!("next: `secretree apply {names}`, then commit")),
        (false, Some(_)) => context
            .ui
            .note(&format!("next: `secretree apply {names} --commit`, then push")),
    }
    Ok(())
}

/// The environments that one may read and the other may not, in the order of their names.
fn reads_beyond(more: &Access, less: &Access) -> Vec<String> {
    more.reads.difference(&less.reads).map(ToString::to_string).collect()
}

/// All environments that somebody may read, in the order of their names.
fn all_reads(access: &Access) -> Vec<String> {
    access.reads.iter().map(ToString::to_string).collect()
}
