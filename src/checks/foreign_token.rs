//! `foreign-token`: a value sealed under another key than the file's, as a merge beside a new key leaves it. It is worth no
//! more than a proposal until `apply` takes it over (FORMAT, "Which key is trusted").

use super::{Look, Parsed, Rule, Subject};
use crate::document::token::Token;
use crate::finding::{Code, Finding};

static CODE: Code = Code::error(
    "foreign-token",
    "a value is sealed under another key than the file's, and opens for nobody",
);

pub(super) static RULE: Rule = Rule {
    code: &CODE,
    look: Look::File(find),
};

fn find(subject: &Subject<'_>) -> Vec<Finding> {
    let (Some(name), Parsed::Whole(Some(reading))) = (subject.name(), &subject.parsed) else {
        return Vec::new();
    };
    let own = reading.footer.drop_box.id();
    let mut findings = Vec::new();
    reading.tree.visit(&mut |trail, scalar| {
        if Token::parse(&scalar.content).is_some_and(|token| token.key != own) {
            let place = subject.place_of(&trail.to_path(), scalar.head.start);
            let message = format!("{} is sealed under another key than the file's", subject.named(&place));
            findings.push(
                CODE.finding(place, message)
                    .cure(format!("{} apply {name}", subject.program))
                    .hint("a merge may have left it; `apply`, run by a reader, shows who wrote it and takes it over"),
            );
        }
    });
    findings
}
