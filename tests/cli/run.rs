//! One command: what it gets (operands, input, variables, folder), how long it may take, and how it is watched.
//! Judging what it printed is `output`'s; prompts are `terminal`'s.

use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::output::Output;
use crate::sandbox::{Person, Printed};

/// How long a command may take before the test gives it up.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// A command that is about to start.
pub(crate) struct Run {
    person: Person,
    prefix: Vec<OsString>,
    program: OsString,
    operands: Vec<OsString>,
    input: Vec<u8>,
    variables: Vec<(String, Option<OsString>)>,
    folder: String,
    reveals: bool,
}

impl Run {
    /// A program and its operands, run by this person in their work folder, with an empty standard input.
    pub(crate) fn new(person: Person, program: impl Into<OsString>, operands: Vec<OsString>) -> Self {
        Self {
            person,
            prefix: Vec::new(),
            program: program.into(),
            operands,
            input: Vec::new(),
            variables: Vec::new(),
            folder: String::from("."),
            reveals: false,
        }
    }

    /// One operand more.
    pub(crate) fn operand(mut self, operand: impl Into<OsString>) -> Self {
        self.operands.push(operand.into());
        self
    }

    /// What standard input holds.
    pub(crate) fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = bytes.into();
        self
    }

    /// One variable more, or another value for one.
    pub(crate) fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.variables.push((name.to_owned(), Some(value.into())));
        self
    }

    /// One variable less.
    pub(crate) fn without_env(mut self, name: &str) -> Self {
        self.variables.push((name.to_owned(), None));
        self
    }

    /// Starts in this folder, relative to the work folder.
    pub(crate) fn inside(mut self, folder: &str) -> Self {
        folder.clone_into(&mut self.folder);
        self
    }

    /// Starts the command through another program, `setpriv --… COMMAND` for instance.
    pub(crate) fn under(mut self, prefix: &[&str]) -> Self {
        self.prefix = prefix.iter().map(OsString::from).collect();
        self
    }

    /// Runs without the superuser's power over permissions, so that a read-only folder is one for root too.
    pub(crate) fn without_privileges(self) -> Self {
        self.under(&["setpriv", "--inh-caps=-all", "--bounding-set=-all"])
    }

    /// This command is there to show values: a canary may stand in its output.
    pub(crate) fn reveals(mut self) -> Self {
        self.reveals = true;
        self
    }

    /// Who runs it.
    pub(crate) fn person(&self) -> &Person {
        &self.person
    }

    /// The command as a person would type it, for messages.
    pub(crate) fn display(&self) -> String {
        let name = std::path::Path::new(&self.program).file_name().unwrap_or(&self.program);
        let words = std::iter::once(name).chain(self.operands.iter().map(OsString::as_os_str));
        words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
    }

    /// The command in its environment, behind `wrapper` and the prefix; nothing is connected yet.
    pub(crate) fn prepare(&self, wrapper: &[&str]) -> Command {
        let mut words = wrapper.iter().map(OsString::from).collect::<Vec<_>>();
        words.extend(self.prefix.iter().cloned());
        words.push(self.program.clone());
        words.extend(self.operands.iter().cloned());
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .current_dir(self.person.work(&self.folder))
            .env_clear();
        command.envs(self.person.environment());
        for (name, value) in &self.variables {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
    }

    /// Whether a canary may stand in the output.
    pub(crate) fn may_reveal(&self) -> bool {
        self.reveals
    }

    /// Runs it to its end.
    pub(crate) fn run(self) -> Output {
        self.start().finish()
    }

    /// Starts it and returns at once.
    pub(crate) fn start(self) -> Running {
        let mut command = self.prepare(&[]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("`{}` did not start: {error}", self.display()));
        let mut stdin = child.stdin.take().expect("it was just piped");
        let input = self.input.clone();
        // A command may end before it read everything; that is its own affair.
        let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let stdout = collect(child.stdout.take().expect("it was just piped"));
        let stderr = collect(child.stderr.take().expect("it was just piped"));
        Running {
            run: self,
            child,
            writer,
            stdout,
            stderr,
        }
    }
}

/// A command that was started.
pub(crate) struct Running {
    run: Run,
    child: Child,
    writer: JoinHandle<()>,
    stdout: JoinHandle<Vec<u8>>,
    stderr: JoinHandle<Vec<u8>>,
}

impl Running {
    /// Sends a signal; nothing happens if the command is over.
    pub(crate) fn signal(&self, signal: Signal) {
        // Not waited for yet, so the number still belongs to this child, alive or not.
        kill_process(pid_of(&self.child), signal).expect("a child that was not waited for can be signalled");
    }

    /// Waits for the end and returns what it printed.
    pub(crate) fn finish(mut self) -> Output {
        let status = wait(&mut self.child, &self.run.display());
        self.writer.join().expect("writing input does not panic");
        let stdout = self.stdout.join().expect("reading output does not panic");
        let stderr = self.stderr.join().expect("reading output does not panic");
        let output = Output::new(&self.run, status, stdout, stderr);
        self.run.person.sandbox().remember(Printed {
            command: self.run.display(),
            bytes: [output.stdout_bytes(), output.stderr_bytes()].concat(),
            reveals: self.run.reveals,
        });
        output
    }
}

/// Waits for a child; kills it and fails the test after the time limit.
pub(crate) fn wait(child: &mut Child, display: &str) -> ExitStatus {
    let start = Instant::now();
    let mut pause = Duration::from_micros(200);
    loop {
        if let Some(status) = child.try_wait().expect("it is our child") {
            return status;
        }
        if start.elapsed() > TIME_LIMIT {
            kill_process(pid_of(child), Signal::KILL).expect("it is our child");
            panic!("`{display}` was not done after {} seconds", TIME_LIMIT.as_secs());
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(10));
    }
}

/// The process number of a child.
fn pid_of(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).expect("process numbers are small")).expect("process numbers are not 0")
}

/// Reads to the end in a thread of its own.
fn collect(mut source: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        source.read_to_end(&mut bytes).expect("a pipe can be read");
        bytes
    })
}
