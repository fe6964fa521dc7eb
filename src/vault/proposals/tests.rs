//! Properties of accepting and rejecting: whatever stands in the file and whatever is proposed, everything else keeps its
//! bytes, and what does not fit is refused without a panic.

use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::test_runner::TestCaseError;

use super::{Content, Effect, Proposal, content};
use crate::crypto::envelope::to_base64;
use crate::crypto::key::EnvironmentKey;
use crate::crypto::label::GrantLabel;
use crate::crypto::proposal::{ProposalPlaintext, seal_proposal};
use crate::document::lines::line_end;
use crate::document::path::{Segment, ValuePath};
use crate::names::EnvironmentName;
use crate::policy::Policy;
use crate::value::Value;
use crate::vault::Provenance;
use crate::vault::environment::Environment;
use crate::vault::footer::Footer;
use crate::vault::reading::{Reading, Rulebook, with_footer};

const ID: &str = "5f0c1d2e3b4a59687786a5b4c3d2e1f0";

/// Texts of environments before they are sealed.
const BODIES: [&str; 5] = [
    "",
    "# only a comment\n",
    "a: 1\nb:\n  c: x # behind\n  d: |\n    two\n    lines\nlist:\n- one\n- two: 2\n",
    "b: {c: x, d: [1, 2]}\na: \"quoted\"\n\n# at the end\n",
    "a: 'x'\r\nb:\r\n  c: y\r\n",
];

fn policy() -> Policy {
    let key = EnvironmentKey::generate();
    let key = key.drop_box();
    let text = format!(
        "version: 1\nid: \"{ID}\"\nrecipients:\n  alice: {{keys: [{key}]}}\nenvironments:\n  \
         dev: {{file: dev.yaml, readers: [alice], plaintext: [\"open.*\"]}}\nsecrets:\n  whole: {{description: one}}\n"
    );
    Policy::parse(&text, ".secrets.yaml").unwrap()
}

/// The file of a body, sealed under `key`.
fn sealed(rules: Rulebook<'_>, key: &EnvironmentKey, body: &str) -> String {
    let name = EnvironmentName::new("dev").unwrap();
    let empty = with_footer(
        "",
        &Footer::new(name, key.drop_box().clone()).write(line_end(body)),
        line_end(body),
    );
    opened(rules, key, &empty).replace_text(body).unwrap().0
}

fn opened<'f>(rules: Rulebook<'f>, key: &EnvironmentKey, text: &'f str) -> Environment<'f> {
    Environment {
        rules,
        reading: Reading::new(text, rules).unwrap(),
        key: key.clone(),
        opened_by: GrantLabel::parse("x25519-0123456789abcdef").unwrap(),
    }
}

/// The file with these proposals in it, as those who propose write them.
fn with_proposals(rules: Rulebook<'_>, key: &EnvironmentKey, text: &str, values: &[(ValuePath, String)]) -> String {
    let reading = Reading::new(text, rules).unwrap();
    let mut footer = reading.footer.clone();
    for (path, value) in values {
        let plaintext = ProposalPlaintext {
            policy: ID.to_owned(),
            environment: footer.environment.clone(),
            path: path.to_json(),
            value: Value::text(value),
        };
        let (label, file) = seal_proposal(key.drop_box(), &plaintext).unwrap();
        footer.proposals.insert(label, to_base64(&file));
    }
    reading.assemble(reading.tree.body(), &footer)
}

fn proposals(environment: &Environment<'_>) -> Vec<Proposal> {
    let files = environment.reading.footer.proposals.iter();
    files
        .map(|(label, file)| Proposal {
            label: label.clone(),
            content: content(environment, label, file),
            provenance: Provenance::default(),
            file: file.clone(),
        })
        .collect()
}

fn path() -> impl Strategy<Value = ValuePath> {
    let segment = prop_oneof![
        prop_oneof![
            Just("a"),
            Just("b"),
            Just("c"),
            Just("list"),
            Just("whole"),
            Just("secretree"),
            Just("two")
        ]
        .prop_map(|key| Segment::Key(key.to_owned())),
        (0_usize..4).prop_map(Segment::Index),
        "[a-z.é\"]{0,4}".prop_map(Segment::Key),
        any::<String>().prop_map(Segment::Key),
    ];
    proptest::collection::vec(segment, 0..4).prop_map(ValuePath::new)
}

/// The lines of `kept` stand in `whole`, in this order.
fn is_within<'l>(kept: impl Iterator<Item = &'l str>, whole: &str) -> bool {
    let mut lines = whole.lines();
    kept.into_iter().all(|line| lines.any(|other| other == line))
}

proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 64, ..Default::default() })]

    #[test]
    fn rejecting_brings_the_file_back_to_the_byte(
        body in 0..BODIES.len(),
        values in proptest::collection::vec((path(), any::<String>()), 1..4),
    ) {
        let (policy, key) = (policy(), EnvironmentKey::generate());
        let rules = rules(&policy);
        let text = sealed(rules, &key, BODIES[body]);
        let proposed = with_proposals(rules, &key, &text, &values);
        let environment = opened(rules, &key, &proposed);
        let all = proposals(&environment);
        prop_assert_eq!(environment.reading.without(&all).unwrap(), text);
        // What is not there any more is an error, and no other is taken for it.
        prop_assert!(Reading::new(&environment.reading.without(&all).unwrap(), rules).unwrap().without(&all).is_err());
    }

    #[test]
    fn accepting_changes_that_value_and_nothing_else(
        body in 0..BODIES.len(),
        path in path(),
        value in any::<String>(),
        other in path(),
    ) {
        let (policy, key) = (policy(), EnvironmentKey::generate());
        let rules = rules(&policy);
        let text = sealed(rules, &key, BODIES[body]);
        let pair = [(path, value.clone()), (other, "other".to_owned())];
        let kept = with_proposals(rules, &key, &text, &pair[1..]);
        let proposed = with_proposals(rules, &key, &kept, &pair[..1]);
        let environment = opened(rules, &key, &proposed);
        let before: std::collections::BTreeSet<_> = opened(rules, &key, &kept).reading.footer.proposals.into_keys().collect();
        let mut all = proposals(&environment);
        all.retain(|proposal| !before.contains(&proposal.label));
        let chosen = &all[0];
        let Content::Value(what) = &chosen.content else {
            prop_assert!(environment.accept(&all).is_err(), "junk is never accepted");
            return Ok(());
        };
        let Ok((new, changes)) = environment.accept(&all) else {
            // A layout that no machine changes: a person is told to use the editor.
            return Ok(());
        };
        prop_assert_eq!(changes.is_empty(), what.effect == Effect::Repeats);
        let after = opened(rules, &key, &new);
        let place = after.place(&after.reading.as_written(&what.path)).expect("it stands there");
        prop_assert_eq!(after.open_place(&place).unwrap().value, Value::text(&value));
        prop_assert_eq!(&after.reading.footer.proposals, &opened(rules, &key, &kept).reading.footer.proposals);
        unchanged_elsewhere(&environment, &after, &what.path)?;
        // Every line that held no part of the value is there still: comments, layout, the other tokens.
        let token = environment.as_it_stands(&what.path).map(str::to_owned);
        let lines = kept.lines().filter(|line| token.as_deref().is_none_or(|token| !line.contains(token)));
        if token.is_some() {
            prop_assert!(is_within(lines, &new), "{}\n---\n{}", kept, new);
        }
    }
}

fn rules(policy: &Policy) -> Rulebook<'_> {
    let environment = policy.environments.values().next().unwrap();
    Rulebook { policy, environment }
}

/// Every other place keeps its token, or its text if it is readable.
fn unchanged_elsewhere(
    before: &Environment<'_>,
    after: &Environment<'_>,
    path: &ValuePath,
) -> Result<(), TestCaseError> {
    for place in before.places().unwrap() {
        if place.path != *path {
            let now = after.as_it_stands(&place.path);
            prop_assert_eq!(now, Some(&*place.scalar.content), "{}", place.path);
        }
    }
    Ok(())
}
