//! Environments as a policy file declares them: which file, who reads and writes it, what it builds on. A
//! file with a placeholder declares one environment for each folder that fits; here they become many.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::civil::Date;

use super::fields::{Fields, Read, Reader, no_name};
use super::glob::Glob;
use super::people::People;
use super::spot::{Spot, Spotted, shown};
use crate::document::path::ValuePath;
use crate::document::tree::Node;
use crate::names::{EnvironmentName, RecipientName};

/// The fields of an environment.
pub(super) const ENVIRONMENT_FIELDS: [&str; 8] = [
    "file",
    "readers",
    "writers",
    "extends",
    "plaintext",
    "rotate",
    "expires",
    "references",
];

/// The most folders that one placeholder may stand for.
const MOST_FOLDERS: usize = 10_000;

/// What a policy needs to know about the work tree or the commit it stands in.
pub trait Folders {
    /// The names of the folders in `parent` (relative to the root policy's folder), without symlinks, in any
    /// order; none if there is no such folder.
    fn folders(&self, parent: &Path) -> Vec<String>;

    /// Whether there is something at `path` (relative to the root policy's folder).
    fn exists(&self, path: &Path) -> bool;
}

/// No folder anywhere: placeholders stand for nothing.
#[derive(Clone, Copy, Debug)]
pub struct NoFolders;

impl Folders for NoFolders {
    fn folders(&self, _parent: &Path) -> Vec<String> {
        Vec::new()
    }

    fn exists(&self, _path: &Path) -> bool {
        false
    }
}

/// One environment of a policy, after placeholders were filled in and all names were checked.
#[derive(Clone, Debug)]
pub struct EnvironmentPolicy {
    /// The full name: `prod`, `billing/prod`.
    pub name: EnvironmentName,
    /// The folder of the policy file that declares it, relative to the root policy's; empty for the root.
    pub folder: PathBuf,
    /// The environment's file, relative to the root policy's folder.
    pub file: PathBuf,
    /// The recipients and groups that may read it, as written; see [`super::Policy::readers`].
    pub readers: Vec<RecipientName>,
    /// The recipients and groups whose commits may change it; absent: the readers that are no machines.
    pub writers: Option<Vec<RecipientName>>,
    /// The environments it builds on, the weakest first.
    pub extends: Vec<EnvironmentName>,
    /// Where values stand readable.
    pub plaintext: Vec<Glob>,
    /// How long a value may live before it is due.
    pub rotate: Option<Duration>,
    /// When all its values are due.
    pub expires: Option<Date>,
    /// Whether values may refer to others.
    pub references: bool,
    /// The folder in which the part of the name behind `/` suffices.
    pub(super) home: Option<PathBuf>,
    /// Where it stands in the policy.
    pub spot: Spot,
}

impl EnvironmentPolicy {
    /// The file, in two parts where one folder of its path stands in the place of a placeholder: what is before that folder,
    /// and what is behind it.
    pub fn around_placeholder(&self) -> (&Path, Option<&Path>) {
        // Environments of a policy further down have a home too, and no placeholder.
        let home = self.home.as_deref().filter(|_| self.folder.as_os_str().is_empty());
        let parts = home.and_then(|home| Some((home.parent()?, self.file.strip_prefix(home).ok()?)));
        match parts {
            Some((before, after)) => (before, Some(after)),
            None => (&self.file, None),
        }
    }

    /// Whether the policy lets the value at `path` stand readable.
    pub fn is_plaintext(&self, path: &ValuePath) -> bool {
        self.plaintext.iter().any(|glob| glob.matches(path))
    }
}

/// An environment that a folder would give, had it the recipients that `readers` and `writers` name.
#[derive(Clone, Debug)]
pub(super) struct Unfit {
    pub(super) name: EnvironmentName,
    pub(super) missing: String,
}

/// An environment as it is written in one policy file.
#[derive(Clone, Debug)]
pub(super) struct Declaration {
    pub(super) name: EnvironmentName,
    file: Spotted<String>,
    readers: Vec<Spotted<String>>,
    writers: Option<Vec<Spotted<String>>>,
    extends: Vec<Spotted<String>>,
    plaintext: Vec<Glob>,
    rotate: Option<Duration>,
    expires: Option<Date>,
    references: bool,
    /// `{service}`, with braces.
    placeholder: Option<String>,
    pub(super) spot: Spot,
}

/// Reads the mapping `environments`.
pub(super) fn read_environments(reader: Reader<'_>, root: &Fields<'_>, nested: bool) -> Read<Vec<Declaration>> {
    let Some(node) = root.get("environments") else {
        return Ok(Vec::new());
    };
    let mut declarations = Vec::new();
    for entry in reader.entries(node, "`environments`")? {
        let spot = reader.key_spot(entry);
        let name = EnvironmentName::new(&entry.key.name).ok_or_else(|| no_name(&spot, &entry.key.name))?;
        if nested && name.as_str().contains('/') {
            let message = format_args!("`{name}` has its folder in front already: one name is enough here");
            return Err(spot.failure(message));
        }
        let declaration = read_environment(reader, &entry.value, name, spot)?;
        declarations.push(declaration.checked(nested)?);
    }
    Ok(declarations)
}

fn read_environment(reader: Reader<'_>, node: &Node<'_>, name: EnvironmentName, spot: Spot) -> Read<Declaration> {
    let what = format!("environment `{name}`");
    let fields = reader.fields(node, &what, &ENVIRONMENT_FIELDS)?;
    let needed = |field| {
        fields.needed(field, &what).map_err(|failure| match node {
            Node::Scalar(_) => spot.failure(format_args!("{what} needs `{field}`")),
            _ => failure,
        })
    };
    let file = reader.text(needed("file")?, "`file`")?;
    refuse_unsafe_file(&file)?;
    let readers = reader.texts(needed("readers")?, "`readers`")?;
    let mut plaintext = Vec::new();
    for item in fields.texts("plaintext")?.unwrap_or_default() {
        plaintext.push(Glob::parse(&item.value).map_err(|why| malformed_glob(&item, &why))?);
    }
    Ok(Declaration {
        placeholder: placeholder(&file)?,
        file,
        readers,
        writers: fields.texts("writers")?,
        extends: fields.texts("extends")?.unwrap_or_default(),
        plaintext,
        rotate: fields.duration("rotate")?,
        expires: fields.date("expires")?,
        references: fields.flag("references")?,
        name,
        spot,
    })
}

/// The failure for a pattern that cannot be read.
pub(super) fn malformed_glob(item: &Spotted<String>, why: &str) -> crate::error::Failure {
    item.spot
        .failure(format_args!("malformed pattern {}: {why}", shown(&item.value)))
}

/// `file` stays inside the policy's folder, outside `.git`, and is no file of ours.
fn refuse_unsafe_file(file: &Spotted<String>) -> Read<()> {
    let refuse = |why: &str| Err(file.spot.failure(format_args!("`file` {} {why}", shown(&file.value))));
    if file
        .value
        .chars()
        // What a shell acts on, too: the file's name stands in hints that people paste.
        .any(|character| character.is_control() || "\\:$`\"'();&|<>*?[]!#~".contains(character))
    {
        return refuse("has a character that not every system takes: use letters, digits, `.`, `_`, `-`, `/`");
    }
    if file.value.starts_with('/') {
        return refuse("is absolute: write it relative to this policy's folder");
    }
    for component in file.value.split('/') {
        match component {
            "" | "." => return refuse("has an empty component or `.`"),
            ".." => return refuse("leaves this policy's folder"),
            _ if component.eq_ignore_ascii_case(".git") => return refuse("is inside `.git`"),
            _ if component.to_ascii_lowercase().starts_with(".secrets.") => {
                return refuse("has a name that is kept for policies (`.secrets.…`)");
            }
            _ => {}
        }
    }
    Ok(())
}

/// The one placeholder in `file`, with braces: a whole folder name, not the file's.
fn placeholder(file: &Spotted<String>) -> Read<Option<String>> {
    if !file.value.contains(['{', '}']) {
        return Ok(None);
    }
    let mut found = None;
    let mut components = file.value.split('/').rev();
    let mut braces = components.next().is_some_and(|name| name.contains(['{', '}']));
    for component in components.filter(|component| component.contains(['{', '}'])) {
        let inner = component.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        braces |= found.is_some() || inner.and_then(RecipientName::new).is_none();
        found = Some(component.to_owned());
    }
    match braces {
        true => Err(file
            .spot
            .failure("a placeholder is one whole folder name")
            .hint("services/{service}/secrets/prod.yaml")),
        false => Ok(found),
    }
}

impl Declaration {
    /// Checks what the words themselves tell.
    fn checked(self, nested: bool) -> Read<Self> {
        if nested && let Some(placeholder) = &self.placeholder {
            let message = format_args!("`{placeholder}` stands for folders in the root policy only");
            return Err(self.file.spot.failure(message));
        }
        if self.placeholder.is_some() && self.name.as_str().contains('/') {
            let message = format_args!(
                "`{}` gets its folder in front from the placeholder: one name is enough",
                self.name
            );
            return Err(self.spot.failure(message));
        }
        let lists = [Some(&self.readers), self.writers.as_ref(), Some(&self.extends)];
        for item in lists.into_iter().flatten().flatten() {
            let rest = match &self.placeholder {
                Some(placeholder) => item.value.replace(placeholder.as_str(), ""),
                None => item.value.clone(),
            };
            if rest.contains(['{', '}']) {
                let failure = item.spot.failure(format_args!(
                    "{} has a placeholder that `file` lacks",
                    shown(&item.value)
                ));
                return Err(match &self.placeholder {
                    Some(placeholder) => failure.hint(format!("did you mean `{placeholder}`?")),
                    None => failure,
                });
            }
        }
        Ok(self)
    }

    /// Whether there is one environment for each folder that fits.
    pub(super) fn has_placeholder(&self) -> bool {
        self.placeholder.is_some()
    }

    /// The environment without placeholder, of the policy in `folder` (empty for the root).
    pub(super) fn single(&self, folder: &Path, people: &People) -> Read<EnvironmentPolicy> {
        let (name, home) = match folder_name(folder, &self.spot)? {
            Some(first) => (joined(&first, &self.name, &self.spot)?, Some(folder.to_owned())),
            None => (self.name.clone(), home_of(&self.name, &self.file.value)),
        };
        self.environment(name, folder, home, people, &|text| text.to_owned())
    }

    /// One environment for each folder that fits: its name is a name, and the recipients named after it exist
    /// or the file does.
    pub(super) fn many(
        &self,
        people: &People,
        folders: &dyn Folders,
        unfit: &mut Vec<Unfit>,
    ) -> Read<Vec<EnvironmentPolicy>> {
        let placeholder = self.placeholder.as_deref().unwrap_or_default();
        let position = self.file.value.find(placeholder).unwrap_or_default();
        let parent = Path::new(self.file.value[..position].trim_end_matches('/'));
        let mut names = folders.folders(parent);
        names.retain(|name| RecipientName::new(name).is_some());
        names.sort();
        names.dedup();
        if names.len() > MOST_FOLDERS {
            return Err(self.file.spot.failure(format_args!(
                "`{placeholder}` stands for more than {MOST_FOLDERS} folders"
            )));
        }
        let mut environments = Vec::with_capacity(names.len());
        for folder in names {
            let fill = |text: &str| text.replace(placeholder, &folder);
            let name = joined(&folder, &self.name, &self.spot)?;
            let missing = self.filled_people(&fill).find(|name| !people.knows(name));
            match missing {
                Some(missing) if !folders.exists(Path::new(&fill(&self.file.value))) => {
                    unfit.push(Unfit { name, missing })
                }
                _ => {
                    let home = Some(parent.join(&folder));
                    environments.push(self.environment(name, Path::new(""), home, people, &fill)?);
                }
            }
        }
        Ok(environments)
    }

    /// The names of readers and writers that come from the placeholder.
    fn filled_people<'d>(&'d self, fill: &'d impl Fn(&str) -> String) -> impl Iterator<Item = String> + 'd {
        let listed = self.readers.iter().chain(self.writers.iter().flatten());
        listed
            .filter(|item| item.value.contains('{'))
            .map(|item| fill(&item.value))
    }

    fn environment(
        &self,
        name: EnvironmentName,
        folder: &Path,
        home: Option<PathBuf>,
        people: &People,
        fill: &dyn Fn(&str) -> String,
    ) -> Read<EnvironmentPolicy> {
        let filled = |listed: &[Spotted<String>]| -> Vec<Spotted<String>> {
            let fill_one = |item: &Spotted<String>| Spotted {
                value: fill(&item.value),
                spot: item.spot.clone(),
            };
            listed.iter().map(fill_one).collect()
        };
        let readers = people.checked(&filled(&self.readers))?;
        if people.members(&readers).is_empty() {
            return Err(self.spot.failure(format_args!("`{name}` has no reader")));
        }
        let writers = self
            .writers
            .as_deref()
            .map(|writers| people.checked(&filled(writers)))
            .transpose()?;
        let mut extends = Vec::with_capacity(self.extends.len());
        for item in filled(&self.extends) {
            extends.push(EnvironmentName::new(&item.value).ok_or_else(|| no_name(&item.spot, &item.value))?);
        }
        Ok(EnvironmentPolicy {
            name,
            folder: folder.to_owned(),
            file: folder.join(fill(&self.file.value)),
            readers,
            writers,
            extends,
            plaintext: self.plaintext.clone(),
            rotate: self.rotate,
            expires: self.expires,
            references: self.references,
            home,
            spot: self.spot.clone(),
        })
    }
}

/// The name that a nested policy's folder puts in front of its environments; nothing for the root.
fn folder_name(folder: &Path, spot: &Spot) -> Read<Option<String>> {
    let Some(last) = folder.file_name() else {
        return Ok(None);
    };
    let name = last.to_str().and_then(RecipientName::new);
    match name {
        Some(name) => Ok(Some(name.to_string())),
        None => Err(spot
            .failure("the folder of this policy has a name that no environment can have")
            .hint(crate::names::NAME_RULE)),
    }
}

fn joined(folder: &str, name: &EnvironmentName, spot: &Spot) -> Read<EnvironmentName> {
    let text = format!("{folder}/{name}");
    EnvironmentName::new(&text).ok_or_else(|| no_name(spot, &text))
}

/// The folder in which `prod` means `billing/prod`: the deepest one around the file that is named `billing`.
fn home_of(name: &EnvironmentName, file: &str) -> Option<PathBuf> {
    let (first, _) = name.as_str().split_once('/')?;
    let mut ancestors = Path::new(file).ancestors().skip(1);
    ancestors.find(|folder| folder.ends_with(first)).map(Path::to_owned)
}
