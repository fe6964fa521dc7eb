//! `missing-required`: the policy says that an environment must have a value, and neither it nor what it builds on has one.
//! `run` would not start anything.

use std::collections::HashSet;

use super::{Look, Rule, Standing};
use crate::document::path::ValuePath;
use crate::finding::{Code, Finding};
use crate::policy::SecretDeclaration;
use crate::vault::known_paths;

static CODE: Code = Code::error("missing-required", "a value that the policy requires is not there");

pub(super) static RULE: Rule = Rule {
    code: &CODE,
    look: Look::Environment(find),
};

fn find(standing: &Standing<'_>) -> Vec<Finding> {
    let (policy, environment) = (standing.rules.policy, standing.rules.environment);
    if standing.is_cut || policy.required(environment).next().is_none() {
        return Vec::new();
    }
    let layers: Vec<_> = standing.bases.iter().copied().chain(standing.reading).collect();
    let known: HashSet<ValuePath> = known_paths(&layers).into_iter().collect();
    // Two declarations may require the same value.
    let mut said = HashSet::new();
    let mut findings = Vec::new();
    for (glob, secret) in policy.required(environment) {
        // `required` is for one value: the policy refuses it elsewhere.
        let Some(path) = glob.literal() else { continue };
        if !known.contains(&path) && said.insert(path.clone()) {
            findings.push(finding(standing, path, secret));
        }
    }
    findings
}

fn finding(standing: &Standing<'_>, path: ValuePath, secret: &SecretDeclaration) -> Finding {
    let name = standing.name();
    let description = secret.description.as_ref();
    let description = description.map_or_else(String::new, |text| format!(" ({text})"));
    let message = format!("`{name}` lacks the required `{path}`{description}");
    let set = format!("{} set {name} {path}", standing.program);
    let finding: Finding = CODE.finding(standing.place().at_path(path), message);
    match &secret.owner {
        Some(owner) => finding.hint(format!("{set}; `{}` owns it", owner.value)),
        None => finding.hint(set),
    }
}
