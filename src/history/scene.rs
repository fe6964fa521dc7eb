//! One walk for all environments at once: at each commit, what each environment that changed was before and after it,
//! whatever its file was called then. What that means is for those above: events, holders, ages.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::cache::Snapshots;
use super::lineage::Lineage;
use super::snapshot::Snapshot;
use crate::crypto::label::GrantLabel;
use crate::error::Result;
use crate::git::{BlobId, CommitId, Repository, Step, Steps};
use crate::names::{EnvironmentName, RecipientName};
use crate::policy::{POLICY_NAME, Policy};

/// Where a look at history begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entries {
    /// At `HEAD`: what a person calls the history.
    Head,
    /// At every reference, stash and work tree: whatever somebody could have read stands behind one of them.
    All,
    /// At this commit.
    At(CommitId),
}

impl Entries {
    fn commits(self, repository: &Repository) -> Result<Vec<CommitId>> {
        Ok(match self {
            Self::Head => repository.head()?.into_iter().collect(),
            Self::All => repository.tips()?,
            Self::At(commit) => vec![commit],
        })
    }
}

/// The history of a policy's environments.
pub struct History<'r> {
    pub(super) repository: &'r Repository,
    pub(super) root_folder: PathBuf,
    pub(super) lineage: Lineage,
    pub(super) from: Vec<CommitId>,
    stop_at: Vec<CommitId>,
}

impl<'r> History<'r> {
    /// The history behind `entries`. `root_folder` is the root policy's folder, relative to the repository's root (empty if
    /// it is that), `now` the policy that holds now: its environments keep their names, whatever they were called.
    ///
    /// # Errors
    /// `Failed` if the repository cannot be read.
    pub fn open(repository: &'r Repository, root_folder: &Path, now: &Policy, entries: Entries) -> Result<Self> {
        let from = entries.commits(repository)?;
        Ok(Self {
            lineage: Lineage::read(repository, root_folder, now, &from)?,
            root_folder: root_folder.to_owned(),
            repository,
            from,
            stop_at: Vec::new(),
        })
    }

    /// The same without what is behind `commit`, itself included: what a branch brought since it left there.
    #[must_use]
    pub fn not_behind(mut self, commit: CommitId) -> Self {
        self.stop_at.push(commit);
        self
    }

    /// Every recipient that a policy ever named, with the labels of the public keys that a policy ever gave them; sorted.
    pub fn people(&self) -> impl Iterator<Item = (&RecipientName, &BTreeSet<GrantLabel>)> {
        self.lineage.people().iter()
    }

    /// The file of an environment as it stood at a commit, whatever it was called then; `None` if there was none.
    ///
    /// # Errors
    /// `Failed` if objects are missing.
    pub fn at(&self, commit: CommitId, environment: &EnvironmentName) -> Result<Option<Arc<Snapshot>>> {
        let mut snapshots = Snapshots::new(self.repository);
        let current = self.lineage.current_file(environment).cloned();
        let others = self.lineage.paths_for(environment).into_iter();
        let others = others.filter(|file| Some(file) != current.as_ref());
        for file in current.clone().into_iter().chain(others) {
            let Some(blob) = self.repository.blob_id_at(commit, &file)? else {
                continue;
            };
            let snapshot = snapshots.get(blob, None);
            let named = snapshot.granted().map(|granted| &granted.environment);
            if self.lineage.owner(&file, named).as_ref() == Some(environment) {
                return Ok(Some(snapshot));
            }
        }
        Ok(None)
    }

    /// What an environment that was renamed is called now.
    pub fn present_name<'n>(&'n self, name: &'n EnvironmentName) -> &'n EnvironmentName {
        self.lineage.present_name(name)
    }

    /// Whether files that the environment had once say that they are another's by a name which that one has now.
    pub(super) fn has_shared_past(&self, environment: &EnvironmentName) -> bool {
        self.lineage.shares_files(environment)
    }

    /// Every environment that a policy ever declared, sorted.
    pub fn environments(&self) -> impl Iterator<Item = &EnvironmentName> {
        self.lineage.environments()
    }

    /// Each commit that changed an environment (or this one only) or the policy, newest first.
    ///
    /// # Errors
    /// `Failed` if the repository cannot be read.
    pub(super) fn scenes(&self, only: Option<&EnvironmentName>) -> Result<Scenes<'_>> {
        self.scenes_behind(&self.from, only)
    }

    /// The same behind other commits, all of them behind the entries of this history.
    pub(super) fn scenes_behind(&self, from: &[CommitId], only: Option<&EnvironmentName>) -> Result<Scenes<'_>> {
        let policies = self.lineage.folders.iter();
        let mut files: Vec<PathBuf> = policies
            .map(|folder| self.root_folder.join(folder).join(POLICY_NAME))
            .collect();
        let policies = files.len();
        let (wanted, patterns): (BTreeSet<PathBuf>, _) = match only {
            Some(environment) => (self.lineage.paths_for(environment), Vec::new()),
            None => (self.lineage.paths().cloned().collect(), self.lineage.patterns()),
        };
        files.extend(wanted);
        let borrowed: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
        Ok(Scenes {
            steps: self.repository.steps(&borrowed, &patterns, from, &self.stop_at)?,
            positions: files.iter().cloned().zip(0..).collect(),
            snapshots: Snapshots::new(self.repository),
            lineage: &self.lineage,
            last: HashMap::new(),
            policies,
            complete: self.lineage.complete,
            unreadable: 0,
        })
    }
}

/// The file of an environment at one side of a commit.
#[derive(Clone)]
pub(super) struct Placed {
    /// Its position among the walked paths.
    pub(super) path: usize,
    pub(super) blob: BlobId,
    pub(super) snapshot: Arc<Snapshot>,
}

/// An environment in a commit.
pub(super) struct EnvironmentScene {
    pub(super) environment: EnvironmentName,
    pub(super) after: Option<Placed>,
    /// In each parent, in their order.
    pub(super) before: Vec<Option<Placed>>,
}

/// What a commit changed.
pub(super) struct Scene {
    pub(super) step: Step,
    pub(super) environments: Vec<EnvironmentScene>,
    /// Other files that say they are an environment's and that the commit changed beside the one that counts.
    pub(super) beside: Vec<EnvironmentScene>,
    /// Whether a policy file is another than in all parents.
    pub(super) policy_changed: bool,
}

/// An iterator over scenes.
pub(super) struct Scenes<'h> {
    steps: Steps<'h>,
    positions: HashMap<PathBuf, usize>,
    snapshots: Snapshots<'h>,
    lineage: &'h Lineage,
    /// The content that was last read at each position.
    last: HashMap<usize, BlobId>,
    /// How many of the first positions are policy files.
    pub(super) policies: usize,
    complete: bool,
    unreadable: usize,
}

/// The files of one side of a commit, with the environments they are of.
type Side = Vec<(EnvironmentName, Placed)>;

impl Scenes<'_> {
    /// Whether no object was missing so far. `false` (a shallow or partial clone) means "at least".
    pub(super) fn is_complete(&self) -> bool {
        self.complete && self.steps.is_complete() && !self.snapshots.is_missing_some()
    }

    /// How many contents were found that cannot be read.
    pub(super) fn unreadable(&self) -> usize {
        self.unreadable
    }

    /// A walked path by its position.
    pub(super) fn path(&self, position: usize) -> &Path {
        &self.steps.paths()[position]
    }

    fn scene(&mut self, step: Step) -> Scene {
        let changed: Vec<usize> = step.touched().into_iter().filter(|path| step.changes(*path)).collect();
        let policies = self.policies;
        let policy_changed = changed.iter().any(|path| *path < policies);
        let sides = step.parents.len() + 1;
        let mut found: Vec<Side> = (0..sides).map(|_| Side::new()).collect();
        for &path in changed.iter().filter(|path| **path >= policies) {
            for (side, found) in found.iter_mut().enumerate() {
                found.extend(self.placed(&step, side, path));
            }
        }
        let owners: BTreeSet<EnvironmentName> = found.iter().flatten().map(|(owner, _)| owner.clone()).collect();
        let mut environments = Vec::with_capacity(owners.len());
        let mut beside = Vec::new();
        for environment in owners {
            let mut sides = Vec::with_capacity(found.len());
            for (side, found) in found.iter().enumerate() {
                sides.push(self.chosen(&step, side, &environment, found, &changed));
            }
            let after = sides.remove(0);
            for (owner, other) in &found[0] {
                if *owner == environment && after.as_ref().is_none_or(|after| after.path != other.path) {
                    let of_path = |side: &Side| side.iter().find(|(_, placed)| placed.path == other.path).cloned();
                    beside.push(EnvironmentScene {
                        environment: environment.clone(),
                        after: Some(other.clone()),
                        before: found[1..]
                            .iter()
                            .map(|side| of_path(side).map(|(_, placed)| placed))
                            .collect(),
                    });
                }
            }
            let is_old = |before: &Option<Placed>| {
                before.as_ref().map(|placed| placed.blob) == after.as_ref().map(|placed| placed.blob)
            };
            if sides.is_empty() || !sides.iter().any(is_old) || moves(&after, &sides) {
                self.unreadable += usize::from(after.as_ref().is_some_and(|placed| placed.snapshot.fault().is_some()));
                environments.push(EnvironmentScene {
                    environment,
                    after,
                    before: sides,
                });
            }
        }
        Scene {
            step,
            environments,
            beside,
            policy_changed,
        }
    }

    /// The file at a position on one side (0 is after the commit, then its parents), and whose it is.
    fn placed(&mut self, step: &Step, side: usize, path: usize) -> Option<(EnvironmentName, Placed)> {
        let blob = match side {
            0 => step.blob(path),
            parent => step.before(parent - 1, path),
        }?;
        let snapshot = self.snapshots.get(blob, self.last.get(&path).copied());
        self.last.insert(path, blob);
        let named = snapshot.granted().map(|granted| &granted.environment);
        let owner = self.lineage.owner(self.path(path), named)?;
        Some((owner, Placed { path, blob, snapshot }))
    }

    /// The file of an environment on one side: of those that the commit changed the one it has now, or any; else one that
    /// the commit left alone.
    fn chosen(
        &mut self,
        step: &Step,
        side: usize,
        environment: &EnvironmentName,
        found: &Side,
        changed: &[usize],
    ) -> Option<Placed> {
        let own: Vec<&Placed> = found
            .iter()
            .filter(|(owner, _)| owner == environment)
            .map(|(_, placed)| placed)
            .collect();
        let current = self.lineage.current_file(environment);
        let now = own
            .iter()
            .find(|placed| Some(self.path(placed.path)) == current.map(PathBuf::as_path));
        if let Some(placed) = now.or(own.first()) {
            return Some((*placed).clone());
        }
        let lineage = self.lineage;
        for file in lineage.files_of(environment) {
            let position = self.positions.get(file).copied();
            if let Some(path) = position.filter(|path| !changed.contains(path))
                && let Some((owner, placed)) = self.placed(step, side, path)
                && owner == *environment
            {
                return Some(placed);
            }
        }
        None
    }

    /// The last content of a file behind `commit` that can be read.
    pub(super) fn readable_behind(
        &mut self,
        repository: &Repository,
        commit: CommitId,
        path: usize,
    ) -> Option<Arc<Snapshot>> {
        let file = self.path(path).to_owned();
        let versions = repository.versions(&file, commit, None).ok()?;
        for version in versions {
            let snapshot = self.snapshots.get(version.ok()?.blob, None);
            if snapshot.fault().is_none() {
                return Some(snapshot);
            }
        }
        None
    }
}

/// Whether the file stands elsewhere than in every parent.
pub(super) fn moves(after: &Option<Placed>, before: &[Option<Placed>]) -> bool {
    let Some(after) = after else { return false };
    !before.is_empty()
        && before
            .iter()
            .all(|before| before.as_ref().is_some_and(|before| before.path != after.path))
}

impl Iterator for Scenes<'_> {
    type Item = Result<Scene>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let step = match self.steps.next()? {
                Ok(step) => step,
                Err(error) => return Some(Err(error)),
            };
            let scene = self.scene(step);
            if scene.policy_changed || !scene.environments.is_empty() || !scene.beside.is_empty() {
                return Some(Ok(scene));
            }
        }
    }
}
