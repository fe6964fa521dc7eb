//! The public keys of a policy, checked and brought to the one form in which two of them can be compared.
//! What a key can encrypt to is the envelope's business.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::crypto::public_key::PublicKey;

/// The kinds of SSH keys that git can sign with.
const SIGNING_KINDS: [&str; 7] = [
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
];

/// The longest SSH key that is looked at: RSA with 16,384 bits and a comment.
const LONGEST_KEY: usize = 4096;

/// A public key that grants are made for; the reason if it is none. Never repeats the text: it may be a
/// private key that was pasted by mistake.
pub(super) fn public_key(text: &str) -> Result<PublicKey, String> {
    PublicKey::parse(text).map_err(|reason| format!("this public key {reason}"))
}

/// The canonical text of a signing key: `KIND BASE64` of an SSH key, or an OpenPGP fingerprint in capitals.
pub(super) fn canonical_signing_key(text: &str) -> Result<String, String> {
    if text.to_ascii_uppercase().contains("SECRET-KEY-") || text.contains("PRIVATE KEY") {
        return Err("this signing key is a private key: take it out, and replace it everywhere".to_owned());
    }
    if [40, 64].contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(text.to_ascii_uppercase());
    }
    canonical_ssh_key(text).ok_or_else(|| {
        "this signing key is no SSH public key and no OpenPGP fingerprint of 40 or 64 hex digits".to_owned()
    })
}

/// `KIND BASE64` if the encoded key is of the kind that its first word says.
fn canonical_ssh_key(text: &str) -> Option<String> {
    let mut words = text.split_ascii_whitespace();
    let (kind, encoded) = (words.next()?, words.next()?);
    if !SIGNING_KINDS.contains(&kind) || text.len() > LONGEST_KEY || text.contains(['\n', '\r']) {
        return None;
    }
    let bytes = BASE64_STANDARD.decode(encoded).ok()?;
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let named = rest.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    (named == kind.as_bytes() && rest.len() > named.len()).then(|| format!("{kind} {encoded}"))
}

/// The canonical text of an SSH key, which can sign too.
pub(super) fn as_signing_key(key: &PublicKey) -> Option<String> {
    key.canonical().starts_with("ssh-").then(|| key.canonical().to_owned())
}

#[cfg(test)]
mod tests {
    use super::{canonical_signing_key, public_key};

    const SSH: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ4XfJ0nCqnUoBmHXf0hYkO8mUTMKPiFQwh0Zr3X6wAA";

    #[test]
    fn signing_keys_have_one_form() {
        assert_eq!(
            canonical_signing_key(&format!("{SSH} alice@laptop")).as_deref(),
            Ok(SSH)
        );
        assert_eq!(canonical_signing_key(&"ab".repeat(20)), Ok("AB".repeat(20)));
        for bad in [
            "",
            "ssh-ed25519",
            "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAA",
            "ssh-ed25519 !!",
            "abcd",
        ] {
            assert!(canonical_signing_key(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_private_key_is_named_as_such_and_not_repeated() {
        let text = "AGE-SECRET-KEY-1CANARY";
        for reason in [public_key(text).unwrap_err(), canonical_signing_key(text).unwrap_err()] {
            assert!(reason.contains("private key") && !reason.contains("CANARY"), "{reason}");
        }
    }
}
