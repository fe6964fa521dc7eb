//! What the runner of GitHub Actions does with a step's output and with the file of `GITHUB_ENV`, by its published rules:
//! GitHub Docs, "Workflow commands", and the runner's `ActionCommand` and `FileCommandManager`.

use std::collections::BTreeMap;

/// The texts that a step's output tells the runner to hide. Panics at a line that is no such command: it would be shown.
pub(crate) fn masks(output: &str) -> Vec<String> {
    let lines = output.split(['\n', '\r']).filter(|line| !line.is_empty());
    let mask = |line: &str| {
        let data = line.trim_start().strip_prefix("::add-mask::");
        let data = data.unwrap_or_else(|| panic!("the log shows {line:?}"));
        // In this order, one after the other.
        let text = data.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%");
        assert!(!text.trim().is_empty(), "the runner warns about an empty mask");
        text
    };
    lines.map(mask).collect()
}

/// A line of the log, with everything hidden.
pub(crate) fn masked(line: &str, masks: &[String]) -> String {
    let mut hidden = vec![false; line.len()];
    for mask in masks {
        for (position, found) in line.match_indices(mask.as_str()) {
            hidden[position..position + found.len()].fill(true);
        }
    }
    let shown = line.char_indices();
    shown
        .map(|(position, character)| if hidden[position] { '*' } else { character })
        .collect()
}

/// The variables that later steps get. Panics where the runner would fail the step.
pub(crate) fn variables(text: &str) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    let mut rest = text;
    while let Some(line) = next_line(&mut rest) {
        if line.is_empty() {
            continue;
        }
        let plain = line.find('=');
        let heredoc = line.find("<<");
        let (name, value) = match (plain, heredoc) {
            (Some(equals), heredoc) if heredoc.is_none_or(|arrows| equals < arrows) => {
                (&line[..equals], line[equals + 1..].to_owned())
            }
            (_, Some(arrows)) => (&line[..arrows], until(&line[arrows + 2..], &mut rest)),
            _ => panic!("the runner takes {line:?} for malformed"),
        };
        assert!(!name.is_empty(), "a name in {line:?}");
        assert!(!name.eq_ignore_ascii_case("NODE_OPTIONS"), "the runner refuses it");
        variables.insert(name.to_owned(), value);
    }
    variables
}

/// The lines before the one that is `delimiter`, without the last line feed.
fn until(delimiter: &str, rest: &mut &str) -> String {
    assert!(!delimiter.is_empty(), "a delimiter");
    let start = *rest;
    let mut end = 0;
    loop {
        let length = start.len() - rest.len();
        let line = next_line(rest).expect("the delimiter comes");
        if line == delimiter {
            return start[..end].to_owned();
        }
        end = length + line.len();
    }
}

fn next_line<'t>(rest: &mut &'t str) -> Option<&'t str> {
    if rest.is_empty() {
        return None;
    }
    let (line, behind) = rest.split_once('\n').unwrap_or((rest, ""));
    *rest = behind;
    Some(line)
}

#[test]
fn the_rules_are_those_of_the_documentation() {
    let text = "A=1\n\nB<<EOF\nx\n\ny=z\nEOF\nC<<E\nE\nD=a<<b\nE=last";
    let expected = [("A", "1"), ("B", "x\n\ny=z"), ("C", ""), ("D", "a<<b"), ("E", "last")];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(variables(text), expected.into());
    assert_eq!(masks("::add-mask::a%250A b\n  ::add-mask::%25\n"), ["a%0A b", "%"]);
    assert_eq!(masked("one two", &["one".to_owned(), "ne t".to_owned()]), "*****wo");
}
