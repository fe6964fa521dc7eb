//! `recipient`: everybody in the policy, shown, added, removed. The forms in which people hand over keys are
//! `recipient_keys`'.

use expect_test::expect;

use crate::fixture::{alice, changes_nothing, edit};
use crate::sandbox::Person;
use crate::team::Team;

/// A public key that is nobody's.
pub(crate) const SSH: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPdQIFLHSrVymNcuCAqWhFXTOO13/KJYTzLCMydRLULP";

const REST: &str = "\
# Teams.
groups:
  platform: [alice]   # on call
  developers: [platform]
environments:
  dev: {file: secrets/dev.yaml, readers: [developers]}
  prod: {file: secrets/prod.yaml, readers: [platform]}
";

/// Alice with two groups, and the key of bob.
pub(crate) fn alice_and_bob() -> (Person, String) {
    let alice = alice(REST);
    let key = alice.sandbox().person("bob").public_key();
    (alice, key)
}

#[test]
fn somebody_is_added_with_key_and_group() {
    let (alice, bob) = alice_and_bob();
    alice
        .secretree([
            "recipient",
            "add",
            "bob",
            &bob,
            SSH,
            "--group",
            "developers",
            "--email",
            "bob@example.com",
        ])
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            .secrets.yaml:
              +  bob: {keys: [age1…, ssh-ed25519 AAAA…], email: bob@example.com}
              -  developers: [platform]
              +  developers: [platform, bob]
            next: `secretree apply dev`, then commit
        "#]]);
    alice.secretree(["recipient", "list"]).run().check(expect![[r#"
        status: 0
        --- stdout
        NAME   KEYS                 GROUPS      READS
        alice  x25519               platform    dev, prod
        bob    x25519, ssh-ed25519  developers  dev
    "#]]);
    alice.secretree(["recipient", "show", "bob"]).run().check(expect![[r#"
            status: 0
            --- stdout
            bob
              e-mail  bob@example.com
              key     x25519-beb9c93eba2ffa2a  age1…
              key     ssh-ed25519-f296e69247c1901f  ssh-ed25519 AAAA…
              groups  developers
              reads   dev
              writes  dev
              dev: the file does not grant ssh-ed25519-f296e69247c1901f yet: secretree apply dev
              dev: the file does not grant x25519-beb9c93eba2ffa2a yet: secretree apply dev
        "#]]);
    alice.secretree(["apply", "--yes"]).run().succeeds();
    alice.secretree(["recipient", "show", "bob"]).run().check(expect![[r#"
            status: 0
            --- stdout
            bob
              e-mail  bob@example.com
              key     x25519-beb9c93eba2ffa2a  age1…
              key     ssh-ed25519-f296e69247c1901f  ssh-ed25519 AAAA…
              groups  developers
              reads   dev
              writes  dev
              dev: the file grants ssh-ed25519-f296e69247c1901f, x25519-beb9c93eba2ffa2a
        "#]]);
    alice.secretree(["recipient", "remove", "bob"]).run().check(expect![[r#"
            status: 0
            --- stderr
            `bob` is out of groups.developers, recipients
            .secrets.yaml:
              -  bob: {keys: [age1…, ssh-ed25519 AAAA…], email: bob@example.com}
              -  developers: [platform, bob]
              +  developers: [platform]
            next: `secretree apply dev`, then commit
            until then the files grant what they granted; values that were read stay known: rotate what matters
        "#]]);
    alice.secretree(["recipient", "show", "bob"]).run().check(expect![[r#"
            status: 0
            --- stdout
            bob, not in the policy
              dev: the file grants ssh-ed25519-f296e69247c1901f still: secretree apply dev
              dev: the file grants x25519-beb9c93eba2ffa2a still: secretree apply dev
        "#]]);
    alice
        .secretree(["recipient", "show", "bob", "--json"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stdout
            {
              "name": "bob",
              "machine": false,
              "email": null,
              "keys": [],
              "groups": [],
              "reads": [],
              "writes": [],
              "maintainer": false,
              "files": [
                {
                  "environment": "dev",
                  "granted": [
                    "ssh-ed25519-f296e69247c1901f",
                    "x25519-beb9c93eba2ffa2a"
                  ],
                  "missing": [],
                  "beyond": [
                    "ssh-ed25519-f296e69247c1901f",
                    "x25519-beb9c93eba2ffa2a"
                  ]
                }
              ]
            }
        "#]]);
    alice.secretree(["apply", "--yes"]).run().succeeds();
    alice.secretree(["recipient", "show", "bob"]).run().check(expect![[r#"
            status: 1
            --- stderr
            error: `bob` is no recipient
            hint: secretree recipient list
        "#]]);
    alice
        .secretree(["recipient", "list", "--json"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stdout
            {
              "recipients": [
                {
                  "name": "alice",
                  "machine": false,
                  "email": null,
                  "keys": [
                    {
                      "kind": "x25519",
                      "label": "x25519-7cb1b2c9014e3eb1",
                      "public_key": "age1…"
                    }
                  ],
                  "groups": [
                    "platform"
                  ],
                  "reads": [
                    "dev",
                    "prod"
                  ],
                  "writes": [
                    "dev",
                    "prod"
                  ],
                  "maintainer": true
                }
              ]
            }
        "#]]);
}

#[test]
fn a_machine_reads_nothing_until_it_is_told() {
    let (alice, bob) = alice_and_bob();
    alice
        .secretree(["recipient", "add", "ci", &bob, "--machine"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            .secrets.yaml:
              +  ci: {keys: [age1…], machine: true}
            next: commit
            `ci` reads nothing yet: `secretree grant ci ENV`, or `secretree recipient add ci --group GROUP`
        "#]]);
    alice.secretree(["recipient", "list"]).run().check(expect![[r#"
        status: 0
        --- stdout
        NAME   KEYS             GROUPS    READS
        alice  x25519           platform  dev, prod
        ci     x25519, machine  -         -
    "#]]);
}

#[test]
fn keys_come_and_go_one_by_one() {
    let (alice, bob) = alice_and_bob();
    let before = alice.read_text(".secrets.yaml");
    alice
        .secretree(["recipient", "add", "alice", &format!("{SSH} alice@laptop")])
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            .secrets.yaml:
              -  alice: {keys: [age1…]}
              +  alice: {keys: [age1…, ssh-ed25519 AAAA… alice@laptop]}
            next: `secretree apply dev prod`, then commit
        "#]]);
    changes_nothing(alice.secretree(["recipient", "add", "alice", SSH])).check(expect![[r#"
        status: 0
        --- stderr
        `alice` has all of this already; nothing was written
    "#]]);
    changes_nothing(alice.secretree(["recipient", "add", "bob", &bob, SSH])).check(expect![[r#"
        status: 1
        --- stderr
        error: the key `ssh-ed25519-f296e69247c1901f` is one of `alice` already
        hint: secretree recipient show alice
    "#]]);
    changes_nothing(alice.secretree(["recipient", "remove", "alice", "--key", &bob])).check(expect![[r#"
        status: 1
        --- stderr
        error: `alice` has no such key
        hint: secretree recipient show alice
    "#]]);
    alice
        .secretree(["recipient", "remove", "alice", "--key", "ssh-ed25519-0000000000000000"])
        .run()
        .code(1);
    alice
        .secretree(["recipient", "remove", "alice", "--key", SSH])
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            .secrets.yaml:
              -  alice: {keys: [age1…, ssh-ed25519 AAAA… alice@laptop]}
              +  alice: {keys: [age1…]}
            next: `secretree apply dev prod`, then commit
            until then the files grant what they granted; values that were read stay known: rotate what matters
        "#]]);
    assert_eq!(alice.read_text(".secrets.yaml"), before);
    changes_nothing(alice.secretree(["recipient", "remove", "alice", "--key", &alice.public_key()])).check(expect![[
        r#"
            status: 1
            --- stderr
            error: it is the only key of `alice`; nothing was written
            hint: secretree recipient remove alice, or add another key first
        "#
    ]]);
}

#[test]
fn nobody_is_removed_who_is_needed() {
    let (alice, bob) = alice_and_bob();
    changes_nothing(alice.secretree(["recipient", "remove", "alice"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `dev` would be left without readers; nothing was written
        hint: name another reader there first
    "#]]);
    changes_nothing(alice.secretree(["recipient", "remove", "alcie"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `alcie` is no recipient
        hint: did you mean `alice`?
    "#]]);
    let policy = alice.read_text(".secrets.yaml");
    alice
        .secretree(["recipient", "add", "bob", &bob, "--group", "platform"])
        .run()
        .succeeds();
    let owned = format!("{}secrets: {{a: {{owner: bob}}}}\n", alice.read_text(".secrets.yaml"));
    alice.write(".secrets.yaml", owned);
    changes_nothing(alice.secretree(["recipient", "remove", "bob"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `.secrets.yaml` line 13 column 22: `bob` owns declared values
        hint: write another `owner` there first
    "#]]);
    let free = alice
        .read_text(".secrets.yaml")
        .replace("secrets: {a: {owner: bob}}\n", "");
    alice.write(".secrets.yaml", free);
    alice.secretree(["recipient", "remove", "bob"]).run().check(expect![[r#"
            status: 0
            --- stderr
            `bob` is out of groups.platform, recipients
            .secrets.yaml:
              -  bob: {keys: [age1…]}
              -  platform: [alice, bob]   # on call
              +  platform: [alice]   # on call
            next: `secretree apply dev prod`, then commit
            until then the files grant what they granted; values that were read stay known: rotate what matters
        "#]]);
    assert_eq!(
        alice.read_text(".secrets.yaml"),
        policy,
        "comments and layout are what they were"
    );
}

#[test]
fn what_is_added_can_be_committed_at_once() {
    let team = Team::new(&["alice"]);
    let alice = team.person("alice");
    edit(&alice, "dev", "a: b\n").run().succeeds();
    team.share(&alice, "values");
    let bob = alice.sandbox().person("bob").public_key();
    alice.write("other", "left alone");
    alice
        .secretree(["recipient", "add", "bob", &bob, "--commit"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            .secrets.yaml:
              +  bob: {keys: [age1…]}
            committed COMMIT
            `bob` reads nothing yet: `secretree grant bob ENV`, or `secretree recipient add bob --group GROUP`
        "#]]);
    alice
        .git(["show", "--format=%s", "--name-only", "HEAD"])
        .run()
        .prints("secrets: add recipient bob\n\n.secrets.yaml\n");
    alice.git(["status", "--short"]).run().prints("?? other\n");
}
