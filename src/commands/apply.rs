//! `apply`: the environment files as the policy wants them.

use std::process::ExitCode;

use secretree::document::path::ValuePath;
use secretree::error::{Failure, Result};
use secretree::policy::{POLICY_NAME, Policy};
use secretree::vault::Plan;

use crate::context::{Context, Step, environments, origin_of};

/// Make the environment files what the policy says: who can read them
///
/// Shows what it will do, with the commit and author that put it into the policy, and asks. A public key that lost
/// access always means a new environment key, under which every value is sealed anew. Several files change all
/// together or not at all. An environment that was renamed, or a policy with another `id`, moves all its values:
/// that is asked for itself.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  secretree apply                  after a change of the policy
  secretree apply prod --yes --commit
  secretree apply prod --new-key   a new key although nobody left"
)]
pub(crate) struct Args {
    /// The environments; without any, all of them
    #[arg(value_name = "ENV")]
    environments: Vec<String>,
    /// Make a new environment key in any case
    #[arg(long)]
    new_key: bool,
    /// Take over the token of another key at PATH, which a merge left; may be repeated
    #[arg(long, value_name = "PATH")]
    take_over: Vec<String>,
    /// Move files to the name that their environment, or the policy's `id`, has now
    #[arg(long = "move")]
    moves: bool,
    /// Commit the changed files
    #[arg(long)]
    commit: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    let (loaded, names) = context.policy_for_many(&args.environments)?;
    let mut vault = context.vault(&loaded)?;
    let lock = vault.lock()?;
    let plans = context.plans(&mut vault, &names, args.new_key)?;
    if plans.is_empty() {
        context.ui.note("every file is what the policy says");
        return Ok(ExitCode::SUCCESS);
    }
    check_takeovers(args, context, &plans)?;
    check_moves(args, context, &loaded.policy, &plans)?;
    let told = context.told(&vault, &plans)?;
    let message = format!("secrets: apply {}", environments(&plans));
    let step = Step {
        policy: None,
        plans: &plans,
        since: told.as_ref(),
        remarks: &[],
        question: "apply this?",
        message: args.commit.then_some(message.as_str()),
    };
    context.carry_out(&mut vault, lock, &step)?;
    Ok(ExitCode::SUCCESS)
}

/// A file under another name may be another's file: `--yes` does not vouch for it. A policy that gets another `id` gets it
/// for all its files, since a machine that knows the new one believes the old one no longer.
fn check_moves(args: &Args, context: &Context, policy: &Policy, plans: &[Plan]) -> Result<()> {
    let mut moved = plans.iter().filter_map(|plan| Some((plan, plan.former.as_ref()?)));
    let Some((plan, former)) = moved.next() else {
        return Ok(());
    };
    let name = &plan.environment;
    if former.policy != policy.id && !args.environments.is_empty() {
        let message = format!(
            "the file of `{name}` belongs to the policy `{}`, but the policy here is `{}`",
            former.policy, policy.id
        );
        return Err(Failure::integrity(message)
            .hint(format!("see who changed it: git log -p -- {POLICY_NAME}"))
            .hint("if it was meant, for all files at once: secretree apply --move")
            .into());
    }
    let is_asked = context.ui.terminal().is_some() && !context.ui.assumes_yes();
    if args.moves || is_asked {
        return Ok(());
    }
    let message = match former.policy == policy.id {
        true => format!(
            "the file of `{name}` was sealed for `{}`, and `--yes` does not move it",
            former.environment
        ),
        false => format!(
            "the file of `{name}` was sealed for the policy `{}`, and `--yes` does not move it",
            former.policy
        ),
    };
    Err(Failure::integrity(message)
        .hint(format!("see who renamed it: git log -p -- {POLICY_NAME}"))
        .hint("if it was meant: secretree apply --move --yes")
        .into())
}

/// A token of another key is worth no more than a proposal. `--yes` does not vouch for it: in a job that runs by itself
/// it would let in what a removed reader left in a branch.
fn check_takeovers(args: &Args, context: &Context, plans: &[Plan]) -> Result<()> {
    let named: Vec<ValuePath> = args
        .take_over
        .iter()
        .filter_map(|text| ValuePath::parse(text))
        .collect();
    let unproven = plans
        .iter()
        .flat_map(|plan| plan.takeovers.iter().map(move |takeover| (plan, takeover)));
    let unproven: Vec<_> = unproven
        .filter(|(_, takeover)| !takeover.proven && !named.contains(&takeover.path))
        .collect();
    let Some((plan, first)) = unproven.first() else {
        return Ok(());
    };
    if let (Some(_), false) = (context.ui.terminal(), context.ui.assumes_yes()) {
        // Every takeover is a line of the plan that is asked about.
        return Ok(());
    }
    let message = format!(
        "the token at `{}:{}` is sealed under another key (`{}`), and nothing proves that only readers held it ({})",
        plan.environment,
        first.path,
        first.key,
        origin_of(first)
    );
    Err(Failure::integrity(message)
        .hint(format!(
            "look at who wrote it: git log -p -- {}",
            plan.file.relative.display()
        ))
        .hint(format!(
            "if it was meant: secretree apply {} --take-over '{}'",
            plan.environment, first.path
        ))
        .into())
}
