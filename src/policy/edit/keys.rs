//! Public keys as people hand them over: a list of age recipients, an SSH `.pub` file, a forge's `NAME.keys`, the file
//! of an identity. A private key is never taken and never repeated.

use crate::crypto::public_key::PublicKey;
use crate::secret::Secret;

/// The most keys that are taken from one text.
pub const MOST_KEYS: usize = 100;

/// The longest comment of an SSH key that is kept.
const LONGEST_COMMENT: usize = 64;

/// How the line of an identity's file begins that names its public key.
const PUBLIC_LINE: &str = "# public key:";

/// What only private keys have in them.
const PRIVATE: [&str; 3] = ["AGE-SECRET-KEY", "AGE-PLUGIN-", "PRIVATE KEY"];

/// What can sign, or could once, and cannot decrypt.
const SIGNING_ONLY: [&str; 3] = ["ecdsa-", "sk-", "ssh-dss"];

/// A public key, and the text that stands for it in a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedKey {
    /// The key.
    pub key: PublicKey,
    /// Its canonical text, and the comment of an SSH key if that is plain.
    pub text: String,
}

impl NamedKey {
    /// Reads one key.
    ///
    /// # Errors
    /// Why the text is none, as the end of an error line. It never repeats the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let key = PublicKey::parse(text)?;
        let canonical = key.canonical();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"@._-".contains(&byte);
        let comment = text.split_ascii_whitespace().nth(2).filter(|comment| {
            canonical.starts_with("ssh-") && comment.len() <= LONGEST_COMMENT && comment.bytes().all(is_plain)
        });
        let text = comment.map_or_else(|| canonical.to_owned(), |comment| format!("{canonical} {comment}"));
        Ok(Self { key, text })
    }
}

/// The keys of a text.
#[derive(Clone, Debug, Default)]
pub struct KeyList {
    /// The keys, each once.
    pub keys: Vec<NamedKey>,
    /// For each key that cannot decrypt: why, as the end of a line.
    pub left_out: Vec<String>,
    /// Whether the text holds a private key too, of which the public half was taken.
    pub beside_private: bool,
}

/// Reads the keys of a text, one a line; comments and empty lines are skipped.
///
/// # Errors
/// Why there is none to take, as the end of an error line. It never repeats a part of the text.
pub fn read_keys(text: &Secret) -> Result<KeyList, String> {
    let Some(text) = text.expose_text() else {
        return Err("is no text of public keys".to_owned());
    };
    let mut list = KeyList {
        beside_private: holds_private(text),
        ..KeyList::default()
    };
    if !list.beside_private {
        read_lines(text, &mut list)?;
    }
    if list.keys.is_empty() && list.left_out.is_empty() {
        for line in text.lines().filter_map(|line| line.trim().strip_prefix(PUBLIC_LINE)) {
            let key = NamedKey::parse(line).map_err(|reason| format!("has a `{PUBLIC_LINE}` line that {reason}"))?;
            push(&mut list, key)?;
        }
    }
    match list.keys.is_empty() {
        true if list.beside_private => Err(format!(
            "holds a private key and no `{PUBLIC_LINE}` line; a private key never goes into a policy"
        )),
        true if text.contains("BEGIN AGE ENCRYPTED FILE") => {
            Err("is an encrypted identity; its public key stands in the `.pub` file beside it".to_owned())
        }
        true if list.left_out.is_empty() => Err("holds no public key".to_owned()),
        true => Err(format!("holds no key that can decrypt: {}", list.left_out.join("; "))),
        false => Ok(list),
    }
}

fn holds_private(text: &str) -> bool {
    let mut lines = text.lines();
    lines.any(|line| {
        let upper = line.to_ascii_uppercase();
        PRIVATE.iter().any(|mark| upper.contains(mark))
    })
}

fn read_lines(text: &str, list: &mut KeyList) -> Result<(), String> {
    if text.contains("BEGIN AGE ENCRYPTED FILE") {
        return Ok(());
    }
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match NamedKey::parse(line) {
            Ok(key) => push(list, key)?,
            Err(reason) if is_ssh(line) => {
                let kind = line.split_ascii_whitespace().next().unwrap_or_default();
                refuse_too_many(list.left_out.len())?;
                list.left_out
                    .push(format!("the {kind} key in line {} {reason}", number + 1));
            }
            Err(reason) => return Err(format!("has a line {} that {reason}", number + 1)),
        }
    }
    Ok(())
}

/// Whether the line is an SSH key of a kind that exists, which alone may be repeated in a message.
fn is_ssh(line: &str) -> bool {
    let kind = line.split_ascii_whitespace().next().unwrap_or_default();
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-@.".contains(&byte);
    let signs = SIGNING_ONLY.iter().any(|prefix| kind.starts_with(prefix));
    kind.len() <= 40 && kind.bytes().all(is_word) && (signs || kind == "ssh-rsa")
}

fn push(list: &mut KeyList, key: NamedKey) -> Result<(), String> {
    refuse_too_many(list.keys.len())?;
    if list.keys.iter().all(|known| known.key != key.key) {
        list.keys.push(key);
    }
    Ok(())
}

fn refuse_too_many(known: usize) -> Result<(), String> {
    match known < MOST_KEYS {
        true => Ok(()),
        false => Err(format!("holds more than {MOST_KEYS} keys")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};

    use super::{NamedKey, read_keys};
    use crate::policy::tests::{KEY, KEY2, SSH};
    use crate::secret::Secret;

    fn read(text: &str) -> Result<(Vec<String>, usize, bool), String> {
        let list = read_keys(&Secret::from(text))?;
        let keys = list.keys.into_iter().map(|key| key.text).collect();
        Ok((keys, list.left_out.len(), list.beside_private))
    }

    #[test]
    fn keys_come_in_many_clothes() {
        let only = |key: &str| Ok((vec![key.to_owned()], 0, false));
        assert_eq!(read(&format!("{KEY}\n")), only(KEY));
        assert_eq!(read(&format!("# alice\r\n\r\n{KEY}\r\n{KEY}\r\n")), only(KEY));
        assert_eq!(read(&format!("{SSH} carol@home\n")), only(&format!("{SSH} carol@home")));
        assert_eq!(
            read(&format!("{SSH} evil: [x] #\n")),
            only(SSH),
            "no comment that YAML could take for more"
        );
        assert_eq!(
            read(&format!("# public key: {KEY}\n")),
            only(KEY),
            "what lies beside an encrypted identity"
        );
        let identity = format!("# created: x\n# public key: {KEY}\nAGE-SECRET-KEY-1CANARY\n");
        assert_eq!(read(&identity), Ok((vec![KEY.to_owned()], 0, true)));
        let forge = format!(
            "{SSH}\nssh-rsa AAAAB3NzaC1yc2E=\necdsa-sha2-nistp256 AAAA\nsk-ssh-ed25519@openssh.com AAAA\n{KEY2}\n"
        );
        assert_eq!(read(&forge), Ok((vec![SSH.to_owned(), KEY2.to_owned()], 3, false)));
    }

    #[test]
    fn what_holds_no_key_is_refused_and_never_repeated() {
        for (text, reason) in [
            ("", "holds no public key"),
            ("# nothing\n", "holds no public key"),
            ("canary canary", "line 1 that is no public key"),
            ("AGE-SECRET-KEY-1CANARY", "holds a private key and no"),
            ("age-plugin-yubikey-1canary", "holds a private key and no"),
            (
                "-----BEGIN OPENSSH PRIVATE KEY-----\ncanary\n",
                "holds a private key and no",
            ),
            (
                "-----BEGIN AGE ENCRYPTED FILE-----\ncanary\n",
                "is an encrypted identity",
            ),
            (
                "ecdsa-sha2-nistp256 canary",
                "holds no key that can decrypt: the ecdsa-sha2-nistp256 key in line 1",
            ),
            ("\u{1b}[2Jcanary", "line 1 that is no public key"),
            ("sk-\u{1b}canary AAAA", "line 1 that"),
            ("# public key: canary", "line that is no public key"),
        ] {
            let refusal = read(text).unwrap_err();
            assert!(refusal.contains(reason), "{text:?}: {refusal}");
            assert!(!refusal.to_lowercase().contains("canary"), "{refusal}");
        }
        assert!(read_keys(&Secret::new(vec![0xff, 0xfe])).is_err());
    }

    #[test]
    fn a_list_has_an_end() {
        let many: String = (0..200).map(|_| "ecdsa-sha2-nistp256 AAAA\n").collect();
        assert_eq!(read(&many), Err("holds more than 100 keys".to_owned()));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in any::<String>()) {
            let _ = read(&text);
            if let Ok(key) = NamedKey::parse(&format!("{SSH} {text}")) {
                prop_assert!(key.text.starts_with(SSH));
                let deceives = key.text.contains(['\n', '#', ':', '\u{1b}']);
                prop_assert!(!deceives);
            }
        }
    }
}
