//! Where the tokens of a text stand, so that the next content of a file, which differs in a line or two, need not be
//! parsed again. A text is patched only where that is certain to read the same; else the one parser reads it.

use std::ops::Range;
use std::sync::Arc;

use granit_parser::ScalarStyle;

use super::snapshot::{Granted, Mark, Seal, Snapshot};
use crate::document::LARGEST_TEXT;
use crate::document::path::ValuePath;
use crate::document::token::Token;
use crate::document::tree::{Rules, Scalar, Tree};
use crate::vault::footer::{Footer, footer_of};

/// A text and where the lines of its tokens are.
#[derive(Debug, Default)]
pub(super) struct Layout {
    text: String,
    /// Where a token is the one line of a literal block, and its position in the snapshot; in the order of the text.
    tokens: Vec<(Range<usize>, usize)>,
    /// Where the footer begins.
    footer: Option<usize>,
}

impl Layout {
    /// The bytes of the text.
    pub(super) fn size(&self) -> usize {
        self.text.len()
    }

    /// Reads a content; `near` is another content of the same file that was read before.
    pub(super) fn read(bytes: Vec<u8>, near: Option<(&Self, &Snapshot)>) -> (Self, Snapshot) {
        let Ok(text) = String::from_utf8(bytes) else {
            return (Self::default(), Snapshot::unreadable("it is no UTF-8 text"));
        };
        let patched = near.and_then(|(layout, snapshot)| layout.patched(&text, snapshot));
        let (mut layout, snapshot) = patched.unwrap_or_else(|| Self::parsed(&text, near));
        layout.text = text;
        (layout, snapshot)
    }

    /// Reads a content with the parser. What equals a part of `near` is shared with it. The layout lacks the text itself.
    fn parsed(text: &str, near: Option<(&Self, &Snapshot)>) -> (Self, Snapshot) {
        let mut layout = Self::default();
        let tree = match Tree::parse(text, Rules::File) {
            Ok(tree) => tree,
            Err(refusal) => {
                let mut snapshot = Snapshot::unreadable(refusal.to_string());
                snapshot.granted = footer_of(text).map(|footer| Arc::new(Granted::of(&footer)));
                return (layout, snapshot);
            }
        };
        let mut found = Vec::new();
        tree.visit(&mut |trail, scalar| {
            let token = Token::parse(&scalar.content);
            let mark = match &token {
                Some(token) => Mark::Sealed(Seal::of(token)),
                None => Mark::readable(&scalar.content, scalar.style == ScalarStyle::Plain),
            };
            let line = token.and_then(|_| token_line(text, scalar));
            found.push((trail.to_path(), mark, line));
        });
        found.sort_by(|(one, ..), (other, ..)| one.cmp(other));
        let mut snapshot = Snapshot::default();
        let mut paths = Vec::with_capacity(found.len());
        for (position, (path, mark, line)) in found.into_iter().enumerate() {
            paths.push(path);
            snapshot.marks.push(mark);
            layout.tokens.extend(line.map(|line| (line, position)));
        }
        layout.tokens.sort_by_key(|(line, _)| line.start);
        snapshot.paths = shared(paths, near);
        let Some(footer) = &tree.footer else {
            return (layout, snapshot);
        };
        let start = footer.entry.key.span.start;
        layout.footer = Some(start);
        let known = near.filter(|(other, _)| other.footer.is_some_and(|at| other.text[at..] == text[start..]));
        match known.and_then(|(_, snapshot)| snapshot.granted.clone()) {
            Some(granted) => snapshot.granted = Some(granted),
            None => match Footer::read(&footer.entry) {
                Ok(footer) => snapshot.granted = Some(Arc::new(Granted::of(&footer))),
                Err(fault) => {
                    let line = tree.place(fault.offset).line;
                    snapshot.fault = Some(format!("line {line}: {}", fault.message).into());
                }
            },
        }
        (layout, snapshot)
    }

    /// The reading of `text` if it differs from this text only in lines that are a token in both, the one line of a
    /// literal block with the same indentation: such a line is content, whatever token it is. The layout lacks the text itself.
    fn patched(&self, text: &str, snapshot: &Snapshot) -> Option<(Self, Snapshot)> {
        if self.tokens.is_empty() || snapshot.fault.is_some() || text.len() > LARGEST_TEXT {
            return None;
        }
        let mut snapshot = snapshot.clone();
        let mut tokens = Vec::with_capacity(self.tokens.len());
        let (old, new) = (self.text.as_bytes(), text.as_bytes());
        let (mut old_at, mut new_at) = (0, 0);
        for (line, position) in &self.tokens {
            let between = line.start - old_at;
            if new.get(new_at..new_at + between) != Some(&old[old_at..line.start]) {
                return None;
            }
            let start = new_at + between;
            let rest = &new[start..];
            let same = rest.get(..line.len()) == Some(&old[line.clone()]);
            let length = match same && !is_token_byte(rest.get(line.len())) {
                true => line.len(),
                false => {
                    let length = rest
                        .iter()
                        .position(|byte| !is_token_byte(Some(byte)))
                        .unwrap_or(rest.len());
                    let token = Token::parse(text.get(start..start + length)?)?;
                    snapshot.marks[*position] = Mark::Sealed(Seal::of(&token));
                    length
                }
            };
            tokens.push((start..start + length, *position));
            (old_at, new_at) = (line.end, start + length);
        }
        if new[new_at..] != old[old_at..] {
            return None;
        }
        let moved = |at: usize| (at + new_at) - old_at;
        let footer = match self.footer {
            // The footer's own tokens are none of these lines.
            Some(at) if at >= old_at => Some(moved(at)),
            Some(_) => return None,
            None => None,
        };
        let layout = Self {
            text: String::new(),
            tokens,
            footer,
        };
        Some((layout, snapshot))
    }
}

/// Whether a byte may stand in a token; its end must be the line's.
fn is_token_byte(byte: Option<&u8>) -> bool {
    byte.is_some_and(|byte| !matches!(byte, b'\n' | b'\r'))
}

/// The bytes of a token that is the one line of a literal block scalar, without its indentation.
fn token_line(text: &str, scalar: &Scalar<'_>) -> Option<Range<usize>> {
    if scalar.style != ScalarStyle::Literal || scalar.binary {
        return None;
    }
    let is_blank = |byte: &u8| matches!(byte, b'\n' | b'\r' | b' ');
    let body = &text.as_bytes()[scalar.tail.clone()];
    let start = body.iter().position(|byte| !is_blank(byte))?;
    let behind = body[start..].strip_prefix(scalar.content.as_bytes())?;
    let end = scalar.tail.start + start + scalar.content.len();
    let ends_line = matches!(text.as_bytes().get(end), None | Some(b'\n' | b'\r'));
    (behind.iter().all(is_blank) && ends_line).then_some(scalar.tail.start + start..end)
}

/// The paths, as the very list of `near` if they are the same.
fn shared(paths: Vec<ValuePath>, near: Option<(&Layout, &Snapshot)>) -> Arc<[ValuePath]> {
    match near {
        Some((_, snapshot)) if *snapshot.paths == paths => Arc::clone(&snapshot.paths),
        _ => paths.into(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Layout;
    use crate::history::snapshot::Snapshot;
    use crate::history::testing::Text;

    /// A file with these versions, in a mapping and a list, and what else may stand there.
    fn text(versions: &[u32], extra: u8, key: u8, grants: u8) -> String {
        let mut text = Text::new("prod", key);
        for (position, version) in versions.iter().enumerate() {
            text = match position % 4 {
                3 => text.foreign(&format!("k{position}"), *version, 9),
                2 => text.item("list", *version),
                _ => text.value(&format!("k{position}.inner"), *version),
            };
        }
        for grant in 0..grants {
            text = text.grant(&format!("r{grant}"), grant);
        }
        let written = text.readable("z", "readable").write();
        match extra {
            0 => written,
            1 => written.replace("|-", "|- # comment"),
            2 => written.replace('\n', "\r\n"),
            3 => written.replace("k0:", "# <<<\nk0:"),
            4 => written.replace("|-\n    ENC", ">-\n    ENC"),
            5 => written.replace("inner: |-\n    ENC", "inner: |-\n     ENC"),
            6 => format!("<<<<<<< ours\n{written}"),
            7 => written.replacen("YWdl]", "YWdl ]", 1),
            8 => written.replacen("YWdl]", "YWdlYWdl]", 2),
            _ => written.replacen("YWdl]\n", "YWdl]\n    x\n", 1),
        }
    }

    proptest! {
        #[test]
        fn a_patched_reading_is_the_parsed_one(
            old in proptest::collection::vec(1u32..5, 0..6),
            new in proptest::collection::vec(1u32..5, 0..6),
            extras in (0u8..10, 0u8..10),
            keys in (1u8..3, 1u8..3),
            grants in (0u8..3, 0u8..3),
        ) {
            let old = text(&old, extras.0, keys.0, grants.0);
            let new = text(&new, extras.1, keys.1, grants.1);
            let (layout, near) = Layout::read(old.clone().into_bytes(), None);
            let (patched, snapshot) = Layout::read(new.clone().into_bytes(), Some((&layout, &near)));
            let (parsed, expected) = Layout::read(new.clone().into_bytes(), None);
            prop_assert_eq!(&snapshot, &expected);
            prop_assert_eq!(&snapshot, &Snapshot::read(new.as_bytes()));
            prop_assert_eq!((&patched.tokens, patched.footer), (&parsed.tokens, parsed.footer));
        }
    }

    #[test]
    fn a_changed_token_is_not_parsed_again() {
        let old = text(&[1, 2, 3, 4], 0, 1, 2);
        let new = text(&[1, 7, 3, 4], 0, 1, 2);
        let (layout, near) = Layout::read(old.clone().into_bytes(), None);
        assert!(layout.patched(&new, &near).is_some());
        assert!(layout.patched(&text(&[1, 7, 3], 0, 1, 2), &near).is_none());
    }
}
