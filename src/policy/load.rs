//! Finds the policy files of a folder and reads them: the root upwards, the ones further down on the way or
//! everywhere. The only part of the policy that touches the file system.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Component, Path, PathBuf};

use super::environments::{EnvironmentPolicy, Folders};
use super::file::{LONGEST_POLICY, POLICY_NAME, PolicyFile};
use super::policy::Policy;
use crate::error::{Failure, Result};
use crate::files::read_through;
use crate::names::EnvironmentName;

/// Folders that are never searched for policies.
const SKIPPED: [&str; 3] = [".git", "node_modules", "target"];

/// The most folders that are searched for policies.
const MOST_SEARCHED: usize = 200_000;

/// Which of the policies below the root are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Those on the way from the root to the starting folder, and the others only if a name needs them.
    Near,
    /// All: every folder below the root is looked at, but for `.git`, `node_modules` and `target`.
    Everything,
}

/// A policy and where it was found.
#[derive(Clone, Debug)]
pub struct LoadedPolicy {
    /// The folder of the root policy, as it was reached from the starting folder.
    pub root_folder: PathBuf,
    /// What it says.
    pub policy: Policy,
    /// How far policies below the root were looked for.
    pub reach: Reach,
}

/// The folder of the root policy: the nearest one, from `start` upwards to `bound` (git's root, if there is
/// git), whose policy file has an `id`. `start` and `bound` are absolute, without symlinks.
pub fn find(start: &Path, bound: Option<&Path>) -> Result<PathBuf> {
    let mut without_id = None;
    for folder in start.ancestors() {
        if let Some(text) = read_policy(&folder.join(POLICY_NAME))? {
            if PolicyFile::has_id(&text, POLICY_NAME)? {
                return Ok(folder.to_owned());
            }
            without_id = Some(folder);
        }
        if bound == Some(folder) {
            break;
        }
    }
    let failure = match without_id {
        None => Failure::failed(format!("no `{POLICY_NAME}` here or above")).hint("secretree init"),
        Some(_) => Failure::failed(format!("no `{POLICY_NAME}` here or above has an `id`"))
            .hint("the policy at the top of the repository has one, made by `secretree init`"),
    };
    Err(failure.into())
}

/// The `id` of the policy file `path`; nothing if there is none, or it has no id or is no policy.
pub fn id_of(path: &Path) -> Result<Option<String>> {
    let text = read_policy(path)?;
    Ok(text.and_then(|text| PolicyFile::id(&text)))
}

impl LoadedPolicy {
    /// Finds the root policy from `start` upwards (see [`find`]) and reads it with those below it.
    pub fn load(start: &Path, bound: Option<&Path>, reach: Reach) -> Result<Self> {
        Self::read(&find(start, bound)?, start, reach)
    }

    /// Reads the policy at `root_folder` with those on the way to `start`, or all.
    pub fn read(root_folder: &Path, start: &Path, reach: Reach) -> Result<Self> {
        let text = read_through_journal(root_folder, Path::new(""))?;
        let text = text.ok_or_else(|| Failure::failed(format!("no `{POLICY_NAME}` here")).hint("secretree init"))?;
        let root = PolicyFile::root(&text, POLICY_NAME)?;
        if reach == Reach::Near {
            // When it fails, a name may be one of a policy that was not read: what all of them say counts.
            let near = folders_between(root_folder, start);
            if let Ok(loaded) = Self::read_with(root_folder, root.clone(), &near, Reach::Near) {
                return Ok(loaded);
            }
        }
        Self::read_with(root_folder, root, &folders_below(root_folder)?, Reach::Everything)
    }

    /// The policy in a folder that has one with an `id`, with everything below it.
    pub fn find_at(folder: &Path) -> Result<Self> {
        Self::read(folder, folder, Reach::Everything)
    }

    /// Every folder from `top` downwards that has a policy with an `id`, absolute.
    pub fn roots_in(top: &Path) -> Result<Vec<PathBuf>> {
        let mut open = VecDeque::from([top.to_owned()]);
        let (mut found, mut searched) = (Vec::new(), 0);
        while let Some(folder) = open.pop_front() {
            searched += 1;
            if searched > MOST_SEARCHED {
                break;
            }
            if id_of(&folder.join(POLICY_NAME)).unwrap_or_default().is_some() {
                found.push(folder.clone());
            }
            let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
            let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
            let wanted = folders.filter(|entry| SKIPPED.iter().all(|skipped| entry.file_name() != *skipped));
            let below = wanted.map(|entry| entry.path());
            open.extend(below.filter(|folder| fs::symlink_metadata(folder.join(".git")).is_err()));
        }
        found.sort();
        Ok(found)
    }

    fn read_with(root_folder: &Path, root: PolicyFile, below: &[PathBuf], reach: Reach) -> Result<Self> {
        let mut nested = Vec::new();
        for folder in below {
            let shown_name = format!("{}/{POLICY_NAME}", folder.display());
            if let Some(text) = read_through_journal(root_folder, folder)? {
                nested.push(PolicyFile::nested(&text, &shown_name, folder)?);
            }
        }
        let policy = Policy::link(root, nested, &FoldersBelow(root_folder))?;
        let root_folder = root_folder.to_owned();
        Ok(Self {
            root_folder,
            policy,
            reach,
        })
    }

    /// The same policy with these texts in its files, by folder relative to the root's (which is empty and first).
    pub(super) fn with_texts(&self, texts: &[(&Path, &str)]) -> Result<Self> {
        let mut files = texts.iter().map(|(folder, text)| match folder.as_os_str().is_empty() {
            true => PolicyFile::root(text, POLICY_NAME),
            false => PolicyFile::nested(text, &format!("{}/{POLICY_NAME}", folder.display()), folder),
        });
        let root = files
            .next()
            .ok_or_else(|| Failure::failed("a policy has at least one file"))??;
        let nested = files.collect::<Result<_>>()?;
        Ok(Self {
            root_folder: self.root_folder.clone(),
            policy: Policy::link(root, nested, &FoldersBelow(&self.root_folder))?,
            reach: self.reach,
        })
    }

    /// The policy for a command that was given the environment `text`, read as far as that name needs.
    /// `command` is the verb and is used in hints; see [`LoadedPolicy::resolve_environment`].
    pub fn load_for(
        start: &Path,
        bound: Option<&Path>,
        text: &str,
        command: Option<&str>,
    ) -> Result<(Self, EnvironmentName)> {
        let loaded = Self::load(start, bound, Reach::Near)?;
        match loaded.resolve_environment(text, start, command) {
            Err(_) if loaded.reach == Reach::Near && text.contains('/') => {
                let loaded = Self::read(&loaded.root_folder, start, Reach::Everything)?;
                let name = loaded.resolve_environment(text, start, command)?;
                Ok((loaded, name))
            }
            other => other.map(|name| (loaded, name)),
        }
    }

    /// The environment that `text` means in the folder `start`: in `services/billing`, `prod` means
    /// `billing/prod` if there is one. For a verb that takes ENV and PATH, `command` is the verb, so that the
    /// hint can put the forgotten environment in front of the path.
    pub fn resolve_environment(&self, text: &str, start: &Path, command: Option<&str>) -> Result<EnvironmentName> {
        let environments = &self.policy.environments;
        let inside = start.strip_prefix(&self.root_folder).unwrap_or(Path::new(""));
        for folder in inside.ancestors().filter(|_| !text.contains('/')) {
            let Some(last) = folder.file_name().and_then(|last| last.to_str()) else {
                continue;
            };
            let near = environments.get(format!("{last}/{text}").as_str());
            if let Some(found) = near.filter(|found| found.home.as_deref() == Some(folder)) {
                return Ok(found.name.clone());
            }
        }
        match environments.get(text) {
            Some(found) => Ok(found.name.clone()),
            None => Err(self.no_environment(text, command).into()),
        }
    }

    /// What commands take that were given no environment, as it is meant in the folder `start`.
    pub fn default_environment(&self, start: &Path) -> Result<Option<EnvironmentName>> {
        let default = self.policy.default_environment.as_ref();
        default
            .map(|name| self.resolve_environment(name.as_str(), start, None))
            .transpose()
    }

    /// The absolute path of the environment's file, after looking that no symlink and no deeper policy stands
    /// on the way to it. The file itself need not exist.
    pub fn file(&self, environment: &EnvironmentPolicy) -> Result<PathBuf> {
        let mut path = self.root_folder.clone();
        let mut inside = PathBuf::new();
        let name = &environment.name;
        for component in environment.file.components() {
            path.push(component);
            inside.push(component);
            match fs::symlink_metadata(&path) {
                Err(error) if error.kind() == ErrorKind::NotFound => break,
                Err(error) => return Err(unreadable(&inside, &error).into()),
                Ok(found) if found.is_symlink() => {
                    let message = format!(
                        "{} is a symbolic link, on the way to the file of `{name}`",
                        shown_path(&inside)
                    );
                    return Err(Failure::failed(message).hint("put the file itself there").into());
                }
                Ok(found) if found.is_dir() && !environment.folder.starts_with(&inside) => {
                    if fs::symlink_metadata(path.join(POLICY_NAME)).is_ok() {
                        let message = format!(
                            "the file of `{name}` is in {}, which has its own policy",
                            shown_path(&inside)
                        );
                        return Err(Failure::failed(message)
                            .hint(format!("declare `{name}` in that policy"))
                            .into());
                    }
                }
                Ok(_) => {}
            }
        }
        Ok(self.root_folder.join(&environment.file))
    }
}

/// The folders below `root_folder` down to `start`, relative, the uppermost first.
fn folders_between(root_folder: &Path, start: &Path) -> Vec<PathBuf> {
    let inside = start.strip_prefix(root_folder).unwrap_or(Path::new(""));
    let mut folders: Vec<PathBuf> = inside.ancestors().map(Path::to_owned).collect();
    folders.retain(|folder| !folder.as_os_str().is_empty());
    folders.reverse();
    folders
}

/// Whether `path` stands in a folder that is never searched for policies.
pub(super) fn is_skipped(path: &Path) -> bool {
    let folders = path.parent().into_iter().flat_map(Path::components);
    let skipped = |name: &std::ffi::OsStr| SKIPPED.iter().any(|skipped| name == *skipped);
    folders.map(Component::as_os_str).any(skipped)
}

/// All folders below `root_folder` that have a policy without `id`, relative, sorted. Stops where another
/// root policy or another repository begins.
fn folders_below(root_folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = VecDeque::from([PathBuf::new()]);
    let mut searched = 0;
    while let Some(folder) = open.pop_front() {
        searched += 1;
        if searched > MOST_SEARCHED {
            let message =
                format!("more than {MOST_SEARCHED} folders below the policy: searching them all would take too long");
            return Err(Failure::failed(message).into());
        }
        let here = root_folder.join(&folder);
        let is_root = folder.as_os_str().is_empty();
        // A folder that others may not look into holds nothing for us.
        let Ok(entries) = fs::read_dir(&here) else { continue };
        let mut inner = Vec::new();
        let (mut has_policy, mut is_repository) = (false, false);
        for entry in entries.flatten() {
            let name = entry.file_name();
            has_policy |= name == POLICY_NAME;
            is_repository |= name == ".git";
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder && !SKIPPED.iter().any(|skipped| name == *skipped) {
                inner.push(folder.join(name));
            }
        }
        if !is_root && is_repository {
            continue;
        }
        if !is_root && has_policy {
            let shown_name = folder.join(POLICY_NAME).display().to_string();
            match read_policy(&here.join(POLICY_NAME))? {
                Some(text) if PolicyFile::has_id(&text, &shown_name)? => continue,
                _ => found.push(folder.clone()),
            }
        }
        inner.sort();
        open.extend(inner);
    }
    found.sort();
    Ok(found)
}

/// The text of the policy file in `folder` below the root's, as it is once an interrupted change is finished: a change of
/// several policy files must not be seen half.
fn read_through_journal(root_folder: &Path, folder: &Path) -> Result<Option<String>> {
    match read_through(root_folder, &folder.join(POLICY_NAME))? {
        Some(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        None => read_policy(&root_folder.join(folder).join(POLICY_NAME)),
    }
}

/// The text of a policy file; nothing if there is none.
fn read_policy(path: &Path) -> Result<Option<String>> {
    let failed = |error: &std::io::Error| unreadable(path, error);
    match fs::symlink_metadata(path) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(failed(&error).into()),
        Ok(found) if !found.is_file() => {
            return Err(not_ordinary(path, found.file_type()).into());
        }
        Ok(_) => {}
    }
    let file = File::open(path).map_err(|error| failed(&error))?;
    let mut bytes = Vec::new();
    let limit = u64::try_from(LONGEST_POLICY).expect("a small number") + 1;
    file.take(limit)
        .read_to_end(&mut bytes)
        .map_err(|error| failed(&error))?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(text)),
        // The limit may have cut a character; `PolicyFile` names the real trouble.
        Err(error) if error.as_bytes().len() > LONGEST_POLICY => {
            Ok(Some(String::from_utf8_lossy(error.as_bytes()).into_owned()))
        }
        Err(_) => Err(Failure::failed(format!("{} is no UTF-8 text", shown_path(path))).into()),
    }
}

fn not_ordinary(path: &Path, kind: fs::FileType) -> Failure {
    let path = shown_path(path);
    if kind.is_symlink() {
        return Failure::failed(format!("{path} is a symbolic link, which is not followed"))
            .hint("put the policy itself there");
    }
    let kind = match kind {
        _ if kind.is_dir() => "a folder",
        _ if kind.is_fifo() => "a named pipe",
        _ if kind.is_socket() => "a socket",
        _ => "a device",
    };
    Failure::failed(format!("{path} is {kind}, no ordinary file")).hint("remove it, or put the policy itself there")
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::failed(format!("cannot read {}: {error}", shown_path(path)))
}

/// A path in backticks; paths are shown whole.
fn shown_path(path: &Path) -> String {
    format!("`{}`", path.display().to_string().escape_debug())
}

/// The folders of the work tree.
struct FoldersBelow<'a>(&'a Path);

impl Folders for FoldersBelow<'_> {
    fn folders(&self, parent: &Path) -> Vec<String> {
        let through_link = parent
            .ancestors()
            .any(|folder| self.0.join(folder).is_symlink() && folder != Path::new(""));
        let outside = parent
            .components()
            .any(|component| !matches!(component, Component::Normal(_)));
        let Ok(entries) = fs::read_dir(self.0.join(parent)) else {
            return Vec::new();
        };
        if through_link || outside {
            return Vec::new();
        }
        let folders = entries
            .flatten()
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        folders
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect()
    }

    fn exists(&self, path: &Path) -> bool {
        fs::symlink_metadata(self.0.join(path)).is_ok()
    }
}
