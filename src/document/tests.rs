//! What trees are made of which texts.

use super::tree::{Rules, Scalar, Tree};

/// Path, value, head and tail of each scalar.
fn scalars(text: &str) -> Vec<(String, String, String, String)> {
    let tree = Tree::parse(text, Rules::Text).unwrap_or_else(|refusal| panic!("{text:?}: {refusal}"));
    let shown = |scalar: &Scalar<'_>| {
        let value = scalar.value().delivered();
        (
            String::from_utf8_lossy(value.expose()).into_owned(),
            text[scalar.head.clone()].to_owned(),
            text[scalar.tail.clone()].to_owned(),
        )
    };
    tree.scalars()
        .into_iter()
        .map(|(path, scalar)| {
            let (value, head, tail) = shown(scalar);
            (path.to_string(), value, head, tail)
        })
        .collect()
}

fn one(text: &str) -> (String, String, String) {
    let (_, value, head, tail) = scalars(text).remove(0);
    (value, head, tail)
}

fn three(value: &str, head: &str, tail: &str) -> (String, String, String) {
    (value.to_owned(), head.to_owned(), tail.to_owned())
}

#[test]
fn block_scalars_are_header_and_body() {
    assert_eq!(one("a: |  # c\n  x\n\nb: 1\n"), three("x\n", "|", "\n  x\n"));
    assert_eq!(
        one("a: |+\n  x\n\n\n# c\nb: 1\n"),
        three("x\n\n\n", "|+", "\n  x\n\n\n")
    );
    assert_eq!(one("a: >-  # hc\n   t\n # less\nb:\n"), three("t", ">-", "\n   t\n"));
    assert_eq!(one("a: |2\n   x\n"), three(" x\n", "|2", "\n   x\n"));
    assert_eq!(one("a: |\n  x"), three("x", "|", "\n  x"));
    assert_eq!(one("a: |\nb: 1\n"), three("", "|", "\n"));
    assert_eq!(one("a: |+\n\n  \n"), three("\n\n", "|+", "\n\n  \n"));
    assert_eq!(
        one("a: |\n\n  \n  x\n   \n  \nb: 1\n"),
        three("\n\nx\n \n", "|", "\n\n  \n  x\n   \n")
    );
    assert_eq!(one("a: !!binary |\n  aGk=\n"), three("hi", "!!binary |", "\n  aGk=\n"));
    assert_eq!(
        one("- |\n x\n- y\n".replacen("- ", "a:\n- ", 1).as_str()),
        three("x\n", "|", "\n x\n")
    );
}

#[test]
fn other_scalars_are_their_own_text() {
    assert_eq!(one("a: x\n  y # c\nb: 1\n"), three("x y", "x\n  y", ""));
    assert_eq!(one("a: 'it''s'  \r\nb: 1\r\n"), three("it's", "'it''s'", ""));
    assert_eq!(one("a: !!binary aGk=\n"), three("hi", "!!binary aGk=", ""));
    assert_eq!(one("a: [!!binary , x]\n"), three("", "!!binary", ""));
}

#[test]
fn empty_values_are_the_blanks_behind_their_indicator() {
    assert_eq!(one("a:   # c\n"), three("", "   ", ""));
    assert_eq!(one("a:\n"), three("", "", ""));
    assert_eq!(one("a:\n  -  \n  - x\n"), three("", "  ", ""));
    assert_eq!(one("a: {b: , c: 1}\n"), three("", " ", ""));
    assert_eq!(one("a: {b:}\n"), three("", "", ""));
}

#[test]
fn columns_are_those_of_the_key_the_dash_or_the_flow_line() {
    let text = "a:\n  - - x\n    - k: y\n  - {b: 1,\n     c: 2}\n";
    let tree = Tree::parse(text, Rules::Text).unwrap();
    let columns: Vec<_> = tree
        .scalars()
        .iter()
        .map(|(path, scalar)| (path.to_string(), scalar.column))
        .collect();
    let expected = [("a.0.0", 4), ("a.0.1.k", 6), ("a.1.b", 2), ("a.1.c", 5)];
    assert_eq!(columns, expected.map(|(path, column)| (path.to_owned(), column)));
}

#[test]
fn what_readers_disagree_about_is_refused() {
    for (text, line, column, part) in [
        ("a: &x 1\n", 1, 4, "anchor"),
        ("a: &x 1\nb: *x\n", 1, 4, "anchor"),
        ("a: *x\n", 1, 4, "alias"),
        ("<<: 1\n", 1, 1, "merge key"),
        ("a: !!str x\n", 1, 4, "tag"),
        ("a: !!binary x\n", 1, 4, "base64"),
        ("%YAML 1.2\n---\na: 1\n", 1, 1, "directive"),
        ("a: 1\n---\nb: 1\n", 2, 1, "second document"),
        ("a: 1\n...\n", 2, 1, "document end"),
        ("? a\n: 1\n", 1, 1, "complex key"),
        ("a: {? b : 1}\n", 1, 5, "complex key"),
        ("a: {b, c: 1}\n", 1, 5, "without `:`"),
        ("a: 1\n\"\\x61\": 2\n", 2, 1, "twice"),
        ("1: x\n", 1, 1, "string"),
        (": x\n", 1, 1, "empty key"),
        ("  a: 1\n", 1, 3, "column 1"),
        ("secretree: 1\n", 1, 1, "footer"),
        ("{a: 1}\n", 1, 1, "flow style"),
        ("- a\n", 1, 1, "no mapping"),
        ("x\n", 1, 1, "no mapping"),
        ("a:\n\tb: 1\n", 2, 1, "tab"),
        ("a: 1\n\t# c\n", 2, 1, "tab"),
        ("a: ENC[age,x]\n", 1, 4, "token"),
    ] {
        let refusal = Tree::parse(text, Rules::Text).expect_err(text);
        assert!(refusal.message.contains(part), "{text:?}: {refusal}");
        assert_eq!(
            (refusal.place.line, refusal.place.column),
            (line, column),
            "{text:?}: {refusal}"
        );
    }
}

#[test]
fn nesting_is_bounded() {
    let nested = |levels: usize| format!("a: {}{}\n", "[".repeat(levels), "]".repeat(levels));
    assert!(Tree::parse(&nested(63), Rules::Text).is_ok());
    assert!(Tree::parse(&nested(64), Rules::Text).is_err());
    assert!(Tree::parse(&nested(100_000), Rules::Text).is_err());
}

#[test]
fn empty_and_comment_only_texts_are_empty_mappings() {
    for text in ["", "\n", "# c\n", "---\n", "--- # c\n", "\u{feff}"] {
        assert!(
            Tree::parse(text, Rules::Text).unwrap().root.entries.is_empty(),
            "{text:?}"
        );
    }
}
