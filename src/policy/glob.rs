//! Patterns over places: `*` is one segment or any characters inside one, `**` any number of segments, also
//! none. One matcher serves the dotted form (`database."a.b".*`) and the form with slashes (`docs/**`).

use std::borrow::Cow;
use std::fmt;

use crate::document::path::{Segment, ValuePath};

/// A pattern over the paths of values: segments with dots between them, JSON strings where a segment is
/// quoted. A quoted segment has no wildcards and is never a list index.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Glob {
    text: String,
    steps: Vec<Step>,
}

/// A pattern over names and file paths: segments with slashes between them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlashGlob {
    text: String,
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Step {
    /// `**`
    Many,
    /// A segment in quotes: these characters, and a key.
    Quoted(String),
    /// Any other segment; each `*` stands for any characters.
    Bare(String),
}

impl Glob {
    /// Reads a pattern; the reason is the end of an error line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut steps = Vec::new();
        let mut rest = text;
        loop {
            let (step, behind) = dotted_step(rest)?;
            steps.push(step);
            match behind.strip_prefix('.') {
                Some(next) => rest = next,
                None if behind.is_empty() => break,
                None => return Err("a quoted segment ends before a dot".to_owned()),
            }
        }
        let text = text.to_owned();
        Ok(Self { text, steps })
    }

    /// Whether the value at `path` is meant.
    pub fn matches(&self, path: &ValuePath) -> bool {
        let segments: Vec<(Cow<'_, str>, bool)> = path
            .segments()
            .iter()
            .map(|segment| match segment {
                Segment::Key(key) => (Cow::Borrowed(key.as_str()), true),
                Segment::Index(index) => (Cow::Owned(index.to_string()), false),
            })
            .collect();
        steps_match(&self.steps, &segments, |step, (text, is_key)| match step {
            Step::Quoted(literal) => *is_key && literal == text,
            other => step_fits(other, text),
        })
    }

    /// The one path that is meant, if there are no wildcards. Digits without quotes are a list index.
    pub fn literal(&self) -> Option<ValuePath> {
        let segments = self.steps.iter().map(|step| match step {
            Step::Quoted(key) => Some(Segment::Key(key.clone())),
            Step::Bare(text) if text.contains('*') => None,
            Step::Bare(text) => Some(bare_segment(text)),
            Step::Many => None,
        });
        segments.collect::<Option<Vec<_>>>().map(ValuePath::new)
    }

    /// The pattern as it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl SlashGlob {
    /// Reads a pattern; the reason is the end of an error line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let steps = text.split('/').map(bare_step).collect::<Result<_, _>>()?;
        let text = text.to_owned();
        Ok(Self { text, steps })
    }

    /// Whether `text`, a name or a relative file path with slashes, is meant.
    pub fn matches(&self, text: &str) -> bool {
        let segments: Vec<&str> = text.split('/').collect();
        steps_match(&self.steps, &segments, |step, segment| step_fits(step, segment))
    }

    /// Whether there is a wildcard in it.
    pub fn is_wild(&self) -> bool {
        self.text.contains('*')
    }

    /// The pattern as it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// The first segment of a dotted pattern, and what stands behind it.
fn dotted_step(text: &str) -> Result<(Step, &str), String> {
    if text.starts_with('"') {
        let end = closing_quote(text).ok_or("a quoted segment has no end")?;
        let key = serde_json::from_str(&text[..end]).map_err(|_| "a quoted segment is no JSON string")?;
        return Ok((Step::Quoted(key), &text[end..]));
    }
    let end = text.find('.').unwrap_or(text.len());
    Ok((bare_step(&text[..end])?, &text[end..]))
}

/// The byte behind the quote that ends the JSON string at the start of `text`.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (position, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            b'"' if !escaped => return Some(position + 1),
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    None
}

fn bare_step(text: &str) -> Result<Step, String> {
    match text {
        "**" => Ok(Step::Many),
        "" => Err("a segment is empty".to_owned()),
        _ if text.contains("**") => Err("`**` stands alone between separators".to_owned()),
        _ if text.contains('"') => Err("a quote stands inside a segment".to_owned()),
        _ => Ok(Step::Bare(text.to_owned())),
    }
}

fn bare_segment(text: &str) -> Segment {
    match text.parse() {
        Ok(index) if text.bytes().all(|byte| byte.is_ascii_digit()) => Segment::Index(index),
        _ => Segment::Key(text.to_owned()),
    }
}

fn step_fits(step: &Step, text: &str) -> bool {
    match step {
        Step::Many => true,
        Step::Quoted(literal) => literal == text,
        Step::Bare(pattern) => pieces_match(
            pattern.as_bytes(),
            text.as_bytes(),
            |piece| *piece == b'*',
            |piece, byte| piece == byte,
        ),
    }
}

fn steps_match<S>(steps: &[Step], segments: &[S], fits: impl Fn(&Step, &S) -> bool) -> bool {
    pieces_match(steps, segments, |step| *step == Step::Many, fits)
}

/// Matches pieces, some of which stand for any number of items. Only the last such piece is ever tried
/// again, so the work is at most pieces × items.
fn pieces_match<P, I>(pieces: &[P], items: &[I], is_many: impl Fn(&P) -> bool, fits: impl Fn(&P, &I) -> bool) -> bool {
    let (mut piece, mut item) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while item < items.len() {
        match pieces.get(piece) {
            Some(many) if is_many(many) => {
                retry = Some((piece, item));
                piece += 1;
            }
            Some(one) if fits(one, &items[item]) => {
                piece += 1;
                item += 1;
            }
            _ => {
                let Some((many, taken)) = retry else { return false };
                retry = Some((many, taken + 1));
                (piece, item) = (many + 1, taken + 1);
            }
        }
    }
    pieces[piece..].iter().all(is_many)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert_eq, proptest};

    use super::{Glob, SlashGlob};
    use crate::document::path::{Segment, ValuePath};

    fn path(keys: &[&str]) -> ValuePath {
        ValuePath::of_keys(keys.iter().copied())
    }

    #[test]
    fn patterns_mean_these_paths() {
        for (pattern, keys, expected) in [
            ("log.*", &["log", "level"][..], true),
            ("log.*", &["log"], false),
            ("log.*", &["log", "a", "b"], false),
            ("log.**", &["log", "a", "b"], true),
            ("log.**", &["log"], true),
            ("**", &["a", "b"], true),
            ("**.key", &["key"], true),
            ("**.key", &["a", "b", "key"], true),
            ("**.key", &["a", "key", "b"], false),
            ("a.**.b.**.c", &["a", "b", "b", "x", "c"], true),
            ("aws_*", &["aws_key"], true),
            ("*_key", &["aws_key_key"], true),
            ("a*b*c", &["a-b-b-c"], true),
            ("a*b*c", &["a-c-b"], false),
            ("\"a.b\".c", &["a.b", "c"], true),
            ("\"*\"", &["x"], false),
            ("\"*\"", &["*"], true),
            ("\"q\\\"\\u0061\"", &["q\"a"], true),
            ("0", &["0"], true),
        ] {
            assert_eq!(
                Glob::parse(pattern).unwrap().matches(&path(keys)),
                expected,
                "{pattern} {keys:?}"
            );
        }
    }

    #[test]
    fn digits_are_list_items_unless_quoted() {
        let item = path(&["hosts"]).child(Segment::Index(0));
        assert!(Glob::parse("hosts.0").unwrap().matches(&item));
        assert!(Glob::parse("hosts.*").unwrap().matches(&item));
        assert!(!Glob::parse("hosts.\"0\"").unwrap().matches(&item));
        assert_eq!(Glob::parse("hosts.0").unwrap().literal(), Some(item));
        assert_eq!(Glob::parse("hosts.*").unwrap().literal(), None);
    }

    #[test]
    fn malformed_patterns_say_why() {
        for bad in [
            "", "a..b", ".a", "a.", "a**", "a.***", "\"a", "\"a\"b", "a\"b", "\"\\x\"",
        ] {
            assert!(Glob::parse(bad).is_err(), "{bad}");
        }
        assert!(SlashGlob::parse("a//b").is_err());
    }

    #[test]
    fn slashes_separate_names_and_files() {
        assert!(SlashGlob::parse("docs/**").unwrap().matches("docs/a/b.md"));
        assert!(SlashGlob::parse("*/prod").unwrap().matches("billing/prod"));
        assert!(!SlashGlob::parse("*/prod").unwrap().matches("prod"));
    }

    /// The obvious matcher, exponential but right.
    fn slow(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern.first(), text.first()) {
            (None, _) => text.is_empty(),
            (Some(b'*'), None) => slow(&pattern[1..], text),
            (Some(b'*'), Some(_)) => slow(&pattern[1..], text) || slow(pattern, &text[1..]),
            (Some(one), Some(byte)) => one == byte && slow(&pattern[1..], &text[1..]),
            (Some(_), None) => false,
        }
    }

    proptest! {
        #[test]
        fn the_quick_matcher_agrees_with_the_obvious_one(pattern in "[ab]?(\\*[ab]{0,2}){0,4}", text in "[ab]{1,8}") {
            if let Ok(glob) = Glob::parse(&pattern) && pattern != "**" {
                prop_assert_eq!(glob.matches(&path(&[&text])), slow(pattern.as_bytes(), text.as_bytes()));
            }
        }

        #[test]
        fn a_printed_path_is_a_pattern_for_that_path(keys in proptest::collection::vec("[a-z.*\"\\\\ 0-9]{0,5}", 1..4)) {
            let path = ValuePath::of_keys(keys);
            prop_assert_eq!(Glob::parse(&path.to_string()).map(|glob| glob.literal()), Ok(Some(path)));
        }
    }
}
