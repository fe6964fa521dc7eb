//! Everything in an environment file is a standard age file: the stock `age` opens grants and tokens, and we open what
//! it sealed. Whoever leaves us needs `age`, `jq` and a shell.

use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secretree::crypto::public_key::PublicKey;
use serde_json::Value;

use crate::run::Run;
use crate::sandbox::{Person, Sandbox};
use crate::terminal::Terminal;
use crate::tools::require;

const ID: &str = "5f0c3a1e77d24b9086ef12ab34cd56e7";
const VALUE: &str = "canary \"7d1e\" of a sealed value\nand a second line";

/// Somebody whose one reader has this public key, and a value in `prod`.
fn person_with_a_value(public: &str) -> Person {
    let person = Sandbox::new().person("alice");
    let policy = format!(
        "version: 1\nid: \"{ID}\"\nrecipients:\n  alice:\n    keys: [\"{public}\"]\nenvironments:\n  prod:\n    file: prod.yaml\n    readers: [alice]\n"
    );
    person.write(".secrets.yaml", policy);
    person
}

fn set(person: &Person) {
    let set = person.secretree(["set", "prod", "database.password"]);
    set.input(format!("{VALUE}\n")).run().succeeds();
}

/// The text below the line of the footer that begins with `key`, or of the body.
fn block(person: &Person, key: &str) -> String {
    let text = person.read_text("prod.yaml");
    let mut lines = text.lines();
    lines
        .find(|line| line.trim_start().starts_with(key))
        .unwrap_or_else(|| panic!("no `{key}` in\n{text}"));
    lines.next().unwrap().trim().to_owned()
}

/// Writes the age file of base64 text beside the environment file.
fn age_file(person: &Person, name: &str, base64: &str) {
    person.write(name, BASE64_STANDARD.decode(base64).unwrap());
}

/// What `age -d` makes of the grant with this label.
fn grant_by_age(person: &Person, label: &str, identity: &Path) -> Value {
    age_file(person, "grant.age", &block(person, label));
    let opened = age(person, &["--decrypt", "--identity"], identity)
        .operand("grant.age")
        .run();
    opened.succeeds();
    serde_json::from_slice(opened.stdout_bytes()).unwrap()
}

fn age(person: &Person, words: &[&str], file: &Path) -> Run {
    person.command("age", words.iter().copied()).operand(file)
}

/// An SSH key of its own, without passphrase.
fn ssh_key(person: &Person, kind: &str, bits: &str) -> String {
    let file = person.folder().join("home/.ssh").join(format!("id_{kind}"));
    let made = person.command(
        "ssh-keygen",
        ["-q", "-t", kind, "-b", bits, "-N", "", "-C", "a comment", "-f"],
    );
    made.operand(&file).run().succeeds();
    std::fs::read_to_string(file.with_extension("pub"))
        .unwrap()
        .trim()
        .to_owned()
}

#[test]
fn a_grant_gives_the_passphrase_and_a_token_asks_for_it() {
    if !require(&["age", "jq", "setsid"]) {
        return;
    }
    let public = Sandbox::new().person("alice").public_key();
    let person = person_with_a_value(&public);
    set(&person);
    let label = PublicKey::parse(&public).unwrap().label().to_string();
    let grant = grant_by_age(&person, &label, &person.identity_file());
    assert_eq!(
        (&grant["type"], &grant["policy"], &grant["environment"]),
        (&"grant".into(), &ID.into(), &"prod".into())
    );
    let passphrase = grant["passphrase"].as_str().unwrap();

    let token = block(&person, "password: |-");
    let (_, base64) = token.trim_end_matches(']').rsplit_once(',').unwrap();
    age_file(&person, "token.age", base64);
    let command = person.command("age", ["--decrypt", "--output", "token.json", "token.age"]);
    let mut terminal = Terminal::start(command);
    terminal.expect("passphrase").send_hidden(&format!("{passphrase}\n"));
    terminal.finish().succeeds();
    let value = person
        .command("jq", ["--raw-output", "--join-output", ".value", "token.json"])
        .reveals()
        .run();
    value.succeeds().prints(VALUE);
}

#[test]
fn the_drop_box_in_a_grant_is_an_identity_for_age() {
    if !require(&["age", "age-keygen"]) {
        return;
    }
    let public = Sandbox::new().person("alice").public_key();
    let person = person_with_a_value(&public);
    set(&person);
    let label = PublicKey::parse(&public).unwrap().label().to_string();
    let grant = grant_by_age(&person, &label, &person.identity_file());
    person.write("drop-box.txt", format!("{}\n", grant["drop_box"].as_str().unwrap()));
    let shown = person.command("age-keygen", ["-y", "drop-box.txt"]).run();
    assert!(
        person
            .read_text("prod.yaml")
            .contains(&format!("drop_box: {}", shown.succeeds().stdout()))
    );
}

#[test]
fn ssh_keys_of_either_kind_are_granted_for_age_too() {
    if !require(&["age", "ssh-keygen"]) {
        return;
    }
    for (kind, bits) in [("ed25519", "256"), ("rsa", "2048")] {
        let person = person_with_a_value("");
        std::fs::remove_file(person.identity_file()).unwrap();
        let public = ssh_key(&person, kind, bits);
        let policy = person
            .read_text(".secrets.yaml")
            .replace("\"\"", &format!("\"{public}\""));
        person.write(".secrets.yaml", policy);
        set(&person);
        let label = PublicKey::parse(&public).unwrap().label().to_string();
        assert!(label.starts_with(&format!("ssh-{kind}-")), "{label}");
        let grant = grant_by_age(&person, &label, &person.folder().join(format!("home/.ssh/id_{kind}")));
        assert_eq!(grant["environment"], "prod");
        opens_what_age_seals(&person, &public, &label);
    }
}

#[test]
fn a_grant_that_age_sealed_is_opened() {
    if !require(&["age"]) {
        return;
    }
    let public = Sandbox::new().person("alice").public_key();
    let person = person_with_a_value(&public);
    set(&person);
    let label = PublicKey::parse(&public).unwrap().label().to_string();
    grant_by_age(&person, &label, &person.identity_file());
    opens_what_age_seals(&person, &public, &label);
}

/// Puts the same grant, sealed again by age, in the place of ours, which stands in `grant.age`.
fn opens_what_age_seals(person: &Person, public: &str, label: &str) {
    let identities = [
        person.identity_file(),
        person.folder().join("home/.ssh/id_ed25519"),
        person.folder().join("home/.ssh/id_rsa"),
    ];
    let identity = identities.iter().find(|file| file.exists()).unwrap();
    let opened = age(person, &["--decrypt", "--identity"], identity)
        .operand("grant.age")
        .run();
    let plaintext = opened.succeeds().stdout_bytes().to_vec();
    let recipient = PublicKey::parse(public).unwrap().canonical().to_owned();
    let sealed = person
        .command("age", ["--encrypt", "--recipient", recipient.as_str()])
        .input(plaintext)
        .run();
    let base64 = BASE64_STANDARD.encode(sealed.succeeds().stdout_bytes());
    let ours = block(person, label);
    assert_ne!(ours, base64);
    person.write("prod.yaml", person.read_text("prod.yaml").replace(&ours, &base64));
    let got = person.secretree(["get", "prod", "database.password"]).reveals().run();
    got.succeeds().prints(VALUE);
}
