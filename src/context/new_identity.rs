//! Makes an identity in a file of this person: what `keygen` does, and `init` where there is none. Asks nothing.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use secretree::crypto::new_identity::NewIdentity;
use secretree::crypto::public_key::PublicKey;
use secretree::error::{Failure, Result};
use secretree::files::{Access, create, real_path};
use secretree::git::{HookVariables, Repository};
use secretree::secret::Secret;

use super::Context;

impl Context {
    /// Makes a new identity in `file`, encrypted if there is a `passphrase`; its public key stands in a `.pub`
    /// file beside an encrypted one. Failure: one of the files exists. Then nothing was made.
    pub(crate) fn make_identity(&self, file: &Path, passphrase: Option<&Secret>) -> Result<PublicKey> {
        refuse_existing(file, passphrase.is_some())?;
        let identity = NewIdentity::generate();
        let text = identity_text(&identity, passphrase)?;
        create(file, text.expose(), Access::Private)?;
        if passphrase.is_some() {
            let line = format!("# public key: {}\n", identity.public_key());
            create(&public_file(file), line.as_bytes(), Access::Shared)?;
        }
        self.warn_if_committable(file);
        Ok(identity.public_key().clone())
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
