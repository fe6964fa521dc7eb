//! `recipient list`: everybody in the policy on a line each.

use std::process::ExitCode;

use secretree::error::Result;
use secretree::policy::{Access, Policy, Reach, Recipient};
use serde::Serialize;

use crate::context::Context;
use crate::ui::escaped;

/// List the people and machines of the policy; needs no key
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
With --json: {\"recipients\": [{\"name\", \"machine\", \"email\", \"keys\": [{\"kind\", \"label\", \"public_key\"}], \"groups\",
\"reads\", \"writes\", \"maintainer\"}]}; `groups` are those that name it, `reads` and `writes` environments.

Examples:
  secretree recipient list
  secretree recipient list --json"
)]
pub(super) struct Args {}

/// The shape of `--json`.
#[derive(Serialize)]
struct Report<'p> {
    recipients: Vec<Row<'p>>,
}

/// One recipient, as `list` and `show` give it.
#[derive(Serialize)]
pub(super) struct Row<'p> {
    pub(super) name: &'p str,
    pub(super) machine: bool,
    pub(super) email: Option<&'p str>,
    pub(super) keys: Vec<Key<'p>>,
    pub(super) groups: Vec<&'p str>,
    pub(super) reads: Vec<String>,
    pub(super) writes: Vec<String>,
    pub(super) maintainer: bool,
}

/// One public key.
#[derive(Serialize)]
pub(super) struct Key<'p> {
    pub(super) kind: String,
    pub(super) label: &'p str,
    pub(super) public_key: &'p str,
}

/// Runs the command.
pub(super) fn run(_: &Args, context: &Context) -> Result<ExitCode> {
    let policy = context.policy(Reach::Everything)?.policy;
    let recipients = policy.people.recipients().iter();
    let rows = recipients.map(|recipient| row(&policy, recipient, policy.access(&recipient.name)));
    let report = Report {
        recipients: rows.collect(),
    };
    if context.ui.wants_json() {
        context.ui.json(&report)?;
    } else {
        context.ui.data(table(&report.recipients).as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What the policy says about one recipient.
pub(super) fn row<'p>(policy: &'p Policy, recipient: &'p Recipient, access: Access) -> Row<'p> {
    let keys = recipient.keys.iter().map(|key| Key {
        kind: key.kind().to_string(),
        label: key.label().as_str(),
        public_key: key.canonical(),
    });
    let groups = policy.groups_of(&recipient.name).into_iter();
    Row {
        name: recipient.name.as_str(),
        machine: recipient.machine,
        email: recipient.email.as_deref(),
        keys: keys.collect(),
        groups: groups.map(|group| group.as_str()).collect(),
        reads: access.reads.iter().map(ToString::to_string).collect(),
        writes: access.writes.iter().map(ToString::to_string).collect(),
        maintainer: access.maintains,
    }
}

/// Name, kinds of keys, groups and environments in columns.
fn table(rows: &[Row<'_>]) -> String {
    let head = ["NAME", "KEYS", "GROUPS", "READS"].map(str::to_owned);
    let mut lines = vec![head];
    lines.extend(rows.iter().map(|row| {
        let mut kinds: Vec<&str> = row.keys.iter().map(|key| key.kind.as_str()).collect();
        if row.machine {
            kinds.push("machine");
        }
        let cells = [
            row.name.to_owned(),
            kinds.join(", "),
            row.groups.join(", "),
            row.reads.join(", "),
        ];
        cells.map(|cell| {
            if cell.is_empty() {
                "-".to_owned()
            } else {
                escaped(&cell).into_owned()
            }
        })
    }));
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    let mut text = String::new();
    for [name, keys, groups, reads] in &lines {
        let line = format!(
            "{name:<0$}  {keys:<1$}  {groups:<2$}  {reads}",
            widths[0], widths[1], widths[2]
        );
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
