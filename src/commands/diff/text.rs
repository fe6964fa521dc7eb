//! The report as text for a terminal: rows in columns, and foreign text so that it moves no cursor.

use zeroize::Zeroizing;

use super::cells::{Block, Cell, Part, Section};
use crate::ui::escaped;

/// Writes the report; `header` is a line of its own, if there is one.
pub(super) fn write(header: &Option<Cell>, blocks: &[Block]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(String::with_capacity(4096));
    if let Some(header) = header {
        out.push_str(&shown(header));
        out.push('\n');
    }
    for (position, block) in blocks.iter().enumerate() {
        if position > 0 || header.is_some() {
            out.push('\n');
        }
        out.push_str(&shown(&block.title));
        out.push('\n');
        for section in &block.sections {
            write_section(&mut out, section);
        }
    }
    Zeroizing::new(std::mem::take(&mut *out).into_bytes())
}

fn write_section(out: &mut String, section: &Section) {
    out.push_str("  ");
    out.push_str(&section.heading);
    out.push('\n');
    let rows: Vec<Vec<Zeroizing<String>>> = section
        .rows
        .iter()
        .map(|row| row.cells.iter().map(shown).collect())
        .collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..section.columns.len()).map(width).collect();
    for (row, cells) in section.rows.iter().zip(&rows) {
        out.push_str("    ");
        out.push(row.sign);
        // The last cell that says something ends the line: nothing is padded behind it.
        let last = cells.iter().rposition(|cell| !cell.is_empty()).unwrap_or_default();
        for (column, cell) in cells.iter().enumerate().take(last + 1) {
            out.push_str(if column == 0 { " " } else { "  " });
            out.push_str(cell);
            if column < last {
                let missing = widths.get(column).copied().unwrap_or_default() - cell.chars().count();
                out.extend(std::iter::repeat_n(' ', missing));
            }
        }
        out.push('\n');
    }
}

/// A cell as text. Foreign text among words stands in backticks.
fn shown(cell: &Cell) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::new());
    let alone = cell.0.len() == 1;
    for part in &cell.0 {
        match part {
            Part::Words(words) => text.push_str(words),
            Part::Foreign(name) if alone => text.push_str(&escaped(name)),
            Part::Foreign(name) => {
                text.push('`');
                text.push_str(&escaped(name));
                text.push('`');
            }
            Part::Value(value) => text.push_str(&Zeroizing::new(escaped(value).into_owned())),
        }
    }
    text
}
