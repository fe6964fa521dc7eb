//! Environments as they stood in a commit: which file that was, by the policy of then, and the way of opening one that is
//! for reading only. Nothing is ever sealed or noted through such a vault.

use std::path::PathBuf;

use super::footer::{Footer, footer_of};
use super::past_files::past_files;
use super::{EnvironmentFile, Vault, not_utf8};
use crate::error::{Failure, Result};
use crate::git::CommitId;
use crate::policy::{EnvironmentPolicy, LoadedPolicy};

/// The commit that a vault reads, and what holds now.
#[derive(Clone, Copy)]
pub struct At<'p> {
    /// The commit.
    pub commit: CommitId,
    /// The policy that holds in the work tree: it says which policy this folder belongs to.
    pub now: &'p LoadedPolicy,
}

impl<'p> Vault<'p> {
    /// The same vault, reading what stood in a commit; its policy is the one of that commit. For reading only.
    #[must_use]
    pub fn at(mut self, at: At<'p>) -> Self {
        self.at = Some(at);
        self
    }

    /// The commit that is read, if it is not the work tree.
    pub fn commit(&self) -> Option<CommitId> {
        self.at.map(|at| at.commit)
    }

    /// The file of an environment in the commit: where the policy of then says, or else where any policy of the history
    /// behind it or behind HEAD had it, if what stands there says that it is of this environment.
    pub(super) fn load_at(&self, environment: &EnvironmentPolicy, at: At<'_>) -> Result<EnvironmentFile> {
        let Some((repository, prefix)) = self.inside() else {
            return Err(Failure::failed("there is no history here that could be read").into());
        };
        let file_at = |relative: PathBuf, bytes: Vec<u8>| match String::from_utf8(bytes) {
            Ok(text) => Ok(EnvironmentFile {
                name: environment.name.clone(),
                relative,
                text: Some(text),
            }),
            Err(error) => Err(not_utf8(&relative, error.as_bytes(), &error.utf8_error()).into()),
        };
        let relative = environment.file.clone();
        if let Some(bytes) = repository.blob_at(at.commit, &prefix.join(&relative))? {
            return file_at(relative, bytes);
        }
        let now = at.now.policy.environment(&environment.name);
        for tip in [Some(at.commit), repository.head()?] {
            let speaking = now.filter(|_| tip != Some(at.commit)).unwrap_or(environment);
            for file in past_files(repository, tip, None, prefix, speaking)?.files {
                let Ok(below) = file.strip_prefix(prefix) else {
                    continue;
                };
                let Some(bytes) = repository.blob_at(at.commit, &file)? else {
                    continue;
                };
                let footer = std::str::from_utf8(&bytes).ok().and_then(footer_of);
                if footer.is_some_and(|footer: Footer| footer.environment == environment.name) {
                    return file_at(below.to_owned(), bytes);
                }
            }
        }
        Ok(EnvironmentFile {
            name: environment.name.clone(),
            relative,
            text: None,
        })
    }
}

/// The failure of an environment that had no file yet, or none any more.
pub(super) fn no_file_at(file: &EnvironmentFile) -> Failure {
    let shown = file.relative.display();
    Failure::failed(format!("`{}` had no file: there was no `{shown}`", file.name))
        .hint(format!("see when there was: git log --oneline --all -- ':/{shown}'"))
}
