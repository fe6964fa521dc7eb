//! A last look at a merged text: whichever side of its conflicts is taken, it must hold exactly the values that were
//! decided.

use std::collections::HashMap;

use super::Side;
use super::decide::{Child, Decision, Pick};
use super::lines::{Marks, seen};
use crate::document::path::{Segment, ValuePath};
use crate::document::token::is_token;
use crate::document::tree::{Node, Rules, Scalar, Tree};

/// Whether `body` holds what was decided, by either of these sides.
pub(super) fn holds(body: &str, sides: &[Side], children: &[Child<'_>], main_side: Side, marks: &Marks) -> bool {
    sides.iter().all(|side| {
        let side = *side;
        let mut expected = Expected {
            takes_main: side == main_side,
            path: Vec::new(),
            values: HashMap::new(),
        };
        expected.children(children);
        let text = resolved(body, marks, side);
        let Ok(tree) = Tree::parse(&text, Rules::File) else {
            return false;
        };
        let found = tree.scalars();
        tree.footer.is_none()
            && found.len() == expected.values.len()
            && found.iter().all(|(path, scalar)| {
                expected
                    .values
                    .get(path)
                    .is_some_and(|expected| is_same(expected, scalar))
            })
    })
}

/// Byte for byte for tokens, by their meaning for readable values.
fn is_same(left: &Scalar<'_>, right: &Scalar<'_>) -> bool {
    match (is_token(&left.content), is_token(&right.content)) {
        (true, true) => *left.content == *right.content,
        (false, false) => left.value() == right.value(),
        _ => false,
    }
}

/// `text` with one side of each conflict.
pub(super) fn resolved(text: &str, marks: &Marks, side: Side) -> String {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    seen(&lines, marks, side).map(|number| lines[number]).collect()
}

struct Expected<'c> {
    takes_main: bool,
    path: Vec<Segment>,
    values: HashMap<ValuePath, &'c Scalar<'c>>,
}

impl<'c> Expected<'c> {
    fn children(&mut self, children: &'c [Child<'c>]) {
        for child in children {
            self.path.push(child.segment().clone());
            match &child.decision {
                Decision::Main(picks) => self.part(child.main.map(|part| part.node), picks),
                Decision::Other => self.part(child.other.map(|part| part.node), &[]),
                Decision::Conflict(_) => {
                    let part = if self.takes_main { child.main } else { child.other };
                    self.part(part.map(|part| part.node), &[]);
                }
                Decision::Merge(children) => self.children(children),
            }
            self.path.pop();
        }
    }

    fn part(&mut self, node: Option<&'c Node<'c>>, picks: &[Pick<'c>]) {
        if let Some(node) = node {
            self.node(node, picks);
        }
    }

    fn node(&mut self, node: &'c Node<'c>, picks: &[Pick<'c>]) {
        match node {
            Node::Scalar(scalar) => {
                let pick = picks.iter().find(|pick| std::ptr::eq(pick.main, scalar));
                let scalar = pick.map_or(scalar, |pick| pick.other);
                self.values.insert(ValuePath::new(self.path.clone()), scalar);
            }
            Node::Mapping(mapping) => {
                for entry in &mapping.entries {
                    self.path.push(Segment::Key(entry.key.name.to_string()));
                    self.node(&entry.value, picks);
                    self.path.pop();
                }
            }
            Node::Sequence(list) => {
                for (number, item) in list.items.iter().enumerate() {
                    self.path.push(Segment::Index(number));
                    self.node(&item.value, picks);
                    self.path.pop();
                }
            }
        }
    }
}
