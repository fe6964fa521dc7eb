//! The sops files below a folder, found by looking into each file that may be one. Follows no links, enters nothing that
//! git ignores.

use std::fs;
use std::path::Path;

use secretree::adoption::Found;
use secretree::error::{Failure, Result};
use secretree::files::{FILE_LIMIT, read_bounded};
use secretree::formats::sops;
use secretree::git::Repository;

/// More entries than a tree of sources has.
const MOST_ENTRIES: usize = 500_000;
/// Folders in which nobody keeps secrets, and which hold very many files.
const SKIPPED: [&str; 2] = [".git", "node_modules"];

/// All of them, sorted by path.
pub(super) fn sops_files(folder: &Path, repository: Option<&Repository>) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    let mut seen = 0;
    while let Some(current) = open.pop() {
        let cannot = |error: std::io::Error| Failure::failed(format!("cannot read `{}`: {error}", current.display()));
        for entry in fs::read_dir(&current).map_err(cannot)? {
            seen += 1;
            if seen > MOST_ENTRIES {
                return Err(Failure::failed("there are more files here than can be looked through")
                    .hint("run it in the folder of the sops files, with their `.sops.yaml`")
                    .into());
            }
            let entry = entry.map_err(cannot)?;
            let path = entry.path();
            let kind = entry.file_type().map_err(cannot)?;
            let name = entry.file_name();
            let name = name.to_str().unwrap_or_default();
            if kind.is_dir() {
                if !SKIPPED.contains(&name) && !is_ignored(repository, &path) {
                    open.push(path);
                }
            } else if kind.is_file() && may_be_one(name) && entry.metadata().is_ok_and(|file| file.len() <= FILE_LIMIT)
            {
                let relative = path.strip_prefix(folder).ok().and_then(Path::to_str);
                let bytes = read_bounded(&path, FILE_LIMIT)?;
                if let (Some(relative), Some(kind)) = (relative, sops::kind_of(&path, &bytes)) {
                    let path = relative.to_owned();
                    found.push(Found { path, kind });
                }
            }
        }
    }
    found.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(found)
}

/// Whether sops may have written a file of this name: it keeps the extension, and makes JSON of what it does not know.
fn may_be_one(name: &str) -> bool {
    let mut parts = name.rsplit('.');
    matches!(
        parts.next(),
        Some("yaml" | "yml" | "json" | "ini" | "env" | "enc" | "sops")
    ) || name
        .split('.')
        .any(|part| part == "env" || part == "enc" || part == "sops")
}

fn is_ignored(repository: Option<&Repository>, path: &Path) -> bool {
    let relative = repository.and_then(|repository| Some((repository, path.strip_prefix(repository.root()).ok()?)));
    relative.is_some_and(|(repository, relative)| repository.is_ignored(relative).unwrap_or(false))
}
