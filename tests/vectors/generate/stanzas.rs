//! Age files that no library would write: any stanzas in any number, with a header MAC that is right.

use std::collections::HashSet;
use std::io::Write as _;
use std::sync::Mutex;

use age::{EncryptError, Encryptor, Recipient};
use age_core::format::{FileKey, Stanza};
use age_core::primitives::aead_encrypt;
use age_core::secrecy::ExposeSecret as _;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use hkdf::Hkdf;
use hkdf::hmac::{Hmac, Mac as _};
use secretree::crypto::key::EnvironmentKey;
use sha2::Sha256;
use zeroize::Zeroizing;

/// Stands for `scrypt` until the header is rewritten: the age crate lets a passphrase stanza stand only alone.
const PLACEHOLDER: &str = "vector-scrypt";

/// Passphrase stanzas of any work factor: the one that is done, and the text that stands in the header.
pub(super) struct Passphrase<'k> {
    key: &'k EnvironmentKey,
    factors: &'k [(u8, &'k str)],
    /// Whether a stanza of an unknown type follows.
    grease: bool,
    file_key: Mutex<Zeroizing<Vec<u8>>>,
}

impl<'k> Passphrase<'k> {
    /// Stanzas without grease.
    pub(super) fn new(key: &'k EnvironmentKey, factors: &'k [(u8, &'k str)]) -> Self {
        Self {
            key,
            factors,
            grease: false,
            file_key: Mutex::default(),
        }
    }

    /// With a stanza of an unknown type behind them, or without.
    pub(super) fn with_grease(mut self, grease: bool) -> Self {
        self.grease = grease;
        self
    }

    /// An age file of `plaintext` with these stanzas.
    pub(super) fn encrypt(&self, plaintext: &[u8]) -> Vec<u8> {
        let file = encrypt(&[self], plaintext);
        let end = file
            .windows(5)
            .position(|part| part == b"\n--- ")
            .expect("a header ends so")
            + 4;
        let header = std::str::from_utf8(&file[..end]).expect("headers are text");
        let header = header.replace(PLACEHOLDER, "scrypt");
        let mut mac_key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(None, &self.file_key.lock().expect("nothing panics here"))
            .expand(b"header", &mut *mac_key)
            .expect("32 bytes are few");
        let mut mac = Hmac::<Sha256>::new_from_slice(&*mac_key).expect("any key fits");
        mac.update(header.as_bytes());
        let mac = BASE64_STANDARD_NO_PAD.encode(mac.finalize().into_bytes());
        [header.as_bytes(), b" ", mac.as_bytes(), &file[end + 44..]].concat()
    }
}

impl Recipient for Passphrase<'_> {
    fn wrap_file_key(&self, file_key: &FileKey) -> Result<(Vec<Stanza>, HashSet<String>), EncryptError> {
        **self.file_key.lock().expect("nothing panics here") = file_key.expose_secret().to_vec();
        let mut stanzas: Vec<_> = self
            .factors
            .iter()
            .enumerate()
            .map(|(number, (done, written))| {
                let salt = [u8::try_from(number).expect("there are few") + 7; 16];
                let labelled = [&b"age-encryption.org/v1/scrypt"[..], &salt].concat();
                let parameters = scrypt::Params::new(*done, 8, 1, 32).expect("the parameters are in range");
                let mut wrapping = [0; 32];
                scrypt::scrypt(self.key.passphrase().expose(), &labelled, &parameters, &mut wrapping)
                    .expect("32 bytes are in range");
                Stanza {
                    tag: PLACEHOLDER.to_owned(),
                    args: vec![BASE64_STANDARD_NO_PAD.encode(salt), (*written).to_owned()],
                    body: aead_encrypt(&wrapping, file_key.expose_secret()),
                }
            })
            .collect();
        if self.grease {
            stanzas.push(unknown());
        }
        Ok((stanzas, HashSet::new()))
    }
}

/// Stanzas of an unknown type, and nothing that opens.
pub(super) struct Unknown(pub(super) usize);

impl Recipient for Unknown {
    fn wrap_file_key(&self, _: &FileKey) -> Result<(Vec<Stanza>, HashSet<String>), EncryptError> {
        Ok(((0..self.0).map(|_| unknown()).collect(), HashSet::new()))
    }
}

fn unknown() -> Stanza {
    Stanza {
        tag: "vector-grease".to_owned(),
        args: vec!["x".to_owned()],
        body: vec![1, 2, 3],
    }
}

/// An age file of `plaintext` for these recipients.
pub(super) fn encrypt(recipients: &[&dyn Recipient], plaintext: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let encryptor = Encryptor::with_recipients(recipients.iter().copied()).expect("the recipients go together");
    let mut writer = encryptor.wrap_output(&mut file).expect("memory can be written");
    writer.write_all(plaintext).expect("memory can be written");
    writer.finish().expect("memory can be written");
    file
}

/// The same file with one bit of the byte at `index` changed.
pub(super) fn altered(file: &[u8], index: usize) -> Vec<u8> {
    let mut file = file.to_vec();
    file[index] ^= 1;
    file
}

/// The same file with another letter of base64 at `index`.
pub(super) fn relettered(file: &[u8], index: usize) -> Vec<u8> {
    let mut file = file.to_vec();
    file[index] = if file[index] == b'A' { b'B' } else { b'A' };
    file
}

/// The same file, to one X25519 recipient, with the all-zero point as its ephemeral share.
pub(super) fn with_zero_share(file: &[u8]) -> Vec<u8> {
    let mark = b"-> X25519 ";
    let at = file
        .windows(mark.len())
        .position(|part| part == mark)
        .expect("it has the stanza")
        + mark.len();
    let mut file = file.to_vec();
    file[at..at + 43].fill(b'A');
    file
}
