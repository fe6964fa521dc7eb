//! `set`: where a value comes from, what becomes of it, and which sources are refused.

use expect_test::expect;

use crate::fixture::{TWO_ENVIRONMENTS, alice, alice_with_dev, changes_nothing, edit};

#[test]
fn values_come_from_standard_input_files_and_generators() {
    let alice = alice(TWO_ENVIRONMENTS);
    let value = |path: &str| {
        alice
            .secretree(["get", "dev", path])
            .run()
            .succeeds()
            .stdout_bytes()
            .to_vec()
    };
    alice.secretree(["set", "dev", "a"]).input("one\n\n").run().succeeds();
    assert_eq!(value("a"), b"one\n");
    alice
        .secretree(["set", "dev", "a", "--raw"])
        .input("one\n")
        .run()
        .succeeds();
    assert_eq!(value("a"), b"one\n");
    alice.secretree(["set", "dev", "a", "--raw"]).run().succeeds();
    assert_eq!(value("a"), b"");
    alice.write("key.bin", [0, 159, 146, 150, 10]);
    alice
        .secretree(["set", "dev", "a", "--file", "key.bin"])
        .run()
        .succeeds();
    assert_eq!(value("a"), [0, 159, 146, 150, 10]);
    for (spec, pattern) in [
        ("password:32", r"^[!-~]{32}$"),
        ("hex:16", "^[0-9a-f]{32}$"),
        ("base64:32", "^[A-Za-z0-9+/]{43}=$"),
        (
            "uuid",
            "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
        ),
        ("passphrase:6", "^[a-z]+(-[a-z]+){5}$"),
    ] {
        let output = alice.secretree(["set", "dev", "a", "--generate", spec]).run();
        output.succeeds().prints("");
        let made = String::from_utf8(value("a")).unwrap();
        assert!(
            regex::Regex::new(pattern).unwrap().is_match(&made),
            "{spec} made {made}"
        );
        assert!(!output.stderr().contains(&made));
    }
}

#[test]
fn sources_that_give_no_value_are_refused() {
    let alice = alice_with_dev("a: one\n");
    let set = |operands: &[&str]| alice.secretree([&["set", "dev", "a"], operands].concat());
    changes_nothing(set(&[])).check(expect![[r#"
        status: 1
        --- stderr
        error: standard input is empty
        hint: if the value shall be empty, say `--raw`
    "#]]);
    changes_nothing(set(&["--file", "missing"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `missing` does not exist
        hint: FILE is looked for from `[SANDBOX]/alice/work`; without `--file` the value is asked for
    "#]]);
    changes_nothing(set(&["--generate", "hex:many"])).check(expect![[r#"
        status: 2
        --- stderr
        error: `--generate` has no number of bytes behind the `:`; 8 to 1024 are possible
        hint: write `password:32`, `hex:32`, `base64:32`, `uuid` or `passphrase:6`
    "#]]);
    changes_nothing(set(&["--generate", "hex:0"])).check(expect![[r#"
        status: 2
        --- stderr
        error: `--generate` asks for a wrong number of bytes; 8 to 1024 are possible
        hint: write `password:32`, `hex:32`, `base64:32`, `uuid` or `passphrase:6`
    "#]]);
    changes_nothing(set(&["--generate", "tea"])).check(expect![[r#"
        status: 2
        --- stderr
        error: `--generate` is no generator
        hint: write `password:32`, `hex:32`, `base64:32`, `uuid` or `passphrase:6`
    "#]]);
    changes_nothing(set(&["--generate", "uuid", "--file", "x"])).check(expect![[r#"
        status: 2
        --- stderr
        error: `--generate <SPEC>` cannot be used with `--file <FILE>`
        hint: usage: secretree set [OPTIONS] <ENV> <PATH>
        hint: `secretree set --help` explains it
    "#]]);
}

#[test]
fn a_value_on_the_command_line_is_refused_and_not_repeated() {
    let alice = alice_with_dev("a: one\n");
    changes_nothing(alice.secretree(["set", "dev", "a", "CANARY"])).check(expect![[r#"
        status: 2
        --- stderr
        error: `set` takes no value on the command line: other users and the shell's history would see it
        hint: `secretree set ENV PATH` asks for it; or pipe it in, or use `--file FILE` or `--generate SPEC`
        hint: if it was a real value, treat it as seen and make a new one
    "#]]);
    for operands in [
        &["set", "dev", "a=CANARY"][..],
        &["set", "A=CANARY"],
        &["set", "dev", "a", "--CANARY"],
        &["set", "dev", "a", "--", "CANARY"],
    ] {
        let output = changes_nothing(alice.secretree(operands.iter().copied()));
        output.code(2);
        assert!(!output.stderr().contains("CANARY"), "{}", output.stderr());
    }
}

#[test]
fn what_is_set_is_text() {
    let alice = alice_with_dev("a: 1\n");
    for (typed, line) in [
        ("42", "a: \"42\"\n"),
        ("true", "a: \"true\"\n"),
        ("null", "a: \"null\"\n"),
        ("plain", "a: plain\n"),
        ("two words", "a: \"two words\"\n"),
        ("one\ntwo", "a: |-\n  one\n  two\n"),
        ("ends\n", "a: ends\n"),
    ] {
        alice.secretree(["set", "dev", "a"]).input(typed).run().succeeds();
        alice.secretree(["decrypt", "dev"]).run().code(0).prints(line);
    }
}

#[test]
fn text_of_a_tokens_shape_is_no_value() {
    let alice = alice_with_dev("a: 1\n");
    let token = "ENC[age,k0123456789abcdef,v01234567,YWdl]";
    changes_nothing(alice.secretree(["set", "dev", "a"]).input(token)).check(expect![[r#"
        status: 1
        --- stderr
        error: the value for `dev:a` has the shape of an encrypted token
        hint: set the value itself: `secretree get` or `decrypt` gives it
    "#]]);
    changes_nothing(edit(&alice, "dev", format!("a: {token}\n"))).check(expect![[r#"
        status: 1
        --- stderr
        error: `secrets/dev.yaml` line 1 column 4: a value that has the shape of an encrypted token
        hint: write the value itself
    "#]]);
}

#[test]
fn a_prompt_hides_what_is_typed() {
    let alice = alice_with_dev("a: one\n");
    let mut terminal = alice.on_terminal(["set", "dev", "a"]);
    terminal.expect("value of `dev:a` (hidden): ").send_hidden("typed\n");
    terminal.finish().check(expect![[r#"
        status: 0
        --- stdout
        value of `dev:a` (hidden): 
        set `dev:a`
    "#]]);
    alice.secretree(["get", "dev", "a"]).run().prints("typed");
    // Several lines in one paste.
    let mut terminal = alice.on_terminal(["set", "dev", "a"]);
    terminal.expect("(hidden): ").send_hidden("first\nsecond\n");
    terminal.finish().check(expect![[r#"
        status: 1
        --- stdout
        value of `dev:a` (hidden): 
        [1;31merror:[0m several lines were pasted; the prompt takes one line
        [36mhint:[0m put the text into a file and use `--file FILE`, or pipe it in
    "#]]);
    let mut terminal = alice.on_terminal(["set", "dev", "a"]);
    terminal.expect("(hidden): ").send_hidden("\n");
    terminal.finish().check(expect![[r#"
        status: 1
        --- stdout
        value of `dev:a` (hidden): 
        [1;31merror:[0m no value was typed
        [36mhint:[0m to store an empty value: `--raw` with empty standard input
    "#]]);
    alice.secretree(["get", "dev", "a"]).run().prints("typed");
}

#[test]
fn a_value_that_the_declared_pattern_does_not_match_is_refused_and_not_repeated() {
    let rest = "environments: {dev: {file: dev.yaml, readers: [alice]}}\n\
                secrets:\n  db.password: {pattern: \"^.{16,}$\"}\n  \"keys.*\": {pattern: \"^sk_\"}\n  \
                \"dev:keys.old\": {pattern: \"^ok_\"}\n  port: {pattern: '^[0-9]+$'}\n";
    let alice = alice(rest);
    alice.secretree(["apply", "--yes"]).run().succeeds();
    let set = |path: &str, value: &[u8]| alice.secretree(["set", "dev", path]).input(value);
    changes_nothing(set("db.password", b"canary-short")).check(expect![[r#"
        status: 1
        --- stderr
        error: `.secrets.yaml` line 7 column 26: the value for `dev:db.password` does not match this pattern: `^.{16,}$`
        hint: give a value that matches, or change `pattern` in .secrets.yaml
    "#]]);
    changes_nothing(set("keys.new", b"canary")).code(1).says("`^sk_`");
    changes_nothing(set("keys.old", b"sk_canary")).code(1).says("`^ok_`");
    changes_nothing(set("port", &[b'1', 0xff])).code(1).says("is no text");
    changes_nothing(alice.secretree(["set", "dev", "db.password", "--generate", "password:12"])).code(1);
    set("db.password", b"long enough for it").run().succeeds();
    set("keys.old", b"ok_1").run().succeeds();
    set("port", b"5432").run().succeeds();
}
