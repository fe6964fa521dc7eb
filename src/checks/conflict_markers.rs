//! `conflict-markers`: what a merge left for a person to decide, and nobody did.

use super::{Look, Rule, Subject};
use crate::finding::{Code, Finding};

static CODE: Code = Code::error(
    "conflict-markers",
    "the markers of a conflict stand in a policy or environment file",
);

pub(super) static RULE: Rule = Rule {
    code: &CODE,
    look: Look::File(find),
};

/// How many signs a marker has at least; the attribute `conflict-marker-size` can make it more.
const SHORTEST: usize = 7;

fn find(subject: &Subject<'_>) -> Vec<Finding> {
    let openings = subject
        .text
        .lines()
        .enumerate()
        .filter(|(_, line)| is_marker(line, '<'));
    let finding = |(line, _)| {
        let line = line + 1;
        let file = subject.file.display();
        CODE.finding(
            subject.place().at_line(line),
            format!("`{file}` line {line}: the marker of a conflict"),
        )
        .hint("keep one side of each place, without the lines of `<`, `=` and `>`")
    };
    openings.map(finding).collect()
}

/// Whether a text has the opening marker of a conflict: no accepted file has such a line, at column 0 only comments and
/// keys stand there.
pub(super) fn has_marker(text: &str) -> bool {
    text.lines().any(|line| is_marker(line, '<'))
}

fn is_marker(line: &str, sign: char) -> bool {
    let rest = line.trim_start_matches(sign);
    line.len() - rest.len() >= SHORTEST && (rest.trim_end().is_empty() || rest.starts_with(' '))
}

#[cfg(test)]
mod tests {
    use super::has_marker;

    #[test]
    fn markers_are_told_from_text() {
        for text in [
            "a: 1\n<<<<<<< HEAD\nb: 2\n",
            "<<<<<<<\n",
            "<<<<<<<<<<<< ours\n",
            "<<<<<<< a\r\n",
        ] {
            assert!(has_marker(text), "{text:?}");
        }
        for text in [
            "",
            "# <<<<<<< HEAD\n",
            "a: |\n  <<<<<<< HEAD\n",
            "<<<<<< six\n",
            "<<<<<<<key: 1\n",
        ] {
            assert!(!has_marker(text), "{text:?}");
        }
    }
}
