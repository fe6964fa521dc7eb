//! `edit`: a whole environment in the person's editor.

/// Edit the values of an environment in your editor
///
/// The editor gets the decrypted text in a private folder, memory-backed where the system has one, which is
/// removed afterwards. Values that did not change keep their ciphertext; unchanged text writes nothing.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
The editor is $SECRETREE_EDITOR, $VISUAL or $EDITOR, split into words as a shell splits. A graphical editor
must be told to wait: EDITOR='code --wait'. If the text cannot be used, the editor opens again after Enter.

Examples:
  secretree edit prod
  EDITOR=nano secretree edit prod --commit"
)]
pub(crate) struct Args {
    /// The environment; without it $SECRETREE_ENV, then the policy's default
    #[arg(value_name = "ENV")]
    environment: Option<String>,
    /// Commit the changed file
    #[arg(long)]
    commit: bool,
}
