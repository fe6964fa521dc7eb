//! age plugins: where their programs may be found, and how they reach the person. The age library searches
//! `PATH` by itself, so a plugin is resolved here first, and one from the work tree is never started.

use std::path::PathBuf;
use std::sync::Arc;

use age::secrecy::SecretString;

use crate::error::{Failure, Result};
use crate::process::{Found, SearchPath};
use crate::secret::Secret;

/// Answers questions; the program implements it on a terminal. Prompts hold no secrets.
pub trait Ask: Send + Sync {
    /// A passphrase; `None` if nobody can be asked, or nothing was answered.
    fn passphrase(&self, prompt: &str) -> Option<Secret>;
    /// Text that is no secret; `None` as above.
    fn text(&self, prompt: &str) -> Option<String>;
    /// `true` for `yes`, `false` for `no`; `None` as above. The words are what the plugin calls them.
    fn confirm(&self, message: &str, yes: &str, no: Option<&str>) -> Option<bool>;
    /// Shows a message ("touch the key"). It comes from a plugin: escape it for the terminal.
    fn show(&self, message: &str);
}

/// Asks nobody: every question stays without answer.
#[derive(Clone, Copy, Debug)]
pub struct AskNobody;

impl Ask for AskNobody {
    fn passphrase(&self, _: &str) -> Option<Secret> {
        None
    }

    fn text(&self, _: &str) -> Option<String> {
        None
    }

    fn confirm(&self, _: &str, _: &str, _: Option<&str>) -> Option<bool> {
        None
    }

    fn show(&self, _: &str) {}
}

/// Where plugins are looked for, and who is asked when one has a question.
#[derive(Clone)]
pub struct Plugins {
    search: SearchPath,
    ask: Arc<dyn Ask>,
}

impl Plugins {
    /// `search` are all entries of `PATH`, for the age library will look at all of them.
    pub fn new(search: SearchPath, ask: Arc<dyn Ask>) -> Self {
        Self { search, ask }
    }

    /// No plugins and no questions.
    pub fn none() -> Self {
        Self::new(SearchPath::new(Vec::new(), None), Arc::new(AskNobody))
    }

    /// Who answers questions.
    pub fn ask(&self) -> &dyn Ask {
        &*self.ask
    }

    /// The program of the plugin called `name`: the first one on the search path.
    ///
    /// # Errors
    /// Exit 1 if there is none, exit 5 if the first one found is not to be trusted.
    pub fn resolve(&self, name: &str) -> Result<PathBuf> {
        let program = format!("age-plugin-{name}");
        match self.search.first(&program) {
            Found::Program(path) => Ok(path),
            Found::Untrusted(folder) => {
                let message = format!(
                    "`{program}` would come from the untrusted folder `{}`",
                    folder.display()
                );
                Err(Failure::integrity(message)
                    .hint("keep only absolute folders outside the repository in PATH")
                    .into())
            }
            Found::Nothing => {
                let message = format!("the age plugin `{program}` is not installed");
                Err(Failure::failed(message)
                    .hint(format!("install `{program}` in a folder of PATH"))
                    .into())
            }
        }
    }

    /// What the age library calls when a plugin has a question.
    pub(super) fn callbacks(&self) -> Callbacks {
        Callbacks(Arc::clone(&self.ask))
    }
}

/// [`Ask`] in the form that the age library wants.
#[derive(Clone)]
pub(super) struct Callbacks(Arc<dyn Ask>);

impl age::Callbacks for Callbacks {
    fn display_message(&self, message: &str) {
        self.0.show(message);
    }

    fn confirm(&self, message: &str, yes: &str, no: Option<&str>) -> Option<bool> {
        self.0.confirm(message, yes, no)
    }

    fn request_public_string(&self, description: &str) -> Option<String> {
        self.0.text(description)
    }

    fn request_passphrase(&self, description: &str) -> Option<SecretString> {
        self.0.passphrase(description).and_then(|answer| secret_string(&answer))
    }
}

/// A passphrase in age's own type; nothing if it is not text.
pub(super) fn secret_string(secret: &Secret) -> Option<SecretString> {
    secret.expose_text().map(SecretString::from)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{OpenOptionsExt as _, symlink};
    use std::path::Path;
    use std::sync::Arc;

    use super::{AskNobody, Plugins};
    use crate::process::SearchPath;

    fn program(folder: &Path) {
        std::fs::create_dir_all(folder).unwrap();
        let mut options = std::fs::OpenOptions::new();
        options
            .write(true)
            .create(true)
            .mode(0o755)
            .open(folder.join("age-plugin-x"))
            .unwrap();
    }

    #[test]
    fn plugins_come_from_absolute_folders_outside_the_work_tree() {
        let folder = tempfile::tempdir().unwrap();
        let (tree, outside, linked) = (
            folder.path().join("tree"),
            folder.path().join("bin"),
            folder.path().join("ln"),
        );
        program(&tree.join("bin"));
        program(&outside);
        std::fs::create_dir(&linked).unwrap();
        symlink(tree.join("bin/age-plugin-x"), linked.join("age-plugin-x")).unwrap();
        let resolve = |search: &[&Path]| {
            let search = search.iter().map(|folder| folder.to_path_buf()).collect();
            Plugins::new(SearchPath::new(search, Some(&tree)), Arc::new(AskNobody))
                .resolve("x")
                .map_err(|error| error.to_string())
        };
        let empty = folder.path();
        assert_eq!(resolve(&[empty, &outside]).unwrap(), outside.join("age-plugin-x"));
        assert_eq!(
            resolve(&[&outside, &tree.join("bin")]).unwrap(),
            outside.join("age-plugin-x")
        );
        for search in [&tree.join("bin"), &linked] {
            let message = resolve(&[search, &outside]).unwrap_err();
            assert!(message.contains("untrusted folder"), "{message}");
        }
        let here = std::env::current_dir().unwrap();
        let up = "../".repeat(here.components().count() - 1);
        let relative = Path::new(&up).join(outside.strip_prefix("/").unwrap());
        assert!(resolve(&[&relative]).unwrap_err().contains("untrusted folder"));
        assert_eq!(
            resolve(&[empty]).unwrap_err(),
            "the age plugin `age-plugin-x` is not installed"
        );
    }
}
