//! Edits of policies in every mixture of styles: what comes and goes again leaves no trace.

use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};

use super::{HEAD, loaded, name, newcomer, text_of};
use crate::crypto::identities::generate_x25519;
use crate::document::meaning::Meaning;
use crate::document::tree::{Rules, Tree};
use crate::names::EnvironmentName;
use crate::policy::edit::PolicyEdit;

/// Public keys, each another one.
static KEYS: LazyLock<Vec<String>> =
    LazyLock::new(|| (0..7).map(|_| generate_x25519().1.canonical().to_owned()).collect());

/// How a part of a random policy is written.
#[derive(Clone, Debug)]
struct Look {
    flow: bool,
    quoted: bool,
    broken: bool,
    comment: bool,
    dash: usize,
}

fn looks() -> impl Strategy<Value = Vec<Look>> {
    let look = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), 0..3_usize);
    let look = look.prop_map(|(flow, quoted, broken, comment, dash)| Look {
        flow,
        quoted,
        broken,
        comment,
        dash,
    });
    vec(look, 12)
}

/// `key: [items]` at a column, in the look.
fn list(key: &str, items: &[String], column: usize, look: &Look) -> String {
    let quote = |text: &String| if look.quoted { format!("'{text}'") } else { text.clone() };
    let items: Vec<String> = items.iter().map(quote).collect();
    let comment = if look.comment { "  # why" } else { "" };
    let indent = " ".repeat(column);
    if items.is_empty() {
        return format!("{indent}{key}: []{comment}\n");
    }
    match (look.flow, look.broken) {
        (true, false) => format!("{indent}{key}: [{}]{comment}\n", items.join(", ")),
        (true, true) => {
            let items = items.iter().map(|item| format!("{indent}    {item},{comment}\n"));
            format!("{indent}{key}: [\n{}{indent}    ]\n", items.collect::<String>())
        }
        (false, _) => {
            let dash = " ".repeat(column + look.dash);
            let above = if look.broken {
                format!("{dash}# these\n")
            } else {
                String::new()
            };
            let items = items.iter().map(|item| format!("{above}{dash}- {item}{comment}\n"));
            format!("{indent}{key}:{comment}\n{}", items.collect::<String>())
        }
    }
}

/// A policy with people `person0…`, two groups and two environments, written in these looks.
fn random_policy(people: usize, looks: &[Look], crlf: bool) -> String {
    let mut text = format!("{HEAD}recipients:\n");
    let names: Vec<String> = (0..people).map(|index| format!("person{index}")).collect();
    for (index, (name, look)) in names.iter().zip(looks).enumerate() {
        let shown = if look.quoted {
            format!("\"{name}\"")
        } else {
            name.clone()
        };
        if look.flow {
            text.push_str(&format!("  {shown}: {{keys: [{}]}}\n", KEYS[index]));
        } else {
            text.push_str(&format!("  {shown}:\n{}", list("keys", &KEYS[index..=index], 4, look)));
        }
    }
    text.push_str("groups:\n");
    text.push_str(&list("g0", &names[..people / 2], 2, &looks[7]));
    text.push_str(&list("g1", &names, 2, &looks[8]));
    text.push_str("environments:\n  e0:\n    file: e0.yaml\n");
    text.push_str(&list("readers", &names[..1], 4, &looks[9]));
    text.push_str("  e1:\n");
    text.push_str(&list(
        "readers",
        &["g1".to_owned(), "person0".to_owned()],
        4,
        &looks[10],
    ));
    text.push_str("    file: e1.yaml\n");
    if crlf { text.replace('\n', "\r\n") } else { text }
}

fn meaning(text: &str) -> Meaning {
    Meaning::of(&Tree::parse(text, Rules::Policy).unwrap())
}

proptest! {
    #[test]
    fn what_is_added_and_taken_out_again_leaves_no_trace(
        people in 1..6_usize, looks in looks(), crlf in any::<bool>(), called in "[a-z]{1,3}-x", which in 0..2_usize,
    ) {
        let before = random_policy(people, &looks, crlf);
        let first = loaded(&before);
        let (who, group) = (name(&called), name(["g0", "g1"][which]));
        let environment = EnvironmentName::new(["e0", "e1"][which]).unwrap();
        let mut edit = PolicyEdit::new(&first);
        edit.add_recipient(&newcomer(&called, &KEYS[6])).unwrap();
        edit.add_member(&group, &who).unwrap();
        edit.add_reader(&environment, &who).unwrap();
        let change = edit.finish().unwrap();
        let during = text_of(&change, &before);
        let policy = &change.after.policy;
        prop_assert!(policy.readers(policy.environment(&environment).unwrap()).contains(&who));
        // Every line that was there is there still, but for two lists in one line and commas.
        let lost = before.lines().filter(|line| !during.lines().any(|other| other == *line)).count();
        prop_assert!(lost <= 4, "{before}\n{during}");
        let mut edit = PolicyEdit::new(&change.after);
        prop_assert_eq!(edit.remove_everywhere(&who).unwrap().len(), 3);
        let after = text_of(&edit.finish().unwrap(), &during);
        prop_assert_eq!(meaning(&after), meaning(&before));
        prop_assert_eq!(after, before);
    }

    #[test]
    fn whoever_is_taken_out_is_nowhere(people in 2..6_usize, looks in looks(), crlf in any::<bool>(), who in 1..5_usize) {
        let before = random_policy(people, &looks, crlf);
        let first = loaded(&before);
        let who = name(&format!("person{}", who % (people - 1) + 1));
        let mut edit = PolicyEdit::new(&first);
        edit.remove_everywhere(&who).unwrap();
        let after = text_of(&edit.finish().unwrap(), &before);
        prop_assert!(!after.contains(who.as_str()), "{}\n{}", before, after);
        let kept = after.lines().filter(|line| before.lines().any(|other| other == *line)).count();
        prop_assert!(before.lines().count() - kept <= 9, "{}\n{}", before, after);
    }

    #[test]
    fn many_at_once_are_as_one_after_the_other(
        people in 1..6_usize, looks in looks(), crlf in any::<bool>(), called in vec("[a-z]{1,3}-x", 1..4),
        leaving in vec(0..6_usize, 0..4), which in 0..2_usize,
    ) {
        let before = random_policy(people, &looks, crlf);
        let first = loaded(&before);
        let group = name(["g0", "g1"][which]);
        let mut names: Vec<_> = called.iter().map(|called| name(called)).collect();
        names.sort();
        names.dedup();
        let keys: Vec<String> = names.iter().map(|_| generate_x25519().1.canonical().to_owned()).collect();
        let new: Vec<_> = names.iter().zip(&keys).map(|(name, key)| newcomer(name.as_str(), key)).collect();
        let leaving: Vec<_> = leaving.iter().map(|at| name(&format!("person{at}"))).collect();
        let mut at_once = PolicyEdit::new(&first);
        at_once.add_recipients(&new.iter().collect::<Vec<_>>()).unwrap();
        at_once.add_members(&group, &names.iter().collect::<Vec<_>>()).unwrap();
        at_once.remove_members(&group, &leaving.iter().collect::<Vec<_>>()).unwrap();
        let mut one_by_one = PolicyEdit::new(&first);
        for new in &new {
            one_by_one.add_recipient(new).unwrap();
        }
        for name in &names {
            one_by_one.add_member(&group, name).unwrap();
        }
        for name in &leaving {
            one_by_one.remove_member(&group, name).unwrap();
        }
        let at_once = text_of(&at_once.finish().unwrap(), &before);
        let one_by_one = text_of(&one_by_one.finish().unwrap(), &before);
        prop_assert_eq!(at_once, one_by_one);
    }
}
