//! `recipient show`: everything about one recipient, and what the files grant them now.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::ExitCode;

use secretree::error::Result;
use secretree::names::{EnvironmentName, RecipientName};
use secretree::policy::Reach;
use secretree::vault::Vault;
use serde::Serialize;

use super::list::{Row, row};
use super::unknown;
use crate::context::{Context, checked_operand};
use crate::ui::escaped;

/// Show one person or machine: keys, groups, environments, and what the files grant; needs no key
///
/// Where policy and files differ, the line says so; `secretree apply` makes the files what the policy says.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
With --json: as one of `recipient list --json`, and \"files\": [{\"environment\", \"granted\", \"missing\", \"beyond\"}], all of
them labels of keys: those the file grants, those it should and does not, those it grants and should not. For a
name that only files know, the lists but `files` are empty.

Examples:
  secretree recipient show alice"
)]
pub(super) struct Args {
    /// The name in the policy
    #[arg(value_name = "NAME")]
    name: String,
}

/// The shape of `--json`.
#[derive(Serialize)]
struct Report<'p> {
    #[serde(flatten)]
    recipient: Row<'p>,
    files: Vec<Granted>,
}

/// What the file of one environment grants, as labels of keys.
#[derive(Serialize)]
struct Granted {
    environment: String,
    granted: Vec<String>,
    missing: Vec<String>,
    beyond: Vec<String>,
}

/// Runs the command.
pub(super) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    let name = checked_operand(&args.name)?;
    let loaded = context.policy(Reach::Everything)?;
    let policy = &loaded.policy;
    let vault = context.vault(&loaded)?;
    let mut files = Vec::new();
    for environment in policy.environments.keys() {
        match granted(&vault, environment, &name) {
            Ok(granted) => files.extend(granted),
            Err(error) => context
                .ui
                .warning(&format!("what `{environment}` grants is not known: {error}")),
        }
    }
    let recipient = policy.people.recipient(name.as_str());
    if recipient.is_none() && files.is_empty() {
        return Err(unknown(policy, &name).into());
    }
    let recipient = recipient.map_or_else(
        || Row {
            name: name.as_str(),
            machine: false,
            email: None,
            keys: Vec::new(),
            groups: Vec::new(),
            reads: Vec::new(),
            writes: Vec::new(),
            maintainer: false,
        },
        |recipient| row(policy, recipient, policy.access(&name)),
    );
    let report = Report { recipient, files };
    if context.ui.wants_json() {
        context.ui.json(&report)?;
    } else {
        context.ui.data(shown(&report).as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What the file of an environment grants, held against the policy; nothing if both know nothing of the name.
fn granted(vault: &Vault<'_>, environment: &EnvironmentName, name: &RecipientName) -> Result<Option<Granted>> {
    let rules = vault.rules(environment)?;
    let keys = rules.policy.reader_keys(rules.environment).into_iter();
    let keys = keys.filter(|(reader, _)| *reader == name);
    let due: BTreeSet<&str> = keys.map(|(_, key)| key.label().as_str()).collect();
    let file = vault.load(environment)?;
    let there: BTreeSet<String> = match file.text {
        None => BTreeSet::new(),
        Some(_) => {
            let grants = vault.read(&file)?.footer.grants;
            let labels = grants.get(name).into_iter().flat_map(|grants| grants.keys());
            labels.map(ToString::to_string).collect()
        }
    };
    if due.is_empty() && there.is_empty() {
        return Ok(None);
    }
    let missing = due.iter().filter(|label| !there.contains(**label));
    let beyond = there.iter().filter(|label| !due.contains(label.as_str()));
    Ok(Some(Granted {
        environment: environment.to_string(),
        missing: missing.map(|label| (*label).to_owned()).collect(),
        beyond: beyond.cloned().collect(),
        granted: there.into_iter().collect(),
    }))
}

fn shown(report: &Report<'_>) -> String {
    let mut text = String::new();
    let mut line = |line: String| {
        let _ = writeln!(text, "{}", escaped(&line));
    };
    let row = &report.recipient;
    line(match (row.keys.is_empty(), row.machine) {
        (true, _) => format!("{}, not in the policy", row.name),
        (_, true) => format!("{}, a machine", row.name),
        (_, false) => row.name.to_owned(),
    });
    if let Some(email) = row.email {
        line(format!("  e-mail  {email}"));
    }
    for key in &row.keys {
        line(format!("  key     {}  {}", key.label, key.public_key));
    }
    let listed = [
        ("groups", row.groups.join(", ")),
        ("reads", row.reads.join(", ")),
        ("writes", row.writes.join(", ")),
    ];
    for (what, names) in listed.into_iter().filter(|(_, names)| !names.is_empty()) {
        line(format!("  {what:<6}  {names}"));
    }
    if row.maintainer {
        line("  may change the policy".to_owned());
    }
    for file in &report.files {
        let environment = &file.environment;
        let cure = format!("secretree apply {environment}");
        for label in &file.missing {
            line(format!("  {environment}: the file does not grant {label} yet: {cure}"));
        }
        for label in &file.beyond {
            line(format!("  {environment}: the file grants {label} still: {cure}"));
        }
        let sound = file.granted.iter().filter(|label| !file.beyond.contains(label));
        let sound: Vec<&str> = sound.map(String::as_str).collect();
        if !sound.is_empty() {
            line(format!("  {environment}: the file grants {}", sound.join(", ")));
        }
    }
    text
}
