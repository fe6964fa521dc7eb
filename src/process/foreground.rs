//! A child that stands in for this process at the terminal while we wait behind it (to restart it, to clean
//! up after it). Signals sent to us reach it, once; its exit code becomes ours.

use std::fs::File;
use std::process::{Child, ChildStdout, ExitStatus, Stdio};
use std::thread;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, getpgrp, kill_process, waitid};
use rustix::termios::tcgetpgrp;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH};
use signal_hook::iterator::{Handle, Signals};

use super::{Invocation, StartFailure, exit_code};

/// What is passed on. Stopping (SIGTSTP) is left alone: the terminal stops the child and us alike.
const FORWARDED: [i32; 8] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT];

/// What the terminal itself sends to every process in its foreground, the child included.
const FROM_TERMINAL: [i32; 4] = [SIGHUP, SIGINT, SIGQUIT, SIGWINCH];

/// A running child to which the signals that reach this process are passed on.
pub struct Foreground {
    child: Child,
    signals: Handle,
    forwarder: Option<thread::JoinHandle<()>>,
}

impl Invocation {
    /// Starts it with our terminal, input and output, and waits for it. Gives its exit code, or 128 and the
    /// signal that ended it. This process keeps ignoring the forwarded signals afterwards.
    ///
    /// # Errors
    /// With exit code 126 or 127 if it cannot be started.
    pub fn run(&self) -> Result<u8, StartFailure> {
        self.start(Stdio::inherit())?
            .wait()
            .map(exit_code)
            .map_err(|error| StartFailure::new(&self.program, &error))
    }

    /// Like [`Invocation::run`], but comes back as soon as it runs, with standard output going to `stdout`.
    ///
    /// # Errors
    /// With exit code 126 or 127 if it cannot be started.
    pub fn start(&self, stdout: Stdio) -> Result<Foreground, StartFailure> {
        let failed = |error| StartFailure::new(&self.program, &error);
        // Before the child exists, so that no signal falls between.
        let mut signals = Signals::new(FORWARDED).map_err(failed)?;
        let mut command = self.command();
        let child = command.stdout(stdout).spawn().map_err(failed)?;
        let process = Pid::from_child(&child);
        let handle = signals.handle();
        let forwarder = thread::spawn(move || {
            for signal in signals.forever() {
                let reached_it = FROM_TERMINAL.contains(&signal) && is_in_foreground();
                if let Some(signal) = Signal::from_named_raw(signal).filter(|_| !reached_it) {
                    // It may have ended a moment ago; it is not reaped before this thread has ended.
                    let _ = kill_process(process, signal);
                }
            }
        });
        Ok(Foreground {
            child,
            signals: handle,
            forwarder: Some(forwarder),
        })
    }
}

impl Foreground {
    /// The reading end, if the child was started with [`Stdio::piped`]; once.
    pub fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// The child's process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How the child ended, if it has.
    ///
    /// # Errors
    /// What the system says.
    pub fn try_wait(&mut self) -> std::io::Result<Option<ExitStatus>> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        match waitid(WaitId::Pid(Pid::from_child(&self.child)), options)? {
            Some(_) => self.reap().map(Some),
            None => Ok(None),
        }
    }

    /// Asks the child to end (SIGTERM).
    ///
    /// # Errors
    /// What the system says.
    pub fn terminate(&self) -> std::io::Result<()> {
        Ok(kill_process(Pid::from_child(&self.child), Signal::TERM)?)
    }

    /// Waits for the child's end.
    ///
    /// # Errors
    /// What the system says.
    pub fn wait(mut self) -> std::io::Result<ExitStatus> {
        // Seen, but not yet reaped: until the forwarder has ended, its process id must stay the child's.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while let Err(error) = waitid(WaitId::Pid(Pid::from_child(&self.child)), options) {
            if error != rustix::io::Errno::INTR {
                return Err(error.into());
            }
        }
        self.reap()
    }

    fn reap(&mut self) -> std::io::Result<ExitStatus> {
        self.stop_forwarding();
        self.child.wait()
    }

    fn stop_forwarding(&mut self) {
        self.signals.close();
        if let Some(forwarder) = self.forwarder.take() {
            // A panic in it would have been printed; there is nothing to add.
            let _ = forwarder.join();
        }
    }
}

impl Drop for Foreground {
    fn drop(&mut self) {
        self.stop_forwarding();
    }
}

/// Whether the terminal sends its signals to our process group, and so to the child.
fn is_in_foreground() -> bool {
    File::open("/dev/tty").is_ok_and(|terminal| tcgetpgrp(&terminal) == Ok(getpgrp()))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::process::Stdio;
    use std::sync::Mutex;

    use rustix::process::{Signal, getpid, kill_process};

    use crate::process::{Invocation, exit_code};

    /// A signal to this process reaches the children of every test, so they run one after the other.
    static ALONE: Mutex<()> = Mutex::new(());

    fn shell(script: &str) -> Invocation {
        Invocation::new("sh").arguments(["-c", script])
    }

    #[test]
    fn the_childs_end_is_told_as_a_shell_tells_it() {
        let _alone = ALONE.lock();
        assert_eq!(shell("exit 7").run().unwrap(), 7);
        assert_eq!(shell("kill -KILL $$").run().unwrap(), 137);
        assert_eq!(Invocation::new("/nonexistent/tool").run().unwrap_err().code, 127);
    }

    #[test]
    fn a_signal_sent_to_us_reaches_the_child() {
        let _alone = ALONE.lock();
        let script = "trap 'echo got; exit 9' USR1; echo ready; while :; do sleep 0.02; done";
        let mut child = shell(script).start(Stdio::piped()).unwrap();
        assert!(child.try_wait().unwrap().is_none());
        let mut stdout = child.stdout().unwrap();
        let mut ready = [0; 6];
        stdout.read_exact(&mut ready).unwrap();
        kill_process(getpid(), Signal::USR1).unwrap();
        assert_eq!(exit_code(child.wait().unwrap()), 9);
        let mut rest = String::new();
        stdout.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "got\n");
    }

    #[test]
    fn a_child_can_be_asked_to_end() {
        let _alone = ALONE.lock();
        let child = Invocation::new("sleep").arguments(["30"]).start(Stdio::null()).unwrap();
        child.terminate().unwrap();
        assert_eq!(exit_code(child.wait().unwrap()), 143);
    }
}
