//! Puts what was sealed in a YAML text back into it. Multi-line text becomes a literal block where that is safe; the
//! result is parsed, and where it does not mean what it should, it is put together once more with quotes only.

use std::ops::Range;

use zeroize::Zeroizing;

use super::scalar::Written;
use crate::document::lines::{Refusal, line_end};
use crate::document::render::Position;
use crate::document::tree::{Rules, Scalar, Tree};
use crate::value::{LineEnd, Value};

/// A part of the text that becomes another.
pub(super) enum Piece<'t, 'a> {
    /// A scalar that gets another value.
    Value(&'t Scalar<'a>, Written),
    /// Some bytes that become this text.
    Text(Range<usize>, Zeroizing<String>),
}

impl Piece<'_, '_> {
    fn start(&self) -> usize {
        match self {
            Self::Value(scalar, _) => scalar.head.start,
            Self::Text(range, _) => range.start,
        }
    }
}

/// The text of `tree` with all pieces, which do not overlap. `values` are those that its scalars must have then.
///
/// # Errors
/// If no text with these values can be put together, and why that which was is refused, if it is.
pub(super) fn assemble(
    tree: &Tree<'_>,
    mut pieces: Vec<Piece<'_, '_>>,
    values: &[Value],
) -> Result<Zeroizing<String>, Option<Refusal>> {
    pieces.sort_by_key(Piece::start);
    let mut refusal = None;
    for only_quotes in [false, true] {
        let text = joined(tree, &pieces, only_quotes);
        match Tree::parse(&text, Rules::Text) {
            Ok(parsed) => {
                let scalars = parsed.scalars();
                let fits = scalars.len() == values.len()
                    && scalars
                        .iter()
                        .zip(values)
                        .all(|((_, scalar), value)| scalar.value() == *value);
                if fits {
                    return Ok(text);
                }
            }
            Err(reason) => refusal = Some(reason),
        }
    }
    Err(refusal)
}

fn joined(tree: &Tree<'_>, pieces: &[Piece<'_, '_>], only_quotes: bool) -> Zeroizing<String> {
    let line_end = line_end(tree.text);
    let mut replaced = Vec::with_capacity(pieces.len());
    for piece in pieces {
        match piece {
            Piece::Text(range, text) => replaced.push((range.clone(), text.clone())),
            Piece::Value(scalar, written) => push_value(tree, scalar, written, line_end, only_quotes, &mut replaced),
        }
    }
    let length = replaced.iter().map(|(_, text)| text.len()).sum::<usize>();
    let mut out = Zeroizing::new(String::with_capacity(tree.text.len() + length));
    let mut copied = 0;
    for (range, text) in &replaced {
        out.push_str(&tree.text[copied..range.start]);
        out.push_str(text);
        copied = range.end;
    }
    out.push_str(&tree.text[copied..]);
    out
}

fn push_value(
    tree: &Tree<'_>,
    scalar: &Scalar<'_>,
    written: &Written,
    line_end: LineEnd,
    only_quotes: bool,
    replaced: &mut Vec<(Range<usize>, Zeroizing<String>)>,
) {
    let rest = &tree.text[scalar.head.end..tree.lines.end_of(scalar.head.end)];
    let is_alone = !scalar.flow && !scalar.is_block() && rest.trim().is_empty();
    let position = Position {
        column: scalar.column,
        line_end,
        flow: scalar.flow,
    };
    let mut text = written.text(position);
    let is_literal = text.contains('\n');
    if is_literal && (!is_alone || only_quotes) {
        text = written.text(Position { flow: true, ..position });
    } else if is_literal {
        // The line's own end follows.
        let length = text.len() - line_end.text().len();
        text.truncate(length);
    }
    replaced.push((scalar.head.clone(), text));
    if scalar.is_block() {
        let end = if tree.text[scalar.tail.clone()].ends_with('\n') {
            line_end.text()
        } else {
            ""
        };
        replaced.push((scalar.tail.clone(), Zeroizing::new(end.to_owned())));
    }
}
