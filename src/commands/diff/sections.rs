//! From what a review found to the blocks of a report: for each environment its file and key, its values, who may read it
//! and what it lacks; then the policy.

use secretree::history::{
    AccessChange, Brought, BroughtBy, EnvironmentReview, EventKind, Footing, Lacking, Mark, PolicyEvent, Review,
};
use secretree::names::EnvironmentName;
use secretree::when::date_text;

use super::cells::{Block, Cell, Row, Section};
use super::reveal::Values;
use super::signs;

/// Everything that a review found.
pub(super) fn blocks(review: &Review, brought: &Brought, values: &Values) -> Vec<Block> {
    let mut blocks = Vec::new();
    for environment in &review.environments {
        let title = Cell::default()
            .name(&environment.name)
            .words(", ")
            .name(environment.file.display());
        let sections: Vec<Section> = [
            Section::new("file and key", vec!["what"], file_rows(environment)),
            values_section(environment, values),
            access_section(environment, brought),
            Section::new("proposals", vec!["label", "what"], proposal_rows(environment)),
            Section::new(
                "missing",
                vec!["path", "variable", "what"],
                lacking_rows(&environment.lacking),
            ),
        ]
        .into_iter()
        .flatten()
        .collect();
        if !sections.is_empty() {
            blocks.push(Block { title, sections });
        }
    }
    let rows = policy_rows(review, brought);
    if let Some(section) = Section::new("policy", vec!["what", "brought by"], rows) {
        let title = Cell::foreign(secretree::policy::POLICY_NAME);
        let sections = vec![section];
        blocks.push(Block { title, sections });
    }
    blocks
}

fn row(sign: char, cells: Vec<Cell>) -> Row {
    Row { sign, cells }
}

/// The commit that brought something.
fn origin(origin: Option<&BroughtBy>) -> Cell {
    match origin {
        None => Cell::of("not committed yet"),
        Some(BroughtBy::Unknown) => Cell::default(),
        Some(BroughtBy::Commit { commit, author, time }) => {
            Cell::of(format!("commit {} of ", &commit.to_string()[..8]))
                .name(author)
                .words(format!(", {}", date_text(*time)))
        }
    }
}

fn file_rows(environment: &EnvironmentReview) -> Vec<Row> {
    let events = environment.events.iter();
    let mut rows: Vec<Row> = events
        .filter_map(|event| Some(row(signs::of_file(event)?, vec![Cell::foreign(event)])))
        .collect();
    let is_renamed = |event: &EventKind| matches!(event, EventKind::Renamed { .. });
    if let Some(former) = &environment.former
        && !environment.events.iter().any(is_renamed)
    {
        let cell = Cell::of("the policy called it ")
            .name(former)
            .words(", and its file still does");
        rows.push(row('!', vec![cell]));
    }
    for path in &environment.foreign {
        let cell = Cell::default()
            .name(path)
            .words(" is sealed under another key than the file's: ")
            .name(format!("secretree apply {}", environment.name));
        rows.push(row('!', vec![cell]));
    }
    rows
}

fn values_section(environment: &EnvironmentReview, values: &Values) -> Option<Section> {
    let mut rows: Vec<Row> = environment.events.iter().filter_map(value_row).collect();
    let mut columns = vec!["path", "what", "version"];
    if let Some(values) = values.of(&environment.name) {
        columns.extend(["before", "after"]);
        let paths = environment.events.iter().filter(|event| value_row(event).is_some());
        for (row, event) in rows.iter_mut().zip(paths) {
            let (before, after) = event.path().map(|path| values.at(path)).unwrap_or_default();
            row.cells.push(before.map(Cell::value).unwrap_or_default());
            row.cells.push(after.map(Cell::value).unwrap_or_default());
        }
    }
    Section::new("values", columns, rows)
}

fn version(mark: &Mark) -> String {
    mark.version()
        .map_or_else(|| "readable".to_owned(), |version| version.to_string())
}

fn value_row(event: &EventKind) -> Option<Row> {
    Some(match event {
        EventKind::Added { path, mark } => {
            let what = match mark {
                Mark::Sealed(_) => "added",
                Mark::Readable(_) => "added, readable",
            };
            row('+', vec![Cell::foreign(path), Cell::of(what), Cell::of(version(mark))])
        }
        EventKind::Changed { path, before, mark } => {
            let (sign, what) = match (before, mark) {
                (Mark::Sealed(_), Mark::Sealed(_)) => ('~', "changed"),
                (Mark::Readable(_), Mark::Readable(_)) => ('~', "changed, readable"),
                (Mark::Readable(_), Mark::Sealed(_)) => ('~', "changed, encrypted now"),
                (Mark::Sealed(_), Mark::Readable(_)) => ('!', "stands readable where it was encrypted"),
            };
            let versions = format!("{} → {}", version(before), version(mark));
            row(sign, vec![Cell::foreign(path), Cell::of(what), Cell::of(versions)])
        }
        EventKind::SetBack { path, mark, .. } => row(
            '~',
            vec![Cell::foreign(path), Cell::of("set back"), Cell::of(version(mark))],
        ),
        EventKind::Removed { path, mark } => row(
            '-',
            vec![Cell::foreign(path), Cell::of("removed"), Cell::of(version(mark))],
        ),
        EventKind::Moved { from, to, mark } => {
            let what = Cell::of("the same value as at ").name(from).words(" before");
            row('>', vec![Cell::foreign(to), what, Cell::of(version(mark))])
        }
        EventKind::PreviousKept { path, version, until } => {
            let what = Cell::of("old value kept until ").name(until);
            row('~', vec![Cell::foreign(path), what, Cell::of(version.as_str())])
        }
        EventKind::PreviousEnded { path, version } => {
            let what = Cell::of("old value no longer kept");
            row('~', vec![Cell::foreign(path), what, Cell::of(version.as_str())])
        }
        _ => return None,
    })
}

fn access_section(environment: &EnvironmentReview, brought: &Brought) -> Option<Section> {
    let rows = environment.access.iter().map(|change| {
        let (sign, what) = access_words(change, &environment.name);
        let by = brought.of_access(&environment.name, change);
        row(
            sign,
            vec![
                Cell::foreign(&change.recipient),
                Cell::foreign(&change.label),
                what,
                origin(by),
            ],
        )
    });
    let renamed = environment.events.iter().filter_map(|event| match event {
        EventKind::HolderRenamed { from, to, label } => {
            let what = Cell::of("its grant stood under ").name(from);
            Some(row('~', vec![Cell::foreign(to), Cell::foreign(label), what]))
        }
        _ => None,
    });
    let rows = rows.chain(renamed).collect();
    Section::new("who may read", vec!["who", "public key", "what", "brought by"], rows)
}

/// What the change of a public key's standing means.
fn access_words(change: &AccessChange, name: &EnvironmentName) -> (char, Cell) {
    let apply = format!("secretree apply {name}");
    let standing = |standing: Footing| (standing.policy, standing.file);
    let (sign, words) = match (standing(change.before), standing(change.after)) {
        (_, (true, true)) if !change.before.file => {
            ('+', Cell::of("may read: named in the policy, granted in the file"))
        }
        (_, (true, true)) => ('~', Cell::of("is named in the policy now; the file granted it before")),
        ((false, false), (true, false)) => ('+', Cell::of("may read as soon as a reader runs ").name(apply)),
        (_, (true, false)) => ('!', Cell::of("lost its grant, but the policy still names it")),
        ((true, true), (false, true)) => (
            '!',
            Cell::of("is no reader any more, but the file still grants the key: ").name(apply),
        ),
        (_, (false, true)) => ('!', Cell::of("was granted the key, but is no reader by the policy")),
        ((true, false), (false, false)) => ('-', Cell::of("is no reader any more; it was never granted")),
        (_, (false, false)) => ('-', Cell::of("may no longer read what is written from now on")),
    };
    match change.keeps_key {
        true => (
            '!',
            Cell::of("lost its grant, but the key is the old one, which it still opens"),
        ),
        false => (sign, words),
    }
}

fn proposal_rows(environment: &EnvironmentReview) -> Vec<Row> {
    let rows = environment.events.iter().filter_map(|event| {
        let (sign, proposal, what) = match event {
            EventKind::Proposed { proposal } => ('+', proposal, "a value is proposed; readers see what for"),
            EventKind::Accepted { proposal } => ('-', proposal, "accepted, as it seems: a value was set"),
            EventKind::Withdrawn { proposal } => ('-', proposal, "gone, and no value was set"),
            _ => return None,
        };
        Some(row(sign, vec![Cell::foreign(proposal), Cell::of(what)]))
    });
    rows.collect()
}

fn lacking_rows(lacking: &[Lacking]) -> Vec<Row> {
    let rows = lacking.iter().map(|lacking| {
        let words = match (lacking.required, lacking.was_lacking) {
            (true, true) => "required, and missing as before",
            (true, false) => "required, and missing",
            (false, _) => "declared, and not there yet",
        };
        let mut what = Cell::of(words);
        if let Some(description) = &lacking.description {
            what = what.words(": ").name(description);
        }
        if let Some(owner) = &lacking.owner {
            what = what.words(", owner ").name(owner);
        }
        let sign = if lacking.required && !lacking.was_lacking {
            '!'
        } else {
            '~'
        };
        row(
            sign,
            vec![Cell::foreign(&lacking.path), Cell::foreign(&lacking.variable), what],
        )
    });
    rows.collect()
}

/// Who may read is told with the environments, by public key.
fn policy_rows(review: &Review, brought: &Brought) -> Vec<Row> {
    let told = |event: &&PolicyEvent| {
        !matches!(
            event,
            PolicyEvent::ReaderAdded { .. } | PolicyEvent::ReaderRemoved { .. }
        )
    };
    let mut rows: Vec<Row> = review
        .policy
        .iter()
        .filter(told)
        .map(|event| {
            let by = origin(brought.of_policy(event));
            row(signs::of_policy(event), vec![Cell::foreign(event), by])
        })
        .collect();
    for change in &review.groups {
        let mut cell = Cell::of("group ").name(&change.group);
        for (word, names) in [(", joined by ", &change.joined), (", left by ", &change.left)] {
            if !names.is_empty() {
                let names: Vec<_> = names.iter().map(ToString::to_string).collect();
                cell = cell.words(word).name(names.join(", "));
            }
        }
        rows.push(row('~', vec![cell]));
    }
    rows
}
