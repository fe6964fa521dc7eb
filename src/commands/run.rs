//! `run`: a program with the values of an environment as its variables.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use secretree::document::path::ValuePath;
use secretree::error::{Failure, Result};
use secretree::formats::{Variables, variables};
use secretree::names::EnvironmentName;
use secretree::policy::Glob;
use secretree::process::{Invocation, resolve_program};
use secretree::value::Value;
use secretree::vault::Vault;
use secretree::view::Entry;

use super::decrypt::warn_left_out;
use crate::child::{Inheritance, Preserved, assemble};
use crate::context::Context;

/// Run a command with the values as its environment variables
///
/// The values reach the command through its environment and nothing else. They win over variables of the
/// same name that the caller has. Identities are not passed on.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Variables are named after paths: `database.password` becomes DATABASE_PASSWORD, unless the policy declares
another name. `null` is left out. Readable values never become variables that loaders and interpreters act
on, such as PATH or LD_PRELOAD.

Examples:
  secretree run -- ./server                         the default environment
  secretree run prod -- sh -c 'psql \"$DATABASE_URL\"'
  secretree run prod --only 'stripe.**' -- ./bill
  secretree run --no-inherit --preserve-env=PATH,HOME -- make deploy

Exit codes: the command's own; 128 + n if signal n ended it; 126 if it cannot be run, 127 if it is not
found; 1 if a required value is missing, 4 and 5 as everywhere, and then the command is not started."
)]
pub(crate) struct Args {
    /// The environment; without it $SECRETREE_ENV, then the policy's default
    #[arg(value_name = "ENV")]
    environment: Option<String>,
    /// Only values whose path matches GLOB (`*` is one segment, `**` any number); may be repeated
    #[arg(long, value_name = "GLOB")]
    only: Vec<String>,
    /// Give the command no variable of the caller, only the values
    #[arg(long)]
    no_inherit: bool,
    /// Let the caller's variables win over the values; with NAMEs, only these
    #[arg(long, value_name = "NAME", num_args = 0.., require_equals = true, value_delimiter = ',')]
    preserve_env: Option<Vec<String>>,
    /// Pass on identities and trust, for a `secretree` inside the command
    #[arg(long)]
    keep_identity: bool,
    /// The command and its arguments
    #[arg(value_name = "CMD", last = true, required = true)]
    command: Vec<OsString>,
}

/// Runs the command. Comes back only if the child could not be started.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    let only = args.globs()?;
    let (loaded, name) = context.policy_for_one(args.environment.as_deref())?;
    let mut vault = context.vault(&loaded)?;
    let layers = vault.layers(&name)?;
    let entries = vault.view(&layers)?.entries();
    context.tell(&mut vault);
    let chosen = |path: &ValuePath| only.is_empty() || only.iter().any(|glob| glob.matches(path));
    check_required(&vault, &name, &entries, chosen)?;
    let rules = vault.rules(&name)?;
    let entries = entries.into_iter().filter(|entry| chosen(&entry.path));
    let found = variables(entries, rules.variables())?;
    warn_left_out(context, &found);
    if found.kept.is_empty() && !only.is_empty() {
        context.ui.warning(&format!("`--only` matches no value of `{name}`"));
    }
    let invocation = args.invocation(context, found);
    drop(vault);
    let failed = invocation.replace_self();
    context.ui.failure(&failed.failure.into());
    Ok(ExitCode::from(failed.code))
}

impl Args {
    fn globs(&self) -> Result<Vec<Glob>> {
        let parsed = self.only.iter().map(|text| Glob::parse(text));
        parsed.collect::<Result<_, _>>().map_err(|reason| {
            Failure::usage(format!("`--only`: {reason}"))
                .hint("for example 'database.*' or '**.password'")
                .into()
        })
    }

    fn invocation(&self, context: &Context, variables: Variables) -> Invocation {
        let inheritance = Inheritance {
            inherits: !self.no_inherit,
            preserved: match &self.preserve_env {
                None => Preserved::None,
                Some(names) if names.is_empty() => Preserved::All,
                Some(names) => Preserved::Names(names.clone()),
            },
            keeps_identity: self.keep_identity,
        };
        let values = variables
            .kept
            .into_iter()
            .map(|variable| (variable.name, variable.value.delivered()));
        let child = assemble(values.collect(), context.variables.all(), &inheritance);
        let (program, arguments) = self.command.split_first().expect("clap asks for a command");
        let mut invocation = Invocation::new(self.program(context, program)).arguments(arguments.to_vec());
        for name in child.removed {
            invocation = invocation.without(name);
        }
        for (name, value) in child.set {
            invocation = invocation.variable(name, value);
        }
        invocation
    }

    /// The program is looked up in the caller's `PATH`: a value named PATH is for the child, not for us.
    fn program(&self, context: &Context, program: &OsString) -> std::path::PathBuf {
        let path = context.variables.get("PATH").unwrap_or_default();
        let found = program
            .to_str()
            .filter(|name| !name.contains('/'))
            .and_then(|name| resolve_program(name, path, None));
        found.unwrap_or_else(|| Path::new(program).to_owned())
    }
}

/// Fails if a required value is missing, naming it with its description and owner.
fn check_required(
    vault: &Vault<'_>,
    name: &EnvironmentName,
    entries: &[Entry],
    chosen: impl Fn(&ValuePath) -> bool,
) -> Result<()> {
    let rules = vault.rules(name)?;
    let present = entries
        .iter()
        .filter(|entry| entry.value != Value::Null)
        .map(|entry| &entry.path);
    let present: HashSet<&ValuePath> = present.collect();
    for (glob, secret) in rules.policy.required(rules.environment) {
        let literal = glob.literal();
        let is_chosen = literal.as_ref().is_none_or(&chosen);
        let exists = literal.as_ref().is_some_and(|path| present.contains(path))
            || (literal.is_none() && present.iter().any(|path| glob.matches(path)));
        if exists || !is_chosen {
            continue;
        }
        let description = secret
            .description
            .as_deref()
            .map(|text| format!(" ({text})"))
            .unwrap_or_default();
        let owner = secret
            .owner
            .as_ref()
            .map(|owner| format!("; ask {}, who owns it", owner.value))
            .unwrap_or_default();
        let place = glob.as_str();
        return Err(
            Failure::failed(format!("`{name}` lacks the required `{place}`{description}"))
                .hint(format!("secretree set {name} {place}{owner}"))
                .into(),
        );
    }
    Ok(())
}
