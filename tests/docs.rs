//! Holds the pages for people against the program: every path they name exists, every command and flag they show is
//! there, and the first minute of the README does what it says. What the pages claim beyond that is for reviewers.

// Tests lay out fixtures; nothing here has to be atomic.
#![allow(clippy::disallowed_methods, reason = "fixtures are written before anyone reads them")]
#![allow(clippy::unwrap_used, reason = "whatever fails in a test of the pages fails the test")]

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_secretree");

/// What stands before the block that `the_first_minute_works` runs.
const FIRST_MINUTE: &str = "<!-- run by tests/docs.rs -->";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every page, by its path from the root.
fn pages() -> BTreeMap<PathBuf, String> {
    let mut pages = BTreeMap::new();
    for folder in ["", "docs"] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let path = Path::new(folder).join(entry.unwrap().file_name());
            if path.extension().is_some_and(|extension| extension == "md") {
                let text = std::fs::read_to_string(root().join(&path)).unwrap();
                pages.insert(path, text);
            }
        }
    }
    assert!(pages.len() >= 6, "where are the pages? {:?}", pages.keys());
    pages
}

/// The fenced blocks of a page: language and content.
fn blocks(page: &str) -> Vec<(&str, String)> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            let content: Vec<_> = lines
                .by_ref()
                .take_while(|line| !line.trim_start().starts_with("```"))
                .collect();
            blocks.push((language, content.join("\n") + "\n"));
        }
    }
    blocks
}

/// A page without its fenced blocks.
fn prose(page: &str) -> String {
    let mut fenced = false;
    let mut prose = String::new();
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            prose.push_str(line);
            prose.push('\n');
        }
    }
    prose
}

/// What stands between backticks.
fn inline_code(prose: &str) -> impl Iterator<Item = &str> {
    prose.split('`').skip(1).step_by(2)
}

/// The targets of links that stay in the repository, without what follows `#`.
fn local_links(prose: &str) -> impl Iterator<Item = &str> {
    let targets = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets
        .filter(|target| !target.contains("://") && !target.starts_with('#'))
        .filter_map(|target| target.split('#').next())
}

/// Whether inline code names a file or folder of this repository, and not one of an example.
fn names_our_path(code: &str) -> bool {
    let ours = ["src/", "docs/", "tests/", "bench/", "fuzz/", ".ci/"];
    let at_root = ["Cargo.toml", "clippy.toml", ".secrets.example.yaml"];
    let is_path = !code.contains([' ', '*', '<', '{']);
    is_path && (ours.iter().any(|start| code.starts_with(start)) || at_root.contains(&code))
}

#[test]
fn every_path_that_a_page_names_exists() {
    let mut missing = Vec::new();
    let mut looked_at = 0;
    for (page, text) in pages() {
        let prose = prose(&text);
        let beside = page.parent().expect("a page has a folder");
        let links = local_links(&prose).map(|link| beside.join(link));
        let codes = inline_code(&prose)
            .filter(|code| names_our_path(code))
            .map(PathBuf::from);
        for path in links.chain(codes) {
            looked_at += 1;
            if !root().join(&path).exists() {
                missing.push(format!("{} names `{}`", page.display(), path.display()));
            }
        }
    }
    assert!(looked_at > 20, "only {looked_at} paths were found in the pages");
    assert!(missing.is_empty(), "no such file or folder:\n{}", missing.join("\n"));
}

/// Whether a line of a block calls the program here: at its beginning, or behind what a shell ends a command with.
fn starts_command(before: &str) -> bool {
    let before = before.trim_end();
    before.is_empty() || before.ends_with(['|', '&', ';', '(', '=', ':']) || before.ends_with("- run")
}

/// The words behind `secretree` in each call of it that a line of a block holds, up to `--` or the end of the command.
fn calls(line: &str) -> Vec<Vec<&str>> {
    let line = line.split(" #").next().unwrap_or_default();
    let mut calls = Vec::new();
    for name in ["secretree ", "cargo run --release -- "] {
        for (offset, _) in line.match_indices(name) {
            if starts_command(&line[..offset]) {
                calls.push(words(&line[offset + name.len()..]));
            }
        }
    }
    calls
}

fn words(call: &str) -> Vec<&str> {
    let end = call.find(['|', '&', ';', ')', '<', '>']).unwrap_or(call.len());
    call[..end]
        .split_whitespace()
        .take_while(|word| *word != "--")
        .collect()
}

/// The flags of a call, without their values: `--format=json` is `--format`, `-C` stays.
fn flags<'a>(call: &[&'a str]) -> Vec<&'a str> {
    let flags = call.iter().filter(|word| word.starts_with('-') && word.len() > 1);
    flags.map(|flag| flag.split('=').next().unwrap_or(flag)).collect()
}

/// The verb: the first word that is neither a flag nor the value of `-C` or `-i`.
fn verb<'a>(call: &[&'a str]) -> Option<&'a str> {
    let mut words = call.iter();
    while let Some(word) = words.next() {
        match *word {
            "-C" | "-i" | "--identity" | "--color" => drop(words.next()),
            flag if flag.starts_with('-') => {}
            verb => return Some(verb),
        }
    }
    None
}

/// What `secretree VERB --help` prints; nothing if there is no such verb.
fn help(verb: &str) -> Option<String> {
    let output = Command::new(PROGRAM).args([verb, "--help"]).output().unwrap();
    output
        .status
        .success()
        .then(|| String::from_utf8(output.stdout).unwrap())
}

/// Whether `help` names `flag` as a word of its own.
fn knows(help: &str, flag: &str) -> bool {
    help.split(|character: char| !(character.is_ascii_alphanumeric() || character == '-'))
        .any(|word| word == flag)
}

#[test]
fn every_command_that_a_page_shows_is_there() {
    let mut wrong = Vec::new();
    let mut helps: BTreeMap<String, Option<String>> = BTreeMap::new();
    let mut looked_at = 0;
    for (page, text) in pages() {
        let blocks = blocks(&text);
        let fenced = blocks
            .iter()
            .filter(|(language, _)| matches!(*language, "sh" | "yaml"))
            .flat_map(|(_, block)| block.lines());
        let prose = prose(&text);
        for line in fenced.chain(inline_code(&prose)) {
            for call in calls(line) {
                let Some(verb) = verb(&call).filter(|verb| verb.bytes().all(|byte| byte.is_ascii_lowercase())) else {
                    continue;
                };
                looked_at += 1;
                let help = helps.entry(verb.to_owned()).or_insert_with(|| help(verb));
                let Some(help) = help else {
                    wrong.push(format!("{}: no verb `{verb}`", page.display()));
                    continue;
                };
                for flag in flags(&call).into_iter().filter(|flag| !knows(help, flag)) {
                    wrong.push(format!("{}: `{verb}` has no `{flag}`", page.display()));
                }
            }
        }
    }
    assert!(looked_at > 20, "only {looked_at} commands were found in the pages");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn calls_are_found_where_a_shell_finds_them() {
    for (line, found) in [
        (
            "secretree set dev a.b --generate hex:32   # --not-a-flag",
            &["set dev a.b --generate hex:32"][..],
        ),
        (
            "pass show db | secretree set prod db && secretree list",
            &["set prod db", "list"],
        ),
        (
            "eval \"$(secretree decrypt dev --format shell)\"",
            &["decrypt dev --format shell"],
        ),
        ("- run: secretree run prod -- ./x --fast", &["run prod"]),
        ("cargo run --release -- demo", &["demo"]),
        ("# secretree nonsense", &[]),
        ("path: mysecretree set", &[]),
    ] {
        let calls: Vec<_> = calls(line).iter().map(|words| words.join(" ")).collect();
        assert_eq!(calls, found, "{line}");
    }
    assert_eq!(flags(&["get", "--json=x", "-C", "a"]), ["--json", "-C"]);
    assert_eq!(verb(&["-C", "folder", "--json", "get"]), Some("get"));
    assert!(!knows("  --no-inherit  ", "--no"));
}

/// A home, an editor and a `PATH` for the block of the README, with nothing of this machine's but its tools.
struct Newcomer {
    folder: tempfile::TempDir,
}

impl Newcomer {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["home", "bin", "work"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let newcomer = Self { folder };
        // The questions of the first minute are asked on a terminal; here their answer is yes.
        newcomer.script("secretree", &format!("exec '{PROGRAM}' --yes \"$@\""));
        newcomer.script(
            "editor",
            "printf 'stripe:\\n  key: sk_test_1 # of the test account\\n' >> \"$1\"",
        );
        std::fs::write(
            newcomer.folder.path().join("home/.gitconfig"),
            "[user]\n\tname = Ada Lovelace\n\temail = ada@example.com\n[init]\n\tdefaultBranch = main\n",
        )
        .unwrap();
        newcomer
    }

    fn script(&self, name: &str, text: &str) {
        let path = self.folder.path().join("bin").join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Runs the lines of a shell in the work folder, up to the first that fails.
    fn run(&self, lines: &str) -> Output {
        let bin = self.folder.path().join("bin");
        let machine = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(std::iter::once(bin).chain(std::env::split_paths(&machine))).unwrap();
        let home = self.folder.path().join("home");
        Command::new("setsid")
            .args(["--wait", "sh", "-e", "-c", lines])
            .current_dir(self.folder.path().join("work"))
            .env_clear()
            .env("PATH", path)
            .env("HOME", &home)
            .env("EDITOR", "editor")
            .env("LANG", "C.UTF-8")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }
}

#[track_caller]
fn printed(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{error}", output.status);
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn the_first_minute_works() {
    let readme = &pages()[Path::new("README.md")];
    let (_, rest) = readme.split_once(FIRST_MINUTE).expect("the README marks the block");
    let block = blocks(rest).swap_remove(0).1;
    assert!(block.lines().count() >= 5, "too short: {block}");

    let newcomer = Newcomer::new();
    let output = printed(&newcomer.run(&block));
    let session = output.lines().last().expect("the last line shows a value");
    assert_eq!(session.len(), 44, "32 bytes in base64: {output}");

    let value = printed(&newcomer.run("cd shop\nsecretree get dev stripe.key"));
    assert_eq!(value, "sk_test_1");
    let committed = printed(&newcomer.run("cd shop\ngit status --porcelain\ngit show HEAD:secrets/dev.yaml"));
    assert!(
        !committed.contains("sk_test_1") && !committed.contains(session),
        "{committed}"
    );
    assert!(committed.contains("|- # of the test account"), "{committed}");
    assert!(
        !committed.starts_with(['?', ' ', 'M']),
        "something was not committed: {committed}"
    );
}
