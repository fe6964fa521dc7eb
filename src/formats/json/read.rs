//! A JSON object as the text of an environment: objects are mappings, arrays lists, strings strings. Numbers keep their
//! text, so that `1.10` stays `1.10`, and large ones every digit. Syntax is serde_json's to judge; the walk that follows
//! knows that it was.

use std::collections::HashSet;

use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use crate::document::path::{Segment, ValuePath};
use crate::error::{Failure, Result};
use crate::formats::Imported;
use crate::formats::text::{Node, YamlText};

/// How deep objects and arrays may nest, as in an environment's file.
const DEEPEST: usize = 64;

/// Reads an object.
///
/// # Errors
/// `Failed` if it is no JSON object, nests over 64 deep, or names a member twice; the message names no file.
pub fn read(bytes: &[u8]) -> Result<Imported> {
    let mut yaml = YamlText::default();
    yaml.push_members(&members(bytes)?)?;
    Ok(Imported {
        text: yaml.into_text(),
        notes: Vec::new(),
    })
}

/// The members of the object that `bytes` are.
pub(in crate::formats) fn members(bytes: &[u8]) -> Result<Vec<(String, Node)>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    serde_json::from_slice::<IgnoredAny>(bytes).map_err(|error| refused(&error))?;
    let text = std::str::from_utf8(bytes).map_err(|_| Failure::failed("is no UTF-8 text"))?;
    let mut walk = Walk { text, offset: 0 };
    match walk.node(&mut Vec::new())? {
        Node::Mapping(members) => Ok(members),
        _ => Err(Failure::failed("is no JSON object, so its values have no names")
            .hint("put it under a name: {\"name\": …}")
            .into()),
    }
}

/// What serde_json says; it names what it expected and never what it found, since everything is ignored.
fn refused(error: &serde_json::Error) -> Failure {
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    let reason = text.split(" at line ").next().unwrap_or("no JSON");
    Failure::failed(format!("line {line} column {column}: no JSON: {reason}"))
}

/// A walk over text that is known to be JSON.
struct Walk<'a> {
    text: &'a str,
    offset: usize,
}

impl<'a> Walk<'a> {
    fn skip_blanks(&mut self) {
        let rest = &self.text[self.offset..];
        self.offset += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
    }

    /// The next byte that is no blank; the cursor is at it.
    fn peek(&mut self) -> u8 {
        self.skip_blanks();
        self.text.as_bytes().get(self.offset).copied().unwrap_or_default()
    }

    /// Steps over a comma if one is next.
    fn skip_comma(&mut self) {
        if self.peek() == b',' {
            self.offset += 1;
        }
    }

    fn node(&mut self, trail: &mut Vec<Segment>) -> Result<Node> {
        if trail.len() > DEEPEST {
            return Err(Failure::failed(format!("nests more than {DEEPEST} deep")).into());
        }
        match self.peek() {
            b'{' => self.object(trail),
            b'[' => self.array(trail),
            b'"' => Ok(Node::Text(self.string(trail)?)),
            _ => {
                let rest = &self.text[self.offset..];
                let length = rest.find([',', '}', ']', ' ', '\t', '\r', '\n']).unwrap_or(rest.len());
                self.offset += length;
                Ok(Node::Plain(Zeroizing::new(rest[..length].to_owned())))
            }
        }
    }

    fn object(&mut self, trail: &mut Vec<Segment>) -> Result<Node> {
        self.offset += 1;
        let mut members = Vec::new();
        let mut names = HashSet::new();
        while self.peek() != b'}' {
            let name = std::mem::take(&mut *self.string(trail)?);
            // The colon.
            self.peek();
            self.offset += 1;
            trail.push(Segment::Key(name.clone()));
            if !names.insert(name.clone()) {
                let path = ValuePath::new(trail.clone());
                return Err(Failure::failed(format!("names `{path}` twice"))
                    .hint("take one of them out; readers differ about which one counts")
                    .into());
            }
            let member = self.node(trail)?;
            trail.pop();
            members.push((name, member));
            self.skip_comma();
        }
        self.offset += 1;
        Ok(Node::Mapping(members))
    }

    fn array(&mut self, trail: &mut Vec<Segment>) -> Result<Node> {
        self.offset += 1;
        let mut items = Vec::new();
        while self.peek() != b']' {
            trail.push(Segment::Index(items.len()));
            items.push(self.node(trail)?);
            trail.pop();
            self.skip_comma();
        }
        self.offset += 1;
        Ok(Node::List(items))
    }

    /// The string at the cursor, unescaped.
    fn string(&mut self, trail: &[Segment]) -> Result<Zeroizing<String>> {
        self.peek();
        let inner = &self.text[self.offset + 1..];
        let mut length = 0;
        let bytes = inner.as_bytes();
        while length < bytes.len() && bytes[length] != b'"' {
            length += if bytes[length] == b'\\' { 2 } else { 1 };
        }
        self.offset += length + 2;
        unescaped(&inner[..length]).ok_or_else(|| {
            let path = ValuePath::new(trail.to_vec());
            Failure::failed(format!("has half a surrogate pair in the string at `{path}`"))
                .hint("write the character itself")
                .into()
        })
    }
}

/// The text of a string's inside; nothing if half a surrogate pair stands in it. Never longer than `raw`.
fn unescaped(raw: &str) -> Option<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::with_capacity(raw.len()));
    let mut rest = raw;
    while let Some(offset) = rest.find('\\') {
        text.push_str(&rest[..offset]);
        let escape = rest[offset + 1..].chars().next()?;
        rest = &rest[offset + 1 + escape.len_utf8()..];
        text.push(match escape {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let first = unit(&mut rest)?;
                if char::from_u32(u32::from(first)).is_none() {
                    rest = rest.strip_prefix("\\u")?;
                    let second = unit(&mut rest)?;
                    char::decode_utf16([first, second]).next()?.ok()?
                } else {
                    char::from_u32(u32::from(first))?
                }
            }
            other => other,
        });
    }
    text.push_str(rest);
    Some(text)
}

/// The UTF-16 unit whose four hex digits `rest` begins with.
fn unit(rest: &mut &str) -> Option<u16> {
    let digits = rest.get(..4)?;
    *rest = &rest[4..];
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::read;
    use crate::document::tree::{Rules, Tree};
    use crate::formats::json::{write_flat, write_nested};
    use crate::formats::readers::{nasty_values, variables_of};
    use crate::value::Value;
    use crate::view::View;

    fn refusal(text: &str) -> String {
        read(text.as_bytes()).err().expect("refused").to_string()
    }

    #[test]
    fn types_and_the_text_of_numbers_stay() {
        let text = r#"{"z": {"b": [1.10, 12345678901234567890, -0, 1e5, {"c": null}], "e": {}, "l": []},
            "s": ["1.10", "true", "null", "", "~", "007", "a\nb\n", "\/\u00e9\ud83d\ude00\"\\"], "on": true, "a b": "x", "{": "}"}"#;
        let expected = "z:\n  b:\n    - 1.10\n    - 12345678901234567890\n    - -0\n    - 1e5\n    - c: null\n  e: {}\n  l: []\ns:\n  - \"1.10\"\n  - \"true\"\n  - \"null\"\n  - \"\"\n  - \"~\"\n  - \"007\"\n  - |\n    a\n    b\n  - \"/é😀\\\"\\\\\"\n\"on\": true\n\"a b\": x\n\"{\": \"}\"\n";
        let imported = read(text.as_bytes()).unwrap();
        assert_eq!(*imported.text, expected);
        assert!(Tree::parse(&imported.text, Rules::Text).is_ok());
        assert_eq!(*read(b"{}").unwrap().text, "");
    }

    #[test]
    fn what_is_no_object_of_distinct_names_is_refused() {
        assert_eq!(refusal("[1]"), "is no JSON object, so its values have no names");
        assert_eq!(refusal("{\"a\": {\"b\": 1, \"\\u0062\": 2}}"), "names `a.b` twice");
        assert_eq!(refusal("{\"a\": 1,}"), "line 1 column 9: no JSON: key must be a string");
        assert_eq!(
            refusal("{\"a\": \"canary\"\n\"b\"}"),
            "line 2 column 1: no JSON: expected `,` or `}`"
        );
        assert_eq!(
            refusal("{\"a\": \"\\ud83d\"}"),
            "has half a surrogate pair in the string at `a`"
        );
        assert_eq!(
            refusal("{\"secretree\": 1}"),
            "has a root key `secretree`, which is the footer's place"
        );
        let deep = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        assert!(read(deep(64).as_bytes()).is_ok());
        assert_eq!(refusal(&deep(65)), "nests more than 64 deep");
        assert_eq!(refusal(&deep(100_000)), "nests more than 64 deep");
    }

    proptest! {
        #[test]
        fn what_is_written_here_is_read_back(values in nasty_values(false)) {
            let read = read(&write_flat(&variables_of(&values))).expect("read");
            let tree = Tree::parse(&read.text, Rules::Text).expect("a text");
            let found: Vec<_> = tree.scalars().into_iter().map(|(_, scalar)| scalar.value()).collect();
            let texts: Vec<_> = values.iter().map(|value| Value::text(std::str::from_utf8(value).expect("text"))).collect();
            prop_assert_eq!(found, texts);
        }

        #[test]
        fn numbers_are_read_back(number in any::<i64>()) {
            let view = View::Mapping(vec![("n".to_owned(), View::Value(Value::of_plain(&number.to_string()), false))]);
            let read = read(&write_nested(&view)).expect("read");
            prop_assert_eq!(read.text.contains(&number.to_string()), true);
        }

        #[test]
        fn no_text_makes_it_panic(text in "[\\[\\]{}:,\"\\\\u0-9dtrue. \n]{0,40}") {
            let _ = read(text.as_bytes());
        }
    }
}
