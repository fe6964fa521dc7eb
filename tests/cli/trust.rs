//! Keys that are believed: followed in silence where one vouches for the next, on first sight with a line that says so,
//! at a person's or a variable's word. Forged ones are in `forged_key` and `rollback`.

use std::os::unix::fs::PermissionsExt as _;

use expect_test::expect;

use crate::forgery::{assert_gets, clone_of, footer_of, set, shallow_clone_of};
use crate::sandbox::Person;
use crate::team::Team;

const FILE: &str = "secrets/dev.yaml";

/// Alice and bob share `dev` and have both read it.
fn team_of_two() -> (Team, Person, Person) {
    let team = Team::new(&["alice", "bob"]);
    let (alice, bob) = (team.person("alice"), team.person("bob"));
    set(&alice, "dev", "db", "real").succeeds();
    team.share(&alice, "first value");
    team.update(&bob);
    assert_gets(&bob, "dev", "db", "real");
    (team, alice, bob)
}

fn new_key(team: &Team, person: &Person) {
    let made = person.secretree(["apply", "dev", "--new-key", "--yes"]).run();
    made.succeeds();
    team.share(person, "new key");
}

fn drop_box(person: &Person) -> String {
    footer_of(&person.read_text(FILE)).drop_box.to_string()
}

#[test]
fn new_keys_are_followed_in_silence() {
    let (mut team, alice, bob) = team_of_two();
    let away = clone_of(&mut team, &bob, "away");
    away.secretree(["get", "dev", "db"]).run().succeeds();
    new_key(&team, &bob);
    team.update(&alice);
    alice.secretree(["get", "dev", "db"]).run().check(expect![[r#"
        status: 0
        --- stdout
        real[no newline]
    "#]]);
    new_key(&team, &alice);
    new_key(&team, &alice);
    // Three keys in a row while nobody looked.
    team.update(&away);
    away.secretree(["get", "dev", "db"]).run().check(expect![[r#"
        status: 0
        --- stdout
        real[no newline]
    "#]]);
    set(&away, "dev", "db", "newer").succeeds();
    team.share(&away, "newer");
    team.update(&bob);
    assert_gets(&bob, "dev", "db", "newer");
}

#[test]
fn the_first_sight_says_who_made_the_key() {
    let (mut team, alice, bob) = team_of_two();
    new_key(&team, &bob);
    let fresh = clone_of(&mut team, &alice, "fresh");
    fresh.secretree(["get", "dev", "db"]).run().check(expect![[r#"
        status: 0
        --- stdout
        real[no newline]
        --- stderr
        note: first sight of the key `k…` of `dev` on this machine (commit COMMIT of bob, 2026-01-05): trusted from now on
    "#]]);
    let output = fresh.secretree(["get", "dev", "db"]).run();
    output.succeeds().prints("real");
    assert_eq!(output.stderr(), "");
}

#[test]
fn a_job_is_told_whom_to_trust() {
    let (mut team, alice, bob) = team_of_two();
    let first = drop_box(&alice);
    new_key(&team, &bob);
    let second = drop_box(&bob);
    let get = |machine: &Person, trust: &str| {
        let run = machine.secretree(["get", "dev", "db"]);
        run.env("SECRETREE_TRUST", format!("dev:{trust}")).run()
    };
    let whole = clone_of(&mut team, &alice, "whole");
    let shallow = shallow_clone_of(&mut team, &alice, "shallow");
    for machine in [&whole, &shallow] {
        let output = get(machine, &second);
        output.succeeds().prints("real");
        assert_eq!(output.stderr(), "", "it was told");
    }
    // An older key is enough where the way from it is known.
    let whole = clone_of(&mut team, &alice, "whole-2");
    get(&whole, &first).succeeds().prints("real");
    let shallow = shallow_clone_of(&mut team, &alice, "shallow-2");
    get(&shallow, &first).check(expect![[r#"
        status: 5
        --- stderr
        error: the key of `dev` cannot be checked: a grant of `k…`, which is trusted, is not in this clone
        hint: `git fetch --unshallow`, or if a reader made the new key: secretree trust dev
    "#]]);
    // Told nothing, a shallow job believes what it sees, and says so.
    let shallow = shallow_clone_of(&mut team, &alice, "shallow-3");
    let output = shallow.secretree(["get", "dev", "db"]).run();
    output.succeeds().prints("real").says("first sight");
    // A word for another key neither helps nor harms a machine that follows by itself.
    new_key(&team, &bob);
    team.update(&alice);
    get(&alice, &alice.public_key()).succeeds().prints("real");
    get(&shallow, "age1nonsense").code(1).says("names no drop box");
}

#[test]
fn a_machine_that_cannot_note_reads_and_does_not_write() {
    let (mut team, alice, _) = team_of_two();
    let machine = clone_of(&mut team, &alice, "machine");
    std::fs::set_permissions(machine.folder().join("state"), std::fs::Permissions::from_mode(0o500)).unwrap();
    let before = machine.read(FILE);
    let output = machine.secretree(["get", "dev", "db"]).without_privileges().run();
    output.succeeds().prints("real").says("this cannot be noted");
    let output = machine
        .secretree(["set", "dev", "db"])
        .input("new")
        .without_privileges()
        .run();
    output.code(1).says("cannot make the folder");
    assert!(machine.read(FILE) == before, "it was written");
}

#[test]
fn trust_shows_the_key_and_asks() {
    let (_team, alice, bob) = team_of_two();
    alice
        .secretree(["trust", "dev"])
        .run()
        .succeeds()
        .says("trusted already");
    // A first key made beside the shared one: nothing vouches for it.
    std::fs::remove_dir_all(bob.work(".git")).unwrap();
    std::fs::remove_file(bob.work(FILE)).unwrap();
    bob.secretree(["apply", "dev", "--yes"]).run().succeeds();
    alice.write(FILE, bob.read(FILE));
    alice.commit("bob's own");
    let drop_box = drop_box(&bob);
    alice
        .secretree(["get", "dev", "db"])
        .run()
        .code(5)
        .says("secretree trust dev");
    alice.secretree(["trust", "dev"]).run().check(expect![[r#"
        status: 1
        --- stderr
        the key of `dev` is k… (commit COMMIT of alice, 2026-01-05)
        its drop box is age1…
        the key `k…` of `dev` (commit COMMIT of alice, 2026-01-05) is not trusted: the key `k…`, known here, does not vouch for it
        error: no terminal to ask on: trust it?
        hint: `--yes` answers with yes
    "#]]);
    let mut terminal = alice.on_terminal(["trust", "dev"]);
    terminal
        .expect(&drop_box)
        .expect("does not vouch for it")
        .expect("trust it? [y/N] ")
        .send("n\n");
    terminal.finish().code(1);
    alice.secretree(["list", "dev"]).run().succeeds();
    set(&alice, "dev", "db", "new").code(5);
    let mut terminal = alice.on_terminal(["trust", "dev"]);
    terminal.expect("trust it? [y/N] ").send("y\n");
    terminal.finish().succeeds();
    set(&alice, "dev", "db", "new").succeeds();
    assert_gets(&alice, "dev", "db", "new");
}

#[test]
fn two_new_keys_of_one_key_stop_everyone_until_a_third_joins_them() {
    let (mut team, alice, bob) = team_of_two();
    let away = clone_of(&mut team, &alice, "away");
    assert_gets(&away, "dev", "db", "real");
    new_key(&team, &alice);
    bob.secretree(["apply", "dev", "--new-key", "--yes"]).run().succeeds();
    bob.commit("another new key");
    bob.git(["push", "--quiet", "origin", "HEAD:topic"]).run().code(0);
    alice.git(["fetch", "--quiet", "origin"]).run().code(0);
    alice.git(["merge", "--quiet", "origin/topic"]).run().code(1);
    alice.git(["checkout", "--quiet", "--theirs", FILE]).run().succeeds();
    alice
        .secretree(["get", "dev", "db"])
        .run()
        .code(5)
        .says("does not vouch for it");
    alice.git(["add", FILE]).run().succeeds();
    alice
        .secretree(["get", "dev", "db"])
        .run()
        .code(5)
        .says("does not vouch for it");
    team.share(&alice, "theirs");
    team.update(&away);
    away.secretree(["get", "dev", "db"])
        .run()
        .code(5)
        .says("does not vouch for it");
    // Undone and joined: a key that follows both is followed by everyone.
    alice.git(["reset", "--quiet", "--hard", "HEAD~1"]).run().succeeds();
    alice.git(["merge", "--quiet", "origin/topic"]).run().code(1);
    alice.git(["checkout", "--quiet", "--theirs", FILE]).run().succeeds();
    alice.secretree(["trust", "dev", "--yes"]).run().succeeds();
    alice.secretree(["apply", "dev", "--new-key", "--yes"]).run().succeeds();
    alice.commit("join");
    alice
        .git(["push", "--quiet", "--force", "origin", "HEAD:main"])
        .run()
        .code(0);
    let fresh = clone_of(&mut team, &alice, "fresh");
    away.git(["fetch", "--quiet"]).run().code(0);
    away.git(["reset", "--quiet", "--hard", "origin/main"]).run().succeeds();
    bob.git(["fetch", "--quiet"]).run().code(0);
    bob.git(["reset", "--quiet", "--hard", "origin/main"]).run().succeeds();
    for person in [&bob, &away, &fresh] {
        assert_gets(person, "dev", "db", "real");
    }
}

#[test]
fn a_first_key_that_was_never_written_is_not_remembered() {
    let team = Team::new(&["alice", "bob"]);
    let (alice, bob) = (team.person("alice"), team.person("bob"));
    // Alice gives up before anything is written; bob makes the environment.
    alice.secretree(["set", "dev", "db", "--file", "absent"]).run().code(1);
    assert!(!alice.work(FILE).exists());
    set(&bob, "dev", "db", "real").succeeds();
    team.share(&bob, "first value");
    team.update(&alice);
    assert_gets(&alice, "dev", "db", "real");
}
