//! The lines that are put into a file of somebody else's, between two marks, and taken out again so that nothing of them is
//! left: also not the line end or the file that were made for them.

use std::ops::Range;

use crate::error::{Failure, Result};

const START: &str = "# >>> secretree hooks >>>";
const END: &str = "# <<< secretree hooks <<<";
/// What the first mark says of a file that was made for the block.
const MADE_FILE: &str = " made this file";
/// What it says where the line before it had no end.
const MADE_LINE_END: &str = " ended the line above";

/// Where a block goes in a file that has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// Before the first command of a script: what follows may end it.
    FirstCommand,
    /// Behind everything: there the last word counts.
    End,
}

/// A block that was found.
struct Found<'t> {
    span: Range<usize>,
    body: &'t [u8],
    made_file: bool,
    made_line_end: bool,
}

/// What is between the marks in `text`; nothing if there are none.
///
/// # Errors
/// `Failed` if one of the marks is missing.
pub(super) fn body(text: &[u8]) -> Result<Option<&[u8]>> {
    Ok(find(text)?.map(|found| found.body))
}

/// `text` (nothing: there is no file) with a block of this body, put in or brought up to date. `skeleton` is what a file
/// that is made holds besides.
///
/// # Errors
/// As [`body`].
pub(super) fn put(text: Option<&[u8]>, skeleton: &str, body: &str, at: At) -> Result<Vec<u8>> {
    let made_file = text.is_none();
    let text = text.unwrap_or(skeleton.as_bytes());
    if let Some(found) = find(text)? {
        let block = block(body, found.made_file, found.made_line_end);
        return Ok(spliced(text, found.span, &block));
    }
    let offset = match at {
        At::End => text.len(),
        At::FirstCommand if text.starts_with(b"#!") => line_end(text, 0),
        At::FirstCommand => 0,
    };
    let made_line_end = offset > 0 && text[offset - 1] != b'\n';
    let mut new = if made_line_end { "\n" } else { "" }.to_owned();
    new.push_str(&block(body, made_file, made_line_end));
    Ok(spliced(text, offset..offset, &new))
}

/// `text` without its block. Nothing if that leaves only what was made for it: then there was no file.
///
/// # Errors
/// As [`body`].
pub(super) fn taken_out(text: &[u8], skeleton: &str) -> Result<Option<Vec<u8>>> {
    let Some(found) = find(text)? else {
        return Ok(Some(text.to_vec()));
    };
    let start = found.span.start - usize::from(found.made_line_end && found.span.start > 0);
    let rest = spliced(text, start..found.span.end, "");
    Ok((!found.made_file || rest != skeleton.as_bytes()).then_some(rest))
}

/// Whether the block in `text` was put in together with its file.
pub(super) fn made_file(text: &[u8]) -> bool {
    find(text).is_ok_and(|found| found.is_some_and(|found| found.made_file))
}

fn block(body: &str, made_file: bool, made_line_end: bool) -> String {
    let file = if made_file { MADE_FILE } else { "" };
    let line_end = if made_line_end { MADE_LINE_END } else { "" };
    format!("{START}{file}{line_end}\n{body}{END}\n")
}

fn find(text: &[u8]) -> Result<Option<Found<'_>>> {
    let mut start = None;
    let mut offset = 0;
    while offset < text.len() {
        let next = line_end(text, offset);
        let line = text[offset..next].trim_ascii_end();
        if line.starts_with(START.as_bytes()) && start.is_none() {
            start = Some((offset, next, String::from_utf8_lossy(line).into_owned()));
        } else if line == END.as_bytes() {
            let Some((from, behind, mark)) = start else {
                return Err(damaged(START));
            };
            return Ok(Some(Found {
                span: from..next,
                body: &text[behind..offset],
                made_file: mark.contains(MADE_FILE),
                made_line_end: mark.contains(MADE_LINE_END),
            }));
        }
        offset = next;
    }
    match start {
        Some(_) => Err(damaged(END)),
        None => Ok(None),
    }
}

fn damaged(mark: &str) -> anyhow::Error {
    Failure::failed(format!("the line `{mark}` is missing"))
        .hint("take out by hand what is left of the lines of `secretree hooks`")
        .into()
}

/// Behind the end of the line that begins at `offset`.
fn line_end(text: &[u8], offset: usize) -> usize {
    let found = text[offset..].iter().position(|byte| *byte == b'\n');
    found.map_or(text.len(), |length| offset + length + 1)
}

fn spliced(text: &[u8], span: Range<usize>, new: &str) -> Vec<u8> {
    [&text[..span.start], new.as_bytes(), &text[span.end..]].concat()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop, proptest};
    use proptest::{prop_assert, prop_assert_eq};

    use super::{At, body, put, taken_out};

    #[test]
    fn a_block_goes_before_the_first_command_or_to_the_end() {
        let put = |text: Option<&str>, at| {
            let new = put(text.map(str::as_bytes), "#!/bin/sh\n", "do\n", at).unwrap();
            String::from_utf8(new).unwrap()
        };
        let (start, end) = ("# >>> secretree hooks >>>", "# <<< secretree hooks <<<\n");
        assert_eq!(
            put(Some("#!/bin/sh\nexit 0\n"), At::FirstCommand),
            format!("#!/bin/sh\n{start}\ndo\n{end}exit 0\n")
        );
        assert_eq!(
            put(Some("exit 0\n"), At::FirstCommand),
            format!("{start}\ndo\n{end}exit 0\n")
        );
        assert_eq!(
            put(Some("a"), At::End),
            format!("a\n{start} ended the line above\ndo\n{end}")
        );
        assert_eq!(
            put(None, At::FirstCommand),
            format!("#!/bin/sh\n{start} made this file\ndo\n{end}")
        );
    }

    #[test]
    fn half_a_block_is_not_touched() {
        for text in ["# >>> secretree hooks >>>\nx\n", "x\n# <<< secretree hooks <<<\n"] {
            assert!(put(Some(text.as_bytes()), "", "do\n", At::End).is_err());
            assert!(taken_out(text.as_bytes(), "").is_err());
        }
    }

    proptest! {
        #[test]
        fn what_was_put_in_comes_out_byte_for_byte(
            text in prop::option::of("(#!/bin/sh\n?|)([a-z# !/]{0,6}(\n|\r\n)){0,4}[a-z]{0,3}"),
            at in prop::sample::select(vec![At::FirstCommand, At::End]),
        ) {
            let bytes = text.as_deref().map(str::as_bytes);
            let first = put(bytes, "#!/bin/sh\n", "do\n", at).unwrap();
            prop_assert_eq!(body(&first).unwrap(), Some(b"do\n".as_slice()));
            let again = put(Some(&first), "#!/bin/sh\n", "do\n", at).unwrap();
            prop_assert_eq!(&again, &first);
            let other = put(Some(&first), "#!/bin/sh\n", "other\n", at).unwrap();
            prop_assert!(other != first);
            for text in [first, other] {
                let rest = taken_out(&text, "#!/bin/sh\n").unwrap();
                prop_assert_eq!(rest.as_deref(), bytes);
            }
        }
    }
}
