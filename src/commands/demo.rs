//! `demo`: what the program does, shown on a repository made for it.

/// Show what secretree does, in a temporary repository
///
/// Three people and a CI identity, a program that gets its values, a read and an attack that are refused.
/// Touches nothing of yours.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  secretree demo
  secretree demo --keep     and look around afterwards"
)]
pub(crate) struct Args {
    /// Keep the repository and say where it is
    #[arg(long)]
    keep: bool,
}
