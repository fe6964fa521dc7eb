//! Making a change of several files, in steps between which the process may die: each leaves a state from which
//! the journal's rules lead to all old or all new.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::journal::{FILES_LIMIT, JOURNAL, Journal, finish, hash_of, is_pending, refused, sync_folders};
use super::replace::{Access, NewFile};
use super::{FolderLock, explain, parent_of, refuse_symlinks, shown, sync_folder};
use crate::error::{Failure, Result};

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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    use super::{JOURNAL, Transaction, hash_of, is_pending};
    use crate::error::{Failure, FailureKind};
    use crate::files::{Access, FolderLock, finish_pending, read_through, replace};

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
