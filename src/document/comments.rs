//! How many comments a text has: what stands between its keys and scalars and begins with `#`.

use super::tree::{Mapping, Node, Tree};

/// The number of comment lines and comments behind values.
pub fn count_comments(tree: &Tree<'_>) -> usize {
    let mut walk = Walk {
        text: tree.body(),
        cursor: 0,
        count: 0,
    };
    walk.mapping(&tree.root);
    walk.until(walk.text.len());
    walk.count
}

struct Walk<'a> {
    text: &'a str,
    cursor: usize,
    count: usize,
}

impl Walk<'_> {
    /// Counts what stands before `end`; outside of keys and scalars `#` stands in comments only.
    fn until(&mut self, end: usize) {
        let gap = self.text.get(self.cursor..end).unwrap_or_default();
        self.count += gap.lines().filter(|line| line.contains('#')).count();
        self.cursor = self.cursor.max(end);
    }

    fn mapping(&mut self, mapping: &Mapping<'_>) {
        for entry in &mapping.entries {
            self.until(entry.key.span.start);
            self.cursor = entry.key.span.end;
            self.node(&entry.value);
        }
    }

    fn node(&mut self, node: &Node<'_>) {
        match node {
            Node::Mapping(mapping) => self.mapping(mapping),
            Node::Sequence(sequence) => sequence.items.iter().for_each(|item| self.node(&item.value)),
            Node::Scalar(scalar) => {
                self.until(scalar.head.start);
                self.cursor = scalar.head.end;
                if scalar.is_block() {
                    self.until(scalar.tail.start);
                    self.cursor = scalar.tail.end;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::count_comments;
    use crate::document::tree::{Rules, Tree};

    #[test]
    fn comments_are_counted_and_values_are_not() {
        for (text, count) in [
            ("", 0),
            ("# one\n\n  # two\n", 2),
            ("a: x # one\n\"#\": '# no' # two\nb: x#y\n", 2),
            ("a: | # one\n  # no\n  #no\n# two\nb: [1, # three\n  \"#\"]\n", 3),
            ("a:\n  # one\n  b:  # two\n  - c\n  # three\n", 3),
            ("a: |\n  #\n\n  # no\n", 0),
        ] {
            assert_eq!(
                count_comments(&Tree::parse(text, Rules::Text).unwrap()),
                count,
                "{text:?}"
            );
        }
    }
}
