//! What is left when a command dies or cannot write: `kill -9` at any moment, a full disk, a folder nobody may write,
//! links and pipes where files belong. Each file is the old one or the new one, whole, and no plaintext stays.

use std::collections::BTreeSet;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::canary::Canary;
use crate::output::Output;
use crate::run::Run;
use crate::sandbox::Person;
use crate::team::Team;

/// How long a round of kills may take, so that a slow disk does not make a slow test.
const BUDGET: Duration = Duration::from_secs(5);

/// Alice alone, with `a.b` set in `dev` and `prod`, everything committed.
fn alice() -> (Team, Person) {
    let team = Team::new(&["alice"]);
    let alice = team.person("alice");
    for name in ["dev", "prod"] {
        alice.secretree(["set", name, "a.b"]).input("old").run().succeeds();
    }
    team.share(&alice, "secrets");
    (team, alice)
}

/// Runs `make` again and again and kills it a little later each time, until it comes to its end alive. `judge` sees
/// each round's number. The steps are such that about `rounds` fit into the time that the command takes undisturbed.
pub(crate) fn kill_again_and_again(rounds: u32, make: impl Fn(u32) -> Run, mut judge: impl FnMut(u32)) {
    let start = Instant::now();
    make(0).run().succeeds();
    let step = start.elapsed() / rounds;
    judge(0);
    let (mut killed, mut alive) = (0, 0);
    for round in 1..rounds * 3 {
        let running = make(round).start();
        std::thread::sleep(step * (round - 1));
        running.signal(Signal::KILL);
        match running.finish().signal() {
            Some(_) => killed += 1,
            None => alive += 1,
        }
        judge(round);
        if alive > rounds / 4 || start.elapsed() > BUDGET {
            break;
        }
    }
    assert!(killed > 0, "no command was killed");
}

/// Files that a dead command left beside the others.
pub(crate) fn leftovers(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        let name = entry.file_name().into_string().unwrap();
        if path.is_dir() && name != ".git" {
            found.extend(leftovers(&path));
        } else if name.contains("secretree-new") || name.contains("journal") {
            found.push(path);
        }
    }
    found
}

fn get(person: &Person, name: &str, path: &str) -> Output {
    person.secretree(["get", name, path]).reveals().run()
}

/// The key id in the footer of an environment's file.
fn key_of(person: &Person, name: &str) -> String {
    let text = person.read_text(&format!("secrets/{name}.yaml"));
    let line = text.lines().find(|line| line.starts_with("  key: ")).unwrap();
    line.to_owned()
}

#[test]
fn set_dies_and_the_value_is_the_old_or_the_new_one() {
    let (team, alice) = alice();
    let canary = Canary::new();
    let value = |round: u32| format!("{}-{round}", canary.value());
    let mut before = String::from("old");
    kill_again_and_again(
        40,
        |round| alice.secretree(["set", "dev", "a.b"]).input(value(round)),
        |round| {
            let now = get(&alice, "dev", "a.b").succeeds().stdout();
            assert!(now == before || now == value(round), "{now} after {before}");
            before = now;
        },
    );
    alice.secretree(["set", "dev", "a.b"]).input("end").run().succeeds();
    get(&alice, "dev", "a.b").succeeds().prints("end");
    assert_eq!(leftovers(&alice.work("")), Vec::<PathBuf>::new());
    canary.assert_unseen(team.sandbox(), &[]);
}

#[test]
fn apply_dies_and_every_file_is_old_or_every_file_is_new() {
    const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
    let environments: String = NAMES
        .map(|name| format!("  {name}: {{file: secrets/{name}.yaml, readers: [alice]}}\n"))
        .concat();
    let team = Team::with_policy(&["alice"], &format!("environments:\n{environments}"));
    let alice = team.person("alice");
    for name in NAMES {
        alice.secretree(["set", name, "x"]).input(name).run().succeeds();
    }
    team.share(&alice, "secrets");
    let keys = || NAMES.map(|name| key_of(&alice, name));
    let mut before = keys();
    kill_again_and_again(
        30,
        |_| alice.secretree(["apply", "--new-key", "--yes"]),
        |round| {
            // The next command, whatever it is, finishes what was begun.
            get(&alice, NAMES[round as usize % NAMES.len()], "x").succeeds();
            let now = keys();
            let changed: BTreeSet<_> = before.iter().zip(&now).map(|(before, now)| before != now).collect();
            assert_eq!(changed.len(), 1, "some changed and some did not: {before:?} {now:?}");
            before = now;
        },
    );
    alice.secretree(["apply", "--new-key", "--yes"]).run().succeeds();
    assert_eq!(leftovers(&alice.work("")), Vec::<PathBuf>::new());
    for name in NAMES {
        get(&alice, name, "x").succeeds().prints(name);
    }
}

#[test]
fn edit_dies_and_no_plaintext_stays() {
    let (team, alice) = alice();
    let canary = Canary::new();
    let editor = team
        .sandbox()
        .script("editor", "#!/bin/sh\nprintf 'a:\\n  b: %s\\n' \"$NEW\" > \"$1\"\n");
    let value = |round: u32| format!("{}-{round}", canary.value());
    let mut before = String::from("old");
    kill_again_and_again(
        40,
        |round| {
            alice
                .secretree(["edit", "dev"])
                .env("EDITOR", &editor)
                .env("NEW", value(round))
        },
        |round| {
            let now = get(&alice, "dev", "a.b").succeeds().stdout();
            assert!(now == before || now == value(round), "{now} after {before}");
            before = now;
        },
    );
    assert_gone(&canary, &team);
}

#[test]
fn an_open_editor_does_not_keep_the_text_of_a_dead_edit() {
    let (team, alice) = alice();
    let canary = Canary::new();
    alice
        .secretree(["set", "dev", "a.b"])
        .input(canary.value())
        .run()
        .succeeds();
    let ready = team.sandbox().root().join("ready");
    // Ends by itself once its file is gone.
    let script = format!(
        "#!/bin/sh\ntouch '{}'\ni=0; while [ -e \"$1\" ] && [ $i -lt 250 ]; do sleep 0.02; i=$((i+1)); done\n",
        ready.display()
    );
    let editor = team.sandbox().script("editor", &script);
    for signal in [Signal::KILL, Signal::ABORT, Signal::SEGV, Signal::QUIT] {
        let run = alice.secretree(["edit", "dev"]).env("EDITOR", &editor);
        let running = run
            .under(&["sh", "-c", "ulimit -c unlimited; exec \"$@\"", "sh"])
            .start();
        let start = Instant::now();
        while !ready.exists() {
            assert!(start.elapsed() < Duration::from_secs(20), "the editor never opened");
            std::thread::sleep(Duration::from_millis(2));
        }
        std::fs::remove_file(&ready).unwrap();
        running.signal(signal);
        // The first SIGSEGV only puts Rust's own handler out of the way.
        std::thread::sleep(Duration::from_millis(20));
        running.signal(signal);
        assert!(running.finish().signal().is_some(), "{signal:?}");
        assert_gone(&canary, &team);
    }
}

/// The canary is seen nowhere, now or a moment later: what removes it outlives the command by that moment.
#[track_caller]
fn assert_gone(canary: &Canary, team: &Team) {
    let start = Instant::now();
    while !canary.sightings(team.sandbox(), &[]).is_empty() && start.elapsed() < Duration::from_secs(3) {
        std::thread::sleep(Duration::from_millis(10));
    }
    canary.assert_unseen(team.sandbox(), &[]);
}

/// Commands that write `dev`, each with what it reads and the editor it would use.
fn writers(person: &Person, editor: &str) -> Vec<Run> {
    vec![
        person.secretree(["set", "dev", "a.b"]).input("new"),
        person.secretree(["set", "dev", "new.path"]).input("new"),
        person.secretree(["unset", "dev", "a.b"]),
        person.secretree(["apply", "dev", "--new-key", "--yes"]),
        person.secretree(["apply", "--new-key", "--yes"]),
        person.secretree(["edit", "dev"]).env("EDITOR", editor),
    ]
}

/// Removes the text that a refused `edit` kept, and returns it.
fn take_kept(stderr: &str) -> Option<String> {
    let path = Path::new(stderr.split_once("your text is kept in `")?.1.split_once('`')?.0);
    let text = std::fs::read_to_string(path).unwrap();
    std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
    Some(text)
}

#[test]
fn a_write_that_fails_leaves_the_old_file() {
    let (team, alice) = alice();
    let editor = team.sandbox().script("editor", "#!/bin/sh\necho 'c: d' >> \"$1\"\n");
    let before = ["dev", "prod"].map(|name| alice.read(&format!("secrets/{name}.yaml")));
    for run in writers(&alice, &editor) {
        // Files may hold 512 bytes from here on; a full disk is the same to a program.
        let limited = ["sh", "-c", "ulimit -f 1; trap '' XFSZ; exec \"$@\"", "sh"];
        let output = run.under(&limited).run();
        output.code(1);
        let stderr = output.stderr();
        assert!(take_kept(&stderr).is_none_or(|text| text == "a:\n  b: old\nc: d\n"));
        let now = ["dev", "prod"].map(|name| alice.read(&format!("secrets/{name}.yaml")));
        assert!(now == before, "{stderr}");
        assert_eq!(leftovers(&alice.work("")), Vec::<PathBuf>::new());
    }
}

/// A small file system in memory, unmounted when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Nothing if this system lets nobody mount here.
    fn mount(place: &Path) -> Option<Self> {
        std::fs::create_dir_all(place).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=128k", "tmpfs"])
            .arg(place)
            .output();
        mounted
            .is_ok_and(|output| output.status.success())
            .then(|| Self(place.to_owned()))
    }

    /// Takes all space that is left.
    fn fill(&self) {
        use std::io::Write as _;
        let mut file = std::fs::File::create(self.0.join("filler")).unwrap();
        while file.write_all(&[7; 1024]).is_ok() {}
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(&self.0).status().unwrap();
    }
}

#[test]
fn a_full_disk_leaves_the_old_files_and_says_so() {
    let (team, alice) = alice();
    let Some(disk) = SmallDisk::mount(&alice.work("../small")) else {
        return;
    };
    for name in [".secrets.yaml", "secrets/dev.yaml", "secrets/prod.yaml"] {
        alice.write(&format!("../small/{name}"), alice.read(name));
    }
    let editor = team.sandbox().script("editor", "#!/bin/sh\necho 'c: d' >> \"$1\"\n");
    let before = alice.read("../small/secrets/dev.yaml");
    disk.fill();
    for run in writers(&alice, &editor) {
        let output = run.inside("../small").run();
        output.code(1).says("the disk is full");
        assert!(take_kept(&output.stderr()).is_none_or(|text| text == "a:\n  b: old\nc: d\n"));
        assert!(alice.read("../small/secrets/dev.yaml") == before);
        assert_eq!(leftovers(&disk.0), Vec::<PathBuf>::new());
    }
    get_inside(&alice, "../small").prints("old");
    std::fs::remove_file(disk.0.join("filler")).unwrap();
    for run in writers(&alice, &editor).into_iter().take(1) {
        run.inside("../small").run().succeeds();
    }
    get_inside(&alice, "../small").prints("new");
}

fn get_inside(person: &Person, folder: &str) -> Output {
    let run = person.secretree(["get", "dev", "a.b"]).inside(folder).reveals();
    run.run()
}

#[test]
fn a_folder_that_may_not_be_written_is_read_only() {
    let (team, alice) = alice();
    let editor = team.sandbox().script("editor", "#!/bin/sh\necho 'c: d' >> \"$1\"\n");
    let before = alice.read("secrets/dev.yaml");
    let mode = |mode| std::fs::set_permissions(alice.work("secrets"), std::fs::Permissions::from_mode(mode)).unwrap();
    mode(0o555);
    for run in writers(&alice, &editor) {
        let output = run.without_privileges().run();
        output.code(1).says("permission denied");
        take_kept(&output.stderr());
        assert!(alice.read("secrets/dev.yaml") == before);
    }
    let run = alice.secretree(["get", "dev", "a.b"]).reveals();
    run.without_privileges().run().succeeds().prints("old");
    mode(0o755);
}

#[test]
fn links_are_not_followed() {
    for (link, target, reason) in [
        ("secrets/dev.yaml", "elsewhere.yaml", "symbolic link"),
        ("secrets", "elsewhere", "symbolic link"),
        (
            ".secrets.yaml",
            "elsewhere.yaml",
            "a symbolic link, which is not followed",
        ),
    ] {
        let (team, alice) = alice();
        let editor = team.sandbox().script("editor", "#!/bin/sh\necho 'c: d' >> \"$1\"\n");
        let target = team.sandbox().root().join(target);
        std::fs::rename(alice.work(link), &target).unwrap();
        symlink(&target, alice.work(link)).unwrap();
        let file = if target.is_dir() {
            target.join("dev.yaml")
        } else {
            target
        };
        let before = std::fs::read(&file).unwrap();
        let reading = alice.secretree(["get", "dev", "a.b"]);
        for run in writers(&alice, &editor).into_iter().chain([reading]) {
            let output = run.run();
            output.code(1).says(reason);
            assert_eq!(output.stdout(), "");
            assert!(std::fs::read(&file).unwrap() == before);
        }
    }
}

#[test]
fn what_stands_beside_a_file_is_not_followed_either() {
    let (team, alice) = alice();
    let outside = team.sandbox().root().join("outside");
    std::fs::write(&outside, "untouched").unwrap();
    for name in ["secrets/.dev.yaml.secretree-new", "secrets/.prod.yaml.secretree-new"] {
        symlink(&outside, alice.work(name)).unwrap();
    }
    alice.secretree(["set", "dev", "a.b"]).input("new").run().succeeds();
    alice.secretree(["apply", "--new-key", "--yes"]).run().succeeds();
    assert_eq!(std::fs::read(&outside).unwrap(), b"untouched");
    assert!(!alice.work("secrets/dev.yaml").is_symlink());
    get(&alice, "dev", "a.b").prints("new");
    for content in [
        None,
        Some("no journal"),
        Some("{\"format\":1,\"files\":{\"../outside\":\"00\"}}"),
    ] {
        let journal = alice.work(".secrets.journal");
        match content {
            None => symlink(&outside, &journal).unwrap(),
            Some(text) => std::fs::write(&journal, text).unwrap(),
        }
        let output = alice.secretree(["set", "dev", "a.b"]).input("newer").run();
        assert!(output.stderr().contains(".secrets.journal"), "{}", output.stderr());
        assert_eq!(std::fs::read(&outside).unwrap(), b"untouched");
        std::fs::remove_file(&journal).unwrap();
        get(&alice, "dev", "a.b").prints("new");
    }
}

#[test]
fn a_pipe_where_a_file_belongs_stops_nobody() {
    for (name, reason) in [
        ("secrets/dev.yaml", "not a regular file"),
        (".secrets.journal", "not a regular file"),
        (".secrets.yaml", "is a named pipe, no ordinary file"),
    ] {
        let (team, alice) = alice();
        let editor = team.sandbox().script("editor", "#!/bin/sh\necho 'c: d' >> \"$1\"\n");
        let _ = std::fs::remove_file(alice.work(name));
        alice.command("mkfifo", [name]).run().succeeds();
        let reading = ["get dev a.b", "list", "list dev"].map(|words| alice.secretree(words.split(' ')));
        for run in writers(&alice, &editor).into_iter().chain(reading) {
            run.run().code(1).says(reason);
        }
    }
}

#[test]
fn an_edit_that_meets_a_broken_journal_keeps_the_text_and_the_reason() {
    let (team, alice) = alice();
    let script = "#!/bin/sh\necho 'c: d' >> \"$1\"\necho nonsense > .secrets.journal\n";
    let editor = team.sandbox().script("editor", script);
    let output = alice.secretree(["edit", "dev"]).env("EDITOR", editor).run();
    output
        .code(5)
        .says("/.secrets.journal` cannot be finished: it is malformed");
    let stderr = output.stderr();
    assert_eq!(stderr.matches("hint: ").count(), 2, "{stderr}");
    assert_eq!(take_kept(&stderr).as_deref(), Some("a:\n  b: old\nc: d\n"));
}
