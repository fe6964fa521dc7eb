//! The sandbox is judged before it judges: it lets nothing in, hides what is random and only that, sees a canary
//! wherever one is, and talks to prompts.

use std::path::PathBuf;
use std::time::Duration;

use expect_test::expect;
use rustix::process::Signal;

use crate::canary::Canary;
use crate::sandbox::Sandbox;
use crate::team::{POLICY_ID, Team};
use crate::terminal::Terminal;
use crate::tools::{is_in_path, require};

#[test]
fn a_command_sees_only_the_environment_of_its_sandbox() {
    let alice = Sandbox::new().person("alice");
    let output = alice
        .command("env", [] as [&str; 0])
        .without_env("PATH")
        .env("EXTRA", "1")
        .run();
    let mut lines: Vec<_> = output.stdout().lines().map(String::from).collect();
    lines.sort();
    let names: Vec<_> = lines.iter().map(|line| line.split('=').next().unwrap()).collect();
    assert_eq!(
        names.join(" "),
        "EXTRA GIT_AUTHOR_DATE GIT_COMMITTER_DATE GIT_CONFIG_NOSYSTEM GIT_TERMINAL_PROMPT HOME LANG TMPDIR TZ XDG_CACHE_HOME XDG_CONFIG_HOME XDG_DATA_HOME XDG_RUNTIME_DIR XDG_STATE_HOME"
    );
}

#[test]
fn a_snapshot_holds_status_and_both_streams() {
    let alice = Sandbox::new().person("alice");
    alice.write("below/file", "");
    let script = "pwd; cat; echo to stderr >&2; exit 3";
    alice
        .command("sh", ["-c", script])
        .inside("below")
        .input("no newline")
        .run()
        .check(expect![[r#"
        status: 3
        --- stdout
        [SANDBOX]/alice/work/below
        no newline[no newline]
        --- stderr
        to stderr
    "#]]);
    alice.command("true", [] as [&str; 0]).run().succeeds().silent();
    alice.command("sh", ["-c", "kill -9 $$"]).run().check(expect![[r#"
        signal: 9
    "#]]);
}

#[test]
fn a_team_shares_one_repository() {
    let mut team = Team::new(&["alice", "bob"]);
    let (alice, bob) = (team.person("alice"), team.person("bob"));
    assert_eq!(alice.read_text(".secrets.yaml"), bob.read_text(".secrets.yaml"));
    assert!(bob.read_text(".secrets.yaml").contains(&alice.public_key()));
    assert!(bob.read_text(".secrets.yaml").contains(POLICY_ID));
    bob.write("notes.txt", "from bob\n");
    team.share(&bob, "notes");
    team.update(&alice);
    assert_eq!(alice.read("notes.txt"), b"from bob\n");
    assert_eq!(team.add("carol").read_text("notes.txt"), "from bob\n");
    alice.git(["log", "--format=%h %an %at %s"]).run().check(expect![[r#"
        status: 0
        --- stdout
        COMMIT bob 1767603720 notes
        COMMIT alice 1767603660 policy
    "#]]);
    assert_eq!(team.sandbox().now(), "1767603720 +0000");
}

#[test]
fn identities_are_the_same_in_every_run() {
    let alice = Sandbox::new().person("alice");
    assert_eq!(
        alice.public_key(),
        "age1969j3q7z0vu3xkwh6rq46qyptfnfx2g28rwcaw35rnq8mk4ga4xsjl3eu3"
    );
    if require(&["age-keygen"]) {
        let output = alice.command("age-keygen", ["-y"]).operand(alice.identity_file()).run();
        output.prints(alice.public_key() + "\n");
    }
}

#[test]
fn snapshots_hide_what_is_random_and_nothing_else() {
    let alice = Sandbox::new().person("alice");
    let text = "k3f9c0b71d2a4e658 v8e11c07a p9a8b7c6d5e4f3021 5f0c1d2e3b4a59687786a5b4c3d2e1f0\n\
                ENC[age,k3f9c0b71d2a4e658,v20af11c3,YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+]\n\
                keys, version, 1234567, v8e11c07, x25519-9b1d7c22e0f34a56, stays\n";
    alice
        .command("cat", [] as [&str; 0])
        .input(text)
        .run()
        .check(expect![[r#"
        status: 0
        --- stdout
        k… v… p… ID
        ENC[age,k…,v…,YWdl…]
        keys, version, 1234567, v8e11c07, x25519-9b1d7c22e0f34a56, stays
    "#]]);
}

#[test]
fn a_canary_is_seen_wherever_it_is() {
    let team = Team::new(&["alice"]);
    let (alice, sandbox) = (team.person("alice"), team.sandbox());
    let canary = Canary::new();
    canary.assert_unseen(sandbox, &[]);

    let echo = |encoder: &str| {
        alice
            .command("sh", ["-c", encoder])
            .input(format!("x{}", canary.value()))
    };
    echo("cat").reveals().run();
    canary.assert_unseen(sandbox, &[]);
    for encoder in ["cat", "base64 -w0 >&2", "od -An -v -tx1 | tr -d ' \\n'"] {
        let before = canary.sightings(sandbox, &[]).len();
        echo(encoder).run();
        assert_eq!(canary.sightings(sandbox, &[]).len(), before + 1, "{encoder} hid it");
    }

    alice.write("plain.txt", canary.value());
    let file = alice.work("plain.txt");
    let shown = file.display().to_string();
    assert!(canary.sightings(sandbox, &[]).contains(&shown));
    assert!(!canary.sightings(sandbox, &[file]).contains(&shown));
    alice.git(["add", "plain.txt"]).run().succeeds();
    alice.git(["rm", "-f", "--quiet", "plain.txt"]).run().succeeds();
    let sightings = canary.sightings(sandbox, &[]);
    assert!(
        sightings.iter().any(|place| place.starts_with("an object of")),
        "{sightings:?}"
    );
}

#[test]
fn a_canary_in_an_argument_list_is_seen() {
    let alice = Sandbox::new().person("alice");
    let canary = Canary::new();
    let watch = canary.watch_arguments();
    alice.command("sleep", ["0.1"]).run().succeeds();
    assert_eq!(watch.sightings(), Vec::<String>::new());
    let watch = canary.watch_arguments();
    alice
        .command("sh", ["-c", "sleep 0.2; : $0", canary.value()])
        .run()
        .succeeds();
    assert!(!watch.sightings().is_empty());
}

#[test]
fn a_terminal_answers_prompts_and_hides_what_is_typed_hidden() {
    let alice = Sandbox::new().person("alice");
    let script = "test -t 0 && test -t 1 && stty size; printf 'name? ' >/dev/tty; read name </dev/tty; \
                  stty -echo; printf 'word? '; read word; stty echo; echo; echo \"$name has ${#word} letters\"; exit 4";
    let mut terminal = Terminal::start(alice.command("sh", ["-c", script]));
    terminal
        .expect("name? ")
        .send("Alice\n")
        .expect("word? ")
        .send_hidden("hidden\n");
    terminal.finish().check(expect![[r#"
        status: 4
        --- stdout
        40 120
        name? Alice
        word? 
        Alice has 6 letters
    "#]]);
}

#[test]
fn the_program_is_found_and_starts() {
    let alice = Sandbox::new().person("alice");
    assert_eq!(
        alice
            .command("sh", ["-c", "command -v secretree"])
            .run()
            .stdout()
            .trim_end(),
        env!("CARGO_BIN_EXE_secretree")
    );
    alice.on_terminal(["--version"]).finish().code(0);
    alice.secretree(["--version"]).run().succeeds();
}

#[test]
fn scripts_serve_as_editors() {
    let alice = Sandbox::new().person("alice");
    alice.write("text", "one\n");
    let editor = alice
        .sandbox()
        .script("editor", "#!/bin/sh\nsed -i s/one/two/ \"$1\"\n");
    alice.command(&editor, ["text"]).run().succeeds().silent();
    assert_eq!(alice.read_text("text"), "two\n");
    alice
        .command("sh", ["-c", "exec editor missing"])
        .run()
        .code(2)
        .says("missing");
}

#[test]
fn a_read_only_folder_is_one_for_root_too() {
    if !require(&["setpriv"]) {
        return;
    }
    let alice = Sandbox::new().person("alice");
    alice.write("folder/file", "");
    alice.command("chmod", ["555", "folder"]).run().succeeds();
    alice
        .command("touch", ["folder/other"])
        .without_privileges()
        .run()
        .code(1);
    alice.command("chmod", ["755", "folder"]).run().succeeds();
    alice
        .command("touch", ["folder/other"])
        .without_privileges()
        .run()
        .code(0);
}

#[test]
fn a_running_command_can_be_signalled() {
    let alice = Sandbox::new().person("alice");
    let running = alice.command("sleep", ["30"]).start();
    std::thread::sleep(Duration::from_millis(20));
    running.signal(Signal::KILL);
    assert_eq!(running.finish().signal(), Some(9));
}

#[test]
fn tools_are_looked_for_in_path() {
    assert!(is_in_path("git"));
    assert!(!is_in_path("no-such-tool-anywhere"));
    assert!(!PathBuf::from("/").join("no-such-tool-anywhere").exists());
}
