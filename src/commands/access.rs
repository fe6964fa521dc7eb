//! `access`: who could have read a value, then and since.

use std::fmt::Write as _;
use std::process::ExitCode;

use secretree::document::path::ValuePath;
use secretree::error::{Failure, Result};
use secretree::history::{Access, Entries, Holder, Log, Mark, Question, Snapshot, Until, ValueVersion, access};
use secretree::names::EnvironmentName;
use secretree::policy::{LoadedPolicy, Reach};
use secretree::vault::Rulebook;
use serde::Serialize;

use crate::context::Context;
use crate::context::history::{Archive, Point, known_path};
use crate::ui::escaped;

/// Show who could have read a value, then and since; needs no key
///
/// Whoever ever held a grant of a key can open every value that was ever sealed under it, wherever that is still found:
/// also values that are older than the grant. All branches, tags, remotes and stashes of this clone count. Without PATH:
/// who could have read anything in ENV. With --at: the value as it stood then, and who could read it then or later.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
It is an upper bound: who did read nobody knows. What deleted branches or other clones hold is not seen.

With --json: {\"environment\", \"path\", \"at\", \"complete\": bool, \"versions\": [{\"path\", \"version\", \"keys\", \"since\": POINT}],
\"holders\": [{\"recipients\", \"label\", \"since\": POINT, \"until\": POINT, \"now\": bool, \"then\": bool}], \"proposals\": number}.
POINT is {\"commit\", \"date\", \"author\"}, null for what is not committed yet, and for `until` while it goes on.

Examples:
  secretree access prod stripe.key
  secretree access prod stripe.key --at 2026-03-01
  secretree access prod"
)]
pub(crate) struct Args {
    /// The environment
    #[arg(value_name = "ENV")]
    environment: String,
    /// The value
    #[arg(value_name = "PATH")]
    path: Option<String>,
    /// The moment: a day, or anything that git resolves
    #[arg(long, value_name = "WHEN")]
    at: Option<String>,
}

/// The shape of `--json`.
#[derive(Serialize)]
struct Report {
    environment: String,
    path: Option<String>,
    at: Option<Point>,
    complete: bool,
    versions: Vec<VersionRow>,
    holders: Vec<HolderRow>,
    proposals: usize,
}

#[derive(Serialize)]
struct VersionRow {
    path: String,
    version: String,
    keys: Vec<String>,
    since: Option<Point>,
}

#[derive(Serialize)]
struct HolderRow {
    recipients: Vec<String>,
    label: String,
    since: Option<Point>,
    until: Option<Point>,
    now: bool,
    then: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    let loaded = context.policy(Reach::Everything)?;
    let vault = context.vault(&loaded)?;
    let archive = match args.at {
        // Without history there is no moment to ask about.
        Some(_) => Some(context.archive(&loaded)?),
        None => context.archive_if_any(&loaded),
    };
    let history = archive
        .as_ref()
        .map(|archive| archive.history(&loaded, Entries::All))
        .transpose()?;
    let environment = context.past_or_present(&loaded, history.as_ref(), &args.environment, "access")?;
    let at = match (&args.at, &archive) {
        (Some(revision), Some(archive)) => Some(context.revision(&archive.repository, revision)?),
        _ => None,
    };
    let present = context.present(&loaded, &vault);
    let then = match (at, &history) {
        (Some(commit), Some(history)) => history.at(commit, &environment)?,
        _ => present.get(&environment).cloned(),
    };
    let value = match &args.path {
        Some(text) => {
            let found = value(&loaded, &environment, text, then.as_deref(), args);
            Some(found.map_err(|error| {
                // Where there was no file at all, that is what is said.
                let archive = archive.as_ref().filter(|_| then.is_some());
                with_past(error, archive, &loaded, &environment, text)
            })?)
        }
        None => None,
    };
    if let Some((path, None)) = &value {
        let message = format!("`{environment}:{path}` stands readable: whoever has the repository can read it");
        context.ui.warning(&message);
    }
    let version = value.as_ref().and_then(|(_, mark)| mark.clone());
    let answer = match (&value, &version) {
        (Some(_), None) => Access::readable(),
        _ => {
            let question = Question {
                environment: &environment,
                version,
                at,
            };
            access(history.as_ref(), &present, &question)?
        }
    };
    let report = Shown {
        environment: &environment,
        path: value.as_ref().map(|(path, _)| path),
        at,
        answer: &answer,
        archive: archive.as_ref(),
    };
    match context.ui.wants_json() {
        true => context.ui.json(&report.json()?)?,
        false => context.ui.data(report.text()?.as_bytes())?,
    }
    if let Some(archive) = &archive {
        context.tell_incomplete(archive, answer.complete);
        context.tell_unreadable(answer.unreadable);
    }
    Ok(ExitCode::SUCCESS)
}

/// The path that is meant and the version that stood there; no version if it is readable.
fn value(
    loaded: &LoadedPolicy,
    environment: &EnvironmentName,
    text: &str,
    then: Option<&Snapshot>,
    args: &Args,
) -> Result<(ValuePath, Option<secretree::names::Version>)> {
    let Some(then) = then else {
        let failure = match &args.at {
            Some(at) => Failure::failed(format!("`{environment}` had no file in `{at}`")),
            None => Failure::failed(format!("`{environment}` has no file now")),
        };
        return Err(failure
            .hint(format!("when it had one: secretree log {environment}; then --at REV"))
            .into());
    };
    let rules = loaded.policy.environment(environment).map(|declared| Rulebook {
        policy: &loaded.policy,
        environment: declared,
    });
    let variables = rules.map(|rules| rules.variables());
    let variable = |path: &ValuePath| match &variables {
        Some(variables) => variables(path),
        None => path.variable_name(),
    };
    let paths = then.values().map(|(path, _)| path);
    let path = known_path(environment, text, paths, variable, "access").map_err(|error| {
        Failure::from(error).rephrase(|message| match &args.at {
            Some(at) => message.replace(" and never had", &format!(" in `{at}`")),
            None => message.replace(" and never had", " now"),
        })
    })?;
    let version = then.mark(&path).and_then(Mark::version);
    Ok((path, version))
}

/// The same failure; where the value stood there once, with the way to ask about that.
fn with_past(
    error: anyhow::Error,
    archive: Option<&Archive>,
    loaded: &LoadedPolicy,
    environment: &EnvironmentName,
    text: &str,
) -> anyhow::Error {
    let stood = archive.is_some_and(|archive| {
        let history = archive.history(loaded, Entries::Head);
        let log = history.and_then(|history| Log::read(&history, Some(environment)));
        log.is_ok_and(|log| known_path(environment, text, log.paths(), ValuePath::variable_name, "log").is_ok())
    });
    match (stood, shlex::try_quote(text)) {
        (true, Ok(text)) => Failure::from(error)
            .hint(format!(
                "when it had: secretree log {environment} {text}; then --at REV"
            ))
            .into(),
        _ => error,
    }
}

/// An answer and what is needed to show it.
struct Shown<'a> {
    environment: &'a EnvironmentName,
    path: Option<&'a ValuePath>,
    at: Option<secretree::git::CommitId>,
    answer: &'a Access,
    archive: Option<&'a Archive>,
}

impl Shown<'_> {
    fn point(&self, commit: Option<secretree::git::CommitId>) -> Result<Option<Point>> {
        match self.archive {
            Some(archive) => archive.point(commit),
            None => Ok(None),
        }
    }

    fn moment(&self, commit: Option<secretree::git::CommitId>) -> Result<String> {
        match self.archive {
            Some(archive) => archive.shown(commit),
            None => Ok("an unknown day".to_owned()),
        }
    }

    fn json(&self) -> Result<Report> {
        let version = |found: &ValueVersion| {
            Ok(VersionRow {
                path: found.path.to_string(),
                version: found.version.to_string(),
                keys: found.keys.iter().map(ToString::to_string).collect(),
                since: self.point(found.since)?,
            })
        };
        let holder = |found: &Holder| {
            let until = match found.until {
                Until::Still => None,
                Until::Ended(commit) => self.point(commit)?,
            };
            Ok(HolderRow {
                recipients: found.recipients.iter().map(ToString::to_string).collect(),
                label: found.label.to_string(),
                since: self.point(found.since)?,
                until,
                now: found.until == Until::Still,
                then: found.then,
            })
        };
        Ok(Report {
            environment: self.environment.to_string(),
            path: self.path.map(ToString::to_string),
            at: self.point(self.at)?,
            complete: self.answer.complete && self.answer.unreadable == 0,
            versions: self.answer.versions.iter().map(version).collect::<Result<_>>()?,
            holders: self.answer.holders.iter().map(holder).collect::<Result<_>>()?,
            proposals: self.answer.proposals,
        })
    }

    fn text(&self) -> Result<String> {
        let mut text = String::new();
        let mut line = |line: String| {
            let _ = writeln!(text, "{}", escaped(&line));
        };
        for found in &self.answer.versions {
            let ValueVersion {
                path, version, since, ..
            } = found;
            let set = match self.archive {
                Some(archive) => format!(", set {}", archive.shown(*since)?),
                None => String::new(),
            };
            line(format!("{}:{path} {version}{set}", self.environment));
        }
        let (then, later): (Vec<&Holder>, Vec<&Holder>) = self.answer.holders.iter().partition(|holder| holder.then);
        let what = match self.path {
            Some(_) => "it",
            None => "what stood there",
        };
        let groups = match self.at {
            Some(_) => [
                (format!("could have read {what} then:"), then),
                (format!("could read {what} later:"), later),
            ],
            None => [(format!("could have read {what}:"), then), (String::new(), later)],
        };
        if self.path.is_none() {
            line(self.environment.to_string());
        }
        for (title, holders) in groups.iter().filter(|(_, holders)| !holders.is_empty()) {
            line(title.clone());
            let name = |holder: &Holder| {
                let names: Vec<&str> = holder.recipients.iter().map(AsRef::as_ref).collect();
                names.join(", ")
            };
            let width = holders.iter().map(|holder| name(holder).len()).max().unwrap_or(0);
            let labels = holders
                .iter()
                .map(|holder| holder.label.as_str().len())
                .max()
                .unwrap_or(0);
            for holder in holders {
                let until = match holder.until {
                    Until::Still => ", still".to_owned(),
                    Until::Ended(commit) => format!(", until {}", self.moment(commit)?),
                };
                line(format!(
                    "  {:width$}  {:labels$}  since {}{until}",
                    name(holder),
                    holder.label.as_str(),
                    self.moment(holder.since)?
                ));
            }
        }
        if self.answer.proposals > 0 && self.path.is_none() {
            line(format!(
                "values that were proposed, open to the same people: {}",
                self.answer.proposals
            ));
        }
        Ok(text)
    }
}
