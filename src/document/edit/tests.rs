//! What texts become when values come and go.

use super::{Obstacle, insert, remove};
use crate::document::path::{Segment, ValuePath};
use crate::document::tree::{Rules, Tree};
use crate::value::LineEnd;

fn path(text: &str) -> ValuePath {
    let segment = |part: &str| {
        part.parse()
            .map_or_else(|_| Segment::Key(part.to_owned()), Segment::Index)
    };
    ValuePath::new(text.split('.').map(segment).collect())
}

fn inserted(text: &str, at: &str) -> String {
    let tree = Tree::parse(text, Rules::File).unwrap();
    let result = insert(&tree, &path(at), "T", LineEnd::Lf).unwrap();
    let parsed = Tree::parse(&result, Rules::File).unwrap_or_else(|refusal| panic!("{result}\n{refusal}"));
    assert_eq!(parsed.scalars().len(), tree.scalars().len() + 1, "{result}");
    result
}

fn removed(text: &str, at: &str) -> String {
    let tree = Tree::parse(text, Rules::File).unwrap();
    let result = remove(&tree, &path(at), LineEnd::Lf).unwrap();
    assert!(Tree::parse(&result, Rules::File).is_ok(), "{result}");
    result
}

#[test]
fn new_keys_are_sorted_in_if_their_siblings_are() {
    assert_eq!(inserted("", "a"), "a: |-\n  T\n");
    assert_eq!(inserted("# c\n", "a.b"), "# c\na:\n  b: |-\n    T\n");
    assert_eq!(inserted("a: 1\nc: 2\n", "b"), "a: 1\nb: |-\n  T\nc: 2\n");
    assert_eq!(inserted("c: 1\na: 2\n", "b"), "c: 1\na: 2\nb: |-\n  T\n");
    assert_eq!(inserted("# file\nb: 1\n", "a"), "# file\na: |-\n  T\nb: 1\n");
    assert_eq!(
        inserted("# file\n\n# of b\nb: 1\n", "a"),
        "# file\n\na: |-\n  T\n# of b\nb: 1\n"
    );
    assert_eq!(
        inserted("x:\n    a: 1\n    # of a\n  # of x\nz: 1\n", "x.b"),
        "x:\n    a: 1\n    b: |-\n      T\n    # of a\n  # of x\nz: 1\n"
    );
    assert_eq!(
        inserted("x:\n  - b: 1\n", "x.0.a"),
        "x:\n  - a: |-\n      T\n    b: 1\n"
    );
    assert_eq!(
        inserted("a: |+\n  x\n\nc: 1\n", "b"),
        "a: |+\n  x\n\nb: |-\n  T\nc: 1\n"
    );
    assert_eq!(inserted("a: 1", "b"), "a: 1\nb: |-\n  T\n");
    assert_eq!(inserted("a: 1\n", "404"), "\"404\": |-\n  T\na: 1\n");
}

#[test]
fn lists_and_flow_collections_grow_at_their_end() {
    assert_eq!(inserted("a:\n- x\nb: 1\n", "a.1"), "a:\n- x\n- |-\n  T\nb: 1\n");
    assert_eq!(inserted("a:\n- x\n", "a.1.k"), "a:\n- x\n- k: |-\n    T\n");
    assert_eq!(inserted("a: []\n", "a.0"), "a: [\"T\"]\n");
    assert_eq!(inserted("a: [x, ]\n", "a.1"), "a: [x, \"T\", ]\n");
    assert_eq!(inserted("a: {b: , }\n", "a.c.d"), "a: {b: , \"c\": {\"d\": \"T\"}, }\n");
}

#[test]
fn what_stands_in_the_way_is_named() {
    let tree = Tree::parse("a: 1\nb:\n- x\n", Rules::File).unwrap();
    let obstacle = |at| insert(&tree, &path(at), "T", LineEnd::Lf).unwrap_err();
    assert_eq!(obstacle("a.b"), Obstacle::ValueAt(path("a")));
    assert_eq!(obstacle("b"), Obstacle::CollectionAt(path("b")));
    assert_eq!(obstacle("b.2"), Obstacle::BeyondList(path("b"), 1));
    assert_eq!(obstacle("b.c"), Obstacle::NoIndex(path("b")));
}

#[test]
fn removing_takes_the_lines_and_the_emptied_parents() {
    assert_eq!(removed("# c\na: 1 # x\nb: 2\n", "a"), "# c\nb: 2\n");
    assert_eq!(removed("a:\n  b:\n    c: 1\nd: 2\n", "a.b.c"), "d: 2\n");
    assert_eq!(removed("a:\n- x\n- |\n  y\n- z\n", "a.1"), "a:\n- x\n- z\n");
    assert_eq!(removed("a:\n- b: 1\n  c: 2\n", "a.0.b"), "a:\n- c: 2\n");
    assert_eq!(
        removed("a:\n- b: 1\n  # of c\n  c: 2\n", "a.0.b"),
        "a:\n- \n  # of c\n  c: 2\n"
    );
    assert_eq!(removed("a: {b: 1, c: 2}\n", "a.b"), "a: {c: 2}\n");
    assert_eq!(removed("a: {b: 1, c: 2}\n", "a.c"), "a: {b: 1}\n");
    assert_eq!(removed("a: [x, # c\n  y]\nb: 1\n", "a.1"), "a: [x # c\n  ]\nb: 1\n");
    assert_eq!(removed("a: 1\n", "a"), "");
}
