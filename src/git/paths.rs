//! Where asked-for files stand in a commit's trees: one pass over the trees for any number of paths, and lower
//! trees that did not change are not read again. A pattern becomes a path for each folder that is seen in its place.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use git2::{ErrorCode, ObjectType, Odb, Oid};

use super::objects::{malformed, path_names, tree_entries};
use super::{BlobId, explain};
use crate::error::Result;

/// The asked-for files that a tree holds: position among the paths, and blob; sorted.
#[derive(PartialEq, Eq)]
pub(super) struct Files(Vec<(usize, Oid)>);

impl Files {
    pub(super) fn get(&self, path: usize) -> Option<BlobId> {
        let place = self.0.binary_search_by_key(&path, |(path, _)| *path).ok()?;
        Some(BlobId(self.0[place].1))
    }

    /// The positions of the files that are here.
    pub(super) fn positions(&self) -> impl Iterator<Item = usize> {
        self.0.iter().map(|(path, _)| *path)
    }

    /// The positions of the files that differ from `other`, each once or twice.
    pub(super) fn differences(&self, other: &Self) -> Vec<usize> {
        let lacks = |files: &Self, entry: &(usize, Oid)| files.get(entry.0) != Some(BlobId(entry.1));
        let here = self.0.iter().filter(|entry| lacks(other, entry));
        let there = other.0.iter().filter(|entry| lacks(self, entry));
        here.chain(there).map(|(path, _)| *path).collect()
    }
}

/// How many lower trees are remembered; neighbours in history share most of theirs.
const KNOWN_TREES: usize = 8192;
/// The most paths that patterns may become.
const MOST_PATHS: usize = 100_000;

/// Files of one name below each folder of a folder: `services/*/secrets/prod.yaml`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern {
    /// What stands before the folder that may have any name, relative to the root; empty for the root.
    pub parent: PathBuf,
    /// What stands behind it.
    pub rest: PathBuf,
}

/// The asked-for paths as a tree of names; node 0 is the root.
pub(super) struct PathTree {
    nodes: Vec<PathNode>,
    /// All paths by position: those that were asked for, and behind them those that patterns became.
    pub(super) paths: Vec<PathBuf>,
    /// What lower trees hold: most commits leave most of them as they were.
    known: HashMap<(usize, Oid), Rc<Files>>,
}

#[derive(Default)]
struct PathNode {
    /// Names and their nodes, sorted by name.
    children: Vec<(Vec<u8>, usize)>,
    /// The paths that end here; a path may be asked for twice.
    ends: Vec<usize>,
    /// Patterns whose folder of any name stands here.
    patterns: Vec<Pattern>,
    /// The names that these patterns were made paths for.
    expanded: HashSet<Vec<u8>>,
}

impl PathTree {
    pub(super) fn new(paths: &[&Path], patterns: &[Pattern]) -> Self {
        let mut tree = Self {
            nodes: vec![PathNode::default()],
            paths: Vec::with_capacity(paths.len()),
            known: HashMap::new(),
        };
        for path in paths {
            tree.add(path);
        }
        for pattern in patterns {
            let node = tree.node_of(&pattern.parent);
            tree.nodes[node].patterns.push(pattern.clone());
        }
        tree
    }

    /// The node at `path`, made if there is none.
    fn node_of(&mut self, path: &Path) -> usize {
        let mut node = 0;
        for name in path_names(path) {
            let place = self.nodes[node]
                .children
                .binary_search_by(|(known, _)| known.as_slice().cmp(name));
            node = match place {
                Ok(place) => self.nodes[node].children[place].1,
                Err(place) => {
                    let new = self.nodes.len();
                    self.nodes.push(PathNode::default());
                    self.nodes[node].children.insert(place, (name.to_vec(), new));
                    new
                }
            };
        }
        node
    }

    fn add(&mut self, path: &Path) {
        let node = self.node_of(path);
        self.nodes[node].ends.push(self.paths.len());
        self.paths.push(path.to_owned());
    }

    /// Makes the patterns at `node` paths for the folders of a tree that were not seen there before.
    fn expand(&mut self, node: usize, tree: &[u8]) {
        for entry in tree_entries(tree).filter(|entry| entry.is_tree) {
            let Ok(name) = std::str::from_utf8(entry.name) else {
                continue;
            };
            if self.paths.len() >= MOST_PATHS || !self.nodes[node].expanded.insert(entry.name.to_vec()) {
                continue;
            }
            for pattern in self.nodes[node].patterns.clone() {
                let path = pattern.parent.join(name).join(&pattern.rest);
                let end = self.node_of(&path);
                if self.nodes[end].ends.is_empty() {
                    self.add(&path);
                }
            }
        }
    }

    /// The asked-for files below the tree object `tree`, which stands at `node`; `None` if trees are missing.
    pub(super) fn find(&mut self, odb: &Odb<'_>, node: usize, tree: Oid) -> Result<Option<Rc<Files>>> {
        if let Some(files) = self.known.get(&(node, tree)) {
            return Ok(Some(Rc::clone(files)));
        }
        let object = match odb.read(tree) {
            Ok(object) if object.kind() == ObjectType::Tree => object,
            Ok(_) => return Err(malformed(tree).into()),
            Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
            Err(error) => return Err(explain(&format!("object `{tree}` cannot be read"), &error).into()),
        };
        if !self.nodes[node].patterns.is_empty() {
            self.expand(node, object.data());
        }
        let mut found = Vec::new();
        let mut missing = self.nodes[node].children.len();
        for entry in tree_entries(object.data()) {
            let children = &self.nodes[node].children;
            let Ok(place) = children.binary_search_by(|(name, _)| name.as_slice().cmp(entry.name)) else {
                continue;
            };
            let child = children[place].1;
            if entry.is_file {
                found.extend(self.nodes[child].ends.iter().map(|path| (*path, entry.id)));
            } else if entry.is_tree && !self.nodes[child].children.is_empty() {
                match self.find(odb, child, entry.id)? {
                    Some(files) => found.extend_from_slice(&files.0),
                    None => return Ok(None),
                }
            }
            missing = missing.saturating_sub(1);
            if missing == 0 {
                break;
            }
        }
        // Stable: of two entries with one name, which only a forged tree has, the first counts.
        found.sort_by_key(|(path, _)| *path);
        found.dedup_by_key(|(path, _)| *path);
        let files = Rc::new(Files(found));
        // Top trees differ in nearly every commit; remembering them would cost memory for nothing.
        if node != 0 {
            if self.known.len() >= KNOWN_TREES {
                self.known.clear();
            }
            self.known.insert((node, tree), Rc::clone(&files));
        }
        Ok(Some(files))
    }
}
