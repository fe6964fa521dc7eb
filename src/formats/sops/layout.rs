//! Values laid out as YAML in block style, where no text of the author's is at hand: what came from JSON, and what goes
//! to sops.

use zeroize::Zeroizing;

use super::scalar::Written;
use crate::document::render::{Position, written_key};
use crate::value::LineEnd;

/// Something to lay out.
pub(super) enum Node {
    /// A value.
    Value(Written),
    /// A list.
    List(Vec<Node>),
    /// A mapping.
    Mapping(Vec<(String, Node)>),
}

/// Writes the members of a root mapping, each collection `indent` characters deeper than its key.
pub(super) fn write(members: &[(String, Node)], indent: usize) -> Zeroizing<String> {
    let mut writer = Writer {
        indent,
        out: Zeroizing::new(String::with_capacity(4096)),
    };
    writer.members(members, 0);
    writer.out
}

struct Writer {
    indent: usize,
    out: Zeroizing<String>,
}

impl Writer {
    /// The first line stands where the cursor is.
    fn members(&mut self, members: &[(String, Node)], column: usize) {
        for (position, (key, node)) in members.iter().enumerate() {
            self.line_start(position, column);
            self.out.push_str(&written_key(key));
            self.out.push(':');
            self.behind(node, column, self.indent);
        }
    }

    fn items(&mut self, items: &[Node], column: usize) {
        for (position, item) in items.iter().enumerate() {
            self.line_start(position, column);
            self.out.push('-');
            match item {
                Node::Mapping(members) if !members.is_empty() => {
                    self.out.push(' ');
                    self.members(members, column + 2);
                }
                Node::List(items) if !items.is_empty() => {
                    self.out.push(' ');
                    self.items(items, column + 2);
                }
                other => self.behind(other, column, 2),
            }
        }
    }

    fn line_start(&mut self, position: usize, column: usize) {
        if position > 0 {
            self.out.extend(std::iter::repeat_n(' ', column));
        }
    }

    /// What stands behind a colon or a dash at `column`.
    fn behind(&mut self, node: &Node, column: usize, indent: usize) {
        match node {
            Node::Mapping(members) if members.is_empty() => self.out.push_str(" {}\n"),
            Node::List(items) if items.is_empty() => self.out.push_str(" []\n"),
            Node::Value(written) => {
                self.out.push(' ');
                let text = written.text(Position {
                    column,
                    line_end: LineEnd::Lf,
                    flow: false,
                });
                self.out.push_str(&text);
                if !text.ends_with('\n') {
                    self.out.push('\n');
                }
            }
            collection => {
                self.out.push('\n');
                let column = column + indent;
                self.out.extend(std::iter::repeat_n(' ', column));
                match collection {
                    Node::Mapping(members) => self.members(members, column),
                    Node::List(items) => self.items(items, column),
                    Node::Value(_) => {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Node, write};
    use crate::document::tree::{Rules, Tree};
    use crate::formats::sops::scalar::Written;
    use crate::value::Value;

    fn text(text: &str) -> Node {
        Node::Value(Written::Value(Value::text(text)))
    }

    fn mapping<const N: usize>(members: [(&str, Node); N]) -> Node {
        Node::Mapping(members.into_iter().map(|(key, node)| (key.to_owned(), node)).collect())
    }

    #[test]
    fn collections_nest_in_every_way() {
        let members = vec![
            (
                "a".to_owned(),
                mapping([("1", text("x")), ("b", mapping([("c", text("l1\nl2\n"))]))]),
            ),
            (
                "l".to_owned(),
                Node::List(vec![
                    text("y"),
                    mapping([("k", mapping([("d", text("z"))])), ("e", Node::List(vec![]))]),
                    Node::List(vec![text("p"), Node::List(vec![text("q"), text("a\nb")])]),
                    mapping([]),
                ]),
            ),
            ("number".to_owned(), Node::Value(Written::plain("1.5".to_owned()))),
        ];
        let expected = "\
a:
    \"1\": x
    b:
        c: |
          l1
          l2
l:
    - \"y\"
    - k:
          d: z
      e: []
    - - p
      - - q
        - |-
          a
          b
    - {}
number: 1.5
";
        let written = write(&members, 4);
        assert_eq!(*written, expected);
        assert_eq!(Tree::parse(&written, Rules::Text).expect("YAML").scalars().len(), 8);
        let narrow = write(&members, 2);
        assert_eq!(Tree::parse(&narrow, Rules::Text).expect("YAML").scalars().len(), 8);
        assert_eq!(*write(&[], 2), "");
    }
}
