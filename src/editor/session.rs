//! One session with an editor: the text in a private file, the editor as often as it takes, and the file gone
//! at the end, however that comes. What makes a text acceptable is the caller's to say.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use secretree::error::{Failure, Result};
use secretree::files::{FILE_LIMIT, PrivateFolder};
use secretree::secret::Secret;

use super::heir::Heir;
use super::program::Editor;
use super::signals::SignalGuard;
use crate::context::{Variables, is_private};
use crate::ui::Ui;

/// How often an editor may bring a refused text where no terminal is, and so perhaps nobody who reads the reasons.
const TRIES_UNSEEN: usize = 10;

/// A text in a person's editor. The private file is removed when this is dropped.
pub(crate) struct EditorSession<'a> {
    // Before the folder: on drop the handlers go first, so that none of them acts on a folder long gone.
    signals: SignalGuard,
    folder: PrivateFolder,
    // Behind the folder: what could not be removed then is removed now.
    heir: Heir,
    file: PathBuf,
    text: Secret,
    editor: Editor,
    ui: &'a Ui,
    variables: &'a Variables,
}

/// What came back from the editor.
pub(crate) enum Edited<T> {
    /// The very same text.
    Unchanged,
    /// Another text, and what the check made of it.
    Changed(T),
}

impl<'a> EditorSession<'a> {
    /// Puts `text` into a private file named `name` (`prod.yaml`). Starts nothing yet.
    pub(crate) fn new(name: &str, text: Secret, ui: &'a Ui, variables: &'a Variables) -> Result<Self> {
        let editor = Editor::choose(variables)?;
        let folder = PrivateFolder::new(variables.runtime_folder(), &std::env::temp_dir())?;
        let signals = SignalGuard::install(folder.path())?;
        let heir = Heir::appoint(folder.path());
        let file = folder.write(name, &text)?;
        if !folder.is_in_memory() {
            ui.warning(&format!(
                "no memory-backed folder here: the text stands in `{}` meanwhile",
                file.display()
            ));
        }
        Ok(Self {
            signals,
            folder,
            heir,
            file,
            text,
            editor,
            ui,
            variables,
        })
    }

    /// Opens the editor until `check` accepts the text. Failure: the editor failed, or brought the same
    /// refused text back (without a terminal, ten refused texts); then with the check's own failure.
    pub(crate) fn edit<T>(&self, mut check: impl FnMut(&Secret) -> Result<T>) -> Result<Edited<T>> {
        if let Some(notice) = self.editor.notice() {
            self.ui.warning(&notice);
        }
        let mut refused: Option<Secret> = None;
        let mut tries = 0;
        loop {
            self.open_editor()?;
            let text = self.read_back()?;
            if text == self.text {
                return Ok(Edited::Unchanged);
            }
            let failure = match check(&text) {
                Ok(accepted) => return Ok(Edited::Changed(accepted)),
                Err(failure) => failure,
            };
            tries += 1;
            let is_watched = self.ui.terminal().is_some();
            if refused.as_ref() == Some(&text) || (!is_watched && tries == TRIES_UNSEEN) {
                return Err(failure);
            }
            // Without a person who reads it now, it is said at the end.
            if is_watched {
                self.ui.failure(&failure);
                if !self.ui.wait_for_enter("to edit again, Ctrl-D to give up")? {
                    return Err(Failure::failed("given up; nothing was written").into());
                }
            }
            refused = Some(text);
        }
    }

    /// Leaves the file where it is and returns its place, for a text that would be lost otherwise.
    pub(crate) fn keep(self) -> PathBuf {
        self.signals.disarm();
        self.heir.dismiss();
        self.folder.keep();
        self.file
    }

    fn open_editor(&self) -> Result<()> {
        let name = self.editor.name();
        let mut command = Command::new(self.editor.program());
        command.args(self.editor.arguments()).arg(&self.file);
        for variable in self.variables.all().keys().filter(|variable| is_private(variable)) {
            command.env_remove(variable);
        }
        let child = command
            .spawn()
            .map_err(|error| Failure::failed(format!("the editor `{name}` cannot be started: {error}")))?;
        let status = self.signals.wait(child)?;
        if status.success() {
            return Ok(());
        }
        Err(Failure::failed(format!("the editor `{name}` {}; nothing was written", ending(status))).into())
    }

    fn read_back(&self) -> Result<Secret> {
        read_private(&self.file).map_err(|reason| {
            let name = self.editor.name();
            Failure::failed(format!(
                "the text that `{name}` left cannot be read: {reason}; nothing was written"
            ))
            .into()
        })
    }
}

/// The file's bytes in one buffer of their size, so that no smaller one is left behind unwiped.
fn read_private(path: &Path) -> Result<Secret, String> {
    // Before it is opened: opening a pipe would wait for someone to write to it.
    let metadata = path.metadata().map_err(|error| error.to_string())?;
    if !metadata.is_file() || metadata.len() > FILE_LIMIT {
        return Err("it is no file of at most 64 MiB".to_owned());
    }
    let size = usize::try_from(metadata.len()).map_err(|error| error.to_string())?;
    let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(size + 1));
    File::open(path)
        .and_then(|file| file.take(metadata.len()).read_to_end(&mut bytes))
        .map_err(|error| error.to_string())?;
    Ok(Secret::new(std::mem::take(&mut *bytes)))
}

fn ending(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("ended with status {code}"),
        None => "was ended by a signal".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use secretree::error::{Failure, Result};
    use secretree::secret::Secret;

    use super::{Edited, EditorSession};
    use crate::context::Variables;
    use crate::ui::Ui;

    /// A shell script as an editor, run by its interpreter so that no freshly written file is executed.
    fn scripted(folder: &Path, script: &str) -> Variables {
        let path = folder.join("editor.sh");
        let mut file = fs::File::create(&path).unwrap();
        std::io::Write::write_all(&mut file, script.as_bytes()).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        Variables::from_iter([("EDITOR", format!("/bin/sh {}", path.display()))])
    }

    fn no_tabs(text: &Secret) -> Result<String> {
        let text = text.expose_text().expect("the test writes text");
        if text.contains("bad") {
            return Err(Failure::failed("line 1 column 1: that is bad").into());
        }
        Ok(text.to_owned())
    }

    fn edit(script: &str) -> (Result<Edited<String>>, String) {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let variables = scripted(folder.path(), &format!("echo \"$1\" >> {}\n{script}", log.display()));
        let ui = Ui::plain();
        let session = EditorSession::new("prod.yaml", Secret::from("a: 1\n"), &ui, &variables).unwrap();
        let outcome = session.edit(no_tabs);
        drop(session);
        let log = fs::read_to_string(log).unwrap();
        let file = Path::new(log.lines().next().unwrap());
        assert!(file.to_str().unwrap().ends_with("/prod.yaml"));
        assert!(!file.exists() && !file.parent().unwrap().exists(), "plaintext is gone");
        (outcome, log)
    }

    #[test]
    fn a_changed_text_is_checked_and_an_unchanged_one_is_not() {
        assert!(matches!(edit("true").0.unwrap(), Edited::Unchanged));
        let Edited::Changed(text) = edit("echo 'b: 2' > \"$1\"").0.unwrap() else {
            panic!("the text changed");
        };
        assert_eq!(text, "b: 2\n");
    }

    #[test]
    fn the_same_refused_text_twice_ends_it() {
        let (outcome, log) = edit("echo bad > \"$1\"");
        assert_eq!(outcome.err().unwrap().to_string(), "line 1 column 1: that is bad");
        assert_eq!(log.lines().count(), 2);
    }

    #[test]
    fn a_refused_text_can_be_mended() {
        let (outcome, log) = edit("if grep -q bad \"$1\"; then echo ok > \"$1\"; else echo bad > \"$1\"; fi");
        assert!(matches!(outcome.unwrap(), Edited::Changed(text) if text == "ok\n"));
        assert_eq!(log.lines().count(), 2);
    }

    #[test]
    fn an_editor_that_fails_changes_nothing() {
        let message = edit("echo x > \"$1\"; exit 3").0.err().unwrap().to_string();
        assert_eq!(message, "the editor `sh` ended with status 3; nothing was written");
        assert!(edit("rm \"$1\"").0.is_err());
        assert!(edit("rm \"$1\"; mkfifo \"$1\" || mkdir \"$1\"").0.is_err());
    }

    #[test]
    fn a_kept_text_stays_where_it_is_said_to_be() {
        let folder = tempfile::tempdir().unwrap();
        let variables = scripted(folder.path(), "true");
        let ui = Ui::plain();
        let session = EditorSession::new("prod.yaml", Secret::from("a: 1\n"), &ui, &variables).unwrap();
        let file = session.keep();
        assert_eq!(fs::read(&file).unwrap(), b"a: 1\n");
        fs::remove_dir_all(file.parent().unwrap()).unwrap();
    }
}
