//! Holds `docs/policy.schema.json` against the parser, and the parser's YAML against another reader's: what
//! one accepts, the other must, for the example and for stories.

use std::collections::BTreeSet;

use regex::Regex;
use serde_json::Value;

use super::delivery::{ROTATOR_FIELDS, TARGET_FIELDS, TARGET_KINDS};
use super::environments::ENVIRONMENT_FIELDS;
use super::file::{NESTED_FIELDS, ROOT_FIELDS};
use super::hygiene::{AUDIT_FIELDS, CHECK_FIELDS, SCAN_FIELDS, WAIVER_FIELDS};
use super::people::RECIPIENT_FIELDS;
use super::policy::Policy;
use super::secrets::SECRET_FIELDS;
use super::tests::story;
use crate::document::tree::{Node, Rules, Tree};
use crate::value;

const EXAMPLE: &str = include_str!("../../.secrets.example.yaml");

fn schema() -> Value {
    serde_json::from_str(include_str!("../../docs/policy.schema.json")).unwrap()
}

/// The example with all its lines in use.
fn whole_example() -> String {
    let lines: Vec<&str> = EXAMPLE
        .lines()
        .map(|line| line.strip_prefix("#: ").unwrap_or(line))
        .collect();
    lines.join("\n")
}

#[test]
fn the_schema_has_the_fields_of_the_parser_and_no_others() {
    let schema = schema();
    let definitions: [(&str, &[&str]); 11] = [
        ("root", &ROOT_FIELDS),
        ("nested", &NESTED_FIELDS),
        ("recipient", &RECIPIENT_FIELDS),
        ("environment", &ENVIRONMENT_FIELDS),
        ("secret", &SECRET_FIELDS),
        ("target", &TARGET_FIELDS),
        ("rotator", &ROTATOR_FIELDS),
        ("check", &CHECK_FIELDS),
        ("waiver", &WAIVER_FIELDS),
        ("scan", &SCAN_FIELDS),
        ("audit", &AUDIT_FIELDS),
    ];
    for (name, fields) in definitions {
        let known: BTreeSet<&str> = fields.iter().copied().collect();
        let listed = schema["$defs"][name]["properties"].as_object().unwrap();
        assert_eq!(
            listed.keys().map(String::as_str).collect::<BTreeSet<_>>(),
            known,
            "{name}"
        );
    }
    let with_fields = schema["$defs"]
        .as_object()
        .unwrap()
        .values()
        .filter(|definition| definition["properties"].is_object());
    assert_eq!(with_fields.count(), definitions.len());
    assert_eq!(
        schema["$defs"]["target"]["properties"]["kind"]["enum"],
        serde_json::json!(TARGET_KINDS)
    );
}

#[test]
fn the_example_and_the_stories_fit_the_schema() {
    for text in [EXAMPLE.to_owned(), whole_example(), story("")] {
        let policy: Value = serde_yaml::from_str(&text).unwrap();
        assert_eq!(complaint(&schema(), &schema(), &policy, "policy"), None);
    }
}

#[test]
fn what_the_parser_refuses_for_its_form_the_schema_refuses_too() {
    for rest in [
        "zzz: 1\n",
        "maintainers: alice\n",
        "maintainers: [alice, alice]\n",
        "version: 2\n",
        "environments: {Prod: {file: p, readers: [bob]}}\n",
        "environments: {prod: {readers: [bob]}}\n",
        "environments: {prod: {file: p, readers: []}}\n",
        "environments: {prod: {file: p, readers: [bob], rotate: 90}}\n",
        "targets: {t: {kind: zzz, from: [x]}}\n",
        "rotators: {r: {timeout: 1s}}\n",
        "rotators: {r: {command: [a], generate: b}}\n",
        "check: {waive: [{code: x, at: a, reason: b}]}\n",
        "scan: {min_length: 0}\n",
        "audit: {reads: 1}\n",
        "recipients: {no: {keys: [x]}}\n",
    ] {
        let text = rest.contains("version").then(|| rest.to_owned());
        let text = text.unwrap_or_else(|| format!("id: \"0123456789abcdef0123456789abcdef\"\n{rest}"));
        assert!(Policy::parse(&text, "p").is_err(), "{rest}");
        let policy: Value = serde_yaml::from_str(&text).unwrap();
        assert!(complaint(&schema(), &schema(), &policy, "policy").is_some(), "{rest}");
    }
}

#[test]
fn both_readers_of_yaml_see_the_same_policy() {
    let flow = "a: {b: [x, 'it''s', \"\\u00fc\\n\", 90d, {c: }], 'c d': multi\n   line plain}\n";
    let block = "text: |-\n  one\n  two\nfolded: >\n  a\n  b\n\n  c\nlist:\n- plain words # comment\n- \"q\"\n-\nempty:\nnumber: 12\nflag: true\n";
    for text in [
        EXAMPLE.to_owned(),
        whole_example(),
        story(""),
        block.to_owned(),
        flow.to_owned(),
    ] {
        let tree = Tree::parse(&text, Rules::Policy).unwrap();
        let ours: Vec<(String, Value)> = tree
            .root
            .entries
            .iter()
            .map(|entry| (entry.key.name.to_string(), meaning(&entry.value)))
            .collect();
        let theirs: serde_json::Map<String, Value> = serde_yaml::from_str(&text).unwrap();
        assert_eq!(ours.into_iter().collect::<serde_json::Map<_, _>>(), theirs, "{text}");
    }
}

/// A node of the tree as JSON.
fn meaning(node: &Node<'_>) -> Value {
    match node {
        Node::Mapping(mapping) => {
            let entries = mapping.entries.iter();
            Value::Object(
                entries
                    .map(|entry| (entry.key.name.to_string(), meaning(&entry.value)))
                    .collect(),
            )
        }
        Node::Sequence(sequence) => sequence.items.iter().map(|item| meaning(&item.value)).collect(),
        Node::Scalar(scalar) if scalar.style != granit_parser::ScalarStyle::Plain => Value::from(&*scalar.content),
        Node::Scalar(scalar) => match value::Value::of_plain(&scalar.content) {
            value::Value::Null => Value::Null,
            value::Value::Bool(flag) => Value::from(flag),
            value::Value::Integer(number) => Value::from(number),
            _ => Value::from(&*scalar.content),
        },
    }
}

/// What a value breaks of a schema, by the keywords that ours uses; an unknown keyword is a failure.
fn complaint(root: &Value, schema: &Value, value: &Value, at: &str) -> Option<String> {
    let rules = schema.as_object().unwrap();
    rules.iter().find_map(|(keyword, rule)| {
        let all = |rules: &Value| rules.as_array().unwrap().clone();
        let fits = |rule: &Value| complaint(root, rule, value, at).is_none();
        let length = value.as_array().map_or(0, Vec::len) as u64;
        let ok = match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" => true,
            "$ref" => {
                let name = rule.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                return complaint(root, &root["$defs"][name], value, at);
            }
            "anyOf" => all(rule).iter().any(fits),
            "allOf" => all(rule).iter().all(fits),
            "oneOf" => all(rule).iter().filter(|rule| fits(rule)).count() == 1,
            "not" => !fits(rule),
            "const" => value == rule,
            "enum" => all(rule).contains(value),
            "type" => {
                let types = rule.as_array().cloned().unwrap_or_else(|| vec![rule.clone()]);
                types.iter().any(|name| is_of_type(value, name.as_str().unwrap()))
            }
            "pattern" => value
                .as_str()
                .is_none_or(|text| Regex::new(rule.as_str().unwrap()).unwrap().is_match(text)),
            "minimum" => value.as_i64().is_none_or(|number| number >= rule.as_i64().unwrap()),
            "maximum" => value.as_i64().is_none_or(|number| number <= rule.as_i64().unwrap()),
            "minItems" => !value.is_array() || length >= rule.as_u64().unwrap(),
            "minLength" => value
                .as_str()
                .is_none_or(|text| text.chars().count() as u64 >= rule.as_u64().unwrap()),
            "uniqueItems" => {
                let items = value.as_array().cloned().unwrap_or_default();
                items
                    .iter()
                    .enumerate()
                    .all(|(index, item)| !items[..index].contains(item))
            }
            "required" => all(rule).iter().all(|name| value.get(name.as_str().unwrap()).is_some()),
            "items" => {
                return each(value.as_array().into_iter().flatten(), |item| {
                    complaint(root, rule, item, at)
                });
            }
            "properties" => {
                let named = value.as_object().into_iter().flatten();
                return each(named.filter(|(name, _)| rule.get(name).is_some()), |(name, value)| {
                    complaint(root, &rule[name], value, &format!("{at}.{name}"))
                });
            }
            "propertyNames" => {
                let names = value.as_object().into_iter().flatten();
                return each(names, |(name, _)| {
                    complaint(root, rule, &Value::from(name.as_str()), at)
                });
            }
            "additionalProperties" => {
                let others = value.as_object().into_iter().flatten();
                let others = others.filter(|(name, _)| schema["properties"].get(name).is_none());
                return each(others, |(name, value)| match rule {
                    Value::Bool(allowed) => (!allowed).then(|| format!("{at}.{name}")),
                    rule => complaint(root, rule, value, &format!("{at}.{name}")),
                });
            }
            other => return Some(format!("this check does not know `{other}`")),
        };
        (!ok).then(|| format!("{at}: {keyword} {rule}"))
    })
}

fn each<I>(items: impl Iterator<Item = I>, check: impl Fn(I) -> Option<String>) -> Option<String> {
    items.map(check).find(Option::is_some).flatten()
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64(),
        "null" => value.is_null(),
        _ => false,
    }
}
