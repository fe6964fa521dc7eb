//! The hooks of the repository here: how git is to call this program, and what a person is told of each part.

use std::path::{Path, PathBuf};

use secretree::cure::quoted;
use secretree::error::{Failure, Result};
use secretree::hooks::{Installation, Outcome, Part, policies};
use secretree::policy::LoadedPolicy;

use super::Context;
use crate::ui::escaped;

/// What the hooks are looked at for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum HooksFor {
    /// Which environments there are has to be known.
    Install,
    /// Likewise.
    Status,
    /// What was put in is taken out, whatever the policy says.
    Uninstall,
}

impl Context {
    /// Installs all parts, or brings them up to date, and says so. What can be installed is; the first reason why something
    /// could not is the failure.
    pub(crate) fn install_hooks(&self) -> Result<()> {
        let mut first = None;
        self.with_hooks(HooksFor::Install, |installation| {
            for part in Part::ALL {
                match installation.install(part) {
                    Ok(outcome) => self.tell_of_hook(installation, part, &outcome),
                    Err(error) => {
                        first.get_or_insert(error);
                    }
                }
            }
            if let Some(notice) = installation.notice() {
                self.ui.note(&format!("note: {notice}"));
            }
            Ok(())
        })?;
        first.map_or(Ok(()), Err)
    }

    /// Calls `work` with what can be installed here.
    pub(crate) fn with_hooks(
        &self,
        purpose: HooksFor,
        work: impl FnOnce(&Installation<'_>) -> Result<()>,
    ) -> Result<()> {
        let Some(repository) = self.repository()? else {
            return Err(Failure::failed("this folder is in no git repository")
                .hint("git init")
                .into());
        };
        let git = self.git(repository.root())?;
        let folder = secretree::files::real_path(self.folder())?;
        let policies: Vec<LoadedPolicy> = match purpose {
            HooksFor::Install | HooksFor::Status => policies(&repository, &git, &folder)?,
            HooksFor::Uninstall => Vec::new(),
        };
        work(&Installation::new(&repository, &git, self.own_words()?, &policies)?)
    }

    /// Says what became of a part.
    pub(crate) fn tell_of_hook(&self, installation: &Installation<'_>, part: Part, outcome: &Outcome) {
        let (name, place) = (part.name(), self.shown_here(&installation.place(part)));
        let place = escaped(&place);
        match outcome {
            Outcome::Kept => self.ui.note(&format!("{name}: as it should be")),
            Outcome::Added => self.ui.note(&format!("{name}: installed in {place}")),
            Outcome::Refreshed => self.ui.note(&format!("{name}: brought up to date in {place}")),
            Outcome::Removed => self.ui.note(&format!("{name}: taken out of {place}")),
            Outcome::Told(lines) => {
                for (at, line) in lines.iter().enumerate() {
                    let line = escaped(line);
                    match at {
                        0 => self.ui.warning(&format!("{name}: {line}")),
                        _ => self.ui.note(&line),
                    }
                }
            }
        }
    }

    /// The path as it is typed here: relative below the working folder.
    pub(crate) fn shown_here(&self, path: &Path) -> String {
        let here = secretree::files::real_path(self.folder()).unwrap_or_else(|_| self.folder().to_owned());
        let shown = path.strip_prefix(&here).unwrap_or(path);
        shown.display().to_string()
    }

    /// How a shell calls this very program: by name if that is what `PATH` leads to, else by its path.
    pub(crate) fn own_words(&self) -> Result<String> {
        let program = self.own_program()?;
        let path = self.variables.get("PATH").unwrap_or_default();
        let real = |path: &Path| path.canonicalize().ok();
        let named = std::env::split_paths(path)
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join("secretree"))
            .find(|candidate| candidate.is_file());
        if named.is_some_and(|named| real(&named).is_some() && real(&named) == real(&program)) {
            return Ok("secretree".to_owned());
        }
        let quoted = program.to_str().and_then(quoted);
        quoted.ok_or_else(|| {
            Failure::failed("the path of this program cannot be written into a script")
                .hint("install it in a folder of PATH")
                .into()
        })
    }

    /// The file of this program.
    pub(crate) fn own_program(&self) -> Result<PathBuf> {
        Ok(std::env::current_exe()
            .map_err(|error| Failure::failed(format!("this program does not find itself: {error}")))?)
    }
}
