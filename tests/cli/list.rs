//! `list`: which values exist where, without any key and without any value.

use expect_test::expect;

use crate::fixture::{TWO_ENVIRONMENTS, alice, changes_nothing, edit};
use crate::sandbox::Person;

/// Both environments with values, and nobody here who could open them.
fn without_identity() -> Person {
    let alice = alice(TWO_ENVIRONMENTS);
    edit(
        &alice,
        "dev",
        "stripe: {key: 1}\n\"a.b\": 2\nhosts: [x, {\"8080\": y}]\nlog: {level: info}\nempty: {}\n",
    )
    .run()
    .succeeds();
    edit(&alice, "prod", "stripe: {key: 1, other: 2}\n").run().succeeds();
    std::fs::remove_file(alice.identity_file()).unwrap();
    alice
}

#[test]
fn one_environment_is_its_paths_in_the_order_of_its_file() {
    let alice = without_identity();
    changes_nothing(alice.secretree(["list", "dev"])).check(expect![[r#"
        status: 0
        --- stdout
        stripe.key
        "a.b"
        hosts.0
        hosts.1."8080"
        log.level
    "#]]);
    changes_nothing(alice.secretree(["list", "dev", "--json"])).check(expect![[r#"
        status: 0
        --- stdout
        {
          "dev": [
            "stripe.key",
            "\"a.b\"",
            "hosts.0",
            "hosts.1.\"8080\"",
            "log.level"
          ]
        }
    "#]]);
    changes_nothing(alice.secretree(["list", "dev", "--find", "hosts.**"])).check(expect![[r#"
        status: 0
        --- stdout
        hosts.0
        hosts.1."8080"
    "#]]);
    changes_nothing(alice.secretree(["list", "dev", "--find", "nothing"])).check(expect![[r#"
        status: 0
    "#]]);
    changes_nothing(alice.secretree(["list", "dev", "--find", "a**b"])).check(expect![[r#"
        status: 2
        --- stderr
        error: `--find`: `**` stands alone between separators
        hint: for example 'database.*' or '**.password'
    "#]]);
    changes_nothing(alice.secretree(["list", "dve"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `dve` is no environment
        hint: did you mean `dev`?
    "#]]);
}

#[test]
fn all_environments_are_a_table() {
    let alice = without_identity();
    changes_nothing(alice.secretree(["list"])).check(expect![[r#"
        status: 0
        --- stdout
        PATH            dev  prod
        "a.b"           x    -
        hosts.0         x    -
        hosts.1."8080"  x    -
        log.level       x    -
        stripe.key      x    x
        stripe.other    -    x
    "#]]);
    changes_nothing(alice.secretree(["list", "--find", "stripe.*"])).check(expect![[r#"
        status: 0
        --- stdout
        PATH          dev  prod
        stripe.key    x    x
        stripe.other  -    x
    "#]]);
    changes_nothing(alice.secretree(["list", "--find", "stripe.*", "--json"])).check(expect![[r#"
        status: 0
        --- stdout
        {
          "dev": [
            "stripe.key"
          ],
          "prod": [
            "stripe.key",
            "stripe.other"
          ]
        }
    "#]]);
}

#[test]
fn an_environment_without_a_file_has_no_values() {
    let alice = alice(TWO_ENVIRONMENTS);
    changes_nothing(alice.secretree(["list"])).check(expect![[r#"
        status: 0
        --- stdout
        PATH  dev  prod
    "#]]);
    changes_nothing(alice.secretree(["list", "dev"])).check(expect![[r#"
        status: 0
    "#]]);
}

#[test]
fn what_an_environment_extends_is_its_own() {
    let alice = alice(
        "environments:\n  common: {file: common.yaml, readers: [alice]}\n  \
         dev: {file: dev.yaml, readers: [alice], extends: [common]}\n",
    );
    edit(
        &alice,
        "common",
        "shared: 1\nlist: [1, 2]\nover: 1\nhidden: 1\nnumbers: 5\n",
    )
    .run()
    .succeeds();
    edit(
        &alice,
        "dev",
        "own: 2\nlist: [3]\nover: {deep: 1}\nhidden: ~\nnumbers: [1]\n",
    )
    .run()
    .succeeds();
    // What cannot be got is not listed.
    changes_nothing(alice.secretree(["list", "dev"])).check(expect![[r#"
        status: 0
        --- stdout
        shared
        hidden
        own
        list.0
        over.deep
        numbers.0
    "#]]);
    for path in ["shared", "own", "list.0", "over.deep"] {
        alice.secretree(["get", "dev", path]).run().succeeds();
    }
}

#[test]
fn names_that_others_wrote_are_escaped() {
    let alice = alice(TWO_ENVIRONMENTS);
    edit(&alice, "dev", "\"red\\e[31m\": 1\n\"line\\nbreak\": 2\n")
        .run()
        .succeeds();
    alice.secretree(["list", "dev"]).run().check(expect![[r#"
        status: 0
        --- stdout
        "red\u001b[31m"
        "line\nbreak"
    "#]]);
    alice.secretree(["list"]).run().check(expect![[r#"
        status: 0
        --- stdout
        PATH             dev  prod
        "line\nbreak"    x    -
        "red\u001b[31m"  x    -
    "#]]);
}
