//! `key-outlived-reader`: a public key was granted the key that a file still has, has no grant any more, and is no reader's.
//! Whoever has it opens whatever is written there, with the grant of an old commit.

use super::past::called;
use super::{Look, Past, Rule};
use crate::finding::{Code, Finding};

static CODE: Code = Code::error(
    "key-outlived-reader",
    "somebody who may not read an environment held the key that it still has",
);

pub(super) static RULE: Rule = Rule {
    code: &CODE,
    look: Look::Past(find),
};

fn find(past: &Past<'_>) -> Vec<Finding> {
    let standing = past.standing;
    let (name, granted, wanted) = (standing.name(), standing.granted(), standing.wanted());
    // Those who are granted it still are another finding.
    let outlived = past.held.iter();
    let outlived = outlived.filter(|(label, _)| !granted.contains_key(label) && !wanted.contains_key(label));
    let finding = |(label, names)| {
        let message = format!(
            "{} may not read `{name}` and held the key that it still has: a grant in an old commit opens what is written now",
            called(label, names)
        );
        let finding: Finding = CODE.finding(standing.place(), message);
        finding
            .cure(format!("{} --new-key", standing.command("apply")))
            .hint("run by a reader; a grant that is taken out by hand takes nothing away")
    };
    outlived.map(finding).collect()
}
