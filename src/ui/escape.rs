//! Text that others wrote (names, authors, subjects, paths), made safe to print on a terminal: nothing in it
//! moves the cursor, turns the direction of reading, or hides.

use std::borrow::Cow;
use std::fmt::Write as _;

/// `text` with every control, direction and invisible character written as an escape (`\n`, `\u{202e}`).
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    if !text.chars().any(deceives) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' => safe.push_str("\\t"),
            other if deceives(other) => {
                write!(safe, "\\u{{{:x}}}", u32::from(other)).expect("writing to a string cannot fail");
            }
            other => safe.push(other),
        }
    }
    Cow::Owned(safe)
}

/// Control characters, line and paragraph separators, marks that turn the direction of text (Unicode's
/// UAX #9), and characters without a width.
fn deceives(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};

    use super::{deceives, escaped};

    #[test]
    fn what_could_deceive_is_written_out() {
        for (text, safe) in [
            ("plain ünïcode 漢字", "plain ünïcode 漢字"),
            ("a\nb\r\tc", "a\\nb\\r\\tc"),
            ("\u{1b}[2Jgone", "\\u{1b}[2Jgone"),
            ("abc\u{202e}fed", "abc\\u{202e}fed"),
            ("al\u{200b}ice", "al\\u{200b}ice"),
            ("\u{85}\u{2028}", "\\u{85}\\u{2028}"),
        ] {
            assert_eq!(escaped(text), safe);
        }
    }

    proptest! {
        #[test]
        fn nothing_that_deceives_is_left(text in any::<String>()) {
            prop_assert!(!escaped(&text).chars().any(deceives));
        }
    }
}
