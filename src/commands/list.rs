//! `list`: which values exist where.

/// Show which values exist in which environments; needs no key
///
/// Without ENV: a table of all paths and all environments. Values are never shown.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  secretree list
  secretree list prod
  secretree list --find '**.password'"
)]
pub(crate) struct Args {
    /// The environment; without it all of them
    #[arg(value_name = "ENV")]
    environment: Option<String>,
    /// Only paths that match GLOB (`*` is one segment, `**` any number)
    #[arg(long, value_name = "GLOB")]
    find: Option<String>,
}
