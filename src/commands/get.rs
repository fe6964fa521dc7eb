//! `get`: one value.

use std::process::ExitCode;

use secretree::document::path::ValuePath;
use secretree::error::{Failure, Result};
use secretree::formats::json;
use secretree::view::View;

use crate::context::{Context, place};

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
  secretree get prod limits --json                  a mapping or list is printed as JSON only"
)]
pub(crate) struct Args {
    /// The environment
    #[arg(value_name = "ENV")]
    environment: String,
    /// The place of the value
    #[arg(value_name = "PATH")]
    path: Option<String>,
}

/// Runs the command.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    let path = place::operand(context, &args.environment, args.path.as_deref(), "get")?;
    let (loaded, name) = context.policy_for(&args.environment, None)?;
    let mut vault = context.vault(&loaded)?;
    let layers = vault.layers(&name)?;
    let readings = vault.readings(&layers)?;
    let path = place::path(&vault, &name, &readings, path)?;
    let value = vault.delivered(readings, &path)?;
    context.tell(&mut vault);
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
                return Err(place::nothing_at(&name, &vault.readings(&layers)?, &path, "get").into());
            };
            if !context.ui.wants_json() {
                return Err(collection(name.as_str(), &path, found));
            }
            context.ui.data(&json::write_nested(found))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A mapping or list has no bytes of its own.
fn collection(name: &str, path: &ValuePath, view: &View) -> anyhow::Error {
    let what = if matches!(view, View::List(_)) {
        "a list"
    } else {
        "a mapping"
    };
    Failure::failed(format!("`{name}:{path}` is {what}, not one value"))
        .hint(format!(
            "secretree get {name} {path} --json, or name one of `secretree list {name}`"
        ))
        .into()
}
