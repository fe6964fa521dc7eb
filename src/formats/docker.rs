//! `NAME=value` lines for `docker run --env-file`, which takes each line as it stands to its end: nothing is quoted, so
//! what a line cannot hold is refused. Compose reads its `env_file` by other rules; it wants the dotenv format.

use zeroize::Zeroizing;

use super::buffer::Buffer;
use super::variables::Variable;
use crate::error::{Failure, Result};

/// The longest line that Docker's client reads, in bytes without the line feed (docker/cli `pkg/kvfile`, whose scanner
/// has a buffer of 64 KiB).
const LONGEST_LINE: usize = (64 << 10) - 1;

/// The lines.
///
/// # Errors
/// A value that Docker would change or refuse: with a line feed or a carriage return in it, not UTF-8, or too long.
pub fn write(variables: &[Variable]) -> Result<Zeroizing<Vec<u8>>> {
    let mut out = Buffer::default();
    for variable in variables {
        let value = variable.value.delivered();
        if let Some(reason) = misfit(&variable.name, value.expose()) {
            return Err(refused(variable, reason).into());
        }
        out.push(variable.name.as_bytes());
        out.push(b"=");
        out.push(value.expose());
        out.push(b"\n");
    }
    Ok(out.into_bytes())
}

/// Why Docker would not read `value` back, if it would not.
fn misfit(name: &str, value: &[u8]) -> Option<&'static str> {
    if value.contains(&b'\n') {
        Some("has more than one line")
    } else if value.contains(&b'\r') {
        // At the end of a line Docker drops it; other readers of such files end the line there.
        Some("holds a carriage return")
    } else if std::str::from_utf8(value).is_err() {
        Some("is not UTF-8 text")
    } else if name.len() + 1 + value.len() > LONGEST_LINE {
        Some("is longer than the 64 KiB of a line")
    } else {
        None
    }
}

fn refused(variable: &Variable, reason: &str) -> Failure {
    let path = &variable.path;
    let name = &variable.name;
    Failure::failed(format!(
        "the value of `{path}` {reason}, and an env-file of Docker cannot hold that"
    ))
    .hint(format!(
        "Docker takes any value by its name: secretree run ENV -- docker run -e {name} …"
    ))
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_LINE, write};
    use crate::error::Failure;
    use crate::formats::readers::variables_of;

    #[test]
    fn values_stand_as_they_are() {
        let values = ["", " a b ", "#", "'\"$HOME` \\n", "a=b", "\t\u{2028}é\u{feff}"];
        let text = write(&variables_of(&values)).expect("written");
        let expected = "V0=\nV1= a b \nV2=#\nV3='\"$HOME` \\n\nV4=a=b\nV5=\t\u{2028}é\u{feff}\n";
        assert_eq!(std::str::from_utf8(&text), Ok(expected));
    }

    #[test]
    fn what_a_line_cannot_hold_is_refused_by_path() {
        let longest = vec![b'x'; LONGEST_LINE - "V1=".len()];
        assert!(write(&variables_of(&[&b"ok"[..], &longest])).is_ok());
        let longer = [&longest[..], b"x"].concat();
        for (value, reason) in [
            (&b"two\nlines"[..], "has more than one line"),
            (b"end\n", "has more than one line"),
            (b"carriage\r", "holds a carriage return"),
            (b"\xff", "is not UTF-8 text"),
            (&longer, "is longer than the 64 KiB of a line"),
        ] {
            let refused = write(&variables_of(&[&b"ok"[..], value])).expect_err(reason);
            let failure = refused.downcast::<Failure>().expect("a failure");
            let expected = format!("the value of `v1` {reason}, and an env-file of Docker cannot hold that");
            assert_eq!(failure.message(), expected);
        }
    }
}
