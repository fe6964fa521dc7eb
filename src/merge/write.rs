//! Writes what was decided: the main text's lines as they are, the other's at the columns of the main one, comments merged
//! line by line, and markers around what a person has to decide.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::decide::{Child, Decision, Pick};
use super::lines::{Line, Marks, conflict, merge_lines, moved, seen, shifted, split};
use super::part::{Part, Version};
use super::{Conflict, Reason, Side};
use crate::document::lines::line_end;
use crate::document::path::{Segment, ValuePath};
use crate::document::token::is_token;
use crate::document::tree::Node;
use crate::document::write::swallowed_below;
use crate::value::LineEnd;

/// Something for each of the three texts.
#[derive(Default)]
struct Three<T> {
    base: T,
    main: T,
    other: T,
}

/// The lines above parts that are removed, for the parts that follow them.
type Inherited<'p> = HashMap<&'p Segment, Vec<Line>>;

pub(super) struct Writer<'p> {
    base: &'p Version<'p>,
    main: &'p Version<'p>,
    other: &'p Version<'p>,
    main_side: Side,
    marks: &'p Marks,
    line_end: LineEnd,
    out: String,
    /// Whether a dash was just written, behind which the next entry may stand.
    inline: bool,
    /// Lines above what was removed at the end of a collection: they belong to what comes next.
    carried: Three<Vec<Line>>,
    path: Vec<Segment>,
    conflicts: Vec<Conflict>,
}

impl<'p> Writer<'p> {
    pub(super) fn new(
        base: &'p Version<'p>,
        main: &'p Version<'p>,
        other: &'p Version<'p>,
        main_side: Side,
        marks: &'p Marks,
    ) -> Self {
        let text = if main.body.is_empty() { other.body } else { main.body };
        Self {
            base,
            main,
            other,
            main_side,
            marks,
            line_end: line_end(text),
            out: String::with_capacity(main.body.len() + other.body.len() / 4),
            inline: false,
            carried: Three::default(),
            path: Vec::new(),
            conflicts: Vec::new(),
        }
    }

    /// The text, and the conflicts in it.
    pub(super) fn write(mut self, children: &[Child<'p>]) -> (String, Vec<Conflict>) {
        if self.main.body.starts_with('\u{feff}') {
            self.out.push('\u{feff}');
        }
        let (base, main, other) = (self.base, self.main, self.other);
        let column = main.parts.first().or(other.parts.first()).map_or(0, |part| part.column);
        self.list(children, &base.parts, &main.parts, &other.parts, column);
        let mut last = std::mem::take(&mut self.carried);
        last.base.extend(lines_of(base, &base.tail, 0));
        last.main.extend(lines_of(main, &main.tail, 0));
        last.other.extend(lines_of(other, &other.tail, 0));
        self.gap(&last.base, Some(last.main), Some(last.other));
        if !main.body.is_empty() && !main.body.ends_with('\n') && self.out.ends_with('\n') {
            let length = self.out.trim_end_matches(['\r', '\n']).len();
            let kept = self.out[length..].len() - self.line_end.text().len();
            self.out.truncate(length + kept);
        }
        (settled(&self.out, self.marks), self.conflicts)
    }

    /// The entries or items of one collection, at `column`.
    fn list(
        &mut self,
        children: &[Child<'p>],
        base: &'p [Part<'p>],
        main: &'p [Part<'p>],
        other: &'p [Part<'p>],
        column: usize,
    ) {
        let kept: HashSet<&Segment> = children.iter().map(Child::segment).collect();
        let shift = |parts: &[Part<'_>]| parts.first().map_or(0, |part| distance(part.column, column));
        let (mut in_base, last_base) = inherited(self.base, base, &kept, shift(base));
        let (mut in_main, last_main) = inherited(self.main, main, &kept, 0);
        let (mut in_other, last_other) = inherited(self.other, other, &kept, shift(other));
        for child in children {
            let segment = child.segment();
            self.path.push(segment.clone());
            let above = Three {
                base: in_base.remove(segment).unwrap_or_default(),
                main: in_main.remove(segment).unwrap_or_default(),
                other: in_other.remove(segment).unwrap_or_default(),
            };
            self.child(child, above, column);
            self.path.pop();
        }
        self.carried.base.extend(last_base);
        self.carried.main.extend(last_main);
        self.carried.other.extend(last_other);
    }

    fn child(&mut self, child: &Child<'p>, above: Three<Vec<Line>>, column: usize) {
        let lead = |carried: &mut Vec<Line>, version, above: Vec<Line>, part: &Part<'_>| {
            let mut lines = std::mem::take(carried);
            lines.extend(above);
            lines.extend(lines_of(version, &part.lead, distance(part.column, column)));
            lines
        };
        let carried = &mut self.carried;
        let base = child
            .base
            .map(|part| lead(&mut carried.base, self.base, above.base, part));
        let main = child
            .main
            .map(|part| lead(&mut carried.main, self.main, above.main, part));
        let other = child
            .other
            .map(|part| lead(&mut carried.other, self.other, above.other, part));
        self.gap(&base.unwrap_or_default(), main, other);
        match &child.decision {
            Decision::Main(picks) => self.main_leaf(child, picks, column),
            Decision::Other => {
                let Some(part) = child.other else { return };
                let comment = self.comment(child).ok().flatten().filter(|_| part.children.is_none());
                let text = self.of_other(part, column, comment.as_deref());
                self.put(&text, column);
            }
            Decision::Conflict(reason) => self.conflict(child, *reason, column),
            Decision::Merge(children) => self.merge(child, children, column),
        }
    }

    /// Comments and blank lines of one place.
    fn gap(&mut self, base: &[Line], main: Option<Vec<Line>>, other: Option<Vec<Line>>) {
        let lines = match (main, other) {
            (Some(main), Some(other)) => match merge_lines(base, main, &other) {
                Ok(lines) => lines,
                Err(clash) => {
                    self.lines(&clash.before);
                    let texts = [clash.base, clash.main, clash.other].map(|lines| joined(&lines));
                    self.marked(Some(&texts[0]), &texts[1], &texts[2]);
                    self.note(Reason::Comment);
                    clash.after
                }
            },
            (Some(lines), None) | (None, Some(lines)) => lines,
            (None, None) => return,
        };
        self.lines(&lines);
    }

    fn lines(&mut self, lines: &[Line]) {
        if lines.is_empty() {
            return;
        }
        self.break_line();
        for line in lines {
            self.out.push_str(&line.text);
            self.out.push_str(self.line_end.text());
        }
    }

    /// Goes to the beginning of a line: a dash may stand alone on its own.
    fn break_line(&mut self) {
        if std::mem::take(&mut self.inline) {
            let length = self.out.trim_end_matches(' ').len();
            self.out.truncate(length);
            self.out.push_str(self.line_end.text());
        }
    }

    /// Whole lines, of which the first has no indentation yet.
    fn put(&mut self, text: &str, column: usize) {
        if !std::mem::take(&mut self.inline) {
            self.out.extend(std::iter::repeat_n(' ', column));
        }
        self.out.push_str(text);
        if !text.ends_with('\n') {
            self.out.push_str(self.line_end.text());
        }
    }

    /// The comment behind a place, merged; nothing if each text keeps its own; `Err` if both changed it.
    fn comment(&self, child: &Child<'p>) -> Result<Option<String>, ()> {
        let (Some(main), Some(other)) = (child.main, child.other) else {
            return Ok(None);
        };
        let of = |version: &Version<'p>, part: &Part<'_>| version.tree.text[part.comment.clone()].to_owned();
        let base = child.base.map(|part| of(self.base, part)).unwrap_or_default();
        let (main, other) = (of(self.main, main), of(self.other, other));
        let chosen = if other.trim() == base.trim() || main.trim() == other.trim() {
            main
        } else if main.trim() == base.trim() {
            other
        } else {
            return Err(());
        };
        let is_glued = !chosen.is_empty() && !chosen.starts_with([' ', '\t']);
        Ok(Some(if is_glued { format!(" {chosen}") } else { chosen }))
    }

    fn main_leaf(&mut self, child: &Child<'p>, picks: &[Pick<'p>], column: usize) {
        let Some(part) = child.main else { return };
        if part.children.is_some() {
            let text = self.of_main(part, picks, None);
            return self.put(&text, column);
        }
        match (self.comment(child), child.other) {
            (Ok(comment), _) => {
                let text = self.of_main(part, picks, comment.as_deref());
                self.put(&text, column);
            }
            (Err(()), Some(other)) => {
                let comment = self.other.tree.text[other.comment.clone()].to_owned();
                let (own, new) = (
                    self.of_main(part, picks, None),
                    self.of_main(part, picks, Some(&comment)),
                );
                let base = child.base.map(|base| self.of_base(base, column));
                self.marked(base.as_deref(), &indented(&own, column), &indented(&new, column));
                self.note(Reason::Comment);
            }
            (Err(()), None) => {}
        }
    }

    /// The lines of a part of the main text with these values and this comment in it.
    fn of_main(&self, part: &Part<'p>, picks: &[Pick<'p>], comment: Option<&str>) -> String {
        let mut changes: Vec<(Range<usize>, &str)> = picks.iter().map(|pick| (pick.range.clone(), pick.text)).collect();
        changes.extend(comment.map(|comment| (part.comment.clone(), comment)));
        spliced(self.main.tree.text, part.start..part.end, changes).into_owned()
    }

    /// The lines of a part of the other text for this column.
    fn of_other(&self, part: &Part<'p>, column: usize, comment: Option<&str>) -> String {
        let changes = comment.map(|comment| (part.comment.clone(), comment));
        let text = spliced(
            self.other.tree.text,
            part.start..part.end,
            changes.into_iter().collect(),
        );
        shifted(&text, distance(part.column, column), self.line_end)
    }

    fn of_base(&self, part: &Part<'p>, column: usize) -> String {
        let text = &self.base.tree.text[part.start..part.end];
        indented(&shifted(text, distance(part.column, column), self.line_end), column)
    }

    /// A place that a person decides about.
    fn conflict(&mut self, child: &Child<'p>, reason: Reason, column: usize) {
        let mut main = child.main.map(|part| self.of_main(part, &[], None));
        let mut other = child.other.map(|part| self.of_other(part, column, None));
        if let (Some(of_main), Some(of_other), Ok(comment)) = (child.main, child.other, self.comment(child))
            && let (Node::Scalar(from), Node::Scalar(to)) = (of_main.node, of_other.node)
            && is_token(&from.content)
            && is_token(&to.content)
        {
            // The two tokens alone differ then, and only they stand between the markers.
            let own = self.of_main(of_main, &[], comment.as_deref());
            if own.matches(&*from.content).count() == 1 {
                other = Some(own.replace(&*from.content, &to.content));
                main = Some(own);
            }
        }
        let base = child.base.map(|base| self.of_base(base, column));
        let placed = |text: Option<String>| text.map(|text| indented(&text, column)).unwrap_or_default();
        self.marked(base.as_deref(), &placed(main), &placed(other));
        self.note(reason);
    }

    /// Both sides between markers.
    fn marked(&mut self, base: Option<&str>, main: &str, other: &str) {
        self.break_line();
        let (ours, theirs) = match self.main_side {
            Side::Ours => (main, other),
            Side::Theirs => (other, main),
        };
        conflict(&mut self.out, base, ours, theirs, self.marks, self.line_end.text());
    }

    fn note(&mut self, reason: Reason) {
        self.conflicts.push(Conflict {
            path: ValuePath::new(self.path.clone()),
            reason,
        });
    }

    /// A collection whose entries or items are decided one by one.
    fn merge(&mut self, child: &Child<'p>, children: &[Child<'p>], column: usize) {
        let (part, text) = match (child.main, child.other) {
            (Some(part), _) => (part, self.main.tree.text),
            (None, Some(part)) => (part, self.other.tree.text),
            (None, None) => return,
        };
        let head = part.start..part.head_end();
        if part.opens_inline {
            self.put_open(&text[head], column);
        } else {
            match self.comment(child) {
                Ok(comment) => {
                    let changes = comment.iter().map(|comment| (part.comment.clone(), comment.as_str()));
                    let head = spliced(text, head, changes.collect());
                    let head = shifted(&head, 0, self.line_end);
                    self.put(&head, column);
                }
                Err(()) => {
                    let other = child
                        .other
                        .map_or("", |other| &self.other.tree.text[other.comment.clone()]);
                    let own = indented(&text[head.clone()], column);
                    let new = spliced(text, head, vec![(part.comment.clone(), other)]);
                    let new = indented(&new, column);
                    self.marked(None, &own, &new);
                    self.note(Reason::Comment);
                }
            }
        }
        let inner = match (child.main, child.other) {
            (Some(main), _) if !main.children().is_empty() => main.children()[0].column,
            (_, Some(other)) => other
                .children()
                .first()
                .and_then(|first| first.column.checked_add_signed(distance(other.column, column)))
                .unwrap_or(column + 2),
            _ => column + 2,
        };
        let of = |part: Option<&'p Part<'p>>| part.map_or(&[][..], Part::children);
        self.list(children, of(child.base), of(child.main), of(child.other), inner);
    }

    /// A dash and the blanks behind it.
    fn put_open(&mut self, dash: &str, column: usize) {
        if !std::mem::take(&mut self.inline) {
            self.out.extend(std::iter::repeat_n(' ', column));
        }
        self.out.push_str(dash);
        self.inline = true;
    }
}

/// How far something at one column is moved to stand at another.
fn distance(from: usize, to: usize) -> isize {
    to.cast_signed() - from.cast_signed()
}

/// The lines in `range`, moved by `shift` columns.
fn lines_of(version: &Version<'_>, range: &Range<usize>, shift: isize) -> Vec<Line> {
    let text = &version.body[range.start.min(version.body.len())..range.end.min(version.body.len())];
    let lines = split(text).into_iter();
    lines
        .map(|line| Line {
            text: if shift == 0 {
                line.to_owned()
            } else {
                moved(line, shift)
            },
        })
        .collect()
}

/// For each part that stays, the lines above those removed before it; and those above the ones removed at the end.
/// Comments inside of what is removed go with it.
fn inherited<'p>(
    version: &Version<'_>,
    parts: &'p [Part<'p>],
    kept: &HashSet<&Segment>,
    shift: isize,
) -> (Inherited<'p>, Vec<Line>) {
    let mut by_part = HashMap::new();
    let mut waiting = Vec::new();
    for part in parts {
        if !kept.contains(&part.segment) {
            waiting.extend(lines_of(version, &part.lead, shift));
        } else if !waiting.is_empty() {
            by_part.insert(&part.segment, std::mem::take(&mut waiting));
        }
    }
    (by_part, waiting)
}

fn joined(lines: &[Line]) -> String {
    lines.iter().map(|line| format!("{}\n", line.text)).collect()
}

fn indented(text: &str, column: usize) -> String {
    format!("{}{text}", " ".repeat(column))
}

/// `text[range]` with the changes, whose ranges count from the beginning of `text`.
fn spliced<'t>(text: &'t str, range: Range<usize>, mut changes: Vec<(Range<usize>, &str)>) -> Cow<'t, str> {
    changes.retain(|(at, new)| text[at.clone()] != **new);
    if changes.is_empty() {
        return Cow::Borrowed(&text[range]);
    }
    changes.sort_by_key(|(at, _)| at.start);
    let mut out = String::with_capacity(range.len() + 64);
    let mut copied = range.start;
    for (at, new) in changes {
        out.push_str(&text[copied..at.start]);
        out.push_str(new);
        copied = at.end;
    }
    out.push_str(&text[copied..range.end]);
    Cow::Owned(out)
}

/// `text` with each token's line indented so deep that the comments which follow it now are not taken for a part of it
/// (FORMAT, Text 3), whichever side of a conflict is taken.
fn settled(text: &str, marks: &Marks) -> String {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut more = vec![0; lines.len()];
    for side in [Side::Ours, Side::Theirs] {
        let shown: Vec<usize> = seen(&lines, marks, side).collect();
        for (position, number) in shown.iter().enumerate() {
            let content = lines[*number].trim_start_matches(' ');
            let blanks = lines[*number].len() - content.len();
            if blanks == 0 || !is_token(content.trim_end()) {
                continue;
            }
            let below = shown[position + 1..].iter();
            let below = below.map_while(|below| swallowed_below(lines[*below].trim_end_matches(['\r', '\n'])));
            let needed = below.max().unwrap_or_default();
            more[*number] = needed.saturating_sub(blanks).max(more[*number]);
        }
    }
    let mut out = String::with_capacity(text.len() + 64);
    for (line, more) in lines.iter().zip(more) {
        out.extend(std::iter::repeat_n(' ', more));
        out.push_str(line);
    }
    out
}
