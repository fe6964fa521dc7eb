//! A change of a policy that is thought through and not written yet: what a person is shown, what it gives and takes,
//! and how the files are replaced.

use std::path::PathBuf;
use std::sync::Arc;

use crate::error::{Failure, Result};
use crate::files::{FolderLock, Transaction, read_bounded};
use crate::names::RecipientName;
use crate::policy::file::LONGEST_POLICY;
use crate::policy::load::LoadedPolicy;
use crate::policy::policy::Policy;
use crate::policy::spot::SourceText;

/// How far a difference is followed before the rest counts as replaced.
const FARTHEST: usize = 256;

/// New texts of policy files.
#[derive(Debug)]
pub struct PolicyChange {
    /// For each file that changes: its path relative to the policy's folder, what it was, what it will be.
    pub(super) files: Vec<(PathBuf, Arc<SourceText>, String)>,
    /// The policy as it will be.
    pub after: LoadedPolicy,
}

/// A line of a diff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiffLine {
    /// It was there.
    Removed(String),
    /// It will be there.
    Added(String),
}

impl PolicyChange {
    pub(super) fn new(files: Vec<(PathBuf, Arc<SourceText>, String)>, after: LoadedPolicy) -> Self {
        Self { files, after }
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The files that change, relative to the policy's folder.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.files.iter().map(|(path, ..)| path.clone()).collect()
    }

    /// For each file, as messages name it, the lines that change.
    pub fn diff(&self) -> Vec<(&str, Vec<DiffLine>)> {
        let files = self.files.iter();
        files
            .map(|(_, source, new)| (source.shown_name.as_str(), diff(&source.text, new)))
            .collect()
    }

    /// Replaces the files, all or none, in the locked folder of the policy.
    ///
    /// # Errors
    /// `Failed` if one is not what it was any more, or cannot be written: then none was.
    pub fn write(&self, lock: &FolderLock) -> Result<()> {
        let transaction = self.add_to(lock, Transaction::new(lock))?;
        if self.is_empty() { Ok(()) } else { transaction.commit() }
    }

    /// Puts the files into a change of more files.
    ///
    /// # Errors
    /// `Failed` if one is not what it was any more.
    pub fn add_to<'lock>(&self, lock: &FolderLock, mut transaction: Transaction<'lock>) -> Result<Transaction<'lock>> {
        for (path, source, new) in &self.files {
            let there = read_bounded(&lock.folder().join(path), LONGEST_POLICY as u64)?;
            if there != source.text.as_bytes() {
                let message = format!("`{}` changed on disk meanwhile; nothing was written", source.shown_name);
                return Err(Failure::failed(message).hint("run the command again").into());
            }
            transaction = transaction.add(path, new.clone().into_bytes());
        }
        Ok(transaction)
    }
}

/// The lines of `old` and `new` that differ. Meant for small changes; linear outside of them.
fn diff(old: &str, new: &str) -> Vec<DiffLine> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let (mut from, mut to) = (0, 0);
    let mut lines = Vec::new();
    while from < old.len() || to < new.len() {
        if from < old.len() && old.get(from) == new.get(to) {
            from += 1;
            to += 1;
            continue;
        }
        let (removed, added) = next_common(&old[from..], &new[to..]);
        lines.extend(
            old[from..from + removed]
                .iter()
                .map(|line| DiffLine::Removed((*line).to_owned())),
        );
        lines.extend(
            new[to..to + added]
                .iter()
                .map(|line| DiffLine::Added((*line).to_owned())),
        );
        from += removed;
        to += added;
    }
    lines
}

/// How many lines of each side stand before the nearest place from which on both go on with the same two lines, or one at the end.
fn next_common(old: &[&str], new: &[&str]) -> (usize, usize) {
    let same = |removed: usize, added: usize| {
        let pair = |ahead: usize| (old.get(removed + ahead), new.get(added + ahead));
        let (one, other) = pair(0);
        let goes_on =
            matches!(pair(1), (Some(one), Some(other)) if one == other) || matches!(pair(1), (None, _) | (_, None));
        one == other && goes_on
    };
    for distance in 1..FARTHEST.min(old.len() + new.len()) {
        for removed in 0..=distance.min(old.len()) {
            let added = distance - removed;
            if added <= new.len() && same(removed, added) {
                return (removed, added);
            }
        }
    }
    (old.len(), new.len())
}

/// Refuses what would leave an environment, a list of writers or the policy to nobody that was somebody's before.
pub(super) fn refuse_losses(before: &Policy, after: &Policy) -> Result<()> {
    let hint = "name somebody else there first";
    let refused = |what: String| -> Result<()> { Err(Failure::failed(what).hint(hint).into()) };
    for old in before.environments.values() {
        let name = &old.name;
        let Some(new) = after.environment(name) else {
            return refused(format!(
                "`{name}` would be no environment any more; nothing was written"
            ));
        };
        if after.readers(new).is_empty() && !before.readers(old).is_empty() {
            return refused(format!("`{name}` would be left without readers; nothing was written"));
        }
        if after.writers(new).is_empty() && !before.writers(old).is_empty() {
            return refused(format!("`{name}` would be left without writers; nothing was written"));
        }
    }
    let nobody = |names: &[RecipientName], policy: &Policy| policy.people.flattened(names).is_empty();
    match (&before.maintainers, &after.maintainers) {
        (Some(old), Some(new)) if nobody(new, after) && !nobody(old, before) => {
            refused("the policy would be left without maintainers; nothing was written".to_owned())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{DiffLine, diff};

    #[test]
    fn a_diff_has_the_lines_that_change() {
        let shown = |old: &str, new: &str| {
            let lines = diff(old, new).into_iter().map(|line| match line {
                DiffLine::Removed(line) => format!("-{line}"),
                DiffLine::Added(line) => format!("+{line}"),
            });
            lines.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(shown("a\nb\n", "a\nb\n"), "");
        assert_eq!(shown("a\nb\n", "a\nx\nb\n"), "+x");
        assert_eq!(shown("a\nb\nc\n", "a\nc\n"), "-b");
        assert_eq!(shown("a\nb\nc\nd\n", "x\na\nb\nC\nd\ny\n"), "+x -c +C +y");
        assert_eq!(shown("", "a\n"), "+a");
        assert_eq!(shown("a\nb", "c"), "-a -b +c");
    }
}
