//! Who the policy lets read an environment, against whom its file grants the key.

use std::collections::BTreeMap;

use super::finding::{Code, Finding};
use super::scene::Scene;
use crate::crypto::label::GrantLabel;
use crate::names::RecipientName;
use crate::vault::{Reading, Rulebook};

pub(super) const NOT_GRANTED: Code = Code::error(
    "not-granted",
    "the policy lets you read an environment whose file grants you nothing",
);
pub(super) const GRANT_LEFT: Code = Code::warning(
    "grant-left",
    "you can still read an environment that the policy takes from you",
);
pub(super) const GRANTS_DIFFER: Code =
    Code::warning("grants-differ", "a file grants its key to others than the policy says");

/// The most names that a line lists.
const MOST_NAMED: usize = 6;

/// `opens`: whether an identity here opens the file, so that `apply` works.
pub(super) fn find(scene: &Scene<'_>, rules: Rulebook<'_>, reading: &Reading<'_>, opens: bool) -> Option<Finding> {
    let name = &rules.environment.name;
    let own = |label: &GrantLabel| scene.own.iter().any(|key| key.label() == label);
    let wanted: BTreeMap<&GrantLabel, &RecipientName> = rules
        .policy
        .reader_keys(rules.environment)
        .into_iter()
        .map(|(reader, key)| (key.label(), reader))
        .collect();
    let granted: BTreeMap<&GrantLabel, &RecipientName> = reading
        .footer
        .all_grants()
        .map(|(reader, label, _)| (label, reader))
        .collect();
    let gains = difference(&wanted, &granted);
    let loses = difference(&granted, &wanted);
    // Who goes does not make the new key.
    let goes = !loses.is_empty() && !wanted.keys().any(|label| own(label));
    let apply = (opens && !goes).then(|| scene.secretree("apply", name)).flatten();
    let with_apply = |finding: Finding| match &apply {
        Some(command) => finding.cure(command.clone()),
        None => {
            let staying = granted.iter().filter(|(label, _)| wanted.contains_key(**label));
            let readers: Vec<_> = staying.map(|(_, reader)| reader.as_str()).collect();
            finding.hint(format!(
                "ask {} to run `secretree apply {name}`",
                listed(readers, " or ")
            ))
        }
    };
    let is_locked_out = gains.iter().any(|(label, _)| own(label)) && !granted.keys().any(|label| own(label));
    if is_locked_out {
        let message = format!("the policy lets you read `{name}`, but its file holds no grant for your key");
        return Some(with_apply(NOT_GRANTED.finding(name.as_str(), message)));
    }
    if loses.iter().any(|(label, _)| own(label)) && !wanted.keys().any(|label| own(label)) {
        let message = format!("the policy no longer lets you read `{name}`, but its file still grants you its key");
        return Some(with_apply(GRANT_LEFT.finding(name.as_str(), message)));
    }
    let parts = [("cannot read it yet", gains), ("still can", loses)];
    let parts = parts.into_iter().filter(|(_, readers)| !readers.is_empty());
    let parts: Vec<_> = parts
        .map(|(what, readers)| {
            let names = readers.into_iter().map(|(_, reader)| reader.as_str()).collect();
            format!("{} {what}", listed(names, ", "))
        })
        .collect();
    if parts.is_empty() {
        return None;
    }
    let message = format!("the file of `{name}` is not what the policy says: {}", parts.join("; "));
    Some(with_apply(GRANTS_DIFFER.finding(name.as_str(), message)))
}

/// What `left` has and `right` has not.
fn difference<'a>(
    left: &BTreeMap<&'a GrantLabel, &'a RecipientName>,
    right: &BTreeMap<&'a GrantLabel, &'a RecipientName>,
) -> Vec<(&'a GrantLabel, &'a RecipientName)> {
    let missing = left.iter().filter(|(label, _)| !right.contains_key(**label));
    missing.map(|(label, reader)| (*label, *reader)).collect()
}

/// Each name once, a few of them.
fn listed(mut names: Vec<&str>, between: &str) -> String {
    names.sort_unstable();
    names.dedup();
    let more = names.len().saturating_sub(MOST_NAMED);
    names.truncate(MOST_NAMED);
    let listed = names.join(between);
    match more {
        0 => listed,
        _ => format!("{listed} and {more} more"),
    }
}
