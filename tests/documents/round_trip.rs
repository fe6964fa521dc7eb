//! Seals a text with made-up tokens and opens it again, the way an environment is written and read but without keys.
//! The fuzz target `document` includes this file too.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secretree::document::lines::{Refusal, line_end};
use secretree::document::source::{agrees, source_of};
use secretree::document::tree::{Rules, Tree};
use secretree::document::write::{Opened, write_tokens, write_values};

/// What stands in for the footer of an environment file.
const FOOTER: &str = "secretree:\n  format: 1\n";

/// Seals and opens `text` and panics wherever a promise of the format is broken: every scalar becomes a token on a
/// line of its own, nothing else changes, and opening gives the text back byte for byte. A refused text is told.
pub(crate) fn check(text: &str) -> Result<(), Refusal> {
    let tree = Tree::parse(text, Rules::Text)?;
    let ends = line_end(text);
    let scalars = tree.scalars();
    let opened: Vec<Opened> = scalars
        .iter()
        .map(|(path, scalar)| {
            let value = scalar.value();
            let source = source_of(text, scalar, &value, ends);
            let fits = source.as_ref().is_none_or(|source| agrees(source, &value));
            assert!(fits, "the source of `{path}` is not read as its value in {text:?}");
            Opened { value, source }
        })
        .collect();
    let tokens: Vec<_> = scalars
        .iter()
        .enumerate()
        .map(|(number, (_, scalar))| (*scalar, token(number)))
        .collect();
    let file = with_footer(write_tokens(text, &tree.lines, ends, &tokens), ends.text());

    let sealed =
        Tree::parse(&file, Rules::File).unwrap_or_else(|refusal| panic!("the sealed text is refused: {refusal}"));
    let places = sealed.scalars();
    assert_eq!(places.len(), scalars.len(), "sealing changed the number of scalars");
    for (number, ((path, scalar), (before, old))) in places.iter().zip(&scalars).enumerate() {
        assert_eq!(path, before, "sealing moved a value");
        assert_eq!(*scalar.content, token(number), "`{path}` does not hold its token");
        assert_eq!(scalar.flow, old.flow, "`{path}` changed its style");
        assert!(
            scalar.flow || scalar.is_block(),
            "the token of `{path}` has no line of its own"
        );
    }

    let opened: Vec<_> = places.iter().map(|(_, scalar)| *scalar).zip(opened).collect();
    let final_newline = text.is_empty() || text.ends_with('\n');
    let written = write_values(&sealed, ends, &opened, final_newline).expect("what was sealed can be opened");
    assert_eq!(*written, text, "opening does not give the text back");
    Ok(())
}

/// A token that no key made; its base64 holds its number.
fn token(number: usize) -> String {
    let body = BASE64_STANDARD.encode(format!("token {number:09}"));
    format!("ENC[age,k0123456789abcdef,v{number:08x},{body}]")
}

/// The file of a sealed body: one blank line before the footer, none if the body is empty (FORMAT, Text 6).
fn with_footer(mut body: String, line_end: &str) -> String {
    if !body.is_empty() {
        if !body.ends_with('\n') {
            body.push_str(line_end);
        }
        body.push_str(line_end);
    }
    body + &FOOTER.replace('\n', line_end)
}
