//! The text of an environment: its spans, paths and tokens. Knows nothing of keys or policies.

pub mod path;
