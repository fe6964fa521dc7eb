//! Values that may stand readable, and those that must not: what the policy names decides about new values only.

use expect_test::expect;

use crate::fixture::{alice_with_dev, changes_nothing, edit};

#[test]
fn readable_paths_stay_readable_and_sealed_ones_sealed() {
    let alice = alice_with_dev("log: {level: info}\nkey: k\n");
    let set = |path: &str, value: &str| alice.secretree(["set", "dev", path]).input(value).run();
    set("log.level", "debug").succeeds();
    set("log.format", "json").succeeds();
    let file = alice.read_text("secrets/dev.yaml");
    assert!(
        file.starts_with("log: {level: \"debug\", \"format\": \"json\"}\nkey: |-\n"),
        "{file}"
    );
    // A pattern that changed later does not make a token readable.
    let policy = alice.read_text(".secrets.yaml");
    alice.write(".secrets.yaml", policy.replace("\"log.*\"", "\"log.*\", key"));
    set("key", "other").check(expect![[r#"
        status: 0
        --- stderr
        set `dev:key`
    "#]]);
    assert!(!alice.read_text("secrets/dev.yaml").contains("other"));
    edit(&alice, "dev", "log: {level: debug, format: json}\nkey: third\n")
        .operand("-v")
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            ~ dev:key
            `dev:key` may be readable by the policy but is encrypted; to change that: secretree unset dev key, then set it
        "#]]);
    assert!(!alice.read_text("secrets/dev.yaml").contains("third"));
    // `unset` and `set` do.
    alice.secretree(["unset", "dev", "key"]).run().succeeds();
    set("key", "open").succeeds();
    assert!(alice.read_text("secrets/dev.yaml").starts_with("key: open\n"));
    // And a pattern that is gone makes what stands readable an integrity failure.
    alice.write(".secrets.yaml", policy);
    changes_nothing(alice.secretree(["get", "dev", "log.level"])).check(expect![[r#"
        status: 5
        --- stderr
        error: `dev:key` (line 1 column 6) is not encrypted
        hint: secretree encrypt dev
    "#]]);
    changes_nothing(alice.secretree(["set", "dev", "a"]).input("x")).check(expect![[r#"
        status: 5
        --- stderr
        error: `dev:key` (line 1 column 6) is not encrypted
        hint: secretree encrypt dev
    "#]]);
}

#[test]
fn a_readable_null_at_a_sealed_place_is_an_integrity_failure() {
    let alice = alice_with_dev("a: 1\n");
    let file = alice.read_text("secrets/dev.yaml");
    alice.write("secrets/dev.yaml", format!("b: ~\n{file}"));
    changes_nothing(alice.secretree(["set", "dev", "a"]).input("x")).check(expect![[r#"
        status: 5
        --- stderr
        error: `dev:b` (line 1 column 4) is not encrypted
        hint: secretree encrypt dev
    "#]]);
    changes_nothing(alice.secretree(["unset", "dev", "b"])).code(5);
    changes_nothing(edit(&alice, "dev", "a: 2\n")).check(expect![[r#"
        status: 5
        --- stderr
        error: `dev:b` (line 1 column 4) is not encrypted
        hint: secretree encrypt dev
    "#]]);
}

#[test]
fn a_collection_where_a_value_is_declared_is_an_integrity_failure() {
    let alice = alice_with_dev("a: {b: 1}\n");
    let policy = alice.read_text(".secrets.yaml");
    alice.write(".secrets.yaml", format!("{policy}secrets: {{a: {{}}}}\n"));
    changes_nothing(alice.secretree(["get", "dev", "a.b"])).check(expect![[r#"
        status: 5
        --- stderr
        error: `dev:a` (line 1 column 4) is a collection where the policy declares a value
        hint: take it out of secrets/dev.yaml by hand, or change `secrets` in .secrets.yaml
    "#]]);
    // None of the commands that write gets around it, so none is named as the way out.
    changes_nothing(edit(&alice, "dev", "a: 1\n")).code(5);
    changes_nothing(alice.secretree(["unset", "dev", "a"])).code(5);
    changes_nothing(alice.secretree(["set", "dev", "b"]).input("x")).code(5);
}
