//! The kinds of public keys, and the labels under which a footer keeps grants: a kind and the hash of a
//! key. A label tells which identity opens a grant, so that none is tried blindly.

use std::fmt;

use crate::names::{is_hex, short_hash};

/// What a public key is, and so what can decrypt for it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// age's own, `age1…`.
    X25519,
    /// An SSH key on Curve25519.
    SshEd25519,
    /// An SSH key of RSA.
    SshRsa,
    /// A hardware key, `age1tag1…`.
    Tag,
    /// A hardware key with post-quantum protection, `age1tagpq1…`.
    TagPq,
    /// A key of the age plugin of this name, `age1NAME1…`.
    Plugin(String),
}

impl KeyKind {
    /// The kind that its [`Display`](fmt::Display) form says.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "x25519" => Self::X25519,
            "ssh-ed25519" => Self::SshEd25519,
            "ssh-rsa" => Self::SshRsa,
            "tag" => Self::Tag,
            "tagpq" => Self::TagPq,
            _ => Self::Plugin(plugin_name(text.strip_prefix("plugin-")?)?),
        })
    }

    /// The type of the one stanza in a grant for such a key; a plugin's may be any.
    pub fn stanza_type(&self) -> Option<&'static str> {
        match self {
            Self::X25519 => Some("X25519"),
            Self::SshEd25519 => Some("ssh-ed25519"),
            Self::SshRsa => Some("ssh-rsa"),
            Self::Tag => Some("p256tag"),
            Self::TagPq => Some("mlkem768p256tag"),
            Self::Plugin(_) => None,
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::X25519 => formatter.write_str("x25519"),
            Self::SshEd25519 => formatter.write_str("ssh-ed25519"),
            Self::SshRsa => formatter.write_str("ssh-rsa"),
            Self::Tag => formatter.write_str("tag"),
            Self::TagPq => formatter.write_str("tagpq"),
            Self::Plugin(name) => write!(formatter, "plugin-{name}"),
        }
    }
}

/// `name` if a plugin can be called so: lower-case, at most 64 characters, and none that age has built in.
pub(super) fn plugin_name(name: &str) -> Option<String> {
    let sound = (1..=64).contains(&name.len())
        && name.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'_')
        })
        && !matches!(name, "tag" | "tagpq");
    sound.then(|| name.to_owned())
}

/// The name of a grant in the footer: `x25519-9b1d7c22e0f34a56`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GrantLabel {
    text: String,
    kind: KeyKind,
}

impl GrantLabel {
    /// The label of the key of this kind whose canonical text is `canonical`.
    pub(super) fn of(kind: KeyKind, canonical: &str) -> Self {
        let text = format!("{kind}-{}", short_hash(canonical.as_bytes()));
        Self { text, kind }
    }

    /// `None` unless `text` is a kind, `-` and 16 lower-case hex digits.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, hash) = text.rsplit_once('-')?;
        let kind = KeyKind::parse(kind)?;
        is_hex(hash, 16).then(|| Self {
            text: text.to_owned(),
            kind,
        })
    }

    /// The text in the footer.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The kind of the key.
    pub fn kind(&self) -> &KeyKind {
        &self.kind
    }
}

impl fmt::Display for GrantLabel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::{GrantLabel, KeyKind};

    #[test]
    fn labels_say_their_kind() {
        for (text, kind) in [
            ("x25519-9b1d7c22e0f34a56", Some(KeyKind::X25519)),
            ("ssh-ed25519-9b1d7c22e0f34a56", Some(KeyKind::SshEd25519)),
            ("tagpq-9b1d7c22e0f34a56", Some(KeyKind::TagPq)),
            ("plugin-pq-9b1d7c22e0f34a56", Some(KeyKind::Plugin("pq".to_owned()))),
            ("plugin-a-b-9b1d7c22e0f34a56", Some(KeyKind::Plugin("a-b".to_owned()))),
            ("plugin--9b1d7c22e0f34a56", None),
            ("plugin-tag-9b1d7c22e0f34a56", None),
            ("plugin-../x-9b1d7c22e0f34a56", None),
            ("plugin-Yubi-9b1d7c22e0f34a56", None),
            ("x25519-9b1d7c22e0f34a5", None),
            ("x25519-9B1D7C22E0F34A56", None),
            ("x25519", None),
            ("dsa-9b1d7c22e0f34a56", None),
        ] {
            let label = GrantLabel::parse(text);
            assert_eq!(label.as_ref().map(|label| label.kind().clone()), kind, "{text}");
            if let Some(label) = label {
                assert_eq!(GrantLabel::parse(&label.to_string()), Some(label));
            }
        }
    }
}
