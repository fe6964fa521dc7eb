//! Where a value stands: the keys and list indices from the root of the file to it.

use std::collections::BTreeSet;
use std::fmt;

use super::tree::Trail;
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

impl ValuePath {
    /// Reads the canonical JSON array back; `None` if `json` is not exactly what [`ValuePath::to_json`] writes.
    pub fn from_json(json: &str) -> Option<Self> {
        let parts: Vec<serde_json::Value> = serde_json::from_str(json).ok()?;
        let segment = |part| match part {
            serde_json::Value::String(key) => Some(Segment::Key(key)),
            serde_json::Value::Number(index) => Some(Segment::Index(usize::try_from(index.as_u64()?).ok()?)),
            _ => None,
        };
        let path = Self(parts.into_iter().map(segment).collect::<Option<_>>()?);
        (path.to_json() == json).then_some(path)
    }

    /// The segments joined by dots, without quotes: what a person types who knows of no clash.
    pub fn joined(&self) -> String {
        let text = |segment: &Segment| match segment {
            Segment::Key(key) => key.clone(),
            Segment::Index(index) => index.to_string(),
        };
        self.0.iter().map(text).collect::<Vec<_>>().join(".")
    }

    /// The form that means this path and no other: every key quoted.
    pub fn quoted(&self) -> String {
        let text = |segment: &Segment| match segment {
            Segment::Key(key) => json_string(key).to_string(),
            Segment::Index(index) => index.to_string(),
        };
        self.0.iter().map(text).collect::<Vec<_>>().join(".")
    }

    /// The name of the variable that carries the value, unless the policy declares another: segments joined by `_`, ASCII
    /// upper case, every other character `_`, a leading digit behind `_`.
    pub fn variable_name(&self) -> String {
        let mut name: String = self
            .joined()
            .chars()
            .map(|character| {
                if character.is_ascii_alphanumeric() {
                    character.to_ascii_uppercase()
                } else {
                    '_'
                }
            })
            .collect();
        if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) {
            name.insert(0, '_');
        }
        name
    }

    /// Splits what a person typed at every dot outside quotes; a quoted segment is a JSON string, bare digits are an index.
    pub fn parse(text: &str) -> Option<Self> {
        let mut segments = Vec::new();
        let mut rest = text;
        loop {
            let (segment, behind) = if rest.starts_with('"') {
                let length = quoted_length(rest)?;
                (
                    Segment::Key(serde_json::from_str(&rest[..length]).ok()?),
                    &rest[length..],
                )
            } else {
                let length = rest.find('.').unwrap_or(rest.len());
                let bare = &rest[..length];
                if bare.is_empty() || bare.contains(['"', '\n', '\r']) {
                    return None;
                }
                let is_index =
                    bare.bytes().all(|byte| byte.is_ascii_digit()) && (bare == "0" || !bare.starts_with('0'));
                let index = if is_index { bare.parse().ok() } else { None };
                (
                    index.map_or_else(|| Segment::Key(bare.to_owned()), Segment::Index),
                    &rest[length..],
                )
            };
            segments.push(segment);
            match behind.strip_prefix('.') {
                Some(next) => rest = next,
                None if behind.is_empty() => return Some(Self(segments)),
                None => return None,
            }
        }
    }
}

/// Length of the JSON string that `text` begins with.
fn quoted_length(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (offset, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            b'"' if !escaped => return Some(offset + 1),
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    None
}

/// What a person's PATH turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// A path that exists or is declared.
    Known(ValuePath),
    /// A path that does not exist yet.
    New(ValuePath),
    /// Several paths fit; a person has to say which.
    Ambiguous(Vec<ValuePath>),
    /// The text is no path: a quote or a segment is missing.
    Malformed,
}

/// Reads a PATH (DESIGN 4): a known path written without or with quotes, else the known path with this variable name,
/// else a new path. Show it every existing or declared path, then ask for the result.
pub struct Search<'t> {
    text: &'t str,
    parsed: Option<ValuePath>,
    is_variable: bool,
    exact: BTreeSet<ValuePath>,
    by_variable: BTreeSet<ValuePath>,
}

impl<'t> Search<'t> {
    /// A search for what a person typed.
    pub fn new(text: &'t str) -> Self {
        let is_variable = text.starts_with(|first: char| first.is_ascii_uppercase() || first == '_')
            && text
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
        Self {
            text,
            parsed: ValuePath::parse(text),
            is_variable,
            exact: BTreeSet::new(),
            by_variable: BTreeSet::new(),
        }
    }

    /// Considers the path of an existing value, without making one unless it may be meant.
    pub fn consider_trail(&mut self, trail: Trail<'_>, variable: impl FnOnce(&ValuePath) -> String) {
        if self.is_variable || self.text.contains('"') || trail.is_joined(self.text) {
            self.consider(&trail.to_path(), variable);
        }
    }

    /// Considers a known path; `variable` gives the name of its variable.
    pub fn consider(&mut self, path: &ValuePath, variable: impl FnOnce(&ValuePath) -> String) {
        if path.joined() == self.text {
            self.exact.insert(path.clone());
        } else if self.is_variable && variable(path) == self.text {
            self.by_variable.insert(path.clone());
        } else if self.text.contains('"') && self.parsed.as_ref() == Some(path) {
            // Written in full, with quotes: this one and no other.
            self.exact.insert(path.clone());
        }
    }

    /// What the text means.
    pub fn result(self) -> Resolved {
        let fitting = if self.exact.is_empty() {
            self.by_variable
        } else {
            self.exact
        };
        let fitting: Vec<_> = fitting.into_iter().collect();
        match (fitting.as_slice(), self.parsed) {
            ([path], _) => Resolved::Known(path.clone()),
            ([], Some(path)) => Resolved::New(path),
            ([], None) => Resolved::Malformed,
            _ => Resolved::Ambiguous(fitting),
        }
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

#[cfg(test)]
mod tests {
    use super::{Resolved, Search, Segment, ValuePath};

    fn keys(keys: &[&str]) -> ValuePath {
        ValuePath::of_keys(keys.iter().copied())
    }

    #[test]
    fn printed_paths_are_read_back() {
        let paths = [
            keys(&["a", "b-c"]),
            keys(&["a.b", "c"]),
            keys(&["404", "x y", "\"", "é"]),
            ValuePath::new(vec![Segment::Key("hosts".into()), Segment::Index(12)]),
        ];
        for path in paths {
            assert_eq!(ValuePath::parse(&path.to_string()), Some(path.clone()), "{path}");
            assert_eq!(ValuePath::from_json(&path.to_json()), Some(path));
        }
        for bad in ["", "a..b", ".a", "a.", "\"a", "\"a\"b", "a\"b"] {
            assert_eq!(ValuePath::parse(bad), None, "{bad}");
        }
        for bad in ["[\"a\", \"b\"]", "[-1]", "[1.0]", "[null]", "\"a\""] {
            assert_eq!(ValuePath::from_json(bad), None, "{bad}");
        }
    }

    #[test]
    fn variable_names_are_upper_case_segments() {
        assert_eq!(keys(&["stripe", "api-key"]).variable_name(), "STRIPE_API_KEY");
        assert_eq!(keys(&["2fa", "é"]).variable_name(), "_2FA__");
    }

    #[test]
    fn a_path_is_what_exists_before_it_is_something_new() {
        let (dotted, nested, upper) = (keys(&["a.b"]), keys(&["a", "b"]), keys(&["stripe", "key"]));
        let known = [&dotted, &nested, &upper];
        let read = |text: &str, known: &[&ValuePath]| {
            let mut search = Search::new(text);
            for path in known {
                search.consider(path, ValuePath::variable_name);
            }
            search.result()
        };
        assert_eq!(
            read("a.b", &known),
            Resolved::Ambiguous(vec![nested.clone(), dotted.clone()])
        );
        assert_eq!(read("\"a.b\"", &known), Resolved::Known(dotted.clone()));
        assert_eq!(read("a.b", &[&dotted]), Resolved::Known(dotted.clone()));
        assert_eq!(read("STRIPE_KEY", &known), Resolved::Known(upper.clone()));
        assert_eq!(
            read("A_B", &known),
            Resolved::Ambiguous(vec![nested.clone(), dotted.clone()])
        );
        assert_eq!(read("SENDGRID_KEY", &known), Resolved::New(keys(&["SENDGRID_KEY"])));
        assert_eq!(read("x.\"y.z\"", &known), Resolved::New(keys(&["x", "y.z"])));
        assert_eq!(read("x..y", &known), Resolved::Malformed);
    }
}
