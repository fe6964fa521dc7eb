//! Real readers of what the formats write, and values that are hard to quote. For tests only.

use std::io::Write as _;
use std::process::Command;

use proptest::collection::vec;
use proptest::prelude::{Strategy, any};
use proptest::{prop_oneof, sample};

use super::variables::Variable;
use crate::document::path::ValuePath;
use crate::secret::Secret;
use crate::value::Value;

/// Shells that every machine here has; `sh` is dash on Debian.
pub(super) const SHELLS: [&str; 2] = ["sh", "bash"];

/// Variables `V0`, `V1`, … with these values.
pub(super) fn variables_of(values: &[impl AsRef<[u8]>]) -> Vec<Variable> {
    let numbered = values.iter().enumerate();
    let variable = |(number, value): (usize, _)| {
        let value: &[u8] = AsRef::as_ref(value);
        Variable {
            name: format!("V{number}"),
            path: ValuePath::of_keys([format!("v{number}")]),
            value: Value::from_bytes(Secret::new(value.to_vec())),
            readable: false,
        }
    };
    numbered.map(variable).collect()
}

/// What a program started by `shell` finds in `V0`, `V1`, … after the shell has read `text` from a file.
pub(super) fn shell_reads(shell: &str, text: &[u8], count: usize) -> Vec<Vec<u8>> {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(text).expect("written");
    let script = r#"set -a; . "$0" || exit; exec env -0"#;
    let output = Command::new(shell)
        .args(["-c", script])
        .arg(file.path())
        .env("LC_ALL", "C")
        .output()
        .expect("the shell starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let found = |number: usize| {
        let prefix = format!("V{number}=").into_bytes();
        let mut lines = output.stdout.split(|byte| *byte == 0);
        let value = lines.find_map(|line| line.strip_prefix(prefix.as_slice()));
        value.unwrap_or_else(|| panic!("V{number} is not set")).to_vec()
    };
    (0..count).map(found).collect()
}

/// Many values of pieces that quoting trips over; with `binary`, also bytes that are no text. Never a NUL.
pub(super) fn nasty_values(binary: bool) -> impl Strategy<Value = Vec<Vec<u8>>> {
    let pieces = [
        "'", "\"", "`", "\\", "\\\\", "$", "${", "}", "$(", "$HOME", "\n", "\r", "\r\n", "\t", " ", "#", " # ", "=",
        "!", "~", ";", "&", "|", "<", ">", "*", "?", "[", "(", ")", "%", "n", "r", "x", "0", "é", "\u{2028}", "\u{85}",
        "\u{feff}", "\u{1}", "\u{7f}", "V0='", "\nV1=",
    ];
    let piece = prop_oneof![
        8 => sample::select(pieces.to_vec()).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => any::<char>().prop_map(|character| match character {
            '\0' => vec![b'x'],
            other => other.to_string().into_bytes(),
        }),
        1 => (128..=255_u8).prop_map(move |byte| if binary { vec![byte] } else { vec![b'y'] }),
    ];
    vec(vec(piece, 0..10).prop_map(|pieces| pieces.concat()), 40)
}
