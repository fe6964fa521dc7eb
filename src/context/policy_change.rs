//! The policy's files while one command changes them: locked, read anew, and shown as a diff. What is changed is the
//! library's to say.

use secretree::error::Result;
use secretree::files::FolderLock;
use secretree::policy::{DiffLine, LoadedPolicy, PolicyChange, Reach};

use super::Context;
use crate::ui::escaped;

impl Context {
    /// Waits for the right to write, and reads the whole policy as it is then. What an interrupted command left is
    /// finished first.
    pub(crate) fn locked_policy(&self) -> Result<(FolderLock, LoadedPolicy)> {
        let loaded = self.policy(Reach::Everything)?;
        let lock = self.vault(&loaded)?.lock()?;
        let (start, _) = self.start_and_bound()?;
        let loaded = LoadedPolicy::read(&loaded.root_folder, &start, Reach::Everything)?;
        Ok((lock, loaded))
    }
}

/// The lines that a change takes and adds, under the name of their file.
pub(crate) fn shown_diff(change: &PolicyChange) -> Vec<String> {
    let mut shown = Vec::new();
    for (name, lines) in change.diff() {
        shown.push(format!("{}:", escaped(name)));
        shown.extend(lines.iter().map(|line| match line {
            DiffLine::Removed(text) => format!("  -{}", escaped(text)),
            DiffLine::Added(text) => format!("  +{}", escaped(text)),
        }));
    }
    shown
}
