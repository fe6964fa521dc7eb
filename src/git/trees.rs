//! What stood in the folders of a commit: which folders a folder held, whether something stood somewhere, and where files
//! of one name are. For policies of the past, which may speak about folders.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use git2::{ErrorCode, ObjectType, Odb, Oid};

use super::objects::{Node, malformed, path_names, tree_entries};
use super::{CommitId, Repository, check_relative, explain};
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
        let object = match self.odb.read(tree) {
            Ok(object) if object.kind() == ObjectType::Tree => object,
            Ok(_) => return Err(malformed(tree).into()),
            Err(error) if error.code() == ErrorCode::NotFound => {
                self.complete = false;
                return Ok(());
            }
            Err(error) => return Err(explain(&format!("object `{tree}` cannot be read"), &error).into()),
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
