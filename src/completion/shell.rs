//! The shells that are completed in: the script that each of them reads, and how the words that it hands over are to be
//! understood. The scripts lie beside this file.

use std::ffi::OsString;

use clap::ValueEnum;

/// A shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    /// GNU Bash, 3.2 and later
    Bash,
    /// Zsh
    Zsh,
    /// The friendly interactive shell
    Fish,
    /// PowerShell
    Powershell,
    /// Elvish
    Elvish,
}

impl Shell {
    /// The script that registers completion.
    pub(crate) fn script(self) -> &'static str {
        match self {
            Self::Bash => include_str!("secretree.bash"),
            Self::Zsh => include_str!("secretree.zsh"),
            Self::Fish => include_str!("secretree.fish"),
            Self::Powershell => include_str!("secretree.ps1"),
            Self::Elvish => include_str!("secretree.elv"),
        }
    }

    /// The words as the program would get them, and how much of the last one the shell does not replace (bytes).
    pub(super) fn understood(self, words: &[OsString]) -> (Vec<OsString>, usize) {
        match self {
            Self::Bash => joined(words),
            // An empty last word would not arrive: the script puts a colon in front.
            Self::Powershell => (with_last(words, without_colon), 0),
            // Only the last word has its quotes still.
            Self::Fish => (with_last(words, unquoted), 0),
            Self::Zsh | Self::Elvish => (words.to_vec(), 0),
        }
    }
}

fn with_last(words: &[OsString], change: fn(&OsString) -> OsString) -> Vec<OsString> {
    let mut words = words.to_vec();
    if let Some(last) = words.last_mut() {
        *last = change(last);
    }
    words
}

fn without_colon(word: &OsString) -> OsString {
    let text = word.to_string_lossy();
    OsString::from(text.strip_prefix(':').unwrap_or(&text))
}

/// Bash hands words over as they were typed, with quotes, and cuts them at `=`.
fn joined(words: &[OsString]) -> (Vec<OsString>, usize) {
    let mut joined: Vec<OsString> = Vec::new();
    let mut hidden = 0;
    for word in words {
        let word = unquoted(word);
        match joined.last_mut() {
            Some(option) if word == "=" && is_bare_option(option) => {
                option.push("=");
                hidden = option.len();
            }
            Some(option) if hidden > 0 && option.len() == hidden => option.push(&word),
            _ => {
                joined.push(word);
                hidden = 0;
            }
        }
    }
    (joined, hidden)
}

fn is_bare_option(word: &OsString) -> bool {
    word.to_str()
        .is_some_and(|text| text.starts_with("--") && !text.contains('='))
}

/// A word without its quotes; what is still open is opened at the start.
fn unquoted(word: &OsString) -> OsString {
    let Some(text) = word.to_str() else { return word.clone() };
    match shlex::split(text).as_deref() {
        Some([one]) => OsString::from(one),
        Some(_) => word.clone(),
        None => OsString::from(text.trim_start_matches(['"', '\''])),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::Shell;

    #[test]
    fn bash_words_are_joined_at_equal_signs_and_lose_their_quotes() {
        for (typed, words, hidden) in [
            (vec!["s", "get", "'prod'", "da"], vec!["s", "get", "prod", "da"], 0),
            (vec!["s", "get", "\"pr"], vec!["s", "get", "pr"], 0),
            (
                vec!["s", "decrypt", "--format", "=", "do"],
                vec!["s", "decrypt", "--format=do"],
                9,
            ),
            (
                vec!["s", "decrypt", "--format", "="],
                vec!["s", "decrypt", "--format="],
                9,
            ),
            (
                vec!["s", "decrypt", "--format", "=", "json", ""],
                vec!["s", "decrypt", "--format=json", ""],
                0,
            ),
            (vec!["s", "get", "=", "x"], vec!["s", "get", "=", "x"], 0),
            (vec!["s", "-C", "my\\ folder", ""], vec!["s", "-C", "my folder", ""], 0),
        ] {
            let typed: Vec<OsString> = typed.into_iter().map(OsString::from).collect();
            let words: Vec<OsString> = words.into_iter().map(OsString::from).collect();
            assert_eq!(Shell::Bash.understood(&typed), (words, hidden), "{typed:?}");
        }
    }

    #[test]
    fn the_last_word_of_the_others_is_what_was_meant() {
        for (shell, typed, word) in [
            (Shell::Fish, "\"pr", "pr"),
            (Shell::Fish, "it\\'s", "it's"),
            (Shell::Powershell, ":", ""),
            (Shell::Powershell, ":pr", "pr"),
            (Shell::Zsh, ":pr", ":pr"),
            (Shell::Elvish, "pr", "pr"),
        ] {
            let (words, _) = shell.understood(&["secretree".into(), typed.into()]);
            assert_eq!(words[1], word, "{shell:?} {typed}");
        }
    }
}
