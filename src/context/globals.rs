//! The flags that every command takes, as far as they are about the surroundings; how the program speaks is `ui`'s.

use std::path::PathBuf;

use crate::ui::Manner;

/// The flags that every command takes.
#[derive(clap::Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Globals {
    /// Run as if started in DIR
    #[arg(short = 'C', value_name = "DIR", global = true)]
    pub(crate) directory: Option<PathBuf>,
    /// A file with a private key, tried before all others; may be repeated
    #[arg(short = 'i', long = "identity", value_name = "FILE", global = true)]
    pub(crate) identities: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) manner: Manner,
}
