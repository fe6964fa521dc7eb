//! Lines of a text: where each begins, which characters a text may hold, and the place (line and column)
//! that an error names. Knows nothing of YAML.

use std::fmt;
use std::ops::Range;

use crate::value::LineEnd;

/// A place for people: both count from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {} column {}", self.line, self.column)
    }
}

/// A text is not accepted: where, why, and the way out. Never holds a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Where the text stops being acceptable.
    pub place: Place,
    /// What stands there that must not.
    pub message: String,
    /// What to write instead, where there is something to say.
    pub hint: Option<String>,
}

impl Refusal {
    /// A refusal of what stands at `place`.
    pub fn new(place: Place, message: impl Into<String>) -> Self {
        Self {
            place,
            message: message.into(),
            hint: None,
        }
    }

    /// Adds the way out.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place, self.message)
    }
}

/// The beginnings of a text's lines, for places and columns in logarithmic time.
#[derive(Clone, Debug)]
pub struct Lines<'a> {
    text: &'a str,
    /// Byte offset of each line's first character; the first is behind a byte order mark.
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    /// Indexes `text`. Lines end with `\n`; a `\r` before it belongs to the line end.
    pub fn new(text: &'a str) -> Self {
        let first = if text.starts_with('\u{feff}') {
            '\u{feff}'.len_utf8()
        } else {
            0
        };
        let mut starts = vec![first];
        starts.extend(text.match_indices('\n').map(|(offset, _)| offset + 1));
        Self { text, starts }
    }

    /// Number of the line (from 0) that holds the byte at `offset`.
    pub fn line_of(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// Byte offset of the first character of the line that holds `offset`.
    pub fn start_of(&self, offset: usize) -> usize {
        self.starts[self.line_of(offset)]
    }

    /// Byte offset of the line end (`\r\n`, `\n` or the end of the text) of the line that holds `offset`.
    pub fn end_of(&self, offset: usize) -> usize {
        let line = self.line_of(offset);
        self.content(line).end
    }

    /// Byte offset behind the line end of the line that holds `offset`.
    pub fn next_of(&self, offset: usize) -> usize {
        self.starts
            .get(self.line_of(offset) + 1)
            .copied()
            .unwrap_or(self.text.len())
    }

    /// The bytes of line `line` (from 0) without its line end.
    pub fn content(&self, line: usize) -> Range<usize> {
        let start = self.starts[line];
        let Some(next) = self.starts.get(line + 1) else {
            return start..self.text.len();
        };
        let end = next - 1;
        let end = if end > start && self.text.as_bytes()[end - 1] == b'\r' {
            end - 1
        } else {
            end
        };
        start..end
    }

    /// Number of lines; a text that ends with a line end has an empty last one.
    pub fn count(&self) -> usize {
        self.starts.len()
    }

    /// Number of blanks before the first other character of the line that holds `offset`.
    pub fn indentation_of(&self, offset: usize) -> usize {
        let content = self.content(self.line_of(offset));
        leading_blanks(&self.text[content])
    }

    /// Number of characters between the line's beginning and `offset`.
    pub fn column_of(&self, offset: usize) -> usize {
        let start = self.start_of(offset);
        self.text.get(start..offset).map_or(0, |before| before.chars().count())
    }

    /// The place of the character at `offset`.
    pub fn place(&self, offset: usize) -> Place {
        let offset = offset.min(self.text.len());
        Place {
            line: self.line_of(offset) + 1,
            column: self.column_of(offset) + 1,
        }
    }
}

/// Number of spaces and tabs that `line` begins with.
pub(super) fn leading_blanks(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '\t']).len()
}

/// The line ends of `text`: those of its first line.
pub fn line_end(text: &str) -> LineEnd {
    match text.find('\n') {
        Some(offset) if text[..offset].ends_with('\r') => LineEnd::Crlf,
        _ => LineEnd::Lf,
    }
}

/// Whether a text may hold `character` as it is, apart from line ends (FORMAT, Text 7).
pub fn may_stand_raw(character: char) -> bool {
    let is_odd = matches!(
        character,
        '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
    );
    character == '\t' || !(character.is_control() || is_odd)
}

/// Refuses characters that YAML readers disagree about: control characters, U+0085, U+2028, U+2029, a byte
/// order mark but at the start, a carriage return that ends no line.
pub(super) fn check_characters(text: &str) -> Result<(), Refusal> {
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let skipped = text.len() - body.len();
    // The usual case costs one pass over bytes: printable ASCII, tab and line feed need no look.
    let suspicious = |byte: u8| (byte < 0x20 && byte != b'\n' && byte != b'\t') || byte >= 0x7f;
    if !body.bytes().any(suspicious) {
        return Ok(());
    }
    let mut characters = body.char_indices().peekable();
    while let Some((offset, character)) = characters.next() {
        let next = characters.peek().map(|(_, next)| *next);
        if character == '\n' || (character == '\r' && next == Some('\n')) || may_stand_raw(character) {
            continue;
        }
        let place = Lines::new(text).place(skipped + offset);
        let code = u32::from(character);
        return Err(match character {
            '\r' => Refusal::new(place, "a carriage return that ends no line")
                .hint("end lines with LF or CRLF; inside a value write it as `\\r` in double quotes"),
            '\u{feff}' => Refusal::new(place, "a byte order mark (U+FEFF) that is not at the start")
                .hint("inside a value write it as `\\uFEFF` in double quotes"),
            _ => Refusal::new(
                place,
                format!("the character U+{code:04X}, which may not stand as it is"),
            )
            .hint(format!("inside a value write it as `\\u{code:04X}` in double quotes")),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Lines, Place, check_characters};

    #[test]
    fn places_count_characters_from_one() {
        let lines = Lines::new("\u{feff}aé: x\r\nb: y\n");
        assert_eq!(lines.place(3), Place { line: 1, column: 1 });
        assert_eq!(lines.place(8), Place { line: 1, column: 5 });
        assert_eq!(lines.place(11), Place { line: 2, column: 1 });
        assert_eq!(lines.end_of(4), 9);
        assert_eq!(lines.next_of(4), 11);
    }

    #[test]
    fn characters_that_readers_disagree_about_are_refused_with_their_place() {
        for (text, line, column) in [
            ("a: \u{85}\n", 1, 4),
            ("a: 1\n# \u{2028}\n", 2, 3),
            ("a: \u{feff}\n", 1, 4),
            ("a: x\rb: y\n", 1, 5),
            ("a: \u{0}\n", 1, 4),
            ("é: \u{7f}\n", 1, 4),
        ] {
            assert_eq!(
                check_characters(text).unwrap_err().place,
                Place { line, column },
                "{text:?}"
            );
        }
        assert!(check_characters("\u{feff}a: é\t\u{1f600}\r\nb: 1\n").is_ok());
    }
}
