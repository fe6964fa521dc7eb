//! `hooks status`.

use std::fmt::Write as _;
use std::process::ExitCode;

use secretree::error::Result;
use secretree::hooks::{State, Status};
use serde::Serialize;

use crate::context::{Context, HooksFor};
use crate::ui::escaped;

/// Show what of `hooks install` is installed, missing or stale
///
/// Stale is what another version wrote, or what is for another place of the program or other environments:
/// `secretree hooks install` brings it up to date.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
With --json: {\"parts\": [{\"part\", \"state\", \"file\", \"advice\": [line]}]}. `part` is `pre-commit hook`,
`diff driver`, `merge driver` or `attributes`; `state` is `installed`, `missing` or `stale`.

Examples:
  secretree hooks status
  secretree hooks status --json | jq -r '.parts[] | select(.state != \"installed\").part'"
)]
pub(super) struct Args {}

/// The shape of `--json`.
#[derive(Serialize)]
struct Report {
    parts: Vec<Shown>,
}

/// One part.
#[derive(Serialize)]
struct Shown {
    part: &'static str,
    state: &'static str,
    file: String,
    advice: Vec<String>,
}

/// Runs the command.
pub(super) fn run(_: &Args, context: &Context) -> Result<ExitCode> {
    let mut parts = Vec::new();
    context.with_hooks(HooksFor::Status, |installation| {
        parts = installation.status()?;
        Ok(())
    })?;
    if context.ui.wants_json() {
        let parts = parts.iter().map(|status| shown(context, status)).collect();
        context.ui.json(&Report { parts })?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut text = String::new();
    for status in &parts {
        let (name, state) = (status.part.name(), status.state.name());
        let file = context.shown_here(&status.place);
        let _ = writeln!(text, "{state:<10} {name:<16} {}", escaped(&file));
    }
    context.ui.data(text.as_bytes())?;
    for line in parts.iter().flat_map(|status| &status.advice) {
        context.ui.note(&escaped(line));
    }
    if parts
        .iter()
        .any(|status| matches!(status.state, State::Missing | State::Stale))
    {
        context.ui.note("next: secretree hooks install");
    }
    Ok(ExitCode::SUCCESS)
}

fn shown(context: &Context, status: &Status) -> Shown {
    Shown {
        part: status.part.name(),
        state: status.state.name(),
        file: context.shown_here(&status.place),
        advice: status.advice.clone(),
    }
}
