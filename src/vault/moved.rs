//! Files whose environment, or whose policy, is called otherwise now. Both names are sealed into every grant and token, so
//! that no file can pass for another; a rename seals them all anew, under a new key, and every value keeps its version.

use std::collections::BTreeMap;

use super::apply::{Plan, wanted};
use super::footer::footer_of;
use super::past_files::past_files;
use super::reading::{Reading, Rulebook};
use super::rekey::{reseal_previous, reseal_proposals, resealed_body};
use super::{EnvironmentFile, Vault};
use crate::crypto::identities::Identities;
use crate::crypto::key::EnvironmentKey;
use crate::document::tree::{Rules, Tree};
use crate::error::{Failure, Result};
use crate::names::EnvironmentName;
use crate::policy::LoadedPolicy;

/// What a file was sealed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Former {
    /// The environment's name then.
    pub environment: EnvironmentName,
    /// The policy's `id` then.
    pub policy: String,
}

impl Vault<'_> {
    /// What a file was sealed for, where that is no environment of the policy any more, or the policy has another `id`. Only
    /// who can open it can tell.
    pub(super) fn former(&mut self, rules: Rulebook<'_>, text: &str) -> Result<Option<Former>> {
        let Some(footer) = footer_of(text) else {
            return Ok(None);
        };
        let is_renamed = footer.environment != rules.environment.name;
        if is_renamed && rules.policy.environment(&footer.environment).is_some() {
            return Ok(None);
        }
        let Ok((_, grant)) = self.grant_of(rules, &footer) else {
            return Ok(None);
        };
        let is_whole = grant.environment == footer.environment && *grant.key.drop_box() == footer.drop_box;
        let is_moved = is_renamed || grant.policy != rules.policy.id;
        Ok((is_whole && is_moved).then_some(Former {
            environment: grant.environment,
            policy: grant.policy,
        }))
    }

    /// The plan that seals a file anew for what it is called now. Its old key is judged as it was under the old names.
    pub(super) fn plan_moved(
        &mut self,
        rules: Rulebook<'_>,
        file: &EnvironmentFile,
        text: &str,
        former: Former,
    ) -> Result<Plan> {
        let name = &rules.environment.name;
        let wanted = wanted(rules);
        self.check_reader(rules, &wanted)?;
        let key = EnvironmentKey::generate();
        let then = self.policy_then(rules, &former);
        let moved = self.as_then(&then, |vault| {
            let reading = Reading::new(text, vault.rules(&former.environment)?)?;
            let environment = vault.unlock(reading)?;
            let body = resealed_body(&environment, &key, rules, true, &[])?;
            let mut footer = environment.reading.footer.clone();
            let (proposals, dropped) = reseal_proposals(&environment, &key, rules)?;
            footer.proposals = proposals;
            footer.previous = reseal_previous(&environment, &key, rules)?;
            Ok((body, footer, dropped))
        });
        let (body, mut footer, dropped) = moved.map_err(|error| match former.policy == rules.policy.id {
            true => error,
            false => Failure::from(error)
                .rephrase(|reason| {
                    let (then, now) = (&former.policy, &rules.policy.id);
                    format!("{reason}; the file belongs to the policy `{then}`, but the policy here is `{now}`")
                })
                .into(),
        })?;
        let mut plan = Plan::nothing(name, file);
        let granted: BTreeMap<_, _> = footer.all_grants().map(|(name, label, _)| (label, name)).collect();
        plan.compare(&wanted, &granted);
        let tree = Tree::parse(text, Rules::File).map_err(|refusal| super::refused(&file.relative, &refusal))?;
        let reading = Reading {
            line_end: crate::document::lines::line_end(text),
            footer: footer.clone(),
            tree,
        };
        footer.environment = name.clone();
        footer.drop_box = key.drop_box().clone();
        // An entry under the old names would be heard by nobody.
        footer.follows.clear();
        footer.grants = self.grants(rules, &key, &wanted)?;
        plan.text = reading.assemble(&body, &footer);
        Reading::new(&plan.text, rules)?.check(rules)?;
        plan.new_key = Some(key.id().clone());
        plan.dropped = dropped;
        plan.former = Some(former);
        Ok(plan)
    }

    /// The policy as it was before the rename, as far as this environment goes.
    fn policy_then(&self, rules: Rulebook<'_>, former: &Former) -> LoadedPolicy {
        let mut then = self.loaded.clone();
        then.policy.id.clone_from(&former.policy);
        let mut environment = rules.environment.clone();
        environment.name.clone_from(&former.environment);
        then.policy.environments.remove(&rules.environment.name);
        then.policy.environments.insert(former.environment.clone(), environment);
        then
    }

    /// Does `work` under another policy, with the same identities, repository and trust.
    fn as_then<R>(&mut self, then: &LoadedPolicy, work: impl FnOnce(&mut Vault<'_>) -> Result<R>) -> Result<R> {
        let nobody = Identities::new(Vec::new(), self.plugins.clone());
        let mut vault = Vault {
            loaded: then,
            place: self.place.clone(),
            repository: self.repository.take(),
            identities: std::mem::replace(&mut self.identities, nobody),
            plugins: self.plugins.clone(),
            trust: self.trust.clone(),
            named: self.named.clone(),
            made: Vec::new(),
            notices: Vec::new(),
            opens_base: false,
            at: None,
        };
        let outcome = work(&mut vault);
        let Vault {
            repository,
            identities,
            trust,
            notices,
            ..
        } = vault;
        self.repository = repository;
        self.identities = identities;
        self.trust = trust;
        self.notices.extend(notices);
        outcome
    }

    /// Fails where the environment has its file elsewhere by the policy, and the old one is there still: a new one would
    /// be empty.
    pub(super) fn refuse_elsewhere(&self, rules: Rulebook<'_>, file: &EnvironmentFile) -> Result<()> {
        let Some((repository, prefix)) = self.inside() else {
            return Ok(());
        };
        let found = past_files(repository, repository.head()?, None, prefix, rules.environment)?;
        for old in found.files.iter().filter_map(|old| old.strip_prefix(prefix).ok()) {
            let is_claimed = rules.policy.environment_of_file(old).is_some();
            let read = crate::files::read_if_present(&self.place.join(old), crate::files::FILE_LIMIT);
            let text = read.ok().flatten().and_then(|bytes| String::from_utf8(bytes).ok());
            let footer = text.as_deref().and_then(footer_of);
            if !is_claimed && footer.is_some_and(|footer| footer.environment == file.name) {
                let (old, new) = (old.display(), file.relative.display());
                let message = format!(
                    "the policy has the file of `{}` at `{new}`, but it stands at `{old}`",
                    file.name
                );
                return Err(Failure::failed(message).hint(format!("git mv {old} {new}")).into());
            }
        }
        Ok(())
    }
}
