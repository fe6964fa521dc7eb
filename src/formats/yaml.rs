//! `yaml --merged`: what an environment delivers together with those that it extends, as one YAML text. Comments stay in
//! the files that hold them; a single file's own text is not written here but put back as it was.

use zeroize::Zeroizing;

use crate::document::render::{Position, render, written_key};
use crate::value::LineEnd;
use crate::view::View;

/// The view as YAML in block style, values in their default rendering.
pub fn write(view: &View) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(String::with_capacity(4096));
    match view {
        View::Mapping(members) if members.is_empty() => {}
        _ => push(view, 0, &mut out),
    }
    Zeroizing::new(std::mem::take(&mut *out).into_bytes())
}

/// Writes what stands at `column`; the cursor is at that column, behind a key's colon for a value.
fn push(view: &View, column: usize, out: &mut String) {
    match view {
        View::Value(value, _) => {
            let text = render(
                value,
                Position {
                    column,
                    line_end: LineEnd::Lf,
                    flow: false,
                },
            );
            out.push_str(&text);
            if !text.ends_with('\n') {
                out.push('\n');
            }
        }
        View::Mapping(members) => {
            for (position, (key, member)) in members.iter().enumerate() {
                indent(position, column, out);
                out.push_str(&written_key(key));
                out.push(':');
                push_member(member, column, out);
            }
        }
        View::List(items) => {
            for (position, item) in items.iter().enumerate() {
                indent(position, column, out);
                out.push('-');
                match item {
                    View::Mapping(members) if !members.is_empty() => {
                        out.push(' ');
                        push(item, column + 2, out);
                    }
                    other => push_member(other, column, out),
                }
            }
        }
    }
}

/// The first line of a collection stands where the cursor is.
fn indent(position: usize, column: usize, out: &mut String) {
    if position > 0 {
        out.extend(std::iter::repeat_n(' ', column));
    }
}

/// What stands behind a key's colon or an item's dash at `column`.
fn push_member(member: &View, column: usize, out: &mut String) {
    match member {
        View::Mapping(members) if members.is_empty() => out.push_str(" {}\n"),
        View::List(items) if items.is_empty() => out.push_str(" []\n"),
        View::Value(..) => {
            out.push(' ');
            push(member, column, out);
        }
        collection => {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', column + 2));
            push(collection, column + 2, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::write;
    use crate::document::tree::{Rules, Tree};
    use crate::value::Value;
    use crate::view::View;

    #[test]
    fn every_view_is_written_so_that_it_is_read_back() {
        let value = |text: &str| View::Value(Value::text(text), false);
        let mapping = |members: Vec<(&str, View)>| {
            View::Mapping(members.into_iter().map(|(key, view)| (key.to_owned(), view)).collect())
        };
        let view = mapping(vec![
            ("a", value("x y")),
            ("pem", value("-----BEGIN\nabc\n-----END\n")),
            ("404", View::Value(Value::Null, false)),
            (
                "list",
                View::List(vec![
                    value("1"),
                    mapping(vec![("k", value("v")), ("m", value("l1\nl2"))]),
                    View::List(vec![value("deep")]),
                ]),
            ),
            ("none", View::List(Vec::new())),
            (
                "nested",
                mapping(vec![("b", mapping(vec![("c", View::Value(Value::Integer(7), false))]))]),
            ),
        ]);
        let text = String::from_utf8(write(&view).to_vec()).unwrap();
        let expected = "a: \"x y\"\npem: |\n  -----BEGIN\n  abc\n  -----END\n\"404\": null\nlist:\n  - \"1\"\n  - k: v\n    m: |-\n      l1\n      l2\n  -\n    - deep\nnone: []\nnested:\n  b:\n    c: 7\n";
        assert_eq!(text, expected);
        let tree = Tree::parse(&text, Rules::Text).unwrap();
        let read: Vec<_> = tree
            .scalars()
            .into_iter()
            .map(|(path, scalar)| (path, scalar.value()))
            .collect();
        let written: Vec<_> = view
            .entries()
            .into_iter()
            .map(|entry| (entry.path, entry.value))
            .collect();
        assert_eq!(read, written);
    }
}
