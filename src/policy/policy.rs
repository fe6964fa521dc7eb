//! The whole policy: the root file and those further down joined, every name checked against what there is.
//! Answers who may read and write what, and what is declared about a value.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::delivery::{Rotator, Target};
use super::environments::{EnvironmentPolicy, Folders, NoFolders, Unfit};
use super::file::PolicyFile;
use super::glob::Glob;
use super::hygiene::{ScanPolicy, Waiver};
use super::people::{Members, People, Recipient};
use super::secrets::SecretDeclaration;
use super::spot::SourceText;
use crate::crypto::public_key::PublicKey;
use crate::document::path::ValuePath;
use crate::error::Result;
use crate::names::{EnvironmentName, RecipientName};

/// A policy in which every name means something.
#[derive(Clone, Debug)]
pub struct Policy {
    /// 32 lower-case hex digits that bind grants to this policy.
    pub id: String,
    /// What commands take that were given no environment.
    pub default_environment: Option<EnvironmentName>,
    /// Who there is.
    pub people: People,
    /// The environments by full name.
    pub environments: BTreeMap<EnvironmentName, EnvironmentPolicy>,
    /// What is declared about values, in the order of the files, the root's first.
    pub secrets: Vec<SecretDeclaration>,
    /// Where values are delivered, by full name.
    pub targets: BTreeMap<String, Target>,
    /// How new values are made, by full name.
    pub rotators: BTreeMap<String, Rotator>,
    /// Findings that are accepted.
    pub waivers: Vec<Waiver>,
    /// What `scan` lets pass, the root's first.
    pub scans: Vec<ScanPolicy>,
    /// Whether commands that decrypt note so.
    pub reads_noted: bool,
    /// The files it was read from, by folder relative to the root's (which is empty and first).
    pub files: Vec<(PathBuf, Arc<SourceText>)>,
    pub(super) maintainers: Option<Vec<RecipientName>>,
    pub(super) unfit: Vec<Unfit>,
}

impl Policy {
    /// Reads a policy that is one file. Placeholders stand for no folder.
    pub fn parse(text: &str, shown_name: &str) -> Result<Self> {
        Self::link(PolicyFile::root(text, shown_name)?, Vec::new(), &NoFolders)
    }

    /// Joins the root's file and those further down; `folders` fills in placeholders.
    pub fn link(root: PolicyFile, nested: Vec<PolicyFile>, folders: &dyn Folders) -> Result<Self> {
        Ok(super::link::link(root, nested, folders)?)
    }

    /// The environment of that full name.
    pub fn environment(&self, name: &EnvironmentName) -> Option<&EnvironmentPolicy> {
        self.environments.get(name)
    }

    /// The recipients that may read the environment, through all groups.
    pub fn readers(&self, environment: &EnvironmentPolicy) -> BTreeSet<&RecipientName> {
        self.people.flattened(&environment.readers)
    }

    /// Every public key of every reader, in the order of the names and of each one's keys.
    pub fn reader_keys(&self, environment: &EnvironmentPolicy) -> Vec<(&RecipientName, &PublicKey)> {
        let readers = self.people.listed(&self.people.members(&environment.readers));
        let pairs = readers
            .into_iter()
            .flat_map(|reader| reader.keys.iter().map(|key| (&reader.name, key)));
        pairs.collect()
    }

    /// The recipients whose signed commits may change the environment: `writers`, or else the readers that
    /// are no machines.
    pub fn writers(&self, environment: &EnvironmentPolicy) -> BTreeSet<&RecipientName> {
        let members = match &environment.writers {
            Some(writers) => return self.people.flattened(writers),
            None => self.people.members(&environment.readers),
        };
        people_among(self.people.listed(&members))
    }

    /// The recipients whose signed commits may change the policy: `maintainers`, or else those who are
    /// writers of every environment. Ask a policy that was loaded with everything below it.
    pub fn maintainers(&self) -> BTreeSet<&RecipientName> {
        if let Some(maintainers) = &self.maintainers {
            return self.people.flattened(maintainers);
        }
        let mut sets = self.environments.values().map(|environment| self.writers(environment));
        match sets.next() {
            Some(first) => sets.fold(first, |all, next| all.intersection(&next).copied().collect()),
            None => people_among(self.people.recipients().iter().collect()),
        }
    }

    /// The environment and all that it builds on, each once, the weakest first and itself last.
    pub fn layers<'p>(&'p self, environment: &'p EnvironmentPolicy) -> Vec<&'p EnvironmentPolicy> {
        let mut layers = Vec::new();
        let mut seen = HashSet::from([&environment.name]);
        let mut open = vec![(environment, environment.extends.iter())];
        while let Some((current, below)) = open.last_mut() {
            match below.next() {
                Some(name) if seen.insert(name) => {
                    let next = self
                        .environments
                        .get(name)
                        .expect("what is extended was checked when it was read");
                    open.push((next, next.extends.iter()));
                }
                Some(_) => {}
                None => {
                    layers.push(*current);
                    open.pop();
                }
            }
        }
        layers
    }

    /// What is declared about values of the environment, in the order of the files.
    pub fn declared<'p>(&'p self, environment: &'p EnvironmentPolicy) -> impl Iterator<Item = &'p SecretDeclaration> {
        self.secrets
            .iter()
            .filter(move |secret| secret.scope.covers(environment))
    }

    /// What is declared about the value at `path`, the most specific first: one that names the environment
    /// before one that does not, one for this path before one for many, and then the later one.
    pub fn declarations(&self, environment: &EnvironmentPolicy, path: &ValuePath) -> Vec<&SecretDeclaration> {
        let matching = self
            .secrets
            .iter()
            .filter(|secret| secret.scope.matches(environment, path));
        let mut found: Vec<&SecretDeclaration> = matching.collect();
        found.reverse();
        found.sort_by_key(|secret| {
            (
                secret.scope.path.literal().is_none(),
                secret.scope.environment.is_none(),
            )
        });
        found
    }

    /// The values that the environment must have.
    pub fn required<'p>(
        &'p self,
        environment: &'p EnvironmentPolicy,
    ) -> impl Iterator<Item = (&'p Glob, &'p SecretDeclaration)> {
        let required = self
            .secrets
            .iter()
            .filter(move |secret| secret.is_required_in(environment));
        required.map(|secret| (&secret.scope.path, secret))
    }

    /// The declared name of the environment variable of the value at `path`.
    pub fn variable(&self, environment: &EnvironmentPolicy, path: &ValuePath) -> Option<&str> {
        self.declarations(environment, path)
            .into_iter()
            .find_map(|secret| secret.variable.as_deref())
    }

    /// The rotator that a declaration names: one of the same policy file, or else the root's.
    pub fn rotator(&self, secret: &SecretDeclaration) -> Option<&Rotator> {
        let name = &secret.rotator.as_ref()?.value;
        let folder = &secret.scope.folder;
        let own = folder
            .file_name()
            .and_then(|last| self.rotators.get(&format!("{}/{name}", last.to_str()?)));
        own.filter(|rotator| rotator.folder == *folder)
            .or_else(|| self.rotators.get(name))
    }

    /// Whether `file`, relative to the root policy's folder, belongs to an environment, and to which.
    pub fn environment_of_file(&self, file: &Path) -> Option<&EnvironmentPolicy> {
        self.environments.values().find(|environment| environment.file == file)
    }

    /// The members of `environment`'s readers, as a set that is quick to compare.
    pub(super) fn reader_members(&self, environment: &EnvironmentPolicy) -> Members {
        self.people.members(&environment.readers)
    }
}

/// The names of those that are no machines.
fn people_among(recipients: Vec<&Recipient>) -> BTreeSet<&RecipientName> {
    recipients
        .into_iter()
        .filter(|recipient| !recipient.machine)
        .map(|recipient| &recipient.name)
        .collect()
}
