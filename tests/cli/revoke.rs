//! `revoke`: one name less among the readers, in the policy and in the files under a new key; and writers that wait for
//! it where the policy was changed by hand.

use expect_test::expect;

use crate::fixture::{changes_nothing, edit};
use crate::grant::team;

#[test]
fn a_reader_is_revoked_in_policy_and_files_at_once() {
    let team = team();
    let (alice, carol) = (team.person("alice"), team.person("carol"));
    alice
        .secretree(["grant", "carol", "dev", "--yes", "--commit"])
        .run()
        .succeeds();
    changes_nothing(alice.secretree(["revoke", "carol", "dev"])).check(expect![[r#"
        status: 1
        --- stderr
        .secrets.yaml:
          -  dev:  {file: secrets/dev.yaml, readers: [developers, carol]}   # for all of us
          +  dev:  {file: secrets/dev.yaml, readers: [developers]}   # for all of us
        dev: new key k…; every value is sealed anew
        dev: - carol (x25519-4d6de9b73c422ec0) can no longer read what is written from now on
        error: no terminal to ask on: revoke this?
        hint: `--yes` answers with yes
    "#]]);
    alice
        .secretree(["revoke", "carol", "dev", "--yes", "--commit"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            .secrets.yaml:
              -  dev:  {file: secrets/dev.yaml, readers: [developers, carol]}   # for all of us
              +  dev:  {file: secrets/dev.yaml, readers: [developers]}   # for all of us
            dev: new key k…; every value is sealed anew
            dev: - carol (x25519-4d6de9b73c422ec0) can no longer read what is written from now on
            wrote .secrets.yaml, secrets/dev.yaml
            committed COMMIT
            what was read stays known to them: change the values that matter
        "#]]);
    team.share_head(&alice);
    team.update(&carol);
    changes_nothing(carol.secretree(["get", "dev", "a"])).code(4);
    alice.secretree(["get", "dev", "a"]).run().prints("dev");
    changes_nothing(alice.secretree(["revoke", "carol", "dev"])).check(expect![[r#"
        status: 0
        --- stderr
        `carol` is no reader of `dev` by the policy
        policy and files say so already; nothing was written
    "#]]);
}

#[test]
fn who_reads_through_a_group_is_not_revoked_in_name_only() {
    let team = team();
    let (alice, bob) = (team.person("alice"), team.person("bob"));
    changes_nothing(alice.secretree(["revoke", "bob", "dev", "--yes"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `bob` reads `dev` through the group `developers`; nothing was written
        hint: out of that group, and all that it gives: secretree recipient remove bob --group developers, then secretree apply
        hint: or let `dev` name those it is for instead of the group, in `readers` of the policy
    "#]]);
    changes_nothing(alice.secretree(["revoke", "alice", "dev", "--yes"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `alice` reads `dev` through the group `platform` in `developers`; nothing was written
        hint: out of that group, and all that it gives: secretree recipient remove alice --group platform, then secretree apply
        hint: or let `dev` name those it is for instead of the group, in `readers` of the policy
    "#]]);
    // What the hint says works.
    alice
        .secretree(["recipient", "remove", "bob", "--group", "developers"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            .secrets.yaml:
              -groups: {platform: [alice], developers: [platform, bob]}   # bob is new
              +groups: {platform: [alice], developers: [platform]}   # bob is new
            next: `secretree apply common dev`, then commit
            until then the files grant what they granted; values that were read stay known: rotate what matters
        "#]]);
    changes_nothing(alice.secretree(["recipient", "remove", "bob", "--group", "developers"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `developers` does not list `bob`
        hint: no group lists `bob`
    "#]]);
    alice.secretree(["apply", "--yes", "--commit"]).run().succeeds();
    team.share(&alice, "bob is out");
    team.update(&bob);
    changes_nothing(bob.secretree(["get", "dev", "a"])).code(4);
    changes_nothing(alice.secretree(["recipient", "remove", "platform", "--group", "nobody"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `nobody` is no group
        hint: groups are developers, platform
    "#]]);
}

#[test]
fn nobody_is_left_alone_and_bases_stay_open() {
    let team = team();
    let alice = team.person("alice");
    changes_nothing(alice.secretree(["revoke", "developers", "dev", "--yes"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `.secrets.yaml` line 11 column 3: `dev` has no reader after this change; nothing was written
    "#]]);
    changes_nothing(alice.secretree(["revoke", "developers", "common", "--yes"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `.secrets.yaml` line 10 column 3: `common` has no reader after this change; nothing was written
    "#]]);
    changes_nothing(alice.secretree(["revoke", "dave", "dev", "--yes"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `dave` is no recipient and no group
        hint: somebody new: secretree recipient add dave KEY
    "#]]);
    changes_nothing(alice.secretree(["revoke", "carol", "dev"])).check(expect![[r#"
        status: 0
        --- stderr
        `carol` is no reader of `dev` by the policy
        policy and files say so already; nothing was written
    "#]]);
}

#[test]
fn who_goes_does_not_make_the_new_key() {
    let team = team();
    let alice = team.person("alice");
    alice
        .secretree(["grant", "carol", "dev", "--yes", "--commit"])
        .run()
        .succeeds();
    let carol = team.person("carol");
    team.share_head(&alice);
    team.update(&carol);
    changes_nothing(carol.secretree(["revoke", "carol", "dev", "--yes"])).check(expect![[r#"
        status: 4
        --- stderr
        error: no identity here reads `dev`
        hint: ask alice to run `secretree apply dev`
    "#]]);
}

#[test]
fn nothing_is_written_for_somebody_who_holds_the_key_and_is_no_reader() {
    let team = team();
    let (alice, bob, carol) = (team.person("alice"), team.person("bob"), team.person("carol"));
    let policy = alice
        .read_text(".secrets.yaml")
        .replace("[platform, bob]", "[platform]");
    alice.write(".secrets.yaml", policy);
    changes_nothing(alice.secretree(["set", "dev", "b"]).input("new")).check(expect![[r#"
        status: 1
        --- stderr
        error: `bob` (x25519-beb9c93eba2ffa2a) holds the key of `dev` and is no reader by the policy: nothing is sealed for them
        hint: secretree apply dev makes a new key
    "#]]);
    changes_nothing(edit(&alice, "dev", "a: other\n")).code(1);
    alice.write("more.env", "B=1\n");
    changes_nothing(alice.secretree(["import", "dev", "more.env"])).code(1);
    // Reading goes on, and so does taking away.
    alice.secretree(["get", "dev", "a"]).run().prints("dev");
    team.share(&alice, "bob is out, and nothing is applied yet");
    for person in [&bob, &carol] {
        team.update(person);
    }
    // Who would propose seals to the same key; who goes is told the same.
    changes_nothing(carol.secretree(["set", "dev", "b"]).input("new")).code(1);
    changes_nothing(bob.secretree(["set", "dev", "b"]).input("new")).code(1);
    alice.secretree(["apply", "dev", "--yes"]).run().succeeds();
    alice.secretree(["set", "dev", "b"]).input("new").run().succeeds();
}
