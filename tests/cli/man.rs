//! `man`: the manual pages, read by the programs that read manuals.

use crate::sandbox::Sandbox;
use crate::tools::require;

#[test]
fn the_pages_have_their_sections_and_one_stands_for_each_verb() {
    let alice = Sandbox::new().person("alice");
    let printed = alice.secretree(["man"]).run();
    printed.succeeds();
    let page = printed.stdout();
    for section in [
        "NAME",
        "SYNOPSIS",
        "DESCRIPTION",
        "COMMANDS",
        "OPTIONS",
        "ENVIRONMENT",
        "FILES",
        "\"EXIT STATUS\"",
        "\"SEE ALSO\"",
    ] {
        assert!(page.contains(&format!("\n.SH {section}\n")), "{section}:\n{page}");
    }
    let written = alice.secretree(["man", "--output", "share/man1"]).run();
    written.code(0);
    assert!(written.stdout().is_empty());
    assert_eq!(alice.read_text("share/man1/secretree.1"), page);
    let run = alice.read_text("share/man1/secretree-run.1");
    assert!(
        run.contains(".SH EXAMPLES\n") && run.contains(".SH \"EXIT STATUS\"\n"),
        "{run}"
    );
    let overview = alice.secretree(["--help"]).run();
    for line in overview.stdout().split("\nOptions").next().unwrap().lines() {
        let Some(verb) = line.strip_prefix("  ").and_then(|line| line.split(' ').next()) else {
            continue;
        };
        let verb_page = alice.read_text(&format!("share/man1/secretree-{verb}.1"));
        assert!(verb_page.contains(".SH SYNOPSIS\n"), "{verb}");
        assert!(page.contains(&format!("secretree\\-{verb}(1)")), "{verb}");
    }
    assert!(!alice.work("share/man1/secretree-man.1").exists());
}

#[test]
fn mandoc_finds_nothing_to_say_but_that_there_is_no_date() {
    if !require(&["mandoc"]) {
        return;
    }
    let alice = Sandbox::new().person("alice");
    alice.secretree(["man", "--output", "pages"]).run().code(0);
    let mut pages = 0;
    for entry in std::fs::read_dir(alice.work("pages")).unwrap() {
        let page = entry.unwrap().path();
        let judged = alice.command("mandoc", ["-Tlint", "-Wwarning"]).operand(&page).run();
        let said = judged.stdout();
        let said: Vec<_> = said.lines().filter(|line| !line.contains("missing date")).collect();
        assert!(said.is_empty(), "{said:?}");
        pages += 1;
    }
    assert!(pages > 10, "{pages}");
}

#[test]
fn the_manual_shows_what_help_shows_as_it_was_written() {
    if !require(&["mandoc"]) {
        return;
    }
    let alice = Sandbox::new().person("alice");
    alice.secretree(["man", "--output", "pages"]).run().code(0);
    let shown = |page: &str| {
        let page = format!("pages/{page}");
        let output = alice.command("mandoc", ["-Tutf8", "-Owidth=100", &page]).run();
        // Bold is written by overstriking.
        let mut text: Vec<char> = Vec::new();
        for character in output.stdout().chars() {
            match character {
                '\u{8}' => drop(text.pop()),
                other => text.push(other),
            }
        }
        String::from_iter(text)
    };
    let run = shown("secretree-run.1");
    for line in [
        "secretree run [OPTIONS] [ENV] -- <CMD>...",
        "  secretree run prod -- sh -c 'psql \"$DATABASE_URL\"'",
        "  secretree run prod --only 'stripe.**' -- ./bill",
    ] {
        assert!(run.contains(line), "{line}:\n{run}");
    }
    let set = shown("secretree-set.1");
    assert!(set.contains("'tls.\"example.com\".key'"), "{set}");
}

#[test]
fn a_folder_that_cannot_be_made_is_one_clear_failure() {
    let alice = Sandbox::new().person("alice");
    alice.write("file", "");
    let refused = alice.secretree(["man", "--output", "file/man1"]).run();
    refused.code(1);
    assert!(
        refused.stderr().starts_with("error: `file/man1` cannot be made"),
        "{}",
        refused.stderr()
    );
}
