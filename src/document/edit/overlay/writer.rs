//! Writes nodes of the text that is laid over another: at another column, with other line ends, in block or flow style, and
//! with the comments that stand at them.

use zeroize::Zeroizing;

use crate::document::render::{Position, double_quoted, render, written_key};
use crate::document::tree::{Entry, Node, Scalar, Sequence, Tree};
use crate::value::{LineEnd, Value};

pub(super) fn push_indent(column: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', column));
}

/// Writes nodes of the text that is laid over.
pub(super) struct Writer<'t, 'o> {
    pub(super) over: &'t Tree<'o>,
    pub(super) line_end: LineEnd,
}

impl Writer<'_, '_> {
    /// A scalar's own text where it is one line, else its default rendering.
    pub(super) fn scalar(&self, scalar: &Scalar<'_>, position: Position) -> Zeroizing<String> {
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
    pub(super) fn entry(&self, entry: &Entry<'_>, column: usize, alone: bool, out: &mut String) {
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
    pub(super) fn items(&self, sequence: &Sequence<'_>, column: usize, out: &mut String) {
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

    pub(super) fn flow_entry(&self, entry: &Entry<'_>, out: &mut String) {
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

    pub(super) fn flow_list(&self, sequence: &Sequence<'_>, out: &mut String) {
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
