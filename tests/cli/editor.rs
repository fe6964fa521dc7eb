//! `edit` as its editor sees it: the private file, real editors that leave nothing, signals while one is open, texts
//! that are refused, editors that fail. How the text becomes tokens is told elsewhere.

use std::fs::File;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::canary::Canary;
use crate::run::Run;
use crate::sandbox::Person;
use crate::team::Team;
use crate::terminal::Terminal;
use crate::tools::require;

/// Alice alone, with a canary at `a.b` of `dev`.
fn alice() -> (Team, Person, Canary) {
    let team = Team::new(&["alice"]);
    let alice = team.person("alice");
    let canary = Canary::new();
    alice
        .secretree(["set", "dev", "a.b"])
        .input(canary.value())
        .run()
        .succeeds();
    (team, alice, canary)
}

/// `edit dev` with this shell script as the editor; `$LOG` is a file outside of the repository.
fn edit_with(person: &Person, script: &str) -> Run {
    let editor = person.sandbox().script("editor", &format!("#!/bin/sh\n{script}\n"));
    person
        .secretree(["edit", "dev"])
        .env("EDITOR", editor)
        .env("LOG", log(person))
}

fn log(person: &Person) -> PathBuf {
    person.sandbox().root().join("log")
}

/// Waits until the editor has said in `$LOG` that it is open.
fn wait_for_editor(person: &Person) {
    let start = Instant::now();
    while !log(person).exists() {
        assert!(start.elapsed() < Duration::from_secs(20), "the editor never opened");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn the_text_is_in_memory_and_for_this_user_alone() {
    let (team, alice, canary) = alice();
    let script = "umask 0; stat -c '%a %n' \"$1\" \"$(dirname \"$1\")\" > \"$LOG\"; stat -f -c %T \"$1\" >> \"$LOG\"";
    let output = edit_with(&alice, script).run();
    output.succeeds().says("unchanged; nothing was written");
    let seen = std::fs::read_to_string(log(&alice)).unwrap();
    let lines: Vec<_> = seen.lines().collect();
    assert!(
        lines[0].starts_with("600 /") && lines[0].ends_with("/dev.yaml"),
        "{seen}"
    );
    assert!(lines[1].starts_with("700 /"), "{seen}");
    if Path::new("/dev/shm").exists() {
        assert_eq!(lines[2], "tmpfs", "{seen}");
    }
    canary.assert_unseen(team.sandbox(), &[]);
}

#[test]
fn unchanged_text_writes_nothing() {
    let (_team, alice, _) = alice();
    let file = alice.work("secrets/dev.yaml");
    let before = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
    File::open(&file).unwrap().set_modified(before).unwrap();
    let inode = file.metadata().unwrap().ino();
    for script in ["true", "touch \"$1\"", "cp \"$1\" \"$1.x\"; mv \"$1.x\" \"$1\""] {
        edit_with(&alice, script).run().succeeds();
        let now = file.metadata().unwrap();
        assert_eq!((now.modified().unwrap(), now.ino()), (before, inode), "{script}");
    }
}

#[test]
fn an_editor_that_fails_changes_nothing() {
    let (team, alice, canary) = alice();
    let before = alice.read("secrets/dev.yaml");
    for (script, reason) in [
        (
            "echo 'c: d' >> \"$1\"; exit 1",
            "ended with status 1; nothing was written",
        ),
        (
            "echo 'c: d' >> \"$1\"; kill -9 $$",
            "was ended by a signal; nothing was written",
        ),
        ("rm \"$1\"", "cannot be read"),
        ("rm \"$1\"; mkfifo \"$1\"", "cannot be read"),
        ("rm \"$1\"; mkdir \"$1\"", "cannot be read"),
        ("truncate -s 65M \"$1\"", "cannot be read"),
    ] {
        edit_with(&alice, script).run().code(1).says(reason);
        assert!(alice.read("secrets/dev.yaml") == before, "{script}");
    }
    canary.assert_unseen(team.sandbox(), &[]);
}

#[test]
fn an_editor_is_never_a_shell_command() {
    let (team, alice, canary) = alice();
    let owned = team.sandbox().root().join("owned");
    let shown = owned.display();
    for editor in [
        format!("x; touch {shown}"),
        format!("true;touch {shown}"),
        format!("$(touch {shown})"),
        format!("`touch {shown}`"),
        format!("true && touch {shown}"),
        format!("'true | touch {shown}'"),
        String::from("relative/editor"),
        String::from("'unclosed"),
        String::from("code"),
        String::from("/usr/bin/code -n"),
    ] {
        for setting in ["SECRETREE_EDITOR", "VISUAL", "EDITOR"] {
            let output = alice.secretree(["edit", "dev"]).env(setting, &editor).run();
            assert!(!owned.exists(), "{editor}");
            let unchanged = output.stderr().contains("unchanged");
            assert!(unchanged || output.code(1).stderr().starts_with("error: "), "{editor}");
        }
    }
    canary.assert_unseen(team.sandbox(), &[]);
}

#[test]
fn the_editor_gets_no_identity() {
    let (_team, alice, _) = alice();
    let key = std::fs::read_to_string(alice.identity_file()).unwrap();
    let key = key.lines().last().unwrap();
    let run = edit_with(&alice, "env > \"$LOG\"");
    run.env("SECRETREE_KEY", key).env("KEPT", "kept").run().succeeds();
    let seen = std::fs::read_to_string(log(&alice)).unwrap();
    assert!(!seen.contains("AGE-SECRET-KEY") && seen.contains("KEPT=kept"), "{seen}");
}

/// Texts that are refused, with where. Each holds the canary, which no message may repeat.
fn refused_texts(canary: &str) -> Vec<(String, &'static str)> {
    vec![
        (format!("a: {canary}\nb: [{canary}\n"), "line 2"),
        (format!("a:\n\tb: {canary}\n"), "line 2"),
        (format!("a: &x {canary}\n"), "line 1 column 4"),
        (format!("a: *{canary}\n"), "line 1 column 4"),
        (format!("a: !{canary} x\n"), "line 1 column 4"),
        (format!("a: {canary}\na: {canary}\n"), "line 2 column 1"),
        (format!("a: {canary}: {canary}\n"), "line 1"),
        (format!("a: \"{canary}\n"), "line "),
        (format!("a: {canary}\n{canary}\n"), "line 2"),
        (format!("- {canary}\n"), "line 1 column 1"),
        (format!("{canary}\n"), "line 1 column 1"),
        (format!("a: \"\\q{canary}\"\n"), "line 1"),
        (format!("a: {{{canary}}}\n"), "line 1"),
        (format!("? [{canary}]\n: x\n"), "line 1"),
        (format!("a: |9{canary}\n  x\n"), "line 1"),
        (format!("%TAG {canary}\n---\na: 1\n"), "line 1 column 1"),
        (format!("a: {canary}\n---\nb: 1\n"), "line 2 column 1"),
        (format!("secretree: {canary}\n"), "line 1 column 1"),
        (
            format!("a: ENC[age,k0123456789abcdef,v01234567,{canary}]\n"),
            "line 1 column 4",
        ),
        (format!("a: {canary}\u{7}\n"), "line 1"),
        (format!("a: !!binary {canary}=\n"), "line 1"),
    ]
}

#[test]
fn a_refused_text_is_told_by_line_and_column_and_never_repeated() {
    let (team, alice, canary) = alice();
    let before = alice.read("secrets/dev.yaml");
    let text = log(&alice).with_file_name("text");
    for (refused, place) in refused_texts(canary.value()) {
        std::fs::write(&text, &refused).unwrap();
        let _ = std::fs::remove_file(log(&alice));
        let run = edit_with(&alice, "echo opened >> \"$LOG\"; cp \"$TEXT\" \"$1\"");
        let output = run.env("TEXT", &text).run();
        assert!(output.stderr().contains(place), "{refused}{}", output.stderr());
        output.code(1).says("error: `secrets/dev.yaml` line ");
        // Once, and once more with the same text.
        assert_eq!(
            std::fs::read_to_string(log(&alice)).unwrap(),
            "opened\nopened\n",
            "{refused}"
        );
        assert!(alice.read("secrets/dev.yaml") == before, "{refused}");
    }
    std::fs::remove_file(&text).unwrap();
    canary.assert_unseen(team.sandbox(), &[]);
}

#[test]
fn an_editor_that_never_mends_the_text_comes_to_an_end() {
    let (_team, alice, _) = alice();
    let before = alice.read("secrets/dev.yaml");
    let run = edit_with(&alice, "echo opened >> \"$LOG\"; echo 'a: [' >> \"$1\"");
    run.run().code(1).says("line ");
    assert_eq!(std::fs::read_to_string(log(&alice)).unwrap().lines().count(), 10);
    assert!(alice.read("secrets/dev.yaml") == before);
}

/// `edit dev` on a terminal, with this script as the editor.
fn terminal_with(person: &Person, script: &str) -> Terminal {
    Terminal::start(edit_with(person, script))
}

#[test]
fn on_a_terminal_the_editor_opens_again_after_enter() {
    let (_team, alice, _) = alice();
    let script = "if [ -e \"$LOG\" ]; then grep -q 'a: \\[' \"$1\" && echo 'a: mended' > \"$1\"; else echo 'a: [' > \"$1\"; fi; touch \"$LOG\"";
    let mut terminal = terminal_with(&alice, script);
    terminal.expect("line ").expect("press Enter").send("\n");
    let output = terminal.finish();
    output.code(0);
    let run = alice.secretree(["get", "dev", "a"]).reveals();
    run.run().succeeds().prints("mended");
}

#[test]
fn on_a_terminal_the_person_may_give_up() {
    let (_team, alice, _) = alice();
    let before = alice.read("secrets/dev.yaml");
    let mut terminal = terminal_with(&alice, "echo 'a: [' > \"$1\"");
    terminal.expect("press Enter").send("\u{4}");
    terminal.finish().code(1);
    let mut terminal = terminal_with(&alice, "echo 'a: [' > \"$1\"");
    terminal.expect("press Enter").send("\n");
    terminal.expect("line ");
    terminal.finish().code(1);
    let mut terminal = terminal_with(&alice, "echo 'a: [' > \"$1\"");
    terminal.expect("press Enter").send("\u{3}");
    assert_ne!(terminal.finish().signal(), None);
    assert!(alice.read("secrets/dev.yaml") == before);
}

#[test]
fn a_signal_removes_the_text_and_leaves_the_file() {
    for (signal, to_group) in [
        (Signal::INT, false),
        (Signal::TERM, false),
        (Signal::HUP, false),
        (Signal::INT, true),
        (Signal::TERM, true),
        (Signal::HUP, true),
        (Signal::KILL, true),
        (Signal::TERM, false),
    ] {
        let (team, alice, canary) = alice();
        let before = alice.read("secrets/dev.yaml");
        // Writes what it has when it is told to end, as some editors do.
        let script = "trap 'cp \"$1\" \"$1.save\"; exit 1' INT TERM HUP\ncp \"$1\" \"$1~\"; echo \"$PPID\" > \"$LOG.new\"; mv \"$LOG.new\" \"$LOG\"\n\
                      i=0; while [ -e \"$1\" ] && [ $i -lt 500 ]; do sleep 0.01; i=$((i+1)); done";
        let run = edit_with(&alice, script).under(&["setsid"]);
        let running = run.start();
        wait_for_editor(&alice);
        if to_group {
            let leader = std::fs::read_to_string(log(&alice)).unwrap().trim().parse().unwrap();
            kill_process_group(Pid::from_raw(leader).unwrap(), signal).unwrap();
        } else {
            running.signal(signal);
        }
        let output = running.finish();
        assert!(
            output.signal() == Some(signal.as_raw()) || output.stderr().contains("nothing was written"),
            "{signal:?}: {}",
            output.stderr()
        );
        assert!(alice.read("secrets/dev.yaml") == before);
        let start = Instant::now();
        while !canary.sightings(team.sandbox(), &[]).is_empty() && start.elapsed() < Duration::from_secs(3) {
            std::thread::sleep(Duration::from_millis(10));
        }
        canary.assert_unseen(team.sandbox(), &[]);
    }
}

#[test]
fn an_editor_that_ignores_the_signal_does_not_keep_the_text() {
    let (team, alice, canary) = alice();
    let script = "trap '' INT TERM HUP\ntouch \"$LOG\"; i=0; while [ -e \"$1\" ] && [ $i -lt 500 ]; do sleep 0.01; i=$((i+1)); done; echo 'late: 1' > \"$1\"";
    let running = edit_with(&alice, script).start();
    wait_for_editor(&alice);
    running.signal(Signal::TERM);
    assert_eq!(running.finish().signal(), Some(Signal::TERM.as_raw()));
    canary.assert_unseen(team.sandbox(), &[]);
}

#[test]
fn a_graphical_editor_is_told_to_wait_and_its_history_is_named_once() {
    let (team, alice, _) = alice();
    team.sandbox().script("code", "#!/bin/sh\nexit 0\n");
    let run = alice.secretree(["edit", "dev"]).env("EDITOR", "code");
    run.run().code(1).says("hint: export EDITOR='code --wait'");
    let run = alice.secretree(["edit", "dev"]).env("EDITOR", "code --wait");
    let output = run.run();
    assert_eq!(output.succeeds().stderr().matches("localHistory").count(), 1);
}

/// Every file below these folders that is not the repository's own, by name.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files
}

/// Types `keys` into a real editor, once the value appears; settings of the person's own would keep copies.
fn type_into(editor: &str, keys: &str, settings: &[(&str, &str)]) {
    let program = editor.split(' ').next().unwrap();
    if !require(&[program]) {
        return;
    }
    let (team, alice, canary) = alice();
    let home = alice.folder().join("home");
    let hidden = home.join("copies");
    std::fs::create_dir(&hidden).unwrap();
    for (name, text) in settings {
        let path = home.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text.replace("COPIES", hidden.to_str().unwrap())).unwrap();
    }
    let before = files_below(team.sandbox().root());
    let run = alice.secretree(["edit", "dev"]).env("EDITOR", editor).reveals();
    let mut terminal = Terminal::start(run);
    terminal.expect(canary.value());
    std::thread::sleep(Duration::from_millis(200));
    terminal.send(keys);
    terminal.finish().code(0);
    let run = alice.secretree(["get", "dev", "added"]).reveals();
    run.run().succeeds().prints("typed");
    let new: Vec<_> = files_below(team.sandbox().root())
        .into_iter()
        .filter(|file| !before.contains(file) && !file.to_string_lossy().contains("/.git/"))
        .collect();
    for file in &new {
        let text = String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned();
        assert!(!text.contains("typed"), "{} of {editor}", file.display());
    }
    assert_eq!(files_below(&hidden), Vec::<PathBuf>::new(), "{editor}");
    canary.assert_unseen(team.sandbox(), &[]);
}

#[test]
fn vim_keeps_nothing() {
    let settings = "set undofile backup writebackup swapfile\nset undodir=COPIES backupdir=COPIES directory=COPIES\nset viminfo='100,<1000,n~/.viminfo\n";
    type_into("vim", "Oadded: typed\u{1b}yy:wq\r", &[(".vimrc", settings)]);
}

#[test]
fn nano_keeps_nothing() {
    let settings = "set backup\nset backupdir \"COPIES\"\nset historylog\nset positionlog\nset locking\n";
    type_into("nano", "added: typed\r\u{f}\r\u{18}", &[(".nanorc", settings)]);
}

#[test]
fn emacs_keeps_nothing() {
    let settings = "(setq make-backup-files t auto-save-default t auto-save-interval 1\n backup-directory-alist '((\".*\" . \"COPIES\"))\n auto-save-file-name-transforms '((\".*\" \"COPIES/\" t)))\n(savehist-mode -1)\n";
    type_into(
        "emacs -nw",
        "added: typed\r\u{18}\u{13}\u{18}\u{3}",
        &[(".emacs.d/init.el", settings)],
    );
}

#[test]
fn a_killed_real_editor_keeps_nothing() {
    for editor in ["vim", "nano", "emacs -nw"] {
        if !require(&[editor.split(' ').next().unwrap()]) {
            continue;
        }
        let (team, alice, canary) = alice();
        // The session's end reaches both: the command's number is the editor's parent.
        let script = format!("echo $$ > '{}'; exec \"$@\"", log(&alice).display());
        let run = alice.secretree(["edit", "dev"]).env("EDITOR", editor).reveals();
        let mut terminal = Terminal::start(run.under(&["sh", "-c", &script, "sh"]));
        terminal.expect(canary.value());
        std::thread::sleep(Duration::from_millis(200));
        terminal.send("ichanged");
        std::thread::sleep(Duration::from_millis(50));
        let process: i32 = std::fs::read_to_string(log(&alice)).unwrap().trim().parse().unwrap();
        rustix::process::kill_process(Pid::from_raw(process).unwrap(), Signal::HUP).unwrap();
        terminal.finish();
        canary.assert_unseen(team.sandbox(), &[]);
        for file in files_below(&alice.folder().join("home")) {
            let mode = file.metadata().unwrap().permissions().mode();
            let text = std::fs::read(&file).unwrap();
            assert!(
                !String::from_utf8_lossy(&text).contains("changed"),
                "{} {mode:o}",
                file.display()
            );
        }
    }
}
