//! Lays the values of one text over another: what both have gets the new value, what only the new text has is added with
//! the comments at it, everything else keeps its bytes. Mappings are walked; a list counts as a whole.

#[cfg(test)]
mod tests;
mod writer;

use std::collections::HashMap;

use zeroize::Zeroizing;

use super::{above_first_root_key, end_of_entry, lines_end};
use crate::document::path::{Segment, ValuePath};
use crate::document::render::Position;
use crate::document::tree::{Entry, Mapping, Node, Rules, Sequence, Tree};
use crate::document::write::{Replacement, push_value, splice};
use crate::value::LineEnd;
use writer::{Writer, push_indent};

/// Why one text cannot be laid over another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// A value, a mapping or a list (`here`) stands at the path, and the other text has another of the three (`there`).
    Kinds {
        /// Where.
        path: ValuePath,
        /// What stands here.
        here: &'static str,
        /// What the other text has.
        there: &'static str,
    },
    /// A comment or blank line of the text would become a part of a value.
    Layout,
}

/// The text of `base` with the values of `over` laid over it. Both are parsed under [`Rules::Text`]. Linear in both.
///
/// # Errors
/// [`Misfit`].
pub fn overlay(base: &Tree<'_>, over: &Tree<'_>, line_end: LineEnd) -> Result<Zeroizing<String>, Misfit> {
    let mut overlay = Overlay {
        base,
        writer: Writer { over, line_end },
        changes: Vec::new(),
        replaced: Vec::new(),
        path: Vec::new(),
    };
    overlay.mapping(&base.root, &over.root)?;
    let Overlay {
        mut changes, replaced, ..
    } = overlay;
    changes.sort_by_key(|change| change.range.start);
    let end = base.body().len();
    if !base.body().is_empty()
        && !base.body().ends_with('\n')
        && let Some(first) = changes
            .iter_mut()
            .find(|change| change.range == (end..end) && change.text.ends_with('\n'))
    {
        first.text.insert_str(0, line_end.text());
    }
    let text = splice(base.body(), &changes);
    if holds_both(&text, base, over, &replaced) {
        Ok(text)
    } else {
        Err(Misfit::Layout)
    }
}

/// Whether `text` has exactly the values of `over`, and those of `base` that it does not replace.
fn holds_both(text: &str, base: &Tree<'_>, over: &Tree<'_>, replaced: &[ValuePath]) -> bool {
    let Ok(parsed) = Tree::parse(text, Rules::Text) else {
        return false;
    };
    let mut expected = HashMap::new();
    let mut lists: HashMap<&[Segment], ()> = HashMap::new();
    lists.extend(replaced.iter().map(|path| (path.segments(), ())));
    let is_replaced = |path: &ValuePath| {
        let segments = path.segments();
        (1..=segments.len()).any(|length| lists.contains_key(&segments[..length]))
    };
    for (path, scalar) in base.scalars() {
        if lists.is_empty() || !is_replaced(&path) {
            expected.insert(path, scalar.value());
        }
    }
    for (path, scalar) in over.scalars() {
        expected.insert(path, scalar.value());
    }
    let found = parsed.scalars();
    found.len() == expected.len()
        && found
            .iter()
            .all(|(path, scalar)| expected.get(path) == Some(&scalar.value()))
}

fn kind(node: &Node<'_>) -> &'static str {
    match node {
        Node::Scalar(_) => "a value",
        Node::Mapping(_) => "a mapping",
        Node::Sequence(_) => "a list",
    }
}

/// Whether two lists hold the same values at the same places.
fn equal(left: &Node<'_>, right: &Node<'_>) -> bool {
    match (left, right) {
        (Node::Scalar(left), Node::Scalar(right)) => left.value() == right.value(),
        (Node::Sequence(left), Node::Sequence(right)) => {
            left.items.len() == right.items.len()
                && left
                    .items
                    .iter()
                    .zip(&right.items)
                    .all(|(left, right)| equal(&left.value, &right.value))
        }
        (Node::Mapping(left), Node::Mapping(right)) => {
            let by_key: HashMap<&str, &Node<'_>> = entries_by_key(right);
            left.entries.len() == right.entries.len()
                && left.entries.iter().all(|entry| {
                    by_key
                        .get(&*entry.key.name)
                        .is_some_and(|other| equal(&entry.value, other))
                })
        }
        _ => false,
    }
}

fn entries_by_key<'t, 'a>(mapping: &'t Mapping<'a>) -> HashMap<&'t str, &'t Node<'a>> {
    mapping
        .entries
        .iter()
        .map(|entry| (&*entry.key.name, &entry.value))
        .collect()
}

struct Overlay<'t, 'b, 'o> {
    base: &'t Tree<'b>,
    writer: Writer<'t, 'o>,
    changes: Vec<Replacement>,
    /// Lists that were replaced.
    replaced: Vec<ValuePath>,
    path: Vec<Segment>,
}

impl<'t, 'o> Overlay<'t, '_, 'o> {
    fn mapping(&mut self, base: &'t Mapping<'_>, over: &'t Mapping<'o>) -> Result<(), Misfit> {
        let known = entries_by_key(base);
        let mut new = Vec::new();
        for entry in &over.entries {
            match known.get(&*entry.key.name) {
                None => new.push(entry),
                Some(node) => {
                    self.path.push(Segment::Key(entry.key.name.to_string()));
                    self.node(node, entry)?;
                    self.path.pop();
                }
            }
        }
        if !new.is_empty() {
            self.add(base, new);
        }
        Ok(())
    }

    fn node(&mut self, here: &'t Node<'_>, entry: &'t Entry<'o>) -> Result<(), Misfit> {
        match (here, &entry.value) {
            (Node::Scalar(here), Node::Scalar(there)) => {
                if here.value() != there.value() {
                    let position = Position {
                        column: here.column,
                        line_end: self.writer.line_end,
                        flow: here.flow,
                    };
                    let mut text = self.writer.scalar(there, position);
                    let line_goes_on = self.base.text[..self.base.lines.next_of(here.end())].ends_with('\n');
                    if !here.is_block() && line_goes_on {
                        // Its last line's end stands there already.
                        let length = text.trim_end_matches(['\r', '\n']).len();
                        text.truncate(length);
                    }
                    push_value(self.base, here, text, &mut self.changes);
                }
                Ok(())
            }
            (Node::Mapping(here), Node::Mapping(there)) => self.mapping(here, there),
            (Node::Sequence(list), Node::Sequence(there)) => {
                if !equal(here, &entry.value) {
                    self.replaced.push(ValuePath::new(self.path.clone()));
                    self.list(list, there);
                }
                Ok(())
            }
            (here, there) => Err(Misfit::Kinds {
                path: ValuePath::new(self.path.clone()),
                here: kind(here),
                there: kind(there),
            }),
        }
    }

    /// Puts a list, the value of a key, in the place of another.
    fn list(&mut self, here: &Sequence<'_>, there: &Sequence<'_>) {
        let mut text = Zeroizing::new(String::new());
        if here.flow {
            self.writer.flow_list(there, &mut text);
            let range = here.span.clone();
            return self.changes.push(Replacement { range, text });
        }
        // The dashes begin their lines.
        let column = self.base.lines.column_of(here.span.start);
        let range = self.base.lines.start_of(here.span.start)..here.items.last().map_or(here.span.end, |item| {
            lines_end(self.base, &item.value).min(self.base.body().len())
        });
        if there.items.is_empty() {
            // Deeper than the key, whose column the dashes may have.
            push_indent(column + 2, &mut text);
            text.push_str("[]");
            text.push_str(self.writer.line_end.text());
        } else {
            self.writer.items(there, column, &mut text);
        }
        self.changes.push(Replacement { range, text });
    }

    /// Adds keys to a mapping: sorted in if its keys are sorted, else at its end.
    fn add(&mut self, base: &Mapping<'_>, mut new: Vec<&'t Entry<'o>>) {
        if base.flow {
            return self.add_in_flow(base, &new);
        }
        let sorted = base.entries.len() > 1
            && base
                .entries
                .is_sorted_by(|left, right| *left.key.name <= *right.key.name);
        if sorted {
            new.sort_by_cached_key(|entry| entry.key.name.to_string());
        }
        let is_root = self.path.is_empty();
        let column = base
            .entries
            .first()
            .map_or(0, |entry| self.base.lines.column_of(entry.key.span.start));
        for entry in new {
            let position = if sorted {
                base.entries.partition_point(|known| *known.key.name < *entry.key.name)
            } else {
                base.entries.len()
            };
            let mut text = Zeroizing::new(String::new());
            let before = position.checked_sub(1).map(|before| &base.entries[before]);
            let offset = match (before, base.entries.first()) {
                (Some(before), _) => {
                    self.writer.entry(entry, column, true, &mut text);
                    end_of_entry(self.base, &before.value, column)
                }
                (None, Some(first)) if !is_root => {
                    // The first key may stand behind a dash: what follows it then needs its own indentation.
                    self.writer.entry(entry, column, false, &mut text);
                    push_indent(column, &mut text);
                    first.key.span.start
                }
                (None, first) => {
                    self.writer.entry(entry, column, true, &mut text);
                    first.map_or(self.base.body().len(), |first| above_first_root_key(self.base, first))
                }
            };
            self.changes.push(Replacement {
                range: offset..offset,
                text,
            });
        }
    }

    fn add_in_flow(&mut self, base: &Mapping<'_>, new: &[&Entry<'o>]) {
        let last = base.entries.last().map(|entry| entry.value.span().end);
        let mut text = Zeroizing::new(String::new());
        for (position, entry) in new.iter().enumerate() {
            if position > 0 || last.is_some() {
                text.push_str(", ");
            }
            self.writer.flow_entry(entry, &mut text);
        }
        let offset = last.unwrap_or(base.span.start + 1);
        self.changes.push(Replacement {
            range: offset..offset,
            text,
        });
    }
}
