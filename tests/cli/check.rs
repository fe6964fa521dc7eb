//! `check` as a person and a job meet it: what it prints, how it ends, what it says of what it could not look at, and the
//! formats for others. Each code on its own is in `check_codes`.

use expect_test::expect;
use serde_json::Value;

use crate::check_codes::Scene;
use crate::fixture::changes_nothing;
use crate::run::Run;
use crate::sandbox::Sandbox;

fn check(scene: &Scene, words: &[&str]) -> Run {
    scene.alice.secretree([&["check"], words].concat())
}

/// A scene with an error and a warning.
fn troubled() -> Scene {
    let scene = Scene::new();
    let file = scene.alice.read_text("secrets/prod.yaml");
    scene
        .alice
        .write("secrets/prod.yaml", format!("stripe: hunter2\n{file}"));
    scene.change_policy("prod.yaml, readers: [alice]", "prod.yaml, readers: [alice, bob]");
    scene
}

#[test]
fn a_repository_in_which_nothing_is_wrong() {
    let scene = Scene::new();
    changes_nothing(check(&scene, &[])).check(expect![[r#"
        status: 0
        --- stderr
        nothing was found
    "#]]);
    check(&scene, &["--strict", "-q"]).run().code(0).silent();
}

#[test]
fn findings_name_place_cure_and_hint_and_errors_end_with_3() {
    let scene = troubled();
    changes_nothing(check(&scene, &[])).check(expect![[r#"
        status: 3
        --- stdout
        error[plaintext-value]: `prod:stripe` (`secrets/prod.yaml` line 1) is not encrypted
          cure: secretree encrypt prod
        warning[recipient-drift]: `bob` (x25519-beb9c93eba2ffa2a) may read `prod` and is not granted its key
          cure: secretree apply prod
          hint: run by somebody who reads it already
        --- stderr
        1 error, 1 warning
    "#]]);
    check(&scene, &["dev", "common"]).run().code(0);
    scene.run(&["encrypt", "prod", "--yes"], "");
    check(&scene, &["prod"]).run().check(expect![[r#"
        status: 0
        --- stdout
        warning[recipient-drift]: `bob` (x25519-beb9c93eba2ffa2a) may read `prod` and is not granted its key
          cure: secretree apply prod
          hint: run by somebody who reads it already
        warning[undeclared-secret]: `prod:stripe` is not declared under `secrets`
          hint: declare it in the policy, with `description`, `owner` and `rotate`
        --- stderr
        0 errors, 2 warnings
    "#]]);
    check(&scene, &["prod", "--strict"]).run().code(3);
}

#[test]
fn cures_work_in_a_folder_further_down() {
    let scene = troubled();
    std::fs::create_dir_all(scene.alice.work("deep/er")).unwrap();
    let output = check(&scene, &["prod"]).inside("deep/er").run();
    assert!(
        output.stdout().contains("cure: secretree encrypt prod\n"),
        "{}",
        output.stdout()
    );
    assert!(output.stdout().contains("`secrets/prod.yaml`"), "{}", output.stdout());
}

#[test]
fn without_a_key_it_says_what_it_could_not_look_at() {
    let scene = troubled();
    std::fs::remove_file(scene.alice.identity_file()).unwrap();
    check(&scene, &[]).run().check(expect![[r#"
        status: 3
        --- stdout
        error[plaintext-value]: `prod:stripe` (`secrets/prod.yaml` line 1) is not encrypted
          cure: secretree encrypt prod
        warning[recipient-drift]: `bob` (x25519-beb9c93eba2ffa2a) may read `prod` and is not granted its key
          cure: secretree apply prod
          hint: run by somebody who reads it already
        --- stderr
        note: no identity here opens `common`, `dev`, `prod`: whether values and keys are what they claim to be was not looked at there
        1 error, 1 warning
    "#]]);
}

#[test]
fn what_is_waived_does_not_count_and_is_shown_on_request() {
    let scene = troubled();
    let waivers = "check:\n  waive:\n  - {code: plaintext-value, at: \"prod:stripe\", until: 2999-12-31, reason: \"a test\"}\n  \
                   - {code: recipient-drift, at: \"prod:**\", until: 2999-12-31, reason: \"soon\"}\n  \
                   - {code: weak-key, at: \"**\", until: 2999-12-31, reason: \"none yet\"}\n";
    scene.change_policy("secrets:\n", &format!("{waivers}secrets:\n"));
    check(&scene, &["--strict", "-v"]).run().check(expect![[r#"
        status: 0
        --- stderr
        waived[plaintext-value] until 2999-12-31 (a test): `prod:stripe` (`secrets/prod.yaml` line 1) is not encrypted
        waived[recipient-drift] until 2999-12-31 (soon): `bob` (x25519-beb9c93eba2ffa2a) may read `prod` and is not granted its key
        a waiver is for nothing: weak-key at **
        nothing was found, 2 waived
    "#]]);
    let report = scene.report();
    assert_eq!(report["waived"][0]["reason"], "a test");
    assert_eq!(report["idle_waivers"][0], "weak-key at **");
    // What another environment has is not waived.
    let file = scene.alice.read_text("secrets/dev.yaml");
    scene
        .alice
        .write("secrets/dev.yaml", format!("stripe: hunter2\n{file}"));
    assert_eq!(scene.codes(), ["plaintext-value"]);
}

#[test]
fn a_policy_that_cannot_be_used_is_a_finding() {
    let scene = Scene::new();
    scene.change_policy("recipients:", "recipents:");
    check(&scene, &[]).run().check(expect![[r#"
        status: 3
        --- stdout
        error[malformed-file]: `.secrets.yaml` line 3 column 1: unknown field `recipents`
          hint: did you mean `recipients`?
        --- stderr
        note: without a policy that can be used no environment was looked at
        1 error, 0 warnings
    "#]]);
    let nobody = Sandbox::new().person("nobody");
    nobody.secretree(["check"]).run().check(expect![[r#"
        status: 1
        --- stderr
        error: no `.secrets.yaml` here or above
        hint: secretree init
    "#]]);
    let scene = Scene::new();
    check(&scene, &["prd"]).run().check(expect![[r#"
        status: 1
        --- stderr
        error: `prd` is no environment
        hint: did you mean `prod`?
    "#]]);
}

#[test]
fn a_code_is_explained() {
    let scene = Scene::new();
    check(&scene, &["--explain", "weak-key"]).run().check(expect![[r#"
        status: 0
        --- stdout
        weak-key (warning): a public key is an RSA key of less than 3072 bits

        An RSA key of less than 3072 bits. What is sealed to it stays in git's history for as long as the repository, so it has
        to hold longer than a connection. Keys below 2048 bits, and keys that protect nothing, are refused by the policy itself.

        ```text
        warning[weak-key]: a public key of `dave` is an RSA key of 2048 bits
        ```

        Cure: make an `ssh-ed25519` or age key, name it beside the old one, `secretree apply`, then take the old one out and apply
        again.
    "#]]);
    check(&scene, &["--explain", "weak-keys"]).run().check(expect![[r#"
        status: 1
        --- stderr
        error: `weak-keys` is no code of a finding
        hint: secretree check --explain weak-key
    "#]]);
    check(&scene, &["--explain", "weak-key", "dev"]).run().code(2);
    check(&scene, &["--json", "--format", "sarif"]).run().check(expect![[r#"
            status: 2
            --- stderr
            error: `--json` and `--format` are two formats
            hint: leave one of them out
        "#]]);
}

#[test]
fn what_is_staged_is_looked_at_as_the_hook_does() {
    let scene = troubled();
    check(&scene, &["--staged"]).run().code(0);
    scene.git(&["add", "secrets/prod.yaml"]);
    let file = scene.alice.read_text("secrets/prod.yaml");
    scene
        .alice
        .write("secrets/prod.yaml", file.replace("stripe: hunter2\n", ""));
    check(&scene, &["--staged"]).run().check(expect![[r#"
        status: 3
        --- stdout
        error[plaintext-value]: `prod:stripe` (`secrets/prod.yaml` line 1) is not encrypted
          cure: secretree encrypt prod && git add -- secrets/prod.yaml
        --- stderr
        note: only what is staged was looked at, as `git pre-commit` does
        1 error, 0 warnings
    "#]]);
    let waiver = "{code: plaintext-value, at: \"prod:stripe\", until: 2999-12-31, reason: a test}";
    scene.change_policy("secrets:\n", &format!("check: {{waive: [{waiver}]}}\nsecrets:\n"));
    check(&scene, &["--staged"]).run().code(0).says("1 waived");
    check(&scene, &["--staged", "dev"]).run().code(2);
}

#[test]
fn annotations_for_a_workflow() {
    let scene = troubled();
    check(&scene, &["--format", "github"]).run().check(expect![[r#"
        status: 3
        --- stdout
        ::error file=secrets/prod.yaml,line=1,title=plaintext-value::`prod:stripe` (`secrets/prod.yaml` line 1) is not encrypted%0Acure: secretree encrypt prod
        ::warning file=secrets/prod.yaml,title=recipient-drift::`bob` (x25519-beb9c93eba2ffa2a) may read `prod` and is not granted its key%0Acure: secretree apply prod%0Ahint: run by somebody who reads it already
    "#]]);
}

#[test]
fn sarif_for_code_scanning() {
    let scene = troubled();
    let output = check(&scene, &["--format", "sarif"]).run();
    output.code(3);
    let log: Value = serde_json::from_slice(output.stdout_bytes()).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    let found: Vec<_> = results
        .iter()
        .map(|result| {
            let place = &result["locations"][0]["physicalLocation"];
            format!(
                "{} {} {} {}",
                result["level"], result["ruleId"], place["artifactLocation"]["uri"], place["region"]["startLine"]
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            "\"error\" \"plaintext-value\" \"secrets/prod.yaml\" 1",
            "\"warning\" \"recipient-drift\" \"secrets/prod.yaml\" 1",
        ]
    );
}

/// What `check` says of one code, as `ENV:PATH`.
fn places(scene: &Scene, code: &str) -> Vec<String> {
    let report = scene.report();
    let findings = report["findings"].as_array().unwrap().iter();
    let own = findings.filter(|finding| finding["code"] == code);
    own.map(|finding| {
        let text = |name: &str| finding[name].as_str().unwrap().to_owned();
        format!("{}:{}", text("environment"), text("path"))
    })
    .collect()
}

#[test]
fn what_somebody_who_left_could_read_is_said_until_it_is_changed() {
    let scene = Scene::new();
    scene.write_policy(
        &String::from_utf8(scene.alice.read(".secrets.yaml"))
            .unwrap()
            .split_once("default_environment")
            .map(|(_, rest)| format!("default_environment{rest}").replace("[alice, bob]", "[alice]"))
            .unwrap(),
    );
    scene.run(&["apply", "--yes", "--commit"], "");
    assert_eq!(
        places(&scene, "exposed-value"),
        ["common:database.user", "dev:database.password"]
    );
    // Nobody needs a key to know.
    let output = check(&scene, &["dev"]).env("XDG_CONFIG_HOME", "/nonexistent").run();
    let line = "`dev:database.password` is what it was when `bob` (x25519-beb9c93eba2ffa2a) could read it, who may not read `dev`";
    output.code(0);
    assert!(output.stdout().contains(line), "{}", output.stdout());
    // Sealing it anew takes nothing back; another value does.
    scene.run(&["apply", "dev", "--new-key", "--yes", "--commit"], "");
    assert_eq!(places(&scene, "exposed-value").len(), 2);
    scene.set("dev", "database.password", "renewed-password");
    assert_eq!(places(&scene, "exposed-value"), ["common:database.user"]);
    scene.set("common", "database.user", "renewed");
    assert_eq!(scene.codes(), [""; 0]);
}

#[test]
fn an_old_version_that_comes_back_is_named_before_it_is_committed_too() {
    let scene = Scene::new();
    scene.set("dev", "database.password", "renewed-password");
    scene.alice.commit("renewed");
    assert_eq!(scene.codes(), [""; 0]);
    scene.git(&["checkout", "--quiet", "HEAD~1", "--", "secrets/dev.yaml"]);
    let output = check(&scene, &["dev"]).run();
    let line = "warning[value-rolled-back]: `dev:database.password` has a version again that another had replaced (not committed yet)";
    assert!(output.stdout().contains(line), "{}", output.stdout());
    scene.git(&["restore", "--staged", "--worktree", "."]);
    scene.git(&["revert", "--no-edit", "HEAD"]);
    assert_eq!(places(&scene, "value-rolled-back"), ["dev:database.password"]);
    // A value that somebody takes away and sets anew is a new one.
    scene.run(&["unset", "dev", "database.password"], "");
    scene.set("dev", "database.password", "another-password");
    assert_eq!(scene.codes(), [""; 0]);
}
