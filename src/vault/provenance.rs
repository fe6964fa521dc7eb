//! Who proposed something: the commit that first held a proposal, found by one walk through the history of the file. A
//! new key seals every proposal anew under another label, so the way back goes through what was sealed before, as far as
//! those keys open here.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::rc::Rc;

use super::Vault;
use super::footer::{Footer, LARGEST_PROPOSAL, footer_of};
use super::past::{Origin, PastKeys};
use super::past_files::past_files;
use super::reading::Rulebook;
use crate::crypto::envelope::from_base64;
use crate::crypto::key::{DropBox, EnvironmentKey};
use crate::crypto::proposal::{ProposalLabel, ProposalPlaintext, open_proposal};
use crate::error::Result;
use crate::git::{BlobId, Repository};

/// The footer's field; a file without this word has no proposals.
const FIELD: &str = "proposals";
/// How many versions of a file are remembered while its history is walked: neighbours are asked for twice.
const MOST_REMEMBERED: usize = 64;

/// Where a proposal comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// The commit that first held it; nothing if none behind HEAD does.
    pub first: Option<Origin>,
    /// Who put it there once more, after it had been taken out; a commit of nothing is the work tree.
    pub again: Option<Origin>,
    /// Whether `first` only sealed it for a new key, and who proposed it is not to be seen here.
    pub resealed: bool,
    /// Whether older commits are missing here, so that it may be older.
    pub at_least: bool,
}

/// A commit in which a proposal was there, and in no parent of it.
#[derive(Debug)]
struct Appearance {
    origin: Origin,
    /// Versions before it that hold proposals under another key.
    sealed_before: Vec<BlobId>,
    at_least: bool,
}

/// What one version of the file says of proposals.
struct Version {
    drop_box: DropBox,
    labels: BTreeSet<ProposalLabel>,
}

/// Every proposal that the history behind HEAD ever held.
#[derive(Default)]
struct Past {
    /// With its appearances, the newest first.
    appearances: BTreeMap<ProposalLabel, Vec<Appearance>>,
    /// What HEAD has of the file, and what that says.
    head: Option<(BlobId, Rc<Version>)>,
}

/// Older proposals that were opened, by the version that held them; nothing for one whose key does not open here.
#[derive(Default)]
struct Older {
    keys: Option<PastKeys>,
    opened: HashMap<BlobId, Option<Vec<(ProposalPlaintext, ProposalLabel)>>>,
}

impl Vault<'_> {
    /// Where each proposal of `footer` comes from, in the order of their labels. With the file's key, those that a new key
    /// sealed anew are followed back.
    pub(super) fn provenances(
        &mut self,
        rules: Rulebook<'_>,
        footer: &Footer,
        key: Option<&EnvironmentKey>,
    ) -> Result<Vec<Provenance>> {
        if footer.proposals.is_empty() {
            return Ok(Vec::new());
        }
        let past = match self.inside() {
            Some((repository, prefix)) => Past::of(repository, prefix, rules)?,
            None => Past::default(),
        };
        let mut older = Older::default();
        let mut found = Vec::with_capacity(footer.proposals.len());
        for (label, file) in &footer.proposals {
            let plaintext = key.and_then(|key| Some((key, opened(key, label, file)?)));
            let mut provenance = past.provenance(label, Some(&footer.drop_box));
            let mut before = past.sealed_before(label, &footer.drop_box);
            // Each step leads to an older key; a label is never met twice.
            let mut seen = BTreeSet::from([label.clone()]);
            while !before.is_empty() {
                let mut same = None;
                let mut is_closed = plaintext.is_none();
                if let Some((key, plaintext)) = &plaintext {
                    for blob in before {
                        let there = self.older(&mut older, rules, footer, key, blob)?;
                        is_closed |= there.is_none();
                        let mut there = there.into_iter().flatten();
                        let fits = |(older, label): &&(ProposalPlaintext, ProposalLabel)| {
                            older == plaintext && !seen.contains(label)
                        };
                        same = same.or(there.find(fits).map(|(_, label)| label.clone()));
                    }
                }
                let Some(label) = same else {
                    provenance.resealed = is_closed;
                    break;
                };
                let again = provenance.again.take();
                provenance = past.provenance(&label, None);
                provenance.again = again.or(provenance.again);
                before = past.sealed_before(&label, &footer.drop_box);
                seen.insert(label);
            }
            found.push(provenance);
        }
        Ok(found)
    }

    /// The proposals of an older version of the file, opened once.
    fn older<'o>(
        &mut self,
        older: &'o mut Older,
        rules: Rulebook<'_>,
        footer: &Footer,
        key: &EnvironmentKey,
        blob: BlobId,
    ) -> Result<Option<&'o [(ProposalPlaintext, ProposalLabel)]>> {
        if !older.opened.contains_key(&blob) {
            if older.keys.is_none() {
                let mut scene = self.scene();
                let head = scene.head()?;
                older.keys = Some(scene.past(rules.environment, footer, key, head, None)?.0);
            }
            let there = match self.inside() {
                Some((repository, _)) => footer_at(repository, blob)?,
                None => None,
            };
            let old = there
                .as_ref()
                .and_then(|there| older.keys.as_ref()?.key(&there.drop_box));
            let plain = old.zip(there.as_ref()).map(|(old, there)| {
                let proposals = there.proposals.iter();
                proposals
                    .filter_map(|(label, file)| Some((opened(old, label, file)?, label.clone())))
                    .collect()
            });
            older.opened.insert(blob, plain);
        }
        Ok(older.opened.get(&blob).and_then(Option::as_deref))
    }
}

impl Past {
    fn of(repository: &Repository, prefix: &std::path::Path, rules: Rulebook<'_>) -> Result<Self> {
        let mut past = Self::default();
        let Some(head) = repository.head()? else {
            return Ok(past);
        };
        let mut versions = Versions::new(repository);
        if let Some(blob) = repository.blob_id_at(head, &prefix.join(&rules.environment.file))? {
            past.head = versions.get(blob)?.map(|version| (blob, version));
        }
        let files = past_files(repository, Some(head), None, prefix, rules.environment)?.files;
        let paths: Vec<_> = files.iter().map(PathBuf::as_path).collect();
        for change in repository.changes(&paths, &[head], &[])? {
            let change = change?;
            let Some(version) = change.blob.map(|blob| versions.get(blob)).transpose()?.flatten() else {
                continue;
            };
            let mut new: BTreeSet<&ProposalLabel> = version.labels.iter().collect();
            let mut sealed_before = Vec::new();
            for blob in change.before.iter().copied().flatten() {
                if let Some(parent) = versions.get(blob)? {
                    new.retain(|label| !parent.labels.contains(*label));
                    sealed_before.extend((parent.drop_box != version.drop_box).then_some(blob));
                }
            }
            let (author, _, time) = change.author();
            for label in new {
                past.appearances.entry(label.clone()).or_default().push(Appearance {
                    origin: Origin {
                        commit: Some(change.commit.to_string()),
                        author: author.clone(),
                        time,
                    },
                    sealed_before: sealed_before.clone(),
                    at_least: change.at_least,
                });
            }
        }
        Ok(past)
    }

    /// What the history says of a label. `current` is the drop box of the work tree's file if it is that file's label.
    fn provenance(&self, label: &ProposalLabel, current: Option<&DropBox>) -> Provenance {
        let appearances = self.appearances.get(label).map_or(&[][..], Vec::as_slice);
        let in_head = self.head.as_ref().is_some_and(|(_, head)| head.labels.contains(label));
        let again = match appearances {
            [_, ..] if current.is_some() && !in_head => Some(Origin::uncommitted()),
            [newest, .., _] => Some(newest.origin.clone()),
            _ => None,
        };
        let first = appearances.last();
        Provenance {
            first: first.map(|first| first.origin.clone()),
            again,
            resealed: false,
            at_least: first.is_some_and(|first| first.at_least),
        }
    }

    /// The versions before a label's first appearance whose proposals may be the same under another key.
    fn sealed_before(&self, label: &ProposalLabel, current: &DropBox) -> Vec<BlobId> {
        match (self.appearances.get(label).and_then(|all| all.last()), &self.head) {
            (Some(first), _) => first.sealed_before.clone(),
            (None, Some((blob, head))) if head.drop_box != *current => vec![*blob],
            (None, _) => Vec::new(),
        }
    }
}

/// The versions of a file, read once while they are near.
struct Versions<'r> {
    repository: &'r Repository,
    known: HashMap<BlobId, Option<Rc<Version>>>,
}

impl<'r> Versions<'r> {
    fn new(repository: &'r Repository) -> Self {
        Self {
            repository,
            known: HashMap::new(),
        }
    }

    /// What a version says of proposals; nothing if it has none.
    fn get(&mut self, blob: BlobId) -> Result<Option<Rc<Version>>> {
        if let Some(known) = self.known.get(&blob) {
            return Ok(known.clone());
        }
        if self.known.len() >= MOST_REMEMBERED {
            self.known.clear();
        }
        let version = footer_at(self.repository, blob)?.map(|footer| {
            Rc::new(Version {
                drop_box: footer.drop_box,
                labels: footer.proposals.into_keys().collect(),
            })
        });
        self.known.insert(blob, version.clone());
        Ok(version)
    }
}

/// The footer of a version of the file; nothing if it has none or no proposals.
fn footer_at(repository: &Repository, blob: BlobId) -> Result<Option<Footer>> {
    let text = repository.blob(blob)?.and_then(|bytes| String::from_utf8(bytes).ok());
    let text = text.filter(|text| text.contains(FIELD));
    Ok(text
        .and_then(|text| footer_of(&text))
        .filter(|footer| !footer.proposals.is_empty()))
}

fn opened(key: &EnvironmentKey, label: &ProposalLabel, file: &str) -> Option<ProposalPlaintext> {
    open_proposal(key, label, &from_base64(file, LARGEST_PROPOSAL).ok()?).ok()
}
