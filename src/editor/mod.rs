//! The person's own editor, for `edit`: which one, how it is started, and that no plaintext outlives it.

mod heir;
mod program;
mod session;
mod signals;

pub(crate) use program::Editor;
pub(crate) use session::{Edited, EditorSession};
