//! Whose signature a commit carries. Git verifies it, against the signing keys of the policies that hold for the commit and
//! nothing else: SSH keys by a list that is made for the purpose, OpenPGP keys by their fingerprint.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Result;
use crate::files::PrivateFolder;
use crate::git::{CommitId, Git};
use crate::names::short_hash;
use crate::secret::Secret;

/// What git is asked with.
pub(super) struct Verifier<'a> {
    git: &'a Git,
    folder: &'a PrivateFolder,
    written: BTreeMap<BTreeSet<String>, std::path::PathBuf>,
}

impl<'a> Verifier<'a> {
    pub(super) fn new(git: &'a Git, folder: &'a PrivateFolder) -> Self {
        Self {
            git,
            folder,
            written: BTreeMap::new(),
        }
    }

    /// The one of `keys` (canonical signing keys) that signed the commit.
    ///
    /// # Errors
    /// `Failed` if there is no git, or no list can be written.
    pub(super) fn signer(&mut self, commit: CommitId, keys: &BTreeSet<String>) -> Result<Option<String>> {
        let list = match self.written.get(keys) {
            Some(list) => list.clone(),
            None => {
                let name = format!("signers-{}", self.written.len());
                let list = self.folder.write(&name, &Secret::from_text(allowed_signers(keys)))?;
                self.written.insert(keys.clone(), list.clone());
                list
            }
        };
        let setting = format!("gpg.ssh.allowedSignersFile={}", list.display());
        let output = self
            .git
            .run(&["-c", &setting, "verify-commit", "--raw", &commit.to_string()])?;
        if !output.status.success() {
            return Ok(None);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Ok(said.lines().find_map(|line| signer_in(line, keys)))
    }
}

/// What stands for a key in the list: no name of a person, which could be misread.
fn principal(key: &str) -> String {
    format!("key-{}", short_hash(key.as_bytes()))
}

/// The list of allowed signers (ssh-keygen(1), ALLOWED SIGNERS), for signatures of git only.
fn allowed_signers(keys: &BTreeSet<String>) -> String {
    let ssh = keys.iter().filter(|key| key.contains(' '));
    let lines = ssh.map(|key| format!("{} namespaces=\"git\" {key}\n", principal(key)));
    lines.collect()
}

/// The key that a line of `git verify-commit --raw` says the signature is by.
fn signer_in(line: &str, keys: &BTreeSet<String>) -> Option<String> {
    if let Some(rest) = line.strip_prefix("Good \"git\" signature for ") {
        let named = rest.split(' ').next()?;
        return keys.iter().find(|key| principal(key) == named).cloned();
    }
    // GnuPG, doc/DETAILS: the fingerprint of the key that signed is the first word, that of its primary key the last.
    let rest = line.strip_prefix("[GNUPG:] VALIDSIG ")?;
    let words: Vec<&str> = rest.split_ascii_whitespace().collect();
    let (first, last) = (words.first()?, words.last()?);
    keys.iter().find(|key| key == first || key == last).cloned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{allowed_signers, principal, signer_in};

    #[test]
    fn only_a_known_key_counts() {
        let ssh = "ssh-ed25519 AAAA".to_owned();
        let fingerprint = "AB".repeat(20);
        let keys = BTreeSet::from([ssh.clone(), fingerprint.clone()]);
        let good = format!(
            "Good \"git\" signature for {} with ED25519 key SHA256:x",
            principal(&ssh)
        );
        assert_eq!(signer_in(&good, &keys), Some(ssh.clone()));
        let valid = format!(
            "[GNUPG:] VALIDSIG {} 2026-01-05 1 0 4 0 22 8 00 {fingerprint}",
            "CD".repeat(20)
        );
        assert_eq!(signer_in(&valid, &keys), Some(fingerprint));
        for line in [
            "Good \"git\" signature for alice with ED25519 key SHA256:x",
            "Good \"git\" signature with ED25519 key SHA256:x",
            "[GNUPG:] GOODSIG ABABABABABABABAB alice",
            "[GNUPG:] VALIDSIG ",
            "",
        ] {
            assert_eq!(signer_in(line, &keys), None, "{line}");
        }
        assert_eq!(
            allowed_signers(&keys),
            format!("{} namespaces=\"git\" {ssh}\n", principal(&ssh))
        );
    }
}
