//! `decrypt`: the formats, and where plaintext may go. Which characters real dotenv readers need is `dotenv_readers`'.

use std::os::unix::fs::PermissionsExt;

use expect_test::expect;

use crate::fixture::{TWO_ENVIRONMENTS, alice, alice_with_dev, alice_with_git, changes_nothing, edit, snapshot};
use crate::sandbox::Person;

const TEXT: &str = "# head\ndatabase:\n  password: \"it's \\\"$HOME\\\" `x`\"   # why\n  port: 5432\nversion: 1.10\nflag: True\n\
                    nothing: ~\ncert: |\n  one\n  two\nhosts: [a, 'b c']\n\"8080\": digit\n";

#[test]
fn every_format_gives_the_same_values() {
    let alice = alice_with_dev(TEXT);
    alice.secretree(["decrypt", "dev"]).run().prints(TEXT);
    alice.secretree(["decrypt"]).run().prints(TEXT);
    let format =
        |operands: &[&str]| changes_nothing(alice.secretree([&["decrypt", "dev", "--format"], operands].concat()));
    format(&["yaml"]).prints(TEXT);
    format(&["json"]).check(expect![[r#"
        status: 0
        --- stdout
        {
          "database": {
            "password": "it's \"$HOME\" `x`",
            "port": 5432
          },
          "version": "1.10",
          "flag": true,
          "nothing": null,
          "cert": "one\ntwo\n",
          "hosts": [
            "a",
            "b c"
          ],
          "8080": "digit"
        }
    "#]]);
    format(&["json", "--flat"]).check(expect![[r#"
        status: 0
        --- stdout
        {
          "DATABASE_PASSWORD": "it's \"$HOME\" `x`",
          "DATABASE_PORT": "5432",
          "VERSION": "1.10",
          "FLAG": "true",
          "CERT": "one\ntwo\n",
          "HOSTS_0": "a",
          "HOSTS_1": "b c",
          "_8080": "digit"
        }
    "#]]);
    format(&["dotenv"]).check(expect![[r#"
        status: 0
        --- stdout
        DATABASE_PASSWORD="it's \"\$HOME\" \`x\`"
        DATABASE_PORT=5432
        VERSION=1.10
        FLAG=true
        CERT='one
        two
        '
        HOSTS_0=a
        HOSTS_1='b c'
        _8080=digit
    "#]]);
    format(&["shell"]).check(expect![[r#"
        status: 0
        --- stdout
        export DATABASE_PASSWORD='it'\''s "$HOME" `x`'
        export DATABASE_PORT='5432'
        export VERSION='1.10'
        export FLAG='true'
        export CERT='one
        two
        '
        export HOSTS_0='a'
        export HOSTS_1='b c'
        export _8080='digit'
    "#]]);
    format(&["yaml", "--merged"]).check(expect![[r#"
        status: 0
        --- stdout
        database:
          password: "it's \"$HOME\" `x`"
          port: 5432
        version: "1.10"
        flag: true
        nothing: null
        cert: |
          one
          two
        hosts:
          - a
          - "b c"
        "8080": digit
    "#]]);
}

#[test]
fn a_shell_reads_what_shell_writes() {
    let alice = alice_with_dev(TEXT);
    alice
        .command(
            "sh",
            ["-c", "eval \"$(secretree decrypt dev --format shell)\"; printf '%s|%s|%s|%s' \"$DATABASE_PASSWORD\" \"$CERT\" \"$_8080\" \"$HOSTS_1\""],
        )
        .run()
        .succeeds()
        .prints("it's \"$HOME\" `x`|one\ntwo\n|digit|b c");
}

#[test]
fn formats_and_flags_that_do_not_fit_are_a_usage_error() {
    let alice = alice_with_dev("a: 1\n");
    for operands in [
        &["--format", "toml"][..],
        &["--format", "json", "--merged"],
        &["--format", "dotenv", "--flat"],
        &["--flat"],
        &["--force"],
    ] {
        let output = changes_nothing(alice.secretree([&["decrypt", "dev"], operands].concat()));
        output.code(2).prints("");
    }
    changes_nothing(alice.secretree(["decrypt", "dev", "--flat"])).check(expect![[r#"
        status: 2
        --- stderr
        error: `--flat` goes with `--format json`; the other formats are flat always
    "#]]);
}

#[test]
fn two_paths_with_one_variable_are_refused_where_variables_are_made() {
    let alice = alice_with_dev("a-b: 1\na_b: 2\n");
    changes_nothing(alice.secretree(["decrypt", "dev", "--format", "dotenv"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `a-b` and `a_b` both become the variable `A_B`
        hint: rename one, or declare `env: OTHER_NAME` for it under `secrets` in the policy
    "#]]);
    changes_nothing(alice.secretree(["decrypt", "dev", "--format", "json"])).code(0);
    changes_nothing(alice.secretree(["run", "dev", "--", "true"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `a-b` and `a_b` both become the variable `A_B`
        hint: rename one, or declare `env: OTHER_NAME` for it under `secrets` in the policy
    "#]]);
    // A declared name parts them.
    let policy = alice.read_text(".secrets.yaml");
    alice.write(".secrets.yaml", policy + "secrets: {a_b: {env: OTHER}}\n");
    alice
        .secretree(["decrypt", "dev", "--format", "dotenv"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stdout
            A_B=1
            OTHER=2
        "#]]);
}

/// `dev` extends `common`.
fn with_layers() -> Person {
    let alice = alice(
        "default_environment: dev\nenvironments:\n  common: {file: common.yaml, readers: [alice]}\n  \
         dev: {file: dev.yaml, readers: [alice], extends: [common]}\n",
    );
    edit(
        &alice,
        "common",
        "m: {a: 1, b: 2}\nl: [1, 2]\nhidden: 1\nshared: base\n",
    )
    .run()
    .succeeds();
    edit(&alice, "dev", "m: {b: 3} # own\nl: [9]\nhidden: null\n")
        .run()
        .succeeds();
    alice
}

#[test]
fn yaml_is_the_files_own_text_and_the_rest_is_merged() {
    let alice = with_layers();
    let decrypt = |operands: &[&str]| changes_nothing(alice.secretree([&["decrypt"], operands].concat()));
    decrypt(&[]).check(expect![[r#"
        status: 0
        --- stdout
        m: {b: 3} # own
        l: [9]
        hidden: null
    "#]]);
    decrypt(&["--merged"]).check(expect![[r#"
        status: 0
        --- stdout
        m:
          a: 1
          b: 3
        l:
          - 9
        hidden: null
        shared: base
    "#]]);
    decrypt(&["--format", "json"]).check(expect![[r#"
        status: 0
        --- stdout
        {
          "m": {
            "a": 1,
            "b": 3
          },
          "l": [
            9
          ],
          "hidden": null,
          "shared": "base"
        }
    "#]]);
    decrypt(&["--format", "dotenv"]).check(expect![[r#"
        status: 0
        --- stdout
        M_A=1
        M_B=3
        L_0=9
        SHARED=base
    "#]]);
    // The base's failure is this command's, unless only the own text is asked for.
    let base = alice.read_text("common.yaml");
    alice.write("common.yaml", format!("plain: 1\n{base}"));
    decrypt(&["--merged"]).code(5).prints("");
    decrypt(&["--format", "shell"]).code(5).prints("");
    decrypt(&[]).code(0);
}

#[test]
fn readable_values_are_left_out_where_programs_would_act_on_them() {
    let alice = alice_with_dev("log: {level: info}\n");
    let policy = alice.read_text(".secrets.yaml");
    alice.write(".secrets.yaml", policy.replace("\"log.*\"", "\"log.*\", path, ld.*"));
    edit(
        &alice,
        "dev",
        "log: {level: info}\npath: /evil\nld: {preload: evil.so}\nifs: sealed\n",
    )
    .run()
    .succeeds();
    for format in ["dotenv", "shell"] {
        let output = alice.secretree(["decrypt", "dev", "--format", format]).run();
        assert!(!output.succeeds().stdout().contains("evil"));
    }
    alice
        .secretree(["decrypt", "dev", "--format", "shell"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stdout
            export LOG_LEVEL='info'
            export IFS='sealed'
            --- stderr
            warning: left out, for they stand readable and programs act on such variables: `path` (PATH), `ld.preload` (LD_PRELOAD)
        "#]]);
    alice
        .secretree(["decrypt", "dev", "--format", "json"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stdout
            {
              "log": {
                "level": "info"
              },
              "path": "/evil",
              "ld": {
                "preload": "evil.so"
              },
              "ifs": "sealed"
            }
        "#]]);
}

#[test]
fn a_file_is_for_its_owner_alone() {
    let alice = alice_with_dev("a: 1\n");
    // No repository: nothing here could be committed.
    alice
        .secretree(["decrypt", "dev", "--format", "dotenv", "-o", "out.env"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            wrote out.env
        "#]]);
    assert_eq!(alice.read_text("out.env"), "A=1\n");
    let mode = std::fs::metadata(alice.work("out.env")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // Also where a file that everybody reads stood.
    std::fs::set_permissions(alice.work("out.env"), std::fs::Permissions::from_mode(0o644)).unwrap();
    alice.secretree(["decrypt", "dev", "-o", "out.env"]).run().succeeds();
    let mode = std::fs::metadata(alice.work("out.env")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    changes_nothing(alice.secretree(["decrypt", "dev", "-o", "missing/out.env"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `missing` does not exist
        hint: make the folder: mkdir -p 'missing'
    "#]]);
}

#[test]
fn plaintext_does_not_go_where_git_could_take_it() {
    let alice = alice_with_git(TWO_ENVIRONMENTS);
    edit(&alice, "dev", "a: 1\n").run().succeeds();
    alice.write("deep/file", "");
    alice.write(".gitignore", "*.env\n");
    let decrypt = |output: &str| alice.secretree(["decrypt", "dev", "-o", output]);
    changes_nothing(decrypt("out.yaml")).check(expect![[r#"
        status: 1
        --- stderr
        error: `out.yaml` is inside the work tree and git does not ignore it
        hint: echo '/out.yaml' >> .gitignore, choose a FILE outside, or say --force
    "#]]);
    changes_nothing(decrypt("out.yaml").inside("deep")).check(expect![[r#"
        status: 1
        --- stderr
        error: `out.yaml` is inside the work tree and git does not ignore it
        hint: echo '/deep/out.yaml' >> .gitignore, choose a FILE outside, or say --force
    "#]]);
    changes_nothing(decrypt("../work/out.yaml")).code(1);
    std::os::unix::fs::symlink(alice.work(""), alice.folder().join("link")).unwrap();
    changes_nothing(decrypt("../link/out.yaml")).code(1);
    decrypt("out.env").run().succeeds();
    decrypt("../outside.yaml").run().succeeds();
    decrypt("out.yaml").operand("--force").run().check(expect![[r#"
        status: 0
        --- stderr
        wrote out.yaml
    "#]]);
    assert_eq!(alice.read_text("out.yaml"), "a: 1\n");
}

#[test]
fn plaintext_never_replaces_a_file_of_ours() {
    let alice = alice_with_git(TWO_ENVIRONMENTS);
    edit(&alice, "dev", "a: 1\n").run().succeeds();
    let decrypt = |output: &str| alice.secretree(["decrypt", "dev", "--force", "-o", output]);
    changes_nothing(decrypt("secrets/dev.yaml")).check(expect![[r#"
        status: 1
        --- stderr
        error: `secrets/dev.yaml` is a file of secretree; plaintext never replaces it
        hint: choose another FILE
    "#]]);
    changes_nothing(decrypt("secrets/prod.yaml")).code(1);
    changes_nothing(decrypt(".secrets.yaml")).code(1);
}

#[test]
fn nothing_is_written_when_the_environment_cannot_be_opened() {
    let alice = alice_with_dev("a: 1\n");
    let file = alice.read_text("secrets/dev.yaml");
    alice.write("secrets/dev.yaml", format!("b: plain\n{file}"));
    changes_nothing(alice.secretree(["decrypt", "dev", "--format", "json", "-o", "out"])).check(expect![[r#"
        status: 5
        --- stderr
        error: `dev:b` (line 1 column 4) is not encrypted
        hint: secretree encrypt dev
    "#]]);
    alice.write("secrets/dev.yaml", file);
    std::fs::remove_file(alice.identity_file()).unwrap();
    let before = snapshot(&alice.folder());
    alice.secretree(["decrypt", "dev", "-o", "out"]).run().code(4);
    assert!(before == snapshot(&alice.folder()));
}
