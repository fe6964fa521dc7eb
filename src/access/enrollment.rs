//! A list of people from elsewhere becomes the members of a group: who of them is whom of the policy, who is new, who
//! goes. A look-alike is never taken for somebody, and whoever is there keeps their keys: what is not certain is refused
//! or left out by name.

mod identify;
mod plan;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::crypto::label::GrantLabel;
use crate::names::RecipientName;
use crate::policy::{Access, NewRecipient, PolicyChange};
use crate::roster::Person;
use crate::secret::Secret;

/// The members of a group as a list wants them, and what that does.
#[derive(Debug)]
pub struct Enrollment {
    /// The group.
    pub group: RecipientName,
    /// The lines of the policy.
    pub change: PolicyChange,
    /// Who comes into the group, sorted by name.
    pub joins: Vec<Joining>,
    /// Who goes out of it, sorted by name.
    pub leaves: Vec<Leaving>,
    /// Who is in the list and in the group, sorted by name.
    pub stays: Vec<RecipientName>,
    /// Members that no list of people is about: groups and machines, in the order of the policy.
    pub kept: Vec<RecipientName>,
    /// Who is in the list and comes into no group, in the order of the list.
    pub left_out: Vec<LeftOut>,
    /// Keys of those who are new that cannot decrypt: a line each.
    pub unusable: Vec<String>,
    /// Who is there with other keys than those that came with the list; theirs stay as they are.
    pub other_keys: Vec<RecipientName>,
    /// What people may do afterwards that they may not now.
    pub gains: BTreeMap<RecipientName, Access>,
    /// What they may do now and not afterwards.
    pub losses: BTreeMap<RecipientName, Access>,
}

/// Somebody comes into the group.
#[derive(Clone, Debug)]
pub struct Joining {
    /// Who.
    pub name: RecipientName,
    /// What the list calls them; not escaped.
    pub shown: String,
    /// How they were recognised; nothing for somebody new.
    pub proof: Option<Proof>,
    /// What the policy learns of somebody new.
    pub new: Option<NewRecipient>,
}

/// Why a person of the list is a recipient of the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The policy has this address for them.
    Address,
    /// They log in by the name that the policy has for them.
    Login,
    /// The policy has this key of theirs.
    Key(GrantLabel),
}

/// Somebody goes out of the group.
#[derive(Clone, Debug)]
pub struct Leaving {
    /// Who.
    pub name: RecipientName,
    /// Whether the list has them, with an account that may not be used.
    pub inactive: bool,
    /// Whether they are a member still, by a group that this one lists.
    pub still: bool,
}

/// Somebody of the list for whom nothing is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// What the list calls them; not escaped.
    pub shown: String,
    /// Why.
    pub reason: Reason,
}

/// Why somebody is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No text of keys came for them, under this name.
    NoKeys(RecipientName),
    /// What is wrong with the text of keys, as a sentence.
    Keys(String),
    /// What they log in with is no name of a recipient.
    NoName,
    /// A group has the name.
    Group(RecipientName),
    /// A machine has the name, the address or the key.
    Machine(RecipientName),
    /// The address has letters that others could be taken for.
    Address,
}

/// The public keys that came for somebody.
pub struct KeyText {
    /// What messages call the text: `ada.keys`.
    pub shown: String,
    /// One key a line, as a forge's `LOGIN.keys`; or why it cannot be read, as the end of a line.
    pub text: Result<Secret, String>,
}

/// Where the keys of people are found, by who they are and the name that they would have.
pub type KeySource<'k> = dyn FnMut(&Person, &RecipientName) -> Option<KeyText> + 'k;
