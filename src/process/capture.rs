//! A child whose output is a secret (a key command, a rotator): given its input, bounded in time and size.
//! It keeps the terminal, so that it can ask a person; its error output goes where ours goes.

use std::io::{ErrorKind, Read as _, Write as _};
use std::process::{Child, ChildStdout, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::{Invocation, StartFailure};
use crate::error::{Failure, Result};
use crate::secret::Secret;

/// What a child may take.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// The longest it may run.
    pub time: Duration,
    /// The most it may print, in bytes.
    pub output: usize,
}

/// How a child ended, and what it printed on standard output.
#[derive(Debug)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// Everything it printed.
    pub stdout: Secret,
}

impl Invocation {
    /// Runs it with `input` on standard input and gives back what it printed on standard output.
    ///
    /// # Errors
    /// `Failed` if it cannot be started, takes too long or prints too much; it is killed then. Ending with an
    /// exit code other than 0 is no error here.
    pub fn capture(&self, input: &Secret, bounds: Bounds) -> Result<Output> {
        let mut command = self.command();
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let deadline = Instant::now() + bounds.time;
        let spawned = command.spawn();
        let mut child = Killed(spawned.map_err(|error| StartFailure::new(&self.program, &error).failure)?);
        let mut stdin = child.0.stdin.take().expect("standard input is a pipe");
        let input = input.clone();
        // A child that does not read must not stop us; one that closes its input early did no wrong.
        thread::spawn(move || stdin.write_all(input.expose()));
        let stdout = child.0.stdout.take().expect("standard output is a pipe");
        let printed = read_in_background(stdout, bounds.output);
        match printed.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(Some(stdout)) => {
                let status = self.wait(&mut child.0, deadline, bounds)?;
                Ok(Output { status, stdout })
            }
            Ok(None) => {
                let (name, limit) = (self.name(), bounds.output);
                Err(Failure::failed(format!("`{name}` printed more than {limit} bytes")).into())
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Err(self.too_slow(bounds).into()),
        }
    }

    /// Waits for a child that has closed its output and should end soon.
    fn wait(&self, child: &mut Child, deadline: Instant, bounds: Bounds) -> Result<ExitStatus> {
        let mut pause = Duration::from_micros(100);
        loop {
            let failed = |error| Failure::failed(format!("`{}` was lost: {error}", self.name()));
            if let Some(status) = child.try_wait().map_err(failed)? {
                return Ok(status);
            }
            if Instant::now() >= deadline {
                return Err(self.too_slow(bounds).into());
            }
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }

    fn too_slow(&self, bounds: Bounds) -> Failure {
        Failure::failed(format!(
            "`{}` took longer than {} s",
            self.name(),
            bounds.time.as_secs_f32()
        ))
    }
}

/// A child that does not outlive its owner's interest in it.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // Both are without effect on a child that has ended and was waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Sends everything that `stdout` gives, or `None` as soon as it is more than `limit` bytes. The buffers it
/// goes through are wiped. A thread, because a grandchild may hold the pipe open for ever.
fn read_in_background(mut stdout: ChildStdout, limit: usize) -> Receiver<Option<Secret>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut chunks: Vec<Zeroizing<Vec<u8>>> = Vec::new();
        let mut length = 0;
        loop {
            let mut chunk = Zeroizing::new(vec![0; 16 << 10]);
            match stdout.read(&mut chunk) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Ok(0) | Err(_) => break,
                Ok(read) => {
                    chunk.truncate(read);
                    length += read;
                    chunks.push(chunk);
                }
            }
            if length > limit {
                // The receiver may have given up waiting; then nobody needs the answer.
                let _ = sender.send(None);
                return;
            }
        }
        let mut all = Vec::with_capacity(length);
        chunks.iter().for_each(|chunk| all.extend_from_slice(chunk));
        let _ = sender.send(Some(Secret::new(all)));
    });
    receiver
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Bounds;
    use crate::process::{Invocation, exit_code};
    use crate::secret::Secret;

    const BOUNDS: Bounds = Bounds {
        time: Duration::from_secs(20),
        output: 1 << 20,
    };

    fn shell(script: &str) -> Invocation {
        Invocation::new("sh").arguments(["-c", script])
    }

    #[test]
    fn input_goes_in_and_output_comes_out() {
        let large = Secret::new(vec![b'x'; 1 << 20]);
        let output = shell("cat").capture(&large, BOUNDS).unwrap();
        assert!(output.stdout == large && exit_code(output.status) == 0);
        let ignored = shell("exec <&-; echo done; exit 3").capture(&large, BOUNDS).unwrap();
        assert_eq!(
            (ignored.stdout.expose(), exit_code(ignored.status)),
            (&b"done\n"[..], 3)
        );
        let killed = shell("kill -TERM $$").capture(&Secret::default(), BOUNDS).unwrap();
        assert_eq!(exit_code(killed.status), 128 + 15);
    }

    #[test]
    fn the_environment_is_what_was_said() {
        let child = shell("echo \"$A|$B|${HOME-none}|$PWD\"")
            .variable("A", Secret::from("1"))
            .variable("B", Secret::from("2"))
            .without("B")
            .without("HOME")
            .in_folder("/");
        let output = child.capture(&Secret::default(), BOUNDS).unwrap();
        assert_eq!(output.stdout.expose_text(), Some("1|2|none|/\n"));
    }

    #[test]
    fn time_and_output_are_bounded_whatever_the_child_does() {
        let start = Instant::now();
        let short = Bounds {
            time: Duration::from_millis(100),
            output: 10,
        };
        for (script, reason) in [
            ("exec sleep 30", "took longer than 0.1 s"),
            ("sleep 30 & wait", "took longer"),
            ("exec >&-; exec sleep 30", "took longer"),
            ("exec yes", "more than 10 bytes"),
        ] {
            let failure = shell(script)
                .capture(&Secret::default(), short)
                .unwrap_err()
                .to_string();
            assert!(failure.contains(reason), "{script}: {failure}");
        }
        assert!(start.elapsed() < Duration::from_secs(15));
    }

    #[test]
    fn an_absent_program_is_named() {
        let failure = Invocation::new("/nonexistent/tool")
            .capture(&Secret::default(), BOUNDS)
            .unwrap_err();
        assert_eq!(
            failure.to_string(),
            "`/nonexistent/tool` cannot be started: there is no such program"
        );
    }
}
