//! Findings for programs. The shape is documented in the help of `check`.

use serde::Serialize;

use super::{Accepted, Report};
use crate::finding::{Finding, Severity};

#[derive(Serialize)]
struct Shown<'r> {
    errors: usize,
    warnings: usize,
    checked: Vec<&'r str>,
    findings: Vec<Row<'r>>,
    waived: Vec<Waived<'r>>,
    idle_waivers: &'r [String],
    notes: &'r [String],
}

#[derive(Serialize)]
struct Row<'r> {
    code: &'static str,
    severity: &'static str,
    environment: Option<&'r str>,
    path: Option<String>,
    file: Option<String>,
    line: Option<usize>,
    message: &'r str,
    cure: Option<&'r str>,
    hints: &'r [String],
}

#[derive(Serialize)]
struct Waived<'r> {
    #[serde(flatten)]
    row: Row<'r>,
    until: &'r str,
    reason: &'r str,
}

/// What is printed as JSON.
pub fn json(report: &Report) -> impl Serialize + '_ {
    Shown {
        errors: report.count(Severity::Error),
        warnings: report.count(Severity::Warning),
        checked: report.checked.iter().map(|name| name.as_str()).collect(),
        findings: report.findings.iter().map(row).collect(),
        waived: report.waived.iter().map(waived).collect(),
        idle_waivers: &report.idle_waivers,
        notes: &report.notes,
    }
}

fn row(finding: &Finding) -> Row<'_> {
    let place = &finding.place;
    Row {
        code: finding.code.name,
        severity: finding.code.severity.name(),
        environment: place.environment.as_ref().map(|name| name.as_str()),
        path: place.path.as_ref().map(ToString::to_string),
        file: place.file.as_ref().map(|file| file.display().to_string()),
        line: place.line,
        message: &finding.message,
        cure: finding.cure.as_deref(),
        hints: &finding.hints,
    }
}

fn waived(accepted: &Accepted) -> Waived<'_> {
    Waived {
        row: row(&accepted.finding),
        until: &accepted.until,
        reason: &accepted.reason,
    }
}
