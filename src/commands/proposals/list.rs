//! `proposals list`: what is proposed, by whom, and what it would do. Never a value.

use std::process::ExitCode;

use jiff::Timestamp;
use secretree::error::{Failure, FailureKind, Result};
use secretree::names::EnvironmentName;
use secretree::vault::{Content, Effect, Origin, Proposal, Vault};
use secretree::when::{age, duration_text};
use serde::Serialize;

use super::{opened, shown};
use crate::context::Context;
use crate::ui::escaped;

/// List what is proposed, who proposed it and what it would do; without a key labels and origins only
///
/// Values are never shown, only their size in steps of 32 bytes. What cannot be accepted is called junk, with
/// the reason. Without ENV all environments are looked at.
#[derive(clap::Args)]
#[group(skip)]
#[command(
    verbatim_doc_comment,
    after_help = "\
With --json: {\"proposals\": [{\"environment\", \"label\", \"state\", \"reason\", \"path\", \"size\", \"readable\", \"raw\", \"commit\",
\"author\", \"time\", \"again\", \"resealed\", \"at_least\"}]}; `state` is new, change, same, junk or sealed, `time` in seconds since
1970, `again` who put it back after it had been taken out.

Examples:
  secretree proposals list
  secretree proposals list prod --json"
)]
pub(super) struct Args {
    /// The environments; without any, all of them
    #[arg(value_name = "ENV")]
    environments: Vec<String>,
}

/// The shape of `--json`.
#[derive(Serialize)]
struct Report {
    proposals: Vec<Row>,
}

/// One proposal.
#[derive(Serialize)]
struct Row {
    environment: String,
    label: String,
    state: &'static str,
    reason: Option<String>,
    path: Option<String>,
    size: Option<usize>,
    readable: bool,
    raw: bool,
    commit: Option<String>,
    author: Option<String>,
    time: Option<i64>,
    again: Option<Again>,
    resealed: bool,
    at_least: bool,
    #[serde(skip)]
    from: String,
}

/// Who put a proposal back.
#[derive(Serialize)]
struct Again {
    commit: Option<String>,
    author: Option<String>,
    time: Option<i64>,
}

/// Runs the command.
pub(super) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    let (loaded, names) = context.policy_for_many(&args.environments)?;
    let mut vault = context.vault(&loaded)?;
    let mut rows = Vec::new();
    let mut first_failure = None;
    for name in &names {
        match rows_of(&mut vault, context, name, args.environments.is_empty()) {
            Ok(found) => rows.extend(found),
            // One environment that is not sound hides no other; what is wrong is said at the end.
            Err(error) => {
                first_failure.get_or_insert(error);
            }
        }
    }
    context.tell(&mut vault);
    if context.ui.wants_json() {
        context.ui.json(&Report { proposals: rows })?;
    } else if rows.is_empty() {
        if first_failure.is_none() {
            context.ui.note("nothing is proposed");
        }
    } else {
        context.ui.data(table(&rows).as_bytes())?;
        say_what_is_next(context, &rows);
    }
    match first_failure {
        Some(failure) => Err(failure),
        None => Ok(ExitCode::SUCCESS),
    }
}

fn rows_of(vault: &mut Vault<'_>, context: &Context, name: &EnvironmentName, is_one_of_all: bool) -> Result<Vec<Row>> {
    let file = vault.load(name)?;
    // An environment that nobody made yet has no proposals.
    if file.text.is_none() && is_one_of_all {
        return Ok(Vec::new());
    }
    if vault.read(&file)?.footer.proposals.is_empty() {
        return Ok(Vec::new());
    }
    let proposals = match opened(vault, &file)? {
        Ok(environment) => vault.proposals(&environment)?,
        Err(reason) => {
            let reading = vault.read(&file)?;
            let proposals = vault.sealed_proposals(&reading)?;
            let reason = Failure::from(reason).of_kind(FailureKind::Failed);
            let count = counted(proposals.len(), "proposal");
            context.ui.note(&escaped(&format!(
                "{count} of `{name}` cannot be opened: {}",
                reason.message()
            )));
            proposals
        }
    };
    Ok(proposals.into_iter().map(|proposal| row(name, proposal)).collect())
}

fn row(name: &EnvironmentName, proposal: Proposal) -> Row {
    let provenance = &proposal.provenance;
    let first = provenance.first.as_ref();
    let mut row = Row {
        environment: name.to_string(),
        label: proposal.label.to_string(),
        state: "sealed",
        reason: None,
        path: None,
        size: None,
        readable: false,
        raw: false,
        commit: first.and_then(|first| first.commit.clone()),
        author: first.map(|first| first.author.clone()),
        time: first.map(|first| first.time),
        again: provenance.again.as_ref().map(again),
        resealed: provenance.resealed,
        at_least: provenance.at_least,
        from: shown(provenance),
    };
    match proposal.content {
        Content::Sealed => {}
        Content::Junk(reason) => {
            row.state = "junk";
            row.reason = Some(reason);
        }
        Content::Value(proposed) => {
            row.state = match proposed.effect {
                Effect::Adds => "new",
                Effect::Changes => "change",
                Effect::Repeats => "same",
            };
            row.path = Some(proposed.path.to_string());
            row.size = Some(proposed.size());
            row.readable = proposed.readable;
            row.raw = proposed.is_raw();
        }
    }
    row
}

fn again(origin: &Origin) -> Again {
    let is_committed = origin.commit.is_some();
    Again {
        commit: origin.commit.clone(),
        author: is_committed.then(|| origin.author.clone()),
        time: is_committed.then_some(origin.time),
    }
}

/// A line for each: label, place, what it is, size, age, who.
fn table(rows: &[Row]) -> String {
    let now = Timestamp::now().as_second();
    let mut lines = vec![["PROPOSAL", "FOR", "WHAT", "SIZE", "AGE", "FROM"].map(str::to_owned)];
    lines.extend(rows.iter().map(|row| {
        let mut what = match row.state {
            "new" => "a new value".to_owned(),
            "change" => "another value".to_owned(),
            "same" => "the same value".to_owned(),
            "junk" => "junk".to_owned(),
            _ => "sealed".to_owned(),
        };
        if row.readable {
            what.push_str(", readable");
        }
        if row.raw {
            what.push_str(", raw");
        }
        let place = match &row.path {
            Some(path) => format!("{}:{path}", row.environment),
            None => row.environment.clone(),
        };
        let from = match &row.reason {
            Some(reason) => format!("{} ({})", row.from, escaped(reason)),
            None => row.from.clone(),
        };
        [
            row.label.clone(),
            escaped(&place).into_owned(),
            what,
            row.size.map_or_else(|| "-".to_owned(), |size| format!("to {size}")),
            row.time
                .map_or_else(|| "-".to_owned(), |time| duration_text(age(time, now))),
            from,
        ]
    }));
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 5] = std::array::from_fn(width);
    let mut text = String::new();
    for line in &lines {
        for (cell, width) in line.iter().zip(widths) {
            text.push_str(&format!("{cell:<width$}  "));
        }
        text.push_str(&line[5]);
        text.push('\n');
    }
    text
}

/// What a reader does with them.
fn say_what_is_next(context: &Context, rows: &[Row]) {
    let of_state = |wanted: &dyn Fn(&Row) -> bool| rows.iter().find(|row| wanted(row));
    if let Some(row) = of_state(&|row| row.path.is_some()) {
        let name = &row.environment;
        context.ui.note(&format!(
            "accept with `secretree proposals accept {name} PATH`, or `reject`"
        ));
    }
    let junk = rows.iter().filter(|row| row.state == "junk");
    if let Some(row) = of_state(&|row| row.state == "junk") {
        context.ui.note(&format!(
            "{} cannot be accepted: `secretree proposals reject {} --junk`",
            counted(junk.count(), "proposal"),
            row.environment
        ));
    }
}

/// `1 proposal`, `2 proposals`.
fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}
