//! Lays the values of one text over another: what both have gets the new value, what only the new text has is added with
//! the comments at it, everything else keeps its bytes. Mappings are walked; a list counts as a whole.

use std::collections::HashMap;

use zeroize::Zeroizing;

use super::{above_first_root_key, end_of_entry, lines_end};
use crate::document::path::{Segment, ValuePath};
use crate::document::render::{Position, double_quoted, render, written_key};
use crate::document::tree::{Entry, Mapping, Node, Rules, Scalar, Sequence, Tree};
use crate::document::write::{Replacement, push_value, splice};
use crate::value::{LineEnd, Value};

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
            new.sort_by(|left, right| (*left.key.name).cmp(&*right.key.name));
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

fn push_indent(column: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', column));
}

/// Writes nodes of the text that is laid over.
struct Writer<'t, 'o> {
    over: &'t Tree<'o>,
    line_end: LineEnd,
}

impl Writer<'_, '_> {
    /// A scalar's own text where it is one line, else its default rendering.
    fn scalar(&self, scalar: &Scalar<'_>, position: Position) -> Zeroizing<String> {
        let source = scalar.source_text(self.over.text);
        let fits = !scalar.empty && !scalar.is_block() && !source.contains('\n');
        if fits && (!position.flow || scalar.flow) {
            return source;
        }
        let value = scalar.value();
        let ends_open = matches!(&value, Value::Text(text) if text.expose().ends_with(b"\n\n"));
        // A block that keeps its last line ends would take in the blank lines that follow it.
        let flow = position.flow || ends_open;
        render(&value, Position { flow, ..position })
    }

    /// A key with what stands there, and the comments at it, as whole lines; `alone`: it begins its line.
    fn entry(&self, entry: &Entry<'_>, column: usize, alone: bool, out: &mut String) {
        if alone {
            for comment in self.comments_above(entry) {
                push_indent(column, out);
                out.push_str(comment);
                out.push_str(self.line_end.text());
            }
            push_indent(column, out);
        }
        out.push_str(&written_key(&entry.key.name));
        out.push(':');
        self.member(&entry.value, column, out);
    }

    /// What stands behind a colon or dash at `column`, to the end of its last line.
    fn member(&self, node: &Node<'_>, column: usize, out: &mut String) {
        match node {
            Node::Scalar(scalar) => {
                let position = Position {
                    column,
                    line_end: self.line_end,
                    flow: false,
                };
                let text = self.scalar(scalar, position);
                let (head, rest) = match text.split_once('\n') {
                    Some((head, rest)) => (head.trim_end_matches('\r'), rest),
                    None => (text.as_str(), ""),
                };
                out.push(' ');
                out.push_str(head);
                if let Some(comment) = self.comment_behind(scalar) {
                    out.push(' ');
                    out.push_str(comment);
                }
                out.push_str(self.line_end.text());
                out.push_str(rest);
            }
            Node::Mapping(mapping) if mapping.entries.is_empty() => self.line(" {}", out),
            Node::Sequence(sequence) if sequence.items.is_empty() => self.line(" []", out),
            Node::Mapping(mapping) => {
                self.line("", out);
                for entry in &mapping.entries {
                    self.entry(entry, column + 2, true, out);
                }
            }
            Node::Sequence(sequence) => {
                self.line("", out);
                self.items(sequence, column + 2, out);
            }
        }
    }

    fn line(&self, text: &str, out: &mut String) {
        out.push_str(text);
        out.push_str(self.line_end.text());
    }

    /// The items of a list as whole lines.
    fn items(&self, sequence: &Sequence<'_>, column: usize, out: &mut String) {
        for item in &sequence.items {
            push_indent(column, out);
            out.push('-');
            match &item.value {
                Node::Mapping(mapping) if !mapping.entries.is_empty() => {
                    out.push(' ');
                    for (position, entry) in mapping.entries.iter().enumerate() {
                        self.entry(entry, column + 2, position > 0, out);
                    }
                }
                other => self.member(other, column, out),
            }
        }
    }

    fn flow_entry(&self, entry: &Entry<'_>, out: &mut String) {
        out.push_str(&double_quoted(&entry.key.name));
        out.push_str(": ");
        self.flow_node(&entry.value, out);
    }

    fn flow_node(&self, node: &Node<'_>, out: &mut String) {
        match node {
            Node::Scalar(scalar) => {
                let position = Position {
                    column: 0,
                    line_end: self.line_end,
                    flow: true,
                };
                out.push_str(&self.scalar(scalar, position));
            }
            Node::Mapping(mapping) => {
                out.push('{');
                for (position, entry) in mapping.entries.iter().enumerate() {
                    out.push_str(if position > 0 { ", " } else { "" });
                    self.flow_entry(entry, out);
                }
                out.push('}');
            }
            Node::Sequence(sequence) => self.flow_list(sequence, out),
        }
    }

    fn flow_list(&self, sequence: &Sequence<'_>, out: &mut String) {
        out.push('[');
        for (position, item) in sequence.items.iter().enumerate() {
            out.push_str(if position > 0 { ", " } else { "" });
            self.flow_node(&item.value, out);
        }
        out.push(']');
    }

    /// The comment lines right above a key that begins its line.
    fn comments_above(&self, entry: &Entry<'_>) -> Vec<&str> {
        let (text, lines) = (self.over.text, &self.over.lines);
        let start = entry.key.span.start;
        let first = lines.line_of(start);
        if !text[lines.start_of(start)..start].bytes().all(|byte| byte == b' ') {
            return Vec::new();
        }
        let comment = |line: &usize| Some(text[lines.content(*line)].trim()).filter(|line| line.starts_with('#'));
        let above = (0..first).rev();
        let mut comments: Vec<_> = above.map_while(|line| comment(&line)).collect();
        comments.reverse();
        comments
    }

    /// The comment on the line of a scalar, or behind a block scalar's header.
    fn comment_behind(&self, scalar: &Scalar<'_>) -> Option<&str> {
        if scalar.flow {
            return None;
        }
        let text = self.over.text;
        let end = match scalar.is_block() {
            true => scalar.tail.start,
            false => self.over.lines.end_of(scalar.head.end),
        };
        let comment = text.get(scalar.head.end..end)?.trim();
        comment.starts_with('#').then_some(comment)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, prop_assert, proptest};

    use super::{Misfit, overlay};
    use crate::document::lines::line_end;
    use crate::document::path::ValuePath;
    use crate::document::tree::{Rules, Tree};

    fn laid(base: &str, over: &str) -> Result<String, Misfit> {
        let base = Tree::parse(base, Rules::Text).unwrap();
        let over = Tree::parse(over, Rules::Text).unwrap();
        overlay(&base, &over, line_end(base.text)).map(|text| text.to_string())
    }

    #[test]
    fn new_keys_come_with_their_comments_and_the_rest_stays() {
        for (base, over, expected) in [
            ("", "a: 1\n", "a: 1\n"),
            ("# head\n", "b: 1\na: 2\n", "# head\nb: 1\na: 2\n"),
            (
                "b: 1\nd: 2",
                "e: 5\n# c\nc: x # why\n",
                "b: 1\n# c\nc: x # why\nd: 2\ne: 5\n",
            ),
            ("z: 1\na: 2\n", "c: 1.10\nb: '7'\n", "z: 1\na: 2\nc: 1.10\nb: '7'\n"),
            ("b: 1\nc: 1\n", "a: 0\n", "a: 0\nb: 1\nc: 1\n"),
            (
                "a:\n    x: 1 # one\n    # two\nb: 2\n",
                "a: {k: v}\n",
                "a:\n    x: 1 # one\n    k: v\n    # two\nb: 2\n",
            ),
            (
                "a: {x: 1}\nb: {}\n",
                "a: {k: 1.5}\nb:\n  c: |\n    l\n",
                "a: {x: 1, \"k\": 1.5}\nb: {\"c\": \"l\\n\"}\n",
            ),
            (
                "a: 1\r\nb: 2\r\n",
                "c:\n  d: |\n    l\n  e: []\n",
                "a: 1\r\nb: 2\r\nc:\r\n  d: |\r\n    l\r\n  e: []\r\n",
            ),
            (
                "l:\n- k: 1\n",
                "m:\n- a: 1\n  # c\n  b: 2\n- [x]\n",
                "l:\n- k: 1\nm:\n  - a: 1\n    # c\n    b: 2\n  -\n    - x\n",
            ),
            (
                "a: 1\n\n\nb: 2\n",
                "c: |+\n  x\n\n\n",
                "a: 1\n\n\nb: 2\nc: \"x\\n\\n\\n\"\n",
            ),
            ("a:\n  b: 1\n", "c: 2\na: {d: 3}\n", "a:\n  b: 1\n  d: 3\nc: 2\n"),
        ] {
            assert_eq!(laid(base, over).as_deref(), Ok(expected), "{base:?} {over:?}");
        }
    }

    #[test]
    fn changed_values_take_the_place_of_the_old_ones() {
        for (base, over, expected) in [
            ("a: 1 # c\nb: 2\n", "a: x y\n", "a: x y # c\nb: 2\n"),
            ("a: 1 # c\nb: 2\n", "a: |\n  l1\n  l2\n", "a: | # c\n  l1\n  l2\nb: 2\n"),
            ("a: |-\n  old\n  text\nb: 2\n", "a: new\nb: 2\n", "a: new\nb: 2\n"),
            ("a: # c\nb: [1]\n", "a: |\n  x\n", "a: | # c\n  x\nb: [1]\n"),
            ("a:\nb: [1]\n", "a: 1\nb: [1]\n", "a: 1\nb: [1]\n"),
            ("a: {b: 1}\n", "a: {b: 007}\n", "a: {b: 007}\n"),
            ("l:\n- a # x\n- b\nm: 1\n", "l:\n  - c\n", "l:\n- c\nm: 1\n"),
            ("l:\n- a\nm: 1\n", "l: []\n", "l:\n  []\nm: 1\n"),
            (
                "l: [a, b]\n",
                "l:\n  - a\n  - c: |\n      x\n",
                "l: [\"a\", {\"c\": \"x\\n\"}]\n",
            ),
            ("l: [a] # c\n", "l: ['a']\n", "l: [a] # c\n"),
        ] {
            assert_eq!(laid(base, over).as_deref(), Ok(expected), "{base:?} {over:?}");
        }
    }

    #[test]
    fn a_value_does_not_become_a_collection() {
        let misfit = laid("a:\n  b: 1\n", "a:\n  b:\n    c: 1\n").unwrap_err();
        let expected = Misfit::Kinds {
            path: ValuePath::of_keys(["a", "b"]),
            here: "a value",
            there: "a mapping",
        };
        assert_eq!(misfit, expected);
        assert!(laid("a: [1]\n", "a: {b: 1}\n").is_err());
    }

    #[test]
    fn many_values_take_linear_time() {
        let text = |count: usize, value: &str| (0..count).map(|key| format!("k{key}: {value}\n")).collect::<String>();
        let start = std::time::Instant::now();
        let merged = laid(&text(20_000, "old"), &text(40_000, "new")).unwrap();
        assert_eq!(merged.matches(": new\n").count(), 40_000);
        assert!(start.elapsed() < std::time::Duration::from_secs(10));
    }

    /// A small text of few keys, so that two of them meet.
    fn texts() -> impl proptest::strategy::Strategy<Value = String> {
        let value = "( \\|\n {D}l\n {D}m\n| \\|\\+\n {D}l\n\n| x| 'y' # c| \"a\\\\nb\"| \\[1, \\{k: v\\}\\]|  # d|)\n";
        let line = |indent: &str, key: &str| format!("(#c\n|\n)?{indent}{key}:{}", value.replace("{D}", indent));
        let pattern = format!(
            "({})?(b:\n({})?{})?({})?",
            line("", "a"),
            line("  ", "c"),
            line("  ", "d"),
            line("", "e")
        );
        proptest::string::string_regex(&pattern).expect("a pattern")
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]
        #[test]
        fn what_is_laid_over_is_there_and_nothing_else_changed(base in texts(), over in texts()) {
            let parsed = |text: &str| Tree::parse(text, Rules::Text).is_ok();
            if parsed(&base) && parsed(&over) {
                // `overlay` compares values itself; what is left to see is that it seldom gives up.
                match laid(&base, &over) {
                    Ok(text) => prop_assert!(laid(&text, &over) == Ok(text.clone())),
                    Err(misfit) => prop_assert!(misfit != Misfit::Layout, "{:?} {:?}", base, over),
                }
            }
        }
    }
}
