//! Which files belonged to which environment: what every policy of the history said about files, and the names that the
//! footers give. So a file that was renamed, or an environment that was, stays one.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::descent::{Arrival, Origin, origins, policy_origins};
use super::revision::{is_plain, policy_folders};
use crate::crypto::label::GrantLabel;
use crate::crypto::public_key::PublicKey;
use crate::document::tree::{Mapping, Node, Rules, Tree};
use crate::error::Result;
use crate::git::{CommitId, Pattern, Repository};
use crate::names::{EnvironmentName, RecipientName};
use crate::policy::{POLICY_NAME, Policy};

/// Folders of policies, and the root policy's, to which they are relative.
#[derive(Clone, Copy)]
struct Folders<'f> {
    root_folder: &'f Path,
    folders: &'f [PathBuf],
}

/// What the policies of the history say about files and people.
#[derive(Debug, Default)]
pub(super) struct Lineage {
    /// The file of each environment that the policy declares now, relative to the repository's root.
    current: BTreeMap<EnvironmentName, PathBuf>,
    /// The environments that ever had a file, the newest policy's first.
    declared: HashMap<PathBuf, Vec<EnvironmentName>>,
    /// The files that each environment ever had by a policy.
    files: BTreeMap<EnvironmentName, BTreeSet<PathBuf>>,
    /// Declarations with a placeholder, by the short name of their environments.
    patterns: BTreeSet<(String, Pattern)>,
    /// The old names of environments that are called otherwise now.
    aliases: BTreeMap<EnvironmentName, EnvironmentName>,
    /// The public keys that each recipient ever had.
    labels: BTreeMap<RecipientName, BTreeSet<GrantLabel>>,
    /// The public keys that were read already.
    known_keys: HashMap<String, Option<GrantLabel>>,
    /// The folders of policy files, relative to the root policy's, which is empty and first.
    pub(super) folders: Vec<PathBuf>,
    /// Whether no object was missing.
    pub(super) complete: bool,
}

impl Lineage {
    /// Reads every policy behind `from`. `root_folder` is the root policy's folder, relative to the repository's root;
    /// `now` the policy that holds now.
    pub(super) fn read(repository: &Repository, root_folder: &Path, now: &Policy, from: &[CommitId]) -> Result<Self> {
        let mut lineage = Self::default();
        for environment in now.environments.values() {
            let file = root_folder.join(&environment.file);
            lineage.learn_file(environment.name.clone(), file.clone());
            lineage.current.insert(environment.name.clone(), file);
        }
        for recipient in now.people.recipients() {
            let labels = recipient.keys.iter().map(|key| key.label().clone());
            lineage.labels.entry(recipient.name.clone()).or_default().extend(labels);
        }
        lineage.complete = true;
        let current: Vec<_> = lineage.current.clone().into_iter().collect();
        let mut arrivals = Vec::new();
        lineage.folders = lineage.learn_root(repository, root_folder, from, &current, &mut arrivals)?;
        lineage.follow(repository, from, arrivals)?;
        Ok(lineage)
    }

    /// Learns the policy in `root_folder` and those below, in all of history, and where these files came from; the folders
    /// of policies.
    fn learn_root(
        &mut self,
        repository: &Repository,
        root_folder: &Path,
        from: &[CommitId],
        files: &[(EnvironmentName, PathBuf)],
        arrivals: &mut Vec<Arrival>,
    ) -> Result<Vec<PathBuf>> {
        // Where a policy stood that no branch has any more is seen where the root's changed.
        let mut changed: Vec<CommitId> = from.to_vec();
        let root = Folders {
            root_folder,
            folders: &[PathBuf::new()],
        };
        self.learn_all(repository, &root, from, files, |commit| changed.push(commit), arrivals)?;
        let (folders, all_trees) = policy_folders(repository, root_folder, &changed)?;
        self.complete &= all_trees;
        let below = Folders {
            folders: &folders[1..],
            ..root
        };
        self.learn_all(repository, &below, from, &[], |_| {}, arrivals)?;
        Ok(folders)
    }

    /// Follows the files of the environments back to where they stood before, whatever they, their environments and the
    /// folder of the policy were called there.
    fn follow(&mut self, repository: &Repository, from: &[CommitId], mut arrivals: Vec<Arrival>) -> Result<()> {
        let mut walked: HashSet<PathBuf> = self.current.values().cloned().collect();
        let mut roots: HashSet<PathBuf> = HashSet::new();
        loop {
            self.aliases = self.renamed();
            let mut more = Vec::new();
            for arrival in std::mem::take(&mut arrivals) {
                self.trace(repository, &arrival, &mut more)?;
            }
            for folder in more {
                if roots.insert(folder.clone()) {
                    self.learn_root(repository, &folder, from, &[], &mut arrivals)?;
                }
            }
            self.aliases = self.renamed();
            let current: Vec<_> = self.current.keys().cloned().collect();
            let mut next = Vec::new();
            for environment in current {
                for path in self.paths_for(&environment) {
                    if walked.insert(path.clone()) {
                        next.push((environment.clone(), path));
                    }
                }
            }
            if next.is_empty() && arrivals.is_empty() {
                return Ok(());
            }
            let nowhere = Folders {
                root_folder: Path::new(""),
                folders: &[],
            };
            self.learn_all(repository, &nowhere, from, &next, |_| {}, &mut arrivals)?;
        }
    }

    /// Learns where a file came from; `roots` are folders where the policy itself stood before.
    fn trace(&mut self, repository: &Repository, arrival: &Arrival, roots: &mut Vec<PathBuf>) -> Result<()> {
        let Some(environment) = &arrival.environment else {
            let (folders, complete) = policy_origins(repository, arrival)?;
            self.complete &= complete;
            roots.extend(folders);
            return Ok(());
        };
        let is_left = |path: &&PathBuf| !self.current.values().any(|now| now == *path);
        let left: Vec<PathBuf> = self.declared.keys().filter(is_left).cloned().collect();
        let (origins, complete) = origins(repository, arrival, &left)?;
        self.complete &= complete;
        for Origin { path, name } in origins {
            if let Some(name) = name.filter(|name| name != environment) {
                self.learn_file(name, path.clone());
            }
            self.learn_file(environment.clone(), path);
        }
        Ok(())
    }

    /// Learns every policy that ever stood in these folders; shows the commits that changed one. Notes where the files, and
    /// the policy itself, arrived.
    fn learn_all(
        &mut self,
        repository: &Repository,
        place: &Folders<'_>,
        from: &[CommitId],
        files: &[(EnvironmentName, PathBuf)],
        mut seen: impl FnMut(CommitId),
        arrivals: &mut Vec<Arrival>,
    ) -> Result<()> {
        let Folders {
            root_folder, folders, ..
        } = *place;
        let policies = folders.iter().map(|folder| root_folder.join(folder).join(POLICY_NAME));
        let paths: Vec<PathBuf> = policies.chain(files.iter().map(|(_, path)| path.clone())).collect();
        if paths.is_empty() {
            return Ok(());
        }
        let borrowed: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
        let mut known = HashSet::new();
        let mut changes = repository.changes(&borrowed, from, &[])?;
        for change in &mut changes {
            let change = change?;
            let file = change.path.checked_sub(folders.len()).map(|at| &files[at]);
            let has_come = !change.before.is_empty() && change.before.iter().all(Option::is_none);
            if let Some(blob) = change.blob.filter(|_| has_come) {
                arrivals.push(Arrival {
                    environment: file.map(|(environment, _)| environment.clone()),
                    path: paths[change.path].clone(),
                    commit: change.commit,
                    blob,
                });
            }
            if file.is_some() {
                continue;
            }
            seen(change.commit);
            for blob in change
                .blob
                .into_iter()
                .filter(|blob| known.insert((change.path, *blob)))
            {
                match repository.blob(blob)? {
                    Some(bytes) => self.learn(place, &folders[change.path], &bytes),
                    None => self.complete = false,
                }
            }
        }
        self.complete &= changes.is_complete();
        Ok(())
    }

    /// Learns what the policy in `folder` (relative to the root's) plainly says, well-formed as a whole or not.
    fn learn(&mut self, place: &Folders<'_>, folder: &Path, bytes: &[u8]) {
        let root_folder = place.root_folder;
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        let Ok(tree) = Tree::parse(text, Rules::Policy) else {
            return;
        };
        // Another project's, with files and people of its own; or ours where it stood before.
        if !folder.as_os_str().is_empty() && tree.root.get("id").is_some() {
            return;
        }
        for (name, file) in declared_files(&tree, folder) {
            self.learn_declaration(root_folder, &name, &file);
        }
        if folder.as_os_str().is_empty()
            && let Some(recipients) = mapping_of(&tree.root, "recipients")
        {
            self.learn_people(recipients);
        }
    }

    fn learn_declaration(&mut self, root_folder: &Path, name: &str, file: &Path) {
        let whole = root_folder.join(file);
        let text = file.to_string_lossy();
        if !text.contains('{') {
            if let Some(name) = EnvironmentName::new(name).filter(|_| is_plain(&whole)) {
                self.learn_file(name, whole);
            }
            return;
        }
        let is_placeholder = |part: &str| part.starts_with('{') && part.ends_with('}');
        let parts: Vec<&str> = text.split('/').collect();
        if let Some(place) = parts.iter().position(|part| is_placeholder(part)) {
            let parent = root_folder.join(parts[..place].iter().collect::<PathBuf>());
            let rest: PathBuf = parts[place + 1..].iter().collect();
            if is_plain(&parent.join("x").join(&rest)) {
                self.patterns.insert((name.to_owned(), Pattern { parent, rest }));
            }
        }
    }

    fn learn_file(&mut self, name: EnvironmentName, file: PathBuf) {
        let owners = self.declared.entry(file.clone()).or_default();
        if !owners.contains(&name) {
            owners.push(name.clone());
        }
        self.files.entry(name).or_default().insert(file);
    }

    fn learn_people(&mut self, recipients: &Mapping<'_>) {
        for entry in &recipients.entries {
            let (Some(name), Node::Mapping(fields)) = (RecipientName::new(&entry.key.name), &entry.value) else {
                continue;
            };
            let Some(Node::Sequence(keys)) = fields.get("keys").map(|entry| &entry.value) else {
                continue;
            };
            for item in &keys.items {
                let Node::Scalar(key) = &item.value else { continue };
                let text: &str = &key.content;
                if !self.known_keys.contains_key(text) {
                    let label = PublicKey::parse(text).ok().map(|key| key.label().clone());
                    self.known_keys.insert(text.to_owned(), label);
                }
                let label = self.known_keys.get(text).cloned().flatten();
                self.labels.entry(name.clone()).or_default().extend(label);
            }
        }
    }

    /// The files to walk: every one that an environment ever had.
    pub(super) fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        self.declared.keys()
    }

    /// The patterns to walk.
    pub(super) fn patterns(&self) -> Vec<Pattern> {
        let patterns: BTreeSet<&Pattern> = self.patterns.iter().map(|(_, pattern)| pattern).collect();
        patterns.into_iter().cloned().collect()
    }

    /// Every environment that a policy ever declared, without those that only patterns gave.
    pub(super) fn environments(&self) -> impl Iterator<Item = &EnvironmentName> {
        self.files.keys()
    }

    /// The recipients that a policy ever named, with the labels of the public keys that they ever had.
    pub(super) fn people(&self) -> &BTreeMap<RecipientName, BTreeSet<GrantLabel>> {
        &self.labels
    }

    /// The names that are no environment's any more, and whose file an environment of another name has, or had.
    fn renamed(&self) -> BTreeMap<EnvironmentName, EnvironmentName> {
        let gone = self.files.iter().filter(|(name, _)| !self.current.contains_key(*name));
        let heir = |files: &BTreeSet<PathBuf>| files.iter().find_map(|file| self.heir(file).cloned());
        gone.filter_map(|(name, files)| Some((name.clone(), heir(files)?)))
            .collect()
    }

    /// The environment that has this file now, or else had it once, among those that there are.
    fn heir(&self, file: &Path) -> Option<&EnvironmentName> {
        let declared = self.declared.get(file).map(Vec::as_slice).unwrap_or_default();
        let now = declared
            .iter()
            .find(|name| self.current.get(*name).is_some_and(|now| now == file));
        now.or_else(|| declared.iter().find(|name| self.current.contains_key(*name)))
    }

    /// Whose a content of `file` is; `footer` is the environment that it says itself. A name that exists now is believed;
    /// another one is the old name of the environment that has, or had, this file.
    pub(super) fn owner(&self, file: &Path, footer: Option<&EnvironmentName>) -> Option<EnvironmentName> {
        if let Some(name) = footer.filter(|name| self.current.contains_key(*name)) {
            return Some(name.clone());
        }
        let declared = self.declared.get(file).and_then(|declared| declared.first());
        let name = footer.or(declared);
        let heir = self.heir(file).or_else(|| self.aliases.get(name?));
        heir.or(name).cloned().or_else(|| self.by_pattern(file))
    }

    /// What an environment is called now.
    pub(super) fn present_name<'n>(&'n self, name: &'n EnvironmentName) -> &'n EnvironmentName {
        self.aliases.get(name).unwrap_or(name)
    }

    /// The files that must be walked for one environment: those it had under any name, and those that patterns give it.
    pub(super) fn paths_for(&self, environment: &EnvironmentName) -> BTreeSet<PathBuf> {
        let old = self
            .aliases
            .iter()
            .filter(|(_, now)| *now == environment)
            .map(|(old, _)| old);
        let names: Vec<&EnvironmentName> = old.chain([environment]).collect();
        let mut paths: BTreeSet<PathBuf> = names.iter().flat_map(|name| self.files_of(name)).cloned().collect();
        for name in names {
            let Some((folder, short)) = name.as_str().split_once('/') else {
                continue;
            };
            let fitting = self.patterns.iter().filter(|(known, _)| known == short);
            paths.extend(fitting.map(|(_, pattern)| pattern.parent.join(folder).join(&pattern.rest)));
        }
        paths
    }

    /// Whether another environment that there is has, or had, a file of this one.
    pub(super) fn shares_files(&self, environment: &EnvironmentName) -> bool {
        let files = self.paths_for(environment);
        let owners = files.iter().filter_map(|file| self.declared.get(file)).flatten();
        let mut others = owners.filter(|name| *name != environment);
        others.any(|name| self.current.contains_key(name))
    }

    /// The file that the environment has now.
    pub(super) fn current_file(&self, environment: &EnvironmentName) -> Option<&PathBuf> {
        self.current.get(environment)
    }

    /// Every file in which a content of `environment` may stand, by a policy.
    pub(super) fn files_of(&self, environment: &EnvironmentName) -> impl Iterator<Item = &PathBuf> {
        self.files.get(environment).into_iter().flatten()
    }

    fn by_pattern(&self, file: &Path) -> Option<EnvironmentName> {
        self.patterns.iter().find_map(|(short, pattern)| {
            let behind = file.strip_prefix(&pattern.parent).ok()?;
            let folder = behind.components().next()?.as_os_str().to_str()?;
            let fits = behind.strip_prefix(folder).ok()? == pattern.rest;
            EnvironmentName::new(&format!("{folder}/{short}")).filter(|_| fits)
        })
    }
}

fn mapping_of<'t, 'a>(mapping: &'t Mapping<'a>, name: &str) -> Option<&'t Mapping<'a>> {
    match &mapping.get(name)?.value {
        Node::Mapping(found) => Some(found),
        _ => None,
    }
}

/// The environments that the text of a policy in `folder` declares, by full name, and their files, relative to the root
/// policy's folder. With a placeholder in the file, the name is the short one.
pub(super) fn declared_files(tree: &Tree<'_>, folder: &Path) -> Vec<(String, PathBuf)> {
    let Some(environments) = mapping_of(&tree.root, "environments") else {
        return Vec::new();
    };
    let mut files = Vec::new();
    for entry in &environments.entries {
        let Node::Mapping(fields) = &entry.value else { continue };
        let Some(Node::Scalar(file)) = fields.get("file").map(|entry| &entry.value) else {
            continue;
        };
        let name = match folder.file_name().and_then(|last| last.to_str()) {
            Some(last) => format!("{last}/{}", &*entry.key.name),
            None => entry.key.name.to_string(),
        };
        files.push((name, folder.join(&*file.content)));
    }
    files
}
