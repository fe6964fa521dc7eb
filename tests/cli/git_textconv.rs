//! `git textconv`: what git shows of an environment file, to those who can read it and to everybody else, and that it
//! neither asks nor fails.

use std::collections::BTreeSet;

use expect_test::expect;
use regex::Regex;

use crate::canary::Canary;
use crate::fixture::{TWO_ENVIRONMENTS, alice_with_git, edit, policy};
use crate::redaction::redact;
use crate::sandbox::Person;
use crate::team::Team;

/// Tells git how the files are compared.
fn driver(person: &Person) {
    person.write(".git/info/attributes", "secrets/*.yaml diff=secretree\n");
    let setting = ["config", "diff.secretree.textconv", "secretree git textconv"];
    person.git(setting).run().succeeds();
}

const TEXT: &str = "\
# Payments

log:
  level: info  # loud
# the database
database:  # main
  password: hunter2
  key: |
    line one
    line two
hosts:
- a.example
- {port: 1, tags: []}
none:
";

/// Alice, whose `dev` was committed, and whose git shows it.
fn alice() -> Person {
    let alice = alice_with_git(TWO_ENVIRONMENTS);
    driver(&alice);
    edit(&alice, "dev", TEXT).run().succeeds();
    alice.commit("dev");
    alice
}

fn convert(person: &Person) -> String {
    let output = person
        .secretree(["git", "textconv", "secrets/dev.yaml"])
        .reveals()
        .run();
    assert_eq!(output.stderr(), "");
    output.succeeds();
    output.stdout()
}

#[test]
fn a_reader_sees_marks_and_everybody_versions() {
    let alice = alice();
    // Marks differ from run to run, since the key does.
    let marks = Regex::new(r"> [0-9a-f]{8} \(").unwrap();
    let shown = redact(alice.sandbox(), &convert(&alice));
    let shown = marks.replace_all(&shown, "> MARK (");
    expect![[r#"
        # Payments

        log.level: info  # loud
        # the database
        database:  # main
        database.password: <v…> MARK (up to 32 bytes)
        database.key: <v…> MARK (up to 32 bytes)
        hosts.0: <v…> MARK (up to 32 bytes)
        hosts.1.port: <v…> MARK (up to 32 bytes)
        hosts.1.tags: []
        none: <v…> MARK (up to 32 bytes)

        secretree.environment: dev
        secretree.key: k…
        secretree.grants.alice: x25519-7cb1b2c9014e3eb1
    "#]]
    .assert_eq(&shown);
    alice.git(["config", "secretree.reveal", "true"]).run().succeeds();
    alice
        .secretree(["git", "textconv", "secrets/dev.yaml"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stdout
            # Payments

            log.level: info  # loud
            # the database
            database:  # main
            database.password: <v…> hunter2
            database.key: <v…> |
              line one
              line two
            hosts.0: <v…> a.example
            hosts.1.port: <v…> 1
            hosts.1.tags: []
            none: <v…> null

            secretree.environment: dev
            secretree.key: k…
            secretree.grants.alice: x25519-7cb1b2c9014e3eb1
        "#]]);
    std::fs::remove_file(alice.identity_file()).unwrap();
    alice
        .secretree(["git", "textconv", "secrets/dev.yaml"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stdout
            # Payments

            log.level: info  # loud
            # the database
            database:  # main
            database.password: <v…>
            database.key: <v…>
            hosts.0: <v…>
            hosts.1.port: <v…>
            hosts.1.tags: []
            none: <v…>

            secretree.environment: dev
            secretree.key: k…
            secretree.grants.alice: x25519-7cb1b2c9014e3eb1
        "#]]);
}

#[test]
fn every_view_of_git_shows_it() {
    let alice = alice();
    alice
        .secretree(["set", "dev", "database.password"])
        .input("other")
        .run()
        .succeeds();
    let changed = |text: String| {
        let lines = text.lines().filter(|line| line.starts_with(['+', '-']));
        lines
            .filter(|line| !line.starts_with("+++") && !line.starts_with("---"))
            .map(String::from)
            .collect::<Vec<_>>()
    };
    let lines = changed(alice.git(["diff"]).run().stdout());
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        lines.iter().all(|line| line[1..].starts_with("database.password: <v")),
        "{lines:?}"
    );
    alice.commit("password");
    for view in [&["show"] as &[&str], &["log", "-p", "-1"], &["diff", "HEAD~"]] {
        assert_eq!(
            changed(alice.git(view.iter().copied()).run().stdout()),
            lines,
            "{view:?}"
        );
    }
    let blame = alice.git(["blame", "--textconv", "secrets/dev.yaml"]).run().stdout();
    let head = alice.git(["rev-parse", "--short=8", "HEAD"]).run().stdout();
    let of_head: Vec<_> = blame.lines().filter(|line| line.starts_with(head.trim())).collect();
    assert!(
        of_head.len() == 1 && of_head[0].contains("database.password: <v"),
        "{blame}"
    );
    // Once, with the values.
    let revealed = alice.git(["-c", "secretree.reveal=true", "show"]).run().stdout();
    assert!(revealed.contains("> hunter2\n+database.password: <v"), "{revealed}");
    // A new key changes no version.
    let versions = |text: String| {
        text.lines()
            .filter_map(|line| Some(line.split_once(": <")?.1[..9].to_owned()))
            .collect::<Vec<_>>()
    };
    let before = versions(convert(&alice));
    alice.secretree(["--yes", "apply", "dev", "--new-key"]).run().succeeds();
    assert_eq!(versions(convert(&alice)), before);
}

#[test]
fn marks_say_whether_a_value_is_the_same_at_one_place_and_nothing_across_places() {
    let alice = alice();
    let set = |path: &str, value: &str| {
        alice
            .secretree(["set", "dev", path, "--raw"])
            .input(value)
            .run()
            .succeeds();
        let text = convert(&alice);
        let line = text
            .lines()
            .find(|line| line.starts_with(&format!("{path}: ")))
            .unwrap();
        let words: Vec<_> = line.split(' ').collect();
        (words[1].to_owned(), words[2].to_owned(), words[3..].join(" "))
    };
    let first = set("pin", "1234");
    let other = set("pin", "4321");
    let back = set("pin", "1234");
    assert_ne!(first.1, other.1);
    assert_eq!(first.1, back.1);
    assert_ne!(first.0, back.0, "a value that was set is a new version");
    assert_ne!(set("other", "1234").1, first.1);
    assert_eq!(set("pin", &"x".repeat(32)).2, "(up to 32 bytes)");
    assert_eq!(set("pin", &"x".repeat(33)).2, "(up to 64 bytes)");
    assert_eq!(set("pin", "").2, "(up to 32 bytes)");
}

/// Somebody who has the repository and no key tests guesses against what they are shown: nothing they see depends on the
/// value but its length, which the file itself tells.
#[test]
fn who_has_no_key_cannot_test_guesses() {
    let team = Team::new(&["alice"]);
    let alice = team.person("alice");
    let mallory = team.sandbox().person("mallory");
    let mut seen = BTreeSet::new();
    for pin in ["0000", "1234", "9999"] {
        alice.secretree(["set", "dev", "pin"]).input(pin).run().succeeds();
        mallory.write("secrets/dev.yaml", alice.read("secrets/dev.yaml"));
        let text = convert(&mallory);
        let line = text.lines().find(|line| line.starts_with("pin: ")).unwrap().to_owned();
        let version = line
            .strip_prefix("pin: <v")
            .and_then(|rest| rest.strip_suffix('>'))
            .unwrap();
        assert!(
            version.len() == 8 && version.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{line}"
        );
        seen.insert(text.replace(version, "VERSION"));
        // The same value again: the version is drawn anew, so that it is no function of the value.
        alice.secretree(["set", "dev", "pin"]).input("5678").run().succeeds();
        alice.secretree(["set", "dev", "pin"]).input(pin).run().succeeds();
        let again = alice.read_text("secrets/dev.yaml");
        assert!(
            !again.contains(&format!(",v{version},")),
            "a version came back with its value"
        );
    }
    assert_eq!(seen.len(), 1, "what is shown depends on the value: {seen:?}");
}

#[test]
fn nobody_is_asked_and_nothing_is_started() {
    let alice = alice();
    // A key that fits and needs a passphrase, and a command that would give another one.
    let ssh = alice.folder().join("home/.ssh/id_ed25519");
    let keygen = ["-q", "-t", "ed25519", "-N", "passphrase", "-f"];
    alice.command("ssh-keygen", keygen).operand(&ssh).run().succeeds();
    let public = std::fs::read_to_string(ssh.with_extension("pub")).unwrap();
    let public: Vec<_> = public.split(' ').take(2).collect();
    let recipients = policy(
        &[("alice", &public.join(" ")), ("bob", &alice.public_key())],
        TWO_ENVIRONMENTS,
    );
    alice.write(
        ".secrets.yaml",
        recipients.replace("readers: [alice]", "readers: [alice, bob]"),
    );
    alice.secretree(["--yes", "apply"]).run().succeeds();
    assert!(convert(&alice).contains("bytes"));
    let trace = alice.folder().join("trace");
    let touch = format!("#!/bin/sh\ntouch {}\n", trace.display());
    let command = alice.sandbox().script("key", &touch);
    alice.sandbox().script("pinentry", &touch);
    std::fs::remove_file(alice.identity_file()).unwrap();
    for named in ["/nowhere", ssh.to_str().unwrap()] {
        let run = alice.secretree(["git", "textconv", "secrets/dev.yaml"]);
        let output = run
            .env("SECRETREE_KEY_COMMAND", &command)
            .env("SECRETREE_IDENTITY", named)
            .run();
        output.succeeds();
        assert_eq!(output.stderr(), "");
        assert!(output.stdout().contains("database.password: <v") && !output.stdout().contains("bytes"));
    }
    assert!(!trace.exists(), "something was started");
}

#[test]
fn what_is_no_environment_file_comes_back_as_it_is() {
    let alice = alice();
    let sound = alice.read_text("secrets/dev.yaml");
    for (text, note) in [
        ("a: [1\n".to_owned(), "line 1 column 4: "),
        ("a: 1\n".to_owned(), "no footer"),
        (format!("<<<<<<< a\n{sound}"), "line "),
        (sound.replace("format: 1", "format: 9"), "unknown format"),
        (String::new(), "no footer"),
    ] {
        alice.write("secrets/dev.yaml", &text);
        let shown = convert(&alice);
        let (first, rest) = shown.split_once('\n').unwrap();
        assert!(first.starts_with("# secretree: ") && first.contains(note), "{first}");
        assert_eq!(rest, text);
        alice.git(["diff"]).run().succeeds();
    }
    alice.write("secrets/dev.yaml", b"\xff\xfe");
    let output = alice.secretree(["git", "textconv", "secrets/dev.yaml"]).run();
    output.succeeds();
    assert_eq!(
        output.stdout_bytes(),
        b"# secretree: not UTF-8; shown as it is\n\xff\xfe"
    );
    alice.secretree(["git", "textconv", "nowhere"]).run().check(expect![[r#"
            status: 0
            --- stdout
            # secretree: `nowhere` does not exist
        "#]]);
}

#[test]
fn keys_that_a_terminal_would_obey_are_shown_escaped() {
    let alice = alice();
    let text = "\"k\\u009b31m\": 1\n\"r\\u202Ex\":\n  # below\n  \"d\\x7f\": 2\nlog:\n  \"e\\e[31m\": info\n";
    edit(&alice, "dev", text).run().succeeds();
    let shown = convert(&alice);
    for expected in [
        "\"k\\u009b31m\": <v",
        "\"r\\u202ex\".\"d\\u007f\": <v",
        "log.\"e\\u001b[31m\": info",
    ] {
        assert!(shown.contains(expected), "{expected}\n{shown}");
    }
    let is_harmless = |character: char| !character.is_control() && character != '\u{202e}';
    assert!(shown.lines().all(|line| line.chars().all(is_harmless)), "{shown:?}");
}

#[test]
fn tokens_that_do_not_open_say_so() {
    let alice = alice();
    let sound = alice.read_text("secrets/dev.yaml");
    let tokens: Vec<_> = sound
        .lines()
        .filter(|line| line.contains("ENC["))
        .map(str::trim)
        .collect();
    alice.write(
        "secrets/dev.yaml",
        sound.replace(tokens[0], tokens[1]).replacen("\n\n", "\r\n\r\n", 1),
    );
    let text = convert(&alice);
    let line = text
        .lines()
        .find(|line| line.starts_with("database.password: "))
        .unwrap();
    assert!(line.ends_with("> does not open"), "{text}");
    assert!(!text.contains('\r'), "{text:?}");
    alice.write("secrets/dev.yaml", &sound);
    alice.secretree(["--yes", "apply", "dev", "--new-key"]).run().succeeds();
    let new = alice.read_text("secrets/dev.yaml");
    let token = new
        .lines()
        .find(|line| line.contains("ENC["))
        .unwrap()
        .trim()
        .to_owned();
    alice.write("secrets/dev.yaml", new.replace(&token, tokens[0]));
    assert!(convert(&alice).contains("> sealed under k"), "{}", convert(&alice));
}

#[test]
fn no_value_is_shown_unless_it_was_asked_for() {
    let (alice, canary) = (alice(), Canary::new());
    alice
        .secretree(["set", "dev", "canary"])
        .input(canary.value())
        .run()
        .succeeds();
    alice.commit("canary");
    alice.secretree(["unset", "dev", "canary"]).run().succeeds();
    for view in [&["diff"] as &[&str], &["log", "-p"], &["blame", "secrets/dev.yaml"]] {
        alice.git(view.iter().copied()).run().succeeds();
    }
    canary.assert_unseen(alice.sandbox(), &[]);
}
