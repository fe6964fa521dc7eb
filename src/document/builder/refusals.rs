//! The rules of FORMAT, Text 7 that look at events and lines, and the words in which texts are refused. What needs the
//! tree at hand is checked where the tree is made.

use granit_parser::{ErrorKind, ScanError, Span, Tag};

use super::{Builder, DEEPEST_NESTING, Refused, start};
use crate::document::FOOTER_KEY;
use crate::document::extent;
use crate::document::lines::{Place, Refusal, leading_blanks};
use crate::document::tree::{Mapping, Rules};

impl<'a> Builder<'a> {
    /// The parser's own message, which never quotes the text, but for one kind.
    pub(super) fn syntax_error(&self, error: &ScanError) -> Refusal {
        let offset = error.marker().byte_offset().unwrap_or(self.cursor);
        let place = self.lines.place(offset);
        match error.kind() {
            ErrorKind::DirectiveDisallowed => Refusal::new(place, "a directive (`%…`)").hint("remove the line"),
            ErrorKind::UnexpectedCharacter { .. } => {
                Refusal::new(place, "a character that cannot stand here").hint("write the value in quotes")
            }
            ErrorKind::UnknownAnchor => {
                Refusal::new(place, "an alias (`*…`)").hint("write the value out where it is needed")
            }
            ErrorKind::TabNotAllowed
            | ErrorKind::TabInBlockIndentation
            | ErrorKind::TabInIndentation
            | ErrorKind::TabInPlainScalar => {
                let tab = self.indenting_tab(self.lines.line_of(self.cursor.min(offset)));
                tab_in_indentation(tab.map_or(place, |tab| self.lines.place(tab)))
            }
            ErrorKind::RecursionLimitExceeded => nesting(place),
            ErrorKind::InvalidIndentation | ErrorKind::InvalidFlowScalarIndent => {
                Refusal::new(place, "not valid YAML: invalid indentation")
                    .hint("indent each line of a value deeper than its key, closing brackets too")
            }
            _ => Refusal::new(place, format!("not valid YAML: {}", error.info())),
        }
    }

    pub(super) fn check_document_end(&self, span: &Span) -> Refused<()> {
        match span.slice(self.text) {
            Some("...") => self.refuse(start(span), "a document end (`...`)", "remove the line"),
            _ => Ok(()),
        }
    }

    /// The parser tells nothing of document ends before a document, where only comments and blank lines stand.
    pub(super) fn check_no_document_end(&self, before: usize) -> Refused<()> {
        for line in 0..=self.lines.line_of(before) {
            let content = self.lines.content(line);
            if self.text[content.clone()].starts_with("...") {
                return self.refuse(content.start, "a document end (`...`)", "remove the line");
            }
        }
        Ok(())
    }

    pub(super) fn check_root(&self, root: &Mapping<'a>) -> Refused<()> {
        for entry in &root.entries {
            let offset = entry.key.span.start;
            if self.lines.column_of(offset) != 0 {
                return self.refuse(
                    offset,
                    "a root key that is not at column 1",
                    "remove the blanks before the root keys",
                );
            }
            if &*entry.key.name == FOOTER_KEY && self.rules == Rules::Text {
                return self.refuse(
                    offset,
                    format!("a root key `{FOOTER_KEY}`, which is the name of the footer"),
                    "give the key another name",
                );
            }
        }
        Ok(())
    }

    pub(super) fn check_properties(&self, span: &Span, anchor: usize, tagged: bool) -> Refused<()> {
        if anchor != 0 {
            let offset = extent::next_indicator(self.text, self.cursor, b'&');
            return self.refuse(
                offset.unwrap_or(start(span)),
                "an anchor (`&…`)",
                "write the value out where it is needed",
            );
        }
        if tagged {
            let offset = span
                .tag_start()
                .and_then(|mark| mark.byte_offset())
                .unwrap_or(start(span));
            return self.refuse(
                offset,
                "a tag (`!…`)",
                "remove it; only `!!binary` on a value is accepted",
            );
        }
        Ok(())
    }

    pub(super) fn check_tag(&self, span: &Span, tag: Option<&Tag>) -> Refused<bool> {
        if tag.is_none() {
            return Ok(false);
        }
        let tag_span = span.tag_span();
        let raw = tag_span.and_then(|tag_span| tag_span.slice(self.text));
        if raw == Some("!!binary") && self.rules != Rules::Policy {
            return Ok(true);
        }
        let offset = tag_span.map_or(start(span), |tag_span| start(&tag_span));
        let accepted = if self.rules == Rules::Policy {
            "remove it"
        } else {
            "remove it; only `!!binary` is accepted"
        };
        self.refuse(offset, "a tag (`!…`)", accepted)
    }

    /// Refuses tabs in the leading blanks of lines that no scalar holds.
    pub(super) fn check_tabs(&self) -> Refused<()> {
        if !self.text.contains('\t') {
            return Ok(());
        }
        let mut inside = self.multi_line.iter().peekable();
        let mut line = 0;
        while let Some(tab) = self.indenting_tab(line) {
            line = self.lines.line_of(tab) + 1;
            let content = self.lines.content(line - 1);
            while inside.peek().is_some_and(|scalar| scalar.end <= content.start) {
                inside.next();
            }
            if inside.peek().is_none_or(|scalar| scalar.start >= content.start) {
                return Err(tab_in_indentation(self.lines.place(tab)));
            }
        }
        Ok(())
    }

    /// The first tab in the leading blanks of a line, from line number `line` on.
    pub(super) fn indenting_tab(&self, line: usize) -> Option<usize> {
        (line..self.lines.count()).find_map(|line| {
            let content = self.lines.content(line);
            let blanks = leading_blanks(&self.text[content.clone()]);
            let tab = self.text[content.start..content.start + blanks].find('\t')?;
            Some(content.start + tab)
        })
    }
}

fn tab_in_indentation(place: Place) -> Refusal {
    Refusal::new(place, "a tab in the indentation").hint("indent with spaces")
}

pub(super) fn nesting(place: Place) -> Refusal {
    Refusal::new(place, format!("more than {DEEPEST_NESTING} levels of nesting")).hint("move inner levels to the root")
}
