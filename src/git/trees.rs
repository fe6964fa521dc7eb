//! What stood in the folders of a commit: which folders a folder held, whether something stood somewhere, and where files
//! of one name are. For policies of the past, which may speak about folders.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use git2::{ErrorCode, ObjectType, Odb, OdbObject, Oid};

use super::objects::{Node, malformed, path_names, tree_entries};
use super::{BlobId, CommitId, Repository, check_relative, explain};
use crate::error::Result;

/// How deep folders are looked into; deeper ones are not, as if they were not there.
const DEEPEST: usize = 64;

impl Repository {
    /// The names of the folders in the folder `relative` (empty for the root) of `commit`; none if there is none.
    ///
    /// # Errors
    /// `Failed` if objects are missing or malformed.
    pub fn folders_at(&self, commit: CommitId, relative: &Path) -> Result<Vec<String>> {
        let odb = self.odb()?;
        let Some((tree, true)) = node_at(&odb, commit, relative)? else {
            return Ok(Vec::new());
        };
        let data = read_tree(&odb, tree)?;
        let folders = tree_entries(&data).filter(|entry| entry.is_tree);
        Ok(folders
            .filter_map(|entry| String::from_utf8(entry.name.to_vec()).ok())
            .collect())
    }

    /// Whether anything stands at `relative` in `commit`.
    ///
    /// # Errors
    /// As [`Self::folders_at`].
    pub fn exists_at(&self, commit: CommitId, relative: &Path) -> Result<bool> {
        Ok(node_at(&self.odb()?, commit, relative)?.is_some())
    }

    /// The files of the commit `before` that `after` removed or changed, with what stood there. Folders that are the same in
    /// both are not looked into. `false` if trees are not in this clone.
    ///
    /// # Errors
    /// `Failed` if objects are malformed.
    pub fn gone_since(&self, before: CommitId, after: CommitId) -> Result<(Vec<(PathBuf, BlobId)>, bool)> {
        let odb = self.odb()?;
        let mut comparison = Comparison {
            odb: &odb,
            gone: Vec::new(),
            complete: true,
        };
        let (Some((old, _)), Some((new, _))) = (
            node_at(&odb, before, Path::new(""))?,
            node_at(&odb, after, Path::new(""))?,
        ) else {
            return Ok((Vec::new(), false));
        };
        comparison.compare(old, Some(new), &PathBuf::new(), 0)?;
        Ok((comparison.gone, comparison.complete))
    }

    /// The folders (relative to the root, which is empty) that hold a file called `name` in any of these commits. Each
    /// tree is read once for each place where it stands. Trees that this clone does not have are left out, and `false`
    /// says so.
    ///
    /// # Errors
    /// `Failed` if objects are malformed.
    pub fn folders_with(&self, commits: &[CommitId], name: &str) -> Result<(BTreeSet<PathBuf>, bool)> {
        let odb = self.odb()?;
        let mut search = Search {
            odb: &odb,
            name: name.as_bytes(),
            seen: HashSet::new(),
            found: BTreeSet::new(),
            complete: true,
        };
        for commit in commits {
            let object = odb.read(commit.0);
            let object = object.map_err(|error| explain(&format!("commit `{commit}` cannot be read"), &error))?;
            let tree = Node::parse(object.data(), object.kind())
                .ok_or_else(|| malformed(commit.0))?
                .tree;
            search.look_into(tree, &PathBuf::new(), 0)?;
        }
        Ok((search.found, search.complete))
    }
}

/// A search for files of one name.
struct Search<'o, 'r> {
    odb: &'o Odb<'r>,
    name: &'o [u8],
    seen: HashSet<(PathBuf, Oid)>,
    found: BTreeSet<PathBuf>,
    complete: bool,
}

impl Search<'_, '_> {
    fn look_into(&mut self, tree: Oid, folder: &Path, depth: usize) -> Result<()> {
        if depth > DEEPEST || !self.seen.insert((folder.to_owned(), tree)) {
            return Ok(());
        }
        let Some(object) = tree_object(self.odb, tree)? else {
            self.complete = false;
            return Ok(());
        };
        for entry in tree_entries(object.data()) {
            if entry.is_file && entry.name == self.name {
                self.found.insert(folder.to_owned());
            }
            if entry.is_tree
                && let Ok(name) = std::str::from_utf8(entry.name)
            {
                self.look_into(entry.id, &folder.join(name), depth + 1)?;
            }
        }
        Ok(())
    }
}

/// What one tree has that another lacks.
struct Comparison<'o, 'r> {
    odb: &'o Odb<'r>,
    gone: Vec<(PathBuf, BlobId)>,
    complete: bool,
}

impl<'o> Comparison<'o, '_> {
    fn compare(&mut self, old: Oid, new: Option<Oid>, folder: &Path, depth: usize) -> Result<()> {
        if depth > DEEPEST || new == Some(old) {
            return Ok(());
        }
        let Some(old) = self.read(old)? else { return Ok(()) };
        let new = match new {
            Some(new) => self.read(new)?,
            None => None,
        };
        let other = new.as_ref().map_or(&[][..], |object| object.data());
        let here: HashMap<&[u8], (Oid, bool)> = tree_entries(other)
            .map(|entry| (entry.name, (entry.id, entry.is_tree)))
            .collect();
        for entry in tree_entries(old.data()) {
            let path = folder.join(OsStr::from_bytes(entry.name));
            let now = here.get(entry.name).copied();
            if entry.is_tree {
                let now = now.filter(|(_, is_tree)| *is_tree).map(|(id, _)| id);
                self.compare(entry.id, now, &path, depth + 1)?;
            } else if entry.is_file && now.is_none_or(|(id, _)| id != entry.id) {
                self.gone.push((path, BlobId(entry.id)));
            }
        }
        Ok(())
    }

    fn read(&mut self, id: Oid) -> Result<Option<OdbObject<'o>>> {
        let found = tree_object(self.odb, id)?;
        self.complete &= found.is_some();
        Ok(found)
    }
}

/// A tree; nothing if this clone does not have it.
fn tree_object<'o>(odb: &'o Odb<'_>, id: Oid) -> Result<Option<OdbObject<'o>>> {
    match odb.read(id) {
        Ok(object) if object.kind() == ObjectType::Tree => Ok(Some(object)),
        Ok(_) => Err(malformed(id).into()),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(explain(&format!("object `{id}` cannot be read"), &error).into()),
    }
}

/// What stands at `relative` in a commit, and whether it is a folder.
fn node_at(odb: &Odb<'_>, commit: CommitId, relative: &Path) -> Result<Option<(Oid, bool)>> {
    let object = odb.read(commit.0);
    let object = object.map_err(|error| explain(&format!("commit `{commit}` cannot be read"), &error))?;
    let node = Node::parse(object.data(), object.kind()).ok_or_else(|| malformed(commit.0))?;
    let mut found = (node.tree, true);
    if relative.as_os_str().is_empty() {
        return Ok(Some(found));
    }
    check_relative(relative)?;
    for name in path_names(relative) {
        if !found.1 {
            return Ok(None);
        }
        let data = read_tree(odb, found.0)?;
        let Some(entry) = tree_entries(&data).find(|entry| entry.name == name) else {
            return Ok(None);
        };
        found = (entry.id, entry.is_tree);
    }
    Ok(Some(found))
}

fn read_tree(odb: &Odb<'_>, id: Oid) -> Result<Vec<u8>> {
    let object = odb.read(id);
    let object = object.map_err(|error| explain(&format!("object `{id}` cannot be read"), &error))?;
    match object.kind() {
        ObjectType::Tree => Ok(object.data().to_vec()),
        _ => Err(malformed(id).into()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use crate::git::testing::Sandbox;

    #[test]
    fn folders_and_files_of_a_commit_are_told() {
        let sandbox = Sandbox::new();
        sandbox.commit_file("services/billing/.secrets.yaml", "1");
        sandbox.commit_file("services/shop/x", "1");
        sandbox.git(&["rm", "-q", "-r", "services/billing"]);
        sandbox.commit("gone");
        let repository = sandbox.repository();
        let (head, before) = (
            repository.resolve("HEAD").unwrap(),
            repository.resolve("HEAD~1").unwrap(),
        );
        let folders = |commit, at: &str| repository.folders_at(commit, Path::new(at)).unwrap();
        assert_eq!(folders(head, "services"), ["shop"]);
        assert_eq!(folders(before, "services"), ["billing", "shop"]);
        assert_eq!(folders(before, ""), ["services"]);
        assert!(folders(before, "services/shop/x").is_empty() && folders(before, "absent").is_empty());
        assert!(repository.exists_at(before, Path::new("services/billing")).unwrap());
        assert!(!repository.exists_at(head, Path::new("services/billing")).unwrap());
        let (found, complete) = repository.folders_with(&[head, before], ".secrets.yaml").unwrap();
        assert_eq!(
            found.into_iter().collect::<Vec<_>>(),
            [PathBuf::from("services/billing")]
        );
        assert!(complete);
    }
}
