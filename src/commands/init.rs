//! `init`: the first minute of a repository. Makes what is missing and nothing else, the policy and the files of
//! the environments all together or not at all.

mod from_sops;
mod name;
mod sops_files;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use rand::RngCore as _;
use rand::rngs::OsRng;
use secretree::crypto::public_key::PublicKey;
use secretree::error::{Failure, FailureKind, Result};
use secretree::files::{FolderLock, Transaction, finish_pending, is_pending, read_through, real_path};
use secretree::git::{IgnoreRule, Repository};
use secretree::names::RecipientName;
use secretree::policy::{LoadedPolicy, POLICY_NAME, Policy, Reach, find, template};
use secretree::vault::{EnvironmentFile, Vault};

use name::recipient_name;

use crate::context::{Context, OwnIdentity};
use crate::ui::escaped;

/// Set up secrets in this folder: a policy, an identity, two environments
///
/// Writes `.secrets.yaml` with you as the first recipient, makes an identity if none is found, and makes
/// the environments `dev` and `prod`. Safe to run twice: only what is missing is made.
///
/// With --from-sops, `.sops.yaml` becomes the policy (its age keys recipients, its files environments) and
/// every sops file that it is for an environment file, after you have seen the plan. The sops files stay.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  secretree init
  secretree init --name alice --yes --commit
  secretree init --from-sops"
)]
pub(crate) struct Args {
    /// Your name in the policy; without it made from git's user.name, and asked
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Make policy and environments of `.sops.yaml` and the files that sops encrypted
    #[arg(long)]
    from_sops: bool,
    /// Commit the new files
    #[arg(long)]
    commit: bool,
    /// Set git up as `secretree hooks install` does; without it and without --no-hooks asked on a terminal
    #[arg(long, overrides_with = "no_hooks")]
    hooks: bool,
    /// Leave git as it is
    #[arg(long, overrides_with = "hooks")]
    no_hooks: bool,
}

/// How long to wait for another command that writes here.
const PATIENCE: Duration = Duration::from_secs(10);

/// The files of the template, which an interrupted `init` may have left half in place.
const FIRST_FILES: [&str; 3] = [POLICY_NAME, "secrets/dev.yaml", "secrets/prod.yaml"];

/// Runs the command.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    let folder = real_path(context.folder())?;
    let repository = context.repository()?;
    let bound = repository.as_ref().map(Repository::root);
    refuse_policy_above(&folder, bound)?;
    if args.commit && repository.is_none() {
        return Err(Failure::failed("`--commit` needs a git repository")
            .hint("git init")
            .into());
    }
    if args.hooks && repository.is_none() {
        return Err(Failure::failed("`--hooks` needs a git repository")
            .hint("git init")
            .into());
    }
    if is_pending(&folder) {
        let lock = FolderLock::acquire(&folder, PATIENCE)?;
        finish_pending(&lock, &interrupted_files(&folder)?)?;
    }
    // Everything is asked and checked before anything is made.
    let start = match folder.join(POLICY_NAME).symlink_metadata() {
        Ok(_) if args.from_sops => {
            return Err(
                Failure::failed(format!("`{POLICY_NAME}` is here already; nothing was written"))
                    .hint("take each sops file into an environment: secretree import ENV FILE")
                    .into(),
            );
        }
        Ok(_) => Start::There(Box::new(LoadedPolicy::load(&folder, bound, Reach::Everything)?)),
        Err(_) if is_committed(repository.as_ref(), &folder) => {
            let message = format!("`{POLICY_NAME}` is missing, but the last commit has it");
            return Err(Failure::failed(message)
                .hint(format!("git restore {POLICY_NAME}"))
                .into());
        }
        Err(_) if args.from_sops => return from_sops::run(args, context, &folder, repository.as_ref()),
        Err(_) => {
            from_sops::say_that_it_can(context, &folder);
            Start::Fresh(recipient_name(args.name.as_deref(), context, &folder)?)
        }
    };
    refuse_ignored(args, context, repository.as_ref(), &folder, &start.files())?;
    let key = match context.own_identity(bound)? {
        OwnIdentity::Known(key) => key,
        OwnIdentity::New(identity) => context.keep_identity(&identity)?,
    };
    let (loaded, text) = match start {
        Start::There(loaded) => (*loaded, None),
        Start::Fresh(name) => {
            let text = template(&new_id(), &name, &key);
            (draft(&folder, &text)?, Some(text))
        }
    };
    let mut vault = context.vault(&loaded)?;
    let made = make_missing(context, &mut vault, text)?;
    context.tell(&mut vault);
    report(context, &vault, &made);
    let mut open = not_yet_committed(&vault, made);
    open.extend(set_up_git(args, context, &vault)?);
    if args.commit {
        context.commit(&vault, &open, "secrets: init")?;
    }
    if knows(&vault, &key) {
        say_what_is_next(context, &vault, if args.commit { &[] } else { &open });
    } else {
        say_how_to_join(context);
    }
    Ok(ExitCode::SUCCESS)
}

/// Installs the hooks if that is wanted. Gives back the file that is to be committed for it, if it is new or changed.
fn set_up_git(args: &Args, context: &Context, vault: &Vault<'_>) -> Result<Option<PathBuf>> {
    let Some(repository) = vault.repository() else {
        return Ok(None);
    };
    let is_wanted = match (args.hooks, args.no_hooks) {
        (true, _) => true,
        (_, true) => false,
        // A hook is for a person's clone: where nobody is, nobody is asked, and nothing is installed.
        _ if context.ui.terminal().is_none() => false,
        _ => {
            let question = "let git stop commits with plaintext values, and show values as they change?";
            context.ui.confirm(&[], question)?
        }
    };
    if !is_wanted {
        return Ok(None);
    }
    context.install_hooks()?;
    // The attributes stand at the top, which may be above this folder; there nothing is committed for anybody.
    let attributes = vault.folder().join(secretree::hooks::ATTRIBUTES_FILE);
    let is_here = vault.folder() == repository.root() && attributes.exists();
    Ok(is_here.then(|| PathBuf::from(secretree::hooks::ATTRIBUTES_FILE)))
}

/// The files that an interrupted `init` was about to write: those of its policy, if that is among them.
fn interrupted_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = FIRST_FILES.map(PathBuf::from).to_vec();
    let policy = read_through(folder, Path::new(POLICY_NAME))?.and_then(|bytes| String::from_utf8(bytes).ok());
    if let Some(policy) = policy.and_then(|text| Policy::parse(&text, POLICY_NAME).ok()) {
        files.extend(policy.environments.values().map(|environment| environment.file.clone()));
    }
    Ok(files)
}

/// Warns of files that git would never take; with `--commit` that is a failure.
fn refuse_ignored(
    args: &Args,
    context: &Context,
    repository: Option<&Repository>,
    folder: &Path,
    files: &[PathBuf],
) -> Result<()> {
    if say_what_is_ignored(context, repository, folder, files) && args.commit {
        return Err(
            Failure::failed("git ignores what should be committed; nothing was written")
                .hint("change the ignore rule above, or leave `--commit` out")
                .into(),
        );
    }
    Ok(())
}

/// What a folder has before.
enum Start {
    /// No policy; the first recipient's name.
    Fresh(RecipientName),
    /// A policy.
    There(Box<LoadedPolicy>),
}

impl Start {
    /// The files of the policy and of all environments, relative to the folder.
    fn files(&self) -> Vec<PathBuf> {
        match self {
            Self::Fresh(_) => FIRST_FILES.map(PathBuf::from).to_vec(),
            Self::There(loaded) => all_files(loaded),
        }
    }
}

/// The files of the policy and of all environments, relative to its folder.
fn all_files(loaded: &LoadedPolicy) -> Vec<PathBuf> {
    let environments = loaded.policy.environments.values();
    let files = environments.map(|environment| environment.file.clone());
    std::iter::once(PathBuf::from(POLICY_NAME)).chain(files).collect()
}

/// One policy owns the people of a repository.
fn refuse_policy_above(folder: &Path, bound: Option<&Path>) -> Result<()> {
    let parent = folder.parent().filter(|_| bound != Some(folder));
    let Some(above) = parent.and_then(|parent| find(parent, bound).ok()) else {
        return Ok(());
    };
    let shown = above.join(POLICY_NAME).display().to_string();
    Err(Failure::failed(format!("`{shown}` holds here already; nothing was written"))
        .hint(format!("to make what is missing there: secretree -C {} init", above.display()))
        .hint(format!(
            "to add environments for this folder: write them into its own {POLICY_NAME}, with `version` and `environments` only"
        ))
        .into())
}

/// 128 random bits.
fn new_id() -> String {
    let mut bytes = [0; 16];
    OsRng.fill_bytes(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The policy as it will be once it is written.
fn draft(folder: &Path, text: &str) -> Result<LoadedPolicy> {
    Ok(LoadedPolicy {
        root_folder: folder.to_owned(),
        policy: Policy::parse(text, POLICY_NAME)?,
        reach: Reach::Everything,
    })
}

/// Whether HEAD has a policy in `folder`.
fn is_committed(repository: Option<&Repository>, folder: &Path) -> bool {
    let found = || {
        let repository = repository?;
        let inside = folder.strip_prefix(repository.root()).ok()?;
        let head = repository.head().ok()??;
        repository.blob_id_at(head, &inside.join(POLICY_NAME)).ok()?
    };
    found().is_some()
}

/// Writes the policy, if it is new, and the files that environments lack, as one change. Returns what was made.
fn make_missing(context: &Context, vault: &mut Vault<'_>, policy: Option<String>) -> Result<Vec<PathBuf>> {
    let lock = vault.lock()?;
    let mut transaction = Transaction::new(&lock);
    let mut made = Vec::new();
    if let Some(text) = policy {
        if vault.folder().join(POLICY_NAME).symlink_metadata().is_ok() {
            return Err(
                Failure::failed(format!("`{POLICY_NAME}` was made by somebody else meanwhile"))
                    .hint("secretree init")
                    .into(),
            );
        }
        transaction = transaction.add(POLICY_NAME, text.into_bytes());
        made.push(PathBuf::from(POLICY_NAME));
    }
    for name in vault.loaded().policy.environments.keys() {
        let file = vault.load(name)?;
        if file.text.is_some() {
            continue;
        }
        if let Some(text) = first_text(context, vault, &file)? {
            vault.note_key_of(name, &text)?;
            transaction = transaction.add(&file.relative, text.into_bytes());
            made.push(file.relative);
        }
    }
    if !made.is_empty() {
        transaction.commit()?;
    }
    Ok(made)
}

/// The text of a new file; `None` if somebody else must make it.
fn first_text(context: &Context, vault: &mut Vault<'_>, file: &EnvironmentFile) -> Result<Option<String>> {
    match vault.or_first(file) {
        Ok(first) => Ok(first.text),
        Err(error) => match error.downcast_ref::<Failure>() {
            Some(failure) if failure.kind() == FailureKind::NoIdentity => {
                let name = &file.name;
                context.ui.note(&format!(
                    "`{name}` has no file yet, and only its readers can make it: secretree apply {name}"
                ));
                Ok(None)
            }
            _ => Err(error),
        },
    }
}

/// Whether the policy names the key.
fn knows(vault: &Vault<'_>, key: &PublicKey) -> bool {
    let recipients = vault.loaded().policy.people.recipients();
    recipients.iter().any(|recipient| recipient.keys.contains(key))
}

fn report(context: &Context, vault: &Vault<'_>, made: &[PathBuf]) {
    let there = all_files(vault.loaded())
        .iter()
        .all(|file| vault.folder().join(file).exists());
    let names: Vec<_> = made.iter().map(|file| file.display().to_string()).collect();
    match names.as_slice() {
        [] if there => context.ui.note("nothing was missing"),
        [] => {}
        names => context.ui.note(&escaped(&format!("wrote {}", names.join(", ")))),
    }
}

/// Warns of each file that git would never take, naming the rule. Says whether there was one.
fn say_what_is_ignored(context: &Context, repository: Option<&Repository>, folder: &Path, files: &[PathBuf]) -> bool {
    let Some(repository) = repository else {
        return false;
    };
    let Ok(prefix) = folder.strip_prefix(repository.root()) else {
        return false;
    };
    let mut any = false;
    for file in files {
        if let Some(rule) = ignore_rule(context, repository, &prefix.join(file)) {
            let shown = file.display();
            context
                .ui
                .warning(&format!("git ignores `{shown}`, which must be committed: {rule}"));
            any = true;
        }
    }
    any
}

/// By which rule git ignores the file, in words; `None` if it does not.
fn ignore_rule(context: &Context, repository: &Repository, relative: &Path) -> Option<String> {
    let git = context.git(repository.root());
    match git.and_then(|git| git.ignore_rule(relative)) {
        Ok(None) => None,
        Ok(Some(IgnoreRule { file, line, pattern })) => {
            Some(format!("`{}` line {line} says `{pattern}`", file.display()))
        }
        Err(_) => repository
            .is_ignored(relative)
            .is_ok_and(|ignored| ignored)
            .then(|| "git check-ignore -v names the rule".to_owned()),
    }
}

/// What was made now, and what an earlier `init` made without committing it.
fn not_yet_committed(vault: &Vault<'_>, mut made: Vec<PathBuf>) -> Vec<PathBuf> {
    let is_untracked = |file: &Path| {
        let repository = vault.repository()?;
        let prefix = vault.folder().strip_prefix(repository.root()).ok()?;
        repository.is_tracked(&prefix.join(file)).ok().map(|tracked| !tracked)
    };
    for file in all_files(vault.loaded()) {
        let exists = vault.folder().join(&file).symlink_metadata().is_ok();
        if exists && !made.contains(&file) && is_untracked(&file) == Some(true) {
            made.push(file);
        }
    }
    made
}

/// One line for somebody whom the policy does not name.
fn say_how_to_join(context: &Context) {
    context.ui.note(&format!(
        "next: `secretree join` adds you to {POLICY_NAME} and says what comes then"
    ));
}

/// Two lines: how to go on here, and how others get it. `open` is what was not committed yet.
fn say_what_is_next(context: &Context, vault: &Vault<'_>, open: &[PathBuf]) {
    let policy = &vault.loaded().policy;
    let named = policy.default_environment.as_ref();
    let environment = named.or_else(|| policy.environments.keys().next());
    let name = environment.map_or("ENV", |name| name.as_str());
    context.ui.note(&format!(
        "next: `secretree edit {name}` puts values in, `secretree run {name} -- CMD` uses them"
    ));
    let files: Vec<_> = open.iter().map(|file| file.display().to_string()).collect();
    context
        .ui
        .note(&match (vault.repository().is_some(), files.as_slice()) {
            (false, _) => "then: `git init` if you want history and a team; values work without".to_owned(),
            (true, []) => {
                "then: `git push`; whoever has the repository can see what there is, but not read it".to_owned()
            }
            (true, files) if files.len() <= FIRST_FILES.len() + 1 => {
                let add = format!("git add {} && git commit", files.join(" "));
                format!("then: `{}`", escaped(&add))
            }
            (true, files) => format!("then: commit the {} files that git does not know yet", files.len()),
        });
}
