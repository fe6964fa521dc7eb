//! Where values are delivered and how new ones are made: targets and rotators, as the policy declares them.
//! What a target's kind needs beyond the common fields is kept unread for that kind.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::environments::malformed_glob;
use super::fields::{Fields, Read, Reader, unknown};
use super::glob::Glob;
use super::spot::{Spot, Spotted};
use crate::crypto::generate::Generator;
use crate::document::path::ValuePath;
use crate::document::tree::{Entry, Node};
use crate::names::{EnvironmentName, RecipientName};
use crate::value::Value;

/// The fields that every target may have.
pub(super) const TARGET_FIELDS: [&str; 6] = ["kind", "from", "only", "names", "restart", "command"];

/// The kinds of targets.
pub const TARGET_KINDS: [&str; 9] = [
    "kubernetes",
    "aws-secrets-manager",
    "aws-ssm",
    "vault",
    "github",
    "netlify",
    "sops",
    "file",
    "command",
];

/// The fields of a rotator.
pub(super) const ROTATOR_FIELDS: [&str; 3] = ["command", "timeout", "generate"];

/// A place that values are delivered to.
#[derive(Clone, Debug)]
pub struct Target {
    /// The full name: `shop`, in a nested policy `billing/shop`.
    pub name: String,
    /// The folder of the policy file that declares it, relative to the root policy's; empty for the root.
    pub folder: PathBuf,
    /// One of [`TARGET_KINDS`].
    pub kind: String,
    /// The environments whose values go there, the weakest first.
    pub from: Vec<EnvironmentName>,
    /// The values that go there; none given: all.
    pub only: Vec<Glob>,
    /// Names at the destination that are not the usual ones.
    pub names: Vec<(ValuePath, String)>,
    /// The program to start after a delivery, and its arguments.
    pub restart: Option<Vec<String>>,
    /// The program that delivers, for the kind `command` only.
    pub command: Option<Vec<String>>,
    /// What else is written, for the kind to read.
    pub settings: BTreeMap<String, Setting>,
    /// Where it stands in the policy.
    pub spot: Spot,
    pub(super) from_spots: Vec<Spot>,
}

/// A field that belongs to one kind of target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// Nothing, `~`, `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer.
    Integer(i64),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Setting>),
    /// A mapping.
    Map(BTreeMap<String, Setting>),
}

/// How a new value is made.
#[derive(Clone, Debug)]
pub struct Rotator {
    /// The full name: `api-role`, in a nested policy `billing/api-role`.
    pub name: String,
    /// The folder of the policy file that declares it, relative to the root policy's; empty for the root.
    pub folder: PathBuf,
    /// What makes the value.
    pub method: RotatorMethod,
    /// Where it stands in the policy.
    pub spot: Spot,
}

/// What makes a new value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RotatorMethod {
    /// A program with its arguments.
    Command {
        /// The program and its arguments.
        arguments: Vec<String>,
        /// How long it may take.
        timeout: Option<Duration>,
    },
    /// A generator such as `password:32`.
    Generate(String),
}

/// Reads the mapping `targets`.
pub(super) fn read_targets(reader: Reader<'_>, root: &Fields<'_>) -> Read<Vec<Target>> {
    let Some(node) = root.get("targets") else {
        return Ok(Vec::new());
    };
    let entries = reader.entries(node, "`targets`")?;
    entries.iter().map(|entry| read_target(reader, entry)).collect()
}

fn read_target(reader: Reader<'_>, entry: &Entry<'_>) -> Read<Target> {
    let name = reader.name(entry)?;
    let spot = reader.key_spot(entry);
    let what = format!("target `{name}`");
    let fields = reader.open_fields(&entry.value, &what)?;
    let kind = reader.text(fields.needed("kind", &what)?, "`kind`")?;
    if !TARGET_KINDS.contains(&kind.value.as_str()) {
        let failure = unknown(&kind.spot, &kind.value, "kind of target", TARGET_KINDS);
        return Err(match failure.hints() {
            [] => failure.hint(format!("kinds are {}", TARGET_KINDS.join(", "))),
            _ => failure,
        });
    }
    let command = fields.arguments("command")?;
    if command.is_some() != (kind.value == "command") {
        return Err(kind
            .spot
            .failure("the kind `command` has a `command`, and no other kind has one"));
    }
    let mut from = Vec::new();
    let mut from_spots = Vec::new();
    for item in reader.texts(fields.needed("from", &what)?, "`from`")? {
        from.push(EnvironmentName::new(&item.value).ok_or_else(|| super::fields::no_name(&item.spot, &item.value))?);
        from_spots.push(item.spot);
    }
    if from.is_empty() {
        return Err(spot.failure(format_args!("{what} delivers from no environment")));
    }
    let mut settings = BTreeMap::new();
    for (name, node) in fields.others(&TARGET_FIELDS) {
        settings.insert(name.to_owned(), read_setting(node));
    }
    Ok(Target {
        name: name.to_string(),
        folder: PathBuf::new(),
        kind: kind.value,
        from,
        only: read_globs(&fields.texts("only")?.unwrap_or_default())?,
        names: read_names(reader, &fields)?,
        restart: fields.arguments("restart")?,
        command,
        settings,
        spot,
        from_spots,
    })
}

fn read_globs(listed: &[Spotted<String>]) -> Read<Vec<Glob>> {
    let parse = |item: &Spotted<String>| Glob::parse(&item.value).map_err(|why| malformed_glob(item, &why));
    listed.iter().map(parse).collect()
}

fn read_names(reader: Reader<'_>, fields: &Fields<'_>) -> Read<Vec<(ValuePath, String)>> {
    let Some(node) = fields.get("names") else {
        return Ok(Vec::new());
    };
    let mut names = Vec::new();
    for entry in reader.entries(node, "`names`")? {
        let spot = reader.key_spot(entry);
        let key = Spotted {
            value: entry.key.name.to_string(),
            spot,
        };
        let glob = Glob::parse(&key.value).map_err(|why| malformed_glob(&key, &why))?;
        let path = glob
            .literal()
            .ok_or_else(|| key.spot.failure("`names` names one value each, without `*`"))?;
        names.push((path, reader.text(&entry.value, "a name at the destination")?.value));
    }
    Ok(names)
}

/// Anything, as it is written. The tree bounds how deep it nests.
fn read_setting(node: &Node<'_>) -> Setting {
    match node {
        Node::Mapping(mapping) => {
            let entries = mapping.entries.iter();
            Setting::Map(
                entries
                    .map(|entry| (entry.key.name.to_string(), read_setting(&entry.value)))
                    .collect(),
            )
        }
        Node::Sequence(sequence) => {
            Setting::List(sequence.items.iter().map(|item| read_setting(&item.value)).collect())
        }
        Node::Scalar(scalar) => match Reader::plain(node) {
            Some(Value::Null) => Setting::Null,
            Some(Value::Bool(value)) => Setting::Bool(value),
            Some(Value::Integer(value)) => Setting::Integer(value),
            _ => Setting::Text(scalar.content.to_string()),
        },
    }
}

/// Reads the mapping `rotators`.
pub(super) fn read_rotators(reader: Reader<'_>, root: &Fields<'_>) -> Read<Vec<Rotator>> {
    let Some(node) = root.get("rotators") else {
        return Ok(Vec::new());
    };
    let entries = reader.entries(node, "`rotators`")?;
    entries.iter().map(|entry| read_rotator(reader, entry)).collect()
}

fn read_rotator(reader: Reader<'_>, entry: &Entry<'_>) -> Read<Rotator> {
    let name: RecipientName = reader.name(entry)?;
    let spot = reader.key_spot(entry);
    let fields = reader.fields(&entry.value, &format!("rotator `{name}`"), &ROTATOR_FIELDS)?;
    let timeout = fields.duration("timeout")?;
    let method = match (fields.arguments("command")?, fields.text("generate")?) {
        (Some(arguments), None) => RotatorMethod::Command { arguments, timeout },
        (None, Some(generate)) if timeout.is_none() => {
            Generator::parse(&generate.value).map_err(|reason| {
                let failure = generate.spot.failure(format!("`generate` {reason}"));
                failure.hint(format!("write {}", Generator::EXAMPLES))
            })?;
            RotatorMethod::Generate(generate.value)
        }
        _ => return Err(spot.failure("a rotator has a `command` (with a `timeout` or without), or `generate`")),
    };
    let (name, folder) = (name.to_string(), PathBuf::new());
    Ok(Rotator {
        name,
        folder,
        method,
        spot,
    })
}
