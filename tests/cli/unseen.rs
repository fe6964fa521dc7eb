//! A value is seen nowhere but where it was asked for: no message, file, git object, argument list or variable of any
//! command holds it, also when the command fails. One test for each verb, each in every state that a file can be in.

use std::cell::Cell;
use std::path::PathBuf;

use crate::canary::Canary;
use crate::forgery::{footer_of, proposal, sealed_to, with_proposal};
use crate::output::Output;
use crate::run::Run;
use crate::sandbox::Person;
use crate::team::{POLICY_ID, Team};

/// What is wrong with the file of `dev`, or with the person, while a command runs.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Sound,
    /// A token was changed.
    Altered,
    /// A token stands where it does not belong.
    Moved,
    /// The canary stands readable where a token belongs.
    Readable,
    /// The canary stands in text that is no YAML.
    Malformed,
    /// The canary stands in the footer.
    StrangeFooter,
    /// Nobody here can open it.
    Strange,
}

const STATES: [State; 7] = [
    State::Sound,
    State::Altered,
    State::Moved,
    State::Readable,
    State::Malformed,
    State::StrangeFooter,
    State::Strange,
];

impl State {
    /// The text of the file in this state, made from the sound one.
    fn of(self, sound: &str, canary: &Canary) -> String {
        let tokens: Vec<_> = sound.lines().filter(|line| line.contains("ENC[age,")).collect();
        match self {
            Self::Sound | Self::Strange => sound.to_owned(),
            Self::Altered => sound.replace(tokens[0], &altered(tokens[0])),
            Self::Moved => {
                let (first, second) = (tokens[0].trim(), tokens[1].trim());
                sound
                    .replace(first, "HERE")
                    .replace(second, first)
                    .replace("HERE", second)
            }
            Self::Readable => format!("d: {}\n{sound}", canary.value()),
            Self::Malformed => format!("d: {}: [{}\n{sound}", canary.value(), canary.value()),
            Self::StrangeFooter => format!("{sound}  notes: {}\n", canary.value()),
        }
    }

    /// How `get dev a.b` ends.
    fn code(self) -> i32 {
        match self {
            Self::Sound => 0,
            Self::Altered | Self::Moved | Self::Readable | Self::StrangeFooter => 5,
            Self::Malformed => 1,
            Self::Strange => 4,
        }
    }
}

/// A token with one letter of its ciphertext changed.
fn altered(token: &str) -> String {
    let place = token.len() - 24;
    let letter = if &token[place..=place] == "A" { "B" } else { "A" };
    format!("{}{letter}{}", &token[..place], &token[place + 1..])
}

/// Alice, whose `dev` holds the canary at `a.b` and another value at `c`; the canary is proposed for `p.q` too, and as junk.
fn alice(canary: &Canary) -> (Team, Person) {
    let team = Team::new(&["alice"]);
    let alice = team.person("alice");
    for (path, value) in [("a.b", canary.value()), ("c", "other")] {
        alice.secretree(["set", "dev", path]).input(value).run().succeeds();
    }
    let text = alice.read_text("secrets/dev.yaml");
    let drop_box = footer_of(&text).drop_box;
    let good = proposal(&drop_box, POLICY_ID, "dev", "[\"p\",\"q\"]", canary.value());
    let junk = sealed_to(&drop_box, canary.value().as_bytes());
    alice.write("secrets/dev.yaml", with_proposal(&with_proposal(&text, &good), &junk));
    team.share(&alice, "secrets");
    (team, alice)
}

/// Calls `judge` with Alice in each state.
fn in_each_state(alice: &Person, canary: &Canary, mut judge: impl FnMut(State, &str)) {
    let sound = alice.read_text("secrets/dev.yaml");
    for state in STATES {
        if state == State::Strange {
            std::fs::remove_file(alice.identity_file()).unwrap();
        }
        judge(state, &state.of(&sound, canary));
    }
}

/// Runs each of `commands` in each state, and looks for the canary everywhere while they run and afterwards.
pub(crate) fn unseen(commands: impl Fn(&Person, &Canary) -> Vec<Run>) {
    let canary = Canary::new();
    let (team, alice) = alice(&canary);
    let watch = canary.watch_arguments();
    in_each_state(&alice, &canary, |state, text| {
        for run in commands(&alice, &canary) {
            alice.write("secrets/dev.yaml", text);
            let display = run.display();
            let output = run.run();
            assert_eq!(output.signal(), None, "{display} in {state:?}");
            assert!(!output.stderr().contains("internal error"), "{}", output.stderr());
        }
    });
    assert_eq!(watch.sightings(), Vec::<String>::new());
    // Where the test itself put it.
    let allowed: Vec<PathBuf> = vec![alice.work("secrets/dev.yaml"), team.sandbox().root().join("given")];
    canary.assert_unseen(team.sandbox(), &allowed);
}

/// The program with these words.
pub(crate) fn words(person: &Person, words: &str) -> Run {
    person.secretree(words.split(' '))
}

#[test]
fn set() {
    unseen(|alice, canary| {
        let given = alice.sandbox().root().join("given");
        std::fs::write(&given, canary.value()).unwrap();
        let file = words(alice, "set dev a.c --file").operand(&given);
        let mut commands = vec![file];
        for operands in [
            "set dev a.c",
            "set dev a.b",
            "set dev a",
            "set dev a.b.c",
            "set dev a.0",
            "set nowhere a",
            "set dev a..b",
            "set dev x.y --raw --commit",
        ] {
            commands.push(words(alice, operands).input(canary.value()));
        }
        commands.push(words(alice, "set dev bytes").input([canary.value().as_bytes(), &[0xff, 0]].concat()));
        commands
    });
}

#[test]
fn set_repeats_no_value_of_the_command_line() {
    let (team, alice) = alice(&Canary::new());
    let canary = Canary::new();
    let value = canary.value();
    for operands in [
        format!("set dev a.b {value}"),
        format!("set dev a.b -- {value}"),
        format!("set dev a.b {value} --commit"),
        format!("set dev a.b={value}"),
        format!("set dev a.b = {value}"),
        format!("set a.b={value}"),
        format!("set dev a.b --value {value}"),
        format!("set dev a.b --value={value}"),
        format!("set --value={value} dev a.b"),
        format!("set --value {value} dev a.b"),
        format!("set -p{value} dev a.b"),
        format!("set dev a.b --raw={value}"),
        format!("set dev a.b --generate {value}"),
        format!("set dev a.b --generate={value}"),
        format!("set dev a.b --generate hex:{value}"),
        format!("set dev a.b --color {value}"),
        format!("-q set dev a.b {value}"),
    ] {
        let before = alice.read("secrets/dev.yaml");
        let output = words(&alice, &operands).run();
        assert!(!output.stderr().contains(value), "{operands}: {}", output.stderr());
        output.code(2).prints("");
        assert!(alice.read("secrets/dev.yaml") == before, "{operands}");
    }
    canary.assert_unseen(team.sandbox(), &[]);
}

#[test]
fn get() {
    let canary = Canary::new();
    let (_team, alice) = alice(&canary);
    in_each_state(&alice, &canary, |state, text| {
        alice.write("secrets/dev.yaml", text);
        let output = words(&alice, "get dev a.b").reveals().run();
        output.code(state.code());
        assert_eq!(output.stdout() == canary.value(), state == State::Sound, "{state:?}");
        assert!(!output.stderr().contains(canary.value()), "{}", output.stderr());
    });
    unseen(|alice, _| {
        [
            "get dev a",
            "get dev a.x",
            "get dev a.b.c",
            "get nowhere a.b",
            "get dev c",
            "get prod a.b",
            "get dev a --at HEAD",
            "get dev a.x --at HEAD",
            "get nowhere a.b --at HEAD",
            "get dev a.b --at HEAD~1",
            "get dev a.b --at nowhere",
            "get prod a.b --at HEAD",
        ]
        .map(|operands| words(alice, operands))
        .into()
    });
}

#[test]
fn get_as_it_stood() {
    let canary = Canary::new();
    let (_team, alice) = alice(&canary);
    in_each_state(&alice, &canary, |state, text| {
        alice.write("secrets/dev.yaml", text);
        alice.git(["commit", "--quiet", "-am", "another state"]).run();
        let output = words(&alice, "get dev a.b --at HEAD").reveals().run();
        output.code(state.code());
        assert_eq!(output.stdout() == canary.value(), state == State::Sound, "{state:?}");
        assert!(!output.stderr().contains(canary.value()), "{}", output.stderr());
    });
}

#[test]
fn get_into_a_closed_pipe_is_quiet() {
    let (_team, alice) = alice(&Canary::new());
    let large = "x".repeat(1 << 20);
    alice.secretree(["set", "dev", "large"]).input(large).run().succeeds();
    let closed = |command: &str| -> Output {
        let script = format!("set -o pipefail; {command} | head -c1 > /dev/null");
        alice.command("bash", ["-c", &script]).run()
    };
    for command in ["secretree get dev large", "secretree list", "secretree --help"] {
        closed(command).code(0).silent();
    }
    let full = alice.command("sh", ["-c", "secretree get dev large > /dev/full"]).run();
    full.code(1).says("cannot write to standard output");
}

#[test]
fn unset() {
    unseen(|alice, _| {
        [
            "unset dev a.b",
            "unset dev a",
            "unset dev c --commit",
            "unset dev a.x",
            "unset nowhere a",
            "unset dev a.b a.b c",
        ]
        .map(|operands| words(alice, operands))
        .into()
    });
}

#[test]
fn list() {
    unseen(|alice, _| {
        [
            "list",
            "list dev",
            "list dev --json",
            "list --json",
            "list --find a.*",
            "list nowhere",
            "list prod",
        ]
        .map(|operands| words(alice, operands))
        .into()
    });
}

#[test]
fn edit() {
    unseen(|alice, _| {
        let scripts = [
            ("same", "true"),
            ("adds", "echo \"e: $(sed -n 's/^  b: //p' \"$1\")\" >> \"$1\""),
            ("fails", "exit 1"),
            ("breaks", "sed -i 's/b: /b: [/' \"$1\""),
            ("doubles", "cat \"$1\" \"$1\" > \"$1.new\"; mv \"$1.new\" \"$1\""),
            (
                "copies",
                "cp \"$1\" \"$1~\"; cp \"$1\" \"$(dirname \"$1\")/.x.swp\"; mkdir \"$1.d\"; cp \"$1\" \"$1.d\"; echo 'x: y' >> \"$1\"",
            ),
        ];
        let run = |(name, script): (&str, &str)| {
            let editor = alice.sandbox().script(name, &format!("#!/bin/sh\n{script}\n"));
            words(alice, "edit dev --commit").env("EDITOR", editor)
        };
        scripts.map(run).into()
    });
}

#[test]
fn encrypt() {
    unseen(|alice, _| {
        [
            "encrypt dev",
            "encrypt dev --yes",
            "encrypt dev --yes --commit",
            "encrypt",
            "encrypt nowhere",
        ]
        .map(|operands| words(alice, operands))
        .into()
    });
}

#[test]
fn apply() {
    unseen(|alice, _| {
        [
            "apply",
            "apply --yes",
            "apply dev --new-key",
            "apply dev --new-key --yes --commit",
            "apply nowhere",
        ]
        .map(|operands| words(alice, operands))
        .into()
    });
}

#[test]
fn check() {
    unseen(|alice, _| {
        [
            "check",
            "check -v",
            "check dev --strict",
            "check --json",
            "check --format sarif",
            "check --format github",
            "check nowhere",
        ]
        .map(|operands| words(alice, operands))
        .into()
    });
}

#[test]
fn proposals() {
    unseen(|alice, _| {
        [
            "proposals",
            "proposals dev --json",
            "proposals accept dev p.q",
            "proposals accept dev p.q --yes",
            "proposals accept dev --all --yes --raw --commit",
            "proposals reject dev p.q",
            "proposals reject dev --all",
            "proposals reject dev --junk",
            "proposals reject dev --all --yes --commit",
            "proposals accept nowhere p.q",
        ]
        .map(|operands| words(alice, operands))
        .into()
    });
}

#[test]
fn trust() {
    unseen(|alice, _| {
        ["trust dev", "trust dev --yes", "trust prod", "trust nowhere"]
            .map(|operands| words(alice, operands))
            .into()
    });
}

#[test]
fn start() {
    // `demo` looks at nothing that is here, in whatever state.
    let shown = Cell::new(false);
    unseen(|alice, _| {
        let mut operands = vec!["init", "init --yes", "whoami", "whoami --json", "keygen"];
        if !shown.replace(true) {
            operands.push("demo");
        }
        operands.into_iter().map(|operands| words(alice, operands)).collect()
    });
}

#[test]
fn decrypt() {
    unseen(|alice, _| {
        alice.write("a.j2", "{{ a.b }} {{ c - a.b }}");
        let writers = [
            "--format yaml",
            "--format json",
            "--format dotenv",
            "--format shell",
            "--format docker",
            "--format kubernetes --name x",
            "--template a.j2",
        ];
        let mut commands = vec![words(alice, "decrypt dev --format github")];
        for writer in writers {
            let refused = words(alice, &format!("decrypt dev {writer} -o"));
            commands.push(refused.operand(alice.work("inside")));
            commands.push(words(alice, &format!("decrypt nowhere {writer}")));
        }
        commands.push(words(alice, "decrypt dev --template a.j2"));
        commands.push(words(alice, "decrypt dev --at HEAD~1"));
        commands.push(words(alice, "decrypt dev --at HEAD -o").operand(alice.work("inside")));
        commands
    });
}

#[test]
fn run() {
    unseen(|alice, _| {
        [
            "run dev -- true",
            "run dev -- false",
            "run dev -- /nonexistent",
            "run nowhere -- true",
            "run dev --only x -- true",
        ]
        .map(|operands| words(alice, operands))
        .into()
    });
}

#[test]
fn a_malformed_identity_is_not_repeated() {
    let canary = Canary::new();
    let (team, alice) = alice(&canary);
    let given = team.sandbox().root().join("given");
    let value = canary.value();
    for text in [
        value.to_owned(),
        format!("AGE-SECRET-KEY-1{value}"),
        format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{value}\n-----END OPENSSH PRIVATE KEY-----\n"),
        format!("AGE-PLUGIN-{value}"),
    ] {
        std::fs::write(&given, &text).unwrap();
        for operands in ["get dev a.x", "set dev a.c", "whoami", "apply --yes", "list dev"] {
            words(&alice, operands).env("SECRETREE_KEY", &text).input("x").run();
            words(&alice, operands)
                .env("SECRETREE_IDENTITY", &given)
                .input("x")
                .run();
            let command = format!("cat {}", given.display());
            words(&alice, operands)
                .env("SECRETREE_KEY_COMMAND", command)
                .input("x")
                .run();
        }
    }
    canary.assert_unseen(team.sandbox(), &[given]);
}

#[test]
fn log_access_and_exposure() {
    unseen(|alice, _| {
        let mut commands = Vec::new();
        for operands in [
            "log",
            "log dev a.b",
            "log dev --json",
            "access dev",
            "access dev a.b",
            "access dev d",
            "access dev a.b --at HEAD --json",
            "exposure alice",
            "exposure alice --json",
        ] {
            commands.push(words(alice, operands));
        }
        commands
    });
}

#[test]
fn diff() {
    unseen(|alice, _| {
        [
            "diff",
            "diff dev",
            "diff --json",
            "diff --markdown",
            "diff --from HEAD~1",
            "diff --from HEAD~1 --to HEAD",
            "diff dev prod",
            "diff dev prod --json",
            "diff nowhere",
            "diff --from nowhere",
            "diff dev prod --reveal",
        ]
        .map(|operands| words(alice, operands))
        .into()
    });
}

#[test]
fn git_merge() {
    unseen(|alice, _| {
        let given = alice.sandbox().root().join("given");
        std::fs::create_dir_all(&given).unwrap();
        let given = given.display();
        // The file in its state against the one that was committed, from either side.
        let merge = |ours: &str, theirs: &str| {
            let script = format!(
                "git show HEAD:secrets/dev.yaml > {given}/sound && cp secrets/dev.yaml {given}/state && \
                 cp {given}/{ours} {given}/ours && cp {given}/{theirs} {given}/theirs && \
                 secretree git merge {given}/sound {given}/ours {given}/theirs 7 secrets/dev.yaml base HEAD topic"
            );
            alice.command("sh", ["-c", &script])
        };
        vec![
            merge("state", "sound"),
            merge("sound", "state"),
            merge("state", "state"),
        ]
    });
}
