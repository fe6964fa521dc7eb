//! `pattern-mismatch`: a value does not match the pattern that the policy declares for it. Neither the value nor where it
//! differs is shown.

use super::{Look, Opened, Rule};
use crate::finding::{Code, Finding};

static CODE: Code = Code::error(
    "pattern-mismatch",
    "a value does not match the pattern that the policy declares",
);

pub(super) static RULE: Rule = Rule {
    code: &CODE,
    look: Look::Opened(find),
};

fn find(opened: &Opened<'_>) -> Vec<Finding> {
    let misfits = opened.scrutiny.misfits.iter().map(|at| {
        let (path, place) = (&at.0, opened.place(Some(at)));
        let message = format!("`{place}` does not match its declared `pattern`");
        CODE.finding(place, message)
            .hint(format!("{} set {} {path}", opened.program, opened.name))
    });
    misfits.collect()
}
