//! What the rule about the history as a whole looks at: whether it is all there.

use std::path::Path;

/// How much of the history is here.
pub struct Extent<'a> {
    /// The root policy's file, as findings name it.
    pub policy: &'a Path,
    /// Why the history is not whole, as the middle of a line; nothing if it is.
    pub why: Option<String>,
    /// The command that brings the rest, if one does.
    pub command: Option<String>,
}
