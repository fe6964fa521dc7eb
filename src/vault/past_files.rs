//! Where an environment's file stood in the history behind a commit, as the policies of then say, and which commit brought
//! a text into it. What the footers there say is `past`'s.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::past::Origin;
use crate::document::tree::{Node, Rules, Tree};
use crate::error::Result;
use crate::git::{CommitId, Repository};
use crate::policy::{EnvironmentPolicy, POLICY_NAME};

/// Where an environment's file ever stood, by the policy's history.
#[derive(Debug)]
pub(super) struct PastFiles {
    /// Relative to the repository's root, the present one first.
    pub(super) files: Vec<PathBuf>,
    /// The ids that the root policy had.
    pub(super) ids: BTreeSet<String>,
    /// Whether no object was missing.
    pub(super) complete: bool,
}

/// The files that the environment had in the history behind `head`, at `stop_at` and not behind it.
pub(super) fn past_files(
    repository: &Repository,
    head: Option<CommitId>,
    stop_at: Option<CommitId>,
    root_folder: &Path,
    environment: &EnvironmentPolicy,
) -> Result<PastFiles> {
    let mut past = PastFiles {
        files: vec![root_folder.join(&environment.file)],
        ids: BTreeSet::new(),
        complete: true,
    };
    let Some(head) = head else { return Ok(past) };
    let mut folders = vec![PathBuf::new()];
    if !environment.folder.as_os_str().is_empty() {
        folders.push(environment.folder.clone());
    }
    for folder in folders {
        let policy = root_folder.join(&folder).join(POLICY_NAME);
        let mut versions = repository.versions(&policy, head, stop_at)?;
        for version in &mut versions {
            let blob = repository.blob(version?.blob)?;
            past.complete &= blob.is_some();
            past.learn(blob, root_folder, &folder, environment);
        }
        past.complete &= versions.is_complete();
        if let Some(stop_at) = stop_at {
            // A clone that lost this commit walked its whole history above.
            let blob = repository.blob_at(stop_at, &policy).unwrap_or_default();
            past.learn(blob, root_folder, &folder, environment);
        }
    }
    Ok(past)
}

impl PastFiles {
    /// Learns what a policy in `folder` said.
    fn learn(&mut self, blob: Option<Vec<u8>>, root: &Path, folder: &Path, environment: &EnvironmentPolicy) {
        let Some(Ok(text)) = blob.map(String::from_utf8) else {
            return;
        };
        let Ok(tree) = Tree::parse(&text, Rules::Policy) else {
            return;
        };
        let (id, file) = past_policy(&tree, environment);
        self.ids.extend(id.filter(|_| folder.as_os_str().is_empty()));
        let file = file.map(|file| root.join(folder).join(file));
        if let Some(file) = file.filter(|file| is_plain_relative(file) && !self.files.contains(file)) {
            self.files.push(file);
        }
    }
}

/// The commit that brought a text into one of these files: the oldest behind `head` that holds it.
pub(super) fn origin_of(
    repository: &Repository,
    files: &[PathBuf],
    head: CommitId,
    text: &str,
) -> Result<Option<Origin>> {
    let mut origin: Option<Origin> = None;
    for file in files {
        for version in repository.versions(file, head, None)? {
            let version = version?;
            let blob = repository.blob(version.blob)?.unwrap_or_default();
            let is_older = origin.as_ref().is_none_or(|found| version.time <= found.time);
            if is_older && String::from_utf8_lossy(&blob).contains(text) {
                origin = Some(Origin {
                    commit: Some(version.commit.to_string()),
                    author: version.author_name,
                    time: version.time,
                });
            }
        }
    }
    Ok(origin)
}

fn is_plain_relative(path: &Path) -> bool {
    path.components()
        .all(|component| matches!(component, std::path::Component::Normal(_)))
}

/// The id of an old policy, and the file that it gave the environment.
fn past_policy(tree: &Tree<'_>, environment: &EnvironmentPolicy) -> (Option<String>, Option<String>) {
    let text = |node: &Node<'_>| match node {
        Node::Scalar(scalar) => Some(scalar.content.to_string()),
        _ => None,
    };
    let id = tree.root.get("id").and_then(|entry| text(&entry.value));
    let name = environment.name.as_str();
    let (folder, short) = name.split_once('/').unwrap_or(("", name));
    let file = tree.root.get("environments").and_then(|entry| match &entry.value {
        Node::Mapping(environments) => [name, short].into_iter().find_map(|name| environments.get(name)),
        _ => None,
    });
    let file = file.and_then(|entry| match &entry.value {
        Node::Mapping(fields) => text(&fields.get("file")?.value),
        other => text(other),
    });
    let filled = file.map(|file| match (file.find('{'), file.find('}')) {
        (Some(open), Some(close)) if open < close => format!("{}{folder}{}", &file[..open], &file[close + 1..]),
        _ => file,
    });
    (id, filled)
}
