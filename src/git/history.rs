//! How files changed behind a commit, each file for itself: its changes and the contents it had. The walk over the
//! commits is `steps`.

use std::collections::HashSet;
use std::path::Path;
use std::rc::Rc;
use std::vec::IntoIter;

use super::objects::parse_author;
use super::steps::{Step, Steps};
use super::{BlobId, CommitId, Repository};
use crate::error::Result;

/// A commit in which a file is not as it was in any of the commit's parents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The commit.
    pub commit: CommitId,
    /// Which file: its position among the paths that were asked for.
    pub path: usize,
    /// The file after it; `None` if it was removed.
    pub blob: Option<BlobId>,
    /// The file in each parent, in their order.
    pub before: Vec<Option<BlobId>>,
    /// Whether a parent is not in this clone: the file may be older than this commit.
    pub at_least: bool,
    author: Rc<[u8]>,
}

impl Change {
    /// The author's name, e-mail address and time (seconds since 1970), as the commit says.
    pub fn author(&self) -> (String, String, i64) {
        parse_author(&self.author)
    }
}

/// One content that a file had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The newest commit that brought it.
    pub commit: CommitId,
    /// The author's name.
    pub author_name: String,
    /// The author's e-mail address.
    pub author_email: String,
    /// When the author says it was written, in seconds since 1970.
    pub time: i64,
    /// The content, for [`Repository::blob`].
    pub blob: BlobId,
}

impl Repository {
    /// Each change of the files `paths` (relative to the root) in the history behind `from`, all parents, newest
    /// first by the committers' dates. What is behind `stop_at` is left out; commits there that this clone does
    /// not have leave out nothing. Linear in commits; `paths` are walked together.
    ///
    /// # Errors
    /// `Failed` if the repository, or a commit of `from`, cannot be read.
    pub fn changes(&self, paths: &[&Path], from: &[CommitId], stop_at: &[CommitId]) -> Result<Changes<'_>> {
        Ok(Changes {
            steps: self.steps(paths, &[], from, stop_at)?,
            pending: Vec::new().into_iter(),
        })
    }

    /// Each distinct content that the file `relative` had in the history behind `from`, as [`Self::changes`].
    ///
    /// # Errors
    /// As [`Self::changes`].
    pub fn versions(&self, relative: &Path, from: CommitId, stop_at: Option<CommitId>) -> Result<Versions<'_>> {
        Ok(Versions {
            changes: self.changes(&[relative], &[from], stop_at.as_slice())?,
            seen: HashSet::new(),
        })
    }
}

/// An iterator over changes; see [`Repository::changes`].
pub struct Changes<'repository> {
    steps: Steps<'repository>,
    pending: IntoIter<Change>,
}

impl Changes<'_> {
    /// Whether no object was missing so far. `false` (a shallow or partial clone) means "at least".
    pub fn is_complete(&self) -> bool {
        self.steps.is_complete()
    }
}

/// What a step is for each file alone.
fn changes_of(step: &Step, paths: usize) -> Vec<Change> {
    let mut changes = Vec::new();
    for path in 0..paths {
        let blob = step.blob(path);
        let before: Vec<_> = (0..step.parents.len())
            .map(|parent| step.before(parent, path))
            .collect();
        let differs = !before.contains(&blob);
        // Before a first commit, as behind missing ones, there is no file.
        if differs && (blob.is_some() || !before.is_empty()) {
            changes.push(Change {
                commit: step.commit,
                path,
                blob,
                before,
                at_least: step.at_least,
                author: Rc::clone(&step.author),
            });
        }
    }
    changes
}

impl Iterator for Changes<'_> {
    type Item = Result<Change>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(change) = self.pending.next() {
                return Some(Ok(change));
            }
            match self.steps.next()? {
                Ok(step) => self.pending = changes_of(&step, self.steps.paths().len()).into_iter(),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// An iterator over distinct contents; see [`Repository::versions`].
pub struct Versions<'repository> {
    changes: Changes<'repository>,
    seen: HashSet<BlobId>,
}

impl Versions<'_> {
    /// Whether no object was missing so far. `false` (a shallow or partial clone) means "at least".
    pub fn is_complete(&self) -> bool {
        self.changes.is_complete()
    }
}

impl Iterator for Versions<'_> {
    type Item = Result<Version>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let change = match self.changes.next()? {
                Ok(change) => change,
                Err(error) => return Some(Err(error)),
            };
            if let Some(blob) = change.blob.filter(|blob| self.seen.insert(*blob)) {
                let (author_name, author_email, time) = change.author();
                return Some(Ok(Version {
                    commit: change.commit,
                    author_name,
                    author_email,
                    time,
                    blob,
                }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    use crate::git::testing::{Dice, Sandbox};
    use crate::git::{BlobId, CommitId, Pattern, Repository};

    const PATHS: [&str; 3] = ["secrets/prod.yaml", "secrets/eu/prod.yaml", "top.yaml"];

    /// Every version's content, newest first.
    fn contents(repository: &Repository, path: &str, stop_at: Option<&str>) -> Vec<String> {
        let head = repository.head().unwrap().unwrap();
        let stop_at = stop_at.map(|id| CommitId::new(id).unwrap());
        let versions = repository.versions(Path::new(path), head, stop_at).unwrap();
        versions
            .map(|version| String::from_utf8(repository.blob(version.unwrap().blob).unwrap().unwrap()).unwrap())
            .collect()
    }

    #[test]
    fn a_content_of_a_side_branch_that_lost_is_found() {
        let sandbox = Sandbox::new();
        sandbox.commit_file("secrets/prod.yaml", "first");
        sandbox.git(&["switch", "-q", "-c", "side"]);
        sandbox.commit_file("secrets/prod.yaml", "side");
        sandbox.git(&["switch", "-q", "main"]);
        let middle = sandbox.commit_file("secrets/prod.yaml", "main");
        sandbox.git(&["merge", "-q", "-s", "ours", "-m", "merge", "side"]);
        sandbox.commit_file("unrelated", "x");
        sandbox.commit_file("secrets/prod.yaml", "first");
        let repository = sandbox.repository();
        assert_eq!(
            contents(&repository, "secrets/prod.yaml", None),
            ["first", "main", "side"]
        );
        assert_eq!(
            contents(&repository, "secrets/prod.yaml", Some(&middle)),
            ["first", "side"]
        );
        assert!(contents(&repository, "secrets", None).is_empty());
        let head = repository.head().unwrap().unwrap();
        let path = [Path::new("secrets/prod.yaml")];
        assert_eq!(repository.changes(&path, &[head], &[head]).unwrap().count(), 0);
        assert_eq!(repository.changes(&path, &[head], &[]).unwrap().count(), 4);
    }

    #[test]
    fn a_pattern_finds_what_stood_in_folders_that_are_gone() {
        let sandbox = Sandbox::new();
        for path in [
            "services/a/prod.yaml",
            "services/b/prod.yaml",
            "services/b/dev.yaml",
            "services/prod.yaml",
        ] {
            sandbox.commit_file(path, path);
        }
        sandbox.git(&["rm", "-q", "-r", "services/b"]);
        sandbox.commit("gone");
        let repository = sandbox.repository();
        let head = repository.head().unwrap().unwrap();
        let pattern = Pattern {
            parent: "services".into(),
            rest: "prod.yaml".into(),
        };
        let mut steps = repository
            .steps(&[Path::new("services/a/prod.yaml")], &[pattern], &[head], &[])
            .unwrap();
        let mut seen = Vec::new();
        while let Some(step) = steps.next() {
            let step = step.unwrap();
            for path in step.touched() {
                let there = step.blob(path).is_some();
                seen.push(format!("{} {there}", steps.paths()[path].display()));
            }
        }
        let expected = [
            "services/b/prod.yaml false",
            "services/b/prod.yaml true",
            "services/a/prod.yaml true",
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_removed_file_and_its_author_are_told() {
        let sandbox = Sandbox::new();
        let first = sandbox.commit_file("top.yaml", "1");
        sandbox.git(&["rm", "-q", "top.yaml"]);
        let removed = sandbox.commit("gone");
        let repository = sandbox.repository();
        let head = repository.head().unwrap().unwrap();
        let changes = repository.changes(&[Path::new("top.yaml")], &[head], &[]).unwrap();
        let changes: Vec<_> = changes.map(Result::unwrap).collect();
        let commits: Vec<_> = changes.iter().map(|change| change.commit.to_string()).collect();
        assert_eq!(commits, [removed, first]);
        assert_eq!(
            (changes[0].blob, changes[0].before.clone()),
            (None, vec![changes[1].blob])
        );
        assert_eq!(
            changes[1].author(),
            ("Ada".to_owned(), "ada@example.com".to_owned(), 1_700_000_001)
        );
        assert!(!changes[1].at_least);
    }

    #[test]
    fn a_shallow_clone_answers_at_least() {
        let sandbox = Sandbox::new();
        sandbox.commit_file("top.yaml", "1");
        sandbox.commit_file("top.yaml", "2");
        let clone = sandbox.outside().join("clone");
        let source = format!("file://{}", sandbox.root().display());
        sandbox.git(&["clone", "-q", "--depth=1", &source, clone.to_str().unwrap()]);
        let repository = Repository::discover(&clone, &Default::default()).unwrap().unwrap();
        assert!(repository.is_shallow());
        let head = repository.head().unwrap().unwrap();
        let mut changes = repository.changes(&[Path::new("top.yaml")], &[head], &[]).unwrap();
        assert!(changes.next().unwrap().unwrap().at_least);
        assert!(changes.next().is_none() && !changes.is_complete());
    }

    fn list(sandbox: &Sandbox, arguments: &[&str]) -> BTreeSet<String> {
        sandbox.git(arguments).lines().map(str::to_owned).collect()
    }

    /// The changes of `commits`, by looking at each of them alone.
    fn expected(repository: &Repository, commits: &BTreeSet<String>) -> BTreeSet<(String, usize, Option<BlobId>)> {
        let mut changes = BTreeSet::new();
        for id in commits {
            let commit = repository.commit(CommitId::new(id).unwrap()).unwrap();
            for (position, path) in PATHS.iter().enumerate() {
                let at = |id| repository.blob_id_at(id, Path::new(path)).unwrap();
                let blob = at(commit.id);
                let differs = commit.parents.iter().all(|parent| at(*parent) != blob);
                if differs && (blob.is_some() || !commit.parents.is_empty()) {
                    changes.insert((id.clone(), position, blob));
                }
            }
        }
        changes
    }

    #[test]
    fn every_change_of_random_histories_is_found_once() {
        let mut dice = Dice(7);
        for (round, skew) in [0, 0, 0, 200, 200, 2000].into_iter().enumerate() {
            let sandbox = Sandbox::new();
            sandbox.import(&PATHS, 60, skew, &mut dice);
            let repository = sandbox.repository();
            let paths = PATHS.map(Path::new);
            let head = repository.head().unwrap().unwrap();
            let walk = |stop_at: &[CommitId]| {
                let changes = repository.changes(&paths, &[head], stop_at).unwrap();
                let found: Vec<_> = changes
                    .map(|change| change.unwrap())
                    .map(|change| (change.commit.to_string(), change.path, change.blob))
                    .collect();
                let distinct: BTreeSet<_> = found.iter().cloned().collect();
                assert_eq!(distinct.len(), found.len());
                distinct
            };
            let all = list(&sandbox, &["rev-list", "main"]);
            assert_eq!(walk(&[]), expected(&repository, &all), "round {round}");
            assert!(!all.is_empty());
            for stop in ["b10", "b30", "b55", "b59"] {
                let left = list(&sandbox, &["rev-list", "main", "--not", stop]);
                let found = walk(&[repository.resolve(stop).unwrap()]);
                let exact = expected(&repository, &left);
                assert!(found.is_superset(&exact), "round {round}, {stop}");
                assert!(skew > 0 || found == exact, "round {round}, {stop}");
            }
            let mut versions: BTreeMap<usize, BTreeSet<BlobId>> = BTreeMap::new();
            for (_, path, blob) in expected(&repository, &all) {
                versions.entry(path).or_default().extend(blob);
            }
            for (position, path) in paths.iter().enumerate() {
                let found: Vec<_> = repository
                    .versions(path, head, None)
                    .unwrap()
                    .map(|v| v.unwrap().blob)
                    .collect();
                let expected = versions.remove(&position).unwrap_or_default();
                assert_eq!(found.len(), expected.len());
                assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected);
            }
        }
    }
}
