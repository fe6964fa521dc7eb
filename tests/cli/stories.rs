//! Whole-team stories: people come, propose, are let in and leave, each on a machine of their own.

use expect_test::expect;

use crate::canary::Canary;
use crate::forgery::{Forgery, assert_gets, clone_of, copy_tree, footer_of, set};
use crate::rollback::remove_mallory;
use crate::sandbox::Person;
use crate::team::{POLICY_ID, Team};

const FILE: &str = "secrets/dev.yaml";

/// Alice reads `dev`; carol is in the policy and reads nothing.
fn proposer() -> (Team, Person, Person) {
    let team = Team::with_policy(
        &["alice", "carol"],
        "environments:\n  dev: {file: secrets/dev.yaml, readers: [alice]}\n",
    );
    let (alice, carol) = (team.person("alice"), team.person("carol"));
    set(&alice, "dev", "db", "real").succeeds();
    team.share(&alice, "first value");
    team.update(&carol);
    (team, alice, carol)
}

fn proposals(person: &Person) -> usize {
    footer_of(&person.read_text(FILE)).proposals.len()
}

#[test]
fn who_cannot_read_proposes() {
    let (team, alice, carol) = proposer();
    let canary = Canary::new();
    carol.secretree(["get", "dev", "db"]).run().code(4);
    // The history knows one drop box only: nobody has to be asked.
    set(&carol, "dev", "api.key", canary.value()).check(expect![[r#"
        status: 0
        --- stderr
        note: first sight of the drop box of `dev` (commit COMMIT of alice, 2026-01-05), the only one in the history here
        proposed `dev:api.key`
    "#]]);
    assert_eq!(proposals(&carol), 1);
    team.share(&carol, "a proposal");
    team.update(&alice);
    // What is proposed is no value.
    alice.secretree(["get", "dev", "api.key"]).run().code(1);
    assert_gets(&alice, "dev", "db", "real");
    // A new key takes it along.
    alice.secretree(["apply", "dev", "--new-key", "--yes"]).run().succeeds();
    assert_eq!(proposals(&alice), 1);
    canary.assert_unseen(team.sandbox(), &[]);
}

#[test]
fn a_proposal_goes_to_no_drop_box_that_nobody_vouched_for() {
    let (team, alice, carol) = proposer();
    let true_text = carol.read_text(FILE);
    let forgery = Forgery::of_dev().granted_to(&[&alice]);
    carol.write(FILE, forgery.text());
    let refused = |words: &str| {
        let before = carol.read(FILE);
        set(&carol, "dev", "api.key", "typed").code(1).says(words);
        assert!(carol.read(FILE) == before, "it was written");
    };
    refused("no terminal to ask on");
    carol.git(["add", FILE]).run().succeeds();
    refused("no terminal to ask on");
    carol.commit("rotate");
    refused("no terminal to ask on");
    // Put back, the swap stays in the history: now somebody has to say which one it is.
    carol.write(FILE, &true_text);
    carol.commit("put back");
    refused("no terminal to ask on");
    // Nor is `--yes` somebody's word for it.
    let before = carol.read(FILE);
    let run = carol.secretree(["set", "dev", "api.key", "--yes"]).input("typed");
    run.run().code(1).says("SECRETREE_TRUST=dev:age1");
    assert!(carol.read(FILE) == before, "it was written");
    let mut terminal = carol.on_terminal(["set", "dev", "api.key"]);
    terminal
        .expect(footer_of(&true_text).drop_box.as_str())
        .expect("of carol")
        .expect("[y/N] ")
        .send("n\n");
    terminal.finish().code(1);
    refused("no terminal to ask on");
    let trust = format!("dev:{}", footer_of(&true_text).drop_box);
    let run = carol.secretree(["set", "dev", "api.key"]).input("typed");
    run.env("SECRETREE_TRUST", trust)
        .run()
        .succeeds()
        .says("proposed `dev:api.key`");
    // What was said once is noted.
    set(&carol, "dev", "api.key", "typed").succeeds();
    drop(team);
}

#[test]
fn a_person_is_shown_a_drop_box_at_first_sight() {
    let (_team, alice, carol) = proposer();
    let drop_box = footer_of(&alice.read_text(FILE)).drop_box;
    let mut terminal = carol.on_terminal(["set", "dev", "api.key"]);
    terminal
        .expect("nobody here can read `dev`; its drop box is")
        .expect(drop_box.as_str())
        .expect("of alice, 2026-01-05")
        .expect("propose a value to whoever holds that key? [y/N] ")
        .send("n\n");
    assert!(terminal.finish().code(1).stdout().contains("nothing was proposed"));
    assert_eq!(proposals(&carol), 0);
    let mut terminal = carol.on_terminal(["set", "dev", "api.key"]);
    terminal.expect("[y/N] ").send("y\n");
    terminal.expect("dev:api.key").send_hidden("typed\n");
    terminal.finish().succeeds();
    // Once is enough.
    let mut terminal = carol.on_terminal(["set", "dev", "api.key"]);
    terminal.expect("dev:api.key").send_hidden("typed\n");
    terminal.finish().succeeds();
    // Without history nothing speaks for a drop box that nobody agreed to.
    std::fs::remove_dir_all(carol.work(".git")).unwrap();
    set(&carol, "dev", "api.key", "typed").succeeds();
    std::fs::remove_dir_all(carol.folder().join("state")).unwrap();
    set(&carol, "dev", "api.key", "typed")
        .code(1)
        .says("no terminal to ask on");
}

#[test]
fn a_history_that_was_written_anew_is_no_word_for_another_drop_box() {
    let (team, alice, carol) = proposer();
    set(&carol, "dev", "one", "typed").succeeds();
    carol.git(["checkout", "--quiet", "--", FILE]).run().succeeds();
    // One commit with another key is all there ever was; a machine that never proposed could not tell.
    carol.git(["checkout", "--quiet", "--orphan", "anew"]).run().succeeds();
    carol.write(FILE, Forgery::of_dev().granted_to(&[&alice]).text());
    carol.commit("start over");
    set(&carol, "dev", "two", "typed")
        .code(1)
        .says("this machine knows another key of `dev`")
        .says("no terminal to ask on");
    assert_eq!(proposals(&carol), 0);
    drop(team);
}

#[test]
fn a_removed_reader_proposes_to_no_key_they_do_not_know() {
    let mut team = Team::new(&["alice", "bob", "mallory"]);
    let [alice, mallory] = ["alice", "mallory"].map(|name| team.person(name));
    set(&alice, "dev", "db", "one").succeeds();
    team.share(&alice, "first value");
    team.update(&mallory);
    assert_gets(&mallory, "dev", "db", "one");
    let old = mallory.read(FILE);
    remove_mallory(&alice);
    team.share(&alice, "remove mallory");
    team.update(&mallory);
    set(&mallory, "dev", "db", "mine")
        .code(1)
        .says("this machine knows another key of `dev`");
    let mut terminal = mallory.on_terminal(["set", "dev", "db"]);
    terminal.expect("of alice").expect("[y/N] ").send("y\n");
    terminal.expect("dev:db").send_hidden("mine\n");
    terminal.finish().succeeds();
    assert_eq!(proposals(&mallory), 1);
    // On a branch from before the removal the old key is a reader's still: it is said what speaks against it.
    let away = clone_of(&mut team, &alice, "away");
    std::fs::remove_file(away.identity_file()).unwrap();
    away.git(["checkout", "--quiet", "HEAD~1"]).run().succeeds();
    assert!(away.read(FILE) == old);
    set(&away, "dev", "db", "typed").succeeds();
    away.git(["checkout", "--quiet", "-f", "main"]).run().succeeds();
    set(&away, "dev", "db", "typed")
        .code(1)
        .says("this machine knows another key of `dev`");
    away.secretree(["trust", "dev", "--yes"]).run().succeeds();
    set(&away, "dev", "db", "typed").succeeds();
    away.git(["checkout", "--quiet", "-f", "HEAD~1"]).run().succeeds();
    set(&away, "dev", "db", "typed")
        .code(1)
        .says("this machine knows a newer key of `dev`")
        .says("secretree trust dev");
    let drop_box = footer_of(&away.read_text(FILE)).drop_box;
    let named = away.secretree(["set", "dev", "db"]).input("typed");
    named.env("SECRETREE_TRUST", format!("dev:{drop_box}")).run().succeeds();
}

#[test]
fn another_projects_drop_box_is_none_of_ours() {
    // Carol proposes in both projects; who writes this one reads the other.
    let (team, alice, carol) = proposer();
    let elsewhere = Team::with_policy(
        &["alice", "mallory"],
        "environments:\n  dev: {file: secrets/dev.yaml, readers: [mallory]}\n",
    );
    let mallory = elsewhere.person("mallory");
    let other = "11111111111111111111111111111111";
    let policy = mallory.read_text(".secrets.yaml").replace(POLICY_ID, other);
    mallory.write(".secrets.yaml", &policy);
    set(&mallory, "dev", "db", "theirs").succeeds();
    let visit = carol.folder().join("other");
    copy_tree(&mallory.work("."), &visit);
    std::fs::remove_dir_all(visit.join(".git")).unwrap();
    let drop_box = footer_of(&mallory.read_text(FILE)).drop_box;
    let there = carol.secretree(["set", "dev", "one"]).inside("../other").input("typed");
    let there = there.env("SECRETREE_TRUST", format!("dev:{drop_box}")).run();
    there.succeeds();
    alice.write(".secrets.yaml", policy);
    alice.write(FILE, mallory.read(FILE));
    team.share(&alice, "swap");
    team.update(&carol);
    set(&carol, "dev", "two", "typed")
        .code(1)
        .says(&format!("but `{POLICY_ID}` was known in this folder"))
        .says("no terminal to ask on");
    assert_eq!(proposals(&carol), 0);
}

#[test]
fn a_proposer_who_knew_the_new_drop_box_is_asked_about_the_old_one() {
    let (team, alice, carol) = proposer();
    let old = carol.read(FILE);
    let trust = |person: &Person| person.secretree(["trust", "dev", "--yes"]).run();
    trust(&carol).succeeds();
    set(&carol, "dev", "one", "typed").succeeds();
    carol.git(["checkout", "--quiet", "--", FILE]).run().succeeds();
    alice.secretree(["apply", "dev", "--new-key", "--yes"]).run().succeeds();
    team.share(&alice, "new key");
    team.update(&carol);
    set(&carol, "dev", "two", "typed").code(1).says("no terminal to ask on");
    trust(&carol).succeeds();
    set(&carol, "dev", "two", "typed").succeeds();
    // Rolled back: whoever left still opens the old drop box.
    carol.write(FILE, old);
    set(&carol, "dev", "three", "typed")
        .code(1)
        .says("no terminal to ask on");
}

#[test]
fn people_come_and_go() {
    let mut team = Team::new(&["alice", "bob", "mallory"]);
    let [alice, bob, mallory] = ["alice", "bob", "mallory"].map(|name| team.person(name));
    set(&alice, "dev", "db", "one").succeeds();
    team.share(&alice, "first value");
    team.update(&mallory);
    assert_gets(&mallory, "dev", "db", "one");
    // Mallory leaves: what is written from now on is not hers to read.
    remove_mallory(&alice);
    set(&alice, "dev", "db", "two").succeeds();
    team.share(&alice, "remove mallory");
    team.update(&mallory);
    mallory.secretree(["get", "dev", "db"]).run().code(4).prints("");
    // Dora comes: named in the policy, then granted by a reader.
    let dora = team.add("dora");
    let policy = alice.read_text(".secrets.yaml");
    let policy = policy
        .replace("groups:", "")
        .replace("[alice, bob]", "[alice, bob, dora]");
    let named = format!("recipients:\n  dora: {{keys: [{}]}}\n", dora.public_key());
    dora.write(".secrets.yaml", policy.replace("recipients:\n", &named));
    dora.secretree(["get", "dev", "db"])
        .run()
        .code(4)
        .says("run `secretree apply dev`");
    dora.secretree(["apply", "dev", "--yes"]).run().code(4);
    team.share(&dora, "dora joins");
    team.update(&bob);
    bob.secretree(["apply", "dev", "--yes"]).run().succeeds().says("+ dora");
    team.share(&bob, "let dora in");
    team.update(&dora);
    let output = dora.secretree(["get", "dev", "db"]).run();
    output.succeeds().prints("two").says("first sight");
    set(&dora, "dev", "db", "three").succeeds();
    team.share(&dora, "three");
    team.update(&alice);
    assert_gets(&alice, "dev", "db", "three");
}
