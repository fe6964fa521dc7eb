//! `proposals`: what people who cannot read an environment suggest for it. Each verb under it has its own file.

mod accept;
mod choice;
mod list;
mod reject;

use std::process::ExitCode;

use secretree::error::{Failure, FailureKind, Result};
use secretree::names::EnvironmentName;
use secretree::vault::{Environment, EnvironmentFile, Origin, Provenance, Vault};

use crate::context::Context;
use crate::ui::escaped;

/// Show, accept and reject the values that others propose
///
/// Whoever cannot read an environment proposes values with `secretree set`. They are worth nothing until a
/// reader accepts them. Without a verb they are listed.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    disable_help_subcommand = true,
    args_conflicts_with_subcommands = true,
    override_usage = "secretree proposals [OPTIONS] [ENV]...\n       secretree proposals [OPTIONS] <COMMAND>",
    after_help = "\
Examples:
  secretree proposals
  secretree proposals accept prod stripe.key
  secretree proposals reject prod --junk"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    list: list::Args,
}

/// The verbs under `proposals`.
#[derive(clap::Subcommand)]
enum Verb {
    List(list::Args),
    Accept(accept::Args),
    Reject(reject::Args),
}

/// Runs the command.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    match &args.verb {
        None => list::run(&args.list, context),
        Some(Verb::List(args)) => list::run(args, context),
        Some(Verb::Accept(args)) => accept::run(args, context),
        Some(Verb::Reject(args)) => reject::run(args, context),
    }
}

/// The environment, opened and judged; why not, if no identity here can.
fn opened<'f, 'p: 'f>(
    vault: &mut Vault<'p>,
    file: &'f EnvironmentFile,
) -> Result<Result<Environment<'f>, anyhow::Error>> {
    match vault.open(file) {
        Ok(environment) => Ok(Ok(environment)),
        Err(error) if FailureKind::of(&error) == Some(FailureKind::NoIdentity) => Ok(Err(error)),
        Err(error) => Err(error),
    }
}

/// Who proposed something, in a few words; what others wrote in them is escaped.
fn shown(provenance: &Provenance) -> String {
    let Provenance {
        first,
        again,
        resealed,
        at_least,
    } = provenance;
    let mut text = first
        .as_ref()
        .map_or_else(|| "not committed yet".to_owned(), Origin::shown);
    if *resealed {
        text.push_str(", which sealed it for a new key; who proposed it cannot be seen here");
    }
    if *at_least {
        text.push_str(" or earlier");
    }
    match again {
        Some(Origin { commit: None, .. }) => text.push_str("; put back since, not committed"),
        Some(again) => text.push_str(&format!("; put back by {}", again.shown())),
        None => {}
    }
    escaped(&text).into_owned()
}

/// The failure where nothing was named.
fn nothing_named(verb: &str, name: &EnvironmentName, all: &str) -> Failure {
    Failure::usage(format!("PATH is missing: which proposal of `{name}`?"))
        .hint(format!("secretree proposals {name}"))
        .hint(format!("secretree proposals {verb} {name} {all}"))
}
