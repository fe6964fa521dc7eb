//! Tokens whose key is not the file's, which a merge can leave: worth no more than a proposal. Finds out whether they may be
//! taken over without asking anybody (FORMAT, "Which key is trusted").

use std::collections::BTreeSet;

use super::Vault;
use super::apply::wanted;
use super::environment::Environment;
use super::past::{Origin, PastKeys};
use super::past_files::{origin_of, past_files};
use super::reading::Rulebook;
use crate::crypto::key::DropBox;
use crate::crypto::token::{TokenKind, TokenPlaintext, open_token};
use crate::document::path::ValuePath;
use crate::error::{Failure, Result};
use crate::names::KeyId;
use crate::policy::{POLICY_NAME, Policy};

/// A token whose key is not the file's, worth no more than a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Takeover {
    /// Where it stands.
    pub path: ValuePath,
    /// The key it is sealed under.
    pub key: KeyId,
    /// Who brought it, as far as history tells.
    pub origin: Option<Origin>,
    /// Whether its key leads to the current one, with no other beside it, and everybody who ever held it reads the
    /// environment by the current policy and by that of the commit which brought the current key: then nobody has to be
    /// asked.
    pub proven: bool,
}

impl Vault<'_> {
    /// The tokens of other keys in the file, opened: what FORMAT calls taking over.
    pub(super) fn taken_over(&mut self, environment: &Environment<'_>) -> Result<Vec<(Takeover, TokenPlaintext)>> {
        let rules = environment.rules;
        let name = &rules.environment.name;
        let places = environment.reading.places(rules)?;
        let foreign: Vec<_> = places
            .iter()
            .filter_map(|place| place.token.as_ref().map(|token| (&place.path, token)))
            .filter(|(_, token)| token.key != *environment.key.id())
            .collect();
        if foreign.is_empty() {
            return Ok(Vec::new());
        }
        let merged = self.merged_now();
        let past = self.past_with(rules, &environment.reading.footer, &environment.key, &merged)?;
        let mut taken = Vec::new();
        for (path, token) in foreign {
            let unknown = || {
                Failure::integrity(format!(
                    "the token at `{name}:{path}` is sealed under the key `{}`, which does not open here",
                    token.key
                ))
                .hint(format!("set the value again: secretree set {name} {path}"))
            };
            let old = past
                .drop_boxes()
                .find(|drop_box| drop_box.id() == token.key)
                .ok_or_else(unknown)?;
            let key = past.key(old).ok_or_else(unknown)?;
            let opened = open_token(key, token.base64).map_err(|_| unknown())?;
            let sound = opened.kind == TokenKind::Value
                && opened.environment == *name
                && opened.path == path.to_json()
                && opened.version == token.version;
            if !sound {
                return Err(unknown().into());
            }
            let current = environment.key.drop_box();
            let proven = past.complete
                && past.is_only_way(old, current)
                && self.holders_still_read(rules, &past, old, current)?;
            taken.push((
                Takeover {
                    path: path.clone(),
                    key: token.key.clone(),
                    origin: self.token_origin(rules, token.base64)?,
                    proven,
                },
                opened,
            ));
        }
        Ok(taken)
    }

    /// The commit that brought a token into the environment's file.
    pub(super) fn token_origin(&self, rules: Rulebook<'_>, base64: &str) -> Result<Option<Origin>> {
        let Some((repository, prefix)) = self.inside() else {
            return Ok(None);
        };
        for head in repository.head()?.into_iter().chain(repository.merged_now()) {
            let found = past_files(repository, Some(head), None, prefix, rules.environment)?;
            let origin = origin_of(repository, &found.files, head, base64)?;
            if origin.is_some() {
                return Ok(origin);
            }
        }
        Ok(None)
    }

    /// Whether each public key that ever held `old` belongs to a reader by the current policy, and by the policy of the
    /// commit that brought the key of `current`.
    pub(super) fn holders_still_read(
        &self,
        rules: Rulebook<'_>,
        past: &PastKeys,
        old: &DropBox,
        current: &DropBox,
    ) -> Result<bool> {
        let holders = past.holders(old);
        let wanted = wanted(rules);
        if !holders.iter().all(|label| wanted.contains_key(label)) {
            return Ok(false);
        }
        let Some((repository, prefix)) = self.inside() else {
            return Ok(false);
        };
        let Some(commit) = past
            .origin(current)
            .and_then(|origin| origin.commit.as_deref())
            .and_then(crate::git::CommitId::new)
        else {
            // Not committed yet: the work tree's policy is the one of the commit to come.
            return Ok(true);
        };
        let policy = repository
            .blob_at(commit, &prefix.join(POLICY_NAME))?
            .and_then(|bytes| String::from_utf8(bytes).ok());
        let Some(policy) = policy.and_then(|text| Policy::parse(&text, POLICY_NAME).ok()) else {
            return Ok(false);
        };
        let Some(environment) = policy.environment(&rules.environment.name) else {
            return Ok(false);
        };
        let then: BTreeSet<_> = policy
            .reader_keys(environment)
            .into_iter()
            .map(|(_, key)| key.label().clone())
            .collect();
        Ok(holders.iter().all(|label| then.contains(label)))
    }
}
