//! `unknown-recipient`: a file grants its key to a public key that the policy does not know at all. Either its owner was
//! taken out of the policy and nobody ran `apply`, or somebody put it there who should not.

use super::{Look, Rule, Standing};
use crate::finding::{Code, Finding};
use crate::policy::POLICY_NAME;

static CODE: Code = Code::error(
    "unknown-recipient",
    "a file grants its key to a public key that the policy does not know",
);

pub(super) static RULE: Rule = Rule {
    code: &CODE,
    look: Look::Environment(find),
};

fn find(standing: &Standing<'_>) -> Vec<Finding> {
    let people = &standing.rules.policy.people;
    let is_known = |label: &_| {
        let mut keys = people.recipients().iter().flat_map(|recipient| &recipient.keys);
        keys.any(|key| key.label() == label)
    };
    let wanted = standing.wanted();
    let granted = standing.granted().into_iter();
    let unknown = granted.filter(|(label, _)| !wanted.contains_key(label) && !is_known(*label));
    let finding = |(label, called)| {
        let (name, place) = (standing.name(), standing.place_of_grant(label));
        let message = format!(
            "the public key {label}, under the name `{called}`, is granted the key of `{name}` and stands in no `{POLICY_NAME}`"
        );
        let file = standing.file.display();
        CODE.finding(place, message)
            .cure(standing.command("apply"))
            .hint(format!(
                "run by a reader: it makes a new key. Who put it there: git log -p -- {file}"
            ))
    };
    unknown.map(finding).collect()
}
