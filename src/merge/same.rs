//! Whether two nodes say the same: tokens by their versions, whatever key they are sealed under; readable values by what
//! they mean; mappings whatever the order of their keys.

use std::collections::{HashMap, HashSet};

use crate::document::token::Token;
use crate::document::tree::{Mapping, Node, Scalar};

/// Whether two scalars hold the same value, as far as anyone can see.
pub(super) fn same_scalar(left: &Scalar<'_>, right: &Scalar<'_>) -> bool {
    match (Token::parse(&left.content), Token::parse(&right.content)) {
        (Some(left), Some(right)) => left.version == right.version,
        (None, None) => left.value() == right.value(),
        _ => false,
    }
}

/// Whether two nodes hold the same values at the same places.
pub(super) fn same(left: &Node<'_>, right: &Node<'_>) -> bool {
    match (left, right) {
        (Node::Scalar(left), Node::Scalar(right)) => same_scalar(left, right),
        (Node::Sequence(left), Node::Sequence(right)) => {
            left.items.len() == right.items.len()
                && left
                    .items
                    .iter()
                    .zip(&right.items)
                    .all(|(left, right)| same(&left.value, &right.value))
        }
        (Node::Mapping(left), Node::Mapping(right)) => {
            let by_key = by_key(right);
            left.entries.len() == right.entries.len()
                && left.entries.iter().all(|entry| {
                    by_key
                        .get(&*entry.key.name)
                        .is_some_and(|other| same(&entry.value, other))
                })
        }
        _ => false,
    }
}

/// The values of a mapping by their keys.
pub(super) fn by_key<'t, 'a>(mapping: &'t Mapping<'a>) -> HashMap<&'t str, &'t Node<'a>> {
    let entries = mapping.entries.iter();
    entries.map(|entry| (&*entry.key.name, &entry.value)).collect()
}

/// What a node says, as a text that two nodes have in common if and only if they are the same.
fn mark(node: &Node<'_>, out: &mut String) {
    match node {
        Node::Scalar(scalar) => match Token::parse(&scalar.content) {
            Some(token) => out.push_str(token.version.as_str()),
            // Readable: it stands in the file for everybody.
            None => out.push_str(&format!("{:?}{:?}", scalar.style, &*scalar.content)),
        },
        Node::Sequence(list) => {
            out.push('[');
            for item in &list.items {
                mark(&item.value, out);
                out.push(',');
            }
            out.push(']');
        }
        Node::Mapping(mapping) => {
            let mut entries: Vec<_> = mapping.entries.iter().collect();
            entries.sort_by_key(|entry| entry.key.name.to_string());
            out.push('{');
            for entry in entries {
                out.push_str(&format!("{:?}:", &*entry.key.name));
                mark(&entry.value, out);
                out.push(',');
            }
            out.push('}');
        }
    }
}

/// Whether an item of `now` stood at another place of `before`: items are bound to their numbers, and one was removed or
/// put in among them.
pub(super) fn is_shifted(before: &[&Node<'_>], now: &[&Node<'_>]) -> bool {
    let marked = |node: &&Node<'_>| {
        let mut text = String::new();
        mark(node, &mut text);
        text
    };
    let marks: Vec<String> = before.iter().map(marked).collect();
    let known: HashSet<&str> = marks.iter().map(String::as_str).collect();
    now.iter().enumerate().any(|(at, node)| {
        let own = marked(node);
        marks.get(at) != Some(&own) && known.contains(own.as_str())
    })
}
