//! What libgit2 and `git` say, turned into the one line of a failure.

use git2::ErrorCode;

use crate::error::Failure;

/// Why libgit2 cannot open a repository, as the end of a line.
pub(super) fn reason(error: &git2::Error) -> String {
    let message = error.message().to_lowercase();
    if error.code() == ErrorCode::Owner {
        "it belongs to another user (git config --global --add safe.directory, if that is meant)".to_owned()
    } else if message.contains("refstorage") {
        "its references are stored as reftable, which is not supported".to_owned()
    } else if message.contains("object format") || message.contains("objectformat") {
        "its objects are named by SHA-256, which is not supported".to_owned()
    } else if message.contains("partialclone") {
        "it is a partial clone, which is not supported".to_owned()
    } else {
        one_line(message.as_bytes())
    }
}

pub(super) fn explain(what: &str, error: &git2::Error) -> Failure {
    Failure::failed(format!("{what}: {}", reason(error)))
}

/// Text from elsewhere as one line: line ends become `; `, control characters are escaped, the end is cut.
pub(super) fn one_line(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty());
    let mut shown = String::new();
    for character in lines.collect::<Vec<_>>().join("; ").chars().take(1000) {
        match character {
            '\t' => shown.push(' '),
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                shown.extend(character.escape_unicode());
            }
            _ if character.is_control() => shown.extend(character.escape_default()),
            _ => shown.push(character),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn foreign_text_is_one_harmless_line() {
        assert_eq!(
            one_line(b"error: a\n\n\x1b[31mb\tc\r\n\xff"),
            "error: a; \\u{1b}[31mb c; \u{fffd}"
        );
    }
}
