//! What stood at one commit: the policy as it was linked then, with the folders of then, and where each environment had
//! its file. A policy that cannot be read is said to be so, and what it plainly says about files is used all the same.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::lineage::declared_files;
use crate::document::tree::{Rules, Tree};
use crate::error::Result;
use crate::git::{BlobId, CommitId, Repository};
use crate::names::EnvironmentName;
use crate::policy::{Folders, POLICY_NAME, Policy, PolicyFile};

/// Folders in which no policy is looked for.
const SKIPPED: [&str; 2] = ["node_modules", "target"];

/// The policy of a commit.
#[derive(Clone, Debug)]
pub enum PolicyState {
    /// There is none.
    Absent,
    /// It cannot be read, and why: the end of a line.
    Malformed(Arc<str>),
    /// It was read.
    Sound(Arc<Policy>),
}

impl PolicyState {
    /// The policy, if it could be read.
    pub fn sound(&self) -> Option<&Policy> {
        match self {
            Self::Sound(policy) => Some(policy),
            Self::Absent | Self::Malformed(_) => None,
        }
    }
}

/// What stood at one commit.
#[derive(Clone, Debug)]
pub struct Revision {
    /// The commit.
    pub commit: CommitId,
    /// The policy.
    pub policy: PolicyState,
    /// The file of each environment that the policy declares, relative to the repository's root, and its content; `None`
    /// if there was no such file.
    pub environments: BTreeMap<EnvironmentName, (PathBuf, Option<BlobId>)>,
}

impl Revision {
    /// Reads what stood at `commit`. `root_folder` is the root policy's folder, relative to the repository's root (empty
    /// if it is that). Looks for policies further down in the whole tree of the commit.
    ///
    /// # Errors
    /// `Failed` if objects are missing or malformed.
    pub fn read(repository: &Repository, root_folder: &Path, commit: CommitId) -> Result<Self> {
        let folders = policy_folders(repository, root_folder, &[commit])?.0;
        let texts = texts_at(repository, root_folder, &folders, commit)?;
        let policy = linked(repository, root_folder, commit, &texts);
        let mut environments = BTreeMap::new();
        for (name, file) in files_of(&policy, &texts) {
            let file = root_folder.join(file);
            let blob = match is_plain(&file) {
                true => repository.blob_id_at(commit, &file)?,
                false => None,
            };
            environments.insert(name, (file, blob));
        }
        Ok(Self {
            commit,
            policy,
            environments,
        })
    }
}

/// The texts of the policy files of one commit, by folder relative to the root policy's; the root's (empty) among them.
pub(super) type PolicyTexts = BTreeMap<PathBuf, Arc<str>>;

/// The folders below `root_folder` that hold a policy in any of these commits, relative to it, itself (empty) first; and
/// whether no tree was missing.
pub(super) fn policy_folders(
    repository: &Repository,
    root_folder: &Path,
    commits: &[CommitId],
) -> Result<(Vec<PathBuf>, bool)> {
    let (found, complete) = repository.folders_with(commits, POLICY_NAME)?;
    let is_looked_into = |folder: &PathBuf| {
        let mut parts = folder.components();
        !parts.any(|part| {
            SKIPPED
                .iter()
                .any(|skipped| part == Component::Normal(skipped.as_ref()))
        })
    };
    let below = found.iter().filter_map(|folder| folder.strip_prefix(root_folder).ok());
    let mut folders: Vec<PathBuf> = below.map(Path::to_owned).filter(is_looked_into).collect();
    // The shortest first: a `BTreeSet` gives the root's before those below it.
    if folders.first().is_none_or(|folder| !folder.as_os_str().is_empty()) {
        folders.insert(0, PathBuf::new());
    }
    Ok((folders, complete))
}

/// The texts of the policies in `folders` at `commit`.
fn texts_at(repository: &Repository, root_folder: &Path, folders: &[PathBuf], commit: CommitId) -> Result<PolicyTexts> {
    let mut texts = PolicyTexts::new();
    for folder in folders {
        let file = root_folder.join(folder).join(POLICY_NAME);
        if let Some(bytes) = repository.blob_at(commit, &file)? {
            texts.insert(folder.clone(), String::from_utf8_lossy(&bytes).into());
        }
    }
    Ok(texts)
}

/// The policy that these texts are, with the folders of `commit`. A policy further down that has an `id` is another root:
/// neither it nor what is below it counts.
pub(super) fn linked(
    repository: &Repository,
    root_folder: &Path,
    commit: CommitId,
    texts: &PolicyTexts,
) -> PolicyState {
    let Some(root) = texts.get(Path::new("")) else {
        return PolicyState::Absent;
    };
    let folders = FoldersAt {
        repository,
        root_folder,
        commit,
        failed: RefCell::new(None),
    };
    let mut others: Vec<&Path> = Vec::new();
    let linked = PolicyFile::root(root, POLICY_NAME).and_then(|root| {
        let mut nested = Vec::new();
        for (folder, text) in texts.iter().skip(1) {
            let shown = folder.join(POLICY_NAME).display().to_string();
            if others.iter().any(|other| folder.starts_with(other)) {
                continue;
            }
            match PolicyFile::has_id(text, &shown)? {
                true => others.push(folder),
                false => nested.push(PolicyFile::nested(text, &shown, folder)?),
            }
        }
        Policy::link(root, nested, &folders)
    });
    match (linked, folders.failed.into_inner()) {
        (Ok(policy), None) => PolicyState::Sound(Arc::new(policy)),
        (Ok(_), Some(error)) | (Err(error), _) => PolicyState::Malformed(error.to_string().into()),
    }
}

/// The file of each environment, relative to the root policy's folder; from the texts themselves if the policy cannot be
/// read.
pub(super) fn files_of(policy: &PolicyState, texts: &PolicyTexts) -> Vec<(EnvironmentName, PathBuf)> {
    match policy {
        PolicyState::Absent => Vec::new(),
        PolicyState::Sound(policy) => {
            let declared = policy.environments.values();
            declared.map(|one| (one.name.clone(), one.file.clone())).collect()
        }
        PolicyState::Malformed(_) => texts
            .iter()
            .flat_map(|(folder, text)| plain_files(folder, text))
            .collect(),
    }
}

/// What the text of a policy in `folder` plainly says about files without a placeholder.
fn plain_files(folder: &Path, text: &str) -> Vec<(EnvironmentName, PathBuf)> {
    let Ok(tree) = Tree::parse(text, Rules::Policy) else {
        return Vec::new();
    };
    let declared = declared_files(&tree, folder).into_iter();
    let plain = declared.filter(|(_, file)| is_plain(file) && !file.to_string_lossy().contains('{'));
    plain
        .filter_map(|(name, file)| Some((EnvironmentName::new(&name)?, file)))
        .collect()
}

/// Whether a path stays inside the folder it is relative to.
pub(super) fn is_plain(path: &Path) -> bool {
    let mut parts = path.components().peekable();
    parts.peek().is_some() && parts.all(|part| matches!(part, Component::Normal(_)))
}

/// The folders of a commit, for placeholders.
struct FoldersAt<'r> {
    repository: &'r Repository,
    root_folder: &'r Path,
    commit: CommitId,
    /// The first thing that could not be read.
    failed: RefCell<Option<anyhow::Error>>,
}

impl FoldersAt<'_> {
    fn noted<T: Default>(&self, answer: Result<T>) -> T {
        answer.unwrap_or_else(|error| {
            self.failed.borrow_mut().get_or_insert(error);
            T::default()
        })
    }
}

impl Folders for FoldersAt<'_> {
    fn folders(&self, parent: &Path) -> Vec<String> {
        let folder = self.root_folder.join(parent);
        self.noted(self.repository.folders_at(self.commit, &folder))
    }

    fn exists(&self, path: &Path) -> bool {
        let path = self.root_folder.join(path);
        self.noted(self.repository.exists_at(self.commit, &path))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{PolicyState, Revision};
    use crate::git::testing::Sandbox;

    const ROOT: &str = "\
version: 1
id: \"00000000000000000000000000000000\"
recipients:
  alice: {keys: [age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj]}
environments:
  prod: {file: \"services/{service}/prod.yaml\", readers: [alice]}
  dev: {file: dev.yaml, readers: [alice]}
";
    const NESTED: &str = "version: 1\nenvironments:\n  test: {file: test.yaml, readers: [alice]}\n";

    #[test]
    fn policy_folders_and_files_are_those_of_the_commit() {
        let sandbox = Sandbox::new();
        sandbox.commit_file("at/.secrets.yaml", ROOT);
        sandbox.commit_file("at/services/billing/prod.yaml", "x");
        sandbox.commit_file("at/other/.secrets.yaml", NESTED);
        sandbox.commit_file("at/services/shop/x", "x");
        let then = sandbox.commit_file("at/dev.yaml", "dev");
        sandbox.git(&["rm", "-q", "-r", "at/services", "at/other"]);
        sandbox.commit_file("at/.secrets.yaml", &format!("{ROOT}  unknown: field\n"));
        let repository = sandbox.repository();
        let read = |revision: &str| {
            let commit = repository.resolve(revision).unwrap();
            let revision = Revision::read(&repository, Path::new("at"), commit).unwrap();
            let shown = |(name, (file, blob)): (&crate::names::EnvironmentName, &(std::path::PathBuf, Option<_>))| {
                format!("{name} {} {}", file.display(), blob.is_some())
            };
            let files: Vec<_> = revision.environments.iter().map(shown).collect();
            (revision.policy, files)
        };
        let (policy, files) = read(&then);
        assert!(policy.sound().is_some(), "{policy:?}");
        assert_eq!(
            files,
            [
                "billing/prod at/services/billing/prod.yaml true",
                "dev at/dev.yaml true",
                "other/test at/other/test.yaml false",
                "shop/prod at/services/shop/prod.yaml false",
            ]
        );
        // A policy that cannot be read still says where files are.
        let (policy, files) = read("HEAD");
        assert!(
            matches!(&policy, PolicyState::Malformed(why) if why.contains("unknown")),
            "{policy:?}"
        );
        assert_eq!(files, ["dev at/dev.yaml true"]);
    }
}
