//! The members of a team or an organisation as GitHub lists them (`gh api …/members`): arrays of objects with `login`.

use super::json::Json;
use super::{Person, Roster, text_of};
use crate::error::{Failure, Result};

/// How many members the forge puts on a page: where nothing was asked for, and at most.
const FULL_PAGES: [usize; 2] = [30, 100];

/// Reads pages: an array each, or one array of arrays (`--slurp`).
pub(super) fn read(documents: &[Json]) -> Result<Roster> {
    let mut pages: Vec<&[Json]> = Vec::new();
    for document in documents {
        let Json::List(items) = document else {
            return Err(Failure::failed("is no array of members").into());
        };
        let inner: Option<Vec<&[Json]>> = items.iter().map(list).collect();
        match inner {
            Some(inner) if !inner.is_empty() => pages.extend(inner),
            _ => pages.push(items),
        }
    }
    let mut people = Vec::new();
    for member in pages.iter().copied().flatten() {
        let entry = people.len() + 1;
        if !matches!(member, Json::Object(_)) {
            return Err(Failure::failed(format!("has an entry {entry} that is no object")).into());
        }
        people.push(Person {
            login: text_of(member, "login", "login", entry)?.to_owned(),
            has_login: true,
            addresses: Vec::new(),
            active: true,
        });
    }
    let last = pages.last().map_or(0, |page| page.len());
    Ok(Roster {
        people,
        full_page: Some(last).filter(|length| FULL_PAGES.contains(length)),
    })
}

fn list(item: &Json) -> Option<&[Json]> {
    match item {
        Json::List(items) => Some(items),
        _ => None,
    }
}
