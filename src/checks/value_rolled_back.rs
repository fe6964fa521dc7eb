//! `value-rolled-back`: a value stands where a newer one stood. After a revert or a merge that was meant; but an old password
//! that came back is also what somebody would do who knows it.

use super::{Look, Past, Rule};
use crate::finding::{Code, Finding};

static CODE: Code = Code::warning(
    "value-rolled-back",
    "an older version of a value stands where a newer one stood",
);

pub(super) static RULE: Rule = Rule {
    code: &CODE,
    look: Look::Past(find),
};

fn find(past: &Past<'_>) -> Vec<Finding> {
    let name = past.standing.name();
    let finding = |(path, commit): &(_, String)| {
        let message = format!("`{name}:{path}` has a version again that another had replaced ({commit})");
        let finding: Finding = CODE.finding(past.place(path), message);
        finding
            .hint(format!(
                "if it was not meant: git log -p -- {}",
                past.standing.file.display()
            ))
            .hint("if it was: set it anew, or waive this for a time")
    };
    past.set_back.iter().map(finding).collect()
}
