//! Every code of `check`: one case that raises it in a repository where nothing else is wrong, and what makes it go away
//! again. A code without a case fails the suite.

use std::collections::BTreeSet;

use secretree::checks::RULES;
use serde_json::Value;

use crate::fixture::{edit, policy};
use crate::sandbox::{Person, Sandbox};

/// What stands behind the recipients in the policy of the repository.
const REST: &str = "\
default_environment: dev
environments:
  common: {file: secrets/common.yaml, readers: [alice, bob], writers: [alice]}
  dev: {file: secrets/dev.yaml, readers: [alice, bob], plaintext: [\"log.*\"]}
  prod: {file: secrets/prod.yaml, readers: [alice], writers: [alice], extends: [common]}
secrets:
  database.password: {description: role api, required: [prod], pattern: \"^.{8,}$\", owner: alice}
  database.user: {}
";

/// Alice's repository, in which nothing is wrong, and bob, who reads `dev` and not `prod`.
pub(crate) struct Scene {
    pub(crate) alice: Person,
    pub(crate) bob: Person,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let sandbox = Sandbox::new();
        let (alice, bob) = (sandbox.person("alice"), sandbox.person("bob"));
        let scene = Self { alice, bob };
        let alice = &scene.alice;
        scene.write_policy(REST);
        alice.git(["init", "--quiet"]).run().succeeds();
        alice.commit("policy");
        let dev = "log:\n  level: info\ndatabase:\n  password: first-password\n";
        edit(alice, "dev", dev).run().succeeds();
        scene.set("prod", "database.password", "second-password");
        scene.set("common", "database.user", "api");
        alice.commit("secrets");
        scene
    }

    /// A policy of alice and bob that ends like this.
    pub(crate) fn write_policy(&self, rest: &str) {
        let keys = [("alice", self.alice.public_key()), ("bob", self.bob.public_key())];
        let keys: Vec<_> = keys.iter().map(|(name, key)| (*name, key.as_str())).collect();
        self.alice.write(".secrets.yaml", policy(&keys, rest));
    }

    /// The policy with one text in the place of another.
    pub(crate) fn change_policy(&self, from: &str, to: &str) {
        let text = self.alice.read_text(".secrets.yaml");
        assert!(text.contains(from), "{text}");
        self.alice.write(".secrets.yaml", text.replace(from, to));
    }

    pub(crate) fn set(&self, environment: &str, path: &str, value: &str) {
        self.run(&["set", environment, path], value);
    }

    /// Runs a command that works.
    pub(crate) fn run(&self, words: &[&str], input: &str) {
        self.alice
            .secretree(words.iter().copied())
            .input(input)
            .run()
            .succeeds();
    }

    fn restore(&self) {
        self.git(&["restore", "--staged", "--worktree", "."]);
    }

    pub(crate) fn git(&self, words: &[&str]) {
        self.alice.git(words.iter().copied()).run().code(0);
    }

    /// A file with one text in the place of another.
    fn change(&self, file: &str, from: &str, to: &str) {
        let text = self.alice.read_text(file);
        assert!(text.contains(from), "{text}");
        self.alice.write(file, text.replacen(from, to, 1));
    }

    /// Gives alice and bob a key each to sign commits with, and alice the policy's last word; the commit `known` has that.
    pub(crate) fn sign(&self) {
        for person in [&self.alice, &self.bob] {
            let file = person.folder().join("home/.ssh/signing");
            let words = ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f"];
            person.command("ssh-keygen", words).operand(&file).run().code(0);
        }
        let policy = self.alice.read_text(".secrets.yaml");
        let signed = policy.lines().map(|line| {
            let person = [&self.alice, &self.bob]
                .into_iter()
                .find(|person| line.contains(&person.public_key()));
            match person {
                Some(person) => {
                    let key = std::fs::read_to_string(person.folder().join("home/.ssh/signing.pub")).unwrap();
                    format!("{}, signing_keys: [{}]}}\n", line.trim_end_matches('}'), key.trim())
                }
                None => format!("{line}\n"),
            }
        });
        let signed: String = signed.collect();
        self.alice.write(
            ".secrets.yaml",
            signed.replace("recipients:\n", "maintainers: [alice]\nrecipients:\n"),
        );
        self.alice.commit("signing keys");
        self.git(&["tag", "known"]);
    }

    /// Commits everything, signed by this person.
    pub(crate) fn commit_signed(&self, signer: &Person, more: &[&str]) {
        self.git(&["add", "--all"]);
        let key = signer.folder().join("home/.ssh/signing");
        let setting = format!("user.signingkey={}", key.display());
        let words = [
            "-c",
            "gpg.format=ssh",
            "-c",
            &setting,
            "commit",
            "--quiet",
            "-S",
            "-m",
            "x",
        ];
        self.git(&[&words[..], more].concat());
    }

    /// What `check --json` says.
    pub(crate) fn report(&self) -> Value {
        self.report_of(&[])
    }

    fn report_of(&self, flags: &[&str]) -> Value {
        let output = self.alice.secretree([&["check", "--json"], flags].concat()).run();
        serde_json::from_slice(output.stdout_bytes()).unwrap_or_else(|_| panic!("{}", output.stderr()))
    }

    /// The codes that count, sorted, each once.
    pub(crate) fn codes(&self) -> Vec<String> {
        self.codes_of(&[])
    }

    pub(crate) fn codes_of(&self, flags: &[&str]) -> Vec<String> {
        let report = self.report_of(flags);
        let findings = report["findings"].as_array().unwrap().iter();
        let codes: BTreeSet<_> = findings.map(|one| one["code"].as_str().unwrap().to_owned()).collect();
        codes.into_iter().collect()
    }
}

/// How a code comes and goes.
struct Case {
    code: &'static str,
    raise: fn(&Scene),
    mend: fn(&Scene),
    /// Other codes that cannot be kept away.
    beside: &'static [&'static str],
    /// What `check` is told.
    flags: &'static [&'static str],
}

const fn case(code: &'static str, raise: fn(&Scene), mend: fn(&Scene)) -> Case {
    Case {
        code,
        raise,
        mend,
        beside: &[],
        flags: &[],
    }
}

const DEV: &str = "secrets/dev.yaml";

/// Gives the values that bob could read new ones.
fn renew(scene: &Scene) {
    scene.set("dev", "database.password", "renewed-password");
    scene.set("common", "database.user", "renewed");
}

/// The token in a file's text, as its line.
fn token(text: &str) -> &str {
    text.lines().find(|line| line.trim().starts_with("ENC[age,")).unwrap()
}

const CASES: &[Case] = &[
    case(
        "conflict-markers",
        |scene| scene.change(DEV, "log:\n", "<<<<<<< HEAD\nlog:\n"),
        Scene::restore,
    ),
    case(
        "malformed-file",
        |scene| scene.change(DEV, "drop_box: age1", "drop_box: age2"),
        Scene::restore,
    ),
    case(
        "plaintext-value",
        |scene| scene.change(DEV, "database:\n", "database:\n  user: hunter2\n"),
        |scene| scene.run(&["encrypt", "dev", "--yes"], ""),
    ),
    case(
        "readable-identity",
        |scene| {
            let identity = std::fs::read(scene.bob.identity_file()).unwrap();
            scene.alice.write("secrets/ci.txt", identity);
            scene.git(&["add", "secrets/ci.txt"]);
        },
        |scene| scene.git(&["rm", "--quiet", "--cached", "secrets/ci.txt"]),
    ),
    case(
        "untrusted-key",
        |scene| {
            scene.run(&["apply", "dev", "--new-key", "--yes", "--commit"], "");
            scene.git(&["checkout", "--quiet", "HEAD~1", "--", DEV]);
        },
        Scene::restore,
    ),
    case(
        "integrity",
        |scene| {
            let text = scene.alice.read_text(DEV);
            let (start, end) = token(&text).split_at(60);
            let letter = if end.starts_with('A') { "B" } else { "A" };
            scene.change(DEV, token(&text), &format!("{start}{letter}{}", &end[1..]));
        },
        Scene::restore,
    ),
    case(
        "foreign-token",
        |scene| {
            let before = scene.alice.read_text(DEV);
            scene.run(&["apply", "dev", "--new-key", "--yes", "--commit"], "");
            let text = scene.alice.read_text(DEV);
            scene.change(DEV, token(&text), token(&before));
        },
        |scene| scene.run(&["apply", "dev", "--yes", "--take-over", "database.password"], ""),
    ),
    case(
        "unknown-recipient",
        |scene| {
            let rest = REST.replace("[alice, bob]", "[alice]");
            let key = scene.alice.public_key();
            scene.alice.write(".secrets.yaml", policy(&[("alice", &key)], &rest));
        },
        |scene| {
            scene.run(&["apply", "--yes"], "");
            renew(scene);
        },
    ),
    case(
        "exposed-value",
        |scene| {
            scene.change_policy("dev.yaml, readers: [alice, bob]", "dev.yaml, readers: [alice]");
            scene.run(&["apply", "--yes", "--commit"], "");
        },
        renew,
    ),
    Case {
        code: "key-outlived-reader",
        raise: |scene| {
            scene.change_policy("dev.yaml, readers: [alice, bob]", "dev.yaml, readers: [alice]");
            // Somebody takes the grant out by hand, which takes nothing away.
            let text = scene.alice.read_text(DEV);
            let start = text.find("    bob:\n").unwrap();
            let end = start + text[start..].match_indices('\n').nth(2).unwrap().0 + 1;
            scene.alice.write(DEV, [&text[..start], &text[end..]].concat());
            scene.alice.commit("bob is out");
        },
        mend: |scene| {
            scene.run(&["apply", "dev", "--new-key", "--yes"], "");
            renew(scene);
        },
        beside: &["exposed-value"],
        flags: &[],
    },
    case(
        "value-rolled-back",
        |scene| {
            scene.set("dev", "database.password", "third-password");
            scene.alice.commit("rotated");
            scene.git(&["checkout", "--quiet", "HEAD~1", "--", DEV]);
            scene.alice.commit("as it was");
        },
        |scene| scene.set("dev", "database.password", "fourth-password"),
    ),
    case(
        "history-incomplete",
        |scene| {
            let folder = scene.alice.folder();
            let (origin, shallow) = (folder.join("origin.git"), folder.join("shallow"));
            let url = format!("file://{}", origin.display());
            scene.git(&["clone", "--quiet", "--bare", ".", origin.to_str().unwrap()]);
            scene.git(&["clone", "--quiet", "--depth", "1", &url, shallow.to_str().unwrap()]);
            std::fs::rename(scene.alice.work(".git"), folder.join("whole")).unwrap();
            std::fs::rename(shallow.join(".git"), scene.alice.work(".git")).unwrap();
        },
        |scene| scene.git(&["fetch", "--quiet", "--unshallow"]),
    ),
    case(
        "recipient-drift",
        |scene| scene.change_policy("prod.yaml, readers: [alice]", "prod.yaml, readers: [alice, bob]"),
        |scene| scene.run(&["apply", "--yes"], ""),
    ),
    case(
        "missing-file",
        |scene| {
            scene.change_policy(
                "secrets:\n",
                "  test: {file: secrets/test.yaml, readers: [alice]}\nsecrets:\n",
            )
        },
        |scene| scene.run(&["apply", "--yes"], ""),
    ),
    case(
        "missing-required",
        |scene| scene.run(&["unset", "prod", "database.password"], ""),
        |scene| scene.set("prod", "database.password", "third-password"),
    ),
    case(
        "pattern-mismatch",
        |scene| scene.change_policy("^.{8,}$", "^[0-9]+$"),
        |scene| {
            for environment in ["dev", "prod"] {
                scene.set(environment, "database.password", "0123456789");
            }
        },
    ),
    case(
        "undeclared-secret",
        |scene| scene.set("dev", "databse.password", "third-password"),
        |scene| scene.run(&["unset", "dev", "databse.password"], ""),
    ),
    case(
        "proposal-pending",
        |scene| {
            let propose = scene.bob.secretree(["set", "prod", "database.password"]);
            propose.inside("../../alice/work").input("third-password").run().code(0);
        },
        Scene::restore,
    ),
    case(
        "extends-widens-writers",
        |scene| scene.change_policy("[alice, bob], writers: [alice]", "[alice, bob], writers: [alice, bob]"),
        Scene::restore,
    ),
    case(
        "weak-key",
        |scene| {
            scene.change_policy(
                "default_environment",
                &format!("  dave: {{keys: [{RSA_2048}]}}\ndefault_environment"),
            );
        },
        Scene::restore,
    ),
    Case {
        code: "unsigned-change",
        raise: |scene| {
            scene.sign();
            scene.set("dev", "database.password", "third-password");
            scene.alice.commit("unsigned");
        },
        mend: |scene| scene.commit_signed(&scene.alice, &["--amend"]),
        beside: &[],
        flags: SINCE,
    },
    Case {
        code: "unauthorised-change",
        raise: |scene| {
            scene.sign();
            scene.set("prod", "database.password", "third-password");
            scene.commit_signed(&scene.bob, &[]);
        },
        mend: |scene| scene.commit_signed(&scene.alice, &["--amend"]),
        beside: &[],
        flags: SINCE,
    },
    Case {
        code: "waiver-expired",
        raise: |scene| {
            scene.set("dev", "databse.password", "third-password");
            let waiver = "{code: undeclared-secret, at: \"dev:**\", until: 2020-01-31, reason: for now}";
            scene.change_policy("secrets:\n", &format!("check: {{waive: [{waiver}]}}\nsecrets:\n"));
        },
        mend: |scene| scene.change_policy("2020-01-31", "2999-12-31"),
        beside: &["undeclared-secret"],
        flags: &[],
    },
    case(
        "waiver-unknown-code",
        |scene| {
            let waiver = "{code: undeclared-secrets, at: \"dev:**\", until: 2999-12-31, reason: for now}";
            scene.change_policy("secrets:\n", &format!("check: {{waive: [{waiver}]}}\nsecrets:\n"));
        },
        Scene::restore,
    ),
];

/// Judges what came after the commit that everybody knows.
const SINCE: &[&str] = &["--since", "known"];

/// An RSA key of 2048 bits whose private half nobody has.
const RSA_2048: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDy/3w8tBqcQVpqKG3SbgmCYEphrhMKsDolUcBDzY+5g+SfSH5qsr\
     RK0jULJ8PR9QQvploOzmD1hrIqAGpRge4bpBP0ndYXT8G8vHOnwSyRFgilZ95mmIO7reMIo4kpB7L3HNG+xPI6rOLb\
     8uQEMfyAfSUX5/dJGZ6gWhTCzbtArzWVPVcyXHF+mEUIV3neDY7+0XNRMKuo9q7Z56cDQhdFpv3S7gDFJhpvb1IYcu\
     9An+/0d4wgCXIrA9db7QnLNJB3b2KTECcey16RoRvsGvpc2S3PVGNTVXEvSafCzPkEQJPVNVjDYwl45r9F3x42AKh6\
     db0WyAswCoLxt7lM3WAR";

#[test]
fn every_code_has_a_case() {
    let cases: BTreeSet<_> = CASES.iter().map(|case| case.code).collect();
    let codes: BTreeSet<_> = RULES.iter().map(|rule| rule.code.name).collect();
    assert_eq!(cases, codes);
    assert_eq!(cases.len(), CASES.len(), "a code has two cases");
}

#[test]
fn every_code_comes_and_goes() {
    assert_eq!(Scene::new().codes(), [""; 0]);
    for case in CASES {
        let scene = Scene::new();
        (case.raise)(&scene);
        let mut expected: Vec<_> = case.beside.iter().chain([&case.code]).copied().collect();
        expected.sort_unstable();
        assert_eq!(scene.codes_of(case.flags), expected, "{}", case.code);
        assert_places(&scene.report_of(case.flags), case.code);
        (case.mend)(&scene);
        assert_eq!(scene.codes_of(case.flags), [""; 0], "{} stays", case.code);
    }
}

/// Each finding says where it is and what to do.
fn assert_places(report: &Value, code: &str) {
    let findings = report["findings"].as_array().unwrap().iter();
    for finding in findings.filter(|finding| finding["code"] == code) {
        assert!(finding["file"].is_string(), "{finding}");
        let hints = finding["hints"].as_array().unwrap();
        assert!(finding["cure"].is_string() || !hints.is_empty(), "{finding}");
        let message = finding["message"].as_str().unwrap();
        assert!(!message.contains('\n') && !message.ends_with('.'), "{message}");
    }
}
