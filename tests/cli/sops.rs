//! sops files, with the real sops as the peer: what it encrypts is read here as it would decrypt it. What is refused is in
//! `sops_refused`, what is written in `sops_written`.

use std::path::Path;

use expect_test::expect;
use secretree::crypto::identities::{Identities, KeySource};
use secretree::crypto::plugins::Plugins;
use secretree::document::path::ValuePath;
use secretree::document::tree::{Rules, Tree};
use secretree::error::Failure;
use secretree::formats::Imported;
use secretree::formats::sops::{kind_of, read};
use secretree::value::Value;

use crate::run::Run;
use crate::sandbox::{Person, Sandbox};
use crate::tools::require;

/// sops with alice's identity.
pub(crate) fn sops<const N: usize>(alice: &Person, operands: [&str; N]) -> Run {
    let run = alice.command("sops", operands).reveals();
    run.env("SOPS_AGE_KEY_FILE", alice.identity_file())
}

/// Encrypts a file in place, for alice.
pub(crate) fn encrypt(alice: &Person, name: &str, text: &str, options: &[&str]) {
    alice.write(name, text);
    let public = alice.public_key();
    let operands = [&["--encrypt", "--in-place", "--age", &public], options, &[name]].concat();
    alice.command("sops", operands).run().succeeds();
}

/// What we make of a file of alice's.
pub(crate) fn opened(alice: &Person, name: &str) -> Result<Imported, Failure> {
    let sources = vec![KeySource::file("alice", alice.identity_file())];
    opened_by(alice, name, &mut Identities::new(sources, Plugins::none()))
}

fn opened_by(alice: &Person, name: &str, identities: &mut Identities) -> Result<Imported, Failure> {
    let bytes = alice.read(name);
    let kind = kind_of(Path::new(name), &bytes).expect("a sops file");
    read(&bytes, kind, identities, name).map_err(Failure::from)
}

/// The values of a text, and its comments.
pub(crate) fn values(text: &str) -> Vec<(ValuePath, Value)> {
    let tree = Tree::parse(text, Rules::Text).unwrap_or_else(|refusal| panic!("{refusal}\n{text}"));
    let scalars = tree.scalars().into_iter();
    scalars.map(|(path, scalar)| (path, scalar.value())).collect()
}

fn comments(text: &str) -> Vec<&str> {
    let lines = text.lines().map(|line| line.trim_start_matches([' ', '-']));
    lines.filter(|line| line.starts_with('#')).collect()
}

const DOCUMENTS: &[(&str, &str, &[&str])] = &[
    (
        "plain.yaml",
        "a: x\nb: \"true\"\nc: '1.10'\nd: \"007\"\ne: \"\"\nf: ~\ng:\n",
        &[],
    ),
    (
        "types.yaml",
        "a: 12\nb: -3\nc: true\nd: False\ne: 0x1F\nf: 0777\ng: 9223372036854775807\nh: 1_000\n",
        &[],
    ),
    (
        "floats.yaml",
        "a: 1.5\nb: -0.25\nc: .inf\nd: -.inf\ne: .nan\nf: 2.0\n",
        &[],
    ),
    (
        "times.yaml",
        "a: 2020-01-02\nb: 2020-01-02T03:04:05Z\nc: 2020-01-02T03:04:05.25+01:00\nd: \"2020-01-02\"\n",
        &[],
    ),
    ("bytes.yaml", "a: !!binary AP8=\nb: !!binary YWJj\n", &[]),
    (
        "lines.yaml",
        "a: |\n  one\n  two\nb: |-\n  one\n  # no comment\nc: |+\n  one\n\nd: >\n  folded\n  text\ne: \"x\\ny\\n\\n\"\nf: \" lead\\nx\"\n",
        &[],
    ),
    (
        "unicode.yaml",
        "ключ: значение\na: \"é\\u2028\\u0085\\uFEFF\\t\\0\"\nb: 😀\n\"a b\": c\n\"x: y\": z\n",
        &[],
    ),
    (
        "nested.yaml",
        "a:\n  b:\n    c: x\n  d: [1, [two, {three: 3}], {}]\ne: []\nf: {}\nl:\n- - a\n  - b\n- k: v\n  m:\n  - n\n-\n",
        &[],
    ),
    (
        "comments.yaml",
        "# head\n# two\na: x # behind\nl:\n  # first\n  - y # behind y\n  # last\nm:\n  # inner\n  k: v\n  # foot\n\n# root\nz: 1\n# tail\n",
        &[],
    ),
    (
        "list-comments.yaml",
        "l:\n- - a # x\n  # in\n  - b\n- k: v # y\n  # z\n  m: n\n",
        &[],
    ),
    (
        "suffix.yaml",
        "a_unencrypted: 0777\nb: x\nc_unencrypted:\n  d: 1e3\n  e: true\n  f: 2020-01-02\n  g: [yes, ~, 1.10, \"x\\ny\"]\n",
        &[],
    ),
    (
        "own-suffix.yaml",
        "a_open: 1.0\nb: x\n",
        &["--unencrypted-suffix", "_open"],
    ),
    (
        "only-suffix.yaml",
        "a_secret: 1\nb: x\n",
        &["--encrypted-suffix", "_secret"],
    ),
    (
        "regex.yaml",
        "apiVersion: v1\nmetadata: {name: x}\n# about data\ndata:\n  a: b # c\nstringData: {c: 1}\n",
        &["--encrypted-regex", "^(data|stringData)$"],
    ),
    (
        "un-regex.yaml",
        "log:\n  level: info\na: b\n",
        &["--unencrypted-regex", "^log$"],
    ),
    (
        "mac.yaml",
        "a_secret: 1\nb: x\nc: 2.50\n",
        &["--encrypted-suffix", "_secret", "--mac-only-encrypted"],
    ),
    (
        "comment-regex.yaml",
        "# sops:enc\na: x\nb: y\n",
        &["--encrypted-comment-regex", "sops:enc"],
    ),
    ("empty.yaml", "{}\n", &[]),
    ("marker.yaml", "---\na: x\n", &[]),
    (
        "types.json",
        "{\"a\": 12, \"b\": 1.50, \"c\": true, \"d\": null, \"e\": \"\", \"f\": \"1.10\", \"g\": 1e21, \"h\": \"a\\nb\"}\n",
        &[],
    ),
    (
        "nested.json",
        "{\"z\": {\"y\": [1, [\"x\", {\"k\": false}], {}]}, \"a\": [], \"8080\": \"é\", \"u_unencrypted\": 12345.5}\n",
        &[],
    ),
    (
        "regex.json",
        "{\"a\": 1, \"b\": {\"a\": \"x\"}, \"c\": 2.5}\n",
        &["--encrypted-regex", "^a$"],
    ),
    ("plain.env", "A=1\n# why\nB=x y\nC=a\\nb\n\nD=\nE=é#x\nF=a=b\n#\n", &[]),
    ("suffix.env", "A_unencrypted=a\\nb\nB=x\n", &["--mac-only-encrypted"]),
];

#[test]
fn every_document_is_read_as_sops_decrypts_it() {
    if !require(&["sops"]) {
        return;
    }
    let alice = Sandbox::new().person("alice");
    for (name, text, options) in DOCUMENTS {
        encrypt(&alice, name, text, options);
        let decrypted = sops(&alice, ["--decrypt", "--output-type", "yaml", name]).run();
        let theirs = decrypted.succeeds().stdout();
        let ours =
            opened(&alice, name).unwrap_or_else(|failure| panic!("{name}: {failure}\n{}", alice.read_text(name)));
        let theirs = if theirs.trim() == "{}" { "" } else { &theirs };
        assert_eq!(values(&ours.text), values(theirs), "{name}: {}\n{theirs}", *ours.text);
        assert_eq!(
            comments(&ours.text),
            comments(theirs),
            "{name}: {}\n{theirs}",
            *ours.text
        );
        assert!(ours.notes.is_empty(), "{name}: {:?}", ours.notes);
    }
}

#[test]
fn the_text_stays_as_it_stands() {
    if !require(&["sops"]) {
        return;
    }
    let alice = Sandbox::new().person("alice");
    encrypt(
        &alice,
        "a.yaml",
        "# head\nplain: \"yes\"\n\npem: |\n    one\n    two\nf: 1234567.5\nbig: 1e300\nlist:\n    # in a list\n    - x # behind\n    - - y\n# tail\n",
        &[],
    );
    // As people do: a comment, a blank line, quotes, and the metadata not at the end.
    let text = alice.read_text("a.yaml");
    let (body, metadata) = text.split_once("sops:\n").unwrap();
    let text = format!(
        "sops:\n{metadata}\n# by hand\n{}",
        body.replace("f: ", "f:   ").replace("big: ENC", "big: # b\n  ENC")
    );
    alice.write("a.yaml", &text);
    expect![[r#"

        # by hand
        # head
        plain: "yes"
        pem: |
          one
          two
        f:   1234567.5
        big: # b
          1e+300
        list:
            # in a list
            # behind
            - x
            - - "y"
        # tail
    "#]]
    .assert_eq(&opened(&alice, "a.yaml").unwrap().text);
    alice.write("a.yaml", text.replace('\n', "\r\n"));
    let crlf = opened(&alice, "a.yaml").unwrap();
    assert_eq!(crlf.text.matches('\n').count(), crlf.text.matches("\r\n").count());
    encrypt(&alice, "a.env", "# why\nexport A=\"q q\"\nB=two\\nlines\nC='x'\n", &[]);
    let read = opened(&alice, "a.env").unwrap();
    expect![[r##"
        # why
        A: "\"q q\""
        B: |-
          two
          lines
        C: "'x'"
        ["the quotes around `A`, `C` are kept, for sops takes them as a part of the value"]"##]]
    .assert_eq(&format!("{}{:?}", *read.text, read.notes));
}

#[test]
fn an_ssh_key_opens_too() {
    if !require(&["sops", "ssh-keygen"]) {
        return;
    }
    let alice = Sandbox::new().person("alice");
    let made = alice.command(
        "ssh-keygen",
        ["-q", "-t", "ed25519", "-N", "", "-C", "alice@host", "-f", "key"],
    );
    made.run().succeeds();
    alice.write("a.yaml", "a: x\n");
    let public = alice.read_text("key.pub");
    let public = public.trim();
    sops(&alice, ["--encrypt", "--in-place", "--age", public, "a.yaml"])
        .run()
        .succeeds();
    let sources = vec![KeySource::file("key", alice.work("key"))];
    let read = opened_by(&alice, "a.yaml", &mut Identities::new(sources, Plugins::none()));
    assert_eq!(*read.unwrap().text, "a: x\n");
}
