//! Seals bytes under an environment key and opens them: standard age files in passphrase mode, with the
//! fixed work factor 2^1 and exactly one stanza, anything else refused before any work. What the bytes mean
//! is [`token`](super::token)'s business.

use std::collections::HashSet;
use std::fmt;
use std::io::{Read as _, Write as _};

use age::{DecryptError, Decryptor, EncryptError, Encryptor};
use age_core::format::{FileKey, Stanza};
use age_core::primitives::aead_encrypt;
use age_core::secrecy::ExposeSecret as _;
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};
use rand::RngCore as _;
use rand::rngs::OsRng;
use zeroize::Zeroizing;

use super::header;
use super::key::EnvironmentKey;
use super::token_file::TokenFile;
use crate::secret::Secret;

/// The largest plaintext of a token, grant or proposal: 16 MiB.
pub const LARGEST_PLAINTEXT: usize = 16 << 20;

/// A file larger than any that holds such a plaintext: header, nonce, and 16 bytes for each 64 KiB.
pub const LARGEST_FILE: usize = LARGEST_PLAINTEXT + 64 * 1024;

const SALT_LABEL: &[u8] = b"age-encryption.org/v1/scrypt";
pub(super) const SALT_BYTES: usize = 16;
/// log2 of scrypt's N. The passphrase has 256 random bits; stretching is for weak ones.
const WORK_FACTOR: u8 = 1;

/// Why something sealed was not opened. Never says anything of the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// It has not the form that the format asks for; the text completes "… is refused: ".
    Malformed(&'static str),
    /// It does not open under this key: altered, or sealed for another.
    WrongKey,
}

impl fmt::Display for OpenError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(reason) => formatter.write_str(reason),
            Self::WrongKey => formatter.write_str("it was altered, or sealed under another key"),
        }
    }
}

impl std::error::Error for OpenError {}

/// An age file of `plaintext` that only `key` opens.
pub fn seal(key: &EnvironmentKey, plaintext: &[u8]) -> Vec<u8> {
    seal_for(&Passphrase(key.passphrase()), plaintext).expect("a passphrase wraps every file key")
}

/// The plaintext of an age file made by [`seal`].
///
/// # Errors
/// Any other form of age file is refused before scrypt is run; then whatever does not open under `key`.
pub fn open(key: &EnvironmentKey, file: &[u8]) -> Result<Secret, OpenError> {
    if file.len() > LARGEST_FILE {
        return Err(OpenError::Malformed("it is larger than 16 MiB"));
    }
    let file = TokenFile::parse(file).ok_or(OpenError::Malformed(
        "it is not an age file with one passphrase stanza of work factor 1",
    ))?;
    let wrapping_key = Passphrase(key.passphrase()).wrapping_key(&file.salt);
    file.open(&wrapping_key).ok_or(OpenError::WrongKey)
}

/// The stanza types in the header of any age file, in order, found in one pass. Nothing is verified.
pub fn inspect(file: &[u8]) -> Result<Vec<&str>, OpenError> {
    header::stanza_types(file)
}

/// Standard base64 with padding, in one line.
pub fn to_base64(file: &[u8]) -> String {
    BASE64_STANDARD.encode(file)
}

/// The bytes of canonical base64 text in one line, at most `limit` of them.
pub fn from_base64(text: &str, limit: usize) -> Result<Vec<u8>, OpenError> {
    if text.len() > limit.div_ceil(3) * 4 {
        return Err(OpenError::Malformed("it is too large"));
    }
    BASE64_STANDARD
        .decode(text)
        .map_err(|_| OpenError::Malformed("it is not canonical base64"))
}

/// Encrypts to one recipient of any kind.
pub(super) fn seal_for(recipient: &dyn age::Recipient, plaintext: &[u8]) -> Result<Vec<u8>, EncryptError> {
    let mut file = Vec::with_capacity(plaintext.len() + plaintext.len() / 1024 + 512);
    let mut writer = Encryptor::with_recipients(std::iter::once(recipient))?.wrap_output(&mut file)?;
    writer.write_all(plaintext)?;
    writer.finish()?;
    Ok(file)
}

/// Decrypts with one identity of any kind. The header's cost must have been bounded before.
pub(super) fn open_for(identity: &dyn age::Identity, file: &[u8]) -> Result<Secret, DecryptError> {
    let decryptor = Decryptor::new_buffered(file)?;
    let mut reader = decryptor.decrypt(std::iter::once(identity))?;
    // Never grown: a reallocation would leave plaintext behind.
    let mut plaintext = Zeroizing::new(vec![0; file.len()]);
    let mut filled = 0;
    loop {
        match reader.read(&mut plaintext[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    plaintext.truncate(filled);
    Ok(Secret::new(std::mem::take(&mut *plaintext)))
}

/// age's passphrase recipient (C2SP `age.md`, "scrypt recipient stanza"), without the calibration that the age library does
/// each time.
struct Passphrase<'a>(&'a Secret);

impl Passphrase<'_> {
    fn wrapping_key(&self, salt: &[u8; SALT_BYTES]) -> Zeroizing<[u8; 32]> {
        let mut labelled = [0; SALT_LABEL.len() + SALT_BYTES];
        labelled[..SALT_LABEL.len()].copy_from_slice(SALT_LABEL);
        labelled[SALT_LABEL.len()..].copy_from_slice(salt);
        let parameters = scrypt::Params::new(WORK_FACTOR, 8, 1, 32).expect("the parameters are in range");
        let mut key = Zeroizing::new([0; 32]);
        scrypt::scrypt(self.0.expose(), &labelled, &parameters, &mut *key).expect("32 bytes are in range");
        key
    }
}

impl age::Recipient for Passphrase<'_> {
    fn wrap_file_key(&self, file_key: &FileKey) -> Result<(Vec<Stanza>, HashSet<String>), EncryptError> {
        let mut salt = [0; SALT_BYTES];
        OsRng.fill_bytes(&mut salt);
        let stanza = Stanza {
            tag: "scrypt".to_owned(),
            args: vec![BASE64_STANDARD_NO_PAD.encode(salt), WORK_FACTOR.to_string()],
            body: aead_encrypt(&self.wrapping_key(&salt), file_key.expose_secret()),
        };
        Ok((vec![stanza], HashSet::new()))
    }
}

#[cfg(test)]
mod tests {
    use age::secrecy::SecretString;
    use proptest::prelude::{any, proptest};

    use super::{OpenError, from_base64, inspect, open, seal, seal_for, to_base64};
    use crate::crypto::key::EnvironmentKey;

    #[test]
    fn every_flipped_byte_is_refused() {
        let key = EnvironmentKey::generate();
        let file = seal(&key, b"small");
        for index in 0..file.len() {
            for bit in [1, 0x20, 0x80] {
                let mut altered = file.clone();
                altered[index] ^= bit;
                assert!(open(&key, &altered).is_err(), "byte {index} bit {bit}");
            }
        }
        for length in 0..file.len() {
            assert!(open(&key, &file[..length]).is_err(), "cut at {length}");
        }
    }

    #[test]
    fn bytes_behind_the_end_are_refused() {
        let key = EnvironmentKey::generate();
        for size in [0, 5, 65_535, 65_536, 65_537, 131_072] {
            let mut file = seal(&key, &vec![7; size]);
            assert_eq!(open(&key, &file).unwrap().len(), size);
            file.push(0);
            assert_eq!(open(&key, &file), Err(OpenError::WrongKey), "{size}");
            file.extend_from_slice(&[0; 40]);
            assert_eq!(open(&key, &file), Err(OpenError::WrongKey), "{size}");
        }
    }

    #[test]
    fn another_key_another_work_factor_and_another_recipient_are_refused() {
        let key = EnvironmentKey::generate();
        assert_eq!(
            open(&EnvironmentKey::generate(), &seal(&key, b"x")),
            Err(OpenError::WrongKey)
        );
        let passphrase = key.passphrase().expose_text().unwrap().to_owned();
        let mut slow = age::scrypt::Recipient::new(SecretString::from(passphrase));
        for (work_factor, opens) in [(1, true), (2, false), (10, false), (18, false)] {
            slow.set_work_factor(work_factor);
            let file = if work_factor == 18 {
                // Only the header claims the work: refused before it is done.
                let text = seal(&key, b"x");
                let at = text.windows(3).position(|part| part == b" 1\n").unwrap();
                [&text[..at], b" 18\n", &text[at + 3..]].concat()
            } else {
                seal_for(&slow, b"x").unwrap()
            };
            assert_eq!(open(&key, &file).is_ok(), opens, "2^{work_factor}");
        }
        let identity: age::x25519::Identity = key.drop_box_identity().expose_text().unwrap().parse().unwrap();
        let public = seal_for(&identity.to_public(), b"x").unwrap();
        assert!(matches!(open(&key, &public), Err(OpenError::Malformed(_))));
    }

    #[test]
    fn two_stanzas_are_refused() {
        let key = EnvironmentKey::generate();
        let file = seal(&key, b"x");
        let mac = file.windows(4).position(|part| part == b"--- ").unwrap();
        let stanza = &file[22..mac];
        let twice = [&file[..mac], stanza, &file[mac..]].concat();
        assert_eq!(inspect(&twice).unwrap(), ["scrypt", "scrypt"]);
        assert!(matches!(open(&key, &twice), Err(OpenError::Malformed(_))));
    }

    #[test]
    fn base64_is_canonical_and_bounded() {
        assert_eq!(from_base64("AAE=", 10).unwrap(), [0, 1]);
        for text in ["AAE", "AAF=", "AAE=\n", " AAE=", "AA=E", "AA-_"] {
            assert!(from_base64(text, 10).is_err(), "{text:?}");
        }
        assert!(from_base64(&to_base64(&[0; 100]), 50).is_err());
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens(plaintext in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let key = EnvironmentKey::generate();
            let file = seal(&key, &plaintext);
            assert_eq!(inspect(&file).unwrap(), ["scrypt"]);
            assert_eq!(open(&key, &file).unwrap().expose(), plaintext);
        }
    }
}
