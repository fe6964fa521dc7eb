//! Who is in a team, as a forge or an identity provider says: the people of a list of members, or of SCIM's users and
//! groups. Knows no policy: whom of ours these people are is `access`'s to say.

mod forge;
mod json;
mod scim;
#[cfg(test)]
mod tests;

use crate::error::{Failure, Result};
use json::Json;

/// The largest list that is read, in bytes.
pub const LARGEST_ROSTER: usize = 32 << 20;

/// The longest login or address, in bytes (RFC 5321 and its errata).
const LONGEST: usize = 254;

/// The most characters of a login that a message shows.
const MOST_SHOWN: usize = 80;

/// Somebody in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// What they log in with, as the list writes it; where that is an address, the part before the `@`.
    pub login: String,
    /// Whether the login is one, and not a part of an address, which somebody of another domain may have too.
    pub has_login: bool,
    /// Their addresses, the first one first.
    pub addresses: Vec<String>,
    /// Whether the account may be used.
    pub active: bool,
}

impl Person {
    /// What a message calls them; not escaped.
    pub fn shown(&self) -> String {
        let text = match self.addresses.first() {
            Some(address) if !self.has_login => address,
            _ => &self.login,
        };
        match text.char_indices().nth(MOST_SHOWN) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text.clone(),
        }
    }

    /// Their addresses as they are compared.
    pub fn folded_addresses(&self) -> impl Iterator<Item = String> {
        self.addresses.iter().map(|address| folded(address))
    }
}

/// The people of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roster {
    /// All of them, each once, in the order of the list.
    pub people: Vec<Person>,
    /// If the last page is as full as a forge makes them, how many people are on it: there may be another one.
    pub full_page: Option<usize>,
}

impl Roster {
    /// Reads a SCIM `ListResponse` (RFC 7644, 3.4.2) of users or of one group, or the members of a team as GitHub lists
    /// them: one document or several in a row, since lists come in pages.
    ///
    /// # Errors
    /// `Failed` as the end of a line if it is none of these, lacks a page, or names somebody twice.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let documents = Json::documents(bytes)?;
        let is_list = |document: &Json| matches!(document, Json::List(_));
        let roster = match documents.as_slice() {
            [] => Err(Failure::failed("is empty, which says nothing of anybody").into()),
            all if all.iter().all(is_list) => forge::read(&documents),
            all if all.iter().any(is_list) => Err(Failure::failed("mixes members of a forge with SCIM").into()),
            _ => scim::read(&documents),
        }?;
        roster.refuse_repeated()?;
        Ok(roster)
    }

    /// The people whose accounts may be used.
    pub fn active(&self) -> impl Iterator<Item = &Person> {
        self.people.iter().filter(|person| person.active)
    }

    /// Pages that overlap have a gap elsewhere, and two people who look alike are not to be told apart.
    fn refuse_repeated(&self) -> Result<()> {
        let mut seen = std::collections::HashSet::new();
        for person in self.active() {
            let mut marks: Vec<_> = person.folded_addresses().collect();
            if person.has_login {
                marks.push(folded(&person.login));
            }
            if marks.into_iter().any(|mark| !seen.insert(mark)) {
                return Err(Failure::failed(format!("lists `{}` twice", person.shown()))
                    .hint("fetch all pages again; or two people share a login or an address there")
                    .into());
            }
        }
        Ok(())
    }
}

/// A login or an address as it is compared: letters of ASCII alike, everything else byte for byte, so that what merely
/// looks alike is another.
pub fn folded(text: &str) -> String {
    text.to_ascii_lowercase()
}

/// Whether the text could be an address.
fn is_address(text: &str) -> bool {
    let forbidden = |character: char| character.is_control() || character.is_whitespace();
    let parts = text.rsplit_once('@');
    text.len() <= LONGEST
        && !text.contains(forbidden)
        && parts.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
}

/// The text of a member that must be there. `entry` counts from 1.
fn text_of<'j>(object: &'j Json, name: &str, shown: &str, entry: usize) -> Result<&'j str> {
    match object.get(name) {
        Some(Json::Text(text)) if text.is_empty() || text.len() > LONGEST => Err(Failure::failed(format!(
            "has a `{shown}` in entry {entry} that is empty or longer than {LONGEST} bytes"
        ))
        .into()),
        Some(Json::Text(text)) => Ok(text),
        Some(_) => Err(Failure::failed(format!("has a `{shown}` in entry {entry} that is no string")).into()),
        None => Err(Failure::failed(format!("has no `{shown}` in entry {entry}")).into()),
    }
}
