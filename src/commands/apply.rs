//! `apply`: the environment files as the policy wants them.

use std::process::ExitCode;

use secretree::document::path::ValuePath;
use secretree::error::{Failure, Result};
use secretree::vault::Plan;

use crate::context::{Context, Step, environments, origin_of};

/// Make the environment files what the policy says: who can read them
///
/// Shows what it will do and asks. A public key that lost access always means a new environment key, under
/// which every value is sealed anew. Several files change all together or not at all.
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
    /// Commit the changed files
    #[arg(long)]
    commit: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    let (loaded, names) = context.policy_for_many(&args.environments)?;
    let mut vault = context.vault(&loaded)?;
    let lock = vault.lock()?;
    let mut plans = Vec::new();
    for name in &names {
        let plan = vault.plan(name, args.new_key)?;
        if !plan.is_empty() {
            plans.push(plan);
        }
    }
    context.tell(&mut vault);
    if plans.is_empty() {
        context.ui.note("every file is what the policy says");
        return Ok(ExitCode::SUCCESS);
    }
    check_takeovers(args, context, &plans)?;
    let message = format!("secrets: apply {}", environments(&plans));
    let step = Step {
        policy: None,
        plans: &plans,
        remarks: &[],
        question: "apply this?",
        message: args.commit.then_some(message.as_str()),
    };
    context.carry_out(&mut vault, lock, &step)?;
    Ok(ExitCode::SUCCESS)
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
