//! What stands in a file now and could have been read by somebody who may read it no more: by version, so that a value which
//! was only sealed anew, or moved, still counts.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::exposure::Exposures;
use super::holders::key_number;
use super::snapshot::Snapshot;
use crate::crypto::label::GrantLabel;
use crate::document::path::ValuePath;
use crate::names::{EnvironmentName, RecipientName};

/// Public keys, each with the names that its grants stood under.
pub type Named = BTreeMap<GrantLabel, BTreeSet<RecipientName>>;

impl Exposures {
    /// The encrypted values of the environment as it stands that one of the public keys which `is_meant` ever had a key for,
    /// with those public keys; sorted by path.
    pub fn within_reach(
        &self,
        environment: &EnvironmentName,
        is_meant: impl Fn(&GrantLabel) -> bool,
    ) -> Vec<(ValuePath, Named)> {
        let Some(holdings) = self.holders.environments.get(environment) else {
            return Vec::new();
        };
        let Some(current) = holdings.current.as_deref() else {
            return Vec::new();
        };
        let mut meant: HashMap<u64, Named> = HashMap::new();
        for (key, record) in self.holders.environments.values().flat_map(|holdings| &holdings.keys) {
            for (label, hold) in record.holds.iter().filter(|(label, _)| is_meant(label)) {
                let named = meant.entry(*key).or_default();
                named
                    .entry(label.clone())
                    .or_default()
                    .extend(hold.names.iter().cloned());
            }
        }
        if meant.is_empty() {
            return Vec::new();
        }
        let mut keys: HashMap<u32, Vec<u64>> = HashMap::new();
        let kin = self.holders.kin();
        for (path, version) in holdings.values.keys() {
            let records = kin.records(environment, *path, *version);
            let sealed = records.into_iter().flat_map(|record| &record.keys);
            keys.entry(*version).or_default().extend(sealed);
        }
        let mut found = Vec::new();
        for (path, mark) in current.values() {
            let Some(seal) = mark.seal() else { continue };
            let mut named = Named::new();
            for key in keys.get(&seal.number()).into_iter().flatten() {
                for (label, names) in meant.get(key).into_iter().flatten() {
                    named.entry(label.clone()).or_default().extend(names.iter().cloned());
                }
            }
            if !named.is_empty() {
                found.push((path.clone(), named));
            }
        }
        found
    }

    /// The public keys that ever held the key which the environment's file has now.
    pub fn held_present_key(&self, environment: &EnvironmentName) -> Named {
        let found = self.holders.environments.get(environment).and_then(|holdings| {
            let granted = holdings.current.as_deref().and_then(Snapshot::granted)?;
            holdings.keys.get(&key_number(&granted.key))
        });
        let holds = found.into_iter().flat_map(|record| &record.holds);
        holds.map(|(label, hold)| (label.clone(), hold.names.clone())).collect()
    }

    /// Whether nothing was missing: `false` means "at least".
    pub fn is_complete(&self) -> bool {
        self.holders.complete
    }
}
