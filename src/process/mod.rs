//! Other programs: found in `PATH` with care, started with exactly the environment they should have, run to
//! their end within bounds. What they are for, and whether they may run at all, is for the floors above.

mod capture;
mod foreground;
mod search;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use rustix::fs::{Access, access};
use rustix::process::{Resource, Rlimit, setrlimit};

pub use capture::{Bounds, Output};
pub use foreground::Foreground;
pub use search::{Found, SearchPath};

use crate::error::{Failure, Result};
use crate::secret::Secret;

/// A program to start: its arguments, and how its environment differs from that of this process.
#[derive(Clone)]
pub struct Invocation {
    program: PathBuf,
    arguments: Vec<OsString>,
    set: Vec<(OsString, Secret)>,
    removed: Vec<OsString>,
    folder: Option<PathBuf>,
}

impl Invocation {
    /// Starts `program`, a path or a name that the system looks up in `PATH` (see [`resolve_program`]).
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            set: Vec::new(),
            removed: Vec::new(),
            folder: None,
        }
    }

    /// Adds arguments. They show in the system's process list: never a value.
    #[must_use]
    pub fn arguments<I: IntoIterator<Item = S>, S: Into<OsString>>(mut self, arguments: I) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Gives the child a variable, in place of one that this process may have.
    #[must_use]
    pub fn variable(mut self, name: impl Into<OsString>, value: Secret) -> Self {
        self.set.push((name.into(), value));
        self
    }

    /// Keeps a variable of this process from the child.
    #[must_use]
    pub fn without(mut self, name: impl Into<OsString>) -> Self {
        self.removed.push(name.into());
        self
    }

    /// Starts it in `folder`.
    #[must_use]
    pub fn in_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Becomes the program: same process, terminal and signals. Comes back only if that failed.
    pub fn replace_self(&self) -> StartFailure {
        StartFailure::new(&self.program, &self.command().exec())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        for name in &self.removed {
            command.env_remove(name);
        }
        for (name, value) in &self.set {
            command.env(name, OsStr::from_bytes(value.expose()));
        }
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        command
    }

    fn name(&self) -> String {
        shown(&self.program)
    }
}

/// Why a program could not be started, and the exit code that a shell gives for it.
#[derive(Debug)]
pub struct StartFailure {
    /// 127: there is no such program. 126: it cannot be run.
    pub code: u8,
    /// What to print.
    pub failure: Failure,
}

impl StartFailure {
    fn new(program: &Path, error: &io::Error) -> Self {
        let name = shown(program);
        let (code, reason) = match error.kind() {
            ErrorKind::NotFound => (127, "there is no such program".to_owned()),
            ErrorKind::PermissionDenied => (126, "permission denied".to_owned()),
            ErrorKind::ArgumentListTooLong => (126, "arguments and variables are too long".to_owned()),
            _ => (126, error.to_string().to_lowercase()),
        };
        let failure = Failure::failed(format!("`{name}` cannot be started: {reason}"));
        Self { code, failure }
    }
}

/// The exit code that a shell gives for `status`: the program's own, or 128 and the signal that ended it.
pub fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// Keeps this process's memory, and that of programs it starts, out of core files; on Linux also out of the
/// reach of other processes of the same user (that part ends with each child's start).
pub fn disable_core_dumps() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    // Lowering a limit is always allowed; a sandbox that forbids the calls leaves nothing to be done.
    let _ = setrlimit(Resource::Core, none);
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// The program `name` in `path` (the text of `PATH`): the first executable file. Relative entries are ignored,
/// as is what really lies inside `refuse_inside`, the work tree: a repository must not bring programs. An absolute path
/// stands for itself under the same rule. `None` if there is no such program, or `name` is a relative path.
pub fn resolve_program(name: &str, path: &OsStr, refuse_inside: Option<&Path>) -> Option<PathBuf> {
    let is_absolute = Path::new(name).is_absolute();
    if name.is_empty() || name == "." || name == ".." || name.contains('\0') || (name.contains('/') && !is_absolute) {
        return None;
    }
    let path = if is_absolute { OsStr::new("/") } else { path };
    let forbidden = refuse_inside.map(|tree| fs::canonicalize(tree).unwrap_or_else(|_| tree.to_path_buf()));
    std::env::split_paths(path)
        .filter(|entry| entry.is_absolute())
        .map(|entry| entry.join(name))
        .filter(|candidate| candidate.is_file() && access(candidate, Access::EXEC_OK).is_ok())
        .find(|candidate| match (&forbidden, fs::canonicalize(candidate)) {
            (Some(tree), Ok(real)) => !real.starts_with(tree) && !candidate.starts_with(tree),
            (None, Ok(_)) => true,
            (_, Err(_)) => false,
        })
}

/// Splits a command as a POSIX shell splits words, without expanding anything (`EDITOR="code --wait"`).
///
/// # Errors
/// `Failed` if a quote is not closed or there is no word. The text itself is not repeated.
pub fn split_shell_words(text: &str) -> Result<Vec<String>> {
    shlex::split(text)
        .filter(|words| !words.is_empty())
        .ok_or_else(|| Failure::failed("a command has an open quote, or is empty").into())
}

/// A program's name for a message, control characters escaped.
fn shown(program: &Path) -> String {
    let escape = |character: char| match character.is_control() {
        true => character.escape_default().to_string(),
        false => character.to_string(),
    };
    program.to_string_lossy().chars().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::fs::{self, OpenOptions, Permissions};
    use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, symlink};
    use std::path::Path;

    use super::{Invocation, disable_core_dumps, resolve_program, split_shell_words};

    fn program(path: &Path) {
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o755)
            .open(path)
            .unwrap();
    }

    #[test]
    fn programs_come_from_absolute_entries_outside_the_work_tree() {
        let outside = tempfile::tempdir().unwrap();
        let tree = tempfile::tempdir().unwrap();
        for place in [outside.path(), tree.path()] {
            program(&place.join("tool"));
        }
        program(&tree.path().join("evil"));
        symlink(tree.path().join("evil"), outside.path().join("evil")).unwrap();
        program(&outside.path().join("data"));
        fs::set_permissions(outside.path().join("data"), Permissions::from_mode(0o644)).unwrap();
        fs::create_dir(outside.path().join("folder")).unwrap();
        let mut path = OsString::from(".:");
        path.push(tree.path());
        path.push(":");
        path.push(outside.path());
        let found = |name| resolve_program(name, &path, Some(tree.path()));
        assert_eq!(found("tool"), Some(outside.path().join("tool")));
        assert_eq!(resolve_program("tool", &path, None), Some(tree.path().join("tool")));
        for name in ["evil", "data", "folder", "absent", "", "..", "a/b", "../tool"] {
            assert_eq!(found(name), None, "{name}");
        }
        assert_eq!(resolve_program("Cargo.toml", &OsString::from("."), None), None);
    }

    #[test]
    fn a_command_is_split_and_not_expanded() {
        assert_eq!(
            split_shell_words(r#"code --wait "a b" $HOME"#).unwrap(),
            ["code", "--wait", "a b", "$HOME"]
        );
        assert!(split_shell_words("vi 'open").is_err());
        assert!(split_shell_words("  ").is_err());
    }

    #[test]
    fn a_program_that_cannot_be_started_has_a_shells_exit_code() {
        let folder = tempfile::tempdir().unwrap();
        let absent = Invocation::new(folder.path().join("absent")).replace_self();
        assert_eq!(absent.code, 127);
        assert!(absent.failure.message().ends_with("no such program"));
        let data = folder.path().join("data");
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o644)
            .open(&data)
            .unwrap();
        assert_eq!(Invocation::new(&data).replace_self().code, 126);
    }

    #[test]
    fn children_cannot_dump_core() {
        disable_core_dumps();
        let limit = std::process::Command::new("sh")
            .args(["-c", "ulimit -c"])
            .output()
            .unwrap();
        assert_eq!(limit.stdout, b"0\n");
    }
}
