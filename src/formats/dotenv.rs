//! `NAME=value` lines for dotenv readers. There is no standard, so each value is written in the form that most of four
//! readers read back exactly: python-dotenv, the npm package dotenv, `node --env-file`, and a shell
//! (`set -a; . ./.env`).
//!
//! | value | form | misread by |
//! |---|---|---|
//! | letters, digits and `_ . / : @ % + , -` | `NAME=value` | |
//! | no single quote, no carriage return | `NAME='value'` | python-dotenv: `${…}`, `\\`, a `\` at the end |
//! | single quotes, but none of `"`, `$`, `` ` `` | `NAME="value"` | npm dotenv, node: a `\` that others would take for an escape |
//! | single quotes and `"` | `NAME="…\"…"` | npm dotenv, node |
//! | single quotes and `$` or `` ` `` | `NAME="…\$…"` | all but the shell |
//! | carriage returns, but none of `" $ \` and `` ` `` | `NAME="…\r…"` | the shell, node |
//! | carriage returns and one of those | as without carriage returns | all but the shell |
//!
//! A shell never runs any part of a value, and a value that a reader misreads never changes what it reads of another.
//! Reading such files is `read`'s, which takes what other writers wrote.

mod read;
mod scan;

use zeroize::Zeroizing;

pub use read::read;
pub(super) use read::written;
pub(super) use scan::{Doubt, Line, has_expansion, normalized, scan};

use super::buffer::Buffer;
use super::variables::Variable;
use crate::error::{Failure, Result};

/// The lines.
///
/// # Errors
/// A value that is not UTF-8: for its sake readers would refuse the whole file.
pub fn write(variables: &[Variable]) -> Result<Zeroizing<Vec<u8>>> {
    let mut out = Buffer::default();
    for variable in variables {
        let value = variable.value.delivered();
        let text = value.expose_text().ok_or_else(|| refused(variable))?;
        out.push(variable.name.as_bytes());
        out.push(b"=");
        push_quoted(text, &mut out);
        out.push(b"\n");
    }
    Ok(out.into_bytes())
}

fn refused(variable: &Variable) -> Failure {
    let path = &variable.path;
    Failure::failed(format!(
        "the value of `{path}` is not UTF-8 text, and a dotenv file holds nothing else"
    ))
    .hint("--format json writes bytes as base64, --format shell as they are")
}

/// Appends `value` as the table above says.
fn push_quoted(value: &str, out: &mut Buffer) {
    if is_plain(value) {
        out.push(value.as_bytes());
    } else if value.contains('\r') && !value.contains(['"', '$', '`', '\\']) {
        out.push(b"\"");
        push_with_escapes(value, out, |byte, _| (byte == b'\r').then_some(b"\\r"));
        out.push(b"\"");
    } else if value.contains('\'') {
        out.push(b"\"");
        push_with_escapes(value, out, escape_in_double_quotes);
        close(value, b"\"", out);
    } else {
        out.push(b"'");
        out.push(value.as_bytes());
        close(value, b"'", out);
    }
}

/// Whether every reader takes `value` as it stands, without quotes.
fn is_plain(value: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_./:@%+,-".contains(&byte);
    !value.is_empty() && value.bytes().all(is_plain)
}

/// Appends `value`; `escape` gives what stands for a byte instead of it, from the byte and the one behind it.
fn push_with_escapes(value: &str, out: &mut Buffer, escape: impl Fn(u8, Option<u8>) -> Option<&'static [u8; 2]>) {
    let bytes = value.as_bytes();
    let mut written = 0;
    for (position, byte) in bytes.iter().enumerate() {
        if let Some(escaped) = escape(*byte, bytes.get(position + 1).copied()) {
            out.push(&bytes[written..position]);
            out.push(escaped);
            written = position + 1;
        }
    }
    out.push(&bytes[written..]);
}

/// What a shell must not see bare between double quotes. A backslash that no reader takes for an escape stays as it is, so
/// that also the readers read it that know no `\\`. Bash garbles a bare one before U+0001 and U+007F.
fn escape_in_double_quotes(byte: u8, next: Option<u8>) -> Option<&'static [u8; 2]> {
    let is_escape = |next: u8| b"\\'\"$`\n\x01\x7fabfnrtv".contains(&next);
    match byte {
        b'"' => Some(b"\\\""),
        b'$' => Some(b"\\$"),
        b'`' => Some(b"\\`"),
        b'\\' if next.is_none_or(is_escape) => Some(b"\\\\"),
        _ => None,
    }
}

/// Appends the closing quote. Where a backslash stands before it, some readers go on to the next quote: they find it in a
/// comment, where what follows it makes them give up this line and no other.
fn close(value: &str, quote: &[u8], out: &mut Buffer) {
    out.push(quote);
    if value.ends_with('\\') {
        out.push(b" # the ");
        out.push(quote);
        out.push(b"before this comment ends the value");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, prop_assert_eq, proptest};

    use super::write;
    use crate::error::Failure;
    use crate::formats::readers::{SHELLS, nasty_values, shell_reads, variables_of};

    #[test]
    fn each_value_has_the_form_that_most_readers_read() {
        for (value, form) in [
            ("", "''"),
            ("https://a.b:80/c-d,e%20+_@", "https://a.b:80/c-d,e%20+_@"),
            ("a b", "'a b'"),
            ("a#b", "'a#b'"),
            ("a=b", "'a=b'"),
            ("$HOME `id` \"x\" \\d", "'$HOME `id` \"x\" \\d'"),
            ("two\nlines\n", "'two\nlines\n'"),
            ("it's", "\"it's\""),
            ("it's\n#\n", "\"it's\n#\n\""),
            ("it's \\d", "\"it's \\d\""),
            ("it's \\n", "\"it's \\\\n\""),
            ("it's \\\u{1}\\\u{7f}", "\"it's \\\\\u{1}\\\\\u{7f}\""),
            ("it's \"$5\" `", "\"it's \\\"\\$5\\\" \\`\""),
            ("a\r\nb", "\"a\\r\nb\""),
            ("it's\r", "\"it's\\r\""),
            ("$\r", "'$\r'"),
            ("C:\\", "'C:\\' # the 'before this comment ends the value"),
            ("'\\", "\"'\\\\\" # the \"before this comment ends the value"),
        ] {
            let text = write(&variables_of(&[value])).expect("written");
            assert_eq!(std::str::from_utf8(&text), Ok(format!("V0={form}\n").as_str()));
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_by_path() {
        let refused = write(&variables_of(&[&b"ok"[..], &[255]])).expect_err("refused");
        let failure = refused.downcast::<Failure>().expect("a failure");
        assert_eq!(
            failure.message(),
            "the value of `v1` is not UTF-8 text, and a dotenv file holds nothing else"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn shells_read_every_value_back_but_escaped_carriage_returns(values in nasty_values(false)) {
            let text = write(&variables_of(&values)).expect("written");
            let shown = |value: &Vec<u8>| {
                let escaped = value.contains(&b'\r') && !value.iter().any(|byte| b"\"$`\\".contains(byte));
                let text = String::from_utf8(value.clone()).expect("text");
                if escaped { text.replace('\r', "\\r").into_bytes() } else { text.into_bytes() }
            };
            let expected: Vec<_> = values.iter().map(shown).collect();
            for shell in SHELLS {
                prop_assert_eq!(&shell_reads(shell, &text, values.len()), &expected, "{}", shell);
            }
        }
    }
}
