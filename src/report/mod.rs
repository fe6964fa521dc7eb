//! How findings are shown to others than a person: as JSON, as SARIF for code scanning, as annotations of a workflow. Each
//! format is a small file; all are made from the same report and none decides what counts.

mod github;
mod json;
mod sarif;
mod text;

pub use github::annotations;
pub use json::json;
pub use sarif::sarif;
pub use text::summary;

use crate::finding::{Finding, Severity};
use crate::names::EnvironmentName;

/// A finding that is accepted for a time.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// What is accepted.
    pub finding: Finding,
    /// The last day.
    pub until: String,
    /// Why.
    pub reason: String,
}

/// What a check found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The environments that were looked at.
    pub checked: Vec<EnvironmentName>,
    /// What counts, in the order in which it is shown.
    pub findings: Vec<Finding>,
    /// What is accepted.
    pub waived: Vec<Accepted>,
    /// Waivers that were wanted for nothing, as `CODE at ENV:PATH`.
    pub idle_waivers: Vec<String>,
    /// What could not be looked at, a line each.
    pub notes: Vec<String>,
}

impl Report {
    /// How many findings are of this severity.
    pub fn count(&self, severity: Severity) -> usize {
        let matching = self.findings.iter().filter(|finding| finding.code.severity == severity);
        matching.count()
    }
}

#[cfg(test)]
mod tests;
