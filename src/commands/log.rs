//! `log`: who changed what, value by value, from git's own history.

use std::fmt::Write as _;
use std::process::ExitCode;

use secretree::error::Result;
use secretree::history::{CommitEvents, Entries, EventKind, Filter, Log, PolicyEvent};
use secretree::policy::Reach;
use secretree::vault::Rulebook;
use secretree::when::date_text;
use serde::Serialize;

use crate::context::Context;
use crate::context::history::{Archive, known_path, short};
use crate::ui::escaped;

/// Show who changed which value, who was granted what, and when; needs no key
///
/// One line for each commit behind HEAD that did something, newest first, and under it what it did: values by path,
/// grants, keys, and what the policy says. Values are not shown. A merge shows what it brought itself; a new key over the
/// same values changes none. With PATH: what happened to this value, also before it was moved there.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Names and dates are the authors' claims; `signed` says that a commit carries a signature, not that it is good.

With --json: {\"complete\": bool, \"commits\": [{\"commit\", \"date\", \"time\" (seconds since 1970), \"author\", \"email\",
\"signed\", \"subject\", \"policy\": [EVENT], \"environments\": [{\"environment\", \"events\": [EVENT]}]}]}. An EVENT has
\"event\" (added, changed, set-back, removed, moved, granted, revoked, new-key, …), and what belongs to it: \"path\",
\"version\" (null where the value is readable), \"before\", \"from\", \"recipient\", \"label\".

Examples:
  secretree log
  secretree log prod -n 5
  secretree log prod stripe.key"
)]
pub(crate) struct Args {
    /// The environment; without it all of them, and the policy
    #[arg(value_name = "ENV")]
    environment: Option<String>,
    /// The value
    #[arg(value_name = "PATH")]
    path: Option<String>,
    /// Show the newest N commits only
    #[arg(short = 'n', long, value_name = "N")]
    max_count: Option<usize>,
}

/// The shape of `--json`.
#[derive(Serialize)]
struct Report {
    complete: bool,
    commits: Vec<Row>,
}

/// One commit.
#[derive(Serialize)]
struct Row {
    commit: String,
    date: String,
    time: i64,
    author: String,
    email: String,
    signed: bool,
    subject: String,
    policy: Vec<PolicyEvent>,
    environments: Vec<EnvironmentRow>,
}

/// What a commit did to one environment.
#[derive(Serialize)]
struct EnvironmentRow {
    environment: String,
    events: Vec<EventKind>,
}

/// Runs the command.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    let loaded = context.policy(Reach::Everything)?;
    let archive = context.archive(&loaded)?;
    let history = archive.history(&loaded, Entries::Head)?;
    let environment = args.environment.as_deref();
    let environment = environment.map(|text| context.past_or_present(&loaded, Some(&history), text, "log"));
    let environment = environment.transpose()?;
    let log = Log::read(&history, environment.as_ref())?;
    let path = match (&environment, &args.path) {
        (Some(environment), Some(text)) => {
            let rules = loaded.policy.environment(environment).map(|declared| Rulebook {
                policy: &loaded.policy,
                environment: declared,
            });
            let variables = rules.map(|rules| rules.variables());
            let variable = |path: &_| match &variables {
                Some(variables) => variables(path),
                None => secretree::document::path::ValuePath::variable_name(path),
            };
            Some(known_path(environment, text, log.paths(), variable, "log")?)
        }
        _ => None,
    };
    let commits = log.commits(Filter { environment, path });
    let commits = commits.take(args.max_count.unwrap_or(usize::MAX));
    if context.ui.wants_json() {
        let rows = commits.map(|commit| row(&archive, commit));
        let report = Report {
            complete: log.is_complete(),
            commits: rows.collect::<Result<_>>()?,
        };
        context.ui.json(&report)?;
    } else {
        let mut text = String::new();
        for commit in commits {
            show(&archive, &commit, &mut text)?;
            // As it comes: whoever reads the first page does not wait for the last.
            if text.len() > 1 << 16 {
                context.ui.data(text.as_bytes())?;
                text.clear();
            }
        }
        context.ui.data(text.as_bytes())?;
    }
    context.tell_incomplete(&archive, log.is_complete());
    Ok(ExitCode::SUCCESS)
}

fn row(archive: &Archive, events: CommitEvents) -> Result<Row> {
    let commit = archive.repository.commit(events.commit)?;
    let environments = events.environments.into_iter();
    let environments = environments.map(|(environment, events)| EnvironmentRow {
        environment: environment.to_string(),
        events,
    });
    Ok(Row {
        commit: commit.id.to_string(),
        date: date_text(commit.time),
        time: commit.time,
        author: commit.author_name,
        email: commit.author_email,
        signed: commit.signed,
        subject: commit.subject,
        policy: events.policy,
        environments: environments.collect(),
    })
}

fn show(archive: &Archive, events: &CommitEvents, text: &mut String) -> Result<()> {
    let commit = archive.repository.commit(events.commit)?;
    let signed = if commit.signed { "signed" } else { "unsigned" };
    let head = format!(
        "{} {} {} ({signed}): {}",
        short(commit.id),
        date_text(commit.time),
        commit.author_name,
        commit.subject
    );
    let _ = writeln!(text, "{}", escaped(&head));
    for event in &events.policy {
        let _ = writeln!(text, "  policy: {}", escaped(&event.to_string()));
    }
    for (environment, events) in &events.environments {
        for event in events {
            let _ = writeln!(text, "  {environment}: {}", escaped(&event.to_string()));
        }
    }
    Ok(())
}
