//! `doctor`: a healthy set-up, one where nothing is set up, what it prints for programs, and that it changes nothing. The
//! broken set-ups are in `doctor_identities`, `doctor_repository` and `doctor_files`: each is broken, named, mended by the
//! very command that was printed, and then `doctor` is content.

use std::fmt::Write as _;
use std::path::Path;

use expect_test::{Expect, expect};
use secretree::doctor::CHECKS;

use crate::canary::Canary;
use crate::fixture::{TWO_ENVIRONMENTS, alice_with_git, changes_nothing, edit, policy, snapshot};
use crate::output::Output;
use crate::run::Run;
use crate::sandbox::{Person, Sandbox};
use crate::terminal::Terminal;

/// How often cures may bring something else to light.
const ROUNDS: usize = 3;

/// Somebody at the doctor's: what is special about their shell, and how many questions the cures ask.
pub(crate) struct Visit<'p> {
    person: &'p Person,
    variables: Vec<(String, Option<String>)>,
    questions: Vec<(&'static str, &'static str)>,
    unprivileged: bool,
    folder: &'static str,
}

impl<'p> Visit<'p> {
    pub(crate) fn of(person: &'p Person) -> Self {
        person.sandbox().script("nano", "#!/bin/sh\n");
        let editor = ("EDITOR".to_owned(), Some("nano".to_owned()));
        Self {
            person,
            variables: vec![editor],
            questions: Vec::new(),
            unprivileged: false,
            folder: ".",
        }
    }

    pub(crate) fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.push((name.to_owned(), Some(value.into())));
        self
    }

    pub(crate) fn without_env(mut self, name: &str) -> Self {
        self.variables.push((name.to_owned(), None));
        self
    }

    /// The first cures ask this many questions, which are answered with yes.
    pub(crate) fn asks(mut self, questions: usize) -> Self {
        self.questions = vec![("[y/N]", "y\n"); questions];
        self
    }

    /// The first cures ask these questions, and get these answers.
    pub(crate) fn answers(mut self, questions: &[(&'static str, &'static str)]) -> Self {
        self.questions = questions.to_vec();
        self
    }

    /// The shell is in this folder, relative to the work folder.
    pub(crate) fn inside(mut self, folder: &'static str) -> Self {
        self.folder = folder;
        self
    }

    pub(crate) fn without_privileges(mut self) -> Self {
        self.unprivileged = true;
        self
    }

    fn command(&self, program: &str, operands: &[&str]) -> Run {
        let mut run = self
            .person
            .command(program, operands.iter().copied())
            .inside(self.folder);
        for (name, value) in &self.variables {
            run = match value {
                Some(value) => run.env(name, value),
                None => run.without_env(name),
            };
        }
        match self.unprivileged {
            true => run.without_privileges(),
            false => run,
        }
    }

    /// `doctor` with these flags.
    pub(crate) fn doctor(&self, flags: &[&str]) -> Output {
        changes_nothing(self.command(env!("CARGO_BIN_EXE_secretree"), &[&["doctor"], flags].concat()))
    }

    /// The cures as they were printed, and `doctor` behind them, in one shell.
    fn cure(&self, cures: &[String], questions: &[(&str, &str)]) -> Output {
        let script = format!("{}\nsecretree doctor", cures.join("\n"));
        let shell = self.command("sh", &["-ec", &script]);
        if questions.is_empty() {
            return shell.run();
        }
        let mut terminal = Terminal::start(shell);
        for (question, answer) in questions {
            terminal.expect(question);
            match question.contains("assphrase") {
                true => terminal.send_hidden(answer),
                false => terminal.send(answer),
            };
        }
        terminal.finish()
    }

    /// `doctor` says this; what it names as cure is typed, and then nothing is wrong any more.
    #[track_caller]
    pub(crate) fn recovers(self, expected: Expect) {
        let mut output = self.doctor(&[]);
        output.check(expected);
        for round in 0..ROUNDS {
            let cures: Vec<String> = cures(&output);
            assert!(!cures.is_empty(), "there is no cure:\n{}", output.stdout());
            output = self.cure(&cures, if round == 0 { &self.questions } else { &[] });
            let said = format!("{}{}", output.stdout(), output.stderr());
            if said.contains("nothing is wrong here") {
                output.code(0);
                return;
            }
            assert!(
                said.contains("warning[") || said.contains("error["),
                "a cure failed: {cures:?}\n{said}"
            );
        }
        panic!("still not content:\n{}", output.stdout());
    }
}

/// The commands that a report names.
pub(crate) fn cures(report: &Output) -> Vec<String> {
    let stdout = report.stdout();
    let cures = stdout.lines().filter_map(|line| line.strip_prefix("  cure: "));
    cures.map(str::to_owned).collect()
}

/// Alice with two environments, everything committed and nothing wrong.
pub(crate) fn healthy() -> Person {
    let alice = alice_with_git(TWO_ENVIRONMENTS);
    edit(&alice, "dev", "log:\n  level: info\nstripe: sk_1\n")
        .run()
        .succeeds();
    alice.secretree(["apply", "--yes"]).run().succeeds();
    alice.secretree(["hooks", "install"]).run().succeeds();
    alice.commit("values");
    alice
}

#[test]
fn nothing_is_wrong_with_a_healthy_set_up() {
    let alice = healthy();
    let visit = Visit::of(&alice);
    visit.doctor(&[]).check(expect![[r#"
        status: 0
        --- stderr
        nothing is wrong here
    "#]]);
    visit.doctor(&["-v"]).check(expect![[r#"
        status: 0
        --- stderr
        ok: identities
        ok: git
        ok: policy
        ok: leftovers
        ok: tracking
        ok: environments
        ok: trust
        ok: plaintext
        ok: hooks
        nothing is wrong here
    "#]]);
    visit.doctor(&["-q"]).check(expect![[r#"
        status: 0
    "#]]);
}

#[test]
fn from_nothing_at_all_the_cures_lead_to_a_healthy_set_up() {
    let alice = Sandbox::new().person("alice");
    std::fs::remove_file(alice.identity_file()).unwrap();
    Visit::of(&alice).answers(&[("[alice]", "\n"), ("[y/N]", "y\n")]).recovers(expect![[r#"
        status: 1
        --- stdout
        error[no-identity]: there is no identity here
          cure: secretree keygen
          hint: if yours is elsewhere: `-i FILE` or SECRETREE_IDENTITY names it
        warning[no-repository]: this folder is in no git repository: nobody reviews changes, and no history speaks for a key
          cure: git init
        error[no-policy]: no `.secrets.yaml` here or above
          cure: secretree init
        --- stderr
        2 errors, 1 warning
    "#]]);
}

#[test]
fn programs_read_json() {
    let alice = healthy();
    alice.write(".git/info/exclude", "new.yaml\n");
    let more = format!("{TWO_ENVIRONMENTS}  new: {{file: new.yaml, readers: [alice]}}\n");
    alice.write(".secrets.yaml", policy(&[("alice", &alice.public_key())], &more));
    alice.commit("policy");
    Visit::of(&alice)
        .env("SECRETREE_KEY", "garbage")
        .doctor(&["--json"])
        .check(expect![[r#"
            status: 1
            --- stdout
            {
              "errors": 1,
              "warnings": 2,
              "checked": [
                "identities",
                "git",
                "policy",
                "leftovers",
                "tracking",
                "environments",
                "trust",
                "plaintext",
                "hooks"
              ],
              "findings": [
                {
                  "severity": "error",
                  "code": "identity-malformed",
                  "place": "SECRETREE_KEY",
                  "message": "`SECRETREE_KEY` holds no identity in line 1",
                  "cure": "unset SECRETREE_KEY",
                  "hints": [
                    "it holds the key itself, `AGE-SECRET-KEY-1…`; a file is named by SECRETREE_IDENTITY"
                  ]
                },
                {
                  "severity": "warning",
                  "code": "file-not-made",
                  "place": "new.yaml",
                  "message": "`new` has no file yet: there is no `new.yaml`",
                  "cure": "secretree apply new",
                  "hints": []
                },
                {
                  "severity": "warning",
                  "code": "hooks-stale",
                  "place": "attributes",
                  "message": "out of date in this clone: attributes",
                  "cure": "secretree hooks install",
                  "hints": []
                }
              ]
            }
        "#]]);
}

#[test]
fn doctor_holds_what_it_sees_to_itself_and_changes_nothing() {
    let canary = Canary::new();
    let alice = healthy();
    alice
        .secretree(["set", "prod", "a"])
        .input(canary.value())
        .run()
        .succeeds();
    alice.commit("a");
    // Values and keys in every place where something is wrong enough to be shown.
    let file = alice.read_text("secrets/dev.yaml");
    alice.write("secrets/dev.yaml", format!("open: {}\n{file}", canary.value()));
    alice.write("key.txt", canary.value());
    let state = snapshot(&alice.folder().join("state"));
    for flags in [&[][..], &["--json"], &["-v"]] {
        let visit = Visit::of(&alice)
            .env("SECRETREE_KEY", canary.value())
            .env("SECRETREE_IDENTITY", alice.work("key.txt").display().to_string())
            .env("SECRETREE_TRUST", canary.value());
        visit.doctor(flags).code(1);
    }
    let watch = canary.watch_arguments();
    Visit::of(&alice).doctor(&[]).code(1);
    assert_eq!(watch.sightings(), Vec::<String>::new());
    assert!(state == snapshot(&alice.folder().join("state")), "trust was noted");
    let allowed = [alice.work("secrets/dev.yaml"), alice.work("key.txt")];
    canary.assert_unseen(alice.sandbox(), &allowed);
}

#[test]
fn everything_at_once_is_no_reason_to_fail() {
    let alice = Sandbox::new().person("alice");
    alice.write(".git", "gitdir: nowhere\n");
    alice.write(".secrets.yaml", "version: [\n");
    let visit = Visit::of(&alice)
        .without_env("HOME")
        .without_env("XDG_STATE_HOME")
        .without_env("XDG_CONFIG_HOME")
        .env("PATH", "")
        .env("SECRETREE_KEY_COMMAND", "'open")
        .env("SECRETREE_TRUST", "x")
        .env("EDITOR", "absent");
    visit.doctor(&[]).check(expect![[r#"
        status: 1
        --- stdout
        error[identity-settings]: `SECRETREE_KEY_COMMAND` cannot be split into words
          cure: unset SECRETREE_KEY_COMMAND
          hint: it is split as a shell splits; check its quotes
        warning[git-missing]: the `git` command was not found; `--commit` needs it
          hint: install git in a folder of PATH
        error[repository-broken]: `[SANDBOX]/alice/work/.git` leads to no repository
          hint: git worktree repair
        error[policy-malformed]: `.secrets.yaml` line 1 column 10: not valid YAML: unclosed bracket '['
        error[trust-variable]: `SECRETREE_TRUST` must be `ENV:DROP_BOX`
          hint: the drop box is the `age1…` text in the environment file
        error[no-state-folder]: neither XDG_STATE_HOME nor HOME is set: what is trusted cannot be kept
          hint: set HOME, or SECRETREE_TRUST to say which keys to trust
        warning[editor-unusable]: the editor `absent` of `EDITOR` was not found
          hint: name one that is installed: export EDITOR=nano
        --- stderr
        5 errors, 2 warnings
    "#]]);
}

#[test]
fn the_page_has_a_row_for_every_code() {
    let mut rows = vec![["code", "level", "what it means"].map(str::to_owned)];
    for code in CHECKS.iter().flat_map(|check| check.codes) {
        rows.push([
            format!("`{}`", code.name),
            code.severity.name().to_owned(),
            code.meaning.to_owned(),
        ]);
    }
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap();
    let widths = [width(0), width(1), width(2)];
    rows.insert(1, widths.map(|width| "-".repeat(width)));
    let mut table = String::new();
    for [code, level, meaning] in &rows {
        let [first, second, third] = widths;
        writeln!(table, "| {code:first$} | {level:second$} | {meaning:third$} |").unwrap();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/doctor.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once("| code ").expect("the page has the table");
    let end = rest.find("\n\n").map_or(rest.len(), |end| end + 1);
    let wanted = format!("{before}{table}{}", &rest[end..]);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap();
    assert!(
        there == wanted,
        "docs/doctor.md: UPDATE_EXPECT=1 cargo test --test cli doctor"
    );
}
