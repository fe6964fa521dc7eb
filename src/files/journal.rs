//! Several files changed as one: new contents stand beside their targets, and a journal that is renamed into
//! place is the moment of change; who finds a journal finishes it. A journal may come with a repository, so it
//! is believed only where it names files of ours, and new contents with the right hash.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::replace::{Access, NewFile, path_beside, remove_leftover};
use super::{FILE_LIMIT, FolderLock, explain, is_plain_relative, parent_of, read_if_present};
use super::{refuse_symlinks, shown, sync_folder};
use crate::error::{Failure, Result};
use crate::names::is_hex;

/// The journal's name in the policy's folder.
pub const JOURNAL: &str = ".secrets.journal";

/// Most files that one change may have.
const FILES_LIMIT: usize = 10_000;

/// The largest journal that is read, in bytes.
const JOURNAL_LIMIT: u64 = 8 << 20;

/// What a journal says: the relative path of each file, and the SHA-256 of its new content in lower-case hex.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Journal {
    format: u32,
    files: BTreeMap<String, String>,
}

impl Journal {
    /// The journal of `folder`, its shape checked; `None` if there is none.
    fn read(folder: &Path) -> Result<Option<Self>> {
        refuse_symlinks(folder, Path::new(JOURNAL))?;
        let Some(bytes) = read_if_present(&folder.join(JOURNAL), JOURNAL_LIMIT)? else {
            return Ok(None);
        };
        let journal: Self = serde_json::from_slice(&bytes).map_err(|_| refused(folder, "it is malformed"))?;
        let well_formed = journal.format == 1
            && (1..=FILES_LIMIT).contains(&journal.files.len())
            && journal.files.iter().all(|(path, hash)| {
                is_plain_relative(Path::new(path)) && path.bytes().all(|byte| byte != 0) && is_hex(hash, 64)
            });
        if well_formed {
            Ok(Some(journal))
        } else {
            Err(refused(folder, "it is malformed").into())
        }
    }
}

/// A journal that is not believed, and what a person can do.
fn refused(folder: &Path, why: &str) -> Failure {
    let journal = shown(&folder.join(JOURNAL));
    Failure::integrity(format!("`{journal}` cannot be finished: {why}"))
        .hint(format!("if no `secretree` wrote it here: git status; rm {journal}"))
}

/// Files that change together or not at all.
pub struct Transaction<'lock> {
    lock: &'lock FolderLock,
    files: BTreeMap<PathBuf, Vec<u8>>,
    new: BTreeMap<PathBuf, NewFile>,
    made_folders: Vec<PathBuf>,
    sealed: bool,
}

/// One step of a change; the process may die between any two.
#[derive(Clone, Debug)]
enum Step {
    Write(PathBuf),
    Seal,
    Place(PathBuf),
    Finish,
}

impl<'lock> Transaction<'lock> {
    /// An empty change in the locked folder.
    pub fn new(lock: &'lock FolderLock) -> Self {
        Self {
            lock,
            files: BTreeMap::new(),
            new: BTreeMap::new(),
            made_folders: Vec::new(),
            sealed: false,
        }
    }

    /// Gives the file `relative` (to the locked folder, UTF-8) new content; the last call for a path counts.
    #[must_use]
    pub fn add(mut self, relative: impl Into<PathBuf>, bytes: Vec<u8>) -> Self {
        self.files.insert(relative.into(), bytes);
        self
    }

    /// Changes all files; folders are made as needed. A pending journal must have been finished before.
    ///
    /// # Errors
    /// `Failed` if a path is unfit, or a file cannot be written: nothing is changed then and nothing left
    /// behind. If only the last renames fail, the change stands, and the next command finishes it.
    pub fn commit(mut self) -> Result<()> {
        if is_pending(self.lock.folder()) {
            return Err(refused(self.lock.folder(), "an earlier change is still pending").into());
        }
        for step in self.steps()? {
            self.perform(&step)?;
        }
        Ok(())
    }

    fn steps(&self) -> Result<Vec<Step>> {
        if self.files.len() > FILES_LIMIT {
            return Err(Failure::failed(format!("more than {FILES_LIMIT} files cannot change at once")).into());
        }
        for path in self.files.keys() {
            refuse_symlinks(self.lock.folder(), path)?;
            if path.to_str().is_none() {
                return Err(Failure::failed(format!("`{}` is not UTF-8", shown(path))).into());
            }
        }
        let each = |step: fn(PathBuf) -> Step| self.files.keys().cloned().map(step);
        // A single file needs no journal: its rename is the moment of change.
        Ok(match self.files.len() {
            0 => Vec::new(),
            1 => each(Step::Write).chain(each(Step::Place)).collect(),
            _ => (each(Step::Write).chain([Step::Seal]))
                .chain(each(Step::Place))
                .chain([Step::Finish])
                .collect(),
        })
    }

    fn perform(&mut self, step: &Step) -> Result<()> {
        let folder = self.lock.folder();
        match step {
            Step::Write(path) => {
                let target = folder.join(path);
                self.make_folders(parent_of(&target))?;
                let new = NewFile::write(&target, &self.files[path], Access::Shared)?;
                self.new.insert(path.clone(), new);
            }
            Step::Seal => self.seal()?,
            Step::Place(path) => {
                let new = self.new.remove(path).expect("each file is written before it is placed");
                new.place()?;
                if !self.sealed {
                    self.sealed = true;
                    sync_folder(parent_of(&folder.join(path)))?;
                }
            }
            Step::Finish => finish(folder, self.files.keys().map(PathBuf::as_path))?,
        }
        Ok(())
    }

    /// Puts the journal in place. Before its rename nothing has changed, behind it everything has.
    fn seal(&mut self) -> Result<()> {
        let folder = self.lock.folder();
        sync_folders(folder, self.files.keys().map(PathBuf::as_path))?;
        let name = |path: &Path| path.to_str().expect("paths were checked to be UTF-8").to_owned();
        let hashes = self.files.iter().map(|(path, bytes)| (name(path), hash_of(bytes)));
        let journal = Journal {
            format: 1,
            files: hashes.collect(),
        };
        let text = serde_json::to_vec(&journal).expect("a map of texts is JSON");
        let journal = NewFile::write(&folder.join(JOURNAL), &text, Access::Shared)?;
        self.new.values_mut().for_each(|new| new.keep(true));
        if let Err(error) = journal.place() {
            self.new.values_mut().for_each(|new| new.keep(false));
            return Err(error);
        }
        self.sealed = true;
        sync_folder(folder)
    }

    fn make_folders(&mut self, folder: &Path) -> Result<()> {
        let missing: Vec<_> = folder.ancestors().take_while(|place| !place.exists()).collect();
        for place in missing.into_iter().rev() {
            fs::create_dir(place).map_err(|error| explain("written", place, &error))?;
            self.made_folders.push(place.to_path_buf());
            sync_folder(parent_of(place))?;
        }
        Ok(())
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if !self.sealed {
            self.new.clear();
            for folder in self.made_folders.iter().rev() {
                // An empty folder that stays behind harms nothing, and git does not see it.
                let _ = fs::remove_dir(folder);
            }
        }
    }
}

/// Whether a change in `folder` was interrupted. One look-up.
pub fn is_pending(folder: &Path) -> bool {
    fs::symlink_metadata(folder.join(JOURNAL)).is_ok()
}

/// Finishes the change that was interrupted in the locked folder, if there is one, and says whether there was.
/// Without a journal, new contents that a dead writer left beside `files` are deleted. `files` are the policy
/// and environment files, relative to the folder, as the policy seen by [`read_through`] names them.
///
/// # Errors
/// `Integrity` if the journal is malformed, names anything but `files`, or a new content does not have the
/// hash it names; `Failed` if the tree cannot be written. No file is changed then.
pub fn finish_pending(lock: &FolderLock, files: &[PathBuf]) -> Result<bool> {
    let folder = lock.folder();
    let Some(journal) = Journal::read(folder)? else {
        for file in files.iter().map(PathBuf::as_path).chain([Path::new(JOURNAL)]) {
            refuse_symlinks(folder, file)?;
            remove_leftover(&folder.join(file))?;
        }
        return Ok(false);
    };
    let ours: BTreeSet<&Path> = files.iter().map(PathBuf::as_path).collect();
    let mut to_place = Vec::new();
    for (name, hash) in &journal.files {
        let path = Path::new(name);
        if !ours.contains(path) {
            let why = format!("`{}` is no file of this policy", shown(path));
            return Err(refused(folder, &why).into());
        }
        if find_content(folder, path, hash)?.0 {
            to_place.push(folder.join(path));
        }
    }
    for target in to_place {
        fs::rename(path_beside(&target)?, &target).map_err(|error| explain("written", &target, &error))?;
    }
    finish(folder, journal.files.keys().map(Path::new))?;
    Ok(true)
}

/// The content that the file `relative` has once the pending change in `folder` is finished; `None` if no
/// pending change touches it. For read-only trees, and for the policy before [`finish_pending`].
///
/// # Errors
/// `Integrity` as in [`finish_pending`], for this file.
pub fn read_through(folder: &Path, relative: &Path) -> Result<Option<Vec<u8>>> {
    if !is_pending(folder) {
        return Ok(None);
    }
    let Some(journal) = Journal::read(folder)? else {
        return Ok(None);
    };
    match relative.to_str().and_then(|name| journal.files.get(name)) {
        Some(hash) => Ok(Some(find_content(folder, relative, hash)?.1)),
        None => Ok(None),
    }
}

/// The content with `hash`, and whether it still stands beside its target (else it is the target already).
fn find_content(folder: &Path, relative: &Path, hash: &str) -> Result<(bool, Vec<u8>)> {
    let target = folder.join(relative);
    let beside = path_beside(relative)?;
    for (waits, place) in [(true, beside.as_path()), (false, relative)] {
        refuse_symlinks(folder, place).map_err(|error| refused(folder, &error.to_string()))?;
        match read_if_present(&folder.join(place), FILE_LIMIT)? {
            Some(bytes) if hash_of(&bytes) == hash => return Ok((waits, bytes)),
            Some(_) | None => {}
        }
    }
    let why = format!("the new content of `{}` is not there", shown(&target));
    Err(refused(folder, &why).into())
}

/// Makes the renames durable, then removes the journal.
fn finish<'a>(folder: &Path, files: impl Iterator<Item = &'a Path>) -> Result<()> {
    sync_folders(folder, files)?;
    let journal = folder.join(JOURNAL);
    match fs::remove_file(&journal) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(explain("removed", &journal, &error).into()),
        _ => sync_folder(folder),
    }
}

fn sync_folders<'a>(folder: &Path, files: impl Iterator<Item = &'a Path>) -> Result<()> {
    let folders: BTreeSet<PathBuf> = files.map(|file| parent_of(&folder.join(file)).to_path_buf()).collect();
    folders.iter().try_for_each(|place| sync_folder(place))
}

fn hash_of(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    use super::{JOURNAL, Transaction, finish_pending, hash_of, is_pending, read_through};
    use crate::error::{Failure, FailureKind};
    use crate::files::{Access, FolderLock, replace};

    const FILES: [&str; 4] = [".secrets.yaml", "secrets/dev.yaml", "secrets/new/prod.yaml", "z.yaml"];

    fn ours() -> Vec<PathBuf> {
        FILES.map(PathBuf::from).to_vec()
    }

    /// A tree with two of the files.
    fn tree() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("secrets")).unwrap();
        for name in &FILES[..2] {
            replace(&folder.path().join(name), b"old", Access::Shared).unwrap();
        }
        folder
    }

    fn lock(folder: &tempfile::TempDir) -> FolderLock {
        FolderLock::acquire(folder.path(), Duration::ZERO).unwrap()
    }

    fn change(lock: &FolderLock) -> Transaction<'_> {
        FILES.iter().fold(Transaction::new(lock), |change, name| {
            change.add(*name, format!("new {name}").into_bytes())
        })
    }

    /// Every file below `folder` and its content.
    fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => found.append(&mut contents(&path)),
                false => drop(found.insert(path.clone(), fs::read(&path).unwrap())),
            }
        }
        found
    }

    fn kind(error: &anyhow::Error) -> FailureKind {
        error.downcast_ref::<Failure>().unwrap().kind()
    }

    #[test]
    fn a_crash_after_any_step_leaves_all_old_or_all_new() {
        let reference = tree();
        change(&lock(&reference)).commit().unwrap();
        let steps = change(&lock(&reference)).steps().unwrap().len();
        assert_eq!(steps, 10);
        for crash_after in 0..=steps {
            let folder = tree();
            let before = contents(folder.path());
            let held = lock(&folder);
            let mut dying = change(&held);
            for step in &dying.steps().unwrap()[..crash_after] {
                dying.perform(step).unwrap();
            }
            // Dying runs no destructor: what was written stays.
            dying.sealed = true;
            dying.new.values_mut().for_each(|new| new.keep(true));
            drop(dying);
            let changed = crash_after > FILES.len();
            for name in FILES {
                let through = read_through(folder.path(), Path::new(name)).unwrap();
                let expected = (changed && crash_after < steps).then(|| format!("new {name}").into_bytes());
                assert_eq!(through, expected, "{name} after {crash_after}");
            }
            finish_pending(&held, &ours()).unwrap();
            assert!(!finish_pending(&held, &ours()).unwrap());
            let after = contents(folder.path());
            if changed {
                let expected: Vec<_> = contents(reference.path()).into_values().collect();
                assert_eq!(after.into_values().collect::<Vec<_>>(), expected, "{crash_after}");
            } else {
                assert_eq!(after, before, "{crash_after}");
            }
        }
    }

    #[test]
    fn a_failed_change_leaves_nothing_behind() {
        let folder = tree();
        fs::create_dir(folder.path().join("z.yaml")).unwrap();
        let before = contents(folder.path());
        let failure = change(&lock(&folder)).commit().unwrap_err();
        assert!(failure.to_string().contains("not a regular file"), "{failure}");
        assert_eq!(contents(folder.path()), before);
        assert!(!folder.path().join("secrets/new").exists());
    }

    #[test]
    fn one_file_needs_no_journal_and_none_is_no_change() {
        let folder = tree();
        let held = lock(&folder);
        Transaction::new(&held).commit().unwrap();
        Transaction::new(&held).add("z.yaml", b"1".to_vec()).commit().unwrap();
        assert_eq!(fs::read(folder.path().join("z.yaml")).unwrap(), b"1");
        assert!(!is_pending(folder.path()));
    }

    #[test]
    fn a_journal_from_the_repository_is_not_believed() {
        let hash = hash_of(b"evil");
        let of = |path: &str, hash: &str| format!(r#"{{"format":1,"files":{{"{path}":"{hash}"}}}}"#);
        let long = of("z.yaml", &"0".repeat(64));
        for (text, why) in [
            (of("../outside", &hash), "malformed"),
            (of("/etc/passwd", &hash), "malformed"),
            (of(".git/config", &hash), "malformed"),
            (of("z.yaml", "abc"), "malformed"),
            (of("z.yaml", &hash).replace("1,", "2,"), "malformed"),
            (of("z.yaml", &hash).replace("}}", "},\"more\":1}"), "malformed"),
            (r#"{"format":1,"files":{}}"#.to_owned(), "malformed"),
            ("\u{0}".to_owned(), "malformed"),
            (of("Makefile", &hash), "no file of this policy"),
            (of("secrets/dev.yaml", &hash), "symbolic link"),
            (long, "is not there"),
        ] {
            let folder = tree();
            let place = folder.path();
            replace(&place.join(".Makefile.secretree-new"), b"evil", Access::Shared).unwrap();
            replace(&place.join(".z.yaml.secretree-new"), b"evil", Access::Shared).unwrap();
            symlink(
                "../.Makefile.secretree-new",
                place.join("secrets/.dev.yaml.secretree-new"),
            )
            .unwrap();
            replace(&place.join(JOURNAL), text.as_bytes(), Access::Shared).unwrap();
            let before = contents(place);
            let failure = finish_pending(&lock(&folder), &ours()).unwrap_err();
            assert_eq!(kind(&failure), FailureKind::Integrity, "{text}: {failure}");
            assert!(failure.to_string().contains(why), "{text}: {failure}");
            assert_eq!(contents(place), before, "{text}");
        }
    }

    #[test]
    fn no_change_begins_before_the_last_one_is_finished() {
        let folder = tree();
        replace(&folder.path().join(JOURNAL), b"{}", Access::Shared).unwrap();
        assert!(change(&lock(&folder)).commit().is_err());
        assert!(!folder.path().join("z.yaml").exists());
    }
}
