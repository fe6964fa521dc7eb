//! Where a file came from that a commit brought: the file that held the same values, or stood under the same key, until
//! then. So an environment keeps its past when name, file and policy move in one commit; versions tell, not names.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::snapshot::Snapshot;
use crate::document::tree::{Node, Rules, Tree};
use crate::error::Result;
use crate::git::{BlobId, CommitId, Repository};
use crate::names::{EnvironmentName, KeyId};
use crate::policy::{LONGEST_POLICY, POLICY_NAME};

/// A file that a commit brought.
pub(super) struct Arrival {
    /// The environment that has, or had, it; nothing for a policy.
    pub(super) environment: Option<EnvironmentName>,
    pub(super) path: PathBuf,
    pub(super) commit: CommitId,
    pub(super) blob: BlobId,
}

/// Where it stood before.
pub(super) struct Origin {
    pub(super) path: PathBuf,
    /// The name that its footer gave it.
    pub(super) name: Option<EnvironmentName>,
}

/// The files of the commit's parents that the arrived one came from; `left` are files that may stand there still. `false`
/// if something is not in this clone.
pub(super) fn origins(repository: &Repository, arrival: &Arrival, left: &[PathBuf]) -> Result<(Vec<Origin>, bool)> {
    let mut complete = true;
    let Some(own) = Signs::read(repository, arrival.blob, &mut complete) else {
        return Ok((Vec::new(), complete));
    };
    let mut origins = Vec::new();
    for parent in repository.commit(arrival.commit)?.parents {
        if !repository.has(parent)? {
            complete = false;
            continue;
        }
        let (mut candidates, is_whole) = repository.gone_since(parent, arrival.commit)?;
        complete &= is_whole;
        for path in left.iter().filter(|path| **path != arrival.path) {
            let blob = repository.blob_id_at(parent, path)?;
            candidates.extend(blob.map(|blob| (path.clone(), blob)));
        }
        candidates.sort();
        candidates.dedup();
        // Nearly always the very content, or another of the same kind of file.
        let (same, others): (Vec<_>, Vec<_>) = candidates.into_iter().partition(|(_, blob)| *blob == arrival.blob);
        let is_alike = |path: &Path| path.extension() == arrival.path.extension();
        let (alike, unlike): (Vec<_>, Vec<_>) = others.into_iter().partition(|(path, _)| is_alike(path));
        for candidates in [same, alike, unlike] {
            let known = origins.len();
            for (path, blob) in candidates {
                let signs = Signs::read(repository, blob, &mut complete);
                if let Some(signs) = signs.filter(|signs| signs.has_some_of(&own)) {
                    let name = signs.name;
                    origins.push(Origin { path, name });
                }
            }
            if origins.len() > known {
                break;
            }
        }
    }
    Ok((origins, complete))
}

/// The folders where the arrived root policy, which its `id` tells, stood in the commit's parents. `false` if something is
/// not in this clone.
pub(super) fn policy_origins(repository: &Repository, arrival: &Arrival) -> Result<(Vec<PathBuf>, bool)> {
    let Some(id) = id_of(repository, arrival.blob)? else {
        return Ok((Vec::new(), true));
    };
    let mut origins = Vec::new();
    let mut complete = true;
    for parent in repository.commit(arrival.commit)?.parents {
        if !repository.has(parent)? {
            complete = false;
            continue;
        }
        let (folders, is_whole) = repository.folders_with(&[parent], POLICY_NAME)?;
        complete &= is_whole;
        for folder in folders {
            let blob = repository.blob_id_at(parent, &folder.join(POLICY_NAME))?;
            if let Some(blob) = blob
                && id_of(repository, blob)?.as_ref() == Some(&id)
            {
                origins.push(folder);
            }
        }
    }
    Ok((origins, complete))
}

/// The `id` that a policy says; nothing if it has none, or is not here.
fn id_of(repository: &Repository, blob: BlobId) -> Result<Option<String>> {
    let bytes = repository.blob_up_to(blob, LONGEST_POLICY)?.unwrap_or_default();
    let Ok(text) = String::from_utf8(bytes) else {
        return Ok(None);
    };
    let tree = Tree::parse(&text, Rules::Policy).ok();
    let id = tree.as_ref().and_then(|tree| match &tree.root.get("id")?.value {
        Node::Scalar(scalar) => Some(scalar.content.to_string()),
        _ => None,
    });
    Ok(id)
}

/// What two contents of one environment have in common, whatever it is called.
struct Signs {
    name: Option<EnvironmentName>,
    key: Option<KeyId>,
    versions: HashSet<u32>,
}

impl Signs {
    /// Those of a content; nothing if it has none.
    fn read(repository: &Repository, blob: BlobId, complete: &mut bool) -> Option<Self> {
        let bytes = match repository.blob(blob) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => {
                *complete = false;
                return None;
            }
            // Too large for an environment file, or damaged: the walk over the files says so.
            Err(_) => return None,
        };
        let is_sealed = bytes.windows(SEALED.len()).any(|part| part == SEALED);
        if !is_sealed {
            return None;
        }
        let snapshot = Snapshot::read(&bytes);
        let seals = snapshot.values().filter_map(|(_, mark)| mark.seal());
        Some(Self {
            versions: seals.map(|seal| seal.number()).collect(),
            name: snapshot.granted().map(|granted| granted.environment.clone()),
            key: snapshot.granted().map(|granted| granted.key.clone()),
        })
    }

    fn has_some_of(&self, other: &Self) -> bool {
        (self.key.is_some() && self.key == other.key) || !self.versions.is_disjoint(&other.versions)
    }
}

/// How every token begins.
const SEALED: &[u8] = b"ENC[age,";
