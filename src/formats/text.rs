//! The YAML text that readers of other tools' files put together: keys, values in their default rendering, comments.
//! What no text of an environment may hold is refused here by its path, since a line of this text would tell nobody
//! anything; the rest of FORMAT's rules is the parser's.

use zeroize::Zeroizing;

use super::buffer::Buffer;
use crate::document::FOOTER_KEY;
use crate::document::lines::may_stand_raw;
use crate::document::path::{Segment, ValuePath};
use crate::document::render::{Position, render, written_key};
use crate::document::token::has_token_shape;
use crate::error::{Failure, Result};
use crate::value::{LineEnd, Value};

/// The longest key, in characters and with its quotes (YAML 1.2.2, 7.4.2).
const LONGEST_KEY: usize = 1024;
/// So much of a longer one is shown.
const SHOWN: usize = 40;

/// What stands at one place of the text.
pub(super) enum Node {
    /// A scalar without quotes, as it stands: `null`, `true`, a number.
    Plain(Zeroizing<String>),
    /// A string.
    Text(Zeroizing<String>),
    /// Keys and what stands there, in order.
    Mapping(Vec<(String, Node)>),
    /// Items in order.
    List(Vec<Node>),
}

/// A text that grows line by line.
#[derive(Default)]
pub(super) struct YamlText(Buffer);

impl YamlText {
    /// An empty line.
    pub(super) fn push_blank(&mut self) {
        self.0.push(b"\n");
    }

    /// A line of its own that begins with `#`.
    pub(super) fn push_comment(&mut self, comment: &str) {
        self.push_comment_text(comment);
        self.0.push(b"\n");
    }

    fn push_comment_text(&mut self, comment: &str) {
        let shown: String = comment
            .chars()
            .map(|character| {
                if may_stand_raw(character) {
                    character
                } else {
                    '\u{fffd}'
                }
            })
            .collect();
        self.0.push(shown.as_bytes());
    }

    /// A root key with a string, and a comment (with its `#`) behind it.
    ///
    /// # Errors
    /// `Failed` if the value has the shape of a token, or the key is the footer's.
    pub(super) fn push_entry(&mut self, key: &str, value: &str, comment: Option<&str>) -> Result<()> {
        check_root_key(key)?;
        check_length(&written_key(key))?;
        check_text(|| ValuePath::of_keys([key]), value)?;
        let written = written_text(value, 0);
        let (head, rest) = written
            .split_once('\n')
            .map_or((&**written, ""), |(head, rest)| (head, rest));
        self.0.push(written_key(key).as_bytes());
        self.0.push(b": ");
        self.0.push(head.as_bytes());
        if let Some(comment) = comment {
            self.0.push(b" ");
            self.push_comment_text(comment);
        }
        self.0.push(b"\n");
        self.0.push(rest.as_bytes());
        Ok(())
    }

    /// The members of the root.
    ///
    /// # Errors
    /// As [`YamlText::push_entry`].
    pub(super) fn push_members(&mut self, members: &[(String, Node)]) -> Result<()> {
        for (key, _) in members {
            check_root_key(key)?;
        }
        self.push_mapping(members, 0, &mut Vec::new())
    }

    /// Members at `column`; the cursor stands there.
    fn push_mapping(&mut self, members: &[(String, Node)], column: usize, trail: &mut Vec<Segment>) -> Result<()> {
        for (position, (key, member)) in members.iter().enumerate() {
            self.indent(position, column);
            let written = written_key(key);
            check_length(&written)?;
            self.0.push(written.as_bytes());
            self.0.push(b":");
            trail.push(Segment::Key(key.clone()));
            self.push_member(member, column, trail)?;
            trail.pop();
        }
        Ok(())
    }

    fn push_list(&mut self, items: &[Node], column: usize, trail: &mut Vec<Segment>) -> Result<()> {
        for (position, item) in items.iter().enumerate() {
            self.indent(position, column);
            self.0.push(b"-");
            trail.push(Segment::Index(position));
            match item {
                Node::Mapping(members) if !members.is_empty() => {
                    self.0.push(b" ");
                    self.push_mapping(members, column + 2, trail)?;
                }
                other => self.push_member(other, column, trail)?,
            }
            trail.pop();
        }
        Ok(())
    }

    /// What stands behind a colon or dash at `column`.
    fn push_member(&mut self, member: &Node, column: usize, trail: &mut Vec<Segment>) -> Result<()> {
        match member {
            Node::Mapping(members) if members.is_empty() => self.0.push(b" {}\n"),
            Node::List(items) if items.is_empty() => self.0.push(b" []\n"),
            Node::Mapping(members) => {
                self.0.push(b"\n");
                self.indent(1, column + 2);
                self.push_mapping(members, column + 2, trail)?;
            }
            Node::List(items) => {
                self.0.push(b"\n");
                self.indent(1, column + 2);
                self.push_list(items, column + 2, trail)?;
            }
            Node::Plain(text) => {
                self.0.push(b" ");
                self.0.push(text.as_bytes());
                self.0.push(b"\n");
            }
            Node::Text(text) => {
                check_text(|| ValuePath::new(trail.clone()), text)?;
                let written = written_text(text, column);
                self.0.push(b" ");
                self.0.push(written.as_bytes());
                if !written.ends_with('\n') {
                    self.0.push(b"\n");
                }
            }
        }
        Ok(())
    }

    /// The first line of a collection begins where the cursor is.
    fn indent(&mut self, position: usize, column: usize) {
        if position > 0 {
            self.0.push(" ".repeat(column).as_bytes());
        }
    }

    /// What was put together.
    pub(super) fn into_text(self) -> Zeroizing<String> {
        let mut bytes = self.0.into_bytes();
        Zeroizing::new(String::from_utf8(std::mem::take(&mut *bytes)).expect("only text was pushed"))
    }
}

/// A string at `column`. One that ends in several line ends is quoted: as a block it would take in the empty lines that
/// follow it.
fn written_text(text: &str, column: usize) -> Zeroizing<String> {
    let position = Position {
        column,
        line_end: LineEnd::Lf,
        flow: text.ends_with("\n\n"),
    };
    render(&Value::text(text), position)
}

fn check_root_key(key: &str) -> Result<()> {
    if key != FOOTER_KEY {
        return Ok(());
    }
    Err(
        Failure::failed(format!("has a root key `{FOOTER_KEY}`, which is the footer's place"))
            .hint("rename it there")
            .into(),
    )
}

/// A key as it will be written.
fn check_length(written: &str) -> Result<()> {
    if written.len() <= LONGEST_KEY || written.chars().count() <= LONGEST_KEY {
        return Ok(());
    }
    let start: String = written.chars().take(SHOWN).collect();
    Err(Failure::failed(format!(
        "has a key of more than {LONGEST_KEY} characters, which YAML does not allow: `{start}…`"
    ))
    .hint("rename it there")
    .into())
}

/// The path is put together where it is needed: it is as long as all keys on it.
fn check_text(path: impl FnOnce() -> ValuePath, text: &str) -> Result<()> {
    if !has_token_shape(text) {
        return Ok(());
    }
    Err(
        Failure::failed(format!("holds an encrypted token at `{}`, not its value", path()))
            .hint("`secretree decrypt` gives the values of an environment")
            .into(),
    )
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::{Node, YamlText};
    use crate::document::tree::{Rules, Tree};

    fn text(text: &str) -> Node {
        Node::Text(Zeroizing::new(text.to_owned()))
    }

    #[test]
    fn every_node_is_written_so_that_it_is_read_back() {
        let plain = |text: &str| Node::Plain(Zeroizing::new(text.to_owned()));
        let members = vec![
            ("a b".to_owned(), text("x # y")),
            ("num".to_owned(), plain("1.10")),
            ("ends".to_owned(), text("a\n\n")),
            (
                "list".to_owned(),
                Node::List(vec![
                    Node::Mapping(vec![("k".to_owned(), text("1\n2\n")), ("l".to_owned(), plain("null"))]),
                    Node::List(vec![text("true")]),
                    Node::List(vec![]),
                ]),
            ),
            (
                "map".to_owned(),
                Node::Mapping(vec![("e".to_owned(), Node::Mapping(vec![]))]),
            ),
        ];
        let mut yaml = YamlText::default();
        yaml.push_members(&members).unwrap();
        yaml.push_comment("# é\u{1b}[2J");
        yaml.push_entry("PEM", "a\nb", Some("# why")).unwrap();
        let written = yaml.into_text();
        let expected = "\"a b\": \"x # y\"\nnum: 1.10\nends: \"a\\n\\n\"\nlist:\n  - k: |\n      1\n      2\n    l: null\n  -\n    - \"true\"\n  - []\nmap:\n  e: {}\n# é\u{fffd}[2J\nPEM: |- # why\n  a\n  b\n";
        assert_eq!(*written, expected);
        assert_eq!(Tree::parse(&written, Rules::Text).unwrap().scalars().len(), 7);
    }

    #[test]
    fn keys_are_as_long_as_yaml_allows_and_cost_nothing_for_the_values_below() {
        for (key, is_taken) in [
            ("k".repeat(1024), true),
            ("k".repeat(1025), false),
            ("é".repeat(1022), true),
            (" ".repeat(1023), false),
        ] {
            let mut yaml = YamlText::default();
            let members = [("m".to_owned(), Node::Mapping(vec![(key.clone(), text("x"))]))];
            assert_eq!(yaml.push_members(&members).is_ok(), is_taken);
            assert_eq!(YamlText::default().push_entry(&key, "x", None).is_ok(), is_taken);
            if is_taken {
                assert!(Tree::parse(&yaml.into_text(), Rules::Text).is_ok());
            }
        }
        let long = vec![(
            "k".repeat(1 << 20),
            Node::List((0..100_000).map(|_| text("x")).collect()),
        )];
        let refused = YamlText::default().push_members(&long).unwrap_err();
        assert!(
            refused
                .to_string()
                .ends_with("does not allow: `kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk…`")
        );
    }

    #[test]
    fn tokens_and_the_footers_key_are_refused() {
        let token = "ENC[age,k3f9c0b71d2a4e658,v8e11c07a,YWdl]";
        let refused = YamlText::default().push_entry("A", token, None).unwrap_err();
        assert_eq!(refused.to_string(), "holds an encrypted token at `A`, not its value");
        let deep = vec![("l".to_owned(), Node::List(vec![text("x"), text(token)]))];
        let refused = YamlText::default().push_members(&deep).unwrap_err();
        assert_eq!(refused.to_string(), "holds an encrypted token at `l.1`, not its value");
        assert!(YamlText::default().push_entry("secretree", "x", None).is_err());
    }
}
