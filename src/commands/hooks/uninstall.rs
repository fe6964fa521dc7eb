//! `hooks uninstall`.

use std::process::ExitCode;

use secretree::error::{Failure, Result};
use secretree::hooks::{Outcome, Part};

use crate::context::{Context, HooksFor};

/// Take out what `hooks install` put in, and nothing else
///
/// Files and configuration are then as they were, byte for byte, apart from what was changed since.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  secretree hooks uninstall"
)]
pub(super) struct Args {}

/// Runs the command.
pub(super) fn run(_: &Args, context: &Context) -> Result<ExitCode> {
    let mut first = None;
    let mut any = false;
    context.with_hooks(HooksFor::Uninstall, |installation| {
        for part in Part::ALL {
            match installation.uninstall(part) {
                Ok(Outcome::Kept) => {}
                Ok(outcome) => {
                    any = true;
                    context.tell_of_hook(installation, part, &outcome);
                }
                // What can be taken out is, and the first reason is told at the end.
                Err(error) => {
                    first.get_or_insert(error);
                }
            }
        }
        Ok(())
    })?;
    match first {
        Some(error) => Err(error),
        None if any => Ok(ExitCode::SUCCESS),
        None => Err(Failure::failed("nothing of `secretree hooks install` is here")
            .hint("secretree hooks status")
            .into()),
    }
}
