//! `list`: which values exist where.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use secretree::error::{Failure, Result};
use secretree::names::EnvironmentName;
use secretree::policy::{Glob, LoadedPolicy, Reach};
use secretree::vault::{Vault, known_paths};

use crate::context::Context;
use crate::ui::escaped;

/// Show which values exist in which environments; needs no key
///
/// Without ENV: a table of all paths and all environments. Values are never shown.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  secretree list
  secretree list prod
  secretree list --find '**.password'"
)]
pub(crate) struct Args {
    /// The environment; without it all of them
    #[arg(value_name = "ENV")]
    environment: Option<String>,
    /// Only paths that match GLOB (`*` is one segment, `**` any number)
    #[arg(long, value_name = "GLOB")]
    find: Option<String>,
}

/// The paths of one environment, in the order of its files, without repetition.
type Paths = Vec<String>;

/// Runs the command.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    let find = args.find.as_deref().map(Glob::parse).transpose().map_err(|reason| {
        Failure::usage(format!("`--find`: {reason}")).hint("for example 'database.*' or '**.password'")
    })?;
    let (loaded, names) = match &args.environment {
        Some(text) => {
            let (loaded, name) = context.policy_for(text, None)?;
            (loaded, vec![name])
        }
        None => {
            let loaded = context.policy(Reach::Everything)?;
            let names = loaded.policy.environments.keys().cloned().collect();
            (loaded, names)
        }
    };
    let vault = context.vault(&loaded)?;
    let mut found = Vec::new();
    for name in &names {
        found.push((name, paths_of(&vault, name, find.as_ref())?));
    }
    if context.ui.wants_json() {
        let object: BTreeMap<&str, &Paths> = found.iter().map(|(name, paths)| (name.as_str(), paths)).collect();
        context.ui.json(&object)?;
    } else if let (Some(_), [(_, paths)]) = (&args.environment, found.as_slice()) {
        let lines: String = paths.iter().map(|path| format!("{}\n", escaped(path))).collect();
        context.ui.data(lines.as_bytes())?;
    } else {
        context.ui.data(matrix(&loaded, &found).as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn paths_of(vault: &Vault<'_>, name: &EnvironmentName, find: Option<&Glob>) -> Result<Paths> {
    let mut paths = known_paths(&vault.readings_of_present(&vault.layers(name)?)?);
    paths.retain(|path| find.is_none_or(|glob| glob.matches(path)));
    Ok(paths.iter().map(ToString::to_string).collect())
}

/// Paths against environments: `x` where one has a value, `-` where it has none.
fn matrix(loaded: &LoadedPolicy, found: &[(&EnvironmentName, Paths)]) -> String {
    let paths: BTreeSet<&String> = found.iter().flat_map(|(_, paths)| paths).collect();
    let sets: Vec<BTreeSet<&String>> = found.iter().map(|(_, paths)| paths.iter().collect()).collect();
    let width = paths
        .iter()
        .map(|path| escaped(path).chars().count())
        .max()
        .unwrap_or(0)
        .max(4);
    let names: Vec<&str> = loaded.policy.environments.keys().map(EnvironmentName::as_str).collect();
    let mut out = format!("{:width$}  {}\n", "PATH", names.join("  "));
    for path in paths {
        let marks: Vec<String> = sets
            .iter()
            .zip(&names)
            .map(|(set, name)| {
                format!(
                    "{:<width$}",
                    if set.contains(path) { "x" } else { "-" },
                    width = name.len()
                )
            })
            .collect();
        let shown = escaped(path);
        let padding = width - shown.chars().count();
        out.push_str(format!("{shown}{:padding$}  {}", "", marks.join("  ")).trim_end());
        out.push('\n');
    }
    out
}
