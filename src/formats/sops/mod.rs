//! Everything that knows sops: its encrypted files, read and written, and the rules of `.sops.yaml`. What becomes of
//! a file that was read is left to `import`; which age keys are at hand, to the caller.

mod data;
mod dotenv;
mod form;
mod json;
mod layout;
mod loose;
mod metadata;
mod opening;
mod resolve;
mod rules;
mod scalar;
mod sealed;
mod selection;
mod splice;
#[cfg(test)]
mod tests;
mod writer;
mod yaml;

use crate::crypto::identities::Identities;
use crate::document::lines::Refusal;
use crate::document::tree::{Rules, Tree};
use crate::error::{Failure, Result};
use crate::formats::Imported;

use metadata::way_out;

pub use form::{Kind, is_sops, kind_of};
pub use rules::{SopsRecipient, SopsRule, SopsRules};
pub use selection::Selection;
pub use writer::write;

/// The largest sops file that is read, in bytes.
pub const LARGEST: usize = 16 << 20;

/// The text of a sops file that one of these identities opens, with its values and comments; `name` is what messages
/// call the file. YAML stays as it stands, JSON and dotenv become YAML. The MAC of the file is checked.
///
/// # Errors
/// Exit 1 for what cannot be read here, exit 4 if no identity fits, exit 5 if the file is not what sops wrote.
pub fn read(bytes: &[u8], kind: Kind, identities: &mut Identities, name: &str) -> Result<Imported> {
    if bytes.len() > LARGEST {
        let message = format!("`{name}` is larger than the 16 MiB that a sops file may have here");
        return Err(Failure::failed(message).into());
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Failure::failed(format!("`{name}` is not UTF-8 text")))?;
    match kind {
        Kind::Yaml => yaml::read(text, identities, name),
        Kind::Json => json::read(text, identities, name).and_then(|read| checked(read, name)),
        Kind::Dotenv => {
            let text = text.trim_start_matches('\u{feff}');
            dotenv::read(text, identities, name).and_then(|read| checked(read, name))
        }
        Kind::Ini => {
            let message = format!("`{name}` is a sops file in INI form, which is not read here");
            let hint = format!("sops -d --output-type yaml {name} | secretree import ENV -");
            Err(Failure::failed(message).hint(hint).into())
        }
        Kind::Binary => {
            let message = format!("`{name}` is one binary value sealed by sops, and an environment has many");
            let hint = format!("give it a place in one: `sops -d {name} | secretree set ENV PATH`");
            Err(Failure::failed(message).hint(hint).into())
        }
    }
}

/// What was laid out, if it can be the text of an environment: no value of a token's shape, not nested too deeply.
fn checked(read: Imported, name: &str) -> Result<Imported> {
    match Tree::parse(&read.text, Rules::Text) {
        Ok(_) => Ok(read),
        Err(refusal) => Err(unfit(name, Some(&refusal)).into()),
    }
}

/// The failure of a file whose values make no text of an environment. Places in that text would mean nothing to anybody.
fn unfit(name: &str, refusal: Option<&Refusal>) -> Failure {
    let reason = refusal.map_or_else(String::new, |refusal| format!(": {}", refusal.message));
    let message = format!("`{name}` cannot become the text of an environment once it is opened{reason}");
    Failure::failed(message).hint(way_out(name))
}
