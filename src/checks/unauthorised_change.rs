//! `unauthorised-change`: a commit changed the policy or an environment, and its signature is by nobody who may: not by the
//! policy of every parent.

use super::change::listed;
use super::{Change, Look, Proof, Rule};
use crate::finding::{Code, Finding};

static CODE: Code = Code::error(
    "unauthorised-change",
    "a commit changed the policy or an environment and is signed by nobody who may",
);

pub(super) static RULE: Rule = Rule {
    code: &CODE,
    look: Look::Change(find),
};

fn find(change: &Change) -> Option<Finding> {
    let (commit, what) = (&change.commit, &change.what);
    let message = match &change.proof {
        Proof::Unsigned => return None,
        Proof::Signed(_) if change.permitted => return None,
        Proof::Signed(names) => format!("{commit} changed {what}, signed by {}, who may not", listed(names)),
        Proof::Unknown => {
            format!(
                "{commit} changed {what}, with a signature that does not verify or whose key the policy does not know"
            )
        }
        Proof::Rootless => {
            format!("{commit} begins a history of its own with {what}, which no policy before it allows")
        }
        Proof::Unjudged => format!("{commit} changed {what}, and the policy before it cannot be read"),
    };
    let finding: Finding = CODE.finding(change.place.clone(), message);
    Some(finding.hint(match change.authorised.is_empty() {
        true => "ask who made that commit, and look at all of it".to_owned(),
        false => format!("{} may: ask who made that commit", listed(&change.authorised)),
    }))
}
