//! `import` of what other tools read and write, with the tools themselves: python-dotenv, npm's dotenv, dotenvx, sops.

use std::collections::BTreeMap;

use expect_test::expect;

use crate::canary::Canary;
use crate::dotenv_readers::{has_python_dotenv, npm_read, python_read};
use crate::fixture::{TWO_ENVIRONMENTS, alice, alice_with_git, changes_nothing};
use crate::tools::{require, require_unless_missing};

#[test]
fn dotenv_files_are_read_as_their_readers_read_them() {
    let missing = [
        (has_python_dotenv(), "python-dotenv"),
        (npm_read(b"").is_some(), "npm's dotenv"),
    ];
    let missing: Vec<_> = missing
        .iter()
        .filter(|(is_there, _)| !is_there)
        .map(|(_, name)| *name)
        .collect();
    if !require_unless_missing(&missing) {
        return;
    }
    let file = "\u{feff}# head\nPLAIN=abc\nSPACED = a b  \nexport EXPORTED=x\nEMPTY=\nCOMMENT=a # b\nNONE= # b\n\
        SINGLE='a #b' # c\nDOUBLE=\"a\\nb\"\nMULTI=\"l1\nl2\n\"\nURL=postgres://u:p@h/d?x=1&y=2\nJSON='{\"a\": [1]}'\n\
        DOLLAR='$5'\nUTF=é\nTWICE=1\nTWICE=2\r\nCRLF=x\r\nLAST=y";
    let alice = alice(TWO_ENVIRONMENTS);
    alice.write("x.env", file);
    alice.secretree(["import", "dev", "x.env"]).run().succeeds();
    let json = alice.secretree(["decrypt", "dev", "--format", "json"]).reveals().run();
    let ours: BTreeMap<String, Option<String>> = serde_json::from_slice(json.stdout_bytes()).unwrap();
    assert_eq!(ours.len(), 16);
    assert_eq!(python_read(file.as_bytes()), ours);
    assert_eq!(npm_read(file.as_bytes()), Some(ours));
}

#[test]
fn what_dotenvx_encrypted_is_read_with_its_keys() {
    if !require(&["dotenvx"]) {
        return;
    }
    let alice = alice(TWO_ENVIRONMENTS);
    let canary = Canary::new();
    let value = canary.value();
    alice.write(
        ".env.production",
        format!("# shop\nHELLO=\"wor ld {value}\"\nexport A=b # why\nM=\"l1\nl2\"\nS='it $x'\nN=\"a\\nb\"\n"),
    );
    let plain = alice.read(".env.production");
    let dotenvx = |operands: &[&str]| {
        let run = alice.command("dotenvx", operands.iter().copied());
        run.env("NO_COLOR", "1").reveals().run().succeeds().stdout()
    };
    dotenvx(&["encrypt", "-f", ".env.production"]);
    assert!(alice.read(".env.production") != plain);
    let read = dotenvx(&["get", "-f", ".env.production"]);
    let theirs: BTreeMap<String, String> = serde_json::from_str(read.trim()).unwrap();
    alice
        .secretree(["import", "dev", ".env.production"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            dev: makes secrets/dev.yaml
            dev: + alice (x25519-7cb1b2c9014e3eb1) can read
            note: `S`: `$…` is kept as text; nothing is expanded here
            note: `DOTENV_PUBLIC_KEY_PRODUCTION`: dotenvx's own, left out
            note: comments stay readable (3 in the file): look at them before you commit
            + dev:HELLO
            + dev:A
            + dev:M
            + dev:S
            + dev:N
            `dev`, from dotenvx `.env.production`: 5 added, 0 changed, 0 the same
            next: delete `.env.keys`, which still holds the private keys
        "#]]);
    let json = alice.secretree(["decrypt", "dev", "--format", "json"]).reveals().run();
    let mut ours: BTreeMap<String, String> = serde_json::from_slice(json.stdout_bytes()).unwrap();
    // dotenvx expands `$x`, which is not set.
    assert_eq!(ours.insert("S".into(), theirs["S"].clone()).as_deref(), Some("it $x"));
    let theirs = theirs
        .into_iter()
        .filter(|(name, _)| !name.starts_with("DOTENV_PUBLIC_KEY"));
    assert_eq!(ours, theirs.collect());

    // The keys in a variable instead, behind one that does not fit; none at all.
    let keys = alice.read_text(".env.keys");
    let key = keys
        .lines()
        .find_map(|line| line.strip_prefix("DOTENV_PRIVATE_KEY_PRODUCTION="))
        .unwrap();
    let key = key.trim_matches('"').to_owned();
    std::fs::remove_file(alice.work(".env.keys")).unwrap();
    let import = || alice.secretree(["import", "prod", ".env.production"]);
    changes_nothing(import()).check(expect![[r#"
        status: 4
        --- stderr
        error: `.env.production` has a value that no dotenvx key here opens, `HELLO`
        hint: put `.env.keys` beside the file, or set `DOTENV_PRIVATE_KEY`
    "#]]);
    let both = format!("{},{key}", "1".repeat(64));
    import().env("DOTENV_PRIVATE_KEY_PRODUCTION", both).run().succeeds();

    // The file may be in git, its keys may not.
    alice.git(["init", "--quiet"]).run().succeeds();
    alice.write(".env.keys", keys);
    alice.commit("everything");
    alice.secretree(["import", "prod", ".env.production", "--json"]).run().check(expect![[r#"
        status: 0
        --- stdout
        {
          "environment": "prod",
          "file": ".env.production",
          "kind": "dotenvx",
          "added": [],
          "changed": [],
          "removed": [],
          "same": [
            "HELLO",
            "A",
            "M",
            "S",
            "N"
          ],
          "comments": 3,
          "notes": [
            "`S`: `$…` is kept as text; nothing is expanded here",
            "`DOTENV_PUBLIC_KEY_PRODUCTION`: dotenvx's own, left out"
          ]
        }
        --- stderr
        unchanged; nothing was written
        warning: `.env.keys` is in git's history since COMMIT, and whoever has that opens every value of these keys: make new ones (rotate)
        next: git rm --cached .env.keys, put it into .gitignore, and delete it
    "#]]);
    canary.assert_unseen(alice.sandbox(), &[]);
}

#[test]
fn what_sops_encrypted_is_read_with_its_comments() {
    if !require(&["sops"]) {
        return;
    }
    let alice = alice_with_git(TWO_ENVIRONMENTS);
    let canary = Canary::new();
    alice.write(
        "old.yaml",
        format!("# shop\nkey: {} # live\nport: 80\n", canary.value()),
    );
    let public = alice.public_key();
    let encrypt = alice.command("sops", ["encrypt", "--in-place", "--age", &public, "old.yaml"]);
    encrypt.env("SOPS_DISABLE_VERSION_CHECK", "1").run().succeeds();
    alice.commit("sops");
    changes_nothing(alice.secretree(["import", "dev", "old.yaml"])).check(expect![[r#"
        status: 1
        --- stderr
        dev: makes secrets/dev.yaml
        dev: + alice (x25519-7cb1b2c9014e3eb1) can read (commit COMMIT of alice, 2026-01-05)
        comments become readable, which sops may keep encrypted: 2
        error: no terminal to ask on: write this?
        hint: `--yes` answers with yes
    "#]]);
    let import = alice.secretree(["import", "dev", "old.yaml", "--yes"]);
    import.run().check(expect![[r#"
        status: 0
        --- stderr
        dev: makes secrets/dev.yaml
        dev: + alice (x25519-7cb1b2c9014e3eb1) can read (commit COMMIT of alice, 2026-01-05)
        comments become readable, which sops may keep encrypted: 2
        + dev:key
        + dev:port
        `dev`, from sops `old.yaml`: 2 added, 0 changed, 0 the same
    "#]]);
    // sops itself moves the comment.
    let text = format!("# shop\n# live\nkey: {}\nport: 80\n", canary.value());
    alice.secretree(["decrypt", "dev"]).reveals().run().prints(text);
    canary.assert_unseen(alice.sandbox(), &[]);
}
