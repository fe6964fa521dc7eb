//! dotenvx files: dotenv lines whose values begin with `encrypted:`. Behind that stands base64 of an ephemeral secp256k1
//! point (65 bytes), a nonce (16), an AES-256-GCM tag (16) and the ciphertext; the key is HKDF-SHA-256, without salt and
//! info, of the ephemeral and the shared point (ECIES, as the npm package eciesjs does it). Finding private keys is left to
//! the caller.

use aes_gcm::aead::AeadInPlace as _;
use aes_gcm::aead::consts::U16;
use aes_gcm::aes::Aes256;
use aes_gcm::{AesGcm, KeyInit as _, Nonce, Tag};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hkdf::Hkdf;
use k256::elliptic_curve::sec1::ToEncodedPoint as _;
use k256::{PublicKey, SecretKey};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::Imported;
use super::dotenv::{Doubt, Line, has_expansion, normalized, scan, written};
use crate::error::{Failure, Result};
use crate::secret::Secret;

/// The variables that hold private keys are named so, with nothing or `_` and a file's ending behind it.
pub const PRIVATE_KEY_NAME: &str = "DOTENV_PRIVATE_KEY";
const PUBLIC_KEY_NAME: &str = "DOTENV_PUBLIC_KEY";
const PREFIX: &str = "encrypted:";
const POINT_LENGTH: usize = 65;
const NONCE_LENGTH: usize = 16;
const TAG_LENGTH: usize = 16;
/// More keys than anybody has; each is tried on each value in the worst case.
const MOST_KEYS: usize = 64;

/// Whether a dotenv file is dotenvx's: it names a public key, or a value is encrypted.
pub fn is_dotenvx(bytes: &[u8]) -> bool {
    let Ok(text) = normalized(bytes) else { return false };
    let Ok((lines, _)) = scan(&text) else { return false };
    lines.iter().any(|line| match line {
        Line::Assignment(assignment) => {
            assignment.name.starts_with(PUBLIC_KEY_NAME) || assignment.value.starts_with(PREFIX)
        }
        _ => false,
    })
}

/// Whether a value stands in the file as it is, so that whoever has the file has the value.
pub fn has_readable_value(bytes: &[u8]) -> bool {
    let Ok(text) = normalized(bytes) else { return true };
    let Ok((lines, _)) = scan(&text) else { return true };
    lines.iter().any(|line| match line {
        Line::Assignment(assignment) => {
            !assignment.name.starts_with(PUBLIC_KEY_NAME) && !assignment.value.starts_with(PREFIX)
        }
        _ => false,
    })
}

/// The private keys in a `.env.keys` file, as text.
///
/// # Errors
/// `Failed` with the line that cannot be read.
pub fn private_keys(bytes: &[u8]) -> Result<Vec<Secret>> {
    let text = normalized(bytes)?;
    let (lines, _) = scan(&text)?;
    let keys = lines.iter().flat_map(|line| match line {
        Line::Assignment(assignment) if assignment.name.starts_with(PRIVATE_KEY_NAME) => split_keys(&assignment.value),
        _ => Vec::new(),
    });
    Ok(keys.collect())
}

/// The private keys in one variable: several are separated by commas.
pub fn split_keys(text: &str) -> Vec<Secret> {
    text.split(',')
        .map(str::trim)
        .filter(|key| !key.is_empty())
        .map(Secret::from)
        .collect()
}

/// Reads the file; of the keys each is tried where no other fits.
///
/// # Errors
/// As [`super::dotenv::read`]; `NoIdentity` if a value is encrypted to none of the keys.
pub fn read(bytes: &[u8], keys: &mut PrivateKeys) -> Result<Imported> {
    let text = normalized(bytes)?;
    let (mut lines, mut doubts) = scan(&text)?;
    let mut own = Vec::new();
    lines.retain(|line| match line {
        Line::Assignment(assignment) if assignment.name.starts_with(PUBLIC_KEY_NAME) => {
            own.push(format!("`{}`", assignment.name));
            false
        }
        // The box that dotenvx draws around its key.
        Line::Comment(comment) => !comment.starts_with("#/"),
        _ => true,
    });
    for line in &mut lines {
        let Line::Assignment(assignment) = line else { continue };
        if let Some(encoded) = assignment.value.strip_prefix(PREFIX) {
            let value = keys.open(assignment.name, encoded)?;
            if has_expansion(&value) {
                doubts
                    .entry(Doubt::Dollar)
                    .or_default()
                    .push(assignment.name.to_owned());
            }
            assignment.value = value;
        }
    }
    let mut imported = written(&lines, doubts)?;
    if !own.is_empty() {
        imported
            .notes
            .push(format!("{}: dotenvx's own, left out", own.join(", ")));
    }
    Ok(imported)
}

/// Private keys, the one that fitted last in front.
pub struct PrivateKeys(Vec<SecretKey>);

impl PrivateKeys {
    /// The keys of these texts, 64 hex digits each.
    ///
    /// # Errors
    /// `Failed` if one is malformed, or there are more than 64.
    pub fn parse(keys: &[Secret]) -> Result<Self> {
        if keys.len() > MOST_KEYS {
            return Err(Failure::failed(format!("more than {MOST_KEYS} private keys of dotenvx were given")).into());
        }
        let parsed = keys.iter().map(parse_key).collect::<Option<Vec<_>>>();
        match parsed {
            Some(parsed) => Ok(Self(parsed)),
            None => Err(Failure::failed("a private key of dotenvx is malformed")
                .hint("it is 64 hex digits; several are separated by commas")
                .into()),
        }
    }

    fn open(&mut self, name: &str, encoded: &str) -> Result<Zeroizing<String>> {
        let malformed = || Failure::failed(format!("has a malformed encrypted value, `{name}`"));
        let bytes = BASE64_STANDARD.decode(encoded).map_err(|_| malformed())?;
        if bytes.len() < POINT_LENGTH + NONCE_LENGTH + TAG_LENGTH || bytes[0] != 4 {
            return Err(malformed().into());
        }
        let (point, sealed) = bytes.split_at(POINT_LENGTH);
        let ephemeral = PublicKey::from_sec1_bytes(point).map_err(|_| malformed())?;
        for position in 0..self.0.len() {
            if let Some(opened) = open(&self.0[position], &ephemeral, point, sealed) {
                self.0.swap(0, position);
                return match std::str::from_utf8(&opened) {
                    Ok(text) => Ok(Zeroizing::new(text.to_owned())),
                    Err(_) => Err(Failure::failed(format!("has a value that is no UTF-8 text, `{name}`")).into()),
                };
            }
        }
        Err(
            Failure::no_identity(format!("has a value that no dotenvx key here opens, `{name}`"))
                .hint(format!("put `.env.keys` beside the file, or set `{PRIVATE_KEY_NAME}`"))
                .into(),
        )
    }
}

fn parse_key(text: &Secret) -> Option<SecretKey> {
    let digits = text.expose();
    if digits.len() != 64 {
        return None;
    }
    let mut bytes = Zeroizing::new([0; 32]);
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        *byte = u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()?;
    }
    SecretKey::from_slice(&*bytes).ok()
}

/// The plaintext; nothing if the key is another. `sealed` is nonce, tag and ciphertext.
fn open(key: &SecretKey, ephemeral: &PublicKey, point: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let shared = (ephemeral.to_projective() * *key.to_nonzero_scalar()).to_affine();
    let mut material = Zeroizing::new(Vec::with_capacity(2 * POINT_LENGTH));
    material.extend_from_slice(point);
    material.extend_from_slice(shared.to_encoded_point(false).as_bytes());
    let mut symmetric = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(None, &material).expand(&[], &mut *symmetric).ok()?;
    let (nonce, sealed) = sealed.split_at(NONCE_LENGTH);
    let (tag, ciphertext) = sealed.split_at(TAG_LENGTH);
    let mut plaintext = Zeroizing::new(ciphertext.to_vec());
    AesGcm::<Aes256, U16>::new_from_slice(&*symmetric)
        .ok()?
        .decrypt_in_place_detached(Nonce::from_slice(nonce), &[], &mut plaintext, Tag::from_slice(tag))
        .ok()?;
    Some(plaintext)
}

#[cfg(test)]
mod tests {
    use super::{PrivateKeys, has_readable_value, is_dotenvx, private_keys, read};
    use crate::error::{Failure, FailureKind};
    use crate::secret::Secret;

    /// Made by dotenvx 2.38.2; the values are `wor ld` and `it $x`.
    const FILE: &str = "#/---[DOTENV_PUBLIC_KEY]---/\nDOTENV_PUBLIC_KEY=\"03d506d98c69cba5010fafb71ac175312fcfe26d01a095babfdcc622c5fc2626bb\"\n\n# c\nHELLO=\"encrypted:BEWmlwKkNrDpq6qPQVB9S+hEgEKSyoSVmaYctl/GOgZP/iX/bwxlB/Rm50sUiQeHRyUgdpZpD0SeQN7Q/dMo+8Jc1xbYNPNWhyEVPu+13wQpzfamDHGWlWac4iyOo48Atz1RfKEhEA==\"\nS='encrypted:BEvTjf+m+KLGf9g9NNVxsH5cxKa4Chx1X7KOa23cgJqJXbgg4QF3fGtvwVjufXijIrVzwJixyrY/MSVfNdqFwVosZLeqpUyxjeGb5CF5odNt+0NOIHfH9oqFQPEKeoywacHKorsU'\n";
    const KEYS: &[u8] =
        b"# .env\nDOTENV_PRIVATE_KEY=\"fdc1437bccb3218d1c1085dffaafb3bc27348eb13436df4ad9506356f2b02c50\"\n";

    #[test]
    fn a_real_file_is_read_with_the_key_among_others() {
        assert!(is_dotenvx(FILE.as_bytes()) && !has_readable_value(FILE.as_bytes()));
        let mut keys = private_keys(KEYS).unwrap();
        keys.insert(0, Secret::from("11".repeat(32).as_str()));
        let imported = read(FILE.as_bytes(), &mut PrivateKeys::parse(&keys).unwrap()).unwrap();
        assert_eq!(*imported.text, "\n# c\nHELLO: \"wor ld\"\nS: \"it $x\"\n");
        let own = "`DOTENV_PUBLIC_KEY`: dotenvx's own, left out";
        assert_eq!(
            imported.notes,
            ["`S`: `$…` is kept as text; nothing is expanded here", own]
        );
    }

    #[test]
    fn a_missing_key_and_a_broken_value_are_said_by_name() {
        let failure = |text: &str, keys: &[Secret]| -> Failure {
            let mut keys = PrivateKeys::parse(keys).unwrap();
            read(text.as_bytes(), &mut keys).err().expect("refused").into()
        };
        let missing = failure(FILE, &[]);
        assert_eq!(missing.message(), "has a value that no dotenvx key here opens, `HELLO`");
        assert_eq!(missing.kind(), FailureKind::NoIdentity);
        let keys = private_keys(KEYS).unwrap();
        for broken in ["encrypted:", "encrypted:AAAA", "encrypted:!"] {
            let text = format!("A={broken}");
            assert_eq!(failure(&text, &keys).message(), "has a malformed encrypted value, `A`");
        }
        let point = format!(
            "A=encrypted:{}",
            base64::Engine::encode(&base64::prelude::BASE64_STANDARD, [4; 120])
        );
        assert_eq!(failure(&point, &keys).message(), "has a malformed encrypted value, `A`");
        let malformed = PrivateKeys::parse(&[Secret::from("xyz")]).err().expect("refused");
        assert_eq!(malformed.to_string(), "a private key of dotenvx is malformed");
    }

    #[test]
    fn a_plain_file_is_not_dotenvxs() {
        assert!(!is_dotenvx(b"A=b\n") && has_readable_value(b"A=b\n"));
        assert!(is_dotenvx(b"A=b\nB=encrypted:x\n") && has_readable_value(b"A=b\nB=encrypted:x\n"));
    }
}
