//! sops files, with the real sops as the peer: what it encrypts is read here as it would decrypt it, what is written here
//! it decrypts and edits, and what was changed behind its back is refused.

use std::path::Path;

use expect_test::expect;
use secretree::crypto::identities::{Identities, KeySource, generate_x25519};
use secretree::crypto::plugins::Plugins;
use secretree::document::path::ValuePath;
use secretree::document::tree::{Rules, Tree};
use secretree::error::{Failure, FailureKind};
use secretree::formats::Imported;
use secretree::formats::sops::{kind_of, read};
use secretree::value::Value;

use crate::canary::Canary;
use crate::fixture::{TWO_ENVIRONMENTS, alice_with_dev, alice_with_git, changes_nothing, edit};
use crate::run::Run;
use crate::sandbox::{Person, Sandbox};
use crate::tools::require;

/// sops with alice's identity.
fn sops<const N: usize>(alice: &Person, operands: [&str; N]) -> Run {
    let run = alice.command("sops", operands).reveals();
    run.env("SOPS_AGE_KEY_FILE", alice.identity_file())
}

/// Encrypts a file in place, for alice.
fn encrypt(alice: &Person, name: &str, text: &str, options: &[&str]) {
    alice.write(name, text);
    let public = alice.public_key();
    let operands = [&["--encrypt", "--in-place", "--age", &public], options, &[name]].concat();
    alice.command("sops", operands).run().succeeds();
}

/// What we make of a file of alice's.
fn opened(alice: &Person, name: &str) -> Result<Imported, Failure> {
    let sources = vec![KeySource::file("alice", alice.identity_file())];
    opened_by(alice, name, &mut Identities::new(sources, Plugins::none()))
}

fn opened_by(alice: &Person, name: &str, identities: &mut Identities) -> Result<Imported, Failure> {
    let bytes = alice.read(name);
    let kind = kind_of(Path::new(name), &bytes).expect("a sops file");
    read(&bytes, kind, identities, name).map_err(Failure::from)
}

/// The values of a text, and its comments.
fn values(text: &str) -> Vec<(ValuePath, Value)> {
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

/// What `change` makes of the file is refused.
fn refuses(alice: &Person, name: &str, kind: FailureKind, change: impl FnOnce(&str) -> String) -> String {
    let text = alice.read_text(name);
    let changed = change(&text);
    assert_ne!(text, changed, "nothing was changed");
    alice.write(name, changed);
    let failure = opened(alice, name).err();
    let failure = failure.unwrap_or_else(|| panic!("accepted:\n{}", alice.read_text(name)));
    alice.write(name, text);
    assert_eq!(failure.kind(), kind, "{failure}");
    assert!(!format!("{failure:?}").contains("canary"), "{failure:?}");
    std::iter::once(failure.message())
        .chain(failure.hints().iter().map(String::as_str))
        .map(|line| format!("{line}\n"))
        .collect::<String>()
        .replace(&alice.public_key(), "AGE_KEY")
}

fn line_of<'t>(text: &'t str, key: &str) -> &'t str {
    text.lines().find(|line| line.trim_start().starts_with(key)).unwrap()
}

#[test]
fn what_was_changed_behind_sops_is_refused() {
    if !require(&["sops"]) {
        return;
    }
    let alice = Sandbox::new().person("alice");
    encrypt(
        &alice,
        "a.yaml",
        "a: canary1\nb: canary2\nopen_unencrypted: 1\nl: [canary3, canary4]\n",
        &[],
    );
    let refuse = |change: &dyn Fn(&str) -> String| refuses(&alice, "a.yaml", FailureKind::Integrity, change);
    let value = |text: &str, key: &str| line_of(text, key).split_once(": ").unwrap().1.to_owned();
    expect![[r#"
        `a.yaml` line 1 column 4: a value that was altered, or moved from another place
        take the last good version of the file from git
    "#]]
    .assert_eq(&refuse(&|text| text.replace(&value(text, "a:"), &value(text, "b:"))));
    expect![[r#"
        `a.yaml` was changed by something else than sops: its MAC does not fit its values
        take the last good version of the file from git
        or look at every value and save it: `sops edit --ignore-mac a.yaml`
    "#]]
    .assert_eq(&refuse(&|text| {
        text.replace("open_unencrypted: 1", "open_unencrypted: 2")
    }));
    expect![[r#"
        `a.yaml` line 1 column 4: a value that sops seals stands readable
        take the last good version of the file from git
    "#]]
    .assert_eq(&refuse(&|text| text.replace(&value(text, "a:"), "canary")));
    let fits = |change: &dyn Fn(&str) -> String, words: &str| {
        let message = refuse(change);
        assert!(message.contains(words), "{message}");
    };
    let mac = "its MAC does not fit";
    // Items of a list are bound to the list, not to their index: the MAC alone knows their order.
    let items = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| line.starts_with("    - ENC"));
        lines.map(String::from).collect()
    };
    fits(
        &|text| {
            text.replace(&items(text)[0], "§")
                .replace(&items(text)[1], &items(text)[0])
                .replace('§', &items(text)[1])
        },
        mac,
    );
    fits(&|text| text.replace(line_of(text, "b:"), ""), mac);
    fits(&|text| text.replace("sops:\n", "new_unencrypted: canary\nsops:\n"), mac);
    fits(&|text| text.replace("lastmodified: \"2", "lastmodified: \"1"), mac);
    fits(&|text| text.replace(&value(text, "mac:"), &value(text, "a:")), mac);
    fits(&|text| text.replace(&value(text, "mac:"), "\"\""), mac);
    fits(
        &|text| text.replace("unencrypted_suffix: _unencrypted", "encrypted_suffix: x"),
        mac,
    );
    fits(
        &|text| text.replace("type:str]\nb:", "type:int]\nb:"),
        "not of the type it claims",
    );
    fits(&|text| text.replacen("data:", "data:AA", 1), "altered");
    fits(&|text| text.replacen(",iv:", ",iv:AA", 1), "altered");
    fits(&|text| text.replacen("b: ", "c: ", 1), "altered");
    fits(&|text| text.replacen("YWdl", "YWdm", 1), "what is sealed for");
    encrypt(
        &alice,
        "b.json",
        "{\"a\": [\"canary1\", \"canary2\"], \"b_unencrypted\": 1}",
        &[],
    );
    let change = |text: &str| text.replace("\"b_unencrypted\": 1", "\"b_unencrypted\": 2");
    assert!(refuses(&alice, "b.json", FailureKind::Integrity, change).contains(mac));
    let change = |text: &str| text.replacen("ENC[AES256_GCM,data:", "canary", 1);
    assert!(
        refuses(&alice, "b.json", FailureKind::Integrity, change)
            .contains("at `a`: a value that sops seals stands readable")
    );
    encrypt(&alice, "c.env", "A=canary\nB_unencrypted=1\n", &[]);
    let change = |text: &str| text.replace("B_unencrypted=1", "B_unencrypted=2");
    assert!(refuses(&alice, "c.env", FailureKind::Integrity, change).contains(mac));
}

#[test]
fn what_cannot_be_read_says_the_way_out() {
    if !require(&["sops"]) {
        return;
    }
    let alice = Sandbox::new().person("alice");
    encrypt(&alice, "a.yaml", "a: canary\nb: x\n", &[]);
    let refuse = |change: &dyn Fn(&str) -> String| refuses(&alice, "a.yaml", FailureKind::Failed, change);
    expect![[r#"
        `a.yaml` line 1 column 4: an anchor (`&…`)
        write the value out where it is needed
        where sops opens it: `sops -d a.yaml | secretree import ENV -`
    "#]]
    .assert_eq(&refuse(&|text| text.replace("a: ENC", "a: &x ENC")));
    expect![[r#"
        `a.yaml` line 18 column 1: a second document (`---`)
        keep one document in a file; other environments are other files
        where sops opens it: `sops -d a.yaml | secretree import ENV -`
    "#]]
    .assert_eq(&refuse(&|text| format!("{text}---\n{text}")));
    expect![[r#"
        `a.yaml` is sealed for AWS KMS, PGP only, and only age keys are opened here
        with such a key: `sops rotate -i --add-age AGE_KEY a.yaml`, and again
        where sops opens it: `sops -d a.yaml | secretree import ENV -`
    "#]]
    .assert_eq(&refuse(&|text| {
        let (body, _) = text.split_once("    age:").unwrap();
        let (_, rest) = text.split_once("    lastmodified").unwrap();
        format!("{body}    pgp:\n      - fp: ABCD\n        enc: x\n    kms:\n      - arn: x\n    lastmodified{rest}")
    }));
    expect![[r#"
        `a.yaml` opens with keys of several groups together, which is not done here
        where sops opens it: `sops -d a.yaml | secretree import ENV -`
    "#]]
    .assert_eq(&refuse(&|text| {
        let group = "    key_groups:\n      - age: []\n      - pgp: [{fp: x}]\n";
        let (body, _) = text.split_once("    age:").unwrap();
        let (_, rest) = text.split_once("    lastmodified").unwrap();
        format!("{body}{group}    lastmodified{rest}")
    }));
    let half = |text: &str| text[..text.len() - text.split_once("lastmodified").unwrap().1.len()].to_owned();
    expect![[r#"
        `a.yaml` has sops metadata with no `mac`
    "#]]
    .assert_eq(&refuse(&|text| format!("{}: x\n    # mac:\n", half(text))));
    let (_, other) = generate_x25519();
    alice.write("b.yaml", "a: canary\n");
    let encrypted = sops(
        &alice,
        ["--encrypt", "--in-place", "--age", other.canonical(), "b.yaml"],
    );
    encrypted.run().succeeds();
    let failure = opened(&alice, "b.yaml").err().unwrap();
    assert_eq!(failure.kind(), FailureKind::NoIdentity);
    let hint = format!("it is sealed for {other}: name the identity of one with `-i FILE`");
    assert_eq!(
        (failure.message(), failure.hints()),
        ("no identity here opens `b.yaml`", &[hint][..])
    );
    for (name, hint) in [
        ("c.ini", "sops -d --output-type yaml c.ini | secretree import ENV -"),
        (
            "d.bin",
            "give it a place in one: `sops -d d.bin | secretree set ENV PATH`",
        ),
    ] {
        encrypt(&alice, name, "[a]\nb = canary\n", &[]);
        let failure = opened(&alice, name).err().unwrap();
        assert_eq!(failure.hints(), [hint], "{failure}");
    }
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

const TEXT: &str = "# head\ndatabase:\n  password: \"it's \\\"$HOME\\\" `x`\"   # why\n  port: 5432\nversion: 1.10\nagent: 007\nflag: True\n\
                    nothing: ~\nempty: ''\nsince: 2020-01-02\npem: |\n  one\n  two\nunicode: \"é😀\\u2028\\t\"\nhosts: [a, 'yes', {deep: [1, []]}]\n\
                    \"8080\": digit\n\"on\": {}\nbytes: !!binary AP8=\ntext: !!binary YWJj\n";

/// What the file is called that `decrypt` writes for alice.
const WRITTEN: &str = "dev.sops.yaml";

fn write_for_sops(alice: &Person) {
    let public = alice.public_key();
    let operands = [
        "decrypt",
        "dev",
        "--format",
        "sops",
        "--recipient",
        &public,
        "-o",
        WRITTEN,
    ];
    alice.secretree(operands).run().succeeds();
}

#[test]
fn sops_opens_and_edits_what_is_written() {
    if !require(&["sops"]) {
        return;
    }
    let alice = alice_with_dev(TEXT);
    write_for_sops(&alice);
    sops(&alice, ["--decrypt", WRITTEN]).run().check(expect![[r#"
        status: 0
        --- stdout
        database:
            password: it's "$HOME" `x`
            port: 5432
        version: "1.10"
        agent: "007"
        flag: true
        nothing: null
        empty: ""
        since: "2020-01-02"
        pem: |
            one
            two
        unicode: "é\U0001F600\L\t"
        hosts:
            - a
            - "yes"
            - deep:
                - 1
                - []
        "8080": digit
        "on": {}
        bytes: !!binary AP8=
        text: abc
    "#]]);
    let set = ["set", WRITTEN, "[\"database\"][\"password\"]", "\"changed\""];
    sops(&alice, set).run().succeeds();
    sops(&alice, ["unset", WRITTEN, "[\"hosts\"]"]).run().succeeds();
    let read = opened(&alice, WRITTEN).unwrap();
    let kept = values(&read.text);
    let password = ValuePath::parse("database.password").unwrap();
    assert!(kept.contains(&(password, Value::text("changed"))));
    assert_eq!(kept.len(), values(TEXT).len() - 3);
    sops(&alice, ["rotate", "--in-place", WRITTEN]).run().succeeds();
    assert_eq!(values(&opened(&alice, WRITTEN).unwrap().text), kept);
}

#[test]
fn what_is_written_is_sealed_whatever_its_keys_are_called() {
    if !require(&["sops"]) {
        return;
    }
    let canary = Canary::new();
    let text = format!(
        "a_unencrypted: {0}\nb:\n  c_unencrypted: [{0}]\n  d: {0}\n",
        canary.value()
    );
    let alice = alice_with_git(TWO_ENVIRONMENTS);
    edit(&alice, "dev", &text).run().succeeds();
    write_for_sops(&alice);
    alice.commit("a file for sops");
    canary.assert_unseen(alice.sandbox(), &[alice.folder().join("edited.yaml")]);
    let decrypted = sops(&alice, ["--decrypt", WRITTEN]).run();
    assert_eq!(values(&decrypted.succeeds().stdout()), values(&text));
}

#[test]
fn a_sops_file_needs_public_keys() {
    let alice = alice_with_dev("a: x\n");
    let usage = |operands: &[&str]| changes_nothing(alice.secretree([&["decrypt", "dev"], operands].concat()));
    usage(&["--format", "sops"]).check(expect![[r#"
        status: 2
        --- stderr
        error: `--format sops` needs the keys that open the file
        hint: --recipient AGE_KEY, more than once for several
    "#]]);
    usage(&["--recipient", "age1x"]).check(expect![[r#"
        status: 2
        --- stderr
        error: `--recipient` goes with `--format sops`
    "#]]);
    usage(&["--format", "sops", "--recipient", "AGE-SECRET-KEY-1CANARY"]).check(expect![[r#"
        status: 2
        --- stderr
        error: what `--recipient` names is a private key, which must never be shared: make a new one, and name its public key
    "#]]);
    edit(&alice, "dev", "sops: x\n").run().succeeds();
    let public = alice.public_key();
    usage(&["--format", "sops", "--recipient", &public]).check(expect![[r#"
        status: 1
        --- stderr
        error: the key `sops` stands for sops' own data in a sops file
        hint: rename it with `secretree edit`
    "#]]);
}
