//! What is remembered while a template runs: the engine's own errors know neither paths nor our words.

use std::error::Error as _;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use minijinja::{Error, ErrorKind};

use crate::error::Failure;

/// Shared by all places that a template can reach.
#[derive(Debug, Default)]
pub(super) struct Notes(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    missing: Option<String>,
    failure: Option<Failure>,
}

impl Notes {
    fn remembered(&self) -> MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing is at `path`; an error only if the template uses it.
    pub(super) fn miss(&self, path: String) {
        self.remembered().missing = Some(path);
    }

    /// The last place at which nothing was.
    pub(super) fn missing(&self) -> Option<String> {
        self.remembered().missing.clone()
    }

    /// The template fails, whatever it makes of it. The first failure counts.
    pub(super) fn fail(&self, failure: Failure) {
        self.remembered().failure.get_or_insert(failure);
    }

    /// Why it failed.
    pub(super) fn failure(&self) -> Option<Failure> {
        self.remembered().failure.clone()
    }
}

/// Marks an error whose words are ours.
#[derive(Debug)]
struct Own;

impl fmt::Display for Own {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("in our words")
    }
}

impl std::error::Error for Own {}

/// An error for the engine that says `words`, which hold no value.
pub(super) fn refusal(words: &'static str) -> Error {
    Error::new(ErrorKind::InvalidOperation, words).with_source(Own)
}

/// The words of an error that [`refusal`] made.
pub(super) fn own_words(error: &Error) -> Option<&str> {
    error.source()?.downcast_ref::<Own>()?;
    error.detail()
}
