//! A sops file in JSON, opened and laid out as YAML: JSON has no comments to keep.

use super::data::Data;
use super::layout::{Node, write};
use super::metadata::{Metadata, way_out};
use super::opening::{Fault, KeyPath, Opening};
use super::scalar::{Scalar, Written};
use super::yaml::METADATA_KEY;
use crate::crypto::identities::Identities;
use crate::error::{Failure, Result};
use crate::formats::Imported;
use crate::secret::Secret;
use crate::value::Value;

/// How far a mapping of the result is indented.
const INDENT: usize = 2;
/// How much of a path is shown, in characters.
const LONGEST_SHOWN: usize = 200;

/// Opens the file `name` with this text.
pub(super) fn read(text: &str, identities: &mut Identities, name: &str) -> Result<Imported> {
    let data: Data = serde_json::from_str(text).map_err(|error| {
        // The error's own words could repeat a part of the text.
        let place = format!("line {} column {}", error.line(), error.column());
        let what = if error.is_data() {
            "a key that stands in its object twice"
        } else {
            "no JSON, or nested too deeply"
        };
        Failure::failed(format!("`{name}` {place}: {what}")).hint(way_out(name))
    })?;
    let Data::Mapping(mut members) = data else {
        return Err(Failure::failed(format!("`{name}` is no JSON object")).into());
    };
    let Some(position) = members.iter().position(|(key, _)| key == METADATA_KEY) else {
        return Err(Failure::failed(format!("`{name}` has no sops metadata")).into());
    };
    let (_, metadata) = members.remove(position);
    let mut walk = Walk {
        name,
        opening: Opening::begin(Metadata::of(&metadata, name)?, identities, name)?,
        path: KeyPath::default(),
    };
    let members = walk.members(members)?;
    walk.opening.finish(name)?;
    Ok(Imported {
        text: write(&members, INDENT),
        notes: Vec::new(),
    })
}

struct Walk<'n> {
    name: &'n str,
    opening: Opening,
    path: KeyPath,
}

impl Walk<'_> {
    fn members(&mut self, members: Vec<(String, Data)>) -> Result<Vec<(String, Node)>> {
        let mut nodes = Vec::with_capacity(members.len());
        for (key, data) in members {
            self.path.push(&key);
            let node = self.node(data)?.ok_or_else(|| self.fault(Fault::Unfit))?;
            self.path.pop();
            nodes.push((key, node));
        }
        Ok(nodes)
    }

    /// Nothing for a comment, which sops can leave in a list that was YAML before.
    fn node(&mut self, data: Data) -> Result<Option<Node>> {
        Ok(Some(match data {
            Data::Mapping(members) => Node::Mapping(self.members(members)?),
            Data::List(items) => {
                let mut nodes = Vec::with_capacity(items.len());
                for item in items {
                    nodes.extend(self.node(item)?);
                }
                Node::List(nodes)
            }
            Data::Null => Node::Value(Written::Value(Value::Null)),
            Data::Bool(value) => self.value(None, Scalar::Bool(value))?,
            Data::Number(value) => self.value(None, Scalar::Float(value))?,
            Data::Text(text) => {
                let readable = Scalar::Text(Secret::from(text.as_str()));
                match self.opened(Some(&text), &readable)? {
                    Some(Scalar::Comment(_)) => return Ok(None),
                    opened => Node::Value(opened.unwrap_or(readable).into_written()),
                }
            }
        }))
    }

    fn value(&mut self, text: Option<&str>, readable: Scalar) -> Result<Node> {
        let opened = self.opened(text, &readable)?;
        Ok(Node::Value(opened.unwrap_or(readable).into_written()))
    }

    fn opened(&mut self, text: Option<&str>, readable: &Scalar) -> Result<Option<Scalar>> {
        let opened = self.opening.value(&self.path, text, || readable.mac_bytes());
        opened.map_err(|fault| self.fault(fault).into())
    }

    fn fault(&self, fault: Fault) -> Failure {
        let path = self.path.bound().trim_end_matches(':').replace(':', ".");
        let shown: String = path.chars().take(LONGEST_SHOWN).collect();
        fault.at(self.name, &format!("at `{shown}`"))
    }
}
