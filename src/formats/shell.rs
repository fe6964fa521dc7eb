//! `export NAME='value'` lines for a POSIX shell, which reads every value back byte for byte.

use zeroize::Zeroizing;

use super::buffer::Buffer;
use super::variables::Variable;

/// The lines, to be read with `eval` or `.`.
pub fn write(variables: &[Variable]) -> Zeroizing<Vec<u8>> {
    let mut out = Buffer::default();
    for variable in variables {
        out.push(b"export ");
        out.push(variable.name.as_bytes());
        out.push(b"=");
        push_quoted(variable.value.delivered().expose(), &mut out);
        out.push(b"\n");
    }
    out.into_bytes()
}

/// `value` as one word of a shell.
pub(super) fn quoted(value: &str) -> String {
    let mut out = Buffer::default();
    push_quoted(value.as_bytes(), &mut out);
    String::from_utf8(out.into_bytes().to_vec()).expect("quoted UTF-8 stays UTF-8")
}

/// Appends `value` in single quotes, between which a shell reads everything as it stands; a single quote itself stands
/// behind a backslash, outside them (POSIX.1-2024, Shell Command Language 2.2).
fn push_quoted(value: &[u8], out: &mut Buffer) {
    out.push(b"'");
    for (position, part) in value.split(|byte| *byte == b'\'').enumerate() {
        if position > 0 {
            out.push(br"'\''");
        }
        out.push(part);
    }
    out.push(b"'");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, prop_assert_eq, proptest};

    use super::write;
    use crate::formats::readers::{SHELLS, nasty_values, shell_reads, variables_of};

    #[test]
    fn values_stand_in_single_quotes() {
        let values = [&b""[..], b"plain", b"it's", b"'", b"$(id) \"`\n\\"];
        let text = write(&variables_of(&values));
        assert_eq!(
            std::str::from_utf8(&text),
            Ok(concat!(
                "export V0=''\n",
                "export V1='plain'\n",
                "export V2='it'\\''s'\n",
                "export V3=''\\'''\n",
                "export V4='$(id) \"`\n\\'\n",
            ))
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn shells_read_every_value_back(values in nasty_values(true)) {
            let text = write(&variables_of(&values));
            for shell in SHELLS {
                prop_assert_eq!(&shell_reads(shell, &text, values.len()), &values, "{}", shell);
            }
        }
    }
}
