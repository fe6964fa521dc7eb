//! Where a scalar stands, byte for byte. The parser tells where content begins; headers, comments, blanks and
//! line ends around it are found here by looking at the text.

use std::ops::Range;

use super::lines::{Lines, leading_blanks};
use super::tree::Content;

/// The two places of a scalar; see [`super::tree::Scalar`].
pub(super) struct Extent {
    pub(super) head: Range<usize>,
    pub(super) tail: Range<usize>,
}

/// The first byte at or behind `from` that is `indicator` and stands in no comment.
pub(super) fn next_indicator(text: &str, from: usize, indicator: u8) -> Option<usize> {
    outside_comments(text, from)
        .find(|(_, byte)| *byte == indicator)
        .map(|(offset, _)| offset)
}

/// The bytes at and behind `from` that stand in no comment. Only for text between nodes.
fn outside_comments(text: &str, from: usize) -> impl Iterator<Item = (usize, u8)> + '_ {
    let bytes = text.as_bytes();
    let mut offset = from;
    std::iter::from_fn(move || {
        let first = offset == 0 || &bytes[..offset] == "\u{feff}".as_bytes();
        let blank_before = first || matches!(bytes[offset - 1], b' ' | b'\t' | b'\n');
        if blank_before && bytes.get(offset) == Some(&b'#') {
            while offset < bytes.len() && bytes[offset] != b'\n' {
                offset += 1;
            }
        }
        let byte = *bytes.get(offset)?;
        offset += 1;
        Some((offset - 1, byte))
    })
}

/// The indicator of an explicit key in `gap`, the bytes between the last node and a key.
pub(super) fn explicit_key(text: &str, gap: Range<usize>) -> Option<usize> {
    next_indicator(&text[..gap.end], gap.start, b'?')
}

/// The offset of the `:` behind a key that ends at `from`, on the same line.
pub(super) fn colon_behind(text: &str, from: usize) -> Option<usize> {
    let blanks = leading_blanks(&text[from..]);
    (text.as_bytes().get(from + blanks) == Some(&b':')).then_some(from + blanks)
}

/// A scalar that is neither empty nor in block style, and stands at `head`.
pub(super) fn of_other(lines: &Lines<'_>, head: Range<usize>, flow: bool) -> Extent {
    let line_end = if flow { head.end } else { lines.end_of(head.end) };
    Extent {
        head,
        tail: line_end..line_end,
    }
}

/// An empty value whose indicator ends at `cursor`: the blanks up to the comment, the line end or the next indicator.
pub(super) fn of_empty(text: &str, lines: &Lines<'_>, cursor: usize) -> Extent {
    let head = cursor..cursor + leading_blanks(&text[cursor..]);
    let line_end = lines.end_of(head.end);
    Extent {
        head,
        tail: line_end..line_end,
    }
}

/// A block scalar whose owner (key or dash) stands at `column` and whose indicator ends at `cursor`.
pub(super) fn of_block(text: &str, lines: &Lines<'_>, cursor: usize, tag: Option<usize>, column: usize) -> Extent {
    let bytes = text.as_bytes();
    let header = outside_comments(text, cursor)
        .find(|(_, byte)| matches!(byte, b'|' | b'>'))
        .map_or(cursor, |(offset, _)| offset);
    let mut header_end = (header + 1).min(text.len());
    let mut explicit = None;
    let mut keep = false;
    while let Some(byte @ (b'+' | b'-' | b'1'..=b'9')) = bytes.get(header_end) {
        match byte {
            b'+' => keep = true,
            b'-' => {}
            digit => explicit = Some(usize::from(digit - b'0')),
        }
        header_end += 1;
    }
    let head = tag.unwrap_or(header)..header_end;
    let tail_start = lines.end_of(header_end);
    let first = lines.line_of(header_end) + 1;
    let indentation = explicit
        .map(|digit| column + digit)
        .or_else(|| first_indentation(text, lines, first, column));
    let end = body_end(text, lines, first, indentation, keep).unwrap_or(lines.next_of(header_end));
    Extent {
        head,
        tail: tail_start..end,
    }
}

/// The indentation of a block scalar's first line that holds more than blanks, if that line belongs to it.
fn first_indentation(text: &str, lines: &Lines<'_>, first: usize, column: usize) -> Option<usize> {
    (first..lines.count())
        .map(|line| &text[lines.content(line)])
        .find_map(|line| {
            let spaces = line.len() - line.trim_start_matches(' ').len();
            (spaces < line.len()).then_some(spaces)
        })
        .filter(|spaces| *spaces > column)
}

/// Byte offset behind the last line of the body; `None` if it has no line. Without an indentation (no line holds more
/// than blanks) only kept line ends belong to it.
fn body_end(text: &str, lines: &Lines<'_>, first: usize, indentation: Option<usize>, keep: bool) -> Option<usize> {
    let mut end = None;
    for line in first..lines.count() {
        let range = lines.content(line);
        let content = &text[range.clone()];
        let spaces = content.len() - content.trim_start_matches(' ').len();
        let is_content = indentation.is_some_and(|indentation| spaces >= indentation && content.len() > indentation);
        let is_blank = spaces == content.len();
        if !is_content && !is_blank {
            break;
        }
        // The text's end behind its last line end is no line.
        let is_line = range.start < text.len();
        if is_line && (is_content || keep) {
            end = Some(lines.next_of(range.start));
        }
    }
    end
}

/// Byte offset behind the header of a block scalar that `text` (a scalar's own text) is; `None` for other scalars.
pub(super) fn header_end(text: &str) -> Option<usize> {
    let from = if text.starts_with("!!binary") {
        "!!binary".len()
    } else {
        0
    };
    let (offset, byte) = outside_comments(text, from).find(|(_, byte)| !byte.is_ascii_whitespace())?;
    let is_block = matches!(byte, b'|' | b'>');
    is_block.then(|| {
        offset
            + 1
            + text[offset + 1..]
                .bytes()
                .take_while(|byte| matches!(byte, b'+' | b'-' | b'1'..=b'9'))
                .count()
    })
}

/// `content` of a block scalar at the end of a text, without the line end that the parser adds there.
pub(super) fn without_added_line_end(content: Content<'_>) -> Content<'_> {
    match content {
        Content::Borrowed(text) => Content::Borrowed(text.strip_suffix('\n').unwrap_or(text)),
        Content::Owned(mut text) => {
            if text.ends_with('\n') {
                text.pop();
            }
            Content::Owned(text)
        }
    }
}
