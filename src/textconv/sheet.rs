//! The lines of a converted file: values with their paths, and what stands between them in the file, which is comments and
//! blank lines. Layout that says nothing (indentation, dashes, the lines of outer keys) is left out.

use zeroize::Zeroizing;

use crate::document::path::{Segment, ValuePath};
use crate::document::token::Token;
use crate::document::tree::{Mapping, Node, Scalar, Tree};

/// Says what stands behind the path of an encrypted value.
pub(super) type Shown<'s> = &'s mut dyn FnMut(&ValuePath, &Token<'_>) -> Zeroizing<String>;

/// The text so far.
pub(super) struct Sheet<'t> {
    text: &'t str,
    /// The byte of the file up to which everything is on the sheet.
    cursor: usize,
    /// Whether the last line of the sheet is a value, whose comment may follow.
    open: bool,
    /// The path of an outer key whose line goes on: it is only shown with a comment behind it.
    outer: Option<ValuePath>,
    lines: Zeroizing<String>,
}

impl<'t> Sheet<'t> {
    /// An empty sheet for a file; `room` bytes are enough for most.
    pub(super) fn new(tree: &Tree<'t>, room: usize) -> Self {
        Self {
            text: tree.text,
            cursor: 0,
            open: false,
            outer: None,
            lines: Zeroizing::new(String::with_capacity(room)),
        }
    }

    /// The lines of everything above the footer.
    pub(super) fn body(&mut self, tree: &Tree<'t>, shown: Shown<'_>) {
        self.mapping(&tree.root, &ValuePath::default(), shown);
        self.between(tree.body().len());
        self.cursor = tree.body().len();
    }

    /// Goes to the byte `offset` of the file; comments from there to `end` are put on the sheet.
    pub(super) fn comments_from(&mut self, offset: usize, end: usize) {
        (self.cursor, self.open) = (offset, false);
        self.between(end);
    }

    /// A line of its own.
    pub(super) fn line(&mut self, text: &str) {
        self.lines.push_str(text);
        self.lines.push('\n');
        self.open = false;
    }

    /// An empty line, if the last one is not.
    pub(super) fn gap(&mut self) {
        if !self.lines.is_empty() && !self.lines.ends_with("\n\n") {
            self.line("");
        }
    }

    pub(super) fn finish(self) -> Zeroizing<Vec<u8>> {
        let mut lines = self.lines;
        Zeroizing::new(std::mem::take(&mut *lines).into_bytes())
    }

    fn mapping(&mut self, mapping: &Mapping<'_>, path: &ValuePath, shown: Shown<'_>) {
        for entry in &mapping.entries {
            self.between(entry.key.span.start);
            (self.cursor, self.open) = (entry.key.span.end, false);
            let path = path.child(Segment::Key(entry.key.name.to_string()));
            self.outer = (!matches!(entry.value, Node::Scalar(_))).then(|| path.clone());
            self.node(&entry.value, &path, shown);
        }
    }

    fn node(&mut self, node: &Node<'_>, path: &ValuePath, shown: Shown<'_>) {
        match node {
            Node::Mapping(mapping) if mapping.entries.is_empty() => self.empty(path, &mapping.span, "{}"),
            Node::Mapping(mapping) => self.mapping(mapping, path, shown),
            Node::Sequence(sequence) if sequence.items.is_empty() => self.empty(path, &sequence.span, "[]"),
            Node::Sequence(sequence) => {
                for (index, item) in sequence.items.iter().enumerate() {
                    self.between(item.start);
                    (self.cursor, self.open) = (item.start, false);
                    self.node(&item.value, &path.child(Segment::Index(index)), shown);
                }
            }
            Node::Scalar(scalar) => self.scalar(scalar, path, shown),
        }
    }

    fn empty(&mut self, path: &ValuePath, span: &std::ops::Range<usize>, sign: &str) {
        self.between(span.start);
        self.line(&format!("{}: {sign}", harmless(path)));
        (self.cursor, self.open) = (span.end, true);
    }

    fn scalar(&mut self, scalar: &Scalar<'_>, path: &ValuePath, shown: Shown<'_>) {
        self.between(scalar.head.start);
        let content = match Token::parse(&scalar.content) {
            Some(token) => shown(path, &token),
            None => scalar.source_text(self.text),
        };
        let content = content.trim_end_matches(['\n', '\r', ' ']);
        let (first, rest) = content.split_once('\n').unwrap_or((content, ""));
        let blank = if first.is_empty() { "" } else { " " };
        self.lines.push_str(&harmless(path));
        self.lines.push(':');
        self.lines.push_str(blank);
        self.line(first.trim_end_matches('\r'));
        (self.cursor, self.open) = (scalar.head.end, true);
        if scalar.is_block() {
            self.between(scalar.tail.start);
            self.cursor = scalar.tail.end;
        }
        for line in rest.lines() {
            self.line(line);
        }
        self.open &= rest.is_empty();
    }

    /// Comments and blank lines of the file from the cursor to `end`.
    fn between(&mut self, end: usize) {
        let gap = self.text.get(self.cursor..end).unwrap_or_default();
        let mut parts = gap.split('\n').peekable();
        let mut is_whole = self.text[..self.cursor].ends_with('\n') || self.cursor == 0;
        while let Some(part) = parts.next() {
            // Outside of keys and scalars `#` stands in comments only.
            match part.find('#') {
                Some(start) if !is_whole && self.open => {
                    self.lines.pop();
                    self.lines.push_str("  ");
                    self.line(part[start..].trim_end());
                }
                Some(start) => {
                    let outer = self.outer.take().filter(|_| !is_whole);
                    let outer = outer.map_or_else(String::new, |path| format!("{}:  ", harmless(&path)));
                    self.line(&format!("{outer}{}", part[start..].trim_end()));
                }
                None if is_whole && part.trim().is_empty() && parts.peek().is_some() => self.line(""),
                None => {}
            }
            is_whole = true;
            self.outer = None;
        }
        self.cursor = self.cursor.max(end);
    }
}

/// A path without characters that terminals take for commands or that turn the direction of the text. In the file they
/// stand as escapes, so git must not show them raw.
pub(super) fn harmless(path: &ValuePath) -> String {
    let mut shown = String::new();
    for character in path.to_string().chars() {
        match character {
            '\u{7f}'..='\u{9f}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                shown.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            _ => shown.push(character),
        }
    }
    shown
}
