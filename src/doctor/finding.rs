//! What a check has to say: a code that never changes, how bad it is, one line for the person, and the command that
//! mends it.

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Something does not work, or a secret is within reach of others.
    Error,
    /// It works, and may stop working or reveal something later.
    Warning,
}

impl Severity {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A kind of trouble.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// Its name, in lower case with hyphens; stable.
    pub name: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it means, as one line of a table.
    pub meaning: &'static str,
}

impl Code {
    pub(super) const fn error(name: &'static str, meaning: &'static str) -> Self {
        Self {
            name,
            severity: Severity::Error,
            meaning,
        }
    }

    pub(super) const fn warning(name: &'static str, meaning: &'static str) -> Self {
        Self {
            name,
            severity: Severity::Warning,
            meaning,
        }
    }

    /// One case of it: the file, variable or environment it is about, and the whole line for the person.
    pub(super) fn finding(&'static self, place: impl Into<String>, message: impl Into<String>) -> Finding {
        Finding {
            code: self,
            place: place.into(),
            message: message.into(),
            cure: None,
            hints: Vec::new(),
        }
    }
}

/// One thing that is wrong. Paths and names in it were written by others: escape it for the terminal.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind it is.
    pub code: &'static Code,
    /// The file, variable or environment it is about.
    pub place: String,
    /// One line, names and paths in backticks.
    pub message: String,
    /// The command that mends it, for a POSIX shell in the working folder; nothing if a person has to decide.
    pub cure: Option<String>,
    /// What to know before, or to do where no command can.
    pub hints: Vec<String>,
}

impl Finding {
    #[must_use]
    pub(super) fn cure(mut self, command: impl Into<Option<String>>) -> Self {
        self.cure = command.into();
        self
    }

    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    #[must_use]
    pub(super) fn hints(mut self, hints: &[String]) -> Self {
        self.hints.extend_from_slice(hints);
        self
    }
}
