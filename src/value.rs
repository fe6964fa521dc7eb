//! What a scalar means, apart from how it is written, and how an author wrote it when that is not the
//! default way. Also the JSON string escapes that tokens and the default rendering share.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use crate::secret::Secret;

/// The largest integer that every JSON reader keeps exactly: 2^53 − 1.
pub const LARGEST_INTEGER: i64 = (1 << 53) - 1;

/// The meaning of one scalar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nothing, `~`, `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer within ±(2^53 − 1).
    Integer(i64),
    /// UTF-8 text; also numbers that are not plain integers, as their text.
    Text(Secret),
    /// `!!binary`.
    Bytes(Secret),
}

impl Value {
    /// A text value.
    pub fn text(text: &str) -> Self {
        Self::Text(Secret::from(text))
    }

    /// Text if the bytes are UTF-8, bytes otherwise. What `set` makes of its input.
    pub fn from_bytes(bytes: Secret) -> Self {
        match bytes.expose_text() {
            Some(_) => Self::Text(bytes),
            None => Self::Bytes(bytes),
        }
    }

    /// The meaning of a plain (unquoted, untagged) scalar.
    pub fn of_plain(text: &str) -> Self {
        match text {
            "" | "~" | "null" | "Null" | "NULL" => return Self::Null,
            "true" | "True" | "TRUE" => return Self::Bool(true),
            "false" | "False" | "FALSE" => return Self::Bool(false),
            _ => {}
        }
        canonical_integer(text).map_or_else(|| Self::text(text), Self::Integer)
    }

    /// The bytes a program gets: strings their content, `null` nothing, bytes themselves.
    pub fn delivered(&self) -> Secret {
        match self {
            Self::Null => Secret::default(),
            Self::Bool(value) => Secret::from_text(value.to_string()),
            Self::Integer(value) => Secret::from_text(value.to_string()),
            Self::Text(text) | Self::Bytes(text) => text.clone(),
        }
    }

    /// Canonical JSON of the value (FORMAT, Plaintexts): text a string, bytes `{"base64":"…"}`.
    pub fn push_canonical_json(&self, out: &mut Zeroizing<Vec<u8>>) {
        match self {
            Self::Null => out.extend_from_slice(b"null"),
            Self::Bool(true) => out.extend_from_slice(b"true"),
            Self::Bool(false) => out.extend_from_slice(b"false"),
            Self::Integer(value) => out.extend_from_slice(value.to_string().as_bytes()),
            Self::Text(text) => push_json_string(text.expose_text().expect("text values are UTF-8"), out),
            Self::Bytes(bytes) => {
                let encoded = Zeroizing::new(BASE64_STANDARD.encode(bytes.expose()));
                out.extend_from_slice(b"{\"base64\":\"");
                out.extend_from_slice(encoded.as_bytes());
                out.extend_from_slice(b"\"}");
            }
        }
    }
}

/// `0|-?[1-9][0-9]*` within ±(2^53 − 1), else nothing.
fn canonical_integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let canonical = text == "0"
        || (!digits.is_empty() && !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit()));
    let value: i64 = if canonical { text.parse().ok()? } else { return None };
    (-LARGEST_INTEGER..=LARGEST_INTEGER).contains(&value).then_some(value)
}

/// How the author wrote a scalar that the default rendering would write otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The scalar's text from its first byte to its last.
    pub text: Secret,
    /// Characters before the key, the `-`, or in flow collections before the line's first non-blank.
    pub column: usize,
    /// The line ends of the file it was written in.
    pub line_end: LineEnd,
}

/// The line ends of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEnd {
    /// `\n`
    Lf,
    /// `\r\n`
    Crlf,
}

impl LineEnd {
    /// The bytes of one line end.
    pub fn text(self) -> &'static str {
        match self {
            Self::Lf => "\n",
            Self::Crlf => "\r\n",
        }
    }

    /// `lf` or `crlf`, as tokens say it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lf => "lf",
            Self::Crlf => "crlf",
        }
    }
}

/// Appends `text` as a canonical JSON string: escaped are only `\" \\ \b \f \n \r \t` and other
/// characters below U+0020 as `\u00xx` in lower-case hex.
pub fn push_json_string(text: &str, out: &mut Zeroizing<Vec<u8>>) {
    // Grown at once, so that no half-filled buffer is left behind in memory by a reallocation.
    out.reserve(text.len() + text.len() / 8 + 2);
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            control if control < 0x20 => out.extend_from_slice(format!("\\u{control:04x}").as_bytes()),
            other => out.push(other),
        }
    }
    out.push(b'"');
}

/// `text` as a canonical JSON string, for public text such as keys and names.
pub fn json_string(text: &str) -> String {
    let mut out = Zeroizing::new(Vec::new());
    push_json_string(text, &mut out);
    String::from_utf8(out.to_vec()).expect("escaped UTF-8 stays UTF-8")
}

#[cfg(test)]
mod tests {
    use super::{Value, json_string};

    #[test]
    fn plain_scalars_mean_what_the_format_says() {
        for (text, value) in [
            ("", Value::Null),
            ("~", Value::Null),
            ("NULL", Value::Null),
            ("True", Value::Bool(true)),
            ("0", Value::Integer(0)),
            ("-12", Value::Integer(-12)),
            ("9007199254740991", Value::Integer(9_007_199_254_740_991)),
            ("9007199254740992", Value::text("9007199254740992")),
            ("-0", Value::text("-0")),
            ("007", Value::text("007")),
            ("1.10", Value::text("1.10")),
            ("+1", Value::text("+1")),
            ("yes", Value::text("yes")),
            ("nUll", Value::text("nUll")),
        ] {
            assert_eq!(Value::of_plain(text), value, "{text}");
        }
    }

    #[test]
    fn json_strings_escape_only_what_they_must() {
        assert_eq!(
            json_string("a\"\\/\u{8}\u{c}\n\r\t\u{1}\u{7f}é"),
            "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\u{7f}é\""
        );
    }
}
