//! Where a value stands: the keys and list indices from the root of the file to it.

use std::fmt;

use crate::value::json_string;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// The key of a mapping, unescaped, compared by bytes.
    Key(String),
    /// The index in a list, from 0.
    Index(usize),
}

/// A place in an environment file.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValuePath(Vec<Segment>);

impl ValuePath {
    /// A path of these steps; no step is the root.
    pub fn new(segments: Vec<Segment>) -> Self {
        Self(segments)
    }

    /// A path of keys only.
    pub fn of_keys<I: IntoIterator<Item = S>, S: Into<String>>(keys: I) -> Self {
        Self(keys.into_iter().map(|key| Segment::Key(key.into())).collect())
    }

    /// The steps from the root.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// This path and one step more.
    #[must_use]
    pub fn child(&self, segment: Segment) -> Self {
        let mut segments = self.0.clone();
        segments.push(segment);
        Self(segments)
    }

    /// The canonical JSON array that tokens carry (FORMAT, Plaintexts): strings for keys, integers for items.
    pub fn to_json(&self) -> String {
        let mut json = String::from("[");
        for (position, segment) in self.0.iter().enumerate() {
            if position > 0 {
                json.push(',');
            }
            match segment {
                Segment::Key(key) => json.push_str(&json_string(key)),
                Segment::Index(index) => json.push_str(&index.to_string()),
            }
        }
        json.push(']');
        json
    }
}

impl fmt::Display for ValuePath {
    /// The form a person types: segments joined by dots, quoted as JSON strings where that is needed.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            if position > 0 {
                formatter.write_str(".")?;
            }
            match segment {
                Segment::Key(key) if is_bare(key) => formatter.write_str(key)?,
                Segment::Key(key) => formatter.write_str(&json_string(key))?,
                Segment::Index(index) => write!(formatter, "{index}")?,
            }
        }
        Ok(())
    }
}

/// Whether a key can be printed without quotes: `[A-Za-z0-9_-]+`, and not all digits.
fn is_bare(key: &str) -> bool {
    !key.is_empty()
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
        && !key.bytes().all(|byte| byte.is_ascii_digit())
}
