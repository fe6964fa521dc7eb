//! `extends-widens-writers`: an environment builds on one that more people may change. Whoever may change the base decides
//! what the other delivers, wherever it does not have the value itself.

use super::{Look, PolicySubject, Rule};
use crate::finding::{Code, Finding};

static CODE: Code = Code::warning(
    "extends-widens-writers",
    "an environment builds on one that others may change, who may not change it",
);

pub(super) static RULE: Rule = Rule {
    code: &CODE,
    look: Look::Policy(find),
};

fn find(subject: &PolicySubject<'_>) -> Vec<Finding> {
    let policy = subject.policy;
    let mut findings = Vec::new();
    for environment in policy
        .environments
        .values()
        .filter(|environment| !environment.extends.is_empty())
    {
        let (name, own) = (&environment.name, policy.writers(environment));
        let layers = policy.layers(environment);
        for base in layers.iter().filter(|layer| layer.name != *name) {
            let wider: Vec<_> = policy
                .writers(base)
                .difference(&own)
                .map(|writer| format!("`{writer}`"))
                .collect();
            if wider.is_empty() {
                continue;
            }
            let message = format!(
                "{} may change `{}`, which `{name}` builds on, and not `{name}`",
                listed(&wider),
                base.name
            );
            let place = subject.place(&environment.spot).within(name.clone());
            let finding: Finding = CODE.finding(place, message);
            findings.push(finding.hint(format!("give `{}` the `writers` of `{name}`, or fewer", base.name)));
        }
    }
    findings
}

/// A few of them, and how many more there are.
fn listed(names: &[String]) -> String {
    const MOST: usize = 6;
    let shown = names
        .iter()
        .take(MOST)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    match names.len().saturating_sub(MOST) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
