//! `get`: one value.

use std::process::ExitCode;

use secretree::document::path::ValuePath;
use secretree::error::{Failure, Result};
use secretree::formats::json;
use secretree::names::EnvironmentName;
use secretree::vault::{Reading, Vault};
use secretree::view::View;

use crate::context::{Context, Past, place};

/// Print one value
///
/// Writes the value's bytes and nothing else; a newline follows only on a terminal. `null` is no bytes.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    override_usage = "secretree get [OPTIONS] <ENV> <PATH>",
    after_help = "\
Examples:
  secretree get prod database.password
  secretree get prod DATABASE_PASSWORD
  secretree get prod tls.key > /run/key.pem
  secretree get prod limits --json                  a mapping or list is printed as JSON only
  secretree get prod stripe.key --at v1.2           as it stood in a commit, a branch or a tag
  secretree get prod stripe.key --at 2026-01-31     as this branch stood at the end of that day (UTC)"
)]
pub(crate) struct Args {
    /// The environment
    #[arg(value_name = "ENV")]
    environment: String,
    /// The place of the value
    #[arg(value_name = "PATH")]
    path: Option<String>,
    /// As it stood in REV: anything that git resolves, or a day (YYYY-MM-DD)
    #[arg(long, value_name = "REV")]
    at: Option<String>,
}

/// Runs the command.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    let path = place::operand(context, &args.environment, args.path.as_deref(), "get")?;
    let Some(revision) = &args.at else {
        let (loaded, name) = context.policy_for(&args.environment, None)?;
        return print(context, &mut context.vault(&loaded)?, &name, path, None);
    };
    let past = context.past(revision)?;
    past.environment(Some(&args.environment))
        .and_then(|name| print(context, &mut context.past_vault(&past)?, &name, path, Some(&past)))
        .map_err(|error| past.explained(error))
}

fn print(
    context: &Context,
    vault: &mut Vault<'_>,
    name: &EnvironmentName,
    path: &str,
    past: Option<&Past>,
) -> Result<ExitCode> {
    let layers = vault.layers(name)?;
    let readings = vault.readings(&layers)?;
    let path = place::path(vault, name, &readings, path)?;
    let value = vault.delivered(readings, &path)?;
    context.tell(vault);
    match value {
        Some(value) if !context.ui.wants_json() => {
            let mut bytes = zeroize::Zeroizing::new(value.delivered().expose().to_vec());
            if context.ui.shows_to_person() && !bytes.is_empty() {
                bytes.push(b'\n');
            }
            context.ui.data(&bytes)?;
        }
        _ => {
            let view = vault.view(&layers)?;
            let Some(found) = view.at(&path) else {
                return Err(nothing_at(name, &vault.readings(&layers)?, &path, past).into());
            };
            if !context.ui.wants_json() {
                return Err(collection(name.as_str(), &path, found, past));
            }
            context.ui.data(&json::write_nested(found))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Nothing stands at `path`, or nothing stood there.
fn nothing_at(name: &EnvironmentName, readings: &[Reading<'_>], path: &ValuePath, past: Option<&Past>) -> Failure {
    let Some(past) = past else {
        return place::nothing_at(name, readings, path, "get");
    };
    let option = past.option();
    let failure = Failure::failed(format!("`{name}` has no `{path}`"));
    match place::nearest(readings, path) {
        Some(near) => failure.hint(format!("did you mean `{near}`? secretree get {name} {near} {option}")),
        None => failure.hint(format!("what there was: secretree decrypt {name} {option}")),
    }
}

/// A mapping or list has no bytes of its own.
fn collection(name: &str, path: &ValuePath, view: &View, past: Option<&Past>) -> anyhow::Error {
    let what = if matches!(view, View::List(_)) {
        "a list"
    } else {
        "a mapping"
    };
    let (option, others) = match past {
        Some(past) => (
            format!(" {}", past.option()),
            format!("decrypt {name} {}", past.option()),
        ),
        None => (String::new(), format!("list {name}")),
    };
    Failure::failed(format!("`{name}:{path}` is {what}, not one value"))
        .hint(format!(
            "secretree get {name} {path} --json{option}, or name one of `secretree {others}`"
        ))
        .into()
}
