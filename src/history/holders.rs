//! Who held which environment key, and which version of a value was ever sealed under it: a fold over history, for
//! `access` and `exposure`. Whoever ever held a key can open every token of it that is found anywhere, also older ones.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::event::for_marks;
use super::numbered::Numbered;
use super::scene::{EnvironmentScene, History, Scenes};
use super::snapshot::{Granted, Mark, Seal, Snapshot};
use crate::crypto::label::GrantLabel;
use crate::crypto::proposal::ProposalLabel;
use crate::document::path::ValuePath;
use crate::error::Result;
use crate::git::CommitId;
use crate::names::{EnvironmentName, RecipientName, Version};

/// A commit, with its place in the walk: the larger, the older. Nothing is what is not committed yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment {
    order: u32,
    pub(super) commit: Option<CommitId>,
}

impl Moment {
    const UNCOMMITTED: Self = Self { order: 0, commit: None };

    /// What is not committed yet: newer than every commit.
    pub(super) fn uncommitted() -> Self {
        Self::UNCOMMITTED
    }
}

/// One public key's hold on one environment key.
#[derive(Debug)]
pub(super) struct Hold {
    /// The names that its grants stood under.
    pub(super) names: BTreeSet<RecipientName>,
    /// The oldest commit that granted it.
    pub(super) since: Moment,
    /// The newest commit after which it had no grant of this key any more.
    pub(super) until: Option<Moment>,
}

/// What is known of the keys that have one id.
#[derive(Debug, Default)]
pub(super) struct KeyRecord {
    pub(super) holds: BTreeMap<GrantLabel, Hold>,
    /// How many values were proposed under it.
    pub(super) proposals: BTreeSet<String>,
}

/// One version of a value at one path.
#[derive(Debug)]
pub(super) struct ValueRecord {
    /// The oldest commit that brought it.
    pub(super) since: Moment,
    /// The ids of the keys it was ever sealed under. Nearly always one or two.
    pub(super) keys: Vec<u64>,
}

/// What is known of one environment.
#[derive(Debug, Default)]
pub(super) struct Holdings {
    pub(super) keys: BTreeMap<u64, KeyRecord>,
    /// By path and version.
    pub(super) values: HashMap<(u32, u32), ValueRecord>,
    /// How the file stands now.
    pub(super) current: Option<Arc<Snapshot>>,
    /// The values that came, later in history, from proposals: by the label of the proposal.
    accepted: HashMap<ProposalLabel, BTreeSet<(u32, u32)>>,
}

/// Which versions of values are of interest.
#[derive(Clone, Debug)]
pub(super) enum Wanted {
    All,
    These(HashSet<u32>),
}

impl Wanted {
    fn has(&self, version: u32) -> bool {
        match self {
            Self::All => true,
            Self::These(versions) => versions.contains(&version),
        }
    }
}

/// What is known of all environments.
#[derive(Debug)]
pub(super) struct Holders {
    pub(super) paths: Numbered<ValuePath>,
    pub(super) environments: BTreeMap<EnvironmentName, Holdings>,
    wanted: Wanted,
    pub(super) complete: bool,
    /// How many contents could not be read.
    pub(super) unreadable: usize,
}

/// How the files of environments stand now.
pub type Present = BTreeMap<EnvironmentName, Arc<Snapshot>>;

impl Holders {
    /// Knows what stands in the files now and nothing else.
    pub(super) fn of_present(present: &Present, wanted: Wanted) -> Self {
        let mut holders = Self {
            paths: Numbered::new(),
            environments: BTreeMap::new(),
            wanted,
            complete: false,
            unreadable: 0,
        };
        for (name, snapshot) in present {
            let mut holdings = Holdings {
                current: Some(Arc::clone(snapshot)),
                ..Holdings::default()
            };
            holders.learn(&mut holdings, Some(snapshot), &[], Moment::UNCOMMITTED);
            holders.environments.insert(name.clone(), holdings);
        }
        holders
    }

    /// Reads the whole history of all environments, or of `only` this one.
    pub(super) fn read(
        history: &History<'_>,
        present: &Present,
        only: Option<&EnvironmentName>,
        wanted: Wanted,
    ) -> Result<Self> {
        Self::fold(history.scenes(only)?, Self::of_present(present, wanted))
    }

    /// Reads the history behind a commit: who held the keys of an environment.
    pub(super) fn read_behind(history: &History<'_>, commit: CommitId, only: &EnvironmentName) -> Result<Self> {
        let nothing = Self::of_present(&Present::new(), Wanted::These(HashSet::new()));
        Self::fold(history.scenes_behind(&[commit], Some(only))?, nothing)
    }

    fn fold(mut scenes: Scenes<'_>, mut holders: Self) -> Result<Self> {
        for (order, scene) in (1..).zip(&mut scenes) {
            let scene = scene?;
            let moment = Moment {
                order,
                commit: Some(scene.step.commit),
            };
            for environment in scene.environments.iter().chain(&scene.beside) {
                holders.add(environment, moment);
            }
        }
        holders.complete = scenes.is_complete();
        holders.unreadable = scenes.unreadable();
        Ok(holders)
    }

    fn add(&mut self, scene: &EnvironmentScene, moment: Moment) {
        let mut holdings = self.environments.remove(&scene.environment).unwrap_or_default();
        let after = scene.after.as_ref().map(|placed| &*placed.snapshot);
        let before: Vec<Option<&Snapshot>> = scene
            .before
            .iter()
            .map(|side| side.as_ref().map(|placed| &*placed.snapshot))
            .collect();
        self.learn(&mut holdings, after, &before, moment);
        self.environments.insert(scene.environment.clone(), holdings);
    }

    /// Learns what a commit brought.
    fn learn(
        &mut self,
        holdings: &mut Holdings,
        after: Option<&Snapshot>,
        before: &[Option<&Snapshot>],
        moment: Moment,
    ) {
        let footers: Vec<Option<&Granted>> = before.iter().map(|side| side.and_then(Snapshot::granted)).collect();
        let now = after.and_then(Snapshot::granted);
        if footers.is_empty() || footers.iter().all(|other| *other != now) {
            learn_holds(holdings, now, &footers, moment);
        }
        let Some(after) = after else { return };
        let first = before
            .first()
            .copied()
            .flatten()
            .filter(|first| first.fault().is_none());
        let empty = Snapshot::default();
        // A proposal that was accepted was open to those who held the key it was sealed to.
        let proposals = Proposals::of(now, &footers);
        let mut accepted = BTreeSet::new();
        for_marks(first.unwrap_or(&empty), after, |path, old, new| {
            let Some(seal) = new
                .and_then(|mark| mark.seal())
                .filter(|seal| self.wanted.has(seal.number()))
            else {
                return;
            };
            let is_new = old
                .and_then(|mark| mark.seal())
                .is_none_or(|old| old.number() != seal.number());
            let record = self.record(holdings, path, seal.number(), moment);
            if is_new {
                record.since = record.since.max(moment);
            }
            record.add(seal.key_number());
            let has_it = |side: &&Snapshot| {
                side.mark(path)
                    .and_then(Mark::seal)
                    .is_some_and(|old| old.number() == seal.number())
            };
            if !proposals.gone.is_empty() && !before.iter().flatten().any(has_it) {
                accepted.insert((self.paths.number(path), seal.number()));
            }
        });
        proposals.learn(holdings, accepted);
        for (version, kept) in now.into_iter().flat_map(|now| &now.previous) {
            let seal = Seal::new(&kept.key, version);
            if self.wanted.has(seal.number()) {
                self.record(holdings, &kept.path, seal.number(), moment)
                    .add(seal.key_number());
            }
        }
    }

    fn record<'h>(
        &mut self,
        holdings: &'h mut Holdings,
        path: &ValuePath,
        version: u32,
        moment: Moment,
    ) -> &'h mut ValueRecord {
        let path = self.paths.number(path);
        let new = || ValueRecord {
            since: moment,
            keys: Vec::with_capacity(1),
        };
        holdings.values.entry((path, version)).or_insert_with(new)
    }
}

/// What a commit did to proposals.
struct Proposals<'g> {
    /// Those that went, with the key that they were sealed to.
    gone: Vec<(&'g ProposalLabel, u64)>,
    /// Those that no parent has.
    come: Vec<&'g ProposalLabel>,
}

impl<'g> Proposals<'g> {
    fn of(now: Option<&'g Granted>, before: &[Option<&'g Granted>]) -> Self {
        let before: Vec<&Granted> = before.iter().copied().flatten().collect();
        let is_left = |label: &ProposalLabel| now.is_some_and(|now| now.proposals.contains(label));
        let is_old = |label: &ProposalLabel| before.iter().any(|side| side.proposals.contains(label));
        let gone = before.iter().flat_map(|side| {
            let key = key_number(&side.key);
            let labels = side.proposals.iter().filter(|label| !is_left(label));
            labels.map(move |label| (label, key))
        });
        let come = now.into_iter().flat_map(|now| &now.proposals);
        Self {
            gone: gone.collect(),
            come: come.filter(|label| !is_old(label)).collect(),
        }
    }

    /// Learns that these values came from one of those that went. One that came may be one of those that went, sealed anew
    /// to another key, so that what came from it did so from them.
    fn learn(&self, holdings: &mut Holdings, mut accepted: BTreeSet<(u32, u32)>) {
        if self.gone.is_empty() {
            return;
        }
        for label in &self.come {
            accepted.extend(holdings.accepted.get(*label).into_iter().flatten());
        }
        if accepted.is_empty() {
            return;
        }
        for (label, key) in &self.gone {
            for value in &accepted {
                if let Some(record) = holdings.values.get_mut(value) {
                    record.add(*key);
                }
            }
            let known = holdings.accepted.entry((*label).clone()).or_default();
            known.extend(&accepted);
        }
    }
}

impl ValueRecord {
    fn add(&mut self, key: u64) {
        if !self.keys.contains(&key) {
            self.keys.push(key);
        }
    }
}

/// The values that environments have in common: one that was called otherwise once, and whose old name is another's now, has
/// its past there. One version at one path tells that it is one value.
pub(super) struct Kin<'h> {
    holders: &'h Holders,
    /// By version, where several environments have it.
    shared: HashMap<u32, Vec<(&'h EnvironmentName, u32, &'h ValueRecord)>>,
}

impl Holders {
    /// What the environments have in common.
    pub(super) fn kin(&self) -> Kin<'_> {
        let mut shared: HashMap<u32, Vec<_>> = HashMap::new();
        if self.environments.len() > 1 {
            let mut owners: HashMap<u32, Option<&EnvironmentName>> = HashMap::new();
            for (name, holdings) in &self.environments {
                for (_, version) in holdings.values.keys() {
                    let owner = owners.entry(*version).or_insert(Some(name));
                    *owner = owner.filter(|owner| *owner == name);
                }
            }
            for (name, holdings) in &self.environments {
                for ((path, version), record) in &holdings.values {
                    if owners.get(version) == Some(&None) {
                        shared.entry(*version).or_default().push((name, *path, record));
                    }
                }
            }
        }
        Kin { holders: self, shared }
    }

    /// The records of the keys with this id, of whatever environments.
    pub(super) fn key_records(&self, key: u64) -> impl Iterator<Item = &KeyRecord> {
        let all = self.environments.values();
        all.filter_map(move |holdings| holdings.keys.get(&key))
    }
}

impl<'h> Kin<'h> {
    /// The records of a version of the environment, and of the same value in others.
    pub(super) fn records(&self, environment: &EnvironmentName, path: u32, version: u32) -> Vec<&'h ValueRecord> {
        let own = self.holders.environments.get(environment);
        let own = own.and_then(|own| own.values.get(&(path, version)));
        let mut found: Vec<_> = own.into_iter().collect();
        let Some(shared) = self.shared.get(&version) else {
            return found;
        };
        let mut open = vec![path];
        let mut names: BTreeSet<&EnvironmentName> = BTreeSet::new();
        let mut seen: BTreeSet<u32> = BTreeSet::new();
        while let Some(path) = open.pop() {
            if !seen.insert(path) {
                continue;
            }
            let here = shared.iter().filter(|(_, at, _)| *at == path).map(|(name, ..)| *name);
            for name in here.collect::<Vec<_>>() {
                if names.insert(name) {
                    let of_name = shared.iter().filter(|(other, ..)| *other == name);
                    for (_, at, record) in of_name {
                        open.push(*at);
                        found.push(record);
                    }
                }
            }
        }
        found
    }
}

/// The number of a key's id.
pub(super) fn key_number(key: &crate::names::KeyId) -> u64 {
    Seal::new(key, &Version::follows()).key_number()
}

fn learn_holds(holdings: &mut Holdings, now: Option<&Granted>, before: &[Option<&Granted>], moment: Moment) {
    if let Some(now) = now {
        let record = holdings.keys.entry(key_number(&now.key)).or_default();
        record
            .proposals
            .extend(now.proposals.iter().map(|label| label.as_str().to_owned()));
        for (label, name) in &now.holders {
            let had = |other: &&Granted| other.key == now.key && other.holders.contains_key(label);
            let is_new = before.iter().flatten().all(|other| !had(other));
            let hold = record.holds.entry(label.clone()).or_insert_with(|| Hold {
                names: BTreeSet::new(),
                since: moment,
                until: None,
            });
            hold.names.insert(name.clone());
            if is_new {
                hold.since = hold.since.max(moment);
            }
        }
    }
    for old in before.iter().flatten() {
        let record = holdings.keys.entry(key_number(&old.key)).or_default();
        for (label, name) in &old.holders {
            if now.is_some_and(|now| now.key == old.key && now.holders.contains_key(label)) {
                continue;
            }
            // Those who lose it in one of several branches keep it until the other goes too: the newest counts.
            let hold = record.holds.entry(label.clone()).or_insert_with(|| Hold {
                names: BTreeSet::new(),
                since: moment,
                until: None,
            });
            hold.names.insert(name.clone());
            hold.until.get_or_insert(moment);
        }
    }
}
