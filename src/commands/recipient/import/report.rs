//! The shape of `recipient import --json`.

use std::collections::BTreeMap;

use secretree::access::{Enrollment, Joining, Proof};
use secretree::names::{EnvironmentName, RecipientName};
use secretree::policy::Access;
use serde::Serialize;

use super::lines;
use crate::commands::recipient::list::Key;

/// Everything that was found and, but for a dry run, done.
#[derive(Serialize)]
pub(super) struct Report<'e> {
    group: &'e str,
    dry_run: bool,
    joins: Vec<Joins<'e>>,
    leaves: Vec<Leaves<'e>>,
    stays: Vec<&'e str>,
    kept: Vec<&'e str>,
    left_out: Vec<LeftOut<'e>>,
    gains: Vec<Shift<'e>>,
    losses: Vec<Shift<'e>>,
}

#[derive(Serialize)]
struct Joins<'e> {
    name: &'e str,
    listed_as: &'e str,
    by: &'static str,
    email: Option<&'e str>,
    keys: Vec<Key<'e>>,
}

#[derive(Serialize)]
struct Leaves<'e> {
    name: &'e str,
    inactive: bool,
    still_member: bool,
}

#[derive(Serialize)]
struct LeftOut<'e> {
    listed_as: &'e str,
    reason: String,
}

#[derive(Serialize)]
struct Shift<'e> {
    name: &'e str,
    reads: Vec<&'e str>,
    writes: Vec<&'e str>,
    maintainer: bool,
}

impl<'e> Report<'e> {
    pub(super) fn new(enrollment: &'e Enrollment, dry_run: bool) -> Self {
        let leaves = enrollment.leaves.iter().map(|leaving| Leaves {
            name: leaving.name.as_str(),
            inactive: leaving.inactive,
            still_member: leaving.still,
        });
        let left_out = enrollment.left_out.iter().map(|left_out| LeftOut {
            listed_as: &left_out.shown,
            reason: lines::reason(&left_out.reason),
        });
        Self {
            group: enrollment.group.as_str(),
            dry_run,
            joins: enrollment.joins.iter().map(joins).collect(),
            leaves: leaves.collect(),
            stays: enrollment.stays.iter().map(RecipientName::as_str).collect(),
            kept: enrollment.kept.iter().map(RecipientName::as_str).collect(),
            left_out: left_out.collect(),
            gains: shifts(&enrollment.gains),
            losses: shifts(&enrollment.losses),
        }
    }
}

fn joins(joining: &Joining) -> Joins<'_> {
    let new = joining.new.as_ref();
    let keys = new.into_iter().flat_map(|new| &new.keys).map(|key| Key {
        kind: key.key.kind().to_string(),
        label: key.key.label().as_str(),
        public_key: key.key.canonical(),
    });
    Joins {
        name: joining.name.as_str(),
        listed_as: &joining.shown,
        by: match joining.proof {
            Some(Proof::Address) => "address",
            Some(Proof::Login) => "login",
            Some(Proof::Key(_)) => "key",
            None => "new",
        },
        email: new.and_then(|new| new.email.as_deref()),
        keys: keys.collect(),
    }
}

fn shifts(all: &BTreeMap<RecipientName, Access>) -> Vec<Shift<'_>> {
    all.iter()
        .map(|(name, access)| Shift {
            name: name.as_str(),
            reads: access.reads.iter().map(EnvironmentName::as_str).collect(),
            writes: access.writes.iter().map(EnvironmentName::as_str).collect(),
            maintainer: access.maintains,
        })
        .collect()
}
