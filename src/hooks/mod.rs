//! What git starts by itself, and how it gets into a repository and out again: the pre-commit hook, the drivers in git's
//! configuration, the attributes of environment files. What is there of others stays as it is, byte for byte.

mod attributes;
mod beside;
mod block;
mod hook_file;
mod place;
mod settings;
mod staged;

use std::path::{Path, PathBuf};

pub use attributes::FILE as ATTRIBUTES_FILE;
pub use staged::{Standpoint, examine_staged};

use crate::error::Result;
use crate::git::{Git, Repository};
use crate::policy::{LoadedPolicy, POLICY_NAME, Reach as PolicyReach};
use place::{Place, Reach};

/// What is installed, one after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The pre-commit hook.
    Hook,
    /// The diff driver.
    Diff,
    /// The merge driver.
    Merge,
    /// The lines of `.gitattributes`.
    Attributes,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Hook, Self::Diff, Self::Merge, Self::Attributes];

    /// What a person calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hook => "pre-commit hook",
            Self::Diff => "diff driver",
            Self::Merge => "merge driver",
            Self::Attributes => "attributes",
        }
    }
}

/// How a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// As this program would install it.
    Installed,
    /// Not there.
    Missing,
    /// Installed by another version, for another place of the program, or for another policy.
    Stale,
    /// Not there, and somebody else's file has to say it.
    Told,
}

impl State {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Installed => "installed",
            Self::Missing | Self::Told => "missing",
            Self::Stale => "stale",
        }
    }
}

/// What became of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was as it should be.
    Kept,
    /// It was put in.
    Added,
    /// It was brought up to date.
    Refreshed,
    /// It was taken out.
    Removed,
    /// A person has to do it: these lines say what.
    Told(Vec<String>),
}

/// A part, and how it is.
#[derive(Clone, Debug)]
pub struct Status {
    /// The part.
    pub part: Part,
    /// Where it is.
    pub place: PathBuf,
    /// How it is.
    pub state: State,
    /// What a person has to do, where only a person can.
    pub advice: Vec<String>,
}

/// A repository in which things are installed.
pub struct Installation<'r> {
    repository: &'r Repository,
    git: &'r Git,
    program: String,
    patterns: Vec<String>,
    hook: Place,
}

impl<'r> Installation<'r> {
    /// `program` is how a shell calls the program: a name that `PATH` leads to, or a quoted path. `policies` are all root
    /// policies of the repository.
    ///
    /// # Errors
    /// `Failed` if git does not say where its hooks are.
    pub fn new(repository: &'r Repository, git: &'r Git, program: String, policies: &[LoadedPolicy]) -> Result<Self> {
        Ok(Self {
            hook: Place::find(repository, git)?,
            patterns: attributes::patterns(repository.root(), policies),
            repository,
            git,
            program,
        })
    }

    /// How each part is.
    ///
    /// # Errors
    /// `Failed` if a file cannot be read, or holds half of what was put in.
    pub fn status(&self) -> Result<Vec<Status>> {
        let root = self.repository.root();
        let status = |part| {
            let state = match part {
                Part::Hook => hook_file::state(&self.hook, &self.program),
                Part::Diff => settings::state(settings::DIFF, self.git, &self.program),
                Part::Merge => settings::state(settings::MERGE, self.git, &self.program),
                Part::Attributes => attributes::state(root, &self.patterns),
            }?;
            Ok(Status {
                part,
                place: self.place(part),
                state,
                advice: match state {
                    State::Told => hook_file::advice(&self.hook.starter),
                    _ => Vec::new(),
                },
            })
        };
        Part::ALL.into_iter().map(status).collect()
    }

    /// Puts a part in, or brings it up to date.
    ///
    /// # Errors
    /// `Failed`, with what to do, if something of somebody else's is in the way.
    pub fn install(&self, part: Part) -> Result<Outcome> {
        match part {
            Part::Hook => hook_file::install(&self.hook, &self.program),
            Part::Diff => settings::install(settings::DIFF, self.git, &self.program),
            Part::Merge => settings::install(settings::MERGE, self.git, &self.program),
            Part::Attributes => attributes::install(self.repository.root(), &self.patterns),
        }
    }

    /// Takes a part out: what was there before is there again, byte for byte.
    ///
    /// # Errors
    /// As [`Installation::status`].
    pub fn uninstall(&self, part: Part) -> Result<Outcome> {
        match part {
            Part::Hook => hook_file::uninstall(&self.hook),
            Part::Diff => settings::uninstall(settings::DIFF, self.git),
            Part::Merge => settings::uninstall(settings::MERGE, self.git),
            Part::Attributes => attributes::uninstall(self.repository.root()),
        }
    }

    /// Where a part is, absolute.
    pub fn place(&self, part: Part) -> PathBuf {
        match part {
            Part::Hook => self.hook.file.clone(),
            Part::Diff | Part::Merge => self.hook.configuration.clone(),
            Part::Attributes => attributes::path(self.repository.root()),
        }
    }

    /// What else a person should know of where the hook is.
    pub fn notice(&self) -> Option<&'static str> {
        match self.hook.reach {
            Reach::Clone => None,
            Reach::Everybody => Some("the hook is a file of the repository: commit it, and everybody has it"),
            Reach::AllRepositories => {
                Some("`core.hooksPath` leads out of this repository: the hook looks at every repository that uses it")
            }
        }
    }
}

/// Every root policy of the repository, as the work tree has it: those that git knows, and the one that holds in `folder`.
///
/// # Errors
/// `Failed` if there is none in `folder` or above, or one cannot be used.
pub fn policies(repository: &Repository, git: &Git, folder: &Path) -> Result<Vec<LoadedPolicy>> {
    let root = repository.root();
    let own = LoadedPolicy::load(folder, Some(root), PolicyReach::Everything)?;
    let mut policies = vec![own];
    for file in repository.staged_files(git)?.files() {
        let folder = root.join(file.path.parent().unwrap_or(Path::new("")));
        let is_policy = file.path.file_name().is_some_and(|name| name == POLICY_NAME);
        if !is_policy || policies.iter().any(|known| known.root_folder == folder) {
            continue;
        }
        // One further down has no `id`, and belongs to a root.
        if crate::policy::id_of(&folder.join(POLICY_NAME))?.is_some() {
            policies.push(LoadedPolicy::read(&folder, &folder, PolicyReach::Everything)?);
        }
    }
    Ok(policies)
}
