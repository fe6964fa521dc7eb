//! Reads the header of an age file (C2SP `age.md`, "Header") in one pass, only to say which stanzas it has.
//! The age library parses again from the start after each line, so files are looked at here first.

use super::envelope::OpenError;

const VERSION_LINE: &[u8] = b"age-encryption.org/v1\n";

/// A longer header belongs to no file of ours.
const LARGEST_HEADER: usize = 16 * 1024;

/// More stanzas belong to no file of ours either: 16 KiB of them would cost the age library half a second.
const MOST_STANZAS: usize = 16;

/// The types of the stanzas in the header of the age file `bytes`, in order. Nothing is verified.
pub(super) fn stanza_types(bytes: &[u8]) -> Result<Vec<&str>, OpenError> {
    let head = &bytes[..bytes.len().min(LARGEST_HEADER)];
    let mut rest = head
        .strip_prefix(VERSION_LINE)
        .ok_or(OpenError::Malformed("it is no age file"))?;
    let mut types = Vec::new();
    loop {
        let line = take_line(&mut rest)?;
        if let Some(arguments) = line.strip_prefix(b"-> ") {
            if types.len() == MOST_STANZAS {
                return Err(OpenError::Malformed("it has more than 16 stanzas"));
            }
            types.push(stanza_type(arguments)?);
            take_body(&mut rest)?;
        } else if line.strip_prefix(b"--- ").is_some_and(|mac| mac.len() == 43) && !types.is_empty() {
            return Ok(types);
        } else {
            return Err(BAD_HEADER);
        }
    }
}

const BAD_HEADER: OpenError = OpenError::Malformed("its age header is malformed");

fn take_line<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], OpenError> {
    let end = rest.iter().position(|byte| *byte == b'\n').ok_or(BAD_HEADER)?;
    let line = &rest[..end];
    *rest = &rest[end + 1..];
    Ok(line)
}

/// The first of the arguments, which are printable and separated by single blanks.
fn stanza_type(arguments: &[u8]) -> Result<&str, OpenError> {
    let sound = arguments
        .split(|byte| *byte == b' ')
        .all(|argument| !argument.is_empty() && argument.iter().all(u8::is_ascii_graphic));
    let text = std::str::from_utf8(arguments).map_err(|_| BAD_HEADER)?;
    let first = text.split(' ').next().ok_or(BAD_HEADER)?;
    if sound { Ok(first) } else { Err(BAD_HEADER) }
}

/// Lines of 64 characters, and one that is shorter.
fn take_body(rest: &mut &[u8]) -> Result<(), OpenError> {
    loop {
        let line = take_line(rest)?;
        let base64 = line
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'));
        match line.len() {
            _ if !base64 => return Err(BAD_HEADER),
            64 => {}
            ..64 => return Ok(()),
            _ => return Err(BAD_HEADER),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::stanza_types;

    #[test]
    fn headers_are_read_and_malformed_ones_refused() {
        let mac = "m".repeat(43);
        let full = "B".repeat(64);
        let file = |stanzas: &str| format!("age-encryption.org/v1\n{stanzas}--- {mac}\n");
        for (stanzas, expected) in [
            ("-> X25519 abc\nAAAA\n", Some(vec!["X25519"])),
            ("-> a\n\n-> b-grease x y\nAA\n", Some(vec!["a", "b-grease"])),
            (&format!("-> ssh-rsa t\n{full}\n\n"), Some(vec!["ssh-rsa"])),
            (&format!("-> ssh-rsa t\n{full}\n"), None),
            ("", None),
            ("-> \nAA\n", None),
            ("-> a  b\nAA\n", None),
            ("-> a\u{e9}\nAA\n", None),
            ("-> a\nA*\n", None),
            ("X25519\nAA\n", None),
        ] {
            let file = file(stanzas);
            assert_eq!(stanza_types(file.as_bytes()).ok(), expected, "{stanzas:?}");
        }
        assert!(stanza_types(b"age-encryption.org/v2\n").is_err());
        assert!(stanza_types(file(&"-> a\n\n".repeat(16)).as_bytes()).is_ok());
        assert!(stanza_types(file(&"-> a\n\n".repeat(17)).as_bytes()).is_err());
        assert!(stanza_types(file(&format!("-> a\n{full}\n{}\n\n", "B".repeat(20_000))).as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = stanza_types(&bytes);
            let _ = stanza_types(&[b"age-encryption.org/v1\n-> ", bytes.as_slice()].concat());
        }
    }
}
