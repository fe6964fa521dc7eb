//! What went wrong, in the three parts a person needs: a kind that decides the exit code, one line that
//! says what is wrong, and hints that say what to type. Travels inside `anyhow::Error`; `main` prints it.

use std::fmt;

/// Why a command ends without success. The numbers are the exit codes of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// 1: it failed, and the message says how to fix it.
    Failed,
    /// 2: the command line is wrong.
    Usage,
    /// 3: a check found something of error level.
    Findings,
    /// 4: no identity here can read this.
    NoIdentity,
    /// 5: a file, a value or a key is not what it claims to be.
    Integrity,
}

impl FailureKind {
    /// The exit code of the process.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Findings => 3,
            Self::NoIdentity => 4,
            Self::Integrity => 5,
        }
    }

    /// The kind of an error, if it is a [`Failure`].
    pub fn of(error: &anyhow::Error) -> Option<Self> {
        error.downcast_ref::<Failure>().map(Failure::kind)
    }
}

/// One failure: kind, one lower-case line with names in backticks, and hints. Never holds a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    kind: FailureKind,
    message: String,
    hints: Vec<String>,
}

impl Failure {
    /// A failure of `kind`, described by `message` (one line, without `error:`).
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hints: Vec::new(),
        }
    }

    /// [`FailureKind::Failed`], exit code 1.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Failed, message)
    }

    /// [`FailureKind::Usage`], exit code 2.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Usage, message)
    }

    /// [`FailureKind::NoIdentity`], exit code 4.
    pub fn no_identity(message: impl Into<String>) -> Self {
        Self::new(FailureKind::NoIdentity, message)
    }

    /// [`FailureKind::Integrity`], exit code 5.
    pub fn integrity(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Integrity, message)
    }

    /// Adds what to type next (without `hint:`).
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The same failure with another exit code.
    #[must_use]
    pub fn of_kind(self, kind: FailureKind) -> Self {
        Self { kind, ..self }
    }

    /// The same failure in other words, made from its own.
    #[must_use]
    pub fn rephrase(self, words: impl FnOnce(&str) -> String) -> Self {
        Self {
            message: words(&self.message),
            ..self
        }
    }

    /// What decides the exit code.
    pub fn kind(&self) -> FailureKind {
        self.kind
    }

    /// The one line, without `error:`.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to type, in order.
    pub fn hints(&self) -> &[String] {
        &self.hints
    }
}

/// The failure that an error is, kind and hints with it; any other error as [`FailureKind::Failed`].
impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        error
            .downcast()
            .unwrap_or_else(|error| Self::failed(format!("{error:#}")))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// The result of everything that can fail.
pub type Result<T, E = anyhow::Error> = std::result::Result<T, E>;
