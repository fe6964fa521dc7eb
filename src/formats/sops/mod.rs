//! Everything that knows sops: its encrypted files, read and written, and the rules of `.sops.yaml`. What becomes of
//! a file that was read is left to `import`; which age keys are at hand, to the caller.

mod data;
mod dotenv;
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
mod writer;
mod yaml;

use std::path::Path;

use crate::crypto::identities::Identities;
use crate::error::{Failure, Result};
use crate::formats::Imported;

pub use rules::{SopsRecipient, SopsRule, SopsRules};
pub use selection::Selection;
pub use writer::write;

/// The form of a sops file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// YAML.
    Yaml,
    /// JSON.
    Json,
    /// `NAME=value` lines.
    Dotenv,
    /// INI; not read here.
    Ini,
    /// Any file, sealed as one value inside JSON; not read here.
    Binary,
}

/// Whether a file is one that sops encrypted, judged by its form: nothing is verified.
pub fn is_sops(bytes: &[u8]) -> bool {
    kind_of(Path::new(""), bytes).is_some()
}

/// The form of a sops file, by its name where that says it, else by its content; `None` if it is no sops file.
pub fn kind_of(path: &Path, bytes: &[u8]) -> Option<Kind> {
    let text = std::str::from_utf8(bytes).ok()?;
    let has_line = |start: &str| text.lines().any(|line| line.starts_with(start));
    let extension = path.extension().and_then(|extension| extension.to_str());
    if text.trim_start_matches('\u{feff}').trim_start().starts_with('{') {
        let has_key = text.contains("\"sops\"") && text.contains("\"mac\"");
        let is_binary = !matches!(extension, Some("json" | "yaml" | "yml")) && has_one_value(text);
        return has_key.then_some(if is_binary { Kind::Binary } else { Kind::Json });
    }
    if has_line("[sops]") {
        Some(Kind::Ini)
    } else if has_line("sops_mac=") || has_line("sops_version=") {
        Some(Kind::Dotenv)
    } else {
        (has_line("sops:") && text.contains("mac:")).then_some(Kind::Yaml)
    }
}

/// Whether the JSON is one value called `data`, and what sops needs to open it.
fn has_one_value(text: &str) -> bool {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sealed {
        #[serde(rename = "data")]
        _data: String,
        #[serde(rename = "sops")]
        _metadata: serde::de::IgnoredAny,
    }
    serde_json::from_str::<Sealed>(text).is_ok()
}

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
        Kind::Json => json::read(text, identities, name),
        Kind::Dotenv => dotenv::read(text.trim_start_matches('\u{feff}'), identities, name),
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Kind, is_sops, kind_of};

    #[test]
    fn the_form_is_seen_from_name_and_content() {
        for (name, text, kind) in [
            ("a.yaml", "a: ENC[x]\nsops:\n    mac: ENC[x]\n", Some(Kind::Yaml)),
            ("a", "---\nsops:\n    mac: ENC[x]\n", Some(Kind::Yaml)),
            ("a.json", "{\"data\": \"x\", \"sops\": {\"mac\": 1}}", Some(Kind::Json)),
            (
                "a.bin",
                " {\"data\": \"x\", \"sops\": {\"mac\": 1}}",
                Some(Kind::Binary),
            ),
            (
                "a.txt",
                "{\"data\": \"x\", \"b\": 1, \"sops\": {\"mac\": 1}}",
                Some(Kind::Json),
            ),
            (".env", "A=1\nsops_mac=x\n", Some(Kind::Dotenv)),
            ("a.ini", "[x]\na = 1\n[sops]\nmac = x\n", Some(Kind::Ini)),
            ("a.yaml", "a: 1\n", None),
            ("a.yaml", "x:\n  sops:\n    mac: x\n", None),
            ("a.json", "{\"a\": 1}", None),
            (".env", "A=1\n", None),
            ("", "", None),
        ] {
            assert_eq!(kind_of(Path::new(name), text.as_bytes()), kind, "{name}: {text}");
        }
        assert!(!is_sops(&[255]));
        assert!(is_sops(b"sops:\n  mac: x\n"));
    }
}
