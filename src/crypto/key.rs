//! The environment key: a random passphrase that opens every token of an environment, and the drop box
//! derived from it, whose public half stands for the whole key. FORMAT, "Keys".

use std::fmt;

use age_core::primitives::bech32_encode;
use bech32::Hrp;
use hkdf::Hkdf;
use rand::RngCore as _;
use rand::rngs::OsRng;
use sha2::Sha256;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use super::curve;
use crate::names::{KeyId, is_hex};
use crate::secret::Secret;

/// The purpose of the derived X25519 secret; part of the format.
const DROP_BOX_PURPOSE: &[u8] = b"secretree/1/drop-box";

/// The public half of an environment key's X25519 pair: an `age1…` text, canonical and sound.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DropBox(String);

impl DropBox {
    /// `None` if `text` is no lower-case, canonical `age1…` key, or a point of low order.
    pub fn parse(text: &str) -> Option<Self> {
        curve::is_sound(text).then(|| Self(text.to_owned()))
    }

    /// The `age1…` text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The look-up mark of the key it belongs to.
    pub fn id(&self) -> KeyId {
        KeyId::of_drop_box(&self.0)
    }
}

impl fmt::Display for DropBox {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The key of one environment, between two changes of who may read it.
#[derive(Clone)]
pub struct EnvironmentKey {
    passphrase: Secret,
    secret: StaticSecret,
    drop_box: DropBox,
    id: KeyId,
}

impl EnvironmentKey {
    /// A new key of 256 random bits.
    pub fn generate() -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        OsRng.fill_bytes(&mut *bytes);
        let mut text = Vec::with_capacity(64);
        for byte in *bytes {
            for digit in [byte >> 4, byte & 15] {
                text.push(b"0123456789abcdef"[usize::from(digit)]);
            }
        }
        Self::derive(Secret::new(text))
    }

    /// `None` unless `passphrase` is 64 lower-case hex digits. Derives the drop box: one multiplication of
    /// the base point, once for a grant and never for a token.
    pub fn from_passphrase(passphrase: &Secret) -> Option<Self> {
        is_hex(passphrase.expose_text()?, 64).then(|| Self::derive(passphrase.clone()))
    }

    fn derive(passphrase: Secret) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(None, passphrase.expose())
            .expand(DROP_BOX_PURPOSE, &mut *bytes)
            .expect("32 bytes are less than HKDF's limit");
        let secret = StaticSecret::from(*bytes);
        let drop_box = DropBox(curve::encode(PublicKey::from(&secret).as_bytes()));
        let id = drop_box.id();
        Self {
            passphrase,
            secret,
            drop_box,
            id,
        }
    }

    /// The 64 hex digits that open tokens.
    pub fn passphrase(&self) -> &Secret {
        &self.passphrase
    }

    /// The public half, which stands for the key wherever keys are compared.
    pub fn drop_box(&self) -> &DropBox {
        &self.drop_box
    }

    /// The look-up mark.
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// The drop box's identity, `AGE-SECRET-KEY-1…`, as age writes it.
    pub fn drop_box_identity(&self) -> Secret {
        let bytes = Zeroizing::new(self.secret.to_bytes());
        let mut text = bech32_encode(Hrp::parse_unchecked("age-secret-key-"), &*bytes);
        text.make_ascii_uppercase();
        Secret::from_text(text)
    }
}

impl fmt::Debug for EnvironmentKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "EnvironmentKey({})", self.id)
    }
}

#[cfg(test)]
mod tests {
    use age::secrecy::ExposeSecret as _;

    use super::{DropBox, EnvironmentKey};
    use crate::secret::Secret;

    #[test]
    fn the_drop_box_is_derived_as_the_format_says() {
        let passphrase = Secret::from("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
        let key = EnvironmentKey::from_passphrase(&passphrase).unwrap();
        assert_eq!(
            key.drop_box().as_str(),
            "age17ca6x4t7qy3a9xjvr2qk79k6gpffdhpj3vsx35mrc739e7cyssgs39zs82"
        );
        assert_eq!(key.id().as_str(), "k4a9e30931e244b74");
        let identity: age::x25519::Identity = key.drop_box_identity().expose_text().unwrap().parse().unwrap();
        assert_eq!(identity.to_public().to_string(), key.drop_box().as_str());
        assert_eq!(
            identity.to_string().expose_secret().as_bytes(),
            key.drop_box_identity().expose()
        );
    }

    #[test]
    fn keys_are_random_and_come_back_from_their_passphrase() {
        let key = EnvironmentKey::generate();
        let again = EnvironmentKey::from_passphrase(key.passphrase()).unwrap();
        assert_eq!(key.drop_box(), again.drop_box());
        assert_ne!(key.drop_box(), EnvironmentKey::generate().drop_box());
        assert_eq!(DropBox::parse(key.drop_box().as_str()).as_ref(), Some(key.drop_box()));
    }

    #[test]
    fn other_passphrases_are_refused() {
        for text in ["", "00", &"0".repeat(63), &"A".repeat(64), &"0".repeat(65)] {
            assert!(EnvironmentKey::from_passphrase(&Secret::from(text)).is_none(), "{text}");
        }
    }
}
