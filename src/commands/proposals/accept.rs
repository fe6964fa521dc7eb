//! `proposals accept`: proposed values become values. What was shown is what is written: a label means its bytes.

use std::collections::BTreeSet;
use std::process::ExitCode;

use secretree::error::{Failure, Result};
use secretree::names::EnvironmentName;
use secretree::value::Value;
use secretree::vault::{Content, Effect, Environment, Proposal, Proposed, Rulebook};

use super::choice::{Sweep, chosen};
use super::{nothing_named, shown};
use crate::context::Context;
use crate::ui::escaped;

/// The most characters of a value that `--reveal` shows.
const MOST_REVEALED: usize = 2000;

/// Accept proposed values: they become the values of the environment
///
/// Shows who proposed each, and asks. PATH is a path, or the label of a proposal where there are several for one
/// path. What was shown is written, or nothing.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    override_usage = "secretree proposals accept [OPTIONS] <ENV> <PATH>...\n       secretree proposals accept [OPTIONS] --all <ENV>",
    after_help = "\
A value must match the `pattern` that the policy declares. One with control characters, or that is no text,
needs --raw.

Examples:
  secretree proposals accept prod stripe.key
  secretree proposals accept prod stripe.key --reveal
  secretree proposals accept dev --all --yes --commit"
)]
pub(super) struct Args {
    /// The environment
    #[arg(value_name = "ENV")]
    environment: String,
    /// The places, or labels of proposals
    #[arg(value_name = "PATH")]
    paths: Vec<String>,
    /// Everything that can be accepted
    #[arg(long, conflicts_with = "paths")]
    all: bool,
    /// Also values with control characters, and bytes that are no text
    #[arg(long)]
    raw: bool,
    /// Show the values before the question
    #[arg(long)]
    reveal: bool,
    /// Commit the changed file
    #[arg(long)]
    commit: bool,
}

/// Runs the command.
pub(super) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    let (loaded, name) = context.policy_for(&args.environment, Some("proposals accept"))?;
    if args.paths.is_empty() && !args.all {
        return Err(nothing_named("accept", &name, "--all").into());
    }
    let mut vault = context.vault(&loaded)?;
    let rules = vault.rules(&name)?;
    let seen = vault.load(&name)?;
    let environment = vault.open(&seen)?;
    environment.refuse_outsiders()?;
    let proposals = vault.proposals(&environment)?;
    context.tell(&mut vault);
    let sweep = if args.all { Sweep::Values } else { Sweep::Nothing };
    let accepted = chosen(rules, proposals, &args.paths, sweep)?;
    if accepted.is_empty() {
        context
            .ui
            .note(&format!("`{name}` has no proposal that can be accepted"));
        return Ok(ExitCode::SUCCESS);
    }
    check(rules, &accepted, args.raw)?;
    if !context
        .ui
        .confirm(&plan(&name, &accepted, args.reveal), "accept this?")?
    {
        return Err(Failure::failed("nothing was accepted").into());
    }
    let lock = vault.lock()?;
    let file = vault.load(&name)?;
    let (text, changes) = if file.text == seen.text {
        environment.accept(&accepted)?
    } else {
        let now = vault.open(&file)?;
        refuse_changed(&environment, &now, &accepted)?;
        now.accept(&accepted)?
    };
    vault.refuse_readable_over_token(&file, &changes.readable)?;
    vault.save(&lock, &[(&file, text)])?;
    drop(lock);
    context.tell(&mut vault);
    let paths: Vec<_> = values(&accepted)
        .map(|(_, proposed)| format!("{name}:{}", proposed.path))
        .collect();
    for path in &paths {
        context.ui.note(&escaped(&format!("accepted `{path}`")));
    }
    if args.commit {
        let message = format!("secrets: accept {}", paths.join(", "));
        context.commit(&vault, std::slice::from_ref(&file.relative), &message)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The values among proposals.
fn values(proposals: &[Proposal]) -> impl Iterator<Item = (&Proposal, &Proposed)> {
    proposals.iter().filter_map(|proposal| match &proposal.content {
        Content::Value(proposed) => Some((proposal, proposed)),
        _ => None,
    })
}

/// Refuses what must not become a value.
fn check(rules: Rulebook<'_>, accepted: &[Proposal], raw: bool) -> Result<()> {
    let name = &rules.environment.name;
    for proposal in accepted {
        let reason = match &proposal.content {
            Content::Value(_) => continue,
            Content::Junk(reason) => reason.as_str(),
            Content::Sealed => "it does not open here",
        };
        let label = &proposal.label;
        return Err(Failure::failed(format!("the proposal `{label}` is junk: {reason}"))
            .hint(format!("secretree proposals reject {name} {label}"))
            .into());
    }
    let mut paths = BTreeSet::new();
    for (proposal, proposed) in values(accepted) {
        let path = &proposed.path;
        if !paths.insert(path) {
            let several = values(accepted).filter(|(_, other)| other.path == *path);
            let labels: Vec<_> = several.map(|(proposal, _)| proposal.label.as_str()).collect();
            let message = format!("{} values are proposed for `{name}:{path}`", labels.len());
            return Err(Failure::failed(message)
                .hint(format!("name one of {}", labels.join(", ")))
                .into());
        }
        let reject = format!("secretree proposals reject {name} {}", proposal.label);
        if let Err(error) = rules.check_pattern(path, &proposed.value) {
            return Err(Failure::from(error).hint(reject).into());
        }
        if proposed.is_raw() && !raw {
            let message = format!("the value proposed for `{name}:{path}` holds control characters or is no text");
            return Err(Failure::failed(message)
                .hint(format!(
                    "look at it first: secretree proposals accept {name} {path} --raw --reveal"
                ))
                .hint(reject)
                .into());
        }
    }
    Ok(())
}

/// A line for each proposal: what it does, and who made it.
fn plan(name: &EnvironmentName, accepted: &[Proposal], reveal: bool) -> Vec<String> {
    let mut lines = Vec::new();
    for (proposal, proposed) in values(accepted) {
        let effect = match proposed.effect {
            Effect::Adds => "a new value",
            Effect::Changes => "replaces the value there",
            Effect::Repeats => "the value there already",
        };
        let readable = match proposed.readable {
            true => "; it will stand readable, as `plaintext` says",
            false => "",
        };
        lines.push(format!(
            "`{}` from {} ({}): {effect}, up to {} bytes{readable}",
            escaped(&format!("{name}:{}", proposed.path)),
            proposal.label,
            shown(&proposal.provenance),
            proposed.size(),
        ));
        if reveal {
            lines.push(format!("  {}", revealed(&proposed.value)));
        }
    }
    lines
}

/// The value, safe for a terminal.
fn revealed(value: &Value) -> String {
    let delivered = value.delivered();
    let Some(text) = delivered.expose_text() else {
        return format!("{} bytes that are no text", delivered.len());
    };
    let mut start: String = text.chars().take(MOST_REVEALED).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    escaped(&start).into_owned()
}

/// Fails if the file is not what was shown any more, where it matters.
fn refuse_changed(seen: &Environment<'_>, now: &Environment<'_>, accepted: &[Proposal]) -> Result<()> {
    let name = &now.rules.environment.name;
    for (_, proposed) in values(accepted) {
        let path = &proposed.path;
        if seen.as_it_stands(path) != now.as_it_stands(path) {
            let message = format!("`{name}:{path}` changed meanwhile; nothing was written");
            return Err(Failure::failed(message).hint("run the command again").into());
        }
    }
    Ok(())
}
