//! How the entries beside a new one are written, so that it looks like them.

use crate::document::tree::{Mapping, Node, Tree};

/// How the entries around a new one are written.
#[derive(Clone, Copy)]
pub(super) struct Style {
    pub(super) flow_mapping: bool,
    pub(super) flow_list: bool,
    /// How much further right the entries of an inner mapping stand.
    pub(super) step: usize,
    /// How much further right the dashes of a list stand than its key.
    pub(super) dash: usize,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            flow_mapping: false,
            flow_list: false,
            step: 2,
            dash: 2,
        }
    }
}

/// The style of the last sibling that is a mapping.
pub(super) fn style_of(tree: &Tree<'_>, siblings: &Mapping<'_>) -> Style {
    let mut style = Style::default();
    let like = siblings.entries.iter().rev().find_map(|entry| match &entry.value {
        Node::Mapping(mapping) => Some((entry, mapping)),
        _ => None,
    });
    let Some((entry, mapping)) = like else { return style };
    style.flow_mapping = mapping.flow;
    let column = |offset| tree.lines.column_of(offset);
    if !mapping.flow {
        style.step = column(mapping.span.start)
            .saturating_sub(column(entry.key.span.start))
            .max(1);
    }
    for inner in &mapping.entries {
        if let Node::Sequence(list) = &inner.value {
            style.flow_list = list.flow;
            if !list.flow {
                style.dash = column(list.span.start).saturating_sub(column(inner.key.span.start));
            }
            break;
        }
    }
    style
}
