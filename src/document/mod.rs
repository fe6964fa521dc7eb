//! The text of an environment: its spans, paths and tokens. Knows nothing of keys or policies.

mod builder;
pub mod comments;
mod core_schema;
pub mod edit;
mod extent;
pub mod lines;
pub mod meaning;
pub mod path;
pub mod render;
pub mod source;
#[cfg(test)]
mod tests;
pub mod token;
pub mod tree;
pub mod write;

pub use builder::LARGEST_TEXT;

/// The root key that holds the footer of an environment file.
pub const FOOTER_KEY: &str = "secretree";
