//! Findings as annotations of a GitHub workflow: workflow commands on standard output, which the runner shows beside the
//! lines of a pull request. Text that others wrote is escaped, so that it cannot become a command of its own.

use std::fmt::Write as _;

use super::Report;
use crate::finding::{Finding, Severity};

/// `::error file=…,line=…,title=…::MESSAGE` for each finding, and a notice for each thing that was not looked at.
pub fn annotations(report: &Report) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        annotate(&mut text, finding);
    }
    for note in &report.notes {
        let _ = writeln!(text, "::notice title=secretree::{}", data(note));
    }
    text
}

fn annotate(text: &mut String, finding: &Finding) {
    let command = match finding.code.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let _ = write!(text, "::{command} ");
    if let Some(file) = &finding.place.file {
        let _ = write!(text, "file={},", property(&file.to_string_lossy()));
    }
    if let Some(line) = finding.place.line {
        let _ = write!(text, "line={line},");
    }
    let mut message = finding.message.clone();
    for (word, line) in finding
        .cure
        .iter()
        .map(|cure| ("cure", cure))
        .chain(finding.hints.iter().map(|hint| ("hint", hint)))
    {
        let _ = write!(message, "\n{word}: {line}");
    }
    let title = property(finding.code.name);
    let _ = writeln!(text, "title={title}::{}", data(&message));
}

/// The text behind `::`.
fn data(text: &str) -> String {
    escaped(text, &[('%', "%25"), ('\r', "%0D"), ('\n', "%0A")])
}

/// The value of a property, which also ends at `:` and `,`.
fn property(text: &str) -> String {
    escaped(
        text,
        &[('%', "%25"), ('\r', "%0D"), ('\n', "%0A"), (':', "%3A"), (',', "%2C")],
    )
}

/// Characters that terminals and log viewers act on are shown as `\u{…}`.
fn escaped(text: &str, special: &[(char, &str)]) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match special.iter().find(|(known, _)| *known == character) {
            Some((_, replacement)) => out.push_str(replacement),
            None if is_odd(character) => out.extend(character.escape_unicode()),
            None => out.push(character),
        }
    }
    out
}

fn is_odd(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}
