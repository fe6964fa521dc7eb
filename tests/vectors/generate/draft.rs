//! An environment file in the making: fixed people, policies and keys, a readable body, and a token for each of its
//! places that a vector may exchange for another before the text is put together.

use std::collections::BTreeMap;

use age::secrecy::ExposeSecret as _;
use bech32::{Bech32, Hrp};
use secretree::crypto::envelope::to_base64;
use secretree::crypto::grant::{GrantPlaintext, seal_grant};
use secretree::crypto::key::EnvironmentKey;
use secretree::crypto::plugins::Plugins;
use secretree::crypto::public_key::PublicKey;
use secretree::crypto::token::{TokenKind, TokenPlaintext, seal_token};
use secretree::document::lines::line_end;
use secretree::document::source::source_of;
use secretree::document::tree::{Rules, Tree};
use secretree::document::write::write_tokens;
use secretree::names::{EnvironmentName, RecipientName, Version, short_hash};
use secretree::secret::Secret;
use secretree::vault::footer::Footer;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Vector;

/// Stands in every value, so that a program that shows one is caught.
pub(super) const CANARY: &str = "canary-7d1e";

/// The policy of nearly all vectors.
pub(super) const POLICY_ID: &str = "5f0c3a1e77d24b9086ef12ab34cd56e7";
/// Another one, that files and grants are brought in from.
pub(super) const OTHER_POLICY_ID: &str = "a1b2c3d4e5f60718293a4b5c6d7e8f90";

/// The body of nearly all refused vectors.
const BODY: &str = "\
# Payments, production.
log:
  level: info
database:
  user: canary-7d1e-user
  password: canary-7d1e-password
hosts:
  - canary-7d1e-one
  - canary-7d1e-two
port: 5432
";

/// The age identity of a name: its SHA-256 is the secret key.
pub(super) fn identity(name: &str) -> age::x25519::Identity {
    let prefix = Hrp::parse("age-secret-key-").expect("it is a valid prefix");
    let text = bech32::encode::<Bech32>(prefix, &Sha256::digest(name)).expect("32 bytes fit");
    text.to_uppercase().parse().expect("it is an identity's own form")
}

/// The public key of a name.
pub(super) fn public(name: &str) -> PublicKey {
    PublicKey::parse(&identity(name).to_public().to_string()).expect("a derived key is sound")
}

/// A public key that everybody shares a secret with: the all-zero point, of low order.
pub(super) fn all_zero_key() -> String {
    bech32::encode::<Bech32>(Hrp::parse("age").expect("it is a valid prefix"), &[0; 32]).expect("32 bytes fit")
}

/// The text of an identity file.
pub(super) fn identity_file(name: &str) -> String {
    let identity = identity(name);
    let public = identity.to_public();
    format!("# public key: {public}\n{}\n", identity.to_string().expose_secret())
}

/// The environment key of a name: the hex text of its SHA-256 is the passphrase.
pub(super) fn key(name: &str) -> EnvironmentKey {
    let digest: String = Sha256::digest(name).iter().map(|byte| format!("{byte:02x}")).collect();
    EnvironmentKey::from_passphrase(&Secret::from_text(digest)).expect("64 hex digits are a passphrase")
}

/// An environment's name.
pub(super) fn environment(name: &str) -> EnvironmentName {
    EnvironmentName::new(name).expect("vectors use sound names")
}

/// The policy that goes with [`Draft::new`].
pub(super) fn policy() -> String {
    policy_with("", "")
}

/// The policy with more lines for `prod`, and more lines at the end.
pub(super) fn policy_with(prod: &str, more: &str) -> String {
    let (alice, bob) = (public("alice"), public("bob"));
    format!(
        "version: 1\nid: \"{POLICY_ID}\"\nrecipients:\n  alice:\n    keys: [\"{alice}\"]\n  bob:\n    keys: [\"{bob}\"]\n\
         groups:\n  team: [alice, bob]\nenvironments:\n  prod:\n    file: prod.yaml\n    readers: [team]\n\
         \x20   plaintext: [\"log.*\"]\n{prod}  dev:\n    file: dev.yaml\n    readers: [alice]\n{more}"
    )
}

/// One environment file.
pub(super) struct Draft {
    pub(super) key: EnvironmentKey,
    pub(super) body: String,
    pub(super) footer: Footer,
    /// The content of a token's scalar by path, as messages show it; a path without one stays readable.
    pub(super) tokens: BTreeMap<String, String>,
}

impl Draft {
    /// The file of `prod` that refused vectors start from.
    pub(super) fn new() -> Self {
        Self::of("prod", key("prod key"), POLICY_ID, BODY)
    }

    /// A file of `prod` with this body.
    pub(super) fn with_body(body: &str) -> Self {
        Self::of("prod", key("prod key"), POLICY_ID, body)
    }

    /// A file of any environment and policy, granted to alice and bob; `log.…` stays readable.
    pub(super) fn of(name: &str, key: EnvironmentKey, policy: &str, body: &str) -> Self {
        let mut footer = Footer::new(environment(name), key.drop_box().clone());
        footer.final_newline = body.is_empty() || body.ends_with('\n');
        let mut draft = Self {
            key,
            body: body.to_owned(),
            footer,
            tokens: BTreeMap::new(),
        };
        for reader in ["alice", "bob"] {
            draft.grant(reader, &public(reader), &draft.grant_plaintext(policy));
        }
        draft.seal_body();
        draft
    }

    /// The right content of a grant of this file.
    pub(super) fn grant_plaintext(&self, policy: &str) -> GrantPlaintext {
        GrantPlaintext {
            policy: policy.to_owned(),
            environment: self.footer.environment.clone(),
            key: self.key.clone(),
        }
    }

    /// Grants to one public key.
    pub(super) fn grant(&mut self, reader: &str, public: &PublicKey, plaintext: &GrantPlaintext) {
        let file = seal_grant(public, plaintext, &Plugins::none()).expect("no plugin is needed");
        self.put_grant(reader, public, &file);
    }

    /// Puts any bytes where the grant of a public key stands.
    pub(super) fn put_grant(&mut self, reader: &str, public: &PublicKey, file: &[u8]) {
        let reader = RecipientName::new(reader).expect("vectors use sound names");
        let grants = self.footer.grants.entry(reader).or_default();
        grants.insert(public.label().clone(), to_base64(file));
    }

    /// Seals every place of the body anew, but what stands below `log`.
    pub(super) fn seal_body(&mut self) {
        let tree = Tree::parse(&self.body, Rules::Text).unwrap_or_else(|refusal| panic!("{refusal}: {}", self.body));
        for (path, scalar) in tree.scalars() {
            let shown = path.to_string();
            if shown.starts_with("log.") {
                continue;
            }
            let value = scalar.value();
            let plaintext = TokenPlaintext {
                kind: TokenKind::Value,
                environment: self.footer.environment.clone(),
                path: path.to_json(),
                version: version(&shown),
                source: source_of(tree.text, scalar, &value, line_end(tree.text)),
                value,
            };
            let base64 = seal_token(&self.key, &plaintext).expect("it is small");
            let token = format!("ENC[age,{},{},{base64}]", self.key.id(), plaintext.version);
            self.tokens.insert(shown, token);
        }
    }

    /// The token at a path.
    pub(super) fn token(&self, path: &str) -> String {
        self.tokens[path].clone()
    }

    /// Puts another text where the token of `path` stands.
    pub(super) fn put(&mut self, path: &str, content: impl Into<String>) {
        let old = self.tokens.insert(path.to_owned(), content.into());
        assert!(old.is_some(), "nothing stands at {path}");
    }

    /// Puts an age file under this file's key and the version of `path` there.
    pub(super) fn put_file(&mut self, path: &str, file: &[u8]) {
        let token = self.wrapped(&version(path), file);
        self.put(path, token);
    }

    /// `ENC[…]` around an age file.
    pub(super) fn wrapped(&self, version: &Version, file: &[u8]) -> String {
        format!("ENC[age,{},{version},{}]", self.key.id(), to_base64(file))
    }

    /// The text without its footer, sealed.
    pub(super) fn sealed_body(&self) -> String {
        let tree = Tree::parse(&self.body, Rules::Text).unwrap_or_else(|refusal| panic!("{refusal}: {}", self.body));
        let scalars = tree.scalars();
        let tokens: Vec<_> = scalars
            .iter()
            .filter_map(|(path, scalar)| Some((*scalar, self.tokens.get(&path.to_string())?.clone())))
            .collect();
        write_tokens(tree.text, &tree.lines, line_end(tree.text), &tokens)
    }

    /// The whole file.
    pub(super) fn text(&self) -> String {
        self.text_over(&self.sealed_body())
    }

    /// The whole file with this body, which may be no body of ours.
    pub(super) fn text_over(&self, body: &str) -> String {
        let line_end = line_end(&self.body);
        let ending = if body.is_empty() || body.ends_with('\n') {
            ""
        } else {
            line_end.text()
        };
        let blank = if body.is_empty() { "" } else { line_end.text() };
        format!("{body}{ending}{blank}{}", self.footer.write(line_end))
    }
}

/// The version of what stands at a path: made from it, never that of `follows`.
pub(super) fn version(path: &str) -> Version {
    Version::new(&format!("v{}", &short_hash(path.as_bytes())[..8])).expect("it is eight hex digits")
}

/// Spaces up to a multiple of 32 bytes.
pub(super) fn padded(json: &str) -> Vec<u8> {
    let mut bytes = json.as_bytes().to_vec();
    bytes.resize(bytes.len().next_multiple_of(32), b' ');
    bytes
}

/// The plaintext of the token at `database.password`, unpadded, with this JSON as its value and what follows that.
pub(super) fn password(value: &str) -> String {
    let version = version("database.password");
    format!(
        r#"{{"type":"value","environment":"prod","path":["database","password"],"version":"{version}","value":{value}}}"#
    )
}

/// A command as words.
pub(super) type Command<'c> = &'c [&'c str];

/// What opens the value at `database.password`.
pub(super) const OPENS_PASSWORD: &[Command<'_>] = &[
    &["get", "prod", "database.password"],
    &["run", "prod", "--", "printenv"],
    &["edit", "prod"],
    &["apply", "prod", "--new-key", "--yes"],
];

/// What delivers or writes any value of `prod`.
pub(super) const TOUCHES_PROD: &[Command<'_>] = &[
    &["get", "prod", "port"],
    &["set", "prod", "database.user"],
    &["unset", "prod", "port"],
    &["run", "prod", "--", "printenv"],
    &["edit", "prod"],
    &["apply", "prod", "--new-key", "--yes"],
];

/// What opens `previous` and proposals.
pub(super) const MAKES_A_KEY: &[Command<'_>] = &[&["apply", "prod", "--new-key", "--yes"]];

/// A vector that must be refused with 5: the file of `prod`, the commands that refuse it, what they name.
pub(super) fn refused(
    name: &str,
    about: &str,
    text: impl Into<Vec<u8>>,
    commands: &[Command<'_>],
    names: &[&str],
) -> Vector {
    refused_by(name, about, 5, &policy(), text, commands, names)
}

/// A vector that must be refused, under any policy and with any exit code.
pub(super) fn refused_by(
    name: &str,
    about: &str,
    exit: i32,
    policy: &str,
    text: impl Into<Vec<u8>>,
    commands: &[Command<'_>],
    names: &[&str],
) -> Vector {
    let expected: Value = json!({
        "about": about,
        "environment": "prod",
        "file": "prod.yaml",
        "commands": commands,
        "exit": exit,
        "names": names,
        "canary": CANARY,
    });
    Vector {
        folder: format!("refused/{name}"),
        files: vec![
            (".secrets.yaml".to_owned(), policy.as_bytes().to_vec()),
            ("prod.yaml".to_owned(), text.into()),
            ("identity.txt".to_owned(), identity_file("alice").into_bytes()),
        ],
        expected,
    }
}
