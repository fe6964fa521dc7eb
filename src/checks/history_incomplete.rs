//! `history-incomplete`: this clone does not have the whole history, so that what only history tells is said as far as it
//! goes and no further.

use super::{Extent, Look, Rule};
use crate::finding::{Code, Finding, Place};

static CODE: Code = Code::warning(
    "history-incomplete",
    "this clone does not have the whole history, and what it lacks was not judged",
);

pub(super) static RULE: Rule = Rule {
    code: &CODE,
    look: Look::History(find),
};

fn find(extent: &Extent<'_>) -> Option<Finding> {
    let why = extent.why.as_ref()?;
    let message = format!(
        "the history here is not whole ({why}): who could have read what, which keys are held and which values came back is said \
         as far as it goes"
    );
    let finding: Finding = CODE.finding(Place::of_file(extent.policy), message);
    Some(match &extent.command {
        Some(command) => finding.cure(command.clone()),
        None => finding.hint("run this in a clone that git's own library can read, with all commits"),
    })
}
