//! Commits in order: a walk over all parents, and which commits are behind some and not behind others.

use std::collections::{BinaryHeap, HashMap, HashSet};
use std::rc::Rc;

use git2::{ErrorCode, Odb, Oid};

use super::objects::{Node, malformed};
use super::paths::Files;
use super::{CommitId, explain};
use crate::error::Result;

/// Commits in the order of their dates, each once.
pub(super) struct Walk<'repository> {
    pub(super) odb: Odb<'repository>,
    pub(super) queue: BinaryHeap<(i64, Oid)>,
    seen: HashSet<Oid>,
    /// Commits that were read and are not done with.
    nodes: HashMap<Oid, Rc<Node>>,
    /// The files of commits in the queue that were looked up for a child.
    pub(super) files: HashMap<Oid, Rc<Files>>,
    /// The commits to visit; `None` for all.
    pub(super) allowed: Option<HashSet<Oid>>,
    pub(super) complete: bool,
}

impl<'repository> Walk<'repository> {
    pub(super) fn new(odb: Odb<'repository>) -> Self {
        Self {
            odb,
            queue: BinaryHeap::new(),
            seen: HashSet::new(),
            nodes: HashMap::new(),
            files: HashMap::new(),
            allowed: None,
            complete: true,
        }
    }

    /// Queues a commit unless it was before; `false` if this clone does not have it.
    pub(super) fn push(&mut self, id: Oid) -> Result<bool> {
        let Some(node) = self.node(id)? else {
            return Ok(false);
        };
        if self.seen.insert(id) {
            self.queue.push((node.committed, id));
            self.nodes.insert(id, node);
        }
        Ok(true)
    }

    /// The newest queued commit; its parents are queued.
    pub(super) fn pop(&mut self) -> Result<Option<(Oid, Rc<Node>)>> {
        while let Some((_, id)) = self.queue.pop() {
            let allowed = self.allowed.as_ref().is_none_or(|allowed| allowed.contains(&id));
            let node = self.nodes.remove(&id);
            if let Some(node) = node.filter(|_| allowed) {
                for parent in &node.parents {
                    if self.allowed.as_ref().is_none_or(|allowed| allowed.contains(parent)) {
                        self.complete &= self.push(*parent)?;
                    }
                }
                return Ok(Some((id, node)));
            }
        }
        Ok(None)
    }

    pub(super) fn is_queued(&self, id: Oid) -> bool {
        self.nodes.contains_key(&id)
    }

    /// The commit `id`; `None` if this clone does not have it.
    pub(super) fn node(&self, id: Oid) -> Result<Option<Rc<Node>>> {
        match self.nodes.get(&id) {
            Some(node) => Ok(Some(Rc::clone(node))),
            None => Ok(read_node(&self.odb, id)?.map(Rc::new)),
        }
    }
}

fn read_node(odb: &Odb<'_>, id: Oid) -> Result<Option<Node>> {
    match odb.read(id) {
        Ok(object) => match Node::parse(object.data(), object.kind()) {
            Some(node) => Ok(Some(node)),
            None => Err(malformed(id).into()),
        },
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(explain(&format!("commit `{id}` cannot be read"), &error).into()),
    }
}

/// The commits behind `from` that are not behind `stop_at`. Stops looking where everything left is older than
/// what was found; wrong clocks can make the answer too large, never too small.
pub(super) fn reachable_without(odb: Odb<'_>, from: &[CommitId], stop_at: &[CommitId]) -> Result<HashSet<Oid>> {
    let mut walk = Walk::new(odb);
    let mut found: HashMap<Oid, Rc<Node>> = HashMap::new();
    let mut hidden: HashSet<Oid> = HashSet::new();
    // Queued commits that are not hidden as far as is known: while there are any, the search goes on.
    let mut open: HashSet<Oid> = HashSet::new();
    for commit in stop_at {
        walk.push(commit.0)?;
        hidden.insert(commit.0);
    }
    for commit in from.iter().filter(|commit| !hidden.contains(&commit.0)) {
        walk.push(commit.0)?;
        open.insert(commit.0);
    }
    let mut oldest = i64::MAX;
    while let Some((committed, id)) = walk.queue.pop() {
        if open.is_empty() && committed < oldest {
            break;
        }
        let Some(node) = walk.nodes.remove(&id) else {
            continue;
        };
        if open.remove(&id) {
            oldest = oldest.min(committed);
        }
        for parent in &node.parents {
            let is_new = !walk.seen.contains(parent);
            let is_here = walk.push(*parent)?;
            if hidden.contains(&id) {
                hide_with_ancestors(*parent, &mut hidden, &mut open, &found);
            } else if is_new && is_here && !hidden.contains(parent) {
                open.insert(*parent);
            }
        }
        found.insert(id, node);
    }
    Ok(found.into_keys().filter(|id| !hidden.contains(id)).collect())
}

/// Hides a commit, and those behind it that were visited before a wrong clock let us see that they are hidden.
fn hide_with_ancestors(id: Oid, hidden: &mut HashSet<Oid>, open: &mut HashSet<Oid>, found: &HashMap<Oid, Rc<Node>>) {
    let mut stack = vec![id];
    while let Some(id) = stack.pop() {
        open.remove(&id);
        if hidden.insert(id)
            && let Some(node) = found.get(&id)
        {
            stack.extend(&node.parents);
        }
    }
}
