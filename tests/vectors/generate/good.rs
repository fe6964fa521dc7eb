//! Vectors that open: every kind of value, text and footer that the format has.

use std::process::Command;

use secretree::crypto::envelope::to_base64;
use secretree::crypto::proposal::{ProposalPlaintext, seal_proposal};
use secretree::crypto::public_key::PublicKey;
use secretree::crypto::token::{TokenPlaintext, seal_token};
use secretree::document::path::ValuePath;
use secretree::document::tree::{Rules, Tree};
use secretree::names::Version;
use secretree::value::Value as SecretValue;
use secretree::vault::footer::Previous;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::Vector;
use super::draft::{Draft, POLICY_ID, environment, identity_file, key, padded, password, policy, public, version};

pub(super) fn vectors() -> Vec<Vector> {
    let mut all = texts();
    all.extend(footers());
    all.extend(identities());
    all
}

/// What a vector looks like before it is one.
pub(super) struct Good {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) draft: Draft,
    /// The file, where it is not what the draft gives.
    pub(super) file: Option<String>,
    /// The decrypted text, where it is not the draft's body.
    pub(super) text: Option<String>,
    pub(super) policy: String,
    pub(super) place: (&'static str, &'static str),
    pub(super) identity: String,
    pub(super) more: Vec<(&'static str, Value)>,
}

impl Good {
    /// The file of `prod` that a draft gives, for alice.
    pub(super) fn new(name: &'static str, about: &'static str, draft: Draft) -> Self {
        Self {
            name,
            about,
            draft,
            file: None,
            text: None,
            policy: policy(),
            place: ("prod", "prod.yaml"),
            identity: identity_file("alice"),
            more: Vec::new(),
        }
    }

    /// The vector, which says everything that opens.
    pub(super) fn vector(self) -> Vector {
        let (name, file) = self.place;
        let key = &self.draft.key;
        let mut expected = json!({
            "about": self.about,
            "environment": name,
            "file": file,
            "key": {
                "id": key.id().as_str(),
                "drop_box": key.drop_box().as_str(),
                "passphrase": key.passphrase().expose_text().expect("it is hex"),
            },
            "values": values(&self.draft),
            "text": "text.yaml",
        });
        for (name, value) in self.more {
            expected[name] = value;
        }
        let text = self.text.unwrap_or_else(|| self.draft.body.clone());
        let sealed = self.file.unwrap_or_else(|| self.draft.text());
        Vector {
            folder: format!("good/{}", self.name),
            files: vec![
                (".secrets.yaml".to_owned(), self.policy.into_bytes()),
                (file.to_owned(), sealed.into_bytes()),
                ("text.yaml".to_owned(), text.into_bytes()),
                ("identity.txt".to_owned(), self.identity.into_bytes()),
            ],
            expected,
        }
    }
}

/// Every value of a draft; a readable one has no version.
fn values(draft: &Draft) -> Vec<Value> {
    let tree = Tree::parse(&draft.body, Rules::Text).expect("the body is accepted");
    let of = |(path, value): (ValuePath, SecretValue)| {
        let shown = path.to_string();
        let version = draft.tokens.contains_key(&shown).then(|| version(&shown).to_string());
        let path: Value = serde_json::from_str(&path.to_json()).expect("it is JSON");
        json!({"path": path, "version": version, "value": plain_json(&value)})
    };
    let scalars = tree.scalars().into_iter();
    scalars.map(|(path, scalar)| of((path, scalar.value()))).collect()
}

fn plain_json(value: &SecretValue) -> Value {
    let mut out = Zeroizing::new(Vec::new());
    value.push_canonical_json(&mut out);
    serde_json::from_slice(&out).expect("it is JSON")
}

fn texts() -> Vec<Vector> {
    let cases = [
        ("minimal", "one value", "password: canary-7d1e\n"),
        ("empty", "no text at all", ""),
        ("only-a-comment", "a text without values", "# nothing here yet\n"),
        (
            "types",
            "each type that a plain scalar can have",
            "null_word: null\nnull_tilde: ~\nnull_capital: NULL\nnull_empty:\nnull_blanks:   # and a comment\ntrue: &no\n",
        ),
        (
            "numbers",
            "integers, and what only looks like one",
            "zero: 0\nnegative: -12\nlargest: 9007199254740991\nsmallest: -9007199254740991\nbeyond: 9007199254740992\nversion: 1.10\nagent: 007\nhex: 0x1F\nplus: +1\nminus_zero: -0\ninfinite: .inf\ndate: 2026-01-31\nexponent: 1e3\n",
        ),
        (
            "quotes",
            "quoted scalars, and plain ones that need no quotes",
            "plain: canary-7d1e\nplain_blanks: canary 7d1e, with a comma\nsingle: 'it''s canary-7d1e'\ndouble: \"canary-7d1e \\\"\\u00e9\\\"\"\ndouble_default: \"canary 7d1e\"\nempty: \"\"\nempty_single: ''\nword: \"yes\"\ncolon: \"a:\"\nurl: https://example.com/?a=1\ncontrol: \"\\u0000\\u001f\\x7f\\e\"\nsolidus: \"a\\/b\"\nfolded: \"two\n  lines\"\n",
        ),
        (
            "blocks",
            "literal and folded block scalars with each chomping",
            "strip: |-\n  canary-7d1e\n  two\nclip: |\n  canary-7d1e\n  two\nkeep: |+\n  canary-7d1e\n\n\nfolded: >-\n  canary-7d1e\n  same line\n\n  next\nindented: |2-\n    two blanks\n  before\ndeep: |-\n      canary-7d1e\ncertificate: |\n  -----BEGIN CERTIFICATE-----\n  Y2FuYXJ5LTdkMWU=\n  -----END CERTIFICATE-----\n",
        ),
        (
            "comments",
            "comments before, between, behind and inside",
            "# first\n\na: canary-7d1e   # behind a value\n# between\nb:   # behind a key\n  # before a value\n  c: 'canary-7d1e' # behind quotes\n\n  # last in a mapping\nd: |- # behind a header\n  canary-7d1e\n\n# behind a block\ne:\n  - canary-7d1e # an item\n    # deep\n  # shallow\n  - two\n# end\n",
        ),
        (
            "lists",
            "lists in mappings, mappings in lists, lists in lists",
            "hosts:\n  - canary-7d1e\n  - 2\nflat:\n- a\n- b\nmappings:\n  - name: canary-7d1e\n    port: 1\n  -\n    name: two\nnested:\n  - - canary-7d1e\n    - b\n  - - c\nempty_items:\n  -\n  - \n",
        ),
        (
            "flow",
            "flow collections, where tokens stand in quotes",
            "list: [canary-7d1e, 'two', 3, null]\nmapping: {a: canary-7d1e, \"b\": [x, y], c: }\nlines: [\n  canary-7d1e, # a comment\n  {a: 1}\n  ]\nempty_list: []\nempty_mapping: {}\n",
        ),
        (
            "keys",
            "keys of every spelling",
            "plain: canary-7d1e\n\"quoted key\": 1\n'single': 2\n\"\": 3\n\"404\": 4\na.b: 5\n\"caf\\u00e9\": 6\n\u{65e5}\u{672c}: 7\nnested:\n  \"a.b\":\n    \"0\": 8\n",
        ),
        (
            "characters",
            "text of many scripts, raw and escaped",
            "raw: \u{e9}\u{65e5}\u{672c}\u{1f600} canary-7d1e\nescaped: \"\\u2028\\u0085\\ufeff\\U0001F600\"\nmarks: \"\u{e9} and e\u{301}\"\ndirection: \"\u{202e}canary-7d1e\"\n",
        ),
        (
            "binary",
            "bytes",
            "key: !!binary \"Y2FuYXJ5LTdkMWX/AA==\"\nplain: !!binary Y2FuYXJ5LTdkMWX/\nempty: !!binary \"\"\n",
        ),
        (
            "crlf",
            "CRLF line ends throughout",
            "# windows\r\na: canary-7d1e\r\nb: |\r\n  canary-7d1e\r\n  two\r\nc:\r\n  - 'x'\r\n",
        ),
        (
            "no-final-newline",
            "the last line has no end",
            "a: canary-7d1e\nb: 'two'",
        ),
        (
            "no-final-newline-behind-a-block",
            "a block scalar without a line end",
            "a: |-\n  canary-7d1e\n  two",
        ),
        (
            "document-start",
            "a document start before the text",
            "---\n# comment\na: canary-7d1e\n",
        ),
        (
            "byte-order-mark",
            "a byte order mark at the start",
            "\u{feff}a: canary-7d1e\n",
        ),
        (
            "nested",
            "mappings in mappings, and widths of two and four",
            "a:\n  b:\n      c:\n          d: canary-7d1e\n      e: |\n            canary-7d1e\n  f: 1\n",
        ),
        (
            "readable",
            "values that the policy lets stand readable beside sealed ones",
            "log:\n  level: info # readable\n  format: \"json\"\npassword: canary-7d1e\n",
        ),
        (
            "long",
            "a value of 100,000 characters, so that the payload has two chunks",
            "@",
        ),
    ];
    cases
        .into_iter()
        .map(|(name, about, body)| {
            let body = match name {
                "long" => format!("a: \"{}\"\n", "canary-7d1e ".repeat(8334)),
                "types" => body.replace(
                    "true: &no\n",
                    "yes_word: true\nyes_capital: TRUE\nno_word: False\nnot_boolean: yes\n",
                ),
                _ => body.to_owned(),
            };
            Good::new(name, about, Draft::with_body(&body)).vector()
        })
        .collect()
}

fn footers() -> Vec<Vector> {
    let body = "database:\n  password: canary-7d1e\n";
    let (old, older) = (key("old key"), key("older key"));
    let mut following = Draft::with_body(body);
    let mut heard = Vec::new();
    for predecessor in [&old, &older] {
        let plaintext = TokenPlaintext::follows(environment("prod"), following.key.drop_box());
        let base64 = seal_token(predecessor, &plaintext).expect("it is small");
        let token = format!("ENC[age,{},v00000000,{base64}]", predecessor.id());
        following.footer.follows.insert(predecessor.id().clone(), token);
        let passphrase = predecessor.passphrase().expose_text().expect("it is hex").to_owned();
        heard.push(json!({"key": predecessor.id().as_str(), "passphrase": passphrase, "drop_box": following.key.drop_box().as_str()}));
    }
    let mut rotated = Draft::with_body(body);
    let old_version = Version::new("v5d0e77b1").expect("it is one");
    let json_text = password("\"canary-7d1e-old\"")
        .replace("\"type\":\"value\"", "\"type\":\"previous\"")
        .replace(version("database.password").as_str(), old_version.as_str());
    let token = rotated.wrapped(
        &old_version,
        &secretree::crypto::envelope::seal(&rotated.key, &padded(&json_text)),
    );
    let previous = Previous {
        path: ValuePath::of_keys(["database", "password"]),
        until: "2026-12-01".to_owned(),
        token,
    };
    rotated.footer.previous.insert(old_version.clone(), previous);
    let previous_json = json!([{"version": old_version.as_str(), "path": ["database", "password"], "until": "2026-12-01", "value": "canary-7d1e-old"}]);
    let mut proposed = Draft::with_body(body);
    let plaintext = ProposalPlaintext {
        policy: POLICY_ID.to_owned(),
        environment: environment("prod"),
        path: "[\"database\",\"user\"]".to_owned(),
        value: SecretValue::text("canary-7d1e-proposed"),
    };
    let (label, file) = seal_proposal(proposed.key.drop_box(), &plaintext).expect("it is small");
    proposed.footer.proposals.insert(label.clone(), to_base64(&file));
    let proposal_json =
        json!([{"label": label.as_str(), "path": ["database", "user"], "value": "canary-7d1e-proposed"}]);
    let mut everything = Draft::with_body("# all of it\ndatabase:\n  password: canary-7d1e");
    everything.footer.follows = following.footer.follows.clone();
    everything.footer.previous = rotated.footer.previous.clone();
    everything.footer.proposals = proposed.footer.proposals.clone();
    let placeholder = policy().replace(
        "environments:\n",
        "environments:\n  live:\n    file: \"services/{service}/live.yaml\"\n    readers: [team]\n",
    );
    let live = Draft::of("billing/live", key("billing key"), POLICY_ID, body);
    vec![
        Good {
            more: vec![("follows", json!(heard))],
            ..Good::new("follows", "a key that follows two others", following)
        }
        .vector(),
        Good {
            more: vec![("previous", previous_json.clone())],
            ..Good::new("previous", "the old value of a rotation in its grace", rotated)
        }
        .vector(),
        Good {
            more: vec![("proposals", proposal_json.clone())],
            ..Good::new("proposal", "a proposal of somebody who cannot read", proposed)
        }
        .vector(),
        Good {
            more: vec![
                ("follows", json!(heard)),
                ("previous", previous_json),
                ("proposals", proposal_json),
            ],
            ..Good::new("everything", "every field that a footer can have", everything)
        }
        .vector(),
        Good {
            policy: placeholder,
            place: ("billing/live", "services/billing/live.yaml"),
            ..Good::new(
                "placeholder",
                "an environment with two names, from a placeholder of the policy",
                live,
            )
        }
        .vector(),
    ]
}

fn identities() -> Vec<Vector> {
    let body = "password: canary-7d1e\n";
    let ssh = [
        ("grant-ssh-ed25519", "granted to an ssh-ed25519 key", "ed25519", "256"),
        ("grant-ssh-rsa", "granted to an ssh-rsa key", "rsa", "2048"),
    ];
    let mut all: Vec<_> = ssh
        .into_iter()
        .filter_map(|(name, about, kind, bits)| {
            let (identity, public_text) = ssh_key(kind, bits)?;
            let key = PublicKey::parse(&public_text).expect("ssh-keygen makes sound keys");
            let mut draft = Draft::with_body(body);
            draft.footer.grants.clear();
            draft.grant("alice", &key, &draft.grant_plaintext(POLICY_ID));
            draft.grant("bob", &public("bob"), &draft.grant_plaintext(POLICY_ID));
            let policy = policy().replace(&public("alice").to_string(), key.canonical());
            Some(
                Good {
                    policy,
                    identity,
                    ..Good::new(name, about, draft)
                }
                .vector(),
            )
        })
        .collect();
    let mut several = Draft::with_body(body);
    several.grant(
        "alice",
        &public("alice's other key"),
        &several.grant_plaintext(POLICY_ID),
    );
    let tag = "age1tag1qt8lw0ual6avlwmwatk888yqnmdamm7xfd0wak53ut6elz5c4swx2yqdj4e";
    several.grant(
        "bob",
        &PublicKey::parse(tag).expect("it is sound"),
        &several.grant_plaintext(POLICY_ID),
    );
    let both = format!("\"{}\", \"{}\"", public("alice"), public("alice's other key"));
    let policy = policy().replace(&format!("\"{}\"", public("alice")), &both).replace(
        &format!("\"{}\"", public("bob")),
        &format!("\"{}\", \"{tag}\"", public("bob")),
    );
    let identity = identity_file("alice's other key");
    all.push(
        Good {
            policy,
            identity,
            ..Good::new(
                "grants-of-several-keys",
                "recipients with two keys each, one of them on hardware",
                several,
            )
        }
        .vector(),
    );
    let alice = public("alice").to_string();
    let both = format!("{alice}\", \"{}", public("mallory"));
    all.push(
        Good {
            policy: super::draft::policy().replace(&alice, &both),
            ..Good::new(
                "key-without-a-grant",
                "the policy gives alice a second public key, which nobody has applied: the file is what it was",
                Draft::new(),
            )
        }
        .vector(),
    );
    all
}

/// A new private key and its public key's text; nothing where `ssh-keygen` is missing.
fn ssh_key(kind: &str, bits: &str) -> Option<(String, String)> {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("key");
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", kind, "-b", bits, "-N", "", "-C", "alice@example.com", "-f"])
        .arg(&file)
        .status();
    if !made.is_ok_and(|status| status.success()) {
        return None;
    }
    let read = |path: &std::path::Path| std::fs::read_to_string(path).expect("ssh-keygen made it");
    Some((read(&file), read(&file.with_extension("pub"))))
}
