//! `unset`: values that shall be gone.

/// Remove values
///
/// Mappings and lists that become empty are removed too. Old values stay in git's history: change them
/// where they are used.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  secretree unset prod stripe.key
  secretree unset dev old.token old.url --commit"
)]
pub(crate) struct Args {
    /// The environment
    #[arg(value_name = "ENV")]
    environment: String,
    /// The places of the values
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<String>,
    /// Commit the changed file
    #[arg(long)]
    commit: bool,
}
