//! What a command printed and how it ended, and the ways of a test to judge it. `check` is the usual one: the whole
//! of it against a snapshot, so that each test also shows that nothing else was said.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::Arc;

use expect_test::Expect;

use crate::redaction::redact;
use crate::run::Run;
use crate::sandbox::Sandbox;

/// A command that ended.
pub(crate) struct Output {
    command: String,
    sandbox: Arc<Sandbox>,
    status: ExitStatus,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Output {
    /// What `run` left.
    pub(crate) fn new(run: &Run, status: ExitStatus, stdout: Vec<u8>, stderr: Vec<u8>) -> Self {
        Self {
            command: run.display(),
            sandbox: Arc::clone(run.person().sandbox()),
            status,
            stdout,
            stderr,
        }
    }

    /// Standard output, as it was.
    pub(crate) fn stdout_bytes(&self) -> &[u8] {
        &self.stdout
    }

    /// Standard error, as it was.
    pub(crate) fn stderr_bytes(&self) -> &[u8] {
        &self.stderr
    }

    /// Standard output, as text.
    pub(crate) fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard error, as text.
    pub(crate) fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// The code it ended with, unless a signal ended it.
    pub(crate) fn exit_code(&self) -> Option<i32> {
        self.status.code()
    }

    /// The signal that ended it, if one did.
    pub(crate) fn signal(&self) -> Option<i32> {
        self.status.signal()
    }

    /// Compares status, standard output and standard error, random parts redacted, with a snapshot.
    #[track_caller]
    pub(crate) fn check(&self, expected: Expect) -> &Self {
        expected.assert_eq(&redact(&self.sandbox, &self.shown()));
        self
    }

    /// It ended with 0.
    #[track_caller]
    pub(crate) fn succeeds(&self) -> &Self {
        self.code(0)
    }

    /// It ended with this code.
    #[track_caller]
    pub(crate) fn code(&self, code: i32) -> &Self {
        assert_eq!(
            self.status.code(),
            Some(code),
            "`{}` gave\n{}",
            self.command,
            self.shown()
        );
        self
    }

    /// Standard output is exactly this.
    #[track_caller]
    pub(crate) fn prints(&self, bytes: impl AsRef<[u8]>) -> &Self {
        let expected = String::from_utf8_lossy(bytes.as_ref());
        assert!(
            self.stdout == bytes.as_ref(),
            "`{}` gave\n{}\nnot\n{expected}",
            self.command,
            self.shown()
        );
        self
    }

    /// Standard error holds this.
    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> &Self {
        assert!(
            self.stderr().contains(text),
            "`{}` never says {text:?} but\n{}",
            self.command,
            self.shown()
        );
        self
    }

    /// Nothing was printed at all.
    #[track_caller]
    pub(crate) fn silent(&self) -> &Self {
        assert!(
            self.stdout.is_empty() && self.stderr.is_empty(),
            "`{}` gave\n{}",
            self.command,
            self.shown()
        );
        self
    }

    /// Status and both streams as a snapshot lays them out; an empty stream is left out.
    fn shown(&self) -> String {
        let mut text = match (self.status.code(), self.status.signal()) {
            (Some(code), _) => format!("status: {code}\n"),
            (None, signal) => format!("signal: {}\n", signal.unwrap_or_default()),
        };
        for (name, bytes) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if bytes.is_empty() {
                continue;
            }
            let content = String::from_utf8_lossy(bytes);
            text.push_str(&format!("--- {name}\n{content}"));
            if !content.ends_with('\n') {
                text.push_str("[no newline]\n");
            }
        }
        text
    }
}
