//! `action.yml`: what linters say of it, and what its scripts do when a runner runs them, also with inputs that want to
//! be more than text.

use std::path::Path;
use std::process::Command;

use crate::action_runner::{Action, Runner, Texts, bring_program};
use crate::canary::Canary;
use crate::fixture::{TWO_ENVIRONMENTS, alice_with_git, edit};
use crate::forgery::footer_of;
use crate::sandbox::Person;
use crate::tools::require;

/// Alice, in a repository with this text as `dev`.
fn checkout(dev: &str) -> Person {
    let alice = alice_with_git(TWO_ENVIRONMENTS);
    edit(&alice, "dev", dev).run().succeeds();
    alice.commit("dev");
    alice
}

/// The text of the identity file, which is gone afterwards.
fn take_identity(person: &Person) -> String {
    let text = std::fs::read_to_string(person.identity_file()).unwrap();
    std::fs::remove_file(person.identity_file()).unwrap();
    text
}

/// A folder that holds the program, as a cache would bring it.
fn folder_with_program(person: &Person) -> String {
    let folder = person.folder().join("opt");
    bring_program(&folder);
    folder.into_os_string().into_string().unwrap()
}

fn inputs<const N: usize>(inputs: [(&str, &str); N]) -> Texts {
    inputs.map(|(name, text)| (name.to_owned(), text.to_owned())).into()
}

/// A `cargo` that writes down how it was called and brings a program.
fn recording_cargo(person: &Person) {
    let program = env!("CARGO_BIN_EXE_secretree");
    let record = person.folder().join("cargo.txt");
    person.sandbox().script(
        "cargo",
        &format!(
            "#!/bin/sh\n{{ pwd; printf '%s\\n' \"$@\"; }} >'{}'\nmkdir -p \"$6/bin\"\nln -s '{program}' \"$6/bin/secretree\"\n",
            record.display()
        ),
    );
}

#[test]
fn linters_have_nothing_to_say() {
    if !require(&["check-jsonschema", "zizmor"]) {
        return;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    for words in [
        &["check-jsonschema", "--builtin-schema", "vendor.github-actions"][..],
        &["zizmor", "--offline", "--no-progress", "--persona", "auditor"],
    ] {
        let run = Command::new(words[0])
            .args(&words[1..])
            .arg("action.yml")
            .current_dir(folder)
            .output();
        let output = run.unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
    }
}

#[test]
fn scripts_are_fixed_and_nobody_elses() {
    let action = Action::ours();
    assert!(action.steps().len() >= 2);
    for step in action.steps() {
        assert!(
            step.uses.is_none(),
            "an action of somebody else would have to be pinned"
        );
        assert_eq!(step.shell.as_deref(), Some("bash"));
        assert!(!step.run.as_ref().unwrap().contains("${{"));
    }
}

#[test]
fn the_program_is_built_from_the_actions_own_text() {
    let alice = checkout("a: 1\n");
    recording_cargo(&alice);
    let usual = Runner::new(&alice, &[]).temporary().join("secretree");
    let odd = alice.folder().join("a 'b' $(touch x)");
    for (with, root) in [
        (Texts::new(), usual),
        (inputs([("folder", odd.to_str().unwrap())]), odd),
    ] {
        let mut runner = Runner::new(&alice, &[]);
        assert!(runner.run_action(&with), "{}", runner.log());
        let expected = format!(
            "{}\ninstall\n--locked\n--path\n.\n--root\n{}\n--target-dir\n{}\n",
            env!("CARGO_MANIFEST_DIR"),
            root.display(),
            runner.temporary().join("secretree-build").display()
        );
        let called = std::fs::read_to_string(alice.folder().join("cargo.txt")).unwrap();
        assert_eq!(called, expected);
        assert_eq!(runner.path, [root.join("bin")]);
        assert!(runner.variables.is_empty(), "nothing was loaded");
        assert!(runner.log().starts_with("secretree "), "{}", runner.log());
    }
    assert!(!alice.work("x").exists(), "an input was run");
}

#[test]
fn a_program_that_is_there_is_not_built() {
    let alice = checkout("a: 1\n");
    recording_cargo(&alice);
    let folder = folder_with_program(&alice);
    let mut runner = Runner::new(&alice, &[]);
    assert!(runner.run_action(&inputs([("folder", &folder)])), "{}", runner.log());
    assert!(!alice.folder().join("cargo.txt").exists());
    assert_eq!(runner.path, [Path::new(&folder).join("bin")]);
}

#[test]
fn an_environment_becomes_masked_variables() {
    let canary = Canary::new();
    let value = canary.value();
    let alice = checkout(&format!(
        "one: {value}\nlines: |\n  {value} 1\n  EOF\n  X=%0A{value}\nlog: {{level: info}}\n"
    ));
    let trust = format!("dev:{}", footer_of(&alice.read_text("secrets/dev.yaml")).drop_box);
    let (folder, key) = (folder_with_program(&alice), take_identity(&alice));
    let mut runner = Runner::new(&alice, &[]);
    let with = inputs([
        ("folder", &folder),
        ("environment", "dev"),
        ("key", &key),
        ("trust", &trust),
    ]);
    assert!(runner.run_action(&with), "{}", runner.log());
    let expected = inputs([
        ("ONE", value),
        ("LINES", &format!("{value} 1\nEOF\nX=%0A{value}\n")),
        ("LOG_LEVEL", "info"),
    ]);
    assert_eq!(runner.variables, expected);
    let log = runner.log();
    assert!(!log.contains(value) && !log.contains("AGE-SECRET-KEY"), "{log}");
    canary.assert_unseen(alice.sandbox(), &[alice.folder().join("edited.yaml")]);
}

#[test]
fn the_jobs_own_variables_count_where_inputs_are_empty() {
    let alice = checkout("a: 1\n");
    let (folder, key) = (folder_with_program(&alice), take_identity(&alice));
    let with = inputs([("folder", &folder), ("environment", "dev")]);
    let mut without = Runner::new(&alice, &[]);
    assert!(!without.run_action(&with));
    assert!(without.log().contains("no identity"), "{}", without.log());
    assert!(without.variables.is_empty());
    let mut runner = Runner::new(&alice, &[]);
    runner.variables = inputs([("SECRETREE_KEY", &key)]);
    assert!(runner.run_action(&with), "{}", runner.log());
    assert_eq!(runner.variables["A"], "1");
}

#[test]
fn hostile_inputs_stay_text() {
    let alice = checkout("a: 1\n");
    recording_cargo(&alice);
    let (folder, key) = (folder_with_program(&alice), take_identity(&alice));
    let marker = alice.folder().join("touched");
    let touch = format!("touch {}", marker.display());
    let hostile = [
        format!("; {touch}"),
        format!("$({touch})"),
        format!("`{touch}`"),
        format!("' {touch} '\" ; {touch} \""),
        format!("dev\n{touch}\nPATH=/evil\n::set-env name=PATH::/evil"),
        format!("/tmp/x$({touch})\nEVIL=1"),
        "--output=/tmp/evil".to_owned(),
        "a[$(touch x)]".to_owned(),
    ];
    let usual = inputs([("folder", &folder), ("environment", "dev"), ("key", &key)]);
    for name in ["folder", "environment", "key", "trust"] {
        for text in &hostile {
            let mut with = usual.clone();
            with.insert(name.to_owned(), text.clone());
            let mut runner = Runner::new(&alice, &[]);
            assert!(!runner.run_action(&with), "{name}: {text:?} was taken");
            assert!(
                !marker.exists() && !alice.work("x").exists(),
                "{name}: {text:?} was run"
            );
            assert!(runner.variables.is_empty(), "{name}: {text:?} set a variable");
            let expected = if name == "folder" { 0 } else { 1 };
            assert_eq!(runner.path.len(), expected, "{name}: {text:?} changed PATH");
            let log = runner.log();
            assert!(
                !log.lines().any(|line| line.starts_with("::")),
                "{name}: {text:?} became a workflow command: {log}"
            );
        }
    }
    assert!(!alice.folder().join("cargo.txt").exists(), "nothing was built");
}
