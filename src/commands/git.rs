//! `git`: what git starts by itself, as `hooks install` told it. Nobody types these, so the overview leaves them out.

mod merge;
mod pre_commit;
mod textconv;

use std::process::ExitCode;

use secretree::error::Result;

use crate::context::Context;

/// What git itself starts: hook and drivers
///
/// `secretree hooks install` sets them up.
#[derive(clap::Args)]
#[command(verbatim_doc_comment, disable_help_subcommand = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

/// The verbs under `git`.
#[derive(clap::Subcommand)]
enum Verb {
    Merge(merge::Args),
    PreCommit(pre_commit::Args),
    Textconv(textconv::Args),
}

/// Runs the command.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    match &args.verb {
        Verb::Merge(args) => merge::run(args, context),
        Verb::PreCommit(args) => pre_commit::run(args, context),
        Verb::Textconv(args) => textconv::run(args, context),
    }
}
