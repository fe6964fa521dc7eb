//! Makes a tree from the events of the YAML parser, and refuses what other YAML readers could read otherwise
//! (FORMAT, Text 7). Where exactly a scalar stands in the text is found by `extent`.

mod refusals;

use std::collections::HashSet;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use granit_parser::{Event, Parser, ScalarStyle, Span, StrInput, StructureStyle};
use zeroize::Zeroizing;

use super::core_schema;
use super::extent;
use super::lines::{Lines, Place, Refusal, check_characters};
use super::tree::{Content, Entry, Footer, Item, Key, Mapping, Node, Rules, Scalar, Sequence, Tree};
use super::{FOOTER_KEY, token};
use crate::secret::Secret;

/// The largest text that is accepted, in bytes.
pub const LARGEST_TEXT: usize = 64 << 20;
/// How deep collections may be nested.
const DEEPEST_NESTING: usize = 64;
/// How far to the right a key may stand: tokens carry the column.
const WIDEST_INDENTATION: usize = 65_536;

type Refused<T> = Result<T, Refusal>;

/// Parses `text` under `rules`.
pub(super) fn parse(text: &str, rules: Rules) -> Refused<Tree<'_>> {
    if text.len() > LARGEST_TEXT {
        return Err(Refusal::new(Lines::new("").place(0), "the file is larger than 64 MiB"));
    }
    check_characters(text)?;
    parsed(text, rules).map_err(|refusal| merge_conflict(text).unwrap_or(refusal))
}

/// The conflict markers that git left in a text that is no YAML: what a person wants to know first.
fn merge_conflict(text: &str) -> Option<Refusal> {
    let line = text.lines().position(|line| line.starts_with("<<<<<<< "))?;
    let place = Place {
        line: line + 1,
        column: 1,
    };
    let hint = "choose between the two sides, or `git checkout --ours FILE` or `--theirs`";
    Some(Refusal::new(place, "a merge conflict (`<<<<<<<`)").hint(hint))
}

fn parsed(text: &str, rules: Rules) -> Refused<Tree<'_>> {
    let mut builder = Builder::new(text, rules);
    let mut root = builder.document()?;
    builder.check_tabs()?;
    let footer = if rules == Rules::File {
        split_footer(&mut root)
    } else {
        None
    };
    Ok(Tree {
        text,
        root,
        footer,
        lines: builder.lines,
    })
}

/// Takes the footer out of the root mapping of an environment file.
fn split_footer<'a>(root: &mut Mapping<'a>) -> Option<Footer<'a>> {
    let position = root.entries.iter().position(|entry| &*entry.key.name == FOOTER_KEY)?;
    let entry = root.entries.remove(position);
    let followed_by = root.entries.get(position).map(|next| next.key.span.start);
    Some(Footer { entry, followed_by })
}

/// Decodes the text of a `!!binary` scalar: canonical base64, in which blanks and line ends do not count.
pub(super) fn decode_binary(content: &str) -> Option<Secret> {
    let compact: Zeroizing<String> = Zeroizing::new(
        content
            .chars()
            .filter(|character| !matches!(character, ' ' | '\t' | '\n' | '\r'))
            .collect(),
    );
    BASE64_STANDARD.decode(compact.as_bytes()).ok().map(Secret::new)
}

struct Builder<'a> {
    text: &'a str,
    rules: Rules,
    lines: Lines<'a>,
    parser: Parser<'a, StrInput<'a>>,
    depth: usize,
    /// Everything before this byte has been looked at.
    cursor: usize,
    /// Where multi-line scalars stand, in order: there, blanks at a line's beginning may be tabs.
    multi_line: Vec<std::ops::Range<usize>>,
    /// Where the last of them ends, and a byte on the line that it will be joined to.
    joint: Option<(usize, usize)>,
    /// The line whose indentation was asked for last, and that indentation.
    indentation: (usize, usize),
}

impl<'a> Builder<'a> {
    fn new(text: &'a str, rules: Rules) -> Self {
        let mut options = granit_parser::options! {
            strict_indentation: true,
            disallow_directives: true,
            flow_nesting_limit: DEEPEST_NESTING + 8,
            block_nesting_limit: DEEPEST_NESTING + 8,
        };
        options.set_emit_comments(false);
        let lines = Lines::new(text);
        let cursor = lines.start_of(0);
        let parser = Parser::new_from_str_with_options(text, options);
        Self {
            text,
            rules,
            lines,
            parser,
            depth: 0,
            cursor,
            multi_line: Vec::new(),
            joint: None,
            indentation: (usize::MAX, 0),
        }
    }

    fn refuse<T>(&self, offset: usize, message: impl Into<String>, hint: &str) -> Refused<T> {
        let refusal = Refusal::new(self.lines.place(offset), message);
        Err(if hint.is_empty() { refusal } else { refusal.hint(hint) })
    }

    fn next(&mut self) -> Refused<(Event<'a>, Span)> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(self.syntax_error(&error)),
            None => self.refuse(self.text.len(), "the text ends too early", ""),
        }
    }

    fn document(&mut self) -> Refused<Mapping<'a>> {
        let mut root = Mapping::default();
        loop {
            let (event, span) = self.next()?;
            let offset = start(&span);
            match event {
                Event::StreamStart => {}
                Event::StreamEnd => {
                    self.check_no_document_end(self.text.len())?;
                    break;
                }
                Event::DocumentStart(explicit, version) => {
                    self.check_no_document_end(offset)?;
                    if version.is_some() {
                        return self.refuse(offset, "a directive (`%…`)", "remove the line");
                    }
                    if explicit {
                        self.cursor = end(&span);
                    }
                }
                Event::DocumentEnd => {
                    self.check_document_end(&span)?;
                    self.check_single_document()?;
                    break;
                }
                Event::MappingStart(StructureStyle::Block, anchor, tag) => {
                    self.check_properties(&span, anchor, tag.is_some())?;
                    root = self.mapping(&span, false)?;
                    self.check_root(&root)?;
                }
                Event::Scalar(_, ScalarStyle::Plain, 0, None) if start(&span) == end(&span) => {}
                Event::MappingStart(..) | Event::SequenceStart(StructureStyle::Flow, ..) => {
                    return self.refuse(
                        offset,
                        "the file is in flow style (`{…}`, as JSON)",
                        "write one `key: value` a line; JSON is read by `secretree import`",
                    );
                }
                _ => {
                    return self.refuse(
                        offset,
                        "the file is no mapping",
                        "write `key: value` lines, keys at column 1",
                    );
                }
            }
        }
        Ok(root)
    }

    fn check_single_document(&mut self) -> Refused<()> {
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(()),
                Event::DocumentEnd => self.check_document_end(&span)?,
                Event::DocumentStart(..) => {
                    return self.refuse(
                        start(&span),
                        "a second document (`---`)",
                        "keep one document in a file; other environments are other files",
                    );
                }
                _ => {}
            }
        }
    }

    fn enter(&mut self, offset: usize) -> Refused<()> {
        self.depth += 1;
        if self.depth > DEEPEST_NESTING {
            return Err(refusals::nesting(self.lines.place(offset)));
        }
        Ok(())
    }

    fn node(&mut self, event: Event<'a>, span: &Span, column: usize, flow: bool) -> Refused<Node<'a>> {
        let offset = start(span);
        match event {
            Event::Scalar(content, style, anchor, tag) => {
                self.check_properties(span, anchor, false)?;
                let binary = self.check_tag(span, tag.as_deref())?;
                Ok(Node::Scalar(self.scalar(content, style, span, binary, column, flow)?))
            }
            Event::MappingStart(style, anchor, tag) => {
                self.check_properties(span, anchor, tag.is_some())?;
                self.mapping(span, style == StructureStyle::Flow).map(Node::Mapping)
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.check_properties(span, anchor, tag.is_some())?;
                self.sequence(span, style == StructureStyle::Flow).map(Node::Sequence)
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.refuse(offset, "an alias (`*…`)", "write the value out where it is needed")
            }
            _ => self.refuse(offset, "the text ends too early", ""),
        }
    }

    fn mapping(&mut self, span: &Span, flow: bool) -> Refused<Mapping<'a>> {
        self.enter(start(span))?;
        if flow {
            self.cursor = self.cursor.max(end(span));
        }
        let mut mapping = Mapping {
            entries: Vec::new(),
            flow,
            span: start(span)..end(span),
        };
        let mut names = HashSet::new();
        loop {
            let (event, key_span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                mapping.span.end = if flow { end(&key_span) } else { self.cursor };
                self.cursor = self.cursor.max(mapping.span.end);
                break;
            }
            let key = self.key(event, &key_span)?;
            if !names.insert(key.name.to_string()) {
                return self.refuse(
                    key.span.start,
                    "a key that stands in this mapping twice",
                    "remove or rename one",
                );
            }
            if mapping.entries.is_empty() && !flow {
                mapping.span.start = key.span.start;
            }
            let column = self.column(key.span.start, flow);
            if column > WIDEST_INDENTATION {
                return self.refuse(key.span.start, "a key that stands too far to the right", "");
            }
            let (event, span) = self.next()?;
            let value = self.node(event, &span, column, flow)?;
            mapping.entries.push(Entry { key, value });
        }
        self.depth -= 1;
        Ok(mapping)
    }

    /// Characters before a key or dash; in flow style before the first non-blank character of the line, lines that a
    /// scalar joins counted as one.
    fn column(&mut self, offset: usize, flow: bool) -> usize {
        if !flow {
            return self.lines.column_of(offset);
        }
        // One line may hold very many entries, and very many blanks before them.
        let line = self.lines.line_of(self.joined(offset));
        if self.indentation.0 != line {
            self.indentation = (line, self.lines.indentation_of(self.joined(offset)));
        }
        self.indentation.1
    }

    /// A byte on the line where `offset` will stand when all scalars before it are sealed: sealing makes one line of a
    /// scalar of several, so what follows such a scalar moves to the line where it begins.
    fn joined(&self, offset: usize) -> usize {
        match self.joint {
            Some((end, line)) if end > self.lines.start_of(offset) => line,
            _ => offset,
        }
    }

    fn key(&mut self, event: Event<'a>, span: &Span) -> Refused<Key<'a>> {
        let offset = start(span);
        let (content, style) = match event {
            Event::Scalar(content, style, anchor, tag) => {
                self.check_properties(span, anchor, tag.is_some())?;
                (content, style)
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                return self.refuse(offset, "an alias (`*…`)", "write the key out");
            }
            _ => {
                let indicator = extent::explicit_key(self.text, self.cursor.min(offset)..offset);
                let offset = indicator.unwrap_or(offset);
                return self.refuse(offset, "a key that is not one string", "use text as the key");
            }
        };
        let bytes = offset..end(span);
        let simple = matches!(
            style,
            ScalarStyle::Plain | ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted
        );
        let indicator = extent::explicit_key(self.text, self.cursor.min(offset)..offset);
        if !simple || indicator.is_some() {
            let offset = indicator.unwrap_or(offset);
            return self.refuse(offset, "a complex key (`? …`)", "write it as `key: value`");
        }
        let Some(colon) = extent::colon_behind(self.text, bytes.end) else {
            return self.refuse(offset, "a key without `:`", "write `key: value`");
        };
        if style == ScalarStyle::Plain {
            if bytes.is_empty() {
                return self.refuse(
                    offset,
                    "an empty key",
                    "give the value a name; the empty key is written `\"\"`",
                );
            }
            if &*content == "<<" {
                return self.refuse(
                    offset,
                    "a merge key (`<<`)",
                    "write the values out, or use `extends` in the policy",
                );
            }
            if !core_schema::is_string(&content) {
                return self.refuse(
                    offset,
                    "a key that YAML does not read as a string",
                    "write it in quotes, for example `\"404\":`",
                );
            }
        }
        self.cursor = colon + 1;
        Ok(Key {
            name: self.content(content),
            span: bytes,
        })
    }

    fn content(&self, content: std::borrow::Cow<'a, str>) -> Content<'a> {
        match content {
            std::borrow::Cow::Borrowed(text) => Content::Borrowed(text),
            std::borrow::Cow::Owned(text) => Content::Owned(Zeroizing::new(text)),
        }
    }

    fn sequence(&mut self, span: &Span, flow: bool) -> Refused<Sequence<'a>> {
        self.enter(start(span))?;
        if flow {
            self.cursor = self.cursor.max(end(span));
        }
        let mut sequence = Sequence {
            items: Vec::new(),
            flow,
            span: start(span)..end(span),
        };
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                sequence.span.end = if flow { end(&span) } else { self.cursor };
                self.cursor = self.cursor.max(sequence.span.end);
                break;
            }
            let item_start = if flow {
                start(&span)
            } else {
                let dash = extent::next_indicator(self.text, self.cursor, b'-').unwrap_or(start(&span));
                self.cursor = (dash + 1).min(self.text.len());
                dash
            };
            if sequence.items.is_empty() && !flow {
                sequence.span.start = item_start;
            }
            let column = self.column(item_start, flow);
            if column > WIDEST_INDENTATION {
                return self.refuse(item_start, "a list item that stands too far to the right", "");
            }
            let value = self.node(event, &span, column, flow)?;
            sequence.items.push(Item {
                start: item_start,
                value,
            });
        }
        self.depth -= 1;
        Ok(sequence)
    }

    fn scalar(
        &mut self,
        content: std::borrow::Cow<'a, str>,
        style: ScalarStyle,
        span: &Span,
        binary: bool,
        column: usize,
        flow: bool,
    ) -> Refused<Scalar<'a>> {
        let tag_start = span.tag_start().and_then(|mark| mark.byte_offset());
        let bytes = start(span)..end(span);
        let mut content = self.content(content);
        let extent = match style {
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let extent = extent::of_block(self.text, &self.lines, self.cursor, tag_start, column);
                // A body that the end of the text cuts off has no line end there to keep; the parser adds one.
                if extent.tail.end == self.text.len() && !self.text.ends_with('\n') {
                    content = extent::without_added_line_end(content);
                }
                extent
            }
            ScalarStyle::Plain if bytes.is_empty() && tag_start.is_none() => {
                content = Content::Borrowed("");
                extent::of_empty(self.text, &self.lines, self.cursor)
            }
            ScalarStyle::Plain if bytes.is_empty() => {
                content = Content::Borrowed("");
                let from = tag_start.unwrap_or(bytes.start);
                extent::of_other(&self.lines, from..from + "!!binary".len(), flow)
            }
            _ => extent::of_other(&self.lines, tag_start.unwrap_or(bytes.start)..bytes.end, flow),
        };
        if binary && decode_binary(&content).is_none() {
            return self.refuse(
                extent.head.start,
                "`!!binary` whose text is not canonical base64",
                "encode it with `base64`",
            );
        }
        let empty = style == ScalarStyle::Plain && bytes.is_empty() && !binary;
        let mut scalar = Scalar {
            content,
            style,
            binary,
            head: extent.head,
            tail: extent.tail,
            column,
            flow,
            empty,
        };
        if flow {
            scalar.tail = scalar.head.end..scalar.head.end;
        }
        if self.rules == Rules::Text && token::has_token_shape(&scalar.content) {
            return self.refuse(
                scalar.head.start,
                "a value that has the shape of an encrypted token",
                "write the value itself",
            );
        }
        if self.text[scalar.head.start..scalar.end()].contains('\n') {
            self.joint = Some((scalar.end(), self.joined(scalar.head.start)));
            self.multi_line.push(scalar.head.start..scalar.end());
        }
        self.cursor = self.cursor.max(scalar.end());
        Ok(scalar)
    }
}

fn start(span: &Span) -> usize {
    span.start.byte_offset().unwrap_or(0)
}

fn end(span: &Span) -> usize {
    span.end.byte_offset().unwrap_or(0)
}
