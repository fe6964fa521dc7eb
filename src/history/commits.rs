//! The events of each commit, newest first: scenes said in words, and the policy's changes beside them.

use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

use super::cache::NOT_HERE;
use super::event::{EventKind, events_between};
use super::policy_event::{PolicyEvent, policy_events};
use super::revision::{PolicyState, PolicyTexts, linked};
use super::scene::{EnvironmentScene, History, Scene, Scenes, moves};
use super::snapshot::Snapshot;
use crate::error::Result;
use crate::git::{BlobId, CommitId, Step};
use crate::names::EnvironmentName;

/// How many policies are remembered; neighbours in history have the same one.
const KNOWN_POLICIES: usize = 8;

/// What one commit did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitEvents {
    /// The commit.
    pub commit: CommitId,
    /// What it did to the policy.
    pub policy: Vec<PolicyEvent>,
    /// What it did to environments, by name.
    pub environments: Vec<(EnvironmentName, Vec<EventKind>)>,
}

/// An iterator over the events of commits, newest first. A value that is set back to an old one counts as changed here;
/// see [`super::Log`].
pub struct Commits<'h> {
    history: &'h History<'h>,
    scenes: Scenes<'h>,
    policies: VecDeque<(PolicyKey, PolicyState)>,
}

/// The policy files of a commit; with the commit, if they speak about its folders.
type PolicyKey = (Vec<Option<BlobId>>, Option<CommitId>);

impl History<'_> {
    /// The events of each commit, of all environments or of `only` this one.
    ///
    /// # Errors
    /// `Failed` if the repository cannot be read.
    pub fn commits(&self, only: Option<&EnvironmentName>) -> Result<Commits<'_>> {
        Ok(Commits {
            history: self,
            scenes: self.scenes(only)?,
            policies: VecDeque::new(),
        })
    }
}

impl Commits<'_> {
    /// Whether no object was missing so far. `false` (a shallow or partial clone) means "at least".
    pub fn is_complete(&self) -> bool {
        self.scenes.is_complete()
    }

    fn events(&mut self, scene: Scene) -> Result<CommitEvents> {
        let mut environments = Vec::with_capacity(scene.environments.len());
        for environment in &scene.environments {
            let events = self.environment_events(&scene.step, environment);
            if !events.is_empty() {
                environments.push((environment.environment.clone(), events));
            }
        }
        let policy = match scene.policy_changed && !scene.step.at_least {
            true => self.policy_events(&scene.step)?,
            false => Vec::new(),
        };
        Ok(CommitEvents {
            commit: scene.step.commit,
            policy,
            environments,
        })
    }

    fn environment_events(&mut self, step: &Step, scene: &EnvironmentScene) -> Vec<EventKind> {
        if step.at_least {
            return vec![EventKind::HistoryEnds];
        }
        let after = scene.after.as_ref().map(|placed| &*placed.snapshot);
        let mut before: Vec<Option<Arc<Snapshot>>> = Vec::with_capacity(scene.before.len());
        before.extend(
            scene
                .before
                .iter()
                .map(|side| side.as_ref().map(|placed| Arc::clone(&placed.snapshot))),
        );
        let mut events = Vec::new();
        if moves(&scene.after, &scene.before)
            && let (Some(after), Some(Some(first))) = (&scene.after, scene.before.first())
        {
            events.push(EventKind::FileMoved {
                from: self.scenes.path(first.path).to_owned(),
                to: self.scenes.path(after.path).to_owned(),
            });
        }
        // Against what is not here nothing can be told.
        let is_lacking =
            |side: &Option<Arc<Snapshot>>| side.as_ref().is_some_and(|side| side.fault() == Some(NOT_HERE));
        if before.iter().any(is_lacking) {
            let lacks_after = after.is_some_and(|after| after.fault() == Some(NOT_HERE));
            events.extend((!lacks_after).then_some(EventKind::HistoryEnds));
            return events;
        }
        // What was changed while the file could not be read counts where it can be read again.
        let is_faulty = |side: &Option<Arc<Snapshot>>| side.as_ref().is_some_and(|side| side.fault().is_some());
        if after.is_some_and(|after| after.fault().is_none()) && !before.is_empty() && before.iter().all(is_faulty) {
            events.push(EventKind::ReadableAgain);
            for (parent, side) in scene.before.iter().enumerate() {
                let found = side.as_ref().and_then(|placed| {
                    let commit = *step.parents.get(parent)?;
                    self.scenes
                        .readable_behind(self.history.repository, commit, placed.path)
                });
                before[parent] = found.or_else(|| before[parent].take());
            }
        }
        let borrowed: Vec<Option<&Snapshot>> = before.iter().map(Option::as_deref).collect();
        for event in events_between(&borrowed, after) {
            if !events.contains(&event) {
                events.push(event);
            }
        }
        events
    }

    /// What the commit did to the policy, held against each parent.
    fn policy_events(&mut self, step: &Step) -> Result<Vec<PolicyEvent>> {
        let after = self.policy(step, None)?;
        let mut common: Option<BTreeSet<PolicyEvent>> = None;
        for parent in 0..step.parents.len() {
            let before = self.policy(step, Some(parent))?;
            let events: BTreeSet<PolicyEvent> = state_events(&before, &after).into_iter().collect();
            common = Some(match common {
                None => events,
                Some(common) => common.intersection(&events).cloned().collect(),
            });
        }
        let first = || state_events(&PolicyState::Absent, &after).into_iter().collect();
        Ok(common.unwrap_or_else(first).into_iter().collect())
    }

    /// The policy after a commit, or in a parent; the folders are those of the commit, so that only texts differ.
    fn policy(&mut self, step: &Step, parent: Option<usize>) -> Result<PolicyState> {
        let blobs = (0..self.scenes.policies).map(|position| match parent {
            None => step.blob(position),
            Some(parent) => step.before(parent, position),
        });
        let blobs: Vec<Option<BlobId>> = blobs.collect();
        let known =
            |(key, _): &&(PolicyKey, PolicyState)| key.0 == blobs && key.1.is_none_or(|commit| commit == step.commit);
        if let Some((_, policy)) = self.policies.iter().find(known) {
            return Ok(policy.clone());
        }
        let history = self.history;
        let mut texts = PolicyTexts::new();
        for (folder, blob) in history.lineage.folders.iter().zip(&blobs) {
            let bytes = match blob {
                Some(blob) => history.repository.blob(*blob)?,
                None => None,
            };
            let text = bytes.map(|bytes| String::from_utf8_lossy(&bytes).into());
            texts.extend(text.map(|text| (PathBuf::clone(folder), text)));
        }
        let policy = linked(history.repository, &history.root_folder, step.commit, &texts);
        let speaks_of_folders = texts.values().any(|text| text.contains('{'));
        let key = (blobs, speaks_of_folders.then_some(step.commit));
        if self.policies.len() >= KNOWN_POLICIES {
            self.policies.pop_front();
        }
        self.policies.push_back((key, policy.clone()));
        Ok(policy)
    }
}

/// What happened between two states of the policy.
pub fn state_events(before: &PolicyState, after: &PolicyState) -> Vec<PolicyEvent> {
    match (before, after) {
        (PolicyState::Sound(before), PolicyState::Sound(after)) => policy_events(before, after),
        (PolicyState::Absent, PolicyState::Sound(_)) => vec![PolicyEvent::PolicyAdded],
        (PolicyState::Malformed(_), PolicyState::Sound(_)) => vec![PolicyEvent::PolicyReadableAgain],
        (PolicyState::Absent, PolicyState::Absent) => Vec::new(),
        (_, PolicyState::Absent) => vec![PolicyEvent::PolicyRemoved],
        (PolicyState::Malformed(before), PolicyState::Malformed(after)) if before == after => Vec::new(),
        (_, PolicyState::Malformed(reason)) => vec![PolicyEvent::PolicyUnreadable {
            reason: reason.to_string(),
        }],
    }
}

impl Iterator for Commits<'_> {
    type Item = Result<CommitEvents>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let events = match self.scenes.next()? {
                Ok(scene) => self.events(scene),
                Err(error) => Err(error),
            };
            match events {
                Ok(events) if events.policy.is_empty() && events.environments.is_empty() => {}
                other => return Some(other),
            }
        }
    }
}
