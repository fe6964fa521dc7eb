//! What a report consists of before it is written as text or Markdown: blocks with sections with rows of cells. Words of
//! ours and text that others wrote are kept apart, so that each writer escapes the latter for where it goes.

use zeroize::Zeroizing;

/// A part of a cell.
pub(super) enum Part {
    /// Words of ours.
    Words(String),
    /// What somebody else wrote: a path, a name, a pattern.
    Foreign(String),
    /// A value, which only a reader who asked for it sees, and never in Markdown.
    Value(Zeroizing<String>),
}

/// One cell of a row.
#[derive(Default)]
pub(super) struct Cell(pub(super) Vec<Part>);

impl Cell {
    /// Words of ours alone.
    pub(super) fn of(words: impl Into<String>) -> Self {
        Self::default().words(words)
    }

    /// Foreign text alone.
    pub(super) fn foreign(text: impl ToString) -> Self {
        Self::default().name(text)
    }

    /// A value alone.
    pub(super) fn value(value: &Zeroizing<String>) -> Self {
        Self(vec![Part::Value(value.clone())])
    }

    /// With words of ours behind it.
    pub(super) fn words(mut self, words: impl Into<String>) -> Self {
        self.0.push(Part::Words(words.into()));
        self
    }

    /// With foreign text behind it.
    pub(super) fn name(mut self, text: impl ToString) -> Self {
        self.0.push(Part::Foreign(text.to_string()));
        self
    }
}

/// One line.
pub(super) struct Row {
    /// `+ ~ - > !`.
    pub(super) sign: char,
    /// The cells behind it.
    pub(super) cells: Vec<Cell>,
}

/// Rows of one kind.
pub(super) struct Section {
    /// What they are about, in lower case.
    pub(super) heading: String,
    /// What the cells are.
    pub(super) columns: Vec<&'static str>,
    /// In order; never empty.
    pub(super) rows: Vec<Row>,
}

impl Section {
    /// A section, unless there are no rows.
    pub(super) fn new(heading: impl Into<String>, columns: Vec<&'static str>, rows: Vec<Row>) -> Option<Self> {
        (!rows.is_empty()).then(|| Self {
            heading: heading.into(),
            columns,
            rows,
        })
    }
}

/// An environment, or the policy.
pub(super) struct Block {
    /// Which.
    pub(super) title: Cell,
    /// Never empty.
    pub(super) sections: Vec<Section>,
}
