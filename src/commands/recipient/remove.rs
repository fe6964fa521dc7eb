//! `recipient remove`: somebody out of the policy, or one of their keys.

use std::process::ExitCode;

use secretree::crypto::public_key::PublicKey;
use secretree::error::{Failure, Result};
use secretree::names::RecipientName;
use secretree::policy::{Policy, PolicyEdit};

use super::{all_reads, known_group, reads_beyond, report, unknown};
use crate::context::{Context, checked_operand};

/// Remove somebody from the policy, with all their places in groups and environments; or one key, or from a group
///
/// The files still grant what they granted until `secretree apply` makes new keys for them. What somebody has
/// read stays known to them: rotate it.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  secretree recipient remove bob
  secretree recipient remove bob --group platform
  secretree recipient remove bob --key x25519-9b1d7c22e0f34a56"
)]
pub(super) struct Args {
    /// The name in the policy
    #[arg(value_name = "NAME")]
    name: String,
    /// Only this public key, or the one with this label
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Only out of this group; may be repeated
    #[arg(long, value_name = "GROUP", conflicts_with = "key")]
    group: Vec<String>,
    /// Commit the policy
    #[arg(long)]
    commit: bool,
}

/// Runs the command.
pub(super) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    let name = checked_operand(&args.name)?;
    let (lock, loaded) = context.locked_policy()?;
    let policy = &loaded.policy;
    let is_inner_group = !args.group.is_empty() && policy.people.knows(name.as_str());
    if policy.people.recipient(name.as_str()).is_none() && !is_inner_group {
        return Err(unknown(policy, &name).into());
    }
    let mut edit = PolicyEdit::new(&loaded);
    let places = match &args.key {
        Some(key) => {
            edit.remove_key(&name, &named_key(policy, &name, key)?)?;
            Vec::new()
        }
        None if !args.group.is_empty() => {
            for group in &args.group {
                leave(&mut edit, policy, &name, group)?;
            }
            Vec::new()
        }
        None => edit.remove_everywhere(&name)?,
    };
    let change = edit.finish()?;
    change.write(&lock)?;
    drop(lock);
    let before = policy.access(&name);
    let lost = match args.key {
        Some(_) => all_reads(&before),
        None if !args.group.is_empty() => with_fewer_readers(policy, &change.after.policy),
        None => reads_beyond(&before, &change.after.policy.access(&name)),
    };
    let message = match &args.key {
        None if !args.group.is_empty() => format!("secrets: remove {name} from {}", args.group.join(", ")),
        Some(_) => format!("secrets: remove a key of {name}"),
        None => format!("secrets: remove recipient {name}"),
    };
    if !places.is_empty() {
        context.ui.note(&format!("`{name}` is out of {}", places.join(", ")));
    }
    report(context, &change, args.commit.then_some(message.as_str()), &lost)?;
    if !lost.is_empty() {
        context.ui.note(
            "until then the files grant what they granted; values that were read stay known: rotate what matters",
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// The environments that somebody may not read any more.
fn with_fewer_readers(before: &Policy, after: &Policy) -> Vec<String> {
    let fewer = before.environments.values().filter(|old| {
        let new = after.environment(&old.name);
        new.is_none_or(|new| !before.readers(old).is_subset(&after.readers(new)))
    });
    fewer.map(|old| old.name.to_string()).collect()
}

/// Takes the name out of a group that lists it.
fn leave(edit: &mut PolicyEdit<'_>, policy: &Policy, name: &RecipientName, group: &str) -> Result<()> {
    let group = known_group(policy, group)?;
    if edit.remove_member(&group, name)? {
        return Ok(());
    }
    let groups: Vec<_> = policy.groups_of(name).iter().map(ToString::to_string).collect();
    let failure = Failure::failed(format!("`{group}` does not list `{name}`"));
    Err(match groups.is_empty() {
        true => failure.hint(format!("no group lists `{name}`")),
        false => failure.hint(format!("groups that do: {}", groups.join(", "))),
    }
    .into())
}

/// The recipient's key that is this public key, or has this label.
fn named_key(policy: &Policy, name: &RecipientName, text: &str) -> Result<PublicKey> {
    let keys = policy.people.recipient(name.as_str()).map(|recipient| &recipient.keys);
    let keys = keys.into_iter().flatten();
    let typed = PublicKey::parse(text).ok();
    let is_meant = |key: &&PublicKey| key.label().as_str() == text || Some(*key) == typed.as_ref();
    let mut found = keys.clone().filter(is_meant);
    match (found.next(), keys.count()) {
        (None, _) => Err(Failure::failed(format!("`{name}` has no such key"))
            .hint(format!("secretree recipient show {name}"))
            .into()),
        (Some(_), 1) => Err(
            Failure::failed(format!("it is the only key of `{name}`; nothing was written"))
                .hint(format!("secretree recipient remove {name}, or add another key first"))
                .into(),
        ),
        (Some(key), _) => Ok(key.clone()),
    }
}
