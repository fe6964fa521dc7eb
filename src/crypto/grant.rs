//! Grants: the environment key, sealed for exactly one public key of any kind. A grant is checked before
//! it is opened, and the drop box inside must be the one that its passphrase derives. FORMAT, "Keys".

use std::fmt;

use zeroize::Zeroizing;

use super::envelope::{OpenError, inspect, seal_for};
use super::identities::Identities;
use super::json::{Reader, check_same, pad, push_member};
use super::key::EnvironmentKey;
use super::label::{GrantLabel, KeyKind};
use super::plugins::Plugins;
use super::public_key::PublicKey;
use crate::error::{Failure, Result};
use crate::names::{EnvironmentName, is_hex};
use crate::secret::Secret;

/// The largest grant in bytes.
pub const LARGEST_GRANT: usize = 16 * 1024;

/// The content of a grant.
#[derive(Clone, Debug)]
pub struct GrantPlaintext {
    /// The `id` of the policy it belongs to: 32 lower-case hex digits.
    pub policy: String,
    /// The environment it belongs to.
    pub environment: EnvironmentName,
    /// The key it grants.
    pub key: EnvironmentKey,
}

impl GrantPlaintext {
    /// Canonical JSON, padded with spaces to a multiple of 32 bytes.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut out = self.write();
        pad(&mut out);
        out
    }

    fn write(&self) -> Zeroizing<Vec<u8>> {
        let text = |secret: &Secret| Zeroizing::new(secret.expose_text().expect("keys are ASCII").to_owned());
        let mut out = Zeroizing::new(Vec::with_capacity(1024));
        out.extend_from_slice(b"{\"type\":\"grant\",\"format\":1");
        push_member("policy", &self.policy, &mut out);
        push_member("environment", self.environment.as_str(), &mut out);
        push_member("passphrase", &text(self.key.passphrase()), &mut out);
        push_member("drop_box", &text(&self.key.drop_box_identity()), &mut out);
        out.push(b'}');
        out
    }

    /// Reads what [`GrantPlaintext::encode`] writes, and nothing else: also a drop box that the passphrase
    /// does not derive is refused.
    pub fn decode(plaintext: &[u8]) -> Result<Self, OpenError> {
        let mut reader = Reader::new(plaintext)?;
        let policy = reader.public_string("{\"type\":\"grant\",\"format\":1,\"policy\":")?;
        if !is_hex(&policy, 32) {
            return Err(OpenError::Malformed("it names no policy"));
        }
        let environment = EnvironmentName::new(&reader.public_string(",\"environment\":")?)
            .ok_or(OpenError::Malformed("it names no environment"))?;
        reader.literal(",\"passphrase\":")?;
        let key = EnvironmentKey::from_passphrase(&reader.string()?)
            .ok_or(OpenError::Malformed("its passphrase is malformed"))?;
        reader.literal(",\"drop_box\":")?;
        if reader.string()? != key.drop_box_identity() {
            return Err(OpenError::Malformed("its drop box is not the one of its passphrase"));
        }
        reader.literal("}")?;
        reader.end()?;
        let grant = Self {
            policy,
            environment,
            key,
        };
        check_same(grant.write(), plaintext)?;
        Ok(grant)
    }
}

/// Why a grant gave no key.
#[derive(Debug)]
pub enum GrantError {
    /// No identity here fits any of the labels.
    NoIdentity,
    /// The grant with this label is not what it claims to be.
    Integrity(GrantLabel, OpenError),
    /// An identity that may fit could not be used: no answer, wrong passphrase, missing plugin.
    Unusable(anyhow::Error),
}

impl fmt::Display for GrantError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoIdentity => formatter.write_str("no identity here opens a grant"),
            Self::Integrity(label, reason) => write!(formatter, "the grant `{label}` is refused: {reason}"),
            Self::Unusable(error) => error.fmt(formatter),
        }
    }
}

impl std::error::Error for GrantError {}

/// The grant of a key to `public`: an age file.
///
/// # Errors
/// Only for plugins: exit 1 if the plugin is missing or fails, exit 5 if it comes from the work tree.
pub fn seal_grant(public: &PublicKey, grant: &GrantPlaintext, plugins: &Plugins) -> Result<Vec<u8>> {
    let recipient = recipient(public, plugins)?;
    let label = public.label();
    let file = seal_for(&*recipient, &grant.encode())
        .map_err(|_| Failure::failed(format!("the key of the grant `{label}` cannot be encrypted to")))?;
    check_grant(&file, label)
        .map_err(|reason| Failure::failed(format!("the grant `{label}` would be refused by readers: {reason}")))?;
    Ok(file)
}

/// What age encrypts to for `public`.
pub(super) fn recipient(public: &PublicKey, plugins: &Plugins) -> Result<Box<dyn age::Recipient>> {
    let text = public.canonical();
    let checked = "public keys were parsed by the same library";
    Ok(match public.kind() {
        KeyKind::X25519 => Box::new(text.parse::<age::x25519::Recipient>().expect(checked)),
        KeyKind::SshEd25519 | KeyKind::SshRsa => Box::new(text.parse::<age::ssh::Recipient>().expect(checked)),
        KeyKind::Tag => Box::new(text.parse::<age::tag::Recipient>().expect(checked)),
        KeyKind::TagPq => Box::new(text.parse::<age::tagpq::Recipient>().expect(checked)),
        KeyKind::Plugin(name) => {
            plugins.resolve(name)?;
            let recipient: age::plugin::Recipient = text.parse().map_err(Failure::failed)?;
            let plugin = age::plugin::RecipientPluginV1::new(name, &[recipient], &[], plugins.callbacks())
                .map_err(|_| Failure::failed(format!("the age plugin `age-plugin-{name}` is not installed")))?;
            Box::new(plugin)
        }
    })
}

/// Whether a file has the form of a grant with this label: size, and one stanza of the right type besides
/// those whose type ends in `-grease`. Needs no key.
pub fn check_grant(file: &[u8], label: &GrantLabel) -> Result<(), OpenError> {
    if file.len() > LARGEST_GRANT {
        return Err(OpenError::Malformed("it is larger than 16 KiB"));
    }
    check_stanzas(file, label.kind().stanza_type())
}

/// Exactly one stanza besides grease, of the type `wanted` if that is known.
pub(super) fn check_stanzas(file: &[u8], wanted: Option<&str>) -> Result<(), OpenError> {
    let types = inspect(file)?;
    let mut types = types.into_iter().filter(|name| !name.ends_with("-grease"));
    match (types.next(), types.next()) {
        // A passphrase is nobody's public key, and its work factor would be the file's to choose.
        (Some("scrypt"), None) => Err(OpenError::Malformed("it is sealed with a passphrase")),
        (Some(name), None) if wanted.is_none_or(|wanted| wanted == name) => Ok(()),
        (Some(_), None) => Err(OpenError::Malformed("it is sealed for another kind of key")),
        _ => Err(OpenError::Malformed("it is not sealed for exactly one key")),
    }
}

/// Opens one grant with the identity that its label fits.
///
/// # Errors
/// See [`GrantError`]. What the grant says of policy and environment is the caller's to compare.
pub fn open_grant(file: &[u8], label: &GrantLabel, identities: &mut Identities) -> Result<GrantPlaintext, GrantError> {
    open_any(&[(label, file)], identities).map(|(_, grant)| grant)
}

/// Opens one of the grants of an environment: the one that costs least. Identities that need no passphrase
/// and no program are tried first. Returns the index of the grant too.
///
/// # Errors
/// See [`GrantError`].
pub fn open_any(
    grants: &[(&GrantLabel, &[u8])],
    identities: &mut Identities,
) -> Result<(usize, GrantPlaintext), GrantError> {
    let (index, plaintext) = identities.open(grants)?;
    match GrantPlaintext::decode(plaintext.expose()) {
        Ok(grant) => Ok((index, grant)),
        Err(reason) => Err(GrantError::Integrity(grants[index].0.clone(), reason)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{GrantError, GrantPlaintext, check_grant, open_any, open_grant, seal_grant};
    use crate::crypto::envelope::{OpenError, inspect, seal, seal_for};
    use crate::crypto::identities::{Identities, KeySource, generate_x25519};
    use crate::crypto::key::EnvironmentKey;
    use crate::crypto::label::GrantLabel;
    use crate::crypto::plugins::{AskNobody, Plugins};
    use crate::crypto::public_key::PublicKey;
    use crate::names::EnvironmentName;
    use crate::process::SearchPath;
    use crate::secret::Secret;

    fn grant() -> GrantPlaintext {
        GrantPlaintext {
            policy: "5f0c0000000000000000000000000001".to_owned(),
            environment: EnvironmentName::new("prod").unwrap(),
            key: EnvironmentKey::generate(),
        }
    }

    fn identities(secret: &Secret) -> Identities {
        Identities::new(vec![KeySource::bytes("SECRETREE_KEY", secret.clone())], Plugins::none())
    }

    #[test]
    fn only_the_holder_of_the_key_opens_a_grant() {
        let ((secret, public), (other, _)) = (generate_x25519(), generate_x25519());
        let grant = grant();
        let file = seal_grant(&public, &grant, &Plugins::none()).unwrap();
        let opened = open_grant(&file, public.label(), &mut identities(&secret)).unwrap();
        assert_eq!(opened.key.drop_box(), grant.key.drop_box());
        assert_eq!((opened.policy, opened.environment), (grant.policy, grant.environment));
        let refused = open_grant(&file, public.label(), &mut identities(&other));
        assert!(matches!(refused, Err(GrantError::NoIdentity)));
    }

    #[test]
    fn a_grant_that_was_altered_or_mislabelled_is_an_integrity_failure() {
        let ((secret, public), (_, other)) = (generate_x25519(), generate_x25519());
        let file = seal_grant(&public, &grant(), &Plugins::none()).unwrap();
        let mut altered = file.clone();
        *altered.last_mut().unwrap() ^= 1;
        let for_other = seal_grant(&other, &grant(), &Plugins::none()).unwrap();
        for bad in [altered, for_other, file[..file.len() - 1].to_vec()] {
            let refused = open_any(&[(public.label(), &bad)], &mut identities(&secret));
            assert!(matches!(refused, Err(GrantError::Integrity(..))), "{refused:?}");
        }
    }

    #[test]
    fn the_form_of_a_grant_is_checked_without_a_key() {
        let (_, public) = generate_x25519();
        let file = seal_grant(&public, &grant(), &Plugins::none()).unwrap();
        let label = |text: &str| GrantLabel::parse(text).unwrap();
        assert_eq!(check_grant(&file, public.label()), Ok(()));
        assert_eq!(check_grant(&file, &label("plugin-x-0000000000000000")), Ok(()));
        assert!(check_grant(&file, &label("ssh-rsa-0000000000000000")).is_err());
        assert!(check_grant(&[file.clone(), vec![0; 16 * 1024]].concat(), public.label()).is_err());
        let stanza = &file[22..file.windows(4).position(|part| part == b"--- ").unwrap()];
        let twice = [&file[..22], stanza, &file[22..]].concat();
        assert!(check_grant(&twice, public.label()).is_err());
        assert!(check_grant(&seal(&grant().key, b"x"), &label("plugin-x-0000000000000000")).is_err());
        assert!(check_grant(b"", public.label()).is_err());
        assert!(inspect(&file).unwrap().contains(&"X25519"));
    }

    #[test]
    fn a_grant_must_agree_with_itself() {
        let good = grant();
        let plaintext = String::from_utf8(good.encode().to_vec()).unwrap();
        let other = EnvironmentKey::generate();
        let text = |secret: &Secret| secret.expose_text().unwrap().to_owned();
        assert!(GrantPlaintext::decode(plaintext.as_bytes()).is_ok());
        for (from, to) in [
            (text(&good.key.drop_box_identity()), text(&other.drop_box_identity())),
            (text(good.key.passphrase()), text(other.passphrase())),
            (
                text(good.key.passphrase()),
                text(good.key.passphrase()).to_uppercase() + "A",
            ),
            ("\"format\":1".to_owned(), "\"format\":2".to_owned()),
            ("\"grant\"".to_owned(), "\"value\"".to_owned()),
            ("5f0c".to_owned(), "5F0C".to_owned()),
            ("prod".to_owned(), "null".to_owned()),
        ] {
            assert!(
                GrantPlaintext::decode(plaintext.replace(&from, &to).as_bytes()).is_err(),
                "{from}"
            );
        }
    }

    #[test]
    fn what_a_grant_holds_is_checked_after_opening() {
        let (secret, public) = generate_x25519();
        let recipient: age::x25519::Recipient = public.canonical().parse().unwrap();
        let file = seal_for(&recipient, b"{}").unwrap();
        let refused = open_grant(&file, public.label(), &mut identities(&secret));
        assert!(matches!(
            refused,
            Err(GrantError::Integrity(_, OpenError::Malformed(_)))
        ));
    }

    #[test]
    fn a_hardware_key_gets_a_grant_of_its_stanza() {
        let tag = "age1tag1qt8lw0ual6avlwmwatk888yqnmdamm7xfd0wak53ut6elz5c4swx2yqdj4e";
        let public = PublicKey::parse(tag).unwrap();
        let file = seal_grant(&public, &grant(), &Plugins::none()).unwrap();
        assert!(inspect(&file).unwrap().contains(&"p256tag"));
    }

    #[test]
    fn a_missing_plugin_is_named() {
        let text = age_core::primitives::bech32_encode(bech32::Hrp::parse_unchecked("age1absent"), &[3; 33]);
        let public = PublicKey::parse(&text).unwrap();
        let plugins = Plugins::new(SearchPath::new(vec![std::env::temp_dir()], None), Arc::new(AskNobody));
        let error = seal_grant(&public, &grant(), &plugins).unwrap_err();
        assert_eq!(error.to_string(), "the age plugin `age-plugin-absent` is not installed");
    }
}
