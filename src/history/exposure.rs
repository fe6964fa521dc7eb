//! What somebody could have read, now or once: every version of a value that was ever sealed under a key which one of
//! their public keys was granted. The list by which values are changed when somebody leaves.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::access::holds_now;
use super::holders::{Holders, Kin, Moment, Present, Wanted};
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
        // The keys that were ever granted to one of them, and since when.
        let mut held: HashMap<u64, Moment> = HashMap::new();
        for (key, record) in self.holders.environments.values().flat_map(|holdings| &holdings.keys) {
            for hold in labels.iter().filter_map(|label| record.holds.get(label)) {
                exposed.known_as.extend(hold.names.iter().cloned());
                let since = held.entry(*key).or_insert(hold.since);
                *since = (*since).max(hold.since);
            }
        }
        if held.is_empty() {
            return exposed;
        }
        let kin = self.holders.kin();
        for environment in self.holders.environments.keys() {
            self.add(environment, labels, &held, &kin, &mut exposed);
        }
        // What stands in an environment was elsewhere under its old name.
        let in_use = exposed.values.iter().filter(|value| value.standing != Standing::Past);
        let in_use: HashSet<(ValuePath, Version)> = in_use
            .map(|value| (value.path.clone(), value.version.clone()))
            .collect();
        exposed.values.retain(|value| {
            value.standing != Standing::Past || !in_use.contains(&(value.path.clone(), value.version.clone()))
        });
        let order = |value: &Exposure| (value.standing == Standing::Current, value.version.clone());
        exposed.values.sort_by(|one, other| {
            (&one.environment, &one.path, order(one)).cmp(&(&other.environment, &other.path, order(other)))
        });
        exposed
    }

    fn add(
        &self,
        environment: &EnvironmentName,
        labels: &BTreeSet<GrantLabel>,
        held: &HashMap<u64, Moment>,
        kin: &Kin<'_>,
        exposed: &mut Exposed,
    ) {
        let Some(holdings) = self.holders.environments.get(environment) else {
            return;
        };
        let current = holdings.current.as_deref();
        let mut own = holdings.keys.keys();
        let holds_key = own.any(|key| labels.iter().any(|label| holds_now(current, *key, label)));
        let standing = Standings::of(holdings.current.as_deref());
        // A version that moved is told once: where it stands, or else where it stood last.
        let mut last: HashMap<u32, (Standing, Moment, Exposure)> = HashMap::new();
        for ((path, version), record) in &holdings.values {
            let records = kin.records(environment, *path, *version);
            let keys = records.iter().flat_map(|record| &record.keys);
            let Some(granted) = keys.filter_map(|key| held.get(key)).max() else {
                continue;
            };
            let since = records.iter().map(|record| record.since).max().unwrap_or(record.since);
            let path = self.holders.paths.get(*path);
            let standing = standing.of_version(*version, &path);
            let exposure = Exposure {
                environment: environment.clone(),
                version: numbered_version(*version),
                standing,
                since: since.commit,
                readable_since: (*granted).min(since).commit,
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
    current: HashMap<u32, Vec<ValuePath>>,
    grace: BTreeSet<u32>,
}

impl Standings {
    fn of(current: Option<&Snapshot>) -> Self {
        let mut standings = Self {
            current: HashMap::new(),
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
