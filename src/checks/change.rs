//! What the rules for signatures look at: one file that a commit changed, whose signature the commit carries, and whose
//! would count. A signature counts by its key, never by a name or an e-mail address.

use std::collections::BTreeSet;

use crate::finding::Place;
use crate::names::RecipientName;

/// A file that a commit changed against all of its parents.
pub struct Change {
    /// The file, with its environment if it is one's.
    pub place: Place,
    /// What it is, for a message: `` `prod` ``, `the policy`.
    pub what: String,
    /// The commit, its author and day, for a message.
    pub commit: String,
    /// What the commit proves.
    pub proof: Proof,
    /// Whether who signed it may make this change, by the policy of every parent.
    pub permitted: bool,
    /// Whose signature would count, by the policies of all parents.
    pub authorised: BTreeSet<RecipientName>,
}

/// What a commit proves of who made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// It has no signature.
    Unsigned,
    /// It has one that does not verify here, or whose key no policy knows.
    Unknown,
    /// A signature by the key of these recipients: one name for each parent's policy.
    Signed(BTreeSet<RecipientName>),
    /// It begins a history of its own, so that there is no policy to judge it by.
    Rootless,
    /// The policy of a parent cannot be read.
    Unjudged,
}

/// A few names, for a message.
pub(super) fn listed(names: &BTreeSet<RecipientName>) -> String {
    const MOST: usize = 6;
    let shown: Vec<_> = names.iter().take(MOST).map(|name| format!("`{name}`")).collect();
    match (names.len(), names.len().saturating_sub(MOST)) {
        (0, _) => "nobody".to_owned(),
        (_, 0) => shown.join(", "),
        (_, more) => format!("{} and {more} more", shown.join(", ")),
    }
}
