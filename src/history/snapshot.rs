//! One content of an environment file as anyone can read it without a key: which value stands where in which version,
//! who was granted which key. What is malformed makes a snapshot with a fault and never ends a walk.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::layout::Layout;
use crate::crypto::key::DropBox;
use crate::crypto::label::GrantLabel;
use crate::crypto::proposal::ProposalLabel;
use crate::document::path::ValuePath;
use crate::document::token::Token;
use crate::names::{EnvironmentName, KeyId, RecipientName, Version};
use crate::vault::footer::Footer;

/// What a token says on its outside: the key it was sealed under and the version of its value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seal {
    key: u64,
    version: u32,
}

impl Seal {
    pub(super) fn of(token: &Token<'_>) -> Self {
        Self::new(&token.key, &token.version)
    }

    /// The seal of a token under the key `key` of the version `version`.
    pub fn new(key: &KeyId, version: &Version) -> Self {
        Self {
            key: u64::from_str_radix(&key.as_str()[1..], 16).expect("a key id is `k` and 16 hex digits"),
            version: version_number(version),
        }
    }

    /// The id of the key. Another key may have the same id: ids are for look-up.
    pub fn key(self) -> KeyId {
        numbered_key(self.key)
    }

    /// The version as a number.
    pub(super) fn number(self) -> u32 {
        self.version
    }

    /// The key's id as a number.
    pub(super) fn key_number(self) -> u64 {
        self.key
    }

    /// The version of the value.
    pub fn version(self) -> Version {
        numbered_version(self.version)
    }
}

/// A version as a number.
pub(super) fn version_number(version: &Version) -> u32 {
    u32::from_str_radix(&version.as_str()[1..], 16).expect("a version is `v` and 8 hex digits")
}

/// The version of that number.
pub(super) fn numbered_version(number: u32) -> Version {
    Version::new(&format!("v{number:08x}")).expect("8 hex digits")
}

/// The key id of that number.
pub(super) fn numbered_key(number: u64) -> KeyId {
    KeyId::new(&format!("k{number:016x}")).expect("16 hex digits")
}

impl fmt::Debug for Seal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "v{:08x} under k{:016x}", self.version, self.key)
    }
}

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mark {
    /// An encrypted value.
    Sealed(Seal),
    /// A readable value; the hash tells whether it is another one, and nothing more is kept of it.
    Readable([u8; 16]),
}

impl Mark {
    /// The mark of a readable value: `plain` scalars may mean something else than quoted ones of the same text.
    pub(super) fn readable(content: &str, plain: bool) -> Self {
        let mut hash = Sha256::new_with_prefix([u8::from(plain)]);
        hash.update(content);
        let mut mark = [0; 16];
        mark.copy_from_slice(&hash.finalize()[..16]);
        Self::Readable(mark)
    }

    /// The version of an encrypted value.
    pub fn version(self) -> Option<Version> {
        self.seal().map(Seal::version)
    }

    /// The seal of an encrypted value.
    pub fn seal(self) -> Option<Seal> {
        match self {
            Self::Sealed(seal) => Some(seal),
            Self::Readable(_) => None,
        }
    }

    /// The same value under no key, to be compared.
    pub(super) fn without_key(self) -> Self {
        match self {
            Self::Sealed(seal) => Self::Sealed(Seal { key: 0, ..seal }),
            readable @ Self::Readable(_) => readable,
        }
    }

    /// Whether both are the same value: one version, whatever keys it is sealed under, or the same readable text.
    pub fn is_same_value(self, other: Self) -> bool {
        match (self, other) {
            (Self::Sealed(one), Self::Sealed(other)) => one.version == other.version,
            (one, other) => one == other,
        }
    }
}

/// An old value that a footer keeps for its grace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Where the value stood.
    pub path: ValuePath,
    /// The key its token is sealed under.
    pub key: KeyId,
    /// The last day of its grace, YYYY-MM-DD: a hint that nobody vouches for.
    pub until: String,
}

/// What a footer says to those who open nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// The environment it claims to belong to.
    pub environment: EnvironmentName,
    /// What stands for the environment key.
    pub drop_box: DropBox,
    /// The id of that key.
    pub key: KeyId,
    /// The ids of the keys that it says it follows.
    pub follows: BTreeSet<KeyId>,
    /// The public keys that were granted it, each with the name that it stands under.
    pub holders: BTreeMap<GrantLabel, RecipientName>,
    /// Values that somebody proposes; what they are for only readers know.
    pub proposals: BTreeSet<ProposalLabel>,
    /// Old values in their grace, by version.
    pub previous: BTreeMap<Version, Kept>,
}

impl Granted {
    /// What this footer says.
    pub fn of(footer: &Footer) -> Self {
        let key = |token: &str| Token::parse(token).map_or_else(|| footer.drop_box.id(), |token| token.key);
        let kept = footer.previous.iter().map(|(version, previous)| {
            let kept = Kept {
                path: previous.path.clone(),
                key: key(&previous.token),
                until: previous.until.clone(),
            };
            (version.clone(), kept)
        });
        Self {
            environment: footer.environment.clone(),
            key: footer.drop_box.id(),
            drop_box: footer.drop_box.clone(),
            follows: footer.follows.keys().cloned().collect(),
            holders: footer
                .all_grants()
                .map(|(name, label, _)| (label.clone(), name.clone()))
                .collect(),
            proposals: footer.proposals.keys().cloned().collect(),
            previous: kept.collect(),
        }
    }

    /// For each recipient the labels of the public keys that were granted.
    pub fn by_recipient(&self) -> BTreeMap<&RecipientName, BTreeSet<&GrantLabel>> {
        let mut grants: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for (label, name) in &self.holders {
            grants.entry(name).or_default().insert(label);
        }
        grants
    }
}

/// One content of an environment file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The paths of all values, sorted. Shared by contents that have the same ones.
    pub(super) paths: Arc<[ValuePath]>,
    /// What stands at each of them.
    pub(super) marks: Vec<Mark>,
    pub(super) granted: Option<Arc<Granted>>,
    pub(super) fault: Option<Arc<str>>,
}

impl Snapshot {
    /// Reads the bytes of an environment file. What cannot be read is said by [`Self::fault`]; what can be read in spite of
    /// that is there: values without a footer, a footer without values. Linear in the length of `bytes`.
    pub fn read(bytes: &[u8]) -> Self {
        Layout::read(bytes.to_vec(), None).1
    }

    /// A content of which nothing can be read, and why: the end of a line.
    pub fn unreadable(reason: impl Into<Arc<str>>) -> Self {
        Self {
            fault: Some(reason.into()),
            ..Self::default()
        }
    }

    /// What is wrong with the content, as the end of a line; parts of the file's text may stand in it.
    pub fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// Each value's path and what stands there, sorted by path.
    pub fn values(&self) -> impl Iterator<Item = (&ValuePath, Mark)> {
        self.paths.iter().zip(self.marks.iter().copied())
    }

    /// What stands at `path`.
    pub fn mark(&self, path: &ValuePath) -> Option<Mark> {
        let place = self.paths.binary_search(path).ok()?;
        self.marks.get(place).copied()
    }

    /// What the footer says; nothing if there is none that is well-formed.
    pub fn granted(&self) -> Option<&Granted> {
        self.granted.as_deref()
    }

    /// The encrypted values that are sealed under another key than the file's; none if the footer says no key.
    pub fn foreign(&self) -> impl Iterator<Item = (&ValuePath, Seal)> {
        let own = self
            .granted()
            .map(|granted| Seal::new(&granted.key, &Version::follows()).key);
        let sealed = self.values().filter_map(|(path, mark)| Some((path, mark.seal()?)));
        sealed.filter(move |(_, seal)| own.is_some_and(|own| own != seal.key))
    }
}

#[cfg(test)]
mod tests {
    use super::{Mark, Seal, Snapshot};
    use crate::document::path::ValuePath;
    use crate::history::testing::{Text, label};
    use crate::names::{KeyId, Version};

    fn path(keys: &[&str]) -> ValuePath {
        ValuePath::of_keys(keys.iter().copied())
    }

    #[test]
    fn seals_give_back_what_they_were_made_of() {
        let key = KeyId::new("k0f9c0b71d2a4e658").unwrap();
        let version = Version::new("v000000ff").unwrap();
        let seal = Seal::new(&key, &version);
        assert_eq!((seal.key(), seal.version()), (key, version));
    }

    #[test]
    fn values_and_grants_are_read_without_a_key() {
        let text = Text::new("prod", 1)
            .value("b.c", 0xb)
            .value("a", 0xa)
            .foreign("old", 0xf, 7)
            .readable("log", "info")
            .grant("alice", 1)
            .grant("bob", 2)
            .write();
        let snapshot = Snapshot::read(text.as_bytes());
        assert_eq!(snapshot.fault(), None);
        let paths: Vec<_> = snapshot.values().map(|(path, _)| path.to_string()).collect();
        assert_eq!(paths, ["a", "b.c", "log", "old"]);
        let mark = snapshot.mark(&path(&["b", "c"])).unwrap();
        assert_eq!(mark.version().unwrap().as_str(), "v0000000b");
        let granted = snapshot.granted().unwrap();
        assert_eq!(granted.environment.as_str(), "prod");
        assert_eq!(mark.seal().unwrap().key(), granted.key);
        assert_eq!(granted.holders[&label(2)].as_str(), "bob");
        let foreign: Vec<_> = snapshot.foreign().map(|(path, _)| path.to_string()).collect();
        assert_eq!(foreign, ["old"]);
    }

    #[test]
    fn readable_values_are_told_apart_by_text_and_kind() {
        assert_eq!(Mark::readable("1", true), Mark::readable("1", true));
        assert_ne!(Mark::readable("1", true), Mark::readable("1", false));
        assert_ne!(Mark::readable("1", true), Mark::readable("2", true));
    }

    #[test]
    fn what_is_malformed_is_a_fault_and_the_rest_is_read() {
        let sound = Text::new("prod", 1).value("a", 1).grant("alice", 1).write();
        let conflict = format!("<<<<<<< HEAD\n{sound}");
        let snapshot = Snapshot::read(conflict.as_bytes());
        assert!(snapshot.fault().unwrap().contains("merge conflict"), "{snapshot:?}");
        assert_eq!(snapshot.values().count(), 0);
        assert!(snapshot.granted().is_some());
        let footless = sound.replace("drop_box", "drop_bux");
        let snapshot = Snapshot::read(footless.as_bytes());
        assert!(snapshot.fault().is_some());
        assert_eq!((snapshot.values().count(), snapshot.granted()), (1, None));
        assert!(Snapshot::read(b"\xff").fault().unwrap().contains("UTF-8"));
        let bare = Snapshot::read(b"a: 1\n");
        assert!(bare.fault().is_none() && bare.granted().is_none());
    }
}
