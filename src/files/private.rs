//! A folder for plaintext that must be a file for a moment (an editor, `run --files`): in memory where the
//! system has such a place, for this user alone, and gone afterwards. Installing signal handlers is left to
//! the program, which calls [`remove_now`] from them.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;
use tempfile::TempDir;

use super::{explain, is_plain_relative, shown};
use crate::error::{Failure, Result};
use crate::secret::Secret;

/// A folder with mode 0700 that is removed with everything in it when dropped.
pub struct PrivateFolder {
    folder: TempDir,
    in_memory: bool,
}

impl PrivateFolder {
    /// A new folder in the first of these that is memory-backed: `runtime` (`$XDG_RUNTIME_DIR`, if the
    /// caller has one), `/dev/shm`; else in `temporary`, the system's place for temporary files.
    ///
    /// # Errors
    /// `Failed` if no folder could be made, or the new one is not this user's alone.
    pub fn new(runtime: Option<&Path>, temporary: &Path) -> Result<Self> {
        for place in runtime.into_iter().chain([Path::new("/dev/shm")]) {
            if place.is_absolute()
                && is_in_memory(place)
                && let Ok(folder) = make_in(place)
            {
                return Self::checked(folder, true);
            }
        }
        let folder = make_in(temporary).map_err(|error| explain("written", temporary, &error))?;
        Self::checked(folder, is_in_memory(temporary))
    }

    fn checked(folder: TempDir, in_memory: bool) -> Result<Self> {
        let metadata = fs::symlink_metadata(folder.path()).map_err(|error| explain("read", folder.path(), &error))?;
        if !metadata.is_dir() || metadata.uid() != geteuid().as_raw() || metadata.mode() & 0o077 != 0 {
            return Err(Failure::failed(format!("`{}` is not private to this user", shown(folder.path()))).into());
        }
        Ok(Self { folder, in_memory })
    }

    /// Where it is; what a signal handler hands to [`remove_now`].
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Whether its files never reach a disk, swap aside.
    pub fn is_in_memory(&self) -> bool {
        self.in_memory
    }

    /// Writes `content` to the new file `name` (mode 0600) and returns its path.
    ///
    /// # Errors
    /// `Failed` if `name` is not one plain file name or exists, or the place is full.
    pub fn write(&self, name: &str, content: &Secret) -> Result<PathBuf> {
        let path = self.path().join(name);
        if !is_plain_relative(Path::new(name)) || path.parent() != Some(self.path()) {
            return Err(Failure::failed(format!("`{}` is not a file name", shown(Path::new(name)))).into());
        }
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| file.write_all(content.expose()));
        written.map_err(|error| explain("written", &path, &error))?;
        Ok(path)
    }

    /// Leaves it in place from now on, for a text that would be lost otherwise.
    pub fn keep(self) -> PathBuf {
        self.folder.keep()
    }

    /// Removes it now, and says so if that fails.
    ///
    /// # Errors
    /// `Failed`, naming the folder that a person must remove.
    pub fn close(self) -> Result<()> {
        let path = self.path().to_path_buf();
        let failed = |error| explain("removed", &path, &error).hint(format!("rm -r {}", shown(&path)));
        self.folder.close().map_err(|error| failed(error).into())
    }
}

/// Removes the private folder at `path`, whoever still holds it. For a thread that handles a signal which is
/// about to end the process; the folder's owner finding it gone is no error.
pub fn remove_now(path: &Path) {
    // Nothing can be done about a failure at this point, and there is no one to tell.
    let _ = fs::remove_dir_all(path);
}

fn make_in(place: &Path) -> io::Result<TempDir> {
    tempfile::Builder::new()
        .prefix("secretree-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(place)
}

/// Whether the file system at `place` lives in memory (tmpfs or ramfs, linux/magic.h).
#[cfg(target_os = "linux")]
pub fn is_in_memory(place: &Path) -> bool {
    const MAGIC: [u32; 2] = [0x0102_1994, 0x8584_58f6];
    // The field is signed or unsigned, 32 or 64 bits wide, as the architecture likes; the low 32 bits count.
    rustix::fs::statfs(place).is_ok_and(|statistics| MAGIC.contains(&(statistics.f_type as u32)))
}

/// Other systems have no such place by default.
#[cfg(not(target_os = "linux"))]
pub fn is_in_memory(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use super::{PrivateFolder, is_in_memory, remove_now};
    use crate::secret::Secret;

    #[test]
    fn plaintext_is_this_users_alone_and_gone_afterwards() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = PrivateFolder::new(None, temporary.path()).unwrap();
        let place = folder.path().to_path_buf();
        let file = folder.write("prod.yaml", &Secret::from("a: 1\n")).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"a: 1\n");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(&place).unwrap().permissions().mode() & 0o777, 0o700);
        assert!(folder.write("prod.yaml", &Secret::from("again")).is_err());
        for bad in ["../x", "a/b", "", ".", "/etc/x"] {
            assert!(folder.write(bad, &Secret::from("x")).is_err(), "{bad}");
        }
        drop(folder);
        assert!(!place.exists());
    }

    #[test]
    fn memory_is_preferred_and_a_disk_is_the_last_resort() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = PrivateFolder::new(Some(Path::new("/nonexistent")), temporary.path()).unwrap();
        assert_eq!(folder.is_in_memory(), is_in_memory(folder.path()));
        if is_in_memory(Path::new("/dev/shm")) {
            assert!(folder.path().starts_with("/dev/shm"));
        } else {
            assert!(folder.path().starts_with(temporary.path()));
        }
        folder.close().unwrap();
    }

    #[test]
    fn a_signal_handler_can_remove_it_under_its_owner() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = PrivateFolder::new(None, temporary.path()).unwrap();
        folder.write("value", &Secret::from("x")).unwrap();
        remove_now(folder.path());
        assert!(!folder.path().exists());
    }
}
