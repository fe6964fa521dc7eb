//! `join`: a newcomer adds themselves to the policy. Shows what that gives before anything is written, and says what
//! others have to do then.

mod next;
mod plan;

use std::path::Path;
use std::process::ExitCode;

use secretree::crypto::public_key::PublicKey;
use secretree::error::{Failure, Result};
use secretree::files::real_path;
use secretree::git::Repository;
use secretree::names::{EnvironmentName, RecipientName};
use secretree::policy::{LoadedPolicy, POLICY_NAME, Reach};

use crate::context::{Context, OwnIdentity, checked_name, no_name};
use crate::ui::escaped;
use plan::{Newcomer, Plan};

/// Ask to be a reader: add yourself to the policy
///
/// Makes an identity if you have none, adds your public key and name, shows what that gives, and says what
/// comes then: a commit, and a reader who runs `secretree apply`. Without ENV the default environment is meant.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
You are put into groups that give just the environments you named and do not make you a maintainer; where there
is none, into the readers of the environment itself. --group chooses a group that gives more.

On a new machine, `--name` with the name that the policy knows you by adds a key to it.

Examples:
  secretree join
  secretree join dev staging
  secretree join --group developers --commit
  secretree join --name alice"
)]
pub(crate) struct Args {
    /// The environments
    #[arg(value_name = "ENV")]
    environments: Vec<String>,
    /// Your name in the policy; without it made from git's user.name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Join this group, whatever it gives; may be repeated
    #[arg(long, value_name = "GROUP")]
    group: Vec<String>,
    /// Commit the policy
    #[arg(long)]
    commit: bool,
}

/// What is asked for, by whom.
struct Request {
    newcomer: Newcomer,
    environments: Vec<EnvironmentName>,
    groups: Vec<RecipientName>,
    key: PublicKey,
}

/// Runs the command.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    let repository = context.repository()?;
    let root = repository.as_ref().map(Repository::root);
    if args.commit && root.is_none() {
        return Err(Failure::failed("`--commit` needs a git repository")
            .hint("git init")
            .into());
    }
    let loaded = context.policy(Reach::Everything)?;
    let environments = environments(args, context)?;
    let named = args
        .name
        .as_deref()
        .map(|name| checked_name(name, "join"))
        .transpose()?;
    let (newcomer, identity) = newcomer(context, &loaded, named, root)?;
    let request = Request {
        newcomer,
        environments,
        groups: plan::known_groups(&loaded.policy, &args.group)?,
        key: identity.public_key().clone(),
    };
    let plan = Plan::new(&loaded, &request)?;
    if plan.change.is_empty() {
        next::say_what_is_missing(context, &loaded, &request)?;
        return Ok(ExitCode::SUCCESS);
    }
    if !context.ui.confirm(&plan.shown(), "write this?")? {
        return Err(Failure::failed("nothing was written").into());
    }
    let plan = write(context, &request, &plan, &identity)?;
    let written: Vec<_> = plan
        .change
        .paths()
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    context.ui.note(&escaped(&format!("wrote {}", written.join(", "))));
    next::say_what_is_next(context, &plan, &request, args.commit)?;
    Ok(ExitCode::SUCCESS)
}

/// Writes what was agreed to. Who wrote meanwhile is not undone: the same is planned again on what stands there now.
fn write(context: &Context, request: &Request, agreed: &Plan, identity: &OwnIdentity) -> Result<Plan> {
    let (lock, loaded) = context.locked_policy()?;
    let plan = Plan::new(&loaded, request)?;
    if plan.gives != agreed.gives || plan.change.is_empty() {
        return Err(Failure::failed(format!(
            "`{POLICY_NAME}` changed meanwhile, and this would give something else now; nothing was written"
        ))
        .hint("run the command again")
        .into());
    }
    if let OwnIdentity::New(identity) = identity {
        context.keep_identity(identity)?;
    }
    plan.change.write(&lock)?;
    Ok(plan)
}

/// The environments that were named; none for `--group` alone, else the one that is meant without a name.
fn environments(args: &Args, context: &Context) -> Result<Vec<EnvironmentName>> {
    match (args.environments.is_empty(), args.group.is_empty()) {
        (false, _) => Ok(context.policy_for_many(&args.environments)?.1),
        (true, false) => Ok(Vec::new()),
        (true, true) => Ok(vec![context.policy_for_one(None)?.1]),
    }
}

/// Who asks, and with which identity.
fn newcomer(
    context: &Context,
    loaded: &LoadedPolicy,
    named: Option<RecipientName>,
    root: Option<&Path>,
) -> Result<(Newcomer, OwnIdentity)> {
    let people = &loaded.policy.people;
    let mut identities = context.identities(context.plugins(root), root)?;
    let mut known = identities.public_keys().into_iter();
    let known = known.find_map(|(_, key)| Some((people.owner(key)?.name.clone(), key.clone())));
    if let Some((name, key)) = known {
        return match named.filter(|named| *named != name) {
            None => Ok((Newcomer::Known(name), OwnIdentity::Known(key))),
            Some(named) => Err(
                Failure::failed(format!("the policy knows your key as `{name}`, not as `{named}`"))
                    .hint("leave `--name` out, or use another identity: -i FILE")
                    .into(),
            ),
        };
    }
    let folder = real_path(context.folder())?;
    let is_named = named.is_some();
    let name = named.or_else(|| context.name_from_git(&folder));
    let name = name.ok_or_else(|| no_name("join"))?;
    if people.group(&name).is_some() {
        return Err(Failure::failed(format!("`{name}` is a group: you need another name"))
            .hint("secretree join --name NAME")
            .into());
    }
    let is_there = people.recipient(name.as_str()).is_some();
    if is_there && !is_named {
        return Err(
            Failure::failed(format!("`{name}` is in the policy already, with other keys than yours"))
                .hint(format!(
                    "if that is you, on a new machine: secretree join --name {name}"
                ))
                .hint("if it is somebody else: secretree join --name NAME")
                .into(),
        );
    }
    let identity = context.own_identity(root)?;
    match is_there {
        true => Ok((Newcomer::NewKey(name), identity)),
        false => Ok((Newcomer::New(name), identity)),
    }
}
