//! Which files are sops files, and in which form: seen without a key, so that whoever imports knows what to ask for.

use std::path::Path;

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
