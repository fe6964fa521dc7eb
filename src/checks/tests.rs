//! Each rule raises its code where it should and is silent where it should be; the page of checks names them all.

use std::collections::BTreeSet;
use std::path::Path;

use super::{RULES, Subject, examine};
use crate::crypto::key::EnvironmentKey;
use crate::document::token::Token;
use crate::names::EnvironmentName;
use crate::policy::Policy;
use crate::vault::Rulebook;
use crate::vault::footer::Footer;

#[test]
fn every_rule_has_a_code_of_its_own_and_a_section_that_explains_it() {
    let page = include_str!("../../docs/checks.md");
    let mut names = BTreeSet::new();
    for rule in RULES {
        let name = rule.code.name;
        assert!(names.insert(name), "{name} stands twice");
        assert!(
            name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'),
            "{name}"
        );
        assert!(!rule.code.meaning.contains(['|', '\n']), "{name} fits no table");
        assert_eq!(rule.page(), format!("docs/checks.md#{name}"));
        assert!(page.contains(&format!("\n## {name}\n")), "{name} has no section");
        let row = page.lines().find(|line| line.starts_with(&format!("| [`{name}`]")));
        let row = row.unwrap_or_else(|| panic!("{name} has no row"));
        assert!(row.contains(rule.code.meaning), "{row}");
        assert!(row.contains(rule.code.severity.name()), "{row}");
    }
    let sections = page.lines().filter_map(|line| line.strip_prefix("## "));
    for section in sections.filter(|section| !section.contains(' ')) {
        assert!(names.contains(section), "`{section}` is explained and no rule's");
    }
}

const POLICY: &str = "\
version: 1
id: \"5f0c1d2e3b4a59687786a5b4c3d2e1f0\"
recipients:
  alice: {keys: [age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa]}
environments:
  prod: {file: secrets/prod.yaml, readers: [alice], plaintext: [\"log.*\"]}
secrets:
  declared: {description: one value}
";

/// A file with `body` and the footer of `key`; `TOKEN` in it becomes a token of that key, `FOREIGN` one of another.
fn file(key: &EnvironmentKey, body: &str) -> String {
    let name = EnvironmentName::new("prod").unwrap();
    let token = |key: &EnvironmentKey| {
        Token {
            key: key.id().clone(),
            version: crate::names::Version::random(),
            base64: "YWdl",
        }
        .to_string()
    };
    let body = body
        .replace("TOKEN", &token(key))
        .replace("FOREIGN", &token(&EnvironmentKey::generate()));
    let footer = Footer::new(name, key.drop_box().clone()).write(crate::value::LineEnd::Lf);
    format!("{body}\n{footer}")
}

/// `CODE PLACE LINE` of each finding in a text that stood as `before` in the parent.
fn found(text: &str, before: &[String]) -> Vec<String> {
    let policy = Policy::parse(POLICY, ".secrets.yaml").unwrap();
    let rules = Rulebook {
        policy: &policy,
        environment: policy.environments.values().next().unwrap(),
    };
    let path = Path::new("app/secrets/prod.yaml");
    let subject = Subject::environment(path, text.as_bytes(), rules, before, "secretree -C app");
    let mut lines = Vec::new();
    for finding in examine(&subject) {
        assert!(!finding.message.contains("hunter"), "a value: {}", finding.message);
        assert!(finding.cure.is_some() || !finding.hints.is_empty(), "{finding:?}");
        let line = finding.place.line.map_or("-".to_owned(), |line| line.to_string());
        lines.push(format!("{} {} {line}", finding.code.name, finding.place));
    }
    lines
}

#[test]
fn each_rule_finds_what_it_is_for_and_nothing_else() {
    let key = EnvironmentKey::generate();
    for (body, expected) in [
        ("", &[] as &[&str]),
        ("a: |-\n  TOKEN\nlog:\n  level: info\n", &[]),
        ("a: hunter\n", &["plaintext-value prod:a 1"]),
        ("a: |-\n  TOKEN\nb:\n- \n", &["plaintext-value prod:b.0 4"]),
        ("declared: hunter\n", &["plaintext-value prod:declared 1"]),
        ("declared:\n  x: |-\n    TOKEN\n", &["malformed-file prod:declared 2"]),
        ("a: ENC[age,cut\n", &["malformed-file prod:a 1"]),
        ("a: &anchor hunter\n", &["malformed-file prod 1"]),
        ("a: |-\n  FOREIGN\n", &["foreign-token prod:a 1"]),
        (
            "<<<<<<< HEAD\na: hunter\n=======\na: hunter2\n>>>>>>> other\n",
            &["conflict-markers prod 1"],
        ),
    ] {
        assert_eq!(found(&file(&key, body), &[]), expected, "{body}");
    }
    let lost = file(&key, "a: |-\n  TOKEN\n")
        .split("\nsecretree:")
        .next()
        .unwrap()
        .to_owned();
    for (text, expected) in [
        ("", &["malformed-file prod -"] as &[&str]),
        ("a: hunter\nlog:\n  level: info\n", &["plaintext-value prod:a 1"]),
        (&lost, &["malformed-file prod -"]),
        (&file(&key, "").replace("prod", "dev"), &["malformed-file prod -"]),
        (
            &(file(&key, "") + "a: hunter\n"),
            &["malformed-file prod -", "plaintext-value prod:a 8"],
        ),
    ] {
        assert_eq!(found(text, &[]), expected, "{text}");
    }
}

#[test]
fn a_readable_value_must_not_take_the_place_of_a_token() {
    let key = EnvironmentKey::generate();
    let (sealed, readable) = (
        file(&key, "log:\n  level: |-\n    TOKEN\n"),
        file(&key, "log:\n  level: x\n"),
    );
    assert_eq!(
        found(&readable, std::slice::from_ref(&sealed)),
        ["plaintext-value prod:log.level 2"]
    );
    assert_eq!(found(&readable, &[file(&key, "")]), [""; 0]);
    // Another parent had it readable already: there it was removed and set.
    assert_eq!(found(&readable, &[sealed, readable.clone()]), [""; 0]);
}

#[test]
fn failures_name_the_file_as_their_reader_knows_it() {
    let policy = Policy::parse(POLICY, ".secrets.yaml").unwrap();
    let rules = Rulebook {
        policy: &policy,
        environment: policy.environments.values().next().unwrap(),
    };
    let path = Path::new("app/secrets/prod.yaml");
    for bytes in [b"a: &b c\n".as_slice(), b"a: \xff\n"] {
        let subject = Subject::environment(path, bytes, rules, &[], "secretree");
        let findings = examine(&subject);
        assert_eq!(findings.len(), 1);
        assert!(
            findings[0].message.starts_with("`app/secrets/prod.yaml` line 1 "),
            "{findings:?}"
        );
    }
    assert!(
        examine(&Subject::environment(path, b"", rules, &[], "secretree"))[0].cure
            == Some("secretree encrypt prod".to_owned())
    );
}

#[test]
fn a_policy_is_looked_at_too() {
    let path = Path::new(".secrets.yaml");
    assert!(examine(&Subject::policy(path, POLICY, None, "secretree")).is_empty());
    let failure = Policy::parse("version: 1\nid: x\n", ".secrets.yaml")
        .err()
        .map(Into::into);
    let codes = |text, failure| {
        let findings = examine(&Subject::policy(path, text, failure, "secretree"));
        findings.iter().map(|finding| finding.code.name).collect::<Vec<_>>()
    };
    assert_eq!(codes("version: 1\nid: x\n", failure.clone()), ["malformed-file"]);
    assert_eq!(codes("<<<<<<< a\n", failure), ["conflict-markers"]);
}
