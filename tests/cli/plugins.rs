//! Public keys and identities that an age plugin holds, with a plugin written for these tests.

use bech32::{Bech32, Hrp};
use expect_test::expect;

use crate::fixture::changes_nothing;
use crate::recipients::{private, shared_with};
use crate::sandbox::Sandbox;
use crate::tools::require;

/// A plugin that speaks age's plugin protocol and wraps a file key by a fixed pad: worthless, and enough to be asked.
/// Each call leaves a line in the log beside it.
pub(crate) const PLUGIN: &str = r#"#!/usr/bin/env python3
import base64, os, sys

PAD = bytes(range(100, 116))
mode = [word for word in sys.argv if word.startswith("--age-plugin=")][0].split("=")[1]
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "plugin.log"), "a") as log:
    log.write(mode + " " + str("SECRETREE_KEY" in os.environ) + "\n")

def read():
    words = sys.stdin.readline().rstrip("\n").split(" ")
    body = ""
    while True:
        line = sys.stdin.readline().rstrip("\n")
        body += line
        if len(line) < 64:
            return words[1:], base64.b64decode(body + "=" * (-len(body) % 4))

def write(words, body=b""):
    text = base64.b64encode(body).decode().rstrip("=")
    lines = [text[at:at + 64] for at in range(0, len(text), 64)]
    if not lines or len(lines[-1]) == 64:
        lines.append("")
    sys.stdout.write("-> " + " ".join(words) + "\n" + "\n".join(lines) + "\n")
    sys.stdout.flush()

def mix(key):
    return bytes(a ^ b for a, b in zip(key, PAD))

keys, files = [], []
while True:
    words, body = read()
    if words[0] == "done":
        break
    if words[0] == "wrap-file-key":
        keys.append(body)
    if words[0] == "recipient-stanza" and words[2] == "pad":
        files.append((words[1], body))
if mode == "recipient-v1":
    for index, key in enumerate(keys):
        write(["recipient-stanza", str(index), "pad"], mix(key))
        read()
else:
    for index, body in files:
        write(["file-key", index], mix(body))
        read()
write(["done"])
"#;

#[test]
fn plugins_read_and_write() {
    if !require(&["python3"]) {
        return;
    }
    let text = |prefix: &str| bech32::encode::<Bech32>(Hrp::parse(prefix).unwrap(), &[7; 16]).unwrap();
    let (public, identity) = (text("age1pad"), text("age-plugin-pad-").to_uppercase());
    let sandbox = Sandbox::new();
    sandbox.script("age-plugin-pad", PLUGIN);
    let other = shared_with(&sandbox, &public);
    assert!(other.read_text("dev.yaml").contains("\n      plugin-pad-"));
    private(&other.identity_file(), format!("{identity}\n"));
    other
        .secretree(["get", "dev", "a"])
        .env("SECRETREE_KEY", "")
        .run()
        .check(expect![[r#"
            status: 0
            --- stdout
            value[no newline]
            --- stderr
            note: first sight of the key `k…` of `dev` on this machine (no commit yet): trusted from now on
        "#]]);
    other
        .secretree(["set", "dev", "b"])
        .input("theirs")
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            set `dev:b`
        "#]]);
    other
        .secretree(["apply", "--new-key", "--yes"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            dev: new key k…; every value is sealed anew
            wrote dev.yaml
        "#]]);
    other
        .secretree(["decrypt", "dev"])
        .run()
        .prints("a: value\nb: theirs\n");
    let log = std::fs::read_to_string(sandbox.root().join("bin/plugin.log")).unwrap();
    assert!(!log.contains("True"), "plugins get no identities: {log}");
    // One in the work tree, or behind a relative entry of PATH, is not started.
    std::fs::rename(sandbox.root().join("bin/age-plugin-pad"), other.work("age-plugin-pad")).unwrap();
    other.git(["init", "--quiet"]).run().succeeds();
    for folder in [".", other.work("").to_str().unwrap()] {
        let mut path = std::ffi::OsString::from(format!("{folder}:"));
        path.push(sandbox.path());
        let output = changes_nothing(other.secretree(["get", "dev", "a"]).env("PATH", path));
        output.code(5).prints("");
    }
    changes_nothing(other.secretree(["get", "dev", "a"])).check(expect![[r#"
        status: 4
        --- stderr
        error: the age plugin `age-plugin-pad` is not installed
        hint: install `age-plugin-pad` in a folder of PATH
    "#]]);
    changes_nothing(other.secretree(["apply", "--new-key", "--yes"])).check(expect![[r#"
        status: 4
        --- stderr
        error: the age plugin `age-plugin-pad` is not installed
        hint: install `age-plugin-pad` in a folder of PATH
    "#]]);
    let alice_policy = other.read_text(".secrets.yaml");
    let alice = sandbox.person("alice");
    alice.write(".secrets.yaml", alice_policy);
    changes_nothing(alice.secretree(["apply", "--new-key", "--yes"])).check(expect![[r#"
        status: 1
        --- stderr
        error: no grant can be made for `other`: the age plugin `age-plugin-pad` is not installed
        hint: install `age-plugin-pad` in a folder of PATH
    "#]]);
}
