//! The library of `secretree`: a team's secrets in the git repository they belong to. It takes values and
//! returns values; it knows no terminal, no home directory and no environment variable. `docs/architecture.md`
//! names the floors; each module uses only those below it.

#![forbid(unsafe_code)]

pub mod access;
pub mod adoption;
pub mod checks;
pub mod crypto;
pub mod cure;
pub mod doctor;
pub mod document;
pub mod error;
pub mod files;
pub mod finding;
pub mod formats;
pub mod git;
pub mod history;
pub mod hooks;
pub mod inspection;
pub mod merge;
pub mod names;
pub mod policy;
pub mod process;
pub mod report;
pub mod roster;
pub mod secret;
pub mod textconv;
pub mod value;
pub mod vault;
pub mod view;
pub mod when;
