//! What somebody could have read, now or once: every version of a value that was ever sealed under a key which one of
//! their public keys was granted. The list by which values are changed when somebody leaves.

use std::collections::BTreeSet;

use super::access::holds_now;
use super::holders::{Holders, Holdings, Moment, Present, Wanted};
use super::scene::History;
use super::snapshot::{Snapshot, numbered_version};
use crate::crypto::label::GrantLabel;
use crate::document::path::ValuePath;
use crate::error::Result;
use crate::git::CommitId;
use crate::names::{EnvironmentName, RecipientName, Version};

/// What has become of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It is the value still.
    Current,
    /// Another value took its place; the old one is kept for its grace.
    Grace,
    /// It stands nowhere any more.
    Past,
}

/// A version of a value that somebody could have read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exposure {
    /// The environment.
    pub environment: EnvironmentName,
    /// Where the value stands, or stood last; it may have stood elsewhere, too.
    pub path: ValuePath,
    /// The version.
    pub version: Version,
    /// What has become of it.
    pub standing: Standing,
    /// The commit that brought it; `None` if that is not committed yet.
    pub since: Option<CommitId>,
    /// The commit since which they could read it: that of the grant, if it is newer than the value.
    pub readable_since: Option<CommitId>,
    /// Whether they hold the environment's key now.
    pub holds_key: bool,
}

/// What somebody could have read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposed {
    /// Sorted by environment, path and standing.
    pub values: Vec<Exposure>,
    /// The names under which grants to these public keys stood.
    pub known_as: BTreeSet<RecipientName>,
    /// Whether nothing was missing: `false` means "at least".
    pub complete: bool,
    /// How many contents of files could not be read.
    pub unreadable: usize,
}

/// What everybody could have read, learned once for any number of questions.
pub struct Exposures {
    pub(super) holders: Holders,
}

impl Exposures {
    /// Reads the whole history. `history` is that of [`super::Entries::All`]; without one only what stands in the files now is
    /// known. `present` are the files as they stand.
    ///
    /// # Errors
    /// `Failed` if the repository cannot be read.
    pub fn read(history: Option<&History<'_>>, present: &Present) -> Result<Self> {
        let holders = match history {
            Some(history) => Holders::read(history, present, None, Wanted::All)?,
            None => Holders::of_present(present, Wanted::All),
        };
        Ok(Self { holders })
    }

    /// The labels of all public keys that a grant ever stood for under this name.
    pub fn labels_of(&self, name: &RecipientName) -> BTreeSet<GrantLabel> {
        let records = self
            .holders
            .environments
            .values()
            .flat_map(|holdings| holdings.keys.values());
        let holds = records.flat_map(|record| &record.holds);
        holds
            .filter(|(_, hold)| hold.names.contains(name))
            .map(|(label, _)| label.clone())
            .collect()
    }

    /// Every name that a grant ever stood under.
    pub fn names(&self) -> BTreeSet<&RecipientName> {
        let records = self
            .holders
            .environments
            .values()
            .flat_map(|holdings| holdings.keys.values());
        records
            .flat_map(|record| record.holds.values())
            .flat_map(|hold| &hold.names)
            .collect()
    }

    /// What the holders of these public keys could have read.
    pub fn of(&self, labels: &BTreeSet<GrantLabel>) -> Exposed {
        let mut exposed = Exposed {
            values: Vec::new(),
            known_as: BTreeSet::new(),
            complete: self.holders.complete,
            unreadable: self.holders.unreadable,
        };
        for (environment, holdings) in &self.holders.environments {
            self.add(environment, holdings, labels, &mut exposed);
        }
        let order = |value: &Exposure| (value.standing == Standing::Current, value.version.clone());
        exposed.values.sort_by(|one, other| {
            (&one.environment, &one.path, order(one)).cmp(&(&other.environment, &other.path, order(other)))
        });
        exposed
    }

    fn add(
        &self,
        environment: &EnvironmentName,
        holdings: &Holdings,
        labels: &BTreeSet<GrantLabel>,
        exposed: &mut Exposed,
    ) {
        // The keys that were ever granted to one of them, and since when.
        let mut held: std::collections::HashMap<u64, Moment> = std::collections::HashMap::new();
        let mut holds_key = false;
        for (key, record) in &holdings.keys {
            for label in labels {
                let Some(hold) = record.holds.get(label) else { continue };
                exposed.known_as.extend(hold.names.iter().cloned());
                holds_key |= holds_now(holdings.current.as_deref(), *key, label);
                held.entry(*key)
                    .and_modify(|since| *since = (*since).max(hold.since))
                    .or_insert(hold.since);
            }
        }
        if held.is_empty() {
            return;
        }
        let standing = Standings::of(holdings.current.as_deref());
        // A version that moved is told once: where it stands, or else where it stood last.
        let mut last: std::collections::HashMap<u32, (Standing, Moment, Exposure)> = std::collections::HashMap::new();
        for ((path, version), record) in &holdings.values {
            let Some(granted) = record.keys.iter().filter_map(|key| held.get(key)).max() else {
                continue;
            };
            let path = self.holders.paths.get(*path);
            let standing = standing.of_version(*version, &path);
            let exposure = Exposure {
                environment: environment.clone(),
                version: numbered_version(*version),
                standing,
                since: record.since.commit,
                readable_since: (*granted).min(record.since).commit,
                holds_key,
                path,
            };
            let rank = (standing, record.since);
            match last.get_mut(version) {
                Some(known) if (known.0, known.1) <= rank => {}
                Some(known) => *known = (standing, record.since, exposure),
                None => drop(last.insert(*version, (standing, record.since, exposure))),
            }
        }
        exposed
            .values
            .extend(last.into_values().map(|(_, _, exposure)| exposure));
    }
}

/// What stands in a file now.
struct Standings {
    current: std::collections::HashMap<u32, Vec<ValuePath>>,
    grace: BTreeSet<u32>,
}

impl Standings {
    fn of(current: Option<&Snapshot>) -> Self {
        let mut standings = Self {
            current: std::collections::HashMap::new(),
            grace: BTreeSet::new(),
        };
        let Some(current) = current else { return standings };
        for (path, mark) in current.values() {
            if let Some(seal) = mark.seal() {
                standings.current.entry(seal.number()).or_default().push(path.clone());
            }
        }
        let kept = current
            .granted()
            .into_iter()
            .flat_map(|granted| granted.previous.keys());
        standings.grace.extend(kept.map(super::snapshot::version_number));
        standings
    }

    /// What has become of a version that stood at `path`. A path it moved away from is past.
    fn of_version(&self, version: u32, path: &ValuePath) -> Standing {
        if self.current.get(&version).is_some_and(|paths| paths.contains(path)) {
            Standing::Current
        } else if self.grace.contains(&version) {
            Standing::Grace
        } else {
            Standing::Past
        }
    }
}
