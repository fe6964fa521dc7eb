//! What a commit did to the policy, said by what it means: who gains or loses what, through whatever groups, what may
//! stand readable, which commands would run. Layout, comments and order are nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::path::PathBuf;

use serde::Serialize;

use super::as_text;
use super::settings::setting_events;
use crate::crypto::label::GrantLabel;
use crate::names::{EnvironmentName, RecipientName};
use crate::policy::{Allowance, Policy, Recipient, RotatorMethod, Scope, SecretDeclaration, Target};

/// What happened to the policy. As JSON: `"event"` is the name in kebab-case, the other fields as here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum PolicyEvent {
    /// There is a policy where there was none.
    PolicyAdded,
    /// There is none any more.
    PolicyRemoved,
    /// It cannot be read any more.
    PolicyUnreadable {
        /// Why, as the end of a line.
        reason: String,
    },
    /// It can be read again.
    PolicyReadableAgain,
    /// It has another `id`: no grant of before holds.
    IdChanged,
    /// A recipient is new.
    RecipientAdded {
        /// Who.
        #[serde(serialize_with = "as_text")]
        recipient: RecipientName,
    },
    /// A recipient is gone.
    RecipientRemoved {
        /// Who.
        #[serde(serialize_with = "as_text")]
        recipient: RecipientName,
    },
    /// A recipient has a public key more.
    KeyAdded {
        /// Whose.
        #[serde(serialize_with = "as_text")]
        recipient: RecipientName,
        /// The label of the public key.
        #[serde(serialize_with = "as_text")]
        label: GrantLabel,
    },
    /// A recipient has a public key less.
    KeyRemoved {
        /// Whose.
        #[serde(serialize_with = "as_text")]
        recipient: RecipientName,
        /// The label of the public key.
        #[serde(serialize_with = "as_text")]
        label: GrantLabel,
    },
    /// Signatures by a key more count as a recipient's.
    SigningKeyAdded {
        /// Whose.
        #[serde(serialize_with = "as_text")]
        recipient: RecipientName,
        /// The key.
        key: String,
    },
    /// Signatures by a key less count as a recipient's.
    SigningKeyRemoved {
        /// Whose.
        #[serde(serialize_with = "as_text")]
        recipient: RecipientName,
        /// The key.
        key: String,
    },
    /// An environment is declared.
    EnvironmentDeclared {
        /// Which.
        #[serde(serialize_with = "as_text")]
        environment: EnvironmentName,
    },
    /// An environment is no longer declared.
    EnvironmentDropped {
        /// Which.
        #[serde(serialize_with = "as_text")]
        environment: EnvironmentName,
    },
    /// An environment has its file elsewhere.
    FileDeclared {
        /// Which.
        #[serde(serialize_with = "as_text")]
        environment: EnvironmentName,
        /// The old file, relative to the root policy's folder.
        from: PathBuf,
        /// The new one.
        to: PathBuf,
    },
    /// Somebody may read an environment.
    ReaderAdded {
        /// Which.
        #[serde(serialize_with = "as_text")]
        environment: EnvironmentName,
        /// Who.
        #[serde(serialize_with = "as_text")]
        recipient: RecipientName,
    },
    /// Somebody may no longer read an environment.
    ReaderRemoved {
        /// Which.
        #[serde(serialize_with = "as_text")]
        environment: EnvironmentName,
        /// Who.
        #[serde(serialize_with = "as_text")]
        recipient: RecipientName,
    },
    /// Somebody's signed commits may change an environment.
    WriterAdded {
        /// Which.
        #[serde(serialize_with = "as_text")]
        environment: EnvironmentName,
        /// Who.
        #[serde(serialize_with = "as_text")]
        recipient: RecipientName,
    },
    /// Somebody's signed commits may no longer change an environment.
    WriterRemoved {
        /// Which.
        #[serde(serialize_with = "as_text")]
        environment: EnvironmentName,
        /// Who.
        #[serde(serialize_with = "as_text")]
        recipient: RecipientName,
    },
    /// Somebody's signed commits may change the policy.
    MaintainerAdded {
        /// Who.
        #[serde(serialize_with = "as_text")]
        recipient: RecipientName,
    },
    /// Somebody's signed commits may no longer change the policy.
    MaintainerRemoved {
        /// Who.
        #[serde(serialize_with = "as_text")]
        recipient: RecipientName,
    },
    /// An environment builds on others than before.
    ExtendsChanged {
        /// Which.
        #[serde(serialize_with = "as_text")]
        environment: EnvironmentName,
        /// What it built on, the weakest first.
        #[serde(serialize_with = "super::as_texts")]
        from: Vec<EnvironmentName>,
        /// What it builds on.
        #[serde(serialize_with = "super::as_texts")]
        to: Vec<EnvironmentName>,
    },
    /// Values of this pattern may stand readable.
    PlaintextAdded {
        /// Where.
        #[serde(serialize_with = "as_text")]
        environment: EnvironmentName,
        /// The pattern.
        pattern: String,
    },
    /// Values of this pattern may no longer stand readable.
    PlaintextRemoved {
        /// Where.
        #[serde(serialize_with = "as_text")]
        environment: EnvironmentName,
        /// The pattern.
        pattern: String,
    },
    /// A command that takes effect once a person approved it is another one.
    CommandChanged {
        /// Whose: ``rotator `x` ``, ``target `x` ``, ``restart of target `x` ``.
        of: String,
        /// The program and arguments of before; none if it had no command.
        before: Vec<String>,
        /// Those of now.
        after: Vec<String>,
    },
    /// A target is new.
    TargetAdded {
        /// Its name.
        target: String,
    },
    /// A target is gone.
    TargetRemoved {
        /// Its name.
        target: String,
    },
    /// A target takes other values, or delivers elsewhere.
    TargetChanged {
        /// Its name.
        target: String,
    },
    /// What is declared about values is new, gone or another.
    DeclarationChanged {
        /// `ENV:PATH` or `PATH`, as written.
        at: String,
    },
    /// Findings are accepted.
    WaiverAdded {
        /// The code of the findings.
        code: String,
        /// `ENV:PATH` or `PATH`, as written.
        at: String,
        /// The last day, YYYY-MM-DD.
        until: String,
        /// Why.
        reason: String,
    },
    /// Findings are no longer accepted.
    WaiverRemoved {
        /// The code of the findings.
        code: String,
        /// `ENV:PATH` or `PATH`, as written.
        at: String,
    },
    /// A setting with no event of its own is another.
    SettingChanged {
        /// Which: `default_environment`, `email` of somebody, `rotate` of an environment, …
        of: String,
        /// What it was; nothing if it was not set.
        from: Option<String>,
        /// What it is; nothing if it is not set.
        to: Option<String>,
    },
    /// `scan` lets something more pass.
    ScanAllowed {
        /// The pattern, as written.
        pattern: String,
    },
    /// `scan` lets something less pass.
    ScanRefused {
        /// The pattern, as written.
        pattern: String,
    },
}

impl PolicyEvent {
    /// The environment that it is about alone.
    pub fn environment(&self) -> Option<&EnvironmentName> {
        match self {
            Self::EnvironmentDeclared { environment }
            | Self::EnvironmentDropped { environment }
            | Self::FileDeclared { environment, .. }
            | Self::ReaderAdded { environment, .. }
            | Self::ReaderRemoved { environment, .. }
            | Self::WriterAdded { environment, .. }
            | Self::WriterRemoved { environment, .. }
            | Self::ExtendsChanged { environment, .. }
            | Self::PlaintextAdded { environment, .. }
            | Self::PlaintextRemoved { environment, .. } => Some(environment),
            _ => None,
        }
    }
}

/// What happened between the policy `before` and the policy `after`, sorted.
pub fn policy_events(before: &Policy, after: &Policy) -> Vec<PolicyEvent> {
    let mut events = Vec::new();
    if before.id != after.id {
        events.push(PolicyEvent::IdChanged);
    }
    people_events(before, after, &mut events);
    environment_events(before, after, &mut events);
    delivery_events(before, after, &mut events);
    rule_events(before, after, &mut events);
    events.extend(setting_events(before, after));
    events.sort();
    events.dedup();
    events
}

/// Shows what only one of two sets holds: `true` for what is new.
fn for_new_and_gone<T: Ord + Clone>(
    before: impl IntoIterator<Item = T>,
    after: impl IntoIterator<Item = T>,
    mut seen: impl FnMut(T, bool),
) {
    let (before, after): (BTreeSet<T>, BTreeSet<T>) = (before.into_iter().collect(), after.into_iter().collect());
    for gone in before.difference(&after) {
        seen(gone.clone(), false);
    }
    for new in after.difference(&before) {
        seen(new.clone(), true);
    }
}

fn people_events(before: &Policy, after: &Policy, events: &mut Vec<PolicyEvent>) {
    let names = |policy: &Policy| -> Vec<RecipientName> {
        let recipients = policy.people.recipients().iter();
        recipients.map(|recipient| recipient.name.clone()).collect()
    };
    for_new_and_gone(names(before), names(after), |recipient, new| {
        events.push(match new {
            true => PolicyEvent::RecipientAdded { recipient },
            false => PolicyEvent::RecipientRemoved { recipient },
        });
    });
    let all: BTreeSet<RecipientName> = names(before).into_iter().chain(names(after)).collect();
    for recipient in all {
        let labels = |policy: &Policy| -> Vec<GrantLabel> {
            let known = policy.people.recipient(recipient.as_str()).into_iter();
            known
                .flat_map(|known| known.keys.iter().map(|key| key.label().clone()))
                .collect()
        };
        for_new_and_gone(labels(before), labels(after), |label, new| {
            let recipient = recipient.clone();
            events.push(match new {
                true => PolicyEvent::KeyAdded { recipient, label },
                false => PolicyEvent::KeyRemoved { recipient, label },
            });
        });
        let signing = |policy: &Policy| -> Vec<String> {
            let known = policy.people.recipient(recipient.as_str());
            known.map_or_else(Vec::new, |known: &Recipient| known.signing_keys.clone())
        };
        for_new_and_gone(signing(before), signing(after), |key, new| {
            let recipient = recipient.clone();
            events.push(match new {
                true => PolicyEvent::SigningKeyAdded { recipient, key },
                false => PolicyEvent::SigningKeyRemoved { recipient, key },
            });
        });
    }
    let maintainers = |policy: &Policy| -> Vec<RecipientName> { policy.maintainers().into_iter().cloned().collect() };
    for_new_and_gone(maintainers(before), maintainers(after), |recipient, new| {
        events.push(match new {
            true => PolicyEvent::MaintainerAdded { recipient },
            false => PolicyEvent::MaintainerRemoved { recipient },
        });
    });
}

fn environment_events(before: &Policy, after: &Policy, events: &mut Vec<PolicyEvent>) {
    let all: BTreeSet<&EnvironmentName> = before.environments.keys().chain(after.environments.keys()).collect();
    for name in all {
        let environment = name.clone();
        let (old, new) = (before.environment(name), after.environment(name));
        match (old, new) {
            (None, Some(_)) => events.push(PolicyEvent::EnvironmentDeclared { environment }),
            (Some(_), None) => events.push(PolicyEvent::EnvironmentDropped { environment }),
            (Some(old), Some(new)) if old.file != new.file => events.push(PolicyEvent::FileDeclared {
                environment,
                from: old.file.clone(),
                to: new.file.clone(),
            }),
            _ => {}
        }
        let readers = |policy: &Policy| -> Vec<RecipientName> {
            let declared = policy.environment(name).into_iter();
            declared
                .flat_map(|one| policy.readers(one).into_iter().cloned())
                .collect()
        };
        for_new_and_gone(readers(before), readers(after), |recipient, new| {
            let environment = name.clone();
            events.push(match new {
                true => PolicyEvent::ReaderAdded { environment, recipient },
                false => PolicyEvent::ReaderRemoved { environment, recipient },
            });
        });
        let writers = |policy: &Policy| -> Vec<RecipientName> {
            let declared = policy.environment(name).into_iter();
            declared
                .flat_map(|one| policy.writers(one).into_iter().cloned())
                .collect()
        };
        for_new_and_gone(writers(before), writers(after), |recipient, new| {
            let environment = name.clone();
            events.push(match new {
                true => PolicyEvent::WriterAdded { environment, recipient },
                false => PolicyEvent::WriterRemoved { environment, recipient },
            });
        });
        let patterns = |policy: &Policy| -> Vec<String> {
            let declared = policy.environment(name).into_iter();
            declared
                .flat_map(|one| one.plaintext.iter().map(ToString::to_string))
                .collect()
        };
        for_new_and_gone(patterns(before), patterns(after), |pattern, new| {
            let environment = name.clone();
            events.push(match new {
                true => PolicyEvent::PlaintextAdded { environment, pattern },
                false => PolicyEvent::PlaintextRemoved { environment, pattern },
            });
        });
        let extends = |policy: &Policy| {
            policy
                .environment(name)
                .map(|one| one.extends.clone())
                .unwrap_or_default()
        };
        let (from, to) = (extends(before), extends(after));
        if from != to {
            let environment = name.clone();
            events.push(PolicyEvent::ExtendsChanged { environment, from, to });
        }
    }
}

/// Every command of a policy by whose it is.
fn commands(policy: &Policy) -> BTreeMap<String, Vec<String>> {
    let mut commands = BTreeMap::new();
    for (name, rotator) in &policy.rotators {
        if let RotatorMethod::Command { arguments, .. } = &rotator.method {
            commands.insert(format!("rotator `{name}`"), arguments.clone());
        }
    }
    for (name, target) in &policy.targets {
        let own = [("", &target.command), ("restart of ", &target.restart)];
        for (what, command) in own {
            commands.extend(
                command
                    .clone()
                    .map(|command| (format!("{what}target `{name}`"), command)),
            );
        }
    }
    commands
}

fn delivery_events(before: &Policy, after: &Policy, events: &mut Vec<PolicyEvent>) {
    let (old, new) = (commands(before), commands(after));
    let all: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for of in all {
        let command = |commands: &BTreeMap<String, Vec<String>>| commands.get(of).cloned().unwrap_or_default();
        let (before, after) = (command(&old), command(&new));
        if before != after {
            let of = of.clone();
            events.push(PolicyEvent::CommandChanged { of, before, after });
        }
    }
    let names = |policy: &Policy| -> Vec<String> { policy.targets.keys().cloned().collect() };
    for_new_and_gone(names(before), names(after), |target, new| {
        events.push(match new {
            true => PolicyEvent::TargetAdded { target },
            false => PolicyEvent::TargetRemoved { target },
        });
    });
    for (name, target) in &before.targets {
        if after
            .targets
            .get(name)
            .is_some_and(|other| destination(other) != destination(target))
        {
            let target = name.clone();
            events.push(PolicyEvent::TargetChanged { target });
        }
    }
}

/// What a target takes and where it delivers, to be compared.
fn destination(target: &Target) -> impl PartialEq + Debug + '_ {
    let only: Vec<&str> = target.only.iter().map(crate::policy::Glob::as_str).collect();
    (&target.kind, &target.from, only, &target.names, &target.settings)
}

/// `ENV:PATH` or `PATH`.
fn place(scope: &Scope) -> String {
    match &scope.environment {
        Some(environment) => format!("{environment}:{}", scope.path, environment = environment.as_str()),
        None => scope.path.to_string(),
    }
}

/// What a declaration says, to be compared.
fn declared(secret: &SecretDeclaration) -> String {
    let required: Vec<&str> = secret.required.iter().map(|pattern| pattern.value.as_str()).collect();
    let text = |spotted: &Option<crate::policy::Spotted<String>>| spotted.as_ref().map(|spotted| spotted.value.clone());
    let words = (&secret.description, required, text(&secret.owner), &secret.variable);
    let life = (secret.rotate, secret.grace, secret.expires);
    format!(
        "{words:?} {life:?} {:?} {:?}",
        text(&secret.pattern),
        text(&secret.rotator)
    )
}

fn rule_events(before: &Policy, after: &Policy, events: &mut Vec<PolicyEvent>) {
    let declarations = |policy: &Policy| -> Vec<(String, String)> {
        let secrets = policy.secrets.iter();
        secrets.map(|secret| (place(&secret.scope), declared(secret))).collect()
    };
    for_new_and_gone(declarations(before), declarations(after), |(at, _), _| {
        events.push(PolicyEvent::DeclarationChanged { at });
    });
    let waivers = |policy: &Policy| -> Vec<(String, String, String, String)> {
        let waivers = policy.waivers.iter();
        let parts = |waiver: &crate::policy::Waiver| {
            let until = waiver.until.to_string();
            (waiver.code.clone(), place(&waiver.at), until, waiver.reason.clone())
        };
        waivers.map(parts).collect()
    };
    for_new_and_gone(waivers(before), waivers(after), |(code, at, until, reason), new| {
        events.push(match new {
            true => PolicyEvent::WaiverAdded {
                code,
                at,
                until,
                reason,
            },
            false => PolicyEvent::WaiverRemoved { code, at },
        });
    });
    let allowed = |policy: &Policy| -> Vec<String> {
        let items = policy.scans.iter().flat_map(|scan| &scan.allow);
        let written = |allowance: &Allowance| match allowance {
            Allowance::Files(pattern) => pattern.as_str().to_owned(),
            Allowance::Text(pattern) => format!("regex:{}", pattern.value),
        };
        items.map(written).collect()
    };
    for_new_and_gone(allowed(before), allowed(after), |pattern, new| {
        events.push(match new {
            true => PolicyEvent::ScanAllowed { pattern },
            false => PolicyEvent::ScanRefused { pattern },
        });
    });
}

#[cfg(test)]
mod tests {
    use super::policy_events;
    use crate::policy::Policy;

    const KEYS: [&str; 2] = [
        "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN",
    ];

    fn policy(bob: &str, rest: &str) -> Policy {
        let text = format!(
            "version: 1\nid: \"{}\"\nrecipients:\n  alice: {{keys: [{}]}}\n{bob}{rest}",
            "0".repeat(32),
            KEYS[0]
        );
        Policy::parse(&text, "policy").unwrap()
    }

    fn lines(before: &Policy, after: &Policy) -> Vec<String> {
        let events = policy_events(before, after);
        events
            .iter()
            .map(|event| serde_json::to_string(event).unwrap())
            .collect()
    }

    #[test]
    fn what_groups_mean_is_told_and_not_how_it_is_written() {
        let bob = format!("  bob: {{keys: [{}]}}\n", KEYS[1]);
        let before = policy(
            &bob,
            "groups: {team: [alice]}\nenvironments:\n  prod: {file: p.yaml, readers: [team], writers: [alice]}\n",
        );
        let after = policy(
            &bob,
            "groups: {team: [bob, alice]}\n# a comment\nenvironments:\n  prod: {file: q.yaml, readers: [team], plaintext: [\"log.*\"]}\n",
        );
        assert_eq!(
            lines(&before, &after),
            [
                r#"{"event":"file-declared","environment":"prod","from":"p.yaml","to":"q.yaml"}"#,
                r#"{"event":"reader-added","environment":"prod","recipient":"bob"}"#,
                r#"{"event":"writer-added","environment":"prod","recipient":"bob"}"#,
                r#"{"event":"maintainer-added","recipient":"bob"}"#,
                r#"{"event":"plaintext-added","environment":"prod","pattern":"log.*"}"#,
            ]
        );
        assert!(lines(&after, &after).is_empty());
    }

    #[test]
    fn people_keys_commands_and_waivers_are_told() {
        let environments = "environments:\n  prod: {file: p.yaml, readers: [alice]}\n";
        let before = policy("", &format!("{environments}rotators: {{r: {{command: [./a]}}}}\n"));
        let after = policy(
            &format!("  bob: {{keys: [{}]}}\n", KEYS[1]),
            &format!(
                "{environments}rotators: {{r: {{command: [./b, x]}}}}\ncheck: {{waive: [{{code: exposed-value, at: \"prod:**\", until: 2027-03-31, reason: so}}]}}\n"
            ),
        );
        let found = lines(&before, &after);
        assert_eq!(found.len(), 5, "{found:?}");
        assert!(found[0].contains("recipient-added"));
        assert!(found[1].contains("key-added") && found[1].contains("ssh-ed25519-"));
        assert!(found[2].contains("signing-key-added"));
        assert_eq!(
            found[3],
            r#"{"event":"command-changed","of":"rotator `r`","before":["./a"],"after":["./b","x"]}"#
        );
        assert!(found[4].contains(r#""at":"prod:**","until":"2027-03-31""#));
    }
}
