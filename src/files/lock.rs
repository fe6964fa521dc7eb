//! One writer at a time in a policy's folder. The lock is on the folder itself, so no lock file appears, and
//! the system takes it away when its holder dies.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::{explain, shown};
use crate::error::{Failure, Result};

/// How long to sleep between two attempts; a person does not notice it.
const PAUSE: Duration = Duration::from_millis(15);

/// The right to write in one folder, given back when dropped. Taking it twice in one process waits for itself.
pub struct FolderLock {
    folder: PathBuf,
    _handle: File,
}

impl FolderLock {
    /// How long a command waits for another one, at most.
    pub const WAIT: Duration = Duration::from_secs(10);

    /// Waits up to `wait` for the right to write in `folder`. Works on read-only trees too. A file system
    /// that knows no locks gives the right at once.
    ///
    /// # Errors
    /// `Failed` if `folder` is no folder that can be opened, or another process holds it all the time.
    pub fn acquire(folder: &Path, wait: Duration) -> Result<Self> {
        let handle = File::open(folder).map_err(|error| explain("locked", folder, &error))?;
        if !handle.metadata().is_ok_and(|metadata| metadata.is_dir()) {
            return Err(Failure::failed(format!("`{}` is not a folder", shown(folder))).into());
        }
        let start = Instant::now();
        loop {
            match flock(&handle, FlockOperation::NonBlockingLockExclusive) {
                Err(Errno::WOULDBLOCK) if start.elapsed() < wait => sleep(PAUSE.min(wait)),
                Err(Errno::WOULDBLOCK) => return Err(occupied(folder, wait).into()),
                Err(Errno::INTR) => {}
                Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOLCK | Errno::NOSYS | Errno::INVAL | Errno::BADF) => break,
                Err(error) => return Err(explain("locked", folder, &error.into()).into()),
            }
        }
        Ok(Self {
            folder: folder.to_path_buf(),
            _handle: handle,
        })
    }

    /// The folder, as it was given.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

fn occupied(folder: &Path, wait: Duration) -> Failure {
    let (folder, seconds) = (shown(folder), wait.as_secs());
    Failure::failed(format!(
        "another `secretree` has been writing in `{folder}` for {seconds} s, and still is"
    ))
    .hint("wait until it is done (it may be waiting for an answer), then try again")
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use super::FolderLock;

    #[test]
    fn the_second_writer_waits_and_says_for_what() {
        let folder = tempfile::tempdir().unwrap();
        let first = FolderLock::acquire(folder.path(), Duration::ZERO).unwrap();
        let failure = FolderLock::acquire(folder.path(), Duration::from_millis(40))
            .err()
            .unwrap();
        assert!(failure.to_string().contains(&folder.path().display().to_string()));
        let waiting = thread::spawn({
            let path = folder.path().to_path_buf();
            move || FolderLock::acquire(&path, FolderLock::WAIT).is_ok()
        });
        thread::sleep(Duration::from_millis(40));
        drop(first);
        assert!(waiting.join().unwrap());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_is_no_folder() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(FolderLock::acquire(file.path(), Duration::ZERO).is_err());
    }
}
