//! Plain data in the order of a file: what a JSON text holds, and the metadata of every form of sops file. Numbers are
//! floating-point, as sops reads them in JSON.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use zeroize::Zeroizing;

use crate::document::tree;
use crate::value::Value;

/// Some data.
pub(super) enum Data {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(f64),
    /// Text.
    Text(Zeroizing<String>),
    /// A list.
    List(Vec<Data>),
    /// Members by name, each name once.
    Mapping(Vec<(String, Data)>),
}

impl Data {
    /// The member of this name.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Mapping(members) => members.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text of the member of this name.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items of the list of this name; none where there is no list.
    pub(super) fn list(&self, name: &str) -> &[Self] {
        match self.get(name) {
            Some(Self::List(items)) => items,
            _ => &[],
        }
    }

    /// Whether the member of this name is `true`, in whatever form.
    pub(super) fn is_set(&self, name: &str) -> bool {
        match self.get(name) {
            Some(Self::Bool(value)) => *value,
            Some(Self::Text(text)) => text.eq_ignore_ascii_case("true"),
            _ => false,
        }
    }

    /// What a part of a YAML text holds; numbers as their text.
    pub(super) fn of_node(node: &tree::Node<'_>) -> Self {
        match node {
            tree::Node::Scalar(scalar) => match scalar.value() {
                Value::Null => Self::Null,
                Value::Bool(value) => Self::Bool(value),
                _ => Self::Text(Zeroizing::new(scalar.content.to_string())),
            },
            tree::Node::Sequence(sequence) => {
                Self::List(sequence.items.iter().map(|item| Self::of_node(&item.value)).collect())
            }
            tree::Node::Mapping(mapping) => {
                let member = |entry: &tree::Entry<'_>| (entry.key.name.to_string(), Self::of_node(&entry.value));
                Self::Mapping(mapping.entries.iter().map(member).collect())
            }
        }
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DataVisitor)
    }
}

struct DataVisitor;

impl<'de> Visitor<'de> for DataVisitor {
    type Value = Data;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("data")
    }

    fn visit_unit<E>(self) -> Result<Data, E> {
        Ok(Data::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Data, E> {
        Ok(Data::Bool(value))
    }

    #[expect(clippy::cast_precision_loss, reason = "as sops reads it")]
    fn visit_i64<E>(self, value: i64) -> Result<Data, E> {
        Ok(Data::Number(value as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "as sops reads it")]
    fn visit_u64<E>(self, value: u64) -> Result<Data, E> {
        Ok(Data::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Data, E> {
        Ok(Data::Number(value))
    }

    fn visit_str<E>(self, text: &str) -> Result<Data, E> {
        Ok(Data::Text(Zeroizing::new(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Data, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Data::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Data, A::Error> {
        let mut members = Vec::new();
        let mut names = HashSet::new();
        while let Some((name, value)) = entries.next_entry::<String, Data>()? {
            if !names.insert(name.clone()) {
                return Err(A::Error::custom("a key that stands in this object twice"));
            }
            members.push((name, value));
        }
        Ok(Data::Mapping(members))
    }
}

#[cfg(test)]
mod tests {
    use super::Data;

    #[test]
    fn json_keeps_its_order_and_its_bounds() {
        let data: Data = serde_json::from_str("{\"b\": [1, -2.5, null], \"a\": {\"x\": \"true\"}}").expect("JSON");
        let Data::Mapping(members) = &data else { panic!() };
        assert_eq!(
            members.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
            ["b", "a"]
        );
        assert!(matches!(data.list("b"), [Data::Number(one), Data::Number(_), Data::Null] if *one == 1.0));
        assert!(
            data.get("a")
                .is_some_and(|a| a.is_set("x") && a.text("x") == Some("true"))
        );
        assert!(serde_json::from_str::<Data>("{\"a\": 1, \"a\": 2}").is_err());
        assert!(serde_json::from_str::<Data>(&"[".repeat(100_000)).is_err());
    }
}
