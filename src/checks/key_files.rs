//! What the rule for private keys looks at: files that hold one or may hold one, and where they are.

use std::path::Path;

/// A file that may hold a private key.
pub struct KeyFile<'a> {
    /// The file as findings name it.
    pub file: &'a Path,
    /// Where it is.
    pub place: KeyPlace<'a>,
}

/// Where such a file is.
pub enum KeyPlace<'a> {
    /// In the repository, with this content.
    Tracked(&'a [u8]),
    /// On this machine, as an identity that is used here, with these permission bits.
    Used(u32),
}
