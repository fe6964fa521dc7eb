//! Both sides made a new key: a third follows both. Its grants are the three-way merge of theirs, by public key; what was
//! removed on one side stays removed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use super::carry::{Stale, junk, opened, stale};
use super::{Keys, Prepared, Version, Versions, footers};
use crate::crypto::envelope::{from_base64, to_base64};
use crate::crypto::key::EnvironmentKey;
use crate::crypto::label::GrantLabel;
use crate::crypto::proposal::{ProposalPlaintext, open_proposal, seal_proposal};
use crate::crypto::public_key::PublicKey;
use crate::crypto::token::{TokenKind, seal_token};
use crate::document::token::Token;
use crate::document::tree::{Rules, Tree};
use crate::document::write::replace_contents;
use crate::error::{Failure, Result};
use crate::git::CommitId;
use crate::merge::{Side, three_way};
use crate::names::{RecipientName, Version as Mark};
use crate::policy::{POLICY_NAME, Policy};
use crate::vault::Vault;
use crate::vault::environment::seal_value;
use crate::vault::footer::{Footer, Previous};
use crate::vault::reading::Rulebook;
use crate::vault::rekey::follows_of;

impl Vault<'_> {
    /// Joins two sides under a third key, both of whose keys are trusted here.
    pub(super) fn join(
        &mut self,
        rules: Rulebook<'_>,
        versions: &Versions<'_>,
        keys: Keys,
        merged: &[CommitId],
    ) -> Result<Prepared> {
        let name = &rules.environment.name;
        let key = EnvironmentKey::generate();
        let mut prepared = Prepared::default();
        let sides = Sides {
            rules,
            versions,
            keys: &keys,
            key: &key,
        };
        let bodies = sides.body(Side::Ours, &versions.theirs.tree).and_then(|ours| {
            let tree = Tree::parse(&ours, Rules::File).ok()?;
            let theirs = sides.body(Side::Theirs, &tree)?;
            drop(tree);
            Some((ours, theirs))
        });
        let footer = sides.footer(&mut prepared.notes);
        let (Some((ours, theirs)), Some(mut footer)) = (bodies, footer) else {
            let message = format!("both sides of `{name}` made a new key, and something in them does not open");
            let failure = Failure::integrity(message).hint(format!(
                "see what it is on each side: secretree get {name} PATH, before the merge"
            ));
            return Ok(super::carry::unopened(versions, None, failure));
        };
        let (grants, notes) = self.joined_grants(rules, versions, merged)?;
        let mut past = self.past_of_merge(rules, &versions.ours, &keys.ours, merged)?;
        past.learn(
            &versions.theirs.footer,
            &crate::vault::past::Origin::uncommitted(),
            &mut self.identities,
        );
        past.learn_key(&keys.theirs);
        let both = [&versions.ours.footer, &versions.theirs.footer];
        footer.follows = follows_of(&past, name, &both, vec![keys.ours.clone(), keys.theirs.clone()], &key)?;
        footer.grants = self.grants(rules, &key, &grants)?;
        self.note_trust(name, key.drop_box())?;
        prepared.notes.push(format!(
            "{name}: both sides made a new key; {} follows both, and every value is sealed anew",
            key.id()
        ));
        prepared.notes.extend(notes);
        prepared.ours = Some(ours);
        prepared.theirs = Some(theirs);
        prepared.footer = Some(footer);
        Ok(prepared)
    }

    /// The public keys that hold the third key: of those that a side granted, all but those that a side removed. And what a
    /// person should hear of it.
    fn joined_grants(
        &self,
        rules: Rulebook<'_>,
        versions: &Versions<'_>,
        merged: &[CommitId],
    ) -> Result<(crate::vault::apply::Wanted, Vec<String>)> {
        let names = |version: Option<&Version<'_>>| -> BTreeMap<GrantLabel, RecipientName> {
            let granted = version
                .map(|version| footers::by_label(&version.footer))
                .unwrap_or_default();
            granted.into_iter().map(|(label, (name, _))| (label, name)).collect()
        };
        let (base, ours, theirs) = (
            names(versions.base.as_ref()),
            names(Some(&versions.ours)),
            names(Some(&versions.theirs)),
        );
        let known = self.public_keys_known(rules, merged)?;
        let environment = &rules.environment.name;
        let (mut wanted, mut notes) = (crate::vault::apply::Wanted::new(), Vec::new());
        for (label, name) in three_way(&base, &ours, &theirs) {
            match known.get(&label) {
                Some(key) => {
                    if !ours.contains_key(&label) {
                        notes.push(format!(
                            "{environment}: + {name} ({label}) can read: the merged branch grants it"
                        ));
                    }
                    wanted.insert(label, (name, key.clone()));
                }
                None => notes.push(format!(
                    "{environment}: - {name} ({label}) cannot read any more: no policy here has that public key"
                )),
            }
        }
        let gone: BTreeSet<_> = ours
            .iter()
            .chain(&theirs)
            .filter(|(label, _)| base.contains_key(*label))
            .collect();
        notes.extend(
            gone.into_iter()
                .filter(|(label, _)| !ours.contains_key(*label) || !theirs.contains_key(*label))
                .map(|(label, name)| format!("{environment}: - {name} ({label}) was removed on one side")),
        );
        Ok((wanted, notes))
    }

    /// The public keys that the policies of the work tree, HEAD and the merged commits name. They are only looked up by the
    /// labels that the files have: a policy adds nobody here.
    fn public_keys_known(&self, rules: Rulebook<'_>, merged: &[CommitId]) -> Result<HashMap<GrantLabel, PublicKey>> {
        let mut known = HashMap::new();
        let mut learn = |policy: &Policy| {
            for recipient in policy.people.recipients() {
                for key in &recipient.keys {
                    known.insert(key.label().clone(), key.clone());
                }
            }
        };
        learn(rules.policy);
        if let Some((repository, prefix)) = self.inside() {
            let file = prefix.join(Path::new(POLICY_NAME));
            for commit in repository.head()?.iter().chain(merged) {
                let text = repository.blob_at(*commit, &file)?;
                let text = text.and_then(|bytes| String::from_utf8(bytes).ok());
                if let Some(policy) = text.and_then(|text| Policy::parse(&text, POLICY_NAME).ok()) {
                    learn(&policy);
                }
            }
        }
        Ok(known)
    }
}

/// Two sides with their keys, and the key that follows both.
struct Sides<'s, 'v> {
    rules: Rulebook<'s>,
    versions: &'s Versions<'v>,
    keys: &'s Keys,
    key: &'s EnvironmentKey,
}

impl Sides<'_, '_> {
    fn key_of(&self, side: Side) -> &EnvironmentKey {
        match side {
            Side::Ours => &self.keys.ours,
            Side::Theirs => &self.keys.theirs,
        }
    }

    /// The body of a side with its tokens under the third key; where `other` has the same value sealed so already, that
    /// token. Nothing if a token does not open.
    fn body(&self, side: Side, other: &Tree<'_>) -> Option<String> {
        let version = self.versions.of(side);
        let key = self.key_of(side);
        let reseal = |path: &crate::document::path::ValuePath, content: &str| {
            let token = Token::parse(content).filter(|token| token.key == *key.id())?;
            let plaintext = opened(self.rules, key, &token, path, TokenKind::Value)?;
            let (value, source) = (plaintext.value, plaintext.source);
            seal_value(self.key, self.rules, path, &token.version, value, source).ok()
        };
        let mut replaced = Vec::new();
        if side == Side::Ours {
            for (path, scalar) in version.tree.scalars() {
                if Token::parse(&scalar.content).is_some() {
                    replaced.push((scalar, reseal(&path, &scalar.content)?));
                }
            }
        } else {
            for stale in stale(None, &version.tree, other, self.key.id()) {
                match stale {
                    Stale::Same(scalar, token) => replaced.push((scalar, token)),
                    Stale::Changed(path, scalar) => replaced.push((scalar, reseal(&path, &scalar.content)?)),
                }
            }
        }
        Some(replace_contents(&version.tree, &replaced).unwrap_or_else(|| version.tree.body().to_owned()))
    }

    /// The footer but for grants and `follows`; nothing if something in it does not open.
    fn footer(&self, notes: &mut Vec<String>) -> Option<Footer> {
        let mut footer = Footer::new(self.rules.environment.name.clone(), self.key.drop_box().clone());
        footer.final_newline = footers::final_newline(self.versions);
        let mut proposals: Vec<ProposalPlaintext> = Vec::new();
        for side in [Side::Ours, Side::Theirs] {
            for (label, file) in &self.versions.of(side).footer.proposals {
                let opened = from_base64(file, usize::MAX / 8)
                    .ok()
                    .and_then(|bytes| open_proposal(self.key_of(side), label, &bytes).ok());
                let Some(opened) = opened.filter(|opened| {
                    opened.environment == self.rules.environment.name && opened.policy == self.rules.policy.id
                }) else {
                    notes.push(junk(self.rules, label));
                    continue;
                };
                let is_known = |known: &ProposalPlaintext| known.path == opened.path && known.value == opened.value;
                // Each side sealed what both had before to its own new drop box.
                if !proposals.iter().any(is_known) {
                    proposals.push(opened);
                }
            }
        }
        for proposal in &proposals {
            let (label, sealed) = seal_proposal(self.key.drop_box(), proposal).ok()?;
            footer.proposals.insert(label, to_base64(&sealed));
        }
        let empty = BTreeMap::new();
        let base = self.versions.base.as_ref().map_or(&empty, |base| &base.footer.previous);
        let (ours, theirs) = (
            &self.versions.ours.footer.previous,
            &self.versions.theirs.footer.previous,
        );
        let versions = |all: &BTreeMap<Mark, Previous>| all.keys().map(|mark| (mark.clone(), ())).collect();
        let kept: BTreeMap<Mark, ()> = three_way(&versions(base), &versions(ours), &versions(theirs));
        for mark in kept.into_keys() {
            let (side, previous) = match (ours.get(&mark), theirs.get(&mark)) {
                (Some(previous), _) => (Side::Ours, previous),
                (None, Some(previous)) => (Side::Theirs, previous),
                (None, None) => continue,
            };
            let key = self.key_of(side);
            let token = Token::parse(&previous.token).filter(|token| token.key == *key.id())?;
            let plaintext = opened(self.rules, key, &token, &previous.path, TokenKind::Previous)?;
            let sealed = seal_token(self.key, &plaintext).ok()?;
            let token = Token {
                key: self.key.id().clone(),
                version: mark.clone(),
                base64: &sealed,
            }
            .to_string();
            let previous = Previous {
                token,
                ..previous.clone()
            };
            footer.previous.insert(mark, previous);
        }
        Some(footer)
    }
}
