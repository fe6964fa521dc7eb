//! What a token says inside: which value stands where, in which version, and how its author wrote it.
//! Sealing gives the base64 text of the token; the `ENC[…]` around it is the document's.

use std::fmt;

use zeroize::Zeroizing;

use super::envelope::{self, LARGEST_FILE, OpenError};
use super::json::{Reader, buffer_for, check_same, check_size, pad, push_member, push_name, value_bytes};
use super::key::{DropBox, EnvironmentKey};
use crate::error::{Failure, Result};
use crate::names::{EnvironmentName, Version};
use crate::value::{LineEnd, Source, Value, push_json_string};

/// The largest column that a source may have.
pub const LARGEST_COLUMN: usize = 65_536;

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A value in the text.
    Value,
    /// An old value that is still in use somewhere.
    Previous,
    /// A key vouching for the one that follows it.
    Follows,
}

impl TokenKind {
    /// The word in the plaintext.
    pub fn name(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Previous => "previous",
            Self::Follows => "follows",
        }
    }
}

/// The content of one token.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenPlaintext {
    /// What it is for.
    pub kind: TokenKind,
    /// The environment it belongs to.
    pub environment: EnvironmentName,
    /// Where it stands: the canonical JSON array (`ValuePath::to_json`).
    pub path: String,
    /// The version of the value.
    pub version: Version,
    /// The value.
    pub value: Value,
    /// How the author wrote it, where the default rendering would write it otherwise.
    pub source: Option<Source>,
}

impl fmt::Debug for TokenPlaintext {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            environment,
            path,
            version,
            ..
        } = self;
        write!(formatter, "{} {environment}:{path} {version}", kind.name())
    }
}

impl TokenPlaintext {
    /// The token that, sealed under an older key of `environment`, vouches for the key of `successor`.
    pub fn follows(environment: EnvironmentName, successor: &DropBox) -> Self {
        Self {
            kind: TokenKind::Follows,
            environment,
            path: "[]".to_owned(),
            version: Version::follows(),
            value: Value::text(successor.as_str()),
            source: None,
        }
    }

    /// The key that a token of type `follows` vouches for; `None` for other tokens.
    pub fn successor(&self) -> Option<DropBox> {
        match &self.value {
            Value::Text(text) if self.kind == TokenKind::Follows => DropBox::parse(text.expose_text()?),
            _ => None,
        }
    }

    /// Canonical JSON, padded with spaces to a multiple of 32 bytes.
    ///
    /// # Errors
    /// Exit 1 for a value over 16 MiB or a source beyond column 65,536: nobody could open it again.
    pub fn encode(&self) -> Result<Zeroizing<Vec<u8>>> {
        if self
            .source
            .as_ref()
            .is_some_and(|source| source.column > LARGEST_COLUMN)
        {
            let message = format!(
                "the value at `{}` is indented by more than {LARGEST_COLUMN} columns",
                self.path
            );
            return Err(Failure::failed(message).into());
        }
        let mut plaintext = self.write();
        pad(&mut plaintext);
        check_size(plaintext, &self.path)
    }

    fn write(&self) -> Zeroizing<Vec<u8>> {
        let source = self.source.as_ref().map_or(&[][..], |source| source.text.expose());
        let mut out = buffer_for([value_bytes(&self.value), source, self.path.as_bytes()]);
        out.extend_from_slice(b"{\"type\":\"");
        out.extend_from_slice(self.kind.name().as_bytes());
        out.push(b'"');
        push_member("environment", self.environment.as_str(), &mut out);
        push_name("path", &mut out);
        out.extend_from_slice(self.path.as_bytes());
        push_member("version", self.version.as_str(), &mut out);
        push_name("value", &mut out);
        self.value.push_canonical_json(&mut out);
        if let Some(source) = &self.source {
            push_name("source", &mut out);
            out.extend_from_slice(b"{\"text\":");
            push_json_string(source.text.expose_text().expect("source is UTF-8"), &mut out);
            push_name("column", &mut out);
            out.extend_from_slice(source.column.to_string().as_bytes());
            push_member("line_end", source.line_end.name(), &mut out);
            out.push(b'}');
        }
        out.push(b'}');
        out
    }

    /// Reads what [`TokenPlaintext::encode`] writes, and nothing else.
    pub fn decode(plaintext: &[u8]) -> Result<Self, OpenError> {
        let mut reader = Reader::new(plaintext)?;
        reader.literal("{\"type\":\"")?;
        let kind = [TokenKind::Value, TokenKind::Previous, TokenKind::Follows]
            .into_iter()
            .find(|kind| reader.took(kind.name()))
            .ok_or(OpenError::Malformed("it is no token"))?;
        let environment = EnvironmentName::new(&reader.public_string("\",\"environment\":")?)
            .ok_or(OpenError::Malformed("it names no environment"))?;
        reader.literal(",\"path\":")?;
        let path = reader.path()?;
        let version =
            Version::new(&reader.public_string(",\"version\":")?).ok_or(OpenError::Malformed("it has no version"))?;
        reader.literal(",\"value\":")?;
        let value = reader.value()?;
        let source = reader
            .took(",\"source\":")
            .then(|| read_source(&mut reader))
            .transpose()?;
        reader.literal("}")?;
        reader.end()?;
        let token = Self {
            kind,
            environment,
            path,
            version,
            value,
            source,
        };
        token.check_follows()?;
        check_same(token.write(), plaintext)?;
        Ok(token)
    }

    fn check_follows(&self) -> Result<(), OpenError> {
        let fits = self.path == "[]"
            && self.version == Version::follows()
            && self.source.is_none()
            && self.successor().is_some();
        if self.kind == TokenKind::Follows && !fits {
            return Err(OpenError::Malformed("it vouches for no key"));
        }
        Ok(())
    }
}

fn read_source(reader: &mut Reader<'_>) -> Result<Source, OpenError> {
    reader.literal("{\"text\":")?;
    let text = reader.string()?;
    reader.literal(",\"column\":")?;
    let column = usize::try_from(reader.integer()?)
        .ok()
        .filter(|column| *column <= LARGEST_COLUMN)
        .ok_or(OpenError::Malformed("its source has no column"))?;
    reader.literal(",\"line_end\":\"")?;
    let line_end = [LineEnd::Crlf, LineEnd::Lf]
        .into_iter()
        .find(|line_end| reader.took(line_end.name()))
        .ok_or(OpenError::Malformed("its source has no line end"))?;
    reader.literal("\"}")?;
    Ok(Source { text, column, line_end })
}

/// The base64 text of a token under `key`, in one line.
///
/// # Errors
/// Those of [`TokenPlaintext::encode`].
pub fn seal_token(key: &EnvironmentKey, token: &TokenPlaintext) -> Result<String> {
    Ok(envelope::to_base64(&envelope::seal(key, &token.encode()?)))
}

/// The content of a token's base64 text. That it stands where it says is the caller's to compare.
pub fn open_token(key: &EnvironmentKey, base64: &str) -> Result<TokenPlaintext, OpenError> {
    let file = envelope::from_base64(base64, LARGEST_FILE)?;
    TokenPlaintext::decode(envelope::open(key, &file)?.expose())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

    use super::{LARGEST_COLUMN, TokenKind, TokenPlaintext, open_token, seal_token};
    use crate::crypto::key::EnvironmentKey;
    use crate::names::{EnvironmentName, Version};
    use crate::secret::Secret;
    use crate::value::{LARGEST_INTEGER, LineEnd, Source, Value};

    fn token(value: Value, source: Option<Source>) -> TokenPlaintext {
        TokenPlaintext {
            kind: TokenKind::Value,
            environment: EnvironmentName::new("prod").unwrap(),
            path: r#"["database","password"]"#.to_owned(),
            version: Version::new("v8e11c07a").unwrap(),
            value,
            source,
        }
    }

    #[test]
    fn the_plaintext_is_what_the_format_says() {
        let source = Source {
            text: Secret::from("'x'"),
            column: 2,
            line_end: LineEnd::Lf,
        };
        let plaintext = token(Value::text("x"), Some(source)).encode().unwrap();
        let text = std::str::from_utf8(&plaintext).unwrap();
        assert_eq!(
            text.trim_end_matches(' '),
            r#"{"type":"value","environment":"prod","path":["database","password"],"version":"v8e11c07a","value":"x","source":{"text":"'x'","column":2,"line_end":"lf"}}"#
        );
        assert_eq!(text.len() % 32, 0);
    }

    #[test]
    fn anything_but_the_canonical_text_is_refused() {
        let good = r#"{"type":"value","environment":"prod","path":["a"],"version":"v8e11c07a","value":"x"}"#;
        let pad = |text: &str| format!("{text:<width$}", width = text.len().next_multiple_of(32)).into_bytes();
        assert!(TokenPlaintext::decode(&pad(good)).is_ok());
        let replaced = |from: &str, to: &str| {
            assert!(good.contains(from), "{from}");
            pad(&good.replace(from, to))
        };
        for bad in [
            good.as_bytes().to_vec(),
            [pad(good), vec![b' '; 32]].concat(),
            pad(&format!("{good}\t")),
            replaced("\"value\",", "\"grant\","),
            replaced("\"value\",", "\"values\","),
            replaced("{\"type", "{ \"type"),
            replaced("prod", "Prod"),
            replaced("prod", "pr\\u006fd"),
            replaced("[\"a\"]", "[\"\\u0061\"]"),
            replaced("[\"a\"]", "\"a\""),
            replaced("v8e11c07a", "v8E11C07A"),
            replaced("\"x\"", "1.5"),
            replaced("\"x\"", "\"x\",\"value\":\"y\""),
            replaced("\"x\"", "\"x\",\"extra\":1"),
            replaced(",\"value\":\"x\"", ""),
            replaced("\"x\"", "\"x\",\"source\":{\"text\":\"x\",\"column\":2}"),
            replaced(
                "\"x\"",
                "\"x\",\"source\":{\"text\":\"x\",\"column\":-1,\"line_end\":\"lf\"}",
            ),
            replaced(
                "\"x\"",
                "\"x\",\"source\":{\"text\":\"x\",\"column\":65537,\"line_end\":\"lf\"}",
            ),
            replaced(
                "\"x\"",
                "\"x\",\"source\":{\"column\":2,\"text\":\"x\",\"line_end\":\"lf\"}",
            ),
            replaced("\"value\",", "\"follows\","),
        ] {
            assert!(
                TokenPlaintext::decode(&bad).is_err(),
                "{}",
                String::from_utf8_lossy(&bad)
            );
        }
    }

    #[test]
    fn a_key_vouches_for_its_successor() {
        let (old, new) = (EnvironmentKey::generate(), EnvironmentKey::generate());
        let vouching = TokenPlaintext::follows(EnvironmentName::new("prod").unwrap(), new.drop_box());
        let opened = open_token(&old, &seal_token(&old, &vouching).unwrap()).unwrap();
        assert_eq!(opened.successor().as_ref(), Some(new.drop_box()));
        assert_eq!(token(Value::text(new.drop_box().as_str()), None).successor(), None);
    }

    #[test]
    fn what_nobody_could_open_is_not_sealed() {
        let huge = token(Value::text(&"x".repeat(16 << 20)), None);
        assert_eq!(huge.encode().unwrap_err().to_string().matches('x').count(), 0);
        let source = Source {
            text: Secret::from("x"),
            column: LARGEST_COLUMN + 1,
            line_end: LineEnd::Lf,
        };
        assert!(token(Value::text("x"), Some(source)).encode().is_err());
        let largest = token(Value::text(&"x".repeat((16 << 20) - 256)), None);
        let key = EnvironmentKey::generate();
        assert_eq!(open_token(&key, &seal_token(&key, &largest).unwrap()).unwrap(), largest);
    }

    fn values() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            (-LARGEST_INTEGER..=LARGEST_INTEGER).prop_map(Value::Integer),
            any::<String>().prop_map(|text| Value::text(&text)),
            proptest::collection::vec(any::<u8>(), 0..80).prop_map(|bytes| Value::Bytes(Secret::new(bytes))),
        ]
    }

    proptest! {
        #[test]
        fn plaintexts_come_back(value in values(), text in proptest::option::of(any::<String>()), column in 0..=LARGEST_COLUMN) {
            let source = text.map(|text| Source { text: Secret::from_text(text), column, line_end: LineEnd::Crlf });
            let token = token(value, source);
            let plaintext = token.encode().unwrap();
            assert_eq!(TokenPlaintext::decode(&plaintext).unwrap(), token);
        }
    }
}
