//! Who is in a group: one name, or many at once, which reads the text once and not once for each.

use std::collections::HashSet;

use super::{PolicyEdit, tree_of};
use crate::document::edit::Change;
use crate::document::meaning::Meaning;
use crate::document::path::{Segment, ValuePath};
use crate::error::Result;
use crate::names::RecipientName;

impl PolicyEdit<'_> {
    /// Puts a recipient or group into a group; nothing changes if it is in it.
    ///
    /// # Errors
    /// As [`PolicyEdit::add_recipient`].
    pub fn add_member(&mut self, group: &RecipientName, member: &RecipientName) -> Result<()> {
        self.add_members(group, &[member])
    }

    /// Puts many into a group at once.
    ///
    /// # Errors
    /// As [`PolicyEdit::add_recipient`].
    pub fn add_members(&mut self, group: &RecipientName, members: &[&RecipientName]) -> Result<()> {
        self.add_names(0, ValuePath::of_keys(["groups", group.as_str()]), members)
    }

    /// Takes a recipient or group out of a group. Says whether it was in it.
    ///
    /// # Errors
    /// As [`PolicyEdit::add_recipient`].
    pub fn remove_member(&mut self, group: &RecipientName, member: &RecipientName) -> Result<bool> {
        let list = ValuePath::of_keys(["groups", group.as_str()]);
        self.remove_item(0, &list, |text| text == member.as_str())
    }

    /// Takes many out of a group at once, as far as they are in it.
    ///
    /// # Errors
    /// As [`PolicyEdit::add_recipient`].
    pub fn remove_members(&mut self, group: &RecipientName, members: &[&RecipientName]) -> Result<()> {
        let list = ValuePath::of_keys(["groups", group.as_str()]);
        let meaning = Meaning::of(&tree_of(&self.drafts[0])?);
        let leaving: HashSet<&str> = members.iter().map(|name| name.as_str()).collect();
        let items = meaning.list(&list).into_iter().enumerate();
        // From behind, so that each number is right until it is used.
        let paths = items
            .rev()
            .filter(|(_, item)| item.is_some_and(|name| leaving.contains(name)));
        let paths: Vec<_> = paths.map(|(index, _)| list.child(Segment::Index(index))).collect();
        if paths.len() > 1 && self.step(0, &Change::Remove(paths)).is_ok() {
            return Ok(());
        }
        // Neighbours, and the last of all, may only be taken out one after the other.
        for member in members {
            self.remove_member(group, member)?;
        }
        Ok(())
    }
}
