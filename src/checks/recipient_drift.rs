//! `recipient-drift`: a file grants its key to others than those whom the policy lets read. Said by public key; keys that
//! the policy does not know at all are `unknown-recipient`.

use super::{Look, Rule, Standing};
use crate::finding::{Code, Finding};

static CODE: Code = Code::warning(
    "recipient-drift",
    "a file grants its key to others than the policy lets read",
);

pub(super) static RULE: Rule = Rule {
    code: &CODE,
    look: Look::Environment(find),
};

fn find(standing: &Standing<'_>) -> Vec<Finding> {
    if standing.reading.is_none() {
        return Vec::new();
    }
    let (wanted, granted, name) = (standing.wanted(), standing.granted(), standing.name());
    let mut findings = Vec::new();
    let mut add = |place, message: String, hint: &str| {
        let finding: Finding = CODE.finding(place, message);
        findings.push(finding.cure(standing.command("apply")).hint(hint));
    };
    for (label, reader) in &wanted {
        match granted.get(label) {
            None => add(
                standing.place(),
                format!("`{reader}` ({label}) may read `{name}` and is not granted its key"),
                "run by somebody who reads it already",
            ),
            Some(called) if called != reader => add(
                standing.place_of_grant(label),
                format!("the grant of `{reader}` ({label}) in `{name}` stands under the name `{called}`"),
                "run by a reader",
            ),
            Some(_) => {}
        }
    }
    let people = &standing.rules.policy.people;
    for (label, called) in granted.iter().filter(|(label, _)| !wanted.contains_key(**label)) {
        let owner = people
            .recipients()
            .iter()
            .find(|recipient| recipient.keys.iter().any(|key| key.label() == *label));
        if let Some(owner) = owner {
            let owner = &owner.name;
            let called = match owner == *called {
                true => String::new(),
                false => format!(", under the name `{called}`"),
            };
            add(
                standing.place_of_grant(label),
                format!("`{owner}` ({label}) may not read `{name}` and is granted its key{called}"),
                "run by a reader: it makes a new key, and seals every value anew",
            );
        }
    }
    findings
}
