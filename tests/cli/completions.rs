//! `completions`: what the scripts ask and get, and the scripts in real shells: a terminal, a Tab key, and the line that
//! came out of it run.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use expect_test::expect;

use crate::canary::Canary;
use crate::fixture::{TWO_ENVIRONMENTS, alice, alice_with_dev, changes_nothing, edit, snapshot};
use crate::sandbox::{Person, Sandbox};
use crate::terminal::Terminal;
use crate::tools::require;

/// What somebody gets who typed this and pressed Tab, as the scripts ask for it: texts without their descriptions.
#[track_caller]
fn completed(person: &Person, typed: &str) -> Vec<String> {
    let words = typed.split(' ').map(String::from);
    let run = person.secretree(["completions", "zsh", "--", "secretree"]);
    let output = changes_nothing(words.fold(run, |run, word| run.operand(word)));
    output.succeeds();
    output
        .stdout()
        .lines()
        .map(|line| line.split('\t').next().unwrap().to_owned())
        .collect()
}

const DEV: &str = "database:\n  password: p\n  user: u\nstripe:\n  key: k\nlog:\n  level: info\n";

#[test]
fn operands_and_options_are_completed() {
    let alice = alice_with_dev(DEV);
    edit(&alice, "prod", "hosts:\n- a\n- b\ntls:\n  example.com: c\n")
        .run()
        .succeeds();
    for (typed, candidates) in [
        ("get ", "dev prod"),
        ("get pr", "prod"),
        ("get x", ""),
        ("get dev data", "database.password database.user"),
        ("get dev s", "stripe.key"),
        ("get dev DATABASE_U", "DATABASE_USER"),
        ("get prod ", "hosts.0 hosts.1 tls.example.com"),
        ("get nowhere ", ""),
        ("-q get dev s", "stripe.key"),
        ("get -v dev s", "stripe.key"),
        ("unset dev stripe.key database.p", "database.password"),
        ("run ", "dev prod"),
        ("run prod -- l", ""),
        ("run dev --only str", "stripe.key"),
        ("run --only str", "stripe.key"),
        ("apply dev p", "prod"),
        ("apply dev --take-over log", "log.level"),
        (
            "decrypt --format ",
            "yaml json dotenv shell docker github kubernetes sops",
        ),
        ("decrypt --format=d", "--format=dotenv --format=docker"),
        ("decrypt dev -o ", ":files"),
        ("set dev stripe.key --file k", ":files"),
        ("-C ", ":folders"),
        ("unset dev stripe.key --c", "--commit --color"),
        ("comp", "completions"),
        ("completions ", "bash zsh fish powershell elvish"),
        ("help unse", "unset"),
        (
            "keygen --",
            "--output --passphrase --help --identity --json --quiet --verbose --color --yes",
        ),
    ] {
        assert_eq!(completed(&alice, typed).join(" "), candidates, "{typed}");
    }
    let verbs = completed(&alice, "");
    assert!(verbs.contains(&"run".to_owned()) && verbs.len() > 10, "{verbs:?}");
    assert!(
        !verbs.contains(&"man".to_owned()),
        "hidden verbs stay hidden: {verbs:?}"
    );
}

#[test]
fn a_candidate_comes_with_its_description() {
    let alice = Sandbox::new().person("alice");
    alice
        .secretree(["completions", "fish", "--", "secretree", "decrypt", "--format", "j"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stdout
            json	Typed values in nested mappings
        "#]]);
}

#[test]
fn the_folder_of_the_line_and_the_folder_one_is_in_count() {
    let alice = alice_with_dev(DEV);
    alice.write(
        "services/billing/.secrets.yaml",
        "version: 1\nenvironments:\n  prod: {file: prod.yaml, readers: [alice]}\n",
    );
    alice.write("elsewhere/.secrets.yaml", "version: 1\n");
    let inside = |folder: &str, words: &[&str]| {
        let run = alice
            .secretree(["completions", "zsh", "--", "secretree"])
            .inside(folder);
        let output = words.iter().fold(run, |run, word| run.operand(*word)).run();
        output.succeeds();
        output.stdout().lines().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(inside("services/billing", &["get", ""]), "billing/prod dev prod");
    assert_eq!(inside("services", &["get", "bill"]), "billing/prod");
    assert_eq!(inside(".", &["-C", "services/billing", "get", "p"]), "prod");
    assert_eq!(
        inside("../home", &["-C", "../work", "get", "dev", "stripe"]),
        "stripe.key"
    );
    assert_eq!(inside("../home", &["get", ""]), "");
    assert_eq!(inside(".", &["-C", "nowhere", "get", ""]), "");
    std::os::unix::fs::symlink(alice.work(""), alice.folder().join("home/repo")).unwrap();
    assert_eq!(
        inside("../home", &["-C", "~/repo", "get", "dev", "stripe"]),
        "stripe.key"
    );
}

#[test]
fn set_is_offered_what_is_declared_and_others_what_extended_files_hold() {
    let alice = alice(
        "environments:\n  base: {file: base.yaml, readers: [alice]}\n  \
         prod: {file: prod.yaml, readers: [alice], extends: [base]}\n\
         secrets:\n  mail.password: {required: [prod], env: MAILPW}\n",
    );
    edit(&alice, "base", "shared: 1\n").run().succeeds();
    edit(&alice, "prod", "own: 1\n").run().succeeds();
    assert_eq!(completed(&alice, "get prod "), ["own", "shared"]);
    assert_eq!(completed(&alice, "unset prod "), ["own"]);
    assert_eq!(completed(&alice, "set prod "), ["mail.password", "own", "shared"]);
    assert_eq!(completed(&alice, "set prod MAIL"), ["MAILPW"]);
}

/// Keys that a shell would run, cut or be deceived by.
const HOSTILE: &str = "\"$(touch pwned)\": 1\n\"`touch pwned`\": 1\n\"a;touch pwned\": 1\n\"a b\": 1\n\"it's\": 1\n\"q\\\"q\": 1\n\
                       \"new\\nline\": 1\n\"tab\\tbed\": 1\n\"\\e]0;evil\\a\": 1\n\"a|b\": 1\n\"*\": 1\n\"-rf\": 1\n\":files\": 1\nplain: 1\n";

#[test]
fn names_that_a_shell_could_act_on_are_left_out() {
    let alice = alice_with_dev(HOSTILE);
    assert_eq!(completed(&alice, "get dev "), ["plain"]);
    // The variables that they are delivered as are plain.
    assert_eq!(completed(&alice, "get dev A_"), ["A_B", "A_TOUCH_PWNED"]);
}

#[test]
fn it_asks_for_no_identity_and_says_nothing_about_what_is_broken() {
    let alice = alice_with_dev(DEV);
    std::fs::remove_file(alice.identity_file()).unwrap();
    let state = alice.folder().join("state");
    std::fs::remove_dir_all(&state).unwrap();
    let silent = |words: &[&str]| {
        let run = alice
            .secretree(["completions", "bash", "--", "secretree"])
            .env("SECRETREE_KEY_COMMAND", "touch asked")
            .env("SECRETREE_IDENTITY", "missing");
        let output = words.iter().fold(run, |run, word| run.operand(*word)).run();
        output.succeeds();
        output.stdout().to_owned()
    };
    assert_eq!(silent(&["get", "dev", "str"]), "stripe.key\n");
    assert!(snapshot(&state).is_empty() && !alice.work("asked").exists());
    // A journal that is not ours is left where it is: the next command says what it is.
    alice.write(".secrets.journal", "not a journal");
    assert_eq!(silent(&["get", "dev", "str"]), "");
    assert_eq!(alice.read_text(".secrets.journal"), "not a journal");
    std::fs::remove_file(alice.work(".secrets.journal")).unwrap();
    alice.write("secrets/dev.yaml", "a: [\n");
    assert_eq!(silent(&["get", "dev", ""]), "");
    alice.write(".secrets.yaml", "version: [");
    assert_eq!(silent(&["get", ""]), "");
    assert_eq!(
        silent(&["--color"]),
        "--color\tWhen to use colours: auto, always, never\n"
    );
}

#[test]
fn no_line_is_too_odd_to_be_answered() {
    let alice = alice_with_dev(DEV);
    let odd = [
        "", "-", "--", "=", "get", "dev", "--only", "--color=", "-C", "-qv", "-x", "--x=y", "'", "\\", "\u{202e}",
        "help",
    ];
    for (first, second) in odd.iter().flat_map(|first| odd.map(|second| (first, second))) {
        let run = alice.secretree(["completions", "bash", "--", "secretree", "run", first, second]);
        run.run().succeeds();
    }
    use std::os::unix::ffi::OsStrExt as _;
    let broken = std::ffi::OsStr::from_bytes(b"get\xff");
    alice
        .secretree(["completions", "bash", "--"])
        .operand(broken)
        .run()
        .succeeds();
    alice
        .secretree(["completions", "fish", "--", "secretree"])
        .operand(broken)
        .operand(broken)
        .run()
        .succeeds();
}

#[test]
fn values_are_never_shown() {
    let alice = alice(TWO_ENVIRONMENTS);
    let canary = Canary::new();
    edit(&alice, "dev", format!("a:\n  b: {}\n", canary.value()))
        .run()
        .succeeds();
    for typed in ["get dev ", "run dev --only a", "set dev a.b ", "get dev A"] {
        completed(&alice, typed);
    }
    assert_eq!(
        canary.sightings(alice.sandbox(), &[alice.folder().join("edited.yaml")]),
        Vec::<String>::new()
    );
}

#[test]
fn ten_thousand_paths_are_completed_step_by_step_and_at_once() {
    let alice = alice(TWO_ENVIRONMENTS);
    let mut text = String::new();
    for group in 0..100 {
        writeln!(text, "group{group:02}:").unwrap();
        (0..100).for_each(|item| writeln!(text, "  item{item:02}: null").unwrap());
    }
    edit(&alice, "dev", text).run().succeeds();
    let start = Instant::now();
    let first = completed(&alice, "get dev group");
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    assert_eq!(first.len(), 100);
    assert_eq!(first[7], "group07.");
    assert_eq!(completed(&alice, "get dev group07.item4").len(), 10);
}

#[test]
fn an_unknown_shell_is_refused_with_those_that_are_known() {
    let alice = Sandbox::new().person("alice");
    alice.secretree(["completions", "tcsh"]).run().check(expect![[r#"
        status: 2
        --- stderr
        error: `tcsh` is no value for `<SHELL>`
        hint: did you mean `zsh`?
        hint: `secretree completions --help` explains it
    "#]]);
}

/// A shell on a terminal, with its completion on and `ready> ` as its prompt.
fn shell(person: &Person, program: &str, arguments: &[&str], setup: &str) -> Terminal {
    let run = person
        .command(program, arguments.iter().copied())
        .env("HISTFILE", "")
        .reveals();
    let mut terminal = Terminal::start(run);
    terminal.send(setup).send("\n").expect("ready> ");
    terminal
}

fn bash(person: &Person) -> Terminal {
    shell(
        person,
        "bash",
        &["--norc", "--noprofile", "-i"],
        "eval \"$(secretree completions bash)\"; PS1='ready'; PS1+='> '",
    )
}

fn zsh(person: &Person) -> Terminal {
    let setup = "autoload -Uz compinit; compinit -D -u; eval \"$(secretree completions zsh)\"; PS1='ready'; PS1+='> '";
    shell(person, "zsh", &["-f", "-i"], setup)
}

fn fish(person: &Person) -> Terminal {
    let setup = "secretree completions fish | source; function fish_prompt; printf '%s> ' ready; end";
    shell(person, "fish", &["--no-config", "--private", "-i"], setup)
}

/// A person whose `prod` has three values, and whose `dev` has names that no shell should see.
fn somebody() -> Person {
    let alice = alice_with_dev(HOSTILE);
    let prod = "database:\n  password: value-one\nstripe:\n  key: value-two\n  url: value-three\n";
    edit(&alice, "prod", prod).run().succeeds();
    alice.write("keyfile.pem", "from a file");
    alice
}

/// What every shell must do. Completed lines are run: nothing but the right words has the right outcome.
fn completes(person: &Person, mut terminal: Terminal) {
    let prompt = "ready> ";
    terminal
        .send("secretree get pr\tdata\t\n")
        .expect("value-one")
        .expect(prompt);
    terminal
        .send("secretree get \"pr\tSTRIPE_K\t\n")
        .expect("value-two")
        .expect(prompt);
    terminal
        .send("secretree decr\tpr\t--format=js\t--fl\t\n")
        .expect("\"STRIPE_KEY\": \"value-two\"")
        .expect(prompt);
    terminal
        .send("secretree set de\tnew.key --file keyf\t\n")
        .expect("set `dev:new.key`")
        .expect(prompt);
    terminal
        .send("secretree set de\tnew.key --file=keyf\t\n")
        .expect("unchanged `dev:new.key`")
        .expect(prompt);
    terminal
        .send("secretree run pr\t-- printen\tSTRIPE_KEY\n")
        .expect("value-two")
        .expect(prompt);
    terminal
        .send("secretree run \t\t")
        .expect("dev")
        .expect("prod")
        .send("\u{15}\n")
        .expect(prompt);
    // All that can be proposed, once for each way to press the key, and what a person might run then.
    terminal
        .send("secretree get dev \t\t\t\t")
        .expect("plain")
        .send("\u{15}\n")
        .expect(prompt);
    terminal.send("secretree get dev pl\t\n").expect("1").expect(prompt);
    terminal.send("exit\n");
    let screen = terminal.finish();
    assert!(!person.work("pwned").exists(), "{}", screen.stdout());
    assert!(!screen.stdout().contains("evil"), "{}", screen.stdout());
}

#[test]
fn bash_completes_at_the_tab_key() {
    if require(&["bash"]) {
        let alice = somebody();
        completes(&alice, bash(&alice));
    }
}

#[test]
fn zsh_completes_at_the_tab_key() {
    if require(&["zsh"]) {
        let alice = somebody();
        completes(&alice, zsh(&alice));
    }
}

#[test]
fn fish_completes_at_the_tab_key() {
    if require(&["fish"]) {
        let alice = somebody();
        completes(&alice, fish(&alice));
    }
}
