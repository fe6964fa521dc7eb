//! `recipient import` of lists that somebody made to deceive, to break or to leak: nothing is written, nobody is taken for
//! another, and nothing is shown that is no name.

use crate::canary::Canary;
use crate::fixture::changes_nothing;
use crate::recipient_import::import;
use crate::run::Run;
use crate::sandbox::Person;
use crate::team::Team;

const REST: &str = "\
groups: {developers: [alice, bob], platform: [alice]}
environments:
  dev: {file: secrets/dev.yaml, readers: [developers]}
";

fn alice() -> Person {
    Team::with_policy(&["alice", "bob"], REST).person("alice")
}

/// Refused as a whole, whatever is answered.
#[track_caller]
fn refused(run: Run) -> String {
    let output = changes_nothing(run);
    output.code(1);
    let text = output.stderr();
    assert!(!text.contains("internal error") && !text.contains('\u{1b}'), "{text}");
    text.to_owned()
}

#[test]
fn texts_that_break_readers_are_refused() {
    let alice = alice();
    let deep = |open: &str, close: &str, depth: usize| format!("{}{}", open.repeat(depth), close.repeat(depth));
    let huge = format!("[{}]", " ".repeat(33 << 20));
    for text in [
        deep("[", "]", 100_000).into_bytes(),
        deep("{\"members\":", "}", 100_000).into_bytes(),
        "[".repeat(1_000_000).into_bytes(),
        huge.into_bytes(),
        b"[{\"login\": \"\xff\xfe\"}]".to_vec(),
        br#"[{"login": "\ud800"}]"#.to_vec(),
        br#"[{"login": "alice", "login": "eve"}]"#.to_vec(),
        br#"{"totalResults": 1, "Resources": [{"userName": "a", "active": false, "ACTIVE": true}]}"#.to_vec(),
        br#"[{"login": 7}]"#.to_vec(),
        br#"[{"login": null}]"#.to_vec(),
        br#"{"totalResults": 1e400, "Resources": []}"#.to_vec(),
        br#"{"totalResults": 99999999999999999999, "Resources": []}"#.to_vec(),
        b"\0\0\0\0".to_vec(),
        b"<html>".to_vec(),
    ] {
        refused(import(&alice, text, "--yes --whole"));
    }
}

#[test]
fn nobody_gets_in_by_looking_like_another() {
    let alice = alice();
    let eve = alice.sandbox().person("eve").public_key();
    let folder = alice.work("keys");
    std::fs::create_dir(&folder).unwrap();
    // Every login has keys of eve in a file of its name, as far as a file can have it.
    let logins = [
        "\u{430}lice",
        "alice\u{200b}",
        "platform",
        "developers",
        "null",
        "y",
        "..",
        "../eve",
        "a/b",
        "-x",
        "9",
        " eve",
        "eve ",
        "e\u{1b}[2J",
        "x\u{202e}",
    ];
    for login in logins {
        let _ = std::fs::write(folder.join(format!("{login}.keys")), &eve);
    }
    std::fs::write(alice.work("eve.keys"), &eve).unwrap();
    for login in logins {
        let list = serde_json::json!([{"login": "alice"}, {"login": "bob"}, {"login": login}]).to_string();
        let output = changes_nothing(import(&alice, list, "--keys keys --yes"));
        output.code(0);
        assert!(output.stderr().contains("left out"), "{login:?}: {}", output.stderr());
        assert!(
            !output.stderr().contains(['\u{1b}', '\u{202e}', '\u{430}', '\u{200b}']),
            "{login:?}"
        );
    }
    // Keys that are alice's or bob's under another login give them nothing that they do not have, and nobody else either.
    std::fs::write(folder.join("eve.keys"), alice.public_key()).unwrap();
    let text = refused(import(
        &alice,
        r#"[{"login": "alice"}, {"login": "bob"}, {"login": "eve"}]"#,
        "--keys keys --yes",
    ));
    assert!(text.contains("would both be `alice`"), "{text}");
    for (list, reason) in [
        (r#"[{"login": "alice"}, {"login": "ALICE"}]"#, "twice"),
        (
            r#"{"totalResults": 2, "Resources": [{"userName": "a@x"}, {"userName": "b", "emails": [{"value": "A@X"}]}]}"#,
            "twice",
        ),
        (
            r#"{"totalResults": 1, "Resources": [{"userName": "alice@evil.example"}]}"#,
            "has none for",
        ),
    ] {
        let text = refused(import(&alice, list, "--keys keys --yes --whole"));
        assert!(text.contains(reason), "{text}");
    }
}

#[test]
fn keys_of_whoever_is_there_are_never_replaced() {
    let alice = alice();
    let eve = alice.sandbox().person("eve").public_key();
    alice.write("keys/alice.keys", &eve);
    alice.write("keys/bob.keys", &eve);
    let list = r#"[{"login": "alice"}, {"login": "bob"}]"#;
    let output = changes_nothing(import(&alice, list, "--keys keys --yes"));
    output.code(0);
    assert!(
        output.stderr().contains("other keys came than the policy has"),
        "{}",
        output.stderr()
    );
}

#[test]
fn what_is_no_name_is_shown_nowhere() {
    let alice = alice();
    let canary = Canary::new();
    let value = canary.value();
    let user = format!(
        r#"{{"userName": "bob@example.com", "password": "{value}", "displayName": "{value}", "phoneNumbers": [{{"value": "{value}"}}],
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {{"employeeNumber": "{value}"}}}}"#
    );
    let scim = format!(r#"{{"totalResults": 1, "Resources": [{user}]}}"#);
    let member = format!(
        r#"[{{"login": "alice", "email": "{value}", "token": "{value}"}}, {{"login": "bob"}}, {{"login": "eve"}}]"#
    );
    let mistakes = [
        scim.clone(),
        member.clone(),
        format!(r#"{{"database": {{"password": "{value}"}}}}"#),
        format!(r#"{{"message": "{value}"}}"#),
        format!("token: {value}\n"),
        format!(r#"["{value}"]"#),
        format!(r#"[{{"login": "{value}"#),
        format!(r#"[{{"login": ["{value}"]}}]"#),
        format!(r#"{{"totalResults": "{value}", "Resources": []}}"#),
        format!(r#"{{"totalResults": 1, "Resources": [{{"userName": "bob", "emails": [{{"value": "{value}"}}]}}]}}"#),
        format!(r#"{{"totalResults": 1, "Resources": [{{"userName": "bob", "active": "{value}"}}]}}"#),
    ];
    let keys = alice.work("keys");
    let files = [
        format!("AGE-SECRET-KEY-1{value}"),
        format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{value}\n-----END OPENSSH PRIVATE KEY-----\n"),
        format!("{value}\n"),
        format!("ssh-ed25519 {value}\n"),
        format!("ssh-rsa {value}\n"),
        format!("# {value}\n{} {value} {value}\n", crate::recipient::SSH),
    ];
    std::fs::create_dir(&keys).unwrap();
    let watch = canary.watch_arguments();
    for list in &mistakes {
        for operands in ["--whole", "--whole --dry-run --json", "--yes --keys keys"] {
            import(&alice, list.as_str(), operands).run();
        }
    }
    for text in &files {
        let list = r#"[{"login": "alice"}, {"login": "bob"}, {"login": "eve"}]"#;
        std::fs::write(keys.join("eve.keys"), text).unwrap();
        std::fs::write(keys.join("bob.keys"), text).unwrap();
        for operands in ["--keys keys", "--keys keys --dry-run --json"] {
            import(&alice, list, operands).run();
        }
    }
    std::fs::remove_dir_all(&keys).unwrap();
    assert_eq!(watch.sightings(), Vec::<String>::new());
    canary.assert_unseen(alice.sandbox(), &[]);
}

#[test]
fn many_people_are_many_lines_to_no_one() {
    let alice = alice();
    let list = |count: usize| {
        let users = (0..count)
            .map(|at| serde_json::json!({"userName": format!("p{at}"), "emails": [{"value": format!("p{at}@x")}]}));
        let users: Vec<_> = users
            .chain([
                serde_json::json!({"userName": "alice"}),
                serde_json::json!({"userName": "bob"}),
            ])
            .collect();
        serde_json::json!({"totalResults": users.len(), "Resources": users}).to_string()
    };
    let output = changes_nothing(import(&alice, list(10_000), "--yes"));
    output.code(0);
    assert!(
        output.stderr().lines().count() < 10 && output.stderr().contains("and 9988 more"),
        "{}",
        output.stderr()
    );
}
