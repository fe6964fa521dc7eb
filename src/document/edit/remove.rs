//! Takes values out of a text by path, line by line: what stands elsewhere keeps its bytes.

use zeroize::Zeroizing;

use super::{key_of, lines_end};
use crate::document::extent::next_indicator;
use crate::document::lines::leading_blanks;
use crate::document::path::{Segment, ValuePath};
use crate::document::tree::{Located, Node, Tree};
use crate::document::write::{Replacement, settle, splice};
use crate::value::LineEnd;

/// `text` (the tree's, without its footer) without what stands at `path`, and without the mappings and lists that become empty by that.
/// Comments above stay. Nothing if nothing stands there.
pub fn remove(tree: &Tree<'_>, path: &ValuePath, line_end: LineEnd) -> Option<String> {
    tree.node(path)?;
    let mut segments = path.segments();
    // Climb while the parent holds nothing else; the root always stays.
    while segments.len() > 1 {
        let parent = tree.node(&ValuePath::new(segments[..segments.len() - 1].to_vec()))?;
        let children = match parent {
            Located::Mapping(mapping) => mapping.entries.len(),
            Located::Sequence(sequence) => sequence.items.len(),
            Located::Scalar(_) => return None,
        };
        if children > 1 {
            break;
        }
        segments = &segments[..segments.len() - 1];
    }
    let (last, parents) = segments.split_last()?;
    let parent = tree.node(&ValuePath::new(parents.to_vec()))?;
    let children: Vec<(usize, &Node<'_>)> = match parent {
        Located::Mapping(mapping) => mapping
            .entries
            .iter()
            .map(|entry| (entry.key.span.start, &entry.value))
            .collect(),
        Located::Sequence(sequence) => sequence.items.iter().map(|item| (item.start, &item.value)).collect(),
        Located::Scalar(_) => return None,
    };
    let position = match (parent, last) {
        (Located::Mapping(mapping), segment) => {
            let key = key_of(segment);
            mapping.entries.iter().position(|entry| *entry.key.name == *key)?
        }
        (_, Segment::Index(index)) => *index,
        _ => return None,
    };
    let flow = matches!(parent, Located::Mapping(mapping) if mapping.flow)
        || matches!(parent, Located::Sequence(sequence) if sequence.flow);
    let replacements = if flow {
        remove_flow(tree, &children, position)
    } else {
        vec![remove_block(tree, &children, position, line_end)]
    };
    let mut text = splice(tree.body(), &replacements);
    // The token above may now stand before comments that it did not stand before.
    let above = tree.text[..children[position].0]
        .trim_end_matches([' ', '-', '\n', '\r'])
        .len();
    if above > 0 && above <= text.len() {
        settle(&mut text, above - 1);
    }
    Some(std::mem::take(&mut *text))
}

fn remove_block(tree: &Tree<'_>, children: &[(usize, &Node<'_>)], position: usize, line_end: LineEnd) -> Replacement {
    let (start, value) = children[position];
    let end = lines_end(tree, value).min(tree.body().len());
    let line_start = tree.lines.start_of(start);
    let alone = tree.text[line_start..start].bytes().all(|byte| byte == b' ');
    if alone {
        return Replacement {
            range: line_start..end,
            text: Zeroizing::default(),
        };
    }
    // It stands behind a dash (`- a: 1`): the dash stays, and the next sibling moves up to it.
    let next = children.get(position + 1).map_or(end, |(next, _)| *next);
    let between = &tree.text[end.min(next)..next];
    if between.bytes().all(|byte| byte == b' ') {
        return Replacement {
            range: start..next,
            text: Zeroizing::default(),
        };
    }
    Replacement {
        range: start..end,
        text: Zeroizing::new(line_end.text().to_owned()),
    }
}

pub(super) fn remove_flow(tree: &Tree<'_>, children: &[(usize, &Node<'_>)], position: usize) -> Vec<Replacement> {
    let text = tree.text;
    let (start, value) = children[position];
    let end = value.span().end;
    let nothing = |range| Replacement {
        range,
        text: Zeroizing::default(),
    };
    if position + 1 < children.len() {
        let comma = next_indicator(text, end, b',').unwrap_or(end);
        let behind = (comma + 1).min(text.len());
        return vec![nothing(start..behind + leading_blanks(&text[behind..]))];
    }
    let Some((_, before)) = position.checked_sub(1).map(|before| children[before]) else {
        return vec![nothing(start..end)];
    };
    let comma = next_indicator(text, before.span().end, b',').unwrap_or(start);
    if text[comma..start].contains('#') {
        return vec![nothing(comma..(comma + 1).min(start)), nothing(start..end)];
    }
    vec![nothing(comma.min(start)..end)]
}
