//! A text as lines that belong to entries and items: what stands above one, its own line, the comment behind it, and
//! where it ends. Flow collections and values are not divided further.

use std::collections::HashMap;
use std::ops::Range;

use crate::document::edit::lines_end;
use crate::document::path::Segment;
use crate::document::tree::{Mapping, Node, Sequence, Tree};

/// One entry of a block mapping, or one item of a block list.
#[derive(Debug)]
pub(super) struct Part<'t> {
    /// Its key or number.
    pub(super) segment: Segment,
    /// Its value.
    pub(super) node: &'t Node<'t>,
    /// The lines above it that belong to nothing else: comments and blank lines.
    pub(super) lead: Range<usize>,
    /// The first byte of its key, or its dash.
    pub(super) start: usize,
    /// The characters before that.
    pub(super) column: usize,
    /// What stands behind its head on the same line: blanks and a comment.
    pub(super) comment: Range<usize>,
    /// Behind its last line.
    pub(super) end: usize,
    /// Entries or items of a block collection.
    pub(super) children: Option<Vec<Part<'t>>>,
    /// Whether the first of them stands on the same line.
    pub(super) opens_inline: bool,
}

impl<'t> Part<'t> {
    /// Entries or items; none for anything else.
    pub(super) fn children(&self) -> &[Part<'t>] {
        self.children.as_deref().unwrap_or_default()
    }

    /// Whether it is a block mapping.
    pub(super) fn is_mapping(&self) -> bool {
        self.children.is_some() && matches!(self.node, Node::Mapping(_))
    }

    /// Whether it is a block list.
    pub(super) fn is_list(&self) -> bool {
        self.children.is_some() && matches!(self.node, Node::Sequence(_))
    }

    /// Behind what stands before the children: the first child, or the end of the line.
    pub(super) fn head_end(&self) -> usize {
        let first = self.children().first();
        match first {
            Some(first) if self.opens_inline => first.start,
            Some(first) => first.lead.start,
            None => self.end,
        }
    }
}

/// One text, divided.
pub(super) struct Version<'t> {
    /// What it was made from.
    pub(super) tree: &'t Tree<'t>,
    /// The text without its footer.
    pub(super) body: &'t str,
    /// The entries of the root.
    pub(super) parts: Vec<Part<'t>>,
    /// The lines behind the last one.
    pub(super) tail: Range<usize>,
}

impl<'t> Version<'t> {
    /// Divides the text of `tree`.
    pub(super) fn new(tree: &'t Tree<'t>) -> Self {
        let body = tree.body();
        let start = if body.starts_with('\u{feff}') {
            '\u{feff}'.len_utf8()
        } else {
            0
        };
        let mut divider = Divider { tree, cursor: start };
        let parts = match tree.root.flow {
            true => Vec::new(),
            false => divider.mapping(&tree.root, false),
        };
        let tail = divider.cursor.min(body.len())..body.len();
        Self {
            tree,
            body,
            parts,
            tail,
        }
    }

    /// How much of the layout is not as in `base`: entries at another column, in another order or in another style.
    pub(super) fn moved_from(&self, base: &Version<'_>) -> usize {
        moved(&base.parts, &self.parts)
    }
}

fn moved(base: &[Part<'_>], now: &[Part<'_>]) -> usize {
    let places: HashMap<&Segment, usize> = base.iter().enumerate().map(|(at, part)| (&part.segment, at)).collect();
    let mut count = 0;
    let mut last = None;
    for part in now {
        let Some(at) = places.get(&part.segment) else { continue };
        let before = &base[*at];
        let style = before.children.is_some() != part.children.is_some();
        count += usize::from(before.column != part.column) + usize::from(style) + usize::from(last > Some(*at));
        count += moved(before.children(), part.children());
        last = last.max(Some(*at));
    }
    count
}

struct Divider<'t> {
    tree: &'t Tree<'t>,
    /// Behind what belongs to a part already.
    cursor: usize,
}

impl<'t> Divider<'t> {
    fn mapping(&mut self, mapping: &'t Mapping<'t>, inline: bool) -> Vec<Part<'t>> {
        let entries = mapping.entries.iter().enumerate();
        entries
            .map(|(position, entry)| {
                let key = &entry.key;
                let segment = Segment::Key(key.name.to_string());
                // Nothing but blanks stands between a key and its colon.
                let colon = self.tree.text[key.span.end..].find(':').unwrap_or_default();
                let behind = key.span.end + colon + 1;
                self.part(segment, key.span.start, behind, &entry.value, inline && position == 0)
            })
            .collect()
    }

    fn list(&mut self, list: &'t Sequence<'t>, inline: bool) -> Vec<Part<'t>> {
        let items = list.items.iter().enumerate();
        items
            .map(|(position, item)| {
                let segment = Segment::Index(position);
                let inline = inline && position == 0;
                self.part(segment, item.start, item.start + 1, &item.value, inline)
            })
            .collect()
    }

    /// The part that begins at `start`, whose indicator ends at `behind`.
    fn part(&mut self, segment: Segment, start: usize, behind: usize, node: &'t Node<'t>, inline: bool) -> Part<'t> {
        let lines = &self.tree.lines;
        let lead = match inline {
            true => start..start,
            false => self.cursor.min(lines.start_of(start))..lines.start_of(start),
        };
        let column = lines.column_of(start);
        let is_block = match node {
            Node::Mapping(mapping) => !mapping.flow && !mapping.entries.is_empty(),
            Node::Sequence(list) => !list.flow && !list.items.is_empty(),
            Node::Scalar(_) => false,
        };
        let opens_inline = is_block && lines.line_of(node.span().start) == lines.line_of(start);
        let comment = match node {
            _ if opens_inline => behind..behind,
            _ if is_block => behind..lines.end_of(behind),
            Node::Scalar(scalar) if scalar.is_block() => scalar.head.end..scalar.tail.start,
            node => node.span().end..lines.end_of(node.span().end),
        };
        self.cursor = lines.next_of(comment.end.max(start));
        let children = is_block.then(|| match node {
            Node::Mapping(mapping) => self.mapping(mapping, opens_inline),
            Node::Sequence(list) => self.list(list, opens_inline),
            Node::Scalar(_) => Vec::new(),
        });
        if children.is_none() {
            self.cursor = lines_end(self.tree, node);
        }
        let end = self.cursor.min(self.tree.body().len());
        Part {
            segment,
            node,
            lead,
            start,
            column,
            comment,
            end,
            children,
            opens_inline,
        }
    }
}
