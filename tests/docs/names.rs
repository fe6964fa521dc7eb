//! Every path that a page names exists, and every command and flag that it shows is there.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use crate::page::{blocks, inline_code, local_links, prose};
use crate::{PROGRAM, pages, root};

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

/// The verbs that have verbs of their own.
const FAMILIES: &[&str] = &["recipient"];

/// The verb: the first word that is neither a flag nor the value of `-C` or `-i`; with the next one where that is a
/// verb, too.
fn verb(call: &[&str]) -> Option<String> {
    let mut words = call.iter();
    let mut verb = Vec::new();
    while let Some(word) = words.next() {
        match *word {
            "-C" | "-i" | "--identity" | "--color" => drop(words.next()),
            flag if flag.starts_with('-') => {}
            word => verb.push(word),
        }
        if verb
            .first()
            .is_some_and(|first| verb.len() == 2 || !FAMILIES.contains(first))
        {
            break;
        }
    }
    (!verb.is_empty()).then(|| verb.join(" "))
}

/// What `secretree VERB --help` prints; nothing if there is no such verb.
fn help(verb: &str) -> Option<String> {
    let output = Command::new(PROGRAM)
        .args(verb.split(' '))
        .arg("--help")
        .output()
        .unwrap();
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
            .filter(|block| matches!(block.language, "sh" | "yaml"))
            .flat_map(|block| block.content.lines());
        let prose = prose(&text);
        for line in fenced.chain(inline_code(&prose)) {
            for call in calls(line) {
                let Some(verb) =
                    verb(&call).filter(|verb| verb.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b' '))
                else {
                    continue;
                };
                looked_at += 1;
                let help = helps.entry(verb.clone()).or_insert_with(|| help(&verb));
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
    assert_eq!(verb(&["-C", "folder", "--json", "get"]).as_deref(), Some("get"));
    assert_eq!(
        verb(&["recipient", "-q", "add", "bob"]).as_deref(),
        Some("recipient add")
    );
    assert!(!knows("  --no-inherit  ", "--no"));
}
