//! What the checks share: the repository, the policy and the vault as far as there are any, and how paths and commands are
//! written for the working folder.

use std::path::{Path, PathBuf};

use super::identities::sources;
use super::{IdentityPlace, Surroundings};
use crate::crypto::identities::Identities;
use crate::crypto::plugins::Plugins;
use crate::crypto::public_key::PublicKey;
use crate::cure::quoted;
use crate::error::Failure;
use crate::git::{Git, Repository};
use crate::names::EnvironmentName;
use crate::policy::{LoadedPolicy, POLICY_NAME};
use crate::process::resolve_program;
use crate::vault::Vault;

/// Everything that a check can look at.
pub(super) struct Scene<'s> {
    pub(super) surroundings: &'s Surroundings,
    /// The repository, if it can be told whether there is one.
    pub(super) repository: &'s Result<Option<Repository>, Failure>,
    pub(super) loaded: &'s Result<LoadedPolicy, Failure>,
    /// A vault that opens only what costs nothing; none without a policy.
    pub(super) vault: Option<Vault<'s>>,
    /// Why the trust file cannot be used; the vault knows no trust then.
    pub(super) trust_failure: Option<Failure>,
    /// The public keys of the identities here, as far as they are known without asking.
    pub(super) own: Vec<PublicKey>,
    /// Whether there are more identities than `own` tells.
    pub(super) has_unknown: bool,
}

impl<'s> Scene<'s> {
    pub(super) fn new(
        surroundings: &'s Surroundings,
        repository: &'s Result<Option<Repository>, Failure>,
        loaded: &'s Result<LoadedPolicy, Failure>,
        vault: Option<Vault<'s>>,
        trust_failure: Option<Failure>,
    ) -> Self {
        let mut identities = Identities::new(sources(surroundings), Plugins::none());
        let own = identities
            .public_keys()
            .into_iter()
            .map(|(_, key)| key.clone())
            .collect();
        let places = surroundings.identities.as_deref().unwrap_or_default();
        let has_command = places.iter().any(|place| matches!(place, IdentityPlace::Command(_)));
        Self {
            surroundings,
            repository,
            loaded,
            vault,
            trust_failure,
            own,
            has_unknown: has_command || identities.unknown().next().is_some(),
        }
    }

    /// The repository, if there is one that can be read.
    pub(super) fn readable_repository(&self) -> Option<&'s Repository> {
        let repository = self.repository.as_ref().ok()?.as_ref();
        repository.filter(|repository| repository.unreadable().is_none())
    }

    /// The top of the work tree.
    pub(super) fn root(&self) -> Option<&'s Path> {
        self.repository.as_ref().ok()?.as_ref().map(Repository::root)
    }

    /// The `git` command, if it is installed.
    pub(super) fn git(&self) -> Option<Git> {
        let folder = self.root().unwrap_or(&self.surroundings.folder);
        let program = resolve_program("git", &self.surroundings.search_path, self.root())?;
        // What a child must not inherit was taken out of this process.
        Some(Git::new(program, folder, []))
    }

    /// `path` as it is typed here: relative below the working folder, else absolute.
    pub(super) fn here<'p>(&self, path: &'p Path) -> &'p Path {
        match path.strip_prefix(&self.surroundings.folder) {
            Ok(inside) if !inside.as_os_str().is_empty() => inside,
            _ => path,
        }
    }

    /// The same for a message.
    pub(super) fn shown(&self, path: &Path) -> String {
        self.here(path).display().to_string()
    }

    /// `secretree VERB ENV`, as it means that environment in the working folder.
    pub(super) fn secretree(&self, verb: &str, environment: &EnvironmentName) -> Option<String> {
        let loaded = self.loaded.as_ref().ok()?;
        let meant = loaded.resolve_environment(environment.as_str(), &self.surroundings.folder, None);
        if meant.is_ok_and(|meant| meant == *environment) {
            return Some(format!("secretree {verb} {environment}"));
        }
        let folder = quoted(loaded.root_folder.to_str()?)?;
        Some(format!("secretree -C {folder} {verb} {environment}"))
    }

    /// The absolute paths of every policy file, the root's first.
    pub(super) fn policy_files(&self) -> Vec<PathBuf> {
        let Ok(loaded) = self.loaded else { return Vec::new() };
        let files = loaded.policy.files.iter();
        files
            .map(|(folder, _)| loaded.root_folder.join(folder).join(POLICY_NAME))
            .collect()
    }

    /// The absolute paths of every environment's file.
    pub(super) fn environment_files(&self) -> Vec<PathBuf> {
        let Ok(loaded) = self.loaded else { return Vec::new() };
        let environments = loaded.policy.environments.values();
        environments
            .map(|environment| loaded.root_folder.join(&environment.file))
            .collect()
    }

    /// The file relative to the top of a work tree that can be read.
    pub(super) fn in_repository<'p>(&self, path: &'p Path) -> Option<(&'s Repository, &'p Path)> {
        let repository = self.readable_repository()?;
        let relative = path.strip_prefix(repository.root()).ok()?;
        (!relative.as_os_str().is_empty()).then_some((repository, relative))
    }

    /// The text of the file in the last commit.
    pub(super) fn committed(&self, path: &Path) -> Option<String> {
        let (repository, relative) = self.in_repository(path)?;
        let head = repository.head().ok()??;
        let bytes = repository.blob_at(head, relative).ok()??;
        String::from_utf8(bytes).ok()
    }

    /// A line for the person if the file is in conflict: by a marker in its text, or because git says so.
    pub(super) fn conflict(&self, path: &Path, text: &str) -> Option<String> {
        let shown = self.shown(path);
        let marked = text.lines().position(|line| line.starts_with("<<<<<<< "));
        if let Some(line) = marked {
            return Some(format!("`{shown}` line {}: the marker of a conflict", line + 1));
        }
        let (repository, relative) = self.in_repository(path)?;
        let sides = repository.staged_sides(relative).ok()?;
        (sides.len() > 1).then(|| format!("`{shown}` is in conflict for git, which was not told how it ends"))
    }
}
