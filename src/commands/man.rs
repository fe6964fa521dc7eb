//! `man`: the manual pages, for those who package the program.

use std::path::PathBuf;
use std::process::ExitCode;

use secretree::error::{Failure, Result};
use secretree::files::{Access, replace};

use crate::context::Context;
use crate::manual::{Group, Manual};

/// Print the manual page
///
/// With --output: write it and a page for each command into a folder, as secretree.1, secretree-run.1 and so on.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  secretree man | man -l -
  secretree man --output /usr/local/share/man/man1"
)]
pub(crate) struct Args {
    /// Write all pages to the folder DIR, which is made if it is missing
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
}

/// Runs the command; `tree` is the tree of verbs, `groups` its overview.
pub(crate) fn run(args: &Args, context: &Context, tree: clap::Command, groups: &[Group<'_>]) -> Result<ExitCode> {
    let manual = Manual::new(tree);
    let Some(folder) = &args.output else {
        context.ui.data(&manual.program(groups))?;
        return Ok(ExitCode::SUCCESS);
    };
    std::fs::create_dir_all(folder)
        .map_err(|error| Failure::failed(format!("`{}` cannot be made: {error}", folder.display())))?;
    let mut pages = manual.verbs();
    pages.push(("secretree.1".to_owned(), manual.program(groups)));
    for (name, text) in &pages {
        replace(&folder.join(name), text, Access::Shared)?;
    }
    context
        .ui
        .note(&format!("wrote {} pages to {}", pages.len(), folder.display()));
    Ok(ExitCode::SUCCESS)
}
