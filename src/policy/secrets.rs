//! What must exist and how long it may live: the declarations under `secrets`. Also the `ENV:PATH` form that
//! they share with waivers.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::civil::Date;
use regex::RegexBuilder;

use super::environments::{EnvironmentPolicy, malformed_glob};
use super::fields::{Fields, Read, Reader};
use super::glob::{Glob, SlashGlob};
use super::spot::{Spot, Spotted, shown};
use crate::document::path::ValuePath;
use crate::document::tree::Node;
use crate::error::Result;

/// The fields of a declared secret.
pub(super) const SECRET_FIELDS: [&str; 9] = [
    "description",
    "required",
    "owner",
    "rotate",
    "grace",
    "expires",
    "env",
    "pattern",
    "rotator",
];

/// The most memory that the pattern of a value may take when it is compiled, in bytes.
const PATTERN_LIMIT: usize = 1 << 20;

/// Where a declaration or a waiver holds: `PATH` or `ENV:PATH`, both may be patterns.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The environments; absent: all of the policy file's.
    pub environment: Option<SlashGlob>,
    /// The values.
    pub path: Glob,
    /// The policy file's folder: a nested one speaks about its own environments, by their short names.
    pub(super) folder: PathBuf,
    /// Where it is written.
    pub spot: Spot,
}

impl Scope {
    /// Reads `PATH` or `ENV:PATH`; a colon in a path is quoted.
    pub(super) fn read(item: &Spotted<String>, folder: &Path) -> Read<Self> {
        let (environment, path) = match item.value.split_once(':') {
            Some((environment, path)) if !environment.contains('"') => (Some(environment), path),
            _ => (None, item.value.as_str()),
        };
        let malformed = |why: String| malformed_glob(item, &why);
        Ok(Self {
            environment: environment.map(SlashGlob::parse).transpose().map_err(malformed)?,
            path: Glob::parse(path).map_err(malformed)?,
            folder: folder.to_owned(),
            spot: item.spot.clone(),
        })
    }

    /// Whether it speaks about this environment.
    pub fn covers(&self, environment: &EnvironmentPolicy) -> bool {
        let wanted = self.environment.as_ref();
        is_own(&self.folder, environment) && wanted.is_none_or(|wanted| is_named(wanted, &self.folder, environment))
    }

    /// Whether it leaves out nothing: it stands in the root policy, and both its patterns are `**`.
    pub fn is_about_everything(&self) -> bool {
        let all = |text: &str| text == "**";
        self.folder.as_os_str().is_empty()
            && all(self.path.as_str())
            && self.environment.as_ref().is_none_or(|names| all(names.as_str()))
    }

    /// `PATH` or `ENV:PATH` as it is written.
    pub fn as_written(&self) -> String {
        match &self.environment {
            Some(environment) => format!("{}:{}", environment.as_str(), self.path),
            None => self.path.to_string(),
        }
    }

    /// Whether it speaks about the value at `path` of this environment.
    pub fn matches(&self, environment: &EnvironmentPolicy, path: &ValuePath) -> bool {
        self.path.matches(path) && self.covers(environment)
    }
}

/// Whether the policy file in `folder` may speak about the environment: the root's about all.
fn is_own(folder: &Path, environment: &EnvironmentPolicy) -> bool {
    folder.as_os_str().is_empty() || environment.folder == folder
}

/// Whether the pattern, written in the policy file of `folder`, means this environment: by its full name,
/// or by the short one inside the file that declares it.
fn is_named(pattern: &SlashGlob, folder: &Path, environment: &EnvironmentPolicy) -> bool {
    let full = environment.name.as_str();
    let short = full.split_once('/').map_or(full, |(_, short)| short);
    pattern.matches(full) || (!folder.as_os_str().is_empty() && pattern.matches(short))
}

/// One entry of `secrets`.
#[derive(Clone, Debug)]
pub struct SecretDeclaration {
    /// Which values it is about.
    pub scope: Scope,
    /// What it is for.
    pub description: Option<String>,
    /// The environments that must have it: names or patterns. Empty: none must.
    pub required: Vec<Spotted<SlashGlob>>,
    /// The recipient or group that answers for it.
    pub owner: Option<Spotted<String>>,
    /// How long a value may live before it is due.
    pub rotate: Option<Duration>,
    /// How long the old value stays usable after a rotation.
    pub grace: Option<Duration>,
    /// When it is due at the latest.
    pub expires: Option<Date>,
    /// The name of its environment variable.
    pub variable: Option<String>,
    /// What its text must match, as a regular expression; see [`SecretDeclaration::fits`].
    pub pattern: Option<Spotted<String>>,
    /// The rotator that makes a new value.
    pub rotator: Option<Spotted<String>>,
}

impl SecretDeclaration {
    /// Whether the value must exist in this environment.
    pub fn is_required_in(&self, environment: &EnvironmentPolicy) -> bool {
        let folder = &self.scope.folder;
        let named = self
            .required
            .iter()
            .any(|wanted| is_named(&wanted.value, folder, environment));
        named && self.scope.covers(environment)
    }

    /// Whether `text` matches the declared pattern; any text does if there is none.
    ///
    /// Fails if the pattern would take too much memory.
    pub fn fits(&self, text: &str) -> Result<bool> {
        let Some(pattern) = &self.pattern else { return Ok(true) };
        let compiled = RegexBuilder::new(&pattern.value).size_limit(PATTERN_LIMIT).build();
        let compiled = compiled.map_err(|_| pattern.spot.failure("this pattern is too large"))?;
        Ok(compiled.is_match(text))
    }
}

/// Reads the mapping `secrets` of the policy file in `folder`.
pub(super) fn read_secrets(reader: Reader<'_>, root: &Fields<'_>, folder: &Path) -> Read<Vec<SecretDeclaration>> {
    let Some(node) = root.get("secrets") else {
        return Ok(Vec::new());
    };
    let mut declarations = Vec::new();
    for entry in reader.entries(node, "`secrets`")? {
        let key = Spotted {
            value: entry.key.name.to_string(),
            spot: reader.key_spot(entry),
        };
        let scope = Scope::read(&key, folder)?;
        declarations.push(read_secret(reader, &entry.value, scope)?);
    }
    Ok(declarations)
}

fn read_secret(reader: Reader<'_>, node: &Node<'_>, scope: Scope) -> Read<SecretDeclaration> {
    let fields = reader.fields(node, "a secret", &SECRET_FIELDS)?;
    let mut required = Vec::new();
    for item in fields.texts("required")?.unwrap_or_default() {
        let value = SlashGlob::parse(&item.value).map_err(|why| malformed_glob(&item, &why))?;
        required.push(Spotted { value, spot: item.spot });
    }
    let variable = fields.text("env")?;
    if let Some(variable) = &variable {
        refuse_odd_variable(variable)?;
    }
    if scope.path.literal().is_none() && (variable.is_some() || !required.is_empty()) {
        let message = format_args!(
            "{} means many values: `required` and `env` are for one",
            shown(scope.path.as_str())
        );
        return Err(scope.spot.failure(message));
    }
    let pattern = fields.text("pattern")?;
    if let Some(pattern) = &pattern {
        regex_syntax::parse(&pattern.value).map_err(|_| pattern.spot.failure("`pattern` is no regular expression"))?;
    }
    Ok(SecretDeclaration {
        scope,
        description: fields.text("description")?.map(|text| text.value),
        required,
        owner: fields.text("owner")?,
        rotate: fields.duration("rotate")?,
        grace: fields.duration("grace")?,
        expires: fields.date("expires")?,
        variable: variable.map(|variable| variable.value),
        pattern,
        rotator: fields.text("rotator")?,
    })
}

fn refuse_odd_variable(variable: &Spotted<String>) -> Read<()> {
    let mut bytes = variable.value.bytes();
    let fits = bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    match fits {
        true => Ok(()),
        false => Err(variable
            .spot
            .failure(format_args!("{} is no name of a variable", shown(&variable.value)))
            .hint("letters, digits and `_`, not beginning with a digit")),
    }
}
