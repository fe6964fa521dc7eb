//! `revoke`: one name less among the readers, in policy and files at once.

use std::process::ExitCode;

use secretree::access;
use secretree::error::Result;
use secretree::names::EnvironmentName;

use crate::context::{Context, Step, checked_operand};

/// Take a recipient or group out of the readers: policy and files in one step
///
/// NAME goes out of `readers`, and out of `writers`, of each ENV, and each file gets a new key: what is written from
/// then on is closed to NAME. What NAME has read stays known to them. Shows all of it and asks.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Who reads through a group is taken out of that group: secretree recipient remove NAME --group GROUP, then
secretree apply. Who leaves altogether: secretree recipient remove NAME, then secretree apply.

Examples:
  secretree revoke carol prod
  secretree revoke contractors dev staging --commit"
)]
pub(crate) struct Args {
    /// The recipient or group
    #[arg(value_name = "NAME")]
    name: String,
    /// The environments
    #[arg(value_name = "ENV", required = true)]
    environments: Vec<String>,
    /// Commit the changed files
    #[arg(long)]
    commit: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    let name = checked_operand(&args.name)?;
    let (lock, loaded) = context.locked_policy()?;
    let environments = context.environments_in(&loaded, &args.environments)?;
    let revoked = access::revoke(&loaded, &name, &environments)?;
    for (environment, _) in &revoked.unchanged {
        context
            .ui
            .note(&format!("`{name}` is no reader of `{environment}` by the policy"));
    }
    let mut vault = context.vault(&revoked.change.after)?;
    let mut plans = Vec::new();
    for environment in &revoked.environments {
        if vault.load(environment)?.text.is_some() {
            plans.push(vault.plan(environment, false)?);
        }
    }
    plans.retain(|plan| !plan.is_empty());
    context.tell(&mut vault);
    if revoked.change.is_empty() && plans.is_empty() {
        context.ui.note("policy and files say so already; nothing was written");
        return Ok(ExitCode::SUCCESS);
    }
    let names: Vec<_> = environments.iter().map(EnvironmentName::as_str).collect();
    let message = format!("secrets: revoke {name} {}", names.join(", "));
    let told = context.told_of_others(&vault, &plans)?;
    let step = Step {
        policy: Some(&revoked.change),
        plans: &plans,
        since: told.as_ref(),
        remarks: &[],
        question: "revoke this?",
        message: args.commit.then_some(message.as_str()),
    };
    context.carry_out(&mut vault, lock, &step)?;
    if plans.iter().any(|plan| !plan.loses.is_empty()) {
        context
            .ui
            .note("what was read stays known to them: change the values that matter");
    }
    if !args.commit {
        context.ui.note("next: commit");
    }
    Ok(ExitCode::SUCCESS)
}
