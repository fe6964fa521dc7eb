//! Adds and removes values in a text by path, line by line: what stands elsewhere keeps its bytes. Replacing a value
//! that stands there is `write`'s; sealing list items that moved up is the vault's.

pub use entries::{Change, changed, entry_in_one_line, in_one_line, line_end_of};
