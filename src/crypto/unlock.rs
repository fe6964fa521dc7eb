//! Turns one key into the plaintext of a grant: asks for the passphrase of what is encrypted, starts the
//! plugin of what needs one. Which key is worth it is decided in [`identities`](super::identities).

use age::armor::ArmoredReader;
use age::{DecryptError, Decryptor};
use zeroize::Zeroizing;

use super::envelope::{OpenError, open_for};
use super::grant::{GrantError, check_grant};
use super::identity_file::{Contents, Key, LARGEST_FILE, lines};
use super::label::GrantLabel;
use super::plugins::{Ask, Plugins, secret_string};
use crate::error::{Failure, FailureKind, Result};
use crate::secret::Secret;

/// How often a wrong passphrase may be typed again.
const ATTEMPTS: usize = 3;

impl Key {
    /// Whether it must be unlocked before it can open anything.
    pub(super) fn is_locked(&self) -> bool {
        matches!(self, Self::SealedSsh { .. } | Self::SealedFile { .. })
    }

    /// The keys that are in an encrypted key or file called `name`; one [`Key::Spent`] if it stays closed.
    pub(super) fn unlocked(self, name: &str, ask: &dyn Ask) -> Vec<Self> {
        let publics = self.publics().to_vec();
        let opened = match &self {
            Self::SealedFile { file, .. } => ask_until(name, ask, |passphrase| open_file(file, passphrase)),
            Self::SealedSsh { text, .. } => ask_until(name, ask, |passphrase| open_ssh(text, passphrase)),
            _ => return vec![self],
        };
        match (opened, self) {
            (Err(failure), _) => vec![Self::Spent { publics, failure }],
            (Ok(Opened::Ssh(identity)), Self::SealedSsh { public, text }) => {
                vec![Self::Ssh {
                    public,
                    text,
                    parsed: Some(identity),
                }]
            }
            (Ok(Opened::File(Contents { keys, problem: None })), _) => keys,
            (Ok(_), _) => vec![Self::Spent {
                publics,
                failure: Failure::no_identity(format!("`{name}` holds something else than identities")),
            }],
        }
    }

    /// Opens a grant whose label fits.
    ///
    /// # Errors
    /// An integrity failure where the label proves that the key fits; else why the key cannot be used.
    pub(super) fn open(&mut self, file: &[u8], label: &GrantLabel, plugins: &Plugins) -> Result<Secret, GrantError> {
        let integrity = |reason| GrantError::Integrity(label.clone(), reason);
        check_grant(file, label).map_err(integrity)?;
        let wrong = |_: DecryptError| integrity(OpenError::WrongKey);
        match self {
            Self::Age(identity, _) => open_for(identity, file).map_err(wrong),
            Self::Ssh { text, parsed, .. } => {
                if parsed.is_none() {
                    *parsed = age::ssh::Identity::from_buffer(text.expose(), None).ok();
                }
                let identity = parsed.as_ref().ok_or_else(|| unusable("an ssh key here is damaged"))?;
                open_for(identity, file).map_err(wrong)
            }
            Self::Plugin { identity, .. } => open_with_plugin(identity, file, label, plugins),
            Self::Spent { failure, .. } => Err(GrantError::Unusable(failure.clone().into())),
            Self::SealedSsh { .. } | Self::SealedFile { .. } => Err(unusable("a key here is still encrypted")),
        }
    }
}

/// What a passphrase opened.
enum Opened {
    Ssh(age::ssh::Identity),
    File(Contents),
}

/// A missing plugin is an identity that cannot be used; an untrusted one stays what it is.
fn unread(error: anyhow::Error) -> anyhow::Error {
    match error.downcast::<Failure>() {
        Ok(failure) if failure.kind() == FailureKind::Failed => failure.of_kind(FailureKind::NoIdentity).into(),
        Ok(failure) => failure.into(),
        Err(error) => error,
    }
}

fn unusable(reason: &str) -> GrantError {
    GrantError::Unusable(Failure::no_identity(reason).into())
}

/// Asks for the passphrase of `name` until `open` takes it.
fn ask_until(
    name: &str,
    ask: &dyn Ask,
    mut open: impl FnMut(&Secret) -> Result<Opened, Refusal>,
) -> Result<Opened, Failure> {
    let mut prompt = format!("passphrase of `{name}`");
    for _ in 0..ATTEMPTS {
        let Some(passphrase) = ask.passphrase(&prompt) else {
            let failure = Failure::no_identity(format!("the passphrase of `{name}` was not given"));
            return Err(failure.hint(
                "run it where a terminal or `pinentry` (from outside the repository) can ask, or name another identity: `-i FILE`",
            ));
        };
        match open(&passphrase) {
            Ok(opened) => return Ok(opened),
            Err(Refusal::WrongPassphrase) => prompt = format!("wrong; passphrase of `{name}`"),
            Err(Refusal::Unreadable) => {
                let message = format!("`{name}` is encrypted in a way that cannot be read here");
                return Err(Failure::no_identity(message));
            }
        }
    }
    let failure = Failure::no_identity(format!("the passphrase of `{name}` is wrong"));
    Err(failure.hint("run the command again to try once more, or name another identity: `-i FILE`"))
}

enum Refusal {
    WrongPassphrase,
    Unreadable,
}

impl From<DecryptError> for Refusal {
    fn from(error: DecryptError) -> Self {
        match error {
            DecryptError::KeyDecryptionFailed | DecryptError::DecryptionFailed => Self::WrongPassphrase,
            _ => Self::Unreadable,
        }
    }
}

fn open_file(file: &Secret, passphrase: &Secret) -> Result<Opened, Refusal> {
    let passphrase = secret_string(passphrase).ok_or(Refusal::WrongPassphrase)?;
    let decryptor = Decryptor::new_buffered(ArmoredReader::new(file.expose()))?;
    if !decryptor.is_scrypt() {
        return Err(Refusal::Unreadable);
    }
    let identity = age::scrypt::Identity::new(passphrase);
    let mut reader = decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity))?;
    let mut text = Zeroizing::new(vec![0; LARGEST_FILE.min(file.len())]);
    let mut filled = 0;
    loop {
        match std::io::Read::read(&mut reader, &mut text[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(_) => return Err(Refusal::Unreadable),
        }
    }
    std::str::from_utf8(&text[..filled])
        .map(|text| Opened::File(lines(text)))
        .map_err(|_| Refusal::Unreadable)
}

fn open_ssh(text: &Secret, passphrase: &Secret) -> Result<Opened, Refusal> {
    let passphrase = secret_string(passphrase).ok_or(Refusal::WrongPassphrase)?;
    match age::ssh::Identity::from_buffer(text.expose(), None) {
        Ok(age::ssh::Identity::Encrypted(key)) => Ok(Opened::Ssh(key.decrypt(passphrase)?.into())),
        _ => Err(Refusal::Unreadable),
    }
}

fn open_with_plugin(
    identity: &age::plugin::Identity,
    file: &[u8],
    label: &GrantLabel,
    plugins: &Plugins,
) -> Result<Secret, GrantError> {
    let name = identity.plugin();
    plugins
        .resolve(name)
        .map_err(|error| GrantError::Unusable(unread(error)))?;
    let plugin = age::plugin::IdentityPluginV1::new(name, std::slice::from_ref(identity), plugins.callbacks())
        .map_err(|_| unusable(&format!("the age plugin `age-plugin-{name}` is not installed")))?;
    open_for(&plugin, file).map_err(|_| unusable(&format!("the age plugin `age-plugin-{name}` did not open `{label}`")))
}
