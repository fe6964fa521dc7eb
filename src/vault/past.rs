//! The keys that an environment ever had, as far as the history behind HEAD and the index tell: which of them open
//! here, and which vouch for which. Reads footers only; what values were is `history`'s.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use crate::crypto::envelope::from_base64;
use crate::crypto::grant::{GrantError, GrantPlaintext, LARGEST_GRANT, open_any};
use crate::crypto::identities::Identities;
use crate::crypto::key::{DropBox, EnvironmentKey};
use crate::crypto::label::GrantLabel;
use crate::crypto::token::{TokenKind, open_token};
use crate::document::token::Token;
use crate::error::Result;
use crate::git::{CommitId, Repository};
use crate::names::EnvironmentName;
use crate::vault::footer::{Footer, footer_of};
use crate::when;

/// The commit that brought something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Its hash; nothing for what is only staged or not committed.
    pub commit: Option<String>,
    /// The author's name. Written by others: escape it before showing it.
    pub author: String,
    /// When the author says so, in seconds since 1970.
    pub time: i64,
}

impl Origin {
    /// Of what no commit brought.
    pub(super) fn uncommitted() -> Self {
        Self {
            commit: None,
            author: String::new(),
            time: 0,
        }
    }

    /// `commit 1a2b3c4d of Alice, 2026-01-31`, or what stands in for it.
    pub fn shown(&self) -> String {
        let author: String = self
            .author
            .chars()
            .filter(|character| !character.is_control())
            .collect();
        match &self.commit {
            Some(commit) => format!(
                "commit {} of {author}, {}",
                &commit[..8.min(commit.len())],
                when::date_text(self.time)
            ),
            None => "no commit yet".to_owned(),
        }
    }
}

/// One key of the past.
#[derive(Debug)]
struct PastKey {
    /// The key itself, if an identity here opens one of its grants.
    key: Option<EnvironmentKey>,
    /// Under `follows`: the id of a key, and the token by which it vouches for this one.
    follows: BTreeSet<(String, String)>,
    tried: HashSet<String>,
    origin: Option<Origin>,
    holders: BTreeSet<GrantLabel>,
}

/// All keys of one environment that are known here.
#[derive(Debug)]
pub(super) struct PastKeys {
    policy: String,
    environment: EnvironmentName,
    keys: BTreeMap<DropBox, PastKey>,
    /// The key of the newest committed version of the file.
    latest: Option<DropBox>,
    /// Whether no object was missing: a shallow or partial clone knows "at least" these.
    pub complete: bool,
}

impl PastKeys {
    /// No key is known.
    pub(super) fn new(policy: &str, environment: &EnvironmentName) -> Self {
        Self {
            policy: policy.to_owned(),
            environment: environment.clone(),
            keys: BTreeMap::new(),
            latest: None,
            complete: true,
        }
    }

    /// Learns what the history behind `head` (without what is behind `stop_at`) and the index say of the environment's
    /// files. `files` are relative to the repository's root.
    pub(super) fn read(
        &mut self,
        repository: &Repository,
        files: &[PathBuf],
        head: Option<CommitId>,
        stop_at: Option<CommitId>,
        identities: &mut Identities,
    ) -> Result<()> {
        let committed = repository.head()?;
        for file in files {
            // What is staged as HEAD has it is a part of the history, which is read here or was read before.
            let known = committed.map_or(Ok(None), |commit| repository.blob_id_at(commit, file))?;
            for blob in repository
                .staged_sides(file)?
                .into_iter()
                .filter(|blob| Some(*blob) != known)
            {
                let unborn = Origin::uncommitted();
                self.learn_blob(repository.blob(blob)?, &unborn, identities);
            }
            if let Some(head) = head {
                self.read_versions(repository, file, head, stop_at, identities)?;
            }
        }
        Ok(())
    }

    /// Learns what the versions of one file behind `head` say, and not those behind `stop_at`.
    pub(super) fn read_versions(
        &mut self,
        repository: &Repository,
        file: &Path,
        head: CommitId,
        stop_at: Option<CommitId>,
        identities: &mut Identities,
    ) -> Result<()> {
        let mut versions = repository.versions(file, head, stop_at)?;
        for version in &mut versions {
            let version = version?;
            let origin = Origin {
                commit: Some(version.commit.to_string()),
                author: version.author_name,
                time: version.time,
            };
            self.learn_blob(repository.blob(version.blob)?, &origin, identities);
        }
        self.complete &= versions.is_complete();
        Ok(())
    }

    fn learn_blob(&mut self, blob: Option<Vec<u8>>, origin: &Origin, identities: &mut Identities) {
        match blob.map(String::from_utf8) {
            None => self.complete = false,
            Some(Ok(text)) => {
                if let Some(footer) = footer_of(&text) {
                    self.learn(&footer, origin, identities);
                }
            }
            Some(Err(_)) => {}
        }
    }

    /// Learns what a footer says. What does not open counts for nothing: anyone can write a footer.
    pub(super) fn learn(&mut self, footer: &Footer, origin: &Origin, identities: &mut Identities) {
        if footer.environment != self.environment {
            return;
        }
        if self.latest.is_none() && origin.commit.is_some() {
            self.latest = Some(footer.drop_box.clone());
        }
        let known = self.keys.entry(footer.drop_box.clone()).or_insert_with(|| PastKey {
            key: None,
            follows: BTreeSet::new(),
            tried: HashSet::new(),
            origin: None,
            holders: BTreeSet::new(),
        });
        // Versions come newest first, so the last one is the one that brought the key.
        if origin.commit.is_some() || known.origin.is_none() {
            known.origin = Some(origin.clone());
        }
        known
            .holders
            .extend(footer.all_grants().map(|(_, label, _)| label.clone()));
        let follows = footer
            .follows
            .iter()
            .map(|(key, token)| (key.to_string(), token.clone()));
        known.follows.extend(follows);
        if known.key.is_some() {
            return;
        }
        let untried: Vec<_> = footer
            .all_grants()
            .filter(|(_, _, file)| known.tried.insert((*file).to_owned()))
            .filter_map(|(_, label, file)| Some((label, from_base64(file, LARGEST_GRANT).ok()?)))
            .collect();
        let fits = |grant: &GrantPlaintext| {
            grant.key.drop_box() == &footer.drop_box
                && grant.policy == self.policy
                && grant.environment == self.environment
        };
        known.key = open_past(&untried, identities, fits);
    }

    /// Learns a key that was opened already.
    pub(super) fn learn_key(&mut self, key: &EnvironmentKey) {
        if let Some(known) = self.keys.get_mut(key.drop_box()) {
            known.key = Some(key.clone());
        }
    }

    /// The drop boxes of all keys known here.
    pub(super) fn drop_boxes(&self) -> impl Iterator<Item = &DropBox> {
        self.keys.keys()
    }

    /// The key of `drop_box`, if it opens here.
    pub(super) fn key(&self, drop_box: &DropBox) -> Option<&EnvironmentKey> {
        self.keys.get(drop_box)?.key.as_ref()
    }

    /// Who brought the key of `drop_box`.
    pub(super) fn origin(&self, drop_box: &DropBox) -> Option<&Origin> {
        self.keys.get(drop_box)?.origin.as_ref()
    }

    /// The key of the newest committed version of the file.
    pub(super) fn latest(&self) -> Option<&DropBox> {
        self.latest.as_ref()
    }

    /// The labels of all public keys that ever held the key of `drop_box`, as far as is known.
    pub(super) fn holders(&self, drop_box: &DropBox) -> BTreeSet<GrantLabel> {
        self.keys
            .get(drop_box)
            .map(|known| known.holders.clone())
            .unwrap_or_default()
    }

    /// The keys that `drop_box`'s key vouches for. Only a key that opens here can be heard.
    pub(super) fn successors(&self, drop_box: &DropBox) -> Vec<&DropBox> {
        let Some(key) = self.key(drop_box) else {
            return Vec::new();
        };
        let vouched = |(new, known): (&DropBox, &PastKey)| {
            new != drop_box
                && known
                    .follows
                    .iter()
                    .any(|(old, token)| old == key.id().as_str() && self.vouches(key, token, new))
        };
        self.keys
            .iter()
            .filter(|(new, known)| vouched((new, known)))
            .map(|(new, _)| new)
            .collect()
    }

    fn vouches(&self, key: &EnvironmentKey, token: &str, new: &DropBox) -> bool {
        vouches(key, token, &self.environment, new)
    }

    /// The keys from which a chain of keys, each vouching for the next, leads to `to`; itself too.
    pub(super) fn leading_to<'k>(&'k self, to: &'k DropBox) -> BTreeSet<&'k DropBox> {
        let mut by_id: BTreeMap<&str, Vec<(&DropBox, &EnvironmentKey)>> = BTreeMap::new();
        for (drop_box, known) in &self.keys {
            if let Some(key) = &known.key {
                by_id.entry(key.id().as_str()).or_default().push((drop_box, key));
            }
        }
        let mut found = BTreeSet::from([to]);
        let mut open = vec![to];
        while let Some(new) = open.pop() {
            let follows = self.keys.get(new).into_iter().flat_map(|known| &known.follows);
            for (id, token) in follows {
                for (old, key) in by_id.get(id.as_str()).into_iter().flatten() {
                    if !found.contains(old) && self.vouches(key, token, new) {
                        found.insert(old);
                        open.push(old);
                    }
                }
            }
        }
        found
    }

    /// Whether the key of `old` leads to that of `current`, and no other key beside it does: each comes before or after it.
    /// Where keys were made side by side, somebody who had been removed may have made one of them.
    pub(super) fn is_only_way(&self, old: &DropBox, current: &DropBox) -> bool {
        let before = self.leading_to(old);
        let all = self.leading_to(current);
        all.contains(old)
            && all
                .iter()
                .all(|other| before.contains(other) || self.leading_to(other).contains(old))
    }

    /// Whether a key out of `among` says, by an entry that need not open here, that it follows the key of `drop_box`.
    pub(super) fn is_claimed_by(&self, drop_box: &DropBox, among: &[DropBox]) -> bool {
        let id = drop_box.id();
        let claims = |known: &PastKey| known.follows.iter().any(|(old, _)| old == id.as_str());
        among
            .iter()
            .any(|other| other != drop_box && self.keys.get(other).is_some_and(claims))
    }
}

/// Whether `token`, which stands under `follows` in the footer of `new`, opens under `key` and names `new`.
pub(super) fn vouches(key: &EnvironmentKey, token: &str, environment: &EnvironmentName, new: &DropBox) -> bool {
    let Some(token) = Token::parse(token).filter(|token| token.key == *key.id()) else {
        return false;
    };
    open_token(key, token.base64).is_ok_and(|opened| {
        opened.kind == TokenKind::Follows
            && opened.environment == *environment
            && opened.successor().as_ref() == Some(new)
    })
}

/// Opens one of the grants of an old footer if an identity here fits it; anything wrong with one is as if it were not there.
fn open_past(
    grants: &[(&GrantLabel, Vec<u8>)],
    identities: &mut Identities,
    fits: impl Fn(&GrantPlaintext) -> bool,
) -> Option<EnvironmentKey> {
    let borrowed: Vec<_> = grants.iter().map(|(label, bytes)| (*label, bytes.as_slice())).collect();
    // All at once: the one that costs least is opened, so that nobody is asked where a plain identity fits.
    match open_any(&borrowed, identities) {
        Ok((_, grant)) if fits(&grant) => return Some(grant.key),
        Err(GrantError::NoIdentity | GrantError::Unusable(_)) => return None,
        Ok(_) | Err(GrantError::Integrity(..)) => {}
    }
    let mut alone = borrowed
        .iter()
        .filter_map(|grant| Some(open_any(&[*grant], identities).ok()?.1));
    alone.find(|grant| fits(grant)).map(|grant| grant.key)
}
