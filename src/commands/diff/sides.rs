//! Which two states are compared: a commit, most often the one where a branch left another, and the work tree or another
//! commit. Reads them as anyone can, without opening anything.

use std::path::{Path, PathBuf};

use secretree::error::{Failure, Result};
use secretree::files::real_path;
use secretree::git::{CommitId, Repository};
use secretree::history::{
    Brought, Entries, History, PolicyState, Review, Revision, Side, SideFile, Snapshot, Snapshots, review,
};
use secretree::names::EnvironmentName;
use secretree::policy::{LoadedPolicy, Reach};
use secretree::when::date_text;
use serde::Serialize;

use super::cells::Cell;
use super::{Args, no_environment};
use crate::context::Context;

/// One end of a comparison.
#[derive(Serialize)]
pub(super) struct End {
    /// The commit; nothing for the work tree, or before the first commit.
    #[serde(serialize_with = "as_text")]
    pub(super) commit: Option<CommitId>,
    /// What was typed.
    pub(super) revision: Option<String>,
    /// Whether the commit is the one where the other end left the revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    merge_base: Option<bool>,
}

fn as_text<S: serde::Serializer>(commit: &Option<CommitId>, serializer: S) -> Result<S::Ok, S::Error> {
    match commit {
        Some(commit) => serializer.collect_str(commit),
        None => serializer.serialize_none(),
    }
}

/// The two states, and where they come from.
pub(super) struct Compared {
    /// What was.
    pub(super) before: Side,
    /// What is.
    pub(super) after: Side,
    pub(super) from: End,
    pub(super) to: End,
    /// The policy of the work tree.
    pub(super) loaded: LoadedPolicy,
    repository: Repository,
    /// The root policy's folder, relative to the repository's root.
    root_folder: PathBuf,
    /// The newest commit of what is compared, unless nothing of it is committed.
    tip: Option<CommitId>,
}

impl Compared {
    /// The states that the arguments mean. Failure: no history, no such revision.
    pub(super) fn find(args: &Args, context: &Context) -> Result<Self> {
        let loaded = context.policy(Reach::Everything)?;
        let repository = context.readable_history()?;
        let root = real_path(&loaded.root_folder)?;
        let root_folder = root
            .strip_prefix(repository.root())
            .map_err(|_| Failure::failed("the policy stands outside of the repository"))?
            .to_owned();
        let head = repository.head()?;
        let to = match &args.to {
            Some(revision) => Some(context.revision(&repository, revision)?),
            None => None,
        };
        let tip = to.or(head);
        let (start, merge_base) = match &args.from {
            None => (head, None),
            Some(revision) => {
                let named = context.revision(&repository, revision)?;
                let (start, is_base) = start_of(context, &repository, revision, named, tip)?;
                (Some(start), Some(is_base))
            }
        };
        let mut snapshots = Snapshots::new(&repository);
        let mut side_of = |commit: Option<CommitId>| match commit {
            None => Ok(Side::empty()),
            Some(commit) => {
                let revision = Revision::read(&repository, &root_folder, commit)?;
                Ok::<_, anyhow::Error>(Side::of_revision(&revision, &mut snapshots))
            }
        };
        let before = side_of(start)?;
        let after = match to {
            Some(commit) => side_of(Some(commit))?,
            None => work_tree(context, &loaded, &root_folder)?,
        };
        if snapshots.is_missing_some() {
            context
                .ui
                .warning("some files are not in this clone: what is said here is at least so (git fetch --refetch)");
        }
        Ok(Self {
            before,
            after,
            from: End {
                commit: start,
                revision: args.from.clone(),
                merge_base,
            },
            to: End {
                commit: to,
                revision: args.to.clone(),
                merge_base: None,
            },
            loaded,
            root_folder,
            tip: tip.filter(|tip| Some(*tip) != start),
            repository,
        })
    }

    /// Who brought what `review` says.
    pub(super) fn brought(&self, found: &Review) -> Result<Brought> {
        let says_nothing = found.policy.is_empty() && found.environments.iter().all(|one| one.access.is_empty());
        let (Some(tip), Some(start), false) = (self.tip, self.from.commit, says_nothing) else {
            return Ok(Brought::default());
        };
        let revision = Revision::read(&self.repository, &self.root_folder, tip)?;
        let committed = match self.to.commit {
            Some(_) => self.after.clone(),
            None => Side::of_revision(&revision, &mut Snapshots::new(&self.repository)),
        };
        let now = committed.policy.sound().unwrap_or(&self.loaded.policy);
        let history = History::open(&self.repository, &self.root_folder, now, Entries::At(tip))?;
        Brought::find(&history.not_behind(start), review(&self.before, &committed))
    }

    /// The environment that `text` means, before or after.
    pub(super) fn environment(&self, text: &str, context: &Context) -> Result<EnvironmentName> {
        let start = real_path(context.folder())?;
        let sides = [&self.after, &self.before];
        let has = |name: &EnvironmentName| sides.iter().any(|side| side.environments.contains_key(name));
        let named = EnvironmentName::new(text).filter(has);
        let meant = self.loaded.resolve_environment(text, &start, None).ok().filter(has);
        meant.or(named).ok_or_else(|| {
            let names = sides.into_iter().flat_map(|side| side.environments.keys());
            let known = names.map(EnvironmentName::as_str).collect();
            no_environment(text, &known, self.repository.resolve(text).is_ok()).into()
        })
    }

    /// What is compared, if revisions were named.
    pub(super) fn header(&self) -> Option<Cell> {
        let revision = self.from.revision.as_ref()?;
        let commit = self.from.commit?;
        let said = self.repository.commit(commit).ok()?;
        let mut cell = Cell::of(format!("since commit {} of ", &commit.to_string()[..8]))
            .name(said.author_name)
            .words(format!(", {}", date_text(said.time)));
        if self.from.merge_base == Some(true) {
            cell = cell.words(", where this left ").name(revision);
        }
        Some(match &self.to.revision {
            Some(revision) => cell.words(", up to ").name(revision),
            None => cell.words(", up to the work tree"),
        })
    }
}

/// Where what leads to `tip` left `named`, and whether that is another commit than `named`.
fn start_of(
    context: &Context,
    repository: &Repository,
    revision: &str,
    named: CommitId,
    tip: Option<CommitId>,
) -> Result<(CommitId, bool)> {
    let Some(tip) = tip else { return Ok((named, false)) };
    match repository.merge_base(named, tip)? {
        Some(base) => Ok((base, base != named)),
        None if repository.is_shallow() => {
            let message = format!("where this left `{revision}` is not in this clone, which is shallow");
            Err(Failure::failed(message)
                .hint("git fetch --unshallow; in a job of GitHub: actions/checkout with `fetch-depth: 0`")
                .into())
        }
        None => {
            let text = format!("this has no history in common with `{revision}`: compared with that commit itself");
            context.ui.warning(&text);
            Ok((named, false))
        }
    }
}

/// The work tree.
fn work_tree(context: &Context, loaded: &LoadedPolicy, root_folder: &Path) -> Result<Side> {
    let vault = context.vault_over(loaded, loaded)?;
    let mut environments = std::collections::BTreeMap::new();
    for environment in loaded.policy.environments.values() {
        let snapshot = match vault.load(&environment.name) {
            Ok(file) => file.text.map(|text| Snapshot::read(text.as_bytes())),
            Err(error) => Some(Snapshot::unreadable(error.to_string())),
        };
        let side = SideFile {
            file: root_folder.join(&environment.file),
            snapshot: snapshot.map(std::sync::Arc::new),
        };
        environments.insert(environment.name.clone(), side);
    }
    Ok(Side {
        policy: PolicyState::Sound(std::sync::Arc::new(loaded.policy.clone())),
        environments,
    })
}
