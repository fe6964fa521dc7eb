//! `offboard`: out of every policy and file under new keys, and the exact list of what is left to be changed. With the
//! real keys of the one who leaves, and everything that history holds.

use expect_test::expect;

use crate::fixture::changes_nothing;
use crate::output::Output;
use crate::sandbox::Person;
use crate::team::Team;

const REST: &str = "\
# Teams.
groups: {platform: [alice, bob], developers: [platform, carol]}   # bob leads
maintainers: [alice, bob]
environments:
  dev: {file: dev.yaml, readers: [developers]}
  prod:
    file: prod.yaml
    readers: [platform]
    writers: [alice, bob]
  ops: {file: ops.yaml, readers: [carol, alice]}
secrets:
  db.password: {description: \"role *api*\", owner: bob}
  prod:api.key: {owner: platform}
";

/// Values in each environment, the last of them written after bob's.
pub(crate) fn team() -> Team {
    let team = Team::with_policy(&["alice", "bob", "carol"], REST);
    let alice = team.person("alice");
    for (name, path) in [
        ("dev", "db.password"),
        ("dev", "once"),
        ("prod", "api.key"),
        ("prod", "db.password"),
        ("ops", "pager"),
    ] {
        set(&alice, name, path, "first");
    }
    team.share(&alice, "values");
    alice.secretree(["unset", "dev", "once"]).run().succeeds();
    set(&alice, "prod", "api.key", "second");
    team.share(&alice, "some are others");
    for name in ["bob", "carol"] {
        team.update(&team.person(name));
    }
    team
}

fn set(person: &Person, environment: &str, path: &str, value: &str) {
    person
        .secretree(["set", environment, path])
        .input(value)
        .run()
        .succeeds();
}

/// What is left to be changed, by `offboard bob --dry-run`.
fn left(person: &Person) -> String {
    let output: Output = changes_nothing(person.secretree(["offboard", "bob", "--dry-run"]));
    output.succeeds();
    output.stdout()
}

#[test]
fn somebody_is_out_everywhere_and_what_they_read_is_listed() {
    let team = team();
    let (alice, bob) = (team.person("alice"), team.person("bob"));
    changes_nothing(alice.secretree(["offboard", "bob", "--dry-run"])).check(expect![[r#"
        status: 0
        --- stdout
        [ ] dev:db.password  role *api*
        [ ] prod:api.key  owner platform
        [ ] prod:db.password  role *api*
        --- stderr
        .secrets.yaml:
          -  bob: {keys: [age1…]}
          -groups: {platform: [alice, bob], developers: [platform, carol]}   # bob leads
          -maintainers: [alice, bob]
          +groups: {platform: [alice], developers: [platform, carol]}   # bob leads
          +maintainers: [alice]
          -    writers: [alice, bob]
          +    writers: [alice]
          -  db.password: {description: "role *api*", owner: bob}
          +  db.password: {description: "role *api*"}
        `bob` goes out of maintainers, groups.platform, environments.prod.writers, secrets."db.password".owner, recipients
        `bob` could have read 3 values that are in use still
        dev: new key k…; every value is sealed anew
        dev: - bob (x25519-beb9c93eba2ffa2a) can no longer read what is written from now on
        prod: new key k…; every value is sealed anew
        prod: - bob (x25519-beb9c93eba2ffa2a) can no longer read what is written from now on
        nothing was written
    "#]]);
    changes_nothing(alice.secretree(["offboard", "bob"])).code(1);
    alice
        .secretree(["offboard", "bob", "--yes", "--commit"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stdout
            [ ] dev:db.password  role *api*
            [ ] prod:api.key  owner platform
            [ ] prod:db.password  role *api*
            --- stderr
            .secrets.yaml:
              -  bob: {keys: [age1…]}
              -groups: {platform: [alice, bob], developers: [platform, carol]}   # bob leads
              -maintainers: [alice, bob]
              +groups: {platform: [alice], developers: [platform, carol]}   # bob leads
              +maintainers: [alice]
              -    writers: [alice, bob]
              +    writers: [alice]
              -  db.password: {description: "role *api*", owner: bob}
              +  db.password: {description: "role *api*"}
            `bob` goes out of maintainers, groups.platform, environments.prod.writers, secrets."db.password".owner, recipients
            `bob` could have read 3 values that are in use still
            dev: new key k…; every value is sealed anew
            dev: - bob (x25519-beb9c93eba2ffa2a) can no longer read what is written from now on
            prod: new key k…; every value is sealed anew
            prod: - bob (x25519-beb9c93eba2ffa2a) can no longer read what is written from now on
            wrote .secrets.yaml, dev.yaml, prod.yaml
            committed COMMIT
            next: push
            then change each where it comes from, and `secretree set` it; what is left: secretree offboard bob --dry-run
        "#]]);
    let files = alice.git(["log", "-1", "--format=%s", "--name-only"]).run().stdout();
    assert_eq!(files, "secrets: offboard bob\n\n.secrets.yaml\ndev.yaml\nprod.yaml\n");
    assert!(
        !alice
            .read_text(".secrets.yaml")
            .replace("# bob leads", "")
            .contains("bob")
    );
    team.share_head(&alice);
    team.update(&bob);
    for name in ["dev", "prod"] {
        changes_nothing(bob.secretree(["get", name, "db.password"])).code(4);
    }
    // Each value that is renewed leaves the list, which otherwise stays.
    let list = left(&alice);
    assert_eq!(list.lines().count(), 3, "{list}");
    set(&alice, "prod", "api.key", "third");
    let shorter: Vec<_> = list.lines().filter(|line| !line.contains("prod:api.key")).collect();
    assert_eq!(left(&alice).lines().collect::<Vec<_>>(), shorter);
    team.share(&alice, "renewed");
    assert_eq!(left(&alice).lines().collect::<Vec<_>>(), shorter);
    // What is new was never theirs to read; a new key alone changes no value.
    set(&alice, "prod", "new", "x");
    alice.secretree(["apply", "--new-key", "--yes"]).run().succeeds();
    assert_eq!(left(&alice).lines().collect::<Vec<_>>(), shorter);
    for (name, path) in [("dev", "db.password"), ("prod", "db.password")] {
        set(&alice, name, path, "renewed");
    }
    changes_nothing(alice.secretree(["offboard", "bob"])).check(expect![[r#"
        status: 0
        --- stderr
        `bob` is in no line of the policy and in no file any more
    "#]]);
}

#[test]
fn the_list_comes_as_markdown_and_json() {
    let team = team();
    let alice = team.person("alice");
    changes_nothing(alice.secretree(["offboard", "bob", "--dry-run", "--markdown", "-q"])).check(expect![[r#"
        status: 0
        --- stdout
        # Offboarding of bob

        bob could have read 3 values still in use. Change each where it comes from, then `secretree set` it.

        - [ ] `dev:db.password`: role \*api\*
        - [ ] `prod:api.key`: owner platform
        - [ ] `prod:db.password`: role \*api\*
    "#]]);
    let output = changes_nothing(alice.secretree(["offboard", "bob", "--dry-run", "--json", "-q"]));
    output.succeeds();
    let text = regex::Regex::new("v[0-9a-f]{8}")
        .unwrap()
        .replace_all(&output.stdout(), "v…")
        .into_owned();
    expect![[r#"
        {
          "recipient": "bob",
          "dry_run": true,
          "removed_from": [
            "maintainers",
            "groups.platform",
            "environments.prod.writers",
            "secrets.\"db.password\".owner",
            "recipients"
          ],
          "new_keys": [
            "dev",
            "prod"
          ],
          "complete": true,
          "values": [
            {
              "environment": "dev",
              "path": "db.password",
              "version": "v…",
              "description": "role *api*",
              "owner": null
            },
            {
              "environment": "prod",
              "path": "api.key",
              "version": "v…",
              "description": null,
              "owner": "platform"
            },
            {
              "environment": "prod",
              "path": "db.password",
              "version": "v…",
              "description": "role *api*",
              "owner": null
            }
          ]
        }
    "#]]
    .assert_eq(&text);
}

#[test]
fn who_was_taken_out_by_hand_is_finished() {
    let team = team();
    let alice = team.person("alice");
    let policy = alice.read_text(".secrets.yaml");
    let mut lines: Vec<String> = policy
        .lines()
        .filter(|line| !line.starts_with("  bob:"))
        .map(String::from)
        .collect();
    for line in &mut lines {
        *line = line.replace("[alice, bob]", "[alice]").replace(", owner: bob", "");
    }
    alice.write(".secrets.yaml", lines.join("\n") + "\n");
    alice.secretree(["offboard", "bob", "--yes"]).run().check(expect![[r#"
        status: 0
        --- stdout
        [ ] dev:db.password  role *api*
        [ ] prod:api.key  owner platform
        [ ] prod:db.password  role *api*
        --- stderr
        `bob` could have read 3 values that are in use still
        dev: new key k…; every value is sealed anew
        dev: - bob (x25519-beb9c93eba2ffa2a) can no longer read what is written from now on
        prod: new key k…; every value is sealed anew
        prod: - bob (x25519-beb9c93eba2ffa2a) can no longer read what is written from now on
        wrote dev.yaml, prod.yaml
        next: commit and push
        then change each where it comes from, and `secretree set` it; what is left: secretree offboard bob --dry-run
    "#]]);
    alice.commit("bob left");
    assert_eq!(left(&alice).lines().count(), 3);
}

#[test]
fn what_cannot_be_finished_is_not_begun() {
    let team = team();
    let (alice, bob, carol) = (team.person("alice"), team.person("bob"), team.person("carol"));
    changes_nothing(alice.secretree(["offboard", "bbo", "--yes"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `bbo` is no recipient and never was, as far as is known here
        hint: did you mean `bob`?
    "#]]);
    changes_nothing(alice.secretree(["offboard", "platform", "--yes"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `platform` is a group, and who leaves is a person or a machine
        hint: to take it out of environments: secretree revoke platform ENV
    "#]]);
    // Carol reads `dev` and not `prod`; bob would know the keys that he makes.
    changes_nothing(carol.secretree(["offboard", "bob", "--yes"])).check(expect![[r#"
        status: 4
        --- stderr
        error: no identity here can open `prod`
        hint: readers are alice, bob; to join: `secretree join prod`, commit, then one of them runs `secretree apply prod`
    "#]]);
    changes_nothing(bob.secretree(["offboard", "bob", "--yes"])).check(expect![[r#"
        status: 4
        --- stderr
        error: no identity here makes a new key for `dev`, `prod`
        hint: somebody who goes on reading all of them has to run this
        hint: or in parts: secretree recipient remove bob, then each reader: secretree apply ENV
    "#]]);
    let alone = Team::with_policy(
        &["alice", "bob"],
        "environments:\n  dev: {file: dev.yaml, readers: [alice, bob]}\n  own: {file: own.yaml, readers: [bob]}\n",
    );
    let alice = alone.person("alice");
    changes_nothing(alice.secretree(["offboard", "bob", "--yes"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `own` would be left without readers; nothing was written
        hint: name another reader there first
    "#]]);
}

#[test]
fn policies_below_change_too_and_policies_of_their_own_are_named() {
    let team = team();
    let alice = team.person("alice");
    alice.write(
        "services/billing/.secrets.yaml",
        "version: 1\nenvironments:\n  prod: {file: prod.yaml, readers: [alice, bob]}   # two\nsecrets: {token: {owner: bob}}\n",
    );
    set(&alice, "billing/prod", "token", "x");
    let other = alice
        .read_text(".secrets.yaml")
        .replace("5f0c1d2e3b4a5968", "0000000000000000");
    alice.write("vendored/.secrets.yaml", other);
    alice.commit("services");
    alice.secretree(["offboard", "bob", "--yes"]).run().check(expect![[r#"
        status: 0
        --- stdout
        [ ] billing/prod:token
        [ ] dev:db.password  role *api*
        [ ] prod:api.key  owner platform
        [ ] prod:db.password  role *api*
        --- stderr
        .secrets.yaml:
          -  bob: {keys: [age1…]}
          -groups: {platform: [alice, bob], developers: [platform, carol]}   # bob leads
          -maintainers: [alice, bob]
          +groups: {platform: [alice], developers: [platform, carol]}   # bob leads
          +maintainers: [alice]
          -    writers: [alice, bob]
          +    writers: [alice]
          -  db.password: {description: "role *api*", owner: bob}
          +  db.password: {description: "role *api*"}
        services/billing/.secrets.yaml:
          -  prod: {file: prod.yaml, readers: [alice, bob]}   # two
          -secrets: {token: {owner: bob}}
          +  prod: {file: prod.yaml, readers: [alice]}   # two
          +secrets: {token: {}}
        `bob` goes out of maintainers, groups.platform, environments.prod.writers, secrets."db.password".owner, recipients, services/billing/.secrets.yaml environments.prod.readers, services/billing/.secrets.yaml secrets.token.owner
        `bob` could have read 4 values that are in use still
        billing/prod: new key k…; every value is sealed anew
        billing/prod: - bob (x25519-beb9c93eba2ffa2a) can no longer read what is written from now on
        dev: new key k…; every value is sealed anew
        dev: - bob (x25519-beb9c93eba2ffa2a) can no longer read what is written from now on
        prod: new key k…; every value is sealed anew
        prod: - bob (x25519-beb9c93eba2ffa2a) can no longer read what is written from now on
        wrote .secrets.yaml, services/billing/.secrets.yaml, services/billing/prod.yaml, dev.yaml, prod.yaml
        next: commit and push
        then change each where it comes from, and `secretree set` it; what is left: secretree offboard bob --dry-run
        warning: `vendored` has a policy of its own, which names `bob` too: secretree -C [SANDBOX]/alice/work/vendored offboard bob
    "#]]);
    let nested = alice.read_text("services/billing/.secrets.yaml");
    assert_eq!(
        nested,
        "version: 1\nenvironments:\n  prod: {file: prod.yaml, readers: [alice]}   # two\nsecrets: {token: {}}\n"
    );
}

#[test]
fn a_newcomer_could_read_what_their_key_sealed_before_they_came() {
    let team = team();
    let alice = team.person("alice");
    // Dave is granted the key that the old values stand under; a new key would have kept them closed.
    let dave = alice.sandbox().person("dave").public_key();
    alice
        .secretree(["recipient", "add", "dave", &dave, "--commit"])
        .run()
        .succeeds();
    alice
        .secretree(["grant", "dave", "prod", "--yes", "--commit"])
        .run()
        .succeeds();
    alice
        .secretree(["offboard", "dave", "--yes", "--commit"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stdout
            [ ] prod:api.key  owner platform
            [ ] prod:db.password  role *api*, owner bob
            --- stderr
            .secrets.yaml:
              -  dave: {keys: [age1…]}
              -    readers: [platform, dave]
              +    readers: [platform]
            `dave` goes out of environments.prod.readers, recipients
            `dave` could have read 2 values that are in use still
            prod: new key k…; every value is sealed anew
            prod: - dave (x25519-69b3371675b4b634) can no longer read what is written from now on
            wrote .secrets.yaml, prod.yaml
            committed COMMIT
            next: push
            then change each where it comes from, and `secretree set` it; what is left: secretree offboard dave --dry-run
        "#]]);
}
