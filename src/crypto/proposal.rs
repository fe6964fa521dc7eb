//! Proposals: a value that somebody without a grant suggests, sealed to the drop box, so that only readers
//! see it. It is worth nothing until a reader accepts it.

use std::fmt;

use zeroize::Zeroizing;

use super::envelope::{LARGEST_FILE, OpenError, open_for, seal_for};
use super::grant::check_stanzas;
use super::json::{Reader, buffer_for, check_same, check_size, pad, push_member, push_name, value_bytes};
use super::key::{DropBox, EnvironmentKey};
use crate::error::Result;
use crate::names::{EnvironmentName, is_hex, short_hash};
use crate::value::Value;

/// The name of a proposal in the footer: `p` and 16 hex digits of the hash of its age file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProposalLabel(String);

impl ProposalLabel {
    /// The label of this age file.
    pub fn of(file: &[u8]) -> Self {
        Self(format!("p{}", short_hash(file)))
    }

    /// `None` unless `text` is `p` and 16 lower-case hex digits.
    pub fn parse(text: &str) -> Option<Self> {
        is_hex(text.strip_prefix('p')?, 16).then(|| Self(text.to_owned()))
    }

    /// The text in the footer.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProposalLabel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The content of a proposal.
#[derive(Clone, PartialEq, Eq)]
pub struct ProposalPlaintext {
    /// The `id` of the policy it belongs to: 32 lower-case hex digits.
    pub policy: String,
    /// The environment it is for.
    pub environment: EnvironmentName,
    /// Where the value shall stand: the canonical JSON array (`ValuePath::to_json`).
    pub path: String,
    /// The value.
    pub value: Value,
}

impl fmt::Debug for ProposalPlaintext {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "proposal {}:{}", self.environment, self.path)
    }
}

impl ProposalPlaintext {
    /// Canonical JSON, padded with spaces to a multiple of 32 bytes.
    ///
    /// # Errors
    /// Exit 1 for a value over 16 MiB.
    pub fn encode(&self) -> Result<Zeroizing<Vec<u8>>> {
        let mut out = self.write();
        pad(&mut out);
        check_size(out, &self.path)
    }

    fn write(&self) -> Zeroizing<Vec<u8>> {
        let mut out = buffer_for([value_bytes(&self.value), self.path.as_bytes()]);
        out.extend_from_slice(b"{\"type\":\"proposal\",\"format\":1");
        push_member("policy", &self.policy, &mut out);
        push_member("environment", self.environment.as_str(), &mut out);
        push_name("path", &mut out);
        out.extend_from_slice(self.path.as_bytes());
        push_name("value", &mut out);
        self.value.push_canonical_json(&mut out);
        out.push(b'}');
        out
    }

    /// Reads what [`ProposalPlaintext::encode`] writes, and nothing else.
    pub fn decode(plaintext: &[u8]) -> Result<Self, OpenError> {
        let mut reader = Reader::new(plaintext)?;
        let policy = reader.public_string("{\"type\":\"proposal\",\"format\":1,\"policy\":")?;
        if !is_hex(&policy, 32) {
            return Err(OpenError::Malformed("it names no policy"));
        }
        let environment = EnvironmentName::new(&reader.public_string(",\"environment\":")?)
            .ok_or(OpenError::Malformed("it names no environment"))?;
        reader.literal(",\"path\":")?;
        let path = reader.path()?;
        reader.literal(",\"value\":")?;
        let value = reader.value()?;
        reader.literal("}")?;
        reader.end()?;
        let proposal = Self {
            policy,
            environment,
            path,
            value,
        };
        check_same(proposal.write(), plaintext)?;
        Ok(proposal)
    }
}

/// The age file of a proposal and its label.
///
/// # Errors
/// Those of [`ProposalPlaintext::encode`].
pub fn seal_proposal(drop_box: &DropBox, proposal: &ProposalPlaintext) -> Result<(ProposalLabel, Vec<u8>)> {
    let recipient: age::x25519::Recipient = drop_box.as_str().parse().expect("a drop box is an age key");
    let file = seal_for(&recipient, &proposal.encode()?).expect("a sound key can be encrypted to");
    Ok((ProposalLabel::of(&file), file))
}

/// Opens a proposal that was sealed to the drop box of `key`.
///
/// # Errors
/// Whatever is not exactly one X25519 stanza, a file that the label does not name, or altered content.
pub fn open_proposal(key: &EnvironmentKey, label: &ProposalLabel, file: &[u8]) -> Result<ProposalPlaintext, OpenError> {
    if file.len() > LARGEST_FILE {
        return Err(OpenError::Malformed("it is larger than 16 MiB"));
    }
    if ProposalLabel::of(file) != *label {
        return Err(OpenError::Malformed("its label is not its own"));
    }
    check_stanzas(file, Some("X25519"))?;
    let secret = key.drop_box_identity();
    let identity: age::x25519::Identity = secret
        .expose_text()
        .and_then(|text| text.parse().ok())
        .expect("a drop box has an age identity");
    let plaintext = open_for(&identity, file).map_err(|_| OpenError::WrongKey)?;
    ProposalPlaintext::decode(plaintext.expose())
}

#[cfg(test)]
mod tests {
    use super::{ProposalLabel, ProposalPlaintext, open_proposal, seal_proposal};
    use crate::crypto::envelope::{OpenError, seal};
    use crate::crypto::key::EnvironmentKey;
    use crate::names::EnvironmentName;
    use crate::value::Value;

    fn proposal(value: Value) -> ProposalPlaintext {
        ProposalPlaintext {
            policy: "5f0c0000000000000000000000000001".to_owned(),
            environment: EnvironmentName::new("prod").unwrap(),
            path: r#"["a",0]"#.to_owned(),
            value,
        }
    }

    #[test]
    fn readers_open_what_others_propose() {
        let key = EnvironmentKey::generate();
        for value in [
            Value::text("new"),
            Value::Null,
            Value::from_bytes(crate::secret::Secret::new(vec![0xff])),
        ] {
            let proposed = proposal(value);
            let (label, file) = seal_proposal(key.drop_box(), &proposed).unwrap();
            assert_eq!(ProposalLabel::parse(label.as_str()), Some(label.clone()));
            assert_eq!(open_proposal(&key, &label, &file).unwrap(), proposed);
            assert_eq!(
                open_proposal(&EnvironmentKey::generate(), &label, &file),
                Err(OpenError::WrongKey)
            );
        }
    }

    #[test]
    fn other_files_are_refused() {
        let key = EnvironmentKey::generate();
        let (label, mut file) = seal_proposal(key.drop_box(), &proposal(Value::text("x"))).unwrap();
        file.push(0);
        assert!(matches!(
            open_proposal(&key, &label, &file),
            Err(OpenError::Malformed(_))
        ));
        assert_eq!(
            open_proposal(&key, &ProposalLabel::of(&file), &file),
            Err(OpenError::WrongKey)
        );
        let token = seal(&key, b"x");
        assert!(matches!(
            open_proposal(&key, &ProposalLabel::of(&token), &token),
            Err(OpenError::Malformed(_))
        ));
    }

    #[test]
    fn the_plaintext_is_canonical() {
        let plaintext = proposal(Value::Integer(5)).encode().unwrap();
        let text = std::str::from_utf8(&plaintext).unwrap();
        assert_eq!(
            text.trim_end_matches(' '),
            r#"{"type":"proposal","format":1,"policy":"5f0c0000000000000000000000000001","environment":"prod","path":["a",0],"value":5}"#
        );
        for (from, to) in [
            ("proposal", "grant"),
            (":5}", ":5,\"a\":1}"),
            ("[\"a\",0]", "\"a\""),
            ("5f0c", "5F0C"),
            ("t\":1", "t\":2"),
        ] {
            assert!(
                ProposalPlaintext::decode(text.replace(from, to).as_bytes()).is_err(),
                "{from}"
            );
        }
    }
}
