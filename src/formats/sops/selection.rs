//! Which values sops encrypts in a file: all but those under some keys, or only those. Files and creation rules say it in
//! the same fields, of which at most one may be there.

use regex::{Regex, RegexBuilder};

/// sops leaves such keys readable where nothing else is said.
pub(super) const DEFAULT_SUFFIX: &str = "_unencrypted";

/// The fields that say it.
pub(super) const FIELDS: [&str; 6] = [
    "unencrypted_suffix",
    "encrypted_suffix",
    "unencrypted_regex",
    "encrypted_regex",
    "unencrypted_comment_regex",
    "encrypted_comment_regex",
];

/// How much memory one expression may ask for.
const LARGEST_PROGRAM: usize = 1 << 20;
/// The longest expression, in bytes.
const LONGEST_EXPRESSION: usize = 4096;

/// Which values are encrypted. A value is below all keys of its path, and one of them that fits is enough.
#[derive(Clone, Debug)]
pub enum Selection {
    /// All but those below a key that ends so.
    UnencryptedSuffix(String),
    /// Those below a key that ends so.
    EncryptedSuffix(String),
    /// All but those below a key that fits.
    UnencryptedRegex(Regex),
    /// Those below a key that fits.
    EncryptedRegex(Regex),
    /// Comments say it, and comments are not authenticated: each value that has the shape of an encrypted one is.
    Comments,
}

impl Selection {
    /// What is said by these fields and their texts, in which empty ones count for nothing; `None` if nothing is.
    ///
    /// # Errors
    /// Two of them, or an expression that cannot be used; the text completes a line that names the file.
    pub(super) fn of<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Option<Self>, String> {
        let mut found = None;
        for (field, text) in fields.filter(|(_, text)| !text.is_empty()) {
            let expression =
                || expression(text).ok_or_else(|| format!("a `{field}` that is no expression which can be read here"));
            let selection = match field {
                "unencrypted_suffix" => Self::UnencryptedSuffix(text.to_owned()),
                "encrypted_suffix" => Self::EncryptedSuffix(text.to_owned()),
                "unencrypted_regex" => Self::UnencryptedRegex(expression()?),
                "encrypted_regex" => Self::EncryptedRegex(expression()?),
                "unencrypted_comment_regex" | "encrypted_comment_regex" => Self::Comments,
                _ => continue,
            };
            if found.replace(selection).is_some() {
                return Err("two of the fields that say which values are encrypted".to_owned());
            }
        }
        Ok(found)
    }

    /// Whether the value below these keys is encrypted; `None` if its shape alone tells.
    pub(super) fn encrypts<'k>(&self, mut keys: impl Iterator<Item = &'k str>) -> Option<bool> {
        Some(match self {
            Self::UnencryptedSuffix(suffix) => !keys.any(|key| key.ends_with(suffix.as_str())),
            Self::EncryptedSuffix(suffix) => keys.any(|key| key.ends_with(suffix.as_str())),
            Self::UnencryptedRegex(regex) => !keys.any(|key| regex.is_match(key)),
            Self::EncryptedRegex(regex) => keys.any(|key| regex.is_match(key)),
            Self::Comments => return None,
        })
    }
}

impl Default for Selection {
    fn default() -> Self {
        Self::UnencryptedSuffix(DEFAULT_SUFFIX.to_owned())
    }
}

/// A regular expression of somebody else's file, bounded in length and memory.
pub(super) fn expression(text: &str) -> Option<Regex> {
    let mut builder = RegexBuilder::new(text);
    builder.size_limit(LARGEST_PROGRAM).dfa_size_limit(LARGEST_PROGRAM);
    (text.len() <= LONGEST_EXPRESSION).then(|| builder.build().ok())?
}

#[cfg(test)]
mod tests {
    use super::Selection;

    #[test]
    fn a_key_of_the_path_decides() {
        for (field, text, path, encrypted) in [
            ("unencrypted_suffix", "_open", &["a_open", "b"][..], Some(false)),
            ("unencrypted_suffix", "_open", &["a", "b"], Some(true)),
            ("encrypted_suffix", "_secret", &["a", "b_secret"], Some(true)),
            ("encrypted_suffix", "_secret", &["a"], Some(false)),
            ("encrypted_regex", "^(data|stringData)$", &["data", "x"], Some(true)),
            ("encrypted_regex", "^(data|stringData)$", &["metadata"], Some(false)),
            ("unencrypted_regex", "pass", &["my_password"], Some(false)),
            ("encrypted_comment_regex", "enc", &["a"], None),
        ] {
            let selection = Selection::of([(field, text), ("encrypted_suffix", "")].into_iter());
            let selection = selection.expect("sound").expect("one");
            assert_eq!(selection.encrypts(path.iter().copied()), encrypted, "{field} {path:?}");
        }
    }

    #[test]
    fn two_fields_or_a_bad_expression_are_refused() {
        let of = |fields: &[(&'static str, &'static str)]| Selection::of(fields.iter().copied());
        assert!(of(&[]).expect("sound").is_none());
        assert!(of(&[("encrypted_suffix", "a"), ("unencrypted_regex", "b")]).is_err());
        assert!(of(&[("encrypted_regex", "(")]).is_err());
        assert!(of(&[("encrypted_regex", "(((a{1000}){1000}){1000})")]).is_err());
    }
}
