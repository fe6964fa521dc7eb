//! What the policy and the environment files say about a half-typed line: names of environments, paths, recipients. Reads
//! them as anyone can, without a vault: no identity, no trust, nothing finished that another command left.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::parser::ArgMatches;
use clap::{Command, FromArgMatches as _};
use secretree::document::path::ValuePath;
use secretree::document::tree::{Rules, Tree};
use secretree::error::Result;
use secretree::files::{FILE_LIMIT, read_if_present, real_path};
use secretree::policy::{EnvironmentPolicy, LoadedPolicy, Reach};
use secretree::vault::Rulebook;
use secretree::vault::footer::Footer;

use super::steps::{is_plain, steps};
use crate::context::{Context, Globals};

/// Whose names are asked for.
#[derive(Clone, Copy)]
pub(super) enum People {
    Recipients,
    Groups,
}

/// The line before the word that is completed, and how the program reads lines.
pub(super) struct Known {
    tree: fn() -> Command,
    before: Vec<OsString>,
    home: Option<PathBuf>,
}

impl Known {
    pub(super) fn new(tree: fn() -> Command, before: Vec<OsString>, home: Option<PathBuf>) -> Self {
        Self { tree, before, home }
    }

    /// The environments whose names begin with `current`: those near, else all there are.
    pub(super) fn environments(&self, current: &str) -> Vec<String> {
        let near = self.environments_within(Reach::Near, current).unwrap_or_default();
        if near.is_empty() {
            return self.environments_within(Reach::Everything, current).unwrap_or_default();
        }
        near
    }

    fn environments_within(&self, reach: Reach, current: &str) -> Result<Vec<String>> {
        let (context, _) = self.surroundings()?;
        let loaded = context.policy(reach)?;
        let start = real_path(context.folder())?;
        let mut names = Vec::new();
        for name in loaded.policy.environments.keys() {
            names.push(name.to_string());
            // In its own folder an environment answers to its last name too.
            if let Some((_, last)) = name.as_str().rsplit_once('/') {
                let meant = loaded.resolve_environment(last, &start, None);
                names.extend(meant.is_ok_and(|meant| meant == *name).then(|| last.to_owned()));
            }
        }
        names.retain(|name| name.starts_with(current) && is_plain(name));
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    /// The recipients or groups whose names begin with `current`.
    pub(super) fn people(&self, current: &str, which: People) -> Vec<String> {
        let mut names = self.everybody(which).unwrap_or_default();
        names.retain(|name| name.starts_with(current) && is_plain(name));
        names
    }

    fn everybody(&self, which: People) -> Result<Vec<String>> {
        let (context, _) = self.surroundings()?;
        let people = context.policy(Reach::Near)?.policy.people;
        Ok(match which {
            People::Recipients => people.recipients().iter().map(|one| one.name.to_string()).collect(),
            People::Groups => people.groups().map(|(name, _)| name.to_string()).collect(),
        })
    }

    /// The paths that `verb` could mean by `current`, in the environment that the line names; else variables of that name.
    pub(super) fn paths(&self, verb: &str, current: &str) -> Vec<String> {
        self.paths_of(verb, current).unwrap_or_default()
    }

    fn paths_of(&self, verb: &str, current: &str) -> Result<Vec<String>> {
        let (context, environment) = self.surroundings()?;
        let (loaded, name) = match &environment {
            Some(text) => context.policy_for(text, None)?,
            None => context.policy_for_one(None)?,
        };
        let policy = &loaded.policy;
        let Some(environment) = policy.environment(&name) else {
            return Ok(Vec::new());
        };
        let rules = Rulebook { policy, environment };
        // What is removed stands in this file; what is read may stand in one that it extends.
        let layers = if verb == "unset" {
            vec![environment]
        } else {
            policy.layers(environment)
        };
        let mut paths = Vec::new();
        for layer in layers {
            // One file that cannot be read leaves the others.
            paths.extend(paths_in(&loaded, layer).unwrap_or_default());
        }
        let takes_proposals = ["accept", "reject"].contains(&verb);
        let mut labels = Vec::new();
        if takes_proposals {
            labels = labels_in(&loaded, environment).unwrap_or_default();
        }
        if verb == "set" || takes_proposals {
            paths.extend(
                policy
                    .declared(environment)
                    .filter_map(|secret| secret.scope.path.literal()),
            );
        }
        let found = steps(paths.iter().map(ValuePath::joined).chain(labels).collect(), current);
        if found.is_empty() && !current.is_empty() {
            let variable = rules.variables();
            return Ok(steps(paths.iter().map(variable).collect(), current));
        }
        Ok(found)
    }

    /// The surroundings that the flags of the line give, and the environment that it names.
    fn surroundings(&self) -> Result<(Context, Option<String>)> {
        let tree = (self.tree)();
        let line = tree.clone().ignore_errors(true).try_get_matches_from(&self.before)?;
        let mut globals = Globals::from_arg_matches(&line)?;
        if let (Some(folder), Some(home)) = (&globals.directory, &self.home) {
            // A shell puts its home there only when it runs the line.
            globals.directory = Some(
                folder
                    .strip_prefix("~")
                    .map_or(folder.clone(), |below| home.join(below)),
            );
        }
        Ok((Context::new(globals)?, environment_of(&tree, &line)))
    }
}

/// The first operand called `ENV`, of the verb or of a verb below it.
fn environment_of(command: &Command, matches: &ArgMatches) -> Option<String> {
    if let Some((name, below)) = matches.subcommand() {
        return environment_of(command.find_subcommand(name)?, below);
    }
    let is_environment = |argument: &&clap::Arg| {
        let names = argument.get_value_names().unwrap_or_default();
        names.first().is_some_and(|name| name == "ENV")
    };
    let argument = command.get_arguments().find(is_environment)?;
    let text = matches.get_raw(argument.get_id().as_str())?.next()?;
    text.to_str().map(str::to_owned)
}

/// The labels of what is proposed for an environment.
fn labels_in(loaded: &LoadedPolicy, environment: &EnvironmentPolicy) -> Result<Vec<String>> {
    let bytes = read_if_present(&loaded.file(environment)?, FILE_LIMIT)?.unwrap_or_default();
    let text = String::from_utf8(bytes)?;
    let footer = Tree::parse(&text, Rules::File).ok().and_then(|tree| tree.footer);
    let footer = footer.and_then(|footer| Footer::read(&footer.entry).ok());
    let labels = footer.into_iter().flat_map(|footer| footer.proposals.into_keys());
    Ok(labels.map(|label| label.to_string()).collect())
}

/// The places of an environment's own file; none where there is no file.
fn paths_in(loaded: &LoadedPolicy, environment: &EnvironmentPolicy) -> Result<Vec<ValuePath>> {
    let bytes = read_if_present(&loaded.file(environment)?, FILE_LIMIT)?.unwrap_or_default();
    let mut paths = Vec::new();
    if let Ok(tree) = Tree::parse(&String::from_utf8(bytes)?, Rules::File) {
        tree.visit(&mut |trail, _| paths.push(trail.to_path()));
    }
    Ok(paths)
}
