//! What Doppler's command line gives as JSON: `secrets download --no-file --format json` (names and strings) and
//! `secrets --json` (names and objects with `computed` and `raw`). Names become root keys; what Doppler adds of its own is
//! left out.

use zeroize::Zeroizing;

use super::Imported;
use super::json::members;
use super::text::{Node, YamlText};
use crate::error::{Failure, Result};

/// The names that Doppler adds to every download.
const OWN_NAMES: [&str; 3] = ["DOPPLER_PROJECT", "DOPPLER_ENVIRONMENT", "DOPPLER_CONFIG"];

/// Whether the object is Doppler's: it has all of Doppler's own names, or its members are objects with `computed`.
pub fn is_doppler(bytes: &[u8]) -> bool {
    let Ok(members) = members(bytes) else { return false };
    let has = |name: &str| members.iter().any(|(member, _)| member == name);
    let has_computed =
        |node: &Node| matches!(node, Node::Mapping(parts) if parts.iter().any(|(part, _)| part == "computed"));
    OWN_NAMES.iter().all(|name| has(name))
        || (!members.is_empty() && members.iter().all(|(_, member)| has_computed(member)))
}

/// Reads either form.
///
/// # Errors
/// As [`super::json::read`]; `Failed` if a member is neither a string nor an object with `computed`.
pub fn read(bytes: &[u8]) -> Result<Imported> {
    let mut left_out = Vec::new();
    let mut noted = Vec::new();
    let mut referring = Vec::new();
    let mut hidden = Vec::new();
    let mut kept = Vec::new();
    for (name, node) in members(bytes)? {
        if OWN_NAMES.contains(&name.as_str()) {
            left_out.push(name);
            continue;
        }
        match node {
            Node::Text(text) => kept.push((name, Node::Text(text))),
            Node::Mapping(parts) => {
                let Member { computed, raw, note } = Member::of(parts);
                if note {
                    noted.push(name.clone());
                }
                match computed {
                    Some(value) => {
                        if raw.is_some_and(|raw| *raw != *value) {
                            referring.push(name.clone());
                        }
                        kept.push((name, Node::Text(value)));
                    }
                    None => hidden.push(name),
                }
            }
            Node::Plain(_) | Node::List(_) => {
                return Err(
                    Failure::failed(format!("has a value that is no string, `{name}`, and Doppler's are"))
                        .hint("--from json takes any JSON")
                        .into(),
                );
            }
        }
    }
    let mut yaml = YamlText::default();
    yaml.push_members(&kept)?;
    let notes = [
        (left_out, "Doppler's own, left out"),
        (hidden, "has no value that you may see in Doppler, left out"),
        (referring, "refers to other values; it was taken as Doppler computes it"),
        (
            noted,
            "has a note in Doppler, which is not taken along; `description` in the policy holds such text",
        ),
    ];
    let sentence = |(names, what): &(Vec<String>, &str)| {
        let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        format!("{}: {what}", names.join(", "))
    };
    Ok(Imported {
        text: yaml.into_text(),
        notes: notes
            .iter()
            .filter(|(names, _)| !names.is_empty())
            .map(sentence)
            .collect(),
    })
}

/// One member of `secrets --json`.
#[derive(Default)]
struct Member {
    computed: Option<Zeroizing<String>>,
    raw: Option<Zeroizing<String>>,
    /// Whether somebody wrote a note.
    note: bool,
}

impl Member {
    fn of(parts: Vec<(String, Node)>) -> Self {
        let mut member = Self::default();
        for (part, node) in parts {
            match (part.as_str(), node) {
                ("computed", Node::Text(text)) => member.computed = Some(text),
                ("raw", Node::Text(text)) => member.raw = Some(text),
                ("note", Node::Text(text)) => member.note = !text.is_empty(),
                _ => {}
            }
        }
        member
    }
}

#[cfg(test)]
mod tests {
    use super::{is_doppler, read};

    #[test]
    fn a_download_is_read_without_dopplers_own_names() {
        let text = br#"{"DOPPLER_CONFIG": "dev", "DOPPLER_ENVIRONMENT": "dev", "DOPPLER_PROJECT": "shop", "PORT": "5432", "KEY": "a\nb"}"#;
        assert!(is_doppler(text));
        let imported = read(text).unwrap();
        assert_eq!(*imported.text, "PORT: \"5432\"\nKEY: |-\n  a\n  b\n");
        assert_eq!(
            imported.notes,
            ["`DOPPLER_CONFIG`, `DOPPLER_ENVIRONMENT`, `DOPPLER_PROJECT`: Doppler's own, left out"]
        );
    }

    #[test]
    fn the_listing_is_read_with_its_computed_values() {
        let text = br#"{"A": {"computed": "x", "raw": "x", "note": ""}, "DOPPLER_PROJECT": {"computed": "shop"},
            "URL": {"computed": "http://x", "raw": "http://${A}", "note": "the api"}, "HIDDEN": {"computed": null}}"#;
        assert!(is_doppler(text));
        let imported = read(text).unwrap();
        assert_eq!(
            *imported.text,
            "A: x\nURL: \"http://x\"\n".replace("\"http://x\"", "http://x")
        );
        assert_eq!(imported.notes.len(), 4, "{:?}", imported.notes);
    }

    #[test]
    fn other_json_is_not_dopplers() {
        for text in [&b"{}"[..], b"{\"A\": \"x\"}", b"{\"a\": {\"b\": 1}}", b"[]", b"no"] {
            assert!(!is_doppler(text));
        }
        let refused = read(b"{\"A\": 1}").err().expect("refused");
        assert_eq!(
            refused.to_string(),
            "has a value that is no string, `A`, and Doppler's are"
        );
    }
}
