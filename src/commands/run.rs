//! `run`: a program with the values of an environment as its variables.

use std::ffi::OsString;

/// Run a command with the values as its environment variables
///
/// The values reach the command through its environment and nothing else. They win over variables of the
/// same name that the caller has. Identities are not passed on.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Variables are named after paths: `database.password` becomes DATABASE_PASSWORD, unless the policy declares
another name. `null` is left out. Readable values never become variables that loaders and interpreters act
on, such as PATH or LD_PRELOAD.

Examples:
  secretree run -- ./server                         the default environment
  secretree run prod -- sh -c 'psql \"$DATABASE_URL\"'
  secretree run prod --only 'stripe.**' -- ./bill
  secretree run --no-inherit --preserve-env=PATH,HOME -- make deploy

Exit codes: the command's own; 128 + n if signal n ended it; 126 if it cannot be run, 127 if it is not
found; 1 if a required value is missing, 4 and 5 as everywhere, and then the command is not started."
)]
pub(crate) struct Args {
    /// The environment; without it $SECRETREE_ENV, then the policy's default
    #[arg(value_name = "ENV")]
    environment: Option<String>,
    /// Only values whose path matches GLOB (`*` is one segment, `**` any number); may be repeated
    #[arg(long, value_name = "GLOB")]
    only: Vec<String>,
    /// Give the command no variable of the caller, only the values
    #[arg(long)]
    no_inherit: bool,
    /// Let the caller's variables win over the values; with NAMEs, only these
    #[arg(long, value_name = "NAME", num_args = 0.., require_equals = true, value_delimiter = ',')]
    preserve_env: Option<Vec<String>>,
    /// Pass on identities and trust, for a `secretree` inside the command
    #[arg(long)]
    keep_identity: bool,
    /// The command and its arguments
    #[arg(value_name = "CMD", last = true, required = true)]
    command: Vec<OsString>,
}
