//! The report as Markdown for a comment on a pull request: tables as GitHub and GitLab read them. Foreign text stands in
//! code spans that it cannot leave, where nothing is a link, a mention or HTML.

use std::fmt::Write as _;

use super::cells::{Block, Cell, Part, Section};
use crate::ui::escaped;

/// The most rows of one table.
const MOST_ROWS: usize = 100;
/// The most bytes of a comment: forges refuse more than 65,536 characters.
const LONGEST: usize = 60_000;

/// Writes the report.
pub(super) fn write(header: &Option<Cell>, blocks: &[Block]) -> String {
    let mut out = String::from("### Secrets in this change\n");
    if let Some(header) = header {
        write!(out, "\n{}.\n", capital(&shown(header))).expect("writing to a string cannot fail");
    }
    if blocks.is_empty() {
        out.push_str("\nNo value, no access and nothing in the policy changed.\n");
    }
    let mut left_out = 0;
    for block in blocks {
        let mut text = format!("\n#### {}\n", shown(&block.title));
        for section in &block.sections {
            write_section(&mut text, section);
        }
        if out.len() + text.len() > LONGEST {
            left_out += 1;
        } else {
            out.push_str(&text);
        }
    }
    if left_out > 0 {
        write!(
            out,
            "\n**Too long for a comment: {left_out} more. See `secretree diff`.**\n"
        )
        .expect("writing to a string cannot fail");
    }
    out
}

fn write_section(out: &mut String, section: &Section) {
    out.push('\n');
    let columns = section.columns.len();
    let mut line = |cells: Vec<String>| out.push_str(&format!("| {} |\n", cells.join(" | ")));
    let mut titles: Vec<String> = section.columns.iter().map(|title| (*title).to_owned()).collect();
    titles.insert(0, section.heading.clone());
    line(titles);
    line(vec!["---".to_owned(); columns + 1]);
    for row in section.rows.iter().take(MOST_ROWS) {
        let mut cells = vec![sign(row.sign).to_owned()];
        cells.extend(row.cells.iter().map(shown));
        cells.resize(columns + 1, String::new());
        line(cells);
    }
    if section.rows.len() > MOST_ROWS {
        let mut cells = vec![String::new(), format!("… and {} more", section.rows.len() - MOST_ROWS)];
        cells.resize(columns + 1, String::new());
        line(cells);
    }
}

/// What a sign means: alone, some would begin a list.
fn sign(sign: char) -> &'static str {
    match sign {
        '+' => "new",
        '~' => "changed",
        '-' => "gone",
        '>' => "moved",
        ' ' => "",
        _ => "**look**",
    }
}

fn shown(cell: &Cell) -> String {
    let part = |part: &Part| match part {
        Part::Words(words) => words.clone(),
        Part::Foreign(text) => code(text),
        // Refused before: values are for no comment.
        Part::Value(_) => String::new(),
    };
    cell.0.iter().map(part).collect()
}

/// A code span that holds `text` on one line, in one cell.
fn code(text: &str) -> String {
    if text.is_empty() {
        return "`\"\"`".to_owned();
    }
    let safe = escaped(text).replace('|', "\\u{7c}");
    // A span ends with as many backticks as it began with: more than stand in it anywhere.
    let longest = safe
        .split(|character| character != '`')
        .map(str::len)
        .max()
        .unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    match longest {
        0 => format!("`{safe}`"),
        _ => format!("{fence} {safe} {fence}"),
    }
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}

#[cfg(test)]
mod tests {
    use super::super::cells::{Block, Cell, Row, Section};
    use super::{LONGEST, code, write};

    fn block(name: &str, rows: usize) -> Block {
        let row = || Row {
            sign: '+',
            cells: vec![Cell::foreign(name), Cell::of("added")],
        };
        let rows = (0..rows).map(|_| row()).collect();
        Block {
            title: Cell::foreign(name),
            sections: vec![Section::new("values", vec!["path", "what"], rows).unwrap()],
        }
    }

    #[test]
    fn foreign_text_stays_in_its_cell() {
        for text in [
            "a|b",
            "`x`",
            "``",
            "a\\|b",
            "<img src=x>",
            "@team",
            "[a](b)",
            "x\n| y |",
            "\u{202e}",
            "a`|`b",
            " ",
            "#1",
        ] {
            let written = write(&None, &[block(text, 1)]);
            let row = written.lines().find(|line| line.starts_with("| new")).unwrap();
            assert_eq!(row.matches('|').count(), 4, "{row}");
            let cell = row.split(" | ").nth(1).unwrap();
            let fence = cell.split(|character| character != '`').next().unwrap();
            let inside = cell.strip_prefix(fence).unwrap().strip_suffix(fence).unwrap();
            assert!(!fence.is_empty() && !inside.contains(fence), "{row}");
            assert!(!row.contains(char::is_control), "{row}");
        }
        assert_eq!(code(""), "`\"\"`");
    }

    #[test]
    fn a_comment_is_never_too_long() {
        let blocks: Vec<_> = (0..40).map(|_| block("a.rather.long.path.of.a.value", 500)).collect();
        let written = write(&None, &blocks);
        assert!(written.len() < LONGEST + 200 && written.contains("… and 400 more") && written.contains("Too long"));
    }
}
