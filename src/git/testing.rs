//! A repository for tests, made by the real `git` with fixed people and dates.

use std::cell::Cell;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{HookVariables, Repository};
use crate::files::{Access, replace};

pub(crate) struct Sandbox {
    _folder: tempfile::TempDir,
    outside: PathBuf,
    root: PathBuf,
    clock: Cell<i64>,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self::with_format("--object-format=sha1")
    }

    pub(crate) fn with_format(format: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let outside = fs::canonicalize(folder.path()).unwrap();
        let root = outside.join("repository");
        fs::create_dir(&root).unwrap();
        let sandbox = Self {
            _folder: folder,
            outside,
            root,
            clock: Cell::new(1_700_000_000),
        };
        sandbox.git(&["init", "-q", "-b", "main", format]);
        sandbox.git(&["config", "user.name", "Ada"]);
        sandbox.git(&["config", "user.email", "ada@example.com"]);
        // The code under test runs with the settings of whoever runs the tests.
        sandbox.git(&["config", "commit.gpgsign", "false"]);
        sandbox.git(&["config", "core.hooksPath", ".git/hooks"]);
        sandbox.git(&["config", "core.excludesFile", "/dev/null"]);
        sandbox
    }

    /// A folder in no repository.
    pub(crate) fn outside(&self) -> &Path {
        &self.outside
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn repository(&self) -> Repository {
        Repository::discover(&self.root, &HookVariables::default())
            .unwrap()
            .unwrap()
    }

    /// The output of a git command, which must succeed.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let output = self.command().args(arguments).output().unwrap();
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new("git");
        let date = format!("{} +0000", self.clock.get());
        command
            .current_dir(&self.root)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_DATE", &date)
            .env("GIT_COMMITTER_DATE", &date);
        command
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        replace(&path, text.as_bytes(), Access::Shared).unwrap();
    }

    /// Commits what is staged, one second after the last commit, and gives its hash.
    pub(crate) fn commit(&self, message: &str) -> String {
        self.clock.set(self.clock.get() + 1);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    pub(crate) fn commit_file(&self, path: &str, text: &str) -> String {
        self.write(path, text);
        self.git(&["add", "--", path]);
        self.commit(path)
    }

    /// Imports a history of `count` commits on `main`, some of them merges, changing `paths`, with clocks wrong by up to `skew`.
    pub(crate) fn import(&self, paths: &[&str; 3], count: u64, skew: u64, dice: &mut Dice) {
        let mut stream = String::new();
        for mark in 1..=count {
            let time = 1_700_000_000 + mark * 10 + dice.roll(skew + 1);
            writeln!(stream, "commit refs/heads/b{mark}\nmark :{mark}").unwrap();
            writeln!(stream, "committer Ada <ada@example.com> {time} +0000\ndata 1\nx").unwrap();
            if mark > 1 {
                writeln!(stream, "from :{}", mark - 1 - dice.roll((mark - 1).min(4))).unwrap();
                if dice.roll(3) == 0 || mark == count {
                    writeln!(stream, "merge :{}", 1 + dice.roll(mark - 1)).unwrap();
                }
            }
            match dice.roll(8) {
                0 => writeln!(stream, "D {}", paths[dice.roll(3) as usize]).unwrap(),
                1..=4 => {
                    let path = paths[dice.roll(3) as usize];
                    writeln!(stream, "M 100644 inline {path}\ndata 1\n{}", dice.roll(9)).unwrap();
                }
                _ => {}
            }
        }
        let head = format!("reset refs/heads/main\nfrom :{count}\n");
        let mut child = self
            .command()
            .args(["fast-import", "--quiet", "--force"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all((stream + &head).as_bytes())
            .unwrap();
        assert!(child.wait().unwrap().success());
    }
}

/// Small random numbers, the same in every run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}
