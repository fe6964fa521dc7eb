//! `undeclared-secret`: a value that the policy declares nowhere, although it declares others of this environment. Then
//! nobody is its owner, nothing says how long it may live, and a misspelt path looks like a value of its own.

use super::{Look, Rule, Standing};
use crate::document::token::is_token;
use crate::finding::{Code, Finding};
use crate::names::did_you_mean;

static CODE: Code = Code::warning(
    "undeclared-secret",
    "a value is not declared, although the policy declares others of its environment",
);

pub(super) static RULE: Rule = Rule {
    code: &CODE,
    look: Look::Environment(find),
};

fn find(standing: &Standing<'_>) -> Vec<Finding> {
    let declared: Vec<_> = standing.rules.policy.declared(standing.rules.environment).collect();
    let Some(reading) = standing.reading.filter(|_| !declared.is_empty()) else {
        return Vec::new();
    };
    let literal: Vec<String> = declared
        .iter()
        .filter_map(|secret| Some(secret.scope.path.literal()?.to_string()))
        .collect();
    let mut findings = Vec::new();
    reading.tree.visit(&mut |trail, scalar| {
        if !is_token(&scalar.content) {
            return;
        }
        let path = trail.to_path();
        if declared.iter().any(|secret| secret.scope.path.matches(&path)) {
            return;
        }
        let place = standing.place_of_value(&path, scalar.head.start);
        let finding: Finding = CODE.finding(
            place,
            format!("`{}:{path}` is not declared under `secrets`", standing.name()),
        );
        let finding = finding.hint("declare it in the policy, with `description`, `owner` and `rotate`");
        findings.push(
            match did_you_mean(&path.to_string(), literal.iter().map(String::as_str)) {
                Some(near) => finding.hint(format!("did you mean `{near}`?")),
                None => finding,
            },
        );
    });
    findings
}
