//! The checks of a repository's secrets: one rule a file, each with a code that never changes. They take texts and what
//! the policy says and return findings; where the texts come from (index, work tree, commit) is the caller's.

mod conflict_markers;
mod foreign_token;
mod malformed_file;
mod plaintext_value;
mod subject;
#[cfg(test)]
mod tests;

pub use subject::{Parsed, Subject};

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
}

/// All rules, in the order in which their findings are worth mending.
pub const RULES: &[&Rule] = &[
    &conflict_markers::RULE,
    &malformed_file::RULE,
    &plaintext_value::RULE,
    &foreign_token::RULE,
];

impl Rule {
    /// Where it is explained, with an example and its cure.
    pub fn page(&self) -> String {
        format!("docs/checks.md#{}", self.code.name)
    }
}

/// What all rules that look at single files find in this one.
pub fn examine(subject: &Subject<'_>) -> Vec<Finding> {
    RULES
        .iter()
        .flat_map(|rule| match rule.look {
            Look::File(find) => find(subject),
        })
        .collect()
}
