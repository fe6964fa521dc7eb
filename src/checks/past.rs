//! What the rules about the past look at: one environment as it stands, and what only history tells of it.

use std::collections::BTreeSet;

use super::Standing;
use crate::crypto::label::GrantLabel;
use crate::document::path::ValuePath;
use crate::document::tree::Located;
use crate::finding::Place;
use crate::history::Named;
use crate::names::RecipientName;

/// One environment and its past.
pub struct Past<'a> {
    /// The environment as it stands.
    pub standing: &'a Standing<'a>,
    /// The values that somebody could have read who is neither a reader nor granted the key now.
    pub exposed: Vec<(ValuePath, Named)>,
    /// The public keys that ever held the key which the file has now.
    pub held: Named,
    /// The values that stand as they did before another took their place, with the commit that set them back, for a
    /// message.
    pub set_back: Vec<(ValuePath, String)>,
}

impl Past<'_> {
    /// The place of a value in the file as it stands.
    pub(super) fn place(&self, path: &ValuePath) -> Place {
        let node = self.standing.reading.and_then(|reading| reading.tree.node(path));
        match node {
            Some(Located::Scalar(scalar)) => self.standing.place_of_value(path, scalar.head.start),
            _ => self.standing.place().at_path(path.clone()),
        }
    }
}

/// `` `bob` (x25519-…) ``: a public key and the names it had.
pub(super) fn called(label: &GrantLabel, names: &BTreeSet<RecipientName>) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    format!("{} ({label})", names.join(" or "))
}
