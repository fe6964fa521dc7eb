//! `hooks`: what git starts by itself, put into a repository and taken out again. Each verb under it has its own file.

mod install;
mod status;
mod uninstall;

use std::process::ExitCode;

use secretree::error::Result;

use crate::context::Context;

/// Set git up: stop commits with plaintext values, show and merge environment files by value
///
/// A pre-commit hook beside those that are there, the diff and merge drivers in this clone's configuration,
/// and the attributes of the environment files in .gitattributes.
#[derive(clap::Args)]
#[command(verbatim_doc_comment, disable_help_subcommand = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

/// The verbs under `hooks`.
#[derive(clap::Subcommand)]
enum Verb {
    Install(install::Args),
    Uninstall(uninstall::Args),
    Status(status::Args),
}

/// Runs the command.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    match &args.verb {
        Verb::Install(args) => install::run(args, context),
        Verb::Uninstall(args) => uninstall::run(args, context),
        Verb::Status(args) => status::run(args, context),
    }
}
