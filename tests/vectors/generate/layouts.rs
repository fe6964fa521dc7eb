//! Vectors that open although a formatter laid the file out otherwise.

use super::Vector;
use super::draft::Draft;
use super::good::Good;

pub(super) fn vectors() -> Vec<Vector> {
    let draft = Draft::with_body("a: canary-7d1e\nb: 'two'\n");
    let (a, b) = (draft.token("a"), draft.token("b"));
    let block = |token: &str| format!(" |-\n  {token}\n");
    let text = draft.text();
    let inline = text
        .replace(&block(&a), &format!(" {a}\n"))
        .replace(&block(&b), &format!(" \"{b}\"\n"));
    let folded = text.replace(&block(&a), &format!(" >-\n        {a}\n"));
    let (body, footer) = text.split_once("\nsecretree:\n").expect("it has a footer");
    let mut fields: Vec<String> = Vec::new();
    for line in footer.lines() {
        let deeper = line.replace("  ", "    ");
        match fields.last_mut() {
            Some(field) if line.starts_with("   ") => field.push_str(&format!("\n{deeper}")),
            _ => fields.push(deeper),
        }
    }
    fields.reverse();
    let reordered = format!(
        "{body}secretree:\n{}\n# a comment behind the footer\n",
        fields.join("\n\n")
    )
    .replace("format: 1", "format: \"1\" # quoted");
    let moved = Draft::with_body("a:\n  list:\n    - |\n        canary-7d1e\n         two\n    - 'x'\n");
    let deeper: String = moved
        .text()
        .lines()
        .map(|line| {
            if line.starts_with("    ") && !line.contains("age1") {
                format!("  {line}\n")
            } else {
                format!("{line}\n")
            }
        })
        .collect();
    let (moved_body, _) = deeper.split_once("\nsecretree:").expect("it has a footer");
    let (_, moved_footer) = moved
        .text()
        .split_once("\nsecretree:")
        .map(|(body, footer)| (body.to_owned(), footer.to_owned()))
        .expect("it has a footer");
    vec![
        Good {
            file: Some(inline),
            ..Good::new(
                "tokens-inline",
                "tokens in plain and quoted scalars, as some formatter left them",
                draft,
            )
        }
        .vector(),
        Good {
            file: Some(folded),
            ..Good::new(
                "tokens-folded",
                "a token in a folded block, indented deeper",
                Draft::with_same("a: canary-7d1e\nb: 'two'\n", &[("a", &a), ("b", &b)]),
            )
        }
        .vector(),
        Good {
            file: Some(reordered),
            ..Good::new(
                "footer-laid-out-otherwise",
                "footer fields in another order, indentation and style, without the blank line, with a comment behind",
                Draft::with_same("a: canary-7d1e\nb: 'two'\n", &[("a", &a), ("b", &b)]),
            )
        }
        .vector(),
        Good {
            file: Some(format!("{moved_body}\nsecretree:{moved_footer}")),
            text: Some("a:\n  list:\n      - |\n          canary-7d1e\n           two\n      - 'x'\n".to_owned()),
            ..Good::new(
                "moved",
                "a formatter moved the list by two columns: the author's lines move with it",
                moved,
            )
        }
        .vector(),
    ]
}

impl Draft {
    /// A draft with this body and tokens that were sealed already.
    fn with_same(body: &str, tokens: &[(&str, &str)]) -> Self {
        let mut draft = Self::with_body(body);
        for (path, token) in tokens {
            draft.put(path, *token);
        }
        draft
    }
}
