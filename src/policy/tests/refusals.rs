//! What a policy must not be: each mistake is named with its place, and what may be a key is never repeated.

use std::path::Path;

use proptest::prelude::{prop_assert, proptest};

use super::{KEY, SSH, SSH2, failure_of, policy, refusal, story};
use crate::error::Failure;
use crate::policy::{LONGEST_POLICY, Policy, PolicyFile};

#[test]
fn mistakes_are_named_with_place_and_way_out() {
    let mut wrong = Vec::new();
    let prod = "environments:\n  prod: {file: p.yaml, readers: [alice]";
    for (rest, expected) in [
        (
            "enviroments: {}\n",
            "1:1: unknown field `enviroments` | did you mean `environments`?",
        ),
        (
            "zzzzzzzz: 1\n",
            "1:1: unknown field `zzzzzzzz` | fields here are version, id,",
        ),
        (
            "maintainers: [alcie]\n",
            "1:15: `alcie` is no recipient or group | did you mean `alice`?",
        ),
        ("maintainers: alice\n", "1:14: `maintainers` is a list, `[…]`"),
        ("maintainers: [alice, alice]\n", "1:22: `alice` stands here twice"),
        ("default_environment: dev\n", "1:22: `dev` is no environment"),
        (
            "environments: {Prod: {file: p, readers: [bob]}}\n",
            "1:16: `Prod` is no name | names are",
        ),
        (
            "environments: {prod: {readers: [bob]}}\n",
            "1:22: environment `prod` needs `file`",
        ),
        ("environments:\n  prod:\n", "2:3: environment `prod` needs `file`"),
        (
            "environments: {prod: {file: p, readers: []}}\n",
            "1:16: `prod` has no reader",
        ),
        (
            &format!("{prod}, rotate: 90}}\n"),
            "2:50: `rotate` is a length of time such as `90d`",
        ),
        (
            &format!("{prod}, rotate: 90y}}\n"),
            "2:50: `rotate` is a length of time such as `90d` | a number and",
        ),
        (
            &format!("{prod}, expires: 2027-02-30}}\n"),
            "2:51: `expires` is a date such as `2027-03-31`",
        ),
        (
            &format!("{prod}, references: yes}}\n"),
            "2:54: `references` is `true` or `false`",
        ),
        (
            &format!("{prod}, plaintext: [a..b]}}\n"),
            "2:54: malformed pattern `a..b`: a segment is empty",
        ),
        (
            &format!("{prod}, extends: [prod]}}\n"),
            "2:3: `extends` in a circle: `prod`",
        ),
        (
            &format!("{prod}, extends: [pord]}}\n"),
            "2:3: `pord` is no environment | did you mean `prod`?",
        ),
        (
            &format!("{prod}}}\n  dev: {{file: P.yaml, readers: [alice]}}\n"),
            "2:3: `prod` and `dev` have the same file `p.yaml`",
        ),
        (
            &format!("{prod}}}\n  dev: {{file: d, readers: [bob], extends: [prod]}}\n"),
            "3:3: `dev` extends `prod`, which its reader `bob` may not read | add `bob`",
        ),
        (
            "targets: {t: {kind: kubernets, from: [x]}}\n",
            "1:21: `kubernets` is no kind of target | did you mean `kubernetes`?",
        ),
        (
            "targets: {t: {kind: zzz, from: [x]}}\n",
            "1:21: `zzz` is no kind of target | kinds are kubernetes,",
        ),
        ("targets: {t: {kind: file, from: [x]}}\n", "1:34: `x` is no environment"),
        (
            "targets: {t: {kind: file, from: []}}\n",
            "1:11: target `t` delivers from no environment",
        ),
        (
            "targets: {t: {kind: command, from: [x]}}\n",
            "1:21: the kind `command` has a `command`, and",
        ),
        (
            "rotators: {r: {timeout: 1s}}\n",
            "1:12: a rotator has a `command` (with",
        ),
        ("rotators: {r: {command: ls -l}}\n", "1:25: `command` is a list, `[…]`"),
        (
            "rotators: {r: {command: []}}\n",
            "1:25: `command` begins with the program to start",
        ),
        ("secrets: {a: {owner: dave}}\n", "1:22: `dave` is no recipient or group"),
        ("secrets: {a: {rotator: r}}\n", "1:24: `r` is no rotator"),
        ("secrets: {a: {required: [dev]}}\n", "1:26: `dev` is no environment"),
        ("secrets: {\"dev:a\": {}}\n", "1:11: `dev` is no environment"),
        (
            "secrets: {\"a.*\": {env: X}}\n",
            "1:11: `a.*` means many values: `required` and `env`",
        ),
        ("secrets: {a: {env: 1X}}\n", "1:20: `1X` is no name of a variable"),
        (
            "secrets: {a: {pattern: \"(\"}}\n",
            "1:24: `pattern` is no regular expression",
        ),
        (
            "secrets: {a: {description: 1.10}}\n",
            "1:28: `description` is a text: write it in quotes",
        ),
        (
            "check: {waive: [{code: X, at: a}]}\n",
            "1:24: `X` is no code of a finding",
        ),
        (
            "check: {waive: [{code: x, at: a, reason: b}]}\n",
            "1:17: a waiver needs `until`",
        ),
        (
            "scan: {min_length: 0}\n",
            "1:20: `min_length` is a number from 1 to 1024",
        ),
        ("audit: {reads: 1}\n", "1:16: `reads` is `true` or `false`"),
    ] {
        let told = refusal(rest);
        if !told.starts_with(expected) {
            wrong.push(format!("{rest}\n  told {told}\n  want {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn people_are_checked() {
    let head = "version: 1\nid: \"0123456789abcdef0123456789abcdef\"\n";
    for (rest, expected) in [
        (
            format!("recipients: {{a: {{keys: [{KEY}, {KEY}]}}}}\n"),
            "this key of `a` is already one of `a`",
        ),
        (
            format!(
                "recipients: {{a: {{keys: [{KEY}]}}, b: {{keys: [{}]}}}}\n",
                KEY.to_uppercase()
            ),
            "this key of `b` is already one of `a`",
        ),
        (
            format!("recipients: {{a: {{keys: [{SSH} x]}}, b: {{keys: [{SSH} y]}}}}\n"),
            "this key of `b` is already one of `a`",
        ),
        (
            format!("recipients: {{a: {{keys: [{SSH}]}}, b: {{keys: [{KEY}], signing_keys: [{SSH}]}}}}\n"),
            "`b` and `a` have the same signing key",
        ),
        ("recipients: {a: {keys: []}}\n".to_owned(), "recipient `a` has no key"),
        ("recipients: {a: {}}\n".to_owned(), "recipient `a` needs `keys`"),
        ("recipients: {a: {keys: [age1xyz]}}\n".to_owned(), "this public key"),
        (
            format!("recipients: {{a: {{keys: [{KEY}]}}}}\ngroups: {{a: []}}\n"),
            "`a` is a recipient already",
        ),
        (
            "groups: {a: [b], b: [c], c: [b]}\n".to_owned(),
            "groups in a circle: `b` in `c`",
        ),
        ("groups: {a: [x]}\n".to_owned(), "`x` is no recipient or group"),
        (
            format!("recipients: {{a: {{keys: [{KEY}], keys: []}}}}\n"),
            "stands in this mapping twice",
        ),
    ] {
        let failure = failure_of(Policy::parse(&format!("{head}{rest}"), ".secrets.yaml"));
        assert!(failure.message().contains(expected), "{rest}\n  {failure}");
    }
    let both = format!(
        "{head}recipients: {{a: {{keys: [{KEY}], signing_keys: [{SSH2}, {}]}}}}\n",
        "aB".repeat(20)
    );
    let policy = Policy::parse(&both, ".secrets.yaml").unwrap();
    assert_eq!(
        policy.people.recipient("a").unwrap().signing_keys,
        [SSH2.to_owned(), "AB".repeat(20)]
    );
}

#[test]
fn a_private_key_in_a_policy_is_never_repeated() {
    let canary = "AGE-SECRET-KEY-1CANARY00000000000000000000000000000000000000000000000000000";
    for rest in [
        format!("maintainers: [{canary}]\n"),
        format!("{canary}: 1\n"),
        format!("environments: {{e: {{file: f, readers: [{canary}]}}}}\n"),
        format!("secrets: {{a: {{owner: {canary}}}}}\n"),
        format!("secrets: {{a: {{env: {canary}}}}}\n"),
        format!("secrets: {{a: {{rotator: {canary}}}}}\n"),
        format!("rotators: {{a: {{generate: {canary}}}}}\n"),
    ] {
        let failure = failure_of(Policy::parse(&story(&rest), ".secrets.yaml"));
        let all = format!("{failure} {}", failure.hints().join(" "));
        assert!(!all.contains("CANARY") && !all.contains("canary"), "{all}");
    }
}

#[test]
fn ids_and_versions_are_judged_first() {
    for (text, expected) in [
        ("", "the root policy has no `id`"),
        (
            "version: 2\nnew_field: 1\n",
            "this policy was written by a newer secretree",
        ),
        ("version: \"1\"\n", "`version` is `1`"),
        (
            "id: 01234567890123456789012345678901\n",
            "`id` is 32 lower-case hex digits in quotes",
        ),
        (
            "id: 0123456789abcdef0123456789abcdef\n",
            "`id` is 32 lower-case hex digits in quotes",
        ),
        (
            "id: \"0123456789ABCDEF0123456789abcdef\"\n",
            "`id` is 32 lower-case hex digits in quotes",
        ),
        ("id: &a \"0123456789abcdef0123456789abcdef\"\n", "anchor"),
        (&"#".repeat(LONGEST_POLICY + 1), "larger than the 1 MiB"),
    ] {
        let failure = failure_of(Policy::parse(text, ".secrets.yaml"));
        assert!(failure.message().contains(expected), "{failure}");
    }
}

#[test]
fn files_stay_inside_the_folder_and_out_of_reserved_places() {
    for file in [
        "/etc/x",
        "../x",
        "a/../x",
        "a//x",
        "./x",
        "a/",
        ".git/x",
        "a/.GIT/x",
        ".secrets.yaml",
        "a/.secrets.yaml",
        "\".secrets.journal\"",
        "\"a\\\\b\"",
        "\"a\\nb\"",
        "\"\"",
        "\"a/{b}.yaml\"",
        "\"{a}/{b}/c\"",
        "\"x{a}/c\"",
        "\"{A}/c\"",
        "\"a:b\"",
        "\"a$(touch b).yaml\"",
    ] {
        let failure = failure_of(Policy::parse(
            &story(&format!("environments: {{e: {{file: {file}, readers: [bob]}}}}\n")),
            "p",
        ));
        assert!(
            failure.message().starts_with("`p` line 9 column 26"),
            "{file}: {failure}"
        );
    }
}

#[test]
fn a_pattern_that_would_take_too_much_memory_is_refused_when_used() {
    let policy = policy("secrets: {a: {pattern: \"(((x{1,200}){1,200}){1,200})\"}}\n");
    assert!(policy.secrets[0].fits("x").is_err());
}

#[test]
fn a_placeholder_that_the_file_lacks_is_refused() {
    let told = refusal("environments: {p: {file: \"a/{x}/c\", readers: [\"t-{y}\"]}}\n");
    assert_eq!(
        told,
        "1:47: `t-{y}` has a placeholder that `file` lacks | did you mean `{x}`?"
    );
}

#[test]
fn a_nested_policy_names_no_people_and_no_folders() {
    for (text, expected) in [
        ("recipients: {}\n", "unknown field `recipients`"),
        ("id: x\n", "unknown field `id`"),
        (
            "environments: {a/b: {file: x, readers: [bob]}}\n",
            "`a/b` has its folder in front already",
        ),
        (
            "environments: {a: {file: \"{x}/y\", readers: [bob]}}\n",
            "in the root policy only",
        ),
    ] {
        let failure = failure_of(PolicyFile::nested(text, "a/.secrets.yaml", Path::new("a")));
        assert!(failure.message().contains(expected), "{failure}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "([a-z]{1,6}: ?|[-{}\\[\\],\"*/.0-9 ]|\n  |\n|readers|file|recipients: |environments: ){0,40}") {
        let whole = format!("id: \"0123456789abcdef0123456789abcdef\"\n{text}");
        if let Err(error) = Policy::parse(&whole, "p") {
            prop_assert!(error.downcast::<Failure>().is_ok());
        }
    }
}
