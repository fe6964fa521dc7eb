//! An environment file as `git diff` shows it: a line for each value, with its whole path, in the order of the file and
//! with its comments. Versions for everyone, marks and rough lengths for those who hold the key, values only on demand.

mod footer;
mod sheet;

use zeroize::Zeroizing;

use crate::crypto::envelope::from_base64;
use crate::crypto::grant::{LARGEST_GRANT, open_any};
use crate::crypto::identities::Identities;
use crate::crypto::key::EnvironmentKey;
use crate::crypto::mark::Marker;
use crate::crypto::token::{TokenKind, open_token};
use crate::document::path::ValuePath;
use crate::document::render::{Position, render};
use crate::document::token::Token;
use crate::document::tree::{Rules, Tree};
use crate::names::EnvironmentName;
use crate::value::{LineEnd, Value};
use crate::vault::footer::Footer;
use sheet::Sheet;

/// Lengths are told in steps of this many bytes, as the padding of a token tells them anyway.
const STEP: usize = 32;

/// What a reader is shown of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// A mark and a rough length.
    Marks,
    /// The value itself.
    Values,
}

/// The text that git compares instead of `bytes`. Nobody is asked for anything; `detail` is only called if an identity here
/// opens the file. What is no environment file comes back as it is, behind a line that says why.
pub fn textconv(bytes: &[u8], identities: &mut Identities, detail: impl FnOnce() -> Detail) -> Zeroizing<Vec<u8>> {
    let as_it_is = |reason: &str| {
        let mut text = Zeroizing::new(format!("# secretree: {reason}; shown as it is\n").into_bytes());
        text.extend_from_slice(bytes);
        text
    };
    let Ok(text) = std::str::from_utf8(bytes) else {
        return as_it_is("not UTF-8");
    };
    let tree = match Tree::parse(text, Rules::File) {
        Ok(tree) => tree,
        Err(refusal) => return as_it_is(&refusal.to_string()),
    };
    let Some(entry) = &tree.footer else {
        return as_it_is("no footer, so nothing in it is encrypted");
    };
    let footer = match Footer::read(&entry.entry) {
        Ok(footer) => footer,
        Err(fault) => return as_it_is(&format!("{}: {}", tree.place(fault.offset), fault.message)),
    };
    let reader = open(&footer, identities).map(|key| Reader {
        marker: Marker::new(&key),
        environment: &footer.environment,
        key,
        detail: detail(),
    });
    let mut sheet = Sheet::new(&tree, text.len());
    sheet.body(&tree, &mut |path, token| shown(path, token, &footer, reader.as_ref()));
    footer::append(&footer, &tree, &mut sheet);
    sheet.finish()
}

/// Somebody who holds the key.
struct Reader<'f> {
    environment: &'f EnvironmentName,
    key: EnvironmentKey,
    marker: Marker,
    detail: Detail,
}

/// The key, if an identity here opens it for nothing. Whether it is to be believed does not matter: nothing is sealed, and
/// nothing is handed on.
fn open(footer: &Footer, identities: &mut Identities) -> Option<EnvironmentKey> {
    let files = footer
        .all_grants()
        .map(|(_, label, file)| Some((label, from_base64(file, LARGEST_GRANT).ok()?)));
    let files: Vec<_> = files.collect::<Option<_>>()?;
    let borrowed: Vec<_> = files.iter().map(|(label, bytes)| (*label, bytes.as_slice())).collect();
    let (_, grant) = open_any(&borrowed, identities).ok()?;
    let fits = grant.environment == footer.environment && *grant.key.drop_box() == footer.drop_box;
    fits.then_some(grant.key)
}

/// What stands behind the path of a value.
fn shown(path: &ValuePath, token: &Token<'_>, footer: &Footer, reader: Option<&Reader<'_>>) -> Zeroizing<String> {
    let version = format!("<{}>", token.version);
    if token.key != footer.drop_box.id() {
        return Zeroizing::new(format!("{version} sealed under {}", token.key));
    }
    let Some(reader) = reader else {
        return Zeroizing::new(version);
    };
    let place = path.to_json();
    let Some(value) = value(token, &place, reader) else {
        return Zeroizing::new(format!("{version} does not open"));
    };
    match reader.detail {
        Detail::Marks => {
            let mark = reader.marker.mark(reader.environment, &place, &value);
            let length = value.delivered().expose().len().div_ceil(STEP).max(1) * STEP;
            Zeroizing::new(format!("{version} {mark} (up to {length} bytes)"))
        }
        Detail::Values => {
            let position = Position {
                column: 0,
                line_end: LineEnd::Lf,
                flow: false,
            };
            let rendered = render(&value, position);
            let mut text = Zeroizing::new(String::with_capacity(version.len() + rendered.len() + 1));
            text.push_str(&version);
            text.push(' ');
            text.push_str(&rendered);
            text
        }
    }
}

fn value(token: &Token<'_>, place: &str, reader: &Reader<'_>) -> Option<Value> {
    let opened = open_token(&reader.key, token.base64).ok()?;
    let fits = opened.kind == TokenKind::Value
        && opened.environment == *reader.environment
        && opened.path == place
        && opened.version == token.version;
    fits.then_some(opened.value)
}
