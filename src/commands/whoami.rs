//! `whoami`: the identities this machine has.

use std::fmt::Write as _;
use std::process::ExitCode;

use secretree::crypto::identities::Identities;
use secretree::crypto::public_key::PublicKey;
use secretree::error::{Failure, Result};
use secretree::policy::{POLICY_NAME, Policy, Reach};
use serde::Serialize;

use crate::context::Context;
use crate::ui::escaped;

/// Show the identities found here and their public keys
///
/// In the order in which they are tried, each with its name in the policy, if it has one. Nothing is
/// unlocked and nothing asked.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
With --json: {\"identities\": [{\"public_key\", \"kind\", \"source\", \"recipient\", \"environments\"}], \"unknown\":
[{\"source\", \"reason\"}], \"problems\": [{\"source\", \"reason\"}]}. `recipient` is null if the policy does not name
the key; `unknown` are identities whose public key is not known before they are used.

Examples:
  secretree whoami
  secretree whoami --json"
)]
pub(crate) struct Args {}

/// All that is known without asking anybody; the shape of `--json`.
#[derive(Serialize)]
struct Report {
    identities: Vec<Identity>,
    unknown: Vec<Remark>,
    problems: Vec<Remark>,
}

/// One identity whose public key is known.
#[derive(Serialize)]
struct Identity {
    public_key: String,
    kind: String,
    source: String,
    recipient: Option<String>,
    environments: Vec<String>,
}

/// A source, and something about it as the end of a line.
#[derive(Serialize)]
struct Remark {
    source: String,
    reason: String,
}

/// Runs the command.
pub(crate) fn run(_: &Args, context: &Context) -> Result<ExitCode> {
    let policy = policy(context)?;
    let repository = context.repository()?;
    let root = repository.as_ref().map(|repository| repository.root());
    let mut identities = context.identities(context.plugins(root), root)?;
    let report = report(&mut identities, policy.as_ref());
    for problem in &report.problems {
        context.ui.warning(&format!("`{}` {}", problem.source, problem.reason));
    }
    if context.ui.wants_json() {
        context.ui.json(&report)?;
    } else {
        context.ui.data(shown(&report, policy.is_some()).as_bytes())?;
    }
    if report.identities.is_empty() && report.unknown.is_empty() {
        return Err(Failure::no_identity("there is no identity here")
            .hint("secretree keygen")
            .into());
    }
    Ok(ExitCode::SUCCESS)
}

/// The policy here, if there is one. One that cannot be read takes nothing away from the identities.
fn policy(context: &Context) -> Result<Option<Policy>> {
    if context.folders_with_policy()?.is_empty() {
        return Ok(None);
    }
    match context.policy(Reach::Everything) {
        Ok(loaded) => Ok(Some(loaded.policy)),
        Err(error) => {
            context.ui.warning(&format!("the policy cannot be used: {error}"));
            Ok(None)
        }
    }
}

fn report(identities: &mut Identities, policy: Option<&Policy>) -> Report {
    let known = identities.public_keys().into_iter();
    let found = known.map(|(source, key)| identity(source, key, policy)).collect();
    let remark = |(source, reason): (&str, String)| Remark {
        source: source.to_owned(),
        reason,
    };
    let problems = identities
        .problems()
        .map(|(source, problem)| remark((source, problem.to_owned())));
    Report {
        identities: found,
        problems: problems.collect(),
        unknown: identities.unknown().map(remark).collect(),
    }
}

fn identity(source: &str, key: &PublicKey, policy: Option<&Policy>) -> Identity {
    let recipients = policy.into_iter().flat_map(|policy| policy.people.recipients());
    let recipient = recipients
        .into_iter()
        .find(|recipient| recipient.keys.contains(key))
        .map(|recipient| recipient.name.to_string());
    let environments = policy.into_iter().flat_map(|policy| {
        let read = policy.environments.values().filter(|environment| {
            let readers = policy.reader_keys(environment);
            readers.into_iter().any(|(_, reader)| reader == key)
        });
        read.map(|environment| environment.name.to_string())
    });
    Identity {
        public_key: key.canonical().to_owned(),
        kind: key.kind().to_string(),
        source: source.to_owned(),
        recipient,
        environments: environments.collect(),
    }
}

/// A block of lines for each identity, its public key alone on the first.
fn shown(report: &Report, has_policy: bool) -> String {
    let mut text = String::new();
    let mut line = |line: &str| {
        let _ = writeln!(text, "{}", escaped(line));
    };
    for identity in &report.identities {
        line(&identity.public_key);
        line(&format!("  {} from {}", identity.kind, identity.source));
        match (&identity.recipient, identity.environments.as_slice()) {
            (Some(name), []) => line(&format!("  {name} in {POLICY_NAME}, reads nothing")),
            (Some(name), read) => line(&format!("  {name} in {POLICY_NAME}, reads {}", read.join(", "))),
            (None, _) if has_policy => line(&format!("  not in {POLICY_NAME}: `secretree join` adds it")),
            (None, _) => {}
        }
    }
    for unknown in &report.unknown {
        line("(public key not known)");
        line(&format!("  {} {}", unknown.source, unknown.reason));
    }
    text
}
