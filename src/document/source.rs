//! The author's own text of a value: when a token must carry it, and how it is put back where the value stands
//! now. A text that would not be read as the value is never put back.

use granit_parser::{Event, Parser, ScalarStyle};
use zeroize::Zeroizing;

use super::builder::decode_binary;
use super::extent::without_added_line_end;
use super::lines::Lines;
use super::render::{Position, render};
use super::tree::{Content, Scalar};
use crate::value::{LineEnd, Source, Value};

/// The source that a token of `scalar` must carry: nothing if the default rendering gives the author's text back.
/// `text` is what the scalar was parsed from.
pub fn source_of(text: &str, scalar: &Scalar<'_>, value: &Value, line_end: LineEnd) -> Option<Source> {
    let written = scalar.source_text(text);
    let position = Position {
        column: scalar.column,
        line_end,
        flow: scalar.flow,
    };
    if *written == *render(value, position) && !scalar.empty {
        return None;
    }
    let mut written = written;
    let text = crate::secret::Secret::from_text(std::mem::take(&mut *written));
    Some(Source {
        text,
        column: scalar.column,
        line_end,
    })
}

/// Whether `source` is one scalar that means `value` at the place it was taken from, in block or flow context.
/// A token whose source is not was made by no program of ours.
pub fn agrees(source: &Source, value: &Value) -> bool {
    let Some(text) = source.text.expose_text() else {
        return false;
    };
    let at = |flow| Position {
        column: source.column,
        line_end: source.line_end,
        flow,
    };
    reads_as(text, at(false)).as_ref() == Some(value) || reads_as(text, at(true)).as_ref() == Some(value)
}

/// The text of `value` at `position`: its source, shifted if it moved, or the default rendering if the source
/// would not be read as `value` there.
pub fn restore(value: &Value, source: Option<&Source>, position: Position) -> Zeroizing<String> {
    let source_text = source.and_then(|source| Some((source, source.text.expose_text()?)));
    let Some((source, text)) = source_text else {
        return render(value, position);
    };
    let moved = source.column != position.column || source.line_end != position.line_end;
    let placed = if moved {
        shifted(text, source, position)
    } else {
        Zeroizing::new(text.to_owned())
    };
    if reads_as(&placed, position).as_ref() == Some(value) {
        placed
    } else {
        render(value, position)
    }
}

/// The lines of `text` behind the first, moved by as many columns as its key moved, with the file's line ends.
fn shifted(text: &str, source: &Source, position: Position) -> Zeroizing<String> {
    let lines = text.matches('\n').count();
    let growth = position.column.saturating_sub(source.column) + 1;
    let mut moved = Zeroizing::new(String::with_capacity(text.len() + lines * growth));
    for (number, line) in text.split('\n').enumerate() {
        let last = number == lines;
        let line = if last {
            line
        } else {
            line.strip_suffix('\r').unwrap_or(line)
        };
        if number == 0 || line.is_empty() {
            moved.push_str(line);
        } else if position.column >= source.column {
            moved.extend(std::iter::repeat_n(' ', position.column - source.column));
            moved.push_str(line);
        } else {
            let blanks = line.len() - line.trim_start_matches(' ').len();
            moved.push_str(&line[blanks.min(source.column - position.column)..]);
        }
        if !last {
            moved.push_str(position.line_end.text());
        }
    }
    moved
}

/// What YAML reads if `text` is the value of a key at `position`; `None` if it is not exactly one scalar.
fn reads_as(text: &str, position: Position) -> Option<Value> {
    if text.bytes().all(|byte| byte == b' ' || byte == b'\t') {
        return Some(Value::Null);
    }
    let indentation = " ".repeat(position.column);
    let line_end = position.line_end.text();
    let (before, after) = match (position.flow, position.column) {
        (false, _) => (format!("{indentation}k: "), ""),
        (true, 0) => ("k: [".to_owned(), "]"),
        (true, _) => (format!("k: [{line_end}{indentation}"), "]"),
    };
    let mut whole = Zeroizing::new(String::with_capacity(before.len() + text.len() + after.len()));
    whole.push_str(&before);
    whole.push_str(text);
    whole.push_str(after);
    let (content, style, binary) = only_value(&whole, position.flow)?;
    if binary {
        return decode_binary(&content).map(Value::Bytes);
    }
    Some(if style == ScalarStyle::Plain {
        Value::of_plain(&content)
    } else {
        Value::text(&content)
    })
}

/// Content and style of the one scalar that `whole` (`k: TEXT` or `k: [TEXT]`) holds, and whether it is `!!binary`.
fn only_value(whole: &str, flow: bool) -> Option<(Content<'_>, ScalarStyle, bool)> {
    let mut options = granit_parser::options! { strict_indentation: true, disallow_directives: true };
    // A comment is no part of a scalar, and the text is refused, unless it stands behind the tag.
    options.set_emit_comments(true);
    let mut parser = Parser::new_from_str_with_options(whole, options);
    let mut comments = Vec::new();
    let mut next = || {
        loop {
            match parser.next_event()?.ok()? {
                (Event::Comment(..), span) => comments.push(span.byte_range()?),
                event => return Some(event),
            }
        }
    };
    let mut expect = |fits: fn(&Event<'_>) -> bool| next().filter(|(event, _)| fits(event));
    expect(|event| matches!(event, Event::StreamStart))?;
    expect(|event| matches!(event, Event::DocumentStart(false, None)))?;
    expect(|event| matches!(event, Event::MappingStart(_, 0, None)))?;
    expect(|event| matches!(event, Event::Scalar(key, ScalarStyle::Plain, 0, None) if key == "k"))?;
    if flow {
        expect(|event| matches!(event, Event::SequenceStart(_, 0, None)))?;
    }
    let (scalar, span) = expect(|event| matches!(event, Event::Scalar(_, _, 0, _)))?;
    if flow {
        expect(|event| matches!(event, Event::SequenceEnd))?;
    }
    expect(|event| matches!(event, Event::MappingEnd))?;
    let (_, end) = expect(|event| matches!(event, Event::DocumentEnd))?;
    expect(|event| matches!(event, Event::StreamEnd))?;
    let Event::Scalar(content, style, _, tag) = scalar else {
        return None;
    };
    let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
    if !comments.is_empty() {
        let tag = span.tag_start()?.byte_offset()?;
        let is_header = |at: &usize| {
            matches!(whole.as_bytes()[*at], b'|' | b'>') && !comments.iter().any(|comment| comment.contains(at))
        };
        // The span of a block scalar begins behind its header, and the header's comment is not the source's.
        let end = match block {
            true => (tag..whole.len()).find(is_header)?,
            false => span.byte_range()?.start,
        };
        if comments
            .iter()
            .any(|comment| comment.start < tag || comment.start >= end)
        {
            return None;
        }
    }
    let binary = match tag {
        None => false,
        Some(_) if span.tag_span()?.slice(whole)? == "!!binary" => true,
        Some(_) => return None,
    };
    if end.slice(whole).is_some_and(|end| !end.is_empty()) {
        return None;
    }
    let mut content = match content {
        std::borrow::Cow::Borrowed(text) => Content::Borrowed(text),
        std::borrow::Cow::Owned(text) => Content::Owned(Zeroizing::new(text)),
    };
    if block && !whole.ends_with('\n') && Lines::new(whole).count() > 1 {
        content = without_added_line_end(content);
    }
    if style == ScalarStyle::Plain && span.is_empty() {
        content = Content::Borrowed("");
    }
    Some((content, style, binary))
}

#[cfg(test)]
mod tests {
    use super::{agrees, restore, source_of};
    use crate::document::render::Position;
    use crate::document::tree::{Rules, Tree};
    use crate::value::{LineEnd, Source, Value};

    fn source(text: &str, column: usize) -> Source {
        Source {
            text: text.into(),
            column,
            line_end: LineEnd::Lf,
        }
    }

    #[test]
    fn only_texts_that_differ_from_the_default_are_kept() {
        for (text, kept) in [
            ("a: abc\n", None),
            ("a: \"abc\"\n", Some("\"abc\"")),
            ("a: ~\n", Some("~")),
            ("a: null\n", None),
            ("a:\n", Some("")),
            ("a:  \n", Some("  ")),
            ("a: 1\n", None),
            ("a: 'x y'\n", Some("'x y'")),
            ("a: |-\n  x\n  y\n", None),
            ("a: |-\n    x\n    y\n", Some("|-\n    x\n    y\n")),
            ("a: |- # c\n  x\n  y\n", None),
        ] {
            let tree = Tree::parse(text, Rules::Text).unwrap();
            let (_, scalar) = tree.scalars().remove(0);
            let found = source_of(text, scalar, &scalar.value(), LineEnd::Lf);
            let found = found.as_ref().map(|source| source.text.expose_text().unwrap());
            assert_eq!(found, kept, "{text:?}");
            if let Some(kept) = kept {
                assert!(agrees(&source(kept, 0), &scalar.value()), "{text:?}");
            }
        }
    }

    #[test]
    fn a_moved_source_moves_its_lines_and_is_given_up_if_it_no_longer_fits() {
        let at = |column, flow| Position {
            column,
            line_end: LineEnd::Lf,
            flow,
        };
        let folded = source(">-\n    x\n    y\n", 2);
        let value = Value::text("x y");
        assert_eq!(*restore(&value, Some(&folded), at(4, false)), ">-\n      x\n      y\n");
        assert_eq!(*restore(&value, Some(&folded), at(0, false)), ">-\n  x\n  y\n");
        assert_eq!(*restore(&value, Some(&folded), at(0, true)), "\"x y\"");
        let plain = source("x, y", 0);
        assert_eq!(*restore(&Value::text("x, y"), Some(&plain), at(0, true)), "\"x, y\"");
        assert_eq!(*restore(&Value::text("x, y"), Some(&plain), at(0, false)), "x, y");
    }

    #[test]
    fn a_source_that_says_something_else_disagrees() {
        for (text, value) in [
            ("\"other\"", Value::text("abc")),
            ("a: b", Value::text("a: b")),
            ("x\ny: 1", Value::text("x")),
            ("x # c", Value::text("x # c")),
            ("x # c", Value::text("x")),
            ("|- # c\n  x\n", Value::text("x")),
            ("[x]", Value::text("x")),
            ("&a x", Value::text("x")),
            ("!!str 1", Value::text("1")),
            ("", Value::text("")),
            ("x]", Value::text("x")),
            ("x\n---\n", Value::text("x")),
            ("x\n...\n", Value::text("x")),
        ] {
            assert!(!agrees(&source(text, 0), &value), "{text:?}");
        }
    }
}
