//! Names that were checked at the door: environments, recipients and groups, key ids, versions.
//! Also the "did you mean" for a name that matches nothing.

use std::fmt;

use rand::RngCore as _;
use rand::rngs::OsRng;
use sha2::{Digest as _, Sha256};

/// Words that YAML readers take for something else than a string.
const YAML_WORDS: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];

/// Whether `text` is one name: `[a-z][a-z0-9._-]{0,63}` and no word that YAML readers take for a value.
fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && text.len() <= 64
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte))
        && !YAML_WORDS.contains(&text)
}

/// Why a text is no name, as the end of an error line.
pub const NAME_RULE: &str = "names are lower-case letters, digits, `.`, `_` and `-`, begin with a letter, \
     have at most 64 characters, and are not a word such as `null` or `yes`";

macro_rules! text_newtype {
    ($name:ident) => {
        impl $name {
            /// The checked text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

/// An environment's name: one name, or two joined by `/` (`billing/prod`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnvironmentName(String);
text_newtype!(EnvironmentName);

impl EnvironmentName {
    /// `None` if `text` is not such a name.
    pub fn new(text: &str) -> Option<Self> {
        let fits = match text.split_once('/') {
            Some((folder, name)) => is_name(folder) && is_name(name),
            None => is_name(text),
        };
        fits.then(|| Self(text.to_owned()))
    }
}

/// The name of a recipient or of a group: one name space.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecipientName(String);
text_newtype!(RecipientName);

impl RecipientName {
    /// `None` if `text` is not such a name.
    pub fn new(text: &str) -> Option<Self> {
        is_name(text).then(|| Self(text.to_owned()))
    }

    /// The nearest name to any text (`Ada Lovelace` becomes `ada-lovelace`); `None` if nothing is left.
    pub fn fitted(text: &str) -> Option<Self> {
        let mut fitted = String::new();
        for character in text.chars().flat_map(char::to_lowercase) {
            match character {
                'a'..='z' | '0'..='9' | '.' | '_' => fitted.push(character),
                _ if !fitted.ends_with('-') => fitted.push('-'),
                _ => {}
            }
        }
        let start = fitted.find(|first: char| first.is_ascii_lowercase())?;
        let fitted = fitted[start..].trim_end_matches(['-', '.', '_']);
        Self::new(&fitted[..fitted.len().min(64)])
    }
}

/// The look-up mark of an environment key: `k` and 16 hex digits. Never a proof of anything.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(String);
text_newtype!(KeyId);

impl KeyId {
    /// `None` unless `text` is `k` and 16 lower-case hex digits.
    pub fn new(text: &str) -> Option<Self> {
        is_key_id(text).then(|| Self(text.to_owned()))
    }

    /// The id of the key whose drop box is `drop_box` (an `age1…` string).
    pub fn of_drop_box(drop_box: &str) -> Self {
        Self(format!("k{}", short_hash(drop_box.as_bytes())))
    }
}

/// The random mark of one value: `v` and 8 hex digits, new whenever the value changes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(String);
text_newtype!(Version);

impl Version {
    /// `None` unless `text` is `v` and 8 lower-case hex digits.
    pub fn new(text: &str) -> Option<Self> {
        is_version(text).then(|| Self(text.to_owned()))
    }

    /// A version that was never used before, but for chance. Never the `v00000000` of `follows`.
    pub fn random() -> Self {
        loop {
            let number = OsRng.next_u32();
            if number != 0 {
                return Self(format!("v{number:08x}"));
            }
        }
    }

    /// The fixed version of tokens of type `follows`.
    pub fn follows() -> Self {
        Self("v00000000".to_owned())
    }
}

/// Whether `text` is a [`KeyId`].
pub fn is_key_id(text: &str) -> bool {
    is_mark(text, 'k', 16)
}

/// Whether `text` is a [`Version`].
pub fn is_version(text: &str) -> bool {
    is_mark(text, 'v', 8)
}

/// The first 16 hex digits of SHA-256 of `bytes`: key ids, grant labels and proposal labels end in it.
pub fn short_hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes)[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Whether `text` is `first` and exactly `digits` lower-case hex digits.
fn is_mark(text: &str, first: char, digits: usize) -> bool {
    text.strip_prefix(first).is_some_and(|rest| is_hex(rest, digits))
}

/// Whether `text` is exactly `digits` lower-case hex digits.
pub fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The known name nearest to `wrong`, if one is near enough to be meant.
pub fn did_you_mean<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(wrong, name), name))
        .filter(|(distance, name)| {
            let shorter = wrong.chars().count().min(name.chars().count());
            *distance < shorter && *distance <= 1.max(shorter / 3)
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::{EnvironmentName, RecipientName, Version, did_you_mean};

    #[test]
    fn names_are_checked_at_the_door() {
        for good in ["dev", "a", "team.x_y-2", "billing/prod"] {
            assert!(EnvironmentName::new(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "Dev",
            "2fa",
            "null",
            "yes",
            "a b",
            "a/b/c",
            "/a",
            "a/",
            "x/no",
            &"a".repeat(65),
        ] {
            assert!(EnvironmentName::new(bad).is_none(), "{bad}");
        }
        assert!(RecipientName::new("billing/prod").is_none());
    }

    #[test]
    fn any_name_of_a_person_is_made_to_fit() {
        let fitted = |text| RecipientName::fitted(text).map(|name| name.to_string());
        assert_eq!(fitted("Ada Lovelace").as_deref(), Some("ada-lovelace"));
        assert_eq!(fitted("  42 Łukasz!! ").as_deref(), Some("ukasz"));
        assert_eq!(fitted("漢字"), None);
        assert_eq!(fitted("No"), None);
    }

    #[test]
    fn versions_are_eight_hex_digits() {
        assert!(Version::new(Version::random().as_str()).is_some());
        assert!(Version::new("v0000000G").is_none());
    }

    #[test]
    fn near_names_are_suggested_and_far_ones_are_not() {
        assert_eq!(did_you_mean("recipents", ["recipients", "groups"]), Some("recipients"));
        assert_eq!(did_you_mean("zzz", ["recipients", "groups"]), None);
        assert_eq!(did_you_mean("a", ["b"]), None, "no letter in common");
        assert_eq!(did_you_mean("prdo", ["dev", "prod"]), Some("prod"));
    }
}
