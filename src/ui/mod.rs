//! The one place that owns the terminal. Data goes to standard output, everything else to standard error;
//! questions are asked on the terminal itself. Says nothing of its own accord: commands decide what is said.

mod escape;
mod findings;
mod manner;
mod meter;
mod passphrase;
mod progress;
mod terminal;

use std::fmt;
use std::fs::File;
use std::io::{self, IsTerminal as _, Write as _};
use std::os::fd::AsFd as _;
use std::panic::PanicHookInfo;

use secretree::error::{Failure, Result};
use serde::Serialize;
use zeroize::Zeroizing;

pub(crate) use escape::escaped;
pub(crate) use findings::finding_lines;
pub(crate) use manner::Manner;
pub(crate) use meter::Meter;
pub(crate) use passphrase::ask_passphrase;
pub(crate) use progress::Progress;
pub(crate) use terminal::Terminal;

use manner::Color;

/// Standard output was closed by its reader. Not a failure: the program ends quietly with 0.
#[derive(Debug)]
pub(crate) struct ClosedPipe;

impl fmt::Display for ClosedPipe {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("standard output is closed")
    }
}

impl std::error::Error for ClosedPipe {}

/// How the program speaks: which messages, with which colours, and whether questions are answered already.
#[derive(Clone)]
pub(crate) struct Ui {
    quiet: bool,
    verbose: bool,
    json: bool,
    colored: bool,
    assume_yes: bool,
}

impl Ui {
    /// Before the flags are known: all messages, no colours.
    pub(crate) fn plain() -> Self {
        Self {
            quiet: false,
            verbose: false,
            json: false,
            colored: false,
            assume_yes: false,
        }
    }

    /// As the flags say; `allows_color` is what the environment says (`NO_COLOR`, `TERM`).
    pub(crate) fn new(manner: &Manner, allows_color: bool) -> Self {
        Self {
            quiet: manner.quiet,
            verbose: manner.verbose,
            json: manner.json,
            colored: match manner.color {
                Color::Always => true,
                Color::Never => false,
                Color::Auto => allows_color && io::stderr().is_terminal(),
            },
            assume_yes: manner.yes,
        }
    }

    /// Whether `--json` was given.
    pub(crate) fn wants_json(&self) -> bool {
        self.json
    }

    /// Whether `--yes` was given.
    pub(crate) fn assumes_yes(&self) -> bool {
        self.assume_yes
    }

    /// Whether standard output is a terminal.
    pub(crate) fn shows_to_person(&self) -> bool {
        io::stdout().is_terminal()
    }

    /// Writes `bytes` to standard output, past every buffer, so that no copy of a value stays behind.
    /// [`ClosedPipe`] if nobody reads it any more.
    pub(crate) fn data(&self, bytes: &[u8]) -> Result<()> {
        let written = io::stdout()
            .as_fd()
            .try_clone_to_owned()
            .and_then(|descriptor| File::from(descriptor).write_all(bytes));
        written.map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => ClosedPipe.into(),
            _ => Failure::failed(format!("cannot write to standard output: {error}")).into(),
        })
    }

    /// Writes `value` to standard output as JSON, with a final newline.
    pub(crate) fn json(&self, value: &impl Serialize) -> Result<()> {
        let mut text = Zeroizing::new(Vec::with_capacity(4096));
        serde_json::to_writer_pretty(&mut *text, value)?;
        text.push(b'\n');
        self.data(&text)
    }

    /// A message on what was done; silent with `-q`.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            message(text);
        }
    }

    /// A message for the curious, shown with `-v`.
    pub(crate) fn detail(&self, text: &str) {
        if self.verbose {
            message(text);
        }
    }

    /// Something the person must know although it works.
    pub(crate) fn warning(&self, text: &str) {
        message(&format!("{} {}", self.painted("warning:", "33"), escaped(text)));
    }

    /// What went wrong and what to type, one line each.
    pub(crate) fn failure(&self, error: &anyhow::Error) {
        let heading = self.painted("error:", "1;31");
        let Some(failure) = error.downcast_ref::<Failure>() else {
            return message(&format!("{heading} {}", escaped(&format!("{error:#}"))));
        };
        message(&format!("{heading} {}", escaped(failure.message())));
        for hint in failure.hints() {
            message(&format!("{} {}", self.painted("hint:", "36"), escaped(hint)));
        }
    }

    /// Shows `plan` (lines, names in them already escaped) and asks `question`. `--yes` answers it, and
    /// with `-q` nothing is shown then; without a terminal it is a failure.
    pub(crate) fn confirm(&self, plan: &[String], question: &str) -> Result<bool> {
        if self.assume_yes && self.quiet {
            return Ok(true);
        }
        for line in plan {
            message(line);
        }
        if self.assume_yes {
            return Ok(true);
        }
        let Some(terminal) = self.terminal() else {
            return Err(Failure::failed(format!("no terminal to ask on: {question}"))
                .hint("`--yes` answers with yes")
                .into());
        };
        let answer = terminal.line(&format!("{question} [y/N] "))?;
        Ok(answer.is_some_and(|answer| matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")))
    }

    /// A line about long work, shown on a terminal only.
    pub(crate) fn progress(&self, what: &str, total: usize) -> Progress {
        Progress::new(what, total, self.quiet)
    }

    /// Waits for Enter, saying what for. `false` without a terminal, or if the person gave up.
    pub(crate) fn wait_for_enter(&self, purpose: &str) -> Result<bool> {
        match self.terminal() {
            Some(terminal) => Ok(terminal
                .line(&format!("press Enter {purpose} "))
                .map(|line| line.is_some())?),
            None => Ok(false),
        }
    }

    /// The terminal, if a person watches it: messages and questions must arrive at the same eyes.
    pub(crate) fn terminal(&self) -> Option<Terminal> {
        if io::stderr().is_terminal() {
            Terminal::open()
        } else {
            None
        }
    }

    fn painted(&self, text: &str, color: &str) -> String {
        if self.colored {
            format!("\u{1b}[{color}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

/// One message on standard error. If that cannot be written there is nobody left to tell.
fn message(text: &str) {
    let _ = io::stderr().write_all(format!("{text}\n").as_bytes());
}

/// Says where the program broke. Never what with: the panic's own words could hold a value.
pub(crate) fn report_panic(info: &PanicHookInfo<'_>) {
    let place = info.location().map_or_else(
        || "an unknown place".to_owned(),
        |place| format!("{}:{}", place.file(), place.line()),
    );
    message(&format!("error: internal error at {place}; please report it"));
}

#[cfg(test)]
mod tests {
    use super::Ui;

    #[test]
    fn a_question_without_a_terminal_is_a_failure_unless_answered() {
        let mut ui = Ui::plain();
        if ui.terminal().is_none() {
            let failure = ui.confirm(&[], "remove it?").expect_err("nobody can answer");
            assert_eq!(failure.to_string(), "no terminal to ask on: remove it?");
        }
        ui.assume_yes = true;
        assert!(ui.confirm(&[], "remove it?").unwrap());
    }
}
