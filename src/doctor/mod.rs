//! What is wrong here, and the command that mends it. Takes what the program gathered from the machine and looks at
//! identities, git, policy, files and trust; it asks nobody, starts no program but `git`, and writes nothing.

mod environments;
mod finding;
mod grants;
mod hooks;
mod identities;
mod leftovers;
mod plaintext;
mod policy;
mod repository;
mod scene;
mod tracking;
mod trust;

use std::ffi::OsString;
use std::path::PathBuf;

pub use finding::{Code, Finding, Severity};

use crate::crypto::identities::Identities;
use crate::crypto::key::DropBox;
use crate::crypto::plugins::Plugins;
use crate::error::Failure;
use crate::git::{HookVariables, Repository};
use crate::policy::{LoadedPolicy, Reach};
use crate::secret::Secret;
use crate::vault::{Setup, Vault};
use scene::Scene;

/// What the program knows of the machine, as it is: what could not be found out is the failure that a command would give.
pub struct Surroundings {
    /// The working folder, absolute.
    pub folder: PathBuf,
    /// What a git hook said of the repository.
    pub hook: HookVariables,
    /// `PATH`.
    pub search_path: OsString,
    /// Where identities may be, in order.
    pub identities: Result<Vec<IdentityPlace>, Failure>,
    /// The folder of the trust file; nothing without a home.
    pub state_folder: Option<PathBuf>,
    /// What `SECRETREE_TRUST` says: drop boxes by environment.
    pub pinned: Result<Vec<(String, DropBox)>, Failure>,
    /// The editor that `edit` would start.
    pub editor: Editor,
    /// How a shell calls this program; nothing if no script can name it.
    pub program: Option<String>,
    /// `$XDG_RUNTIME_DIR`.
    pub runtime_folder: Option<PathBuf>,
}

/// One place that may hold identities.
pub enum IdentityPlace {
    /// A file; `by` is the flag or variable that named it, nothing for one of the usual places.
    File {
        /// Who named it.
        by: Option<&'static str>,
        /// The file.
        path: PathBuf,
    },
    /// The text of `SECRETREE_KEY`.
    Text(Secret),
    /// The program of `SECRETREE_KEY_COMMAND`. It is not started.
    Command(String),
}

/// The editor that `edit` would start.
pub enum Editor {
    /// None can be started: why, and the command that changes it.
    Unusable(Failure, Option<String>),
    /// This one.
    Usable {
        /// Its name.
        name: String,
        /// What to know of an editor that keeps copies whatever it is told.
        notice: Option<String>,
        /// Whether it is known to leave nothing behind.
        leaves_nothing: bool,
    },
}

/// One look at one side of things.
pub struct Check {
    /// What it looks at.
    pub name: &'static str,
    /// Everything that it can find.
    pub codes: &'static [&'static Code],
    find: fn(&mut Scene<'_>) -> Vec<Finding>,
}

/// All checks, in the order in which they are worth mending.
pub const CHECKS: &[&Check] = &[
    &identities::CHECK,
    &repository::CHECK,
    &policy::CHECK,
    &leftovers::CHECK,
    &tracking::CHECK,
    &environments::CHECK,
    &trust::CHECK,
    &plaintext::CHECK,
    &hooks::CHECK,
];

/// Looks at everything. What one check cannot see because of what another found is left out.
pub fn examine(surroundings: &Surroundings) -> Vec<Finding> {
    let discover = || Repository::discover(&surroundings.folder, &surroundings.hook).map_err(Failure::from);
    let repository = discover();
    let root = match &repository {
        Ok(Some(repository)) => Some(repository.root()),
        _ => None,
    };
    let loaded = LoadedPolicy::load(&surroundings.folder, root, Reach::Everything).map_err(Failure::from);
    let setup = |loaded, state_folder| Setup {
        loaded,
        repository: discover().ok().flatten(),
        // No plugins and nobody to ask: only what costs nothing is opened.
        identities: Identities::new(identities::sources(surroundings), Plugins::none()),
        plugins: Plugins::none(),
        state_folder,
        named: surroundings.pinned.clone().unwrap_or_default(),
    };
    let mut trust_failure = None;
    let vault = loaded.as_ref().ok().and_then(|loaded| {
        let vault = Vault::looking(setup(loaded, surroundings.state_folder.clone()));
        vault
            .or_else(|error| {
                trust_failure = Some(Failure::from(error));
                Vault::looking(setup(loaded, None))
            })
            .ok()
    });
    let mut scene = Scene::new(surroundings, &repository, &loaded, vault, trust_failure);
    CHECKS.iter().flat_map(|check| (check.find)(&mut scene)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::CHECKS;

    #[test]
    fn every_code_has_a_name_of_its_own() {
        let mut names = BTreeSet::new();
        for code in CHECKS.iter().flat_map(|check| check.codes) {
            assert!(names.insert(code.name), "{} stands twice", code.name);
            let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
            assert!(code.name.bytes().all(is_plain), "{}", code.name);
            assert!(!code.meaning.contains(['|', '\n']), "{} fits no table", code.name);
        }
        assert!(names.len() > 20);
    }
}
