//! What a file of identities holds: age identities and plugin identities line by line, one SSH key, or all
//! of it encrypted with a passphrase. Says which grants each key may open, and what the attempt costs.

use std::sync::OnceLock;

use age::secrecy::ExposeSecret as _;

use super::label::{GrantLabel, KeyKind};
use super::public_key::PublicKey;
use super::ssh_key;
use crate::error::Failure;
use crate::secret::Secret;

/// The largest file of identities in bytes.
pub(super) const LARGEST_FILE: usize = 1 << 20;

/// What trying a key costs, cheapest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Effort {
    /// Some arithmetic.
    Free,
    /// A passphrase or a program, for a key that fits.
    Asks,
    /// A passphrase or a program, for a key that may fit or not.
    Guess,
}

/// One key, or what stands for keys that are still encrypted.
pub(super) enum Key {
    /// An age identity; its public key is derived when somebody asks for it.
    Age(age::x25519::Identity, OnceLock<PublicKey>),
    /// An SSH key that needs no passphrase (any more); parsed when it is used.
    Ssh {
        public: PublicKey,
        text: Secret,
        parsed: Option<age::ssh::Identity>,
    },
    /// An encrypted SSH key.
    SealedSsh { public: PublicKey, text: Secret },
    /// An identity that a plugin uses, and its public key if the file says it.
    Plugin {
        identity: age::plugin::Identity,
        public: Option<PublicKey>,
    },
    /// An encrypted file of identities, and the public keys that are known of it.
    SealedFile { file: Secret, publics: Vec<PublicKey> },
    /// What could not be unlocked, and why; nobody is asked twice.
    Spent { publics: Vec<PublicKey>, failure: Failure },
}

impl Key {
    /// What it costs to try this key on a grant with this label; `None` if it cannot fit.
    pub(super) fn effort(&self, label: &GrantLabel) -> Option<Effort> {
        let listed = |publics: &[PublicKey]| match publics {
            [] => Some(Effort::Guess),
            _ => publics
                .iter()
                .any(|public| public.label() == label)
                .then_some(Effort::Asks),
        };
        match self {
            Self::Age(..) if *label.kind() != KeyKind::X25519 => None,
            Self::Age(..) => (self.publics()[0].label() == label).then_some(Effort::Free),
            Self::Ssh { public, .. } => (public.label() == label).then_some(Effort::Free),
            Self::SealedSsh { public, .. } => (public.label() == label).then_some(Effort::Asks),
            Self::Plugin {
                public: Some(public), ..
            } if public.label() == label => Some(Effort::Asks),
            Self::Plugin { identity, public } => match label.kind() {
                KeyKind::Plugin(name) if name != identity.plugin() => None,
                KeyKind::Plugin(_) if public.is_none() => Some(Effort::Asks),
                // One plugin identity can have a recipient of its own and a tag, or the comment may be old.
                KeyKind::Plugin(_) | KeyKind::Tag | KeyKind::TagPq => Some(Effort::Guess),
                KeyKind::X25519 | KeyKind::SshEd25519 | KeyKind::SshRsa => None,
            },
            Self::SealedFile { publics, .. } | Self::Spent { publics, .. } => listed(publics),
        }
    }

    /// Why no public key of it is known, as the end of a line; `None` if one is.
    pub(super) fn reason_unknown(&self) -> Option<String> {
        match self {
            Self::SealedFile { publics, .. } if publics.is_empty() => {
                Some("is encrypted, and no `.pub` file beside it says its public key".to_owned())
            }
            Self::Plugin { identity, public: None } => {
                let plugin = identity.plugin();
                Some(format!(
                    "is used by the age plugin `{plugin}`, which alone knows its public key"
                ))
            }
            Self::Spent { publics, failure } if publics.is_empty() => Some(failure.message().to_owned()),
            _ => None,
        }
    }

    /// The name of the plugin that uses it.
    pub(super) fn plugin(&self) -> Option<&str> {
        match self {
            Self::Plugin { identity, .. } => Some(identity.plugin()),
            _ => None,
        }
    }

    /// The public keys that are known without passphrase and program.
    pub(super) fn publics(&self) -> &[PublicKey] {
        match self {
            Self::Age(identity, public) => {
                std::slice::from_ref(public.get_or_init(|| {
                    PublicKey::parse(&identity.to_public().to_string()).expect("a derived key is sound")
                }))
            }
            Self::Ssh { public, .. } | Self::SealedSsh { public, .. } => std::slice::from_ref(public),
            Self::Plugin { public, .. } => public.as_slice(),
            Self::SealedFile { publics, .. } | Self::Spent { publics, .. } => publics,
        }
    }
}

/// The keys of a file, and what could not be read in it.
#[derive(Default)]
pub(super) struct Contents {
    pub(super) keys: Vec<Key>,
    pub(super) problem: Option<String>,
}

impl Contents {
    fn problem(reason: impl Into<String>) -> Self {
        Self {
            keys: Vec::new(),
            problem: Some(reason.into()),
        }
    }
}

/// Reads a file of identities of any form. `beside` is the text of the `.pub` file next to it.
pub(super) fn parse(content: &Secret, beside: Option<&str>) -> Contents {
    if content.len() > LARGEST_FILE {
        return Contents::problem("is too large for a file of identities");
    }
    if content.expose().starts_with(b"age-encryption.org/v1\n") {
        return sealed_file(content, beside, "");
    }
    let Some(text) = content.expose_text() else {
        return Contents::problem("is no file of identities");
    };
    if let Some((comments, _)) = text.split_once("-----BEGIN AGE ENCRYPTED FILE-----") {
        return sealed_file(&Secret::from(&text[comments.len()..]), beside, comments);
    }
    if ssh_key::is_ssh_key(text) {
        return ssh(text);
    }
    lines(text)
}

fn sealed_file(file: &Secret, beside: Option<&str>, comments: &str) -> Contents {
    let publics = comments
        .lines()
        .chain(beside.unwrap_or_default().lines())
        .filter_map(noted_key);
    let publics = publics.collect();
    Contents {
        keys: vec![Key::SealedFile {
            file: file.clone(),
            publics,
        }],
        problem: None,
    }
}

fn ssh(text: &str) -> Contents {
    let (text, outline) = (Secret::from(text), ssh_key::outline(text));
    match outline {
        Err(reason) => Contents::problem(reason),
        Ok(ssh_key::Outline {
            public,
            encrypted: true,
        }) => Contents {
            keys: vec![Key::SealedSsh { public, text }],
            problem: None,
        },
        Ok(ssh_key::Outline {
            public,
            encrypted: false,
        }) => Contents {
            keys: vec![Key::Ssh {
                public,
                text,
                parsed: None,
            }],
            problem: None,
        },
    }
}

/// Identities, one a line, with comments between them.
pub(super) fn lines(text: &str) -> Contents {
    let mut contents = Contents::default();
    let mut noted = None;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            noted = noted_key(line).or(noted);
        } else if let Ok(identity) = line.parse() {
            contents.keys.push(Key::Age(identity, OnceLock::new()));
            noted = None;
        } else if let Ok(identity) = line.parse() {
            let public = noted.take();
            contents.keys.push(Key::Plugin { identity, public });
        } else {
            contents
                .problem
                .get_or_insert(format!("holds no identity in line {}", index + 1));
        }
    }
    if contents.keys.is_empty() {
        contents.problem.get_or_insert("holds no identity".to_owned());
    }
    contents
}

/// The public key in a line such as `# public key: age1…`, `#    Recipient: age1…`, or that line alone.
fn noted_key(line: &str) -> Option<PublicKey> {
    let text = line.trim().trim_start_matches('#');
    let text = text.split_once(':').map_or(text, |(_, key)| key);
    PublicKey::parse(text).ok()
}

/// A new age identity: the line for a file of identities, and its public key.
pub(super) fn generate() -> (Secret, PublicKey) {
    let identity = age::x25519::Identity::generate();
    let public = PublicKey::parse(&identity.to_public().to_string()).expect("a derived key is sound");
    (Secret::from(identity.to_string().expose_secret()), public)
}

#[cfg(test)]
mod tests {
    use super::{Effort, Key, generate, parse};
    use crate::crypto::label::GrantLabel;
    use crate::secret::Secret;

    fn plugin_line(name: &str) -> String {
        age::plugin::Identity::default_for_plugin(name).unwrap().to_string()
    }

    #[test]
    fn files_may_hold_several_identities_and_comments() {
        let ((one, one_public), (two, two_public)) = (generate(), generate());
        let text = |secret: &Secret| secret.expose_text().unwrap().to_owned();
        let file = format!(
            "# a comment\r\n{}\r\n\n  {}  \n{}\n",
            text(&one),
            text(&two),
            plugin_line("yubikey")
        );
        let contents = parse(&Secret::from_text(file), None);
        assert_eq!(contents.problem, None);
        let publics: Vec<_> = contents.keys.iter().flat_map(Key::publics).cloned().collect();
        assert_eq!(publics, [one_public, two_public]);
        assert_eq!(contents.keys.len(), 3);
    }

    #[test]
    fn what_is_no_identity_is_named_by_its_line_only() {
        let (secret, _) = generate();
        let text = secret.expose_text().unwrap();
        for (file, keys, problem) in [
            (format!("{text}\ncanary\n"), 1, "holds no identity in line 2"),
            (format!("{text}x"), 0, "holds no identity in line 1"),
            ("# only comments\n".to_owned(), 0, "holds no identity"),
            (String::new(), 0, "holds no identity"),
            (
                "-----BEGIN OPENSSH PRIVATE KEY-----\n".to_owned(),
                0,
                "is a damaged ssh key",
            ),
            ("x".repeat(2 << 20), 0, "is too large for a file of identities"),
        ] {
            let contents = parse(&Secret::from_text(file), None);
            assert_eq!(
                (contents.keys.len(), contents.problem.as_deref()),
                (keys, Some(problem))
            );
        }
        assert!(parse(&Secret::new(vec![0xff]), None).problem.is_some());
    }

    #[test]
    fn plugins_fit_by_name_or_by_the_noted_key() {
        let noted = age_core::primitives::bech32_encode(bech32::Hrp::parse_unchecked("age1yubikey"), &[3; 33]);
        let label = super::PublicKey::parse(&noted).unwrap().label().clone();
        let other = |text: &str| GrantLabel::parse(&format!("{text}-0000000000000000")).unwrap();
        let key = |comment: &str| {
            let file = format!("{comment}\n{}", plugin_line("yubikey"));
            parse(&Secret::from_text(file), None).keys.remove(0)
        };
        let (known, unknown) = (key(&format!("#    Recipient: {noted}")), key("# nothing"));
        assert_eq!(known.publics()[0].canonical(), noted);
        for (label, with_note, without) in [
            (label, Some(Effort::Asks), Some(Effort::Asks)),
            (other("plugin-yubikey"), Some(Effort::Guess), Some(Effort::Asks)),
            (other("plugin-tpm"), None, None),
            (other("tag"), Some(Effort::Guess), Some(Effort::Guess)),
            (other("x25519"), None, None),
        ] {
            assert_eq!(
                (known.effort(&label), unknown.effort(&label)),
                (with_note, without),
                "{label}"
            );
        }
    }
}
