//! The policies among files that stand nowhere as files: those of an index, or of a commit. Each root policy is read with
//! the ones below it, as [`LoadedPolicy`](super::LoadedPolicy) does it for a work tree.

use std::path::{Path, PathBuf};

use super::environments::Folders;
use super::file::PolicyFile;
use super::load::is_skipped;
use super::policy::Policy;
use crate::error::{Failure, Result};

/// A root policy with those below it.
#[derive(Debug)]
pub struct Gathered {
    /// The root policy's folder, relative to the top.
    pub folder: PathBuf,
    /// Its files, relative to the top, the root's first.
    pub files: Vec<PathBuf>,
    /// What they say; or why they cannot be used, and the file that is to blame.
    pub policy: Result<Policy, (PathBuf, Failure)>,
}

/// Every root policy among `files` (paths relative to the top, and texts); `folders` are those below the top. A policy
/// without `id` that stands below no root is nobody's and left out.
pub fn gather(files: &[(PathBuf, String)], folders: &dyn Folders) -> Vec<Gathered> {
    let mut all: Vec<_> = files.iter().filter(|(path, _)| !is_skipped(path)).collect();
    all.sort_by_key(|(path, _)| path.components().count());
    let mut roots: Vec<(Vec<&(PathBuf, String)>, PathBuf)> = Vec::new();
    for file in all {
        let folder = file.0.parent().unwrap_or(Path::new(""));
        let above = roots
            .iter_mut()
            .filter(|(_, root)| folder.starts_with(root))
            .max_by_key(|(_, root)| root.components().count());
        // What is no policy at all belongs to the root above it, or is one that cannot be used.
        match (PolicyFile::has_id(&file.1, ""), above) {
            (Ok(false) | Err(_), Some((files, _))) => files.push(file),
            (Ok(false), None) => {}
            (Ok(true) | Err(_), _) => roots.push((vec![file], folder.to_owned())),
        }
    }
    let gathered = roots.into_iter().map(|(files, folder)| Gathered {
        policy: join(&files, &folder, folders),
        files: files.into_iter().map(|(path, _)| path.clone()).collect(),
        folder,
    });
    gathered.collect()
}

fn join(files: &[&(PathBuf, String)], root: &Path, folders: &dyn Folders) -> Result<Policy, (PathBuf, Failure)> {
    let blame = |path: &Path| {
        let path = path.to_owned();
        move |error: anyhow::Error| (path, Failure::from(error))
    };
    let mut read = Vec::with_capacity(files.len());
    for (path, text) in files {
        let shown = path.display().to_string();
        let folder = path.parent().unwrap_or(Path::new(""));
        let inside = folder.strip_prefix(root).unwrap_or(folder);
        let file = match inside.as_os_str().is_empty() {
            true => PolicyFile::root(text, &shown),
            false => PolicyFile::nested(text, &shown, inside),
        };
        read.push(file.map_err(blame(path))?);
    }
    let mut read = read.into_iter();
    let Some(first) = read.next() else {
        let failure = Failure::failed("a policy has at least one file");
        return Err((root.to_owned(), failure));
    };
    let below = Below { folders, root };
    Policy::link(first, read.collect(), &below).map_err(|error| {
        let failure = Failure::from(error);
        // The message begins with the file that it is about.
        let named = |(path, _): &&&(PathBuf, String)| failure.message().starts_with(&format!("`{}`", path.display()));
        let at = files.iter().find(named).or(files.first());
        (at.map_or_else(|| root.to_owned(), |(path, _)| path.clone()), failure)
    })
}

/// The folders below a root policy that is not at the top.
struct Below<'f> {
    folders: &'f dyn Folders,
    root: &'f Path,
}

impl Folders for Below<'_> {
    fn folders(&self, parent: &Path) -> Vec<String> {
        self.folders.folders(&self.root.join(parent))
    }

    fn exists(&self, path: &Path) -> bool {
        self.folders.exists(&self.root.join(path))
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{Gathered, gather};
    use crate::policy::Folders;

    struct Listed(&'static [(&'static str, &'static str)]);

    impl Folders for Listed {
        fn folders(&self, parent: &Path) -> Vec<String> {
            let here = self.0.iter().filter(|(folder, _)| Path::new(folder) == parent);
            here.map(|(_, name)| (*name).to_owned()).collect()
        }

        fn exists(&self, path: &Path) -> bool {
            let (parent, name) = (path.parent().unwrap(), path.file_name().unwrap());
            self.folders(parent).iter().any(|known| name == known.as_str())
        }
    }

    fn root(environment: &str) -> String {
        format!(
            "version: 1\nid: \"5f0c1d2e3b4a59687786a5b4c3d2e1f0\"\nrecipients:\n  alice: {{keys: \
             [age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa]}}\nenvironments:\n  {environment}\n"
        )
    }

    fn gathered(files: &[(&str, &str)], folders: Listed) -> Vec<Gathered> {
        let files: Vec<_> = files
            .iter()
            .map(|(path, text)| (PathBuf::from(path), (*text).to_owned()))
            .collect();
        gather(&files, &folders)
    }

    #[test]
    fn each_root_has_its_own_and_placeholders_are_filled() {
        let many = root("prod: {file: \"services/{service}/prod.yaml\", readers: [alice]}");
        let single = root("dev: {file: dev.yaml, readers: [alice]}");
        let below = "version: 1\nenvironments:\n  dev: {file: dev.yaml, readers: [alice]}\n";
        let found = gathered(
            &[
                ("web/.secrets.yaml", below),
                (".secrets.yaml", &many),
                ("apps/shop/.secrets.yaml", &single),
                ("node_modules/x/.secrets.yaml", &single),
            ],
            Listed(&[("services", "billing"), ("", "services"), ("", "web")]),
        );
        let shown: Vec<_> = found
            .iter()
            .map(|gathered| {
                let policy = gathered.policy.as_ref().unwrap();
                let files: Vec<_> = policy
                    .environments
                    .values()
                    .map(|environment| environment.file.clone())
                    .collect();
                (gathered.folder.to_str().unwrap(), gathered.files.len(), files)
            })
            .collect();
        let files = |files: &[&str]| files.iter().map(PathBuf::from).collect::<Vec<_>>();
        assert_eq!(
            shown,
            [
                ("", 2, files(&["services/billing/prod.yaml", "web/dev.yaml"])),
                ("apps/shop", 1, files(&["dev.yaml"])),
            ]
        );
    }

    #[test]
    fn the_file_that_is_to_blame_is_named() {
        let good = root("dev: {file: dev.yaml, readers: [alice]}");
        let unknown = root("dev: {file: dev.yaml, readers: [bob]}");
        for (files, blamed) in [
            (vec![(".secrets.yaml", "<<<<<<< a\n")], ".secrets.yaml"),
            (vec![("a/.secrets.yaml", unknown.as_str())], "a/.secrets.yaml"),
            (
                vec![(".secrets.yaml", &good), ("a/.secrets.yaml", "version: 1\nid: [\n")],
                "a/.secrets.yaml",
            ),
            (
                vec![
                    (".secrets.yaml", &good),
                    ("a/.secrets.yaml", "version: 1\nenvironment: {}\n"),
                ],
                "a/.secrets.yaml",
            ),
        ] {
            let found = gathered(&files, Listed(&[]));
            assert_eq!(found.len(), 1, "{files:?}");
            let (path, failure) = found[0].policy.as_ref().unwrap_err();
            assert_eq!(path, Path::new(blamed), "{failure}");
            assert!(failure.message().contains(blamed), "{failure}");
        }
        assert!(gathered(&[("a/.secrets.yaml", "version: 1\n")], Listed(&[])).is_empty());
    }
}
