//! One side made a new key: what the other changed is carried over under FORMAT's rule for tokens of another key, or left
//! to a person.

use std::collections::{BTreeMap, HashMap};

use super::relation::Newer;
use super::{Prepared, Version, Versions, footers};
use crate::crypto::envelope::{from_base64, to_base64};
use crate::crypto::key::{DropBox, EnvironmentKey};
use crate::crypto::proposal::{ProposalLabel, open_proposal, seal_proposal};
use crate::crypto::token::{TokenKind, TokenPlaintext, open_token, seal_token};
use crate::document::path::ValuePath;
use crate::document::source::agrees;
use crate::document::token::Token;
use crate::document::tree::{Located, Scalar, Tree};
use crate::document::write::replace_contents;
use crate::error::{Failure, Result};
use crate::git::CommitId;
use crate::merge::Side;
use crate::names::KeyId;
use crate::vault::Vault;
use crate::vault::environment::seal_value;
use crate::vault::footer::{Footer, Previous};
use crate::vault::reading::Rulebook;

/// The token at `path`, if there is one.
pub(super) fn token_at<'t>(tree: &'t Tree<'_>, path: &ValuePath) -> Option<Token<'t>> {
    match tree.node(path)? {
        Located::Scalar(scalar) => Token::parse(&scalar.content),
        _ => None,
    }
}

/// The tokens of a side that have to be looked at: each with what the other side has there, if that is the same value.
pub(super) enum Stale<'t> {
    /// The other side sealed the same value anew.
    Same(&'t Scalar<'t>, String),
    /// This side changed it.
    Changed(ValuePath, &'t Scalar<'t>),
}

/// The tokens of `old` that are not as in `new`, but for those that `old` left as they were.
pub(super) fn stale<'t>(base: Option<&Version<'_>>, old: &'t Tree<'t>, new: &Tree<'_>, key: &KeyId) -> Vec<Stale<'t>> {
    let mut found = Vec::new();
    for (path, scalar) in old.scalars() {
        let Some(token) = Token::parse(&scalar.content).filter(|token| token.key != *key) else {
            continue;
        };
        let is_same = |other: &Token<'_>| other.version == token.version;
        if let Some(other) = token_at(new, &path).filter(is_same) {
            found.push(Stale::Same(scalar, other.to_string()));
        } else if base
            .and_then(|base| token_at(&base.tree, &path))
            .is_none_or(|before| !is_same(&before))
        {
            found.push(Stale::Changed(path, scalar));
        }
    }
    found
}

/// What is to be done with a side whose key is not the result's, where nothing may be sealed.
pub(super) fn unopened(versions: &Versions<'_>, newer: Option<Side>, failure: Failure) -> Prepared {
    let mut prepared = Prepared::default();
    // Where neither key is the newer one, ours is what the values of theirs are held against.
    let new_side = newer.unwrap_or(Side::Ours);
    let (new, old) = (versions.of(new_side), versions.of(new_side.opposite()));
    let key = new.footer.drop_box.id();
    let mut replaced = Vec::new();
    for stale in stale(versions.base.as_ref(), &old.tree, &new.tree, &key) {
        match stale {
            Stale::Same(scalar, token) => replaced.push((scalar, token)),
            Stale::Changed(path, _) => drop(prepared.doubted.insert((new_side.opposite(), path))),
        }
    }
    prepared.put(new_side.opposite(), replace_contents(&old.tree, &replaced));
    prepared.footer = newer.map(|_| new.footer.clone());
    let adds = newer.is_some() && {
        let base = versions.base.as_ref().map(|base| &base.footer);
        let is_new_proposal = |label| base.is_none_or(|base| !base.proposals.contains_key(label));
        let is_new_previous = |version| base.is_none_or(|base| !base.previous.contains_key(version));
        old.footer.proposals.keys().any(is_new_proposal) || old.footer.previous.keys().any(is_new_previous)
    };
    if adds {
        prepared.footer = None;
    }
    if prepared.footer.is_none() || !prepared.doubted.is_empty() {
        prepared.problems.push(failure);
    } else {
        prepared.notes.extend(ungranted(versions, new_side));
    }
    prepared
}

/// A line for each public key that the side with the older key granted it to: the new key is `apply`'s to grant.
fn ungranted(versions: &Versions<'_>, new_side: Side) -> Vec<String> {
    let (new, old) = (versions.of(new_side), versions.of(new_side.opposite()));
    let base = versions
        .base
        .as_ref()
        .map(|base| footers::by_label(&base.footer))
        .unwrap_or_default();
    let granted = footers::by_label(&new.footer);
    let name = &new.footer.environment;
    let lost = footers::by_label(&old.footer)
        .into_iter()
        .filter(|(label, _)| !base.contains_key(label) && !granted.contains_key(label));
    lost.map(|(label, (reader, _))| {
        format!(
            "{name}: {reader} ({label}) was granted the key that was replaced, not the new one; if the policy lists it: secretree apply {name}"
        )
    })
    .collect()
}

impl Prepared {
    pub(super) fn put(&mut self, side: Side, body: Option<String>) {
        match side {
            Side::Ours => self.ours = body,
            Side::Theirs => self.theirs = body,
        }
    }
}

/// What a token says, if it is sound: of this kind, for this place.
pub(super) fn opened(
    rules: Rulebook<'_>,
    key: &EnvironmentKey,
    token: &Token<'_>,
    path: &ValuePath,
    kind: TokenKind,
) -> Option<TokenPlaintext> {
    let opened = open_token(key, token.base64).ok()?;
    let sound = opened.kind == kind
        && opened.environment == rules.environment.name
        && opened.path == path.to_json()
        && opened.version == token.version
        && opened
            .source
            .as_ref()
            .is_none_or(|source| agrees(source, &opened.value));
    sound.then_some(opened)
}

impl Vault<'_> {
    /// Carries over what the side with the older key changed.
    pub(super) fn carry(
        &mut self,
        rules: Rulebook<'_>,
        versions: &Versions<'_>,
        newer: Newer,
        merged: &[CommitId],
    ) -> Result<Prepared> {
        let name = &rules.environment.name;
        let old_side = newer.side.opposite();
        let (new, old) = (versions.of(newer.side), versions.of(old_side));
        let mut prepared = Prepared::default();
        let mut proofs = Proofs {
            newer: &newer,
            // Whoever held the old key on the merged branch is known by its commits only.
            complete: newer.past.complete && (!merged.is_empty() || self.repository.is_none()),
            known: HashMap::new(),
        };
        let mut replaced = Vec::new();
        for stale in stale(versions.base.as_ref(), &old.tree, &new.tree, newer.key.id()) {
            let (path, scalar) = match stale {
                Stale::Same(scalar, token) => {
                    replaced.push((scalar, token));
                    continue;
                }
                Stale::Changed(path, scalar) => (path, scalar),
            };
            let Some(token) = Token::parse(&scalar.content) else {
                continue;
            };
            let key = self.proven(rules, &mut proofs, &token.key)?;
            match key.and_then(|key| opened(rules, &key, &token, &path, TokenKind::Value)) {
                Some(plaintext) => {
                    let (value, source) = (plaintext.value, plaintext.source);
                    replaced.push((
                        scalar,
                        seal_value(&newer.key, rules, &path, &token.version, value, source)?,
                    ));
                }
                None => drop(prepared.doubted.insert((old_side, path))),
            }
        }
        prepared.put(old_side, replace_contents(&old.tree, &replaced));
        prepared.notes = ungranted(versions, newer.side);
        let footer = self.carried_footer(rules, versions, &mut proofs, &mut prepared.notes)?;
        if newer.side == Side::Theirs {
            prepared.notes.extend(footers::gains(versions));
        }
        if footer.is_none() || !prepared.doubted.is_empty() {
            let places = prepared.doubted.len();
            let what = match (places, footer.is_some()) {
                (0, _) => "proposals or old values that".to_owned(),
                (1, _) => "a value that".to_owned(),
                _ => format!("{places} values that"),
            };
            let message = format!(
                "`{name}` has a new key (`{}`), and {what} one side brings under the replaced one cannot be taken over unasked: nothing proves that only readers held it",
                newer.key.id()
            );
            prepared.problems.push(Failure::integrity(message).hint(format!(
                "look at who wrote it and keep one of both sides; a token that you keep is taken over by secretree apply {name}"
            )));
        }
        prepared.footer = footer;
        Ok(prepared)
    }

    /// The key with this id, if what is sealed under it may be taken over unasked.
    fn proven(&mut self, rules: Rulebook<'_>, proofs: &mut Proofs<'_>, id: &KeyId) -> Result<Option<EnvironmentKey>> {
        if let Some(known) = proofs.known.get(id) {
            return Ok(known.clone());
        }
        let past = &proofs.newer.past;
        let current = proofs.newer.key.drop_box();
        let old: Option<&DropBox> = past.drop_boxes().find(|drop_box| drop_box.id() == *id);
        // Of a key that nobody committed, nobody knows the policy it came with, unless it stands in this work tree.
        let is_dated =
            proofs.newer.side == Side::Ours || past.origin(current).is_some_and(|origin| origin.commit.is_some());
        let key = match old.and_then(|old| Some((old, past.key(old)?))) {
            Some((old, key)) if proofs.complete && is_dated && past.is_only_way(old, current) => {
                let holds = self.holders_still_read(rules, past, old, current)?;
                holds.then(|| key.clone())
            }
            _ => None,
        };
        proofs.known.insert(id.clone(), key.clone());
        Ok(key)
    }

    /// The new side's footer with the proposals and old values that the other added; nothing if they cannot be carried.
    fn carried_footer(
        &mut self,
        rules: Rulebook<'_>,
        versions: &Versions<'_>,
        proofs: &mut Proofs<'_>,
        notes: &mut Vec<String>,
    ) -> Result<Option<Footer>> {
        let newer = proofs.newer;
        let (new, old) = (versions.of(newer.side), versions.of(newer.side.opposite()));
        let nothing = Footer::new(new.footer.environment.clone(), new.footer.drop_box.clone());
        let base = versions.base.as_ref().map_or(&nothing, |base| &base.footer);
        let mut footer = Footer {
            final_newline: footers::final_newline(versions),
            ..new.footer.clone()
        };
        let added: BTreeMap<_, _> = old
            .footer
            .proposals
            .iter()
            .filter(|(label, _)| !base.proposals.contains_key(*label) && !footer.proposals.contains_key(*label))
            .collect();
        for (label, file) in added {
            // A proposal stays one, whoever made it.
            let Some(key) = newer.past.key(&old.footer.drop_box) else {
                return Ok(None);
            };
            let opened = from_base64(file, usize::MAX / 8)
                .ok()
                .and_then(|bytes| open_proposal(key, label, &bytes).ok());
            let Some(opened) = opened
                .filter(|opened| opened.environment == rules.environment.name && opened.policy == rules.policy.id)
            else {
                notes.push(junk(rules, label));
                continue;
            };
            let (label, sealed) = seal_proposal(newer.key.drop_box(), &opened)?;
            footer.proposals.insert(label, to_base64(&sealed));
        }
        for (version, previous) in &old.footer.previous {
            if base.previous.contains_key(version) || footer.previous.contains_key(version) {
                continue;
            }
            let token = Token::parse(&previous.token).expect("checked when the footer was read");
            let key = self.proven(rules, proofs, &token.key)?;
            let opened = key.and_then(|key| opened(rules, &key, &token, &previous.path, TokenKind::Previous));
            let Some(opened) = opened else { return Ok(None) };
            let sealed = seal_token(&newer.key, &opened)?;
            let token = Token {
                key: newer.key.id().clone(),
                version: version.clone(),
                base64: &sealed,
            }
            .to_string();
            footer.previous.insert(
                version.clone(),
                Previous {
                    token,
                    ..previous.clone()
                },
            );
        }
        Ok(Some(footer))
    }
}

/// A line about a proposal that nobody can ever accept, and that anybody could have put there.
pub(super) fn junk(rules: Rulebook<'_>, label: &ProposalLabel) -> String {
    let name = &rules.environment.name;
    format!(
        "{name}: the proposal `{}` does not open and is left out",
        label.as_str()
    )
}

/// What was proven of keys that were replaced.
struct Proofs<'n> {
    newer: &'n Newer,
    complete: bool,
    known: HashMap<KeyId, Option<EnvironmentKey>>,
}
