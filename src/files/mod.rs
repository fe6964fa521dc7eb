//! Files as a program must treat them that others interrupt and attack: replaced whole or not at all, several
//! at once through a journal, locked, read within bounds, and private folders for plaintext. What the bytes
//! mean is for the floors above.

mod create;
mod journal;
mod lock;
mod private;
mod read;
mod replace;
mod transaction;

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};

pub use create::create;
pub use journal::{JOURNAL, finish_pending, is_pending, read_through};
pub use lock::FolderLock;
pub use private::{PrivateFolder, is_in_memory, remove_now};
pub use read::{read_bounded, read_if_present, read_secret_stream};
pub use replace::{Access, path_beside, replace};
pub use transaction::Transaction;

use crate::error::{Failure, Result};

/// The largest file that is ever written or read back here, in bytes (FORMAT, The text, rule 7).
pub const FILE_LIMIT: u64 = 64 << 20;

/// The absolute path behind `path`, without links and `..`.
///
/// # Errors
/// `Failed` if nothing is there or a folder on the way may not be entered.
pub fn real_path(path: &Path) -> Result<PathBuf> {
    fs::canonicalize(path).map_err(|error| explain("found", path, &error).into())
}

/// Refuses `relative` (below the folder `root`) if one of its components is a symbolic link, or a component
/// before the last is no folder. What does not exist yet is fine. `root` itself may be reached through links.
///
/// # Errors
/// `Failed`, naming the component; also if `relative` is not a plain relative path.
pub fn refuse_symlinks(root: &Path, relative: &Path) -> Result<()> {
    if !is_plain_relative(relative) {
        let shown = shown(relative);
        return Err(Failure::failed(format!("`{shown}` is not a relative path inside its folder")).into());
    }
    let mut place = root.to_path_buf();
    let mut rest = relative.components().peekable();
    while let Some(component) = rest.next() {
        place.push(component);
        let metadata = match fs::symlink_metadata(&place) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(explain("found", &place, &error).into()),
        };
        if metadata.is_symlink() {
            return Err(
                Failure::failed(format!("`{}` is a symbolic link, which is not followed", shown(&place)))
                    .hint("put the file itself there")
                    .into(),
            );
        }
        if rest.peek().is_some() && !metadata.is_dir() {
            return Err(Failure::failed(format!("`{}` is not a folder", shown(&place))).into());
        }
    }
    Ok(())
}

/// Whether `path` has ordinary components only: not absolute, no `..`, no `.`, not empty, none named `.git`.
fn is_plain_relative(path: &Path) -> bool {
    let mut components = path.components().peekable();
    components.peek().is_some()
        && components
            .all(|component| matches!(component, Component::Normal(name) if !name.eq_ignore_ascii_case(".git")))
}

/// The folder that holds `path`; `.` for a bare name.
fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Makes the names in `folder` durable.
fn sync_folder(folder: &Path) -> Result<()> {
    let outcome = File::open(folder).and_then(|handle| handle.sync_all());
    match outcome {
        // Some network file systems cannot do this for folders; the rename itself was done.
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        other => other.map_err(|error| explain("written", folder, &error).into()),
    }
}

/// `path` for a message: control and direction characters escaped.
fn shown(path: &Path) -> String {
    let mut shown = String::new();
    for character in path.to_string_lossy().chars() {
        match character {
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                shown.extend(character.escape_unicode());
            }
            _ if character.is_control() => shown.extend(character.escape_default()),
            _ => shown.push(character),
        }
    }
    shown
}

/// Says in one line why `path` cannot be read, written, …
fn explain(done: &str, path: &Path, error: &io::Error) -> Failure {
    let reason = match error.kind() {
        ErrorKind::NotFound => return Failure::failed(format!("`{}` does not exist", shown(path))),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        ErrorKind::ReadOnlyFilesystem => "the file system is read-only".to_owned(),
        ErrorKind::StorageFull => "the disk is full".to_owned(),
        ErrorKind::QuotaExceeded => "the disk quota is used up".to_owned(),
        ErrorKind::IsADirectory => "it is a folder".to_owned(),
        ErrorKind::NotADirectory => "a part of the path is not a folder".to_owned(),
        _ => error.to_string().to_lowercase(),
    };
    Failure::failed(format!("`{}` cannot be {done}: {reason}", shown(path)))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::{refuse_symlinks, shown};

    #[test]
    fn a_link_anywhere_below_the_root_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir(root.join("real")).unwrap();
        symlink("real", root.join("linked")).unwrap();
        symlink("/etc/passwd", root.join("real/file")).unwrap();
        assert!(refuse_symlinks(root, Path::new("real/new.yaml")).is_ok());
        assert!(refuse_symlinks(root, Path::new("absent/new.yaml")).is_ok());
        for bad in [
            "linked/new.yaml",
            "real/file",
            "real/../x",
            "/etc/passwd",
            "",
            ".git/config",
            "a/.GIT/b",
        ] {
            assert!(refuse_symlinks(root, Path::new(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_that_would_drive_a_terminal_are_escaped() {
        assert_eq!(shown(Path::new("a\u{1b}[2J\nb\u{202e}c")), "a\\u{1b}[2J\\nb\\u{202e}c");
    }
}
