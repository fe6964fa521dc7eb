//! How far a long command is, for a person at a terminal: nothing for the first second, then one line that is overwritten
//! and wiped at the end.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use super::Ui;

/// How long a command may take before anything is shown.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the line is written anew.
const PACE: Duration = Duration::from_millis(100);

/// A line that says how far a command is.
pub(crate) struct Meter {
    /// Nothing where nobody watches.
    what: Option<&'static str>,
    next: Instant,
    shown: bool,
}

impl Meter {
    /// `what` is done: `checking`.
    pub(crate) fn new(ui: &Ui, what: &'static str) -> Self {
        let is_watched = !ui.quiet && !ui.json && io::stderr().is_terminal();
        Self {
            what: is_watched.then_some(what),
            next: Instant::now() + PATIENCE,
            shown: false,
        }
    }

    /// `done` steps of `all` are done.
    pub(crate) fn show(&mut self, done: usize, all: usize) {
        let Some(what) = self.what else { return };
        let now = Instant::now();
        if now < self.next {
            return;
        }
        self.next = now + PACE;
        self.shown = true;
        let _ = write!(io::stderr(), "\r\u{1b}[K{what}: {done} of {all}");
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if self.shown {
            let _ = write!(io::stderr(), "\r\u{1b}[K");
        }
    }
}
