//! What an environment delivers, as plain data: values in lists and mappings, each with whether it stands readable in its
//! file. Made by the vault, written by the formats; how files are opened and which of them are laid over which is
//! left to the vault.

use std::collections::HashMap;

use crate::document::path::{Segment, ValuePath};
use crate::value::Value;

/// Values as they are delivered.
#[derive(Clone, Debug)]
pub enum View {
    /// A value, and whether it stands readable in its file.
    Value(Value, bool),
    /// A list.
    List(Vec<View>),
    /// A mapping, in the order of the files.
    Mapping(Vec<(String, View)>),
}

/// One value of an environment.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where it stands.
    pub path: ValuePath,
    /// What it is.
    pub value: Value,
    /// Whether it stands readable in the file: nobody vouches for it then.
    pub readable: bool,
}

impl View {
    /// Puts `upper` over this view: mappings are merged deeply, scalars and lists as a whole, and an upper `null` hides
    /// (DESIGN 2).
    pub fn cover(&mut self, upper: View) {
        match (self, upper) {
            (Self::Mapping(entries), Self::Mapping(upper)) => {
                // A position for each key, so that covering is linear.
                let mut positions: HashMap<String, usize> = entries
                    .iter()
                    .enumerate()
                    .map(|(position, (key, _))| (key.clone(), position))
                    .collect();
                for (key, view) in upper {
                    match positions.get(&key) {
                        Some(position) => entries[*position].1.cover(view),
                        None => {
                            positions.insert(key.clone(), entries.len());
                            entries.push((key, view));
                        }
                    }
                }
            }
            (lower, upper) => *lower = upper,
        }
    }

    /// What stands at `path`, if anything does.
    pub fn at(&self, path: &ValuePath) -> Option<&Self> {
        path.segments()
            .iter()
            .try_fold(self, |view, segment| match (view, segment) {
                (Self::Mapping(members), Segment::Key(key)) => {
                    members.iter().find(|(name, _)| name == key).map(|(_, member)| member)
                }
                (Self::List(items), Segment::Index(index)) => items.get(*index),
                _ => None,
            })
    }

    /// Every value with its path, in order.
    pub fn entries(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        self.collect(&mut Vec::new(), &mut entries);
        entries
    }

    fn collect(&self, path: &mut Vec<Segment>, entries: &mut Vec<Entry>) {
        match self {
            Self::Value(value, readable) => {
                entries.push(Entry {
                    path: ValuePath::new(path.clone()),
                    value: value.clone(),
                    readable: *readable,
                });
            }
            Self::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    path.push(Segment::Index(index));
                    item.collect(path, entries);
                    path.pop();
                }
            }
            Self::Mapping(members) => {
                for (key, member) in members {
                    path.push(Segment::Key(key.clone()));
                    member.collect(path, entries);
                    path.pop();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::View;
    use crate::document::path::ValuePath;
    use crate::value::Value;

    fn value(text: &str) -> View {
        View::Value(Value::of_plain(text), false)
    }

    fn mapping<const N: usize>(members: [(&str, View); N]) -> View {
        View::Mapping(members.into_iter().map(|(key, view)| (key.to_owned(), view)).collect())
    }

    fn shown(view: &View) -> Vec<(String, Value)> {
        let entries = view.entries().into_iter();
        entries.map(|entry| (entry.path.to_string(), entry.value)).collect()
    }

    #[test]
    fn the_upper_view_wins_member_by_member_and_lists_as_a_whole() {
        let mut view = mapping([
            ("a", mapping([("x", value("1")), ("y", value("2"))])),
            ("hosts", View::List(vec![value("one"), value("two")])),
            ("gone", value("3")),
            ("kept", value("4")),
        ]);
        view.cover(mapping([
            ("new", value("5")),
            ("a", mapping([("y", value("6")), ("z", value("7"))])),
            ("hosts", View::List(vec![value("three")])),
            ("gone", value("~")),
        ]));
        let expected = [
            ("a.x", Value::Integer(1)),
            ("a.y", Value::Integer(6)),
            ("a.z", Value::Integer(7)),
            ("hosts.0", Value::text("three")),
            ("gone", Value::Null),
            ("kept", Value::Integer(4)),
            ("new", Value::Integer(5)),
        ];
        assert_eq!(shown(&view), expected.map(|(path, value)| (path.to_owned(), value)));
        for entry in view.entries() {
            let found = view.at(&entry.path);
            assert!(matches!(found, Some(View::Value(value, _)) if *value == entry.value));
        }
        for nowhere in ["nowhere", "hosts.1", "hosts.x", "kept.x"] {
            assert!(
                view.at(&ValuePath::parse(nowhere).expect("a path")).is_none(),
                "{nowhere}"
            );
        }
    }

    #[test]
    fn a_mapping_and_a_value_cover_each_other_whole() {
        let mut view = mapping([("a", value("1")), ("b", mapping([("c", value("2"))]))]);
        view.cover(mapping([("a", mapping([("x", value("3"))])), ("b", value("4"))]));
        let expected = [("a.x", Value::Integer(3)), ("b", Value::Integer(4))];
        assert_eq!(shown(&view), expected.map(|(path, value)| (path.to_owned(), value)));
    }
}
