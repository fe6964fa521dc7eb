//! What holds around a merge that git is in the middle of: the policy, the commits that come in, how conflicts are shown.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::Arc;

use secretree::error::{Failure, Result};
use secretree::git::{CommitId, Repository};
use secretree::history::{PolicyState, Revision};
use secretree::names::EnvironmentName;
use secretree::policy::{LoadedPolicy, POLICY_NAME, Reach};

use super::nearest_folder;
use crate::context::Context;

/// How git names a commit that it merges in the environment of its strategies: the hash stands in the name.
const MERGED: &str = "GITHEAD_";

/// Whether the common ancestor's text is to stand between the markers too.
pub(super) fn shows_base(context: &Context) -> bool {
    let style = context
        .repository()
        .ok()
        .flatten()
        .and_then(|repository| repository.config("merge.conflictStyle").ok().flatten());
    style.is_some_and(|style| style == "diff3" || style == "zdiff3")
}

/// The policy that governs the file, and its environment: the work tree's, which is our side's, or HEAD's where that one
/// cannot be read. What the merged branch says of readers counts for nothing here.
pub(super) fn policy(context: &Context, file: &Path) -> Result<(LoadedPolicy, EnvironmentName)> {
    let repository = context.repository()?;
    let root = match &repository {
        Some(repository) => repository.root().to_path_buf(),
        None => secretree::files::real_path(context.folder())?,
    };
    let start = nearest_folder(&root, file);
    let found = LoadedPolicy::load(&start, Some(&root), Reach::Near).and_then(|loaded| with_name(loaded, &root, file));
    let Err(error) = found else { return found };
    let head = repository
        .as_ref()
        .and_then(|repository| repository.head().ok().flatten());
    if let (Some(repository), Some(head)) = (&repository, head) {
        for folder in file.ancestors().skip(1) {
            let PolicyState::Sound(policy) = Revision::read(repository, folder, head)?.policy else {
                continue;
            };
            let loaded = LoadedPolicy {
                root_folder: root.join(folder),
                policy: Arc::unwrap_or_clone(policy),
                reach: Reach::Everything,
            };
            if let Ok(found) = with_name(loaded, &root, file) {
                return Ok(found);
            }
        }
    }
    Err(error)
}

fn with_name(loaded: LoadedPolicy, root: &Path, file: &Path) -> Result<(LoadedPolicy, EnvironmentName)> {
    let folder = secretree::files::real_path(&loaded.root_folder)?;
    let whole = root.join(file);
    let environment = whole
        .strip_prefix(&folder)
        .ok()
        .and_then(|relative| loaded.policy.environment_of_file(relative));
    match environment.map(|environment| environment.name.clone()) {
        Some(name) => Ok((loaded, name)),
        None => Err(Failure::failed(format!(
            "`{}` is the file of no environment in {POLICY_NAME}",
            file.display()
        ))
        .hint("secretree list")
        .into()),
    }
}

/// The commits that are merged, as far as git says which: each has just this text of the file.
pub(super) fn merged_commits(
    context: &Context,
    repository: &Repository,
    file: &Path,
    labels: &[OsString],
    theirs: &[u8],
) -> Vec<CommitId> {
    let named = context.variables.all().keys();
    let named = named.filter_map(|name| OsStr::to_str(name)?.strip_prefix(MERGED).map(str::to_owned));
    let mut revisions: Vec<String> = named.collect();
    // Rebase and cherry-pick call it `1a2b3c4 (subject)`, revert `parent of 1a2b3c4 (subject)`.
    if let Some(label) = labels.get(2) {
        let label = label.to_string_lossy();
        let (label, parent) = match label.strip_prefix("parent of ") {
            Some(label) => (label, "^"),
            None => (&*label, ""),
        };
        let hash = label.split([' ', '.']).next().unwrap_or_default();
        if hash.len() >= 4 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            revisions.push(format!("{hash}{parent}"));
        }
    }
    revisions.push("refs/stash".to_owned());
    let mut commits: Vec<CommitId> = revisions
        .iter()
        .filter_map(|revision| repository.resolve(revision).ok())
        .filter(|commit| {
            let blob = repository.blob_at(*commit, file);
            blob.is_ok_and(|blob| blob.as_deref() == Some(theirs))
        })
        .collect();
    commits.sort_unstable();
    commits.dedup();
    commits
}
