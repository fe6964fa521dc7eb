//! Private keys within reach of others: files that git tracks beside policies and environments, and the files of the
//! identities that are used here.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::{Order, Scene};
use crate::checks::{KeyFile, KeyPlace, examine_key_file};
use crate::error::Result;
use crate::finding::Finding;
use crate::vault::Vault;

/// The largest file that is taken for one of keys, in bytes.
const LARGEST: usize = 64 << 10;

pub(super) fn find(vault: &Vault<'_>, scene: &Scene, order: &Order<'_>) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for path in order.identity_files {
        let Ok(metadata) = path.metadata() else { continue };
        if metadata.is_file() {
            findings.extend(examine_key_file(&KeyFile {
                file: path,
                place: KeyPlace::Used(metadata.mode()),
            }));
        }
    }
    let repository = vault
        .repository()
        .filter(|repository| repository.unreadable().is_none());
    let Some(repository) = repository else {
        return Ok(findings);
    };
    let policy = &vault.loaded().policy;
    let policies = policy.files.iter().map(|(folder, _)| scene.prefix.join(folder));
    let own: BTreeSet<PathBuf> = policy
        .environments
        .values()
        .map(|one| scene.prefix.join(&one.file))
        .collect();
    let folders: BTreeSet<PathBuf> = own
        .iter()
        .filter_map(|file| file.parent().map(Path::to_owned))
        .chain(policies)
        .collect();
    for (file, blob) in repository.staged_in(&folders)? {
        if own.contains(&file) {
            continue;
        }
        let bytes = repository.blob_up_to(blob, LARGEST)?;
        if let Some(bytes) = bytes {
            findings.extend(examine_key_file(&KeyFile {
                file: &file,
                place: KeyPlace::Tracked(&bytes),
            }));
        }
    }
    Ok(findings)
}
