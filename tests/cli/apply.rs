//! `apply`: the environment files become what the policy says, after a look, all of them or none.

use std::collections::BTreeMap;

use expect_test::expect;

use crate::fixture::{TWO_ENVIRONMENTS, alice, alice_with_dev, alice_with_git, changes_nothing, edit, policy};
use crate::sandbox::{Person, Sandbox};
use crate::team::Team;

/// Versions of the values of `dev`, and the id of its key.
fn marks(person: &Person) -> (Vec<String>, String) {
    let file = person.read_text("secrets/dev.yaml");
    let (body, footer) = file.split_once("\nsecretree:").expect("it has a footer");
    let pattern = regex::Regex::new(r"ENC\[age,k[0-9a-f]{16},(v[0-9a-f]{8}),").unwrap();
    let versions = pattern.captures_iter(body).map(|found| found[1].to_owned()).collect();
    let key = footer.split("\n  key: ").nth(1).unwrap()[..17].to_owned();
    (versions, key)
}

/// The policy of alice and bob, with these readers of `dev`.
fn shared(alice: &Person, bob: &Person, readers: &str) -> String {
    policy(
        &[("alice", &alice.public_key()), ("bob", &bob.public_key())],
        &format!("environments: {{dev: {{file: secrets/dev.yaml, readers: [{readers}], plaintext: [level]}}}}\n"),
    )
}

#[test]
fn it_shows_what_it_will_do_and_asks() {
    let alice = alice(TWO_ENVIRONMENTS);
    changes_nothing(alice.secretree(["apply"])).check(expect![[r#"
        status: 1
        --- stderr
        dev: makes secrets/dev.yaml
        dev: + alice (x25519-7cb1b2c9014e3eb1) can read
        prod: makes secrets/prod.yaml
        prod: + alice (x25519-7cb1b2c9014e3eb1) can read
        error: no terminal to ask on: apply this?
        hint: `--yes` answers with yes
    "#]]);
    let mut terminal = alice.on_terminal(["apply"]);
    terminal.expect("apply this?").send("\n");
    terminal.finish().code(1);
    assert!(!alice.work("secrets").exists());
    let mut terminal = alice.on_terminal(["apply"]);
    terminal.expect("apply this?").send("yes\n");
    terminal.finish().check(expect![[r#"
        status: 0
        --- stdout
        dev: makes secrets/dev.yaml
        dev: + alice (x25519-7cb1b2c9014e3eb1) can read
        prod: makes secrets/prod.yaml
        prod: + alice (x25519-7cb1b2c9014e3eb1) can read
        apply this? [y/N] yes
        wrote secrets/dev.yaml, secrets/prod.yaml
    "#]]);
    changes_nothing(alice.secretree(["apply"])).check(expect![[r#"
        status: 0
        --- stderr
        every file is what the policy says
    "#]]);
    changes_nothing(alice.secretree(["apply", "prdo"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `prdo` is no environment
        hint: did you mean `prod`?
    "#]]);
}

#[test]
fn a_new_reader_is_granted_and_no_value_changes() {
    let sandbox = Sandbox::new();
    let (alice, bob) = (sandbox.person("alice"), sandbox.person("bob"));
    alice.write(".secrets.yaml", shared(&alice, &bob, "alice"));
    edit(&alice, "dev", "a: 1\nb: {c: 2}\nlevel: info\n").run().succeeds();
    let before = alice.read_text("secrets/dev.yaml");
    alice.write(".secrets.yaml", shared(&alice, &bob, "alice, bob"));
    alice.secretree(["apply", "--yes"]).run().check(expect![[r#"
        status: 0
        --- stderr
        dev: + bob (x25519-beb9c93eba2ffa2a) can read
        wrote secrets/dev.yaml
    "#]]);
    let after = alice.read_text("secrets/dev.yaml");
    assert!(
        before.lines().all(|line| after.lines().any(|other| other == line)),
        "{before}\n{after}"
    );
    assert_eq!(after.lines().count(), before.lines().count() + 3);
    bob.write(".secrets.yaml", shared(&alice, &bob, "alice, bob"));
    bob.write("secrets/dev.yaml", after);
    bob.secretree(["get", "dev", "b.c"]).run().check(expect![[r#"
        status: 0
        --- stdout
        2[no newline]
        --- stderr
        note: first sight of the key `k…` of `dev` on this machine (no commit yet): trusted from now on
    "#]]);
}

#[test]
fn a_removed_public_key_means_a_new_key() {
    let team = Team::with_policy(
        &["alice", "bob"],
        "environments: {dev: {file: secrets/dev.yaml, readers: [alice, bob], plaintext: [level]}}\n",
    );
    let (alice, bob) = (team.person("alice"), team.person("bob"));
    edit(&alice, "dev", "a: one # why\nb: {c: 1.10}\nlevel: info\n")
        .run()
        .succeeds();
    team.share(&alice, "values");
    team.update(&bob);
    let (versions, key) = marks(&alice);
    let policy = alice
        .read_text(".secrets.yaml")
        .replace("readers: [alice, bob]", "readers: [alice]");
    alice.write(".secrets.yaml", policy);
    // Until it is applied the file grants more than the policy says, and works.
    alice.secretree(["get", "dev", "a"]).run().prints("one");
    changes_nothing(alice.secretree(["apply"])).check(expect![[r#"
        status: 1
        --- stderr
        dev: new key k…; every value is sealed anew
        dev: - bob (x25519-beb9c93eba2ffa2a) can no longer read what is written from now on (not committed yet)
        policy: bob may no longer change the policy (not committed yet)
        error: no terminal to ask on: apply this?
        hint: `--yes` answers with yes
    "#]]);
    alice.secretree(["apply", "--yes"]).run().check(expect![[r#"
        status: 0
        --- stderr
        dev: new key k…; every value is sealed anew
        dev: - bob (x25519-beb9c93eba2ffa2a) can no longer read what is written from now on (not committed yet)
        policy: bob may no longer change the policy (not committed yet)
        wrote secrets/dev.yaml
    "#]]);
    let (new_versions, new_key) = marks(&alice);
    assert_eq!(versions, new_versions);
    assert_ne!(key, new_key);
    let file = alice.read_text("secrets/dev.yaml");
    assert!(file.contains(&format!("\n  follows:\n    {key}: |-\n")), "{file}");
    assert!(
        !file.contains(&format!("ENC[age,{key},v{}", &versions[0][1..])),
        "{file}"
    );
    alice
        .secretree(["decrypt", "dev"])
        .run()
        .prints("a: one # why\nb: {c: 1.10}\nlevel: info\n");
    alice.secretree(["apply"]).run().check(expect![[r#"
        status: 0
        --- stderr
        every file is what the policy says
    "#]]);
    team.share(&alice, "bob left");
    team.update(&bob);
    changes_nothing(bob.secretree(["get", "dev", "a"])).check(expect![[r#"
        status: 4
        --- stderr
        error: no identity here can open `dev`
        hint: readers are alice; to join: `secretree join dev`, commit, then one of them runs `secretree apply dev`
    "#]]);
}

#[test]
fn one_of_two_public_keys_that_is_gone_means_a_new_key_too() {
    let sandbox = Sandbox::new();
    let (alice, laptop) = (sandbox.person("alice"), sandbox.person("laptop"));
    let with_keys = |keys: String| policy(&[("alice", &keys)], TWO_ENVIRONMENTS);
    alice.write(
        ".secrets.yaml",
        with_keys(format!("{}, {}", alice.public_key(), laptop.public_key())),
    );
    edit(&alice, "dev", "a: 1\n").run().succeeds();
    alice.write(".secrets.yaml", with_keys(alice.public_key()));
    alice.secretree(["apply", "dev", "--yes"]).run().check(expect![[r#"
        status: 0
        --- stderr
        dev: new key k…; every value is sealed anew
        dev: - alice (x25519-3f5b2b5f71f5ecf0) can no longer read what is written from now on
        wrote secrets/dev.yaml
    "#]]);
}

#[test]
fn a_new_key_can_be_asked_for() {
    let alice = alice_with_dev("a: 1\n");
    let before = marks(&alice);
    alice
        .secretree(["apply", "dev", "--new-key", "--yes"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            dev: new key k…; every value is sealed anew
            wrote secrets/dev.yaml
        "#]]);
    let after = marks(&alice);
    assert_eq!(before.0, after.0);
    assert_ne!(before.1, after.1);
    alice.secretree(["get", "dev", "a"]).run().succeeds().prints("1");
}

#[test]
fn a_recipient_that_is_called_otherwise_keeps_the_key() {
    let alice = alice_with_dev("a: 1\n");
    let before = alice.read_text("secrets/dev.yaml");
    let renamed = alice
        .read_text(".secrets.yaml")
        .replace("  alice:", "  alicia:")
        .replace("[alice]", "[alicia]");
    alice.write(".secrets.yaml", renamed);
    alice.secretree(["apply", "dev", "--yes"]).run().check(expect![[r#"
        status: 0
        --- stderr
        dev: alice is called alicia
        wrote secrets/dev.yaml
    "#]]);
    let after = alice.read_text("secrets/dev.yaml");
    assert_eq!(
        after,
        before.replace("\n    alice:\n", "\n    alicia:\n"),
        "the grant stays to the byte"
    );
    changes_nothing(alice.secretree(["apply", "dev"])).code(0);
}

#[test]
fn files_change_all_together_or_not_at_all() {
    let alice = alice(TWO_ENVIRONMENTS);
    edit(&alice, "dev", "a: 1\n").run().succeeds();
    edit(&alice, "prod", "a: 1\n").run().succeeds();
    let prod = alice.read_text("secrets/prod.yaml");
    alice.write("secrets/prod.yaml", format!("plain: 1\n{prod}"));
    changes_nothing(alice.secretree(["apply", "--new-key", "--yes"])).check(expect![[r#"
        status: 5
        --- stderr
        error: `prod:plain` (line 1 column 8) is not encrypted
        hint: secretree encrypt prod
    "#]]);
    alice.write("secrets/prod.yaml", &prod);
    alice
        .secretree(["apply", "--new-key", "--yes"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            dev: new key k…; every value is sealed anew
            prod: new key k…; every value is sealed anew
            wrote secrets/dev.yaml, secrets/prod.yaml
        "#]]);
    assert_ne!(alice.read_text("secrets/prod.yaml"), prod);
}

#[test]
fn files_of_other_environments_and_policies_are_refused_with_both_names() {
    let alice = alice(TWO_ENVIRONMENTS);
    edit(&alice, "dev", "a: 1\n").run().succeeds();
    edit(&alice, "prod", "a: 2\n").run().succeeds();
    let (dev, prod) = (alice.read("secrets/dev.yaml"), alice.read("secrets/prod.yaml"));
    alice.write("secrets/dev.yaml", &prod);
    changes_nothing(alice.secretree(["apply", "--yes"])).check(expect![[r#"
        status: 5
        --- stderr
        error: `secrets/dev.yaml` belongs to `dev`, but its footer says `prod`
        hint: put the file of `dev` back: git log -- secrets/dev.yaml
    "#]]);
    changes_nothing(alice.secretree(["get", "dev", "a"])).check(expect![[r#"
        status: 5
        --- stderr
        error: `secrets/dev.yaml` belongs to `dev`, but its footer says `prod`
        hint: put the file of `dev` back: git log -- secrets/dev.yaml
    "#]]);
    // The name in the footer is only a claim.
    let forged = String::from_utf8(prod)
        .unwrap()
        .replace("environment: prod", "environment: dev");
    alice.write("secrets/dev.yaml", forged);
    changes_nothing(alice.secretree(["apply", "--yes"])).check(expect![[r#"
        status: 5
        --- stderr
        error: the file of `dev` holds a grant of `prod`
        hint: git log -p -- secrets/dev.yaml
    "#]]);
    changes_nothing(alice.secretree(["apply", "--new-key", "--yes"])).code(5);
    // Another policy.
    alice.write("secrets/dev.yaml", dev);
    let policy = alice.read_text(".secrets.yaml");
    alice.write(".secrets.yaml", policy.replace("5f0c1d2e", "00000000"));
    changes_nothing(alice.secretree(["apply", "dev", "--yes"])).check(expect![[r#"
        status: 5
        --- stderr
        error: the file of `dev` belongs to the policy `ID`, but the policy here is `ID`
        hint: see who changed it: git log -p -- .secrets.yaml
        hint: if it was meant, for all files at once: secretree apply --move
    "#]]);
    changes_nothing(alice.secretree(["apply", "dev", "--new-key", "--yes"])).code(5);
    changes_nothing(alice.secretree(["run", "dev", "--", "true"])).code(5);
}

#[test]
fn who_cannot_read_cannot_apply() {
    let team = Team::with_policy(
        &["alice", "bob"],
        "environments: {dev: {file: secrets/dev.yaml, readers: [alice]}, new: {file: secrets/new.yaml, readers: [alice]}}\n",
    );
    let (alice, bob) = (team.person("alice"), team.person("bob"));
    edit(&alice, "dev", "a: 1\n").run().succeeds();
    team.share(&alice, "values");
    team.update(&bob);
    let policy = bob
        .read_text(".secrets.yaml")
        .replace("dev.yaml, readers: [alice]", "dev.yaml, readers: [alice, bob]");
    bob.write(".secrets.yaml", policy);
    changes_nothing(bob.secretree(["apply", "dev", "--yes"])).check(expect![[r#"
        status: 4
        --- stderr
        error: no identity here can open `dev`
        hint: the policy lists your key already: ask alice to run `secretree apply dev`
    "#]]);
    changes_nothing(bob.secretree(["apply", "new", "--yes"])).check(expect![[r#"
        status: 4
        --- stderr
        error: no identity here reads `new`
        hint: ask alice to run `secretree apply new`
    "#]]);
}

#[test]
fn commit_takes_the_files_it_wrote() {
    let alice = alice_with_git(TWO_ENVIRONMENTS);
    alice.write("other.txt", "not ours");
    alice.secretree(["apply", "--yes", "--commit"]).run().check(expect![[r#"
        status: 0
        --- stderr
        dev: makes secrets/dev.yaml
        dev: + alice (x25519-7cb1b2c9014e3eb1) can read (commit COMMIT of alice, 2026-01-05)
        prod: makes secrets/prod.yaml
        prod: + alice (x25519-7cb1b2c9014e3eb1) can read (commit COMMIT of alice, 2026-01-05)
        wrote secrets/dev.yaml, secrets/prod.yaml
        committed COMMIT
    "#]]);
    alice
        .git(["log", "-1", "--format=%s", "--name-status"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stdout
            secrets: apply dev, prod

            A	secrets/dev.yaml
            A	secrets/prod.yaml
        "#]]);
    alice.git(["status", "--short"]).run().prints("?? other.txt\n");
}

#[test]
fn groups_and_machines_are_granted_by_their_public_keys() {
    let sandbox = Sandbox::new();
    let names = ["alice", "bob", "robot"];
    let people: BTreeMap<_, _> = names.map(|name| (name, sandbox.person(name))).into();
    let alice = &people["alice"];
    let keys: Vec<_> = names.map(|name| (name, people[name].public_key())).into();
    let recipients: Vec<_> = keys.iter().map(|(name, key)| (*name, key.as_str())).collect();
    alice.write(
        ".secrets.yaml",
        policy(
            &recipients,
            "groups: {inner: [bob], outer: [inner, alice]}\nenvironments: {dev: {file: dev.yaml, readers: [outer, robot]}}\n",
        ),
    );
    alice.secretree(["apply", "--yes"]).run().check(expect![[r#"
        status: 0
        --- stderr
        dev: makes dev.yaml
        dev: + alice (x25519-7cb1b2c9014e3eb1) can read
        dev: + bob (x25519-beb9c93eba2ffa2a) can read
        dev: + robot (x25519-af3aeb07fee7c7ba) can read
        wrote dev.yaml
    "#]]);
    for name in ["bob", "robot"] {
        let person = &people[name];
        for file in [".secrets.yaml", "dev.yaml"] {
            person.write(file, alice.read(file));
        }
        person.secretree(["decrypt", "dev"]).run().code(0).prints("");
    }
}
