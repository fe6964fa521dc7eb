//! sops files that were changed behind sops' back, and those that cannot be read here: each says why, and the way out.

use expect_test::expect;
use secretree::crypto::identities::generate_x25519;
use secretree::error::FailureKind;

use crate::sandbox::{Person, Sandbox};
use crate::sops::{encrypt, opened, sops};
use crate::tools::require;

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
