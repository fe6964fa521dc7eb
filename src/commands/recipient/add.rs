//! `recipient add`: somebody new in the policy, or another key of somebody.

use std::path::PathBuf;
use std::process::ExitCode;

use secretree::error::{Failure, Result};
use secretree::names::RecipientName;
use secretree::policy::{LoadedPolicy, NamedKey, NewRecipient, Policy, PolicyChange, PolicyEdit};

use super::{all_reads, group_to_fill, keys, reads_beyond, report};
use crate::context::{Context, checked_operand};

/// Add a person or machine to the policy, or a key to one who is there
///
/// KEY is `age1…` or an SSH public key in quotes; `-` reads keys from standard input. A file may be a list of
/// age recipients, an SSH `.pub` file, or an identity's file, of which the public key is taken.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
SSH keys of kinds that cannot decrypt (ecdsa, security keys) are left out and named.

Examples:
  secretree recipient add bob age1… --group developers
  secretree recipient add bob --file bob.pub
  curl -s https://github.com/NAME.keys | secretree recipient add bob -
  secretree recipient add ci-prod age1… --machine"
)]
pub(super) struct Args {
    /// The name in the policy
    #[arg(value_name = "NAME")]
    name: String,
    /// Public keys, or `-`
    #[arg(value_name = "KEY")]
    keys: Vec<String>,
    /// Take the public keys in FILE
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Put them into a group; may be repeated
    #[arg(long, value_name = "GROUP")]
    group: Vec<String>,
    /// It is a machine: it reads, and writes only where `writers` names it
    #[arg(long)]
    machine: bool,
    /// Where to write to
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// Commit the policy
    #[arg(long)]
    commit: bool,
}

/// Runs the command.
pub(super) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    let name = checked_operand(&args.name)?;
    check_email(args.email.as_deref())?;
    let given = keys::given(context, &name, &args.keys, args.file.as_ref())?;
    let (lock, loaded) = context.locked_policy()?;
    let change = changed(args, &loaded, &name, given)?;
    if change.is_empty() {
        context
            .ui
            .note(&format!("`{name}` has all of this already; nothing was written"));
        return Ok(ExitCode::SUCCESS);
    }
    change.write(&lock)?;
    drop(lock);
    let message = format!("secrets: add recipient {name}");
    let access = change.after.policy.access(&name);
    let reads = match loaded.policy.people.recipient(name.as_str()) {
        // A new key needs a grant in every file.
        Some(before) if has_new_key(&change.after.policy, &name, before.keys.len()) => all_reads(&access),
        _ => reads_beyond(&access, &loaded.policy.access(&name)),
    };
    report(context, &change, args.commit.then_some(message.as_str()), &reads)?;
    if access.reads.is_empty() {
        context.ui.note(&format!(
            "`{name}` reads nothing yet: `secretree grant {name} ENV`, or `secretree recipient add {name} --group GROUP`"
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn has_new_key(after: &Policy, name: &RecipientName, before: usize) -> bool {
    let recipient = after.people.recipient(name.as_str());
    recipient.is_some_and(|recipient| recipient.keys.len() > before)
}

fn check_email(email: Option<&str>) -> Result<()> {
    let fits = |text: &str| {
        let forbidden = |character: char| character.is_control() || character.is_whitespace();
        text.len() <= 254 && text.contains('@') && !text.contains(forbidden)
    };
    match email {
        Some(email) if !fits(email) => Err(Failure::usage("`--email` is no address such as `bob@example.com`").into()),
        _ => Ok(()),
    }
}

fn changed(args: &Args, loaded: &LoadedPolicy, name: &RecipientName, given: Vec<NamedKey>) -> Result<PolicyChange> {
    let policy = &loaded.policy;
    if policy.people.group(name).is_some() {
        return Err(Failure::failed(format!("`{name}` is a group: a recipient needs another name")).into());
    }
    for key in &given {
        if let Some(owner) = policy.people.owner(&key.key).filter(|owner| owner.name != *name) {
            let message = format!("the key `{}` is one of `{}` already", key.key.label(), owner.name);
            return Err(Failure::failed(message)
                .hint(format!("secretree recipient show {}", owner.name))
                .into());
        }
    }
    let mut edit = PolicyEdit::new(loaded);
    match policy.people.recipient(name.as_str()) {
        Some(_) if args.machine || args.email.is_some() => {
            let message = format!("`{name}` is there already; `--machine` and `--email` are for somebody new");
            return Err(Failure::failed(message).hint("edit the policy for that").into());
        }
        Some(there) => {
            for key in given.iter().filter(|key| !there.keys.contains(&key.key)) {
                edit.add_key(name, key)?;
            }
        }
        None if given.is_empty() => return Err(no_key(name).into()),
        None => edit.add_recipient(&NewRecipient {
            name: name.clone(),
            keys: given,
            email: args.email.clone(),
            machine: args.machine,
        })?,
    }
    for group in &args.group {
        edit.add_member(&group_to_fill(policy, group)?, name)?;
    }
    edit.finish()
}

fn no_key(name: &RecipientName) -> Failure {
    Failure::usage(format!("`{name}` is new and needs a public key"))
        .hint(format!("secretree recipient add {name} age1…"))
        .hint(format!(
            "curl -s https://github.com/NAME.keys | secretree recipient add {name} -"
        ))
}
