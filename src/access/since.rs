//! Since when the policy says what is about to be done to files, and by whose commit; and what else changed in it since
//! their grants were written. So that whoever is asked looks at commits, and not only at names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::crypto::label::GrantLabel;
use crate::error::Result;
use crate::git::{CommitId, Repository};
use crate::history::{Entries, EventKind, History, PolicyEvent, Revision, policy_events};
use crate::names::{EnvironmentName, RecipientName};
use crate::policy::Policy;
use crate::vault::Plan;

/// What brought something into the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brought {
    /// It is not committed yet.
    Uncommitted,
    /// This commit.
    By(CommitId),
    /// No commit that is known here. For a key that loses access: the policy never let it read.
    Never,
}

/// A public key that gains or loses an environment.
type Fact = (EnvironmentName, GrantLabel);

/// Where the lines of plans come from.
#[derive(Debug)]
pub struct Since {
    facts: BTreeMap<Fact, Brought>,
    /// What else changed and holds: `id`, keys that sign, maintainers, writers, patterns that may stand readable.
    pub changes: Vec<(PolicyEvent, Brought)>,
    /// Whether no object was missing.
    pub complete: bool,
}

/// A fact that no commit was found for yet.
struct Open {
    fact: Fact,
    recipient: RecipientName,
    gains: bool,
}

impl Since {
    /// Reads the history behind HEAD, as far back as it has to. `root_folder` is the policy's folder relative to the
    /// repository's root, `now` the policy that the plans follow.
    ///
    /// # Errors
    /// `Failed` if the repository cannot be read.
    pub fn read(repository: &Repository, root_folder: &Path, now: &Policy, plans: &[Plan]) -> Result<Self> {
        let mut since = Self {
            facts: BTreeMap::new(),
            changes: Vec::new(),
            complete: true,
        };
        let mut open: Vec<Open> = plans.iter().flat_map(facts_of).collect();
        let Some(head) = repository.head()? else {
            since
                .facts
                .extend(open.into_iter().map(|open| (open.fact, Brought::Uncommitted)));
            return Ok(since);
        };
        // Environments whose grants, as they stand, no commit of those looked at has written.
        let mut unwritten = BTreeSet::new();
        for plan in plans {
            if repository
                .blob_id_at(head, &root_folder.join(&plan.file.relative))?
                .is_some()
            {
                unwritten.insert(plan.environment.clone());
            }
        }
        let committed = Revision::read(repository, root_folder, head)?;
        let uncommitted = match committed.policy.sound() {
            Some(committed) => policy_events(committed, now),
            None => vec![PolicyEvent::PolicyAdded],
        };
        since.learn(&uncommitted, Brought::Uncommitted, &mut open, &unwritten);
        let history = History::open(repository, root_folder, now, Entries::Head)?;
        let mut commits = history.commits(None)?;
        while !open.is_empty() || !unwritten.is_empty() {
            let Some(commit) = commits.next() else { break };
            let commit = commit?;
            for (environment, events) in &commit.environments {
                if events.iter().any(writes_grants) {
                    unwritten.remove(environment);
                }
            }
            since.learn(&commit.policy, Brought::By(commit.commit), &mut open, &unwritten);
        }
        since.changes.retain(|(event, _)| !is_said(event, plans, now));
        since.complete = commits.is_complete();
        since
            .facts
            .extend(open.into_iter().map(|open| (open.fact, Brought::Never)));
        Ok(since)
    }

    /// What brought the gain or loss of a public key; nothing if it is no part of the plans.
    pub fn of(&self, environment: &EnvironmentName, label: &GrantLabel) -> Option<Brought> {
        self.facts.get(&(environment.clone(), label.clone())).copied()
    }

    /// Learns what one commit, or the work tree, did to the policy. The newest that fits counts.
    fn learn(
        &mut self,
        events: &[PolicyEvent],
        brought: Brought,
        open: &mut Vec<Open>,
        unwritten: &BTreeSet<EnvironmentName>,
    ) {
        open.retain(|open| {
            let is_it = events.iter().any(|event| open.is_by(event));
            if is_it {
                self.facts.insert(open.fact.clone(), brought);
            }
            !is_it
        });
        for event in events.iter().filter(|event| concerns(event, unwritten)) {
            // What was undone since is nothing to look at.
            let undone = opposite(event);
            let undone = self
                .changes
                .iter()
                .position(|(known, _)| Some(known) == undone.as_ref());
            match undone {
                Some(position) => drop(self.changes.remove(position)),
                None if self.changes.iter().any(|(known, _)| known == event) => {}
                None => self.changes.push((event.clone(), brought)),
            }
        }
    }
}

impl Open {
    /// Whether this event made it so.
    fn is_by(&self, event: &PolicyEvent) -> bool {
        let (environment, label) = &self.fact;
        match (event, self.gains) {
            (PolicyEvent::PolicyAdded, true) => true,
            (
                PolicyEvent::ReaderAdded {
                    environment: at,
                    recipient,
                },
                true,
            )
            | (
                PolicyEvent::ReaderRemoved {
                    environment: at,
                    recipient,
                },
                false,
            ) => at == environment && *recipient == self.recipient,
            (PolicyEvent::KeyAdded { recipient, label: key }, true) => *recipient == self.recipient && key == label,
            // Under whichever name the key stood.
            (PolicyEvent::KeyRemoved { label: key, .. }, false) => key == label,
            _ => false,
        }
    }
}

fn facts_of(plan: &Plan) -> Vec<Open> {
    let fact = |gains: bool| {
        move |(recipient, label): &(RecipientName, GrantLabel)| Open {
            fact: (plan.environment.clone(), label.clone()),
            recipient: recipient.clone(),
            gains,
        }
    };
    let gains = plan.gains.iter().map(fact(true));
    gains.chain(plan.loses.iter().map(fact(false))).collect()
}

fn writes_grants(event: &EventKind) -> bool {
    matches!(
        event,
        EventKind::FileAdded
            | EventKind::FileBack
            | EventKind::NewKey { .. }
            | EventKind::KeyBack { .. }
            | EventKind::Granted { .. }
            | EventKind::Revoked { .. }
    )
}

/// Whether a person should hear of it, where the grants of these environments were not written since.
fn concerns(event: &PolicyEvent, unwritten: &BTreeSet<EnvironmentName>) -> bool {
    match event {
        PolicyEvent::IdChanged
        | PolicyEvent::KeyAdded { .. }
        | PolicyEvent::KeyRemoved { .. }
        | PolicyEvent::SigningKeyAdded { .. }
        | PolicyEvent::SigningKeyRemoved { .. }
        | PolicyEvent::MaintainerAdded { .. }
        | PolicyEvent::MaintainerRemoved { .. } => !unwritten.is_empty(),
        PolicyEvent::WriterAdded { environment, .. }
        | PolicyEvent::WriterRemoved { environment, .. }
        | PolicyEvent::PlaintextAdded { environment, .. }
        | PolicyEvent::PlaintextRemoved { environment, .. } => unwritten.contains(environment),
        _ => false,
    }
}

/// Whether the plans say it already: where `writers` is absent, who comes to read comes to write. A machine that is none
/// any more, and a list of writers that is gone, they do not tell.
fn is_said(event: &PolicyEvent, plans: &[Plan], now: &Policy) -> bool {
    let (environment, recipient, gains) = match event {
        // Whose it is matters where a grant changes hands; what else becomes of keys is a line for each.
        PolicyEvent::KeyAdded { recipient, .. } => {
            let mut names = plans.iter().flat_map(|plan| &plan.renames);
            return !names.any(|(_, new)| new == recipient);
        }
        PolicyEvent::KeyRemoved { .. } => return true,
        PolicyEvent::WriterAdded { environment, recipient } => (environment, recipient, true),
        PolicyEvent::WriterRemoved { environment, recipient } => (environment, recipient, false),
        _ => return false,
    };
    let lists_writers = now
        .environment(environment)
        .is_some_and(|environment| environment.writers.is_some());
    let mut plans = plans.iter().filter(|plan| plan.environment == *environment);
    !lists_writers
        && plans.any(|plan| {
            let keys = if gains { &plan.gains } else { &plan.loses };
            let mut names = plan.renames.iter();
            keys.iter().any(|(name, _)| name == recipient)
                || names.any(|(old, new)| if gains { new == recipient } else { old == recipient })
        })
}

/// What undoes it.
fn opposite(event: &PolicyEvent) -> Option<PolicyEvent> {
    Some(match event.clone() {
        PolicyEvent::KeyAdded { recipient, label } => PolicyEvent::KeyRemoved { recipient, label },
        PolicyEvent::KeyRemoved { recipient, label } => PolicyEvent::KeyAdded { recipient, label },
        PolicyEvent::SigningKeyAdded { recipient, key } => PolicyEvent::SigningKeyRemoved { recipient, key },
        PolicyEvent::SigningKeyRemoved { recipient, key } => PolicyEvent::SigningKeyAdded { recipient, key },
        PolicyEvent::MaintainerAdded { recipient } => PolicyEvent::MaintainerRemoved { recipient },
        PolicyEvent::MaintainerRemoved { recipient } => PolicyEvent::MaintainerAdded { recipient },
        PolicyEvent::WriterAdded { environment, recipient } => PolicyEvent::WriterRemoved { environment, recipient },
        PolicyEvent::WriterRemoved { environment, recipient } => PolicyEvent::WriterAdded { environment, recipient },
        PolicyEvent::PlaintextAdded { environment, pattern } => PolicyEvent::PlaintextRemoved { environment, pattern },
        PolicyEvent::PlaintextRemoved { environment, pattern } => PolicyEvent::PlaintextAdded { environment, pattern },
        _ => return None,
    })
}
