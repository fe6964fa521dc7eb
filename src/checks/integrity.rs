//! `integrity`: something in an environment's file is not what it claims to be. Every token, the grants for identities here,
//! what the key follows, proposals and previous values are opened.

use super::{Look, Opened, Rule};
use crate::finding::{Code, Finding};

static CODE: Code = Code::error(
    "integrity",
    "something in an environment's file was altered, moved or made for another place",
);

pub(super) static RULE: Rule = Rule {
    code: &CODE,
    look: Look::Opened(find),
};

fn find(opened: &Opened<'_>) -> Vec<Finding> {
    let faults = opened.scrutiny.faults.iter().map(|(at, failure)| {
        let place = opened.place(at.as_ref());
        CODE.finding(place, failure.message()).hints(failure.hints())
    });
    faults.collect()
}
