//! What `apply` says of the policy before it asks: by whose commit each public key gains or loses, and what else changed
//! since the grants were written.

use expect_test::expect;

use crate::fixture::{changes_nothing, policy};
use crate::sandbox::Person;
use crate::team::Team;

const REST: &str = "maintainers: [alice]\nenvironments:\n  dev: {file: dev.yaml, readers: [alice, bob]}\n";

/// Alice and bob read `dev`; carol is there and reads nothing.
fn team() -> Team {
    let team = Team::with_policy(&["alice", "bob", "carol"], REST);
    let alice = team.person("alice");
    alice.secretree(["set", "dev", "a"]).input("1").run().succeeds();
    team.share(&alice, "value");
    for name in ["bob", "carol"] {
        team.update(&team.person(name));
    }
    team
}

fn change_policy(person: &Person, from: &str, to: &str) {
    let text = person.read_text(".secrets.yaml");
    assert!(text.contains(from), "{text}");
    person.write(".secrets.yaml", text.replace(from, to));
}

#[test]
fn each_key_comes_with_the_commit_that_let_it_read() {
    let team = team();
    let (alice, bob, carol) = (team.person("alice"), team.person("bob"), team.person("carol"));
    change_policy(&carol, "[alice, bob]", "[alice, bob, carol]");
    team.share(&carol, "carol reads dev");
    team.update(&bob);
    // A key more under a name that everybody knows.
    let mallory = team.sandbox().person("mallory").public_key();
    change_policy(&bob, &alice.public_key(), &format!("{}, {mallory}", alice.public_key()));
    team.share(&bob, "tidy up");
    team.update(&alice);
    change_policy(&alice, "[alice, bob, carol]", "[alice, carol]");
    changes_nothing(alice.secretree(["apply"])).check(expect![[r#"
        status: 1
        --- stderr
        dev: new key k…; every value is sealed anew
        dev: + alice (x25519-c8efd43f5d1e2314) can read (commit COMMIT of bob, 2026-01-05)
        dev: + carol (x25519-4d6de9b73c422ec0) can read (commit COMMIT of carol, 2026-01-05)
        dev: - bob (x25519-beb9c93eba2ffa2a) can no longer read what is written from now on (not committed yet)
        error: no terminal to ask on: apply this?
        hint: `--yes` answers with yes
    "#]]);
    alice.commit("bob reads dev no longer");
    alice.secretree(["apply", "--yes"]).run().check(expect![[r#"
        status: 0
        --- stderr
        dev: new key k…; every value is sealed anew
        dev: + alice (x25519-c8efd43f5d1e2314) can read (commit COMMIT of bob, 2026-01-05)
        dev: + carol (x25519-4d6de9b73c422ec0) can read (commit COMMIT of carol, 2026-01-05)
        dev: - bob (x25519-beb9c93eba2ffa2a) can no longer read what is written from now on (commit COMMIT of alice, 2026-01-05)
        wrote dev.yaml
    "#]]);
}

#[test]
fn what_else_changed_since_the_grants_is_shown() {
    let team = team();
    let (alice, bob) = (team.person("alice"), team.person("bob"));
    change_policy(&bob, "maintainers: [alice]", "maintainers: [alice, bob]");
    change_policy(&bob, "[alice, bob]}", "[alice, bob], plaintext: [\"log.*\"]}");
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPdQIFLHSrVymNcuCAqWhFXTOO13/KJYTzLCMydRLULP";
    let line = format!("  bob: {{keys: [{}]}}", bob.public_key());
    change_policy(
        &bob,
        &line,
        &format!("{}, signing_keys: [\"{key}\"]}}", line.trim_end_matches('}')),
    );
    team.share(&bob, "nothing to see here");
    // What was undone is nothing to ask about.
    change_policy(&bob, "\"log.*\"", "\"log.*\", \"x\"");
    team.share(&bob, "one more");
    change_policy(&bob, ", \"x\"", "");
    team.share(&bob, "one less");
    team.update(&alice);
    changes_nothing(alice.secretree(["apply"])).says("every file is what the policy says");
    alice
        .secretree(["apply", "--new-key", "--yes", "--commit"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            dev: new key k…; every value is sealed anew
            policy: bob signs with ssh-ed25519 AAAA… (commit COMMIT of bob, 2026-01-05)
            policy: bob may change the policy (commit COMMIT of bob, 2026-01-05)
            policy: values of dev at log.* may stand readable (commit COMMIT of bob, 2026-01-05)
            wrote dev.yaml
            committed COMMIT
        "#]]);
    // Seen once, they are not shown again.
    alice
        .secretree(["apply", "--new-key", "--yes"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            dev: new key k…; every value is sealed anew
            wrote dev.yaml
        "#]]);
}

#[test]
fn a_grant_that_no_policy_gave_is_named_as_such() {
    let team = team();
    let (alice, bob) = (team.person("alice"), team.person("bob"));
    // Bob grants mallory's key in the file, under his own name, by a policy that he never commits.
    let mallory = team.sandbox().person("mallory").public_key();
    let ours = bob.read_text(".secrets.yaml");
    bob.write(
        ".secrets.yaml",
        policy(
            &[
                ("alice", &alice.public_key()),
                ("bob", &format!("{}, {mallory}", bob.public_key())),
                ("carol", &team.person("carol").public_key()),
            ],
            REST,
        ),
    );
    bob.secretree(["apply", "--yes"]).run().succeeds();
    bob.write(".secrets.yaml", ours);
    team.share(&bob, "values");
    team.update(&alice);
    changes_nothing(alice.secretree(["apply"])).check(expect![[r#"
        status: 1
        --- stderr
        dev: new key k…; every value is sealed anew
        dev: - bob (x25519-c8efd43f5d1e2314) can no longer read what is written from now on (the policy never let it read)
        error: no terminal to ask on: apply this?
        hint: `--yes` answers with yes
    "#]]);
}
