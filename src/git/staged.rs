//! The index as a whole: what the next commit will hold, and what its parents have. Read by libgit2, and by the `git`
//! command where libgit2 cannot (reftable, SHA-256, a split or sparse index): a hook must not look away there.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use git2::{IndexEntryExtendedFlag, Oid};

use super::objects::{Node, is_file, malformed};
use super::paths::PathTree;
use super::{BlobId, CommitId, Git, Repository};
use crate::error::{Failure, Result};

/// The most paths that one `git` command is given.
const MOST_PATHS: usize = 500;

/// What is staged: every file that the next commit will have, sorted by the bytes of its path.
pub struct Staged<'r> {
    repository: &'r Repository,
    /// The command, where libgit2 cannot read.
    git: Option<&'r Git>,
    files: Vec<StagedFile>,
}

/// One entry of the index that is not in conflict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagedFile {
    /// Relative to the root.
    pub path: PathBuf,
    /// Its content.
    pub content: Content,
    /// Whether it is an ordinary file: no link and no submodule.
    pub is_file: bool,
}

/// The name of a content, of either kind of repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// As libgit2 knows it.
    Known(BlobId),
    /// As the `git` command writes it.
    Named(String),
}

impl Repository {
    /// Reads the index: that of the very commit that is being made, where a hook's variables name one.
    ///
    /// # Errors
    /// `Failed` if neither libgit2 nor `git` can read it.
    pub fn staged_files<'r>(&'r self, git: &'r Git) -> Result<Staged<'r>> {
        let (git, mut files) = match self.index_entries() {
            Ok(files) => (None, files),
            Err(_) => (Some(git), git.index_entries()?),
        };
        // The index is sorted already, so that this is one pass; in a forged one look-ups must not go astray.
        files.sort_by(|one, other| one.path.as_os_str().cmp(other.path.as_os_str()));
        Ok(Staged {
            repository: self,
            git,
            files,
        })
    }

    fn index_entries(&self) -> Result<Vec<StagedFile>> {
        let index = self.index()?;
        let mut files = Vec::with_capacity(index.len());
        for entry in index.iter() {
            let stage = entry.flags >> 12 & 3;
            let announced = IndexEntryExtendedFlag::INTENT_TO_ADD.bits();
            // What is only announced (`git add -N`) will not be in the commit.
            if stage != 0 || entry.flags_extended & announced != 0 {
                continue;
            }
            files.push(StagedFile {
                path: PathBuf::from(std::ffi::OsString::from_vec(entry.path)),
                is_file: is_file(entry.mode),
                content: Content::Known(BlobId(entry.id)),
            });
        }
        Ok(files)
    }

    /// The other parents of a merge that is about to be concluded, as `MERGE_HEAD` names them.
    pub(super) fn merge_heads(&self) -> Vec<String> {
        let text = fs::read_to_string(self.directory.join("MERGE_HEAD")).unwrap_or_default();
        let is_name = |line: &&str| line.len() >= 40 && line.bytes().all(|byte| byte.is_ascii_hexdigit());
        text.lines().filter(is_name).map(str::to_owned).collect()
    }

    fn contents_in(&self, commit: CommitId, paths: &[&Path]) -> Result<Vec<Option<Content>>> {
        let odb = self.odb()?;
        let explained = |error| super::explain(&format!("commit `{commit}` cannot be read"), &error);
        let object = odb.read(commit.0).map_err(explained)?;
        let tree: Oid = Node::parse(object.data(), object.kind())
            .ok_or_else(|| malformed(commit.0))?
            .tree;
        let mut wanted = PathTree::new(paths, &[]);
        let found = wanted.find(&odb, 0, tree)?;
        let content = |at| Some(Content::Known(found.as_ref()?.get(at)?));
        Ok((0..paths.len()).map(content).collect())
    }
}

impl Staged<'_> {
    /// All of them.
    pub fn files(&self) -> &[StagedFile] {
        &self.files
    }

    /// The file at `path`.
    pub fn get(&self, path: &Path) -> Option<&StagedFile> {
        let at = self
            .files
            .binary_search_by(|file| file.path.as_os_str().cmp(path.as_os_str()));
        at.ok().map(|at| &self.files[at])
    }

    /// The files below the folder `folder`; an empty path is the root.
    pub fn below(&self, folder: &Path) -> &[StagedFile] {
        if folder.as_os_str().is_empty() {
            return &self.files;
        }
        let mut prefix = folder.as_os_str().as_bytes().to_vec();
        prefix.push(b'/');
        let start = self
            .files
            .partition_point(|file| file.path.as_os_str().as_bytes() < prefix.as_slice());
        let inside = |file: &StagedFile| file.path.as_os_str().as_bytes().starts_with(&prefix);
        let end = start + self.files[start..].partition_point(inside);
        &self.files[start..end]
    }

    /// The bytes of a content; nothing if this clone does not have them.
    ///
    /// # Errors
    /// `Failed` if it is larger than 64 MiB, or damaged.
    pub fn read(&self, content: &Content) -> Result<Option<Vec<u8>>> {
        match (content, self.git) {
            (Content::Known(id), _) => self.repository.blob(*id),
            (Content::Named(name), Some(git)) => git.blob(name).map(Some),
            (Content::Named(_), None) => Ok(None),
        }
    }

    /// For each parent that the commit will have, what stands there at each of `paths`: HEAD first, then the other sides of
    /// a merge. No parents before the first commit.
    ///
    /// # Errors
    /// `Failed` if a parent cannot be read.
    pub fn in_parents(&self, paths: &[&Path]) -> Result<Vec<Vec<Option<Content>>>> {
        let others = self.repository.merge_heads();
        if let Some(git) = self.git {
            let Some(head) = git.head()? else {
                return Ok(Vec::new());
            };
            let parents = std::iter::once(&head).chain(&others);
            return parents.map(|name| git.contents_in(name, paths)).collect();
        }
        let Some(head) = self.repository.head()? else {
            return Ok(Vec::new());
        };
        let others = others.iter().filter_map(|name| CommitId::new(name));
        let parents = std::iter::once(head).chain(others);
        parents
            .map(|parent| self.repository.contents_in(parent, paths))
            .collect()
    }
}

impl Git {
    fn index_entries(&self) -> Result<Vec<StagedFile>> {
        let listed = self.succeed("ls-files", &["--stage", "-z"], &[])?;
        let mut files = Vec::new();
        for line in listed.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
            let (mode, name, stage, path) = entry(line).ok_or_else(unexpected)?;
            // An announced file is listed with the name of no content.
            if stage == "0" && !is_empty_content(name) {
                files.push(StagedFile {
                    path,
                    is_file: mode.starts_with("100"),
                    content: Content::Named(name.to_owned()),
                });
            }
        }
        Ok(files)
    }

    fn head(&self) -> Result<Option<String>> {
        let output = self.run(&["rev-parse", "--verify", "--quiet", "HEAD"])?;
        let name = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok(output.status.success().then_some(name))
    }

    fn blob(&self, name: &str) -> Result<Vec<u8>> {
        self.succeed("cat-file", &["blob", name], &[])
    }

    fn contents_in(&self, commit: &str, paths: &[&Path]) -> Result<Vec<Option<Content>>> {
        let mut found = Vec::with_capacity(paths.len());
        for part in paths.chunks(MOST_PATHS) {
            let mut arguments = vec![
                OsStr::new("--literal-pathspecs"),
                OsStr::new("ls-tree"),
                OsStr::new("-z"),
                OsStr::new("--full-tree"),
                OsStr::new(commit),
                OsStr::new("--"),
            ];
            arguments.extend(part.iter().map(|path| path.as_os_str()));
            let output = self.run(&arguments)?;
            if !output.status.success() {
                return Err(Failure::failed(format!("commit `{commit}` cannot be read")).into());
            }
            let lines = output.stdout.split(|byte| *byte == 0);
            let entries: Vec<_> = lines.filter_map(entry).collect();
            found.extend(part.iter().map(|path| {
                let at = entries.iter().find(|(.., found)| found == path);
                at.map(|(_, _, name, _)| Content::Named((*name).to_owned()))
            }));
        }
        Ok(found)
    }
}

/// `MODE NAME STAGE<TAB>PATH`, or `MODE KIND NAME<TAB>PATH`.
fn entry(line: &[u8]) -> Option<(&str, &str, &str, PathBuf)> {
    let tab = line.iter().position(|byte| *byte == b'\t')?;
    let mut words = std::str::from_utf8(&line[..tab]).ok()?.split(' ');
    let path = PathBuf::from(OsStr::from_bytes(&line[tab + 1..]));
    Some((words.next()?, words.next()?, words.next()?, path))
}

/// The name of the empty content, in SHA-1 and SHA-256 (gitglossary, "empty blob").
fn is_empty_content(name: &str) -> bool {
    [
        "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
        "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
    ]
    .contains(&name)
}

fn unexpected() -> Failure {
    Failure::failed("`git ls-files` printed what is not understood here").hint("git --version")
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{Content, Staged};
    use crate::git::testing::Sandbox;
    use crate::git::{Git, HookVariables, Repository};

    fn shown(staged: &Staged<'_>, paths: &[&Path]) -> Vec<(PathBuf, bool, Vec<u8>)> {
        assert!(staged.get(Path::new("nothing")).is_none());
        let parents = staged.in_parents(paths).unwrap();
        for (at, path) in paths.iter().enumerate() {
            let own = staged.get(path).map(|file| file.content.clone());
            for parent in &parents {
                assert_ne!(parent[at], own, "{path:?} was changed");
            }
        }
        staged
            .files()
            .iter()
            .map(|file| {
                let bytes = staged.read(&file.content).unwrap().unwrap_or_default();
                (file.path.clone(), file.is_file, bytes)
            })
            .collect()
    }

    #[test]
    fn both_ways_of_reading_the_index_say_the_same() {
        for format in [
            "--object-format=sha1",
            "--object-format=sha256",
            "--ref-format=reftable",
        ] {
            let sandbox = Sandbox::with_format(format);
            let git = Git::new("git", sandbox.root(), []);
            for (path, text) in [("a-b/x", "1"), ("a/b/c", "2"), ("a/b/d", "3"), ("a.b", "4"), ("z", "5")] {
                sandbox.write(path, text);
            }
            let first = {
                sandbox.git(&["add", "."]);
                let repository = sandbox.repository();
                let staged = repository.staged_files(&git).unwrap();
                assert!(staged.in_parents(&[Path::new("z")]).unwrap().is_empty(), "{format}");
                let below = |folder: &str| staged.below(Path::new(folder)).len();
                assert_eq!(
                    [below(""), below("a"), below("a/b"), below("b"), below("z")],
                    [5, 2, 2, 0, 0]
                );
                staged.files().len()
            };
            assert_eq!(first, 5);
            sandbox.commit("first");
            sandbox.write("a/b/c", "staged");
            std::os::unix::fs::symlink("z", sandbox.root().join("link")).unwrap();
            sandbox.git(&["add", "."]);
            sandbox.write("a/b/c", "not staged");
            sandbox.write("announced", "x");
            sandbox.git(&["add", "-N", "announced"]);
            let repository = Repository::discover(sandbox.root(), &HookVariables::default())
                .unwrap()
                .unwrap();
            let staged = repository.staged_files(&git).unwrap();
            let is_named = matches!(staged.files()[0].content, Content::Named(_));
            assert_eq!(is_named, format != "--object-format=sha1", "{format}");
            let found = shown(&staged, &[Path::new("a/b/c"), Path::new("link")]);
            let paths: Vec<_> = found.iter().map(|(path, ..)| path.to_str().unwrap()).collect();
            assert_eq!(paths, ["a-b/x", "a.b", "a/b/c", "a/b/d", "link", "z"], "{format}");
            assert_eq!(found[2], (PathBuf::from("a/b/c"), true, b"staged".to_vec()));
            assert!(!found[4].1, "a link is no ordinary file");
            let unchanged = staged.in_parents(&[Path::new("z")]).unwrap();
            assert_eq!(
                unchanged[0][0].as_ref(),
                staged.get(Path::new("z")).map(|file| &file.content)
            );
        }
    }
}
