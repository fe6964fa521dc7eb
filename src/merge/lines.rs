//! Lines between entries, and conflicts: comments merged line by line, and the markers between which both sides of what
//! cannot be merged stand, as git writes them.

use super::Side;
use crate::document::lines::line_end;
use crate::value::LineEnd;

/// How a conflict is marked.
#[derive(Clone, Debug)]
pub struct Marks {
    /// The length of each marker.
    pub size: usize,
    /// What the branch that is merged into is called.
    pub ours: String,
    /// What the merged branch is called.
    pub theirs: String,
    /// What both grew out of is called, if it is to be shown too (`merge.conflictStyle`).
    pub base: Option<String>,
}

impl Marks {
    fn line(&self, character: char, label: &str) -> String {
        let marker = character.to_string().repeat(self.size);
        if label.is_empty() {
            marker
        } else {
            format!("{marker} {label}")
        }
    }

    /// The line above our side.
    pub(super) fn opening(&self) -> String {
        self.line('<', &self.ours)
    }

    /// The line above what both grew out of.
    pub(super) fn ancestor(&self) -> Option<String> {
        self.base.as_ref().map(|label| self.line('|', label))
    }

    /// The line between the sides.
    pub(super) fn middle(&self) -> String {
        self.line('=', "")
    }

    /// The line below their side.
    pub(super) fn closing(&self) -> String {
        self.line('>', &self.theirs)
    }
}

/// The line ends of a text.
pub fn line_end_of(text: &str) -> &'static str {
    line_end(text).text()
}

/// Lines without their ends.
pub(super) fn split(text: &str) -> Vec<&str> {
    text.lines().collect()
}

/// The lengths of the lines that both begin with, and of those behind these that both end with.
fn common(left: &[&str], right: &[&str]) -> (usize, usize) {
    let before = left.iter().zip(right).take_while(|(left, right)| left == right).count();
    let (left, right) = (&left[before..], &right[before..]);
    let after = left
        .iter()
        .rev()
        .zip(right.iter().rev())
        .take_while(|(left, right)| left == right)
        .count();
    (before, after)
}

/// Appends both texts as a conflict; lines that both begin or end with stand outside the markers.
pub fn conflict(out: &mut String, base: Option<&str>, ours: &str, theirs: &str, marks: &Marks, line_end: &str) {
    let (ours, theirs) = (split(ours), split(theirs));
    let (before, after) = common(&ours, &theirs);
    let mut put = |lines: &[&str]| {
        for line in lines {
            out.push_str(line);
            out.push_str(line_end);
        }
    };
    put(&ours[..before]);
    if before + after < ours.len() || before + after < theirs.len() {
        put(&[&marks.opening()]);
        put(&ours[before..ours.len() - after]);
        if let Some(ancestor) = marks.ancestor() {
            let base = split(base.unwrap_or_default());
            let same = |left: &[&str], right: &[&str], length: usize| {
                length <= left.len() && length <= right.len() && left[..length] == right[..length]
            };
            let start = if same(&base, &ours, before) { before } else { 0 };
            let end = base.len().saturating_sub(after).max(start);
            let end = if base[end..] == ours[ours.len() - after..] {
                end
            } else {
                base.len()
            };
            put(&[&ancestor]);
            put(&base[start..end]);
        }
        put(&[&marks.middle()]);
        put(&theirs[before..theirs.len() - after]);
        put(&[&marks.closing()]);
    }
    put(&ours[ours.len() - after..]);
}

/// The numbers of the lines that stand there if one side of each conflict is taken.
pub(super) fn seen<'l>(lines: &'l [&str], marks: &Marks, side: Side) -> impl Iterator<Item = usize> + use<'l> {
    #[derive(PartialEq)]
    enum Place {
        Outside,
        In(Side),
        Ancestor,
    }
    let (opening, middle, closing) = (marks.opening(), marks.middle(), marks.closing());
    let ancestor = marks.ancestor();
    let mut place = Place::Outside;
    lines.iter().enumerate().filter_map(move |(number, line)| {
        let content = line.trim_end_matches(['\r', '\n']);
        let next = match place {
            Place::Outside if content == opening => Place::In(Side::Ours),
            Place::In(Side::Ours) if Some(content) == ancestor.as_deref() => Place::Ancestor,
            Place::In(Side::Ours) | Place::Ancestor if content == middle => Place::In(Side::Theirs),
            Place::In(Side::Theirs) if content == closing => Place::Outside,
            _ => return (place == Place::Outside || place == Place::In(side)).then_some(number),
        };
        place = next;
        None
    })
}

/// A line between entries.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// As it is to be written, without its end.
    pub(super) text: String,
}

impl Line {
    /// What counts when lines are compared: a formatter moves comments to the side.
    fn content(&self) -> &str {
        self.text.trim()
    }
}

/// Lines of both sides, merged; `Err` with the three parts that differ, and what stands before and behind them.
pub(super) struct Clash {
    pub(super) before: Vec<Line>,
    pub(super) base: Vec<Line>,
    pub(super) main: Vec<Line>,
    pub(super) other: Vec<Line>,
    pub(super) after: Vec<Line>,
}

/// The three-way merge of the lines between two entries. The changes of a side are taken as one.
pub(super) fn merge_lines(base: &[Line], main: Vec<Line>, other: &[Line]) -> Result<Vec<Line>, Box<Clash>> {
    fn contents(lines: &[Line]) -> Vec<&str> {
        lines.iter().map(Line::content).collect()
    }
    let (in_base, in_main, in_other) = (contents(base), contents(&main), contents(other));
    if in_other == in_base || in_main == in_other {
        return Ok(main);
    }
    if in_main == in_base {
        return Ok(other.to_vec());
    }
    // Blank lines that a side put in or took out are no reason to ask anybody.
    let filled = |lines: &[&'_ str]| {
        lines
            .iter()
            .filter(|line| !line.is_empty())
            .copied()
            .collect::<Vec<_>>()
            .join("\n")
    };
    let [of_base, of_main, of_other] = [&in_base, &in_main, &in_other].map(|lines| filled(lines));
    if of_other == of_base || of_main == of_other {
        return Ok(main);
    }
    if of_main == of_base {
        return Ok(other.to_vec());
    }
    // Each side's change, as a range of the base.
    let (main_before, main_after) = common(&in_base, &in_main);
    let (other_before, other_after) = common(&in_base, &in_other);
    let (main_end, other_end) = (base.len() - main_after, base.len() - other_after);
    if main_end < other_before || (main_end == other_before && main_before < main_end && other_before < other_end) {
        let mut merged = main[..main.len() - main_after].to_vec();
        merged.extend_from_slice(&main[main.len() - (base.len() - main_end)..][..other_before - main_end]);
        merged.extend_from_slice(&other[other_before..]);
        return Ok(merged);
    }
    if other_end < main_before || (other_end == main_before && other_before < other_end && main_before < main_end) {
        let mut merged = other[..other.len() - other_after].to_vec();
        merged.extend_from_slice(&main[other_end..]);
        return Ok(merged);
    }
    let before = main_before.min(other_before);
    let after = main_after.min(other_after);
    Err(Box::new(Clash {
        before: main[..before].to_vec(),
        base: base[before..base.len() - after].to_vec(),
        main: main[before..main.len() - after].to_vec(),
        other: other[before..other.len() - after].to_vec(),
        after: main[main.len() - after..].to_vec(),
    }))
}

/// `text`, whose first line begins at its own column, with the lines behind it moved by `shift` columns and all of them
/// ended by `line_end`.
pub(super) fn shifted(text: &str, shift: isize, line_end: LineEnd) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let (content, ended) = match line.strip_suffix('\n') {
            Some(content) => (content.strip_suffix('\r').unwrap_or(content), true),
            None => (line, false),
        };
        match number {
            0 => out.push_str(content),
            _ => out.push_str(&moved(content, shift)),
        }
        if ended {
            out.push_str(line_end.text());
        }
    }
    out
}

/// One line, moved by `shift` columns as far as its blanks allow.
pub(super) fn moved(line: &str, shift: isize) -> String {
    if line.trim().is_empty() {
        return line.to_owned();
    }
    match usize::try_from(shift) {
        Ok(more) => format!("{}{line}", " ".repeat(more)),
        Err(_) => {
            let blanks = line.len() - line.trim_start_matches(' ').len();
            line[blanks.min(shift.unsigned_abs())..].to_owned()
        }
    }
}
