//! `proposal-pending`: somebody who cannot read an environment proposed a value for it, and no reader answered yet.

use super::{Look, Rule, Standing};
use crate::finding::{Code, Finding};

static CODE: Code = Code::warning(
    "proposal-pending",
    "a proposed value waits for a reader to accept or reject it",
);

pub(super) static RULE: Rule = Rule {
    code: &CODE,
    look: Look::Environment(find),
};

fn find(standing: &Standing<'_>) -> Vec<Finding> {
    let proposals = standing.footer().into_iter().flat_map(|footer| footer.proposals.keys());
    let finding = |label: &crate::crypto::proposal::ProposalLabel| {
        let place = standing.place_in_footer("proposals", |proposals| {
            proposals.get(label.as_str()).map(|entry| entry.key.span.start)
        });
        let name = standing.name();
        let finding: Finding = CODE.finding(place, format!("the proposal {label} for `{name}` waits for an answer"));
        finding.hint(format!(
            "a reader looks at it: {} proposals {name}; then accepts or rejects it",
            standing.program
        ))
    };
    proposals.map(finding).collect()
}
