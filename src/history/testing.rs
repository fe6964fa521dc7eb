//! Environment files for tests, written without any key: the outside of tokens, grants and proposals is all that history
//! reads.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::crypto::key::{DropBox, EnvironmentKey};
use crate::crypto::label::GrantLabel;
use crate::crypto::proposal::ProposalLabel;
use crate::names::{EnvironmentName, RecipientName, Version};
use crate::secret::Secret;
use crate::value::LineEnd;
use crate::vault::footer::Footer;

/// An environment file in the making.
#[derive(Clone)]
pub(super) struct Text {
    body: String,
    list: Option<String>,
    footer: Footer,
}

/// The drop box of the key number `number`.
pub(super) fn drop_box(number: u8) -> DropBox {
    let passphrase = Secret::from_text(format!("{number:064x}"));
    EnvironmentKey::from_passphrase(&passphrase).unwrap().drop_box().clone()
}

/// The label of the public key number `number`.
pub(super) fn label(number: u8) -> GrantLabel {
    GrantLabel::parse(&format!("x25519-{number:016x}")).unwrap()
}

fn token(key: u8, version: u32) -> String {
    format!("ENC[age,{},v{version:08x},YWdl]", drop_box(key).id())
}

impl Text {
    /// A file of the environment under the key number `key`.
    pub(super) fn new(environment: &str, key: u8) -> Self {
        Self {
            body: String::new(),
            list: None,
            footer: Footer::new(EnvironmentName::new(environment).unwrap(), drop_box(key)),
        }
    }

    fn key(&self) -> u8 {
        (0..=255)
            .find(|number| drop_box(*number) == self.footer.drop_box)
            .unwrap()
    }

    /// With an encrypted value; `a.b` stands below `a`.
    pub(super) fn value(self, path: &str, version: u32) -> Self {
        let key = self.key();
        self.foreign(path, version, key)
    }

    /// With a value that is sealed under the key number `key`.
    pub(super) fn foreign(mut self, path: &str, version: u32, key: u8) -> Self {
        self.list = None;
        let mut indentation = String::new();
        let mut names = path.split('.').peekable();
        while let Some(name) = names.next() {
            let rest = match names.peek() {
                Some(_) => String::new(),
                None => format!(" |-\n{indentation}  {}", token(key, version)),
            };
            self.body.push_str(&format!("{indentation}{name}:{rest}\n"));
            indentation.push_str("  ");
        }
        self
    }

    /// With one item more at the end of a list.
    pub(super) fn item(mut self, list: &str, version: u32) -> Self {
        if self.list.as_deref() != Some(list) {
            self.body.push_str(&format!("{list}:\n"));
            self.list = Some(list.to_owned());
        }
        let token = token(self.key(), version);
        self.body.push_str(&format!("- |-\n  {token}\n"));
        self
    }

    /// With a readable value.
    pub(super) fn readable(mut self, name: &str, text: &str) -> Self {
        self.body.push_str(&format!("{name}: {text}\n"));
        self
    }

    /// With a grant for the public key number `number`.
    pub(super) fn grant(mut self, name: &str, number: u8) -> Self {
        // A grant's outside: one stanza of its type, a MAC, and a payload that nobody opens.
        let nonce = BASE64_STANDARD.encode([number; 32]).trim_end_matches('=').to_owned();
        let file =
            format!("age-encryption.org/v1\n-> X25519 {nonce}\n{nonce}\n--- {nonce}\n0123456789abcdef0123456789abcdef");
        let grants = self.footer.grants.entry(RecipientName::new(name).unwrap()).or_default();
        grants.insert(label(number), BASE64_STANDARD.encode(file));
        self
    }

    /// With a proposal.
    pub(super) fn proposal(mut self, number: u8) -> Self {
        let file = [number; 8];
        let label = ProposalLabel::of(&file);
        self.footer.proposals.insert(label, BASE64_STANDARD.encode(file));
        self
    }

    /// With an old value that is kept.
    pub(super) fn previous(mut self, path: &str, version: u32) -> Self {
        let token = token(self.key(), version);
        let previous = crate::vault::footer::Previous {
            path: crate::document::path::ValuePath::parse(path).unwrap(),
            until: "2026-12-01".to_owned(),
            token,
        };
        let version = Version::new(&format!("v{version:08x}")).unwrap();
        self.footer.previous.insert(version, previous);
        self
    }

    /// The text of the file.
    pub(super) fn write(&self) -> String {
        format!("{}\n{}", self.body, self.footer.write(LineEnd::Lf))
    }
}
