//! `init`: the first minute of a repository.

/// Set up secrets in this folder: a policy, an identity, two environments
///
/// Writes `.secrets.yaml` with you as the first recipient, makes an identity if none is found, and makes
/// the environments `dev` and `prod`. Safe to run twice: only what is missing is made.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  secretree init
  secretree init --name alice --yes --commit"
)]
pub(crate) struct Args {
    /// Your name in the policy; without it made from git's user.name, and asked
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Commit the new files
    #[arg(long)]
    commit: bool,
}
