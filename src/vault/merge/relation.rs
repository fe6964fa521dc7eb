//! Which of two keys is newer. Read from `follows`, never from dates; without the old key its entry is only a claim, and
//! nothing is sealed because of it.

use super::{Keys, Prepared, Version, Versions};
use crate::crypto::key::EnvironmentKey;
use crate::error::{Failure, Result};
use crate::git::CommitId;
use crate::merge::Side;
use crate::vault::Vault;
use crate::vault::past::{Origin, PastKeys, vouches};
use crate::vault::past_files::past_files;
use crate::vault::reading::Rulebook;

/// How the keys of two sides stand to each other.
pub(super) enum Relation {
    /// The key of this side follows the other's, and is trusted.
    Follows(Newer),
    /// They were made beside each other, and both are trusted.
    Beside(Box<Keys>),
    /// Nothing may be sealed; why.
    Unknown(Failure),
}

/// A key that follows the other side's.
pub(super) struct Newer {
    pub(super) side: Side,
    pub(super) key: EnvironmentKey,
    pub(super) past: PastKeys,
}

impl Vault<'_> {
    /// How the keys of the sides stand to each other, as far as it can be known here.
    pub(super) fn relate(
        &mut self,
        rules: Rulebook<'_>,
        versions: &Versions<'_>,
        merged: &[CommitId],
    ) -> Result<Relation> {
        let keys = [Side::Ours, Side::Theirs].map(|side| self.open_key(rules, &versions.of(side).footer));
        for (side, key) in [Side::Ours, Side::Theirs].into_iter().zip(&keys) {
            if let Ok(key) = key
                && let Some(failure) = false_claim(rules, versions.of(side.opposite()), key)
            {
                return Ok(Relation::Unknown(failure));
            }
        }
        let [ours, theirs] = match keys {
            [Ok(ours), Ok(theirs)] => [ours, theirs],
            [Err(error), _] | [_, Err(error)] => return Ok(Relation::Unknown(unopened_key(rules, error))),
        };
        let mut past = self.past_of_merge(rules, &versions.ours, &ours, merged)?;
        past.learn(&versions.theirs.footer, &Origin::uncommitted(), &mut self.identities);
        past.learn_key(&theirs);
        let leads =
            |old: &EnvironmentKey, new: &EnvironmentKey| past.leading_to(new.drop_box()).contains(old.drop_box());
        let newer = match (leads(&theirs, &ours), leads(&ours, &theirs)) {
            (true, false) => Some((Side::Ours, ours.clone())),
            (false, true) => Some((Side::Theirs, theirs.clone())),
            _ => None,
        };
        if let Some((side, key)) = newer {
            return Ok(match self.judged(rules, &versions.of(side).footer, &key) {
                Ok(()) => Relation::Follows(Newer { side, key, past }),
                Err(error) => {
                    let words = "a side has a new key that is not trusted here";
                    Relation::Unknown(untrusted_key(rules, versions.of(side), words, error))
                }
            });
        }
        for (side, key) in [(Side::Ours, &ours), (Side::Theirs, &theirs)] {
            if let Err(error) = self.judged(rules, &versions.of(side).footer, key) {
                let words = "both sides made a new key, and one of them is not trusted here";
                return Ok(Relation::Unknown(untrusted_key(rules, versions.of(side), words, error)));
            }
        }
        Ok(Relation::Beside(Box::new(Keys { ours, theirs })))
    }

    /// Judges the key of a side as if its text stood in the work tree.
    fn judged(&mut self, rules: Rulebook<'_>, footer: &super::Footer, key: &EnvironmentKey) -> Result<()> {
        let is_known = self.scene().is_trusted(&rules.environment.name, key.drop_box());
        let judgement = self.scene().judge(rules.environment, footer, key)?;
        // That a newer key is known here is no news: there are two.
        self.notices.extend(judgement.notice.filter(|_| !is_known));
        Ok(())
    }

    /// The keys that the history behind HEAD, the index and the merged commits know.
    pub(super) fn past_of_merge(
        &mut self,
        rules: Rulebook<'_>,
        ours: &Version<'_>,
        key: &EnvironmentKey,
        merged: &[CommitId],
    ) -> Result<PastKeys> {
        self.past_with(rules, &ours.footer, key, merged)
    }
}

impl Vault<'_> {
    /// The keys known to the history behind HEAD and these other commits, with the key of `footer`.
    pub(in crate::vault) fn past_with(
        &mut self,
        rules: Rulebook<'_>,
        footer: &super::Footer,
        key: &EnvironmentKey,
        merged: &[CommitId],
    ) -> Result<PastKeys> {
        let environment = rules.environment;
        let head = self.scene().head()?;
        let (mut past, _) = self.scene().past(environment, footer, key, head, None)?;
        if let Some(repository) = self.repository.as_ref().filter(|_| !merged.is_empty())
            && let Ok(prefix) = self.place.strip_prefix(repository.root())
        {
            for commit in merged {
                let found = past_files(repository, Some(*commit), None, prefix, environment)?;
                past.complete &= found.complete;
                for file in &found.files {
                    past.read_versions(repository, file, *commit, None, &mut self.identities)?;
                }
            }
            past.learn_key(key);
        }
        Ok(past)
    }
}

/// A side that claims to follow a key which opens here and says no such thing.
fn false_claim(rules: Rulebook<'_>, version: &Version<'_>, old: &EnvironmentKey) -> Option<Failure> {
    let name = &rules.environment.name;
    let footer = &version.footer;
    let token = footer.follows.get(old.id())?;
    if vouches(old, token, name, &footer.drop_box) {
        return None;
    }
    let (new, old) = (footer.drop_box.id(), old.id());
    let message = format!("`{name}`: the key `{new}` claims to follow `{old}`, which does not vouch for it");
    Some(Failure::integrity(message).hint("somebody forged it; see who, on that branch: git log -p"))
}

fn unopened_key(rules: Rulebook<'_>, error: anyhow::Error) -> Failure {
    let name = &rules.environment.name;
    let words = format!("the two sides of `{name}` stand under two keys, and nobody here opens both");
    Failure::from(error)
        .rephrase(|reason| format!("{words}: {reason}"))
        .hint("or let a reader merge: git merge --abort")
}

/// A key that may not be believed. What the judgement advises is about the work tree's file; here it is one of two.
fn untrusted_key(rules: Rulebook<'_>, version: &Version<'_>, words: &str, error: anyhow::Error) -> Failure {
    let name = &rules.environment.name;
    let drop_box = version.footer.drop_box.as_str();
    Failure::integrity(format!("`{name}`: {words}: {}", Failure::from(error).message()))
        .hint("see who made it, on its branch: git log -p")
        .hint(format!(
            "if a reader made it: git merge --abort, and merge again with SECRETREE_TRUST={name}:{drop_box}"
        ))
}

/// What can be done where nothing may be sealed. A side that claims to follow the other has the newer key, and what the
/// older one changed is left to a person; else the footers are.
pub(super) fn unopened(versions: &Versions<'_>, failure: Option<Failure>) -> Prepared {
    let claims =
        |newer: &Version<'_>, older: &Version<'_>| newer.footer.follows.contains_key(&older.footer.drop_box.id());
    let newer = match (
        claims(&versions.ours, &versions.theirs),
        claims(&versions.theirs, &versions.ours),
    ) {
        (true, false) => Some(Side::Ours),
        (false, true) => Some(Side::Theirs),
        _ => None,
    };
    // A key that was weighed and found wanting is nobody's newer key.
    let is_refused = failure
        .as_ref()
        .is_some_and(|failure| failure.kind() == crate::error::FailureKind::Integrity);
    let failure = failure.unwrap_or_else(|| {
        let name = &versions.ours.footer.environment;
        Failure::no_identity(format!(
            "the two sides of `{name}` stand under two keys, and nothing here opens them"
        ))
        .hint("let a reader merge: git merge --abort")
    });
    super::carry::unopened(versions, newer.filter(|_| !is_refused), failure)
}
