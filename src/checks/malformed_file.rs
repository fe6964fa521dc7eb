//! `malformed-file`: a policy or environment file that no command would take as it is. What merely stands readable is
//! `plaintext-value`, and an undecided merge `conflict-markers`.

use super::conflict_markers::has_marker;
use super::{Look, Parsed, Rule, Subject};
use crate::document::token::{has_token_shape, is_token};
use crate::document::tree::{Located, Tree};
use crate::finding::{Code, Finding};
use crate::vault::Rulebook;

static CODE: Code = Code::error(
    "malformed-file",
    "a policy or environment file is not what it should be",
);

pub(super) static RULE: Rule = Rule {
    code: &CODE,
    look: Look::File(find),
};

fn find(subject: &Subject<'_>) -> Vec<Finding> {
    if has_marker(subject.text) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    match &subject.parsed {
        Parsed::Broken { line, failure } => {
            let place = subject.place();
            let place = match line {
                Some(line) => place.at_line(*line),
                None => place,
            };
            return vec![CODE.finding(place, failure.message()).hints(failure.hints())];
        }
        Parsed::Footless { tree, failure } => {
            let encrypt = subject.name().map(|name| format!("secretree encrypt {name}"));
            let is_sealing = encrypt
                .as_ref()
                .is_some_and(|encrypt| failure.hints().contains(encrypt));
            // Without a footer, and with values, it is these that have to be sealed.
            if !(is_sealing && tree.footer.is_none() && has_values(tree)) {
                let finding = CODE.finding(subject.place(), failure.message());
                findings.push(match (is_sealing, subject.name()) {
                    (true, Some(name)) => finding.cure(format!("{} encrypt {name}", subject.program)),
                    _ => finding.hints(failure.hints()),
                });
            }
        }
        Parsed::Whole(_) => {}
    }
    if let Some((rules, tree)) = subject.values() {
        findings.extend(tokens(subject, tree));
        findings.extend(collections(subject, rules, tree));
    }
    findings
}

fn has_values(tree: &Tree<'_>) -> bool {
    let mut any = false;
    tree.visit(&mut |_, _| any = true);
    any
}

/// Scalars that are nearly tokens.
fn tokens(subject: &Subject<'_>, tree: &Tree<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    tree.visit(&mut |trail, scalar| {
        if has_token_shape(&scalar.content) && !is_token(&scalar.content) {
            let place = subject.place_of(&trail.to_path(), scalar.head.start);
            let message = format!("the token at {} is malformed", subject.named(&place));
            findings.push(CODE.finding(place, message).hint(format!(
                "put the one of the last commit back: git log -p -- {}",
                subject.file.display()
            )));
        }
    });
    findings
}

/// Collections where the policy declares a value (FORMAT, Text 4).
fn collections(subject: &Subject<'_>, rules: Rulebook<'_>, tree: &Tree<'_>) -> Vec<Finding> {
    let declared = rules.policy.declared(rules.environment);
    let literal = declared.filter_map(|secret| secret.scope.path.literal());
    let mut findings = Vec::new();
    for path in literal {
        let start = match tree.node(&path) {
            Some(Located::Mapping(mapping)) => mapping.span.start,
            Some(Located::Sequence(sequence)) => sequence.span.start,
            _ => continue,
        };
        let place = subject.place_of(&path, start);
        let message = format!(
            "{} is a collection where the policy declares a value",
            subject.named(&place)
        );
        findings.push(
            CODE.finding(place, message)
                .hint("take it out by hand, or change `secrets` in the policy"),
        );
    }
    findings
}
