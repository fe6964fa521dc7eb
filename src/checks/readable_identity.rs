//! `readable-identity`: a private key within reach of others, because git tracks it beside a policy or environment file, or
//! because other accounts of this machine may read the file of an identity.

use super::{KeyFile, KeyPlace, Look, Rule};
use crate::finding::{Code, Finding, Place};

static CODE: Code = Code::error("readable-identity", "others can read a private key");

pub(super) static RULE: Rule = Rule {
    code: &CODE,
    look: Look::KeyFile(find),
};

/// How age writes a private key; its 58 characters of data follow.
const AGE: &[u8] = b"AGE-SECRET-KEY-";
/// How many characters of data a private key of age has at least.
const SHORTEST: usize = 50;

fn find(file: &KeyFile<'_>) -> Option<Finding> {
    let shown = file.file.display();
    match file.place {
        KeyPlace::Tracked(bytes) => {
            let line = line_of_key(bytes)?;
            let finding: Finding = CODE.finding(
                Place::of_file(file.file).at_line(line),
                format!("git tracks a private key in `{shown}` line {line}"),
            );
            Some(
                finding
                    .hint("whoever has the repository has it: make a new key, let `apply` take the old one out, and renew what it could read")
                    .hint(format!("git rm --cached -- '{shown}'")),
            )
        }
        KeyPlace::Used(mode) if mode & 0o077 != 0 => {
            let finding: Finding = CODE.finding(
                Place::of_file(file.file),
                format!("others on this machine can read the identity `{shown}`"),
            );
            Some(finding.cure(format!("chmod 600 '{shown}'")))
        }
        KeyPlace::Used(_) => None,
    }
}

/// The line, from 1, of the first private key in a text.
fn line_of_key(bytes: &[u8]) -> Option<usize> {
    let lines = bytes.split(|byte| *byte == b'\n');
    lines
        .enumerate()
        .find_map(|(at, line)| holds_key(line).then_some(at + 1))
}

fn holds_key(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    let is_pem = line.starts_with(b"-----BEGIN ") && line.ends_with(b"PRIVATE KEY-----");
    let at = line.windows(AGE.len()).position(|part| part == AGE);
    let data = at.map_or(0, |at| {
        let behind = &line[at + AGE.len()..];
        behind
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-')
            .count()
    });
    is_pem || data >= SHORTEST
}

#[cfg(test)]
mod tests {
    use super::line_of_key;

    #[test]
    fn keys_are_told_from_talk_about_keys() {
        let age = format!("# made\nAGE-SECRET-KEY-1{}\n", "Q".repeat(58));
        assert_eq!(line_of_key(age.as_bytes()), Some(2));
        assert_eq!(line_of_key(format!("KEY={}", &age[7..]).as_bytes()), Some(1));
        assert_eq!(line_of_key(b"-----BEGIN OPENSSH PRIVATE KEY-----\r\n"), Some(1));
        for text in [
            "",
            "AGE-SECRET-KEY-1...",
            "age1qqqq",
            "a `-----BEGIN OPENSSH PRIVATE KEY-----` is no key",
            "\u{0}\u{ff}",
        ] {
            assert_eq!(line_of_key(text.as_bytes()), None, "{text}");
        }
    }
}
