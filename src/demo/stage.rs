//! A temporary folder, the people in it, and lines of shell that are run there. Nothing of the user's gets in but
//! `PATH`, and nothing is written outside.

use std::ffi::OsString;
use std::io::{self, Read as _};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use secretree::error::{Failure, Result};
use secretree::files::{Access, replace};
use tempfile::TempDir;

use crate::ui::{Ui, escaped};

/// How wide a line is shown, in characters.
const WIDTH: usize = 110;

/// Where the demonstration happens.
pub(crate) struct Stage {
    folder: TempDir,
    path: OsString,
    ui: Ui,
}

/// Somebody with a home folder and a clone in it.
pub(crate) struct Person {
    name: &'static str,
    home: PathBuf,
    /// What `SECRETREE_KEY` is, for a job that has no home of its own.
    pub(crate) key: Option<String>,
}

impl Person {
    /// A path in the home folder.
    pub(crate) fn file(&self, path: &str) -> PathBuf {
        self.home.join(path)
    }

    /// Where lines are run: the clone, once there is one.
    fn folder(&self) -> PathBuf {
        let clone = self.file("shop");
        if clone.is_dir() { clone } else { self.home.clone() }
    }
}

impl Stage {
    /// A new one, where `secretree` means this very program; `path` is the caller's `PATH`.
    pub(crate) fn new(ui: &Ui, path: OsString) -> Result<Self> {
        let made = || -> io::Result<(TempDir, OsString)> {
            let folder = tempfile::Builder::new().prefix("secretree-demo-").tempdir()?;
            let bin = folder.path().join("bin");
            fs::create_dir(&bin)?;
            fs::create_dir(folder.path().join("tmp"))?;
            symlink(env::current_exe()?, bin.join("secretree"))?;
            let folders = std::iter::once(bin).chain(env::split_paths(&path));
            let path = env::join_paths(folders).map_err(io::Error::other)?;
            Ok((folder, path))
        };
        let (folder, path) = made().map_err(|error| cannot("make a temporary folder", &error))?;
        let ui = ui.clone();
        Ok(Self { folder, path, ui })
    }

    /// The folder that holds everything.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Leaves everything in place from now on.
    pub(crate) fn keep(self) -> PathBuf {
        self.folder.keep()
    }

    /// Somebody new, known to git by `name`.
    pub(crate) fn person(&self, name: &'static str) -> Result<Person> {
        let home = self.folder().join(name);
        fs::create_dir(&home).map_err(|error| cannot("make a home folder", &error))?;
        let settings = format!(
            "[user]\n\tname = {name}\n\temail = {name}@example.com\n[init]\n\tdefaultBranch = main\n\
             [advice]\n\tdetachedHead = false\n[commit]\n\tgpgsign = false\n"
        );
        self.write(&home.join(".gitconfig"), &settings)?;
        let person = Person { name, home, key: None };
        // For whoever looks around afterwards.
        let exports = self.variables(&person).into_iter().map(|(name, value)| {
            let value = value.to_string_lossy().into_owned();
            let quoted = shlex::try_quote(&value).map(|quoted| quoted.into_owned());
            format!("export {name}={}\n", quoted.unwrap_or_default())
        });
        self.write(&person.file("env"), &exports.collect::<String>())?;
        Ok(person)
    }

    /// Writes a file of the demonstration.
    pub(crate) fn write(&self, path: &Path, text: &str) -> Result<()> {
        replace(path, text.as_bytes(), Access::Shared)
    }

    /// Writes an executable script that everybody finds.
    pub(crate) fn script(&self, name: &str, text: &str) -> Result<()> {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.folder().join("bin").join(name);
        self.write(&path, text)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
            .map_err(|error| cannot("make a script executable", &error))
    }

    /// Says something to the audience, after a blank line.
    pub(crate) fn tell(&self, text: &str) -> Result<()> {
        self.ui.data(format!("\n{text}\n").as_bytes())
    }

    /// Shows a line as the person types it, runs it, and shows all that it printed, long words cut. It must end with
    /// `code`, else the demonstration is broken and says so.
    pub(crate) fn act(&self, person: &Person, line: &str, code: i32) -> Result<String> {
        self.ui.data(format!("{}$ {line}\n", person.name).as_bytes())?;
        let (output, status) = self.perform(person, line)?;
        let mut shown: String = output.lines().map(folded).collect();
        if status != Some(0) {
            shown.push_str(&format!(
                "  [exit code {}]\n",
                status.map_or("unknown".to_owned(), |code| code.to_string())
            ));
        }
        self.ui.data(shown.as_bytes())?;
        if status == Some(code) {
            return Ok(output);
        }
        Err(Failure::failed(format!(
            "the demonstration broke: `{line}` should have ended with {code}"
        ))
        .into())
    }

    /// Runs a line that is not worth showing; it must succeed.
    pub(crate) fn prepare(&self, person: &Person, line: &str) -> Result<String> {
        match self.perform(person, line)? {
            (output, Some(0)) => Ok(output),
            (output, _) => {
                let said = output.lines().last().unwrap_or_default();
                Err(Failure::failed(format!("the demonstration broke at `{line}`: {said}")).into())
            }
        }
    }

    /// Runs a line of shell; both its output streams in the order of writing, and its exit code.
    fn perform(&self, person: &Person, line: &str) -> Result<(String, Option<i32>)> {
        let run = || -> io::Result<(String, Option<i32>)> {
            let (mut reader, writer) = io::pipe()?;
            let mut command = Command::new("sh");
            command
                .args(["-c", line])
                .current_dir(person.folder())
                .env_clear()
                .envs(self.variables(person))
                .stdin(Stdio::null())
                .stdout(writer.try_clone()?)
                .stderr(writer);
            if let Some(key) = &person.key {
                command.env("SECRETREE_KEY", key);
            }
            let mut child = command.spawn()?;
            // The command holds the pipe's other end too.
            drop(command);
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes)?;
            Ok((String::from_utf8_lossy(&bytes).into_owned(), child.wait()?.code()))
        };
        run().map_err(|error| cannot(&format!("run `{line}`"), &error))
    }

    /// All that a person's commands see.
    fn variables(&self, person: &Person) -> Vec<(&'static str, OsString)> {
        vec![
            ("PATH", self.path.clone()),
            ("HOME", person.home.clone().into()),
            ("TMPDIR", self.folder().join("tmp").into()),
            ("LC_ALL", "C".into()),
            ("GIT_CONFIG_NOSYSTEM", "1".into()),
            ("GIT_CONFIG_GLOBAL", person.file(".gitconfig").into()),
            ("GIT_TERMINAL_PROMPT", "0".into()),
            ("GIT_PAGER", "cat".into()),
        ]
    }
}

/// A line of output for the eyes: harmless, indented, broken between words; tokens, which are longer, are cut.
fn folded(line: &str) -> String {
    let line = escaped(line);
    let (mut rest, mut text, mut indent) = (line.as_ref(), String::new(), "  ");
    while let Some((end, _)) = rest.char_indices().nth(WIDTH) {
        let head = &rest[..end];
        let space = if rest[end..].starts_with(' ') {
            Some(end)
        } else {
            head.rfind(' ')
        };
        match space.filter(|space| *space > end / 2) {
            Some(space) => {
                text.push_str(&format!("{indent}{}\n", &rest[..space]));
                (rest, indent) = (&rest[space + 1..], "      ");
            }
            None => return text + &format!("{indent}{head}…\n"),
        }
    }
    text + &format!("{indent}{rest}\n")
}

fn cannot(what: &str, error: &io::Error) -> anyhow::Error {
    Failure::failed(format!("the demonstration cannot {what}: {error}")).into()
}

#[cfg(test)]
mod tests {
    use super::{WIDTH, folded};

    #[test]
    fn sentences_are_folded_tokens_cut_and_controls_shown() {
        let word = "é".repeat(WIDTH);
        for (line, shown) in [
            ("short", "  short\n".to_owned()),
            ("", "  \n".to_owned()),
            (&word, format!("  {word}\n")),
            (&format!("{word}é"), format!("  {word}…\n")),
            (&format!("{} b {word}é", "a".repeat(WIDTH - 2)), {
                let first = "a".repeat(WIDTH - 2);
                format!("  {first} b\n      {word}…\n")
            }),
        ] {
            assert_eq!(folded(line), shown);
        }
        assert!(!folded("\u{1b}[2J").contains('\u{1b}'));
    }
}
