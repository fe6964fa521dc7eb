//! How far a long command is: one line on the terminal, written over and taken away at the end. Nothing is shown of work
//! that is short, and nothing where nobody watches.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// Work that takes less is not spoken of.
const WORTH_A_WORD: Duration = Duration::from_secs(1);
/// How often the line changes at most.
const BETWEEN: Duration = Duration::from_millis(100);

/// A line about work of a known number of steps.
pub(crate) struct Progress {
    what: String,
    total: usize,
    done: usize,
    start: Instant,
    last: Option<Instant>,
    is_watched: bool,
}

impl Progress {
    /// Work of `total` steps begins; `what` says it in a word or two.
    pub(super) fn new(what: &str, total: usize, quiet: bool) -> Self {
        Self {
            what: what.to_owned(),
            total,
            done: 0,
            start: Instant::now(),
            last: None,
            is_watched: !quiet && io::stderr().is_terminal(),
        }
    }

    /// One more step is done.
    pub(crate) fn step(&mut self) {
        self.done += 1;
        let now = Instant::now();
        let is_due = self.last.is_none_or(|last| now - last >= BETWEEN);
        if self.is_watched && now - self.start >= WORTH_A_WORD && is_due {
            self.last = Some(now);
            write(&self.line());
        }
    }

    /// The line: back to the start, the words, and nothing left of what stood there.
    fn line(&self) -> String {
        format!("\r{} {}/{}\u{1b}[K", self.what, self.done, self.total)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.last.is_some() {
            write("\r\u{1b}[K");
        }
    }
}

/// If it cannot be written there is nobody who watches.
fn write(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::Progress;

    #[test]
    fn the_line_says_how_far_it_is() {
        let mut progress = Progress::new("planning", 3, true);
        progress.step();
        progress.step();
        assert_eq!(progress.line(), "\rplanning 2/3\u{1b}[K");
        assert!(progress.last.is_none(), "short work is not spoken of");
    }
}
