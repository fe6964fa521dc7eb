//! `get`: how PATH is read, which bytes come out, what `extends` delivers, and what is checked before anything does.

use expect_test::expect;

use crate::fixture::{alice, alice_with_dev, changes_nothing, edit};
use crate::sandbox::{Person, Sandbox};
use crate::team::Team;

/// `get dev PATH` prints exactly this and says nothing.
#[track_caller]
fn gives(person: &Person, path: &str, bytes: impl AsRef<[u8]>) {
    let output = changes_nothing(person.secretree(["get", "dev", path]));
    output.succeeds().prints(bytes);
    assert_eq!(output.stderr(), "", "get dev {path}");
}

#[test]
fn paths_are_read_as_existing_text_first_then_as_variables() {
    let alice = alice_with_dev(
        "database:\n  password: nested\n  hosts: [one, {name: two}]\ntls.key: dotted\n\"a b\":\n  c.d: quoted\n\
         ports:\n  8080x: near\n  \"8080\": number\nLOUD: root\n\"\": nothing\n",
    );
    for (path, value) in [
        ("database.password", "nested"),
        ("\"database\".\"password\"", "nested"),
        ("DATABASE_PASSWORD", "nested"),
        ("database.hosts.0", "one"),
        ("database.hosts.1.name", "two"),
        ("DATABASE_HOSTS_1_NAME", "two"),
        ("tls.key", "dotted"),
        ("\"tls.key\"", "dotted"),
        ("TLS_KEY", "dotted"),
        ("a b.c.d", "quoted"),
        ("\"a b\".\"c.d\"", "quoted"),
        ("A_B_C_D", "quoted"),
        ("ports.8080", "number"),
        ("ports.\"8080\"", "number"),
        ("LOUD", "root"),
        ("\"\"", "nothing"),
    ] {
        gives(&alice, path, value);
    }
}

#[test]
fn a_path_that_can_be_two_is_refused_with_the_quoted_forms() {
    let alice = alice_with_dev("a.b: one\na:\n  b: two\n");
    changes_nothing(alice.secretree(["get", "dev", "a.b"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `a.b` can be 2 paths of `dev`
        hint: write one of '"a"."b"', '"a.b"'
    "#]]);
    gives(&alice, "\"a.b\"", "one");
    gives(&alice, "\"a\".\"b\"", "two");
    // Both have the same variable, too.
    changes_nothing(alice.secretree(["get", "dev", "A_B"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `A_B` can be 2 paths of `dev`
        hint: write one of '"a"."b"', '"a.b"'
    "#]]);
}

#[test]
fn a_declared_variable_name_is_a_path() {
    let alice = alice(
        "environments: {dev: {file: dev.yaml, readers: [alice]}}\nsecrets: {database.password: {env: PGPASSWORD}}\n",
    );
    edit(&alice, "dev", "database: {password: declared}\n").run().succeeds();
    gives(&alice, "PGPASSWORD", "declared");
    changes_nothing(alice.secretree(["get", "dev", "DATABASE_PASSWORD"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `dev` has no `DATABASE_PASSWORD`
        hint: secretree list dev
    "#]]);
}

#[test]
fn bytes_come_out_as_their_author_wrote_them() {
    let alice = alice_with_dev(
        "version: 1.10\nagent: 007\nyes: yes\nnumber: 42\nhex: 0x1F\nbig: 123456789012345678901234567890\nboolean: True\nnull_one: ~\nnull_two:\n\
         quoted: \"tab\\tend\"\nsingle: 'it''s'\nlines: |\n  one\n  two\nkept: |+\n  one\n\n\nfolded: >-\n  one\n  two\n\
         bytes: !!binary \"AP8=\"\nempty: \"\"\n",
    );
    for (path, value) in [
        ("version", "1.10"),
        ("agent", "007"),
        ("yes", "yes"),
        ("number", "42"),
        ("hex", "0x1F"),
        ("big", "123456789012345678901234567890"),
        ("boolean", "true"),
        ("null_one", ""),
        ("null_two", ""),
        ("quoted", "tab\tend"),
        ("single", "it's"),
        ("lines", "one\ntwo\n"),
        ("kept", "one\n\n\n"),
        ("folded", "one two"),
        ("empty", ""),
    ] {
        gives(&alice, path, value);
    }
    gives(&alice, "bytes", [0, 255]);
}

#[test]
fn a_newline_follows_on_a_terminal_only() {
    let alice = alice_with_dev("a: value\nempty: \"\"\n");
    alice
        .on_terminal(["get", "dev", "a"])
        .finish()
        .code(0)
        .prints("value\n");
    alice.on_terminal(["get", "dev", "empty"]).finish().code(0).prints("");
}

#[test]
fn mappings_and_lists_are_printed_as_json_only() {
    let alice = alice_with_dev("limits: {burst: 3, on: true}\nhosts: [a, 2, ~]\n");
    changes_nothing(alice.secretree(["get", "dev", "limits"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `dev:limits` is a mapping, not one value
        hint: secretree get dev limits --json, or name one of `secretree list dev`
    "#]]);
    changes_nothing(alice.secretree(["get", "dev", "hosts"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `dev:hosts` is a list, not one value
        hint: secretree get dev hosts --json, or name one of `secretree list dev`
    "#]]);
    changes_nothing(alice.secretree(["get", "dev", "limits", "--json"])).check(expect![[r#"
        status: 0
        --- stdout
        {
          "burst": 3,
          "on": true
        }
    "#]]);
    changes_nothing(alice.secretree(["get", "dev", "hosts", "--json"])).check(expect![[r#"
        status: 0
        --- stdout
        [
          "a",
          2,
          null
        ]
    "#]]);
    changes_nothing(alice.secretree(["get", "dev", "limits.burst", "--json"])).check(expect![[r#"
        status: 0
        --- stdout
        3
    "#]]);
}

#[test]
fn what_is_not_there_is_named_with_what_is_near() {
    let alice = alice_with_dev("stripe: {key: x}\nhosts: [a]\n");
    changes_nothing(alice.secretree(["get", "dev", "stripe.kye"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `dev` has no `stripe.kye`
        hint: did you mean `stripe.key`? secretree get dev stripe.key
    "#]]);
    changes_nothing(alice.secretree(["get", "dev", "entirely.different"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `dev` has no `entirely.different`
        hint: secretree list dev
    "#]]);
    changes_nothing(alice.secretree(["get", "dev", "hosts.1"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `dev` has no `hosts.1`
        hint: did you mean `hosts.0`? secretree get dev hosts.0
    "#]]);
    changes_nothing(alice.secretree(["get", "dev", "a..b"])).check(expect![[r#"
        status: 1
        --- stderr
        error: PATH is no path
        hint: segments are joined by dots; one that holds a dot is a JSON string: 'tls."example.com".key'
    "#]]);
    changes_nothing(alice.secretree(["get", "dev", "\"open"])).check(expect![[r#"
        status: 1
        --- stderr
        error: PATH is no path
        hint: segments are joined by dots; one that holds a dot is a JSON string: 'tls."example.com".key'
    "#]]);
    changes_nothing(alice.secretree(["get", "dve", "stripe.key"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `dve` is no environment
        hint: did you mean `dev`?
    "#]]);
    changes_nothing(alice.secretree(["get", "stripe.key"])).check(expect![[r#"
        status: 2
        --- stderr
        error: `stripe.key` is no environment
        hint: secretree get dev stripe.key
    "#]]);
    changes_nothing(alice.secretree(["get", "stripe_key"])).check(expect![[r#"
        status: 2
        --- stderr
        error: `stripe_key` is no environment
        hint: secretree get dev stripe_key
    "#]]);
    changes_nothing(alice.secretree(["get", "dev"])).check(expect![[r#"
        status: 2
        --- stderr
        error: PATH is missing: which value of `dev`?
        hint: secretree list dev
        hint: secretree get --help
    "#]]);
    changes_nothing(alice.secretree(["get", "prod", "stripe.key"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `prod` has no file yet: there is no `secrets/prod.yaml`
        hint: secretree apply prod
    "#]]);
}

#[test]
fn without_a_policy_it_is_said_how_to_begin() {
    let alice = Sandbox::new().person("alice");
    changes_nothing(alice.secretree(["get", "dev", "a"])).check(expect![[r#"
        status: 1
        --- stderr
        error: no `.secrets.yaml` here or above
        hint: secretree init
    "#]]);
}

/// `dev` extends `common`.
fn with_layers() -> Person {
    let alice = alice(
        "environments:\n  common: {file: common.yaml, readers: [alice]}\n  \
         dev: {file: dev.yaml, readers: [alice], extends: [common]}\n",
    );
    edit(
        &alice,
        "common",
        "database: {host: base, port: 5432, options: {a: 1, b: 2}}\nhosts: [one, two]\nhidden: seen\n\
         scalar: base\nmapping: {inner: base}\n",
    )
    .run()
    .succeeds();
    edit(
        &alice,
        "dev",
        "database: {host: own, options: {b: 3}}\nhosts: [three]\nhidden: ~\nscalar: {now: mapping}\nmapping: scalar\n",
    )
    .run()
    .succeeds();
    alice
}

#[test]
fn extended_values_are_merged_by_path() {
    let alice = with_layers();
    for (path, value) in [
        ("database.host", "own"),
        ("database.port", "5432"),
        ("DATABASE_PORT", "5432"),
        ("database.options.a", "1"),
        ("database.options.b", "3"),
        ("hosts.0", "three"),
        ("hidden", ""),
        ("scalar.now", "mapping"),
        ("mapping", "scalar"),
    ] {
        gives(&alice, path, value);
    }
    // Lists and scalars count as a whole: nothing of the base shines through.
    changes_nothing(alice.secretree(["get", "dev", "hosts.1"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `dev` has no `hosts.1`
        hint: did you mean `hosts.0`? secretree get dev hosts.0
    "#]]);
    changes_nothing(alice.secretree(["get", "dev", "mapping.inner"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `dev` has no `mapping.inner`
        hint: secretree list dev
    "#]]);
    changes_nothing(alice.secretree(["get", "dev", "scalar"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `dev:scalar` is a mapping, not one value
        hint: secretree get dev scalar --json, or name one of `secretree list dev`
    "#]]);
    changes_nothing(alice.secretree(["get", "dev", "database", "--json"])).check(expect![[r#"
        status: 0
        --- stdout
        {
          "host": "own",
          "port": 5432,
          "options": {
            "a": 1,
            "b": 3
          }
        }
    "#]]);
}

#[test]
fn a_failure_in_the_base_is_the_failure_of_the_command() {
    let alice = with_layers();
    let base = alice.read_text("common.yaml");
    // An own value does not hide that the base was tampered with.
    alice.write("common.yaml", format!("plain: readable\n{base}"));
    changes_nothing(alice.secretree(["get", "dev", "database.host"])).check(expect![[r#"
        status: 5
        --- stderr
        error: `common:plain` (line 1 column 8) is not encrypted
        hint: secretree encrypt common
    "#]]);
    std::fs::remove_file(alice.work("common.yaml")).unwrap();
    changes_nothing(alice.secretree(["get", "dev", "database.host"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `common` has no file yet: there is no `common.yaml`
        hint: secretree apply common
    "#]]);
}

#[test]
fn all_places_are_checked_before_one_is_opened() {
    let alice = alice_with_dev("a: sealed\nlog: {level: info}\n");
    gives(&alice, "log.level", "info");
    let file = alice.read_text("secrets/dev.yaml");
    for plain in ["b: readable\n", "b:\n", "b: null\n", "b: [1]\n"] {
        alice.write("secrets/dev.yaml", format!("{plain}{file}"));
        let output = changes_nothing(alice.secretree(["get", "dev", "a"]));
        output.code(5).prints("").says("hint: secretree encrypt dev\n");
    }
    alice.write("secrets/dev.yaml", format!("b: readable\n{file}"));
    changes_nothing(alice.secretree(["get", "dev", "a"])).check(expect![[r#"
        status: 5
        --- stderr
        error: `dev:b` (line 1 column 4) is not encrypted
        hint: secretree encrypt dev
    "#]]);
}

#[test]
fn who_holds_no_grant_is_told_how_to_get_one() {
    let mut team = Team::with_policy(
        &["alice", "bob"],
        "environments: {dev: {file: dev.yaml, readers: [alice]}}\n",
    );
    let (alice, bob) = (team.person("alice"), team.person("bob"));
    edit(&alice, "dev", "a: b\n").run().succeeds();
    team.share(&alice, "values");
    team.update(&bob);
    changes_nothing(bob.secretree(["get", "dev", "a"])).check(expect![[r#"
        status: 4
        --- stderr
        error: no identity here can open `dev`
        hint: readers are alice; to join: `secretree join dev`, commit, then one of them runs `secretree apply dev`
    "#]]);
    // Somebody without any identity, and one whom the policy names but nobody granted.
    let carol = team.add("carol");
    std::fs::remove_file(carol.identity_file()).unwrap();
    changes_nothing(carol.secretree(["get", "dev", "a"])).check(expect![[r#"
        status: 4
        --- stderr
        error: no identity here can open `dev`
        hint: readers are alice; to join: `secretree join dev`, commit, then one of them runs `secretree apply dev`
    "#]]);
    let policy = alice.read_text(".secrets.yaml").replace("[alice]}", "[alice, bob]}");
    bob.write(".secrets.yaml", policy);
    changes_nothing(bob.secretree(["get", "dev", "a"])).check(expect![[r#"
        status: 4
        --- stderr
        error: no identity here can open `dev`
        hint: the policy lists your key already: ask alice to run `secretree apply dev`
    "#]]);
}
