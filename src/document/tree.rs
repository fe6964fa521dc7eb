//! A parsed text: mappings, sequences and scalars with the bytes they stand in. Made by `builder` from the
//! events of the one YAML parser; values are borrowed from the text where they stand there as they are.

use std::fmt;
use std::ops::{Deref, Range};

use granit_parser::ScalarStyle;
use zeroize::Zeroizing;

use super::builder;
use super::lines::{Lines, Place, Refusal};
use super::path::{Segment, ValuePath};
use crate::value::Value;

/// What kind of text is parsed, for the few rules that differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    /// Text that somebody edits or imports: no root key `secretree`, no scalar of a token's shape.
    Text,
    /// The environment file itself.
    File,
    /// A policy.
    Policy,
}

/// A text and what it means.
#[derive(Debug)]
pub struct Tree<'a> {
    /// The text it was made from.
    pub text: &'a str,
    /// The root mapping without the footer; empty for an empty or comment-only text.
    pub root: Mapping<'a>,
    /// The footer of an environment file (only under [`Rules::File`]).
    pub footer: Option<Footer<'a>>,
    /// The lines of the text.
    pub lines: Lines<'a>,
}

impl<'a> Tree<'a> {
    /// Parses `text`, refusing what FORMAT, Text 7 refuses. Linear in the length of `text`.
    pub fn parse(text: &'a str, rules: Rules) -> Result<Self, Refusal> {
        builder::parse(text, rules)
    }

    /// Line and column of the byte at `offset`.
    pub fn place(&self, offset: usize) -> Place {
        self.lines.place(offset)
    }

    /// The offset behind the footer's last line; nothing where there is no footer.
    pub fn footer_end(&self) -> Option<usize> {
        let entry = &self.footer.as_ref()?.entry;
        let last = entry.value.span().end.saturating_sub(1).max(entry.key.span.start);
        Some(self.lines.next_of(last))
    }

    /// The node at `path`, if there is one.
    pub fn node(&self, path: &ValuePath) -> Option<Located<'_, 'a>> {
        let mut located = Located::Mapping(&self.root);
        for segment in path.segments() {
            located = located.step(segment)?;
        }
        Some(located)
    }

    /// The text without the footer and the blank line that belongs to it; the whole text where there is none.
    pub fn body(&self) -> &'a str {
        let Some(footer) = &self.footer else { return self.text };
        let body = &self.text[..footer.entry.key.span.start];
        let without_line = body
            .strip_suffix('\n')
            .map(|body| body.strip_suffix('\r').unwrap_or(body));
        match without_line {
            Some(shorter) if shorter.is_empty() || shorter.ends_with('\n') => shorter,
            _ => body,
        }
    }

    /// Every scalar but the footer's with its path, in the order of the text.
    pub fn scalars(&self) -> Vec<(ValuePath, &Scalar<'a>)> {
        let mut found = Vec::new();
        self.visit(&mut |trail, scalar| found.push((trail.to_path(), scalar)));
        found
    }

    /// Shows every scalar but the footer's to `seen`, in the order of the text.
    pub fn visit<'t>(&'t self, seen: &mut dyn FnMut(Trail<'_>, &'t Scalar<'a>)) {
        visit_mapping(&self.root, &Trail::Root, seen);
    }
}

/// The footer as it stands in a file.
#[derive(Debug)]
pub struct Footer<'a> {
    /// Its key and value.
    pub entry: Entry<'a>,
    /// The first root key behind it, which must not be there.
    pub followed_by: Option<usize>,
}

/// A node that a path led to.
#[derive(Clone, Copy, Debug)]
pub enum Located<'t, 'a> {
    /// A value.
    Scalar(&'t Scalar<'a>),
    /// A mapping, or the root.
    Mapping(&'t Mapping<'a>),
    /// A list.
    Sequence(&'t Sequence<'a>),
}

impl<'t, 'a> Located<'t, 'a> {
    pub(super) fn of(node: &'t Node<'a>) -> Self {
        match node {
            Node::Scalar(scalar) => Self::Scalar(scalar),
            Node::Mapping(mapping) => Self::Mapping(mapping),
            Node::Sequence(sequence) => Self::Sequence(sequence),
        }
    }

    fn step(self, segment: &Segment) -> Option<Self> {
        match (self, segment) {
            (Self::Mapping(mapping), Segment::Key(key)) => mapping.get(key).map(|entry| Self::of(&entry.value)),
            (Self::Sequence(sequence), Segment::Index(index)) => {
                sequence.items.get(*index).map(|item| Self::of(&item.value))
            }
            _ => None,
        }
    }
}

/// One node.
#[derive(Debug)]
pub enum Node<'a> {
    /// A value.
    Scalar(Scalar<'a>),
    /// A mapping.
    Mapping(Mapping<'a>),
    /// A list.
    Sequence(Sequence<'a>),
}

impl Node<'_> {
    /// The bytes of the node.
    pub fn span(&self) -> Range<usize> {
        match self {
            Self::Scalar(scalar) => scalar.head.start..scalar.end(),
            Self::Mapping(mapping) => mapping.span.clone(),
            Self::Sequence(sequence) => sequence.span.clone(),
        }
    }
}

/// A mapping, in block or flow style.
#[derive(Debug, Default)]
pub struct Mapping<'a> {
    /// Its entries, in the order of the text.
    pub entries: Vec<Entry<'a>>,
    /// Whether it is written in braces (or as a single pair in a flow sequence).
    pub flow: bool,
    /// First byte of the first key (or the brace) to the end of the last value (or the brace).
    pub span: Range<usize>,
}

impl<'a> Mapping<'a> {
    /// The entry whose unescaped key is `key`.
    pub fn get(&self, key: &str) -> Option<&Entry<'a>> {
        self.entries.iter().find(|entry| &*entry.key.name == key)
    }
}

/// A key and its value.
#[derive(Debug)]
pub struct Entry<'a> {
    /// The key.
    pub key: Key<'a>,
    /// The value.
    pub value: Node<'a>,
}

/// A key as it stands in the text.
#[derive(Debug)]
pub struct Key<'a> {
    /// The unescaped key.
    pub name: Content<'a>,
    /// Its bytes, quotes included.
    pub span: Range<usize>,
}

/// A list, in block or flow style.
#[derive(Debug)]
pub struct Sequence<'a> {
    /// Its items, in the order of the text.
    pub items: Vec<Item<'a>>,
    /// Whether it is written in brackets.
    pub flow: bool,
    /// The first dash or the bracket, to the end of the last item or the bracket.
    pub span: Range<usize>,
}

/// One item of a list.
#[derive(Debug)]
pub struct Item<'a> {
    /// Byte offset of the `-`; in flow style of the item itself.
    pub start: usize,
    /// The value.
    pub value: Node<'a>,
}

/// A scalar: what it says, and the bytes that say it.
///
/// A block scalar stands in two places, before and behind its header's comment: `head` is an optional tag and
/// the header, `tail` the header's line end and the body. For every other scalar `head` is the whole of it and
/// `tail` the empty range at the end of its last line, where the line of a token would begin. The head of an
/// empty value is the blanks between its indicator and the line end, the comment or the next indicator.
#[derive(Debug)]
pub struct Scalar<'a> {
    /// The unescaped content; of a tagged one the text of its base64.
    pub content: Content<'a>,
    /// How it is written.
    pub style: ScalarStyle,
    /// Whether it has the tag `!!binary`.
    pub binary: bool,
    /// See above.
    pub head: Range<usize>,
    /// See above.
    pub tail: Range<usize>,
    /// Characters before the key or the `-`; in flow collections before the line's first non-blank character.
    pub column: usize,
    /// Whether it stands in a flow collection.
    pub flow: bool,
    /// Whether nothing stands there.
    pub empty: bool,
}

impl Scalar<'_> {
    /// Whether it is a block scalar (`|` or `>`).
    pub fn is_block(&self) -> bool {
        matches!(self.style, ScalarStyle::Literal | ScalarStyle::Folded)
    }

    /// Byte offset behind the scalar.
    pub fn end(&self) -> usize {
        if self.is_block() { self.tail.end } else { self.head.end }
    }

    /// The scalar's text without the comment of a block scalar's header. `text` is what it was parsed from.
    pub fn source_text(&self, text: &str) -> Zeroizing<String> {
        let mut source = Zeroizing::new(String::with_capacity(self.head.len() + self.tail.len()));
        source.push_str(&text[self.head.clone()]);
        if self.is_block() {
            source.push_str(&text[self.tail.clone()]);
        }
        source
    }

    /// What the scalar means (FORMAT, Plaintexts). The builder has checked the base64 of `!!binary`.
    pub fn value(&self) -> Value {
        if self.binary {
            return Value::Bytes(builder::decode_binary(&self.content).expect("checked when it was parsed"));
        }
        match self.style {
            ScalarStyle::Plain => Value::of_plain(&self.content),
            _ => Value::text(&self.content),
        }
    }
}

/// Text that is borrowed where it stands as it is, else owned and wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub enum Content<'a> {
    /// A part of the parsed text.
    Borrowed(&'a str),
    /// Unescaped or folded text.
    Owned(Zeroizing<String>),
}

impl Deref for Content<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Owned(text) => text,
        }
    }
}

impl fmt::Debug for Content<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

/// The way from the root to a node, on the stack of whoever walks the tree: costs nothing until a path is made of it.
#[derive(Clone, Copy)]
pub enum Trail<'s> {
    /// The root.
    Root,
    /// The key of a mapping that stands at the end of another trail.
    Key(&'s Trail<'s>, &'s str),
    /// An item of a list that stands at the end of another trail.
    Index(&'s Trail<'s>, usize),
}

impl Trail<'_> {
    /// The path that the trail follows.
    pub fn to_path(self) -> ValuePath {
        let mut segments = Vec::new();
        let mut trail = self;
        loop {
            trail = match trail {
                Trail::Root => break,
                Trail::Key(before, key) => {
                    segments.push(Segment::Key(key.to_owned()));
                    *before
                }
                Trail::Index(before, index) => {
                    segments.push(Segment::Index(index));
                    *before
                }
            };
        }
        segments.reverse();
        ValuePath::new(segments)
    }

    /// Whether the segments, joined by dots, give `text`.
    pub fn is_joined(self, text: &str) -> bool {
        let (before, rest) = match self {
            Trail::Root => return text.is_empty(),
            Trail::Key(before, key) => (before, text.strip_suffix(key)),
            Trail::Index(before, index) => (before, text.strip_suffix(index.to_string().as_str())),
        };
        match (before, rest) {
            (_, None) => false,
            (Trail::Root, Some(rest)) => rest.is_empty(),
            (before, Some(rest)) => rest.strip_suffix('.').is_some_and(|rest| before.is_joined(rest)),
        }
    }
}

fn visit_mapping<'t, 'a>(mapping: &'t Mapping<'a>, trail: &Trail<'_>, seen: &mut dyn FnMut(Trail<'_>, &'t Scalar<'a>)) {
    for entry in &mapping.entries {
        visit_node(&entry.value, &Trail::Key(trail, &entry.key.name), seen);
    }
}

fn visit_node<'t, 'a>(node: &'t Node<'a>, trail: &Trail<'_>, seen: &mut dyn FnMut(Trail<'_>, &'t Scalar<'a>)) {
    match node {
        Node::Scalar(scalar) => seen(*trail, scalar),
        Node::Mapping(mapping) => visit_mapping(mapping, trail, seen),
        Node::Sequence(sequence) => {
            for (index, item) in sequence.items.iter().enumerate() {
                visit_node(&item.value, &Trail::Index(trail, index), seen);
            }
        }
    }
}
