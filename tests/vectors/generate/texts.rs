//! Vectors that are refused with 1: texts that YAML readers dispute (FORMAT, Text 7), and malformed policies.

use super::Vector;
use super::draft::{Command, Draft, TOUCHES_PROD, all_zero_key, policy, policy_with, public, refused_by};

pub(super) fn vectors() -> Vec<Vector> {
    let mut all = texts();
    all.extend(policies());
    all
}

/// What reads the policy, and the file of `prod`.
const READS_PROD: &[Command<'_>] = TOUCHES_PROD;

fn texts() -> Vec<Vector> {
    let base = Draft::new();
    let body = base.sealed_body();
    let with = |line: &str| base.text_over(&format!("{body}{line}"));
    let mut latin = base.text().into_bytes();
    latin.splice(0..0, *b"# caf\xe9 canary-7d1e\n");
    let nested = format!("deep: {}1{}\n", "[".repeat(65), "]".repeat(65));
    let cases: Vec<(&str, &str, Vec<u8>)> = vec![
        (
            "text-line-separator",
            "U+2028 in a comment: a line end for some readers",
            with("# x\u{2028}extra: canary-7d1e\n").into(),
        ),
        (
            "text-paragraph-separator",
            "U+2029 in a comment",
            with("# x\u{2029}extra: canary-7d1e\n").into(),
        ),
        (
            "text-next-line",
            "U+0085 in a comment",
            with("# x\u{85}extra: canary-7d1e\n").into(),
        ),
        (
            "text-lone-carriage-return",
            "a CR without LF in a comment",
            with("# x\rextra: canary-7d1e\n").into(),
        ),
        (
            "text-byte-order-mark-inside",
            "U+FEFF behind the start",
            with("# \u{feff}canary-7d1e\n").into(),
        ),
        (
            "text-control-character",
            "U+0007 in a comment",
            with("# \u{7}canary-7d1e\n").into(),
        ),
        ("text-not-utf8", "a byte that is no UTF-8", latin),
        (
            "text-tab-in-the-indentation",
            "a tab in the leading blanks",
            with("extra:\n\ta: canary-7d1e\n").into(),
        ),
        ("text-anchor", "an anchor", with("extra: &a canary-7d1e\n").into()),
        ("text-alias", "an alias", with("extra: *canary-7d1e\n").into()),
        (
            "text-merge-key",
            "a merge key",
            with("extra:\n  <<: {a: canary-7d1e}\n").into(),
        ),
        ("text-tag", "a tag", with("extra: !!str canary-7d1e\n").into()),
        (
            "text-directive",
            "a directive",
            format!("%YAML 1.2\n---\n{}", base.text()).into(),
        ),
        (
            "text-second-document",
            "a second document",
            format!("{}---\nextra: canary-7d1e\n", base.text()).into(),
        ),
        (
            "text-document-end",
            "a document end",
            format!("{}...\n", base.text()).into(),
        ),
        (
            "text-duplicate-key",
            "a key that stands twice",
            with("port: canary-7d1e\n").into(),
        ),
        (
            "text-duplicate-key-escaped",
            "a key that stands twice once it is unescaped",
            with("\"p\\u006frt\": canary-7d1e\n").into(),
        ),
        (
            "text-duplicate-footer",
            "two footers",
            format!("{}\nsecretree:\n  format: 1\n", base.text()).into(),
        ),
        ("text-complex-key", "a complex key", with("? canary-7d1e\n: x\n").into()),
        (
            "text-number-as-key",
            "a plain key that is a number for YAML",
            with("404: canary-7d1e\n").into(),
        ),
        (
            "text-key-without-colon",
            "a key without `:` in a flow mapping",
            with("extra: {canary-7d1e}\n").into(),
        ),
        (
            "text-root-in-flow-style",
            "the root is a flow mapping",
            "{\"port\": \"canary-7d1e\"}\n".into(),
        ),
        ("text-root-list", "the root is a list", "- canary-7d1e\n".into()),
        (
            "text-indented-root",
            "root keys not at column 0",
            base.text()
                .lines()
                .map(|line| format!(" {line}\n"))
                .collect::<String>()
                .into(),
        ),
        ("text-too-deep", "more than 64 levels", with(&nested).into()),
        (
            "text-conflict-markers",
            "markers that a merge left",
            with("<<<<<<< ours\nextra: canary-7d1e\n=======\nextra: canary-7d1e\n>>>>>>> theirs\n").into(),
        ),
    ];
    cases
        .into_iter()
        .map(|(name, about, text)| refused_by(name, about, 1, &policy(), text, READS_PROD, &["prod.yaml"]))
        .collect()
}

fn policies() -> Vec<Vector> {
    let right = policy();
    let alice = public("alice").to_string();
    // The Edwards point (0, 1), whose order is 1.
    let low_order_ssh = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let cases = [
        (
            "policy-key-of-low-order",
            "a recipient's key is the all-zero point, which protects nothing",
            right.replace(&alice, &all_zero_key()),
        ),
        (
            "policy-ssh-key-of-low-order",
            "a recipient's ssh key is a point of low order",
            right.replace(&alice, low_order_ssh),
        ),
        (
            "policy-key-damaged",
            "one letter of a public key is another",
            right.replace(&alice, &alice.replace("age1", "age1q")),
        ),
        (
            "policy-private-key",
            "a private key was pasted where a public one belongs",
            right.replace(&alice, "AGE-SECRET-KEY-1CANARY-7D1E-canary-7d1e"),
        ),
        (
            "policy-key-of-two-recipients",
            "two recipients have the same public key",
            right.replace(&public("bob").to_string(), &alice),
        ),
        (
            "policy-unknown-field",
            "a field that the policy does not know",
            policy_with("", "recipents: {}\n"),
        ),
        (
            "policy-unknown-version",
            "`version` is 2",
            right.replace("version: 1", "version: 2"),
        ),
        (
            "policy-without-id",
            "`id` is missing",
            right
                .lines()
                .filter(|line| !line.starts_with("id:"))
                .map(|line| format!("{line}\n"))
                .collect(),
        ),
        (
            "policy-id-in-capitals",
            "`id` is written in capitals",
            right.replace("5f0c3a1e", "5F0C3A1E"),
        ),
        (
            "policy-id-short",
            "`id` has 31 digits",
            right.replace("5f0c3a1e", "5f0c3a1"),
        ),
        (
            "policy-line-separator",
            "U+2028 in a comment",
            format!("# x\u{2028}y\n{right}"),
        ),
        (
            "policy-anchor",
            "an anchor",
            right.replace("readers: [team]", "readers: &readers [team]"),
        ),
        ("policy-tag", "a tag", right.replace("version: 1", "version: !!int 1")),
        (
            "policy-duplicate-environment",
            "an environment stands twice",
            policy_with("  prod:\n    file: other.yaml\n    readers: [mallory]\n", ""),
        ),
        (
            "policy-file-outside",
            "an environment's file is outside of the policy's folder",
            right.replace("file: dev.yaml", "file: ../dev.yaml"),
        ),
        (
            "policy-file-in-git",
            "an environment's file is inside `.git`",
            right.replace("file: dev.yaml", "file: .git/dev.yaml"),
        ),
        (
            "policy-file-of-two-environments",
            "two environments claim one file",
            right.replace("file: dev.yaml", "file: prod.yaml"),
        ),
        (
            "policy-unknown-reader",
            "a reader that is neither recipient nor group",
            right.replace("readers: [alice]", "readers: [mallory]"),
        ),
        (
            "policy-group-cycle",
            "a group holds itself",
            right.replace("team: [alice, bob]", "team: [alice, bob, team]"),
        ),
        (
            "policy-group-and-recipient",
            "a group has the name of a recipient",
            right.replace("team: [alice, bob]", "team: [alice, bob]\n  bob: [alice]"),
        ),
    ];
    let text = Draft::new().text();
    cases
        .into_iter()
        .map(|(name, about, policy)| refused_by(name, about, 1, &policy, text.as_str(), READS_PROD, &[".secrets.yaml"]))
        .collect()
}
