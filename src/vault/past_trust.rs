//! Whether a key of the past may be believed. Reading under a key that was replaced since is allowed; what somebody put
//! into an old branch who never held a key of the environment is refused. The past teaches nothing: no key is noted.

use std::collections::BTreeSet;

use super::At;
use super::footer::Footer;
use super::past::{Origin, PastKeys};
use super::past_files::past_files;
use super::trust::{Notice, Scene};
use crate::crypto::key::{DropBox, EnvironmentKey};
use crate::crypto::label::GrantLabel;
use crate::error::{Failure, Result};
use crate::git::{CommitId, Repository};
use crate::names::EnvironmentName;
use crate::policy::EnvironmentPolicy;

/// A key of the past, while it is judged.
struct Case<'c> {
    environment: &'c EnvironmentPolicy,
    footer: &'c Footer,
    key: &'c EnvironmentKey,
    commit: CommitId,
}

impl Scene<'_> {
    /// Judges the key that an environment stood under in a commit; an identity here opened it.
    ///
    /// It passes if the history behind that commit knows no key that replaced it there, and it is trusted here; or a trusted
    /// key leads to it; or it leads to a trusted key, the history behind HEAD knows it, and none behind its commit speaks
    /// against it. Where nothing is trusted yet, the newest key behind HEAD stands for what would be.
    ///
    /// # Errors
    /// `Integrity` if it is not to be believed.
    pub(super) fn judge_past(
        &mut self,
        environment: &EnvironmentPolicy,
        footer: &Footer,
        key: &EnvironmentKey,
        at: At<'_>,
    ) -> Result<Option<Notice>> {
        let (name, drop_box) = (&environment.name, key.drop_box());
        let case = Case {
            environment,
            footer,
            key,
            commit: at.commit,
        };
        let known_policy = self.trust.policy_at(self.place).unwrap_or(&at.now.policy.id);
        let foreign = [known_policy, &at.now.policy.id]
            .into_iter()
            .find(|id| *id != self.policy);
        if let Some(other) = foreign.filter(|_| !self.is_named(name, drop_box)) {
            let message = format!(
                "the policy of that commit has the id `{}`, but the one of this folder is `{other}`",
                self.policy
            );
            return Err(distrusted(message, &case));
        }
        let Some(repository) = self.repository else {
            return Err(Failure::failed("there is no history here that could be read").into());
        };
        let behind = self.keys_behind(&case)?;
        if let Some(next) = behind.successors(drop_box).into_iter().next() {
            let message = format!(
                "`{name}` stood under the key `{}` there, which `{}` had replaced already ({})",
                drop_box.id(),
                next.id(),
                shown_origin(&behind, next)
            );
            return Err(distrusted(message, &case));
        }
        let trusted = self.trusted(name);
        let mut known = self.keys_behind_head(repository, environment, at)?;
        let head = repository.head()?;
        known.learn_key(key);
        let is_replaced = !known.successors(drop_box).is_empty();
        let is_behind = head.map_or(Ok(false), |head| repository.is_behind(at.commit, head))?;
        let notice = if trusted.contains(drop_box) {
            None
        } else {
            self.refuse_stranger(&case, &trusted, &behind, &mut known)?
        };
        // Whoever held it then can seal under it for ever.
        let late = format!(
            "that commit is not behind HEAD, and the key `{}` of `{name}` was replaced since: whoever held it once could have written this",
            drop_box.id()
        );
        Ok((is_replaced && !is_behind).then_some(Notice::Warning(late)).or(notice))
    }

    /// The key of a footer of the past that holds no grant for anybody here, if one was written later: who came later
    /// holds the same key. With the label of that grant.
    ///
    /// # Errors
    /// `Failed` if the repository cannot be read.
    pub(super) fn granted_later(
        &mut self,
        environment: &EnvironmentPolicy,
        footer: &Footer,
        at: At<'_>,
    ) -> Result<Option<(GrantLabel, EnvironmentKey)>> {
        let Some(repository) = self.repository else {
            return Ok(None);
        };
        let known = self.keys_behind_head(repository, environment, at)?;
        let Some(key) = known.key(&footer.drop_box) else {
            return Ok(None);
        };
        let holders = known.holders(&footer.drop_box);
        let own = self.identities.public_keys();
        let label = own
            .iter()
            .map(|(_, key)| key.label())
            .find(|label| holders.contains(label));
        // A plugin does not say what its public key is.
        let label = label.or_else(|| holders.iter().next());
        Ok(label.map(|label| (label.clone(), key.clone())))
    }

    /// The keys in the history behind HEAD, and in the index.
    fn keys_behind_head(
        &mut self,
        repository: &Repository,
        environment: &EnvironmentPolicy,
        at: At<'_>,
    ) -> Result<PastKeys> {
        let name = &environment.name;
        let head = repository.head()?;
        let now = at.now.policy.environment(name).unwrap_or(environment);
        let prefix = self.prefix().unwrap_or_default();
        let found = past_files(repository, head, None, &prefix, now)?;
        let mut known = PastKeys::new(self.policy, name);
        known.complete &= found.complete;
        known.read(repository, &found.files, head, None, self.identities)?;
        Ok(known)
    }

    /// The keys in the history behind the commit.
    fn keys_behind(&mut self, case: &Case<'_>) -> Result<PastKeys> {
        let mut behind = PastKeys::new(self.policy, &case.environment.name);
        let here = Origin::uncommitted();
        behind.learn(case.footer, &here, self.identities);
        let prefix = self.prefix().unwrap_or_default();
        if let Some(repository) = self.repository {
            behind.read_past(repository, &prefix, case.environment, case.commit, self.identities)?;
        }
        behind.learn_key(case.key);
        Ok(behind)
    }

    /// Fails unless the key, which this machine did not note, belongs to those that it trusts. `known` are the keys behind
    /// HEAD; the ones behind the commit are added if they are needed.
    fn refuse_stranger(
        &mut self,
        case: &Case<'_>,
        trusted: &[DropBox],
        behind: &PastKeys,
        known: &mut PastKeys,
    ) -> Result<Option<Notice>> {
        let (name, drop_box) = (&case.environment.name, case.key.drop_box());
        if trusted.is_empty() {
            self.refuse_unasked_first_sight(name)?;
        }
        let anchors: Vec<DropBox> = match trusted {
            [] => known.latest().into_iter().cloned().collect(),
            trusted => trusted.to_vec(),
        };
        let is_known: BTreeSet<&DropBox> = known.drop_boxes().collect();
        let is_older =
            is_known.contains(drop_box) && anchors.iter().any(|anchor| known.leading_to(anchor).contains(drop_box));
        if is_older || anchors.is_empty() {
            let before = behind.leading_to(drop_box);
            let stranger = behind
                .drop_boxes()
                .find(|other| behind.key(other).is_some() && !before.contains(other));
            if let Some(other) = stranger {
                return Err(unvouched(behind, case, other));
            }
            return Ok(self.first_sight_note(case, trusted, behind));
        }
        let prefix = self.prefix().unwrap_or_default();
        if let Some(repository) = self.repository {
            known.read_past(repository, &prefix, case.environment, case.commit, self.identities)?;
        }
        known.learn_key(case.key);
        let before = known.leading_to(drop_box);
        if anchors.iter().any(|anchor| before.contains(anchor)) {
            return Ok(self.first_sight_note(case, trusted, behind));
        }
        if !known.complete && anchors.iter().all(|anchor| known.key(anchor).is_none()) {
            let message = format!(
                "the key `{}` of `{name}` cannot be checked: the history here is cut",
                drop_box.id()
            );
            return Err(Failure::from(distrusted(message, case))
                .hint("git fetch --unshallow")
                .into());
        }
        Err(unvouched(known, case, anchors.last().unwrap_or(drop_box)))
    }

    /// What the person should hear of a key that passes and was never seen here.
    fn first_sight_note(&self, case: &Case<'_>, trusted: &[DropBox], behind: &PastKeys) -> Option<Notice> {
        let (name, drop_box) = (&case.environment.name, case.key.drop_box());
        let seen = format!(
            "the key `{}` that `{name}` stood under there was never seen on this machine ({})",
            drop_box.id(),
            shown_origin(behind, drop_box)
        );
        if !behind.complete {
            return Some(Notice::Warning(format!(
                "{seen}; the history here is cut, and cannot speak against it"
            )));
        }
        trusted.is_empty().then_some(Notice::Note(seen))
    }
}

impl PastKeys {
    /// Learns what the history behind `commit` says of the environment's files, whatever is staged.
    fn read_past(
        &mut self,
        repository: &Repository,
        prefix: &std::path::Path,
        environment: &EnvironmentPolicy,
        commit: CommitId,
        identities: &mut crate::crypto::identities::Identities,
    ) -> Result<()> {
        let found = past_files(repository, Some(commit), None, prefix, environment)?;
        self.complete &= found.complete;
        for file in &found.files {
            self.read_versions(repository, file, commit, None, identities)?;
        }
        Ok(())
    }
}

fn shown_origin(keys: &PastKeys, drop_box: &DropBox) -> String {
    keys.origin(drop_box)
        .map_or_else(|| "no commit yet".to_owned(), Origin::shown)
}

fn unvouched(keys: &PastKeys, case: &Case<'_>, known: &DropBox) -> anyhow::Error {
    let message = format!(
        "the key `{}` that `{}` stood under there ({}) is not trusted: nothing connects it with the key `{}`, known here",
        case.key.id(),
        case.environment.name,
        shown_origin(keys, case.key.drop_box()),
        known.id()
    );
    distrusted(message, case)
}

fn distrusted(message: String, case: &Case<'_>) -> anyhow::Error {
    let name: &EnvironmentName = &case.environment.name;
    Failure::integrity(message)
        .hint(format!(
            "ask who wrote that commit; only if it was meant: SECRETREE_TRUST={name}:{} in front of the command",
            case.key.drop_box().as_str()
        ))
        .into()
}
