//! `offboard`: somebody leaves, and what they could have read becomes a list of things to do.

mod report;

use std::process::ExitCode;

use secretree::access::{Departure, depart};
use secretree::error::{Failure, Result};
use secretree::files::real_path;
use secretree::history::{Entries, Exposed, Exposures};
use secretree::names::did_you_mean;
use secretree::policy::LoadedPolicy;
use secretree::vault::Plan;

use crate::context::history::Archive;
use crate::context::{Context, Step, checked_operand};
use crate::ui::escaped;
use report::Report;

/// Take somebody out of everything, under new keys, and list the values that have to be changed
///
/// Out of every line of the policy, and out of every file under a new key, in one change. Then the values that they
/// could have read and that are in use still: each is to be changed where it comes from. Machines leave the same way.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
The list comes from the history of this clone, all branches, tags and remotes of it; run again, it lists what is
left. It works, too, when the policy names them no longer. Needs an identity that goes on reading their environments.

With --json: {\"recipient\", \"dry_run\": bool, \"removed_from\": [...], \"new_keys\": [ENV...], \"complete\": bool,
\"values\": [{\"environment\", \"path\", \"version\", \"description\", \"owner\"}]}; \"complete\" is false where history is missing.

Examples:
  secretree offboard bob --dry-run
  secretree offboard bob --commit
  secretree offboard bob --dry-run --markdown > bob.md    what is left to be changed"
)]
pub(crate) struct Args {
    /// The person or machine, in the policy or gone from it
    #[arg(value_name = "NAME")]
    name: String,
    /// Write nothing: show what would be done, and the list
    #[arg(long)]
    dry_run: bool,
    /// Print the list as Markdown, with boxes to tick
    #[arg(long)]
    markdown: bool,
    /// Commit the changed files
    #[arg(long, conflicts_with = "dry_run")]
    commit: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    let name = checked_operand(&args.name)?;
    let (lock, loaded) = context.locked_policy()?;
    let departure = depart(&loaded, &name)?;
    let archive = context.archive_if_any(&loaded);
    let exposed = {
        let vault = context.vault(&loaded)?;
        let history = archive.as_ref();
        let history = history
            .map(|archive| archive.history(&loaded, Entries::All))
            .transpose()?;
        let exposures = Exposures::read(history.as_ref(), &context.present(&loaded, &vault))?;
        let labels = departure.all_labels(history.as_ref(), &exposures);
        let Some(labels) = labels else {
            return Err(unknown(&departure, &loaded, &exposures).into());
        };
        (exposures.of(&labels), labels)
    };
    let (exposed, labels) = exposed;
    let mut vault = context.vault(&departure.change.after)?;
    let concerned = departure.environments(&vault, &labels)?;
    let mut progress = context.ui.progress("planning", concerned.len());
    let plans = vault.noting_once(|vault| departure.plans(vault, &concerned, || progress.step()))?;
    drop(progress);
    context.tell(&mut vault);
    let report = Report::new(&departure, &plans, &exposed, archive.is_some(), args.dry_run);
    let remarks = remarks(&departure, &report);
    let message = format!("secrets: offboard {name}");
    let told = context.told_of_others(&vault, &plans)?;
    let step = Step {
        policy: Some(&departure.change),
        plans: &plans,
        since: told.as_ref(),
        remarks: &remarks,
        question: "offboard them?",
        message: args.commit.then_some(message.as_str()),
    };
    let is_done = departure.change.is_empty() && plans.is_empty();
    match (is_done, args.dry_run) {
        (true, _) => context
            .ui
            .note(&format!("`{name}` is in no line of the policy and in no file any more")),
        (false, true) => context.show(&step),
        (false, false) => context.carry_out(&mut vault, lock, &step)?,
    }
    report.print(context, args.markdown)?;
    say_what_is_next(args, context, &report, is_done, &plans);
    say_what_is_missing(context, archive.as_ref(), &exposed);
    warn_of_other_policies(context, &loaded, &departure)?;
    Ok(ExitCode::SUCCESS)
}

fn remarks(departure: &Departure, report: &Report) -> Vec<String> {
    let mut remarks = Vec::new();
    if !departure.places.is_empty() {
        let places = departure.places.join(", ");
        remarks.push(escaped(&format!("`{}` goes out of {places}", departure.name)).into_owned());
    }
    remarks.push(format!(
        "`{}` could have read {} that {} in use still",
        departure.name,
        report.counted(),
        if report.values.len() == 1 { "is" } else { "are" }
    ));
    remarks
}

fn say_what_is_next(args: &Args, context: &Context, report: &Report, is_done: bool, plans: &[Plan]) {
    if args.dry_run {
        if !is_done {
            context.ui.note("nothing was written");
        }
        return;
    }
    if !plans.is_empty() || !is_done {
        let next = if args.commit {
            "next: push"
        } else {
            "next: commit and push"
        };
        context.ui.note(next);
    }
    if !report.values.is_empty() {
        context.ui.note(&format!(
            "then change each where it comes from, and `secretree set` it; what is left: secretree offboard {} --dry-run",
            report.recipient
        ));
    }
}

fn say_what_is_missing(context: &Context, archive: Option<&Archive>, exposed: &Exposed) {
    if let Some(archive) = archive {
        context.tell_incomplete(archive, exposed.complete);
        context.tell_unreadable(exposed.unreadable);
    }
}

/// The failure for a name that neither policy nor files nor history know.
fn unknown(departure: &Departure, loaded: &LoadedPolicy, exposures: &Exposures) -> Failure {
    let name = &departure.name;
    let failure = Failure::failed(format!(
        "`{name}` is no recipient and never was, as far as is known here"
    ));
    let recipients = loaded.policy.people.recipients().iter().map(|known| &known.name);
    let known = recipients.chain(exposures.names());
    match did_you_mean(name.as_str(), known.map(AsRef::as_ref)) {
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None => failure.hint("who there is: secretree recipient list"),
    }
}

/// Policies with people of their own are changed by themselves; that they name the same person is said.
fn warn_of_other_policies(context: &Context, loaded: &LoadedPolicy, departure: &Departure) -> Result<()> {
    let Some(repository) = context.repository()? else {
        return Ok(());
    };
    let own = real_path(&loaded.root_folder)?;
    let name = &departure.name;
    for folder in LoadedPolicy::roots_in(repository.root())?
        .into_iter()
        .filter(|folder| *folder != own)
    {
        let shown = folder
            .strip_prefix(repository.root())
            .unwrap_or(&folder)
            .display()
            .to_string();
        let shown = if shown.is_empty() { ".".to_owned() } else { shown };
        match LoadedPolicy::find_at(&folder) {
            Ok(other) if other.policy.people.recipient(name.as_str()).is_some() => context.ui.warning(&format!(
                "`{shown}` has a policy of its own, which names `{name}` too: secretree -C {} offboard {name}",
                folder.display()
            )),
            Ok(_) => {}
            Err(error) => context.ui.warning(&format!(
                "whether the policy in `{shown}` names `{name}` is not known: {error}"
            )),
        }
    }
    Ok(())
}
