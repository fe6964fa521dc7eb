//! Somebody who comes later: without a new key, what was sealed before they came is theirs too, also what no file has any
//! more; `access`, `exposure` and the list of `offboard` count it. A new key before the grant is what keeps the past.

use expect_test::expect;

use crate::fixture::changes_nothing;
use crate::sandbox::Person;
use crate::team::Team;

/// Alice's `prod`, with a value that was renewed and one that is gone, before bob was let in; with `renews` under a new key.
fn later(renews: bool) -> (Team, Person, Person) {
    let team = Team::with_policy(
        &["alice", "bob"],
        "environments:\n  prod: {file: prod.yaml, readers: [alice]}\n",
    );
    let (alice, bob) = (team.person("alice"), team.person("bob"));
    let set = |path: &str, value: &str| {
        let run = alice.secretree(["set", "prod", path, "--commit"]).input(value);
        run.run().succeeds();
    };
    set("db", "first");
    alice.git(["tag", "before"]).run().succeeds();
    set("gone", "gone");
    set("db", "second");
    alice.secretree(["unset", "prod", "gone", "--commit"]).run().succeeds();
    if renews {
        let renewed = alice.secretree(["apply", "prod", "--new-key", "--yes", "--commit"]);
        renewed.run().succeeds();
    }
    team.sandbox().wait(86_400);
    let grant = alice.secretree(["grant", "bob", "prod", "--yes", "--commit"]);
    grant.run().succeeds();
    team.share_head(&alice);
    alice.git(["push", "--quiet", "origin", "before"]).run().code(0);
    team.update(&bob);
    bob.git(["fetch", "--quiet", "--tags"]).run().code(0);
    (team, alice, bob)
}

/// The values of `before` over the footer of now, which is what somebody tries who wants to read them.
fn put_back(person: &Person) {
    let then = person.git(["show", "before:prod.yaml"]).run().stdout();
    let now = person.read_text("prod.yaml");
    let at = |text: &str| text.find("\nsecretree:").expect("it has a footer");
    person.write("prod.yaml", format!("{}{}", &then[..at(&then)], &now[at(&now)..]));
}

#[test]
fn what_was_there_before_they_came_counts() {
    let (_team, alice, bob) = later(false);
    changes_nothing(alice.secretree(["access", "prod", "db", "--at", "before"])).check(expect![[r#"
        status: 0
        --- stdout
        prod:db v…, set 2026-01-05 (commit COMMIT of alice)
        could have read it then:
          alice  x25519-7cb1b2c9014e3eb1  since 2026-01-05 (commit COMMIT of alice), still
        could read it later:
          bob  x25519-beb9c93eba2ffa2a  since 2026-01-06 (commit COMMIT of alice), still
    "#]]);
    changes_nothing(alice.secretree(["exposure", "bob"])).check(expect![[r#"
        status: 0
        --- stdout
        bob: x25519-beb9c93eba2ffa2a
        could have read 3 versions of values, 1 of them current:
          past     prod:db    v…  set 2026-01-05 (commit COMMIT of alice)
          current  prod:db    v…  set 2026-01-05 (commit COMMIT of alice)
          past     prod:gone  v…  set 2026-01-05 (commit COMMIT of alice)
    "#]]);
    // It is so: with the footer of now, he opens what was replaced a day before he came.
    put_back(&bob);
    bob.secretree(["get", "prod", "db"]).run().succeeds().prints("first");
    bob.git(["checkout", "--quiet", "--", "prod.yaml"]).run().succeeds();
    let offboard = alice.secretree(["offboard", "bob", "--dry-run"]).run();
    offboard.prints("[ ] prod:db\n");
    // Gone from the policy, he still has it; the value that is in use is what is left to be changed.
    let offboard = alice.secretree(["offboard", "bob", "--yes", "--commit"]).run();
    offboard.succeeds().prints("[ ] prod:db\n");
    changes_nothing(alice.secretree(["access", "prod", "db", "--at", "before"])).check(expect![[r#"
        status: 0
        --- stdout
        prod:db v…, set 2026-01-05 (commit COMMIT of alice)
        could have read it then:
          alice  x25519-7cb1b2c9014e3eb1  since 2026-01-05 (commit COMMIT of alice), until 2026-01-06 (commit COMMIT of alice)
        could read it later:
          bob  x25519-beb9c93eba2ffa2a  since 2026-01-06 (commit COMMIT of alice), until 2026-01-06 (commit COMMIT of alice)
    "#]]);
    alice
        .secretree(["set", "prod", "db", "--commit"])
        .input("third")
        .run()
        .succeeds();
    changes_nothing(alice.secretree(["offboard", "bob", "--dry-run"])).prints("");
    changes_nothing(alice.secretree(["exposure", "bob"])).check(expect![[r#"
        status: 0
        --- stdout
        bob: x25519-beb9c93eba2ffa2a
        could have read 3 versions of values, 0 of them current:
          past     prod:db    v…  set 2026-01-05 (commit COMMIT of alice)
          past     prod:db    v…  set 2026-01-05 (commit COMMIT of alice)
          past     prod:gone  v…  set 2026-01-05 (commit COMMIT of alice)
    "#]]);
}

#[test]
fn a_new_key_before_the_grant_keeps_the_past() {
    let (_team, alice, bob) = later(true);
    changes_nothing(alice.secretree(["access", "prod", "db", "--at", "before"])).check(expect![[r#"
        status: 0
        --- stdout
        prod:db v…, set 2026-01-05 (commit COMMIT of alice)
        could have read it then:
          alice  x25519-7cb1b2c9014e3eb1  since 2026-01-05 (commit COMMIT of alice), until 2026-01-05 (commit COMMIT of alice)
    "#]]);
    changes_nothing(alice.secretree(["exposure", "bob"])).check(expect![[r#"
        status: 0
        --- stdout
        bob: x25519-beb9c93eba2ffa2a
        could have read 1 version of a value, 1 of them current:
          current  prod:db  v…  set 2026-01-05 (commit COMMIT of alice)
    "#]]);
    put_back(&bob);
    changes_nothing(bob.secretree(["get", "prod", "db"])).code(5).prints("");
    alice
        .secretree(["offboard", "bob", "--dry-run"])
        .run()
        .prints("[ ] prod:db\n");
}
