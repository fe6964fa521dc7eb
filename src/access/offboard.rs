//! Somebody leaves: out of every line of the policy, and out of every file under a new key. What they could have read
//! before that is history's to say.

use std::collections::BTreeSet;

use crate::crypto::label::GrantLabel;
use crate::document::path::ValuePath;
use crate::error::{Failure, FailureKind, Result};
use crate::history::{Exposed, Exposure, Exposures, History, Standing};
use crate::names::{EnvironmentName, RecipientName, Version};
use crate::policy::{LoadedPolicy, PolicyChange, PolicyEdit};
use crate::vault::{Plan, Vault};

/// New lines of the policy, without somebody.
#[derive(Debug)]
pub struct Departure {
    /// Who goes.
    pub name: RecipientName,
    /// The lines; none if the policy does not name them any more.
    pub change: PolicyChange,
    /// Where they stood: `recipients`, `groups.platform`.
    pub places: Vec<String>,
    /// The labels of the public keys that the policy gave them.
    pub labels: BTreeSet<GrantLabel>,
}

/// Takes `name` out of every line of the policy, the owners of values among them.
///
/// # Errors
/// `Failed` if it is a group, if an environment would be left without readers or writers, or if the text is laid out in
/// a way that cannot be changed safely.
pub fn depart(loaded: &LoadedPolicy, name: &RecipientName) -> Result<Departure> {
    let people = &loaded.policy.people;
    if people.group(name).is_some() {
        return Err(
            Failure::failed(format!("`{name}` is a group, and who leaves is a person or a machine"))
                .hint(format!("to take it out of environments: secretree revoke {name} ENV"))
                .into(),
        );
    }
    let mut edit = PolicyEdit::new(loaded);
    let mut labels = BTreeSet::new();
    let mut places = Vec::new();
    if let Some(recipient) = people.recipient(name.as_str()) {
        labels.extend(recipient.keys.iter().map(|key| key.label().clone()));
        places = edit.remove_for_good(name)?;
    }
    Ok(Departure {
        name: name.clone(),
        change: edit.finish()?,
        places,
        labels,
    })
}

/// A value that somebody could have read, and that is in use still.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToChange {
    /// The environment.
    pub environment: EnvironmentName,
    /// Where it stands.
    pub path: ValuePath,
    /// The version that they could have read.
    pub version: Version,
    /// What the policy declares it to be for.
    pub description: Option<String>,
    /// Who answers for it, by the policy.
    pub owner: Option<String>,
}

impl Departure {
    /// The labels of all public keys that they have or had: by the policy, the policies of history, and grants. Nothing if
    /// nobody of that name is known at all.
    pub fn all_labels(&self, history: Option<&History<'_>>, exposures: &Exposures) -> Option<BTreeSet<GrantLabel>> {
        let mut labels = exposures.labels_of(&self.name);
        let past = history.into_iter().flat_map(History::people);
        let past: Vec<_> = past.filter(|(name, _)| **name == self.name).collect();
        let is_known = !self.places.is_empty() || !past.is_empty() || exposures.names().contains(&self.name);
        labels.extend(past.into_iter().flat_map(|(_, labels)| labels).cloned());
        labels.extend(self.labels.iter().cloned());
        is_known.then_some(labels)
    }

    /// What is to be changed, out of all that they could have read: each value once, sorted by environment and path.
    pub fn to_change(&self, exposed: &Exposed) -> Vec<ToChange> {
        let policy = &self.change.after.policy;
        let current = exposed
            .values
            .iter()
            .filter(|value| value.standing == Standing::Current);
        let entry = |value: &Exposure| {
            let environment = policy.environment(&value.environment);
            let declared = environment.map_or_else(Vec::new, |known| policy.declarations(known, &value.path));
            ToChange {
                environment: value.environment.clone(),
                path: value.path.clone(),
                version: value.version.clone(),
                description: declared.iter().find_map(|secret| secret.description.clone()),
                owner: declared
                    .iter()
                    .find_map(|secret| secret.owner.as_ref().map(|owner| owner.value.clone())),
            }
        };
        let mut list: Vec<_> = current.map(entry).collect();
        list.sort_by(|one, other| (&one.environment, &one.path).cmp(&(&other.environment, &other.path)));
        list.dedup();
        list
    }

    /// The environments whose files know them: by a grant to one of `labels` or under their name.
    ///
    /// # Errors
    /// `Failed` if a file cannot be read.
    pub fn environments(&self, vault: &Vault<'_>, labels: &BTreeSet<GrantLabel>) -> Result<Vec<EnvironmentName>> {
        let mut found = Vec::new();
        for name in vault.loaded().policy.environments.keys() {
            let file = vault.load(name)?;
            if file.text.is_none() {
                continue;
            }
            let footer = vault.read(&file)?.footer;
            let mut grants = footer.all_grants();
            if grants.any(|(holder, label, _)| *holder == self.name || labels.contains(label)) {
                found.push(name.clone());
            }
        }
        Ok(found)
    }

    /// What the files of `environments` need; `step` is told of each. Who cannot open
    /// one of them is told of all that somebody else has to do.
    ///
    /// # Errors
    /// As [`Vault::plan`]; `NoIdentity` with every environment that does not open here.
    pub fn plans(
        &self,
        vault: &mut Vault<'_>,
        environments: &[EnvironmentName],
        mut step: impl FnMut(),
    ) -> Result<Vec<Plan>> {
        let (mut plans, mut closed, mut first) = (Vec::new(), Vec::new(), None);
        for environment in environments {
            match vault.plan(environment, false) {
                Ok(plan) if plan.is_empty() => {}
                Ok(plan) => plans.push(plan),
                Err(error) => match error.downcast_ref::<Failure>() {
                    Some(failure) if failure.kind() == FailureKind::NoIdentity => {
                        closed.push(format!("`{environment}`"));
                        first.get_or_insert_with(|| failure.clone());
                    }
                    _ => return Err(error),
                },
            }
            step();
        }
        match first {
            None => Ok(plans),
            Some(failure) if closed.len() == 1 => Err(failure.into()),
            Some(_) => {
                let name = &self.name;
                let message = format!("no identity here makes a new key for {}", closed.join(", "));
                Err(Failure::no_identity(message)
                    .hint("somebody who goes on reading all of them has to run this")
                    .hint(format!(
                        "or in parts: secretree recipient remove {name}, then each reader: secretree apply ENV"
                    ))
                    .into())
            }
        }
    }
}
