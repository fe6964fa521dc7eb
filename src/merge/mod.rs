//! Joins two texts of one environment that grew out of a third, path by path, comments and layout with them. Works on
//! texts and versions alone: no key is needed where a version says that a value is the same. What the footers say, and
//! values that would have to be sealed anew, are the vault's.

mod check;
mod decide;
mod lines;
mod part;
mod same;
mod sets;
#[cfg(test)]
mod tests;
mod write;

use std::collections::BTreeSet;

pub use lines::{Marks, conflict, line_end_of};
pub use sets::{join, three_way};

use crate::document::path::ValuePath;
use crate::document::tree::{Rules, Tree};
use decide::Decider;
use part::Version;
use write::Writer;

/// One of the two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The branch that is merged into.
    Ours,
    /// The branch that is merged.
    Theirs,
}

impl Side {
    /// The other one.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::Ours => Self::Theirs,
            Self::Theirs => Self::Ours,
        }
    }
}

/// What is merged.
pub struct Task<'t, 'a> {
    /// What both grew out of; nothing if each side made the file.
    pub base: Option<&'t Tree<'a>>,
    /// The branch that is merged into.
    pub ours: &'t Tree<'a>,
    /// The branch that is merged.
    pub theirs: &'t Tree<'a>,
    /// Values that a side brought and that must not be taken without asking.
    pub doubted: &'t BTreeSet<(Side, ValuePath)>,
    /// How conflicts are marked.
    pub marks: &'t Marks,
}

/// What keeps a place from being merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Each side has another value, or added one.
    Both,
    /// This side removed what the other changed.
    Removed(Side),
    /// This side brought a value that must not be taken without asking.
    Doubted(Side),
    /// Both sides changed a list in ways whose items cannot be told apart by their numbers.
    List,
    /// Both sides changed one comment.
    Comment,
    /// The places were merged, but not the layout around them.
    Layout,
}

/// A place that a person has to decide about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Where; the root if it is the whole text.
    pub path: ValuePath,
    /// Why.
    pub reason: Reason,
}

/// What became of the two texts.
#[derive(Clone, Debug)]
pub struct Merged {
    /// The text without its footer, with a conflict's two sides between markers.
    pub body: String,
    /// What a person has to decide, in the order of the text.
    pub conflicts: Vec<Conflict>,
}

/// Merges the texts without their footers. Starts from the side whose layout changed more, so that the other's changes
/// are the only ones that have to be put in. Linear in the texts.
pub fn merge(task: &Task<'_, '_>) -> Merged {
    let nothing = Tree::parse("", Rules::File).expect("an empty text is a mapping without entries");
    let base = Version::new(task.base.unwrap_or(&nothing));
    let (ours, theirs) = (Version::new(task.ours), Version::new(task.theirs));
    let main_is_ours = theirs.moved_from(&base) <= ours.moved_from(&base);
    let (main, other) = if main_is_ours {
        (&ours, &theirs)
    } else {
        (&theirs, &ours)
    };
    let main_side = if main_is_ours { Side::Ours } else { Side::Theirs };
    let entries = Decider::new(task.doubted, main_side, main, other).root(&base);
    let (body, conflicts) = Writer::new(&base, main, other, main_side, task.marks).write(&entries);
    // Without conflicts both sides are one text.
    let sides = &[Side::Ours, Side::Theirs][usize::from(conflicts.is_empty())..];
    if check::holds(&body, sides, &entries, main_side, task.marks) {
        return Merged { body, conflicts };
    }
    whole(task)
}

/// The whole texts as one conflict, lines that both have at their ends apart.
fn whole(task: &Task<'_, '_>) -> Merged {
    let mut body = String::new();
    let base = task.base.map(|base| base.body());
    conflict(
        &mut body,
        base,
        task.ours.body(),
        task.theirs.body(),
        task.marks,
        line_end_of(task.ours.text),
    );
    let path = ValuePath::default();
    Merged {
        body,
        conflicts: vec![Conflict {
            path,
            reason: Reason::Layout,
        }],
    }
}
