//! Single settings of a policy, as names and texts: what has no event of its own and still changes what commands do. So that
//! no line of a policy changes unseen.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::policy_event::PolicyEvent;
use crate::policy::{Policy, RotatorMethod};

/// What is another between two policies.
pub(super) fn setting_events(before: &Policy, after: &Policy) -> Vec<PolicyEvent> {
    let (old, new) = (settings(before, after), settings(after, before));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let changed = |of: &&String| old.get(*of) != new.get(*of);
    let event = |of: &String| PolicyEvent::SettingChanged {
        of: of.clone(),
        from: old.get(of).cloned(),
        to: new.get(of).cloned(),
    };
    names.into_iter().filter(changed).map(event).collect()
}

/// The settings that are given, but those of people and environments that the other policy has not: they come or go as a
/// whole.
fn settings(policy: &Policy, other: &Policy) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut add = |of: String, text: Option<String>| {
        if let Some(text) = text {
            found.insert(of, text);
        }
    };
    let on = |is_on: bool| is_on.then(|| "true".to_owned());
    let default = policy.default_environment.as_ref();
    add("`default_environment`".to_owned(), default.map(ToString::to_string));
    add("`audit.reads`".to_owned(), on(policy.reads_noted));
    let is_in_both = |name: &str| other.people.recipient(name).is_some();
    let recipients = policy.people.recipients().iter();
    for recipient in recipients.filter(|recipient| is_in_both(recipient.name.as_str())) {
        add(format!("`email` of {}", recipient.name), recipient.email.clone());
        add(format!("`machine` of {}", recipient.name), on(recipient.machine));
    }
    let environments = policy.environments.values();
    for environment in environments.filter(|environment| other.environment(&environment.name).is_some()) {
        let name = &environment.name;
        add(format!("`references` of {name}"), on(environment.references));
        add(format!("`rotate` of {name}"), environment.rotate.map(exact));
        add(
            format!("`expires` of {name}"),
            environment.expires.map(|date| date.to_string()),
        );
    }
    for (name, rotator) in &policy.rotators {
        let (generates, timeout) = match &rotator.method {
            RotatorMethod::Generate(spec) => (Some(spec.clone()), None),
            RotatorMethod::Command { timeout, .. } => (None, timeout.map(exact)),
        };
        add(format!("`generate` of rotator `{name}`"), generates);
        add(format!("`timeout` of rotator `{name}`"), timeout);
    }
    for scan in &policy.scans {
        let place = match scan.folder.as_os_str().is_empty() {
            true => "`scan.min_length`".to_owned(),
            false => format!("`scan.min_length` below {}", scan.folder.display()),
        };
        add(place, scan.min_length.map(|length| length.to_string()));
    }
    found
}

/// In the largest unit that gives a whole number, days at most: two that differ never look the same.
fn exact(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let units = [(86_400, 'd'), (3_600, 'h'), (60, 'm')];
    let fits = units.into_iter().find(|(length, _)| seconds.is_multiple_of(*length));
    let (length, letter) = fits.unwrap_or((1, 's'));
    format!("{}{letter}", seconds / length)
}

#[cfg(test)]
mod tests {
    use super::setting_events;
    use crate::policy::Policy;

    /// No line of a policy changes without a word; what has an event of its own is told there.
    #[test]
    fn every_setting_is_told() {
        let policy = |text: &str| Policy::parse(text, "policy").unwrap();
        let base = format!(
            "version: 1\nid: \"{}\"\ndefault_environment: dev\nrecipients:\n  alice: {{keys: [{}], email: a@x, machine: true}}\n\
             environments:\n  dev: {{file: d.yaml, readers: [alice], references: true, rotate: 90d, expires: 2027-01-01}}\n  \
             prod: {{file: p.yaml, readers: [alice]}}\nrotators:\n  word: {{generate: \"password:32\"}}\n  \
             role: {{command: [./x], timeout: 60s}}\nscan: {{min_length: 8}}\naudit: {{reads: true}}\n",
            "0".repeat(32),
            "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
        );
        for (from, to, said) in [
            (
                "default_environment: dev",
                "default_environment: prod",
                "`default_environment` is prod, not dev",
            ),
            (
                "default_environment: dev\n",
                "",
                "`default_environment` is no longer dev",
            ),
            ("email: a@x", "email: m@x", "`email` of alice is m@x, not a@x"),
            (", machine: true", "", "`machine` of alice is no longer true"),
            (", references: true", "", "`references` of dev is no longer true"),
            ("rotate: 90d", "rotate: 900d", "`rotate` of dev is 900d, not 90d"),
            (
                "expires: 2027",
                "expires: 2037",
                "`expires` of dev is 2037-01-01, not 2027-01-01",
            ),
            (
                "password:32",
                "password:8",
                "`generate` of rotator `word` is password:8, not password:32",
            ),
            (
                "timeout: 60s",
                "timeout: 9h",
                "`timeout` of rotator `role` is 9h, not 1m",
            ),
            ("min_length: 8", "min_length: 80", "`scan.min_length` is 80, not 8"),
            ("reads: true", "reads: false", "`audit.reads` is no longer true"),
        ] {
            assert!(base.contains(from), "{from}");
            let events = setting_events(&policy(&base), &policy(&base.replace(from, to)));
            let told: Vec<_> = events.iter().map(ToString::to_string).collect();
            assert_eq!(told, [said]);
        }
    }
}
