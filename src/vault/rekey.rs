//! The text of an environment's file under other grants or a new key: every token, old value and proposal sealed anew, and
//! the words by which the old keys vouch for the new one.

use std::collections::BTreeMap;

use super::Vault;
use super::apply::Wanted;
use super::environment::{Environment, seal_value};
use super::footer::Previous;
use super::past::PastKeys;
use super::past_files::past_files;
use super::reading::{Reading, Rulebook};
use super::takeover::Takeover;
use crate::crypto::envelope::{from_base64, to_base64};
use crate::crypto::key::{DropBox, EnvironmentKey};
use crate::crypto::label::GrantLabel;
use crate::crypto::proposal::{ProposalLabel, open_proposal, seal_proposal};
use crate::crypto::token::{TokenKind, TokenPlaintext, seal_token};
use crate::document::path::ValuePath;
use crate::document::token::Token;
use crate::document::write::write_tokens;
use crate::error::{Failure, Result};
use crate::names::{EnvironmentName, KeyId, Version};

/// The most keys, besides the replaced one and HEAD's, that a new key follows.
const MOST_FOLLOWED: usize = 16;

impl Vault<'_> {
    /// The new text of an opened file, and the id of its key if that is new.
    pub(super) fn rewritten(
        &mut self,
        environment: &Environment<'_>,
        wanted: &Wanted,
        makes_key: bool,
        taken: &[(Takeover, TokenPlaintext)],
    ) -> Result<(String, Option<KeyId>)> {
        let rules = environment.rules;
        let old = &environment.reading.footer;
        let key = if makes_key {
            EnvironmentKey::generate()
        } else {
            environment.key.clone()
        };
        let mut footer = old.clone();
        if makes_key {
            footer.drop_box = key.drop_box().clone();
            footer.follows = self.follows_of_successor(environment, &key)?;
            footer.grants = self.grants(rules, &key, wanted)?;
            footer.proposals = reseal_proposals(environment, &key)?;
            footer.previous = reseal_previous(environment, &key)?;
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
        let body = resealed_body(environment, &key, makes_key, taken)?;
        let text = environment.reading.assemble(&body, &footer);
        // What was just made is what everybody else will read: it must be whole.
        let check = Reading::new(&text, rules)?;
        check.check(rules)?;
        Ok((text, makes_key.then(|| key.id().clone())))
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
        let head = self.scene().head()?;
        let (past, _) = self
            .scene()
            .past(environment.rules.environment, footer, &environment.key, head, None)?;
        let mut followed = vec![environment.key.clone()];
        followed.extend(past.latest().and_then(|latest| past.key(latest)).cloned());
        let mut older: Vec<_> = past
            .drop_boxes()
            .filter(|drop_box| footer.follows.contains_key(&drop_box.id()))
            .filter_map(|drop_box| Some((past.origin(drop_box)?.time, past.key(drop_box)?.clone())))
            .collect();
        older.sort_by_key(|(time, _)| std::cmp::Reverse(*time));
        followed.extend(older.into_iter().take(MOST_FOLLOWED).map(|(_, key)| key));
        followed
            .iter()
            .map(|old| follows_entry(old, &name, key.drop_box()))
            .collect()
    }

    /// The `follows` of a key for a file that is not there: of the last key that history has, if it opens here.
    pub(super) fn follows_of_absent(
        &mut self,
        rules: Rulebook<'_>,
        key: &EnvironmentKey,
    ) -> Result<BTreeMap<KeyId, String>> {
        let past = self.past_of_absent(rules)?;
        let last = past.latest().and_then(|latest| past.key(latest));
        last.into_iter()
            .map(|old| follows_entry(old, &rules.environment.name, key.drop_box()))
            .collect()
    }

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

/// The body with every token sealed under `key`, if it is new, and with the tokens that are taken over.
fn resealed_body(
    environment: &Environment<'_>,
    key: &EnvironmentKey,
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
            seal_value(key, rules, &place.path, &token.version, opened.value, opened.source)
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
                rules,
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

fn reseal_proposals(environment: &Environment<'_>, key: &EnvironmentKey) -> Result<BTreeMap<ProposalLabel, String>> {
    let name = &environment.rules.environment.name;
    let policy = &environment.rules.policy.id;
    let mut proposals = BTreeMap::new();
    for (label, file) in &environment.reading.footer.proposals {
        let refused = |reason: String| {
            Failure::integrity(format!("the proposal `{label}` of `{name}` is refused: {reason}")).hint(format!(
                "take its lines out of {}",
                environment.rules.environment.file.display()
            ))
        };
        let bytes = from_base64(file, usize::MAX / 8).map_err(|reason| refused(reason.to_string()))?;
        let opened = open_proposal(&environment.key, label, &bytes).map_err(|reason| refused(reason.to_string()))?;
        if opened.environment != *name {
            return Err(refused(format!("it was made for `{}`", opened.environment)).into());
        }
        if opened.policy != *policy {
            let reason = format!(
                "it was made for the policy `{}`, but the policy here is `{policy}`",
                opened.policy
            );
            return Err(refused(reason).into());
        }
        let (label, sealed) = seal_proposal(key.drop_box(), &opened)?;
        proposals.insert(label, to_base64(&sealed));
    }
    Ok(proposals)
}

fn reseal_previous(environment: &Environment<'_>, key: &EnvironmentKey) -> Result<BTreeMap<Version, Previous>> {
    let mut all = BTreeMap::new();
    for (version, previous) in &environment.reading.footer.previous {
        let token = Token::parse(&previous.token).expect("checked when the footer was read");
        let opened = environment.open_token(&token, &previous.path, TokenKind::Previous)?;
        let plaintext = TokenPlaintext {
            kind: TokenKind::Previous,
            environment: environment.rules.environment.name.clone(),
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
