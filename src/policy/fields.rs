//! Reads the nodes of a policy's tree as what the policy expects there: fields, names, lists, words. Every
//! failure names line and column and, for a wrong name, the one that was probably meant.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use granit_parser::ScalarStyle;
use jiff::civil::Date;

use super::spot::{SourceText, Spot, Spotted, shown};
use crate::document::tree::{Entry, Item, Mapping, Node};
use crate::error::Failure;
use crate::names::{NAME_RULE, RecipientName, did_you_mean};
use crate::value::Value;
use crate::when;

/// The result of reading: failures stay typed until they leave the policy.
pub(super) type Read<T> = Result<T, Failure>;

/// Reads nodes of one policy file.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    source: &'a Arc<SourceText>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(source: &'a Arc<SourceText>) -> Self {
        Self { source }
    }

    /// Where `node` stands.
    pub(super) fn spot(self, node: &Node<'_>) -> Spot {
        Spot::new(self.source, &node.span())
    }

    /// Where the key of `entry` stands.
    pub(super) fn key_spot(self, entry: &Entry<'_>) -> Spot {
        Spot::new(self.source, &entry.key.span)
    }

    fn refuse<T>(self, node: &Node<'_>, message: String) -> Read<T> {
        Err(self.spot(node).failure(message))
    }

    /// The entries of a mapping; nothing written (`secrets:`) is an empty one.
    pub(super) fn entries(self, node: &'a Node<'a>, what: &str) -> Read<&'a [Entry<'a>]> {
        match node {
            Node::Mapping(mapping) => Ok(&mapping.entries),
            Node::Scalar(scalar) if scalar.style == ScalarStyle::Plain && is_null(&scalar.content) => Ok(&[]),
            _ => self.refuse(node, format!("{what} is a mapping of names")),
        }
    }

    /// The fields of a mapping whose field names are `known`.
    pub(super) fn fields(self, node: &'a Node<'a>, what: &str, known: &[&str]) -> Read<Fields<'a>> {
        let fields = self.open_fields(node, what)?;
        fields.refuse_unknown(known)?;
        Ok(fields)
    }

    /// The fields of a mapping that may have others than those we know.
    pub(super) fn open_fields(self, node: &'a Node<'a>, what: &str) -> Read<Fields<'a>> {
        Ok(Fields {
            reader: self,
            entries: self.entries(node, what)?,
            spot: self.spot(node),
        })
    }

    /// The fields at the root of the file.
    pub(super) fn root(self, mapping: &'a Mapping<'a>, known: &[&str]) -> Read<Fields<'a>> {
        let fields = Fields {
            reader: self,
            entries: &mapping.entries,
            spot: Spot::new(self.source, &(0..0)),
        };
        fields.refuse_unknown(known)?;
        Ok(fields)
    }

    /// A string. A plain scalar must be one for every YAML reader: numbers and `true` are quoted.
    pub(super) fn text(self, node: &Node<'_>, what: &str) -> Read<Spotted<String>> {
        let Node::Scalar(scalar) = node else {
            return self.refuse(node, format!("{what} is one text"));
        };
        if scalar.style == ScalarStyle::Plain && !is_plain_text(&scalar.content) {
            return self.refuse(node, format!("{what} is a text: write it in quotes"));
        }
        Ok(Spotted {
            value: scalar.content.to_string(),
            spot: self.spot(node),
        })
    }

    /// The items of a list.
    pub(super) fn items<'n>(self, node: &'n Node<'n>, what: &str) -> Read<&'n [Item<'n>]> {
        match node {
            Node::Sequence(sequence) => Ok(&sequence.items),
            _ => self.refuse(node, format!("{what} is a list, `[…]`")),
        }
    }

    /// A list of strings.
    pub(super) fn texts(self, node: &Node<'_>, what: &str) -> Read<Vec<Spotted<String>>> {
        let item = format!("each item of {what}");
        self.items(node, what)?
            .iter()
            .map(|each| self.text(&each.value, &item))
            .collect()
    }

    /// The command to start and its arguments: a list, never a line for a shell.
    pub(super) fn arguments(self, node: &Node<'_>, what: &str) -> Read<Vec<String>> {
        let arguments = self.texts(node, what)?;
        if arguments.first().is_none_or(|program| program.value.is_empty()) {
            return self.refuse(node, format!("{what} begins with the program to start"));
        }
        if let Some(argument) = arguments.iter().find(|argument| argument.value.contains('\0')) {
            return Err(argument.spot.failure(format!("{what} holds a NUL character")));
        }
        Ok(arguments.into_iter().map(|argument| argument.value).collect())
    }

    /// `true` or `false`.
    pub(super) fn boolean(self, node: &Node<'_>, what: &str) -> Read<bool> {
        match Self::plain(node) {
            Some(Value::Bool(value)) => Ok(value),
            _ => self.refuse(node, format!("{what} is `true` or `false`")),
        }
    }

    /// An integer within `1..=most`.
    pub(super) fn integer(self, node: &Node<'_>, what: &str, most: u32) -> Read<u32> {
        match Self::plain(node) {
            Some(Value::Integer(value)) if (1..=i64::from(most)).contains(&value) => {
                Ok(u32::try_from(value).expect("it is within 1 and a u32"))
            }
            _ => self.refuse(node, format!("{what} is a number from 1 to {most}")),
        }
    }

    /// The meaning of a plain scalar; nothing for quoted ones and collections.
    pub(super) fn plain(node: &Node<'_>) -> Option<Value> {
        match node {
            Node::Scalar(scalar) if scalar.style == ScalarStyle::Plain => Some(Value::of_plain(&scalar.content)),
            _ => None,
        }
    }

    /// A name by the rule of recipients and groups; also of targets, rotators and placeholders.
    pub(super) fn name(self, entry: &Entry<'_>) -> Read<RecipientName> {
        RecipientName::new(&entry.key.name).ok_or_else(|| no_name(&self.key_spot(entry), &entry.key.name))
    }
}

/// The failure for a text that cannot be a name.
pub(super) fn no_name(spot: &Spot, text: &str) -> Failure {
    spot.failure(format_args!("{} is no name", shown(text))).hint(NAME_RULE)
}

/// The failure for a name that matches nothing, with the known one that was probably meant.
pub(super) fn unknown<'k>(spot: &Spot, text: &str, what: &str, known: impl IntoIterator<Item = &'k str>) -> Failure {
    let failure = spot.failure(format_args!("{} is no {what}", shown(text)));
    match meant(text, known) {
        Some(meant) => failure.hint(format!("did you mean `{meant}`?")),
        None => failure,
    }
}

/// The known name that was probably meant. Long texts are not compared, so that the work stays small.
fn meant<'k>(text: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    if text.len() <= 64 {
        did_you_mean(text, known)
    } else {
        None
    }
}

/// Refuses a list in which a text stands twice.
pub(super) fn refuse_repeated(listed: &[Spotted<String>]) -> Read<()> {
    let mut seen = HashSet::new();
    match listed.iter().find(|item| !seen.insert(&item.value)) {
        Some(item) => Err(item
            .spot
            .failure(format_args!("{} stands here twice", shown(&item.value)))),
        None => Ok(()),
    }
}

/// A mapping with a fixed set of fields.
pub(super) struct Fields<'a> {
    reader: Reader<'a>,
    entries: &'a [Entry<'a>],
    spot: Spot,
}

impl<'a> Fields<'a> {
    fn refuse_unknown(&self, known: &[&str]) -> Read<()> {
        for entry in self.entries {
            let name: &str = &entry.key.name;
            if !known.contains(&name) {
                let failure = self
                    .reader
                    .key_spot(entry)
                    .failure(format_args!("unknown field {}", shown(name)));
                return Err(match meant(name, known.iter().copied()) {
                    Some(meant) => failure.hint(format!("did you mean `{meant}`?")),
                    None => failure.hint(format!("fields here are {}", known.join(", "))),
                });
            }
        }
        Ok(())
    }

    /// The node of the field `name`.
    pub(super) fn get(&self, name: &str) -> Option<&'a Node<'a>> {
        let entry = self.entries.iter().find(|entry| &*entry.key.name == name)?;
        Some(&entry.value)
    }

    /// The fields that are not `known`.
    pub(super) fn others(&self, known: &'a [&'a str]) -> impl Iterator<Item = (&'a str, &'a Node<'a>)> {
        let others = self
            .entries
            .iter()
            .filter(move |entry| !known.contains(&&*entry.key.name));
        others.map(|entry| (&*entry.key.name, &entry.value))
    }

    /// Where the whole mapping stands.
    pub(super) fn spot(&self) -> &Spot {
        &self.spot
    }

    /// The node of the field `name`, which must be there.
    pub(super) fn needed(&self, name: &str, what: &str) -> Read<&'a Node<'a>> {
        self.get(name)
            .ok_or_else(|| self.spot.failure(format_args!("{what} needs `{name}`")))
    }

    /// A string, if the field is there.
    pub(super) fn text(&self, name: &str) -> Read<Option<Spotted<String>>> {
        self.get(name)
            .map(|node| self.reader.text(node, &format!("`{name}`")))
            .transpose()
    }

    /// A list of strings, if the field is there.
    pub(super) fn texts(&self, name: &str) -> Read<Option<Vec<Spotted<String>>>> {
        self.get(name)
            .map(|node| self.reader.texts(node, &format!("`{name}`")))
            .transpose()
    }

    /// A command with its arguments, if the field is there.
    pub(super) fn arguments(&self, name: &str) -> Read<Option<Vec<String>>> {
        self.get(name)
            .map(|node| self.reader.arguments(node, &format!("`{name}`")))
            .transpose()
    }

    /// `true` or `false`; `false` if the field is not there.
    pub(super) fn flag(&self, name: &str) -> Read<bool> {
        self.get(name)
            .map_or(Ok(false), |node| self.reader.boolean(node, &format!("`{name}`")))
    }

    /// A length of time such as `90d`, if the field is there.
    pub(super) fn duration(&self, name: &str) -> Read<Option<Duration>> {
        let Some(node) = self.get(name) else { return Ok(None) };
        let refusal = || {
            self.reader
                .spot(node)
                .failure(format_args!("`{name}` is a length of time such as `90d`"))
        };
        let text = self.reader.text(node, &format!("`{name}`")).map_err(|_| refusal())?;
        when::parse_duration(&text.value)
            .map(Some)
            .ok_or_else(|| refusal().hint("a number and one of `s`, `m`, `h`, `d`, `w`"))
    }

    /// A date such as `2027-03-31`, if the field is there.
    pub(super) fn date(&self, name: &str) -> Read<Option<Date>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        when::parse_date(&text.value).map(Some).ok_or_else(|| {
            text.spot
                .failure(format_args!("`{name}` is a date such as `2027-03-31`"))
        })
    }
}

/// Whether a plain scalar stands for nothing.
fn is_null(content: &str) -> bool {
    Value::of_plain(content) == Value::Null
}

/// Whether every reader of YAML takes this plain scalar for a string (the core schema of YAML 1.2).
fn is_plain_text(content: &str) -> bool {
    let unsigned = content.strip_prefix(['-', '+']).unwrap_or(content);
    let number = unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        && (unsigned.parse::<f64>().is_ok()
            || ["0x", "0o", "0b"].iter().any(|prefix| unsigned.starts_with(prefix))
            || [".inf", ".nan"].contains(&unsigned.to_ascii_lowercase().as_str()));
    !number && matches!(Value::of_plain(content), Value::Text(_))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};

    use super::is_plain_text;

    fn other_reader_sees_text(plain: &str) -> bool {
        matches!(serde_yaml::from_str(plain), Ok(serde_yaml::Value::String(text)) if text == plain)
    }

    #[test]
    fn plain_scalars_that_are_numbers_elsewhere_are_no_text() {
        for plain in [
            "1.10", "007", "0x1F", "0o17", "0b1", "+1", "-1e5", ".inf", "-.INF", ".NaN", "5e10", "~", "True", "NULL",
        ] {
            assert!(!is_plain_text(plain), "{plain}");
        }
        for plain in ["90d", "2027-03-31", "yes", "dev", "1.2.3", ".a", "-x", "e5", "inf"] {
            assert!(is_plain_text(plain), "{plain}");
            assert!(other_reader_sees_text(plain), "{plain}");
        }
    }

    proptest! {
        #[test]
        fn what_is_text_here_is_text_for_another_reader(plain in "[-+.0-9a-fA-FxobnNeEiIlLtTrRuUsSyY~_]{1,8}") {
            let structural = plain == "-" || plain.starts_with("---") || plain.starts_with("...");
            if !structural && is_plain_text(&plain) {
                prop_assert!(other_reader_sees_text(&plain));
            }
        }
    }
}
