//! `grant`: one name more among the readers, in the policy and in the files, all of it or nothing.

use expect_test::expect;

use crate::fixture::changes_nothing;
use crate::sandbox::Person;
use crate::team::Team;

/// Who alice, bob and carol are to each other before anything is granted.
pub(crate) const REST: &str = "\
# Teams.
groups: {platform: [alice], developers: [platform, bob]}   # bob is new
environments:
  common: {file: secrets/common.yaml, readers: [developers]}
  dev:  {file: secrets/dev.yaml, readers: [developers]}   # for all of us
  prod:
    file: secrets/prod.yaml
    readers: [platform]
    writers: [platform]
    extends: [common]
";

/// The team, with a value in each environment, everything committed.
pub(crate) fn team() -> Team {
    let team = Team::with_policy(&["alice", "bob", "carol"], REST);
    let alice = team.person("alice");
    for name in ["common", "dev", "prod"] {
        alice.secretree(["set", name, "a"]).input(name).run().succeeds();
    }
    team.share(&alice, "values");
    for name in ["bob", "carol"] {
        team.update(&team.person(name));
    }
    team
}

fn log(person: &Person) -> String {
    person.git(["log", "-1", "--format=%s", "--name-only"]).run().stdout()
}

#[test]
fn a_reader_is_granted_in_policy_and_files_at_once() {
    let team = team();
    let (alice, carol) = (team.person("alice"), team.person("carol"));
    changes_nothing(alice.secretree(["grant", "carol", "prod"])).check(expect![[r#"
        status: 1
        --- stderr
        .secrets.yaml:
          -  common: {file: secrets/common.yaml, readers: [developers]}
          +  common: {file: secrets/common.yaml, readers: [developers, carol]}
          -    readers: [platform]
          +    readers: [platform, carol]
        common: + carol (x25519-4d6de9b73c422ec0) can read
        prod: + carol (x25519-4d6de9b73c422ec0) can read
        error: no terminal to ask on: grant this?
        hint: `--yes` answers with yes
    "#]]);
    alice
        .secretree(["grant", "carol", "prod", "dev", "--yes", "--commit"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            .secrets.yaml:
              -  common: {file: secrets/common.yaml, readers: [developers]}
              -  dev:  {file: secrets/dev.yaml, readers: [developers]}   # for all of us
              +  common: {file: secrets/common.yaml, readers: [developers, carol]}
              +  dev:  {file: secrets/dev.yaml, readers: [developers, carol]}   # for all of us
              -    readers: [platform]
              +    readers: [platform, carol]
            dev: + carol (x25519-4d6de9b73c422ec0) can read
            common: + carol (x25519-4d6de9b73c422ec0) can read
            prod: + carol (x25519-4d6de9b73c422ec0) can read
            wrote .secrets.yaml, secrets/dev.yaml, secrets/common.yaml, secrets/prod.yaml
            committed COMMIT
            note: `carol` reads `prod`; `writers` there names who may change it
        "#]]);
    assert_eq!(
        log(&alice),
        "secrets: grant carol dev, prod\n\n.secrets.yaml\nsecrets/common.yaml\nsecrets/dev.yaml\nsecrets/prod.yaml\n"
    );
    team.share_head(&alice);
    team.update(&carol);
    for name in ["common", "dev", "prod"] {
        let output = carol.secretree(["get", name, "a"]).run();
        output.succeeds().prints(if name == "prod" { "prod" } else { name });
    }
    let policy = alice.read_text(".secrets.yaml");
    assert!(
        policy.contains("readers: [developers, carol]}   # for all of us\n"),
        "{policy}"
    );
    changes_nothing(alice.secretree(["grant", "carol", "dev"])).check(expect![[r#"
        status: 0
        --- stderr
        `carol` is a reader of `dev` already
        policy and files say so already; nothing was written
    "#]]);
}

#[test]
fn who_reads_through_a_group_is_told_so_and_a_group_can_be_granted() {
    let team = team();
    let alice = team.person("alice");
    changes_nothing(alice.secretree(["grant", "alice", "dev", "prod"])).check(expect![[r#"
        status: 0
        --- stderr
        `alice` is a reader of `dev` already, through the group `platform` in `developers`
        `alice` is a reader of `prod` already, through the group `platform`
        policy and files say so already; nothing was written
    "#]]);
    alice
        .secretree(["grant", "developers", "prod", "-y"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            .secrets.yaml:
              -    readers: [platform]
              +    readers: [platform, developers]
            prod: + bob (x25519-beb9c93eba2ffa2a) can read
            wrote .secrets.yaml, secrets/prod.yaml
            next: commit
        "#]]);
    changes_nothing(alice.secretree(["grant", "bob", "prod"])).check(expect![[r#"
        status: 0
        --- stderr
        `bob` is a reader of `prod` already, through the group `developers`
        policy and files say so already; nothing was written
    "#]]);
}

#[test]
fn what_was_written_by_hand_is_made_true_in_the_files() {
    let team = team();
    let alice = team.person("alice");
    let policy = alice
        .read_text(".secrets.yaml")
        .replace("readers: [developers]}   #", "readers: [developers, carol]}   #");
    alice.write(".secrets.yaml", policy);
    alice
        .secretree(["grant", "carol", "dev", "--yes"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            `carol` is a reader of `dev` already
            dev: + carol (x25519-4d6de9b73c422ec0) can read
            wrote secrets/dev.yaml
            next: commit
        "#]]);
}

#[test]
fn it_says_what_it_cannot_do_and_changes_nothing() {
    let team = team();
    let (alice, carol) = (team.person("alice"), team.person("carol"));
    changes_nothing(alice.secretree(["grant", "carrol", "dev"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `carrol` is no recipient and no group
        hint: did you mean `carol`?
    "#]]);
    changes_nothing(alice.secretree(["grant", "dave", "dev"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `dave` is no recipient and no group
        hint: somebody new: secretree recipient add dave KEY
    "#]]);
    changes_nothing(alice.secretree(["grant", "carol", "dve"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `dve` is no environment
        hint: did you mean `dev`?
    "#]]);
    changes_nothing(alice.secretree(["grant", "carol"])).code(2);
    changes_nothing(alice.secretree(["grant", "Carol K", "dev"])).check(expect![[r#"
        status: 2
        --- stderr
        error: NAME is no name: names are lower-case letters, digits, `.`, `_` and `-`, begin with a letter, have at most 64 characters, and are not a word such as `null` or `yes`
    "#]]);
    // Who reads nothing grants nothing.
    changes_nothing(carol.secretree(["grant", "carol", "dev", "--yes"])).check(expect![[r#"
        status: 4
        --- stderr
        error: no identity here can open `dev`: only a reader can grant it
        hint: to ask for it: secretree join dev
    "#]]);
}

#[test]
fn an_environment_of_a_placeholder_is_granted_through_a_group() {
    let team = Team::with_policy(
        &["alice", "bob"],
        "groups: {team-billing: [alice]}\nenvironments:\n  prod: {file: \"services/{service}/prod.yaml\", readers: [alice, \"team-{service}\"]}\n",
    );
    let alice = team.person("alice");
    alice.write("services/billing/.keep", "");
    alice
        .secretree(["set", "billing/prod", "a"])
        .input("1")
        .run()
        .succeeds();
    changes_nothing(alice.secretree(["grant", "bob", "billing/prod"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `billing/prod` is declared together with others by a placeholder, so its readers cannot change alone
        hint: a group that reads it does: secretree recipient add bob --group team-billing
    "#]]);
    alice
        .secretree(["recipient", "add", "bob", "--group", "team-billing"])
        .run()
        .succeeds();
    alice
        .secretree(["grant", "bob", "prod", "--yes"])
        .inside("services/billing")
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            `bob` is a reader of `billing/prod` already, through the group `team-billing`
            billing/prod: + bob (x25519-beb9c93eba2ffa2a) can read
            wrote services/billing/prod.yaml
            next: commit
        "#]]);
    // A policy further down has lines of its own.
    alice.write(
        "tools/.secrets.yaml",
        "version: 1\nenvironments:\n  dev: {file: dev.yaml, readers: [alice]}\n",
    );
    alice.secretree(["set", "tools/dev", "a"]).input("1").run().succeeds();
    alice
        .secretree(["grant", "bob", "tools/dev", "--yes"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            tools/.secrets.yaml:
              -  dev: {file: dev.yaml, readers: [alice]}
              +  dev: {file: dev.yaml, readers: [alice, bob]}
            tools/dev: + bob (x25519-beb9c93eba2ffa2a) can read
            wrote tools/.secrets.yaml, tools/dev.yaml
            next: commit
        "#]]);
}
