//! Adds and removes values in a text by path, line by line: what stands elsewhere keeps its bytes. Replacing a value
//! that stands there is `write`'s; sealing list items that moved up is the vault's.

mod entries;
mod overlay;
mod remove;
#[cfg(test)]
mod tests;

use zeroize::Zeroizing;

pub use entries::{Change, changed, entry_in_one_line, in_one_line, line_end_of};
pub use overlay::{Misfit, overlay};
pub use remove::remove;

use super::lines::leading_blanks;
use super::path::{Segment, ValuePath};
use super::render::{double_quoted, written_key};
use super::tree::{Entry, Located, Mapping, Node, Sequence, Tree};
use super::write::{Replacement, settle, splice};
use crate::value::LineEnd;

/// Why a path cannot be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// A value stands at this shorter path.
    ValueAt(ValuePath),
    /// A mapping or list stands at the path itself.
    CollectionAt(ValuePath),
    /// The list at this path has this length, and the index is neither in it nor its end.
    BeyondList(ValuePath, usize),
    /// A list stands at this path and the next segment is no index.
    NoIndex(ValuePath),
}

/// The text of a new scalar: in block context a literal block of `token` alone.
fn scalar_text(token: &str, column: usize, line_end: &str) -> String {
    format!("|-{line_end}{}{token}", " ".repeat(column + 2))
}

/// `text` (the tree's, without its footer) with `token` at `path`, where nothing stands yet.
pub fn insert(tree: &Tree<'_>, path: &ValuePath, token: &str, line_end: LineEnd) -> Result<String, Obstacle> {
    let mut text = inserted(tree, path, token, line_end)?;
    if let Some(offset) = text.find(token) {
        settle(&mut text, offset);
    }
    Ok(text)
}

fn inserted(tree: &Tree<'_>, path: &ValuePath, token: &str, line_end: LineEnd) -> Result<String, Obstacle> {
    let segments = path.segments();
    let mut located = Located::Mapping(&tree.root);
    for (depth, segment) in segments.iter().enumerate() {
        let here = || ValuePath::new(segments[..depth].to_vec());
        let next = match (located, segment) {
            (Located::Scalar(_), _) => return Err(Obstacle::ValueAt(here())),
            (Located::Mapping(mapping), segment) => {
                let key = key_of(segment);
                match mapping.get(&key) {
                    Some(entry) => Located::of(&entry.value),
                    None => {
                        return Ok(insert_key(
                            tree,
                            mapping,
                            depth == 0,
                            &key,
                            &segments[depth + 1..],
                            token,
                            line_end,
                        ));
                    }
                }
            }
            (Located::Sequence(_), Segment::Key(_)) => return Err(Obstacle::NoIndex(here())),
            (Located::Sequence(sequence), Segment::Index(index)) => match sequence.items.get(*index) {
                Some(item) => Located::of(&item.value),
                None if *index == sequence.items.len() => {
                    return Ok(append_item(tree, sequence, &segments[depth + 1..], token, line_end));
                }
                None => return Err(Obstacle::BeyondList(here(), sequence.items.len())),
            },
        };
        located = next;
    }
    Err(Obstacle::CollectionAt(path.clone()))
}

/// A segment as a key: an index names a list item only where a list stands.
fn key_of(segment: &Segment) -> String {
    match segment {
        Segment::Key(key) => key.clone(),
        Segment::Index(index) => index.to_string(),
    }
}

/// `key: …` and whatever mappings `rest` needs, down to the token, as block lines without the first's indentation.
fn block_entry(key: &str, rest: &[Segment], token: &str, column: usize, line_end: &str) -> String {
    let key = written_key(key);
    match rest.split_first() {
        None => format!("{key}: {}", scalar_text(token, column, line_end)),
        Some((next, rest)) => {
            let deeper = column + 2;
            let inner = block_entry(&key_of(next), rest, token, deeper, line_end);
            format!("{key}:{line_end}{}{inner}", " ".repeat(deeper))
        }
    }
}

/// The same in flow style.
fn flow_value(rest: &[Segment], token: &str) -> String {
    rest.iter().rev().fold(format!("\"{token}\""), |inner, segment| {
        format!("{{{}: {inner}}}", std::mem::take(&mut *double_quoted(&key_of(segment))))
    })
}

fn insert_key(
    tree: &Tree<'_>,
    mapping: &Mapping<'_>,
    is_root: bool,
    key: &str,
    rest: &[Segment],
    token: &str,
    line_end: LineEnd,
) -> String {
    if mapping.flow {
        let entry = format!(
            "{}: {}",
            std::mem::take(&mut *double_quoted(key)),
            flow_value(rest, token)
        );
        let last = mapping.entries.last().map(|entry| entry.value.span().end);
        return insert_flow(tree, mapping.span.start, last, &entry);
    }
    let line_end = line_end.text();
    let column = mapping
        .entries
        .first()
        .map_or(0, |entry| tree.lines.column_of(entry.key.span.start));
    let entry = block_entry(key, rest, token, column, line_end);
    let sorted = mapping
        .entries
        .is_sorted_by(|left, right| *left.key.name <= *right.key.name);
    let position = if sorted {
        mapping.entries.partition_point(|entry| &*entry.key.name < key)
    } else {
        mapping.entries.len()
    };
    match position.checked_sub(1).map(|before| &mapping.entries[before]) {
        Some(before) => {
            let end = end_of_entry(tree, &before.value, column);
            insert_lines(tree, end, column, &entry, line_end)
        }
        None => match mapping.entries.first() {
            Some(first) if is_root => insert_lines(tree, above_first_root_key(tree, first), column, &entry, line_end),
            Some(first) => {
                // The first key may stand behind a dash: what follows it then needs its own indentation.
                let text = format!("{entry}{line_end}{}", " ".repeat(column));
                splice(tree.body(), &[at(first.key.span.start, text)]).to_string()
            }
            None => insert_lines(tree, tree.body().len(), column, &entry, line_end),
        },
    }
}

fn at(offset: usize, text: String) -> Replacement {
    Replacement {
        range: offset..offset,
        text: Zeroizing::new(text),
    }
}

/// The text with whole lines at the beginning of a line.
fn insert_lines(tree: &Tree<'_>, offset: usize, column: usize, entry: &str, line_end: &str) -> String {
    splice(tree.body(), &[lines_at(tree, offset, column, entry, line_end)]).to_string()
}

/// Whole lines at the beginning of a line (or at the end of the text, which may lack a line end).
fn lines_at(tree: &Tree<'_>, offset: usize, column: usize, entry: &str, line_end: &str) -> Replacement {
    let body = tree.body();
    let offset = offset.min(body.len());
    let unfinished = offset > 0 && !body[..offset].ends_with('\n') && body[..offset] != *"\u{feff}";
    let before = if unfinished { line_end } else { "" };
    at(offset, format!("{before}{}{entry}{line_end}", " ".repeat(column)))
}

fn append_item(tree: &Tree<'_>, sequence: &Sequence<'_>, rest: &[Segment], token: &str, line_end: LineEnd) -> String {
    let last = sequence.items.last();
    if sequence.flow {
        let end = last.map(|item| item.value.span().end);
        return insert_flow(tree, sequence.span.start, end, &flow_value(rest, token));
    }
    let line_end = line_end.text();
    let column = tree.lines.column_of(sequence.span.start);
    let item = match rest.split_first() {
        None => scalar_text(token, column, line_end),
        Some((next, rest)) => block_entry(&key_of(next), rest, token, column + 2, line_end),
    };
    let end = last.map_or(tree.body().len(), |item| end_of_entry(tree, &item.value, column));
    insert_lines(tree, end, column, &format!("- {item}"), line_end)
}

/// A new last entry of the flow collection whose bracket stands at `open`.
fn insert_flow(tree: &Tree<'_>, open: usize, last: Option<usize>, entry: &str) -> String {
    let replacement = match last {
        Some(end) => at(end, format!(", {entry}")),
        None => at(open + 1, entry.to_owned()),
    };
    splice(tree.body(), &[replacement]).to_string()
}

/// The beginning of the line behind a value and the comments below it that are indented deeper than `column`.
fn end_of_entry(tree: &Tree<'_>, value: &Node<'_>, column: usize) -> usize {
    let mut end = lines_end(tree, value);
    while end < tree.body().len() {
        let content = &tree.text[tree.lines.content(tree.lines.line_of(end))];
        let blanks = leading_blanks(content);
        if blanks <= column || content.as_bytes().get(blanks) != Some(&b'#') {
            break;
        }
        end = tree.lines.next_of(end);
    }
    end.min(tree.body().len())
}

/// Byte offset behind the last line of `value`.
pub fn lines_end(tree: &Tree<'_>, value: &Node<'_>) -> usize {
    let last = last_scalar(value);
    let end = value.span().end;
    match last {
        Some(scalar) if scalar.is_block() && tree.text[scalar.tail.clone()].ends_with('\n') => scalar.tail.end,
        _ => tree.lines.next_of(end),
    }
}

fn last_scalar<'t, 'a>(node: &'t Node<'a>) -> Option<&'t super::tree::Scalar<'a>> {
    match node {
        Node::Scalar(scalar) => Some(scalar),
        Node::Mapping(mapping) if !mapping.flow => last_scalar(&mapping.entries.last()?.value),
        Node::Sequence(sequence) if !sequence.flow => last_scalar(&sequence.items.last()?.value),
        _ => None,
    }
}

/// Where a new first root key goes: above the comment lines that belong to the old first key, but below the comment
/// that begins the file.
fn above_first_root_key(tree: &Tree<'_>, first: &Entry<'_>) -> usize {
    let first_line = tree.lines.line_of(first.key.span.start);
    let is_comment = |line: usize| tree.text[tree.lines.content(line)].trim_start().starts_with('#');
    let mut line = first_line;
    while line > 0 && is_comment(line - 1) {
        line -= 1;
    }
    let line = if line == 0 { first_line } else { line };
    tree.lines.content(line).start
}
