//! Commands that a person copies into a shell. File names come from policies that others wrote, so every one is quoted,
//! and one that cannot be shown as it is gives no command at all.

use std::path::{Path, PathBuf};

/// Where a file is moved that should be out of the way and not lost: `FILE.WHY`.
pub fn aside(path: &Path, why: &str) -> PathBuf {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".");
    aside.push(why);
    PathBuf::from(aside)
}

/// `words` and then `paths`, each quoted; nothing if one of them cannot be written so that a person sees what it is.
pub fn command(words: &str, paths: &[&Path]) -> Option<String> {
    let mut command = words.to_owned();
    for path in paths {
        command.push(' ');
        command.push_str(&quoted(path.to_str()?)?);
    }
    Some(command)
}

/// One word of a shell command.
pub fn quoted(word: &str) -> Option<String> {
    let is_shown = word
        .chars()
        .all(|character| character.is_ascii_graphic() || character == ' ' || character.is_alphanumeric());
    if !is_shown {
        return None;
    }
    shlex::try_quote(word).ok().map(|quoted| quoted.into_owned())
}

/// A command that appends lines to a file of git's rules (`.gitignore`, `.gitattributes`): for each path, relative to the
/// file's folder, its pattern and `attribute`. Nothing for a path that would need escapes there.
pub fn append_rules(file: &Path, paths: &[&Path], attribute: &str) -> Option<String> {
    let mut command = "printf '%s\\n'".to_owned();
    for path in paths {
        let path = path.to_str()?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._/@+-".contains(&byte);
        if !path.bytes().all(is_plain) {
            return None;
        }
        command.push_str(&format!(" '/{path}{attribute}'"));
    }
    Some(format!("{command} >> {}", quoted(file.to_str()?)?))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{append_rules, command};

    #[test]
    fn names_of_others_are_words_and_nothing_else() {
        for (path, expected) in [
            ("secrets/dev.yaml", Some("git add -- secrets/dev.yaml")),
            ("a b", Some("git add -- 'a b'")),
            ("$(id)", Some("git add -- '$(id)'")),
            ("a'b", Some("git add -- \"a'b\"")),
            ("ä", Some("git add -- 'ä'")),
            ("a\nb", None),
            ("a\u{202e}b", None),
        ] {
            assert_eq!(
                command("git add --", &[Path::new(path)]).as_deref(),
                expected,
                "{path:?}"
            );
        }
    }

    #[test]
    fn rules_are_only_written_for_plain_names() {
        let rule = |path: &str| append_rules(Path::new(".gitattributes"), &[Path::new(path)], " -text");
        assert_eq!(
            rule("secrets/dev.yaml").as_deref(),
            Some("printf '%s\\n' '/secrets/dev.yaml -text' >> .gitattributes")
        );
        for odd in ["a b", "a*", "a'b", "é"] {
            assert_eq!(rule(odd), None, "{odd}");
        }
    }
}
