//! `exposure`: what somebody could have read, and what of it is still in use.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::ExitCode;

use secretree::crypto::label::GrantLabel;
use secretree::error::{Failure, Result};
use secretree::history::{Entries, Exposed, Exposure, Exposures, History, Standing};
use secretree::names::{RecipientName, did_you_mean};
use secretree::policy::{Policy, Reach};
use serde::Serialize;

use crate::context::Context;
use crate::context::history::{Archive, Point};
use crate::ui::escaped;

/// Show what somebody could have read, now or once; needs no key
///
/// Every version of every value that was ever sealed under a key which one of their public keys was granted, in any
/// branch, tag, remote or stash of this clone, and whether it is still the value. What is current is what to change when
/// they leave; a value that was changed since is past. People who left the policy are known by their grants.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
With --json: {\"recipient\", \"labels\", \"known_as\", \"complete\": bool, \"values\": [{\"environment\", \"path\", \"version\",
\"standing\" (current, grace or past), \"since\": POINT, \"readable_since\": POINT, \"holds_key\": bool}]}. POINT is {\"commit\",
\"date\", \"author\"}, null for what is not committed yet.

Examples:
  secretree exposure bob
  secretree exposure bob --current"
)]
pub(crate) struct Args {
    /// The recipient, in the policy or gone from it
    #[arg(value_name = "NAME")]
    name: String,
    /// Show only values that are still in use
    #[arg(long)]
    current: bool,
}

/// The shape of `--json`.
#[derive(Serialize)]
struct Report {
    recipient: String,
    labels: Vec<String>,
    known_as: Vec<String>,
    complete: bool,
    values: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    environment: String,
    path: String,
    version: String,
    standing: &'static str,
    since: Option<Point>,
    readable_since: Option<Point>,
    holds_key: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    let name = RecipientName::new(&args.name).ok_or_else(|| {
        let failure = Failure::failed(format!("`{}` is no name of a recipient", escaped(&args.name)));
        match RecipientName::fitted(&args.name) {
            Some(fitted) => failure.hint(format!("did you mean `{fitted}`?")),
            None => failure.hint("who there is: secretree recipient list"),
        }
    })?;
    let loaded = context.policy(Reach::Everything)?;
    let vault = context.vault(&loaded)?;
    let archive = context.archive_if_any(&loaded);
    let history = archive
        .as_ref()
        .map(|archive| archive.history(&loaded, Entries::All))
        .transpose()?;
    let present = context.present(&loaded, &vault);
    let exposures = Exposures::read(history.as_ref(), &present)?;
    let labels = labels(&loaded.policy, history.as_ref(), &exposures, &name)?;
    let mut exposed = exposures.of(&labels);
    if args.current {
        exposed.values.retain(|value| value.standing != Standing::Past);
    }
    match context.ui.wants_json() {
        true => context.ui.json(&report(&name, &labels, &exposed, archive.as_ref())?)?,
        false => {
            let text = text(&name, &labels, &exposed, archive.as_ref(), args.current)?;
            context.ui.data(text.as_bytes())?;
        }
    }
    if let Some(archive) = &archive {
        context.tell_incomplete(archive, exposed.complete);
        context.tell_unreadable(exposed.unreadable);
    }
    Ok(ExitCode::SUCCESS)
}

/// The labels of all public keys that the recipient has or had: by the policy, by the policies of history, by grants.
fn labels(
    policy: &Policy,
    history: Option<&History<'_>>,
    exposures: &Exposures,
    name: &RecipientName,
) -> Result<BTreeSet<GrantLabel>> {
    let mut labels = exposures.labels_of(name);
    let mut known: BTreeSet<&RecipientName> = exposures.names();
    let recipients = policy.people.recipients();
    known.extend(recipients.iter().map(|recipient| &recipient.name));
    if let Some(recipient) = policy.people.recipient(name.as_str()) {
        labels.extend(recipient.keys.iter().map(|key| key.label().clone()));
    }
    for (other, past) in history.into_iter().flat_map(History::people) {
        known.insert(other);
        labels.extend(past.iter().filter(|_| other == name).cloned());
    }
    if known.contains(name) {
        return Ok(labels);
    }
    if let Some((_, members)) = policy.people.group(name) {
        let members: Vec<&str> = members.iter().map(AsRef::as_ref).collect();
        return Err(Failure::failed(format!("`{name}` is a group"))
            .hint(format!("ask for one of {}", members.join(", ")))
            .into());
    }
    let failure = Failure::failed(format!(
        "`{name}` is no recipient and never was, as far as is known here"
    ));
    let names: Vec<&str> = known.iter().map(|known| known.as_str()).collect();
    Err(match did_you_mean(name.as_str(), names.iter().copied()) {
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None => failure.hint("who there is: secretree recipient list"),
    }
    .into())
}

fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Current => "current",
        Standing::Grace => "grace",
        Standing::Past => "past",
    }
}

fn report(
    name: &RecipientName,
    labels: &BTreeSet<GrantLabel>,
    exposed: &Exposed,
    archive: Option<&Archive>,
) -> Result<Report> {
    let point = |commit| archive.map_or(Ok(None), |archive| archive.point(commit));
    let row = |value: &Exposure| {
        Ok(Row {
            environment: value.environment.to_string(),
            path: value.path.to_string(),
            version: value.version.to_string(),
            standing: word(value.standing),
            since: point(value.since)?,
            readable_since: point(value.readable_since)?,
            holds_key: value.holds_key,
        })
    };
    Ok(Report {
        recipient: name.to_string(),
        labels: labels.iter().map(ToString::to_string).collect(),
        known_as: exposed.known_as.iter().map(ToString::to_string).collect(),
        complete: exposed.complete && exposed.unreadable == 0,
        values: exposed.values.iter().map(row).collect::<Result<_>>()?,
    })
}

fn text(
    name: &RecipientName,
    labels: &BTreeSet<GrantLabel>,
    exposed: &Exposed,
    archive: Option<&Archive>,
    current_only: bool,
) -> Result<String> {
    let mut text = String::new();
    let mut line = |line: String| {
        let _ = writeln!(text, "{}", escaped(&line));
    };
    let labels: Vec<&str> = labels.iter().map(GrantLabel::as_str).collect();
    line(format!("{name}: {}", labels.join(", ")));
    let others: Vec<&str> = exposed
        .known_as
        .iter()
        .filter(|other| *other != name)
        .map(AsRef::as_ref)
        .collect();
    if !others.is_empty() {
        line(format!("  granted to the same keys as {}", others.join(", ")));
    }
    let count = |standing| exposed.values.iter().filter(|value| value.standing == standing).count();
    let current = count(Standing::Current);
    if exposed.values.is_empty() {
        let what = if current_only {
            "nothing that is still in use"
        } else {
            "nothing"
        };
        line(format!("could have read {what}"));
        return Ok(text);
    }
    let all = exposed.values.len();
    let noun = if all == 1 {
        "version of a value"
    } else {
        "versions of values"
    };
    line(format!("could have read {all} {noun}, {current} of them current:"));
    let place = |value: &Exposure| format!("{}:{}", value.environment, value.path);
    let width = exposed
        .values
        .iter()
        .map(|value| escaped(&place(value)).chars().count())
        .max()
        .unwrap_or(0);
    for value in &exposed.values {
        let since = match archive {
            Some(archive) => format!("  set {}", archive.shown(value.since)?),
            None => String::new(),
        };
        let place = place(value);
        let padding = width.saturating_sub(escaped(&place).chars().count());
        line(format!(
            "  {:7}  {place}{:padding$}  {}{since}",
            word(value.standing),
            "",
            value.version
        ));
    }
    Ok(text)
}
