//! The manual: a page for the program and one for each verb, made from the tree of verbs and their help, so that it says
//! nothing else than they do. What no verb's help says (variables, files, exit codes) stands in `surroundings`.

mod page;
mod surroundings;

use clap::Command;
use roff::{bold, italic, roman};

use page::Page;

/// A heading of the overview, and what stands below it: a verb with its operands, and what it is for.
pub(crate) type Group<'a> = (&'a str, Vec<(&'a str, &'a str)>);

/// The pages of one tree of verbs.
pub(crate) struct Manual {
    tree: Command,
    version: String,
}

impl Manual {
    pub(crate) fn new(tree: Command) -> Self {
        let version = tree.get_version().unwrap_or_default().to_owned();
        let mut tree = tree.disable_help_subcommand(true);
        tree.build();
        Self { tree, version }
    }

    /// `secretree(1)`, as roff.
    pub(crate) fn program(&self, groups: &[Group<'_>]) -> Vec<u8> {
        let mut page = Page::new(&self.tree, &self.version);
        page.section("SYNOPSIS");
        page.text([bold("secretree"), roman(" [OPTIONS] "), italic("COMMAND"), roman(" …")]);
        page.section("DESCRIPTION");
        page.prose(surroundings::DESCRIPTION);
        page.section("COMMANDS");
        for (heading, verbs) in groups {
            page.subsection(heading);
            for (verb, about) in verbs {
                page.item([bold("secretree "), bold(*verb)], about);
            }
        }
        page.arguments("OPTIONS", self.tree.get_arguments());
        for (heading, items) in surroundings::SECTIONS {
            page.section(heading);
            for (name, text) in items {
                page.item([bold(*name)], text);
            }
        }
        page.section("SEE ALSO");
        let verbs = self.tree.get_subcommands().filter(|verb| !verb.is_hide_set());
        let pages = verbs.map(|verb| format!("secretree-{}(1)", verb.get_name()));
        let pages: Vec<_> = pages.chain(["age(1)".to_owned(), "git(1)".to_owned()]).collect();
        page.text([roman(pages.join(", "))]);
        page.finish()
    }

    /// The page of every verb that is not hidden, with the name of its file.
    pub(crate) fn verbs(&self) -> Vec<(String, Vec<u8>)> {
        let mut pages = Vec::new();
        self.add_verbs(&self.tree, &mut pages);
        pages
    }

    fn add_verbs(&self, above: &Command, pages: &mut Vec<(String, Vec<u8>)>) {
        let is_shown = |verb: &&Command| !verb.is_hide_set() && verb.get_name() != "help";
        for verb in above.get_subcommands().filter(is_shown) {
            pages.push((format!("{}.1", name_of(verb)), self.verb(verb)));
            self.add_verbs(verb, pages);
        }
    }

    /// One verb: what `--help` says, in the sections of a manual.
    fn verb(&self, verb: &Command) -> Vec<u8> {
        let mut page = Page::new(verb, &self.version);
        page.section("SYNOPSIS");
        let usage = verb.clone().render_usage().to_string();
        for (position, line) in usage.lines().enumerate() {
            if position > 0 {
                page.line_break();
            }
            page.text([roman(line.trim_start_matches("Usage:").trim())]);
        }
        page.section("DESCRIPTION");
        let about = verb.get_long_about().or_else(|| verb.get_about());
        let about = about.map(ToString::to_string).unwrap_or_default();
        // The first line is the one behind the name.
        page.prose(about.split_once("\n\n").map_or(&*about, |(_, rest)| rest));
        let own = || verb.get_arguments().filter(|argument| !argument.is_global_set());
        page.arguments("ARGUMENTS", own().filter(|argument| argument.is_positional()));
        page.arguments("OPTIONS", own().filter(|argument| !argument.is_positional()));
        page.prose("\n\nThe options of secretree(1), such as -C and --identity, go with every command.");
        page.prose_with_headings(&verb.get_after_help().map(ToString::to_string).unwrap_or_default());
        page.section("SEE ALSO");
        page.text([roman("secretree(1)")]);
        page.finish()
    }
}

/// The name of a page: `secretree-run`.
fn name_of(command: &Command) -> &str {
    command.get_display_name().unwrap_or_else(|| command.get_name())
}
