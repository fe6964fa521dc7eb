//! The canonical JSON of plaintexts (FORMAT, "Plaintexts"): a reader that accepts nothing else, and the
//! padding. It copies text straight into secrets and builds no tree, because thousands are read at once.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use super::envelope::{LARGEST_PLAINTEXT, OpenError};
use crate::error::{Failure, Result};
use crate::secret::Secret;
use crate::value::{LARGEST_INTEGER, Value, push_json_string};

/// Plaintexts are padded to a multiple of this many bytes.
const STEP: usize = 32;

const NOT_CANONICAL: OpenError = OpenError::Malformed("its plaintext is not canonical JSON of its kind");

/// Appends `"name":"text"`, with a comma before it.
pub(super) fn push_member(name: &str, text: &str, out: &mut Zeroizing<Vec<u8>>) {
    push_name(name, out);
    push_json_string(text, out);
}

/// Appends `,"name":`.
pub(super) fn push_name(name: &str, out: &mut Zeroizing<Vec<u8>>) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// An empty buffer that has room for the plaintext around these parts, so that it never moves and leaves
/// no copy behind.
pub(super) fn buffer_for<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Zeroizing<Vec<u8>> {
    let escaped = |part: &[u8]| -> usize {
        // `push_json_string` reserves an eighth more than the text before it writes.
        let controls = part
            .iter()
            .filter(|byte| **byte < 0x20 || matches!(**byte, b'"' | b'\\'));
        part.len() + part.len() / 2 + 4 + 5 * controls.count()
    };
    let room: usize = parts.into_iter().map(escaped).sum();
    Zeroizing::new(Vec::with_capacity(room + 512))
}

/// The bytes of a value, for [`buffer_for`].
pub(super) fn value_bytes(value: &Value) -> &[u8] {
    match value {
        Value::Text(secret) | Value::Bytes(secret) => secret.expose(),
        Value::Null | Value::Bool(_) | Value::Integer(_) => &[],
    }
}

/// Fills up with spaces.
pub(super) fn pad(out: &mut Zeroizing<Vec<u8>>) {
    let length = out.len().next_multiple_of(STEP);
    out.resize(length, b' ');
}

/// Refuses to seal what nobody may open again; `place` names it.
pub(super) fn check_size(plaintext: Zeroizing<Vec<u8>>, place: &str) -> Result<Zeroizing<Vec<u8>>> {
    if plaintext.len() > LARGEST_PLAINTEXT {
        let message = format!("the value at `{place}` is larger than the 16 MiB that a value may have");
        return Err(Failure::failed(message)
            .hint("keep large files outside, encrypted with a key kept here")
            .into());
    }
    Ok(plaintext)
}

/// Ends reading: the plaintext written again must be the plaintext read.
pub(super) fn check_same(mut again: Zeroizing<Vec<u8>>, plaintext: &[u8]) -> Result<(), OpenError> {
    pad(&mut again);
    if again.as_slice() == plaintext {
        Ok(())
    } else {
        Err(NOT_CANONICAL)
    }
}

/// Reads one plaintext from the front.
pub(super) struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    /// Checks what holds for all plaintexts: size, padding, UTF-8.
    pub(super) fn new(plaintext: &'a [u8]) -> Result<Self, OpenError> {
        if plaintext.len() > LARGEST_PLAINTEXT || !plaintext.len().is_multiple_of(STEP) {
            return Err(NOT_CANONICAL);
        }
        let rest = std::str::from_utf8(plaintext).map_err(|_| NOT_CANONICAL)?;
        Ok(Self { rest })
    }

    /// Whether `expected` came next; if so, it is consumed.
    pub(super) fn took(&mut self, expected: &str) -> bool {
        match self.rest.strip_prefix(expected) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Consumes exactly `expected`.
    pub(super) fn literal(&mut self, expected: &str) -> Result<(), OpenError> {
        if self.took(expected) {
            Ok(())
        } else {
            Err(NOT_CANONICAL)
        }
    }

    /// Nothing but padding may be left.
    pub(super) fn end(&self) -> Result<(), OpenError> {
        let padding = self.rest.len() < STEP && self.rest.bytes().all(|byte| byte == b' ');
        if padding { Ok(()) } else { Err(NOT_CANONICAL) }
    }

    /// A string of `{"name":"…"` or `,"name":"…"`, given up to the colon in `before`.
    pub(super) fn public_string(&mut self, before: &str) -> Result<String, OpenError> {
        self.literal(before)?;
        let text = self.string()?;
        Ok(text.expose_text().ok_or(NOT_CANONICAL)?.to_owned())
    }

    /// A JSON string with canonical escapes only.
    pub(super) fn string(&mut self) -> Result<Secret, OpenError> {
        self.literal("\"")?;
        let length = string_length(self.rest.as_bytes()).ok_or(NOT_CANONICAL)?;
        let raw = &self.rest.as_bytes()[..length];
        self.rest = &self.rest[length + 1..];
        if raw.contains(&b'\\') {
            unescape(raw).ok_or(NOT_CANONICAL)
        } else {
            Ok(Secret::new(raw.to_vec()))
        }
    }

    /// `0|-?[1-9][0-9]*` within ±(2^53 − 1).
    pub(super) fn integer(&mut self) -> Result<i64, OpenError> {
        let sign = usize::from(self.rest.starts_with('-'));
        let digits = self.rest[sign..]
            .bytes()
            .take(17)
            .take_while(u8::is_ascii_digit)
            .count();
        let (text, rest) = self.rest.split_at(sign + digits);
        let canonical = text == "0" || !text[sign..].starts_with('0');
        let number: i64 = text.parse().map_err(|_| NOT_CANONICAL)?;
        if !canonical || !(-LARGEST_INTEGER..=LARGEST_INTEGER).contains(&number) {
            return Err(NOT_CANONICAL);
        }
        self.rest = rest;
        Ok(number)
    }

    /// A value: a string, bytes, `null`, a boolean or an integer.
    pub(super) fn value(&mut self) -> Result<Value, OpenError> {
        if self.rest.starts_with('"') {
            return Ok(Value::Text(self.string()?));
        }
        if self.took("{\"base64\":") {
            let encoded = self.string()?;
            self.literal("}")?;
            let bytes = BASE64_STANDARD.decode(encoded.expose()).map_err(|_| NOT_CANONICAL)?;
            return Ok(Value::Bytes(Secret::new(bytes)));
        }
        for (text, value) in [
            ("null", Value::Null),
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
        ] {
            if self.took(text) {
                return Ok(value);
            }
        }
        self.integer().map(Value::Integer)
    }

    /// An array of strings and indices, as its own text.
    pub(super) fn path(&mut self) -> Result<String, OpenError> {
        let start = self.rest;
        self.literal("[")?;
        let mut first = true;
        while !self.took("]") {
            if !first {
                self.literal(",")?;
            }
            first = false;
            if self.rest.starts_with('"') {
                self.string()?;
            } else if self.integer()? < 0 {
                return Err(NOT_CANONICAL);
            }
        }
        Ok(start[..start.len() - self.rest.len()].to_owned())
    }
}

/// Number of bytes up to the closing quote; nothing if there is none, or a raw control character first.
fn string_length(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            0..0x20 => return None,
            _ => at += 1,
        }
    }
}

/// The content of a string; nothing if an escape is not the one that FORMAT asks for.
fn unescape(raw: &[u8]) -> Option<Secret> {
    let mut out = Zeroizing::new(Vec::with_capacity(raw.len()));
    let mut bytes = raw.iter();
    while let Some(byte) = bytes.next() {
        if *byte != b'\\' {
            out.push(*byte);
            continue;
        }
        out.push(match bytes.next()? {
            b'"' => b'"',
            b'\\' => b'\\',
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let (digits, rest) = bytes.as_slice().split_at_checked(4)?;
                bytes = rest.iter();
                control_character(digits)?
            }
            _ => return None,
        });
    }
    Some(Secret::new(std::mem::take(&mut *out)))
}

/// `00xx` of a character below U+0020 that has no shorter escape.
fn control_character(digits: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(digits).ok()?;
    let lower = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let number = u8::try_from(u16::from_str_radix(text, 16).ok()?).ok()?;
    let short = matches!(number, 0x08 | 0x09 | 0x0a | 0x0c | 0x0d);
    (lower && number < 0x20 && !short).then_some(number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};
    use zeroize::Zeroizing;

    use super::{Reader, buffer_for};
    use crate::value::{Value, push_json_string};

    fn padded(json: &str) -> String {
        json.to_owned() + &" ".repeat(json.len().next_multiple_of(32) - json.len())
    }

    fn value(json: &str) -> Option<Value> {
        let padded = padded(json);
        let mut reader = Reader::new(padded.as_bytes()).ok()?;
        let value = reader.value().ok()?;
        reader.end().ok().map(|()| value)
    }

    #[test]
    fn canonical_values_are_read() {
        for (json, expected) in [
            ("null", Value::Null),
            ("true", Value::Bool(true)),
            ("-12", Value::Integer(-12)),
            ("0", Value::Integer(0)),
            ("9007199254740991", Value::Integer(9_007_199_254_740_991)),
            (r#""""#, Value::text("")),
            (r#""a\n\u0001\\\"/é""#, Value::text("a\n\u{1}\\\"/é")),
            (
                r#"{"base64":"AAE="}"#,
                Value::Bytes(crate::secret::Secret::new(vec![0, 1])),
            ),
        ] {
            assert_eq!(value(json), Some(expected), "{json}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for json in [
            "",
            "-0",
            "00",
            "01",
            "-",
            "1e3",
            "1.0",
            "+1",
            "9007199254740992",
            "-9007199254740992",
            "tru",
            "nulll",
            "1 1",
            r#"""#,
            r#""a"#,
            r#""\/""#,
            r#""\u0041""#,
            r#""\u000a""#,
            r#""\u001F""#,
            r#""\u00""#,
            r#""\x""#,
            r#""\""#,
            "\"\n\"",
            "\"\t\"",
            r#"{"base64":"AAE"}"#,
            r#"{"base64":"AAF="}"#,
            r#"{"base64": "AAE="}"#,
            r#"{"base64":"AAE=","x":1}"#,
            "[]",
            "{}",
            r#" "a""#,
        ] {
            assert_eq!(value(json), None, "{json:?}");
        }
    }

    #[test]
    fn paths_keep_their_text() {
        let path = |json: &str| {
            let padded = padded(json);
            let mut reader = Reader::new(padded.as_bytes()).ok()?;
            let path = reader.path().ok()?;
            reader.end().ok().map(|()| path)
        };
        for good in ["[]", r#"["a"]"#, r#"["a\n",0,"b",12]"#] {
            assert_eq!(path(good).as_deref(), Some(good));
        }
        for bad in [
            "",
            "[",
            "[,]",
            r#"["a",]"#,
            "[-1]",
            r#"[ "a"]"#,
            r#"["a" ]"#,
            "[null]",
            "[[]]",
            "[01]",
            r#"["\u0061"]"#,
        ] {
            assert_eq!(path(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn strings_come_back_and_the_buffer_never_moves(text in any::<String>()) {
            let mut json = buffer_for([text.as_bytes()]);
            let room = json.capacity();
            push_json_string(&text, &mut json);
            assert_eq!(json.capacity(), room);
            assert_eq!(value(std::str::from_utf8(&json).unwrap()), Some(Value::text(&text)));
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..96)) {
            let bytes = Zeroizing::new(bytes);
            if let Ok(mut reader) = Reader::new(&bytes) {
                let _ = reader.value();
                let _ = reader.path();
            }
        }
    }
}
