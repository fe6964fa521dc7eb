//! What somebody who may push, but holds no grant, tries with the policy: values made readable by a pattern, a policy of
//! their own further down, a base that brings variables. Each ends with 5 before anything is delivered or sealed.

use expect_test::expect;

use crate::fixture::{alice_with_git, changes_nothing, edit, policy};
use crate::sandbox::Person;

const DEV: &str = "environments:\n  dev: {file: secrets/dev.yaml, readers: [alice]}\n";

/// Alice with a committed value in `dev`.
fn alice() -> Person {
    let alice = alice_with_git(DEV);
    edit(&alice, "dev", "database: CANARY\nother: x\n").run().succeeds();
    alice.commit("values");
    alice.secretree(["get", "dev", "other"]).run().prints("x");
    alice
}

/// Everything that would deliver or seal ends with 5 and says this.
fn all_refused(alice: &Person, words: &str) {
    for arguments in [
        &["get", "dev", "database"][..],
        &["run", "dev", "--", "true"],
        &["decrypt", "dev"],
        &["set", "dev", "database", "--generate", "uuid"],
        &["unset", "dev", "other"],
    ] {
        changes_nothing(alice.secretree(arguments.iter().copied()))
            .code(5)
            .says(words);
    }
}

/// The policy names every path as readable, and the file holds a value of the attacker's where a token stood.
fn make_readable(alice: &Person) {
    alice.write(
        ".secrets.yaml",
        policy(
            &[("alice", &alice.public_key())],
            &DEV.replace("[alice]}", "[alice], plaintext: [\"**\"]}"),
        ),
    );
    let file = alice.read_text("secrets/dev.yaml");
    let end = file.find("other:").unwrap();
    alice.write("secrets/dev.yaml", format!("database: mallory\n{}", &file[end..]));
}

#[test]
fn a_pattern_does_not_make_a_token_readable() {
    let alice = alice();
    make_readable(&alice);
    all_refused(&alice, "stands readable where a token stood (not committed yet)");
    alice.commit("log settings");
    all_refused(&alice, "stands readable where a token stood (commit ");
    alice.write("notes", "x");
    alice.commit("something else");
    all_refused(&alice, "stands readable where a token stood (commit ");
    // A machine that was never here reads the same history.
    let state = alice.folder().join("another-state");
    let output = alice
        .secretree(["get", "dev", "database"])
        .env("XDG_STATE_HOME", state.display().to_string())
        .run();
    output.code(5).says("stands readable where a token stood");
}

#[test]
fn a_value_becomes_readable_by_its_removal_a_commit_and_set() {
    let alice = alice();
    alice.write(
        ".secrets.yaml",
        policy(
            &[("alice", &alice.public_key())],
            &DEV.replace("[alice]}", "[alice], plaintext: [database]}"),
        ),
    );
    alice.commit("database is no secret");
    alice.secretree(["unset", "dev", "database"]).run().succeeds();
    changes_nothing(alice.secretree(["set", "dev", "database"]).input("open")).check(expect![[r#"
        status: 1
        --- stderr
        error: the last commit has an encrypted value at `dev:database`
        hint: commit its removal first: git commit -- secrets/dev.yaml
    "#]]);
    alice.commit("database is gone");
    alice
        .secretree(["set", "dev", "database"])
        .input("open")
        .run()
        .check(expect![[r#"
        status: 0
        --- stderr
        set, readable as `plaintext` in the policy says, `dev:database`
    "#]]);
    alice.secretree(["get", "dev", "database"]).run().prints("open");
    alice.commit("database is open");
    alice.secretree(["get", "dev", "database"]).run().prints("open");
    alice.secretree(["run", "dev", "--", "true"]).run().succeeds();
}

#[test]
fn a_policy_of_its_own_takes_no_folder_out_of_the_hands_of_the_one_above() {
    let alice = alice();
    // Somebody made it elsewhere, with alice among the readers.
    let other = policy(&[("alice", &alice.public_key())], DEV).replace(crate::team::POLICY_ID, &"ab".repeat(16));
    alice.write("app/.secrets.yaml", other);
    let inside = |arguments: &[&str]| alice.secretree(arguments.iter().copied()).inside("app");
    let elsewhere = alice.folder().join("elsewhere").display().to_string();
    inside(&["apply", "--yes"])
        .env("XDG_STATE_HOME", elsewhere)
        .run()
        .succeeds();
    alice.commit("app");
    let state = alice.folder().join("another-state");
    for state in [None, Some(state.display().to_string())] {
        let mut run = inside(&["set", "dev", "stripe"]).input("CANARY");
        if let Some(state) = state {
            run = run.env("XDG_STATE_HOME", state);
        }
        run.run().code(5).says("known in this folder or above it");
    }
}

#[test]
fn a_base_that_nobody_here_has_seen_delivers_nothing() {
    let alice = alice();
    let extended = "environments:\n  base: {file: secrets/base.yaml, readers: [alice]}\n  dev: {file: secrets/dev.yaml, readers: [alice], extends: [base]}\n";
    alice.write(".secrets.yaml", policy(&[("alice", &alice.public_key())], extended));
    // Made on another machine.
    let elsewhere = alice.folder().join("elsewhere").display().to_string();
    alice
        .secretree(["apply", "base", "--yes"])
        .env("XDG_STATE_HOME", &elsewhere)
        .run()
        .succeeds();
    alice.commit("base");
    for arguments in [
        &["run", "dev", "--", "true"][..],
        &["get", "dev", "database"],
        &["decrypt", "dev", "--format", "json"],
    ] {
        changes_nothing(alice.secretree(arguments.iter().copied()))
            .code(5)
            .says("`base`, which is extended here, was never seen");
    }
    // A job that was told which key to trust is told all of them.
    let drop_box = alice.read_text("secrets/dev.yaml");
    let drop_box = drop_box
        .lines()
        .find_map(|line| line.trim().strip_prefix("drop_box: "))
        .unwrap()
        .to_owned();
    let fresh = alice.folder().join("fresh").display().to_string();
    let job = alice
        .secretree(["run", "dev", "--", "true"])
        .env("XDG_STATE_HOME", fresh)
        .env("SECRETREE_TRUST", format!("dev:{drop_box}"));
    job.run().code(5).says("`SECRETREE_TRUST` names no key of `base`");
    alice.secretree(["trust", "base", "--yes"]).run().succeeds();
    alice.secretree(["run", "dev", "--", "true"]).run().succeeds();
}

#[test]
fn a_file_that_was_lost_is_not_replaced_by_an_empty_one() {
    let alice = alice();
    std::fs::remove_file(alice.work("secrets/dev.yaml")).unwrap();
    for arguments in [
        &["get", "dev", "other"][..],
        &["apply", "dev", "--yes"],
        &["set", "dev", "a", "--generate", "uuid"],
        &["encrypt", "dev", "--yes"],
    ] {
        let output = changes_nothing(alice.secretree(arguments.iter().copied()));
        output
            .code(1)
            .says("`secrets/dev.yaml` is missing, but the last commit has it")
            .says("git restore secrets/dev.yaml");
    }
    alice.write("secrets/dev.yaml", "");
    changes_nothing(alice.secretree(["apply", "dev", "--yes"]))
        .code(1)
        .says("is empty, but the last commit has it");
    std::fs::remove_file(alice.work(".secrets.yaml")).unwrap();
    changes_nothing(alice.secretree(["init", "--yes", "--name", "alice"]))
        .code(1)
        .says("git restore .secrets.yaml");
}
