//! What somebody who may push, and reads nothing, writes into the policy so that it looks like a harmless change. Each way
//! is laid out once, and three places have to show it: `diff` to who reviews it, `apply` to who would make it true, `check`
//! to everybody. Until somebody has answered `apply`, nothing is sealed to another key.

use std::collections::BTreeSet;

use secretree::crypto::public_key::PublicKey;

use crate::fixture::{changes_nothing, edit};
use crate::forgery::{footer_of, key_held_by, set};
use crate::output::Output;
use crate::sandbox::Person;
use crate::team::{POLICY_ID, Team};

const DEV: &str = "secrets/dev.yaml";

/// A way to change the policy, with `MALLORY` for her public key, and the words that show it.
struct Attack {
    name: &'static str,
    /// Texts of the policy and what they become.
    edits: &'static [(&'static str, &'static str)],
    /// Lines of `diff`, as far as their words go.
    diff: &'static [&'static str],
    /// Lines of the question that `apply --new-key` asks; nothing where it refuses.
    apply: &'static [&'static str],
    /// The codes of `check`, beside the one that judges the commit.
    check: &'static [&'static str],
}

const ATTACKS: &[Attack] = &[
    Attack {
        name: "a key more under a known name",
        edits: &[("alice: {keys: [", "alice: {keys: [MALLORY, ")],
        diff: &[
            "alice MALLORY-LABEL may read as soon as",
            "alice has the public key MALLORY-LABEL",
        ],
        apply: &[
            "dev: + alice (MALLORY-LABEL) can read (",
            "prod: + alice (MALLORY-LABEL) can read (",
        ],
        check: &["recipient-drift"],
    },
    Attack {
        name: "a group within a group",
        edits: &[
            ("  ci: {", "  ci-dev: {keys: [MALLORY]}\n  ci: {"),
            ("inner: [bob]", "inner: [bob, ci-dev]"),
        ],
        diff: &[
            "ci-dev MALLORY-LABEL may read as soon as",
            "group `inner`, joined by `ci-dev`",
        ],
        apply: &[
            "dev: + ci-dev (MALLORY-LABEL) can read (",
            "prod: + ci-dev (MALLORY-LABEL) can read (",
        ],
        check: &["recipient-drift"],
    },
    Attack {
        name: "a key that signs for alice",
        edits: &[(
            "ALICE]}",
            "ALICE], signing_keys: [\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPdQIFLHSrVymNcuCAqWhFXTOO13/KJYTzLCMydRLULP\"]}",
        )],
        diff: &["alice signs with ssh-ed25519"],
        apply: &["policy: alice signs with ssh-ed25519"],
        check: &[],
    },
    Attack {
        name: "names that change hands",
        edits: &[
            ("  alice: {", "  x: {"),
            ("  bob: {", "  alice: {"),
            ("  x: {", "  bob: {"),
        ],
        diff: &[
            "alice has the public key BOB-LABEL",
            "bob has the public key ALICE-LABEL",
        ],
        apply: &[
            "dev: alice is called bob",
            "policy: bob has the public key ALICE-LABEL (",
        ],
        check: &["recipient-drift"],
    },
    Attack {
        name: "a machine that may write",
        edits: &[(", machine: true", "")],
        diff: &["ci may write prod"],
        apply: &["policy: ci may write prod ("],
        check: &[],
    },
    Attack {
        name: "everybody who reads may write",
        edits: &[(", writers: [alice]", "")],
        diff: &["bob may write dev"],
        apply: &["policy: bob may write dev ("],
        check: &[],
    },
    Attack {
        name: "everybody who writes may change the policy",
        edits: &[
            ("maintainers: [alice]\n", ""),
            ("writers: [alice]", "writers: [alice, bob]"),
        ],
        diff: &["bob may write dev", "bob may change the policy"],
        apply: &["policy: bob may write dev (", "policy: bob may change the policy ("],
        check: &[],
    },
    Attack {
        name: "values that may stand readable",
        edits: &[(
            "readers: [platform, ci]}",
            "readers: [platform, ci], plaintext: [\"**\"]}",
        )],
        diff: &["values of prod at ** may stand readable"],
        apply: &["policy: values of prod at ** may stand readable ("],
        check: &[],
    },
    Attack {
        name: "the file of another environment",
        edits: &[
            ("secrets/dev.yaml", "secrets/x.yaml"),
            ("secrets/prod.yaml", "secrets/dev.yaml"),
            ("secrets/x.yaml", "secrets/prod.yaml"),
        ],
        diff: &["dev has its file at secrets/prod.yaml, not secrets/dev.yaml"],
        apply: &[],
        check: &["malformed-file"],
    },
    Attack {
        name: "a stranger in alice's place",
        edits: &[("alice: {keys: [ALICE]", "alice: {keys: [MALLORY]")],
        diff: &[
            "alice has the public key MALLORY-LABEL",
            "alice has no longer the public key ALICE-LABEL",
        ],
        apply: &[
            "dev: + alice (MALLORY-LABEL) can read (",
            "dev: - alice (ALICE-LABEL) can no longer read",
        ],
        check: &["recipient-drift", "unknown-recipient"],
    },
    Attack {
        name: "another environment where none is named",
        edits: &[(
            "maintainers: [alice]\n",
            "maintainers: [alice]\ndefault_environment: prod\n",
        )],
        diff: &["`default_environment` is prod"],
        apply: &["dev: new key"],
        check: &[],
    },
    Attack {
        name: "an address that the forge's list of people is matched by",
        edits: &[("alice: {keys: [", "alice: {email: mallory@example.com, keys: [")],
        diff: &["`email` of alice is mallory@example.com"],
        apply: &["dev: new key"],
        check: &[],
    },
    Attack {
        name: "findings that count no more",
        edits: &[(
            "secrets:\n",
            "check: {waive: [{code: unsigned-change, at: \"**\", until: 2999-12-31, reason: tidy}, \
             {code: recipient-drift, at: \"**\", until: 2999-12-31, reason: tidy}]}\nsecrets:\n",
        )],
        diff: &["waived unsigned-change at ** until 2999-12-31: tidy"],
        apply: &["dev: new key"],
        check: &[],
    },
];

/// Alice, bob and a machine read both environments; mallory pushes and reads nothing.
struct Scene {
    alice: Person,
    bob: Person,
    mallory: Person,
    team: Team,
}

fn scene() -> Scene {
    let mut team = Team::with_policy(&["alice", "bob", "ci"], "environments: {}\n");
    let [alice, bob, ci] = ["alice", "bob", "ci"].map(|name| team.person(name));
    let policy = format!(
        "version: 1\nid: \"{POLICY_ID}\"\nmaintainers: [alice]\nrecipients:\n  alice: {{keys: [{}]}}\n  bob: {{keys: [{}]}}\n  \
         ci: {{keys: [{}], machine: true}}\ngroups: {{inner: [bob], platform: [alice, inner]}}\nenvironments:\n  \
         dev: {{file: {DEV}, readers: [platform, ci], writers: [alice]}}\n  \
         prod: {{file: secrets/prod.yaml, readers: [platform, ci]}}\nsecrets:\n  db: {{description: the one}}\n",
        alice.public_key(),
        bob.public_key(),
        ci.public_key()
    );
    alice.write(".secrets.yaml", policy);
    for name in ["dev", "prod"] {
        set(&alice, name, "db", "real").succeeds();
    }
    team.share(&alice, "values");
    team.update(&bob);
    let mallory = team.add("mallory");
    Scene {
        alice,
        bob,
        mallory,
        team,
    }
}

impl Scene {
    /// A text of the table, with the people's own keys.
    fn filled(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (word, person) in [("ALICE", &self.alice), ("BOB", &self.bob), ("MALLORY", &self.mallory)] {
            let key = person.public_key();
            let label = PublicKey::parse(&key).unwrap().label().to_string();
            text = text.replace(&format!("{word}-LABEL"), &label).replace(word, &key);
        }
        text
    }

    /// Mallory commits the attack, and bob, who has never heard of it, pulls.
    fn attack(&self, attack: &Attack) {
        let mut policy = self.mallory.read_text(".secrets.yaml");
        for (from, to) in attack.edits {
            let (from, to) = (self.filled(from), self.filled(to));
            assert!(policy.contains(&from), "{}: {from}: {policy}", attack.name);
            policy = policy.replacen(&from, &to, 1);
        }
        self.mallory.write(".secrets.yaml", policy);
        self.team.share(&self.mallory, "tidy up");
        self.team.update(&self.bob);
    }

    /// As it was before.
    fn undo(&self) {
        for person in [&self.mallory, &self.bob] {
            person.git(["reset", "--quiet", "--hard", "HEAD~1"]).run().succeeds();
        }
        self.mallory
            .git(["push", "--quiet", "--force", "origin", "HEAD:main"])
            .run()
            .code(0);
    }
}

/// Whether one line has all of these words, whatever space stands between them.
fn has_line(text: &str, words: &str, more: &str) -> bool {
    let squeezed = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut lines = text.lines().map(squeezed);
    lines.any(|line| line.contains(words) && line.contains(more))
}

fn codes(output: &Output) -> BTreeSet<String> {
    let report: serde_json::Value = serde_json::from_slice(output.stdout_bytes()).expect("the report is JSON");
    let findings = report["findings"].as_array().unwrap().iter();
    findings.map(|one| one["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn whatever_is_changed_in_the_policy_is_shown_before_it_holds() {
    let scene = scene();
    let bob = &scene.bob;
    let mut hidden = Vec::new();
    for attack in ATTACKS {
        scene.attack(attack);
        let mut expect = |text: &str, words: &str, more: &str| {
            if !has_line(text, words, more) {
                hidden.push(format!(
                    "{}: no line with `{words}` and `{more}` in\n{text}",
                    attack.name
                ));
            }
        };
        let diff = bob.secretree(["diff", "--from", "HEAD~1"]).run().succeeds().stdout();
        for words in attack.diff {
            expect(&diff, &scene.filled(words), "");
        }
        expect(&diff, "of `mallory`", "");
        let asked = changes_nothing(bob.secretree(["apply", "--new-key"]));
        if !attack.apply.is_empty() {
            asked.code(1).says("no terminal to ask on: apply this?");
        } else {
            asked.code(5);
        }
        for words in attack.apply {
            let by = if words.ends_with('(') { "of mallory, " } else { "" };
            expect(&asked.stderr(), &scene.filled(words), by);
        }
        // Who made it and whether they might is told, whatever the policy of the branch says of itself.
        let found = codes(&bob.secretree(["check", "--since", "HEAD~1", "--json"]).run());
        let expected = attack.check.iter().copied().chain(["unsigned-change"]);
        let expected: BTreeSet<_> = expected.map(str::to_owned).collect();
        expect(&format!("{found:?}"), &format!("{expected:?}"), "");
        scene.undo();
    }
    assert!(hidden.is_empty(), "{}", hidden.join("\n"));
}

#[test]
fn nothing_is_sealed_to_a_key_that_nobody_applied() {
    let mut scene = scene();
    scene.attack(&ATTACKS[0]);
    let (bob, before) = (scene.bob.clone(), scene.bob.read_text(DEV));
    let granted = |text: &str| footer_of(text).grants;
    let writes: [&dyn Fn() -> Output; 6] = [
        &|| set(&bob, "dev", "fresh", "typed"),
        &|| edit(&bob, "dev", "db: edited\nfresh: typed\n").run(),
        &|| {
            bob.write("new.json", "{\"imported\": 1}");
            bob.secretree(["import", "dev", "new.json"]).run()
        },
        &|| bob.secretree(["unset", "dev", "imported"]).run(),
        &|| {
            let text = bob.read_text(DEV);
            bob.write(DEV, format!("typed: in\n{text}"));
            bob.secretree(["encrypt", "dev", "--yes"]).run()
        },
        &|| {
            set(&scene.mallory, "dev", "proposed", "x").succeeds();
            let text = scene.mallory.read_text(DEV);
            let proposals = &text[text.find("  proposals:").expect("there is one")..];
            bob.write(DEV, bob.read_text(DEV) + proposals);
            bob.secretree(["proposals", "accept", "dev", "--all", "--yes"]).run()
        },
    ];
    for write in writes {
        write().succeeds();
        let now = bob.read_text(DEV);
        assert_eq!(granted(&now), granted(&before), "the grants are what they were");
        assert_eq!(footer_of(&now).drop_box, footer_of(&before).drop_box);
    }
    scene.mallory.git(["checkout", "--quiet", "--", DEV]).run().succeeds();
    scene.team.share(&bob, "values");
    scene.team.update(&scene.mallory);
    changes_nothing(scene.mallory.secretree(["get", "dev", "fresh"])).code(4);
    // Once somebody has answered, she reads: that is what the question was for.
    bob.secretree(["apply", "dev", "--yes"]).run().succeeds();
    key_held_by(&scene.mallory, &bob.read_text(DEV));
    scene.undone_by_a_new_key();
}

impl Scene {
    /// Takes the key out again, under a new environment key.
    fn undone_by_a_new_key(&mut self) {
        let key = format!("{}, ", self.mallory.public_key());
        let policy = self.bob.read_text(".secrets.yaml").replace(&key, "");
        self.bob.write(".secrets.yaml", policy);
        changes_nothing(set_run(&self.bob))
            .code(1)
            .says("nothing is sealed for them");
        self.bob.secretree(["apply", "--yes"]).run().succeeds();
        set_run(&self.bob).run().succeeds();
        let label = PublicKey::parse(&self.mallory.public_key())
            .unwrap()
            .label()
            .to_string();
        assert!(!self.bob.read_text(DEV).contains(&label));
    }
}

fn set_run(person: &Person) -> crate::run::Run {
    person.secretree(["set", "dev", "fresh"]).input("again")
}

#[test]
fn a_file_that_was_taken_out_is_not_made_for_others() {
    let scene = scene();
    scene.attack(&ATTACKS[0]);
    scene.mallory.git(["rm", "--quiet", DEV]).run().succeeds();
    scene.team.share(&scene.mallory, "tidy up more");
    scene.team.update(&scene.bob);
    let bob = &scene.bob;
    bob.write("new.json", "{\"imported\": 1}");
    for run in [
        set_run(bob),
        edit(bob, "dev", "fresh: typed\n"),
        bob.secretree(["import", "dev", "new.json"]),
        bob.secretree(["set", "dev", "made", "--generate", "uuid"]),
    ] {
        changes_nothing(run)
            .code(1)
            .says("it was taken out: only `apply` makes another");
    }
    let asked = changes_nothing(bob.secretree(["apply", "dev"])).code(1).stderr();
    let words = scene.filled("dev: + alice (MALLORY-LABEL) can read (");
    assert!(has_line(&asked, &words, "of mallory, "), "{asked}");
    // Plain text in its place gets no grants unseen either.
    bob.write(DEV, "db: x\n");
    bob.git(["add", DEV]).run().succeeds();
    bob.commit("plain");
    changes_nothing(set_run(bob)).code(5);
    let asked = changes_nothing(bob.secretree(["encrypt", "dev"])).code(1).stderr();
    assert!(has_line(&asked, &words, "of mallory, "), "{asked}");
}

#[test]
fn whom_the_first_write_grants_is_said_before_a_value_is_typed() {
    let scene = scene();
    scene.attack(&ATTACKS[0]);
    let bob = &scene.bob;
    let policy = bob.read_text(".secrets.yaml");
    bob.write(
        ".secrets.yaml",
        policy.replace(
            "environments:\n",
            "environments:\n  new: {file: new.yaml, readers: [platform]}\n",
        ),
    );
    let mut terminal = bob.on_terminal(["set", "new", "fresh"]);
    terminal
        .expect("new: makes new.yaml")
        .expect(&scene.filled("new: + alice (MALLORY-LABEL) can read"))
        .expect("`new:fresh`")
        .send("\u{3}");
    terminal.finish();
    assert!(!bob.work("new.yaml").exists());
}

#[test]
fn what_a_new_pattern_makes_readable_is_said_in_time() {
    let scene = scene();
    let attack = ATTACKS.iter().find(|attack| attack.name.contains("stand readable"));
    scene.attack(attack.unwrap());
    let bob = &scene.bob;
    let mut terminal = bob.on_terminal(["set", "prod", "fresh"]);
    terminal
        .expect("value of `prod:fresh`, which will stand readable in the file, (hidden)")
        .send("\u{3}");
    terminal.finish();
    edit(bob, "prod", "db: real\nedited: x\n")
        .run()
        .succeeds()
        .says("note: `prod:edited` stands readable, as `plaintext` in the policy says");
    bob.git(["checkout", "--quiet", "--", "secrets"]).run().succeeds();
    // What was sealed stays so, and what is declared too.
    set(bob, "prod", "db", "second").succeeds();
    bob.secretree(["unset", "prod", "db"]).run().succeeds();
    set(bob, "prod", "db", "third").succeeds();
    assert!(!bob.read_text("secrets/prod.yaml").contains("third"));
    set(bob, "dev", "once", "sealed").succeeds();
    bob.commit("values");
    let policy = bob.read_text(".secrets.yaml");
    bob.write(
        ".secrets.yaml",
        policy.replace("writers: [alice]}", "writers: [alice], plaintext: [once]}"),
    );
    bob.secretree(["unset", "dev", "once"]).run().succeeds();
    changes_nothing(edit(bob, "dev", "db: real\nonce: sealed\n"))
        .code(1)
        .says("the last commit has an encrypted value at `dev:once`");
}

#[test]
fn a_key_that_rides_along_with_another_change_is_named_with_its_commit() {
    let scene = scene();
    scene.attack(&ATTACKS[0]);
    let bob = &scene.bob;
    let zoe = scene.team.sandbox().person("zoe").public_key();
    bob.secretree(["recipient", "add", "zoe", &zoe]).run().succeeds();
    for words in [
        &["grant", "zoe", "dev"][..],
        &["revoke", "ci", "dev"],
        &["offboard", "ci"],
        &["offboard", "ci", "--dry-run"],
    ] {
        let said = changes_nothing(bob.secretree(words.iter().copied())).stderr();
        let line = scene.filled("dev: + alice (MALLORY-LABEL) can read (");
        assert!(has_line(&said, &line, "of mallory, "), "{words:?}: {said}");
        assert!(!said.contains("not committed yet"), "{words:?}: {said}");
    }
}
