//! `decrypt --format sops`: the real sops opens and edits what is written, and nothing in it is readable.

use expect_test::expect;
use secretree::document::path::ValuePath;
use secretree::value::Value;

use crate::canary::Canary;
use crate::fixture::{TWO_ENVIRONMENTS, alice_with_dev, alice_with_git, changes_nothing, edit};
use crate::sandbox::Person;
use crate::sops::{opened, sops, values};
use crate::tools::require;

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
