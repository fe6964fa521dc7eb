//! From a footer to its key: the grant that an identity here opens, held against the file that it stands in. Whether the key
//! may be believed is judged afterwards.

use super::Vault;
use super::footer::Footer;
use super::reading::Rulebook;
use crate::crypto::envelope::from_base64;
use crate::crypto::grant::{GrantError, GrantPlaintext, LARGEST_GRANT, open_any};
use crate::crypto::key::EnvironmentKey;
use crate::crypto::label::GrantLabel;
use crate::error::{Failure, FailureKind, Result};

impl Vault<'_> {
    /// The key of a footer, from the grant that an identity here opens.
    pub(super) fn open_key(&mut self, rules: Rulebook<'_>, footer: &Footer) -> Result<EnvironmentKey> {
        Ok(self.open_grant(rules, footer)?.1)
    }

    /// The key of a footer, and the label of the grant that an identity here opened.
    pub(super) fn open_grant(&mut self, rules: Rulebook<'_>, footer: &Footer) -> Result<(GrantLabel, EnvironmentKey)> {
        match (self.grant_of(rules, footer), self.at) {
            (Ok((label, grant)), _) => {
                self.check_grant(rules, footer, &grant)?;
                Ok((label, grant.key))
            }
            (Err(error), Some(at)) if FailureKind::of(&error) == Some(FailureKind::NoIdentity) => {
                let later = self.scene().granted_later(rules.environment, footer, at)?;
                later.ok_or(error)
            }
            (Err(error), _) => Err(error),
        }
    }

    /// The grant that an identity here opens, whatever it says.
    pub(super) fn grant_of(&mut self, rules: Rulebook<'_>, footer: &Footer) -> Result<(GrantLabel, GrantPlaintext)> {
        let name = &rules.environment.name;
        let grants: Vec<_> = footer
            .all_grants()
            .map(|(_, label, file)| from_base64(file, LARGEST_GRANT).map(|bytes| (label, bytes)))
            .collect::<Result<_, _>>()
            .map_err(|reason| Failure::integrity(format!("a grant of `{name}` is refused: {reason}")))?;
        let borrowed: Vec<_> = grants.iter().map(|(label, bytes)| (*label, bytes.as_slice())).collect();
        match open_any(&borrowed, &mut self.identities) {
            Ok((index, grant)) => Ok((grants[index].0.clone(), grant)),
            Err(GrantError::NoIdentity) => Err(self.no_identity(rules, footer)),
            Err(GrantError::Unusable(error)) => Err(error),
            Err(GrantError::Integrity(label, reason)) => {
                let message = format!("the grant `{label}` of `{name}` is refused: {reason}");
                let hint = format!("git log -p -- {}", rules.environment.file.display());
                Err(Failure::integrity(message).hint(hint).into())
            }
        }
    }

    pub(super) fn check_grant(&self, rules: Rulebook<'_>, footer: &Footer, grant: &GrantPlaintext) -> Result<()> {
        let name = &rules.environment.name;
        let hint = format!("git log -p -- {}", rules.environment.file.display());
        if grant.environment != *name {
            let message = format!("the file of `{name}` holds a grant of `{}`", grant.environment);
            return Err(Failure::integrity(message).hint(hint).into());
        }
        if grant.policy != self.loaded.policy.id {
            let message = format!(
                "the file of `{name}` belongs to the policy `{}`, but the policy here is `{}`",
                grant.policy, self.loaded.policy.id
            );
            return Err(Failure::integrity(message).hint(hint).into());
        }
        if *grant.key.drop_box() != footer.drop_box {
            let message = format!(
                "the footer of `{name}` names the key `{}`, but the grant holds `{}`",
                footer.drop_box.id(),
                grant.key.id()
            );
            return Err(Failure::integrity(message).hint(hint).into());
        }
        Ok(())
    }

    pub(super) fn no_identity(&mut self, rules: Rulebook<'_>, footer: &Footer) -> anyhow::Error {
        let name = &rules.environment.name;
        let failure = Failure::no_identity(format!("no identity here can open `{name}`"));
        let own: Vec<_> = self
            .identities
            .public_keys()
            .into_iter()
            .map(|(_, key)| key.clone())
            .collect();
        let is_reader = rules
            .policy
            .reader_keys(rules.environment)
            .iter()
            .any(|(_, key)| own.contains(key));
        let granted: Vec<_> = footer.grants.keys().map(|reader| reader.as_str()).take(12).collect();
        let granted = granted.join(", ");
        let mut failure = if self.at.is_some() {
            failure.hint(format!("its readers then were {granted}: ask one of them"))
        } else if is_reader {
            failure.hint(format!(
                "the policy lists your key already: ask {} to run `secretree apply {name}`",
                granted.replace(", ", " or ")
            ))
        } else {
            failure.hint(format!(
                "readers are {granted}; to join: `secretree join {name}`, commit, then one of them runs `secretree apply {name}`"
            ))
        };
        for (source, problem) in self.identities.problems() {
            failure = failure.hint(format!("{source}: {problem}"));
        }
        failure.into()
    }
}
