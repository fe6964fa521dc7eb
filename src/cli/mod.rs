//! The command line: the tree of verbs, with the flags that all of them share, and the way from there to one
//! command. What a verb takes stands in its own file under `commands`.

mod help;
mod usage;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use secretree::error::{Failure, Result};

use crate::commands::{
    access, apply, check, completions, decrypt, demo, doctor, edit, encrypt, exposure, get, git, grant, hooks, import,
    init, join, keygen, list, log, man, recipient, revoke, run, set, trust, unset, whoami,
};
use crate::context::{Context, Globals};
use crate::ui::{ClosedPipe, Ui};

/// Keeps a team's secrets in git
#[derive(Parser)]
#[command(name = "secretree", version, override_help = help::OVERVIEW, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

/// The verbs, in the order of the overview.
#[derive(Subcommand)]
enum Command {
    Run(run::Args),
    Edit(edit::Args),
    Set(set::Args),
    Get(get::Args),
    Unset(unset::Args),
    List(list::Args),
    Decrypt(decrypt::Args),
    Encrypt(encrypt::Args),
    Import(import::Args),
    Join(join::Args),
    Recipient(recipient::Args),
    Grant(grant::Args),
    Revoke(revoke::Args),
    Apply(apply::Args),
    Trust(trust::Args),
    Log(log::Args),
    Access(access::Args),
    Exposure(exposure::Args),
    Check(check::Args),
    Doctor(doctor::Args),
    Init(init::Args),
    Keygen(keygen::Args),
    Whoami(whoami::Args),
    Demo(demo::Args),
    Hooks(hooks::Args),
    Completions(completions::Args),
    #[command(hide = true)]
    Git(git::Args),
    #[command(hide = true)]
    Man(man::Args),
}

impl Command {
    fn run(self, context: &Context) -> Result<ExitCode> {
        match self {
            Self::Run(args) => run::run(&args, context),
            Self::Decrypt(args) => decrypt::run(&args, context),
            Self::Edit(args) => edit::run(&args, context),
            Self::Set(args) => set::run(&args, context),
            Self::Get(args) => get::run(&args, context),
            Self::Unset(args) => unset::run(&args, context),
            Self::List(args) => list::run(&args, context),
            Self::Encrypt(args) => encrypt::run(&args, context),
            Self::Import(args) => import::run(&args, context),
            Self::Join(args) => join::run(&args, context),
            Self::Recipient(args) => recipient::run(&args, context),
            Self::Grant(args) => grant::run(&args, context),
            Self::Revoke(args) => revoke::run(&args, context),
            Self::Apply(args) => apply::run(&args, context),
            Self::Trust(args) => trust::run(&args, context),
            Self::Log(args) => log::run(&args, context),
            Self::Access(args) => access::run(&args, context),
            Self::Exposure(args) => exposure::run(&args, context),
            Self::Check(args) => check::run(&args, context),
            Self::Doctor(args) => doctor::run(&args, context),
            Self::Init(args) => init::run(&args, context),
            Self::Keygen(args) => keygen::run(&args, context),
            Self::Whoami(args) => whoami::run(&args, context),
            Self::Hooks(args) => hooks::run(&args, context),
            Self::Demo(args) => demo::run(&args, context),
            Self::Completions(args) => completions::run(&args, context, Cli::command),
            Self::Git(args) => git::run(&args, context),
            Self::Man(args) => man::run(&args, context, Cli::command(), &help::groups()),
        }
    }
}

/// Runs the program on its arguments, the program's own name first. Prints everything there is to print.
pub(crate) fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let mut ui = Ui::plain();
    let outcome = match Cli::try_parse_from(&arguments) {
        Ok(cli) => Context::new(cli.globals).and_then(|context| {
            ui = context.ui.clone();
            cli.command.run(&context)
        }),
        Err(error) => usage::answer(&error, &arguments, &ui),
    };
    outcome.unwrap_or_else(|error| {
        if error.is::<ClosedPipe>() {
            return ExitCode::SUCCESS;
        }
        ui.failure(&error);
        let code = error
            .downcast_ref::<Failure>()
            .map_or(1, |failure| failure.kind().exit_code());
        ExitCode::from(code)
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Cli;

    #[test]
    fn the_tree_is_well_formed_and_every_argument_has_help() {
        let mut tree = Cli::command();
        tree.build();
        tree.clone().debug_assert();
        for verb in tree.get_subcommands().filter(|verb| verb.get_name() != "help") {
            assert!(verb.get_about().is_some(), "{} has no help", verb.get_name());
            for argument in verb.get_arguments().filter(|argument| !argument.is_hide_set()) {
                assert!(
                    argument.get_help().is_some(),
                    "{} {}",
                    verb.get_name(),
                    argument.get_id()
                );
            }
        }
    }
}
