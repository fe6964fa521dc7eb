//! How an encrypted value is written: `ENC[age,KEY,VERSION,BASE64]`. Its content is opened elsewhere.

use std::fmt;

use crate::names::{KeyId, Version};

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
        let inner = content.strip_prefix(OPENING)?.strip_suffix(']')?;
        let (key, rest) = inner.split_once(',')?;
        let (version, base64) = rest.split_once(',')?;
        let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
        if base64.is_empty() || !base64.bytes().all(is_base64) {
            return None;
        }
        Some(Self {
            key: KeyId::new(key)?,
            version: Version::new(version)?,
            base64,
        })
    }
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
    use super::{Token, has_token_shape};

    #[test]
    fn tokens_are_read_strictly_and_written_back_the_same() {
        let text = "ENC[age,k3f9c0b71d2a4e658,v8e11c07a,YWdl]";
        assert_eq!(Token::parse(text).unwrap().to_string(), text);
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
            assert!(has_token_shape(bad), "{bad}");
        }
        assert!(!has_token_shape("ENC[AES256_GCM,data:x]"));
    }
}
