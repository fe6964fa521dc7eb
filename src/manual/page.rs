//! One manual page as it is written, section by section. Every text goes through the roff library, which keeps a dot or
//! a quote at the start of a line from being a command.

use clap::{Arg, Command};
use roff::{Inline, Roff, bold, roman};

use super::name_of;

/// The headings of a help text that are sections of a manual.
const HEADINGS: [(&str, &str); 2] = [("Examples:", "EXAMPLES"), ("Exit codes:", "EXIT STATUS")];

/// A page that begins with its title and name.
pub(super) struct Page(Roff);

impl Page {
    pub(super) fn new(command: &Command, version: &str) -> Self {
        let name = name_of(command);
        let mut page = Self(Roff::new());
        let source = format!("secretree {version}");
        // The quotes keep the place of a date, which would say nothing that the version does not.
        page.0
            .control("TH", [&*name.to_uppercase(), "1", "\"\"", &source, "secretree"]);
        page.section("NAME");
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        page.text([roman(format!("{name} - {about}"))]);
        page
    }

    /// What a command takes, below a heading; nothing where it takes nothing.
    pub(super) fn arguments<'a>(&mut self, heading: &str, arguments: impl Iterator<Item = &'a Arg>) {
        let mut is_first = true;
        for argument in arguments.filter(|argument| !argument.is_hide_set()) {
            if std::mem::take(&mut is_first) {
                self.section(heading);
            }
            let short = argument.get_short().filter(|_| argument.get_long().is_some());
            let short = short.map(|short| format!("-{short}, ")).unwrap_or_default();
            let help = argument.get_long_help().or_else(|| argument.get_help());
            let mut help = help.map(ToString::to_string).unwrap_or_default();
            let defaults = argument.get_default_values();
            if let Some(default) = defaults.first().filter(|_| !argument.is_hide_default_value_set()) {
                help.push_str(&format!(" (default: {})", default.to_string_lossy()));
            }
            self.item([bold(format!("{short}{argument}"))], &help);
            let values = argument.get_possible_values();
            if values.is_empty() || !argument.get_action().takes_values() || argument.is_hide_possible_values_set() {
                continue;
            }
            self.0.control("RS", []);
            for value in values.iter().filter(|value| !value.is_hide_set()) {
                let help = value.get_help().map(ToString::to_string).unwrap_or_default();
                self.item([bold(value.get_name())], &help);
            }
            self.0.control("RE", []);
        }
    }

    pub(super) fn section(&mut self, heading: &str) {
        self.0.control("SH", [heading]);
    }

    pub(super) fn subsection(&mut self, heading: &str) {
        self.0.control("SS", [heading]);
    }

    pub(super) fn line_break(&mut self) {
        self.0.control("br", []);
    }

    pub(super) fn text(&mut self, inlines: impl Into<Vec<Inline>>) {
        self.0.text(inlines);
    }

    /// Something and what it is for.
    pub(super) fn item(&mut self, what: impl Into<Vec<Inline>>, text: &str) {
        self.0.control("TP", []);
        self.0.text(what);
        self.0.text([roman(text)]);
    }

    /// Paragraphs that empty lines part; one with indented lines keeps its lines.
    pub(super) fn prose(&mut self, text: &str) {
        for (position, paragraph) in text.split("\n\n").enumerate() {
            if position > 0 {
                self.0.control("PP", []);
            }
            let keeps_lines = paragraph.lines().any(|line| line.starts_with("  "));
            if keeps_lines {
                self.0.control("nf", []);
            }
            paragraph.lines().for_each(|line| self.text([roman(line)]));
            if keeps_lines {
                self.0.control("fi", []);
            }
        }
    }

    /// The same, with sections where a paragraph begins with the heading of one.
    pub(super) fn prose_with_headings(&mut self, text: &str) {
        let mut is_noted = false;
        for paragraph in text.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty()) {
            let headed = HEADINGS
                .iter()
                .find_map(|(start, heading)| Some((paragraph.strip_prefix(start)?, heading)));
            if let Some((rest, heading)) = headed {
                self.section(heading);
                // On the heading's own line stands prose, below it stand indented lines.
                self.prose(rest.strip_prefix('\n').unwrap_or_else(|| rest.trim_start()));
                is_noted = false;
                continue;
            }
            if is_noted {
                self.0.control("PP", []);
            } else {
                self.section("NOTES");
                is_noted = true;
            }
            self.prose(paragraph);
        }
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.0.render().into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use clap::Command;

    use super::Page;

    #[test]
    fn no_text_becomes_a_request() {
        let command = Command::new("x").about(".so /etc/passwd");
        let mut page = Page::new(&command, "1");
        page.prose(".so /etc/passwd\n'br\n\\f(CW \\n(.g\n\n.de\n  .nf");
        page.prose_with_headings(".so a\n\nExamples:\n  .so b\n.so c");
        let text = String::from_utf8(page.finish()).unwrap();
        let requests: Vec<_> = text.lines().filter(|line| line.starts_with(['.', '\''])).collect();
        for request in requests {
            let name = request[1..].split(' ').next().unwrap();
            assert!(
                ["ie", "el", "TH", "SH", "PP", "nf", "fi"].contains(&name),
                "{request}\n{text}"
            );
        }
        assert!(text.contains("\\\\f(CW \\\\n(.g"), "{text}");
    }
}
