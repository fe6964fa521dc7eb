//! A file that must not be there yet: made whole, never in the place of another, never through a link.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use super::{Access, explain, parent_of, shown, sync_folder};
use crate::error::{Failure, Result};

/// Makes the file `path`; missing folders are made for this user alone.
///
/// # Errors
/// `Failed` if anything stands at `path`, be it a link that leads nowhere, or it cannot be written: nothing is
/// left of it then.
pub fn create(path: &Path, bytes: &[u8], access: Access) -> Result<()> {
    let folder = parent_of(path);
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| explain("written", folder, &error))?;
    let mode = if access == Access::Private { 0o600 } else { 0o644 };
    // `O_EXCL` follows no link in the last component (open(2)).
    let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let mut file = match opened {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return Err(Failure::failed(format!("`{}` exists and is never replaced", shown(path))).into());
        }
        other => other.map_err(|error| explain("written", path, &error))?,
    };
    if let Err(error) = file.write_all(bytes).and_then(|()| file.sync_all()) {
        // The failure to tell is the first one.
        let _ = fs::remove_file(path);
        return Err(explain("written", path, &error).into());
    }
    sync_folder(folder)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::create;
    use crate::files::Access;

    #[test]
    fn new_files_and_folders_have_their_modes() {
        let folder = tempfile::tempdir().unwrap();
        let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let path = folder.path().join("a/b/key");
        create(&path, b"x", Access::Private).unwrap();
        assert_eq!((mode(&path), mode(&folder.path().join("a"))), (0o600, 0o700));
        assert_eq!(fs::read(&path).unwrap(), b"x");
    }

    #[test]
    fn nothing_is_replaced_and_no_link_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link, target) = (
            folder.path().join("file"),
            folder.path().join("link"),
            folder.path().join("target"),
        );
        create(&file, b"old", Access::Private).unwrap();
        symlink(&target, &link).unwrap();
        for path in [&file, &link, &folder.path().to_path_buf()] {
            assert!(create(path, b"new", Access::Private).is_err(), "{}", path.display());
        }
        assert_eq!(fs::read(&file).unwrap(), b"old");
        assert!(!target.exists());
    }
}
