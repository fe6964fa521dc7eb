//! What a reader of another tool's file gives: the text that a person would have written here. How it gets into an
//! environment, and what is said about it, is left to `import`.

use zeroize::Zeroizing;

/// A file of another tool, as the text of an environment.
#[derive(Clone)]
pub struct Imported {
    /// YAML that [`Tree::parse`](crate::document::tree::Tree::parse) accepts as edited text: no footer, no tokens.
    pub text: Zeroizing<String>,
    /// What could not be taken along as it stood, one sentence each; paths and names, never a value.
    pub notes: Vec<String>,
}
