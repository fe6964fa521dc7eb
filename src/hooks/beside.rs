//! Policies that say more than the staged one: that of the work tree, whose line for a new environment is not staged yet,
//! and those of the parents, whose environment the commit takes out. Their files must not hold readable values either.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use super::staged::{Look, StagedFolders};
use crate::error::Result;
use crate::files::read_if_present;
use crate::finding::Finding;
use crate::git::Content;
use crate::policy::{Gathered, LONGEST_POLICY, LoadedPolicy, POLICY_NAME, Reach, gather};
use crate::vault::Rulebook;

/// The texts of policies, with their paths.
type Texts = Vec<(PathBuf, String)>;

impl Look<'_> {
    /// Readable values in files that the commit changes and that no staged policy names, but one beside it does. `staged`
    /// are the staged policies.
    pub(super) fn beside(&self, staged: &[Gathered]) -> Result<Vec<Finding>> {
        let sound = |gathered: &Gathered| gathered.policy.is_ok();
        if !staged.iter().all(sound) {
            // That alone stops the commit.
            return Ok(Vec::new());
        }
        let mut named: BTreeSet<PathBuf> = staged.iter().flat_map(files_of).collect();
        let places = self.places();
        let here = self.texts_here(&places);
        let mut findings = self.readable_by(
            &here,
            &mut named,
            "the policy that names it is not staged: git add the policy too",
        )?;
        let borrowed: Vec<&Path> = places.iter().map(PathBuf::as_path).collect();
        for parent in self.staged.in_parents(&borrowed)? {
            let texts = self.texts_of(&places, &parent)?;
            findings.extend(self.readable_by(
                &texts,
                &mut named,
                "the commit takes its environment out of the policy; if it is to be readable: git commit --no-verify",
            )?);
        }
        Ok(findings)
    }

    /// Where policies are staged, or stand in the work tree in folders that files are staged in, or stood at the top.
    fn places(&self) -> Vec<PathBuf> {
        let mut folders: HashSet<&Path> = HashSet::from([Path::new("")]);
        for file in self.staged.files() {
            for folder in file.path.ancestors().skip(1) {
                if !folders.insert(folder) {
                    break;
                }
            }
        }
        let is_place = |folder: &&Path| {
            let file = folder.join(POLICY_NAME);
            folder.as_os_str().is_empty()
                || self.staged.get(&file).is_some()
                || self
                    .root
                    .join(file)
                    .symlink_metadata()
                    .is_ok_and(|found| found.is_file())
        };
        let places = folders.into_iter().filter(is_place);
        let mut places: Vec<_> = places.map(|folder| folder.join(POLICY_NAME)).collect();
        places.sort();
        places
    }

    fn texts_here(&self, places: &[PathBuf]) -> Texts {
        let text = |place: &PathBuf| {
            let bytes = read_if_present(&self.root.join(place), LONGEST_POLICY as u64).ok()??;
            Some((place.clone(), String::from_utf8(bytes).ok()?))
        };
        places.iter().filter_map(text).collect()
    }

    fn texts_of(&self, places: &[PathBuf], contents: &[Option<Content>]) -> Result<Texts> {
        let mut texts = Texts::new();
        for (place, content) in places.iter().zip(contents) {
            // What is as it was says nothing new; together with another that changed it may.
            let bytes = content.as_ref().map(|content| self.staged.read(content)).transpose()?;
            let text = bytes.flatten().and_then(|bytes| String::from_utf8(bytes).ok());
            texts.extend(text.map(|text| (place.clone(), text)));
        }
        Ok(texts)
    }

    /// Readable values in the files that these policies name beyond `named`, which learns them.
    fn readable_by(
        &self,
        texts: &[(PathBuf, String)],
        named: &mut BTreeSet<PathBuf>,
        hint: &str,
    ) -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        for gathered in gather(texts, &StagedFolders(self.staged)) {
            let Ok(policy) = gathered.policy else { continue };
            let loaded = LoadedPolicy {
                root_folder: self.root.join(&gathered.folder),
                policy,
                reach: Reach::Everything,
            };
            for environment in loaded.policy.environments.values() {
                let path = gathered.folder.join(&environment.file);
                let Some(file) = self.staged.get(&path).filter(|file| file.is_file) else {
                    continue;
                };
                if !named.insert(path.clone()) || !self.changed(&[path.as_path()])?[0] {
                    continue;
                }
                let rules = Rulebook {
                    policy: &loaded.policy,
                    environment,
                };
                let program = self.program(&loaded, rules);
                let found = self.environment(&path, file, rules, &[], &program)?;
                let readable = found
                    .into_iter()
                    .filter(|finding| finding.code.name == "plaintext-value");
                findings.extend(readable.map(|finding| finding.hint(hint)));
            }
        }
        Ok(findings)
    }
}

fn files_of(gathered: &Gathered) -> Vec<PathBuf> {
    let environments = gathered.policy.iter().flat_map(|policy| policy.environments.values());
    environments
        .map(|environment| gathered.folder.join(&environment.file))
        .collect()
}
