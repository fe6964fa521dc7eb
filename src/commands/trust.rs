//! `trust`: a person's word for an environment key.

/// Trust the key that an environment has now
///
/// Needed where the key cannot be followed back to one this machine knows. Shows who made it and when; ask
/// that person before you agree.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Where no person is, SECRETREE_TRUST=ENV:DROP_BOX says the same; the drop box is the `age1…` text in the
environment file's footer.

Examples:
  secretree trust prod"
)]
pub(crate) struct Args {
    /// The environment
    #[arg(value_name = "ENV")]
    environment: String,
}
