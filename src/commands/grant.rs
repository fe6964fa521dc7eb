//! `grant`: one name more among the readers, in policy and files at once.

use std::process::ExitCode;

use anyhow::Error;
use secretree::access;
use secretree::error::{Failure, FailureKind, Result};
use secretree::names::{EnvironmentName, RecipientName};
use secretree::vault::{Plan, Vault};

use crate::context::{Context, Step, checked_operand};
use crate::ui::escaped;

/// Let a recipient or group read environments: policy and files in one step
///
/// NAME is put under `readers` of each ENV, and of what ENV builds on; the files are granted to its public keys.
/// Shows both and asks; all of it is written or nothing. Needs an identity that reads the environments.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Who is granted can read every value of the environment, also old ones that its present key has sealed.
Somebody new is added first: secretree recipient add NAME KEY. Group by group access is given with
secretree recipient add NAME --group GROUP.

Examples:
  secretree grant carol dev staging
  secretree grant ci-prod prod --commit"
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
    let granted = access::grant(&loaded, &name, &environments)?;
    for (environment, way) in &granted.unchanged {
        let through = way.as_ref().and_then(access::Way::groups_shown);
        let through = through.map_or_else(String::new, |groups| format!(", through the group {groups}"));
        context
            .ui
            .note(&format!("`{name}` is a reader of `{environment}` already{through}"));
    }
    let mut vault = context.vault(&granted.change.after)?;
    let plans = plans(context, &mut vault, &granted)?;
    if granted.change.is_empty() && plans.is_empty() {
        context.ui.note("policy and files say so already; nothing was written");
        return Ok(ExitCode::SUCCESS);
    }
    let message = format!("secrets: grant {name} {}", named(&environments));
    let told = context.told_of_others(&vault, &plans)?;
    let step = Step {
        policy: Some(&granted.change),
        plans: &plans,
        since: told.as_ref(),
        remarks: &[],
        question: "grant this?",
        message: args.commit.then_some(message.as_str()),
    };
    context.carry_out(&mut vault, lock, &step)?;
    if !args.commit {
        context.ui.note("next: commit");
    }
    for environment in &environments {
        say_who_writes(context, &vault, environment, &name);
    }
    Ok(ExitCode::SUCCESS)
}

/// What the files need. One that is not there yet gets its grants with its first value.
fn plans(context: &Context, vault: &mut Vault<'_>, granted: &access::ReaderChange) -> Result<Vec<Plan>> {
    let mut plans = Vec::new();
    for environment in &granted.environments {
        if vault.load(environment)?.text.is_none() {
            context.ui.detail(&format!("`{environment}` has no file yet"));
            continue;
        }
        let plan = vault
            .plan(environment, false)
            .map_err(|error| not_a_reader(error, environment))?;
        if !plan.is_empty() {
            plans.push(plan);
        }
    }
    context.tell(vault);
    Ok(plans)
}

/// Who cannot read can only ask.
fn not_a_reader(error: Error, environment: &EnvironmentName) -> Error {
    match FailureKind::of(&error) {
        Some(FailureKind::NoIdentity) => {
            let message = format!("no identity here can open `{environment}`: only a reader can grant it");
            Failure::no_identity(message)
                .hint(format!("to ask for it: secretree join {environment}"))
                .into()
        }
        _ => error,
    }
}

/// Who reads is not always a writer.
fn say_who_writes(context: &Context, vault: &Vault<'_>, environment: &EnvironmentName, name: &RecipientName) {
    let policy = &vault.loaded().policy;
    let Some(rules) = policy.environment(environment) else {
        return;
    };
    let recipients = policy.people.flattened(std::slice::from_ref(name));
    let writers = policy.writers(rules);
    if rules.writers.is_some() && !recipients.iter().any(|recipient| writers.contains(recipient)) {
        context.ui.note(&escaped(&format!(
            "note: `{name}` reads `{environment}`; `writers` there names who may change it"
        )));
    }
}

fn named(environments: &[EnvironmentName]) -> String {
    let names: Vec<_> = environments.iter().map(EnvironmentName::as_str).collect();
    names.join(", ")
}
