//! What a public text says, apart from how it is laid out: for holding the text after an edit against what was meant.

use super::edit::Change;
use super::path::{Segment, ValuePath};
use super::tree::{Mapping, Node, Tree};
use crate::value::Value;

/// A scalar, a list or a mapping. The entries of a mapping are in the order in which they are to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// One value.
    Scalar(Value),
    /// A list.
    List(Vec<Meaning>),
    /// Keys and values.
    Mapping(Vec<(String, Meaning)>),
}

impl Meaning {
    /// What the whole text says, keys sorted.
    pub fn of(tree: &Tree<'_>) -> Self {
        Self::of_mapping(&tree.root)
    }

    /// A string.
    pub fn text(text: &str) -> Self {
        Self::Scalar(Value::text(text))
    }

    /// A list of strings.
    pub fn texts<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        Self::List(texts.into_iter().map(Self::text).collect())
    }

    fn of_mapping(mapping: &Mapping<'_>) -> Self {
        let entries = mapping.entries.iter();
        Self::sorted(
            entries
                .map(|entry| (entry.key.name.to_string(), Self::of_node(&entry.value)))
                .collect(),
        )
    }

    fn of_node(node: &Node<'_>) -> Self {
        match node {
            Node::Scalar(scalar) => Self::Scalar(scalar.value()),
            Node::Mapping(mapping) => Self::of_mapping(mapping),
            Node::Sequence(list) => Self::List(list.items.iter().map(|item| Self::of_node(&item.value)).collect()),
        }
    }

    fn sorted(mut entries: Vec<(String, Self)>) -> Self {
        entries.sort_by(|one, other| one.0.cmp(&other.0));
        Self::Mapping(entries)
    }

    /// The same with the keys of every mapping in it sorted.
    fn in_order(&self) -> Self {
        match self {
            Self::Scalar(_) => self.clone(),
            Self::List(items) => Self::List(items.iter().map(Self::in_order).collect()),
            Self::Mapping(entries) => {
                let entries = entries.iter().map(|(key, value)| (key.clone(), value.in_order()));
                Self::sorted(entries.collect())
            }
        }
    }

    /// What is said after the change; nothing if it does not fit.
    pub fn after(mut self, change: &Change) -> Option<Self> {
        match change {
            Change::Insert(path, new) => {
                let place = self.at(path.segments())?;
                if *place == Self::Scalar(Value::Null) {
                    *place = Self::Mapping(Vec::new());
                }
                let Self::Mapping(entries) = place else { return None };
                entries.extend(new.iter().map(|(key, value)| (key.clone(), value.in_order())));
                entries.sort_by(|one, other| one.0.cmp(&other.0));
                if entries.windows(2).any(|pair| pair[0].0 == pair[1].0) {
                    return None;
                }
            }
            Change::Append(path, new) => match self.at(path.segments())? {
                Self::List(items) => items.extend(new.iter().map(|item| Self::text(item))),
                _ => return None,
            },
            Change::Remove(paths) => {
                for path in paths {
                    self.remove(path.segments())?;
                }
            }
        }
        Some(self)
    }

    fn remove(&mut self, path: &[Segment]) -> Option<()> {
        let (last, parents) = path.split_last()?;
        match (self.at(parents)?, last) {
            (Self::Mapping(entries), Segment::Key(key)) => {
                let position = position_of(entries, key)?;
                entries.remove(position);
            }
            (Self::List(items), Segment::Index(index)) if *index < items.len() => drop(items.remove(*index)),
            _ => return None,
        }
        Some(())
    }

    fn at(&mut self, path: &[Segment]) -> Option<&mut Self> {
        let mut place = self;
        for segment in path {
            place = match (place, segment) {
                (Self::Mapping(entries), Segment::Key(key)) => {
                    let position = position_of(entries, key)?;
                    &mut entries[position].1
                }
                (Self::List(items), Segment::Index(index)) => items.get_mut(*index)?,
                _ => return None,
            };
        }
        Some(place)
    }

    /// What stands at `path`, keys only.
    fn get(&self, path: &ValuePath) -> Option<&Self> {
        path.segments()
            .iter()
            .try_fold(self, |place, segment| match (place, segment) {
                (Self::Mapping(entries), Segment::Key(key)) => {
                    position_of(entries, key).map(|position| &entries[position].1)
                }
                _ => None,
            })
    }

    /// The string at `path`, if one stands there.
    pub fn text_at(&self, path: &ValuePath) -> Option<&str> {
        match self.get(path)? {
            Self::Scalar(Value::Text(text)) => text.expose_text(),
            _ => None,
        }
    }

    /// The strings of the list at `path`, other items as nothing; none if no list stands there.
    pub fn list(&self, path: &ValuePath) -> Vec<Option<&str>> {
        let Some(Self::List(items)) = self.get(path) else {
            return Vec::new();
        };
        items
            .iter()
            .map(|item| match item {
                Self::Scalar(Value::Text(text)) => text.expose_text(),
                _ => None,
            })
            .collect()
    }

    /// The keys of the mapping under the root key `name`.
    pub fn keys_under(&self, name: &str) -> Vec<&str> {
        let Self::Mapping(root) = self else { return Vec::new() };
        match root.iter().find(|(key, _)| key == name) {
            Some((_, Self::Mapping(entries))) => entries.iter().map(|(key, _)| key.as_str()).collect(),
            _ => Vec::new(),
        }
    }
}

/// Where `key` stands among entries that are sorted.
fn position_of(entries: &[(String, Meaning)], key: &str) -> Option<usize> {
    entries.binary_search_by(|(known, _)| known.as_str().cmp(key)).ok()
}
