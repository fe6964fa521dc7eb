//! The snapshots of blobs, each read once as long as somebody near in history may ask for it again. What is kept is
//! bounded, so that memory does not grow with the number of commits.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::layout::Layout;
use super::snapshot::Snapshot;
use crate::git::{BlobId, Repository};

/// The most text whose snapshots are kept, in bytes; of one file two contents always are.
const MOST_TEXT: usize = 4 << 20;
/// The most snapshots that are kept.
const MOST_KEPT: usize = 4096;

/// The fault of a content that a shallow or partial clone does not hold.
pub(super) const NOT_HERE: &str = "it is not in this clone";

struct Kept {
    layout: Layout,
    snapshot: Arc<Snapshot>,
}

/// The snapshots of a repository's blobs.
pub struct Snapshots<'r> {
    repository: &'r Repository,
    kept: HashMap<BlobId, Kept>,
    /// The kept blobs, the longest known first.
    order: VecDeque<BlobId>,
    text: usize,
    missing: bool,
    parsed: usize,
}

impl<'r> Snapshots<'r> {
    /// Nothing is read yet.
    pub fn new(repository: &'r Repository) -> Self {
        Self {
            repository,
            kept: HashMap::new(),
            order: VecDeque::new(),
            text: 0,
            missing: false,
            parsed: 0,
        }
    }

    /// The snapshot of `blob`. `near` is a content of the same file that was asked for just before: what is the same in both
    /// is not read again. A blob that is not in this clone, is too large or is damaged makes an unreadable snapshot.
    pub fn get(&mut self, blob: BlobId, near: Option<BlobId>) -> Arc<Snapshot> {
        if let Some(kept) = self.kept.get(&blob) {
            return Arc::clone(&kept.snapshot);
        }
        let bytes = match self.repository.blob(blob) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => {
                self.missing = true;
                return Arc::new(Snapshot::unreadable(NOT_HERE));
            }
            Err(error) => return Arc::new(Snapshot::unreadable(error.to_string())),
        };
        let near = near.and_then(|near| self.kept.get(&near));
        let (layout, snapshot) = Layout::read(bytes, near.map(|near| (&near.layout, &*near.snapshot)));
        self.parsed += 1;
        let snapshot = Arc::new(snapshot);
        self.text += layout.size();
        let kept = Kept {
            layout,
            snapshot: Arc::clone(&snapshot),
        };
        self.kept.insert(blob, kept);
        self.order.push_back(blob);
        while self.order.len() > 2 && (self.text > MOST_TEXT || self.order.len() > MOST_KEPT) {
            let oldest = self.order.pop_front().and_then(|oldest| self.kept.remove(&oldest));
            self.text -= oldest.map_or(0, |oldest| oldest.layout.size());
        }
        snapshot
    }

    /// Whether a blob that was asked for is not in this clone: answers are "at least".
    pub fn is_missing_some(&self) -> bool {
        self.missing
    }

    /// How many contents were read.
    pub fn parsed(&self) -> usize {
        self.parsed
    }
}
