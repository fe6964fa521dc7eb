//! Random edits on two branches: what the merged text holds is the three-way merge of the values by path.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{merged, side_of};
use crate::document::path::ValuePath;
use crate::document::tree::{Located, Rules, Tree};
use crate::merge::{Reason, Side};

/// A node of a random text.
#[derive(Clone, Debug)]
enum Node {
    Token(u32),
    Readable(u32),
    Map(Vec<Entry>),
    List(Vec<Entry>),
    /// A collection in braces or brackets, of these tokens.
    Flow(Vec<(&'static str, u32)>, bool),
}

/// What stands under a key, with comments; items have no key.
#[derive(Clone, Debug)]
struct Entry {
    key: &'static str,
    above: Vec<u32>,
    behind: Option<u32>,
    node: Node,
}

/// How a text is laid out.
#[derive(Clone, Copy, Debug)]
struct Layout {
    step: usize,
    dash: usize,
    gaps: bool,
    crlf: bool,
}

const KEYS: [&str; 7] = ["b", "a", "c", "\"x y\"", "e", "d", "zz"];

fn token(version: u32) -> String {
    format!("ENC[age,k0123456789abcdef,v{version:08x},YWdl{version:08x}]")
}

fn write(entries: &[Entry], column: usize, list: bool, layout: Layout, out: &mut String) {
    for entry in entries {
        if layout.gaps && column == 0 && !out.is_empty() {
            out.push('\n');
        }
        for comment in &entry.above {
            out.push_str(&format!("{:column$}# {comment}\n", ""));
        }
        let behind = entry.behind.map(|comment| format!("  # {comment}")).unwrap_or_default();
        let head = if list {
            "-".to_owned()
        } else {
            format!("{}:", entry.key)
        };
        out.push_str(&format!("{:column$}{head}", ""));
        let inner = column + if list { 2 } else { layout.step };
        match &entry.node {
            Node::Token(version) => out.push_str(&format!(" |-{behind}\n{:1$}{2}\n", "", column + 2, token(*version))),
            Node::Readable(text) => out.push_str(&format!(" word{text}{behind}\n")),
            Node::Flow(values, braces) => {
                let values = values.iter().map(|(key, version)| match braces {
                    true => format!("{key}: \"{}\"", token(*version)),
                    false => format!("\"{}\"", token(*version)),
                });
                let values = values.collect::<Vec<_>>().join(", ");
                let (open, close) = if *braces { ("{", "}") } else { ("[", "]") };
                out.push_str(&format!(" {open}{values}{close}{behind}\n"));
            }
            Node::Map(entries) if list && entries[0].above.is_empty() => {
                let mut text = String::new();
                write(entries, inner, false, layout, &mut text);
                out.push(' ');
                out.push_str(text.trim_start_matches(' '));
            }
            Node::Map(entries) => {
                out.push_str(&format!("{behind}\n"));
                write(entries, inner, false, layout, out);
            }
            Node::List(entries) => {
                out.push_str(&format!("{behind}\n"));
                let inner = if list { inner } else { column + layout.dash };
                write(entries, inner, true, layout, out);
            }
        }
    }
}

fn text_of(entries: &[Entry], layout: Layout) -> String {
    let mut text = String::new();
    write(entries, 0, false, layout, &mut text);
    if layout.crlf { text.replace('\n', "\r\n") } else { text }
}

fn values(text: &str) -> BTreeMap<ValuePath, String> {
    let tree = Tree::parse(text, Rules::File).unwrap_or_else(|refusal| panic!("{refusal}\n{text}"));
    let scalars = tree.scalars().into_iter();
    scalars
        .map(|(path, scalar)| (path, scalar.content.to_string()))
        .collect()
}

/// The three-way merge of maps, and the paths where it cannot say.
fn model(texts: [&str; 3]) -> (BTreeMap<ValuePath, String>, BTreeSet<ValuePath>) {
    let [base, ours, theirs] = texts.map(values);
    let paths: BTreeSet<_> = base.keys().chain(ours.keys()).chain(theirs.keys()).cloned().collect();
    let (mut merged, mut open) = (BTreeMap::new(), BTreeSet::new());
    for path in paths {
        let (base, ours, theirs) = (base.get(&path), ours.get(&path), theirs.get(&path));
        let value = if ours == theirs || theirs == base {
            ours
        } else if ours == base {
            theirs
        } else {
            open.insert(path);
            continue;
        };
        if let Some(value) = value {
            merged.insert(path, value.clone());
        }
    }
    (merged, open)
}

fn near(one: &ValuePath, other: &ValuePath) -> bool {
    one.segments().starts_with(other.segments()) || other.segments().starts_with(one.segments())
}

/// Whether a value or nothing stands at `path` in each of the texts.
fn is_value(texts: [&str; 3], path: &ValuePath) -> bool {
    texts.into_iter().all(|text| {
        let tree = Tree::parse(text, Rules::File).unwrap();
        matches!(tree.node(path), None | Some(Located::Scalar(_)))
    })
}

fn check(texts: [&str; 3]) {
    let [base, ours, theirs] = texts;
    let result = merged(base, ours, theirs);
    let shown = format!(
        "--- base\n{base}--- ours\n{ours}--- theirs\n{theirs}--- merged\n{}",
        result.body
    );
    let (expected, open) = model(texts);
    assert!(
        result
            .conflicts
            .iter()
            .all(|conflict| conflict.reason != Reason::Layout),
        "given up\n{shown}"
    );
    for path in &open {
        assert!(
            result.conflicts.iter().any(|conflict| near(&conflict.path, path)),
            "a conflict at {path} was not seen\n{shown}"
        );
    }
    for conflict in &result.conflicts {
        let needless = match conflict.reason {
            Reason::Both | Reason::Removed(_) => is_value(texts, &conflict.path) && !open.contains(&conflict.path),
            Reason::Doubted(_) | Reason::Layout => true,
            Reason::List | Reason::Comment => false,
        };
        assert!(!needless, "needless conflict at {}\n{shown}", conflict.path);
    }
    let decided: Vec<_> = result
        .conflicts
        .iter()
        .filter(|conflict| conflict.reason != Reason::Comment)
        .collect();
    for (side, own) in [(Side::Ours, ours), (Side::Theirs, theirs)] {
        let own = values(own);
        let mut wanted = expected.clone();
        for conflict in &decided {
            let below = |path: &ValuePath| near(path, &conflict.path);
            wanted.retain(|path, _| !below(path));
            wanted.extend(
                own.iter()
                    .filter(|(path, _)| below(path))
                    .map(|(path, value)| (path.clone(), value.clone())),
            );
        }
        assert_eq!(values(&side_of(&result.body, side)), wanted, "{side:?}\n{shown}");
    }
}

/// One change of a text: which entry, and what is done to it.
#[derive(Clone, Debug)]
struct Edit {
    place: usize,
    kind: u8,
    with: Entry,
    number: u32,
}

fn count(entries: &[Entry]) -> usize {
    let inner = |entry: &Entry| match &entry.node {
        Node::Map(entries) | Node::List(entries) => count(entries),
        _ => 0,
    };
    entries.iter().map(|entry| 1 + inner(entry)).sum()
}

/// Does an edit at the entry whose number in the text is `place`; whether it was in here.
fn edit(entries: &mut Vec<Entry>, place: &mut usize, list: bool, change: &Edit) -> bool {
    for at in 0..entries.len() {
        if *place > 0 {
            *place -= 1;
            let inner = &mut entries[at].node;
            let is_list = matches!(inner, Node::List(_));
            if let Node::Map(inner) | Node::List(inner) = inner
                && edit(inner, place, is_list, change)
            {
                if inner.is_empty() {
                    entries.remove(at);
                }
                return true;
            }
            continue;
        }
        let entry = &mut entries[at];
        match change.kind {
            0..=2 => match &mut entry.node {
                Node::Token(version) | Node::Readable(version) => *version = change.number,
                Node::Flow(values, _) => values[0].1 = change.number,
                node => *node = change.with.node.clone(),
            },
            3 => drop(entries.remove(at)),
            4 => entry.above = change.with.above.clone(),
            5 => entry.behind = change.with.behind,
            6 => entry.node = change.with.node.clone(),
            7 if !list => {
                if entries.iter().all(|entry| entry.key != change.with.key) {
                    entries[at].key = change.with.key;
                }
            }
            _ if list => entries.push(change.with.clone()),
            _ => {
                if entries.iter().all(|entry| entry.key != change.with.key) {
                    let at = if change.kind == 8 { at } else { entries.len() };
                    entries.insert(at, change.with.clone());
                }
            }
        }
        return true;
    }
    false
}

fn edited(entries: &[Entry], edits: &[Edit]) -> Vec<Entry> {
    let mut entries = entries.to_vec();
    for change in edits {
        let places = count(&entries);
        if places > 0 {
            edit(&mut entries, &mut (change.place % places), false, change);
        }
    }
    entries
}

fn unique(mut entries: Vec<Entry>) -> Vec<Entry> {
    let mut seen = BTreeSet::new();
    entries.retain(|entry| seen.insert(entry.key));
    entries
}

fn entry(node: impl Strategy<Value = Node>) -> impl Strategy<Value = Entry> {
    let comments = prop::collection::vec(0..6_u32, 0..3);
    let behind = prop::option::weighted(0.2, 0..6_u32);
    (prop::sample::select(&KEYS), comments, behind, node, any::<bool>()).prop_map(
        |(key, above, behind, node, quiet)| Entry {
            key,
            above: if quiet { Vec::new() } else { above },
            behind,
            node,
        },
    )
}

fn node() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![
        5 => (0..4000_u32).prop_map(Node::Token),
        1 => (0..40_u32).prop_map(Node::Readable),
        1 => prop::collection::vec((prop::sample::select(&["p", "q", "r"][..]), 0..4000_u32), 1..3).prop_map(|mut values| {
            values.dedup_by_key(|(key, _)| *key);
            let braces = values.len() == 2 || values[0].1 % 2 == 0;
            Node::Flow(values, braces)
        }),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            2 => prop::collection::vec(entry(inner.clone()), 1..4).prop_map(|entries| Node::Map(unique(entries))),
            1 => prop::collection::vec(entry(inner), 1..4).prop_map(Node::List),
        ]
    })
}

fn layout() -> impl Strategy<Value = Layout> {
    let plain = Just(Layout {
        step: 2,
        dash: 0,
        gaps: false,
        crlf: false,
    });
    let any = (
        1..5_usize,
        prop_oneof![Just(0), Just(2)],
        any::<bool>(),
        prop::bool::weighted(0.1),
    )
        .prop_map(|(step, dash, gaps, crlf)| Layout { step, dash, gaps, crlf });
    prop_oneof![3 => plain, 1 => any]
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let one = (any::<usize>(), 0..11_u8, entry(node()), 4000..4400_u32).prop_map(|(place, kind, with, number)| Edit {
        place,
        kind,
        with,
        number,
    });
    prop::collection::vec(one, 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn merged_values_are_the_three_way_merge_by_path(
        base in prop::collection::vec(entry(node()), 1..6).prop_map(unique),
        changes in (edits(), edits()),
        layouts in (layout(), layout(), layout()),
    ) {
        let base_text = text_of(&base, layouts.0);
        let ours = text_of(&edited(&base, &changes.0), layouts.1);
        let theirs = text_of(&edited(&base, &changes.1), layouts.2);
        check([&base_text, &ours, &theirs]);
    }
}
