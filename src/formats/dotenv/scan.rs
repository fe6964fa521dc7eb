//! The lines of a dotenv file. There is no standard: where readers differ, one reading is chosen and the names are kept
//! for a note. What is made of the lines is `read`'s.
//!
//! | what stands there | python-dotenv | npm dotenv | a shell | here |
//! |---|---|---|---|---|
//! | `A=a#b` | `a#b` | `a` | `a#b` | `a#b`, noted |
//! | `A=#b` | `#b` | empty | empty | `#b`, noted |
//! | `A=a # b`, `A= # b` | comment | comment | comment | comment |
//! | `A=a\b`, `A=a"b"` | as it stands | as it stands | without `\` and `"` | as it stands, noted |
//! | `'a\\b'` | `a\b` | as it stands | as it stands | as it stands, noted |
//! | `'it\'s'` | `it's` | `it\'s` | not closed | `it's`, noted |
//! | `"\n"`, `"\r"` | line ends | line ends | as it stands | line ends |
//! | `"\""` | `"` | `\"` | `"` | `"` |
//! | `"\\"`, `"\'"`, `"\a\b\f\t\v"` | escapes | as it stands | `\\` only | escapes, noted |
//! | `"\$"`, ``"\`"`` | as it stands | as it stands | escapes | escapes, noted |
//! | `` `a` `` | with backticks | `a` | runs `a` | `a`, noted |
//! | `A: a` | refused | `a` | refused | `a`, noted |
//! | `A` alone | no value | nothing | runs it | left out, noted |
//! | `$B`, `${B}`, `$(b)` | `${B}` expanded | as it stands | expanded | as it stands, noted |
//! | anything else | skipped | skipped | runs it | refused |

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use crate::error::{Failure, Result};

/// Why readers differ about a line, or what was done with it; in the order of the notes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::formats) enum Doubt {
    Alone,
    Twice,
    Commented,
    Dollar,
    Hash,
    Bare,
    SingleQuoted,
    Escape,
    Backtick,
    Colon,
}

impl Doubt {
    /// What to say of the names.
    pub(super) fn said(self) -> &'static str {
        match self {
            Self::Alone => "a name without a value, left out",
            Self::Twice => "more than once; the last one counts",
            Self::Commented => "an assignment in a comment, left out: comments stay readable",
            Self::Dollar => "`$…` is kept as text; nothing is expanded here",
            Self::Hash => "`#` without a blank before it is a part of the value here; npm dotenv ends the value there",
            Self::Bare => "quotes or backslashes in a value without quotes are kept here; a shell takes them out",
            Self::SingleQuoted => "a backslash in single quotes, which readers take differently",
            Self::Escape => "an escape in double quotes that readers take differently",
            Self::Backtick => "in backticks, which only npm dotenv and dotenvx take for quotes",
            Self::Colon => "`NAME: value`, which only npm dotenv reads",
        }
    }
}

/// The names that there is something to say about; one may stand there several times.
pub(in crate::formats) type Doubts = BTreeMap<Doubt, Vec<String>>;

/// One line, or the several of a quoted value.
pub(in crate::formats) enum Line<'a> {
    /// Nothing.
    Blank,
    /// A comment, from its `#` on.
    Comment(&'a str),
    /// `NAME=value`.
    Assignment(Assignment<'a>),
}

/// A name and its value.
pub(in crate::formats) struct Assignment<'a> {
    pub(in crate::formats) name: &'a str,
    pub(in crate::formats) value: Zeroizing<String>,
    /// What stands behind the value, from its `#` on.
    pub(in crate::formats) comment: Option<&'a str>,
}

/// `bytes` as text with LF as the only line end, without a byte order mark.
///
/// # Errors
/// `Failed` if it is no UTF-8 text.
pub(in crate::formats) fn normalized(bytes: &[u8]) -> Result<Zeroizing<String>> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = 1 + bytes[..error.valid_up_to()]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        Failure::failed(format!("line {line}: no UTF-8 text")).hint("convert it: iconv -t UTF-8")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut normalized = Zeroizing::new(String::with_capacity(text.len()));
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\r' => {
                if characters.peek() == Some(&'\n') {
                    characters.next();
                }
                normalized.push('\n');
            }
            other => normalized.push(other),
        }
    }
    Ok(normalized)
}

/// The lines of a [`normalized`] text, and what there is to say about them. Linear in its length.
///
/// # Errors
/// `Failed` with the line that is neither an assignment nor a comment.
pub(in crate::formats) fn scan(text: &str) -> Result<(Vec<Line<'_>>, Doubts)> {
    let mut scanner = Scanner {
        text,
        offset: 0,
        line: 1,
        doubts: Doubts::new(),
    };
    let mut lines = Vec::new();
    while scanner.offset < text.len() {
        scanner.skip_blanks();
        match scanner.peek() {
            None => break,
            Some(b'\n') => lines.push(Line::Blank),
            Some(b'#') => lines.push(Line::Comment(scanner.take_line())),
            Some(_) => lines.extend(scanner.assignment()?.map(Line::Assignment)),
        }
        scanner.next_line();
    }
    Ok((lines, scanner.doubts))
}

struct Scanner<'a> {
    text: &'a str,
    offset: usize,
    line: usize,
    doubts: Doubts,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.offset..]
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.offset).copied()
    }

    /// Skips blanks of this line; says whether there were any.
    fn skip_blanks(&mut self) -> bool {
        let rest = self.rest();
        let blanks = rest.len() - rest.trim_start_matches(is_blank).len();
        self.offset += blanks;
        blanks > 0
    }

    /// The rest of this line, blanks at its end taken off; the cursor is at its end.
    fn take_line(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest.find('\n').unwrap_or(rest.len());
        self.offset += end;
        rest[..end].trim_end_matches(is_blank)
    }

    fn next_line(&mut self) {
        self.offset += 1;
        self.line += 1;
    }

    fn refused(&self, why: &str) -> anyhow::Error {
        Failure::failed(format!("line {}: {why}", self.line))
            .hint("a line is NAME=value, or a comment that begins with `#`")
            .into()
    }

    fn note(&mut self, doubt: Doubt, name: &str) {
        self.doubts.entry(doubt).or_default().push(name.to_owned());
    }

    /// What begins here; nothing for a name without a value. The cursor is at the end of its last line.
    fn assignment(&mut self) -> Result<Option<Assignment<'a>>> {
        if let Some(rest) = self.rest().strip_prefix("export")
            && rest.starts_with(is_blank)
        {
            self.offset += "export".len();
            self.skip_blanks();
        }
        let rest = self.rest();
        let length = rest.bytes().take_while(|byte| is_name(*byte)).count();
        let name = &rest[..length];
        if name.is_empty() {
            return Err(self.refused("neither an assignment nor a comment"));
        }
        self.offset += length;
        let spaced = self.skip_blanks();
        match self.peek() {
            Some(b'=') => {}
            Some(b':') if !spaced && self.rest()[1..].starts_with([' ', '\t', '\n']) => self.note(Doubt::Colon, name),
            None | Some(b'\n' | b'#') => {
                self.take_line();
                self.note(Doubt::Alone, name);
                return Ok(None);
            }
            Some(_) => return Err(self.refused("neither an assignment nor a comment")),
        }
        self.offset += 1;
        let spaced = self.skip_blanks();
        let value = match self.peek() {
            Some(quote @ (b'\'' | b'"' | b'`')) => self.quoted(name, quote)?,
            _ => self.bare(name, spaced),
        };
        let comment = self.take_line().trim_start_matches(is_blank);
        Ok(Some(Assignment {
            name,
            value,
            comment: (!comment.is_empty()).then_some(comment),
        }))
    }

    /// A value without quotes; the cursor is behind it.
    fn bare(&mut self, name: &str, spaced: bool) -> Zeroizing<String> {
        let rest = self.rest();
        let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
        let is_comment = |offset: usize| match line[..offset].chars().next_back() {
            Some(before) => is_blank(before),
            None => spaced,
        };
        let end = line
            .match_indices('#')
            .map(|(offset, _)| offset)
            .find(|offset| is_comment(*offset))
            .unwrap_or(line.len());
        let value = line[..end].trim_end_matches(is_blank);
        self.offset += value.len();
        if value.contains('#') {
            self.note(Doubt::Hash, name);
        }
        if value.contains(['\'', '"', '\\']) {
            self.note(Doubt::Bare, name);
        }
        if has_expansion(value) {
            self.note(Doubt::Dollar, name);
        }
        Zeroizing::new(value.to_owned())
    }

    /// A quoted value, over as many lines as it takes; the cursor is behind its closing quote.
    fn quoted(&mut self, name: &str, quote: u8) -> Result<Zeroizing<String>> {
        let inner = &self.rest()[1..];
        let Some(length) = closing(inner, quote).map_err(|()| self.refused("text behind a closing quote"))? else {
            return Err(self.refused("a quote that is never closed"));
        };
        let raw = &inner[..length];
        self.offset += length + 2;
        self.line += raw.matches('\n').count();
        if quote != b'\'' && has_expansion(raw) {
            self.note(Doubt::Dollar, name);
        }
        Ok(match quote {
            b'"' => {
                let (value, doubtful) = unescaped(raw);
                if doubtful {
                    self.note(Doubt::Escape, name);
                }
                value
            }
            b'`' => {
                self.note(Doubt::Backtick, name);
                Zeroizing::new(raw.to_owned())
            }
            _ => {
                if raw.contains("\\\\") || raw.contains("\\'") || raw.ends_with('\\') {
                    self.note(Doubt::SingleQuoted, name);
                }
                Zeroizing::new(raw.replace("\\'", "'"))
            }
        })
    }
}

fn is_blank(character: char) -> bool {
    character == ' ' || character == '\t'
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_.-".contains(&byte)
}

/// Offset of the quote that closes `inner`; nothing if none does, an error if text follows it.
fn closing(inner: &str, quote: u8) -> Result<Option<usize>, ()> {
    let mut escaped = false;
    for (offset, byte) in inner.bytes().enumerate() {
        if byte == quote {
            let behind = &inner[offset + 1..];
            let line_is_over = behind
                .trim_start_matches(is_blank)
                .bytes()
                .next()
                .is_none_or(|next| next == b'\n' || next == b'#');
            match (quote, escaped) {
                // In double quotes a backslash always escapes; elsewhere only where the value would not end.
                (b'"', true) => {}
                (_, _) if line_is_over => return Ok(Some(offset)),
                (b'\'', true) => {}
                _ => return Err(()),
            }
        }
        escaped = byte == b'\\' && !escaped;
    }
    Ok(None)
}

/// The content of double quotes, and whether readers differ about one of its escapes.
fn unescaped(raw: &str) -> (Zeroizing<String>, bool) {
    let mut value = Zeroizing::new(String::with_capacity(raw.len()));
    let mut doubtful = false;
    let mut characters = raw.chars().peekable();
    while let Some(character) = characters.next() {
        let escape = match (character, characters.peek()) {
            ('\\', Some(next)) => escape(*next),
            _ => None,
        };
        match escape {
            None => value.push(character),
            Some((meant, agreed)) => {
                doubtful |= !agreed;
                value.push(meant);
                characters.next();
            }
        }
    }
    (value, doubtful)
}

/// What a backslash and `next` mean in double quotes, and whether the readers agree; nothing if no escape.
fn escape(next: char) -> Option<(char, bool)> {
    Some(match next {
        'n' => ('\n', true),
        'r' => ('\r', true),
        '"' => ('"', true),
        '\\' | '\'' | '$' | '`' => (next, false),
        'a' => ('\u{7}', false),
        'b' => ('\u{8}', false),
        'f' => ('\u{c}', false),
        't' => ('\t', false),
        'v' => ('\u{b}', false),
        _ => return None,
    })
}

/// Whether some reader would put another value in the place of a part of this one.
pub(in crate::formats) fn has_expansion(text: &str) -> bool {
    text.match_indices('$').any(|(offset, _)| {
        let escaped = text[..offset].ends_with('\\');
        let next = text.as_bytes().get(offset + 1);
        !escaped && next.is_some_and(|next| next.is_ascii_alphabetic() || b"_{(".contains(next))
    })
}
