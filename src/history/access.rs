//! Who could have read a value, or anything in an environment: every public key that ever held a key under which it was
//! sealed anywhere in history. An upper bound: who did read nobody knows.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::holders::{Hold, Holders, Moment, Present, Wanted};
use super::scene::History;
use super::snapshot::{Mark, Snapshot};
use crate::crypto::label::GrantLabel;
use crate::document::path::ValuePath;
use crate::error::Result;
use crate::git::CommitId;
use crate::names::{EnvironmentName, KeyId, RecipientName, Version};

/// When something ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// It goes on.
    Still,
    /// With this commit; with what is not committed yet if there is none.
    Ended(Option<CommitId>),
}

/// A public key that could open what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The label of the public key.
    pub label: GrantLabel,
    /// The names that its grants stood under.
    pub recipients: BTreeSet<RecipientName>,
    /// The commit that granted it first; `None` if that is not committed yet.
    pub since: Option<CommitId>,
    /// When it lost its grant.
    pub until: Until,
    /// Whether it was granted at the asked-for moment already, not only since.
    pub then: bool,
}

/// A version of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueVersion {
    /// Where it stood; it may have moved since.
    pub path: ValuePath,
    /// Its version.
    pub version: Version,
    /// The commit that brought it; `None` if that is not committed yet.
    pub since: Option<CommitId>,
    /// The ids of the keys it was ever sealed under.
    pub keys: Vec<KeyId>,
}

/// Who could have read what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The version that was asked for, at each path where it ever stood; none if the whole environment was.
    pub versions: Vec<ValueVersion>,
    /// Public keys, by name and label.
    pub holders: Vec<Holder>,
    /// How many values were proposed under the keys in question. For which paths only readers know.
    pub proposals: usize,
    /// Whether nothing was missing: `false` means "at least".
    pub complete: bool,
    /// How many contents of the file could not be read.
    pub unreadable: usize,
}

impl Access {
    /// The answer for a value that stands readable: keys have nothing to do with it.
    pub fn readable() -> Self {
        Self {
            versions: Vec::new(),
            holders: Vec::new(),
            proposals: 0,
            complete: true,
            unreadable: 0,
        }
    }
}

/// What access is asked for.
#[derive(Clone, Debug)]
pub struct Question<'q> {
    /// The environment.
    pub environment: &'q EnvironmentName,
    /// The version of the value, as [`Snapshot::mark`] says; nothing for the whole environment.
    pub version: Option<Version>,
    /// The moment that is asked about; nothing for now.
    pub at: Option<CommitId>,
}

/// Who could have read the value, then and since. `history` is that of [`super::Entries::All`]; without one only what stands in the
/// file now is known. `present` are the files as they stand.
///
/// # Errors
/// `Failed` if the repository cannot be read.
pub fn access(history: Option<&History<'_>>, present: &Present, question: &Question<'_>) -> Result<Access> {
    let number = question.version.as_ref().map(super::snapshot::version_number);
    let is_shared = history.is_some_and(|history| history.has_shared_past(question.environment));
    let wanted = match number {
        None if is_shared => Wanted::All,
        _ => Wanted::These(number.into_iter().collect::<HashSet<u32>>()),
    };
    let only = Some(question.environment);
    let holders = match history {
        Some(history) => Holders::read(history, present, only, wanted.clone())?,
        None => Holders::of_present(present, wanted.clone()),
    };
    let then = match (history, question.at) {
        (Some(history), Some(commit)) => Some(held_at(history, commit, question.environment)?),
        _ => None,
    };
    let mut access = Access {
        versions: Vec::new(),
        holders: Vec::new(),
        proposals: 0,
        complete: holders.complete,
        unreadable: holders.unreadable,
    };
    let Some(holdings) = holders.environments.get(question.environment) else {
        return Ok(access);
    };
    let kin = holders.kin();
    let mut keys: BTreeSet<u64> = BTreeSet::new();
    for (path, version) in holdings.values.keys() {
        let records = kin.records(question.environment, *path, *version);
        let sealed: BTreeSet<u64> = records.iter().flat_map(|record| &record.keys).copied().collect();
        keys.extend(&sealed);
        if question.version.is_some() {
            access.versions.push(ValueVersion {
                path: holders.paths.get(*path),
                version: super::snapshot::numbered_version(*version),
                since: records
                    .iter()
                    .map(|record| record.since)
                    .max()
                    .and_then(|since| since.commit),
                keys: sealed.into_iter().map(super::snapshot::numbered_key).collect(),
            });
        }
    }
    access.versions.sort_by(|one, other| one.path.cmp(&other.path));
    if question.version.is_none() {
        keys.extend(holdings.keys.keys());
    }
    let mut found: BTreeMap<&GrantLabel, Merged<'_>> = BTreeMap::new();
    for key in &keys {
        for record in holders.key_records(*key) {
            access.proposals += record.proposals.len();
            for (label, hold) in &record.holds {
                let still = holds_now(holdings.current.as_deref(), *key, label);
                let was = then.as_ref().is_none_or(|then| then.contains(&(*key, label.clone())));
                found.entry(label).or_default().add(hold, still, was);
            }
        }
    }
    access.holders = found.into_iter().map(|(label, merged)| merged.holder(label)).collect();
    access
        .holders
        .sort_by(|one, other| (&one.recipients, &one.label).cmp(&(&other.recipients, &other.label)));
    Ok(access)
}

/// Whether the public key holds the key with this id in the file as it stands.
pub(super) fn holds_now(current: Option<&Snapshot>, key: u64, label: &GrantLabel) -> bool {
    let granted = current.and_then(Snapshot::granted);
    granted
        .is_some_and(|granted| super::holders::key_number(&granted.key) == key && granted.holders.contains_key(label))
}

/// The public keys that held a key of the environment in the history behind a commit.
fn held_at(
    history: &History<'_>,
    commit: CommitId,
    environment: &EnvironmentName,
) -> Result<BTreeSet<(u64, GrantLabel)>> {
    let holders = Holders::read_behind(history, commit, environment)?;
    let holds = holders.environments.values().flat_map(|holdings| &holdings.keys);
    Ok(holds
        .flat_map(|(key, record)| record.holds.keys().map(|label| (*key, label.clone())))
        .collect())
}

/// The holds of one public key on several environment keys, taken together.
#[derive(Default)]
struct Merged<'h> {
    names: BTreeSet<&'h RecipientName>,
    since: Option<Moment>,
    until: Option<Moment>,
    still: bool,
    then: bool,
}

impl<'h> Merged<'h> {
    fn add(&mut self, hold: &'h Hold, still: bool, then: bool) {
        self.names.extend(&hold.names);
        self.since = self.since.max(Some(hold.since));
        // The newest end counts; one that has none ends with what is not committed yet.
        let end = hold.until.unwrap_or(Moment::uncommitted());
        self.until = Some(self.until.map_or(end, |known| known.min(end)));
        self.still |= still;
        self.then |= then;
    }

    fn holder(self, label: &GrantLabel) -> Holder {
        Holder {
            label: label.clone(),
            recipients: self.names.into_iter().cloned().collect(),
            since: self.since.and_then(|since| since.commit),
            until: match self.still {
                true => Until::Still,
                false => Until::Ended(self.until.and_then(|until| until.commit)),
            },
            then: self.then,
        }
    }
}

/// The version of the value at `path` in a content, if it is encrypted there.
pub fn version_at(snapshot: &Snapshot, path: &ValuePath) -> Option<Version> {
    snapshot.mark(path).and_then(Mark::version)
}
