//! What the verbs about history share: where the history of this policy is, which environments and paths it knew, who and
//! when a commit was, and the line that says that something is missing.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use secretree::document::path::{Resolved, Search, ValuePath};
use secretree::error::{Failure, Result};
use secretree::files::real_path;
use secretree::git::{Commit, CommitId, Repository};
use secretree::history::{Entries, History, Present, Snapshot};
use secretree::names::{EnvironmentName, did_you_mean};
use secretree::policy::LoadedPolicy;
use secretree::vault::Vault;
use secretree::when::date_text;
use serde::Serialize;

use super::Context;
use crate::ui::escaped;

/// The repository that a policy stands in, and its folder there.
pub(crate) struct Archive {
    pub(crate) repository: Repository,
    folder: PathBuf,
    commits: RefCell<HashMap<CommitId, Commit>>,
}

/// Who and when, as `--json` shows it.
#[derive(Serialize)]
pub(crate) struct Point {
    commit: String,
    date: String,
    author: String,
}

impl Context {
    /// The history of a policy. Failure, with the way round: there is none, or it cannot be read.
    pub(crate) fn archive(&self, loaded: &LoadedPolicy) -> Result<Archive> {
        let repository = self.readable_history()?;
        let root = real_path(&loaded.root_folder)?;
        let folder = root.strip_prefix(repository.root()).map_err(|_| {
            Failure::failed("the policy stands outside of the repository").hint("work inside the repository")
        })?;
        Ok(Archive {
            folder: folder.to_owned(),
            repository,
            commits: RefCell::new(HashMap::new()),
        })
    }

    /// The same for verbs that can answer from the files alone; that they do is said.
    pub(crate) fn archive_if_any(&self, loaded: &LoadedPolicy) -> Option<Archive> {
        match self.archive(loaded) {
            Ok(archive) => Some(archive),
            Err(error) => {
                self.ui
                    .warning(&format!("{error}; this is what the files say now: at least"));
                None
            }
        }
    }

    /// The environment files as they stand in the work tree.
    pub(crate) fn present(&self, loaded: &LoadedPolicy, vault: &Vault<'_>) -> Present {
        let mut present = Present::new();
        for name in loaded.policy.environments.keys() {
            let snapshot = match vault.load(name) {
                Ok(file) => file.text.map(|text| Snapshot::read(text.as_bytes())),
                Err(error) => Some(Snapshot::unreadable(error.to_string())),
            };
            if let Some(reason) = snapshot.as_ref().and_then(Snapshot::fault) {
                let reason = escaped(reason);
                self.ui
                    .warning(&format!("the file of `{name}` cannot be read: {reason}"));
            }
            present.extend(snapshot.map(|snapshot| (name.clone(), Arc::new(snapshot))));
        }
        present
    }

    /// The environment that `text` names: one of the policy, or one that only history knows.
    pub(crate) fn past_or_present(
        &self,
        loaded: &LoadedPolicy,
        history: Option<&History<'_>>,
        text: &str,
        verb: &str,
    ) -> Result<EnvironmentName> {
        let (start, _) = self.start_and_bound()?;
        let missing = match loaded.resolve_environment(text, &start, Some(verb)) {
            Ok(name) => return Ok(name),
            Err(missing) => missing,
        };
        let past = EnvironmentName::new(text).zip(history);
        let known = past.filter(|(name, history)| history.environments().any(|known| known == name));
        match known {
            Some((name, history)) => {
                let present = history.present_name(&name).clone();
                if present != name {
                    self.ui.note(&format!("note: `{name}` is called `{present}` now"));
                }
                Ok(present)
            }
            None => Err(missing),
        }
    }

    /// Says that objects are missing here, where they are.
    pub(crate) fn tell_incomplete(&self, archive: &Archive, complete: bool) {
        if complete {
            return;
        }
        let (what, cure) = match (archive.repository.is_shallow(), archive.repository.is_partial()) {
            (true, _) => ("this clone is shallow", "git fetch --unshallow"),
            (_, true) => ("this clone is partial", "git fetch --refetch --no-filter"),
            _ => ("objects are missing here", "git fsck"),
        };
        self.ui.warning(&format!(
            "{what}, so this is at least what there was; to know all: {cure}"
        ));
    }

    /// Says how many contents could not be read.
    pub(crate) fn tell_unreadable(&self, unreadable: usize) {
        if unreadable > 0 {
            let what = if unreadable == 1 { "content" } else { "contents" };
            self.ui.warning(&format!(
                "{unreadable} {what} of files in history cannot be read, so this is at least what there was"
            ));
        }
    }
}

impl Archive {
    /// The history behind these entries.
    pub(crate) fn history(&self, loaded: &LoadedPolicy, entries: Entries) -> Result<History<'_>> {
        History::open(&self.repository, &self.folder, &loaded.policy, entries)
    }

    /// What a commit says about itself.
    pub(crate) fn commit(&self, id: CommitId) -> Result<Commit> {
        if let Some(known) = self.commits.borrow().get(&id) {
            return Ok(known.clone());
        }
        let commit = self.repository.commit(id)?;
        self.commits.borrow_mut().insert(id, commit.clone());
        Ok(commit)
    }

    /// `2026-01-31 (commit 1a2b3c4d of Ada)`; not escaped.
    pub(crate) fn shown(&self, commit: Option<CommitId>) -> Result<String> {
        let Some(id) = commit else {
            return Ok("now (not committed yet)".to_owned());
        };
        let commit = self.commit(id)?;
        let date = date_text(commit.time);
        Ok(format!("{date} (commit {} of {})", short(id), commit.author_name))
    }

    /// The same for `--json`.
    pub(crate) fn point(&self, commit: Option<CommitId>) -> Result<Option<Point>> {
        let Some(id) = commit else { return Ok(None) };
        let commit = self.commit(id)?;
        Ok(Some(Point {
            commit: id.to_string(),
            date: date_text(commit.time),
            author: commit.author_name,
        }))
    }
}

/// A commit as people name it.
pub(crate) fn short(commit: CommitId) -> String {
    commit.to_string()[..8].to_owned()
}

/// A path as a shell takes it.
fn quoted(path: &ValuePath) -> String {
    let text = path.to_string();
    shlex::try_quote(&text).map_or_else(|_| "PATH".to_owned(), std::borrow::Cow::into_owned)
}

/// The value that PATH means among those that stand, or ever stood, in an environment.
pub(crate) fn known_path<'p>(
    environment: &EnvironmentName,
    text: &str,
    known: impl Iterator<Item = &'p ValuePath>,
    variable: impl Fn(&ValuePath) -> String,
    verb: &str,
) -> Result<ValuePath> {
    let known: Vec<&ValuePath> = known.collect();
    let mut search = Search::new(text);
    for path in &known {
        search.consider(path, &variable);
    }
    let unknown = || Failure::failed(format!("`{environment}` has no `{text}` and never had"));
    match search.result() {
        Resolved::Known(path) => Ok(path),
        Resolved::Ambiguous(paths) => {
            let forms: Vec<String> = paths.iter().map(|path| format!("`{}`", path.quoted())).collect();
            Err(Failure::failed(format!("`{text}` can mean {}", forms.join(" or ")))
                .hint("quote the segments, as here")
                .into())
        }
        Resolved::New(_) | Resolved::Malformed => {
            let below = ValuePath::parse(text).and_then(|above| {
                let mut inside = known
                    .iter()
                    .filter(|path| path.segments().starts_with(above.segments()));
                inside.next()
            });
            if let Some(below) = below {
                let failure = Failure::failed(format!("`{text}` is no value of `{environment}`: it holds others"));
                return Err(failure
                    .hint(format!("secretree {verb} {environment} {}", quoted(below)))
                    .into());
            }
            let names: Vec<String> = known.iter().map(ToString::to_string).collect();
            let near = did_you_mean(text, names.iter().map(String::as_str));
            Err(match near {
                Some(near) => unknown().hint(format!("did you mean `{near}`? secretree {verb} {environment} {near}")),
                None => unknown().hint(format!("what there is: secretree list {environment}")),
            }
            .into())
        }
    }
}
