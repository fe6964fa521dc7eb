//! `decrypt`: a whole environment, readable.

use std::path::PathBuf;

use clap::ValueEnum;

/// Print an environment decrypted, as YAML, JSON or variables
///
/// `yaml` is the text as it was written, byte for byte, with comments. The other formats include the
/// environments that this one extends.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  secretree decrypt prod
  secretree decrypt prod --format dotenv -o .env
  secretree decrypt prod --format json --flat | jq -r .DATABASE_URL
  eval \"$(secretree decrypt dev --format shell)\""
)]
pub(crate) struct Args {
    /// The environment; without it $SECRETREE_ENV, then the policy's default
    #[arg(value_name = "ENV")]
    environment: Option<String>,
    /// What to write
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Yaml)]
    format: Format,
    /// Write to FILE, which only you can read; refused inside the work tree unless git ignores it
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write to FILE wherever it is, also over an existing one
    #[arg(long, requires = "output")]
    force: bool,
    /// With `yaml`: include the environments that this one extends
    #[arg(long)]
    merged: bool,
    /// With `json`: variables instead of nested mappings
    #[arg(long)]
    flat: bool,
}

/// What `decrypt` writes.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The text as it was written
    Yaml,
    /// Typed values in nested mappings
    Json,
    /// NAME=value lines for dotenv readers
    Dotenv,
    /// export NAME='value' lines for a POSIX shell
    Shell,
}
