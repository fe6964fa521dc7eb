//! Findings as lines for a person: one each, and below it what to do. What mends several that follow each other is said
//! once, below the last of them.

use std::fmt::Write as _;

use secretree::finding::Finding;

use super::escaped;

/// The lines, names in them escaped for a terminal.
pub(crate) fn finding_lines<P>(findings: &[Finding<P>]) -> String {
    let mut text = String::new();
    for (at, finding) in findings.iter().enumerate() {
        let (severity, code) = (finding.code.severity.name(), finding.code.name);
        let _ = writeln!(text, "{severity}[{code}]: {}", escaped(&finding.message));
        let has_remedy = finding.cure.is_some() || !finding.hints.is_empty();
        let is_said_below = findings
            .get(at + 1)
            .is_some_and(|next| next.cure == finding.cure && next.hints == finding.hints);
        if !has_remedy || is_said_below {
            continue;
        }
        if let Some(cure) = &finding.cure {
            let _ = writeln!(text, "  cure: {}", escaped(cure));
        }
        for hint in &finding.hints {
            let _ = writeln!(text, "  hint: {}", escaped(hint));
        }
    }
    text
}
