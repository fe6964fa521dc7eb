//! What an SSH private key shows without its passphrase: its public key, and whether it is encrypted
//! (OpenSSH, PROTOCOL.key). Decrypting and using it is left to the age library.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use super::public_key::PublicKey;

const OPENSSH_BEGIN: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";
const OPENSSH_END: &str = "-----END OPENSSH PRIVATE KEY-----";
const RSA_BEGIN: &str = "-----BEGIN RSA PRIVATE KEY-----";

/// The readable part of an SSH private key.
#[derive(Debug)]
pub(super) struct Outline {
    pub(super) public: PublicKey,
    pub(super) encrypted: bool,
}

/// Whether the text is meant to be an SSH private key.
pub(super) fn is_ssh_key(text: &str) -> bool {
    let start = text.trim_start();
    start.starts_with(OPENSSH_BEGIN) || start.starts_with(RSA_BEGIN)
}

/// Reads the outline of a private key.
///
/// # Errors
/// Why the key is of no use here, as the end of a line.
pub(super) fn outline(text: &str) -> Result<Outline, String> {
    if text.trim_start().starts_with(RSA_BEGIN) {
        return outline_of_rsa_pem(text);
    }
    let damaged = || "is a damaged ssh key".to_owned();
    let (_, rest) = text.split_once(OPENSSH_BEGIN).ok_or_else(damaged)?;
    let (body, _) = rest.split_once(OPENSSH_END).ok_or_else(damaged)?;
    let mut base64 = Zeroizing::new(Vec::with_capacity(body.len()));
    base64.extend(body.bytes().filter(|byte| !byte.is_ascii_whitespace()));
    let bytes = Zeroizing::new(BASE64_STANDARD.decode(&*base64).map_err(|_| damaged())?);
    let (encrypted, blob) = read_container(&bytes).ok_or_else(damaged)?;
    let kind = take_string(&mut &*blob)
        .and_then(|kind| std::str::from_utf8(kind).ok())
        .ok_or_else(damaged)?;
    let public = PublicKey::parse(&format!("{kind} {}", BASE64_STANDARD.encode(blob)))?;
    Ok(Outline { public, encrypted })
}

/// Whether the key is encrypted, and its public part.
fn read_container(bytes: &[u8]) -> Option<(bool, &[u8])> {
    let mut rest = bytes.strip_prefix(b"openssh-key-v1\0")?;
    let cipher = take_string(&mut rest)?;
    let _key_derivation = take_string(&mut rest)?;
    let _parameters = take_string(&mut rest)?;
    let (count, mut rest) = rest.split_first_chunk()?;
    let public = take_string(&mut rest)?;
    (u32::from_be_bytes(*count) == 1).then_some((cipher != b"none", public))
}

/// The old form, which only shows its public key when it is read as a whole.
fn outline_of_rsa_pem(text: &str) -> Result<Outline, String> {
    let identity = age::ssh::Identity::from_buffer(text.as_bytes(), None).map_err(|_| "is a damaged ssh key")?;
    let recipient = age::ssh::Recipient::try_from(identity).map_err(
        |_| "is encrypted in an old form that age cannot read: `ssh-keygen -p -f FILE` writes it in the new one",
    )?;
    let public = PublicKey::parse(&recipient.to_string())?;
    Ok(Outline {
        public,
        encrypted: false,
    })
}

/// The `string` of RFC 4251: four bytes of length, then that many bytes.
fn take_string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk()?;
    let (string, after) = after.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    *rest = after;
    Some(string)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    use proptest::prelude::{any, proptest};

    use super::{OPENSSH_BEGIN, OPENSSH_END, is_ssh_key, outline};

    #[test]
    fn damaged_keys_are_refused_without_being_shown() {
        for body in ["", "canary", "b3BlbnNzaC1rZXktdjEA", "b3BlbnNzaC1rZXktdjEA/////w=="] {
            let text = format!("{OPENSSH_BEGIN}\n{body}\n{OPENSSH_END}\n");
            assert!(is_ssh_key(&text));
            assert_eq!(outline(&text).unwrap_err(), "is a damaged ssh key");
        }
        assert!(outline(OPENSSH_BEGIN).is_err());
        assert!(outline("-----BEGIN RSA PRIVATE KEY-----\ncanary").is_err());
        assert!(!is_ssh_key("AGE-SECRET-KEY-1"));
    }

    proptest! {
        #[test]
        fn any_container_is_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let container = [b"openssh-key-v1\0\0\0\0\x04none\0\0\0\x04none\0\0\0\0", bytes.as_slice()].concat();
            let text = format!("{OPENSSH_BEGIN}\n{}\n{OPENSSH_END}\n", BASE64_STANDARD.encode(container));
            let _ = outline(&text);
        }
    }
}
