//! One policy file, read and checked as far as it goes alone. What needs the other files or the folders of
//! the tree (environments by placeholder, names of environments) is left to `Policy::link`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::delivery::{Rotator, Target, read_rotators, read_targets};
use super::environments::{Declaration, read_environments};
use super::fields::{Fields, Read, Reader, no_name};
use super::hygiene::{ScanPolicy, Waiver, read_audit, read_scan, read_waivers};
use super::people::People;
use super::secrets::{SecretDeclaration, read_secrets};
use super::spot::{SourceText, Spotted, failure_at};
use crate::document::tree::{Mapping, Node, Rules, Tree};
use crate::error::{Failure, Result};
use crate::names::{EnvironmentName, RecipientName, is_hex};
use crate::value::Value;

/// The name of every policy file.
pub const POLICY_NAME: &str = ".secrets.yaml";

/// The longest text of a policy, in bytes.
pub const LONGEST_POLICY: usize = 1 << 20;

/// The fields of the root policy.
pub(super) const ROOT_FIELDS: [&str; 13] = [
    "version",
    "id",
    "default_environment",
    "maintainers",
    "recipients",
    "groups",
    "environments",
    "secrets",
    "targets",
    "rotators",
    "check",
    "scan",
    "audit",
];

/// The fields of a policy further down.
pub(super) const NESTED_FIELDS: [&str; 7] = [
    "version",
    "environments",
    "secrets",
    "targets",
    "rotators",
    "check",
    "scan",
];

/// One policy file.
#[derive(Clone, Debug)]
pub struct PolicyFile {
    pub(super) folder: PathBuf,
    pub(super) source: Arc<SourceText>,
    pub(super) root: Option<RootPart>,
    pub(super) environments: Vec<Declaration>,
    pub(super) secrets: Vec<SecretDeclaration>,
    pub(super) targets: Vec<Target>,
    pub(super) rotators: Vec<Rotator>,
    pub(super) waivers: Vec<Waiver>,
    pub(super) scan: Option<ScanPolicy>,
}

/// What only the root policy says.
#[derive(Clone, Debug)]
pub(super) struct RootPart {
    pub(super) id: String,
    pub(super) default_environment: Option<Spotted<EnvironmentName>>,
    pub(super) maintainers: Option<Vec<RecipientName>>,
    pub(super) people: People,
    pub(super) reads_noted: bool,
}

impl PolicyFile {
    /// Reads the root policy. `shown_name` is what messages call the file.
    pub fn root(text: &str, shown_name: &str) -> Result<Self> {
        Ok(Self::read(text, shown_name, Path::new(""))?)
    }

    /// Reads the policy in `folder`, relative to the root policy's.
    pub fn nested(text: &str, shown_name: &str, folder: &Path) -> Result<Self> {
        Ok(Self::read(text, shown_name, folder)?)
    }

    /// The `id` that a policy's text has, well-formed or not.
    pub(super) fn id(text: &str) -> Option<String> {
        match &parse(text, POLICY_NAME).ok()?.root.get("id")?.value {
            Node::Scalar(scalar) => Some(scalar.content.to_string()),
            _ => None,
        }
    }

    /// Whether a policy's text has an `id`, which makes it a root. Fails if the text is no policy at all.
    pub fn has_id(text: &str, shown_name: &str) -> Result<bool> {
        Ok(parse(text, shown_name)?.root.get("id").is_some())
    }

    fn read(text: &str, shown_name: &str, folder: &Path) -> Read<Self> {
        let tree = parse(text, shown_name)?;
        let (shown_name, text) = (shown_name.to_owned(), text.to_owned());
        let source = Arc::new(SourceText { shown_name, text });
        let reader = Reader::new(&source);
        refuse_other_versions(reader, &tree.root)?;
        let nested = !folder.as_os_str().is_empty();
        let known: &[&str] = if nested { &NESTED_FIELDS } else { &ROOT_FIELDS };
        let fields = reader.root(&tree.root, known)?;
        let root = if nested {
            None
        } else {
            Some(read_root(reader, &fields)?)
        };
        let mut file = Self {
            folder: folder.to_owned(),
            root,
            environments: read_environments(reader, &fields, nested)?,
            secrets: read_secrets(reader, &fields, folder)?,
            targets: read_targets(reader, &fields)?,
            rotators: read_rotators(reader, &fields)?,
            waivers: read_waivers(reader, &fields, folder)?,
            scan: read_scan(reader, &fields, folder)?,
            source: Arc::clone(&source),
        };
        file.name_by_folder();
        Ok(file)
    }

    /// Puts the folder's name in front of targets and rotators, as it stands in front of environments.
    fn name_by_folder(&mut self) {
        let prefix = self.prefix();
        for target in &mut self.targets {
            target.name = format!("{prefix}{}", target.name);
            target.folder.clone_from(&self.folder);
        }
        for rotator in &mut self.rotators {
            rotator.name = format!("{prefix}{}", rotator.name);
            rotator.folder.clone_from(&self.folder);
        }
    }

    /// What full names have in front: `billing/`, or nothing for the root.
    pub(super) fn prefix(&self) -> String {
        let last = self.folder.file_name();
        last.map_or_else(String::new, |last| format!("{}/", last.to_string_lossy()))
    }
}

/// Parses the text of a policy of at most [`LONGEST_POLICY`] bytes.
pub(super) fn parse<'t>(text: &'t str, shown_name: &str) -> Read<Tree<'t>> {
    if text.len() > LONGEST_POLICY {
        return Err(Failure::failed(format!(
            "`{shown_name}` is larger than the 1 MiB that a policy may have"
        )));
    }
    Tree::parse(text, Rules::Policy).map_err(|refusal| {
        let failure = failure_at(shown_name, refusal.place, refusal.message);
        match refusal.hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    })
}

/// Judges `version` before anything else, because a newer policy may have fields that are unknown here.
fn refuse_other_versions(reader: Reader<'_>, root: &Mapping<'_>) -> Read<()> {
    let entry = root.get("version");
    match entry.map(|entry| (entry, Reader::plain(&entry.value))) {
        None => Ok(()),
        Some((_, Some(Value::Integer(1)))) => Ok(()),
        Some((entry, Some(Value::Integer(2..)))) => Err(reader
            .spot(&entry.value)
            .failure("this policy was written by a newer secretree")
            .hint("this one knows `version: 1`")),
        Some((entry, _)) => Err(reader.spot(&entry.value).failure("`version` is `1`")),
    }
}

fn read_root(reader: Reader<'_>, fields: &Fields<'_>) -> Read<RootPart> {
    let people = People::read(reader, fields)?;
    let maintainers = fields
        .texts("maintainers")?
        .map(|listed| people.checked(&listed))
        .transpose()?;
    let default_environment = match fields.text("default_environment")? {
        Some(text) => {
            let name = EnvironmentName::new(&text.value).ok_or_else(|| no_name(&text.spot, &text.value))?;
            Some(Spotted {
                value: name,
                spot: text.spot,
            })
        }
        None => None,
    };
    Ok(RootPart {
        id: read_id(reader, fields)?,
        default_environment,
        maintainers,
        people,
        reads_noted: read_audit(reader, fields)?,
    })
}

/// 32 lower-case hex digits in quotes: without them, an id such as `1e5…` would be a number to some readers.
fn read_id(reader: Reader<'_>, fields: &Fields<'_>) -> Read<String> {
    let node = fields.get("id").ok_or_else(|| {
        let failure = fields.spot().failure("the root policy has no `id`");
        failure.hint("`secretree init` makes one; every policy keeps its own for ever")
    })?;
    let quoted = matches!(node, Node::Scalar(scalar) if scalar.style != granit_parser::ScalarStyle::Plain);
    match node {
        Node::Scalar(scalar) if quoted && is_hex(&scalar.content, 32) => Ok(scalar.content.to_string()),
        _ => Err(reader.spot(node).failure("`id` is 32 lower-case hex digits in quotes")),
    }
}
