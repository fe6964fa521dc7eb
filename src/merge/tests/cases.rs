//! The cases that people know by name, each with the whole text that comes out.

use expect_test::{Expect, expect};

use super::merged;

/// Letters stand for versions of tokens: `a: A1` is a value at `a`.
fn text(short: &str) -> String {
    let mut out = String::new();
    for line in short.lines() {
        let Some((head, version)) = line.rsplit_once(' ').filter(|(head, version)| {
            (head.ends_with(':') || head.ends_with('-') || head.contains(" #")) && version.starts_with('@')
        }) else {
            out.push_str(&format!("{line}\n"));
            continue;
        };
        let digit = &version[1..];
        let (head, comment) = head
            .split_once(" #")
            .map_or((head, ""), |(head, comment)| (head, comment));
        let comment = if comment.is_empty() {
            String::new()
        } else {
            format!(" #{comment}")
        };
        let blanks = if head.ends_with(':') { &[' ', '-'][..] } else { &[' '] };
        let column = head.len() - head.trim_start_matches(blanks).len();
        out.push_str(&format!(
            "{head} |-{comment}\n{:1$}ENC[age,k0123456789abcdef,v0000000{digit},YWdl{digit}]\n",
            "",
            column + 2
        ));
    }
    out
}

/// The other way round.
fn short(text: &str) -> String {
    text.replace(",YWdl", "@")
        .split("ENC[age,k0123456789abcdef,v0000000")
        .map(|part| {
            part.split_once('@').map_or(part.to_owned(), |(digit, rest)| {
                format!("@{digit}{}", &rest[digit.len() + 1..])
            })
        })
        .collect()
}

fn check(base: &str, ours: &str, theirs: &str, expected: &Expect) {
    let result = merged(&text(base), &text(ours), &text(theirs));
    let mut shown = short(&result.body);
    for conflict in &result.conflicts {
        shown.push_str(&format!("! {}: {:?}\n", conflict.path, conflict.reason));
    }
    expected.assert_eq(&shown);
}

#[test]
fn neighbours_and_both_ends() {
    check(
        "a: @1\nb: @1\nc: @1\n",
        "a: @2\nb: @1\nc: @1\ne: @5\n",
        "a: @1\nb: @3\nc: @1\nd: @4\n",
        &expect![[r#"
            a: |-
              @2
            b: |-
              @3
            c: |-
              @1
            d: |-
              @4
            e: |-
              @5
        "#]],
    );
    check(
        "z: @1\nb: @1\n",
        "z: @1\nb: @1\ne: @5\n",
        "z: @1\nb: @1\nd: @4\n",
        &expect![[r#"
            z: |-
              @1
            b: |-
              @1
            e: |-
              @5
            d: |-
              @4
        "#]],
    );
}

#[test]
fn one_value_on_both_sides() {
    check(
        "a: @1\nb: @1\n",
        "a: @2\nb: @1\n",
        "a: @3\nb: @1\n",
        &expect![[r#"
        a: |-
        <<<<<<< main
          @2
        =======
          @3
        >>>>>>> topic
        b: |-
          @1
        ! a: Both
    "#]],
    );
    check(
        "a: @1\nb: @1\n",
        "a: @2\nb: @1\n",
        "b: @1\n",
        &expect![[r#"
        <<<<<<< main
        a: |-
          @2
        =======
        >>>>>>> topic
        b: |-
          @1
        ! a: Removed(Theirs)
    "#]],
    );
    check(
        "a: @1\nb: @1\n",
        "b: @1\n",
        "a: @2\nb: @1\n",
        &expect![[r#"
        <<<<<<< main
        =======
        a: |-
          @2
        >>>>>>> topic
        b: |-
          @1
        ! a: Removed(Ours)
    "#]],
    );
}

#[test]
fn comments_of_both_sides() {
    check(
        "# one\n# two\na: @1\nb: @1\n# end\n",
        "# one\n# 2\na: @1\nb: #x @1\n# end\n",
        "# 1\n# two\na: #y @1\nb: @2\n# END\n",
        &expect![[r#"
            # 1
            # 2
            a: |- #y
              @1
            b: |- #x
              @2
            # END
        "#]],
    );
    check(
        "# one\na: @1\n",
        "# ours\na: @1\n",
        "# theirs\na: @2\n",
        &expect![[r#"
        <<<<<<< main
        # ours
        =======
        # theirs
        >>>>>>> topic
        a: |-
          @2
        ! a: Comment
    "#]],
    );
}

#[test]
fn a_formatter_on_one_side() {
    check(
        "db:\n  user: @1\n  password: @1\nhosts:\n- @1\n- @2\n",
        "db:\n    user: @1\n    password: @1\n\nhosts:\n    - @1\n    - @2\n",
        "db:\n  user: @1\n  # rotated\n  password: @2\n  port: @3\nhosts:\n- @1\n- @4\n- @5\n",
        &expect![[r#"
            db:
                user: |-
                  @1
                # rotated
                password: |-
                  @2
                port: |-
                  @3

            hosts:
                - |-
                  @1
                - |-
                  @4
                - |-
                  @5
        "#]],
    );
}

#[test]
fn a_mapping_that_moved() {
    check(
        "db:\n  user: @1\n  password: @2\nx: @1\n",
        "x: @1\nservices:\n  db:\n    user: @1\n    password: @2\n",
        "db:\n  user: @1\n  password: @2\nx: @3\n",
        &expect![[r#"
            x: |-
              @3
            services:
              db:
                user: |-
                  @1
                password: |-
                  @2
        "#]],
    );
    check(
        "db:\n  user: @1\n  password: @2\nx: @1\n",
        "x: @1\nservices:\n  db:\n    user: @1\n    password: @2\n",
        "db:\n  user: @1\n  password: @3\nx: @1\n",
        &expect![[r#"
            <<<<<<< main
            =======
            db:
              user: |-
                @1
              password: |-
                @3
            >>>>>>> topic
            x: |-
              @1
            services:
              db:
                user: |-
                  @1
                password: |-
                  @2
            ! db: Removed(Ours)
        "#]],
    );
}

#[test]
fn lists() {
    check(
        "l:\n- @1\n- @2\n",
        "l:\n- @3\n- @2\n",
        "l:\n- @1\n- @4\n",
        &expect![[r#"
        l:
        - |-
          @3
        - |-
          @4
    "#]],
    );
    check(
        "l:\n- @1\n- @2\n",
        "l:\n- @2\n",
        "l:\n- @1\n",
        &expect![[r#"
        l:
        - |-
        <<<<<<< main
          @2
        =======
          @1
        >>>>>>> topic
        ! l: List
    "#]],
    );
    check(
        "l:\n- a: @1\n  b: @2\n",
        "l:\n- b: @2\n",
        "l:\n- a: @1\n  b: @3\n",
        &expect![[r#"
        l:
        - b: |-
            @3
    "#]],
    );
}
