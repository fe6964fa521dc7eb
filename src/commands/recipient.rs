//! `recipient`: the people and machines of the policy. Each verb under it has its own file.

mod add;
mod import;
mod keys;
mod list;
mod remove;
mod show;

use std::process::ExitCode;

use secretree::error::{Failure, Result};
use secretree::names::{RecipientName, did_you_mean};
use secretree::policy::{Access, POLICY_NAME, Policy, PolicyChange};

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
    Import(import::Args),
}

/// Runs the command.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    match &args.verb {
        Verb::Add(args) => add::run(args, context),
        Verb::Remove(args) => remove::run(args, context),
        Verb::List(args) => list::run(args, context),
        Verb::Show(args) => show::run(args, context),
        Verb::Import(args) => import::run(args, context),
    }
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

/// The group that `--group` named.
fn known_group(policy: &Policy, text: &str) -> Result<RecipientName> {
    named_group(policy, text).ok_or_else(|| no_group(policy, text).into())
}

/// The same, where somebody is to come into it: it may be that it is not there yet.
fn group_to_fill(policy: &Policy, text: &str) -> Result<RecipientName> {
    named_group(policy, text).ok_or_else(|| {
        let failure = no_group(policy, text);
        match RecipientName::new(text) {
            Some(name) => failure
                .hint(format!(
                    "a new group is a line below `groups:` in {POLICY_NAME}: `{name}: []`"
                ))
                .into(),
            None => failure.into(),
        }
    })
}

fn named_group(policy: &Policy, text: &str) -> Option<RecipientName> {
    RecipientName::new(text).filter(|name| policy.people.group(name).is_some())
}

fn no_group(policy: &Policy, text: &str) -> Failure {
    // Only a name is repeated: what else was typed may be a key.
    let failure = Failure::failed(match RecipientName::new(text) {
        Some(name) => format!("`{name}` is no group"),
        None => "`--group` names no group".to_owned(),
    });
    let names = || policy.people.groups().map(|(name, _)| name.as_str());
    match did_you_mean(text, names()) {
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None if names().next().is_none() => failure.hint("the policy has no `groups`"),
        None => failure.hint(format!("groups are {}", names().collect::<Vec<_>>().join(", "))),
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
    say_next(context, commit.is_some(), environments);
    Ok(())
}

/// Which files follow, and what to type for it.
fn say_next(context: &Context, committed: bool, environments: &[String]) {
    let names = environments.join(" ");
    match (environments.is_empty(), committed) {
        (true, false) => context.ui.note("next: commit"),
        (true, true) => {}
        (false, false) => context
            .ui
            .note(&format!("next: `secretree apply {names}`, then commit")),
        (false, true) => context
            .ui
            .note(&format!("next: `secretree apply {names} --commit`, then push")),
    }
}

/// The environments that one may read and the other may not, in the order of their names.
fn reads_beyond(more: &Access, less: &Access) -> Vec<String> {
    more.reads.difference(&less.reads).map(ToString::to_string).collect()
}

/// All environments that somebody may read, in the order of their names.
fn all_reads(access: &Access) -> Vec<String> {
    access.reads.iter().map(ToString::to_string).collect()
}
