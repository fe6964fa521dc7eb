//! SCIM 2.0: `ListResponse` messages (RFC 7644, 3.4.2) of users, of one group, or of both (RFC 7643). A group names its
//! members by `id`; who that is, the users beside it say.

use std::collections::HashMap;

use super::json::Json;
use super::{Person, Roster, folded, is_address, text_of};
use crate::error::{Failure, Result};

/// What kind of thing a list has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    User,
    Group,
}

/// Reads all messages of one list, or of a list of users and one of groups.
pub(super) fn read(documents: &[Json]) -> Result<Roster> {
    let mut users = List::default();
    let mut groups = List::default();
    for document in documents {
        let (total, resources) = message(document)?;
        let kind = match resources.first() {
            Some(first) => kind_of(first, 1)?,
            None => Kind::User,
        };
        let list = if kind == Kind::User { &mut users } else { &mut groups };
        list.add(total, resources, kind)?;
    }
    users.refuse_partial("users")?;
    groups.refuse_partial("groups")?;
    let mut people = Vec::new();
    for (at, user) in users.resources.iter().enumerate() {
        people.push(person(user, at + 1)?);
    }
    let people = match groups.resources.as_slice() {
        [] => people,
        [group] => members(group, &users.resources, &people)?,
        many => {
            return Err(
                Failure::failed(format!("has {} groups, and one is to be followed", many.len()))
                    .hint("ask for one: …/Groups?filter=displayName eq \"NAME\"")
                    .into(),
            );
        }
    };
    Ok(Roster {
        people,
        full_page: None,
    })
}

/// All pages of one kind.
#[derive(Default)]
struct List<'j> {
    total: Option<u64>,
    resources: Vec<&'j Json>,
}

impl<'j> List<'j> {
    fn add(&mut self, total: u64, resources: &'j [Json], kind: Kind) -> Result<()> {
        if *self.total.get_or_insert(total) != total {
            return Err(Failure::failed("has pages that differ about `totalResults`")
                .hint("the list changed meanwhile: fetch it again")
                .into());
        }
        for resource in resources {
            let entry = self.resources.len() + 1;
            if kind_of(resource, entry)? != kind {
                return Err(Failure::failed("has users and groups in one list").into());
            }
            self.resources.push(resource);
        }
        Ok(())
    }

    /// Who is on a page that is not here would be taken for gone.
    fn refuse_partial(&self, what: &str) -> Result<()> {
        let here = self.resources.len() as u64;
        match self.total {
            Some(total) if total != here => Err(Failure::failed(format!(
                "is not the whole list: {here} of {total} {what}"
            ))
            .hint("fetch the other pages too (`startIndex`, `count`), and give all of them, one behind the other")
            .into()),
            _ => Ok(()),
        }
    }
}

/// `totalResults` and `Resources` of one message.
fn message(document: &Json) -> Result<(u64, &[Json])> {
    let total = match document.get("totalresults") {
        Some(Json::Number(Some(total))) => *total,
        Some(_) => return Err(Failure::failed("has a `totalResults` that is no number").into()),
        None => {
            return Err(
                Failure::failed("is neither a SCIM list, which has `totalResults`, nor an array of members")
                    .hint("is it an error that the command before the pipe got?")
                    .into(),
            );
        }
    };
    match document.get("resources") {
        Some(Json::List(resources)) => Ok((total, resources)),
        Some(_) => Err(Failure::failed("has `Resources` that are no list").into()),
        None => Ok((total, &[])),
    }
}

fn kind_of(resource: &Json, entry: usize) -> Result<Kind> {
    let is_group =
        |schema: &Json| matches!(schema, Json::Text(urn) if urn.to_ascii_lowercase().ends_with(":core:2.0:group"));
    let says_group = matches!(resource.get("schemas"), Some(Json::List(schemas)) if schemas.iter().any(is_group));
    match resource {
        Json::Object(_) if resource.get("username").is_some() => Ok(Kind::User),
        Json::Object(_) if says_group || resource.get("members").is_some() => Ok(Kind::Group),
        _ => Err(Failure::failed(format!(
            "has an entry {entry} that is neither a user with `userName` nor a group"
        ))
        .into()),
    }
}

fn person(user: &Json, entry: usize) -> Result<Person> {
    let name = text_of(user, "username", "userName", entry)?;
    let active = match user.get("active") {
        None => true,
        Some(Json::Bool(active)) => *active,
        Some(_) => {
            return Err(Failure::failed(format!("has an `active` in entry {entry} that is not true or false")).into());
        }
    };
    Ok(of_login(name, addresses(user, entry)?, active))
}

/// A person by what they log in with, which may be an address.
fn of_login(name: &str, mut addresses: Vec<String>, active: bool) -> Person {
    let has_login = !is_address(name);
    if !has_login && addresses.iter().all(|known| folded(known) != folded(name)) {
        addresses.push(name.to_owned());
    }
    let local = name.rsplit_once('@').filter(|_| !has_login);
    Person {
        login: local.map_or(name, |(local, _)| local).to_owned(),
        has_login,
        addresses,
        active,
    }
}

/// The primary address; all of them where none is.
fn addresses(user: &Json, entry: usize) -> Result<Vec<String>> {
    let Some(emails) = user.get("emails") else {
        return Ok(Vec::new());
    };
    let strange = || Failure::failed(format!("has `emails` in entry {entry} that are no list of addresses"));
    let Json::List(emails) = emails else {
        return Err(strange().into());
    };
    let (mut all, mut primary): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for email in emails {
        let address = match (email, email.get("value")) {
            (Json::Object(_), None) => continue,
            (Json::Object(_), Some(Json::Text(address))) if address.is_empty() => continue,
            (Json::Object(_), Some(Json::Text(address))) if is_address(address) => address,
            _ => return Err(strange().into()),
        };
        match email.get("primary") {
            None | Some(Json::Bool(false)) => {}
            Some(Json::Bool(true)) => primary.push(address.clone()),
            Some(_) => return Err(strange().into()),
        }
        if all.iter().all(|known| folded(known) != folded(address)) {
            all.push(address.clone());
        }
    }
    match primary.len() {
        0 => Ok(all),
        1 => Ok(primary),
        _ => Err(Failure::failed(format!("has several primary addresses in entry {entry}")).into()),
    }
}

/// The people of a group: by their ids among the users that are listed too, else by a `display` that is an address.
fn members(group: &Json, users: &[&Json], people: &[Person]) -> Result<Vec<Person>> {
    let members = match group.get("members") {
        None => &[][..],
        Some(Json::List(members)) => members,
        Some(_) => return Err(Failure::failed("has `members` that are no list").into()),
    };
    let mut by_id = HashMap::new();
    for (user, person) in users.iter().zip(people) {
        if let Some(Json::Text(id)) = user.get("id")
            && by_id.insert(id.as_str(), person).is_some()
        {
            return Err(Failure::failed("lists two users with one `id`").into());
        }
    }
    let mut found = Vec::new();
    for (at, member) in members.iter().enumerate() {
        let entry = at + 1;
        if matches!(member.get("type"), Some(Json::Text(kind)) if kind.eq_ignore_ascii_case("group")) {
            return Err(Failure::failed(format!(
                "has a group as member {entry} of the group, whose people it does not list"
            ))
            .hint("list the users instead: …/Users?filter=groups.value eq \"ID\"")
            .into());
        }
        let id = text_of(member, "value", "value", entry)?;
        let display = member.get("display");
        let address = match display {
            Some(Json::Text(text)) if is_address(text) => Some(text),
            _ => None,
        };
        match (by_id.get(id), address) {
            (Some(person), _) => found.push((*person).clone()),
            (None, Some(address)) => found.push(of_login(address, Vec::new(), true)),
            (None, None) => {
                return Err(Failure::failed(format!(
                    "has only a group, and nothing tells the address of its member {entry}"
                ))
                .hint("give the users too, before or behind it: { curl …/Users; curl …/Groups?filter=…; } | …")
                .into());
            }
        }
    }
    Ok(found)
}
