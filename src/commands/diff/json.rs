//! The shape of `diff --json`.

use std::collections::BTreeMap;

use secretree::history::{AccessChange, Brought, BroughtBy, EventKind, PolicyEvent, Review};
use secretree::names::EnvironmentName;
use secretree::when::date_text;
use serde::Serialize;

use super::reveal::Values;
use super::sides::{Compared, End};

/// The whole report.
#[derive(Serialize)]
pub(super) struct Report<'r> {
    from: &'r End,
    to: &'r End,
    policy: Vec<Policy<'r>>,
    groups: Vec<Group>,
    environments: Vec<Environment<'r>>,
}

#[derive(Serialize)]
struct Policy<'r> {
    #[serde(flatten)]
    event: &'r PolicyEvent,
    brought: Option<By>,
}

#[derive(Serialize)]
struct Group {
    group: String,
    joined: Vec<String>,
    left: Vec<String>,
}

#[derive(Serialize)]
struct Environment<'r> {
    environment: &'r str,
    former: Option<&'r str>,
    file: String,
    events: &'r [EventKind],
    access: Vec<Access>,
    lacking: Vec<Lacking<'r>>,
    foreign: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<BTreeMap<String, Shown<'r>>>,
}

#[derive(Serialize)]
struct Access {
    recipient: String,
    key: String,
    policy: Turn,
    file: Turn,
    keeps_key: bool,
    brought: Option<By>,
}

#[derive(Serialize)]
struct Turn {
    before: bool,
    after: bool,
}

#[derive(Serialize)]
struct Lacking<'r> {
    path: String,
    variable: &'r str,
    required: bool,
    was_lacking: bool,
    description: Option<&'r str>,
    owner: Option<&'r str>,
}

#[derive(Serialize)]
struct Shown<'r> {
    before: Option<&'r str>,
    after: Option<&'r str>,
}

#[derive(Serialize)]
struct By {
    commit: String,
    author: String,
    date: String,
}

fn by(origin: Option<&BroughtBy>) -> Option<By> {
    match origin? {
        BroughtBy::Unknown => None,
        BroughtBy::Commit { commit, author, time } => Some(By {
            commit: commit.to_string(),
            author: author.clone(),
            date: date_text(*time),
        }),
    }
}

/// Everything that a review found.
pub(super) fn report<'r>(
    compared: &'r Compared,
    review: &'r Review,
    brought: &Brought,
    values: &'r Values,
) -> Report<'r> {
    let policy = review.policy.iter().map(|event| Policy {
        event,
        brought: by(brought.of_policy(event)),
    });
    let texts = |names: &[secretree::names::RecipientName]| names.iter().map(ToString::to_string).collect();
    let groups = review.groups.iter().map(|change| Group {
        group: change.group.to_string(),
        joined: texts(&change.joined),
        left: texts(&change.left),
    });
    let environments = review.environments.iter().map(|one| {
        let lacking = one.lacking.iter().map(|lacking| Lacking {
            path: lacking.path.to_string(),
            variable: &lacking.variable,
            required: lacking.required,
            was_lacking: lacking.was_lacking,
            description: lacking.description.as_deref(),
            owner: lacking.owner.as_deref(),
        });
        Environment {
            environment: one.name.as_str(),
            former: one.former.as_ref().map(EnvironmentName::as_str),
            file: one.file.display().to_string(),
            events: &one.events,
            access: one
                .access
                .iter()
                .map(|change| access(&one.name, change, brought))
                .collect(),
            lacking: lacking.collect(),
            foreign: one.foreign.iter().map(ToString::to_string).collect(),
            values: values.of(&one.name).map(|values| {
                let paths = one.events.iter().filter_map(EventKind::path);
                let shown = paths.map(|path| {
                    let (before, after) = values.at(path);
                    let (before, after) = (before.map(|text| text.as_str()), after.map(|text| text.as_str()));
                    (path.to_string(), Shown { before, after })
                });
                shown.collect()
            }),
        }
    });
    Report {
        from: &compared.from,
        to: &compared.to,
        policy: policy.collect(),
        groups: groups.collect(),
        environments: environments.collect(),
    }
}

fn access(name: &EnvironmentName, change: &AccessChange, brought: &Brought) -> Access {
    let turn = |before, after| Turn { before, after };
    Access {
        recipient: change.recipient.to_string(),
        key: change.label.to_string(),
        policy: turn(change.before.policy, change.after.policy),
        file: turn(change.before.file, change.after.file),
        keeps_key: change.keeps_key,
        brought: by(brought.of_access(name, change)),
    }
}
