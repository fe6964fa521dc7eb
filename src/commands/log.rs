//! `log`: who changed what, value by value, from git's own history.

mod reveal;

use std::fmt::Write as _;
use std::process::ExitCode;

use secretree::error::{Failure, Result};
use secretree::git::CommitId;
use secretree::history::{CommitEvents, Entries, EventKind, Filter, Log, PolicyEvent};
use secretree::names::EnvironmentName;
use secretree::policy::Reach;
use secretree::vault::Rulebook;
use secretree::when::date_text;
use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

use self::reveal::Opener;
use crate::context::Context;
use crate::context::history::{Archive, known_path, short};
use crate::ui::escaped;

/// Show who changed which value, who was granted what, and when; needs no key
///
/// One line for each commit behind HEAD that did something, newest first, and under it what it did: values by path,
/// grants, keys, and what the policy says. A merge shows what it brought itself; a new key over the
/// same values changes none. With PATH: what happened to this value, also before it was moved there.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Names and dates are the authors' claims; `signed` says that a commit carries a signature, not that it is good.

With --json: {\"complete\": bool, \"commits\": [{\"commit\", \"date\", \"time\" (seconds since 1970), \"author\", \"email\",
\"signed\", \"subject\", \"policy\": [EVENT], \"environments\": [{\"environment\", \"events\": [EVENT]}]}]}. An EVENT has
\"event\" (added, changed, set-back, removed, moved, granted, revoked, new-key, …), and what belongs to it: \"path\",
\"version\" (null where the value is readable), \"before\", \"from\", \"recipient\", \"label\"; with --reveal \"values\":
{\"before\", \"after\"}, null for what was not there or cannot be opened.

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
    /// Show the values too, as far as an identity here opens them
    #[arg(long)]
    reveal: bool,
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
    events: Vec<EventRow>,
}

#[derive(Serialize)]
struct EventRow {
    #[serde(flatten)]
    event: EventKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<Values>,
}

/// The values before and after an event.
#[derive(Serialize)]
struct Values {
    #[serde(serialize_with = "as_text")]
    before: Option<Zeroizing<String>>,
    #[serde(serialize_with = "as_text")]
    after: Option<Zeroizing<String>>,
}

fn as_text<S: Serializer>(text: &Option<Zeroizing<String>>, serializer: S) -> Result<S::Ok, S::Error> {
    text.as_ref().map(|text| text.as_str()).serialize(serializer)
}

impl Values {
    /// The values of an event in a commit; nothing for events that are about none.
    fn of(
        opener: &mut Opener<'_>,
        commit: CommitId,
        parent: Option<CommitId>,
        environment: &EnvironmentName,
        event: &EventKind,
    ) -> Option<Self> {
        let (before, after) = match event {
            EventKind::Added { path, .. } => (None, Some(path)),
            EventKind::Changed { path, .. } => (Some(path), Some(path)),
            EventKind::SetBack { path, before, .. } => (before.and(Some(path)), Some(path)),
            EventKind::Removed { path, .. } => (Some(path), None),
            _ => return None,
        };
        let before = before.zip(parent);
        Some(Self {
            before: before.and_then(|(path, parent)| opener.value(parent, environment, path)),
            after: after.and_then(|path| opener.value(commit, environment, path)),
        })
    }

    /// The values behind the words of an event.
    fn shown(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::new());
        let side = |value: &Zeroizing<String>| Zeroizing::new(format!("`{}`", escaped(value)));
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => {
                let (before, after) = (side(before), side(after));
                let _ = write!(text, ": {}, before {}", *after, *before);
            }
            (Some(one), None) | (None, Some(one)) => {
                let _ = write!(text, ": {}", *side(one));
            }
            (None, None) => {}
        }
        text
    }
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
            // Where history is cut short, what stands there now may be in no event.
            let head = archive.repository.head()?;
            let now = head.map_or(Ok(None), |head| history.at(head, environment))?;
            let now = now.iter().flat_map(|now| now.values().map(|(path, _)| path));
            let vault = context.vault(&loaded)?;
            let present = context.present(&loaded, &vault);
            let present = present.get(environment).into_iter();
            let here = present.flat_map(|file| file.values().map(|(path, _)| path));
            let path = known_path(environment, text, log.paths().chain(now).chain(here), variable, "log");
            Some(path.map_err(|error| {
                let unsure = " now, and not all of its history is in this clone";
                match log.is_complete() {
                    true => error,
                    false => Failure::from(error)
                        .rephrase(|text| text.replace(" and never had", unsure))
                        .into(),
                }
            })?)
        }
        _ => None,
    };
    let commits = log.commits(Filter { environment, path });
    let mut commits = commits.take(args.max_count.unwrap_or(usize::MAX)).peekable();
    if commits.peek().is_none() && args.max_count != Some(0) && log.is_complete() {
        context
            .ui
            .note("nothing of this is committed yet; what there is: secretree diff");
    }
    let mut opener = args.reveal.then(|| Opener::new(context));
    if context.ui.wants_json() {
        let rows = commits.map(|commit| row(&archive, commit, opener.as_mut()));
        let report = Report {
            complete: log.is_complete(),
            commits: rows.collect::<Result<_>>()?,
        };
        context.ui.json(&report)?;
    } else {
        let mut text = Zeroizing::new(String::new());
        for commit in commits {
            show(&archive, &commit, &mut text, opener.as_mut())?;
            // As it comes: whoever reads the first page does not wait for the last.
            if text.len() > 1 << 16 {
                context.ui.data(text.as_bytes())?;
                text.clear();
            }
        }
        context.ui.data(text.as_bytes())?;
    }
    context.tell_incomplete(&archive, log.is_complete());
    if let Some(opener) = opener {
        opener.check()?;
    }
    Ok(ExitCode::SUCCESS)
}

fn row(archive: &Archive, events: CommitEvents, mut opener: Option<&mut Opener<'_>>) -> Result<Row> {
    let commit = archive.repository.commit(events.commit)?;
    let mut environments = Vec::with_capacity(events.environments.len());
    for (environment, events) in events.environments {
        let parent = commit.parents.first().copied();
        let mut row = |event| {
            let opener = opener.as_deref_mut();
            let values = opener.and_then(|opener| Values::of(opener, commit.id, parent, &environment, &event));
            EventRow { event, values }
        };
        let events = events.into_iter().map(&mut row).collect();
        let environment = environment.to_string();
        environments.push(EnvironmentRow { environment, events });
    }
    Ok(Row {
        commit: commit.id.to_string(),
        date: date_text(commit.time),
        time: commit.time,
        author: commit.author_name,
        email: commit.author_email,
        signed: commit.signed,
        subject: commit.subject,
        policy: events.policy,
        environments,
    })
}

fn show(
    archive: &Archive,
    events: &CommitEvents,
    text: &mut String,
    mut opener: Option<&mut Opener<'_>>,
) -> Result<()> {
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
            let parent = commit.parents.first().copied();
            let opener = opener.as_deref_mut();
            let values = opener.and_then(|opener| Values::of(opener, commit.id, parent, environment, event));
            let values = values.map(|values| values.shown()).unwrap_or_default();
            let _ = writeln!(text, "  {environment}: {}{}", escaped(&event.to_string()), *values);
        }
    }
    Ok(())
}
