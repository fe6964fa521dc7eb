//! `get`: one value.

/// Print one value
///
/// Writes the value's bytes and nothing else; a newline follows only on a terminal. `null` is no bytes.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  secretree get prod database.password
  secretree get prod DATABASE_PASSWORD
  secretree get prod tls.key > /run/key.pem
  secretree get prod limits --json                  a mapping or list is printed as JSON only"
)]
pub(crate) struct Args {
    /// The environment
    #[arg(value_name = "ENV")]
    environment: String,
    /// The place of the value
    #[arg(value_name = "PATH")]
    path: String,
}
