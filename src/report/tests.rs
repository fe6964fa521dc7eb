//! The formats, against what their readers demand.

use serde_json::Value;

use super::{Accepted, Report, annotations, json, sarif, summary};
use crate::checks::RULES;
use crate::document::path::ValuePath;
use crate::finding::{Finding, Place};
use crate::names::EnvironmentName;

/// A report with a finding of each kind of place, and names that others chose badly.
fn report() -> Report {
    let prod = EnvironmentName::new("prod").unwrap();
    let rule = |name: &str| RULES.iter().find(|rule| rule.code.name == name).unwrap().code;
    let value = Place::of_file("a b/ü,x:%.yaml")
        .within(prod.clone())
        .at_path(ValuePath::of_keys(["a\nb", "::error::x"]))
        .at_line(3);
    let strange = "of `a\r\n::error::x` 100%\u{1b}[31m";
    let drift: Finding = rule("recipient-drift").finding(Place::of_environment(prod.clone()), "drift");
    let key: Finding = rule("readable-identity").finding(Place::of_file("/home/x/key"), "key");
    Report {
        checked: vec![prod.clone()],
        findings: vec![
            rule("plaintext-value")
                .finding(value.clone(), strange)
                .cure("mend it".to_owned())
                .hint("or not"),
            drift,
            key,
        ],
        waived: vec![Accepted {
            finding: rule("foreign-token").finding(value, "waived"),
            until: "2027-01-31".to_owned(),
            reason: "moved soon".to_owned(),
        }],
        idle_waivers: vec!["exposed-value at dev:**".to_owned()],
        notes: vec!["no key\nat all".to_owned()],
    }
}

#[test]
fn sarif_has_what_the_schema_requires() {
    let log = sarif(&report());
    assert_eq!(log["version"], "2.1.0");
    let [run] = log["runs"].as_array().unwrap().as_slice() else {
        panic!("one run")
    };
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "secretree");
    let rules = driver["rules"].as_array().unwrap();
    assert_eq!(rules.len(), RULES.len());
    for (rule, described) in RULES.iter().zip(rules) {
        assert_eq!(described["id"], rule.code.name);
        for text in ["shortDescription", "fullDescription", "help"] {
            let text = described[text]["text"].as_str().unwrap();
            assert!(text.len() > 10, "{described}");
        }
        let markdown = described["help"]["markdown"].as_str().unwrap();
        assert!(
            markdown.contains("```text\n") && markdown.contains("Cure: "),
            "{markdown}"
        );
        let level = described["defaultConfiguration"]["level"].as_str().unwrap();
        assert!(["error", "warning"].contains(&level));
    }
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 4);
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        assert!(result["partialFingerprints"]["secretree/1"].is_string());
        let location = &result["locations"][0];
        assert!(location["physicalLocation"].is_object() || location["logicalLocations"].is_array());
        if let Some(physical) = location.get("physicalLocation") {
            assert!(physical["region"]["startLine"].as_u64().unwrap() >= 1);
            let uri = physical["artifactLocation"]["uri"].as_str().unwrap();
            assert!(uri.bytes().all(|byte| byte.is_ascii_graphic()), "{uri}");
        }
    }
    let artifact = &results[0]["locations"][0]["physicalLocation"]["artifactLocation"];
    assert_eq!(artifact["uri"], "a%20b/%C3%BC%2Cx%3A%25.yaml");
    assert_eq!(artifact["uriBaseId"], "%SRCROOT%");
    assert_eq!(
        results[0]["locations"][0]["logicalLocations"][0]["fullyQualifiedName"],
        "prod:\"a\\nb\".\"::error::x\""
    );
    assert!(results[0].get("suppressions").is_none());
    assert_eq!(
        results[3]["suppressions"][0]["justification"],
        "moved soon (until 2027-01-31)"
    );
    let notes = &run["invocations"][0]["toolExecutionNotifications"];
    assert_eq!(notes[0]["message"]["text"], "no key\nat all");
}

#[test]
fn a_fingerprint_outlives_other_lines() {
    let mut moved = report();
    moved.findings[0].place.line = Some(9);
    moved.findings[0].message = "the same value, elsewhere in the file".to_owned();
    let fingerprints = |report: &Report| {
        let log = sarif(report);
        let results = log["runs"][0]["results"].as_array().unwrap().clone();
        results
            .into_iter()
            .map(|result| result["partialFingerprints"].clone())
            .collect::<Vec<Value>>()
    };
    assert_eq!(fingerprints(&report()), fingerprints(&moved));
    let all = fingerprints(&report());
    assert!((1..all.len()).all(|at| all[at] != all[0]), "{all:?}");
}

#[test]
fn annotations_are_one_line_each_and_nobody_else_writes_commands() {
    let text = annotations(&report());
    let lines: Vec<_> = text.split('\n').collect();
    assert_eq!(
        lines,
        [
            "::error file=a b/ü%2Cx%3A%25.yaml,line=3,title=plaintext-value::of `a%0D%0A::error::x` 100%25\\u{1b}[31m%0Acure: mend it%0Ahint: or not",
            "::warning title=recipient-drift::drift",
            "::error file=/home/x/key,title=readable-identity::key",
            "::notice title=secretree::no key%0Aat all",
            "",
        ]
    );
    assert!(!text.contains(['\r', '\u{1b}']));
}

#[test]
fn json_has_places_apart() {
    let text = serde_json::to_value(json(&report())).unwrap();
    assert_eq!((&text["errors"], &text["warnings"]), (&2.into(), &1.into()));
    let first = &text["findings"][0];
    assert_eq!(first["environment"], "prod");
    assert_eq!(first["path"], "\"a\\nb\".\"::error::x\"");
    assert_eq!(first["line"], 3);
    assert_eq!(text["findings"][1]["file"], Value::Null);
    assert_eq!(text["waived"][0]["code"], "foreign-token");
    assert_eq!(text["waived"][0]["until"], "2027-01-31");
}

#[test]
fn counts_are_words() {
    assert_eq!(summary(1, 2), "1 error, 2 warnings");
    assert_eq!(summary(0, 1), "0 errors, 1 warning");
}
