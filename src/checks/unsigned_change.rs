//! `unsigned-change`: a commit changed the policy or an environment and carries no signature, so that nothing proves who
//! made it.

use super::change::listed;
use super::{Change, Look, Proof, Rule};
use crate::finding::{Code, Finding};

static CODE: Code = Code::error(
    "unsigned-change",
    "a commit changed the policy or an environment and is not signed",
);

pub(super) static RULE: Rule = Rule {
    code: &CODE,
    look: Look::Change(find),
};

fn find(change: &Change) -> Option<Finding> {
    if change.proof != Proof::Unsigned {
        return None;
    }
    let message = format!("{} changed {} and is not signed", change.commit, change.what);
    let finding: Finding = CODE.finding(change.place.clone(), message);
    Some(
        finding
            .hint(format!(
                "one of {} makes it anew: git commit -S",
                listed(&change.authorised)
            ))
            .hint("who may change what: `writers` and `maintainers` in the policy of its parents"),
    )
}
