//! The cryptography of the environment file: the environment key and its drop box, tokens, grants,
//! proposals, the keys of people and machines, and generated values. Everything sealed is a standard age
//! file (C2SP `age.md`). It knows nothing of policies, git or documents: a path comes as its JSON text.

pub mod data_key;
pub mod envelope;
pub mod generate;
pub mod grant;
pub mod identities;
pub mod key;
pub mod label;
pub mod mark;
pub mod new_identity;
pub mod plugins;
pub mod proposal;
pub mod public_key;
pub mod token;

mod curve;
mod header;
mod identity_file;
mod json;
mod key_source;
mod ssh_key;
mod token_file;
mod unlock;
