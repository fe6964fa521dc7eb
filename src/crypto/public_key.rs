//! The public keys that a policy names, checked at the door: age's own, SSH keys, hardware keys and those
//! of age plugins. A private key pasted by mistake is refused without ever being shown.

use std::fmt;

use age_core::primitives::{bech32_decode, bech32_encode};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::curve;
use super::label::{GrantLabel, KeyKind, plugin_name};

/// The longest text of a key, in bytes; the longest kind known needs 2,000.
const LONGEST: usize = 8192;

/// One public key, in the one text that stands for it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey {
    canonical: String,
    label: GrantLabel,
}

impl PublicKey {
    /// Reads `age1…` in either case, or an SSH public key with or without comment.
    ///
    /// # Errors
    /// Why the text is no key, as the end of an error line. It never repeats the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.len() > LONGEST {
            return Err(format!("is longer than the {LONGEST} bytes that a public key may have"));
        }
        if is_private(text) {
            return Err("is a private key, which must never be shared: make a new one, and name its public key".into());
        }
        match text.split_once([' ', '\t']) {
            Some((kind, rest)) => parse_ssh(kind, rest.split_ascii_whitespace().next().unwrap_or_default()),
            None => parse_age(text),
        }
    }

    fn new(kind: KeyKind, canonical: String) -> Self {
        let label = GrantLabel::of(kind, &canonical);
        Self { canonical, label }
    }

    /// The text that stands for the key: lower-case Bech32, or `ssh-… BASE64` without comment.
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// What it is.
    pub fn kind(&self) -> &KeyKind {
        self.label.kind()
    }

    /// The name of a grant for this key.
    pub fn label(&self) -> &GrantLabel {
        &self.label
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.canonical)
    }
}

/// How many bits the modulus of an `ssh-rsa BASE64` key has (RFC 4253, 6.6); nothing for a key of another kind.
pub fn rsa_bits(canonical: &str) -> Option<usize> {
    let base64 = canonical.strip_prefix("ssh-rsa ")?;
    let blob = BASE64_STANDARD.decode(base64).ok()?;
    let mut rest = blob.as_slice();
    let mut field = || {
        let (length, behind) = rest.split_first_chunk::<4>()?;
        let (field, behind) = behind.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        rest = behind;
        Some(field)
    };
    let (_kind, _exponent, modulus) = (field()?, field()?, field()?);
    let start = modulus.iter().position(|byte| *byte != 0)?;
    let first = usize::try_from(8 - modulus[start].leading_zeros()).ok()?;
    Some((modulus.len() - start - 1) * 8 + first)
}

/// Whether the text looks like a private key of any kind.
fn is_private(text: &str) -> bool {
    let upper = text.to_ascii_uppercase();
    ["AGE-SECRET-KEY", "AGE-PLUGIN-", "PRIVATE KEY"]
        .iter()
        .any(|mark| upper.contains(mark))
}

fn parse_age(text: &str) -> Result<PublicKey, String> {
    let malformed = || "is no public key: `age1…`, `ssh-ed25519 …` or `ssh-rsa …` is expected".to_owned();
    let damaged = || "is damaged: its checksum does not fit, copy it again".to_owned();
    if !text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("age1")) {
        return Err(malformed());
    }
    // Bech32 is read in either case, but not mixed: the checksum is computed on the text as it is.
    let (prefix, again) = bech32_decode(
        text,
        |_| damaged(),
        |_| Ok(()),
        |prefix, bytes| Ok((prefix.to_lowercase(), bech32_encode(prefix, &bytes.collect::<Vec<_>>()))),
    )?;
    let canonical = text.to_ascii_lowercase();
    if again != canonical {
        return Err(damaged());
    }
    let kind = match prefix.as_str() {
        "age" if curve::is_sound(&canonical) => KeyKind::X25519,
        "age" => return Err("is a key that protects nothing: its point is not sound".into()),
        "age1tag" => canonical.parse::<age::tag::Recipient>().map(|_| KeyKind::Tag)?,
        "age1tagpq" => canonical.parse::<age::tagpq::Recipient>().map(|_| KeyKind::TagPq)?,
        other => {
            let name = other.strip_prefix("age1").ok_or_else(malformed)?;
            KeyKind::Plugin(plugin_name(name).ok_or_else(|| "names no age plugin".to_owned())?)
        }
    };
    Ok(PublicKey::new(kind, canonical))
}

fn parse_ssh(kind: &str, base64: &str) -> Result<PublicKey, String> {
    let canonical = format!("{kind} {base64}");
    let recipient: age::ssh::Recipient = canonical.parse().map_err(|error| ssh_reason(kind, &error))?;
    if recipient.to_string() != canonical {
        return Err("is a damaged ssh key: copy it again".into());
    }
    let kind = match recipient {
        age::ssh::Recipient::SshRsa(..) => KeyKind::SshRsa,
        age::ssh::Recipient::SshEd25519(blob, point) => {
            if point.is_small_order() || !blob.ends_with(point.compress().as_bytes()) {
                return Err("is a key that protects nothing: its point is not sound".into());
            }
            KeyKind::SshEd25519
        }
    };
    Ok(PublicKey::new(kind, canonical))
}

fn ssh_reason(kind: &str, error: &age::ssh::ParseRecipientKeyError) -> String {
    use age::ssh::ParseRecipientKeyError::{RsaModulusTooLarge, RsaModulusTooSmall};
    match error {
        RsaModulusTooSmall => "is an rsa key of less than 2048 bits, too weak to protect anything".into(),
        RsaModulusTooLarge => "is an rsa key of more than 4096 bits, which age cannot use".into(),
        _ if kind.starts_with("sk-") => "is an ssh key on a security key, which can sign but not decrypt".into(),
        _ if kind.starts_with("ecdsa-") || kind == "ssh-dss" => {
            "is of a kind that age cannot use: only `ssh-ed25519` and `ssh-rsa` can decrypt".into()
        }
        _ => "is no public key: `age1…`, `ssh-ed25519 …` or `ssh-rsa …` is expected".into(),
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    use proptest::prelude::{any, proptest};

    use super::{KeyKind, PublicKey, rsa_bits};
    use crate::crypto::curve;

    const X25519: &str = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
    const TAG: &str = "age1tag1qt8lw0ual6avlwmwatk888yqnmdamm7xfd0wak53ut6elz5c4swx2yqdj4e";
    const ED25519: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN";

    #[test]
    fn keys_have_one_text_and_one_label() {
        let yubikey = age_core::primitives::bech32_encode(bech32::Hrp::parse_unchecked("age1yubikey"), &[3; 33]);
        for (text, canonical, label) in [
            (X25519, X25519, "x25519-6a804773982840fa"),
            (&X25519.to_uppercase(), X25519, "x25519-6a804773982840fa"),
            (TAG, TAG, "tag-762fe72f25fedb52"),
            (ED25519, ED25519, "ssh-ed25519-86aad3b5232310e9"),
            (
                &format!(" {ED25519}  alice@host two\n"),
                ED25519,
                "ssh-ed25519-86aad3b5232310e9",
            ),
            (&yubikey, &yubikey, "plugin-yubikey-7aaa43714eccae7e"),
        ] {
            let key = PublicKey::parse(text).unwrap();
            assert_eq!(key.canonical(), canonical);
            assert_eq!(key.label().as_str(), label);
        }
        let pq = age_core::primitives::bech32_encode(bech32::Hrp::parse_unchecked("age1pq"), &[3; 1216]);
        assert_eq!(PublicKey::parse(&pq).unwrap().kind(), &KeyKind::Plugin("pq".to_owned()));
    }

    #[test]
    fn private_keys_are_refused_and_never_repeated() {
        for text in [
            "AGE-SECRET-KEY-1CANARY",
            "age-secret-key-1canary",
            "AGE-PLUGIN-YUBIKEY-1CANARY",
            "-----BEGIN OPENSSH PRIVATE KEY-----\ncanary",
        ] {
            let reason = PublicKey::parse(text).unwrap_err();
            assert!(reason.starts_with("is a private key"), "{reason}");
            assert!(!reason.to_lowercase().contains("canary"), "{reason}");
        }
    }

    #[test]
    fn unsound_keys_are_refused() {
        let mut identity_point = b"\0\0\0\x0bssh-ed25519\0\0\0\x20\x01".to_vec();
        identity_point.resize(identity_point.len() + 31, 0);
        for (text, reason) in [
            (curve::encode(&[0; 32]), "protects nothing"),
            (
                format!("ssh-ed25519 {}", BASE64_STANDARD.encode(identity_point)),
                "protects nothing",
            ),
            (X25519.replace("zvk", "zvq"), "damaged"),
            (X25519.replacen('z', "Z", 1), "damaged"),
            (format!("{ED25519}!!"), "damaged"),
            ("ssh-ed25519".to_owned(), "expected"),
            ("ssh-ed25519 AAAA".to_owned(), "expected"),
            ("ecdsa-sha2-nistp256 AAAA".to_owned(), "cannot use"),
            ("sk-ssh-ed25519@openssh.com AAAA".to_owned(), "security key"),
            (String::new(), "expected"),
            ("é".to_owned(), "expected"),
            ("age1".repeat(3000), "longer"),
        ] {
            let refusal = PublicKey::parse(&text).unwrap_err();
            assert!(refusal.contains(reason), "{text}: {refusal}");
        }
    }

    #[test]
    fn the_length_of_an_rsa_key_is_that_of_its_modulus() {
        let key = |modulus: &[u8]| {
            let field = |bytes: &[u8]| [&u32::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat();
            let blob = [field(b"ssh-rsa"), field(&[1, 0, 1]), field(modulus)].concat();
            format!("ssh-rsa {}", BASE64_STANDARD.encode(blob))
        };
        assert_eq!(rsa_bits(&key(&[[0].as_slice(), &[0xff; 256]].concat())), Some(2048));
        assert_eq!(rsa_bits(&key(&[[1].as_slice(), &[0; 384]].concat())), Some(3073));
        for other in [ED25519, X25519, "ssh-rsa ", "ssh-rsa AAAA", &key(&[])] {
            assert_eq!(rsa_bits(other), None);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in any::<String>()) {
            let _ = PublicKey::parse(&text);
            let _ = PublicKey::parse(&format!("age1{text}"));
            let _ = PublicKey::parse(&format!("ssh-rsa {text}"));
        }
    }
}
