//! The text of an environment's file under other grants or a new key: every token, old value and proposal sealed anew, and
//! the words by which the old keys vouch for the new one.

use std::collections::BTreeMap;

use super::Vault;
use super::apply::Wanted;
use super::environment::{Environment, seal_value};
use super::footer::{Footer, Previous, footer_of};
use super::past::{Origin, PastKeys};
use super::past_files::past_files;
use super::reading::{Reading, Rulebook};
use super::takeover::Takeover;
use crate::crypto::envelope::{from_base64, to_base64};
use crate::crypto::key::{DropBox, EnvironmentKey};
use crate::crypto::label::GrantLabel;
use crate::crypto::proposal::{ProposalLabel, ProposalPlaintext, open_proposal, seal_proposal};
use crate::crypto::token::{TokenKind, TokenPlaintext, seal_token};
use crate::document::path::ValuePath;
use crate::document::token::Token;
use crate::document::write::write_tokens;
use crate::error::Result;
use crate::git::CommitId;
use crate::names::{EnvironmentName, KeyId, Version};

/// The most keys, besides the replaced one and HEAD's, that a new key follows.
const MOST_FOLLOWED: usize = 16;

/// The new text of a file.
pub(super) struct Rewritten {
    pub(super) text: String,
    /// The id of the key, if that is new.
    pub(super) key: Option<KeyId>,
    /// Proposals that do not open: whoever may write the repository can put one there, and it must not be in the way.
    pub(super) dropped: Vec<Dropped>,
}

/// A proposal that is taken out of a file, because nobody can ever accept it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// Which.
    pub label: ProposalLabel,
    /// Why it does not open, as the end of a line.
    pub reason: String,
    /// Who brought it, as far as history tells.
    pub origin: Option<Origin>,
}

impl Vault<'_> {
    /// The new text of an opened file.
    pub(super) fn rewritten(
        &mut self,
        environment: &Environment<'_>,
        wanted: &Wanted,
        makes_key: bool,
        taken: &[(Takeover, TokenPlaintext)],
    ) -> Result<Rewritten> {
        let rules = environment.rules;
        let old = &environment.reading.footer;
        let key = if makes_key {
            EnvironmentKey::generate()
        } else {
            environment.key.clone()
        };
        let mut footer = old.clone();
        let mut dropped = Vec::new();
        if makes_key {
            footer.drop_box = key.drop_box().clone();
            footer.follows = self.follows_of_successor(environment, &key)?;
            footer.grants = self.grants(rules, &key, wanted)?;
            (footer.proposals, dropped) = reseal_proposals(environment, &key, rules)?;
            footer.previous = reseal_previous(environment, &key, rules)?;
        } else {
            let present: BTreeMap<&GrantLabel, &str> = old.all_grants().map(|(_, label, file)| (label, file)).collect();
            let missing = wanted
                .iter()
                .filter(|(label, _)| !present.contains_key(label))
                .map(|(label, key)| (label.clone(), key.clone()));
            footer.grants = self.grants(rules, &key, &missing.collect())?;
            for (label, file) in present {
                if let Some((name, _)) = wanted.get(label) {
                    footer
                        .grants
                        .entry(name.clone())
                        .or_default()
                        .insert(label.clone(), file.to_owned());
                }
            }
        }
        for proposal in &mut dropped {
            proposal.origin = self.token_origin(rules, &old.proposals[&proposal.label])?;
        }
        let body = resealed_body(environment, &key, rules, makes_key, taken)?;
        let text = environment.reading.assemble(&body, &footer);
        // What was just made is what everybody else will read: it must be whole.
        let check = Reading::new(&text, rules)?;
        check.check(rules)?;
        Ok(Rewritten {
            text,
            key: makes_key.then(|| key.id().clone()),
            dropped,
        })
    }

    /// The `follows` of a key that replaces the one of `environment`: tokens under that key, under HEAD's if that is
    /// another, and under each key that the replaced one follows, as far as they open here.
    pub(super) fn follows_of_successor(
        &mut self,
        environment: &Environment<'_>,
        key: &EnvironmentKey,
    ) -> Result<BTreeMap<KeyId, String>> {
        let name = environment.rules.environment.name.clone();
        let footer = &environment.reading.footer;
        let merged = self.merged_now();
        let past = self.past_with(environment.rules, footer, &environment.key, &merged)?;
        let mut keys = vec![environment.key.clone()];
        // Who concludes a merge joins what both sides have.
        if let Some((repository, prefix)) = self.inside() {
            let file = prefix.join(&environment.rules.environment.file);
            for commit in merged {
                let text = repository.blob_at(commit, &file).unwrap_or_default();
                let footer = text.and_then(|bytes| footer_of(&String::from_utf8(bytes).ok()?));
                keys.extend(footer.and_then(|footer| past.key(&footer.drop_box).cloned()));
            }
        }
        follows_of(&past, &name, &[footer], keys, key)
    }

    /// The commits that an unfinished merge brings.
    pub(super) fn merged_now(&self) -> Vec<CommitId> {
        self.inside()
            .map(|(repository, _)| repository.merged_now())
            .unwrap_or_default()
    }

    /// The keys that history has of an environment whose file is not there.
    pub(super) fn past_of_absent(&mut self, rules: Rulebook<'_>) -> Result<PastKeys> {
        let mut past = PastKeys::new(&self.loaded.policy.id, &rules.environment.name);
        let Some(repository) = self
            .repository
            .as_ref()
            .filter(|repository| repository.unreadable().is_none())
        else {
            return Ok(past);
        };
        let Ok(prefix) = self.place.strip_prefix(repository.root()) else {
            return Ok(past);
        };
        let head = repository.head()?;
        let found = past_files(repository, head, None, prefix, rules.environment)?;
        past.complete &= found.complete;
        past.read(repository, &found.files, head, None, &mut self.identities)?;
        Ok(past)
    }
}

/// The `follows` of a key for a file that is not there: of the last key that history has, if it opens here.
pub(super) fn follows_of_last(
    past: &PastKeys,
    rules: Rulebook<'_>,
    key: &EnvironmentKey,
) -> Result<BTreeMap<KeyId, String>> {
    let last = past.latest().and_then(|latest| past.key(latest));
    last.into_iter()
        .map(|old| follows_entry(old, &rules.environment.name, key.drop_box()))
        .collect()
}

/// The words for the key `new` of these keys, of HEAD's if that is another, and of each key that one of `footers` follows,
/// as far as they open here.
pub(super) fn follows_of(
    past: &PastKeys,
    name: &EnvironmentName,
    footers: &[&Footer],
    mut keys: Vec<EnvironmentKey>,
    new: &EnvironmentKey,
) -> Result<BTreeMap<KeyId, String>> {
    keys.extend(past.latest().and_then(|latest| past.key(latest)).cloned());
    let is_followed = |drop_box: &DropBox| footers.iter().any(|footer| footer.follows.contains_key(&drop_box.id()));
    let mut older: Vec<_> = past
        .drop_boxes()
        .filter(|drop_box| is_followed(drop_box))
        .filter_map(|drop_box| Some((past.origin(drop_box)?.time, past.key(drop_box)?.clone())))
        .collect();
    older.sort_by_key(|(time, _)| std::cmp::Reverse(*time));
    keys.extend(older.into_iter().take(MOST_FOLLOWED).map(|(_, key)| key));
    keys.iter()
        .map(|old| follows_entry(old, name, new.drop_box()))
        .collect()
}

/// The entry of `follows` by which `old` vouches for the key of `new`.
fn follows_entry(old: &EnvironmentKey, name: &EnvironmentName, new: &DropBox) -> Result<(KeyId, String)> {
    let base64 = seal_token(old, &TokenPlaintext::follows(name.clone(), new))?;
    let token = Token {
        key: old.id().clone(),
        version: Version::follows(),
        base64: &base64,
    };
    Ok((old.id().clone(), token.to_string()))
}

/// The body with every token sealed under `key` for the environment of `new_rules`, if it is to be, and with the tokens that
/// are taken over.
pub(super) fn resealed_body(
    environment: &Environment<'_>,
    key: &EnvironmentKey,
    new_rules: Rulebook<'_>,
    all: bool,
    taken: &[(Takeover, TokenPlaintext)],
) -> Result<String> {
    let reading = &environment.reading;
    let rules = environment.rules;
    let places = reading.places(rules)?;
    reading.check(rules)?;
    let takeovers: BTreeMap<&ValuePath, &TokenPlaintext> = taken
        .iter()
        .map(|(takeover, opened)| (&takeover.path, opened))
        .collect();
    let own: Vec<_> = places
        .iter()
        .filter(|place| place.token.is_some() && !takeovers.contains_key(&place.path))
        .collect();
    let seal = |part: &[&super::Place<'_, '_>]| -> Result<Vec<String>> {
        let seal_one = |place: &&super::Place<'_, '_>| {
            let token = place.token.as_ref().expect("only tokens were chosen");
            let opened = environment.open_place(place)?;
            seal_value(key, new_rules, &place.path, &token.version, opened.value, opened.source)
        };
        part.iter().map(seal_one).collect()
    };
    let sealed = if all {
        super::environment::on_threads(&own, seal)?
    } else {
        Vec::new()
    };
    let mut new: BTreeMap<usize, (&crate::document::tree::Scalar<'_>, String)> = own
        .iter()
        .zip(sealed)
        .map(|(place, token)| (place.scalar.head.start, (place.scalar, token)))
        .collect();
    for place in &places {
        if let Some(opened) = takeovers.get(&place.path) {
            let version = opened.version.clone();
            let token = seal_value(
                key,
                new_rules,
                &place.path,
                &version,
                opened.value.clone(),
                opened.source.clone(),
            )?;
            new.insert(place.scalar.head.start, (place.scalar, token));
        }
    }
    let tokens: Vec<_> = new.into_values().collect();
    Ok(write_tokens(
        reading.tree.body(),
        &reading.tree.lines,
        reading.line_end,
        &tokens,
    ))
}

/// The proposals sealed anew, and those that do not open.
pub(super) fn reseal_proposals(
    environment: &Environment<'_>,
    key: &EnvironmentKey,
    new_rules: Rulebook<'_>,
) -> Result<(BTreeMap<ProposalLabel, String>, Vec<Dropped>)> {
    let (mut proposals, mut dropped) = (BTreeMap::new(), Vec::new());
    for (label, file) in &environment.reading.footer.proposals {
        match opened_proposal(environment, label, file) {
            Ok(mut opened) => {
                opened.policy.clone_from(&new_rules.policy.id);
                opened.environment = new_rules.environment.name.clone();
                let (label, sealed) = seal_proposal(key.drop_box(), &opened)?;
                proposals.insert(label, to_base64(&sealed));
            }
            Err(reason) => dropped.push(Dropped {
                label: label.clone(),
                reason,
                origin: None,
            }),
        }
    }
    Ok((proposals, dropped))
}

/// A proposal of the file, or why it is none.
fn opened_proposal(
    environment: &Environment<'_>,
    label: &ProposalLabel,
    file: &str,
) -> Result<ProposalPlaintext, String> {
    let bytes = from_base64(file, usize::MAX / 8).map_err(|reason| reason.to_string())?;
    let opened = open_proposal(&environment.key, label, &bytes).map_err(|reason| reason.to_string())?;
    let policy = &environment.rules.policy.id;
    if opened.environment != environment.rules.environment.name {
        return Err(format!("it was made for `{}`", opened.environment));
    }
    if opened.policy != *policy {
        return Err(format!("it was made for the policy `{}`", opened.policy));
    }
    Ok(opened)
}

pub(super) fn reseal_previous(
    environment: &Environment<'_>,
    key: &EnvironmentKey,
    new_rules: Rulebook<'_>,
) -> Result<BTreeMap<Version, Previous>> {
    let mut all = BTreeMap::new();
    for (version, previous) in &environment.reading.footer.previous {
        let token = Token::parse(&previous.token).expect("checked when the footer was read");
        let opened = environment.open_token(&token, &previous.path, TokenKind::Previous)?;
        let plaintext = TokenPlaintext {
            kind: TokenKind::Previous,
            environment: new_rules.environment.name.clone(),
            path: previous.path.to_json(),
            version: version.clone(),
            value: opened.value,
            source: opened.source,
        };
        let base64 = seal_token(key, &plaintext)?;
        let token = Token {
            key: key.id().clone(),
            version: version.clone(),
            base64: &base64,
        }
        .to_string();
        all.insert(
            version.clone(),
            Previous {
                token,
                ..previous.clone()
            },
        );
    }
    Ok(all)
}
