//! The `git` command, for what must go through it: commits, so that hooks and signing apply, and questions that
//! libgit2 cannot answer. Hardened: no replaced objects, no monitor programs, no path patterns.

use std::ffi::{OsStr, OsString};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::{CommitId, check_relative, one_line};
use crate::error::{Failure, Result};

/// How `git` is started.
#[derive(Clone, Debug)]
pub struct Git {
    program: PathBuf,
    root: PathBuf,
    removed: Vec<OsString>,
}

/// Why git ignores a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnoreRule {
    /// The file with the rule, as git names it: relative to the root if it is inside.
    pub file: PathBuf,
    /// Its line, from 1.
    pub line: usize,
    /// The rule itself.
    pub pattern: String,
}

impl Git {
    /// `program` (a path, or `git` for the one in `PATH`), working in the work tree at `root`, without the
    /// variables `removed`.
    pub fn new(program: impl Into<PathBuf>, root: &Path, removed: impl IntoIterator<Item = OsString>) -> Self {
        Self {
            program: program.into(),
            root: root.to_path_buf(),
            removed: removed.into_iter().collect(),
        }
    }

    /// Runs `git ARGUMENTS…` and gives back what it printed, whatever its exit code.
    ///
    /// # Errors
    /// `Failed` if there is no git.
    pub fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Result<Output> {
        self.run_with(arguments, b"")
    }

    /// Runs git with `input` on standard input, which must fit into a pipe at once.
    fn run_with<S: AsRef<OsStr>>(&self, arguments: &[S], input: &[u8]) -> Result<Output> {
        let mut command = Command::new(&self.program);
        command
            .args(["-c", "core.fsmonitor=false", "--no-pager"])
            .args(arguments)
            .current_dir(&self.root)
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for name in &self.removed {
            command.env_remove(name);
        }
        let output = command.spawn().and_then(|mut child| {
            // A git that does not read its input, or ends before, did no wrong.
            let _ = child.stdin.take().map(|mut stdin| stdin.write_all(input));
            child.wait_with_output()
        });
        output.map_err(|error| {
            let failure = match error.kind() {
                ErrorKind::NotFound => Failure::failed("this needs the `git` command, which is not installed"),
                _ => Failure::failed(format!("`git` cannot be started: {error}")),
            };
            failure
                .hint("install git, or leave out what needs it (such as `--commit`)")
                .into()
        })
    }

    /// Commits exactly the files `paths` (relative to the root), new and removed ones included, as they stand
    /// in the work tree. What else is staged stays staged. `None` if none of them has changed.
    ///
    /// # Errors
    /// `Failed` with what git, a hook or the signing program said; the index is as it was then.
    pub fn commit_files(&self, paths: &[&Path], message: &str) -> Result<Option<CommitId>> {
        let mut new = Vec::new();
        let mut known = Vec::new();
        for path in paths {
            check_relative(path)?;
            let listed = self.succeed("ls-files", &["-z"], &[path])?;
            match (listed.is_empty(), self.root.join(path).symlink_metadata()) {
                (true, Ok(_)) => new.push(*path),
                (true, Err(_)) => {}
                (false, _) => known.push(*path),
            }
        }
        if !new.is_empty() {
            self.succeed("add", &["--intent-to-add"], &new)?;
        }
        let all = [new.as_slice(), known.as_slice()].concat();
        let committed = self.commit_known(&all, message);
        if committed.is_err() && !new.is_empty() {
            // The commit's failure is what matters; an announced file that stays harms nothing.
            let _ = self.succeed("rm", &["--cached", "--quiet", "--force", "--ignore-unmatch"], &new);
        }
        committed
    }

    /// Commits files that are all in the index.
    fn commit_known(&self, paths: &[&Path], message: &str) -> Result<Option<CommitId>> {
        if paths.is_empty()
            || self
                .succeed("status", &["--porcelain", "-z", "--untracked-files=no"], paths)?
                .is_empty()
        {
            return Ok(None);
        }
        self.succeed("commit", &["--quiet", "--only", "-m", message], paths)?;
        let head = self.succeed("rev-parse", &["--verify", "HEAD"], &[])?;
        Ok(CommitId::new(String::from_utf8_lossy(&head).trim()))
    }

    /// The rule by which git ignores the file `relative` (to the root); `None` if it does not.
    ///
    /// # Errors
    /// `Failed` if there is no git, or it cannot tell.
    pub fn ignore_rule(&self, relative: &Path) -> Result<Option<IgnoreRule>> {
        check_relative(relative)?;
        let arguments = ["check-ignore", "-v", "-z", "--no-index", "--stdin"];
        let output = self.run_with(&arguments, relative.as_os_str().as_encoded_bytes())?;
        if output.status.code() == Some(1) {
            return Ok(None);
        }
        if !output.status.success() {
            return Err(said("check-ignore", &output).into());
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let mut fields = text.split('\0');
        let (file, line, pattern) = (fields.next(), fields.next(), fields.next());
        let rule = pattern.filter(|pattern| !pattern.is_empty() && !pattern.starts_with('!'));
        Ok(rule.map(|pattern| IgnoreRule {
            file: PathBuf::from(file.unwrap_or_default()),
            line: line.and_then(|line| line.parse().ok()).unwrap_or(0),
            pattern: pattern.to_owned(),
        }))
    }

    /// The output of `git VERB OPTIONS… -- PATHS…`, which must succeed.
    pub(super) fn succeed(&self, verb: &str, options: &[&str], paths: &[&Path]) -> Result<Vec<u8>> {
        let mut arguments = vec![OsString::from(verb)];
        arguments.extend(options.iter().map(OsString::from));
        if !paths.is_empty() {
            arguments.push(OsString::from("--"));
            // Each path for itself: a setting for the whole command would reach its hooks.
            arguments.extend(paths.iter().map(|path| {
                let mut literal = OsString::from(":(top,literal)");
                literal.push(path);
                literal
            }));
        }
        let output = self.run(&arguments)?;
        if output.status.success() {
            Ok(output.stdout)
        } else {
            Err(said(verb, &output).into())
        }
    }
}

/// A failed git command, and what it said.
fn said(verb: &str, output: &Output) -> Failure {
    // Hooks and `git commit` explain themselves on either stream.
    let text = if output.stderr.is_empty() {
        &output.stdout
    } else {
        &output.stderr
    };
    let text = one_line(text);
    let code = output
        .status
        .code()
        .map_or("a signal".to_owned(), |code| format!("exit code {code}"));
    match text.is_empty() {
        true => Failure::failed(format!("`git {verb}` failed with {code}")),
        false => Failure::failed(format!("`git {verb}` failed: {text}")),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use super::{Git, IgnoreRule};
    use crate::git::testing::Sandbox;

    fn git(sandbox: &Sandbox) -> Git {
        let hooked = ["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"].map(OsString::from);
        Git::new("git", sandbox.root(), hooked)
    }

    fn commit(sandbox: &Sandbox, paths: &[&str]) -> crate::error::Result<Option<String>> {
        let paths: Vec<_> = paths.iter().map(Path::new).collect();
        Ok(git(sandbox)
            .commit_files(&paths, "secrets: change")?
            .map(|id| id.to_string()))
    }

    #[test]
    fn just_these_files_are_committed_and_the_rest_stays_staged() {
        let sandbox = Sandbox::new();
        sandbox.commit_file("old.yaml", "1");
        sandbox.commit_file("gone.yaml", "1");
        sandbox.write("old.yaml", "2");
        sandbox.write("secrets/new [1]*.yaml", "1");
        sandbox.write("secrets/new 1x.yaml", "must stay untracked");
        sandbox.write("staged", "x");
        sandbox.git(&["add", "staged"]);
        fs::remove_file(sandbox.root().join("gone.yaml")).unwrap();
        let paths = ["old.yaml", "secrets/new [1]*.yaml", "gone.yaml", "absent.yaml"];
        let head = commit(&sandbox, &paths).unwrap().unwrap();
        assert_eq!(head, sandbox.git(&["rev-parse", "HEAD"]));
        assert_eq!(
            sandbox.git(&["show", "--format=%s", "--name-status", "--no-renames"]),
            "secrets: change\n\nD\tgone.yaml\nM\told.yaml\nA\tsecrets/new [1]*.yaml"
        );
        assert_eq!(
            sandbox.git(&["status", "--porcelain"]),
            "A  staged\n?? \"secrets/new 1x.yaml\""
        );
        assert_eq!(commit(&sandbox, &paths).unwrap(), None);
    }

    #[test]
    fn the_first_commit_of_a_repository_is_no_exception() {
        let sandbox = Sandbox::new();
        sandbox.write(".secrets.yaml", "version: 1");
        assert!(commit(&sandbox, &[".secrets.yaml"]).unwrap().is_some());
    }

    #[test]
    fn a_hook_that_refuses_is_heard_and_nothing_stays_announced() {
        let sandbox = Sandbox::new();
        sandbox.commit_file("a", "1");
        let hook = sandbox.root().join(".git/hooks/pre-commit");
        sandbox.write(
            ".git/hooks/pre-commit",
            "#!/bin/sh\nprintf 'not\\033[2J today\\nno\\n' >&2\nexit 1\n",
        );
        fs::set_permissions(hook, Permissions::from_mode(0o755)).unwrap();
        sandbox.write("a", "2");
        sandbox.write("b", "1");
        let failure = commit(&sandbox, &["a", "b"]).unwrap_err().to_string();
        assert_eq!(failure, "`git commit` failed: not\\u{1b}[2J today; no");
        assert_eq!(sandbox.git(&["status", "--porcelain"]), " M a\n?? b");
    }

    #[test]
    fn a_missing_git_is_said() {
        let sandbox = Sandbox::new();
        let failure = Git::new("/nonexistent/git", sandbox.root(), [])
            .run(&["version"])
            .unwrap_err();
        assert!(failure.to_string().contains("not installed"));
    }

    #[test]
    fn the_rule_that_ignores_a_file_is_named() {
        let sandbox = Sandbox::new();
        sandbox.write(".gitignore", "# generated\nsecrets/\n!kept\n");
        let rule = IgnoreRule {
            file: ".gitignore".into(),
            line: 2,
            pattern: "secrets/".to_owned(),
        };
        assert_eq!(
            git(&sandbox).ignore_rule(Path::new("secrets/prod.yaml")).unwrap(),
            Some(rule)
        );
        assert_eq!(git(&sandbox).ignore_rule(Path::new("kept")).unwrap(), None);
        assert_eq!(git(&sandbox).ignore_rule(Path::new("other")).unwrap(), None);
    }
}
