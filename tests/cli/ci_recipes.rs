//! The recipes of docs/ci.md: each is run as it stands there, by the tool it is for where that can be had, or says that
//! it is untried. Those that fetch an identity from a cloud are in `key_sources`.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::action_runner::{Runner, bring_program};
use crate::canary::Canary;
use crate::forgery::{footer_of, set};
use crate::output::Output;
use crate::sandbox::Person;
use crate::team::Team;
use crate::tools::require;

/// What the recipes of the page are called; tests ask for each of them by name.
const NAMES: [&str; 15] = [
    "buildkite",
    "circleci",
    "github",
    "github-check",
    "github-kms",
    "github-load",
    "github-review",
    "gitlab",
    "kms",
    "kms-job",
    "machine",
    "replace",
    "secrets-manager",
    "secrets-manager-job",
    "token-file",
];

/// A fenced block of the page: the name it is run by, or none if it is untried, and its text.
struct Block {
    name: Option<String>,
    text: String,
}

fn page() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ci.md")).unwrap()
}

/// Every block with the comment that stands before it.
fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut comment = None;
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("<!-- ") {
            comment = Some(line);
        } else if line.starts_with("```") {
            let lines: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
            let said = comment
                .take()
                .unwrap_or_else(|| panic!("nothing says whether this is run:\n{}", lines.join("\n")));
            let name = said
                .strip_prefix("<!-- run by tests/cli: ")
                .and_then(|rest| rest.strip_suffix(" -->"));
            assert!(name.is_some() || said.starts_with("<!-- untried: "), "{said}");
            blocks.push(Block {
                name: name.map(str::to_owned),
                text: lines.join("\n") + "\n",
            });
        } else if !line.is_empty() {
            comment = None;
        }
    }
    blocks
}

/// The text of a recipe; parts of one name in order.
pub(crate) fn recipe(name: &str) -> Vec<String> {
    assert!(NAMES.contains(&name), "`{name}` is missing in `NAMES`");
    let parts = blocks(&page()).into_iter();
    let found: Vec<_> = parts
        .filter(|block| block.name.as_deref() == Some(name))
        .map(|block| block.text)
        .collect();
    assert!(!found.is_empty(), "docs/ci.md has no recipe `{name}`");
    found
}

/// A workflow of GitHub, with a commit in the place of `COMMIT`.
pub(crate) fn workflow(name: &str) -> String {
    recipe(name).concat().replace("COMMIT", &"0123456789".repeat(4))
}

/// Alice, and a clone for the machine `ci-prod`, whose identity file is gone; its text, and `SECRETREE_TRUST`. The value
/// of `prod` at `token` is what `./deploy` needs.
pub(crate) fn team_with_machine(value: &str) -> (Team, Person, String, String) {
    let team = Team::new(&["alice", "ci-prod"]);
    let (alice, machine) = (team.person("alice"), team.person("ci-prod"));
    set(&alice, "prod", "token", value).succeeds();
    alice.write(
        "deploy",
        "#!/bin/sh\ntest -z \"$SECRETREE_KEY$SECRETREE_KEY_COMMAND\" || exit 9\nprintf %s \"$TOKEN\" >\"$HOME/deployed\"\n",
    );
    alice.command("chmod", ["+x", "deploy"]).run().succeeds();
    alice.write("docs/ci/gitlab-ci.yml", template());
    alice.write(".gitlab-ci.yml", recipe("gitlab").concat());
    team.share(&alice, "prod");
    team.update(&machine);
    let trust = format!("prod:{}", footer_of(&alice.read_text("secrets/prod.yaml")).drop_box);
    let key = std::fs::read_to_string(machine.identity_file()).unwrap();
    std::fs::remove_file(machine.identity_file()).unwrap();
    let key = key.lines().find(|line| line.starts_with("AGE-SECRET-KEY")).unwrap();
    (team, machine, key.to_owned(), trust)
}

/// What `./deploy` was given.
pub(crate) fn deployed(machine: &Person) -> String {
    std::fs::read_to_string(machine.folder().join("home/deployed")).unwrap_or_default()
}

fn template() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ci/gitlab-ci.yml")).unwrap()
}

/// Asks a linter about a text; what it says is a failure.
#[track_caller]
fn lint<W: AsRef<std::ffi::OsStr>>(words: &[W], name: &str, text: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, text).unwrap();
    let output = Command::new(&words[0]).args(&words[1..]).arg(&file).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{said}");
}

#[test]
fn every_recipe_is_run_or_says_that_it_is_not() {
    let page = page();
    let blocks = blocks(&page);
    let named: BTreeSet<_> = blocks.iter().filter_map(|block| block.name.as_deref()).collect();
    assert_eq!(named, BTreeSet::from(NAMES));
    assert!(page.contains("_Untried._"), "readers are told too");
}

#[test]
fn each_file_is_what_its_system_accepts() {
    if !require(&["check-jsonschema", "zizmor"]) {
        return;
    }
    for name in ["github", "github-check", "github-load", "github-kms", "github-review"] {
        let text = workflow(name);
        lint(&schema("github-workflows"), "deploy.yml", &text);
        let linter = ["zizmor", "--offline", "--no-progress", "--min-severity", "low"];
        lint(&linter, ".github/workflows/deploy.yml", &text);
    }
    lint(&schema("gitlab-ci"), "ci.yml", &template());
    for (name, kind) in [
        ("gitlab", "gitlab-ci"),
        ("circleci", "circle-ci"),
        ("buildkite", "buildkite"),
    ] {
        lint(&schema(kind), "ci.yml", &recipe(name).concat());
    }
}

fn schema(kind: &str) -> [String; 3] {
    ["check-jsonschema", "--builtin-schema", &format!("vendor.{kind}")].map(str::to_owned)
}

#[test]
fn github_runs_one_command_with_the_values() {
    let canary = Canary::new();
    let (_team, machine, key, trust) = team_with_machine(canary.value());
    let contexts = [("secrets.SECRETREE_KEY", &*key), ("vars.SECRETREE_TRUST", &trust)];
    let mut runner = Runner::new(&machine, &contexts);
    bring_program(&runner.temporary().join("secretree"));
    assert!(runner.run_workflow(&workflow("github")), "{}", runner.log());
    assert_eq!(deployed(&machine), canary.value());
    assert!(!runner.log().contains(canary.value()), "{}", runner.log());
    assert!(runner.variables.is_empty(), "later steps got something");
}

#[test]
fn github_shows_what_check_finds_and_stops_at_errors() {
    let (team, machine, _, _) = team_with_machine("value");
    let check = || {
        let mut runner = Runner::new(&machine, &[]);
        bring_program(&runner.temporary().join("secretree"));
        let passed = runner.run_workflow(&workflow("github-check"));
        let sarif = std::fs::read(runner.temporary().join("check.sarif")).unwrap();
        let sarif: serde_json::Value = serde_json::from_slice(&sarif).unwrap();
        let results = sarif["runs"][0]["results"].as_array().unwrap().clone();
        (passed, runner.log(), results)
    };
    let warning = "::warning file=secrets/dev.yaml,title=missing-file::";
    let (passed, log, results) = check();
    assert!(passed && log.contains(warning) && !log.contains("::error"), "{log}");
    assert_eq!(results.len(), 1);
    let alice = team.person("alice");
    let text = alice.read_text("secrets/prod.yaml");
    alice.write("secrets/prod.yaml", format!("readable: value\n{text}"));
    team.share(&alice, "oops");
    team.update(&machine);
    let (passed, log, results) = check();
    let error = "::error file=secrets/prod.yaml,line=1,title=plaintext-value::`prod:readable`";
    assert!(!passed && log.contains(error), "{log}");
    assert_eq!(results.len(), 2);
}

#[test]
fn github_loads_the_values_for_later_steps() {
    let canary = Canary::new();
    let (_team, machine, key, trust) = team_with_machine(canary.value());
    let contexts = [("secrets.SECRETREE_KEY", &*key), ("vars.SECRETREE_TRUST", &trust)];
    let mut runner = Runner::new(&machine, &contexts);
    let folder = machine.folder().join("opt");
    bring_program(&folder);
    let text = workflow("github-load").replace("/opt/secretree", folder.to_str().unwrap());
    assert!(runner.run_workflow(&text), "{}", runner.log());
    assert_eq!(deployed(&machine), canary.value());
    assert!(!runner.log().contains(canary.value()), "{}", runner.log());
    assert_eq!(runner.variables.keys().collect::<Vec<_>>(), ["TOKEN"]);
}

#[test]
fn github_says_what_a_pull_request_does_without_an_identity() {
    let canary = Canary::new();
    let (mut team, machine, ..) = team_with_machine("before");
    let alice = team.person("alice");
    alice.git(["switch", "--quiet", "-c", "pull"]).run().succeeds();
    set(&alice, "prod", "token", canary.value()).succeeds();
    alice.commit("a new token");
    alice.git(["push", "--quiet", "origin", "pull"]).run().code(0);
    drop(machine);
    let job = team.add("job");
    std::fs::remove_file(job.identity_file()).unwrap();
    job.git(["switch", "--quiet", "--detach", "origin/pull"])
        .run()
        .succeeds();
    // Notes what it was asked for, as the forge's own program would be.
    job.sandbox().script(
        "gh",
        "#!/bin/sh\necho \"$GH_REPO $*\" >\"$HOME/asked\"\nfor file; do :; done\ncp \"$file\" \"$HOME/comment\"\n",
    );
    let contexts = [
        ("github.token", "t"),
        ("github.repository", "shop/shop"),
        ("github.event.number", "7"),
    ];
    let mut runner = Runner::new(&job, &contexts);
    bring_program(&runner.temporary().join("secretree"));
    let summary = job.folder().join("home/summary");
    runner.variables.insert("GITHUB_BASE_REF".into(), "main".into());
    let shown = summary.to_str().unwrap().to_owned();
    runner.variables.insert("GITHUB_STEP_SUMMARY".into(), shown);
    let temporary = runner.temporary().to_str().unwrap().to_owned();
    runner.variables.insert("RUNNER_TEMP".into(), temporary);
    assert!(runner.run_workflow(&workflow("github-review")), "{}", runner.log());
    let read = |name: &str| std::fs::read_to_string(job.folder().join("home").join(name)).unwrap();
    assert!(
        read("asked").starts_with("shop/shop pr comment 7 --edit-last"),
        "{}",
        read("asked")
    );
    let comment = read("comment");
    assert!(comment.contains("| changed | `token` | changed |"), "{comment}");
    assert_eq!(comment, read("summary"));
    canary.assert_unseen(job.sandbox(), &[]);
}

/// `gitlab-ci-local`, which runs jobs as GitLab's shell executor does; the branch is protected or not.
fn gitlab(machine: &Person, protected: bool, operands: &[&str]) -> Output {
    let mut run = machine
        .command("gitlab-ci-local", ["--force-shell-executor", "--no-color"])
        .env("GIT_CEILING_DIRECTORIES", machine.folder());
    for operand in operands {
        run = run.operand(*operand);
    }
    if protected {
        run = run.operand("--variable").operand("CI_COMMIT_REF_PROTECTED=true");
    }
    run.run()
}

#[test]
fn gitlab_runs_the_template() {
    if !require(&["gitlab-ci-local", "rsync"]) {
        return;
    }
    let canary = Canary::new();
    let (_team, machine, key, trust) = team_with_machine(canary.value());
    machine
        .git(["remote", "set-url", "origin", "git@gitlab.example.com:shop/shop.git"])
        .run()
        .succeeds();
    let listed = |protected, more: &[&str]| {
        let output = gitlab(&machine, protected, &[&["--list"], more].concat());
        output.code(0).stdout().lines().any(|line| line.starts_with("deploy "))
    };
    assert!(listed(true, &[]));
    assert!(!listed(false, &[]), "a branch that is not protected");
    let request = ["--variable", "CI_PIPELINE_SOURCE=merge_request_event"];
    assert!(!listed(true, &request), "a merge request");
    // Read from the home, as variables of the project would be; nothing stands in the argument list.
    let home = machine.folder().join("home/.gitlab-ci-local");
    std::fs::create_dir_all(&home).unwrap();
    let variables = format!("global:\n  SECRETREE_KEY: {key}\n  SECRETREE_TRUST: {trust}\n");
    std::fs::write(home.join("variables.yml"), variables).unwrap();
    gitlab(&machine, true, &["deploy"]).code(0);
    assert_eq!(deployed(&machine), canary.value());
    let home = machine.folder().join("home");
    canary.assert_unseen(machine.sandbox(), &[home.join("deployed")]);
}

/// The command of a recipe, run by a shell as the system runs it.
fn runs_command(shell: &[&str], command: &str) {
    let canary = Canary::new();
    let (_team, machine, key, trust) = team_with_machine(canary.value());
    machine
        .command(shell[0], shell[1..].iter().copied())
        .operand(command)
        .env("SECRETREE_KEY", key)
        .env("SECRETREE_TRUST", trust)
        .run()
        .code(0)
        .silent();
    assert_eq!(deployed(&machine), canary.value());
    canary.assert_unseen(machine.sandbox(), &[machine.folder().join("home/deployed")]);
}

#[test]
fn circleci_runs_its_command() {
    let config: serde_yaml::Value = serde_yaml::from_str(&recipe("circleci").concat()).unwrap();
    let command = config["jobs"]["deploy"]["steps"][1]["run"].as_str().unwrap();
    runs_command(&["bash", "-eo", "pipefail", "-c"], command);
}

#[test]
fn buildkite_runs_its_command() {
    let pipeline: serde_yaml::Value = serde_yaml::from_str(&recipe("buildkite").concat()).unwrap();
    runs_command(&["bash", "-e", "-c"], pipeline["steps"][0]["command"].as_str().unwrap());
}

/// Lines of a shell, in somebody's work folder, up to the first that fails. Questions are answered with yes.
fn shell(person: &Person, lines: &str) -> Output {
    let program = env!("CARGO_BIN_EXE_secretree");
    let aside = person
        .sandbox()
        .script("secretree", &format!("#!/bin/sh\nexec '{program}' --yes \"$@\"\n"));
    let output = person.command("sh", ["-e", "-c", lines]).reveals().run();
    std::fs::remove_file(aside).unwrap();
    output
}

/// Adds a reader to `prod` by hand, as the page says.
fn let_read(person: &Person, name: &str) {
    let policy = person.read_text(".secrets.yaml");
    let (before, prod) = policy.split_once("prod.yaml, readers: [").unwrap();
    person.write(".secrets.yaml", format!("{before}prod.yaml, readers: [{name}, {prod}"));
}

/// Everything is committed, and pushed.
fn push(person: &Person) {
    person.git(["status", "--porcelain"]).run().succeeds().prints("");
    person.git(["push", "--quiet", "origin", "HEAD:main"]).run().code(0);
}

/// The last line of a kind that was printed.
fn line<'a>(printed: &'a str, start: &str) -> &'a str {
    let mut lines = printed.lines().filter(|line| line.starts_with(start));
    lines.next_back().unwrap_or_else(|| panic!("no {start} in {printed}"))
}

#[test]
fn a_machine_gets_an_identity_and_later_another() {
    let mut team = Team::new(&["alice"]);
    let alice = team.person("alice");
    set(&alice, "prod", "token", "first").succeeds();
    team.share(&alice, "prod");
    let mut machine = recipe("machine").into_iter();
    let printed = shell(&alice, &machine.next().unwrap()).code(0).stdout();
    let public = line(&printed, "age1").to_owned();
    let_read(&alice, "ci-prod");
    let printed = shell(&alice, &machine.next().unwrap()).code(0).stdout();
    let (key, trust) = (line(&printed, "AGE-SECRET-KEY-1"), line(&printed, "prod:age1"));
    let file = alice.folder().join("home/ci-prod.txt");
    assert!(!file.exists());
    push(&alice);
    let job = team.add("job");
    std::fs::remove_file(job.identity_file()).unwrap();
    let get = |key: &str| {
        let run = job.secretree(["get", "prod", "token"]);
        run.env("SECRETREE_KEY", key).env("SECRETREE_TRUST", trust).run()
    };
    get(key).code(0).prints("first");

    let mut replace = recipe("replace").into_iter();
    shell(&alice, &replace.next().unwrap()).code(0);
    push(&alice);
    team.update(&job);
    let text = std::fs::read_to_string(&file).unwrap();
    let second = line(&text, "AGE-SECRET-KEY-1");
    get(key).code(0).prints("first");
    get(second).code(0).prints("first");
    shell(&alice, &format!("OLD_PUBLIC_KEY={public}\n{}", replace.next().unwrap())).code(0);
    push(&alice);
    team.update(&job);
    // The word for the first key is enough, for the history is here.
    get(second).code(0).prints("first");
    get(key).code(4);
}
