//! JSON: typed values in nested mappings, or variables in one flat object. Strings are escaped as in tokens (FORMAT,
//! Plaintexts), objects keep the order of the file, two spaces indent.

mod read;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use super::buffer::Buffer;
use super::variables::Variable;
use crate::value::{Value, push_json_string};
use crate::view::View;

pub(super) use read::members;
pub use read::read;

/// The values where they stand: mappings are objects, lists arrays, integers numbers, `null` is kept, and bytes are
/// strings of their base64. Ends with a newline.
pub fn write_nested(view: &View) -> Zeroizing<Vec<u8>> {
    let mut out = Buffer::default();
    push_view(view, 0, &mut out);
    out.push(b"\n");
    out.into_bytes()
}

/// One object of strings by variable name: each scalar's text as `run` would give it, bytes as their base64. Ends with a
/// newline.
pub fn write_flat(variables: &[Variable]) -> Zeroizing<Vec<u8>> {
    let mut out = Buffer::default();
    push_members(b"{", b"}", 0, variables, &mut out, |variable, out| {
        push_string(&variable.name, out);
        out.push(b": ");
        match &variable.value {
            Value::Bytes(bytes) => push_base64(bytes.expose(), out),
            value => push_string(value.delivered().expose_text().expect("only bytes are not UTF-8"), out),
        }
    });
    out.push(b"\n");
    out.into_bytes()
}

fn push_view(view: &View, depth: usize, out: &mut Buffer) {
    match view {
        View::Value(value, _) => push_value(value, out),
        View::List(items) => push_members(b"[", b"]", depth, items, out, |item, out| {
            push_view(item, depth + 1, out);
        }),
        View::Mapping(members) => push_members(b"{", b"}", depth, members, out, |(key, member), out| {
            push_string(key, out);
            out.push(b": ");
            push_view(member, depth + 1, out);
        }),
    }
}

/// Appends the members between brackets, one a line; nothing between them where there is none.
fn push_members<T>(
    opening: &[u8],
    closing: &[u8],
    depth: usize,
    members: &[T],
    out: &mut Buffer,
    push: impl Fn(&T, &mut Buffer),
) {
    out.push(opening);
    for (position, member) in members.iter().enumerate() {
        if position > 0 {
            out.push(b",");
        }
        push_line_start(depth + 1, out);
        push(member, out);
    }
    if !members.is_empty() {
        push_line_start(depth, out);
    }
    out.push(closing);
}

fn push_line_start(depth: usize, out: &mut Buffer) {
    out.push(b"\n");
    for _ in 0..depth {
        out.push(b"  ");
    }
}

fn push_value(value: &Value, out: &mut Buffer) {
    match value {
        Value::Null => out.push(b"null"),
        Value::Bool(_) | Value::Integer(_) => out.push(value.delivered().expose()),
        Value::Text(text) => push_string(text.expose_text().expect("text values are UTF-8"), out),
        Value::Bytes(bytes) => push_base64(bytes.expose(), out),
    }
}

fn push_base64(bytes: &[u8], out: &mut Buffer) {
    let encoded = Zeroizing::new(BASE64_STANDARD.encode(bytes));
    push_string(&encoded, out);
}

/// Appends a string in its quotes.
fn push_string(text: &str, out: &mut Buffer) {
    let escaped = text
        .bytes()
        .filter(|byte| *byte < 0x20 || b"\"\\".contains(byte))
        .count();
    // The longest escape has six bytes; an eighth more is what `push_json_string` asks for in any case.
    let room = text.len() + (5 * escaped).max(text.len() / 8) + 2;
    push_json_string(text, out.with_room(room));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert_eq, proptest};

    use super::{write_flat, write_nested};
    use crate::formats::readers::{nasty_values, variables_of};
    use crate::secret::Secret;
    use crate::value::Value;
    use crate::view::View;

    fn leaf(value: Value) -> View {
        View::Value(value, false)
    }

    #[test]
    fn nested_values_keep_their_types_and_their_order() {
        let member = |key: &str, view| (key.to_owned(), view);
        let view = View::Mapping(vec![
            member("z", leaf(Value::Integer(-7))),
            member("a \"b\"", leaf(Value::text("1.10"))),
            member("none", leaf(Value::Null)),
            member("on", View::Value(Value::Bool(true), true)),
            member("bytes", leaf(Value::Bytes(Secret::new(vec![0, 255])))),
            member(
                "list",
                View::List(vec![
                    leaf(Value::text("é\u{7f}\u{1}\n")),
                    View::Mapping(vec![member("deep", View::List(vec![]))]),
                ]),
            ),
            member("empty", View::Mapping(vec![])),
        ]);
        let expected = r#"{
  "z": -7,
  "a \"b\"": "1.10",
  "none": null,
  "on": true,
  "bytes": "AP8=",
  "list": [
    "é\u0001\n",
    {
      "deep": []
    }
  ],
  "empty": {}
}
"#
        .replace('é', "é\u{7f}");
        assert_eq!(std::str::from_utf8(&write_nested(&view)), Ok(expected.as_str()));
        assert_eq!(&*write_nested(&View::Mapping(vec![])), b"{}\n");
        assert_eq!(&*write_nested(&leaf(Value::text("x"))), b"\"x\"\n");
    }

    #[test]
    fn flat_values_are_strings_by_variable() {
        let mut variables = variables_of(&["sk", "", "", ""]);
        variables[1].value = Value::Integer(12);
        variables[2].value = Value::Bool(false);
        variables[3].value = Value::Bytes(Secret::new(vec![255]));
        let expected = "{\n  \"V0\": \"sk\",\n  \"V1\": \"12\",\n  \"V2\": \"false\",\n  \"V3\": \"/w==\"\n}\n";
        assert_eq!(std::str::from_utf8(&write_flat(&variables)), Ok(expected));
        assert_eq!(&*write_flat(&[]), b"{}\n");
    }

    proptest! {
        #[test]
        fn a_json_reader_reads_every_value_back(values in nasty_values(false)) {
            let text = write_flat(&variables_of(&values));
            let read: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
            for (number, value) in values.iter().enumerate() {
                prop_assert_eq!(read[format!("V{number}")].as_str().map(str::as_bytes), Some(value.as_slice()));
            }
        }
    }
}
