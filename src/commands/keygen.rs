//! `keygen`: a new identity.

use std::path::PathBuf;

/// Make an identity: a private key, and the public key to give to others
///
/// The private key goes to a file that only you can read, `~/.config/secretree/identity.txt` unless FILE
/// is named; an existing file is never replaced. The public key is printed.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  secretree keygen
  secretree keygen --passphrase
  secretree keygen -o ci.txt       for a machine: its text goes into SECRETREE_KEY there"
)]
pub(crate) struct Args {
    /// Write the private key to FILE
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Protect the private key with a passphrase
    #[arg(long)]
    passphrase: bool,
}
