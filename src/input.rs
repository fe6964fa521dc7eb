//! Where a new value comes from: a hidden prompt, standard input, or a file. Never the command line. What
//! the bytes mean is the library's to say.

use std::io::{self, IsTerminal as _, Read};
use std::path::Path;

use secretree::error::{Failure, Result};
use secretree::files::read_secret_stream;
use secretree::secret::Secret;
use zeroize::Zeroizing;

use crate::ui::Ui;

/// The most bytes a value can have (the bound of a token's plaintext, FORMAT): 16 MiB.
const LARGEST: usize = 16 << 20;

/// The bytes of `path`, all of them. Also from a pipe, so that `<(command)` works.
pub(crate) fn from_file(path: &Path) -> Result<Secret> {
    read_secret_stream(path, LARGEST)
}

/// A prompt for `place` (`prod:database.password`) if standard input is a terminal, else all of standard
/// input without one trailing newline; `raw` keeps that.
pub(crate) fn from_person_or_pipe(ui: &Ui, place: &str, raw: bool) -> Result<Secret> {
    if !io::stdin().is_terminal() {
        let text = all_of(io::stdin().lock(), LARGEST)?;
        return if raw { Ok(text) } else { without_newline(text) };
    }
    let Some(terminal) = ui.terminal() else {
        return Err(
            Failure::failed(format!("no terminal to ask for the value of {place} on"))
                .hint("pipe the value in, or use `--file FILE`")
                .into(),
        );
    };
    let value = terminal.hidden_line(&format!("value of {place} (hidden): "))?;
    if value.is_empty() {
        return Err(Failure::failed("no value was typed")
            .hint("to store an empty value: `--raw` with empty standard input")
            .into());
    }
    Ok(value)
}

/// Takes one newline (LF or CRLF) off the end. Nothing at all is most often a command that failed.
fn without_newline(text: Secret) -> Result<Secret> {
    let bytes = text.expose();
    let end = bytes
        .strip_suffix(b"\n")
        .map_or(bytes, |line| line.strip_suffix(b"\r").unwrap_or(line));
    if bytes.is_empty() {
        return Err(Failure::failed("standard input is empty")
            .hint("if the value shall be empty, say `--raw`")
            .into());
    }
    Ok(Secret::new(end.to_vec()))
}

/// Reads standard input to its end, at most `limit` bytes. Grows by moving into a larger buffer and wiping the smaller one.
pub(crate) fn all_of(mut source: impl Read, limit: usize) -> Result<Secret> {
    let mut bytes = Zeroizing::new(vec![0; 64 << 10]);
    let mut length = 0;
    loop {
        if length == bytes.len() {
            let mut larger = Zeroizing::new(vec![0; bytes.len() * 2]);
            larger[..length].copy_from_slice(&bytes);
            bytes = larger;
        }
        match source.read(&mut bytes[length..]) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Failure::failed(format!("standard input cannot be read: {error}")).into()),
        }
        if length > limit {
            return Err(Failure::failed(format!("standard input is larger than {} MiB", limit >> 20)).into());
        }
    }
    Ok(Secret::new(bytes[..length].to_vec()))
}

#[cfg(test)]
mod tests {
    use std::io;

    use secretree::secret::Secret;

    use super::{LARGEST, all_of, without_newline};

    #[test]
    fn one_newline_is_taken_off() {
        for (piped, value) in [
            ("a", "a"),
            ("a\n", "a"),
            ("a\r\n", "a"),
            ("a\n\n", "a\n"),
            ("\n", ""),
            ("a\r", "a\r"),
        ] {
            assert!(
                without_newline(Secret::from(piped)).unwrap() == Secret::from(value),
                "{piped:?}"
            );
        }
        assert!(without_newline(Secret::from("")).is_err());
    }

    #[test]
    fn reading_stops_at_the_bound() {
        let text = vec![7; 200_000];
        assert_eq!(all_of(text.as_slice(), LARGEST).unwrap().expose(), text);
        assert_eq!(
            all_of(io::repeat(7), LARGEST).unwrap_err().to_string(),
            "standard input is larger than 16 MiB"
        );
        assert_eq!(all_of(vec![7; LARGEST].as_slice(), LARGEST).unwrap().len(), LARGEST);
    }
}
