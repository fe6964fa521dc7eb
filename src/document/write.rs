//! Puts tokens into a text and texts in the place of tokens. Everything between scalars stays as it is.

use std::ops::Range;

use zeroize::Zeroizing;

use super::extent;
use super::lines::{Lines, leading_blanks};
use super::render::Position;
use super::source::restore;
use super::tree::{Rules, Scalar, Tree};
use crate::value::{LineEnd, Source, Value};

/// A part of a text that is to be replaced.
#[derive(Debug)]
pub(super) struct Replacement {
    pub(super) range: Range<usize>,
    pub(super) text: Zeroizing<String>,
}

/// `text` with the `replacements`, which are in order and do not overlap.
pub(super) fn splice(text: &str, replacements: &[Replacement]) -> Zeroizing<String> {
    let grown: usize = replacements.iter().map(|replacement| replacement.text.len()).sum();
    let mut spliced = Zeroizing::new(String::with_capacity(text.len() + grown));
    let mut copied = 0;
    for replacement in replacements {
        spliced.push_str(&text[copied..replacement.range.start]);
        spliced.push_str(&replacement.text);
        copied = replacement.range.end;
    }
    spliced.push_str(&text[copied..]);
    spliced
}

/// `text` with each scalar replaced by its token: in block context a literal block whose one line is the token, in
/// flow collections in double quotes (FORMAT, Text 3). The scalars are in the order of the text.
pub fn write_tokens(text: &str, lines: &Lines<'_>, line_end: LineEnd, tokens: &[(&Scalar<'_>, String)]) -> String {
    let mut replacements = Vec::with_capacity(tokens.len() * 2);
    for (scalar, token) in tokens {
        push_token(text, lines, line_end, scalar, token, &mut replacements);
    }
    std::mem::take(&mut *splice(text, &replacements))
}

/// The tree's text, without its footer, with other tokens in the place of tokens and nothing around them moved. Nothing if
/// there are none; the scalars are in the order of the text.
pub fn replace_contents(tree: &Tree<'_>, tokens: &[(&Scalar<'_>, String)]) -> Option<String> {
    let mut replacements = Vec::with_capacity(tokens.len());
    for (scalar, token) in tokens {
        let start = scalar.head.start;
        match tree.text[start..scalar.end()].find(&*scalar.content) {
            Some(at) => replacements.push(Replacement {
                range: start + at..start + at + scalar.content.len(),
                text: Zeroizing::new(token.clone()),
            }),
            // Written over several lines: it gets a line of its own.
            None => push_token(
                tree.text,
                &tree.lines,
                super::lines::line_end(tree.text),
                scalar,
                token,
                &mut replacements,
            ),
        }
    }
    (!tokens.is_empty()).then(|| std::mem::take(&mut *splice(tree.body(), &replacements)))
}

fn push_token(
    text: &str,
    lines: &Lines<'_>,
    line_end: LineEnd,
    scalar: &Scalar<'_>,
    token: &str,
    replacements: &mut Vec<Replacement>,
) {
    let mut head = if scalar.flow {
        format!("\"{token}\"")
    } else {
        "|-".to_owned()
    };
    if scalar.empty {
        head.insert(0, ' ');
        if text.as_bytes().get(scalar.head.end) == Some(&b'#') {
            head.push(' ');
        }
    }
    replacements.push(Replacement {
        range: scalar.head.clone(),
        text: Zeroizing::new(head),
    });
    if scalar.flow {
        return;
    }
    let line_end = line_end.text();
    let indentation = " ".repeat(token_indentation(text, lines, scalar));
    let closing = last_line_end(&text[scalar.tail.clone()]);
    let tail = Zeroizing::new(format!("{line_end}{indentation}{token}{closing}"));
    replacements.push(Replacement {
        range: scalar.tail.clone(),
        text: tail,
    });
}

/// How far a token's line is indented: its key's column plus 2, or so deep that the comments and blank lines that
/// follow are not taken for a part of it.
fn token_indentation(text: &str, lines: &Lines<'_>, scalar: &Scalar<'_>) -> usize {
    let behind = if text[scalar.tail.clone()].ends_with('\n') {
        scalar.tail.end
    } else {
        lines.next_of(scalar.tail.end)
    };
    (scalar.column + 2).max(swallowing_indentation(&text[behind.min(text.len())..]))
}

/// The least indentation at which the comments and blank lines that `following` begins with are not taken for lines of
/// the block scalar above them.
fn swallowing_indentation(following: &str) -> usize {
    let below = following.lines().map_while(swallowed_below);
    below.max().unwrap_or_default()
}

/// The least indentation at which a block scalar does not take `line`, which follows it, for a part of itself; nothing if
/// the line is neither blank nor a comment.
pub fn swallowed_below(line: &str) -> Option<usize> {
    let blanks = leading_blanks(line);
    match line.as_bytes().get(blanks) {
        None => Some(blanks),
        Some(b'#') => Some(blanks + 1),
        Some(_) => None,
    }
}

/// Indents the line of a token that holds the byte at `offset` so deep that what follows it now is not taken for a part
/// of it. Other lines stay as they are.
pub(super) fn settle(text: &mut String, offset: usize) {
    let start = text[..offset].rfind('\n').map_or(0, |end| end + 1);
    let blanks = leading_blanks(&text[start..]);
    if !super::token::has_token_shape(&text[start + blanks..]) {
        return;
    }
    let next = text[offset..].find('\n').map_or(text.len(), |end| offset + end + 1);
    let needed = swallowing_indentation(&text[next..]);
    if needed > blanks {
        text.insert_str(start, &" ".repeat(needed - blanks));
    }
}

/// What a token was opened to.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The value.
    pub value: Value,
    /// The author's text, where the default rendering would not give it back.
    pub source: Option<Source>,
}

/// `text` with each token's scalar replaced by what it was opened to. The scalars are in the order of the text, the
/// tree is that of `text`. Gives nothing if no text with these values can be put together.
pub fn write_values(
    tree: &Tree<'_>,
    line_end: LineEnd,
    opened: &[(&Scalar<'_>, Opened)],
    final_newline: bool,
) -> Option<Zeroizing<String>> {
    let all = opened.iter().map(|(_, opened)| &opened.value);
    for with_sources in [true, false] {
        let mut replacements = Vec::with_capacity(opened.len() * 2);
        let mut must_check = !with_sources;
        for (scalar, opened) in opened {
            let source = opened.source.as_ref().filter(|_| with_sources);
            let position = Position {
                column: scalar.column,
                line_end,
                flow: scalar.flow,
            };
            let restored = restore(&opened.value, source, position);
            let moved = source.is_some_and(|source| source.column != position.column || source.line_end != line_end);
            must_check |= moved || restored.contains('\n');
            push_value(tree, scalar, restored, &mut replacements);
        }
        let mut written = splice(tree.body(), &replacements);
        if !final_newline {
            strip_line_end(&mut written);
        }
        if !must_check || holds_exactly(&written, tree, all.clone()) {
            return Some(written);
        }
    }
    None
}

/// The tree's text, without its footer, with `written` in the place of `scalar`.
pub fn replace_scalar(tree: &Tree<'_>, scalar: &Scalar<'_>, written: &str) -> String {
    let mut replacements = Vec::new();
    push_value(tree, scalar, Zeroizing::new(written.to_owned()), &mut replacements);
    std::mem::take(&mut *splice(tree.body(), &replacements))
}

fn strip_line_end(text: &mut String) {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
}

/// Replaces a scalar by `restored`, the text of a value.
pub(super) fn push_value(
    tree: &Tree<'_>,
    scalar: &Scalar<'_>,
    restored: Zeroizing<String>,
    replacements: &mut Vec<Replacement>,
) {
    let text = tree.text;
    if restored.bytes().all(|byte| byte == b' ' || byte == b'\t') {
        replacements.push(Replacement {
            range: with_blanks(text, &scalar.head),
            text: restored,
        });
        if !scalar.flow {
            replacements.push(Replacement {
                range: scalar.tail.clone(),
                text: Zeroizing::new(last_line_end(&text[scalar.tail.clone()]).to_owned()),
            });
        }
        return;
    }
    let split = match scalar.flow {
        true => restored.len(),
        false => extent::header_end(&restored).unwrap_or(restored.len()),
    };
    let mut head = Zeroizing::new(String::with_capacity(split + 2));
    head.push_str(if scalar.empty { " " } else { "" });
    head.push_str(&restored[..split]);
    if scalar.empty && text.as_bytes().get(scalar.head.end) == Some(&b'#') {
        head.push(' ');
    }
    replacements.push(Replacement {
        range: scalar.head.clone(),
        text: head,
    });
    if scalar.flow {
        return;
    }
    let mut tail = Zeroizing::new(restored[split..].to_owned());
    if !tail.ends_with('\n') {
        tail.push_str(last_line_end(&text[scalar.tail.clone()]));
    }
    replacements.push(Replacement {
        range: scalar.tail.clone(),
        text: tail,
    });
}

/// The line end that a text ends with: one file may hold both kinds, and each line keeps its own.
fn last_line_end(text: &str) -> &'static str {
    if text.ends_with("\r\n") {
        "\r\n"
    } else if text.ends_with('\n') {
        "\n"
    } else {
        ""
    }
}

/// `head` and the blanks around it on its line: what an empty value spans.
fn with_blanks(text: &str, head: &Range<usize>) -> Range<usize> {
    let before = &text[..head.start];
    let start = before.trim_end_matches([' ', '\t']).len();
    head.start.min(start)..head.end + leading_blanks(&text[head.end..])
}

/// Whether `written` parses to the scalars of `tree`, path by path, in which those that were tokens have these `values`.
fn holds_exactly<'v>(written: &str, tree: &Tree<'_>, mut values: impl Iterator<Item = &'v Value>) -> bool {
    let Ok(parsed) = Tree::parse(written, Rules::Text) else {
        return false;
    };
    let (now, before) = (parsed.scalars(), tree.scalars());
    now.len() == before.len()
        && now
            .iter()
            .zip(&before)
            .all(|((path, scalar), (path_before, scalar_before))| {
                let was_token = super::token::has_token_shape(&scalar_before.content);
                let value = scalar.value();
                path == path_before
                    && if was_token {
                        values.next() == Some(&value)
                    } else {
                        value == scalar_before.value()
                    }
            })
}
