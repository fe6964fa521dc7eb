//! `encrypt`: what stands readable in an environment file and should not.

/// Seal what stands readable in an environment file and should not
///
/// After a hand edit of the file itself: names each path and asks before it seals. Also moves the footer
/// back to the end of the file.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  secretree encrypt
  secretree encrypt prod --yes --commit"
)]
pub(crate) struct Args {
    /// The environments; without any $SECRETREE_ENV, then the policy's default
    #[arg(value_name = "ENV")]
    environments: Vec<String>,
    /// Commit the changed files
    #[arg(long)]
    commit: bool,
}
