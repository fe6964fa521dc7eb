//! Public keys that hold the key of a file although the policy lets nobody read with them any more. Until a new key is
//! made, nothing is sealed for them: no value, no proposal.

use super::environment::Environment;
use super::footer::Footer;
use super::reading::Rulebook;
use super::{EnvironmentFile, Vault};
use crate::crypto::label::GrantLabel;
use crate::error::{Failure, Result};
use crate::names::RecipientName;
use std::collections::HashSet;

/// Who holds the file's key and is no reader, with the public key that does.
pub(super) fn outsiders<'f>(rules: Rulebook<'_>, footer: &'f Footer) -> Vec<(&'f RecipientName, &'f GrantLabel)> {
    let readers = rules.policy.reader_keys(rules.environment);
    let labels: HashSet<&GrantLabel> = readers.iter().map(|(_, key)| key.label()).collect();
    let grants = footer.all_grants().map(|(name, label, _)| (name, label));
    grants.filter(|(_, label)| !labels.contains(label)).collect()
}

/// Fails while somebody who is no reader holds the file's key: what is sealed now, they could read.
pub(super) fn refuse_outsiders(rules: Rulebook<'_>, footer: &Footer) -> Result<()> {
    let found = outsiders(rules, footer);
    let Some((name, label)) = found.first() else {
        return Ok(());
    };
    let environment = &rules.environment.name;
    let others = match found.len() {
        1 => String::new(),
        more => format!(" and {} more", more - 1),
    };
    let message = format!(
        "`{name}` ({label}){others} holds the key of `{environment}` and is no reader by the policy: nothing is sealed for them"
    );
    Err(Failure::failed(message)
        .hint(format!("secretree apply {environment} makes a new key"))
        .into())
}

impl Vault<'_> {
    /// Fails while somebody who is no reader holds the key of the file: what is sealed now, they could read.
    ///
    /// # Errors
    /// `Failed`, naming the public key; as [`Vault::read`].
    pub fn refuse_outsiders(&self, file: &EnvironmentFile) -> Result<()> {
        refuse_outsiders(self.rules(&file.name)?, &self.read(file)?.footer)
    }
}

impl Environment<'_> {
    /// Fails while somebody who is no reader holds the file's key, before anybody types a value.
    ///
    /// # Errors
    /// `Failed`, naming the public key.
    pub fn refuse_outsiders(&self) -> Result<()> {
        refuse_outsiders(self.rules, &self.reading.footer)
    }
}
