//! Makes an identity in a file of this person: what `keygen` does, and `init` and `join` where there is none. Asks
//! nothing.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use secretree::crypto::new_identity::NewIdentity;
use secretree::crypto::public_key::PublicKey;
use secretree::error::{Failure, Result};
use secretree::files::{Access, create, real_path};
use secretree::git::{HookVariables, Repository};
use secretree::secret::Secret;

use super::Context;
use crate::ui::escaped;

/// Whom a policy can name for the person here.
pub(crate) enum OwnIdentity {
    /// The first public key of the identities at hand.
    Known(PublicKey),
    /// There is none: one that was made now, and is in no file yet.
    New(NewIdentity),
}

impl OwnIdentity {
    /// Its public key.
    pub(crate) fn public_key(&self) -> &PublicKey {
        match self {
            Self::Known(key) => key,
            Self::New(identity) => identity.public_key(),
        }
    }
}

impl Context {
    /// The identity to name in a policy, said to the person; what cannot be used is warned about. Nothing is written.
    pub(crate) fn own_identity(&self, work_tree: Option<&Path>) -> Result<OwnIdentity> {
        let mut identities = self.identities(self.plugins(work_tree), work_tree)?;
        if let Some((source, key)) = identities.public_keys().first() {
            self.ui
                .note(&escaped(&format!("your identity is in `{source}`: {key}")));
            return Ok(OwnIdentity::Known((*key).clone()));
        }
        for (source, problem) in identities.problems() {
            self.ui.warning(&format!("`{source}` {problem}"));
        }
        for (source, reason) in identities.unknown() {
            self.ui.warning(&format!("`{source}` {reason}"));
        }
        refuse_existing(&self.identity_file()?, false)?;
        Ok(OwnIdentity::New(NewIdentity::generate()))
    }

    /// Writes a new identity to the usual file and says so; gives back its public key. Failure: the file exists.
    pub(crate) fn keep_identity(&self, identity: &NewIdentity) -> Result<PublicKey> {
        let file = self.identity_file()?;
        self.write_identity(identity, &file, None)?;
        let (shown, key) = (file.display(), identity.public_key());
        self.ui.note(&escaped(&format!(
            "made your identity in `{shown}`, keep it safe: {key}"
        )));
        Ok(key.clone())
    }

    /// Makes a new identity in `file`, encrypted if there is a `passphrase`; its public key stands in a `.pub`
    /// file beside an encrypted one. Failure: one of the files exists. Then nothing was made.
    pub(crate) fn make_identity(&self, file: &Path, passphrase: Option<&Secret>) -> Result<PublicKey> {
        let identity = NewIdentity::generate();
        self.write_identity(&identity, file, passphrase)?;
        Ok(identity.public_key().clone())
    }

    fn write_identity(&self, identity: &NewIdentity, file: &Path, passphrase: Option<&Secret>) -> Result<()> {
        refuse_existing(file, passphrase.is_some())?;
        let text = identity_text(identity, passphrase)?;
        create(file, text.expose(), Access::Private)?;
        if passphrase.is_some() {
            let line = format!("# public key: {}\n", identity.public_key());
            create(&public_file(file), line.as_bytes(), Access::Shared)?;
        }
        self.warn_if_committable(file);
        Ok(())
    }

    /// A private key in a work tree is one `git add` away from everybody.
    fn warn_if_committable(&self, file: &Path) {
        let is_at_risk = || {
            let path = real_path(file).ok()?;
            let repository = Repository::discover(path.parent()?, &HookVariables::default()).ok()??;
            let relative = path.strip_prefix(repository.root()).ok()?;
            Some(!repository.is_ignored(relative).ok()?)
        };
        if is_at_risk() == Some(true) {
            let shown = file.display();
            self.ui.warning(&format!(
                "`{shown}` lies in a git work tree and is not ignored: it holds a private key, never commit it"
            ));
        }
    }
}

/// Refuses before anybody types a passphrase what would be refused afterwards.
pub(crate) fn refuse_existing(file: &Path, has_public_file: bool) -> Result<()> {
    let files = [Some(file.to_owned()), has_public_file.then(|| public_file(file))];
    for path in files.into_iter().flatten() {
        if path.symlink_metadata().is_ok() {
            let message = format!("`{}` exists, and an identity is never replaced", path.display());
            return Err(Failure::failed(message)
                .hint("`secretree whoami` shows what is there; `secretree keygen -o FILE` makes another one elsewhere")
                .into());
        }
    }
    Ok(())
}

/// The text of an identity's file.
pub(crate) fn identity_text(identity: &NewIdentity, passphrase: Option<&Secret>) -> Result<Secret> {
    let created = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    match passphrase {
        Some(passphrase) => identity.sealed(&created, passphrase),
        None => Ok(identity.text(&created)),
    }
}

/// Where the public key of an encrypted identity stands.
fn public_file(file: &Path) -> PathBuf {
    let mut beside = file.as_os_str().to_owned();
    beside.push(".pub");
    PathBuf::from(beside)
}
