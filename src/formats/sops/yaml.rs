//! A sops file in YAML, opened in place: the text stays as it stands, with each sealed value and comment opened and the
//! part called `sops` gone.

use zeroize::Zeroizing;

use super::data::Data;
use super::metadata::{Metadata, way_out};
use super::opening::{Fault, KeyPath, Opening};
use super::resolve;
use super::scalar::Scalar;
use super::sealed::OPENING;
use super::splice::{Piece, assemble};
use super::unfit;
use crate::crypto::identities::Identities;
use crate::document::lines::{Refusal, may_stand_raw};
use crate::document::tree::{self, Mapping, Node, Rules, Sequence, Tree};
use crate::error::{Failure, Result};
use crate::formats::Imported;
use crate::secret::Secret;
use crate::value::Value;

/// The root key of the metadata.
pub(super) const METADATA_KEY: &str = "sops";
/// After so many comments that do not open, no more are tried: each costs as many attempts as its place is deep.
const MOST_UNOPENED: usize = 100;

/// Opens the file `name` with this text.
pub(super) fn read(text: &str, identities: &mut Identities, name: &str) -> Result<Imported> {
    let tree = Tree::parse(text, Rules::Text).map_err(|refusal| refused(name, &refusal))?;
    let Some(metadata) = tree.root.get(METADATA_KEY) else {
        return Err(Failure::failed(format!("`{name}` has no sops metadata")).into());
    };
    let opening = Opening::begin(Metadata::of(&Data::of_node(&metadata.value), name)?, identities, name)?;
    let mut walk = Walk {
        tree: &tree,
        name,
        opening,
        path: KeyPath::default(),
        before: KeyPath::default(),
        comments: text
            .match_indices(&format!("#{OPENING}"))
            .map(|(offset, _)| offset)
            .collect(),
        next_comment: 0,
        unopened: Vec::new(),
        pieces: Vec::new(),
        values: Vec::new(),
    };
    walk.mapping(&tree.root, true)?;
    walk.comments_until(text.len());
    walk.finish()
}

/// A text that is refused, with the ways out.
pub(super) fn refused(name: &str, refusal: &Refusal) -> Failure {
    let failure = Failure::failed(format!("`{name}` {refusal}"));
    let failure = match &refusal.hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    };
    failure.hint(way_out(name))
}

struct Walk<'t, 'a> {
    tree: &'t Tree<'a>,
    name: &'t str,
    opening: Opening,
    path: KeyPath,
    /// The path of the value before: a comment behind it is bound to a mapping on that path.
    before: KeyPath,
    /// Where sealed comments seem to begin.
    comments: Vec<usize>,
    next_comment: usize,
    /// The lines of comments that did not open.
    unopened: Vec<usize>,
    pieces: Vec<Piece<'t, 'a>>,
    /// What each scalar of the result must mean.
    values: Vec<Value>,
}

impl<'t, 'a> Walk<'t, 'a> {
    fn mapping(&mut self, mapping: &'t Mapping<'a>, is_root: bool) -> Result<()> {
        for entry in &mapping.entries {
            self.comments_until(entry.key.span.start);
            if is_root && &*entry.key.name == METADATA_KEY {
                self.remove_metadata(entry);
                continue;
            }
            self.skip_comments(entry.key.span.end);
            self.path.push(&entry.key.name);
            match &entry.value {
                Node::Mapping(mapping) => self.mapping(mapping, false)?,
                Node::Sequence(sequence) => self.sequence(sequence)?,
                Node::Scalar(scalar) => {
                    if self.scalar(scalar)?.is_some() {
                        return Err(self.fault(Fault::Unfit, scalar).into());
                    }
                }
            }
            self.path.pop();
        }
        Ok(())
    }

    /// sops seals the comments of a list as items of it.
    fn sequence(&mut self, sequence: &'t Sequence<'a>) -> Result<()> {
        let mut has_value = false;
        let mut last_comment = None;
        for item in &sequence.items {
            match &item.value {
                Node::Mapping(mapping) => self.mapping(mapping, false)?,
                Node::Sequence(inner) => self.sequence(inner)?,
                Node::Scalar(scalar) => {
                    if let Some(comment) = self.scalar(scalar)? {
                        if sequence.flow {
                            return Err(self.fault(Fault::Unfit, scalar).into());
                        }
                        last_comment = Some(self.pieces.len());
                        let end = self.tree.text[..scalar.end()].trim_end_matches(['\r', '\n']).len();
                        self.pieces.push(Piece::Text(item.start..end, comment_text(&comment)));
                        continue;
                    }
                }
            }
            has_value = true;
        }
        // Comments alone would be read as `null`.
        if let (false, Some(Piece::Text(_, text))) = (has_value, last_comment.map(|last| &mut self.pieces[last])) {
            *text = Zeroizing::new(format!(" [] {}", **text));
        }
        Ok(())
    }

    /// Opens a value; returns what it seals if that is a comment.
    fn scalar(&mut self, scalar: &'t tree::Scalar<'a>) -> Result<Option<Secret>> {
        self.comments_until(scalar.head.start);
        self.skip_comments(scalar.end());
        self.path.check_length().map_err(|fault| self.fault(fault, scalar))?;
        self.before = self.path.clone();
        let Some(readable) = resolve::mac_bytes(scalar) else {
            self.values.push(Value::Null);
            return Ok(None);
        };
        let opened = self.opening.value(&self.path, Some(&scalar.content), || readable);
        match opened.map_err(|fault| self.fault(fault, scalar))? {
            Some(Scalar::Comment(comment)) => return Ok(Some(comment)),
            Some(opened) => {
                let written = opened.into_written();
                self.values.push(written.value());
                self.pieces.push(Piece::Value(scalar, written));
            }
            None => self.values.push(scalar.value()),
        }
        Ok(None)
    }

    fn fault(&self, fault: Fault, scalar: &tree::Scalar<'_>) -> Failure {
        fault.at(self.name, &self.tree.place(scalar.head.start).to_string())
    }

    /// From the line of the key to the line where its value ends.
    fn remove_metadata(&mut self, entry: &tree::Entry<'_>) {
        let lines = &self.tree.lines;
        let start = lines.start_of(entry.key.span.start);
        let last = entry.value.span().end.saturating_sub(1).max(entry.key.span.start);
        let end = lines.next_of(last);
        self.skip_comments(end);
        self.pieces.push(Piece::Text(start..end, Zeroizing::default()));
    }

    /// What looks like a comment before `offset` stands in a key, a value or the metadata.
    fn skip_comments(&mut self, offset: usize) {
        let rest = &self.comments[self.next_comment..];
        self.next_comment += rest.iter().take_while(|comment| **comment < offset).count();
    }

    fn comments_until(&mut self, offset: usize) {
        while let Some(comment) = self.comments.get(self.next_comment).filter(|at| **at < offset) {
            let comment = *comment;
            self.next_comment += 1;
            if self.comment(comment).is_none() {
                self.unopened.push(self.tree.place(comment).line);
            }
        }
    }

    fn comment(&mut self, offset: usize) -> Option<()> {
        let line = &self.tree.text[offset + 1..self.tree.lines.end_of(offset)];
        let sealed = &line[..=line.find(']')?];
        if self.unopened.len() >= MOST_UNOPENED {
            return None;
        }
        let bounds = self.path.all_bound().chain(self.before.all_bound());
        let comment = self.opening.comment(sealed, bounds)?;
        let range = offset..offset + 1 + sealed.len();
        self.pieces.push(Piece::Text(range, comment_text(&comment)));
        Some(())
    }

    fn finish(self) -> Result<Imported> {
        self.opening.finish(self.name)?;
        let text =
            assemble(self.tree, self.pieces, &self.values).map_err(|refusal| unfit(self.name, refusal.as_ref()))?;
        let note = match self.unopened.as_slice() {
            [] => None,
            [line] => Some(format!("the comment in line {line} did not open and stays as it is")),
            lines => Some(format!("{} comments did not open and stay as they are", lines.len())),
        };
        Ok(Imported {
            text,
            notes: note.into_iter().collect(),
        })
    }
}

/// A comment with its `#`, in one line: what may not stand in a text becomes a blank.
pub(super) fn comment_text(comment: &Secret) -> Zeroizing<String> {
    let content = comment.expose();
    let mut text = Zeroizing::new(String::with_capacity(content.len() * 3 + 1));
    text.push('#');
    for chunk in content.utf8_chunks() {
        let shown = chunk.valid().chars();
        text.extend(shown.map(|character| {
            if may_stand_raw(character) && character != '\n' {
                character
            } else {
                ' '
            }
        }));
    }
    text
}
