//! `set`: where a value goes, and what stays as it was. Where the value comes from is `set_value`'s.

use expect_test::expect;

use crate::fixture::{TWO_ENVIRONMENTS, alice, alice_with_dev, alice_with_git, changes_nothing, edit};
use crate::sandbox::Person;
use crate::team::Team;

/// The lines that stand in one text and not in the other: removed, added.
fn difference(old: &str, new: &str) -> (Vec<String>, Vec<String>) {
    let only = |this: &str, other: &str| -> Vec<String> {
        let other: Vec<_> = other.lines().collect();
        let lines = this.lines().filter(|line| !other.contains(line));
        lines.map(String::from).collect()
    };
    (only(old, new), only(new, old))
}

/// `decrypt dev`.
#[track_caller]
fn text(person: &Person) -> String {
    person.secretree(["decrypt", "dev"]).run().code(0).stdout()
}

#[test]
fn the_first_value_makes_the_file() {
    let alice = alice(TWO_ENVIRONMENTS);
    alice
        .secretree(["set", "dev", "database.password"])
        .input("hunter2\n")
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            dev: makes secrets/dev.yaml
            dev: + alice (x25519-7cb1b2c9014e3eb1) can read
            set `dev:database.password`
        "#]]);
    expect![[r#"
        database:
          password: |-
            ENC[age,k…,v…,YWdl…]

        secretree:
          format: 1
          environment: dev
          key: k…
          drop_box: age1…
          grants:
            alice:
              x25519-7cb1b2c9014e3eb1: |-
                YWdl…
    "#]]
    .assert_eq(&crate::redaction::redact(
        alice.sandbox(),
        &alice.read_text("secrets/dev.yaml"),
    ));
    alice
        .secretree(["get", "dev", "database.password"])
        .run()
        .prints("hunter2");
}

#[test]
fn one_value_changes_its_own_line_only() {
    let alice = alice_with_dev("a: one\nb:\n  c: two # why\n  d: three\nlist:\n- x\n- y\n");
    let before = alice.read_text("secrets/dev.yaml");
    alice
        .secretree(["set", "dev", "b.c"])
        .input("four")
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            set `dev:b.c`
        "#]]);
    let after = alice.read_text("secrets/dev.yaml");
    let (removed, added) = difference(&before, &after);
    assert_eq!((removed.len(), added.len()), (1, 1), "{before}\n{after}");
    assert_eq!(
        text(&alice),
        "a: one\nb:\n  c: four # why\n  d: three\nlist:\n- x\n- y\n"
    );
}

#[test]
fn the_value_that_is_there_already_changes_nothing() {
    let alice = alice_with_dev("a: one\n");
    changes_nothing(alice.secretree(["set", "dev", "a"]).input("one\n")).check(expect![[r#"
        status: 0
        --- stderr
        unchanged `dev:a`
    "#]]);
}

#[test]
fn new_paths_are_split_at_dots_outside_quotes() {
    let alice = alice_with_dev("m:\n  a: 1\n  c: 3\nz: 26\n");
    let set = |path: &str| {
        let output = alice.secretree(["set", "dev", path]).input("x").run();
        output.succeeds().stderr()
    };
    assert_eq!(set("m.b"), "set `dev:m.b`\n");
    assert_eq!(set("SENDGRID_API_KEY"), "set `dev:SENDGRID_API_KEY`\n");
    assert_eq!(
        set("hosts.\"example.com\".key"),
        "set `dev:hosts.\"example.com\".key`\n"
    );
    assert_eq!(set("M_B"), "unchanged `dev:m.b`\n", "a variable's name is its path");
    assert_eq!(set("ports.8080"), "set `dev:ports.\"8080\"`\n", "never a list");
    assert_eq!(set("ports.8080"), "unchanged `dev:ports.\"8080\"`\n");
    expect![[r#"
        SENDGRID_API_KEY: x
        hosts:
          example.com:
            key: x
        m:
          a: 1
          b: x
          c: 3
        ports:
          "8080": x
        z: 26
    "#]]
    .assert_eq(&text(&alice));
}

#[test]
fn declared_paths_are_known_before_they_exist() {
    let alice = alice(
        "environments: {dev: {file: dev.yaml, readers: [alice]}}\n\
         secrets: {db.password: {env: PGPASSWORD}, '\"tls.key\"': {}}\n",
    );
    let set = |path: &str| alice.secretree(["set", "dev", path]).input("x").run();
    set("PGPASSWORD").check(expect![[r#"
        status: 0
        --- stderr
        dev: makes dev.yaml
        dev: + alice (x25519-7cb1b2c9014e3eb1) can read
        set `dev:db.password`
    "#]]);
    set("tls.key").check(expect![[r#"
        status: 0
        --- stderr
        set `dev:"tls.key"`
    "#]]);
}

#[test]
fn lists_are_changed_and_appended_to_by_number() {
    let alice = alice_with_dev("hosts:\n- one\n- two\nflow: [a, b]\nempty: []\n");
    let set = |path: &str, value: &str| alice.secretree(["set", "dev", path]).input(value);
    set("hosts.1", "zwei").run().check(expect![[r#"
        status: 0
        --- stderr
        set `dev:hosts.1`
    "#]]);
    set("hosts.2", "drei").run().check(expect![[r#"
        status: 0
        --- stderr
        set `dev:hosts.2`
    "#]]);
    set("flow.2", "c").run().succeeds();
    set("empty.0", "first").run().succeeds();
    expect![[r#"
        hosts:
        - one
        - zwei
        - drei
        flow: [a, b, "c"]
        empty: ["first"]
    "#]]
    .assert_eq(&text(&alice));
    changes_nothing(set("hosts.4", "x")).check(expect![[r#"
        status: 1
        --- stderr
        error: the list `dev:hosts` has 3 items
        hint: append with `hosts.3`
    "#]]);
    changes_nothing(set("hosts.name", "x")).check(expect![[r#"
        status: 1
        --- stderr
        error: `dev:hosts` is a list
        hint: name an item by its number, such as `hosts.0`
    "#]]);
    changes_nothing(set("hosts", "x")).check(expect![[r#"
        status: 1
        --- stderr
        error: `dev:hosts` holds other values
        hint: name one of them (secretree list dev), or use secretree edit dev
    "#]]);
    changes_nothing(set("hosts.0.name", "x")).check(expect![[r#"
        status: 1
        --- stderr
        error: `dev:hosts.0` is a value, so nothing can stand at `hosts.0.name`
        hint: remove it first: secretree unset dev hosts.0
    "#]]);
}

#[test]
fn a_mapping_is_never_replaced_by_a_value() {
    let alice = alice_with_dev("m: {a: 1}\n");
    changes_nothing(alice.secretree(["set", "dev", "m"]).input("x")).check(expect![[r#"
        status: 1
        --- stderr
        error: `dev:m` holds other values
        hint: name one of them (secretree list dev), or use secretree edit dev
    "#]]);
    changes_nothing(alice.secretree(["set", "dev", "m.a.b"]).input("x")).check(expect![[r#"
        status: 1
        --- stderr
        error: `dev:m.a` is a value, so nothing can stand at `m.a.b`
        hint: remove it first: secretree unset dev m.a
    "#]]);
    changes_nothing(alice.secretree(["set", "dev", "secretree.key"]).input("x")).check(expect![[r#"
        status: 1
        --- stderr
        error: `secretree` is the footer's place in `dev`; no value can stand there
        hint: choose another first segment
    "#]]);
    changes_nothing(alice.secretree(["set", "dev", "secretree"]).input("x")).check(expect![[r#"
        status: 1
        --- stderr
        error: `secretree` is the footer's place in `dev`; no value can stand there
        hint: choose another first segment
    "#]]);
}

#[test]
fn extended_values_are_set_in_the_named_environment_only() {
    let alice = alice(
        "environments:\n  common: {file: common.yaml, readers: [alice]}\n  \
         dev: {file: dev.yaml, readers: [alice], extends: [common]}\n",
    );
    edit(&alice, "common", "database: {host: base, port: 1}\n")
        .run()
        .succeeds();
    edit(&alice, "dev", "own: 1\n").run().succeeds();
    let common = alice.read("common.yaml");
    // The path is known from the base; only `dev` gets it.
    alice
        .secretree(["set", "dev", "DATABASE_HOST"])
        .input("own")
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            set `dev:database.host`
        "#]]);
    assert!(alice.read("common.yaml") == common, "the base was touched");
    assert_eq!(text(&alice), "database:\n  host: own\nown: 1\n");
    alice.secretree(["get", "dev", "database.port"]).run().prints("1");
}

#[test]
fn an_item_of_the_bases_list_is_not_set_in_the_environment_that_extends_it() {
    let alice = alice(
        "environments:\n  common: {file: common.yaml, readers: [alice]}\n  \
         dev: {file: dev.yaml, readers: [alice], extends: [common]}\n",
    );
    edit(&alice, "common", "hosts: [one, two]\n").run().succeeds();
    edit(&alice, "dev", "own: 1\n").run().succeeds();
    changes_nothing(alice.secretree(["set", "dev", "hosts.1"]).input("x")).check(expect![[r#"
        status: 1
        --- stderr
        error: `dev:hosts` is a list of an environment that `dev` extends, and lists count as a whole
        hint: set it there, or write a list of its own: secretree edit dev
    "#]]);
    changes_nothing(alice.secretree(["set", "dev", "hosts.2"]).input("x")).code(1);
}

#[test]
fn who_cannot_read_proposes() {
    let mut team = Team::with_policy(&["alice"], "environments: {dev: {file: dev.yaml, readers: [alice]}}\n");
    let alice = team.person("alice");
    edit(&alice, "dev", "a: b\n").run().succeeds();
    team.share(&alice, "values");
    let bob = team.add("bob");
    bob.secretree(["set", "dev", "a"])
        .input("mine")
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            note: first sight of the drop box of `dev` (commit COMMIT of alice, 2026-01-05), the only one in the history here
            proposed `dev:a`
        "#]]);
    changes_nothing(bob.secretree(["set", "dev", "secretree.a"]).input("x")).code(1);
    bob.secretree(["set", "dev", "ports.80"])
        .input("x")
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            proposed `dev:ports."80"`
        "#]]);
    let file = bob.read_text("dev.yaml");
    assert!(file.contains("\n  proposals:\n    p"), "{file}");
    // Alice still gets her own.
    team.share(&bob, "proposal");
    team.update(&alice);
    alice.secretree(["get", "dev", "a"]).run().prints("b");
}

#[test]
fn only_a_reader_makes_the_first_key() {
    let team = Team::with_policy(
        &["alice", "bob"],
        "environments: {dev: {file: dev.yaml, readers: [alice]}}\n",
    );
    let bob = team.person("bob");
    changes_nothing(bob.secretree(["set", "dev", "a"]).input("x")).check(expect![[r#"
        status: 4
        --- stderr
        error: no identity here reads `dev`
        hint: ask alice to run `secretree apply dev`
    "#]]);
}

#[test]
fn commit_takes_that_file_alone_and_runs_hooks() {
    let alice = alice_with_git(TWO_ENVIRONMENTS);
    alice.write("other.txt", "staged");
    alice.write("third.txt", "not staged");
    alice.git(["add", "other.txt"]).run().succeeds();
    alice.write(
        ".git/hooks/pre-commit",
        "#!/bin/sh\nenv | grep -c '^SECRETREE_KEY' >> hook-saw\nexit 0\n",
    );
    alice.command("chmod", ["+x", ".git/hooks/pre-commit"]).run().succeeds();
    let identity = std::fs::read_to_string(alice.identity_file()).unwrap();
    let key = identity.lines().last().unwrap();
    let set = |value: &str| {
        alice
            .secretree(["set", "dev", "a.b", "--commit"])
            .input(value)
            .env("SECRETREE_KEY", key)
    };
    set("one").run().check(expect![[r#"
        status: 0
        --- stderr
        dev: makes secrets/dev.yaml
        dev: + alice (x25519-7cb1b2c9014e3eb1) can read (commit COMMIT of alice, 2026-01-05)
        set `dev:a.b`
        committed COMMIT
    "#]]);
    assert_eq!(alice.read_text("hook-saw"), "0\n", "hooks run, and get no identity");
    alice
        .git(["log", "-1", "--format=%s", "--name-status"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stdout
            secrets: set dev:a.b

            A	secrets/dev.yaml
        "#]]);
    alice.git(["status", "--short"]).run().check(expect![[r#"
        status: 0
        --- stdout
        A  other.txt
        ?? hook-saw
        ?? third.txt
    "#]]);
    set("one").run().check(expect![[r#"
        status: 0
        --- stderr
        unchanged `dev:a.b`
        nothing to commit
    "#]]);
    // A hook that refuses.
    alice.write(".git/hooks/pre-commit", "#!/bin/sh\necho no such thing >&2\nexit 1\n");
    set("two").run().check(expect![[r#"
        status: 1
        --- stderr
        set `dev:a.b`
        error: `git commit` failed: no such thing; `secrets/dev.yaml` is written and not committed
        hint: when that is solved: git add 'secrets/dev.yaml' && git commit
    "#]]);
    alice.git(["log", "--oneline", "--format=%s"]).run().check(expect![[r#"
            status: 0
            --- stdout
            secrets: set dev:a.b
            policy
        "#]]);
}

#[test]
fn commit_without_git_says_that_the_file_was_written() {
    let alice = alice(TWO_ENVIRONMENTS);
    alice
        .secretree(["set", "dev", "a", "--commit"])
        .input("x")
        .run()
        .check(expect![[r#"
            status: 1
            --- stderr
            dev: makes secrets/dev.yaml
            dev: + alice (x25519-7cb1b2c9014e3eb1) can read
            set `dev:a`
            error: `--commit` needs a git repository; the file was written
            hint: git init
        "#]]);
}
