//! One file, replaced atomically: the new content is written beside it, made durable, and renamed over it.
//! Whatever happens, a reader sees the old file or the new one, whole.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;

use super::{explain, parent_of, shown, sync_folder};
use crate::error::{Failure, Result};

/// Who may read the file that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// As the replaced file was; a new one is 0644 less the umask. For ciphertext and policies.
    Shared,
    /// 0600, also if the replaced file was wider. For keys, trust and plaintext.
    Private,
}

/// Replaces the file `path`, or makes it; its folder must exist.
///
/// # Errors
/// `Failed` if `path` is a symbolic link or no regular file, the folder is absent or read-only, or the disk
/// is full. The old file is then untouched, and nothing is left beside it.
pub fn replace(path: &Path, bytes: &[u8], access: Access) -> Result<()> {
    let new = NewFile::write(path, bytes, access)?;
    new.place()?;
    sync_folder(parent_of(path))
}

/// New content that stands, durable, beside the file it will replace. Removed when dropped, unless kept.
pub(super) struct NewFile {
    target: PathBuf,
    path: PathBuf,
    /// Holds a lock on the file, which tells other processes that it is no leftover.
    file: File,
    keep: bool,
}

impl NewFile {
    /// Writes `bytes` beside `target`.
    pub(super) fn write(target: &Path, bytes: &[u8], access: Access) -> Result<Self> {
        let existing = existing_mode(target)?;
        let path = path_beside(target)?;
        let file = create(&path, if access == Access::Private { 0o600 } else { 0o644 })?;
        let mut new = Self {
            target: target.to_path_buf(),
            path,
            file,
            keep: false,
        };
        let mode = existing.filter(|_| access == Access::Shared);
        new.fill(bytes, mode)
            .map_err(|error| explain("written", target, &error))?;
        Ok(new)
    }

    fn fill(&mut self, bytes: &[u8], mode: Option<u32>) -> io::Result<()> {
        if let Some(mode) = mode {
            self.file.set_permissions(Permissions::from_mode(mode))?;
        }
        self.file.write_all(bytes)?;
        self.file.sync_all()
    }

    /// From now on it outlives this value: a journal names it.
    pub(super) fn keep(&mut self, keep: bool) {
        self.keep = keep;
    }

    /// Renames it over its target. The folder's durability is the caller's.
    pub(super) fn place(mut self) -> Result<()> {
        fs::rename(&self.path, &self.target).map_err(|error| explain("written", &self.target, &error))?;
        self.keep = true;
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.keep {
            // A leftover is found and removed by the next writer, so a failure here needs no report.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Where the new content of `target` stands: `.NAME.secretree-new` in the same folder.
///
/// # Errors
/// `Failed` if `target` ends in no file name.
pub fn path_beside(target: &Path) -> Result<PathBuf> {
    let Some(name) = target.file_name() else {
        return Err(Failure::failed(format!("`{}` is not a file name", shown(target))).into());
    };
    let mut beside = std::ffi::OsString::from(".");
    beside.push(name);
    beside.push(".secretree-new");
    Ok(target.with_file_name(beside))
}

/// Removes what stands at `path_beside(target)` if no living process is writing it.
pub(super) fn remove_leftover(target: &Path) -> Result<()> {
    let path = path_beside(target)?;
    match fs::symlink_metadata(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        _ => discard(&path).map(|_| ()),
    }
}

/// The permission bits of the regular file at `target`, `None` if there is nothing.
fn existing_mode(target: &Path) -> Result<Option<u32>> {
    match fs::symlink_metadata(target) {
        Ok(metadata) if metadata.is_symlink() => Err(Failure::failed(format!(
            "`{}` is a symbolic link, which is not replaced",
            shown(target)
        ))
        .hint("name the file it points to")
        .into()),
        Ok(metadata) if !metadata.is_file() => {
            Err(Failure::failed(format!("`{}` is not a regular file", shown(target))).into())
        }
        Ok(metadata) => Ok(Some(metadata.mode() & 0o777)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(explain("written", target, &error).into()),
    }
}

/// Creates `path` with a lock on it; waits a little for another living writer of the same file.
fn create(path: &Path, mode: u32) -> Result<File> {
    for _ in 0..100 {
        match OpenOptions::new().write(true).create_new(true).mode(mode).open(path) {
            Ok(file) => {
                // Between creating and locking, another process may have taken it for a leftover.
                let locked = flock(&file, FlockOperation::NonBlockingLockExclusive) != Err(Errno::WOULDBLOCK);
                if locked && file.metadata().is_ok_and(|metadata| metadata.nlink() > 0) {
                    return Ok(file);
                }
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                if !discard(path)? {
                    sleep(Duration::from_millis(10));
                }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(explain("written", parent_of(path), &error).into());
            }
            Err(error) => return Err(explain("written", path, &error).into()),
        }
    }
    Err(Failure::failed(format!("another process is writing `{}`", shown(path))).into())
}

/// Removes the leftover `path`; `false` if it belongs to a living writer.
fn discard(path: &Path) -> Result<bool> {
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).expect("open flags fit an int");
    // What cannot be opened (a link, a pipe, no permission) was not made here by a living writer.
    if let Ok(file) = OpenOptions::new().read(true).custom_flags(flags).open(path) {
        if flock(&file, FlockOperation::NonBlockingLockExclusive) == Err(Errno::WOULDBLOCK) {
            return Ok(false);
        }
        // A writer may have placed it meanwhile, and the next one created its own.
        if file.metadata().is_ok_and(|metadata| metadata.nlink() == 0) {
            return Ok(false);
        }
        return remove(path);
    }
    remove(path)
}

fn remove(path: &Path) -> Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
        Err(error) => Err(explain("removed", path, &error).into()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::path::Path;
    use std::process::Command;
    use std::thread;

    use super::{Access, NewFile, path_beside, replace};

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn modes_are_kept_and_private_files_are_narrowed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        replace(&path, b"1", Access::Shared).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        replace(&path, b"2", Access::Shared).unwrap();
        assert_eq!((mode(&path), fs::read(&path).unwrap()), (0o640, b"2".to_vec()));
        replace(&path, b"3", Access::Private).unwrap();
        assert_eq!((mode(&path), fs::read(&path).unwrap()), (0o600, b"3".to_vec()));
        assert_eq!(names(folder.path()), ["file"]);
    }

    #[test]
    fn what_is_no_regular_file_is_refused_and_nothing_appears() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path();
        fs::create_dir(place.join("folder")).unwrap();
        replace(&place.join("real"), b"old", Access::Shared).unwrap();
        symlink("real", place.join("link")).unwrap();
        let before = names(place);
        for (name, reason) in [
            ("link", "symbolic link"),
            ("folder", "not a regular file"),
            ("no/x", "does not exist"),
        ] {
            let failure = replace(&place.join(name), b"new", Access::Shared)
                .unwrap_err()
                .to_string();
            assert!(failure.contains(reason), "{failure}");
        }
        assert_eq!(names(place), before);
        assert_eq!(fs::read(place.join("real")).unwrap(), b"old");
    }

    #[test]
    fn leftovers_are_replaced_even_if_they_are_links() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        replace(&folder.path().join("victim"), b"untouched", Access::Shared).unwrap();
        symlink("victim", path_beside(&path).unwrap()).unwrap();
        replace(&path, b"new", Access::Shared).unwrap();
        assert_eq!(fs::read(folder.path().join("victim")).unwrap(), b"untouched");
        let mut crashed = NewFile::write(&path, b"half", Access::Shared).unwrap();
        crashed.keep(true);
        drop(crashed);
        replace(&path, b"newer", Access::Shared).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"newer");
        assert_eq!(names(folder.path()), ["file", "victim"]);
    }

    #[test]
    fn two_writers_at_once_leave_one_whole_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let writers: Vec<_> = (b'a'..=b'd')
            .map(|letter| {
                let path = path.clone();
                thread::spawn(move || {
                    for _ in 0..25 {
                        replace(&path, &[letter; 4096], Access::Shared).unwrap();
                        let seen = fs::read(&path).unwrap();
                        assert!(seen.len() == 4096 && seen.iter().all(|byte| *byte == seen[0]));
                    }
                })
            })
            .collect();
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        assert_eq!(names(folder.path()), ["file"]);
    }

    #[test]
    fn a_full_disk_is_named_and_the_old_file_stays() {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"])
            .arg(folder.path())
            .output();
        if !mounted.is_ok_and(|output| output.status.success()) {
            eprintln!("skipped: no file system can be mounted here");
            return;
        }
        let path = folder.path().join("file");
        let outcome =
            replace(&path, b"old", Access::Shared).and_then(|()| replace(&path, &[0; 1 << 20], Access::Shared));
        let (content, names) = (fs::read(&path), names(folder.path()));
        Command::new("umount").arg(folder.path()).status().unwrap();
        assert!(outcome.unwrap_err().to_string().ends_with("the disk is full"));
        assert_eq!((content.unwrap(), names), (b"old".to_vec(), vec!["file".to_owned()]));
    }
}
