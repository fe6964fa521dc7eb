//! `apply`: the environment files as the policy wants them.

/// Make the environment files what the policy says: who can read them
///
/// Shows what it will do and asks. A public key that lost access always means a new environment key, under
/// which every value is sealed anew. Several files change all together or not at all.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  secretree apply                  after a change of the policy
  secretree apply prod --yes --commit
  secretree apply prod --new-key   a new key although nobody left"
)]
pub(crate) struct Args {
    /// The environments; without any, all of them
    #[arg(value_name = "ENV")]
    environments: Vec<String>,
    /// Make a new environment key in any case
    #[arg(long)]
    new_key: bool,
    /// Commit the changed files
    #[arg(long)]
    commit: bool,
}
