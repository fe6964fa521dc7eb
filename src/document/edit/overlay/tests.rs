//! Texts laid over others, as stories and as a property.

use proptest::prelude::{ProptestConfig, prop_assert, proptest};

use super::{Misfit, overlay};
use crate::document::lines::line_end;
use crate::document::path::ValuePath;
use crate::document::tree::{Rules, Tree};

fn laid(base: &str, over: &str) -> Result<String, Misfit> {
    let base = Tree::parse(base, Rules::Text).unwrap();
    let over = Tree::parse(over, Rules::Text).unwrap();
    overlay(&base, &over, line_end(base.text)).map(|text| text.to_string())
}

#[test]
fn new_keys_come_with_their_comments_and_the_rest_stays() {
    for (base, over, expected) in [
        ("", "a: 1\n", "a: 1\n"),
        ("# head\n", "b: 1\na: 2\n", "# head\nb: 1\na: 2\n"),
        (
            "b: 1\nd: 2",
            "e: 5\n# c\nc: x # why\n",
            "b: 1\n# c\nc: x # why\nd: 2\ne: 5\n",
        ),
        ("z: 1\na: 2\n", "c: 1.10\nb: '7'\n", "z: 1\na: 2\nc: 1.10\nb: '7'\n"),
        ("b: 1\nc: 1\n", "a: 0\n", "a: 0\nb: 1\nc: 1\n"),
        (
            "a:\n    x: 1 # one\n    # two\nb: 2\n",
            "a: {k: v}\n",
            "a:\n    x: 1 # one\n    k: v\n    # two\nb: 2\n",
        ),
        (
            "a: {x: 1}\nb: {}\n",
            "a: {k: 1.5}\nb:\n  c: |\n    l\n",
            "a: {x: 1, \"k\": 1.5}\nb: {\"c\": \"l\\n\"}\n",
        ),
        (
            "a: 1\r\nb: 2\r\n",
            "c:\n  d: |\n    l\n  e: []\n",
            "a: 1\r\nb: 2\r\nc:\r\n  d: |\r\n    l\r\n  e: []\r\n",
        ),
        (
            "l:\n- k: 1\n",
            "m:\n- a: 1\n  # c\n  b: 2\n- [x]\n",
            "l:\n- k: 1\nm:\n  - a: 1\n    # c\n    b: 2\n  -\n    - x\n",
        ),
        (
            "a: 1\n\n\nb: 2\n",
            "c: |+\n  x\n\n\n",
            "a: 1\n\n\nb: 2\nc: \"x\\n\\n\\n\"\n",
        ),
        ("a:\n  b: 1\n", "c: 2\na: {d: 3}\n", "a:\n  b: 1\n  d: 3\nc: 2\n"),
    ] {
        assert_eq!(laid(base, over).as_deref(), Ok(expected), "{base:?} {over:?}");
    }
}

#[test]
fn changed_values_take_the_place_of_the_old_ones() {
    for (base, over, expected) in [
        ("a: 1 # c\nb: 2\n", "a: x y\n", "a: x y # c\nb: 2\n"),
        ("a: 1 # c\nb: 2\n", "a: |\n  l1\n  l2\n", "a: | # c\n  l1\n  l2\nb: 2\n"),
        ("a: |-\n  old\n  text\nb: 2\n", "a: new\nb: 2\n", "a: new\nb: 2\n"),
        ("a: # c\nb: [1]\n", "a: |\n  x\n", "a: | # c\n  x\nb: [1]\n"),
        ("a:\nb: [1]\n", "a: 1\nb: [1]\n", "a: 1\nb: [1]\n"),
        ("a: {b: 1}\n", "a: {b: 007}\n", "a: {b: 007}\n"),
        ("l:\n- a # x\n- b\nm: 1\n", "l:\n  - c\n", "l:\n- c\nm: 1\n"),
        ("l:\n- a\nm: 1\n", "l: []\n", "l:\n  []\nm: 1\n"),
        (
            "l: [a, b]\n",
            "l:\n  - a\n  - c: |\n      x\n",
            "l: [\"a\", {\"c\": \"x\\n\"}]\n",
        ),
        ("l: [a] # c\n", "l: ['a']\n", "l: [a] # c\n"),
    ] {
        assert_eq!(laid(base, over).as_deref(), Ok(expected), "{base:?} {over:?}");
    }
}

#[test]
fn a_value_does_not_become_a_collection() {
    let misfit = laid("a:\n  b: 1\n", "a:\n  b:\n    c: 1\n").unwrap_err();
    let expected = Misfit::Kinds {
        path: ValuePath::of_keys(["a", "b"]),
        here: "a value",
        there: "a mapping",
    };
    assert_eq!(misfit, expected);
    assert!(laid("a: [1]\n", "a: {b: 1}\n").is_err());
}

#[test]
fn many_values_take_linear_time() {
    let text = |count: usize, value: &str| (0..count).map(|key| format!("k{key}: {value}\n")).collect::<String>();
    let start = std::time::Instant::now();
    let merged = laid(&text(20_000, "old"), &text(40_000, "new")).unwrap();
    assert_eq!(merged.matches(": new\n").count(), 40_000);
    assert!(start.elapsed() < std::time::Duration::from_secs(20));
}

/// A small text of few keys, so that two of them meet.
fn texts() -> impl proptest::strategy::Strategy<Value = String> {
    let value = "( \\|\n {D}l\n {D}m\n| \\|\\+\n {D}l\n\n| x| 'y' # c| \"a\\\\nb\"| \\[1, \\{k: v\\}\\]|  # d|)\n";
    let line = |indent: &str, key: &str| format!("(#c\n|\n)?{indent}{key}:{}", value.replace("{D}", indent));
    let pattern = format!(
        "({})?(b:\n({})?{})?({})?",
        line("", "a"),
        line("  ", "c"),
        line("  ", "d"),
        line("", "e")
    );
    proptest::string::string_regex(&pattern).expect("a pattern")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn what_is_laid_over_is_there_and_nothing_else_changed(base in texts(), over in texts()) {
        let parsed = |text: &str| Tree::parse(text, Rules::Text).is_ok();
        if parsed(&base) && parsed(&over) {
            // `overlay` compares values itself; what is left to see is that it seldom gives up.
            match laid(&base, &over) {
                Ok(text) => prop_assert!(laid(&text, &over) == Ok(text.clone())),
                Err(misfit) => prop_assert!(misfit != Misfit::Layout, "{:?} {:?}", base, over),
            }
        }
    }
}
