//! Adds and removes entries of mappings and items of lists in public text, in the style that stands around them. Only
//! the lines concerned change; whoever calls parses the result again and judges whether it says what was meant.

mod style;

use std::ops::Range;

use zeroize::Zeroizing;

use self::style::{Style, style_of};
use super::remove::remove_flow;
use super::{at, end_of_entry, insert_lines, lines_at};
use crate::document::extent::{colon_behind, next_indicator};
use crate::document::lines::leading_blanks;
use crate::document::meaning::Meaning;
use crate::document::path::{Segment, ValuePath};
use crate::document::render::{Position, render, written_key};
use crate::document::tree::{Entry, Item, Located, Node, Sequence, Tree};
use crate::document::write::{Replacement, splice};
use crate::value::{LineEnd, Value};

/// What begins a line of an example that is commented out: such lines count as if they were not.
const EXAMPLE: &str = "#: ";

/// One change of a text.
#[derive(Clone, Debug)]
pub enum Change {
    /// New entries `key: value` of the mapping at the path, each sorted in if its siblings are sorted.
    Insert(ValuePath, Vec<(String, Meaning)>),
    /// New last items of the list at the path.
    Append(ValuePath, Vec<String>),
    /// The entries and items at the paths are taken out, with the comments behind them; each has another parent, which
    /// stays, empty if need be.
    Remove(Vec<ValuePath>),
}

/// `tree`'s text after one change; nothing if it is laid out in a way that this cannot change.
pub fn changed(tree: &Tree<'_>, change: &Change) -> Option<String> {
    let replacements = match change {
        Change::Insert(path, entries) => return insert(tree, path, entries),
        Change::Append(path, items) => {
            let items: Vec<String> = items.iter().map(|item| written(item)).collect();
            match tree.node(path)? {
                Located::Sequence(list) if list.flow => append_flow(tree, &list.span, last_item(list), &items),
                Located::Sequence(list) => return append_lines(tree, list, &items),
                _ => return None,
            }
        }
        Change::Remove(paths) => {
            let removals: Option<Vec<_>> = paths.iter().map(|path| remove(tree, path)).collect();
            let mut all: Vec<Replacement> = removals?.into_iter().flatten().collect();
            all.sort_by_key(|replacement| (replacement.range.start, replacement.range.end));
            if all.windows(2).any(|pair| pair[0].range.end > pair[1].range.start) {
                return None;
            }
            all
        }
    };
    Some(splice(tree.text, &replacements).to_string())
}

/// The line ends of a text: those of its first line.
pub fn line_end_of(text: &str) -> LineEnd {
    match text.find('\n') {
        Some(end) if text[..end].ends_with('\r') => LineEnd::Crlf,
        _ => LineEnd::Lf,
    }
}

/// A value on one line, as it stands in a flow collection.
pub fn in_one_line(value: &Meaning) -> String {
    match value {
        Meaning::Scalar(scalar) => written_scalar(scalar),
        Meaning::List(items) => {
            let items: Vec<_> = items.iter().map(in_one_line).collect();
            format!("[{}]", items.join(", "))
        }
        Meaning::Mapping(entries) => {
            let entries = entries.iter().map(|(key, value)| entry_in_one_line(key, value));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// `key: value` on one line.
pub fn entry_in_one_line(key: &str, value: &Meaning) -> String {
    format!("{}: {}", written_key(key), in_one_line(value))
}

/// A text, plain where every reader takes it for that text, also in a flow collection.
fn written(text: &str) -> String {
    let position = |flow| Position {
        column: 0,
        line_end: LineEnd::Lf,
        flow,
    };
    let is_plain = |word: &str| *render(&Value::text(word), position(false)) == *word;
    // An SSH key is several words, each of them plain.
    let is_key = text.starts_with("ssh-") && text.split(' ').all(is_plain);
    if is_key || is_plain(text) {
        return text.to_owned();
    }
    render(&Value::text(text), position(true)).to_string()
}

fn written_scalar(scalar: &Value) -> String {
    match scalar {
        Value::Text(text) => written(text.expose_text().expect("text values are UTF-8")),
        other => render(
            other,
            Position {
                column: 0,
                line_end: LineEnd::Lf,
                flow: true,
            },
        )
        .to_string(),
    }
}

/// `key: value` as block lines, without the first one's indentation and the last one's end.
fn block_entry(key: &str, value: &Meaning, column: usize, style: Style, line_end: &str) -> String {
    let new_line = |column: usize| format!("{line_end}{}", " ".repeat(column));
    match value {
        Meaning::Mapping(entries) if !style.flow_mapping && !entries.is_empty() => {
            let inner = column + style.step;
            let lines = entries.iter().map(|(key, value)| {
                let entry = block_entry(key, value, inner, style, line_end);
                format!("{}{entry}", new_line(inner))
            });
            format!("{}:{}", written_key(key), lines.collect::<String>())
        }
        Meaning::List(items) if !style.flow_list && !items.is_empty() => {
            let lines = items
                .iter()
                .map(|item| format!("{}- {}", new_line(column + style.dash), in_one_line(item)));
            format!("{}:{}", written_key(key), lines.collect::<String>())
        }
        value => entry_in_one_line(key, value),
    }
}

fn insert(tree: &Tree<'_>, path: &ValuePath, new: &[(String, Meaning)]) -> Option<String> {
    let mapping = match tree.node(path)? {
        Located::Mapping(mapping) if new.iter().any(|(key, _)| mapping.get(key).is_some()) => return None,
        Located::Mapping(mapping) if mapping.flow => {
            let last = mapping.entries.last();
            let last = last.map(|entry| entry.key.span.start..entry.value.span().end);
            let new: Vec<_> = new.iter().map(|(key, value)| entry_in_one_line(key, value)).collect();
            return Some(splice(tree.text, &append_flow(tree, &mapping.span, last, &new)).to_string());
        }
        Located::Mapping(mapping) if !mapping.entries.is_empty() => mapping,
        Located::Mapping(_) => return Some(first_entries(tree, tree.text.len(), 0, new)),
        Located::Scalar(scalar) if scalar.empty => {
            let owner = entry_at(tree, path)?;
            let column = tree.lines.column_of(owner.key.span.start) + Style::default().step;
            return Some(first_entries(tree, tree.lines.next_of(scalar.head.end), column, new));
        }
        _ => return None,
    };
    let column = tree.lines.column_of(mapping.entries[0].key.span.start);
    let style = style_of(tree, mapping);
    let is_root = path.segments().is_empty();
    let is_sorted = mapping.entries.is_sorted_by_key(|entry| entry.key.name.to_string()) && !is_root;
    let mut new: Vec<&(String, Meaning)> = new.iter().collect();
    if is_sorted {
        new.sort_by(|one, other| one.0.cmp(&other.0));
    }
    let mut places: Vec<(usize, Vec<&(String, Meaning)>)> = Vec::new();
    for entry in new {
        let position = match is_sorted {
            true => mapping.entries.partition_point(|known| *known.key.name < *entry.0),
            false => mapping.entries.len(),
        };
        let offset = match position.checked_sub(1) {
            Some(_) if is_root => tree.text.len(),
            Some(before) => past_examples(tree, end_of_entry(tree, &mapping.entries[before].value, column), column),
            None => above_comments(tree, mapping.entries[0].key.span.start, column),
        };
        match places.last_mut() {
            Some((known, entries)) if *known == offset => entries.push(entry),
            _ => places.push((offset, vec![entry])),
        }
    }
    let line_end = line_end_of(tree.text).text();
    let lines = places.into_iter().map(|(offset, entries)| {
        let text = block_entries(entries.into_iter(), column, style, line_end);
        lines_at(tree, offset, column, &text, line_end)
    });
    Some(splice(tree.text, &lines.collect::<Vec<_>>()).to_string())
}

/// The text with new only entries at `offset`.
fn first_entries(tree: &Tree<'_>, offset: usize, column: usize, new: &[(String, Meaning)]) -> String {
    let line_end = line_end_of(tree.text).text();
    let entries = block_entries(new.iter(), column, Style::default(), line_end);
    insert_lines(tree, offset, column, &entries, line_end)
}

/// Entries as block lines, as [`block_entry`] writes one.
fn block_entries<'n>(
    new: impl Iterator<Item = &'n (String, Meaning)>,
    column: usize,
    style: Style,
    line_end: &str,
) -> String {
    let entries = new.map(|(key, value)| block_entry(key, value, column, style, line_end));
    let between = format!("{line_end}{}", " ".repeat(column));
    entries.collect::<Vec<_>>().join(&between)
}

/// Behind the commented-out example lines at `offset` that belong to an entry at `column`.
fn past_examples(tree: &Tree<'_>, mut offset: usize, column: usize) -> usize {
    while offset < tree.text.len() {
        let line = &tree.text[tree.lines.content(tree.lines.line_of(offset))];
        match line.strip_prefix(EXAMPLE) {
            Some(rest) if leading_blanks(rest) > column => offset = tree.lines.next_of(offset),
            _ => break,
        }
    }
    offset
}

/// The beginning of the comment lines directly above the line of `offset` that stand at `column`, or of that line.
fn above_comments(tree: &Tree<'_>, offset: usize, column: usize) -> usize {
    let mut line = tree.lines.line_of(offset);
    let is_comment = |line: usize| {
        let content = &tree.text[tree.lines.content(line)];
        leading_blanks(content) == column && content[column..].starts_with('#')
    };
    while line > 0 && is_comment(line - 1) {
        line -= 1;
    }
    tree.lines.content(line).start
}

/// The entry whose value stands at `path`.
fn entry_at<'t, 'a>(tree: &'t Tree<'a>, path: &ValuePath) -> Option<&'t Entry<'a>> {
    let (last, parents) = path.segments().split_last()?;
    match (tree.node(&ValuePath::new(parents.to_vec()))?, last) {
        (Located::Mapping(mapping), Segment::Key(key)) => mapping.get(key),
        _ => None,
    }
}

fn last_item(list: &Sequence<'_>) -> Option<Range<usize>> {
    list.items.last().map(|item| item.start..item.value.span().end)
}

fn append_lines(tree: &Tree<'_>, list: &Sequence<'_>, items: &[String]) -> Option<String> {
    let last = list.items.last()?;
    let column = tree.lines.column_of(list.span.start);
    let between = tree.text.get(last.start + 1..last.value.span().start)?;
    let gap = match !between.is_empty() && between.bytes().all(|byte| byte == b' ') {
        true => between,
        false => " ",
    };
    let end = end_of_entry(tree, &last.value, column);
    let line_end = line_end_of(tree.text).text();
    let items: Vec<_> = items.iter().map(|item| format!("-{gap}{item}")).collect();
    let lines = items.join(&format!("{line_end}{}", " ".repeat(column)));
    Some(insert_lines(tree, end, column, &lines, line_end))
}

/// New last entries of the flow collection at `span`, whose last entry now is at `last`: each on a line of its own where
/// the bracket has one.
fn append_flow(tree: &Tree<'_>, span: &Range<usize>, last: Option<Range<usize>>, new: &[String]) -> Vec<Replacement> {
    let close = span.end - 1;
    let Some(last) = last else {
        let inside = &tree.text[span.start + 1..close];
        let end = if inside.bytes().all(|byte| byte == b' ') {
            close
        } else {
            span.start + 1
        };
        let blank = if end == close { "" } else { " " };
        return vec![Replacement {
            range: span.start + 1..end,
            text: Zeroizing::new(format!("{}{blank}", new.join(", "))),
        }];
    };
    let bracket_line = tree.lines.line_of(close);
    let stands_alone = tree.text[tree.lines.content(bracket_line).start..close]
        .trim()
        .is_empty();
    if !stands_alone || tree.lines.line_of(last.end) == bracket_line {
        return vec![at(last.end, format!(", {}", new.join(", ")))];
    }
    let comma = next_indicator(tree.text, last.end, b',').filter(|comma| *comma < close);
    let line = tree.lines.line_of(comma.unwrap_or(last.end));
    let blanks = tree.lines.indentation_of(last.start);
    let line_end = line_end_of(tree.text).text();
    let mut replacements = Vec::new();
    if comma.is_none() {
        replacements.push(at(last.end, ",".to_owned()));
    }
    let start = format!("{line_end}{}", " ".repeat(blanks));
    let behind = if comma.is_some() { "," } else { "" };
    let text = format!("{start}{}{behind}", new.join(&format!(",{start}")));
    replacements.push(at(tree.lines.content(line).end, text));
    replacements
}

fn remove(tree: &Tree<'_>, path: &ValuePath) -> Option<Vec<Replacement>> {
    let (last, parents) = path.segments().split_last()?;
    let parents = ValuePath::new(parents.to_vec());
    let (children, position, flow): (Vec<(usize, &Node<'_>)>, _, _) = match (tree.node(&parents)?, last) {
        (Located::Mapping(mapping), Segment::Key(key)) => {
            let position = mapping.entries.iter().position(|entry| *entry.key.name == **key)?;
            let start = |entry: &'_ Entry<'_>| entry.key.span.start;
            let children = mapping.entries.iter().map(|entry| (start(entry), &entry.value));
            (children.collect(), position, mapping.flow)
        }
        (Located::Sequence(list), Segment::Index(position)) => {
            let start = |item: &'_ Item<'_>| item.start;
            let children = list.items.iter().map(|item| (start(item), &item.value));
            (children.collect(), *position, list.flow)
        }
        _ => return None,
    };
    let (start, value) = *children.get(position)?;
    if flow {
        let whole = own_lines(tree, start, value.span().end);
        return Some(whole.map_or_else(|| remove_flow(tree, &children, position), |range| vec![nothing(range)]));
    }
    let line_start = tree.lines.start_of(start);
    let alone = tree.text[line_start..start].bytes().all(|byte| byte == b' ');
    if !alone {
        return None;
    }
    let end = end_of_entry(tree, value, tree.lines.column_of(start));
    let mut replacements = vec![nothing(line_start..end)];
    if children.len() == 1 {
        // What becomes empty says so behind its key; a key without value would be nothing at all.
        let owner = entry_at(tree, &parents)?;
        let empty = if matches!(last, Segment::Index(_)) {
            " []"
        } else {
            " {}"
        };
        let colon = colon_behind(tree.text, owner.key.span.end)?;
        replacements.insert(0, at(colon + 1, empty.to_owned()));
    }
    Some(replacements)
}

fn nothing(range: Range<usize>) -> Replacement {
    Replacement {
        range,
        text: Zeroizing::default(),
    }
}

/// The lines of `start..end` in a flow collection, if nothing else but a comma and a comment stands on them.
fn own_lines(tree: &Tree<'_>, start: usize, end: usize) -> Option<Range<usize>> {
    let line_start = tree.lines.start_of(start);
    let line_end = tree.lines.content(tree.lines.line_of(end)).end;
    let behind = tree.text.get(end..line_end)?.trim_start();
    let behind = behind.strip_prefix(',').unwrap_or(behind).trim_start();
    let alone = tree.text[line_start..start].trim().is_empty() && (behind.is_empty() || behind.starts_with('#'));
    alone.then(|| line_start..tree.lines.next_of(end))
}
