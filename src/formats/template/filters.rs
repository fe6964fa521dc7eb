//! What a template can do to a value: write it in the form of another language, and the common filters and tests of
//! Jinja. None of them asks for much more memory than its input.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use minijinja::value::ValueKind;
use minijinja::{Environment, Error, ErrorKind, Value as Any, filters, tests};
use zeroize::Zeroizing;

use super::notes::refusal;
use super::places::Bytes;
use crate::document::render::{Position, render};
use crate::formats::shell::quoted;
use crate::secret::Secret;
use crate::value::{LineEnd, Value};

/// The deepest that `indent` goes.
const DEEPEST: usize = 100;

type Made<T = String> = Result<T, Error>;

/// Gives `engine` its filters and tests.
pub(super) fn add(engine: &mut Environment<'_>) {
    engine.add_filter("base64", base64);
    engine.add_filter("json", json);
    engine.add_filter("tojson", json);
    engine.add_filter("yaml", yaml);
    engine.add_filter("shell", shell);
    engine.add_filter("url", url);
    engine.add_filter("indent", indent);
    engine.add_filter("default", filters::default);
    engine.add_filter("first", filters::first);
    engine.add_filter("items", filters::items);
    engine.add_filter("join", filters::join);
    engine.add_filter("last", filters::last);
    engine.add_filter("length", filters::length);
    engine.add_filter("lines", filters::lines);
    engine.add_filter("lower", filters::lower);
    engine.add_filter("replace", filters::replace);
    engine.add_filter("trim", filters::trim);
    engine.add_filter("upper", filters::upper);
    engine.add_test("defined", tests::is_defined);
    engine.add_test("undefined", tests::is_undefined);
    engine.add_test("none", tests::is_none);
    engine.add_test("boolean", tests::is_boolean);
    engine.add_test("number", tests::is_number);
    engine.add_test("string", tests::is_string);
    engine.add_test("sequence", tests::is_sequence);
    engine.add_test("mapping", tests::is_mapping);
}

/// The bytes of one value, as `get` gives them.
fn bytes_of(value: &Any) -> Made<Zeroizing<Vec<u8>>> {
    if let Some(bytes) = value.downcast_object_ref::<Bytes>() {
        return Ok(Zeroizing::new(bytes.expose().to_vec()));
    }
    match value.kind() {
        ValueKind::Undefined => Err(ErrorKind::UndefinedError.into()),
        ValueKind::None => Ok(Zeroizing::default()),
        ValueKind::String => Ok(Zeroizing::new(value.as_str().unwrap_or_default().as_bytes().to_vec())),
        ValueKind::Bool => Ok(Zeroizing::new(value.is_true().to_string().into_bytes())),
        ValueKind::Number => Ok(Zeroizing::new(value.to_string().into_bytes())),
        _ => Err(refusal("this filter takes one value, not a mapping or a list")),
    }
}

fn text_of(value: &Any) -> Made<Zeroizing<String>> {
    let bytes = bytes_of(value)?;
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(refusal(
            "the value is not UTF-8 text; write it with `| base64` or `| url`",
        )),
    }
}

fn base64(value: &Any) -> Made {
    Ok(BASE64_STANDARD.encode(&*bytes_of(value)?))
}

/// JSON on one line.
fn json(value: &Any) -> Made {
    if value.is_undefined() {
        return Err(ErrorKind::UndefinedError.into());
    }
    serde_json::to_string(value).map_err(|_| refusal("this has no form in JSON"))
}

/// YAML on one line, which fits behind a key wherever it stands.
fn yaml(value: &Any) -> Made {
    let of_one_line = |value| {
        let position = Position {
            column: 0,
            line_end: LineEnd::Lf,
            flow: true,
        };
        std::mem::take(&mut *render(&value, position))
    };
    if let Some(bytes) = value.downcast_object_ref::<Bytes>() {
        return Ok(of_one_line(Value::Bytes(Secret::new(bytes.expose().to_vec()))));
    }
    match value.as_str() {
        Some(text) => Ok(of_one_line(Value::text(text))),
        None => json(value),
    }
}

/// One word of a POSIX shell.
fn shell(value: &Any) -> Made {
    Ok(quoted(&text_of(value)?))
}

/// For any part of a URL: all but the unreserved characters escaped (RFC 3986, 2.3).
fn url(value: &Any) -> Made {
    let bytes = bytes_of(value)?;
    let mut out = String::with_capacity(bytes.len() * 3);
    for byte in bytes.iter() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            out.push(char::from(*byte));
        } else {
            write!(out, "%{byte:02X}").expect("writing to a string does not fail");
        }
    }
    Ok(out)
}

/// Every line but the first and the empty ones behind `width` blanks: for certificates below a YAML key.
fn indent(value: &Any, width: Option<usize>) -> Made {
    let width = width.unwrap_or(4);
    if width > DEEPEST {
        return Err(refusal("`indent` takes 100 blanks at most"));
    }
    let text = text_of(value)?;
    let blanks = " ".repeat(width);
    let mut out = String::with_capacity(text.len() + text.matches('\n').count() * width);
    for (position, line) in text.split('\n').enumerate() {
        if position > 0 {
            out.push('\n');
            out.push_str(if line.is_empty() { "" } else { &blanks });
        }
        out.push_str(line);
    }
    Ok(out)
}
