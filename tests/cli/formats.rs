//! `decrypt` in the formats that other tools take, and by a template: what they look like, and what each of them cannot
//! carry. That their readers read the values back is `format_readers`'.

use expect_test::expect;

use crate::canary::Canary;
use crate::fixture::{alice_with_dev, changes_nothing, edit};
use crate::sandbox::Person;

const TEXT: &str =
    "database:\n  password: it's 100%\n  port: 5432\nlog:\n  level: info\nversion: 1.10\nflag: true\nnothing: ~\n";

fn decrypt(alice: &Person, operands: &[&str]) -> crate::run::Run {
    alice.secretree([&["decrypt", "dev"], operands].concat())
}

#[test]
fn docker_takes_lines_as_they_stand() {
    let alice = alice_with_dev(TEXT);
    changes_nothing(decrypt(&alice, &["--format", "docker"])).check(expect![[r#"
        status: 0
        --- stdout
        DATABASE_PASSWORD=it's 100%
        DATABASE_PORT=5432
        LOG_LEVEL=info
        VERSION=1.10
        FLAG=true
    "#]]);
}

#[test]
fn kubernetes_takes_a_manifest() {
    let alice = alice_with_dev(TEXT);
    let format =
        |operands: &[&str]| changes_nothing(decrypt(&alice, &[&["--format", "kubernetes"], operands].concat()));
    format(&["--name", "shop"]).check(expect![[r#"
        status: 0
        --- stdout
        apiVersion: v1
        kind: Secret
        metadata:
          name: "shop"
        type: Opaque
        data:
          DATABASE_PASSWORD: "aXQncyAxMDAl"
          DATABASE_PORT: "NTQzMg=="
          LOG_LEVEL: "aW5mbw=="
          VERSION: "MS4xMA=="
          FLAG: "dHJ1ZQ=="
    "#]]);
    let namespaced = format(&["--name", "shop", "--namespace", "web"]);
    assert!(
        namespaced
            .succeeds()
            .stdout()
            .contains("  name: \"shop\"\n  namespace: \"web\"\n")
    );
    format(&[]).check(expect![[r#"
        status: 2
        --- stderr
        error: `--format kubernetes` needs the name of the Secret
        hint: --name NAME
    "#]]);
    format(&["--name", "Shop"]).check(expect![[r#"
        status: 2
        --- stderr
        error: `--name`: `Shop` is no name of a Secret
        hint: lower-case letters, digits, `-` and `.`, with a letter or digit at both ends of each part
    "#]]);
    format(&["--name", "shop", "--namespace", "a.b"]).check(expect![[r#"
        status: 2
        --- stderr
        error: `--namespace`: `a.b` is no name of a namespace
        hint: at most 63 lower-case letters, digits and `-`, with a letter or digit at both ends
    "#]]);
    changes_nothing(decrypt(&alice, &["--name", "shop"])).check(expect![[r#"
        status: 2
        --- stderr
        error: `--name` goes with `--format kubernetes`
    "#]]);
    changes_nothing(decrypt(&alice, &["--namespace", "web"])).code(2);
}

#[test]
fn github_is_told_masks_first() {
    let alice = alice_with_dev(TEXT);
    let format = |env: &str| decrypt(&alice, &["--format", "github"]).env("GITHUB_ENV", env);
    alice.write("github_env", "");
    format("github_env").run().check(expect![[r#"
        status: 0
        --- stdout
        ::add-mask::it's 100%25
        ::add-mask::5432
        ::add-mask::1.10
    "#]]);
    let written = alice.read_text("github_env");
    let (_, delimiter) = written.lines().next().unwrap().split_once("<<").unwrap();
    expect![[r#"
        DATABASE_PASSWORD<<DELIMITER
        it's 100%
        DELIMITER
        DATABASE_PORT<<DELIMITER
        5432
        DELIMITER
        LOG_LEVEL<<DELIMITER
        info
        DELIMITER
        VERSION<<DELIMITER
        1.10
        DELIMITER
        FLAG<<DELIMITER
        true
        DELIMITER
    "#]]
    .assert_eq(&written.replace(delimiter, "DELIMITER"));
    // The next time it is another delimiter, behind what stands there.
    format("github_env").run().succeeds();
    let both = alice.read_text("github_env");
    assert!(both.starts_with(&written) && both.matches(delimiter).count() == written.matches(delimiter).count());
}

#[test]
fn github_gets_nothing_that_is_not_masked() {
    let alice = alice_with_dev(TEXT);
    alice.write("github_env", "A=1");
    let script = "secretree decrypt dev --format github > /dev/full";
    changes_nothing(alice.command("sh", ["-c", script]).env("GITHUB_ENV", "github_env")).check(expect![[r#"
        status: 1
        --- stderr
        error: cannot write to standard output: No space left on device (os error 28)
    "#]]);
    changes_nothing(decrypt(&alice, &["--format", "github"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `GITHUB_ENV` is not set: this is no step of a GitHub Actions job
        hint: elsewhere: --format shell, dotenv or json
    "#]]);
    let missing = decrypt(&alice, &["--format", "github"]).env("GITHUB_ENV", "missing");
    changes_nothing(missing).check(expect![[r#"
        status: 1
        --- stderr
        error: cannot read `missing`, which `GITHUB_ENV` names: No such file or directory (os error 2)
    "#]]);
    let folder = decrypt(&alice, &["--format", "github"]).env("GITHUB_ENV", "secrets");
    changes_nothing(folder).check(expect![[r#"
        status: 1
        --- stderr
        error: `secrets`, which `GITHUB_ENV` names, is no file
    "#]]);
    let output = decrypt(&alice, &["--format", "github", "-o", "out"]).env("GITHUB_ENV", "github_env");
    changes_nothing(output).check(expect![[r#"
        status: 2
        --- stderr
        error: `--output` does not go with `--format github`: the runner reads the masks on standard output
    "#]]);
}

#[test]
fn what_a_format_cannot_carry_names_the_path() {
    let alice = alice_with_dev("a: 1\n");
    alice.write("github_env", "");
    let refused = |text: &str, formats: &[&str]| {
        edit(&alice, "dev", text).run().succeeds();
        let mut messages = String::new();
        for format in [
            "docker",
            "dotenv",
            "shell",
            "github",
            "json --flat",
            "kubernetes --name x",
        ] {
            let operands: Vec<&str> = std::iter::once("--format").chain(format.split(' ')).collect();
            let run = decrypt(&alice, &operands).env("GITHUB_ENV", "github_env");
            if formats.contains(&format) {
                let output = changes_nothing(run);
                output.code(1).prints("");
                messages.push_str(&output.stderr());
            } else {
                run.run().succeeds();
            }
        }
        messages
    };
    expect![[r#"
        error: the value of `"lines.two"` has more than one line, and an env-file of Docker cannot hold that
        hint: Docker takes any value by its name: secretree run ENV -- docker run -e LINES_TWO …
    "#]]
    .assert_eq(&refused("lines.two: \"a\\nb\"\n", &["docker"]));
    expect![[r#"
        error: the value of `return` holds a carriage return, and an env-file of Docker cannot hold that
        hint: Docker takes any value by its name: secretree run ENV -- docker run -e RETURN …
    "#]]
    .assert_eq(&refused("return: \"a\\r\"\n", &["docker"]));
    let long = format!("long: {}\n", "x".repeat(64 << 10));
    expect![[r#"
        error: the value of `long` is longer than the 64 KiB of a line, and an env-file of Docker cannot hold that
        hint: Docker takes any value by its name: secretree run ENV -- docker run -e LONG …
    "#]]
    .assert_eq(&refused(&long, &["docker"]));
    expect![[r#"
        error: the value of `der` is not UTF-8 text, and an env-file of Docker cannot hold that
        hint: Docker takes any value by its name: secretree run ENV -- docker run -e DER …
        error: the value of `der` is not UTF-8 text, and a dotenv file holds nothing else
        hint: --format json writes bytes as base64, --format shell as they are
        error: the value of `der` is not UTF-8 text, and GitHub's variables hold nothing else
        hint: it can be read by itself: secretree get ENV 'der' > FILE
    "#]]
    .assert_eq(&refused("der: !!binary /yA=\n", &["docker", "dotenv", "github"]));
    let without_nul = ["docker", "dotenv", "shell", "github", "json --flat"];
    expect![[r#"
        error: the value of `nul` holds a NUL, and no variable can
        hint: it can be read by itself: secretree get ENV 'nul' > FILE
        error: the value of `nul` holds a NUL, and no variable can
        hint: it can be read by itself: secretree get ENV 'nul' > FILE
        error: the value of `nul` holds a NUL, and no variable can
        hint: it can be read by itself: secretree get ENV 'nul' > FILE
        error: the value of `nul` holds a NUL, and no variable can
        hint: it can be read by itself: secretree get ENV 'nul' > FILE
        error: the value of `nul` holds a NUL, and no variable can
        hint: it can be read by itself: secretree get ENV 'nul' > FILE
    "#]]
    .assert_eq(&refused("nul: \"\\0\"\n", &without_nul));
    expect![[r#"
        error: `node.options` becomes the variable `NODE_OPTIONS`, which the runner refuses to set
        hint: rename it, or declare `env: OTHER_NAME` for it under `secrets` in the policy
    "#]]
    .assert_eq(&refused("node: {options: --inspect}\n", &["github"]));
}

#[test]
fn a_template_makes_any_text() {
    let alice = alice_with_dev(TEXT);
    alice.write(
        "app.j2",
        "url = postgres://app:{{ database.password | url }}@db:{{ database.port }}\nlevel = {{ LOG_LEVEL }}\n\
         {% if not flag %}never{% endif -%}\nversion = {{ version }}\n",
    );
    changes_nothing(decrypt(&alice, &["--template", "app.j2"])).check(expect![[r#"
        status: 0
        --- stdout
        url = postgres://app:it%27s%20100%25@db:5432
        level = info
        version = 1.10
    "#]]);
    decrypt(&alice, &["--template", "app.j2", "-o", "app.conf"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            wrote app.conf
        "#]]);
    assert!(
        alice
            .read_text("app.conf")
            .starts_with("url = postgres://app:it%27s%20100%25@db:5432\n")
    );
    let refused = |template: &str| {
        alice.write("bad.j2", template);
        changes_nothing(decrypt(&alice, &["--template", "bad.j2", "-o", "never"]))
    };
    refused("\n{{ database.passwrod }}\n").check(expect![[r#"
        status: 1
        --- stderr
        error: `bad.j2` line 2: there is no value at `database.passwrod`
        hint: what there is: secretree list; for what may be missing: `| default("…")`
    "#]]);
    refused("{% if %}").check(expect![[r#"
        status: 1
        --- stderr
        error: `bad.j2` line 1: unexpected end of block
        hint: filters and examples: secretree decrypt --help
    "#]]);
    refused("{{ database }}").check(expect![[r#"
        status: 1
        --- stderr
        error: `bad.j2` line 1: a mapping or a list cannot be printed; name a value in it, or write `| json`
    "#]]);
    refused("{% include 'app.j2' %}").code(1);
    changes_nothing(decrypt(&alice, &["--template", "missing.j2"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `missing.j2` does not exist
    "#]]);
    changes_nothing(decrypt(&alice, &["--template", "app.j2", "--format", "json"])).code(2);
}

#[test]
fn a_template_that_asks_for_all_memory_ends() {
    let alice = alice_with_dev("a: 1\n");
    alice.write(
        "bomb.j2",
        "{% set x = 'x' * 1000000 %}".to_owned() + &"{% set x = x ~ x %}".repeat(20),
    );
    // SIGABRT: an allocation that the limit forbids. Nothing was written before that.
    let output = changes_nothing(decrypt(&alice, &["--template", "bomb.j2"]));
    assert_eq!(output.prints("").signal(), Some(6), "{}", output.stderr());
}

#[test]
fn chains_as_long_as_a_template_may_be_are_no_danger() {
    let alice = alice_with_dev("a: 1\n");
    for (name, printed, template) in [
        ("not.j2", "true", format!("{{{{ {}true }}}}", "not ".repeat(250_000))),
        ("minus.j2", "1", format!("{{{{ {}1 }}}}", "-".repeat(1_000_000))),
        (
            "elif.j2",
            "",
            format!("{{% if 0 %}}{}1{{% endif %}}", "{%elif 0%}".repeat(90_000)),
        ),
    ] {
        alice.write(name, template);
        changes_nothing(decrypt(&alice, &["--template", name])).prints(printed);
    }
}

#[test]
fn a_template_shows_no_value_when_it_fails() {
    let canary = Canary::new();
    let alice = alice_with_dev(&format!("secret: {}\n", canary.value()));
    std::fs::remove_file(alice.folder().join("edited.yaml")).unwrap();
    for template in [
        "{{ secret + 1 }}",
        "{{ secret.x }}",
        "{{ secret | nope }}",
        "{{ secret() }}",
        "{{ -secret }}",
    ] {
        alice.write("bad.j2", template);
        decrypt(&alice, &["--template", "bad.j2"]).run().code(1).prints("");
    }
    canary.assert_unseen(alice.sandbox(), &[]);
}
