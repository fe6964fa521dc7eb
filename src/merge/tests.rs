//! What becomes of texts that were changed on two sides: the cases that people know by name, and random ones held against
//! a merge of plain maps.

mod cases;
mod model;

use super::check::resolved;
use super::{Marks, Merged, Side, Task, merge};
use crate::document::tree::{Rules, Tree};

/// The markers of the tests.
fn marks() -> Marks {
    Marks {
        size: 7,
        ours: "main".to_owned(),
        theirs: "topic".to_owned(),
        base: None,
    }
}

fn merged(base: &str, ours: &str, theirs: &str) -> Merged {
    let [base, ours, theirs] = [base, ours, theirs]
        .map(|text| Tree::parse(text, Rules::File).unwrap_or_else(|refusal| panic!("{refusal}\n{text}")));
    merge(&Task {
        base: Some(&base),
        ours: &ours,
        theirs: &theirs,
        doubted: &std::collections::BTreeSet::new(),
        marks: &marks(),
    })
}

/// A text with one side of each conflict.
fn side_of(text: &str, side: Side) -> String {
    resolved(text, &marks(), side)
}
