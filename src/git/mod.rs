//! The repository around a policy: found without opening it, read with libgit2 without any network. Changes go
//! through the `git` command ([`Git`]). What the files in it mean is for the floors above.

mod around;
mod attributes;
mod command;
mod history;
mod moment;
mod objects;
mod paths;
mod range;
mod staged;
mod steps;
#[cfg(test)]
pub(crate) mod testing;
mod tips;
mod trees;
mod walk;
mod words;

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use git2::{Config, ErrorCode, Index, RepositoryOpenFlags};

use around::{Around, bare, find_upward, is_directory};
pub use attributes::Attribute;
pub use command::{Git, IgnoreRule};
pub use history::{Change, Changes, Version, Versions};
pub use objects::{BlobId, Commit, CommitId};
pub use paths::Pattern;
pub use staged::{Content, Staged, StagedFile};
pub use steps::{Step, Steps};
use words::{explain, one_line, reason};

use crate::error::{Failure, Result};

/// Where git says that its things are, when it calls a hook. The caller reads them from its environment and
/// makes them absolute; a library does not.
#[derive(Clone, Debug, Default)]
pub struct HookVariables {
    /// `GIT_DIR`.
    pub directory: Option<PathBuf>,
    /// `GIT_WORK_TREE`.
    pub work_tree: Option<PathBuf>,
    /// `GIT_INDEX_FILE`: the index of the very commit that is being made.
    pub index_file: Option<PathBuf>,
}

/// A repository with a work tree. Finding one costs a few look-ups; it is opened when something is read.
pub struct Repository {
    root: PathBuf,
    directory: PathBuf,
    index_file: Option<PathBuf>,
    opened: OnceCell<Result<git2::Repository, String>>,
}

impl Repository {
    /// The repository that `folder` stands in, the nearest upward; `None` if there is none.
    ///
    /// # Errors
    /// `Failed` if `folder` is no folder, the repository's `.git` file or `GIT_DIR` leads nowhere, or the repository is
    /// bare.
    pub fn discover(folder: &Path, hook: &HookVariables) -> Result<Option<Self>> {
        let folder = fs::canonicalize(folder)
            .map_err(|error| Failure::failed(format!("`{}` cannot be entered: {error}", folder.display())))?;
        if let Some(directory) = hook.directory.as_ref().filter(|directory| !is_directory(directory)) {
            let shown = one_line(directory.as_os_str().as_encoded_bytes());
            return Err(
                Failure::failed(format!("`GIT_DIR` names `{shown}`, which is no repository"))
                    .hint("unset GIT_DIR")
                    .into(),
            );
        }
        let found = match find_upward(&folder)? {
            Around::WorkTree(root, directory) => Some((root, directory)),
            Around::Bare(place) if hook.directory.is_none() => return Err(bare(&place).into()),
            Around::Bare(_) | Around::Nothing => None,
        };
        let (root, directory) = match (&hook.directory, &hook.work_tree, found) {
            (Some(directory), Some(root), _) => (root.clone(), directory.clone()),
            (Some(directory), None, Some((root, _))) => (root, directory.clone()),
            (Some(directory), None, None) => (folder, directory.clone()),
            (None, _, Some(found)) => found,
            (None, _, None) => return Ok(None),
        };
        Ok(Some(Self {
            root: fs::canonicalize(&root).unwrap_or(root),
            directory: fs::canonicalize(&directory).unwrap_or(directory),
            index_file: hook.index_file.clone(),
            opened: OnceCell::new(),
        }))
    }

    /// The top of the work tree, absolute, without links.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The repository's own folder: `.git`, or the work tree's part of it.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Why nothing here can be read, as the end of a line; `None` if it can. Opens the repository.
    pub fn unreadable(&self) -> Option<&str> {
        self.open().as_ref().err().map(String::as_str)
    }

    /// The commit that `HEAD` names; `None` before the first one.
    ///
    /// # Errors
    /// `Failed` if the repository cannot be read.
    pub fn head(&self) -> Result<Option<CommitId>> {
        match self.inner()?.head().and_then(|head| head.peel_to_commit()) {
            Ok(commit) => Ok(Some(CommitId(commit.id()))),
            Err(error) if matches!(error.code(), ErrorCode::UnbornBranch) => Ok(None),
            Err(error) => Err(explain("`HEAD` cannot be read", &error).into()),
        }
    }

    /// The commit that a person's `revision` names (`main`, `v1.2`, `HEAD~3`, a hash).
    ///
    /// # Errors
    /// `Failed` if it names none.
    pub fn resolve(&self, revision: &str) -> Result<CommitId> {
        let named = self
            .inner()?
            .revparse_single(revision)
            .and_then(|object| object.peel_to_commit());
        match named {
            Ok(commit) => Ok(CommitId(commit.id())),
            Err(_) => Err(
                Failure::failed(format!("`{}` names no commit here", one_line(revision.as_bytes())))
                    .hint("git log --oneline")
                    .into(),
            ),
        }
    }

    /// Whether git ignores the file `relative` (to the root). Tracked files count as any other.
    ///
    /// # Errors
    /// `Failed` if the repository cannot be read.
    pub fn is_ignored(&self, relative: &Path) -> Result<bool> {
        check_relative(relative)?;
        let ignored = self.inner()?.is_path_ignored(relative);
        Ok(ignored.map_err(|error| explain("ignored files cannot be told", &error))?)
    }

    /// Whether the file `relative` is in the index.
    ///
    /// # Errors
    /// `Failed` if the repository cannot be read.
    pub fn is_tracked(&self, relative: &Path) -> Result<bool> {
        check_relative(relative)?;
        let index = self.index()?;
        // A file in conflict stands there as its sides (2: ours, 3: theirs).
        Ok((0..4).any(|stage| index.get_path(relative, stage).is_some()))
    }

    /// What is staged for the file `relative`; `None` if nothing, or it is in conflict or a link.
    ///
    /// # Errors
    /// `Failed` if the repository cannot be read.
    pub fn staged(&self, relative: &Path) -> Result<Option<BlobId>> {
        check_relative(relative)?;
        let entry = self.index()?.get_path(relative, 0);
        Ok(entry
            .filter(|entry| objects::is_file(entry.mode) && !entry.id.is_zero())
            .map(|entry| BlobId(entry.id)))
    }

    /// What is staged for the file `relative`, or what each side brings to a conflict over it.
    ///
    /// # Errors
    /// As [`Self::staged`].
    pub fn staged_sides(&self, relative: &Path) -> Result<Vec<BlobId>> {
        check_relative(relative)?;
        let index = self.index()?;
        // 0 is what is staged; 1 the common ancestor, 2 ours and 3 theirs of a conflict.
        let sides = (0..=3).filter_map(|stage| index.get_path(relative, stage));
        let sides = sides.filter(|entry| objects::is_file(entry.mode) && !entry.id.is_zero());
        Ok(sides.map(|entry| BlobId(entry.id)).collect())
    }

    /// The ordinary files that are staged directly in one of `folders` (relative to the root; empty for the root itself).
    ///
    /// # Errors
    /// `Failed` if the repository cannot be read.
    pub fn staged_in(&self, folders: &BTreeSet<PathBuf>) -> Result<Vec<(PathBuf, BlobId)>> {
        let mut found = Vec::new();
        for entry in self.index()?.iter() {
            let path = Path::new(OsStr::from_bytes(&entry.path));
            // 0: not in conflict.
            let stage = entry.flags >> 12 & 3;
            let is_inside = path.parent().is_some_and(|folder| folders.contains(folder));
            if stage == 0 && is_inside && objects::is_file(entry.mode) && !entry.id.is_zero() {
                found.push((path.to_owned(), BlobId(entry.id)));
            }
        }
        Ok(found)
    }

    /// The commits that an unfinished merge brings; none if none is under way.
    pub fn merged_now(&self) -> Vec<CommitId> {
        self.merge_heads()
            .iter()
            .filter_map(|name| CommitId::new(name))
            .collect()
    }

    /// Whether history ends early here (`git clone --depth`): answers from it are "at least".
    pub fn is_shallow(&self) -> bool {
        self.inner().is_ok_and(git2::Repository::is_shallow)
    }

    /// Whether objects may be missing here (`git clone --filter`): answers are "at least".
    pub fn is_partial(&self) -> bool {
        let config = match self.open() {
            Ok(repository) => repository.config(),
            Err(_) => Config::open(&self.directory.join("config")),
        };
        config.is_ok_and(|config| {
            config.get_entry("extensions.partialclone").is_ok()
                || config
                    .entries(Some(r"^remote\..*\.promisor$"))
                    .is_ok_and(|mut entries| entries.next().is_some())
        })
    }

    /// The setting `key` (`user.name`) as git sees it in this repository; `None` if it is not set.
    ///
    /// # Errors
    /// `Failed` if the repository cannot be read.
    pub fn config(&self, key: &str) -> Result<Option<String>> {
        let config = self.inner()?.config().and_then(|mut config| config.snapshot());
        let value = config.and_then(|config| config.get_str(key).map(str::to_owned));
        match value {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(explain(
                &format!("the setting `{}` cannot be read", one_line(key.as_bytes())),
                &error,
            )
            .into()),
        }
    }

    fn index(&self) -> Result<Index> {
        let repository = self.inner()?;
        let index = match &self.index_file {
            Some(file) => Index::open(file),
            None => repository.index(),
        };
        Ok(index.map_err(|error| explain("the index cannot be read", &error))?)
    }

    /// libgit2's view.
    fn inner(&self) -> Result<&git2::Repository> {
        self.open().as_ref().map_err(|reason| {
            let root = one_line(self.root.as_os_str().as_encoded_bytes());
            Failure::failed(format!("the history of `{root}` cannot be read: {reason}")).into()
        })
    }

    fn open(&self) -> &Result<git2::Repository, String> {
        self.opened.get_or_init(|| {
            // As git does: objects were checked when they came in. Each is read about once, so a cache only grows.
            git2::opts::strict_hash_verification(false);
            git2::opts::enable_caching(false);
            let nowhere: [&Path; 0] = [];
            let opened = git2::Repository::open_ext(&self.directory, RepositoryOpenFlags::NO_SEARCH, nowhere);
            let repository = opened.map_err(|error| reason(&error))?;
            if repository
                .workdir()
                .is_none_or(|workdir| fs::canonicalize(workdir).ok().as_ref() != Some(&self.root))
            {
                repository
                    .set_workdir(&self.root, false)
                    .map_err(|error| reason(&error))?;
            }
            Ok(repository)
        })
    }
}

/// Refuses what is no path of a file in a repository; libgit2 must not see it.
fn check_relative(relative: &Path) -> Result<()> {
    let bytes = relative.as_os_str().as_encoded_bytes();
    let plain = relative
        .components()
        .all(|component| matches!(component, Component::Normal(_)));
    if plain && !bytes.is_empty() && bytes.len() <= 4096 && !bytes.contains(&0) {
        return Ok(());
    }
    Err(Failure::failed(format!("`{}` is no path inside the repository", one_line(bytes))).into())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::testing::Sandbox;
    use super::{HookVariables, Repository};

    fn discover(folder: &Path) -> Option<Repository> {
        Repository::discover(folder, &HookVariables::default()).unwrap()
    }

    #[test]
    fn the_nearest_repository_upward_is_found() {
        let sandbox = Sandbox::new();
        assert!(discover(sandbox.outside()).is_none());
        sandbox.write("a/b/file", "x");
        // An empty `.git` is no repository.
        fs::create_dir(sandbox.root().join("a/.git")).unwrap();
        let repository = discover(&sandbox.root().join("a/b")).unwrap();
        assert_eq!(repository.root(), sandbox.root());
        assert_eq!(repository.head().unwrap(), None);
        let head = sandbox.commit_file("a/b/file", "y");
        assert_eq!(repository.head().unwrap().unwrap().to_string(), head);
        assert_eq!(repository.resolve("HEAD").unwrap().to_string(), head);
        assert!(repository.resolve("nothing").is_err());
        assert!(!repository.is_shallow() && !repository.is_partial());
        assert_eq!(repository.unreadable(), None);
    }

    #[test]
    fn linked_work_trees_and_broken_links_are_told_apart() {
        let sandbox = Sandbox::new();
        let head = sandbox.commit_file("file", "1");
        let linked = sandbox.outside().join("linked");
        sandbox.git(&["worktree", "add", "-q", linked.to_str().unwrap()]);
        let repository = discover(&linked).unwrap();
        assert_eq!(repository.root(), linked);
        assert_eq!(repository.head().unwrap().unwrap().to_string(), head);
        assert!(repository.is_tracked(Path::new("file")).unwrap());
        fs::remove_dir_all(sandbox.root().join(".git/worktrees")).unwrap();
        assert!(Repository::discover(&linked, &HookVariables::default()).is_err());
    }

    #[test]
    fn a_bare_repository_and_a_folder_that_is_none_are_named() {
        let sandbox = Sandbox::new();
        sandbox.commit_file("file", "1");
        let bare = sandbox.outside().join("bare.git");
        sandbox.git(&["clone", "-q", "--bare", ".", bare.to_str().unwrap()]);
        let refused = |folder: &Path, hook: &HookVariables| match Repository::discover(folder, hook) {
            Ok(_) => panic!("{} is none", folder.display()),
            Err(error) => error.to_string(),
        };
        for folder in [bare.clone(), bare.join("hooks")] {
            let failure = refused(&folder, &HookVariables::default());
            assert!(
                failure.ends_with("bare.git` is a bare repository: it has no files to work on"),
                "{failure}"
            );
        }
        assert_eq!(discover(&sandbox.root().join(".git")).unwrap().root(), sandbox.root());
        let directory = |directory: &Path| HookVariables {
            directory: Some(directory.to_owned()),
            ..HookVariables::default()
        };
        let there = Repository::discover(&bare, &directory(&bare)).unwrap().unwrap();
        assert!(there.head().unwrap().is_some());
        let failure = refused(sandbox.root(), &directory(&bare.join("nothing")));
        assert!(failure.starts_with("`GIT_DIR` names `"), "{failure}");
        let linked = bare.join("main");
        sandbox.git(&["-C", bare.to_str().unwrap(), "worktree", "add", "-q", "main"]);
        assert_eq!(discover(&linked).unwrap().root(), linked);
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        for (format, reason) in [
            ("--ref-format=reftable", "reftable"),
            ("--object-format=sha256", "SHA-256"),
        ] {
            let sandbox = Sandbox::with_format(format);
            let repository = discover(sandbox.root()).unwrap();
            assert!(
                repository.unreadable().unwrap().contains(reason),
                "{:?}",
                repository.unreadable()
            );
            let failure = repository.head().unwrap_err().to_string();
            assert!(failure.contains(reason) && !failure.contains('\n'), "{failure}");
        }
    }

    #[test]
    fn ignored_tracked_and_staged_files_are_known() {
        let sandbox = Sandbox::new();
        sandbox.commit_file("kept", "committed");
        sandbox.write(".gitignore", "*.log\n");
        sandbox.write("kept", "staged");
        sandbox.git(&["add", "kept"]);
        sandbox.write("kept", "work tree");
        let repository = discover(sandbox.root()).unwrap();
        assert!(repository.is_ignored(Path::new("deep/x.log")).unwrap());
        assert!(!repository.is_ignored(Path::new("kept")).unwrap());
        assert!(repository.is_tracked(Path::new("kept")).unwrap());
        assert!(!repository.is_tracked(Path::new("x.log")).unwrap());
        let staged = repository.staged(Path::new("kept")).unwrap().unwrap();
        assert_eq!(repository.blob(staged).unwrap().unwrap(), b"staged");
        assert_eq!(repository.staged(Path::new("absent")).unwrap(), None);
        for bad in ["", "/etc/passwd", "../x", "a\0b"] {
            assert!(repository.staged(Path::new(bad)).is_err(), "{bad:?}");
            assert!(repository.is_ignored(Path::new(bad)).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_hook_sees_the_index_of_its_commit() {
        let sandbox = Sandbox::new();
        sandbox.commit_file("file", "old");
        fs::copy(sandbox.root().join(".git/index"), sandbox.outside().join("index")).unwrap();
        sandbox.write("file", "new");
        sandbox.git(&["add", "file"]);
        let hook = HookVariables {
            directory: Some(sandbox.root().join(".git")),
            index_file: Some(sandbox.outside().join("index")),
            ..HookVariables::default()
        };
        let repository = Repository::discover(sandbox.root(), &hook).unwrap().unwrap();
        let staged = repository.staged(Path::new("file")).unwrap().unwrap();
        assert_eq!(repository.blob(staged).unwrap().unwrap(), b"old");
    }

    #[test]
    fn settings_are_read() {
        let sandbox = Sandbox::new();
        let repository = discover(sandbox.root()).unwrap();
        assert_eq!(repository.config("user.name").unwrap().as_deref(), Some("Ada"));
        assert_eq!(repository.config("secretree.reveal").unwrap(), None);
    }
}
