//! `encrypt`: what stands readable and should not blocks every command that delivers or writes, until this one seals it.

use expect_test::expect;

use crate::fixture::{TWO_ENVIRONMENTS, alice, alice_with_dev, alice_with_git, changes_nothing, edit};
use crate::sandbox::Person;

/// Alice whose `dev` got two lines by hand.
fn with_plain_lines() -> Person {
    let alice = alice_with_dev("a: 1\nlog: {level: info}\n");
    let file = alice.read_text("secrets/dev.yaml");
    alice.write(
        "secrets/dev.yaml",
        format!("# by hand\nplain: CANARY # why\nlist:\n- CANARY\n{file}"),
    );
    alice
}

#[test]
fn a_plan_that_nobody_is_asked_about_can_be_silenced() {
    for (flags, says) in [(&["--yes"][..], true), (&["--quiet", "--yes"], false)] {
        let alice = alice_with_dev("a: one\n");
        let text = alice.read_text("secrets/dev.yaml");
        alice.write("secrets/dev.yaml", format!("b: readable\n{text}"));
        let encrypt = alice.secretree(["encrypt", "dev"].iter().chain(flags).copied()).run();
        encrypt.succeeds();
        assert_eq!(
            encrypt.stderr().contains("encrypt `dev:b`"),
            says,
            "{}",
            encrypt.stderr()
        );
        let apply = ["apply", "--new-key"].iter().chain(flags).copied();
        let apply = alice.secretree(apply).run();
        apply.succeeds();
        assert_eq!(!apply.stderr().is_empty(), says, "{}", apply.stderr());
    }
    // Without `--yes` there is a question, and a question shows its plan.
    let alice = alice_with_dev("a: one\n");
    let output = alice
        .secretree(["apply", "--new-key", "--quiet"])
        .under(&["setsid", "--wait"])
        .run();
    output.code(1).says("new key");
}

#[test]
fn readable_text_blocks_every_command_that_delivers_or_writes() {
    let alice = with_plain_lines();
    for operands in [
        &["get", "dev", "a"][..],
        &["get", "dev", "plain"],
        &["run", "dev", "--", "true"],
        &["set", "dev", "a", "--generate", "hex:8"],
        &["set", "dev", "plain", "--generate", "hex:8"],
        &["unset", "dev", "plain"],
        &["decrypt", "dev"],
        &["decrypt", "dev", "--format", "json"],
        &["apply", "dev", "--new-key", "--yes"],
    ] {
        let output = changes_nothing(alice.secretree(operands.iter().copied()));
        output.code(5).prints("").says("hint: secretree encrypt dev\n");
        assert!(!output.stderr().contains("CANARY"), "{}", output.stderr());
    }
    let output = changes_nothing(edit(&alice, "dev", "a: 2\n"));
    output.check(expect![[r#"
        status: 5
        --- stderr
        error: `dev:plain` (line 2 column 8) is not encrypted
        hint: secretree encrypt dev
    "#]]);
    // What exists can still be listed.
    alice.secretree(["list", "dev"]).run().check(expect![[r#"
        status: 0
        --- stdout
        plain
        list.0
        a
        log.level
    "#]]);
}

#[test]
fn it_names_each_path_and_asks() {
    let alice = with_plain_lines();
    changes_nothing(alice.secretree(["encrypt", "dev"])).check(expect![[r#"
        status: 1
        --- stderr
        encrypt `dev:plain`
        encrypt `dev:list.0`
        error: no terminal to ask on: encrypt this?
        hint: `--yes` answers with yes
    "#]]);
    let mut terminal = alice.on_terminal(["encrypt"]);
    terminal.expect("encrypt this?").send("n\n");
    terminal.finish().check(expect![[r#"
        status: 1
        --- stdout
        encrypt `dev:plain`
        encrypt `dev:list.0`
        encrypt this? [y/N] n
        [1;31merror:[0m nothing was written
    "#]]);
    changes_nothing(alice.secretree(["encrypt", "dev"])).code(1);
    let mut terminal = alice.on_terminal(["encrypt"]);
    terminal.expect("encrypt this?").send("y\n");
    terminal.finish().code(0);
    let file = alice.read_text("secrets/dev.yaml");
    assert!(!file.contains("CANARY"), "{file}");
    alice.secretree(["decrypt", "dev"]).run().check(expect![[r#"
        status: 0
        --- stdout
        # by hand
        plain: CANARY # why
        list:
        - CANARY
        a: 1
        log: {level: info}
    "#]]);
    changes_nothing(alice.secretree(["encrypt", "dev"])).check(expect![[r#"
        status: 0
        --- stderr
        nothing stands readable that should not
    "#]]);
}

#[test]
fn yes_answers_and_readable_paths_stay_readable() {
    let alice = with_plain_lines();
    alice.secretree(["encrypt", "dev", "--yes"]).run().check(expect![[r#"
        status: 0
        --- stderr
        encrypt `dev:plain`
        encrypt `dev:list.0`
        wrote secrets/dev.yaml
    "#]]);
    assert!(alice.read_text("secrets/dev.yaml").contains("log: {level: info}\n"));
}

#[test]
fn a_file_without_footer_becomes_an_environment() {
    let alice = alice_with_git(TWO_ENVIRONMENTS);
    let text = "# migrated\nkey: CANARY\nlog: {level: info}\nempty:\n";
    alice.write("secrets/dev.yaml", text);
    changes_nothing(alice.secretree(["get", "dev", "key"])).check(expect![[r#"
        status: 5
        --- stderr
        error: `secrets/dev.yaml` has no footer: nothing in it is encrypted
        hint: secretree encrypt dev
    "#]]);
    changes_nothing(alice.secretree(["apply", "dev", "--yes"])).check(expect![[r#"
        status: 5
        --- stderr
        error: `secrets/dev.yaml` has no footer: nothing in it is encrypted
        hint: secretree encrypt dev
    "#]]);
    changes_nothing(edit(&alice, "dev", "a: 2\n")).code(5);
    changes_nothing(alice.secretree(["encrypt", "dev"])).check(expect![[r#"
        status: 1
        --- stderr
        encrypt `dev:key`
        encrypt `dev:empty`
        `dev`: secrets/dev.yaml gets a footer with grants for its readers
        dev: + alice (x25519-7cb1b2c9014e3eb1) can read (commit COMMIT of alice, 2026-01-05)
        error: no terminal to ask on: encrypt this?
        hint: `--yes` answers with yes
    "#]]);
    alice
        .secretree(["encrypt", "dev", "--yes", "--commit"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            encrypt `dev:key`
            encrypt `dev:empty`
            `dev`: secrets/dev.yaml gets a footer with grants for its readers
            dev: + alice (x25519-7cb1b2c9014e3eb1) can read (commit COMMIT of alice, 2026-01-05)
            wrote secrets/dev.yaml
            committed COMMIT
        "#]]);
    alice.secretree(["decrypt", "dev"]).run().prints(text);
    assert!(!alice.read_text("secrets/dev.yaml").contains("CANARY"));
    alice
        .git(["log", "--format=%s", "--name-only"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stdout
            secrets: encrypt dev

            secrets/dev.yaml
            policy

            .secrets.yaml
        "#]]);
}

#[test]
fn values_that_git_already_has_are_warned_about() {
    let alice = alice_with_git(TWO_ENVIRONMENTS);
    alice.write("secrets/dev.yaml", "key: CANARY\n");
    alice.commit("too early");
    alice.secretree(["encrypt", "dev", "--yes"]).run().check(expect![[r#"
        status: 0
        --- stderr
        encrypt `dev:key`
        `dev`: secrets/dev.yaml gets a footer with grants for its readers
        dev: + alice (x25519-7cb1b2c9014e3eb1) can read (commit COMMIT of alice, 2026-01-05)
        wrote secrets/dev.yaml
        warning: values that stood readable are in git's history: make new ones
    "#]]);
}

#[test]
fn a_footer_goes_back_to_the_end() {
    let alice = alice_with_dev("a: 1\n");
    let file = alice.read_text("secrets/dev.yaml");
    // A readable key behind it, as somebody adds it at the end of the file.
    alice.write("secrets/dev.yaml", format!("{file}late: CANARY\n"));
    changes_nothing(alice.secretree(["get", "dev", "a"])).check(expect![[r#"
        status: 5
        --- stderr
        error: `secrets/dev.yaml` line 13 column 1: a key behind the footer
        hint: secretree encrypt dev
    "#]]);
    changes_nothing(alice.secretree(["set", "dev", "a", "--generate", "hex:8"])).code(5);
    changes_nothing(alice.secretree(["encrypt", "dev"])).check(expect![[r#"
        status: 1
        --- stderr
        encrypt `dev:late`
        error: no terminal to ask on: encrypt this?
        hint: `--yes` answers with yes
    "#]]);
    alice.secretree(["encrypt", "dev", "--yes"]).run().check(expect![[r#"
        status: 0
        --- stderr
        encrypt `dev:late`
        wrote secrets/dev.yaml
    "#]]);
    alice.secretree(["decrypt", "dev"]).run().prints("a: 1\nlate: CANARY\n");
    // Nothing but the order: a formatter that sorts keys.
    edit(&alice, "dev", "a: 1\nz: 2\n").run().succeeds();
    let file = alice.read_text("secrets/dev.yaml");
    let z = file.find("z: |-").unwrap();
    let footer = file.find("\nsecretree:").unwrap();
    let moved = format!("{}{}{}", &file[..z], &file[footer + 1..], &file[z..footer]);
    alice.write("secrets/dev.yaml", &moved);
    changes_nothing(alice.secretree(["run", "dev", "--", "true"]))
        .code(5)
        .says("hint: secretree encrypt dev\n");
    alice.secretree(["encrypt", "dev", "--yes"]).run().check(expect![[r#"
        status: 0
        --- stderr
        `dev`: the footer goes back to the end of secrets/dev.yaml
        wrote secrets/dev.yaml
    "#]]);
    alice.secretree(["decrypt", "dev"]).run().prints("a: 1\nz: 2\n");
    assert_eq!(alice.read_text("secrets/dev.yaml"), file);
}

#[test]
fn comments_may_stand_behind_the_footer() {
    let alice = alice_with_dev("a: 1\n");
    let file = alice.read_text("secrets/dev.yaml");
    alice.write("secrets/dev.yaml", format!("{file}# vim: ft=yaml\n"));
    alice.secretree(["get", "dev", "a"]).run().prints("1");
    alice.secretree(["set", "dev", "a"]).input("2").run().succeeds();
    assert!(alice.read_text("secrets/dev.yaml").ends_with("\n# vim: ft=yaml\n"));
}

#[test]
fn refused_text_is_refused_with_its_place() {
    let alice = alice_with_dev("a: 1\n");
    let file = alice.read_text("secrets/dev.yaml");
    alice.write("secrets/dev.yaml", format!("b: &anchor CANARY\n{file}"));
    changes_nothing(alice.secretree(["encrypt", "dev", "--yes"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `secrets/dev.yaml` line 1 column 4: an anchor (`&…`)
        hint: write the value out where it is needed
    "#]]);
    alice.write("secrets/dev.yaml", "a: 1\na: 2\n");
    changes_nothing(alice.secretree(["encrypt", "dev", "--yes"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `secrets/dev.yaml` line 2 column 1: a key that stands in this mapping twice
        hint: remove or rename one
    "#]]);
}

#[test]
fn several_environments_are_sealed_together_or_not_at_all() {
    let alice = alice(TWO_ENVIRONMENTS);
    alice.write("secrets/dev.yaml", "a: CANARY\n");
    alice.write("secrets/prod.yaml", "a: &x CANARY\n");
    changes_nothing(alice.secretree(["encrypt", "dev", "prod", "--yes"])).code(1);
    alice.write("secrets/prod.yaml", "b: CANARY\n");
    alice
        .secretree(["encrypt", "dev", "prod", "--yes"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            encrypt `dev:a`
            `dev`: secrets/dev.yaml gets a footer with grants for its readers
            dev: + alice (x25519-7cb1b2c9014e3eb1) can read
            encrypt `prod:b`
            `prod`: secrets/prod.yaml gets a footer with grants for its readers
            prod: + alice (x25519-7cb1b2c9014e3eb1) can read
            wrote secrets/dev.yaml, secrets/prod.yaml
        "#]]);
}

#[test]
fn a_missing_file_is_no_reason_to_make_one() {
    let alice = alice(TWO_ENVIRONMENTS);
    changes_nothing(alice.secretree(["encrypt", "prod", "--yes"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `prod` has no file yet: there is no `secrets/prod.yaml`
        hint: secretree apply prod
    "#]]);
}
