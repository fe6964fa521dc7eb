//! The look at what is about to be committed: policy and environment files as the index has them, never as the work tree
//! does. Only what this commit changes is read, so that it costs nothing in a large repository.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::checks::{Subject, examine};
use crate::cure::quoted;
use crate::error::{Failure, Result};
use crate::finding::Finding;
use crate::git::{Content, Git, Repository, Staged, StagedFile};
use crate::policy::{Folders, Gathered, LoadedPolicy, POLICY_NAME, Reach, gather};
use crate::vault::Rulebook;

/// Where the person is, and what else they want looked at.
pub struct Standpoint {
    /// The folder that cures are typed in, absolute, without links.
    pub folder: PathBuf,
    /// Files, relative to the root, that are looked at although the commit does not change them.
    pub also: BTreeSet<PathBuf>,
}

/// What the commit that is being made would bring that must not be committed. Whatever a parent has already is not brought
/// by this commit, so that a merge is only asked for what it made itself.
///
/// # Errors
/// `Failed` if the index or a parent cannot be read.
pub fn examine_staged(repository: &Repository, git: &Git, standpoint: &Standpoint) -> Result<Vec<Finding>> {
    let staged = repository.staged_files(git)?;
    let look = Look {
        staged: &staged,
        root: repository.root(),
        standpoint,
    };
    let policies = look.policies()?;
    let beside = look.beside(&policies)?;
    let mut findings = Vec::new();
    for gathered in policies {
        findings.extend(look.examine(gathered)?);
    }
    findings.extend(beside);
    Ok(findings)
}

pub(super) struct Look<'s> {
    pub(super) staged: &'s Staged<'s>,
    pub(super) root: &'s Path,
    standpoint: &'s Standpoint,
}

impl Look<'_> {
    /// The policies of the index. Where it has none, the one that git does not know yet counts.
    fn policies(&self) -> Result<Vec<Gathered>> {
        let is_policy =
            |file: &&StagedFile| file.is_file && file.path.file_name().is_some_and(|name| name == POLICY_NAME);
        let mut texts = Vec::new();
        for file in self.staged.files().iter().filter(is_policy) {
            let bytes = self.content(file)?;
            texts.push((file.path.clone(), String::from_utf8_lossy(&bytes).into_owned()));
        }
        if texts.is_empty() && self.root.join(POLICY_NAME).symlink_metadata().is_ok() {
            let loaded = LoadedPolicy::read(self.root, self.root, Reach::Everything);
            return Ok(vec![Gathered {
                folder: PathBuf::new(),
                files: Vec::new(),
                policy: loaded
                    .map(|loaded| loaded.policy)
                    .map_err(|error| (PathBuf::from(POLICY_NAME), error.into())),
            }]);
        }
        Ok(gather(&texts, &StagedFolders(self.staged)))
    }

    fn examine(&self, gathered: Gathered) -> Result<Vec<Finding>> {
        let files: Vec<&Path> = gathered.files.iter().map(PathBuf::as_path).collect();
        let changed = self.changed(&files)?;
        let mut findings = Vec::new();
        let blamed = gathered.policy.as_ref().err();
        for (file, is_changed) in files.iter().zip(&changed) {
            let failure = blamed
                .filter(|(path, _)| path == file)
                .map(|(_, failure)| failure.clone());
            if *is_changed || failure.is_some() {
                let bytes = self.staged.get(file).map(|file| self.content(file)).transpose()?;
                let text = String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned();
                findings.extend(examine(&Subject::policy(file, &text, failure, "secretree")));
            }
        }
        let policy = match gathered.policy {
            Ok(policy) => policy,
            // Without a policy that can be read nobody knows what must be encrypted.
            Err((path, failure)) => {
                if findings.is_empty() {
                    findings = examine(&Subject::policy(&path, "", Some(failure), "secretree"));
                }
                return Ok(findings);
            }
        };
        let loaded = LoadedPolicy {
            root_folder: self.root.join(&gathered.folder),
            policy,
            reach: Reach::Everything,
        };
        let is_policy_changed = changed.contains(&true);
        findings.extend(self.environments(&gathered.folder, &loaded, is_policy_changed)?);
        Ok(findings)
    }

    /// What is wrong in the environment files that the commit changes; where it changes the policy, also which values of the
    /// others must not stand readable any more.
    fn environments(&self, folder: &Path, loaded: &LoadedPolicy, is_policy_changed: bool) -> Result<Vec<Finding>> {
        let policy = &loaded.policy;
        let paths: Vec<PathBuf> = policy
            .environments
            .values()
            .map(|environment| folder.join(&environment.file))
            .collect();
        let present = policy.environments.values().zip(&paths);
        let present: Vec<_> = present
            .filter_map(|(environment, path)| Some((environment, path.as_path(), self.staged.get(path)?)))
            .collect();
        let borrowed: Vec<&Path> = present.iter().map(|(_, path, _)| *path).collect();
        let parents = self.staged.in_parents(&borrowed)?;
        let mut findings = Vec::new();
        for (at, (environment, path, file)) in present.into_iter().enumerate() {
            let before: Vec<&Content> = parents.iter().filter_map(|parent| parent[at].as_ref()).collect();
            let is_changed = !before.contains(&&file.content) || self.standpoint.also.contains(path);
            if !is_changed && !is_policy_changed {
                continue;
            }
            let rules = Rulebook { policy, environment };
            let program = self.program(loaded, rules);
            let found = self.environment(path, file, rules, &before, &program)?;
            let counts = |finding: &Finding| is_changed || finding.code.name == "plaintext-value";
            findings.extend(found.into_iter().filter(counts));
        }
        Ok(findings)
    }

    pub(super) fn environment(
        &self,
        path: &Path,
        file: &StagedFile,
        rules: Rulebook<'_>,
        before: &[&Content],
        program: &str,
    ) -> Result<Vec<Finding>> {
        if !file.is_file {
            let message = format!("`{}` is staged as a link, which is not followed", path.display());
            let failure = Failure::failed(message).hint("put the file itself there");
            return Ok(examine(&Subject::unusable(path, rules, failure, program)));
        }
        let bytes = self.content(file)?;
        let mut texts = Vec::new();
        // Only a value that may stand readable is compared with what was there.
        for content in before.iter().filter(|_| !rules.environment.plaintext.is_empty()) {
            let text = self
                .staged
                .read(content)?
                .and_then(|bytes| String::from_utf8(bytes).ok());
            texts.extend(text);
        }
        let findings = examine(&Subject::environment(path, &bytes, rules, &texts, program));
        Ok(findings
            .into_iter()
            .map(|finding| self.with_add(finding, path))
            .collect())
    }

    /// A cure changes the work tree, and what is committed is the index.
    fn with_add(&self, mut finding: Finding, path: &Path) -> Finding {
        let at_root = self.standpoint.folder == self.root;
        let pathspec = match at_root {
            true => path.display().to_string(),
            false => format!(":/{}", path.display()),
        };
        finding.cure = finding
            .cure
            .and_then(|cure| Some(format!("{cure} && git add -- {}", quoted(&pathspec)?)));
        finding
    }

    /// How the program is called so that the environment's name means this one where the person is.
    pub(super) fn program(&self, loaded: &LoadedPolicy, rules: Rulebook<'_>) -> String {
        let (here, name) = (&self.standpoint.folder, &rules.environment.name);
        let is_inside = here.starts_with(&loaded.root_folder);
        let meant = loaded.resolve_environment(name.as_str(), here, None);
        if is_inside && meant.is_ok_and(|meant| meant == *name) {
            return "secretree".to_owned();
        }
        let folder = match loaded.root_folder.strip_prefix(here) {
            Ok(below) if !below.as_os_str().is_empty() => below,
            _ => &loaded.root_folder,
        };
        match folder.to_str().and_then(quoted) {
            Some(folder) => format!("secretree -C {folder}"),
            None => "secretree".to_owned(),
        }
    }

    /// For each of these files, whether the commit changes it, or it is asked for.
    pub(super) fn changed(&self, files: &[&Path]) -> Result<Vec<bool>> {
        let parents = self.staged.in_parents(files)?;
        let changed = files.iter().enumerate().map(|(at, path)| {
            let own = self.staged.get(path).map(|file| &file.content);
            let is_known = parents.iter().any(|parent| parent[at].as_ref() == own);
            !is_known || self.standpoint.also.contains(*path)
        });
        Ok(changed.collect())
    }

    fn content(&self, file: &StagedFile) -> Result<Vec<u8>> {
        self.staged.read(&file.content)?.ok_or_else(|| {
            let shown = file.path.display();
            Failure::failed(format!("what is staged for `{shown}` is not in this clone"))
                .hint(format!("git add -- {shown}"))
                .into()
        })
    }
}

/// The folders that the index has files in.
pub(super) struct StagedFolders<'s>(pub(super) &'s Staged<'s>);

impl Folders for StagedFolders<'_> {
    fn folders(&self, parent: &Path) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for file in self.0.below(parent) {
            let Ok(inside) = file.path.strip_prefix(parent) else {
                continue;
            };
            let mut parts = inside.components();
            let name = parts.next().and_then(|name| name.as_os_str().to_str());
            // Sorted by path, so that the files of one folder follow each other, but for neighbours such as `a-b` and `a`.
            if let (Some(name), Some(_)) = (name, parts.next())
                && names.last().is_none_or(|last| last != name)
            {
                names.push(name.to_owned());
            }
        }
        names.sort();
        names.dedup();
        names
    }

    fn exists(&self, path: &Path) -> bool {
        self.0.get(path).is_some() || !self.0.below(path).is_empty()
    }
}
