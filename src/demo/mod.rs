//! The stage of `demo`: a temporary folder with people in it, each with a home, settings and a clone of their own,
//! and a way to run a line of shell as one of them and show what really came of it. What is played is `demo`'s.

mod stage;

pub(crate) use stage::{Person, Stage};
