//! Which editor a person wants, and how it must be started so that it leaves no plaintext behind: options for
//! the editors that keep swap, undo or backup files, a warning for those that keep a history of their own.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use secretree::error::{Failure, Result};
use secretree::process::{resolve_program, split_shell_words};

use crate::context::Variables;

/// The settings that name an editor, the strongest first.
const SETTINGS: [&str; 3] = ["SECRETREE_EDITOR", "VISUAL", "EDITOR"];

/// Started where nothing is set and one of them exists.
const USUAL: [&str; 3] = ["vi", "vim", "nano"];

/// Graphical editors that return at once unless told to wait, and the words that tell them.
const RETURN_AT_ONCE: [&str; 16] = [
    "code",
    "code-insiders",
    "codium",
    "vscodium",
    "cursor",
    "windsurf",
    "zed",
    "subl",
    "idea",
    "pycharm",
    "webstorm",
    "goland",
    "phpstorm",
    "rubymine",
    "clion",
    "rustrover",
];

/// Editors that keep neither swap nor undo nor backup files unless they are told to.
const LEAVES_NOTHING: [&str; 4] = ["ed", "helix", "hx", "kak"];

/// An editor that is ready to be started.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Editor {
    program: PathBuf,
    arguments: Vec<String>,
    name: String,
}

impl Editor {
    /// The editor that `variables` name. Failure: none, a text that is no words, or an editor that would
    /// return before the person is done.
    pub(crate) fn choose(variables: &Variables) -> Result<Self> {
        for setting in SETTINGS {
            if let Some(text) = variables.text(setting)? {
                return Self::from_setting(setting, text, variables);
            }
        }
        let found = USUAL
            .iter()
            .find_map(|name| Some((*name, find_program(name, variables)?)))
            .map(|(name, program)| Self::with_options(name, program, Vec::new()));
        found.ok_or_else(|| {
            Failure::failed("no editor is set and none was found")
                .hint("export EDITOR=nano")
                .into()
        })
    }

    fn from_setting(setting: &str, text: &str, variables: &Variables) -> Result<Self> {
        let words = split_shell_words(text).map_err(|_| {
            Failure::failed(format!("`{setting}` cannot be split into words"))
                .hint("it is split as a shell splits; check its quotes")
        })?;
        let (word, arguments) = words.split_first().expect("there is at least one word");
        let program = find_program(word, variables).ok_or_else(|| {
            Failure::failed(format!("the editor `{word}` of `{setting}` was not found"))
                .hint("name one that is installed: export EDITOR=nano")
        })?;
        let name = base_name(Path::new(word));
        let waits = arguments
            .iter()
            .any(|argument| argument == "--wait" || argument == "-w");
        if RETURN_AT_ONCE.contains(&name.as_str()) && !waits {
            return Err(Failure::failed(format!(
                "`{name}` returns before you are done, unless it is told to wait"
            ))
            .hint(format!("export {setting}='{name} --wait'"))
            .into());
        }
        Ok(Self::with_options(&name, program, arguments.to_vec()))
    }

    fn with_options(name: &str, program: PathBuf, mut arguments: Vec<String>) -> Self {
        arguments.extend(
            private_options(name, &program)
                .iter()
                .map(|option| (*option).to_owned()),
        );
        Self {
            program,
            arguments,
            name: name.to_owned(),
        }
    }

    /// What it is called in messages.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The program, an absolute path or one with a slash.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// The words between the program and the file.
    pub(crate) fn arguments(&self) -> &[String] {
        &self.arguments
    }

    /// The command by which the strongest setting names an editor that is here.
    pub(crate) fn another(variables: &Variables) -> Option<String> {
        let setting = SETTINGS.iter().find(|setting| variables.get(setting).is_some());
        let found = |name: &'static str| Some(Self::with_options(name, find_program(name, variables)?, Vec::new()));
        let mut here: Vec<Self> = USUAL.into_iter().filter_map(found).collect();
        here.sort_by_key(|editor| !editor.leaves_nothing());
        Some(format!(
            "export {}={}",
            setting.unwrap_or(&"EDITOR"),
            here.first()?.name
        ))
    }

    /// Whether it is known to leave no copy of what it edits behind.
    pub(crate) fn leaves_nothing(&self) -> bool {
        LEAVES_NOTHING.contains(&self.name.as_str()) || !private_options(&self.name, &self.program).is_empty()
    }

    /// What to know about an editor that keeps copies which no option turns off.
    pub(crate) fn notice(&self) -> Option<String> {
        let setting = match self.name.as_str() {
            "code" | "code-insiders" | "codium" | "vscodium" | "cursor" | "windsurf" => {
                "exclude `**/secretree-*/**` in its setting `workbench.localHistory.exclude`"
            }
            "idea" | "pycharm" | "webstorm" | "goland" | "phpstorm" | "rubymine" | "clion" | "rustrover" => {
                "set `-DlocalHistory.daysToKeep=0` in its VM options"
            }
            "emacsclient" => "set `make-backup-files` to nil there",
            _ => return None,
        };
        Some(format!(
            "`{}` keeps copies of what it edits: {setting}, or use another editor",
            self.name
        ))
    }
}

/// Options that turn off swap, undo, backup and history files, for the editors that know them.
fn private_options(name: &str, program: &Path) -> &'static [&'static str] {
    const VIM: [&str; 5] = [
        "-n",
        "-i",
        "NONE",
        "-c",
        "silent! set noundofile nobackup nowritebackup",
    ];
    const GRAPHICAL_VIM: [&str; 6] = [VIM[0], VIM[1], VIM[2], VIM[3], VIM[4], "-f"];
    // `vi` may be anything; the file behind the links says what it is.
    let behind = program
        .canonicalize()
        .map_or_else(|_| name.to_owned(), |path| base_name(&path));
    let is_vim = |name: &str| ["vim", "nvim", "gvim", "mvim"].iter().any(|vim| name.starts_with(vim));
    match name {
        "gvim" | "mvim" => &GRAPHICAL_VIM,
        _ if is_vim(name) || is_vim(&behind) => &VIM,
        "nano" | "rnano" => &["--restricted"],
        _ if name.starts_with("emacs") && name != "emacsclient" => &[
            "--eval",
            "(setq make-backup-files nil auto-save-default nil create-lockfiles nil undo-tree-auto-save-history nil)",
        ],
        _ => &[],
    }
}

/// Where a word of a setting leads: itself if it has a slash, else what `PATH` has of that name.
fn find_program(word: &str, variables: &Variables) -> Option<PathBuf> {
    if word.contains('/') {
        return Some(PathBuf::from(word));
    }
    resolve_program(word, variables.get("PATH")?, None)
}

fn base_name(path: &Path) -> String {
    path.file_name()
        .map(OsStr::to_string_lossy)
        .unwrap_or_default()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::path::Path;

    use super::{Editor, Variables};

    /// A folder with empty programs of these names, and `vi`, a link to the first.
    fn programs(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            let path = folder.path().join(name);
            File::create(&path).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        }
        symlink(names[0], folder.path().join("vi")).unwrap();
        folder
    }

    fn choose(folder: &Path, settings: &[(&str, &str)]) -> Result<Editor, String> {
        let path = ("PATH", folder.to_str().unwrap());
        let variables = Variables::from_iter(settings.iter().copied().chain([path]));
        Editor::choose(&variables).map_err(|error| error.to_string())
    }

    #[test]
    fn the_strongest_setting_wins_and_is_split_into_words() {
        let folder = programs(&["vim.basic", "my editor", "nano", "code"]);
        let settings = [
            ("SECRETREE_EDITOR", "'my editor' -x 'a b'"),
            ("VISUAL", "nano"),
            ("EDITOR", "vi"),
        ];
        let editor = choose(folder.path(), &settings).unwrap();
        assert_eq!(editor.program(), folder.path().join("my editor"));
        assert_eq!(editor.arguments(), ["-x", "a b"]);
        assert_eq!(choose(folder.path(), &settings[1..]).unwrap().name(), "nano");
        assert_eq!(choose(folder.path(), &settings[2..]).unwrap().name(), "vi");
        assert_eq!(choose(folder.path(), &[]).unwrap().name(), "vi");
    }

    #[test]
    fn editors_are_started_so_that_they_keep_nothing() {
        let folder = programs(&["vim.basic", "nano", "emacs", "other"]);
        for (setting, first) in [("vi", "-n"), ("nano", "--restricted"), ("emacs -nw", "-nw")] {
            let editor = choose(folder.path(), &[("EDITOR", setting)]).unwrap();
            assert_eq!(editor.arguments()[0], first, "{setting}");
        }
        let folder = programs(&["busybox"]);
        assert!(
            choose(folder.path(), &[("EDITOR", "vi")])
                .unwrap()
                .arguments()
                .is_empty()
        );
    }

    #[test]
    fn what_cannot_work_is_refused_before_anything_is_decrypted() {
        let folder = programs(&["vim", "code"]);
        for (setting, message) in [
            ("'vim", "`EDITOR` cannot be split into words"),
            ("absent --wait", "the editor `absent` of `EDITOR` was not found"),
            ("code", "`code` returns before you are done, unless it is told to wait"),
        ] {
            assert_eq!(choose(folder.path(), &[("EDITOR", setting)]).unwrap_err(), message);
        }
        let waiting = choose(folder.path(), &[("EDITOR", "code --wait")]).unwrap();
        assert!(waiting.notice().unwrap().contains("localHistory"));
    }
}
