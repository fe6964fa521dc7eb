//! Where something stands in a policy file, kept so that later steps can name line and column, and edits
//! can find the text again. Also how untrusted text is shown in a message.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::document::lines::Place;
use crate::error::Failure;

/// The longest text that a message repeats; longer ones may be keys that were pasted at the wrong place.
const LONGEST_SHOWN: usize = 64;

/// The text of one policy file and the name that messages give it.
#[derive(PartialEq, Eq)]
pub struct SourceText {
    /// The file as messages name it: `.secrets.yaml`, `services/billing/.secrets.yaml`.
    pub shown_name: String,
    /// The whole text.
    pub text: String,
}

/// A stretch of a policy file.
#[derive(Clone, PartialEq, Eq)]
pub struct Spot {
    source: Arc<SourceText>,
    span: Range<usize>,
}

impl Spot {
    /// The bytes `span` of `source`.
    pub(super) fn new(source: &Arc<SourceText>, span: &Range<usize>) -> Self {
        Self {
            source: Arc::clone(source),
            span: span.clone(),
        }
    }

    /// The file it stands in, as messages name it.
    pub fn shown_name(&self) -> &str {
        &self.source.shown_name
    }

    /// The bytes in the policy's text, for edits.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Line and column, counted from 1, in characters. Linear in the text: meant for messages.
    pub fn place(&self) -> Place {
        let before = self.source.text.get(..self.span.start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        Place {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }

    /// A failure at this place: `` `.secrets.yaml` line 12 column 3: unknown field `recipents` ``.
    pub fn failure(&self, message: impl fmt::Display) -> Failure {
        failure_at(self.shown_name(), self.place(), message)
    }
}

impl fmt::Debug for SourceText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown_name)
    }
}

impl fmt::Debug for Spot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.place();
        write!(formatter, "{}:{}:{}", self.shown_name(), place.line, place.column)
    }
}

/// A failure at a place of the file that messages call `shown_name`.
pub(super) fn failure_at(shown_name: &str, place: Place, message: impl fmt::Display) -> Failure {
    let Place { line, column } = place;
    Failure::failed(format!("`{shown_name}` line {line} column {column}: {message}"))
}

/// Something read from a policy, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spotted<T> {
    /// What was read.
    pub value: T,
    /// Where it stands.
    pub spot: Spot,
}

/// Untrusted text in backticks for a message: control characters escaped, and long texts only described,
/// because they may be private keys.
pub(super) fn shown(text: &str) -> String {
    let length = text.chars().count();
    if length > LONGEST_SHOWN {
        return format!("a text of {length} characters");
    }
    let mut out = String::from("`");
    for character in text.chars() {
        if character.is_control() {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    out.push('`');
    out
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{SourceText, Spot, shown};

    #[test]
    fn places_count_characters_from_one() {
        let source = Arc::new(SourceText {
            shown_name: ".secrets.yaml".to_owned(),
            text: "a: 1\nüü: x\n".to_owned(),
        });
        let failure = Spot::new(&source, &(11..12)).failure("no");
        assert_eq!(failure.message(), "`.secrets.yaml` line 2 column 5: no");
    }

    #[test]
    fn what_may_be_a_private_key_is_not_repeated() {
        assert_eq!(shown("prod"), "`prod`");
        assert_eq!(shown("a\u{1b}b"), "`a\\u{1b}b`");
        assert_eq!(shown(&"A".repeat(74)), "a text of 74 characters");
    }
}
