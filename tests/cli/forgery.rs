//! The attacker's workshop: environment files made of the library, as anybody could make them who may write the repository,
//! and what several stories need beside it: values set and read, machines that were never used, every command refused.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

use std::path::Path;

use secretree::crypto::envelope::{from_base64, to_base64};
use secretree::crypto::grant::{GrantPlaintext, open_any, seal_grant};
use secretree::crypto::identities::{Identities, KeySource};
use secretree::crypto::key::{DropBox, EnvironmentKey};
use secretree::crypto::plugins::Plugins;
use secretree::crypto::proposal::{ProposalLabel, ProposalPlaintext, seal_proposal};
use secretree::crypto::public_key::PublicKey;
use secretree::crypto::token::{TokenKind, TokenPlaintext, seal_token};
use secretree::document::token::Token;
use secretree::document::tree::{Rules, Tree};
use secretree::names::{EnvironmentName, KeyId, RecipientName, Version};
use secretree::value::{LineEnd, Value};
use secretree::vault::footer::Footer;

use crate::output::Output;
use crate::sandbox::Person;
use crate::team::{POLICY_ID, Team};

/// An environment file made outside of the program.
pub(crate) struct Forgery {
    /// Its key, whoever made it.
    pub(crate) key: EnvironmentKey,
    policy: String,
    body: String,
    footer: Footer,
}

impl Forgery {
    /// An empty file of an environment under `key`, for the policy `policy`.
    pub(crate) fn with_key(environment: &str, policy: &str, key: EnvironmentKey) -> Self {
        let name = EnvironmentName::new(environment).unwrap();
        Self {
            footer: Footer::new(name, key.drop_box().clone()),
            policy: policy.to_owned(),
            body: String::new(),
            key,
        }
    }

    /// An empty file of `dev` under an invented key.
    pub(crate) fn of_dev() -> Self {
        Self::with_key("dev", POLICY_ID, EnvironmentKey::generate())
    }

    /// With a grant for each of these people.
    pub(crate) fn granted_to(mut self, people: &[&Person]) -> Self {
        for person in people {
            let public = PublicKey::parse(&person.public_key()).unwrap();
            let grant = GrantPlaintext {
                policy: self.policy.clone(),
                environment: self.footer.environment.clone(),
                key: self.key.clone(),
            };
            let file = to_base64(&seal_grant(&public, &grant, &Plugins::none()).unwrap());
            let name = RecipientName::new(person.folder().file_name().unwrap().to_str().unwrap()).unwrap();
            let grants = self.footer.grants.entry(name).or_default();
            grants.insert(public.label().clone(), file);
        }
        self
    }

    /// With a value at the root key `name`, sealed under the file's key.
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        let token = sealed(&self.key, &self.footer.environment, name, value);
        self.with_text(&format!("{name}: |-\n  {token}\n"))
    }

    /// With what was proposed in another file.
    pub(crate) fn with_proposals_of(mut self, text: &str) -> Self {
        self.footer.proposals = footer_of(text).proposals;
        self
    }

    /// With this text at the end of the body.
    pub(crate) fn with_text(mut self, text: &str) -> Self {
        self.body += text;
        self
    }

    /// Vouched for by `old`, which the forger holds.
    pub(crate) fn following(self, old: &EnvironmentKey) -> Self {
        let id = old.id().clone();
        self.claiming_to_follow(id, old)
    }

    /// With an entry of `follows` for the key `id` that was sealed under `sealer`.
    pub(crate) fn claiming_to_follow(mut self, id: KeyId, sealer: &EnvironmentKey) -> Self {
        let plaintext = TokenPlaintext::follows(self.footer.environment.clone(), self.key.drop_box());
        let base64 = seal_token(sealer, &plaintext).unwrap();
        let version = Version::follows();
        let token = Token {
            key: id.clone(),
            version,
            base64: &base64,
        };
        let token = token.to_string();
        self.footer.follows.insert(id, token);
        self
    }

    /// `text`, whose footer is the one of `real`, with an entry by which this forgery's key vouches for that key.
    pub(crate) fn vouching_for(&self, real: &DropBox, text: &str) -> String {
        let mut footer = footer_of(text);
        let plaintext = TokenPlaintext::follows(footer.environment.clone(), real);
        let base64 = seal_token(&self.key, &plaintext).unwrap();
        let token = Token {
            key: self.key.id().clone(),
            version: Version::follows(),
            base64: &base64,
        };
        footer.follows.insert(self.key.id().clone(), token.to_string());
        let body = text.split_once("\nsecretree:").unwrap().0;
        format!("{body}\n{}", footer.write(LineEnd::Lf))
    }

    /// The file.
    pub(crate) fn text(&self) -> String {
        let gap = if self.body.is_empty() { "" } else { "\n" };
        format!("{}{gap}{}", self.body, self.footer.write(LineEnd::Lf))
    }
}

/// A token for the root key `name` under `key`.
pub(crate) fn sealed(key: &EnvironmentKey, environment: &EnvironmentName, name: &str, value: &str) -> String {
    let plaintext = TokenPlaintext {
        kind: TokenKind::Value,
        environment: environment.clone(),
        path: format!("[\"{name}\"]"),
        version: Version::new("v0badc0de").unwrap(),
        value: Value::text(value),
        source: None,
    };
    let base64 = seal_token(key, &plaintext).unwrap();
    let token = Token {
        key: key.id().clone(),
        version: plaintext.version,
        base64: &base64,
    };
    token.to_string()
}

/// The file with one proposal more, as anybody can add one.
pub(crate) fn with_proposal(text: &str, file: &[u8]) -> String {
    let tree = Tree::parse(text, Rules::File).unwrap();
    let mut footer = footer_of(text);
    footer.proposals.insert(ProposalLabel::of(file), to_base64(file));
    format!("{}{}", tree.body(), footer.write(LineEnd::Lf))
}

/// A proposal of a value for the drop box of a file, for any policy, environment and path (as JSON).
pub(crate) fn proposal(drop_box: &DropBox, policy: &str, environment: &str, path: &str, value: &str) -> Vec<u8> {
    let plaintext = ProposalPlaintext {
        policy: policy.to_owned(),
        environment: EnvironmentName::new(environment).unwrap(),
        path: path.to_owned(),
        value: Value::text(value),
    };
    seal_proposal(drop_box, &plaintext).unwrap().1
}

/// Bytes sealed to a drop box with stock age.
pub(crate) fn sealed_to(drop_box: &DropBox, bytes: &[u8]) -> Vec<u8> {
    let recipient: age::x25519::Recipient = drop_box.as_str().parse().unwrap();
    age::encrypt(&recipient, bytes).unwrap()
}

/// The footer of an environment file.
pub(crate) fn footer_of(text: &str) -> Footer {
    let tree = Tree::parse(text, Rules::File).unwrap();
    Footer::read(&tree.footer.unwrap().entry).unwrap()
}

/// The key of an environment file, as somebody holds it who was granted it.
pub(crate) fn key_held_by(person: &Person, text: &str) -> EnvironmentKey {
    let footer = footer_of(text);
    let source = KeySource::file("identity".to_owned(), person.identity_file());
    let mut identities = Identities::new(vec![source], Plugins::none());
    let grants: Vec<_> = footer
        .all_grants()
        .map(|(_, label, file)| (label, from_base64(file, 1 << 14).unwrap()))
        .collect();
    let borrowed: Vec<_> = grants.iter().map(|(label, file)| (*label, file.as_slice())).collect();
    open_any(&borrowed, &mut identities).unwrap().1.key
}

/// Sets a value of an environment.
pub(crate) fn set(person: &Person, environment: &str, path: &str, value: &str) -> Output {
    person.secretree(["set", environment, path]).input(value).run()
}

/// The value at a path, which is printed.
#[track_caller]
pub(crate) fn assert_gets(person: &Person, environment: &str, path: &str, value: &str) {
    let output = person.secretree(["get", environment, path]).run();
    output.succeeds().prints(value);
}

/// Every command that delivers or writes, on an environment that holds `db` or not: all end with 5, say `words`, deliver
/// nothing and leave `file` as it is.
#[track_caller]
pub(crate) fn assert_refused(person: &Person, environment: &str, file: &str, words: &str, trust: Option<&str>) {
    let editor = person.sandbox().script(
        "edits",
        "#!/bin/sh\ncat \"$1\" >> \"$HOME/delivered\"\necho 'fresh: word' >> \"$1\"\n",
    );
    let before = person.read(file);
    let commands: [&[&str]; 13] = [
        &["get", environment, "db"],
        &["set", environment, "db"],
        &["set", environment, "brand.new"],
        &["set", environment, "made", "--generate", "hex:16"],
        &["edit", environment],
        &["unset", environment, "db"],
        &["encrypt", environment, "--yes"],
        &["apply", environment, "--yes"],
        &["apply", environment, "--yes", "--new-key"],
        &["proposals", "accept", environment, "--all", "--yes"],
        &["proposals", "reject", environment, "--all", "--yes"],
        &["decrypt", environment],
        &["run", environment, "--", "sh", "-c", "env > \"$HOME/delivered\""],
    ];
    for command in commands {
        let mut run = person
            .secretree(command)
            .input("typed-by-a-person")
            .env("EDITOR", &editor);
        if let Some(trust) = trust {
            run = run.env("SECRETREE_TRUST", trust);
        }
        let output = run.run();
        output.code(5).says(words).prints("");
        assert!(person.read(file) == before, "{command:?} wrote");
    }
    assert!(
        !person.folder().join("home/delivered").exists(),
        "an editor or command was started"
    );
}

/// A machine of `person` that was never used: the same identity, an empty home, a clone of what `origin` holds.
pub(crate) fn clone_of(team: &mut Team, person: &Person, name: &str) -> Person {
    let machine = team.add(name);
    std::fs::copy(person.identity_file(), machine.identity_file()).unwrap();
    machine
}

/// The same with the newest commit only.
pub(crate) fn shallow_clone_of(team: &mut Team, person: &Person, name: &str) -> Person {
    let machine = team.sandbox().person(name);
    let origin = format!("file://{}", team.sandbox().root().join("origin.git").display());
    let clone = ["clone", "--quiet", "--depth", "1", &origin, "."];
    machine.git(clone).run().code(0);
    std::fs::copy(person.identity_file(), machine.identity_file()).unwrap();
    machine
}

/// Copies a folder.
pub(crate) fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
