//! What git starts by itself: the look at what is about to be committed.

mod staged;

pub use staged::{Standpoint, examine_staged};
