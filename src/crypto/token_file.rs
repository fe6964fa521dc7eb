//! Opens the age files that tokens are: passphrase mode, one stanza, work factor 2^1 (C2SP `age.md`). Sealing is the age
//! library's; opening is here, because a command opens thousands of small files, and the library's reader takes two buffers
//! of 64 KiB for each. Tests hold it against what the library and stock age seal.

use age_core::format::FILE_KEY_BYTES;
use age_core::primitives::{aead_decrypt, hkdf};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use chacha20poly1305::aead::{AeadInPlace as _, KeyInit as _};
use chacha20poly1305::{ChaCha20Poly1305, Nonce, Tag};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::envelope::SALT_BYTES;
use crate::secret::Secret;

/// What every token's age file begins with; the salt follows.
const OPENING: &[u8] = b"age-encryption.org/v1\n-> scrypt ";
/// The work factor and the end of the stanza's line; the wrapped file key follows.
const WORK_FACTOR: &[u8] = b" 1\n";
/// The end of the stanza; the header's MAC follows behind a blank.
const CLOSING: &[u8] = b"\n---";
/// Base64 without padding of 16 and of 32 bytes.
const SALT_LENGTH: usize = 22;
const KEY_LENGTH: usize = 43;
const NONCE_BYTES: usize = 16;
const TAG_BYTES: usize = 16;
/// The plaintext of each chunk of the payload but the last.
const CHUNK_BYTES: usize = 64 * 1024;

/// The parts of a token's age file, by their place alone: nothing is verified yet.
pub(super) struct TokenFile<'a> {
    pub(super) salt: [u8; SALT_BYTES],
    wrapped_key: [u8; FILE_KEY_BYTES + TAG_BYTES],
    mac: [u8; 32],
    /// The header up to its closing dashes, which the MAC covers.
    header: &'a [u8],
    nonce: &'a [u8],
    payload: &'a [u8],
}

impl<'a> TokenFile<'a> {
    /// Takes a file apart; `None` unless it has exactly the form that tokens have.
    pub(super) fn parse(file: &'a [u8]) -> Option<Self> {
        let rest = file.strip_prefix(OPENING)?;
        let (salt, rest) = rest.split_at_checked(SALT_LENGTH)?;
        let (wrapped_key, rest) = rest.strip_prefix(WORK_FACTOR)?.split_at_checked(KEY_LENGTH)?;
        let rest = rest.strip_prefix(CLOSING)?;
        let header = &file[..file.len() - rest.len()];
        let (mac, rest) = rest.strip_prefix(b" ")?.split_at_checked(KEY_LENGTH)?;
        let (nonce, payload) = rest.strip_prefix(b"\n")?.split_at_checked(NONCE_BYTES)?;
        (payload.len() >= TAG_BYTES).then_some(())?;
        Some(Self {
            salt: decoded(salt)?,
            wrapped_key: decoded(wrapped_key)?,
            mac: decoded(mac)?,
            header,
            nonce,
            payload,
        })
    }

    /// The plaintext; `None` if anything was altered or the key is another.
    pub(super) fn open(&self, wrapping_key: &[u8; 32]) -> Option<Secret> {
        let file_key = Zeroizing::new(aead_decrypt(wrapping_key, FILE_KEY_BYTES, &self.wrapped_key).ok()?);
        let mac_key = Zeroizing::new(hkdf(&[], b"header", &file_key));
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(&*mac_key).expect("HMAC takes keys of any length");
        mac.update(self.header);
        mac.verify_slice(&self.mac).ok()?;
        let payload_key = Zeroizing::new(hkdf(self.nonce, b"payload", &file_key));
        open_payload(&payload_key, self.payload)
    }
}

/// Canonical base64 without padding.
fn decoded<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    // Room for what the decoder may estimate for the longest of the three texts.
    let mut bytes = [0; 48];
    let length = BASE64_STANDARD_NO_PAD.decode_slice(text, &mut bytes).ok()?;
    bytes[..length].try_into().ok()
}

/// The payload's chunks: each sealed under a counter and a mark of the last one, which is empty only if it is the only one.
fn open_payload(key: &[u8; 32], payload: &[u8]) -> Option<Secret> {
    let cipher = ChaCha20Poly1305::new(key.into());
    let mut plaintext = Zeroizing::new(Vec::with_capacity(payload.len()));
    let mut chunks = payload.chunks(CHUNK_BYTES + TAG_BYTES).enumerate().peekable();
    while let Some((counter, chunk)) = chunks.next() {
        let last = chunks.peek().is_none();
        let (sealed, tag) = chunk.split_at_checked(chunk.len().checked_sub(TAG_BYTES)?)?;
        if sealed.is_empty() && counter > 0 {
            return None;
        }
        let mut nonce = [0; 12];
        nonce[3..11].copy_from_slice(&u64::try_from(counter).ok()?.to_be_bytes());
        nonce[11] = u8::from(last);
        let start = plaintext.len();
        plaintext.extend_from_slice(sealed);
        let nonce = Nonce::from_slice(&nonce);
        cipher
            .decrypt_in_place_detached(nonce, &[], &mut plaintext[start..], Tag::from_slice(tag))
            .ok()?;
    }
    Some(Secret::new(std::mem::take(&mut *plaintext)))
}
