//! `diff`: what a branch or the work tree does to secrets, to those who read them and to the policy; and which values two
//! environments have and have not in common. What a change means is the library's to say.

mod cells;
mod json;
mod markdown;
mod reveal;
mod sections;
mod sides;
mod signs;
mod text;
mod two;

use std::collections::BTreeSet;
use std::process::ExitCode;

use secretree::error::{Failure, Result};
use secretree::history::review;

use crate::context::Context;
use sides::Compared;

/// Show what a branch does: values, who can read them, the policy; needs no key
///
/// Without revisions: what the work tree does since the last commit. With --from, what was done since the branch left
/// REV (as `git diff REV...`), up to the work tree or --to. Values are compared by their versions and never shown;
/// readers see them with --reveal. With two environments: which values only one of them has, and, for readers of both,
/// which are equal. Ends with 0 whatever it finds.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    override_usage = "secretree diff [OPTIONS] [ENV [ENV2]]",
    after_help = "\
In front of a line: + new, ~ changed, - gone, > moved, ! to look at first. Who may read is told for each public key:
by the policy, by the grants in the file, and where the two do not agree.

With --json: {\"from\": {\"commit\", \"revision\", \"merge_base\"}, \"to\": {\"commit\", \"revision\"}, \"policy\": [{\"event\", …,
\"brought\"}], \"groups\": [{\"group\", \"joined\", \"left\"}], \"environments\": [{\"environment\", \"former\", \"file\",
\"events\": [{\"event\", …}], \"access\": [{\"recipient\", \"key\", \"policy\": {\"before\", \"after\"}, \"file\": {\"before\",
\"after\"}, \"keeps_key\", \"brought\"}], \"lacking\": [{\"path\", \"variable\", \"required\", \"was_lacking\", \"description\",
\"owner\"}], \"foreign\": [PATH], \"values\": {PATH: {\"before\", \"after\"}}}]}. \"commit\" is null for the work tree,
\"brought\" is {\"commit\", \"author\", \"date\"}, or null for what is not committed yet; \"values\" is there with --reveal.
For two environments: {\"environments\": [ENV, ENV2], \"only\": [[PATH], [PATH]], \"both\": [PATH], \"equal\": [PATH],
\"different\": [PATH]}; the last two are null for who cannot read both.

Examples:
  secretree diff                                    what is not committed yet
  secretree diff --from main                        what this branch does
  secretree diff prod --from v1.2 --to v1.3
  secretree diff --from origin/main --markdown >> \"$GITHUB_STEP_SUMMARY\"
  secretree diff dev prod"
)]
pub(crate) struct Args {
    /// Only this environment
    #[arg(value_name = "ENV")]
    environment: Option<String>,
    /// Compare the first environment with this one
    #[arg(value_name = "ENV", id = "ENV2", conflicts_with_all = ["from", "to", "markdown"])]
    other: Option<String>,
    /// Since the branch left REV: anything that git resolves, or a day (YYYY-MM-DD)
    #[arg(long, value_name = "REV")]
    from: Option<String>,
    /// Up to REV instead of the work tree
    #[arg(long, value_name = "REV", requires = "from")]
    to: Option<String>,
    /// Write Markdown tables, for a comment on a pull request
    #[arg(long, conflicts_with = "reveal")]
    markdown: bool,
    /// Show the values themselves; for readers
    #[arg(long)]
    reveal: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    if let (Some(one), Some(other)) = (&args.environment, &args.other) {
        two::run(one, other, args.reveal, context)?;
        return Ok(ExitCode::SUCCESS);
    }
    if args.markdown && context.ui.wants_json() {
        return Err(Failure::usage("`--markdown` does not go with `--json`").into());
    }
    let compared = Compared::find(args, context)?;
    let mut review = review(&compared.before, &compared.after);
    if let Some(text) = &args.environment {
        let name = compared.environment(text, context)?;
        review
            .environments
            .retain(|one| one.name == name || one.former.as_ref() == Some(&name));
        review.policy.retain(|event| event.environment() == Some(&name));
        review.groups.clear();
    }
    let brought = compared.brought(&review)?;
    let values = match args.reveal {
        true => reveal::values(&compared, &review, context)?,
        false => reveal::Values::default(),
    };
    if context.ui.wants_json() {
        context.ui.json(&json::report(&compared, &review, &brought, &values))?;
        return Ok(ExitCode::SUCCESS);
    }
    let blocks = sections::blocks(&review, &brought, &values);
    if args.markdown {
        context
            .ui
            .data(markdown::write(&compared.header(), &blocks).as_bytes())?;
    } else if blocks.is_empty() {
        context.ui.note("no value, no access and nothing in the policy changed");
    } else {
        context.ui.data(&text::write(&compared.header(), &blocks))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The failure for an environment that neither side has; most often a revision was meant.
fn no_environment(text: &str, known: &BTreeSet<&str>, is_revision: bool) -> Failure {
    let failure = Failure::failed(format!("`{text}` is no environment, neither before nor after"));
    match secretree::names::did_you_mean(text, known.iter().copied()) {
        _ if is_revision => failure.hint(format!("a revision? secretree diff --from {text}")),
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None => failure.hint(format!(
            "environments are {}",
            known.iter().copied().collect::<Vec<_>>().join(", ")
        )),
    }
}
