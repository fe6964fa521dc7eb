//! A new age identity and the file it is kept in: as `age-keygen` writes it, or encrypted with a passphrase.
//! Where the file goes, and the clock, are the caller's.

use std::io::{self, Write as _};

use age::Encryptor;
use age::armor::{ArmoredWriter, Format};
use zeroize::Zeroizing;

use super::identity_file;
use super::public_key::PublicKey;
use crate::error::{Failure, Result};
use crate::secret::Secret;

/// How hard a passphrase is to guess, as a power of two: age's own choice, about a second on a usual machine.
const WORK_FACTOR: u8 = 18;

/// A private key that was just made.
pub struct NewIdentity {
    secret: Secret,
    public: PublicKey,
}

impl NewIdentity {
    /// A new X25519 identity.
    pub fn generate() -> Self {
        let (secret, public) = identity_file::generate();
        Self { secret, public }
    }

    /// Its public key.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// The text of its file; `created` is a time as people read it.
    pub fn text(&self, created: &str) -> Secret {
        let head = format!("# created: {created}\n# public key: {}\n", self.public);
        // Room for all of it at once, so that no copy is left behind.
        let mut text = Vec::with_capacity(head.len() + self.secret.len() + 1);
        text.extend_from_slice(head.as_bytes());
        text.extend_from_slice(self.secret.expose());
        text.push(b'\n');
        Secret::new(text)
    }

    /// The same text as an armored age file that `passphrase` opens. It begins with the armor, since the age
    /// tools take nothing before it; the public key belongs into a file beside it.
    ///
    /// # Errors
    /// `Failed` if the passphrase is not UTF-8.
    pub fn sealed(&self, created: &str, passphrase: &Secret) -> Result<Secret> {
        let typed = passphrase
            .expose_text()
            .ok_or_else(|| Failure::failed("the passphrase is not UTF-8"))?;
        let mut recipient = age::scrypt::Recipient::new(typed.to_owned().into());
        recipient.set_work_factor(if cfg!(test) { 2 } else { WORK_FACTOR });
        let sealed = seal_armored(&recipient, &self.text(created));
        Ok(sealed.expect("writing to memory cannot fail"))
    }
}

fn seal_armored(recipient: &age::scrypt::Recipient, text: &Secret) -> io::Result<Secret> {
    let encryptor =
        Encryptor::with_recipients(std::iter::once(recipient as &dyn age::Recipient)).map_err(io::Error::other)?;
    let armor = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor)?;
    let mut writer = encryptor.wrap_output(armor)?;
    let plaintext = Zeroizing::new(text.expose().to_vec());
    writer.write_all(&plaintext)?;
    Ok(Secret::new(writer.finish()?.finish()?))
}

#[cfg(test)]
mod tests {
    use super::NewIdentity;
    use crate::crypto::identities::{Identities, KeySource};
    use crate::crypto::plugins::Plugins;
    use crate::secret::Secret;

    #[test]
    fn the_file_is_read_back_with_its_public_key() {
        let identity = NewIdentity::generate();
        let file = identity.text("2026-01-05T09:00:00Z");
        let text = file.expose_text().unwrap();
        assert!(
            text.starts_with("# created: 2026-01-05T09:00:00Z\n# public key: age1"),
            "head"
        );
        assert_eq!(text.lines().count(), 3);
        let mut identities = Identities::new(vec![KeySource::bytes("file", file)], Plugins::none());
        assert_eq!(identities.public_keys(), [("file", identity.public_key())]);
    }

    #[test]
    fn a_sealed_file_holds_no_readable_key() {
        let identity = NewIdentity::generate();
        let sealed = identity.sealed("2026", &Secret::from("correct horse")).unwrap();
        let text = sealed.expose_text().unwrap();
        assert!(text.starts_with("-----BEGIN AGE ENCRYPTED FILE-----\n"));
        assert!(!text.contains("AGE-SECRET-KEY"));
        assert!(identity.sealed("2026", &Secret::new(vec![0xff])).is_err());
    }
}
