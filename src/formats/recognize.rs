//! Which tool a file is of: by what stands in it, and by its name where that alone tells. Reading it is the readers'.

use std::path::Path;

use super::{doppler, dotenvx, sops};
use crate::document::tree::{Rules, Tree};

/// The tools whose files are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `NAME=value` lines.
    Dotenv,
    /// An object.
    Json,
    /// A mapping.
    Yaml,
    /// What sops encrypted.
    Sops,
    /// dotenv lines that dotenvx encrypted.
    Dotenvx,
    /// What Doppler's command line prints as JSON.
    Doppler,
}

impl Kind {
    /// All of them, by the names that people type.
    pub const ALL: [(&'static str, Self); 6] = [
        ("dotenv", Self::Dotenv),
        ("json", Self::Json),
        ("yaml", Self::Yaml),
        ("sops", Self::Sops),
        ("dotenvx", Self::Dotenvx),
        ("doppler", Self::Doppler),
    ];

    /// The kind that a person named.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|(known, _)| *known == name)
            .map(|(_, kind)| kind)
    }

    /// The name of the kind.
    pub fn name(self) -> &'static str {
        let known = Self::ALL.into_iter().find(|(_, kind)| *kind == self);
        known.map_or("", |(name, _)| name)
    }

    /// The kind of a file; nothing if neither name nor content tells. Linear in the content.
    pub fn of(path: &Path, bytes: &[u8]) -> Option<Self> {
        if sops::kind_of(path, bytes).is_some() {
            return Some(Self::Sops);
        }
        let text = std::str::from_utf8(bytes).ok()?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.trim_start().starts_with('{') {
            return Some(if doppler::is_doppler(bytes) {
                Self::Doppler
            } else {
                Self::Json
            });
        }
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let kind = match name.rsplit_once('.').map(|(_, extension)| extension) {
            _ if name.split('.').any(|part| part == "env") => Self::Dotenv,
            Some("yaml" | "yml") => Self::Yaml,
            Some("json") => Self::Json,
            _ => by_content(text)?,
        };
        Some(match kind {
            Self::Dotenv if dotenvx::is_dotenvx(bytes) => Self::Dotenvx,
            kind => kind,
        })
    }
}

/// dotenv if the first line that says something is an assignment, else YAML if it is that.
fn by_content(text: &str) -> Option<Kind> {
    let mut lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let first = lines.next()?;
    let first = first.strip_prefix("export ").unwrap_or(first);
    let name = first.split_once('=').map(|(name, _)| name.trim_end());
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
    };
    if name.is_some_and(is_name) {
        return Some(Kind::Dotenv);
    }
    Tree::parse(text, Rules::Text).is_ok().then_some(Kind::Yaml)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Kind;

    #[test]
    fn the_kind_is_seen_from_content_and_name() {
        let doppler = r#"{"DOPPLER_PROJECT": "a", "DOPPLER_ENVIRONMENT": "b", "DOPPLER_CONFIG": "c"}"#;
        for (name, text, kind) in [
            (".env", "", Some(Kind::Dotenv)),
            (".env.production", "A: 1", Some(Kind::Dotenv)),
            ("prod.env", "A=1", Some(Kind::Dotenv)),
            (".env", "A=encrypted:x", Some(Kind::Dotenvx)),
            ("-", "# c\n\nexport A = 1\n", Some(Kind::Dotenv)),
            ("-", "DOTENV_PUBLIC_KEY=x\n", Some(Kind::Dotenvx)),
            ("-", "a: b=c\n", Some(Kind::Yaml)),
            ("a.yml", "no: [yaml", Some(Kind::Yaml)),
            ("-", "no: [yaml", None),
            ("-", "", None),
            ("-", " {\"a\": 1}", Some(Kind::Json)),
            ("a.json", "[1]", Some(Kind::Json)),
            ("a.env", "{\"a\": 1}", Some(Kind::Json)),
            ("secrets.json", doppler, Some(Kind::Doppler)),
            ("a.yaml", "a: ENC[x]\nsops:\n    mac: x\n", Some(Kind::Sops)),
            (".env", "A=1\nsops_mac=x\n", Some(Kind::Sops)),
        ] {
            assert_eq!(Kind::of(Path::new(name), text.as_bytes()), kind, "{name}: {text}");
        }
        assert_eq!(Kind::of(Path::new("a.yaml"), &[255]), None);
    }

    #[test]
    fn names_are_read_back() {
        for (name, kind) in Kind::ALL {
            assert_eq!((Kind::named(name), kind.name()), (Some(kind), name));
        }
        assert_eq!(Kind::named("xml"), None);
    }
}
