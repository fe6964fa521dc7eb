//! `plaintext-value`: a value that stands readable in an environment file, though the policy does not say that it may, or
//! where an encrypted one stood just before (FORMAT, Text 4).

use super::{Look, Rule, Standing, Subject};
use crate::document::path::ValuePath;
use crate::document::token::{has_token_shape, is_token};
use crate::document::tree::{Located, Rules, Tree};
use crate::error::Failure;
use crate::finding::{Code, Finding};

static CODE: Code = Code::error("plaintext-value", "a value stands readable that should be encrypted");

pub(super) static RULE: Rule = Rule {
    code: &CODE,
    look: Look::File(find),
};

fn find(subject: &Subject<'_>) -> Vec<Finding> {
    let Some((rules, tree)) = subject.values() else {
        return Vec::new();
    };
    let (mut forbidden, mut allowed) = (Vec::new(), Vec::new());
    tree.visit(&mut |trail, scalar| {
        if !has_token_shape(&scalar.content) {
            let path = trail.to_path();
            let start = scalar.head.start;
            match rules.lets_stand_readable(&path) {
                true => allowed.push((path, start)),
                false => forbidden.push((path, start)),
            }
        }
    });
    let name = &rules.environment.name;
    let sealing = format!("{} encrypt {name}", subject.program);
    let plain = forbidden.into_iter().map(|(path, start)| {
        let place = subject.place_of(&path, start);
        let message = format!("{} is not encrypted", subject.named(&place));
        CODE.finding(place, message).cure(sealing.clone())
    });
    let mut findings: Vec<_> = plain.collect();
    for (path, start) in made_readable(subject, allowed) {
        let place = subject.place_of(&path, start);
        let message = format!("{} stands readable where a token stood", subject.named(&place));
        findings.push(CODE.finding(place, message).hint(format!(
            "put the token back; a value is made readable by {} unset {name} '{path}', a commit, and set",
            subject.program
        )));
    }
    findings
}

/// The same where only history tells that a token stood there.
pub(super) fn made_readable_before(standing: &Standing<'_>, failure: &Failure) -> Finding {
    CODE.finding(standing.place(), failure.message()).hints(failure.hints())
}

/// What stands at a path in one version of a file.
#[derive(PartialEq, Eq)]
enum Stood {
    Token,
    Readable,
    Nothing,
}

/// The paths among `allowed` where a parent has a token, and none has a readable value.
fn made_readable(subject: &Subject<'_>, mut allowed: Vec<(ValuePath, usize)>) -> Vec<(ValuePath, usize)> {
    if allowed.is_empty() {
        return allowed;
    }
    let trees = subject.before.iter().map(|text| Tree::parse(text, Rules::File));
    let trees: Vec<_> = trees.filter_map(Result::ok).collect();
    allowed.retain(|(path, _)| {
        let stood: Vec<_> = trees.iter().map(|tree| stood(tree, path)).collect();
        stood.contains(&Stood::Token) && !stood.contains(&Stood::Readable)
    });
    allowed
}

fn stood(tree: &Tree<'_>, path: &ValuePath) -> Stood {
    match tree.node(path) {
        Some(Located::Scalar(scalar)) if is_token(&scalar.content) => Stood::Token,
        Some(Located::Scalar(_)) => Stood::Readable,
        _ => Stood::Nothing,
    }
}
