//! What `decrypt` writes besides YAML: values as variables, and the formats that carry them, one file and one quoting
//! function each. Takes plain data and gives bytes; which values there are, and where the bytes go, is left to others.

mod buffer;
pub mod docker;
pub mod dotenv;
pub mod github;
mod imported;
pub mod json;
pub mod kubernetes;
pub mod shell;
pub mod sops;
pub mod template;
mod variables;
pub mod yaml;

#[cfg(test)]
mod readers;

pub use imported::Imported;
pub use variables::{LeftOut, Variable, Variables, steers_programs, variables, variables_of_any_bytes};
