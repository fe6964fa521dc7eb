//! `completions`: what a shell needs to complete verbs, environments and paths.

use std::ffi::OsString;
use std::process::ExitCode;

use secretree::error::Result;

use crate::completion::{Shell, answer};
use crate::context::Context;

/// Print the script that completes environments, paths and options in your shell
///
/// At Tab time the script asks the `secretree` in PATH, which reads the policy and the readable part of the
/// environment files and nothing else: no identity, no value, no question.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    override_usage = "secretree completions [OPTIONS] <SHELL>",
    after_help = "\
One line in the start file of your shell turns it on:
  bash         ~/.bashrc                    eval \"$(secretree completions bash)\"
  zsh          ~/.zshrc, behind compinit    eval \"$(secretree completions zsh)\"
  fish         ~/.config/fish/config.fish   secretree completions fish | source
  elvish       ~/.config/elvish/rc.elv      eval (secretree completions elvish | slurp)
  powershell   $PROFILE                     secretree completions powershell | Out-String | iex

Names with blanks, quotes or other characters that a shell acts on are never proposed. The script is the
same on every machine, so a package can carry it as a file. The one for PowerShell is untried.

Examples:
  secretree completions bash > ~/.local/share/bash-completion/completions/secretree
  secretree completions zsh > /usr/local/share/zsh/site-functions/_secretree
  secretree completions fish > ~/.config/fish/completions/secretree.fish"
)]
pub(crate) struct Args {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    shell: Shell,
    /// The words of a line, the last one unfinished: how the scripts ask.
    #[arg(last = true, hide = true)]
    words: Vec<OsString>,
}

/// Runs the command; `tree` makes the tree of verbs.
pub(crate) fn run(args: &Args, context: &Context, tree: fn() -> clap::Command) -> Result<ExitCode> {
    if args.words.is_empty() {
        context.ui.data(args.shell.script().as_bytes())?;
    } else {
        let home = context.variables.home();
        context
            .ui
            .data(answer(tree, args.shell, &args.words, home).as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}
