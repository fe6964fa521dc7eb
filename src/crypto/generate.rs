//! Makes values: `password:32`, `hex:32`, `base64:32`, `uuid`, `passphrase:6`. The number counts characters
//! of a password, random bytes of `hex` and `base64`, and words of a passphrase.

use std::fmt;
use std::ops::RangeInclusive;

use age::cli_common::Passphrase;
use age::secrecy::ExposeSecret as _;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rand::rngs::OsRng;
use rand::{Rng as _, RngCore as _};
use zeroize::Zeroizing;

use crate::names::did_you_mean;
use crate::secret::Secret;

/// Characters of passwords: no quotes, `$`, backslash or blanks, and none that needs escaping in URLs,
/// shells or YAML. 66 characters, 6 bits each.
const PASSWORD_CHARACTERS: &[u8; 66] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";

const NAMES: [&str; 5] = ["password", "hex", "base64", "uuid", "passphrase"];

/// How a value is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generator {
    /// This many characters; the first one is a letter or digit.
    Password(usize),
    /// This many random bytes, as lower-case hex digits.
    Hex(usize),
    /// This many random bytes, as standard base64 with padding.
    Base64(usize),
    /// A random UUID (RFC 9562, version 4).
    Uuid,
    /// This many words of the BIP39 English list, joined by `-`; 11 bits each.
    Passphrase(usize),
}

impl Generator {
    /// One of each kind, for hints.
    pub const EXAMPLES: &str = "`password:32`, `hex:32`, `base64:32`, `uuid` or `passphrase:6`";

    /// Reads a name and, after `:`, a number; without one, 32, or 6 words.
    ///
    /// # Errors
    /// Why the text is no generator, as the end of an error line; [`Generator::EXAMPLES`] is the hint.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, number) = match text.split_once(':') {
            Some((name, number)) => (name, Some(number)),
            None => (text, None),
        };
        match name {
            "password" => bounded(number, 32, 8..=1024, "characters").map(Self::Password),
            "hex" => bounded(number, 32, 8..=1024, "bytes").map(Self::Hex),
            "base64" => bounded(number, 32, 8..=1024, "bytes").map(Self::Base64),
            "passphrase" => bounded(number, 6, 4..=64, "words").map(Self::Passphrase),
            "uuid" if number.is_none() => Ok(Self::Uuid),
            "uuid" => Err("is no generator: `uuid` takes no number".into()),
            _ => Err(match did_you_mean(name, NAMES) {
                Some(near) => format!("is no generator: did you mean `{near}`?"),
                None => "is no generator".into(),
            }),
        }
    }

    /// A new value from the system's random numbers.
    pub fn generate(self) -> Secret {
        match self {
            Self::Password(characters) => password(characters),
            Self::Hex(count) => {
                let mut text = String::with_capacity(2 * count);
                push_hex(&random_bytes(count), &mut text);
                Secret::from_text(text)
            }
            Self::Base64(count) => Secret::from_text(BASE64_STANDARD.encode(&*random_bytes(count))),
            Self::Uuid => uuid(),
            Self::Passphrase(words) => passphrase(words),
        }
    }
}

impl fmt::Display for Generator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password(number) => write!(formatter, "password:{number}"),
            Self::Hex(number) => write!(formatter, "hex:{number}"),
            Self::Base64(number) => write!(formatter, "base64:{number}"),
            Self::Uuid => formatter.write_str("uuid"),
            Self::Passphrase(number) => write!(formatter, "passphrase:{number}"),
        }
    }
}

fn bounded(number: Option<&str>, default: usize, bounds: RangeInclusive<usize>, unit: &str) -> Result<usize, String> {
    let Some(text) = number else {
        return Ok(default);
    };
    let possible = format!("{} to {} are possible", bounds.start(), bounds.end());
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("has no number of {unit} behind the `:`; {possible}"));
    }
    let number = text.parse().ok().filter(|number| bounds.contains(number));
    number.ok_or_else(|| format!("asks for a wrong number of {unit}; {possible}"))
}

fn random_bytes(count: usize) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(vec![0; count]);
    OsRng.fill_bytes(&mut bytes);
    bytes
}

fn push_hex(bytes: &[u8], text: &mut String) {
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
        }
    }
}

fn password(characters: usize) -> Secret {
    let mut text = Vec::with_capacity(characters);
    for position in 0..characters {
        // Not `-` in front, where programs would read an option; `gen_range` chooses without bias.
        let choices = if position == 0 { 62 } else { PASSWORD_CHARACTERS.len() };
        text.push(PASSWORD_CHARACTERS[OsRng.gen_range(0..choices)]);
    }
    Secret::new(text)
}

fn uuid() -> Secret {
    let mut bytes = random_bytes(16);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut text = String::with_capacity(36);
    for (part, range) in [0..4, 4..6, 6..8, 8..10, 10..16].into_iter().enumerate() {
        if part > 0 {
            text.push('-');
        }
        push_hex(&bytes[range], &mut text);
    }
    Secret::from_text(text)
}

fn passphrase(words: usize) -> Secret {
    // The longest word has 8 letters.
    let mut text = String::with_capacity(9 * words);
    let mut missing = words;
    while missing > 0 {
        let (Passphrase::Generated(random) | Passphrase::Typed(random)) = Passphrase::random(OsRng);
        for word in random.expose_secret().split('-').take(missing) {
            if !text.is_empty() {
                text.push('-');
            }
            text.push_str(word);
            missing -= 1;
        }
    }
    Secret::from_text(text)
}

#[cfg(test)]
mod tests {
    use super::{Generator, PASSWORD_CHARACTERS};

    fn generated(text: &str) -> String {
        let secret = Generator::parse(text).unwrap().generate();
        assert_ne!(secret, Generator::parse(text).unwrap().generate());
        secret.expose_text().unwrap().to_owned()
    }

    #[test]
    fn values_have_the_shape_that_was_asked_for() {
        let password = generated("password:200");
        assert_eq!(password.len(), 200);
        assert!(password.bytes().all(|byte| PASSWORD_CHARACTERS.contains(&byte)));
        assert_eq!(generated("password").len(), 32);
        assert_eq!(generated("hex:32").len(), 64);
        assert_eq!(generated("base64:32").len(), 44);
        for words in [4, 6, 10, 11, 64] {
            assert_eq!(generated(&format!("passphrase:{words}")).split('-').count(), words);
        }
        let uuid = generated("uuid");
        assert_eq!((uuid.len(), &uuid[14..15]), (36, "4"));
        assert!(matches!(&uuid[19..20], "8" | "9" | "a" | "b"));
    }

    #[test]
    fn the_first_character_is_never_an_option_and_all_are_used() {
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..300 {
            let password = generated("password:40");
            assert!(password.as_bytes()[0].is_ascii_alphanumeric());
            seen.extend(password.bytes());
        }
        assert_eq!(seen.len(), PASSWORD_CHARACTERS.len());
    }

    #[test]
    fn other_texts_are_refused_with_a_way_out() {
        for (text, reason) in [
            ("pasword:32", "did you mean `password`?"),
            ("uuid:4", "takes no number"),
            ("password:7", "8 to 1024"),
            ("password:1025", "8 to 1024"),
            ("password:+32", "no number of characters behind the `:`; 8 to 1024"),
            ("password:", "no number"),
            ("hex:many", "no number of bytes"),
            ("passphrase:3", "wrong number of words; 4 to 64"),
            ("hex:99999999999999999999999", "wrong number of bytes; 8 to 1024"),
            ("nothing", "is no generator"),
        ] {
            assert!(Generator::parse(text).unwrap_err().contains(reason), "{text}");
        }
        for text in ["password:32", "hex:16", "base64:8", "uuid", "passphrase:6"] {
            assert_eq!(Generator::parse(text).unwrap().to_string(), text);
        }
    }
}
