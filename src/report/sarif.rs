//! Findings as SARIF 2.1.0 (OASIS), which code-scanning services read: every rule with its explanation, every finding with
//! file, line and environment; what is waived is there as suppressed.

use std::path::Path;

use serde_json::{Value, json};

use super::{Accepted, Report};
use crate::checks::{RULES, Rule};
use crate::finding::{Finding, Severity};
use crate::names::short_hash;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// What file names are relative to: the top of the repository.
const BASE: &str = "%SRCROOT%";

/// The whole log: one run of one tool.
pub fn sarif(report: &Report) -> Value {
    let found = report.findings.iter().map(result);
    let accepted = report.waived.iter().map(suppressed);
    let notes = report
        .notes
        .iter()
        .map(|note| json!({"level": "note", "message": {"text": note}}));
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "secretree",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": RULES.iter().map(|rule| described(rule)).collect::<Vec<_>>(),
            }},
            "automationDetails": {"id": "secretree/check/"},
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": notes.collect::<Vec<_>>(),
            }],
            "results": found.chain(accepted).collect::<Vec<_>>(),
        }],
    })
}

fn described(rule: &Rule) -> Value {
    let explanation = rule.explanation();
    let severity = rule.code.severity.name();
    json!({
        "id": rule.code.name,
        "name": rule.code.name,
        "shortDescription": {"text": rule.code.meaning},
        "fullDescription": {"text": rule.code.meaning},
        "help": {"text": format!("{explanation}\n\nSee {}.", rule.page()), "markdown": explanation},
        "defaultConfiguration": {"level": severity},
        "properties": {"tags": ["security"], "precision": "very-high", "problem.severity": severity},
    })
}

fn result(finding: &Finding) -> Value {
    let mut message = finding.message.clone();
    let hints = finding.hints.iter().map(|hint| format!("\nhint: {hint}"));
    message.extend(finding.cure.iter().map(|cure| format!("\ncure: {cure}")).chain(hints));
    let level = match finding.code.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    json!({
        "ruleId": finding.code.name,
        "ruleIndex": RULES.iter().position(|rule| rule.code.name == finding.code.name),
        "level": level,
        "message": {"text": message},
        "locations": [location(finding)],
        "partialFingerprints": {"secretree/1": fingerprint(finding)},
    })
}

fn suppressed(accepted: &Accepted) -> Value {
    let mut result = result(&accepted.finding);
    let justification = format!("{} (until {})", accepted.reason, accepted.until);
    result["suppressions"] = json!([{"kind": "external", "status": "accepted", "justification": justification}]);
    result
}

fn location(finding: &Finding) -> Value {
    let place = &finding.place;
    let mut location = json!({});
    if let Some(file) = &place.file {
        // What concerns a file as a whole is shown at its first line.
        let line = place.line.unwrap_or(1);
        location["physicalLocation"] = json!({
            "artifactLocation": artifact(file),
            "region": {"startLine": line},
        });
    }
    if place.environment.is_some() {
        location["logicalLocations"] = json!([{"fullyQualifiedName": place.to_string(), "kind": "member"}]);
    }
    location
}

/// A file inside of the repository, relative to its top; any other as it is.
fn artifact(file: &Path) -> Value {
    let uri = uri(file);
    match file.is_absolute() {
        true => json!({"uri": format!("file://{uri}")}),
        false => json!({"uri": uri, "uriBaseId": BASE}),
    }
}

/// The path with everything escaped that is not plain in a URI (RFC 3986).
fn uri(file: &Path) -> String {
    let mut out = String::new();
    for byte in file.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(char::from(*byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

/// What stays the same as long as it is the same finding: not the line, where a value can be told by its path.
fn fingerprint(finding: &Finding) -> String {
    let place = &finding.place;
    let own = match &place.path {
        Some(path) => path.to_json(),
        None => finding.message.clone(),
    };
    let parts = [finding.code.name.to_owned(), place.to_string(), own];
    short_hash(parts.join("\0").as_bytes())
}
