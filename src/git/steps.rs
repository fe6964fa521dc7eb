//! One walk over all parents, newest first, for any number of files together: the commits after which a file is not as
//! it was before. It compares hashes along the paths and never makes a diff, so its cost is linear in commits.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use git2::Oid;

use super::objects::{Node, parse_author};
use super::paths::{Files, PathTree, Pattern};
use super::walk::{Walk, reachable_without};
use super::{BlobId, CommitId, Repository, check_relative};
use crate::error::{Failure, Result};

/// A commit in which the asked-for files are not all as in one of its parents.
#[derive(Clone)]
pub struct Step {
    /// The commit.
    pub commit: CommitId,
    /// Whether a parent is not in this clone: files may be older than this commit.
    pub at_least: bool,
    /// The parents that this clone has, the branch that the commit was made on first.
    pub parents: Vec<CommitId>,
    pub(super) author: Rc<[u8]>,
    after: Rc<Files>,
    before: Vec<Rc<Files>>,
}

impl Step {
    /// The file after the commit, by its position among the paths that were asked for; `None` if it is not there.
    pub fn blob(&self, path: usize) -> Option<BlobId> {
        self.after.get(path)
    }

    /// The file in one of the parents, by its position among them.
    pub fn before(&self, parent: usize, path: usize) -> Option<BlobId> {
        self.before.get(parent)?.get(path)
    }

    /// Whether the file is not as it was in any parent.
    pub fn changes(&self, path: usize) -> bool {
        let blob = self.blob(path);
        self.before.iter().all(|files| files.get(path) != blob) && (blob.is_some() || !self.before.is_empty())
    }

    /// The files that differ from at least one parent, by position, in order.
    pub fn touched(&self) -> Vec<usize> {
        let mut touched: Vec<usize> = match self.before.is_empty() {
            true => self.after.positions().collect(),
            false => self
                .before
                .iter()
                .flat_map(|files| self.after.differences(files))
                .collect(),
        };
        touched.sort_unstable();
        touched.dedup();
        touched
    }

    /// The author's name, e-mail address and time (seconds since 1970), as the commit says.
    pub fn author(&self) -> (String, String, i64) {
        parse_author(&self.author)
    }
}

impl Repository {
    /// Each commit behind `from`, over all parents, newest first by the committers' dates, in which the files `paths`
    /// (relative to the root) and those that fit `patterns` are not all as in one of its parents. What is behind `stop_at` is left out; commits there
    /// that this clone does not have leave out nothing. Linear in commits.
    ///
    /// # Errors
    /// `Failed` if the repository, or a commit of `from`, cannot be read.
    pub fn steps(
        &self,
        paths: &[&Path],
        patterns: &[Pattern],
        from: &[CommitId],
        stop_at: &[CommitId],
    ) -> Result<Steps<'_>> {
        for path in paths {
            check_relative(path)?;
        }
        for pattern in patterns {
            check_relative(&pattern.parent.join("x").join(&pattern.rest))?;
        }
        let mut steps = Steps {
            paths: PathTree::new(paths, patterns),
            walk: Walk::new(self.odb()?),
        };
        for commit in from {
            let found = steps.walk.push(commit.0)?;
            if !found {
                let id = commit.0;
                return Err(Failure::failed(format!("commit `{id}` is not in this clone")).into());
            }
        }
        if !stop_at.is_empty() {
            steps.walk.allowed = Some(reachable_without(self.odb()?, from, stop_at)?);
        }
        Ok(steps)
    }
}

/// An iterator over steps; see [`Repository::steps`].
pub struct Steps<'repository> {
    paths: PathTree,
    walk: Walk<'repository>,
}

impl Steps<'_> {
    /// Whether no object was missing so far. `false` (a shallow or partial clone) means "at least".
    pub fn is_complete(&self) -> bool {
        self.walk.complete
    }

    /// The paths by position: those that were asked for, and behind them those that fit the patterns, as far as they were
    /// seen in the steps so far.
    pub fn paths(&self) -> &[PathBuf] {
        &self.paths.paths
    }

    /// What the commit does; nothing if its files are those of a parent.
    fn step(&mut self, id: Oid, node: &Node) -> Result<Option<Step>> {
        let known = match self.walk.files.remove(&id) {
            Some(files) => Some(files),
            None => self.files_of(id, node, None)?,
        };
        let Some(after) = known else {
            self.walk.complete = false;
            return Ok(None);
        };
        let mut at_least = false;
        let mut before = Vec::with_capacity(node.parents.len());
        let mut parents = Vec::with_capacity(node.parents.len());
        for parent in &node.parents {
            let files = match self.walk.node(*parent)? {
                Some(parent_node) => self.files_of(*parent, &parent_node, Some(&after))?,
                None => None,
            };
            at_least |= files.is_none();
            parents.extend(files.is_some().then_some(CommitId(*parent)));
            before.extend(files);
        }
        self.walk.complete &= !at_least;
        if before.iter().any(|files| Rc::ptr_eq(files, &after)) {
            return Ok(None);
        }
        Ok(Some(Step {
            commit: CommitId(id),
            at_least,
            parents,
            author: Rc::from(node.author.as_slice()),
            after,
            before,
        }))
    }

    /// The files in a commit, looked up once; the same value as `near` if they are the same. `None` if trees
    /// are missing.
    fn files_of(&mut self, id: Oid, node: &Node, near: Option<&Rc<Files>>) -> Result<Option<Rc<Files>>> {
        if let Some(files) = self.walk.files.get(&id) {
            return Ok(Some(match near {
                Some(near) if **near == **files => Rc::clone(near),
                _ => Rc::clone(files),
            }));
        }
        let Some(files) = self.paths.find(&self.walk.odb, 0, node.tree)? else {
            return Ok(None);
        };
        let files = match near {
            Some(near) if **near == *files => Rc::clone(near),
            _ => files,
        };
        if self.walk.is_queued(id) {
            self.walk.files.insert(id, Rc::clone(&files));
        }
        Ok(Some(files))
    }
}

impl Iterator for Steps<'_> {
    type Item = Result<Step>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let step = match self.walk.pop() {
                Ok(Some((id, node))) => self.step(id, &node),
                Ok(None) => return None,
                Err(error) => Err(error),
            };
            match step {
                Ok(Some(step)) => return Some(Ok(step)),
                Ok(None) => {}
                Err(error) => {
                    self.walk.queue.clear();
                    return Some(Err(error));
                }
            }
        }
    }
}
