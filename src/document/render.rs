//! The default rendering of a value: the text it gets when its author's own text is not known or no longer
//! fits. Frozen with the format (FORMAT, Plaintexts).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use super::lines::may_stand_raw;
use crate::value::{LineEnd, Value};

/// Words that YAML readers take for something else than a string, compared without regard to case.
const WORDS: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];

/// Where a scalar stands, as far as its text depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Characters before the key or the `-`; in flow collections before the line's first non-blank character.
    pub column: usize,
    /// The line ends of the file.
    pub line_end: LineEnd,
    /// Whether it stands in a flow collection.
    pub flow: bool,
}

/// The text of `value` at `position`. That of a literal block ends with its last line's end.
pub fn render(value: &Value, position: Position) -> Zeroizing<String> {
    match value {
        Value::Null => Zeroizing::new("null".to_owned()),
        Value::Bool(value) => Zeroizing::new(value.to_string()),
        Value::Integer(value) => Zeroizing::new(value.to_string()),
        Value::Bytes(bytes) => {
            let encoded = Zeroizing::new(BASE64_STANDARD.encode(bytes.expose()));
            Zeroizing::new(format!("!!binary \"{}\"", *encoded))
        }
        Value::Text(text) => {
            let text = text.expose_text().expect("text values are UTF-8");
            if !position.flow && is_plain(text) {
                Zeroizing::new(text.to_owned())
            } else if !position.flow && fits_literal(text) {
                literal(text, position)
            } else {
                double_quoted(text)
            }
        }
    }
}

/// Whether a string may stand without quotes in block context.
fn is_plain(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_' || first == b'/')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"_./:@+=-".contains(&byte))
        && !text.ends_with(':')
        && !WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn fits_literal(text: &str) -> bool {
    text.contains('\n')
        && !text.starts_with([' ', '\n'])
        && text
            .chars()
            .all(|character| character == '\n' || (character != '\t' && may_stand_raw(character)))
}

fn literal(text: &str, position: Position) -> Zeroizing<String> {
    let line_end = position.line_end.text();
    let indentation = position.column + 2;
    let (header, body) = match text.strip_suffix('\n') {
        None => ("|-", text),
        Some(body) if body.ends_with('\n') => ("|+", body),
        Some(body) => ("|", body),
    };
    let length = text.len() + text.matches('\n').count() * (indentation + 1) + indentation + 8;
    let mut rendered = Zeroizing::new(String::with_capacity(length));
    rendered.push_str(header);
    rendered.push_str(line_end);
    for line in body.split('\n') {
        if !line.is_empty() {
            rendered.extend(std::iter::repeat_n(' ', indentation));
            rendered.push_str(line);
        }
        rendered.push_str(line_end);
    }
    rendered
}

/// A key as it is written: plain where that is safe.
pub fn written_key(key: &str) -> String {
    let safe = is_plain(key) && !key.contains(':') && !key.starts_with('/');
    if safe {
        key.to_owned()
    } else {
        std::mem::take(&mut *double_quoted(key))
    }
}

/// Public text in quotes: single ones where that is enough, for they leave JSON readable.
pub fn quoted_public(text: &str) -> String {
    if text
        .chars()
        .all(|character| may_stand_raw(character) && character != '\t')
    {
        return format!("'{}'", text.replace('\'', "''"));
    }
    std::mem::take(&mut *double_quoted(text))
}

/// `text` in double quotes: JSON's escapes, and `\uXXXX` for what may not stand raw in a file.
pub(super) fn double_quoted(text: &str) -> Zeroizing<String> {
    let mut quoted = Zeroizing::new(String::with_capacity(text.len() + text.len() / 8 + 2));
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            control if u32::from(control) < 0x20 => quoted.push_str(&format!("\\u{:04x}", u32::from(control))),
            other if may_stand_raw(other) => quoted.push(other),
            other => quoted.push_str(&format!("\\u{:04X}", u32::from(other))),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::{Position, render};
    use crate::document::tree::{Rules, Tree};
    use crate::secret::Secret;
    use crate::value::{LineEnd, Value};

    #[test]
    fn every_character_is_rendered_so_that_it_is_read_back() {
        let position = Position {
            column: 0,
            line_end: LineEnd::Lf,
            flow: false,
        };
        // All of the basic plane, where YAML has its exceptions, and the ends of each plane above.
        let ends = (1..=0x10_u32).flat_map(|plane| [plane << 16, (plane << 16) + 0xfffe, (plane << 16) + 0xffff]);
        let characters: Vec<char> = (1..=0xffff).chain(ends).filter_map(char::from_u32).collect();
        for part in characters.chunks(64) {
            let value = Value::text(&part.iter().collect::<String>());
            let text = format!("a: {}\n", &*render(&value, position));
            let tree = Tree::parse(&text, Rules::Text).unwrap_or_else(|refusal| panic!("{part:?}: {refusal:?}"));
            assert_eq!(tree.scalars()[0].1.value(), value, "{part:?}");
        }
    }

    #[test]
    fn values_are_rendered_as_the_format_freezes_it() {
        let block = Position {
            column: 2,
            line_end: LineEnd::Lf,
            flow: false,
        };
        let flow = Position { flow: true, ..block };
        let crlf = Position {
            line_end: LineEnd::Crlf,
            ..block
        };
        for (value, position, expected) in [
            (Value::Null, block, "null"),
            (Value::Bool(true), flow, "true"),
            (Value::Integer(-7), block, "-7"),
            (Value::text("postgres://u:p@h/db"), block, "postgres://u:p@h/db"),
            (Value::text("a:"), block, "\"a:\""),
            (Value::text("Yes"), block, "\"Yes\""),
            (Value::text("7"), block, "\"7\""),
            (Value::text("a b"), block, "\"a b\""),
            (Value::text("abc"), flow, "\"abc\""),
            (Value::text(""), block, "\"\""),
            (Value::text("a\nb"), block, "|-\n    a\n    b\n"),
            (Value::text("a\n\n b\n"), crlf, "|\r\n    a\r\n\r\n     b\r\n"),
            (Value::text("a\n\n"), block, "|+\n    a\n\n"),
            (Value::text("a\nb"), flow, "\"a\\nb\""),
            (Value::text(" a\nb"), block, "\" a\\nb\""),
            (Value::text("a\tb\n"), block, "\"a\\tb\\n\""),
            (
                Value::text("a\u{1}\u{7f}\u{85}\u{2028}\u{feff}é"),
                block,
                "\"a\\u0001\\u007F\\u0085\\u2028\\uFEFFé\"",
            ),
            (Value::Bytes(Secret::new(vec![0xff, 0])), block, "!!binary \"/wA=\""),
        ] {
            assert_eq!(*render(&value, position), expected, "{position:?}");
        }
    }
}
