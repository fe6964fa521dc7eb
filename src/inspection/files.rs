//! The environments' files as anyone can read them: each is read and parsed once, also where several environments build on
//! it, and goes through the rules for files and for environments.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::past::{Bygone, snapshot};
use super::program::program;
use super::{Scene, Steps, failure};
use crate::checks::{Parsed, Standing, Subject, examine, examine_environment, made_readable};
use crate::error::{Failure, Result};
use crate::finding::Finding;
use crate::history::Present;
use crate::names::EnvironmentName;
use crate::policy::POLICY_NAME;
use crate::vault::{EnvironmentFile, Reading, Vault};

/// The files of the environments that are looked at and of those that they build on.
pub(super) struct Texts(BTreeMap<EnvironmentName, Text>);

struct Text {
    /// The file as findings name it.
    shown: PathBuf,
    program: String,
    file: Result<EnvironmentFile, Failure>,
    /// The file in the last commit, where values that may stand readable are compared with it.
    before: Vec<String>,
}

impl Texts {
    pub(super) fn load(vault: &Vault<'_>, scene: &Scene, names: &[EnvironmentName]) -> Self {
        let loaded = vault.loaded();
        let mut texts = BTreeMap::new();
        let wanted = names.iter().filter_map(|name| loaded.policy.environment(name));
        for environment in wanted.flat_map(|environment| loaded.policy.layers(environment)) {
            let name = &environment.name;
            texts.entry(name.clone()).or_insert_with(|| {
                let file = vault.load(name).map_err(failure);
                let before = match &file {
                    Ok(file) if !environment.plaintext.is_empty() => vault.committed_before(file),
                    _ => None,
                };
                Text {
                    shown: scene.prefix.join(&environment.file),
                    program: program(&scene.folder, loaded, name),
                    file,
                    before: before.into_iter().collect(),
                }
            });
        }
        Self(texts)
    }
}

impl Texts {
    /// The files as history knows them; of environments that are not looked at, too, since their files may have been another's.
    pub(super) fn present(&self, vault: &Vault<'_>) -> Present {
        let mut present = Present::new();
        for name in vault.loaded().policy.environments.keys() {
            let text = match self.0.get(name) {
                Some(text) => text.file.as_ref().ok().and_then(|file| file.text.clone()),
                None => vault.load(name).ok().and_then(|file| file.text),
            };
            present.extend(text.map(|text| (name.clone(), snapshot(&text))));
        }
        present
    }
}

/// What the rules look at, by environment; nothing where there is no file.
pub(super) struct Subjects<'t>(BTreeMap<EnvironmentName, (Option<Subject<'t>>, &'t Path, &'t str)>);

impl<'t> Subjects<'t> {
    pub(super) fn parse<'p: 't>(vault: &Vault<'p>, texts: &'t Texts) -> Result<Self> {
        let mut subjects = BTreeMap::new();
        for (name, text) in &texts.0 {
            let rules = vault.rules(name)?;
            let (shown, program) = (text.shown.as_path(), text.program.as_str());
            let subject = match &text.file {
                Err(failure) => Some(Subject::unusable(shown, rules, failure.clone(), program)),
                Ok(file) => file
                    .text
                    .as_ref()
                    .map(|own| Subject::environment(shown, own.as_bytes(), rules, &text.before, program)),
            };
            subjects.insert(name.clone(), (subject, shown, program));
        }
        Ok(Self(subjects))
    }

    /// What the rules find that need no key.
    pub(super) fn examine(
        &self,
        vault: &Vault<'_>,
        names: &[EnvironmentName],
        bygone: &Bygone,
        steps: &mut Steps<'_>,
    ) -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        for name in names {
            let Some((subject, shown, program)) = self.0.get(name) else {
                continue;
            };
            let mut found = subject.as_ref().map(examine).unwrap_or_default();
            let rules = vault.rules(name)?;
            let bases: Vec<_> = rules
                .policy
                .layers(rules.environment)
                .into_iter()
                .filter(|layer| layer.name != *name)
                .filter_map(|layer| self.0.get(&layer.name))
                .map(|(subject, ..)| subject.as_ref())
                .collect();
            let reading = subject.as_ref().and_then(reading);
            let standing = Standing {
                rules,
                file: shown,
                program,
                reading,
                is_absent: subject.is_none(),
                bases: bases.iter().filter_map(|base| reading_of(*base)).collect(),
                is_cut: bases.iter().any(|base| base.is_some() && reading_of(*base).is_none())
                    || (subject.is_some() && reading.is_none()),
            };
            found.extend(examine_environment(&standing));
            found.extend(bygone.examine(&standing));
            let is_readable = found.iter().any(|finding| finding.code.name == "plaintext-value");
            if let Some(reading) = reading.filter(|_| !is_readable) {
                let failure = vault.made_readable(reading)?;
                found.extend(failure.map(|failure| made_readable(&standing, &failure)));
            }
            findings.extend(found);
            steps.step();
        }
        Ok(findings)
    }

    /// The readings of these environments, with file and program.
    pub(super) fn into_readings(self) -> impl Iterator<Item = (EnvironmentName, Reading<'t>, &'t Path, &'t str)> {
        self.0
            .into_iter()
            .filter_map(|(name, (subject, shown, program))| match subject?.parsed {
                Parsed::Whole(Some(reading)) => Some((name, reading, shown, program)),
                _ => None,
            })
    }
}

fn reading<'s, 't>(subject: &'s Subject<'t>) -> Option<&'s Reading<'t>> {
    match &subject.parsed {
        Parsed::Whole(reading) => reading.as_ref(),
        Parsed::Footless { .. } | Parsed::Broken { .. } => None,
    }
}

fn reading_of<'s, 't>(subject: Option<&'s Subject<'t>>) -> Option<&'s Reading<'t>> {
    subject.and_then(reading)
}

/// A policy that cannot be used, as findings. `folder` is where it stands, relative to the top of the repository.
pub fn broken_policy(folder: &Path, text: &str, failure: Failure) -> Vec<Finding> {
    let file = folder.join(POLICY_NAME);
    examine(&Subject::policy(&file, text, Some(failure), "secretree"))
}
