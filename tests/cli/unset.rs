//! `unset`: what goes with a value, what stays, and that one wrong path removes nothing.

use expect_test::expect;

use crate::fixture::{TWO_ENVIRONMENTS, alice, alice_with_dev, alice_with_git, changes_nothing, edit};

#[test]
fn collections_that_become_empty_go_too() {
    let alice = alice_with_dev("a:\n  b:\n    c: 1\nlist:\n- x: 1\nflow: {one: 1}\nkept: 2\n");
    let unset = |path: &str| alice.secretree(["unset", "dev", path]).run();
    unset("a.b.c").check(expect![[r#"
        status: 0
        --- stderr
        removed `dev:a.b.c`
    "#]]);
    unset("LIST_0_X").check(expect![[r#"
        status: 0
        --- stderr
        removed `dev:list.0.x`
    "#]]);
    unset("flow.one").succeeds();
    alice.secretree(["decrypt", "dev"]).run().prints("kept: 2\n");
    unset("kept").succeeds();
    alice.secretree(["decrypt", "dev"]).run().prints("");
}

#[test]
fn a_whole_mapping_or_list_goes_by_its_path() {
    let alice = alice_with_dev("# head\na:\n  b: 1\n  c: 2\nlist: [1, 2]\nkept: 2 # stays\n");
    alice.secretree(["unset", "dev", "a", "list"]).run().check(expect![[r#"
            status: 0
            --- stderr
            removed `dev:a.b`
            removed `dev:a.c`
            removed `dev:list.0`
            removed `dev:list.1`
        "#]]);
    alice.secretree(["decrypt", "dev"]).run().check(expect![[r#"
        status: 0
        --- stdout
        # head
        kept: 2 # stays
    "#]]);
}

#[test]
fn items_behind_a_removed_one_move_up_and_keep_their_version() {
    let alice = alice_with_dev("hosts:\n- one\n- two\n- three\n");
    let versions = || {
        let pattern = regex::Regex::new(r"ENC\[age,k[0-9a-f]{16},(v[0-9a-f]{8}),").unwrap();
        let file = alice.read_text("secrets/dev.yaml");
        let body = file.split("\nsecretree:").next().unwrap().to_owned();
        let found = pattern.captures_iter(&body).map(|found| found[1].to_owned());
        found.collect::<Vec<_>>()
    };
    let before = versions();
    alice.secretree(["unset", "dev", "hosts.0"]).run().check(expect![[r#"
            status: 0
            --- stderr
            removed `dev:hosts.0`
        "#]]);
    assert_eq!(versions(), before[1..]);
    alice
        .secretree(["decrypt", "dev"])
        .run()
        .prints("hosts:\n- two\n- three\n");
    // Numbers mean what they meant before the command.
    alice
        .secretree(["set", "dev", "hosts.2"])
        .input("four")
        .run()
        .succeeds();
    alice.secretree(["unset", "dev", "hosts.0", "hosts.1"]).run().succeeds();
    alice.secretree(["decrypt", "dev"]).run().prints("hosts:\n- four\n");
}

#[test]
fn one_wrong_path_removes_nothing() {
    let alice = alice_with_dev("stripe: {key: 1}\nhosts: [a]\n");
    changes_nothing(alice.secretree(["unset", "dev", "hosts.0", "stripe.kye"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `dev` has no `stripe.kye`
        hint: did you mean `stripe.key`? secretree unset dev stripe.key
    "#]]);
    changes_nothing(alice.secretree(["unset", "dev", "hosts.1"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `dev` has no `hosts.1`
        hint: did you mean `hosts.0`? secretree unset dev hosts.0
    "#]]);
    changes_nothing(alice.secretree(["unset", "dev"])).check(expect![[r#"
        status: 2
        --- stderr
        error: PATH is missing: which value of `dev`?
        hint: secretree list dev
        hint: secretree unset --help
    "#]]);
    changes_nothing(alice.secretree(["unset", "stripe.key"])).check(expect![[r#"
        status: 2
        --- stderr
        error: `stripe.key` is no environment
        hint: secretree unset dev stripe.key
    "#]]);
    changes_nothing(alice.secretree(["unset", "prod", "stripe.key"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `prod` has no file yet: there is no `secrets/prod.yaml`
        hint: secretree apply prod
    "#]]);
    changes_nothing(alice.secretree(["unset", "dev", "secretree.key"])).code(1);
    changes_nothing(alice.secretree(["unset", "dev", "secretree"])).code(1);
}

#[test]
fn a_value_of_the_base_is_not_removed_through_the_environment_that_extends_it() {
    let alice = alice(
        "environments:\n  common: {file: common.yaml, readers: [alice]}\n  \
         dev: {file: dev.yaml, readers: [alice], extends: [common]}\n",
    );
    edit(&alice, "common", "a: 1\n").run().succeeds();
    edit(&alice, "dev", "b: 2\n").run().succeeds();
    changes_nothing(alice.secretree(["unset", "dev", "a"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `dev` has no `a`
        hint: secretree list dev
    "#]]);
}

#[test]
fn a_readable_value_is_removed_too() {
    let alice = alice_with_dev("log: {level: info}\na: 1\n");
    alice.secretree(["unset", "dev", "log.level"]).run().check(expect![[r#"
            status: 0
            --- stderr
            removed `dev:log.level`
        "#]]);
    alice.secretree(["decrypt", "dev"]).run().prints("a: 1\n");
}

#[test]
fn commit_names_the_paths() {
    let alice = alice_with_git(TWO_ENVIRONMENTS);
    edit(&alice, "dev", "a: 1\nb: {c: 2}\nd: 3\n").run().succeeds();
    alice.commit("values");
    alice
        .secretree(["unset", "dev", "a", "b", "--commit"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            removed `dev:a`
            removed `dev:b.c`
            committed COMMIT
        "#]]);
    alice
        .git(["log", "-1", "--format=%s", "--stat=60"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stdout
            secrets: unset dev:a, b.c

             secrets/dev.yaml | 3 ---
             1 file changed, 3 deletions(-)
        "#]]);
}
