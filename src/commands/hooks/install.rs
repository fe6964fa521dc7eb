//! `hooks install`.

use std::process::ExitCode;

use secretree::error::Result;

use crate::context::Context;

/// Install the pre-commit hook, the drivers and the attributes, or bring them up to date
///
/// What is there of others stays and goes on: a hook that is a shell script gets a few lines at its start, any
/// other is started by ours. `core.hooksPath`, husky and linked work trees are known. Where lefthook or the
/// pre-commit framework starts the hooks, it says what to add to their file.
///
/// Run it again after environments were added, or after `secretree` was moved.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  secretree hooks install
  secretree hooks status"
)]
pub(super) struct Args {}

/// Runs the command.
pub(super) fn run(_: &Args, context: &Context) -> Result<ExitCode> {
    context.install_hooks()?;
    Ok(ExitCode::SUCCESS)
}
