//! What `join` would change, and what that gives: read from the policy as it would be, so that nothing is given unsaid.

use std::collections::BTreeSet;

use secretree::error::{Failure, Result};
use secretree::names::{EnvironmentName, RecipientName, did_you_mean};
use secretree::policy::{
    Access, LoadedPolicy, NamedKey, NewRecipient, POLICY_NAME, Policy, PolicyChange, PolicyEdit, WayIn,
};

use super::Request;
use crate::context::shown_diff;

/// Who asks.
pub(super) enum Newcomer {
    /// Nobody the policy knows.
    New(RecipientName),
    /// Somebody it knows, with a key that it does not know.
    NewKey(RecipientName),
    /// Somebody it knows by one of the keys here.
    Known(RecipientName),
}

impl Newcomer {
    /// The name in the policy.
    pub(super) fn name(&self) -> &RecipientName {
        match self {
            Self::New(name) | Self::NewKey(name) | Self::Known(name) => name,
        }
    }
}

/// A change of the policy, and what it gives.
pub(super) struct Plan {
    /// The change.
    pub(super) change: PolicyChange,
    /// What the newcomer may do that they may not yet.
    pub(super) gives: Access,
    name: RecipientName,
}

impl Plan {
    /// Plans on the policy as it is now.
    pub(super) fn new(loaded: &LoadedPolicy, request: &Request) -> Result<Self> {
        let name = request.newcomer.name();
        let key = NamedKey {
            text: request.key.canonical().to_owned(),
            key: request.key.clone(),
        };
        let mut edit = PolicyEdit::new(loaded);
        match &request.newcomer {
            Newcomer::Known(_) => {}
            Newcomer::NewKey(name) => edit.add_key(name, &key)?,
            Newcomer::New(name) => edit.add_recipient(&NewRecipient {
                name: name.clone(),
                keys: vec![key],
                email: None,
                machine: false,
            })?,
        }
        let policy = &loaded.policy;
        let way = if request.groups.is_empty() {
            policy.way_in(name, &request.environments)
        } else {
            policy.way_through(name, &request.environments, &request.groups)
        };
        let WayIn { groups, environments } = way;
        for group in &groups {
            edit.add_member(group, name)?;
        }
        for environment in &environments {
            edit.add_reader(environment, name)?;
        }
        let change = edit.finish()?;
        let mut gives = change.after.policy.access(name);
        // A new key gets what its owner has; who is known gets what is new.
        if matches!(request.newcomer, Newcomer::Known(_)) {
            let has = policy.access(name);
            gives.reads.retain(|name| !has.reads.contains(name));
            gives.writes.retain(|name| !has.writes.contains(name));
            gives.maintains &= !has.maintains;
        }
        Ok(Self {
            change,
            gives,
            name: name.clone(),
        })
    }

    /// The diff, and a line for each thing it gives.
    pub(super) fn shown(&self) -> Vec<String> {
        let mut lines = shown_diff(&self.change);
        let name = &self.name;
        let listed = |kept: &dyn Fn(&str) -> bool, all: &BTreeSet<EnvironmentName>| {
            let names = all.iter().map(EnvironmentName::as_str).filter(|name| kept(name));
            names.collect::<Vec<_>>().join(", ")
        };
        let Access { reads, writes, .. } = &self.gives;
        for (what, names) in [
            ("read and change", listed(&|name| writes.contains(name), reads)),
            ("read", listed(&|name| !writes.contains(name), reads)),
            ("change", listed(&|name| !reads.contains(name), writes)),
        ] {
            if !names.is_empty() {
                lines.push(format!("`{name}` may then {what} {names}"));
            }
        }
        if self.gives.maintains {
            lines.push(format!(
                "`{name}` is then a maintainer: may change who reads what in {POLICY_NAME}"
            ));
        }
        lines
    }
}

/// The groups that `--group` named.
pub(super) fn known_groups(policy: &Policy, named: &[String]) -> Result<Vec<RecipientName>> {
    let known = |text: &String| RecipientName::new(text).filter(|name| policy.people.group(name).is_some());
    let check = |text: &String| -> Result<RecipientName> {
        known(text).ok_or_else(|| {
            let failure = Failure::failed(format!("`{text}` is no group"));
            let names = || policy.people.groups().map(|(name, _)| name.as_str());
            match did_you_mean(text, names()) {
                Some(near) => failure.hint(format!("did you mean `{near}`?")).into(),
                None => failure.hint("leave `--group` out, and name environments").into(),
            }
        })
    };
    named.iter().map(check).collect()
}
