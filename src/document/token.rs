//! How an encrypted value is written: `ENC[age,KEY,VERSION,BASE64]`. Its content is opened elsewhere.

use std::fmt;

use crate::names::{KeyId, Version, is_key_id, is_version};

/// What every token begins with.
const OPENING: &str = "ENC[age,";

/// A token as it stands in the file. The base64 is checked when it is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// The key it was sealed under.
    pub key: KeyId,
    /// The version of its value.
    pub version: Version,
    /// The age file, in standard base64.
    pub base64: &'a str,
}

impl<'a> Token<'a> {
    /// Reads the content of a scalar; `None` if it is no well-formed token. Nothing may stand around it.
    pub fn parse(content: &'a str) -> Option<Self> {
        let (key, version, base64) = parts(content)?;
        Some(Self {
            key: KeyId::new(key)?,
            version: Version::new(version)?,
            base64,
        })
    }
}

/// Key, version and base64 of a token.
fn parts(content: &str) -> Option<(&str, &str, &str)> {
    let inner = content.strip_prefix(OPENING)?.strip_suffix(']')?;
    let (key, rest) = inner.split_once(',')?;
    let (version, base64) = rest.split_once(',')?;
    // Every byte is looked at, without a branch for each: this is the bulk of what a command reads.
    let all_base64 = base64
        .bytes()
        .fold(true, |all, byte| all & IS_BASE64[usize::from(byte)]);
    (!base64.is_empty() && all_base64).then_some((key, version, base64))
}

/// Whether a byte occurs in standard base64.
const IS_BASE64: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let text = byte as u8;
        table[byte] = text.is_ascii_alphanumeric() || matches!(text, b'+' | b'/' | b'=');
        byte += 1;
    }
    table
};

/// Whether the content of a scalar is a well-formed token, as [`Token::parse`] finds it.
pub fn is_token(content: &str) -> bool {
    parts(content).is_some_and(|(key, version, _)| is_key_id(key) && is_version(version))
}

impl fmt::Display for Token<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{OPENING}{},{},{}]", self.key, self.version, self.base64)
    }
}

/// Whether a scalar looks like a token, well-formed or not: such text is never taken for a value.
pub fn has_token_shape(content: &str) -> bool {
    content.trim_start().starts_with(OPENING)
}

#[cfg(test)]
mod tests {
    use super::{Token, has_token_shape, is_token};

    #[test]
    fn tokens_are_read_strictly_and_written_back_the_same() {
        let text = "ENC[age,k3f9c0b71d2a4e658,v8e11c07a,YWdl]";
        assert_eq!(Token::parse(text).unwrap().to_string(), text);
        assert!(is_token(text));
        for bad in [
            "ENC[age,k3f9c0b71d2a4e658,v8e11c07a,]",
            "ENC[age,K3f9c0b71d2a4e658,v8e11c07a,YWdl]",
            "ENC[age,k3f9c0b71d2a4e658,v8e11c07,YWdl]",
            "ENC[age,k3f9c0b71d2a4e658,v8e11c07a,YW dl]",
            "ENC[age,k3f9c0b71d2a4e658,v8e11c07a,YWdl] ",
            " ENC[age,k3f9c0b71d2a4e658,v8e11c07a,YWdl]",
            "ENC[age,k3f9c0b71d2a4e658,v8e11c07a,YWdl,x]",
        ] {
            assert_eq!(Token::parse(bad), None, "{bad}");
            assert!(!is_token(bad), "{bad}");
            assert!(has_token_shape(bad), "{bad}");
        }
        assert!(!has_token_shape("ENC[AES256_GCM,data:x]"));
    }
}
