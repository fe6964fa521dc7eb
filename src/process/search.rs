//! The folders of `PATH` for a program that other code would look up by itself: the first one of its name counts, and
//! one that the repository could have brought is refused, never passed over. Starts nothing.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// All entries of `PATH`, in order, and the work tree that no program may come from.
#[derive(Clone)]
pub struct SearchPath {
    folders: Vec<PathBuf>,
    forbidden: Option<PathBuf>,
}

/// What the first program of a name is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// There is none.
    Nothing,
    /// It would come from this folder: a relative entry, or (through links too) the work tree.
    Untrusted(PathBuf),
    /// An absolute path outside the work tree.
    Program(PathBuf),
}

impl SearchPath {
    /// `folders` are **all** entries of `PATH`; nothing inside `forbidden` or behind a relative entry is to be started.
    pub fn new(folders: Vec<PathBuf>, forbidden: Option<&Path>) -> Self {
        let forbidden = forbidden.map(|folder| folder.canonicalize().unwrap_or_else(|_| folder.to_owned()));
        Self { folders, forbidden }
    }

    /// The first program called `name`, which has no `/`.
    pub fn first(&self, name: &str) -> Found {
        let mut found = self.folders.iter().map(|folder| self.judge(&folder.join(name)));
        found.find(|found| *found != Found::Nothing).unwrap_or(Found::Nothing)
    }

    /// What a person named: a path, or a name to be looked up.
    pub fn named(&self, program: &Path) -> Found {
        match program.to_str() {
            Some(name) if !name.contains('/') => self.first(name),
            _ => self.judge(program),
        }
    }

    fn judge(&self, candidate: &Path) -> Found {
        let folder = candidate.parent().unwrap_or(Path::new(""));
        let Ok(real) = candidate.canonicalize() else {
            return Found::Nothing;
        };
        let inside = |path: &Path| self.forbidden.as_ref().is_some_and(|root| path.starts_with(root));
        if candidate.is_relative() || inside(&real) || folder.canonicalize().is_ok_and(|folder| inside(&folder)) {
            return Found::Untrusted(folder.to_owned());
        }
        match is_program(&real) {
            true => Found::Program(candidate.to_owned()),
            false => Found::Nothing,
        }
    }
}

fn is_program(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::os::unix::fs::{OpenOptionsExt as _, symlink};
    use std::path::Path;

    use super::{Found, SearchPath};

    #[test]
    fn the_first_program_counts_and_must_be_absolute_and_outside() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| {
            let place = folder.path().join(name);
            std::fs::create_dir(&place).unwrap();
            place
        };
        let (tree, outside, linked, empty) = (place("tree"), place("bin"), place("links"), place("empty"));
        for (folder, mode) in [(&tree, 0o755), (&outside, 0o755), (&empty, 0o644)] {
            let mut options = OpenOptions::new();
            options.write(true).create(true).mode(mode);
            options.open(folder.join("tool")).unwrap();
        }
        symlink(tree.join("tool"), linked.join("tool")).unwrap();
        let search = |folders: &[&Path]| {
            let folders = folders.iter().map(|folder| folder.to_path_buf()).collect();
            SearchPath::new(folders, Some(&tree))
        };
        let program = Found::Program(outside.join("tool"));
        assert_eq!(search(&[&empty, &outside, &tree]).first("tool"), program);
        assert_eq!(search(&[&empty]).first("tool"), Found::Nothing);
        for untrusted in [&tree, &linked] {
            let found = search(&[untrusted, &outside]).first("tool");
            assert_eq!(found, Found::Untrusted(untrusted.clone()));
        }
        let here = Path::new("src");
        assert_eq!(search(&[here]).first("lib.rs"), Found::Untrusted(here.to_owned()));
        // What is named is held to the same rule.
        let none = search(&[&outside]);
        assert_eq!(none.named(Path::new("tool")), program);
        assert_eq!(none.named(&outside.join("tool")), program);
        assert_eq!(none.named(&tree.join("tool")), Found::Untrusted(tree.clone()));
        assert_eq!(none.named(Path::new("./src/lib.rs")), Found::Untrusted("./src".into()));
        assert_eq!(none.named(Path::new("/none")), Found::Nothing);
    }
}
