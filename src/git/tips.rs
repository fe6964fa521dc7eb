//! Where history can be entered: every reference, every work tree's `HEAD`, the stash with all its entries, and what git
//! left behind for an unfinished merge. Whoever asks who could have read something must begin at all of them.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use git2::{ErrorCode, ObjectType, Oid};

use super::{CommitId, Repository, explain};
use crate::error::Result;

/// Files beside `HEAD` that name commits while something is going on, or after it.
const LEFT_BEHIND: [&str; 7] = [
    "HEAD",
    "ORIG_HEAD",
    "FETCH_HEAD",
    "MERGE_HEAD",
    "CHERRY_PICK_HEAD",
    "REVERT_HEAD",
    "REBASE_HEAD",
];
/// How deep names of branches are followed.
const DEEPEST: usize = 64;
/// The most that is read of such a file, in bytes.
const LONGEST: u64 = 1 << 20;

impl Repository {
    /// The commits that all references name (branches, remotes, tags, notes, `refs/bisect`), the `HEAD` of each work
    /// tree, all entries of the stash, and the commits of an unfinished merge or fetch; each once, sorted. Reflogs but
    /// the stash's and the remotes' are not looked at: what was fetched or pushed once was there for others, also if the
    /// branch was moved since. Commits that this clone does not have are left out.
    ///
    /// # Errors
    /// `Failed` if the references cannot be read.
    pub fn tips(&self) -> Result<Vec<CommitId>> {
        let repository = self.inner()?;
        let unreadable = |error: git2::Error| explain("the references cannot be read", &error);
        let mut found = BTreeSet::new();
        for reference in repository.references().map_err(unreadable)? {
            let Ok(reference) = reference else { continue };
            // A tag may name a tree or a blob; a symbolic reference may lead nowhere.
            if let Ok(commit) = reference.peel_to_commit() {
                found.insert(commit.id());
            }
        }
        if let Ok(stash) = repository.reflog("refs/stash") {
            found.extend(stash.iter().map(|entry| entry.id_new()));
        }
        let common = repository.commondir();
        found.extend(named_in(&self.directory));
        found.extend(named_in(common));
        found.extend(logged_below(&common.join("logs/refs/remotes"), 0));
        let linked = fs::read_dir(common.join("worktrees")).into_iter().flatten().flatten();
        for folder in linked {
            found.extend(named_in(&folder.path()));
        }
        match self.head() {
            Ok(head) => found.extend(head.map(|commit| commit.0)),
            Err(error) => return Err(error),
        }
        let odb = self.odb()?;
        let is_commit = |id: &Oid| match odb.read_header(*id) {
            Ok((_, kind)) => kind == ObjectType::Commit,
            Err(error) => error.code() != ErrorCode::NotFound,
        };
        Ok(found.into_iter().filter(is_commit).map(CommitId).collect())
    }
}

/// The commits that the files beside `HEAD`, and the references of this work tree alone, name by their hash.
fn named_in(folder: &Path) -> Vec<Oid> {
    let mut named = Vec::new();
    for name in LEFT_BEHIND {
        named.extend(hashes(&folder.join(name)));
    }
    for own in ["refs/bisect", "refs/worktree", "refs/rewritten"] {
        let files = fs::read_dir(folder.join(own)).into_iter().flatten().flatten();
        named.extend(files.flat_map(|file| hashes(&file.path())));
    }
    named
}

/// The commits that the reflogs in a folder name, on both sides of each line.
fn logged_below(folder: &Path, depth: usize) -> BTreeSet<Oid> {
    let mut found = BTreeSet::new();
    if depth > DEEPEST {
        return found;
    }
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(logged_below(&entry.path(), depth + 1)),
            Ok(kind) if kind.is_file() => {
                let bytes = fs::read(entry.path()).unwrap_or_default();
                let lines = bytes.split(|byte| *byte == b'\n');
                let hashes = lines.flat_map(|line| [line.get(..40), line.get(41..81)]).flatten();
                let hashes = hashes.filter_map(|hash| Oid::from_str(std::str::from_utf8(hash).ok()?).ok());
                found.extend(hashes.filter(|hash| !hash.is_zero()));
            }
            _ => {}
        }
    }
    found
}

/// The hashes that lines of a file begin with.
fn hashes(file: &Path) -> Vec<Oid> {
    let mut bytes = Vec::new();
    let read = fs::File::open(file).and_then(|file| file.take(LONGEST).read_to_end(&mut bytes));
    if read.is_err() {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(&bytes);
    let first = text.lines().filter_map(|line| line.get(..40));
    first.filter_map(|hash| Oid::from_str(hash).ok()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::git::testing::Sandbox;

    #[test]
    fn branches_tags_remotes_stashes_and_other_work_trees_are_entries() {
        let sandbox = Sandbox::new();
        let first = sandbox.commit_file("a", "1");
        let mut expected = BTreeSet::from([first.clone()]);
        sandbox.git(&["switch", "-q", "--detach"]);
        let tagged = sandbox.commit_file("a", "tagged");
        sandbox.git(&["tag", "-a", "-m", "x", "v1"]);
        let remote = sandbox.commit_file("a", "remote");
        sandbox.git(&["update-ref", "refs/remotes/origin/gone", &remote]);
        let published = sandbox.commit_file("a", "published and taken back");
        for now in [&published, &remote] {
            sandbox.git(&[
                "update-ref",
                "--create-reflog",
                "-m",
                "fetch",
                "refs/remotes/origin/moved",
                now,
            ]);
        }
        let odd = sandbox.commit_file("a", "odd");
        sandbox.git(&["update-ref", "refs/secretree/x", &odd]);
        expected.extend([tagged, remote, published, odd]);
        for text in ["stashed", "stashed later"] {
            sandbox.write("a", text);
            sandbox.git(&["stash", "-q"]);
            expected.insert(sandbox.git(&["rev-parse", "stash@{0}"]));
        }
        let linked = sandbox.outside().join("linked");
        sandbox.git(&["worktree", "add", "-q", "--detach", linked.to_str().unwrap(), "main"]);
        let inside = linked.to_str().unwrap();
        sandbox.git(&["-C", inside, "commit", "-q", "--allow-empty", "-m", "detached"]);
        expected.insert(sandbox.git(&["-C", inside, "rev-parse", "HEAD"]));
        sandbox.git(&["switch", "-q", "main"]);
        let found = sandbox.repository().tips().unwrap();
        let found: BTreeSet<_> = found.into_iter().map(|commit| commit.to_string()).collect();
        assert!(expected.is_subset(&found), "{expected:?} {found:?}");
    }

    #[test]
    fn a_repository_without_commits_has_no_entry() {
        let sandbox = Sandbox::new();
        assert!(sandbox.repository().tips().unwrap().is_empty());
    }
}
