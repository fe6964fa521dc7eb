//! What `doctor` finds. The place is a text, since most of it is no place in the repository: a variable, a program, a
//! file of this person.

pub use crate::finding::{Code, Severity};

/// One thing that is wrong on this machine; its place is the file, variable or environment it is about.
pub type Finding = crate::finding::Finding<String>;
