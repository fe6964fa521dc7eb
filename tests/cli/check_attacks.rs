//! What somebody who may push does to the files themselves: for each way, what the next command of a reader ends with, what
//! `check` finds with a key, and what it finds for somebody who has none.

use std::collections::BTreeSet;

use secretree::crypto::envelope::to_base64;
use secretree::crypto::grant::GrantPlaintext;
use secretree::crypto::key::EnvironmentKey;
use secretree::crypto::proposal::ProposalLabel;
use secretree::crypto::public_key::PublicKey;
use secretree::document::tree::{Rules, Tree};
use secretree::names::{EnvironmentName, RecipientName};
use secretree::value::LineEnd;
use secretree::vault::footer::Footer;

use crate::fixture::changes_nothing;
use crate::forgery::{Forgery, footer_of, key_held_by, proposal, sealed, set, with_proposal};
use crate::sandbox::Person;
use crate::team::{POLICY_ID, Team};

const DEV: &str = "secrets/dev.yaml";
const PROD: &str = "secrets/prod.yaml";

/// Alice and bob read both environments; zoe read `dev` and was removed; mallory reads nothing. Each value was set twice.
/// Everything happens in alice's clone.
struct Scene {
    alice: Person,
    bob: Person,
    mallory: Person,
    /// The key that zoe holds, and the file of her time.
    old: (EnvironmentKey, String),
}

fn scene() -> Scene {
    let rest = "default_environment: dev\nenvironments:\n  dev: {file: secrets/dev.yaml, readers: [alice, bob, zoe]}\n  \
                prod: {file: secrets/prod.yaml, readers: [alice, bob]}\n";
    let team = Team::with_policy(&["alice", "bob", "zoe"], rest);
    let [alice, bob, zoe] = ["alice", "bob", "zoe"].map(|name| team.person(name));
    for (name, path) in [("dev", "db"), ("dev", "other"), ("prod", "db")] {
        set(&alice, name, path, "first").succeeds();
    }
    team.share(&alice, "values");
    team.update(&zoe);
    let text = zoe.read_text(DEV);
    let old = (key_held_by(&zoe, &text), text);
    alice
        .secretree(["offboard", "zoe", "--yes", "--commit"])
        .run()
        .succeeds();
    for (name, path) in [("dev", "db"), ("dev", "other"), ("prod", "db")] {
        set(&alice, name, path, "second").succeeds();
    }
    alice.commit("without zoe");
    let mallory = team.sandbox().person("mallory");
    Scene {
        alice,
        bob,
        mallory,
        old,
    }
}

impl Scene {
    /// The footer of a file, changed.
    fn with_footer(&self, file: &str, change: impl Fn(&mut Footer)) -> String {
        let text = self.alice.read_text(file);
        let tree = Tree::parse(&text, Rules::File).unwrap();
        let mut footer = footer_of(&text);
        change(&mut footer);
        format!("{}{}", tree.body(), footer.write(LineEnd::Lf))
    }

    /// The file with a grant under bob's name and the label of the first of these people, sealed to all of them, as whoever
    /// has the key can make it.
    fn with_grant_to(&self, people: &[&Person]) -> String {
        let key = key_held_by(&self.alice, &self.alice.read_text(DEV));
        let plaintext = GrantPlaintext {
            policy: POLICY_ID.to_owned(),
            environment: EnvironmentName::new("dev").unwrap(),
            key,
        };
        let recipients: Vec<age::x25519::Recipient> = people
            .iter()
            .map(|person| person.public_key().parse().unwrap())
            .collect();
        let recipients = recipients.iter().map(|recipient| recipient as &dyn age::Recipient);
        let mut file = Vec::new();
        let encryptor = age::Encryptor::with_recipients(recipients).unwrap();
        let mut writer = encryptor.wrap_output(&mut file).unwrap();
        std::io::Write::write_all(&mut writer, &plaintext.encode()).unwrap();
        writer.finish().unwrap();
        let label = PublicKey::parse(&people[0].public_key()).unwrap().label().clone();
        self.with_footer(DEV, |footer| {
            let grants = footer.grants.get_mut(&RecipientName::new("bob").unwrap()).unwrap();
            grants.insert(label.clone(), to_base64(&file));
        })
    }

    /// Files that mallory wrote, as alice has them after a pull.
    fn attack(&self, files: &[(&str, String)]) {
        for (file, text) in files {
            self.alice.write(file, text);
        }
        self.alice.commit("tidy up");
    }

    fn undo(&self) {
        self.alice
            .git(["reset", "--quiet", "--hard", "HEAD~1"])
            .run()
            .succeeds();
        // What a clone remembers besides its branches counts as seen too.
        self.alice.git(["update-ref", "-d", "ORIG_HEAD"]).run().code(0);
    }
}

/// The token at a root key.
fn token<'t>(text: &'t str, key: &str) -> &'t str {
    let mut lines = text.lines().skip_while(|line| !line.starts_with(&format!("{key}:")));
    lines.nth(1).unwrap().trim()
}

/// What `check` finds in alice's clone, with her key or with none.
fn codes(scene: &Scene, has_key: bool) -> BTreeSet<String> {
    let mut check = scene.alice.secretree(["check", "--json"]);
    if !has_key {
        check = check.env("XDG_CONFIG_HOME", "/nowhere");
    }
    let output = check.run();
    let report: serde_json::Value = serde_json::from_slice(output.stdout_bytes()).expect("the report is JSON");
    let findings = report["findings"].as_array().unwrap().iter();
    findings.map(|one| one["code"].as_str().unwrap().to_owned()).collect()
}

/// A name, the files, how `get` and `set` end, what `check` finds with a key, and without.
type Attack<'a> = (&'a str, Vec<(&'a str, String)>, [i32; 2], &'a [&'a str], &'a [&'a str]);

fn attacks(scene: &Scene) -> Vec<Attack<'static>> {
    let (alice, bob, mallory) = (&scene.alice, &scene.bob, &scene.mallory);
    let (dev, prod, policy) = (
        alice.read_text(DEV),
        alice.read_text(PROD),
        alice.read_text(".secrets.yaml"),
    );
    let drop_box = footer_of(&dev).drop_box;
    let invented = || Forgery::of_dev().granted_to(&[alice, bob]).with("db", "forged");
    let removed = |key: &EnvironmentKey| Forgery::with_key("dev", POLICY_ID, key.clone()).granted_to(&[alice, bob]);
    let junk = proposal(&drop_box, POLICY_ID, "prod", "[\"db\"]", "x");
    let fine = proposal(&drop_box, POLICY_ID, "dev", "[\"db\"]", "x");
    let label = ProposalLabel::of(&fine).to_string();
    let name = EnvironmentName::new("dev").unwrap();
    let other = "1".repeat(32);
    let foreign = Forgery::with_key("dev", &other, EnvironmentKey::generate()).granted_to(&[alice, bob]);
    vec![
        (
            "an invented key",
            vec![(DEV, invented().text())],
            [5, 5],
            &["untrusted-key"],
            &[],
        ),
        (
            "an invented key that says whom it follows",
            vec![(
                DEV,
                invented()
                    .claiming_to_follow(drop_box.id(), &EnvironmentKey::generate())
                    .text(),
            )],
            [5, 5],
            &["integrity", "untrusted-key"],
            &[],
        ),
        (
            "back to the key of a removed reader",
            vec![(DEV, removed(&scene.old.0).with("db", "forged").text())],
            [5, 5],
            &["exposed-value", "key-outlived-reader", "untrusted-key"],
            &["exposed-value", "key-outlived-reader"],
        ),
        (
            "a second successor of the removed reader's key",
            vec![(DEV, invented().following(&scene.old.0).text())],
            [5, 5],
            &["untrusted-key"],
            &[],
        ),
        (
            "a token that the removed reader sealed",
            vec![(
                DEV,
                dev.replace(token(&dev, "db"), &sealed(&scene.old.0, &name, "db", "forged")),
            )],
            [5, 0],
            &["exposed-value", "foreign-token"],
            &["exposed-value", "foreign-token"],
        ),
        (
            "another drop box",
            vec![(
                DEV,
                scene.with_footer(DEV, |footer| {
                    footer.drop_box = EnvironmentKey::generate().drop_box().clone()
                }),
            )],
            [5, 5],
            &["foreign-token", "integrity"],
            &["foreign-token"],
        ),
        (
            "two tokens exchanged",
            vec![(
                DEV,
                dev.replace(token(&dev, "db"), "HERE")
                    .replace(token(&dev, "other"), token(&dev, "db"))
                    .replace("HERE", token(&dev, "other")),
            )],
            [5, 5],
            &["integrity"],
            &[],
        ),
        (
            "the file of another environment under its name",
            vec![(DEV, prod.replace("environment: prod", "environment: dev"))],
            [5, 5],
            &["integrity"],
            &[],
        ),
        (
            "a value in the clear",
            vec![(DEV, dev.replace(&format!("|-\n  {}", token(&dev, "db")), "forged"))],
            [5, 5],
            &["plaintext-value"],
            &["plaintext-value"],
        ),
        (
            "an old value of the same key",
            vec![(PROD, alice.git(["show", &format!("HEAD~1:{PROD}")]).run().stdout())],
            [0, 0],
            &["value-rolled-back"],
            &["value-rolled-back"],
        ),
        (
            "a grant that somebody hides in another's",
            vec![(DEV, scene.with_grant_to(&[bob, mallory]))],
            [5, 5],
            &["malformed-file"],
            &["malformed-file"],
        ),
        (
            "a grant of a key that no policy has",
            vec![(DEV, scene.with_grant_to(&[mallory]))],
            [0, 1],
            &["unknown-recipient"],
            &["unknown-recipient"],
        ),
        (
            "a proposal for another environment",
            vec![(DEV, with_proposal(&dev, &junk))],
            [0, 0],
            &["integrity", "proposal-pending"],
            &["proposal-pending"],
        ),
        (
            "a proposal under another label",
            vec![(DEV, with_proposal(&dev, &fine).replace(&label, "p0123456789abcdef"))],
            [5, 5],
            &["malformed-file"],
            &["malformed-file"],
        ),
        (
            "the policy and file of another repository",
            vec![
                (".secrets.yaml", policy.replace(POLICY_ID, &other)),
                (DEV, foreign.with("db", "forged").text()),
            ],
            [5, 5],
            &["integrity", "untrusted-key"],
            &[],
        ),
    ]
}

#[test]
fn each_way_to_change_a_file_ends_well_and_is_found() {
    let scene = scene();
    assert_eq!(codes(&scene, true), BTreeSet::new());
    let mut wrong = Vec::new();
    for (name, files, ends, with_key, without) in attacks(&scene) {
        scene.attack(&files);
        let place = if files[0].0 == PROD { "prod" } else { "dev" };
        for (has_key, expected) in [(true, with_key), (false, without)] {
            let found = codes(&scene, has_key);
            let expected: BTreeSet<_> = expected.iter().map(|code| (*code).to_owned()).collect();
            if found != expected {
                wrong.push(format!("{name}: check finds {found:?}, not {expected:?}"));
            }
        }
        let get = changes_nothing(scene.alice.secretree(["get", place, "db"]));
        let set = set(&scene.alice, place, "db", "third");
        for (verb, output, end) in [("get", get, ends[0]), ("set", set, ends[1])] {
            if output.exit_code() != Some(end) || output.stdout().contains("forged") {
                wrong.push(format!(
                    "{name}: {verb} ends with {:?}: {}",
                    output.exit_code(),
                    output.stderr()
                ));
            }
        }
        scene.undo();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
