//! The checks of a repository's secrets: one rule a file, each with a code that never changes. They take texts, what the
//! policy says and what others opened or found in history, and return findings; where all that comes from is the caller's.

mod change;
mod conflict_markers;
mod exposed_value;
mod extends_widens_writers;
mod extent;
mod foreign_token;
mod history_incomplete;
mod integrity;
mod key_files;
mod key_outlived_reader;
mod malformed_file;
mod missing_file;
mod missing_required;
mod opened;
mod past;
mod pattern_mismatch;
mod people;
mod plaintext_value;
mod proposal_pending;
mod readable_identity;
mod recipient_drift;
mod standing;
mod subject;
#[cfg(test)]
mod tests;
mod unauthorised_change;
mod undeclared_secret;
mod unknown_recipient;
mod unsigned_change;
mod untrusted_key;
mod value_rolled_back;
mod waivers;
mod weak_key;

pub use change::{Change, Proof};
pub use extent::Extent;
pub use key_files::{KeyFile, KeyPlace};
pub use opened::Opened;
pub use past::Past;
pub use people::PolicySubject;
pub use standing::Standing;
pub use subject::{Parsed, Subject};
pub use waivers::{Waived, Waivers, waive, waive_changes};

use crate::error::Failure;
use crate::finding::{Code, Finding};

/// One rule: what it finds, and how.
pub struct Rule {
    /// The code of its findings, with how bad they are and what they mean.
    pub code: &'static Code,
    /// What it looks at.
    pub look: Look,
}

/// What a rule looks at, and the function that does.
#[derive(Clone, Copy)]
pub enum Look {
    /// A policy or environment file on its own, as anyone can read it.
    File(fn(&Subject<'_>) -> Vec<Finding>),
    /// A policy that can be used.
    Policy(fn(&PolicySubject<'_>) -> Vec<Finding>),
    /// An environment as the policy has it: whether its file is what it should be.
    Environment(fn(&Standing<'_>) -> Vec<Finding>),
    /// A file that may hold a private key.
    KeyFile(fn(&KeyFile<'_>) -> Option<Finding>),
    /// What an identity opened of an environment.
    Opened(fn(&Opened<'_>) -> Vec<Finding>),
    /// An environment and its past.
    Past(fn(&Past<'_>) -> Vec<Finding>),
    /// Whether the history is whole.
    History(fn(&Extent<'_>) -> Option<Finding>),
    /// What a commit changed.
    Change(fn(&Change) -> Option<Finding>),
    /// The waivers, once everything else was looked at.
    Waivers(fn(&Waivers<'_>) -> Vec<Finding>),
}

/// All rules, in the order in which their findings are worth mending.
pub const RULES: &[&Rule] = &[
    &conflict_markers::RULE,
    &malformed_file::RULE,
    &plaintext_value::RULE,
    &readable_identity::RULE,
    &untrusted_key::RULE,
    &integrity::RULE,
    &foreign_token::RULE,
    &unknown_recipient::RULE,
    &key_outlived_reader::RULE,
    &recipient_drift::RULE,
    &missing_file::RULE,
    &missing_required::RULE,
    &pattern_mismatch::RULE,
    &exposed_value::RULE,
    &value_rolled_back::RULE,
    &undeclared_secret::RULE,
    &proposal_pending::RULE,
    &extends_widens_writers::RULE,
    &weak_key::RULE,
    &unsigned_change::RULE,
    &unauthorised_change::RULE,
    &history_incomplete::RULE,
    &waivers::EXPIRED,
    &waivers::UNKNOWN,
];

/// The page that explains every code, with an example and its cure.
const PAGE: &str = include_str!("../../docs/checks.md");

/// The rule of this code.
pub fn rule(code: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.code.name == code)
}

impl Rule {
    /// Where it is explained, with an example and its cure.
    pub fn page(&self) -> String {
        format!("docs/checks.md#{}", self.code.name)
    }

    /// What that page says of it, as Markdown without its heading.
    pub fn explanation(&self) -> &'static str {
        let heading = format!("\n## {}\n", self.code.name);
        let behind = PAGE.split_once(&heading).map_or("", |(_, behind)| behind);
        behind.split_once("\n## ").map_or(behind, |(own, _)| own).trim()
    }
}

/// What all rules that look at single files find in this one.
pub fn examine(subject: &Subject<'_>) -> Vec<Finding> {
    let found = RULES.iter().map(|rule| match rule.look {
        Look::File(find) => find(subject),
        _ => Vec::new(),
    });
    found.flatten().collect()
}

/// What the rules for policies find in this one.
pub fn examine_policy(subject: &PolicySubject<'_>) -> Vec<Finding> {
    let found = RULES.iter().map(|rule| match rule.look {
        Look::Policy(find) => find(subject),
        _ => Vec::new(),
    });
    found.flatten().collect()
}

/// What the rules for environments find in this one.
pub fn examine_environment(standing: &Standing<'_>) -> Vec<Finding> {
    let found = RULES.iter().map(|rule| match rule.look {
        Look::Environment(find) => find(standing),
        _ => Vec::new(),
    });
    found.flatten().collect()
}

/// What is wrong with a file that may hold a private key.
pub fn examine_key_file(file: &KeyFile<'_>) -> Vec<Finding> {
    let found = RULES.iter().filter_map(|rule| match rule.look {
        Look::KeyFile(find) => find(file),
        _ => None,
    });
    found.collect()
}

/// What the rules for opened environments find in this one.
pub fn examine_opened(opened: &Opened<'_>) -> Vec<Finding> {
    let found = RULES.iter().map(|rule| match rule.look {
        Look::Opened(find) => find(opened),
        _ => Vec::new(),
    });
    found.flatten().collect()
}

/// What the rules about the past find in this environment.
pub fn examine_past(past: &Past<'_>) -> Vec<Finding> {
    let found = RULES.iter().map(|rule| match rule.look {
        Look::Past(find) => find(past),
        _ => Vec::new(),
    });
    found.flatten().collect()
}

/// Whether the history is whole.
pub fn examine_history(extent: &Extent<'_>) -> Vec<Finding> {
    let found = RULES.iter().filter_map(|rule| match rule.look {
        Look::History(find) => find(extent),
        _ => None,
    });
    found.collect()
}

/// Whether who made a change may make it.
pub fn examine_change(change: &Change) -> Vec<Finding> {
    let found = RULES.iter().filter_map(|rule| match rule.look {
        Look::Change(find) => find(change),
        _ => None,
    });
    found.collect()
}

/// A value that stands readable where a token stood in the history of its file, as `failure` says.
pub fn made_readable(standing: &Standing<'_>, failure: &Failure) -> Finding {
    plaintext_value::made_readable_before(standing, failure)
}
