//! Which commit of a branch brought what a review found, so that a reviewer knows whom to ask.

use std::collections::BTreeMap;

use super::event::EventKind;
use super::policy_event::PolicyEvent;
use super::review::{AccessChange, Review};
use super::scene::History;
use crate::error::Result;
use crate::git::CommitId;
use crate::names::EnvironmentName;

/// Who brought something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BroughtBy {
    /// A commit of the branch.
    Commit {
        /// Which.
        commit: CommitId,
        /// Its author's name. Written by others: escape it before showing it.
        author: String,
        /// When the author says so, in seconds since 1970.
        time: i64,
    },
    /// It is committed, and no single commit did it.
    Unknown,
}

/// The commit that brought something and its place in the walk: the newest has the smallest number.
type Found = (usize, BroughtBy);

/// Who brought what.
#[derive(Debug, Default)]
pub struct Brought {
    policy: BTreeMap<PolicyEvent, Found>,
    environments: BTreeMap<(EnvironmentName, EventKind), Found>,
    /// What is committed of the review; the rest is in the work tree only.
    committed: Option<Review>,
}

impl Brought {
    /// What the commits of `history` did, newest first; `committed` is the review of what is committed.
    ///
    /// # Errors
    /// `Failed` if the repository cannot be read.
    pub fn find(history: &History<'_>, committed: Review) -> Result<Self> {
        let mut brought = Self {
            committed: Some(committed),
            ..Self::default()
        };
        for (number, events) in history.commits(None)?.enumerate() {
            let events = events?;
            let said = history.repository.commit(events.commit)?;
            let by = BroughtBy::Commit {
                commit: events.commit,
                author: said.author_name,
                time: said.time,
            };
            for event in events.policy {
                brought.policy.entry(event).or_insert((number, by.clone()));
            }
            for (name, events) in events.environments {
                let grants = events
                    .into_iter()
                    .filter(|event| matches!(event, EventKind::Granted { .. } | EventKind::Revoked { .. }));
                for event in grants {
                    let key = (name.clone(), event);
                    brought.environments.entry(key).or_insert((number, by.clone()));
                }
            }
        }
        Ok(brought)
    }

    /// Who brought this into the policy; `None` if it is not committed yet.
    pub fn of_policy(&self, event: &PolicyEvent) -> Option<&BroughtBy> {
        let committed = self.committed.as_ref()?;
        if !committed.policy.contains(event) {
            return None;
        }
        // A command or setting that was changed more than once: who wrote what stands there now.
        let is_last_step = |other: &&PolicyEvent| match (event, other) {
            (
                PolicyEvent::CommandChanged { of, after, .. },
                PolicyEvent::CommandChanged {
                    of: other_of,
                    after: other_after,
                    ..
                },
            ) => of == other_of && after == other_after,
            (
                PolicyEvent::SettingChanged { of, to, .. },
                PolicyEvent::SettingChanged {
                    of: other_of,
                    to: other_to,
                    ..
                },
            ) => of == other_of && to == other_to,
            _ => false,
        };
        let found = self.policy.get(event).or_else(|| {
            let steps = self.policy.iter().filter(|(other, _)| is_last_step(other));
            steps.map(|(_, found)| found).min_by_key(|(number, _)| *number)
        });
        Some(found.map_or(&BroughtBy::Unknown, |(_, by)| by))
    }

    /// Who changed the standing of a public key in an environment: in the policy if it changed there, else in the file;
    /// `None` if it is not committed yet.
    pub fn of_access(&self, name: &EnvironmentName, change: &AccessChange) -> Option<&BroughtBy> {
        let committed = self.committed.as_ref()?;
        let environment = committed.environments.iter().find(|one| one.name == *name)?;
        let is_same = |other: &AccessChange| other.label == change.label && other.after.policy == change.after.policy;
        let is_committed = environment.access.iter().any(|other| {
            is_same(other) && (change.before.policy != change.after.policy || other.after.file == change.after.file)
        });
        if !is_committed {
            return None;
        }
        let (recipient, label) = (change.recipient.clone(), change.label.clone());
        let found = if change.before.policy == change.after.policy {
            let event = match change.after.file {
                true => EventKind::Granted { recipient, label },
                false => EventKind::Revoked { recipient, label },
            };
            self.environments.get(&(name.clone(), event))
        } else {
            let environment = name.clone();
            let candidates = match change.after.policy {
                true => vec![
                    PolicyEvent::ReaderAdded {
                        environment,
                        recipient: recipient.clone(),
                    },
                    PolicyEvent::KeyAdded { recipient, label },
                    PolicyEvent::PolicyAdded,
                ],
                false => vec![
                    PolicyEvent::ReaderRemoved {
                        environment,
                        recipient: recipient.clone(),
                    },
                    PolicyEvent::KeyRemoved { recipient, label },
                ],
            };
            let found = candidates.iter().filter_map(|event| self.policy.get(event));
            found.min_by_key(|(number, _)| *number)
        };
        Some(found.map_or(&BroughtBy::Unknown, |(_, by)| by))
    }
}
