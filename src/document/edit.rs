//! Adds and removes values in a text by path, line by line: what stands elsewhere keeps its bytes. Replacing a value
//! that stands there is `write`'s; sealing list items that moved up is the vault's.

use zeroize::Zeroizing;

use super::extent::next_indicator;
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

/// Whole lines at the beginning of a line (or at the end of the text, which may lack a line end).
fn insert_lines(tree: &Tree<'_>, offset: usize, column: usize, entry: &str, line_end: &str) -> String {
    let body = tree.body();
    let offset = offset.min(body.len());
    let unfinished = offset > 0 && !body[..offset].ends_with('\n') && body[..offset] != *"\u{feff}";
    let before = if unfinished { line_end } else { "" };
    let text = format!("{before}{}{entry}{line_end}", " ".repeat(column));
    splice(body, &[at(offset, text)]).to_string()
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
fn lines_end(tree: &Tree<'_>, value: &Node<'_>) -> usize {
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

/// `text` (the tree's, without its footer) without what stands at `path`, and without the mappings and lists that become empty by that.
/// Comments above stay. Nothing if nothing stands there.
pub fn remove(tree: &Tree<'_>, path: &ValuePath, line_end: LineEnd) -> Option<String> {
    tree.node(path)?;
    let mut segments = path.segments();
    // Climb while the parent holds nothing else; the root always stays.
    while segments.len() > 1 {
        let parent = tree.node(&ValuePath::new(segments[..segments.len() - 1].to_vec()))?;
        let children = match parent {
            Located::Mapping(mapping) => mapping.entries.len(),
            Located::Sequence(sequence) => sequence.items.len(),
            Located::Scalar(_) => return None,
        };
        if children > 1 {
            break;
        }
        segments = &segments[..segments.len() - 1];
    }
    let (last, parents) = segments.split_last()?;
    let parent = tree.node(&ValuePath::new(parents.to_vec()))?;
    let children: Vec<(usize, &Node<'_>)> = match parent {
        Located::Mapping(mapping) => mapping
            .entries
            .iter()
            .map(|entry| (entry.key.span.start, &entry.value))
            .collect(),
        Located::Sequence(sequence) => sequence.items.iter().map(|item| (item.start, &item.value)).collect(),
        Located::Scalar(_) => return None,
    };
    let position = match (parent, last) {
        (Located::Mapping(mapping), segment) => {
            let key = key_of(segment);
            mapping.entries.iter().position(|entry| *entry.key.name == *key)?
        }
        (_, Segment::Index(index)) => *index,
        _ => return None,
    };
    let flow = matches!(parent, Located::Mapping(mapping) if mapping.flow)
        || matches!(parent, Located::Sequence(sequence) if sequence.flow);
    let replacements = if flow {
        remove_flow(tree, &children, position)
    } else {
        vec![remove_block(tree, &children, position, line_end)]
    };
    let mut text = splice(tree.body(), &replacements);
    // The token above may now stand before comments that it did not stand before.
    let above = tree.text[..children[position].0]
        .trim_end_matches([' ', '-', '\n', '\r'])
        .len();
    if above > 0 && above <= text.len() {
        settle(&mut text, above - 1);
    }
    Some(std::mem::take(&mut *text))
}

fn remove_block(tree: &Tree<'_>, children: &[(usize, &Node<'_>)], position: usize, line_end: LineEnd) -> Replacement {
    let (start, value) = children[position];
    let end = lines_end(tree, value).min(tree.body().len());
    let line_start = tree.lines.start_of(start);
    let alone = tree.text[line_start..start].bytes().all(|byte| byte == b' ');
    if alone {
        return Replacement {
            range: line_start..end,
            text: Zeroizing::default(),
        };
    }
    // It stands behind a dash (`- a: 1`): the dash stays, and the next sibling moves up to it.
    let next = children.get(position + 1).map_or(end, |(next, _)| *next);
    let between = &tree.text[end.min(next)..next];
    if between.bytes().all(|byte| byte == b' ') {
        return Replacement {
            range: start..next,
            text: Zeroizing::default(),
        };
    }
    Replacement {
        range: start..end,
        text: Zeroizing::new(line_end.text().to_owned()),
    }
}

fn remove_flow(tree: &Tree<'_>, children: &[(usize, &Node<'_>)], position: usize) -> Vec<Replacement> {
    let text = tree.text;
    let (start, value) = children[position];
    let end = value.span().end;
    let nothing = |range| Replacement {
        range,
        text: Zeroizing::default(),
    };
    if position + 1 < children.len() {
        let comma = next_indicator(text, end, b',').unwrap_or(end);
        let behind = (comma + 1).min(text.len());
        return vec![nothing(start..behind + leading_blanks(&text[behind..]))];
    }
    let Some((_, before)) = position.checked_sub(1).map(|before| children[before]) else {
        return vec![nothing(start..end)];
    };
    let comma = next_indicator(text, before.span().end, b',').unwrap_or(start);
    if text[comma..start].contains('#') {
        return vec![nothing(comma..(comma + 1).min(start)), nothing(start..end)];
    }
    vec![nothing(comma.min(start)..end)]
}

#[cfg(test)]
mod tests {
    use super::{Obstacle, insert, remove};
    use crate::document::path::{Segment, ValuePath};
    use crate::document::tree::{Rules, Tree};
    use crate::value::LineEnd;

    fn path(text: &str) -> ValuePath {
        let segment = |part: &str| {
            part.parse()
                .map_or_else(|_| Segment::Key(part.to_owned()), Segment::Index)
        };
        ValuePath::new(text.split('.').map(segment).collect())
    }

    fn inserted(text: &str, at: &str) -> String {
        let tree = Tree::parse(text, Rules::File).unwrap();
        let result = insert(&tree, &path(at), "T", LineEnd::Lf).unwrap();
        let parsed = Tree::parse(&result, Rules::File).unwrap_or_else(|refusal| panic!("{result}\n{refusal}"));
        assert_eq!(parsed.scalars().len(), tree.scalars().len() + 1, "{result}");
        result
    }

    fn removed(text: &str, at: &str) -> String {
        let tree = Tree::parse(text, Rules::File).unwrap();
        let result = remove(&tree, &path(at), LineEnd::Lf).unwrap();
        assert!(Tree::parse(&result, Rules::File).is_ok(), "{result}");
        result
    }

    #[test]
    fn new_keys_are_sorted_in_if_their_siblings_are() {
        assert_eq!(inserted("", "a"), "a: |-\n  T\n");
        assert_eq!(inserted("# c\n", "a.b"), "# c\na:\n  b: |-\n    T\n");
        assert_eq!(inserted("a: 1\nc: 2\n", "b"), "a: 1\nb: |-\n  T\nc: 2\n");
        assert_eq!(inserted("c: 1\na: 2\n", "b"), "c: 1\na: 2\nb: |-\n  T\n");
        assert_eq!(inserted("# file\nb: 1\n", "a"), "# file\na: |-\n  T\nb: 1\n");
        assert_eq!(
            inserted("# file\n\n# of b\nb: 1\n", "a"),
            "# file\n\na: |-\n  T\n# of b\nb: 1\n"
        );
        assert_eq!(
            inserted("x:\n    a: 1\n    # of a\n  # of x\nz: 1\n", "x.b"),
            "x:\n    a: 1\n    b: |-\n      T\n    # of a\n  # of x\nz: 1\n"
        );
        assert_eq!(
            inserted("x:\n  - b: 1\n", "x.0.a"),
            "x:\n  - a: |-\n      T\n    b: 1\n"
        );
        assert_eq!(
            inserted("a: |+\n  x\n\nc: 1\n", "b"),
            "a: |+\n  x\n\nb: |-\n  T\nc: 1\n"
        );
        assert_eq!(inserted("a: 1", "b"), "a: 1\nb: |-\n  T\n");
        assert_eq!(inserted("a: 1\n", "404"), "\"404\": |-\n  T\na: 1\n");
    }

    #[test]
    fn lists_and_flow_collections_grow_at_their_end() {
        assert_eq!(inserted("a:\n- x\nb: 1\n", "a.1"), "a:\n- x\n- |-\n  T\nb: 1\n");
        assert_eq!(inserted("a:\n- x\n", "a.1.k"), "a:\n- x\n- k: |-\n    T\n");
        assert_eq!(inserted("a: []\n", "a.0"), "a: [\"T\"]\n");
        assert_eq!(inserted("a: [x, ]\n", "a.1"), "a: [x, \"T\", ]\n");
        assert_eq!(inserted("a: {b: , }\n", "a.c.d"), "a: {b: , \"c\": {\"d\": \"T\"}, }\n");
    }

    #[test]
    fn what_stands_in_the_way_is_named() {
        let tree = Tree::parse("a: 1\nb:\n- x\n", Rules::File).unwrap();
        let obstacle = |at| insert(&tree, &path(at), "T", LineEnd::Lf).unwrap_err();
        assert_eq!(obstacle("a.b"), Obstacle::ValueAt(path("a")));
        assert_eq!(obstacle("b"), Obstacle::CollectionAt(path("b")));
        assert_eq!(obstacle("b.2"), Obstacle::BeyondList(path("b"), 1));
        assert_eq!(obstacle("b.c"), Obstacle::NoIndex(path("b")));
    }

    #[test]
    fn removing_takes_the_lines_and_the_emptied_parents() {
        assert_eq!(removed("# c\na: 1 # x\nb: 2\n", "a"), "# c\nb: 2\n");
        assert_eq!(removed("a:\n  b:\n    c: 1\nd: 2\n", "a.b.c"), "d: 2\n");
        assert_eq!(removed("a:\n- x\n- |\n  y\n- z\n", "a.1"), "a:\n- x\n- z\n");
        assert_eq!(removed("a:\n- b: 1\n  c: 2\n", "a.0.b"), "a:\n- c: 2\n");
        assert_eq!(
            removed("a:\n- b: 1\n  # of c\n  c: 2\n", "a.0.b"),
            "a:\n- \n  # of c\n  c: 2\n"
        );
        assert_eq!(removed("a: {b: 1, c: 2}\n", "a.b"), "a: {c: 2}\n");
        assert_eq!(removed("a: {b: 1, c: 2}\n", "a.c"), "a: {b: 1}\n");
        assert_eq!(removed("a: [x, # c\n  y]\nb: 1\n", "a.1"), "a: [x # c\n  ]\nb: 1\n");
        assert_eq!(removed("a: 1\n", "a"), "");
    }
}
