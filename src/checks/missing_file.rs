//! `missing-file`: the policy declares an environment that has no file.

use super::{Look, Rule, Standing};
use crate::finding::{Code, Finding};

static CODE: Code = Code::warning("missing-file", "the policy declares an environment that has no file");

pub(super) static RULE: Rule = Rule {
    code: &CODE,
    look: Look::Environment(find),
};

fn find(standing: &Standing<'_>) -> Vec<Finding> {
    if !standing.is_absent {
        return Vec::new();
    }
    let (name, file) = (standing.name(), standing.file.display());
    let message = format!("`{name}` has no file: there is no `{file}`");
    let finding: Finding = CODE.finding(standing.place(), message);
    vec![
        finding
            .cure(standing.command("apply"))
            .hint(format!("run by a reader; if it was lost: git restore -- '{file}'")),
    ]
}
