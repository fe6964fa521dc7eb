//! From the surroundings to a vault: which policy holds here, in which repository, with which identities. Reads little:
//! identities are opened when a grant asks for one.

use std::path::PathBuf;
use std::time::Duration;

use secretree::crypto::identities::{Identities, KeySource};
use secretree::crypto::key::DropBox;
use secretree::crypto::plugins::Plugins;
use secretree::error::{Failure, Result};
use secretree::git::{Git, HookVariables, Repository};
use secretree::names::{EnvironmentName, did_you_mean};
use secretree::policy::{LoadedPolicy, POLICY_NAME, Reach};
use secretree::process::{Bounds, Invocation, resolve_program};
use secretree::secret::Secret;
use secretree::vault::{Notice, Setup, Vault};

use super::Context;
use super::identities::Place;
use super::variables::is_private;
use crate::ui::escaped;

/// How long a key command may take; a person may have to touch something.
const KEY_COMMAND_TIME: Duration = Duration::from_secs(120);
/// The most files that a hint names.
const MOST_NAMED: usize = 4;
/// The most that a key command may print.
const KEY_COMMAND_OUTPUT: usize = 1 << 20;

impl Context {
    /// What a git hook says of its repository.
    pub(crate) fn hook_variables(&self) -> HookVariables {
        let folder = |name: &str| self.variables.get(name).map(|value| self.folder().join(value));
        HookVariables {
            directory: folder("GIT_DIR"),
            work_tree: folder("GIT_WORK_TREE"),
            index_file: folder("GIT_INDEX_FILE"),
        }
    }

    /// The repository around the working folder, if there is one.
    pub(crate) fn repository(&self) -> Result<Option<Repository>> {
        Repository::discover(self.folder(), &self.hook_variables())
    }

    /// The `git` command for the repository at `root`; it and its hooks get no identities.
    pub(crate) fn git(&self, root: &std::path::Path) -> Result<Git> {
        let path = self.variables.get("PATH").unwrap_or_default();
        let program = resolve_program("git", path, Some(root))
            .ok_or_else(|| Failure::failed("`git` was not found").hint("install git, or leave `--commit` out"))?;
        let private = self.variables.all().keys().filter(|name| is_private(name)).cloned();
        Ok(Git::new(program, root, private.collect::<Vec<_>>()))
    }

    /// The policy that holds in the working folder.
    pub(crate) fn policy(&self, reach: Reach) -> Result<LoadedPolicy> {
        let (start, bound) = self.start_and_bound()?;
        LoadedPolicy::load(&start, bound.as_deref(), reach)
    }

    /// The policy, and the environment that `argument` names in it; `verb` is used in hints of verbs that take a PATH.
    pub(crate) fn policy_for(&self, argument: &str, verb: Option<&str>) -> Result<(LoadedPolicy, EnvironmentName)> {
        let (start, bound) = self.start_and_bound()?;
        LoadedPolicy::load_for(&start, bound.as_deref(), argument, verb)
    }

    /// The policy, and the environment that a verb without PATH means: its argument, `SECRETREE_ENV`, the policy's default.
    pub(crate) fn policy_for_one(&self, argument: Option<&str>) -> Result<(LoadedPolicy, EnvironmentName)> {
        if let Some(text) = self.environment(argument)? {
            return self.policy_for(text, None);
        }
        let loaded = self.policy(Reach::Near)?;
        let (start, _) = self.start_and_bound()?;
        match loaded.default_environment(&start)? {
            Some(name) => Ok((loaded, name)),
            None => {
                let names: Vec<_> = loaded
                    .policy
                    .environments
                    .keys()
                    .map(EnvironmentName::as_str)
                    .take(12)
                    .collect();
                Err(
                    Failure::failed("no environment was named, and the policy has no `default_environment`")
                        .hint(format!("name one of {}", names.join(", ")))
                        .into(),
                )
            }
        }
    }

    /// The policy, and the environments that a verb names; all of them if it names none.
    pub(crate) fn policy_for_many(&self, arguments: &[String]) -> Result<(LoadedPolicy, Vec<EnvironmentName>)> {
        let loaded = self.policy(Reach::Everything)?;
        if arguments.is_empty() {
            let all = loaded.policy.environments.keys().cloned().collect();
            return Ok((loaded, all));
        }
        let names = self.environments_in(&loaded, arguments)?;
        Ok((loaded, names))
    }

    /// The environments of a policy that these words mean in the working folder, sorted, each once.
    pub(crate) fn environments_in(&self, loaded: &LoadedPolicy, arguments: &[String]) -> Result<Vec<EnvironmentName>> {
        let (start, _) = self.start_and_bound()?;
        let named = arguments
            .iter()
            .map(|argument| loaded.resolve_environment(argument, &start, None));
        let mut names: Vec<_> = named.collect::<Result<_>>()?;
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// The folders from the working folder up to git's root that hold a policy file, the nearest first.
    pub(crate) fn folders_with_policy(&self) -> Result<Vec<PathBuf>> {
        let (start, bound) = self.start_and_bound()?;
        let end = bound.as_deref().and_then(std::path::Path::parent);
        let inside = start.ancestors().take_while(|folder| Some(*folder) != end);
        let holding = inside.filter(|folder| folder.join(POLICY_NAME).symlink_metadata().is_ok());
        Ok(holding.map(std::path::Path::to_path_buf).collect())
    }

    pub(super) fn start_and_bound(&self) -> Result<(PathBuf, Option<PathBuf>)> {
        let start = secretree::files::real_path(self.folder())?;
        let bound = self.repository()?.map(|repository| repository.root().to_owned());
        Ok((start, bound))
    }

    /// A vault over the policy.
    pub(crate) fn vault<'p>(&self, loaded: &'p LoadedPolicy) -> Result<Vault<'p>> {
        Vault::new(self.setup(loaded, loaded)?)
    }

    /// A vault that finishes nothing that another command left: for what git starts in the middle of its work.
    pub(crate) fn vault_that_looks<'p>(&self, loaded: &'p LoadedPolicy) -> Result<Vault<'p>> {
        Vault::looking(self.setup(loaded, loaded)?)
    }

    /// A vault that only looks, over another policy than the one that holds `now`.
    pub(super) fn vault_over<'p>(&self, loaded: &'p LoadedPolicy, now: &LoadedPolicy) -> Result<Vault<'p>> {
        Vault::looking(self.setup(loaded, now)?)
    }

    fn setup<'p>(&self, loaded: &'p LoadedPolicy, now: &LoadedPolicy) -> Result<Setup<'p>> {
        let repository = self.repository()?;
        let root = repository.as_ref().map(|repository| repository.root().to_owned());
        let plugins = self.plugins(root.as_deref());
        let state_folder = self.variables.state_home().map(|state| state.join("secretree"));
        let named = self.named_drop_boxes(now)?;
        let identities = self.identities(plugins.clone(), root.as_deref())?;
        Ok(Setup {
            loaded,
            repository,
            identities,
            plugins,
            state_folder,
            named,
        })
    }

    /// The drop boxes that `SECRETREE_TRUST` names, by environment.
    pub(crate) fn pinned(&self) -> Result<Vec<(String, DropBox)>> {
        let checked = |(environment, text): (String, String)| match DropBox::parse(&text) {
            Some(drop_box) => Ok((environment, drop_box)),
            None => Err(Failure::failed("`SECRETREE_TRUST` names no drop box")
                .hint("it is `ENV:age1…`; the drop box stands in the footer of the environment file")
                .into()),
        };
        self.variables.trust()?.into_iter().map(checked).collect()
    }

    fn named_drop_boxes(&self, loaded: &LoadedPolicy) -> Result<Vec<(String, DropBox)>> {
        let named = self.pinned()?;
        for (name, _) in &named {
            check_named_environment(loaded, name)?;
        }
        Ok(named)
    }

    /// The identities at hand. Files that were named must exist; files that others can read are warned about.
    pub(crate) fn identities(&self, plugins: Plugins, work_tree: Option<&std::path::Path>) -> Result<Identities> {
        let mut sources = Vec::new();
        for place in self.identity_places()? {
            match place {
                Place::Named { by, path } => {
                    if !path.exists() {
                        let message = format!("`{by}` names `{}`, which does not exist", path.display());
                        return Err(Failure::failed(message)
                            .hint("secretree keygen -o FILE makes an identity")
                            .into());
                    }
                    self.warn_if_readable(&path);
                    sources.push(KeySource::file(path.display().to_string(), path));
                }
                Place::Usual(path) | Place::Ssh(path) => {
                    if path.exists() {
                        self.warn_if_readable(&path);
                        sources.push(KeySource::file(path.display().to_string(), path));
                    }
                }
                Place::Text(text) => sources.push(KeySource::bytes("SECRETREE_KEY", text)),
                Place::Command(words) => sources.push(self.key_command(words, work_tree)?),
            }
        }
        Ok(Identities::new(sources, plugins))
    }

    /// The identities that open without asking anybody or starting anything. What cannot be used is passed over in silence:
    /// for what git starts, once for every file.
    pub(crate) fn free_identities(&self) -> Identities {
        let places = self.identity_places().unwrap_or_default();
        let source = |place| match place {
            Place::Named { path, .. } | Place::Usual(path) | Place::Ssh(path) => {
                Some(KeySource::file(path.display().to_string(), path))
            }
            Place::Text(text) => Some(KeySource::bytes("SECRETREE_KEY", text)),
            Place::Command(_) => None,
        };
        Identities::new(places.into_iter().filter_map(source).collect(), Plugins::none()).without_asking()
    }

    fn warn_if_readable(&self, path: &std::path::Path) {
        use std::os::unix::fs::MetadataExt as _;
        let Ok(metadata) = path.metadata() else { return };
        let is_new = self.seen_key_files.borrow_mut().insert(path.to_owned());
        if is_new && metadata.is_file() && metadata.mode() & 0o077 != 0 {
            let shown = path.display();
            self.ui
                .warning(&format!("others can read the identity `{shown}`: chmod 600 {shown}"));
        }
    }

    fn key_command(&self, words: Vec<String>, work_tree: Option<&std::path::Path>) -> Result<KeySource> {
        let Some((program, arguments)) = words.split_first() else {
            return Err(Failure::failed("`SECRETREE_KEY_COMMAND` is empty")
                .hint("unset it, or name a program")
                .into());
        };
        let path = self.variables.get("PATH").unwrap_or_default();
        let program = resolve_program(program, path, work_tree).ok_or_else(|| {
            Failure::failed("the program of `SECRETREE_KEY_COMMAND` was not found")
                .hint("it must be on PATH or an absolute path, outside the repository")
        })?;
        let private: Vec<_> = self
            .variables
            .all()
            .keys()
            .filter(|name| is_private(name))
            .cloned()
            .collect();
        let mut invocation = Invocation::new(program).arguments(arguments.to_vec());
        for name in private {
            invocation = invocation.without(name);
        }
        Ok(KeySource::command("SECRETREE_KEY_COMMAND", move || {
            let bounds = Bounds {
                time: KEY_COMMAND_TIME,
                output: KEY_COMMAND_OUTPUT,
            };
            let output = invocation.capture(&Secret::default(), bounds)?;
            if output.status.success() {
                return Ok(output.stdout);
            }
            Err(Failure::failed(format!("it failed ({})", output.status))
                .hint("run it by hand to see why")
                .into())
        }))
    }

    /// Prints what a vault has to say to the person.
    pub(crate) fn tell(&self, vault: &mut Vault<'_>) {
        for notice in vault.take_notices() {
            match notice {
                Notice::Note(text) => self.ui.note(&escaped(&format!("note: {text}"))),
                Notice::Warning(text) => self.ui.warning(&text),
            }
        }
    }

    /// The failure of a commit, which leaves written files behind; they are relative to `root`.
    fn uncommitted(&self, error: anyhow::Error, root: &std::path::Path, files: &[PathBuf]) -> Failure {
        let subject = match files {
            [file] => format!("`{}` is", file.display()),
            _ => format!("{} files are", files.len()),
        };
        let failure = Failure::from(error).rephrase(|reason| format!("{reason}; {subject} written and not committed"));
        if files.len() > MOST_NAMED {
            return failure.hint("when that is solved: git commit");
        }
        // `:/` is the root of the work tree, wherever the command is typed.
        let start = if self.folder() == root { "" } else { ":/" };
        let named: Vec<_> = files
            .iter()
            .map(|file| format!("'{start}{}'", file.display()))
            .collect();
        failure.hint(format!(
            "when that is solved: git add {} && git commit",
            named.join(" ")
        ))
    }

    /// Commits `files` (relative to the policy's folder) and nothing else.
    pub(crate) fn commit(&self, vault: &Vault<'_>, files: &[PathBuf], message: &str) -> Result<()> {
        let Some(repository) = vault.repository() else {
            return Err(
                Failure::failed("`--commit` needs a git repository; the file was written")
                    .hint("git init")
                    .into(),
            );
        };
        let Ok(prefix) = vault.folder().strip_prefix(repository.root()) else {
            return Err(Failure::failed("the policy stands outside the repository; the file was written").into());
        };
        let relative: Vec<PathBuf> = files.iter().map(|file| prefix.join(file)).collect();
        let borrowed: Vec<_> = relative.iter().map(PathBuf::as_path).collect();
        let committed = self
            .git(repository.root())
            .and_then(|git| git.commit_files(&borrowed, message))
            .map_err(|error| self.uncommitted(error, repository.root(), &relative))?;
        match committed {
            Some(commit) => self.ui.note(&format!("committed {}", &commit.to_string()[..8])),
            None => self.ui.note("nothing to commit"),
        }
        Ok(())
    }
}

/// A pin that pins nothing is an error: most often its name is misspelt. Names with a folder may be of a policy further down
/// that was not read.
fn check_named_environment(loaded: &LoadedPolicy, name: &str) -> Result<()> {
    let names = || loaded.policy.environments.keys().map(EnvironmentName::as_str);
    if name.contains('/') || names().any(|known| known == name) {
        return Ok(());
    }
    let failure = Failure::failed(format!("`SECRETREE_TRUST` names `{name}`, which is no environment"));
    Err(match did_you_mean(name, names()) {
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None => failure.hint("it is `ENV:age1…`, several separated by commas"),
    }
    .into())
}
