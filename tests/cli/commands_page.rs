//! `docs/commands.md` is what the program says of itself: made from `--help`, and wrong as soon as that changes.

use std::fmt::Write as _;
use std::path::Path;

use crate::sandbox::Sandbox;

/// The verbs, in the order of the overview.
fn verbs(overview: &str) -> Vec<String> {
    let options = overview.find("\nOptions").expect("the overview ends with options");
    overview[..options]
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next())
        .map(String::from)
        .collect()
}

/// The verbs under a verb.
fn inner_verbs(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    lines
        .filter_map(|line| line.split_whitespace().next())
        .map(String::from)
        .collect()
}

#[test]
fn the_page_of_commands_is_what_help_says() {
    let alice = Sandbox::new().person("alice");
    let help = |arguments: &[&str]| {
        let output = alice.secretree(arguments.iter().copied()).run();
        output.succeeds();
        let lines: Vec<_> = output.stdout().lines().map(|line| line.trim_end().to_owned()).collect();
        lines.join("\n").trim_end().to_owned()
    };
    let overview = help(&["--help"]);
    let verbs = verbs(&overview);
    assert!(verbs.len() > 10, "{verbs:?}");
    let mut page = format!("# Commands\n\nMade from `--help`; a test holds it to that.\n\n```text\n{overview}\n```\n");
    for verb in verbs {
        let text = help(&[&verb, "--help"]);
        write!(page, "\n## {verb}\n\n```text\n{text}\n```\n").unwrap();
        for inner in inner_verbs(&text) {
            let text = help(&[&verb, &inner, "--help"]);
            write!(page, "\n### {verb} {inner}\n\n```text\n{text}\n```\n").unwrap();
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/commands.md");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == page,
        "docs/commands.md is not what `--help` says: UPDATE_EXPECT=1 cargo test commands_page"
    );
}
