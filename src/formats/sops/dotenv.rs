//! A sops file of `NAME=value` lines, opened and written as YAML with its comments. sops takes everything behind the
//! `=` for the value, and writes line feeds as `\n`; its metadata are lines too, flattened into names.

use std::collections::{BTreeMap, HashSet};

use zeroize::Zeroizing;

use super::data::Data;
use super::metadata::{Metadata, way_out};
use super::opening::{KeyPath, Opening};
use super::scalar::{Scalar, Written};
use super::yaml::comment_text;
use crate::crypto::identities::Identities;
use crate::document::render::{Position, written_key};
use crate::error::{Failure, Result};
use crate::formats::Imported;
use crate::secret::Secret;
use crate::value::{LineEnd, Value};

const METADATA_PREFIX: &str = "sops_";
/// Metadata are nested three deep, with a name and an index each.
const DEEPEST_NAME: usize = 8;

/// Opens the file `name` with this text.
pub(super) fn read(text: &str, identities: &mut Identities, name: &str) -> Result<Imported> {
    let metadata = metadata(text);
    let mut reader = DotenvReader {
        name,
        opening: Opening::begin(Metadata::of(&metadata, name)?, identities, name)?,
        seen: HashSet::new(),
        quoted: Vec::new(),
        text: Zeroizing::new(String::with_capacity(text.len())),
    };
    for (index, line) in text.lines().enumerate() {
        if !line.is_empty() && !line.starts_with(METADATA_PREFIX) {
            reader.line(line, index + 1)?;
        }
    }
    reader.finish()
}

struct DotenvReader<'t> {
    name: &'t str,
    opening: Opening,
    seen: HashSet<&'t str>,
    /// Variables whose values stand in quotes.
    quoted: Vec<&'t str>,
    text: Zeroizing<String>,
}

impl<'t> DotenvReader<'t> {
    fn line(&mut self, line: &'t str, number: usize) -> Result<()> {
        if let Some(comment) = line.strip_prefix('#') {
            let opened = self.opening.comment(comment, KeyPath::default().all_bound());
            let comment = opened.unwrap_or_else(|| Secret::from(comment));
            self.text.push_str(&comment_text(&comment));
            self.text.push('\n');
            return Ok(());
        }
        let name = self.name;
        let refused = |what: &str| Failure::failed(format!("`{name}` line {number}: {what}")).hint(way_out(name));
        let (key, value) = line.split_once('=').ok_or_else(|| refused("no `NAME=value`"))?;
        let mut path = KeyPath::default();
        path.push(key);
        let readable = Scalar::Text(unescaped(value));
        let opened = self.opening.value(&path, Some(value), || readable.mac_bytes());
        let opened = opened.map_err(|fault| fault.at(name, &format!("line {number}")))?;
        let variable = key.strip_prefix("export ").unwrap_or(key).trim();
        if !self.seen.insert(variable) {
            return Err(refused(&format!("`{variable}` stands there twice")).into());
        }
        let written = opened.unwrap_or(readable).into_written();
        if is_quoted(&written) {
            self.quoted.push(variable);
        }
        self.push(variable, &written);
        Ok(())
    }

    fn push(&mut self, variable: &str, written: &Written) {
        let text = written.text(Position {
            column: 0,
            line_end: LineEnd::Lf,
            flow: false,
        });
        self.text.push_str(&written_key(variable));
        self.text.push_str(": ");
        self.text.push_str(&text);
        if !text.ends_with('\n') {
            self.text.push('\n');
        }
    }

    fn finish(self) -> Result<Imported> {
        self.opening.finish(self.name)?;
        let names: Vec<_> = self.quoted.iter().map(|name| format!("`{name}`")).collect();
        let note = format!(
            "the quotes around {} are kept, for sops takes them as a part of the value",
            names.join(", ")
        );
        Ok(Imported {
            text: self.text,
            notes: if names.is_empty() { Vec::new() } else { vec![note] },
        })
    }
}

/// A value as sops reads it: `\n` is a line feed.
fn unescaped(value: &str) -> Secret {
    Secret::from_text(value.replace("\\n", "\n"))
}

/// Whether a dotenv reader would take quotes off the value.
fn is_quoted(written: &Written) -> bool {
    let Written::Value(Value::Text(text)) = written else {
        return false;
    };
    let text = text.expose();
    text.len() >= 2 && text.first() == text.last() && matches!(text[0], b'"' | b'\'')
}

/// The metadata: `sops_age__list_0__map_enc` is the member `enc` of item 0 of `age`.
fn metadata(text: &str) -> Data {
    let mut root = Branch::default();
    let lines = text
        .lines()
        .filter_map(|line| line.strip_prefix(METADATA_PREFIX)?.split_once('='));
    for (name, value) in lines.filter(|(name, _)| name.matches("__").count() < DEEPEST_NAME) {
        let mut branch = &mut root;
        for part in name.split("__") {
            let part = part.strip_prefix("map_").unwrap_or(part);
            branch = branch.below.entry(part).or_default();
        }
        branch.value = Some(value.replace("\\n", "\n"));
    }
    root.into_data()
}

#[derive(Default)]
struct Branch<'a> {
    value: Option<String>,
    below: BTreeMap<&'a str, Branch<'a>>,
}

impl Branch<'_> {
    fn into_data(self) -> Data {
        if let Some(value) = self.value {
            return Data::Text(Zeroizing::new(value));
        }
        if self.below.keys().all(|name| name.starts_with("list_")) {
            return Data::List(self.below.into_values().map(Branch::into_data).collect());
        }
        let members = self.below.into_iter();
        Data::Mapping(
            members
                .map(|(name, branch)| (name.to_owned(), branch.into_data()))
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::metadata;

    #[test]
    fn flattened_metadata_are_nested_again() {
        let text = "A=1\nsops_age__list_0__map_recipient=age1x\nsops_age__list_0__map_enc=a\\nb\nsops_age__list_1__map_enc=c\nsops_mac_only_encrypted=true\nsops_key_groups__list_0__map_age__list_0__map_enc=d\n";
        let data = metadata(text);
        let age = data.list("age");
        assert_eq!(
            (age.len(), age[0].text("recipient"), age[0].text("enc")),
            (2, Some("age1x"), Some("a\nb"))
        );
        assert!(data.is_set("mac_only_encrypted"));
        assert_eq!(data.list("key_groups")[0].list("age")[0].text("enc"), Some("d"));
        assert_eq!(metadata(&format!("sops_{}=x", "a__".repeat(100_000))).text("a"), None);
    }
}
