//! Formatters run over an environment file: every value still opens, every token keeps its line, and neighbours are
//! still merged by git alone.

use std::process::Command;

use crate::fixture::{TWO_ENVIRONMENTS, alice_with_git, edit};
use crate::sandbox::Person;
use crate::tools::{require, require_unless_missing};

/// Values of many shapes. Nothing here is laid out as any formatter wants it.
const TEXT: &str = "\
# Payments, production.   Two blanks, and a comment that is much longer than eighty characters so that it may be folded.
database:
    password: \"four deep\"     # a comment behind a value
    'quoted key':   'it''s'
    port: 5432
    nested:
        deeper:
            deepest: value


hosts:
- one
-   two   # second
- name: three
  tags: [a,   'b',\"c\"]
-
  - inner
  - inner too
empty_list: []
empty_mapping: { }
flow: {a: 1,b: \"two\",   c: [x, y], d: {e: f}}
long_flow: {first: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, second: bbbbbbbbbbbbbbbbbbbbbbbbbbbbb, third: cccccccccccccccccccccc}
nothing:
tilde: ~
word: null
flag: yes
truth: True
version: 1.10
agent: 007
octal: 0o17
date: 2026-01-02
literal: |
    one
      two

    three
stripped: |-
  -----BEGIN KEY-----
  AAAA
  -----END KEY-----
kept: |+
  text


folded: >-
  one
  two

  three
plain over lines: one
  two
  three
double: \"line\\nbreak \\u00e9 and a very long text that a formatter may want to fold because it is far over eighty\"
log:
  level:   info   # readable
  'format': \"json\"
# between
unicode: \"grüße 🎉\"
url: https://example.com/?a=b#c
hash: \"# no comment\"
\"8080\": number
last: value";

/// Everything this environment delivers, typed.
#[track_caller]
fn values(person: &Person) -> String {
    let output = person.secretree(["decrypt", "dev", "--format", "json"]).run();
    output.code(0).stdout()
}

/// How many tokens stand alone on their line, and how many inline.
fn tokens(file: &str) -> (usize, usize) {
    let lines = file.lines().map(str::trim).filter(|line| line.contains("ENC[age,"));
    let (alone, inline): (Vec<_>, Vec<_>) = lines.partition(|line| line.starts_with("ENC[age,") && line.ends_with(']'));
    let inline = inline.iter().map(|line| line.matches("ENC[age,").count()).sum();
    (alone.len(), inline)
}

/// Formats, then looks at all that must hold.
fn survives(name: &str, format: impl Fn(&Person) -> std::process::Output) {
    let alice = alice_with_git(TWO_ENVIRONMENTS);
    edit(&alice, "dev", TEXT).run().succeeds();
    let (before, original) = (values(&alice), alice.read_text("secrets/dev.yaml"));
    let output = format(&alice);
    let formatted = alice.read_text("secrets/dev.yaml");
    assert_ne!(formatted, original, "{name} did nothing: {output:?}");
    assert_eq!(values(&alice), before, "{name} changed values");
    assert_eq!(
        tokens(&formatted),
        tokens(&original),
        "{name} moved tokens:\n{formatted}"
    );
    // Once more: what a formatter wants is stable, and readable by us.
    format(&alice);
    assert_eq!(values(&alice), before, "{name} changed values the second time");
    // A write leaves the layout alone but for its own line.
    let formatted = alice.read_text("secrets/dev.yaml");
    alice
        .secretree(["set", "dev", "database.password"])
        .input("new")
        .run()
        .succeeds();
    let written = alice.read_text("secrets/dev.yaml");
    let (old, new): (Vec<_>, Vec<_>) = (formatted.lines().collect(), written.lines().collect());
    let changed = old.iter().zip(&new).filter(|(old, new)| old != new).count();
    assert_eq!((new.len(), changed), (old.len(), 1), "{name}:\n{written}");
    alice.secretree(["get", "dev", "database.password"]).run().prints("new");
    alice.commit("formatted");
    merges(name, &alice);
}

/// Two branches that change neighbours are merged by plain git, and both values open.
fn merges(name: &str, alice: &Person) {
    let change = |branch: &str, path: &str| {
        alice
            .git(["checkout", "--quiet", "-b", branch, "main"])
            .run()
            .succeeds();
        alice.secretree(["set", "dev", path]).input(branch).run().succeeds();
        alice.commit(branch);
    };
    change("ours", "database.password");
    change("theirs", "database.\"quoted key\"");
    change("first", "hosts.0");
    change("second", "hosts.1");
    alice.git(["checkout", "--quiet", "ours"]).run().succeeds();
    for branch in ["theirs", "first", "second"] {
        alice.git(["merge", "--quiet", "--no-edit", branch]).run().code(0);
    }
    for (path, value) in [
        ("database.password", "ours"),
        ("database.\"quoted key\"", "theirs"),
        ("hosts.0", "first"),
        ("hosts.1", "second"),
    ] {
        let output = alice.secretree(["get", "dev", path]).run();
        assert_eq!(output.code(0).stdout(), value, "{name}: {path}");
    }
}

/// Runs a program of the machine in somebody's work folder, with the machine's `PATH`.
fn run(person: &Person, program: &str, operands: &[&str]) -> std::process::Output {
    Command::new(program)
        .args(operands)
        .current_dir(person.work(""))
        .env("HOME", person.folder().join("home"))
        .output()
        .unwrap_or_else(|error| panic!("`{program}` did not start: {error}"))
}

#[test]
fn prettier() {
    if require(&["prettier"]) {
        survives("prettier", |person| {
            run(person, "prettier", &["--write", "secrets/dev.yaml"])
        });
    }
}

#[test]
fn yamlfix() {
    if require(&["yamlfix"]) {
        survives("yamlfix", |person| run(person, "yamlfix", &["secrets/dev.yaml"]));
    }
}

#[test]
fn pretty_format_yaml_by_two_and_four() {
    if require(&["pretty-format-yaml"]) {
        for indent in ["2", "4"] {
            survives("pretty-format-yaml", |person| {
                run(
                    person,
                    "pretty-format-yaml",
                    &["--autofix", "--indent", indent, "secrets/dev.yaml"],
                )
            });
        }
    }
}

#[test]
fn ruamel() {
    let there = Command::new("python3").args(["-c", "import ruamel.yaml"]).output();
    let missing: &[&str] = if there.is_ok_and(|output| output.status.success()) {
        &[]
    } else {
        &["ruamel.yaml"]
    };
    if !require_unless_missing(missing) {
        return;
    }
    // Its own widths and indents, and others.
    for settings in ["", "y.indent(mapping=4, sequence=6, offset=4)", "y.width = 40"] {
        let program = format!(
            "import ruamel.yaml, pathlib\ny = ruamel.yaml.YAML()\n{settings}\np = pathlib.Path('secrets/dev.yaml')\n\
             d = y.load(p)\ny.dump(d, p)\n"
        );
        survives("ruamel", |person| run(person, "python3", &["-c", &program]));
    }
}
