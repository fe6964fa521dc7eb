//! Which repository a folder stands in, told by what lies there; nothing is opened.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::words::one_line;
use crate::error::{Failure, Result};

/// What stands around a folder.
pub(super) enum Around {
    /// The top of a work tree, and the repository's folder.
    WorkTree(PathBuf, PathBuf),
    /// A repository without a work tree.
    Bare(PathBuf),
    Nothing,
}

pub(super) fn bare(place: &Path) -> Failure {
    let shown = one_line(place.as_os_str().as_encoded_bytes());
    let failure = Failure::failed(format!("`{shown}` is a bare repository: it has no files to work on"));
    match shlex::try_quote(&shown) {
        Ok(quoted) => failure.hint(format!("git clone -- {quoted} ~/work")),
        Err(_) => failure.hint("work in a clone of it"),
    }
}

/// Whether it looks like a repository's own folder (gitrepository-layout).
pub(super) fn is_directory(folder: &Path) -> bool {
    fs::symlink_metadata(folder.join("HEAD")).is_ok()
}

/// The nearest folder upward with a `.git` that is a repository, and that repository's folder.
pub(super) fn find_upward(folder: &Path) -> Result<Around> {
    for root in folder.ancestors() {
        let place = root.join(".git");
        let Ok(metadata) = fs::metadata(&place) else {
            let is_own = root.components().any(|component| component.as_os_str() == ".git");
            if !is_own && is_directory(root) && root.join("objects").is_dir() && root.join("refs").is_dir() {
                return Ok(Around::Bare(root.to_path_buf()));
            }
            continue;
        };
        if metadata.is_dir() && is_directory(&place) {
            return Ok(Around::WorkTree(root.to_path_buf(), place));
        }
        if metadata.is_file() {
            return match directory_of_file(root, &place) {
                Some(directory) => Ok(Around::WorkTree(root.to_path_buf(), directory)),
                None => {
                    let shown = one_line(place.as_os_str().as_encoded_bytes());
                    Err(Failure::failed(format!("`{shown}` leads to no repository"))
                        .hint("git worktree repair")
                        .into())
                }
            };
        }
    }
    Ok(Around::Nothing)
}

/// Where a `.git` file of a linked work tree or a submodule leads (gitrepository-layout).
fn directory_of_file(root: &Path, file: &Path) -> Option<PathBuf> {
    let mut text = String::new();
    fs::File::open(file).ok()?.take(8192).read_to_string(&mut text).ok()?;
    let directory = root.join(text.strip_prefix("gitdir:")?.trim());
    is_directory(&directory).then_some(directory)
}
