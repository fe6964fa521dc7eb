//! `whoami`: the identities this machine has.

/// Show the identities found here and their public keys
///
/// In the order in which they are tried, each with its name in the policy, if it has one. Nothing is
/// unlocked and nothing asked.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  secretree whoami
  secretree whoami --json"
)]
pub(crate) struct Args {}
