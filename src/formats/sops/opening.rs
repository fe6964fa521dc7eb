//! The opening of one sops file, value by value in the order of the file: which values are sealed, what they are, and
//! at the end the MAC over all of them. How a file is laid out is left to its reader.

use sha2::{Digest as _, Sha512};

use super::metadata::{Metadata, RESTORE};
use super::scalar::Scalar;
use super::sealed::{DataKey, OPENING, Unopened, is_sealed};
use crate::crypto::identities::Identities;
use crate::error::{Failure, Result};
use crate::secret::Secret;

/// What sops begins with when the MAC covers sealed values only: the SHA-256 of `sops`.
const ONLY_ENCRYPTED: [u8; 32] = [
    0x8a, 0x3f, 0xd2, 0xad, 0x54, 0xce, 0x66, 0x52, 0x7b, 0x10, 0x34, 0xf3, 0xd1, 0x47, 0xbe, 0x0b, 0x0b, 0x97, 0x5b,
    0x3b, 0xf4, 0x4f, 0x72, 0xc6, 0xfd, 0xad, 0xec, 0x81, 0x76, 0xf2, 0x7d, 0x69,
];
/// The longest path, in bytes.
const LONGEST_PATH: usize = 4096;

/// The keys that lead to a value, as sops binds them to it: each with a colon behind it.
#[derive(Clone, Default)]
pub(super) struct KeyPath {
    text: String,
    ends: Vec<usize>,
}

impl KeyPath {
    /// Goes on to the value of `key`.
    pub(super) fn push(&mut self, key: &str) {
        self.text.push_str(key);
        self.text.push(':');
        self.ends.push(self.text.len());
    }

    /// Refuses a path that is too long, of `null` too: each value costs as much as its path is long.
    pub(super) fn check_length(&self) -> Result<(), Fault> {
        if self.text.len() > LONGEST_PATH {
            Err(Fault::TooDeep)
        } else {
            Ok(())
        }
    }

    /// Goes back to the mapping.
    pub(super) fn pop(&mut self) {
        self.ends.pop();
        self.text.truncate(self.ends.last().copied().unwrap_or(0));
    }

    fn keys(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.text[start..end - 1])
    }

    /// The additional data: for the root a lone colon.
    pub(super) fn bound(&self) -> &str {
        if self.text.is_empty() { ":" } else { &self.text }
    }

    /// The additional data of this path and of all above it, the nearest first.
    pub(super) fn all_bound(&self) -> impl Iterator<Item = &str> {
        let above = self.ends.iter().rev().map(|end| &self.text[..*end]);
        above.chain(std::iter::once(":"))
    }
}

/// Why a value is refused; completes a line that names file and place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It should be sealed, and is not.
    Readable,
    /// It was altered or moved.
    Altered,
    /// Its type is unknown, or not that of its content.
    Unfit,
    /// Its path is too long.
    TooDeep,
}

impl Fault {
    /// The failure at a place of a file: `place` is such as `line 3`.
    pub(super) fn at(self, name: &str, place: &str) -> Failure {
        match self {
            Self::Readable => Failure::integrity(format!("`{name}` {place}: a value that sops seals stands readable")),
            Self::Altered => Failure::integrity(format!(
                "`{name}` {place}: a value that was altered, or moved from another place"
            )),
            Self::Unfit => Failure::integrity(format!("`{name}` {place}: a value that is not of the type it claims")),
            Self::TooDeep => {
                return Failure::failed(format!("`{name}` {place}: a path of more than {LONGEST_PATH} bytes"));
            }
        }
        .hint(RESTORE)
    }
}

/// A file that is being opened.
pub(super) struct Opening {
    metadata: Metadata,
    key: DataKey,
    mac: Sha512,
}

impl Opening {
    /// Opens the data key.
    ///
    /// # Errors
    /// See [`Metadata::data_key`].
    pub(super) fn begin(metadata: Metadata, identities: &mut Identities, name: &str) -> Result<Self> {
        let key = metadata.data_key(identities, name)?;
        let key = DataKey::new(&key).ok_or_else(|| {
            let message = format!("`{name}` has a data key that is not 32 bytes long");
            Failure::integrity(message).hint(RESTORE)
        })?;
        let mut mac = Sha512::new();
        if metadata.mac_only_encrypted {
            mac.update(ONLY_ENCRYPTED);
        }
        Ok(Self { metadata, key, mac })
    }

    /// The next value of the file, which is not `null`: what it seals, or nothing if it stands readable. `text` is its
    /// text if it is a string, `readable` what the MAC covers of it if it is not sealed.
    pub(super) fn value(
        &mut self,
        path: &KeyPath,
        text: Option<&str>,
        readable: impl FnOnce() -> Secret,
    ) -> Result<Option<Scalar>, Fault> {
        path.check_length()?;
        let by_rule = self.metadata.selection.encrypts(path.keys());
        let is_encrypted = by_rule.unwrap_or_else(|| text.is_some_and(is_sealed));
        let opened = match text {
            _ if !is_encrypted => None,
            // Empty text is never sealed, and adds nothing to the MAC.
            Some("") => return Ok(None),
            Some(text) => Some(self.open(text, path.bound())?),
            None => return Err(Fault::Readable),
        };
        match &opened {
            Some(scalar) => self.mac.update(scalar.mac_bytes().expose()),
            None if !self.metadata.mac_only_encrypted => self.mac.update(readable().expose()),
            None => {}
        }
        Ok(opened)
    }

    fn open(&self, text: &str, bound: &str) -> Result<Scalar, Fault> {
        let (kind, content) = self.key.open(text, bound).map_err(|reason| match reason {
            Unopened::Malformed if !text.starts_with(OPENING) => Fault::Readable,
            Unopened::Malformed | Unopened::Altered => Fault::Altered,
        })?;
        Scalar::new(kind, content).ok_or(Fault::Unfit)
    }

    /// The comment that `text`, without its `#`, seals under one of these paths; nothing if it does not open there.
    pub(super) fn comment<'b>(&self, text: &str, mut bounds: impl Iterator<Item = &'b str>) -> Option<Secret> {
        bounds.find_map(|bound| match self.open(text, bound) {
            Ok(Scalar::Comment(content)) => Some(content),
            _ => None,
        })
    }

    /// Compares the MAC, when all values were seen.
    ///
    /// # Errors
    /// Exit 5 if values were added, removed, altered or put in another order.
    pub(super) fn finish(self, name: &str) -> Result<()> {
        let computed: String = self.mac.finalize().iter().map(|byte| format!("{byte:02X}")).collect();
        let noted = self.key.open(&self.metadata.mac, &self.metadata.last_modified);
        if noted.is_ok_and(|(_, noted)| noted == Secret::from(computed.as_str())) {
            return Ok(());
        }
        let message = format!("`{name}` was changed by something else than sops: its MAC does not fit its values");
        Err(Failure::integrity(message)
            .hint(RESTORE)
            .hint(format!(
                "or look at every value and save it: `sops edit --ignore-mac {name}`"
            ))
            .into())
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, KeyPath};

    #[test]
    fn a_path_binds_each_key_with_a_colon() {
        let mut path = KeyPath::default();
        assert_eq!((path.bound(), path.keys().count()), (":", 0));
        path.push("a");
        path.push("b:c");
        assert_eq!((path.bound(), path.check_length()), ("a:b:c:", Ok(())));
        path.push(&"x".repeat(4096));
        assert_eq!(path.check_length(), Err(Fault::TooDeep));
        path.pop();
        assert_eq!(path.keys().collect::<Vec<_>>(), ["a", "b:c"]);
        assert_eq!(path.all_bound().collect::<Vec<_>>(), ["a:b:c:", "a:", ":"]);
        path.pop();
        assert_eq!(path.bound(), "a:");
        path.pop();
        assert_eq!(path.bound(), ":");
    }
}
