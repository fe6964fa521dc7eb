//! Several files changed as one: new contents stand beside their targets, and a journal that is renamed into
//! place is the moment of change; who finds a journal finishes it. A journal may come with a repository, so it
//! is believed only where it names files of ours, and new contents with the right hash.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::replace::{path_beside, remove_leftover};
use super::{FILE_LIMIT, FolderLock, explain, is_plain_relative, parent_of, read_if_present};
use super::{refuse_symlinks, shown, sync_folder};
use crate::error::{Failure, Result};
use crate::names::is_hex;

/// The journal's name in the policy's folder.
pub const JOURNAL: &str = ".secrets.journal";

/// Most files that one change may have.
pub(super) const FILES_LIMIT: usize = 10_000;

/// The largest journal that is read, in bytes.
const JOURNAL_LIMIT: u64 = 8 << 20;

/// What a journal says: the relative path of each file, and the SHA-256 of its new content in lower-case hex.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Journal {
    pub(super) format: u32,
    pub(super) files: BTreeMap<String, String>,
}

impl Journal {
    /// The journal of `folder`, its shape checked; `None` if there is none.
    fn read(folder: &Path) -> Result<Option<Self>> {
        refuse_symlinks(folder, Path::new(JOURNAL))?;
        let Some(bytes) = read_if_present(&folder.join(JOURNAL), JOURNAL_LIMIT)? else {
            return Ok(None);
        };
        let journal: Self = serde_json::from_slice(&bytes).map_err(|_| refused(folder, "it is malformed"))?;
        let well_formed = journal.format == 1
            && (1..=FILES_LIMIT).contains(&journal.files.len())
            && journal.files.iter().all(|(path, hash)| {
                is_plain_relative(Path::new(path)) && path.bytes().all(|byte| byte != 0) && is_hex(hash, 64)
            });
        if well_formed {
            Ok(Some(journal))
        } else {
            Err(refused(folder, "it is malformed").into())
        }
    }
}

/// A journal that is not believed, and what a person can do.
pub(super) fn refused(folder: &Path, why: &str) -> Failure {
    let journal = shown(&folder.join(JOURNAL));
    Failure::integrity(format!("`{journal}` cannot be finished: {why}"))
        .hint(format!("if no `secretree` wrote it here: git status; rm {journal}"))
}

/// Whether a change in `folder` was interrupted. One look-up.
pub fn is_pending(folder: &Path) -> bool {
    fs::symlink_metadata(folder.join(JOURNAL)).is_ok()
}

/// Finishes the change that was interrupted in the locked folder, if there is one, and says whether there was.
/// Without a journal, new contents that a dead writer left beside `files` are deleted. `files` are the policy
/// and environment files, relative to the folder, as the policy seen by [`read_through`] names them.
///
/// # Errors
/// `Integrity` if the journal is malformed, names anything but `files`, or a new content does not have the
/// hash it names; `Failed` if the tree cannot be written. No file is changed then.
pub fn finish_pending(lock: &FolderLock, files: &[PathBuf]) -> Result<bool> {
    let folder = lock.folder();
    let Some(journal) = Journal::read(folder)? else {
        for file in files.iter().map(PathBuf::as_path).chain([Path::new(JOURNAL)]) {
            refuse_symlinks(folder, file)?;
            remove_leftover(&folder.join(file))?;
        }
        return Ok(false);
    };
    let ours: BTreeSet<&Path> = files.iter().map(PathBuf::as_path).collect();
    let mut to_place = Vec::new();
    for (name, hash) in &journal.files {
        let path = Path::new(name);
        if !ours.contains(path) {
            let why = format!("`{}` is no file of this policy", shown(path));
            return Err(refused(folder, &why).into());
        }
        if find_content(folder, path, hash)?.0 {
            to_place.push(folder.join(path));
        }
    }
    for target in to_place {
        fs::rename(path_beside(&target)?, &target).map_err(|error| explain("written", &target, &error))?;
    }
    finish(folder, journal.files.keys().map(Path::new))?;
    Ok(true)
}

/// The content that the file `relative` has once the pending change in `folder` is finished; `None` if no
/// pending change touches it. For read-only trees, and for the policy before [`finish_pending`].
///
/// # Errors
/// `Integrity` as in [`finish_pending`], for this file.
pub fn read_through(folder: &Path, relative: &Path) -> Result<Option<Vec<u8>>> {
    if !is_pending(folder) {
        return Ok(None);
    }
    let Some(journal) = Journal::read(folder)? else {
        return Ok(None);
    };
    match relative.to_str().and_then(|name| journal.files.get(name)) {
        Some(hash) => Ok(Some(find_content(folder, relative, hash)?.1)),
        None => Ok(None),
    }
}

/// The content with `hash`, and whether it still stands beside its target (else it is the target already).
fn find_content(folder: &Path, relative: &Path, hash: &str) -> Result<(bool, Vec<u8>)> {
    let target = folder.join(relative);
    let beside = path_beside(relative)?;
    for (waits, place) in [(true, beside.as_path()), (false, relative)] {
        refuse_symlinks(folder, place).map_err(|error| refused(folder, &error.to_string()))?;
        match read_if_present(&folder.join(place), FILE_LIMIT)? {
            Some(bytes) if hash_of(&bytes) == hash => return Ok((waits, bytes)),
            Some(_) | None => {}
        }
    }
    let why = format!("the new content of `{}` is not there", shown(&target));
    Err(refused(folder, &why).into())
}

/// Makes the renames durable, then removes the journal.
pub(super) fn finish<'a>(folder: &Path, files: impl Iterator<Item = &'a Path>) -> Result<()> {
    sync_folders(folder, files)?;
    let journal = folder.join(JOURNAL);
    match fs::remove_file(&journal) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(explain("removed", &journal, &error).into()),
        _ => sync_folder(folder),
    }
}

pub(super) fn sync_folders<'a>(folder: &Path, files: impl Iterator<Item = &'a Path>) -> Result<()> {
    let folders: BTreeSet<PathBuf> = files.map(|file| parent_of(&folder.join(file)).to_path_buf()).collect();
    folders.iter().try_for_each(|place| sync_folder(place))
}

pub(super) fn hash_of(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
