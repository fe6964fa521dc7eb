//! `--template`: reads the template, and renders it so that it ends. The engine counts instructions; what a single one may
//! ask for is bounded here, by time and by the memory that the system gives this process.

use std::fs::read_to_string;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use secretree::error::{Failure, Result};
use secretree::files::read_bounded;
use secretree::formats::Variables;
use secretree::formats::template::{self, Template};
use secretree::view::View;
use zeroize::Zeroizing;

/// The largest template, in bytes.
const LARGEST: u64 = 1 << 20;

/// How long a template may take.
const TIME: Duration = Duration::from_secs(20);

/// The stack on which a template is rendered, in bytes, and what is added for each byte of its text: the engine goes one
/// level deeper for each operator of a chain such as `not not …`. Only what is used becomes memory.
const STACK: usize = 4 << 20;
const STACK_FOR_BYTE: usize = 1024;

/// How much more memory this process may map once a template runs, in bytes: far more than values and output need.
const MEMORY: u64 = 512 << 20;

/// The template in `file`. Failure: it cannot be read, is too large or no UTF-8 text.
pub(super) fn read(file: &Path) -> Result<Template> {
    let name = file.display().to_string();
    match String::from_utf8(read_bounded(file, LARGEST)?) {
        Ok(text) => Ok(Template { name, text }),
        Err(_) => Err(Failure::failed(format!("`{name}` is not UTF-8 text")).into()),
    }
}

/// What `template` makes of the values. Failure: as `formats::template`, or it does not end in time. Beyond the memory that
/// is allowed the process is aborted.
pub(super) fn write(template: Template, view: View, variables: Result<Variables>) -> Result<Zeroizing<Vec<u8>>> {
    let name = template.name.clone();
    let stack = STACK + STACK_FOR_BYTE * template.text.len();
    let work = move || {
        limit_memory();
        template::write(&template, view, variables)
    };
    let reason = match within(TIME, stack, work) {
        Ok(written) => return written,
        Err(Unfinished::Late) => format!("did not end within {} seconds", TIME.as_secs()),
        Err(Unfinished::Broken) => "asks for what the template engine cannot do".to_owned(),
        Err(Unfinished::NoThread) => "is too large for the memory of this machine".to_owned(),
    };
    Err(Failure::failed(format!("`{name}`: the template {reason}")).into())
}

/// Why work gave nothing.
#[derive(Debug, PartialEq, Eq)]
enum Unfinished {
    /// It goes on.
    Late,
    /// It panicked.
    Broken,
    /// It was not begun.
    NoThread,
}

/// What `work` gives, if it ends in time and without a panic. It runs beside this thread with a `stack` of so many bytes
/// and is joined by nobody: where it does not end, the process does.
fn within<T: Send + 'static>(
    time: Duration,
    stack: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Unfinished> {
    let (sender, receiver) = sync_channel(1);
    let thread = thread::Builder::new().stack_size(stack);
    let started = thread.spawn(move || drop(sender.send(work())));
    if started.is_err() {
        return Err(Unfinished::NoThread);
    }
    receiver.recv_timeout(time).map_err(|error| match error {
        RecvTimeoutError::Timeout => Unfinished::Late,
        RecvTimeoutError::Disconnected => Unfinished::Broken,
    })
}

fn limit_memory() {
    // A system that does not say, or knows no such limit, has the other bounds.
    let Some(mapped) = mapped() else { return };
    let Rlimit { current, maximum } = getrlimit(Resource::As);
    let limits = [current, maximum, Some(mapped + MEMORY)];
    let current = limits.into_iter().flatten().min();
    let _ = setrlimit(Resource::As, Rlimit { current, maximum });
}

/// What this process has mapped, in bytes, as Linux tells it.
fn mapped() -> Option<u64> {
    let status = read_to_string("/proc/self/status").ok()?;
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:"))?;
    let kibibytes: u64 = size.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes << 10)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::{STACK, Unfinished, within};

    #[test]
    fn work_that_does_not_end_is_left_alone() {
        assert_eq!(within(Duration::from_secs(60), STACK, || 7), Ok(7));
        let (sender, receiver) = channel::<()>();
        let endless = move || receiver.recv().is_ok();
        assert_eq!(within(Duration::from_millis(20), STACK, endless), Err(Unfinished::Late));
        drop(sender);
    }
}
