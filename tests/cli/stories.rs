//! Whole-team stories: people come, propose, are let in and leave, each on a machine of their own.

use expect_test::expect;

use crate::canary::Canary;
use crate::forgery::{Forgery, assert_gets, footer_of, set};
use crate::rollback::remove_mallory;
use crate::sandbox::Person;
use crate::team::Team;

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
    terminal.expect("dev:api.key").send_hidden("typed\n");
    terminal
        .expect(footer_of(&true_text).drop_box.as_str())
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
    drop(team);
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
