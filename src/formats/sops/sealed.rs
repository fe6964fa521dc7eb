//! One value as sops seals it: `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]`, AES-256-GCM with a nonce of 32 bytes under the
//! file's data key. The keys of its path, each with a colon behind it, are the additional data; indices of lists are
//! left out.

use aes_gcm::aead::consts::U32;
use aes_gcm::aead::generic_array::GenericArray;
use aes_gcm::aes::Aes256;
use aes_gcm::{AeadInPlace as _, AesGcm, KeyInit as _};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rand::RngCore as _;
use rand::rngs::OsRng;
use zeroize::Zeroizing;

use crate::secret::Secret;

/// How a sealed value begins.
pub(super) const OPENING: &str = "ENC[AES256_GCM,data:";
const NONCE_BYTES: usize = 32;
const TAG_BYTES: usize = 16;
const KEY_BYTES: usize = 32;

/// The key under which all values of a file are sealed.
pub(super) struct DataKey(AesGcm<Aes256, U32>);

/// Why a value was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unopened {
    /// It has not the form of a sealed value.
    Malformed,
    /// It was altered, moved, or sealed under another key.
    Altered,
}

impl DataKey {
    /// `None` if the key has not 32 bytes.
    pub(super) fn new(key: &Secret) -> Option<Self> {
        AesGcm::new_from_slice(key.expose()).ok().map(Self)
    }

    /// A new key, and its bytes.
    pub(super) fn generate() -> (Self, Secret) {
        let mut bytes = vec![0; KEY_BYTES];
        OsRng.fill_bytes(&mut bytes);
        let key = Secret::new(bytes);
        (Self::new(&key).expect("a key of 32 bytes"), key)
    }

    /// The name of the type and the content of what `text` seals; `path` is the additional data.
    pub(super) fn open<'t>(&self, text: &'t str, path: &str) -> Result<(&'t str, Secret), Unopened> {
        let sealed = parse(text).ok_or(Unopened::Malformed)?;
        let decoded = |text: &str| BASE64_STANDARD.decode(text).map_err(|_| Unopened::Malformed);
        let (nonce, tag) = (decoded(sealed.nonce)?, decoded(sealed.tag)?);
        if nonce.len() != NONCE_BYTES || tag.len() != TAG_BYTES {
            return Err(Unopened::Malformed);
        }
        let mut content = Zeroizing::new(decoded(sealed.data)?);
        let (nonce, tag) = (GenericArray::from_slice(&nonce), GenericArray::from_slice(&tag));
        self.0
            .decrypt_in_place_detached(nonce, path.as_bytes(), &mut content, tag)
            .map_err(|_| Unopened::Altered)?;
        Ok((sealed.kind, Secret::new(std::mem::take(&mut *content))))
    }

    /// Seals `content`, which is not empty: sops leaves empty text as it is.
    pub(super) fn seal(&self, kind: &str, content: &[u8], path: &str) -> String {
        let mut nonce = [0; NONCE_BYTES];
        OsRng.fill_bytes(&mut nonce);
        let mut data = Zeroizing::new(content.to_vec());
        let tag = self
            .0
            .encrypt_in_place_detached(GenericArray::from_slice(&nonce), path.as_bytes(), &mut data)
            .expect("values are shorter than 64 GiB");
        let [data, nonce, tag] = [&data[..], &nonce, &tag].map(|bytes| BASE64_STANDARD.encode(bytes));
        format!("{OPENING}{data},iv:{nonce},tag:{tag},type:{kind}]")
    }
}

struct Sealed<'a> {
    data: &'a str,
    nonce: &'a str,
    tag: &'a str,
    kind: &'a str,
}

fn parse(text: &str) -> Option<Sealed<'_>> {
    let inside = text.strip_prefix(OPENING)?.strip_suffix(']')?;
    let (data, rest) = inside.split_once(",iv:")?;
    let (nonce, rest) = rest.split_once(",tag:")?;
    let (tag, kind) = rest.split_once(",type:")?;
    Some(Sealed { data, nonce, tag, kind })
}

/// Whether text has the form of a sealed value.
pub(super) fn is_sealed(text: &str) -> bool {
    parse(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::{DataKey, Unopened, is_sealed};
    use crate::secret::Secret;

    #[test]
    fn a_value_opens_at_its_place_only() {
        let (key, bytes) = DataKey::generate();
        let again = DataKey::new(&bytes).expect("32 bytes");
        let sealed = key.seal("str", b"canary", "a:b:");
        assert!(is_sealed(&sealed) && !sealed.contains("canary"));
        assert_eq!(again.open(&sealed, "a:b:"), Ok(("str", Secret::from("canary"))));
        assert_eq!(again.open(&sealed, "a:c:"), Err(Unopened::Altered));
        let (other, _) = DataKey::generate();
        assert_eq!(other.open(&sealed, "a:b:"), Err(Unopened::Altered));
        for broken in [
            "",
            "ENC[",
            "ENC[AES256_GCM,data:,iv:,tag:,type:str]",
            &sealed[..sealed.len() - 1],
        ] {
            assert_eq!(again.open(broken, "a:b:"), Err(Unopened::Malformed), "{broken}");
        }
        assert!(DataKey::new(&Secret::from("short")).is_none());
    }
}
