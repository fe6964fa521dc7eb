//! `access` and `exposure`: who could have read what, then and since, and what of it is still in use.

use expect_test::expect;

use crate::fixture::{changes_nothing, edit};
use crate::sandbox::Person;
use crate::team::Team;

fn set(person: &Person, path: &str, value: &str) {
    person.secretree(["set", "prod", path]).input(value).run().succeeds();
}

/// Rewrites the policy and makes the files what it says.
fn change_policy(person: &Person, change: impl Fn(&str) -> String, message: &str) {
    person.write(".secrets.yaml", change(&person.read_text(".secrets.yaml")));
    person.secretree(["apply", "--yes"]).run().code(0);
    person.commit(message);
}

/// Alice's clone of a repository in which bob read `prod` until he left, and carol came later.
fn leak() -> (Team, Person) {
    let team = Team::with_policy(
        &["alice", "bob", "carol"],
        "environments:\n  prod: {file: secrets/prod.yaml, readers: [alice, bob]}\n",
    );
    let alice = team.person("alice");
    edit(
        &alice,
        "prod",
        "stripe: {key: 1}\ndatabase: {password: 1}\nnever: changed\n",
    )
    .run()
    .succeeds();
    alice.commit("values");
    set(&alice, "stripe.key", "2");
    alice.commit("rotate the stripe key");
    change_policy(
        &alice,
        |policy| policy.replace("[alice, bob]", "[alice, bob, carol]"),
        "carol comes",
    );
    change_policy(
        &alice,
        |policy| policy.replace("[alice, bob, carol]", "[alice, carol]"),
        "bob leaves",
    );
    set(&alice, "database.password", "2");
    alice.commit("new database password");
    (team, alice)
}

#[test]
fn the_leak_story_takes_three_commands() {
    let (_team, alice) = leak();
    std::fs::remove_file(alice.identity_file()).unwrap();
    changes_nothing(alice.secretree(["access", "prod", "stripe.key"])).check(expect![[r#"
        status: 0
        --- stdout
        prod:stripe.key v…, set 2026-01-05 (commit COMMIT of alice)
        could have read it:
          alice  x25519-7cb1b2c9014e3eb1  since 2026-01-05 (commit COMMIT of alice), still
          bob    x25519-beb9c93eba2ffa2a  since 2026-01-05 (commit COMMIT of alice), until 2026-01-05 (commit COMMIT of alice)
          carol  x25519-4d6de9b73c422ec0  since 2026-01-05 (commit COMMIT of alice), still
    "#]]);
    changes_nothing(alice.secretree(["log", "prod", "stripe.key"])).check(expect![[r#"
        status: 0
        --- stdout
        COMMIT 2026-01-05 alice (unsigned): rotate the stripe key
          prod: changed stripe.key
        COMMIT 2026-01-05 alice (unsigned): values
          prod: added stripe.key
    "#]]);
    changes_nothing(alice.secretree(["exposure", "bob"])).check(expect![[r#"
        status: 0
        --- stdout
        bob: x25519-beb9c93eba2ffa2a
        could have read 4 versions of values, 2 of them current:
          past     prod:database.password  v…  set 2026-01-05 (commit COMMIT of alice)
          current  prod:never              v…  set 2026-01-05 (commit COMMIT of alice)
          past     prod:stripe.key         v…  set 2026-01-05 (commit COMMIT of alice)
          current  prod:stripe.key         v…  set 2026-01-05 (commit COMMIT of alice)
    "#]]);
}

#[test]
fn a_moment_is_told_apart_from_what_came_later() {
    let (_team, alice) = leak();
    changes_nothing(alice.secretree(["access", "prod", "stripe.key", "--at", "HEAD~3"])).check(expect![[r#"
        status: 0
        --- stdout
        prod:stripe.key v…, set 2026-01-05 (commit COMMIT of alice)
        could have read it then:
          alice  x25519-7cb1b2c9014e3eb1  since 2026-01-05 (commit COMMIT of alice), still
          bob    x25519-beb9c93eba2ffa2a  since 2026-01-05 (commit COMMIT of alice), until 2026-01-05 (commit COMMIT of alice)
        could read it later:
          carol  x25519-4d6de9b73c422ec0  since 2026-01-05 (commit COMMIT of alice), still
    "#]]);
    changes_nothing(alice.secretree(["access", "prod", "STRIPE_KEY", "--at", "HEAD~4", "--json"])).check(expect![[
        r#"
        status: 0
        --- stdout
        {
          "environment": "prod",
          "path": "stripe.key",
          "at": {
            "commit": "COMMIT",
            "date": "2026-01-05",
            "author": "alice"
          },
          "complete": true,
          "versions": [
            {
              "path": "stripe.key",
              "version": "v…",
              "keys": [
                "k…"
              ],
              "since": {
                "commit": "COMMIT",
                "date": "2026-01-05",
                "author": "alice"
              }
            }
          ],
          "holders": [
            {
              "recipients": [
                "alice"
              ],
              "label": "x25519-7cb1b2c9014e3eb1",
              "since": {
                "commit": "COMMIT",
                "date": "2026-01-05",
                "author": "alice"
              },
              "until": {
                "commit": "COMMIT",
                "date": "2026-01-05",
                "author": "alice"
              },
              "now": false,
              "then": true
            },
            {
              "recipients": [
                "bob"
              ],
              "label": "x25519-beb9c93eba2ffa2a",
              "since": {
                "commit": "COMMIT",
                "date": "2026-01-05",
                "author": "alice"
              },
              "until": {
                "commit": "COMMIT",
                "date": "2026-01-05",
                "author": "alice"
              },
              "now": false,
              "then": true
            },
            {
              "recipients": [
                "carol"
              ],
              "label": "x25519-4d6de9b73c422ec0",
              "since": {
                "commit": "COMMIT",
                "date": "2026-01-05",
                "author": "alice"
              },
              "until": {
                "commit": "COMMIT",
                "date": "2026-01-05",
                "author": "alice"
              },
              "now": false,
              "then": false
            }
          ],
          "proposals": 0
        }
    "#
    ]]);
    changes_nothing(alice.secretree(["access", "prod"])).check(expect![[r#"
        status: 0
        --- stdout
        prod
        could have read what stood there:
          alice  x25519-7cb1b2c9014e3eb1  since 2026-01-05 (commit COMMIT of alice), still
          bob    x25519-beb9c93eba2ffa2a  since 2026-01-05 (commit COMMIT of alice), until 2026-01-05 (commit COMMIT of alice)
          carol  x25519-4d6de9b73c422ec0  since 2026-01-05 (commit COMMIT of alice), still
    "#]]);
    changes_nothing(alice.secretree(["access", "prod", "stripe.key", "--at", "HEAD~5"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `prod` had no file in `HEAD~5`
        hint: when it had one: secretree log prod; then --at REV
    "#]]);
    changes_nothing(alice.secretree(["access", "prod", "stripe.kye"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `prod` has no `stripe.kye` now
        hint: did you mean `stripe.key`? secretree access prod stripe.key
    "#]]);
    changes_nothing(alice.secretree(["access", "prdo"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `prdo` is no environment
        hint: did you mean `prod`?
    "#]]);
}

#[test]
fn the_list_of_an_offboarding_shrinks_as_values_are_changed() {
    let (_team, alice) = leak();
    changes_nothing(alice.secretree(["exposure", "bob", "--current"])).check(expect![[r#"
        status: 0
        --- stdout
        bob: x25519-beb9c93eba2ffa2a
        could have read 2 versions of values, 2 of them current:
          current  prod:never       v…  set 2026-01-05 (commit COMMIT of alice)
          current  prod:stripe.key  v…  set 2026-01-05 (commit COMMIT of alice)
    "#]]);
    set(&alice, "never", "2");
    changes_nothing(alice.secretree(["exposure", "bob", "--current", "--json"])).check(expect![[r#"
        status: 0
        --- stdout
        {
          "recipient": "bob",
          "labels": [
            "x25519-beb9c93eba2ffa2a"
          ],
          "known_as": [
            "bob"
          ],
          "complete": true,
          "values": [
            {
              "environment": "prod",
              "path": "stripe.key",
              "version": "v…",
              "standing": "current",
              "since": {
                "commit": "COMMIT",
                "date": "2026-01-05",
                "author": "alice"
              },
              "readable_since": {
                "commit": "COMMIT",
                "date": "2026-01-05",
                "author": "alice"
              },
              "holds_key": false
            }
          ]
        }
    "#]]);
    set(&alice, "stripe.key", "3");
    changes_nothing(alice.secretree(["exposure", "bob", "--current"])).check(expect![[r#"
        status: 0
        --- stdout
        bob: x25519-beb9c93eba2ffa2a
        could have read nothing that is still in use
    "#]]);
    changes_nothing(alice.secretree(["exposure", "bbo"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `bbo` is no recipient and never was, as far as is known here
        hint: did you mean `bob`?
    "#]]);
    changes_nothing(alice.secretree(["exposure", "Bob"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `Bob` is no name of a recipient
        hint: did you mean `bob`?
    "#]]);
}

#[test]
fn who_left_the_policy_and_who_was_renamed_are_known_by_their_keys() {
    let (_team, alice) = leak();
    let bob = alice.read_text(".secrets.yaml");
    let bob = bob.lines().find(|line| line.starts_with("  bob:")).unwrap().to_owned();
    change_policy(&alice, |policy| policy.replace(&format!("{bob}\n"), ""), "bob is gone");
    let gone = changes_nothing(alice.secretree(["exposure", "bob", "--current"]));
    gone.code(0);
    assert!(gone.stdout().contains("2 of them current"), "{}", gone.stdout());
    change_policy(
        &alice,
        |policy| {
            policy
                .replace("  carol:", "  caroline:")
                .replace("[alice, carol]", "[alice, caroline]")
        },
        "carol marries",
    );
    let renamed = changes_nothing(alice.secretree(["exposure", "caroline", "--current"]));
    assert!(
        renamed.stdout().contains("granted to the same keys as carol"),
        "{}",
        renamed.stdout()
    );
    let old = changes_nothing(alice.secretree(["exposure", "carol", "--current"]));
    assert!(old.stdout().contains("3 of them current"), "{}", old.stdout());
}

#[test]
fn branches_remotes_and_stashes_count() {
    let (_team, alice) = leak();
    // Only on a branch nobody merged, then only in a stash.
    alice.git(["switch", "--quiet", "--create", "side"]).run().code(0);
    change_policy(
        &alice,
        |policy| policy.replace("[alice, carol]", "[alice, bob, carol]"),
        "bob again",
    );
    alice.git(["switch", "--quiet", "main"]).run().code(0);
    let seen = |path: &str| {
        let output = alice.secretree(["access", "prod", path]).run();
        output.code(0);
        output.stdout().contains("  bob ")
    };
    assert!(seen("database.password"));
    alice.git(["branch", "--quiet", "-D", "side"]).run().code(0);
    assert!(!seen("database.password"));
    alice.write(
        ".secrets.yaml",
        alice
            .read_text(".secrets.yaml")
            .replace("[alice, carol]", "[alice, bob, carol]"),
    );
    alice.secretree(["apply", "--yes"]).run().code(0);
    assert!(seen("database.password"), "what is not committed yet counts");
    alice.git(["stash", "--quiet"]).run().code(0);
    assert!(seen("database.password"), "the stash counts");
}

#[test]
fn an_environment_that_is_gone_is_remembered() {
    let (_team, alice) = leak();
    alice.git(["rm", "--quiet", "secrets/prod.yaml"]).run().code(0);
    alice.write(
        ".secrets.yaml",
        alice.read_text(".secrets.yaml").replace(
            "  prod: {file: secrets/prod.yaml, readers: [alice, carol]}",
            "  test: {file: secrets/test.yaml, readers: [alice]}",
        ),
    );
    alice.commit("prod is gone");
    let output = changes_nothing(alice.secretree(["access", "prod"]));
    output.code(0);
    assert!(output.stdout().contains("  bob "), "{}", output.stdout());
    let output = changes_nothing(alice.secretree(["exposure", "bob"]));
    assert!(output.stdout().contains("0 of them current"), "{}", output.stdout());
    let output = changes_nothing(alice.secretree(["log", "prod", "stripe.key"]));
    assert!(output.stdout().contains("prod: file removed"), "{}", output.stdout());
}

#[test]
fn a_value_that_is_gone_leads_to_its_history() {
    let (_team, alice) = leak();
    alice
        .secretree(["unset", "prod", "stripe.key", "--commit"])
        .run()
        .code(0);
    let refused = changes_nothing(alice.secretree(["access", "prod", "stripe.key"]));
    refused
        .code(1)
        .says("error: `prod` has no `stripe.key` now\n")
        .says("hint: when it had: secretree log prod stripe.key; then --at REV");
    alice.secretree(["log", "prod", "stripe.key"]).run().code(0);
    alice
        .secretree(["access", "prod", "stripe.key", "--at", "HEAD~1"])
        .run()
        .code(0);
}
