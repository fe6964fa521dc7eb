//! What happens to plaintext when a signal comes: the editor is told, the private folder is removed, and the
//! process ends as the signal wants. Nothing else of the session is known here.

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use secretree::files::remove_now;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};
use signal_hook::low_level::emulate_default_handler;

/// How long an editor may take to end after it was told to.
const PATIENCE: Duration = Duration::from_millis(500);

/// Guards a private folder until dropped.
pub(super) struct SignalGuard {
    state: Arc<Mutex<State>>,
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

struct State {
    /// What must not stay behind; `None` once it may.
    folder: Option<PathBuf>,
    /// The editor, while it runs.
    editor: Option<Pid>,
}

impl SignalGuard {
    /// From now on SIGINT, SIGTERM and SIGHUP remove `folder` before they end the process.
    pub(super) fn install(folder: &Path) -> io::Result<Self> {
        let state = Arc::new(Mutex::new(State {
            folder: Some(folder.to_owned()),
            editor: None,
        }));
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
        let handle = signals.handle();
        let seen_by_thread = Arc::clone(&state);
        let thread = thread::spawn(move || {
            for signal in signals.forever() {
                end(signal, &seen_by_thread);
            }
        });
        Ok(Self {
            state,
            handle,
            thread: Some(thread),
        })
    }

    /// Waits for the editor, which is told about signals meanwhile.
    pub(super) fn wait(&self, mut editor: Child) -> io::Result<ExitStatus> {
        lock(&self.state).editor = Pid::from_raw(editor.id().cast_signed());
        let status = editor.wait();
        lock(&self.state).editor = None;
        status
    }

    /// The folder may stay.
    pub(super) fn disarm(&self) {
        lock(&self.state).folder = None;
    }
}

impl Drop for SignalGuard {
    fn drop(&mut self) {
        self.handle.close();
        if let Some(thread) = self.thread.take() {
            // A panic there was reported already; there is nothing to do about it here.
            let _ = thread.join();
        }
    }
}

fn end(signal: i32, state: &Mutex<State>) {
    let (folder, editor) = {
        let state = lock(state);
        (state.folder.clone(), state.editor)
    };
    // On a terminal Ctrl-C goes to both of us, and in an editor it is a command, not the end.
    if signal == SIGINT && editor.is_some() && io::stdin().is_terminal() {
        return;
    }
    if let Some(editor) = editor {
        let told = match signal {
            SIGINT => Signal::INT,
            SIGHUP => Signal::HUP,
            _ => Signal::TERM,
        };
        // If it is gone already, so much the better.
        let _ = kill_process(editor, told);
        thread::sleep(PATIENCE);
    }
    if let Some(folder) = folder {
        remove_now(&folder);
    }
    // Ends the process; if it should not, the folder is gone all the same.
    let _ = emulate_default_handler(signal);
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
