//! `untrusted-key`: an identity here opens the key that a file stands under, and it is not to be believed: nobody vouches
//! for it, or another one replaced it (FORMAT, "Which key is trusted").

use super::{Look, Opened, Rule};
use crate::finding::{Code, Finding};

static CODE: Code = Code::error(
    "untrusted-key",
    "nobody vouches for the key of an environment, or another one replaced it",
);

pub(super) static RULE: Rule = Rule {
    code: &CODE,
    look: Look::Opened(find),
};

fn find(opened: &Opened<'_>) -> Vec<Finding> {
    let finding = |failure: &crate::error::Failure| {
        CODE.finding(opened.place(None), failure.message())
            .hints(failure.hints())
    };
    opened.scrutiny.distrust.iter().map(finding).collect()
}
