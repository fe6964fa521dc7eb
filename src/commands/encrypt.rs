//! `encrypt`: what stands readable in an environment file and should not.

use std::path::PathBuf;
use std::process::ExitCode;

use secretree::error::{Failure, Result};

use crate::context::Context;
use crate::ui::escaped;

/// Seal what stands readable in an environment file and should not
///
/// After a hand edit of the file itself: names each path and asks before it seals. Also moves the footer
/// back to the end of the file.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  secretree encrypt
  secretree encrypt prod --yes --commit"
)]
pub(crate) struct Args {
    /// The environments; without any $SECRETREE_ENV, then the policy's default
    #[arg(value_name = "ENV")]
    environments: Vec<String>,
    /// Commit the changed files
    #[arg(long)]
    commit: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    let (loaded, names) = if args.environments.is_empty() {
        let (loaded, name) = context.policy_for_one(None)?;
        (loaded, vec![name])
    } else {
        context.policy_for_many(&args.environments)?
    };
    let mut vault = context.vault(&loaded)?;
    let lock = vault.lock()?;
    let mut plans = Vec::new();
    for name in &names {
        let plan = vault.plan_encryption(name)?;
        if !plan.is_empty() {
            plans.push(plan);
        }
    }
    context.tell(&mut vault);
    if plans.is_empty() {
        context.ui.note("nothing stands readable that should not");
        return Ok(ExitCode::SUCCESS);
    }
    let mut lines = Vec::new();
    for plan in &plans {
        let name = &plan.environment;
        lines.extend(
            plan.encrypts
                .iter()
                .map(|path| escaped(&format!("encrypt `{name}:{path}`")).into_owned()),
        );
        if plan.creates {
            lines.push(format!(
                "`{name}`: {} gets a footer with grants for its readers",
                plan.file.relative.display()
            ));
            lines.extend(context.gains(&vault, plan)?);
        } else if plan.encrypts.is_empty() {
            lines.push(format!(
                "`{name}`: the footer goes back to the end of {}",
                plan.file.relative.display()
            ));
        }
    }
    if !context.ui.confirm(&lines, "encrypt this?")? {
        return Err(Failure::failed("nothing was written").into());
    }
    let changes: Vec<_> = plans.iter().map(|plan| (&plan.file, plan.text.clone())).collect();
    vault.save(&lock, &changes)?;
    drop(lock);
    context.tell(&mut vault);
    let files: Vec<PathBuf> = plans.iter().map(|plan| plan.file.relative.clone()).collect();
    let written: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
    context.ui.note(&escaped(&format!("wrote {}", written.join(", "))));
    let tracked = plans
        .iter()
        .any(|plan| vault.was_committed_readable(&plan.file, &plan.encrypts));
    if tracked {
        context
            .ui
            .warning("values that stood readable are in git's history: make new ones");
    }
    if args.commit {
        let names: Vec<_> = plans.iter().map(|plan| plan.environment.as_str()).collect();
        context.commit(&vault, &files, &format!("secrets: encrypt {}", names.join(", ")))?;
    }
    Ok(ExitCode::SUCCESS)
}
