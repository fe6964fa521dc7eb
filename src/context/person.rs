//! The person at the terminal, as identities and age plugins see them: who is asked, and by which program where there is
//! no terminal. How it looks is `ui`'s.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use secretree::crypto::plugins::{Ask, Plugins};
use secretree::error::{Failure, Result};
use secretree::process::{Found, SearchPath};
use secretree::secret::Secret;

use super::Context;
use crate::ui::{Ui, ask_passphrase, escaped};

/// Answers the questions of identities and plugins.
struct Person {
    ui: Ui,
    /// The pinentry that may be started.
    pinentry: Option<PathBuf>,
}

impl Context {
    /// Where age plugins are found, and who answers their questions.
    pub(crate) fn plugins(&self, work_tree: Option<&Path>) -> Plugins {
        let search = self.search_path(work_tree);
        let person = Person {
            ui: self.ui.clone(),
            pinentry: self.pinentry(&search),
        };
        Plugins::new(search, Arc::new(person))
    }

    /// Asks twice for a new passphrase.
    pub(crate) fn new_passphrase(&self, description: &str) -> Result<Secret> {
        let repository = self.repository()?;
        let search = self.search_path(repository.as_ref().map(|repository| repository.root()));
        let typed = ask_passphrase(&self.ui, self.pinentry(&search).as_deref(), description, true)?;
        typed.ok_or_else(|| {
            Failure::failed("no passphrase was given")
                .hint(
                    "run it on a terminal, or install `pinentry` in an absolute folder of PATH outside the repository",
                )
                .into()
        })
    }

    fn search_path(&self, work_tree: Option<&Path>) -> SearchPath {
        let path = self.variables.get("PATH").unwrap_or_default();
        SearchPath::new(std::env::split_paths(path).collect(), work_tree)
    }

    /// The program that `PINENTRY_PROGRAM` names, else the first `pinentry`; none that a repository may have brought.
    fn pinentry(&self, search: &SearchPath) -> Option<PathBuf> {
        let found = match self.variables.get("PINENTRY_PROGRAM") {
            Some(program) => search.named(Path::new(program)),
            None => search.first("pinentry"),
        };
        match found {
            Found::Program(program) => Some(program),
            Found::Untrusted(_) | Found::Nothing => None,
        }
    }
}

impl Ask for Person {
    fn passphrase(&self, prompt: &str) -> Option<Secret> {
        let answer = ask_passphrase(&self.ui, self.pinentry.as_deref(), &escaped(prompt), false);
        answer.unwrap_or_else(|error| {
            self.ui.warning(&error.to_string());
            None
        })
    }

    fn text(&self, prompt: &str) -> Option<String> {
        self.ui.terminal()?.line(&format!("{}: ", escaped(prompt))).ok()?
    }

    fn confirm(&self, message: &str, yes: &str, no: Option<&str>) -> Option<bool> {
        let no = no.unwrap_or("no");
        let question = format!("{} [{}/{}] ", escaped(message), escaped(yes), escaped(no));
        let answer = self.ui.terminal()?.line(&question).ok()??;
        Some(answer.trim().eq_ignore_ascii_case(yes) || matches!(answer.trim(), "y" | "yes"))
    }

    fn show(&self, message: &str) {
        self.ui.warning(message);
    }
}
