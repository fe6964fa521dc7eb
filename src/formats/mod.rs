//! What `decrypt` writes besides YAML: values as variables, and the formats that carry them, one file and one quoting
//! function each; and how files of other tools are read, beside the writer where there is one. Takes plain data and gives
//! bytes, or takes bytes and gives an environment's text; which values there are, and where they go, is left to others.

mod buffer;
pub mod docker;
pub mod doppler;
pub mod dotenv;
pub mod dotenvx;
pub mod github;
mod imported;
pub mod json;
pub mod kubernetes;
mod recognize;
pub mod shell;
pub mod sops;
pub mod template;
mod text;
mod variables;
pub mod yaml;

#[cfg(test)]
mod readers;

pub use imported::Imported;
pub use recognize::Kind;
pub use variables::{LeftOut, Variable, Variables, steers_programs, variables, variables_of_any_bytes};
