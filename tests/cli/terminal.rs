//! A command on a terminal of its own: it becomes the controlling terminal, so prompts that open `/dev/tty` work too.
//! Made of a pseudo-terminal and `setsid --ctty`, which replaces itself by the command.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::output::Output;
use crate::run::{Run, wait};
use crate::sandbox::Printed;

/// How long an expected text may take to appear.
const PATIENCE: Duration = Duration::from_secs(20);

/// What has appeared on the screen so far; the flag says that nothing more will.
type Screen = Arc<(Mutex<(Vec<u8>, bool)>, Condvar)>;

/// A command and its terminal.
pub(crate) struct Terminal {
    run: Run,
    child: Child,
    keyboard: File,
    screen: Screen,
    reader: JoinHandle<()>,
    /// How much of the screen earlier expectations have passed.
    passed: usize,
}

impl Terminal {
    /// Starts a command; its three standard streams are the terminal, 40 lines of 120 columns.
    pub(crate) fn start(run: Run) -> Self {
        let run = run.env("TERM", "xterm");
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("Linux has terminals");
        grantpt(&ours).expect("it is a new terminal");
        unlockpt(&ours).expect("it is a new terminal");
        let size = Winsize {
            ws_row: 40,
            ws_col: 120,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&ours, size).expect("it is a new terminal");
        let name = ptsname(&ours, Vec::new()).expect("it is a new terminal");
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let theirs = File::from(open(name, flags, Mode::empty()).expect("it is a new terminal"));
        let stream = || Stdio::from(theirs.try_clone().expect("there are descriptors left"));
        let mut command = run.prepare(&["setsid", "--ctty"]);
        command.stdin(stream()).stdout(stream()).stderr(stream());
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("`{}` did not start: {error}", run.display()));
        // Only the child holds the other side now; it is the last to close it.
        drop((command, theirs));
        let keyboard = File::from(ours);
        let screen = Screen::default();
        let reader = watch(
            keyboard.try_clone().expect("there are descriptors left"),
            Arc::clone(&screen),
        );
        Self {
            run,
            child,
            keyboard,
            screen,
            reader,
            passed: 0,
        }
    }

    /// Waits until this text appears behind what was expected before.
    #[track_caller]
    pub(crate) fn expect(&mut self, text: &str) -> &mut Self {
        let shared = Arc::clone(&self.screen);
        let (lock, changed) = &*shared;
        let mut screen = lock.lock().expect("the reader does not panic");
        let start = Instant::now();
        loop {
            let rest = &screen.0[self.passed..];
            if let Some(found) = rest.windows(text.len()).position(|window| window == text.as_bytes()) {
                self.passed += found + text.len();
                return self;
            }
            let seen = String::from_utf8_lossy(rest);
            assert!(
                !screen.1,
                "`{}` ended before {text:?} appeared; seen: {seen}",
                self.run.display()
            );
            assert!(start.elapsed() < PATIENCE, "{text:?} did not appear; seen: {seen}");
            screen = changed
                .wait_timeout(screen, PATIENCE)
                .expect("the reader does not panic")
                .0;
        }
    }

    /// Types this; a line ends with `\n`.
    pub(crate) fn send(&mut self, text: &str) -> &mut Self {
        self.keyboard.write_all(text.as_bytes()).expect("the terminal is open");
        self
    }

    /// Types this once the command has turned the echo off, as a person does who waits for the prompt.
    #[track_caller]
    pub(crate) fn send_hidden(&mut self, text: &str) -> &mut Self {
        let start = Instant::now();
        while tcgetattr(&self.keyboard).is_ok_and(|modes| modes.local_modes.contains(LocalModes::ECHO)) {
            assert!(
                start.elapsed() < PATIENCE,
                "`{}` never turned the echo off",
                self.run.display()
            );
            std::thread::sleep(Duration::from_millis(2));
        }
        self.send(text)
    }

    /// Waits for the end. Standard output holds all that appeared, with the terminal's line ends made `\n`.
    pub(crate) fn finish(mut self) -> Output {
        let status = wait(&mut self.child, &self.run.display());
        self.reader.join().expect("the reader does not panic");
        let bytes = std::mem::take(&mut self.screen.0.lock().expect("the reader does not panic").0);
        let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
        let command = self.run.display();
        self.run.person().sandbox().remember(Printed {
            command,
            bytes,
            reveals: self.run.may_reveal(),
        });
        Output::new(&self.run, status, text.into_bytes(), Vec::new())
    }
}

/// Collects what appears until the last program has closed the terminal.
fn watch(mut source: File, screen: Screen) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        loop {
            // Linux answers EIO, not an end, once the other side is closed.
            let count = source.read(&mut buffer).unwrap_or(0);
            let (lock, changed) = &*screen;
            let mut seen = lock.lock().expect("no expectation panics while it holds the screen");
            seen.0.extend_from_slice(&buffer[..count]);
            seen.1 = count == 0;
            changed.notify_all();
            if count == 0 {
                return;
            }
        }
    })
}
