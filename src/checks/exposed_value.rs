//! `exposed-value`: somebody who may not read an environment could have read a value of it that is the same still. Ends when
//! the value is changed: taking away the key does not take back what it opened.

use super::past::called;
use super::{Look, Past, Rule};
use crate::finding::{Code, Finding};

static CODE: Code = Code::warning(
    "exposed-value",
    "somebody who may not read an environment could have read a value that was not changed since",
);

pub(super) static RULE: Rule = Rule {
    code: &CODE,
    look: Look::Past(find),
};

/// The most public keys that a line names.
const MOST_NAMED: usize = 4;

fn find(past: &Past<'_>) -> Vec<Finding> {
    let name = past.standing.name();
    let finding = |(path, holders): &(_, crate::history::Named)| {
        let shown: Vec<_> = holders
            .iter()
            .take(MOST_NAMED)
            .map(|(label, names)| called(label, names))
            .collect();
        let more = match holders.len().saturating_sub(MOST_NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let message = format!(
            "`{name}:{path}` is what it was when {}{more} could read it, who may not read `{name}`",
            shown.join(", ")
        );
        let program = past.standing.program;
        let finding: Finding = CODE.finding(past.place(path), message);
        finding.hint(format!(
            "make it anew where it is used, then: {program} set {name} {path}"
        ))
    };
    past.exposed.iter().map(finding).collect()
}
