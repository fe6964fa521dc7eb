//! Vectors of footers that are another file's or another key's, of malformed fields, and of footers in the wrong place.

use secretree::crypto::key::EnvironmentKey;

use super::Vector;
use super::draft::{Draft, OTHER_POLICY_ID, POLICY_ID, TOUCHES_PROD, all_zero_key, key, refused};

pub(super) fn vectors() -> Vec<Vector> {
    let mut all = of_another();
    all.extend(fields());
    all.extend(places());
    all
}

/// A footer that must be refused by whatever touches `prod`.
pub(super) fn touches(name: &str, about: &str, text: impl Into<Vec<u8>>, names: &[&str]) -> Vector {
    refused(name, about, text, TOUCHES_PROD, names)
}

fn of_another() -> Vec<Vector> {
    let base = Draft::new();
    let dev = Draft::of("dev", key("dev key"), POLICY_ID, &base.body);
    let other = Draft::of("prod", key("other key"), OTHER_POLICY_ID, &base.body);
    let body = base.sealed_body();
    let as_prod = |text: String| text.replace("environment: dev", "environment: prod");
    let own_drop_box = base.key.drop_box().as_str();
    let drop_box_of = |text: String, from: &str, to: &EnvironmentKey| {
        let from_id = secretree::names::KeyId::of_drop_box(from).to_string();
        let (at, footer) = text.split_once("\nsecretree:").expect("it has a footer");
        let footer = footer
            .replace(from, to.drop_box().as_str())
            .replace(&format!("key: {from_id}"), &format!("key: {}", to.id()));
        format!("{at}\nsecretree:{footer}")
    };
    let (dev_id, own_id) = (dev.key.id().to_string(), base.key.id().to_string());
    vec![
        touches(
            "footer-of-another-environment",
            "the file of `dev` stands where that of `prod` belongs",
            dev.text(),
            &["`prod`", "`dev`"],
        ),
        touches(
            "footer-of-another-environment-below-own-values",
            "the footer of `dev` stands below the values of `prod`",
            dev.text_over(&body),
            &["`prod`", "`dev`"],
        ),
        touches(
            "footer-of-another-environment-relabelled",
            "the file of `dev` that claims to be `prod`: the grant inside says `dev`",
            as_prod(dev.text()),
            &["`prod`", "`dev`"],
        ),
        touches(
            "footer-of-another-policy",
            "the file of `prod` in another repository: the grant inside says so",
            other.text(),
            &[POLICY_ID, OTHER_POLICY_ID],
        ),
        touches(
            "footer-of-another-policy-below-own-values",
            "the footer of `prod` in another repository stands below the values of this one",
            other.text_over(&body),
            &[POLICY_ID, OTHER_POLICY_ID],
        ),
        touches(
            "drop-box-swapped",
            "key and drop box are those of another key, the grants are not",
            drop_box_of(base.text(), own_drop_box, &dev.key),
            &[&own_id, &dev_id],
        ),
        touches(
            "drop-box-swapped-without-key",
            "the drop box is that of another key, `key` and the grants are not",
            base.text().replace(own_drop_box, dev.key.drop_box().as_str()),
            &["`key`", "drop box"],
        ),
    ]
}

fn fields() -> Vec<Vector> {
    let text = Draft::new().text();
    let drop_box = Draft::new().key.drop_box().to_string();
    let key_id = Draft::new().key.id().to_string();
    let environment_line = "  environment: prod\n";
    let low_order = all_zero_key();
    let line = |from: &str, to: &str| {
        assert_eq!(text.matches(from).count(), 1, "{from}");
        text.replace(from, to)
    };
    let drop_box_line = format!("  drop_box: {drop_box}\n");
    let key_line = format!("  key: {key_id}\n");
    let cases = [
        (
            "footer-unknown-field",
            "a field that the format does not know",
            line(environment_line, "  environment: prod\n  note: canary-7d1e\n"),
            "newer secretree",
        ),
        (
            "footer-unknown-format",
            "`format` is 2",
            line("  format: 1\n", "  format: 2\n"),
            "newer secretree",
        ),
        (
            "footer-format-respelled",
            "`format` is 01",
            line("  format: 1\n", "  format: 01\n"),
            "newer secretree",
        ),
        (
            "footer-without-format",
            "`format` is missing",
            line("  format: 1\n", ""),
            "`format`",
        ),
        (
            "footer-without-environment",
            "`environment` is missing",
            line(environment_line, ""),
            "`environment`",
        ),
        ("footer-without-key", "`key` is missing", line(&key_line, ""), "`key`"),
        (
            "footer-without-drop-box",
            "`drop_box` is missing",
            line(&drop_box_line, ""),
            "`drop_box`",
        ),
        (
            "footer-environment-in-capitals",
            "`environment` is no name",
            line(environment_line, "  environment: PROD\n"),
            "`environment`",
        ),
        (
            "footer-environment-null",
            "`environment` is empty",
            line(environment_line, "  environment:\n"),
            "`environment`",
        ),
        (
            "footer-environment-list",
            "`environment` is a list",
            line(environment_line, "  environment: [prod]\n"),
            "`environment`",
        ),
        (
            "footer-environment-binary",
            "`environment` is `!!binary`",
            line(environment_line, "  environment: !!binary \"cHJvZA==\"\n"),
            "`environment`",
        ),
        (
            "footer-key-in-capitals",
            "`key` is written in capitals",
            line(&key_line, &key_line.replace(&key_id, &key_id.to_uppercase())),
            "`key`",
        ),
        (
            "footer-key-of-another",
            "`key` is not the id of the drop box",
            line(&key_line, "  key: k0123456789abcdef\n"),
            "`key`",
        ),
        (
            "footer-drop-box-in-capitals",
            "`drop_box` is written in capitals",
            line(
                &drop_box_line,
                &drop_box_line.replace(&drop_box, &drop_box.to_uppercase()),
            ),
            "`drop_box`",
        ),
        (
            "footer-drop-box-damaged",
            "one letter of `drop_box` is another",
            line(&drop_box_line, &drop_box_line.replace("age1", "age1q")),
            "`drop_box`",
        ),
        (
            "footer-drop-box-of-low-order",
            "`drop_box` is the all-zero point, which protects nothing",
            line(&drop_box_line, &format!("  drop_box: {low_order}\n")),
            "`drop_box`",
        ),
        (
            "footer-final-newline-true",
            "`final_newline` can only be `false`",
            line(&drop_box_line, &format!("{drop_box_line}  final_newline: true\n")),
            "`final_newline`",
        ),
        (
            "footer-final-newline-null",
            "`final_newline` is empty",
            line(&drop_box_line, &format!("{drop_box_line}  final_newline:\n")),
            "`final_newline`",
        ),
        (
            "footer-follows-list",
            "`follows` is a list",
            line(&drop_box_line, &format!("{drop_box_line}  follows: []\n")),
            "`follows`",
        ),
        (
            "footer-proposals-null",
            "`proposals` is empty",
            line(&drop_box_line, &format!("{drop_box_line}  proposals:\n")),
            "`proposals`",
        ),
        (
            "footer-previous-text",
            "`previous` is text",
            line(&drop_box_line, &format!("{drop_box_line}  previous: canary-7d1e\n")),
            "`previous`",
        ),
    ];
    cases
        .into_iter()
        .map(|(name, about, text, named)| touches(name, about, text, &["prod.yaml", named]))
        .collect()
}

fn places() -> Vec<Vector> {
    let base = Draft::new();
    let (text, body) = (base.text(), base.sealed_body());
    let behind = format!("{text}\nlast: canary-7d1e\n");
    let sealed = format!("{text}\nlast: |-\n  {}\n", base.token("port"));
    let (_, footer) = text.split_once("\nsecretree:").expect("it has a footer");
    let first = format!("secretree:{footer}\n{body}");
    vec![
        touches(
            "footer-missing",
            "the footer is gone: nothing in the file is vouched for",
            body.as_str(),
            &["prod.yaml", "footer"],
        ),
        touches(
            "footer-missing-and-readable",
            "a readable file without footer",
            base.body.as_str(),
            &["prod.yaml", "footer"],
        ),
        touches(
            "footer-not-last",
            "a readable key stands behind the footer",
            behind,
            &["prod.yaml", "footer"],
        ),
        touches(
            "footer-not-last-but-sealed",
            "a key with a token stands behind the footer",
            sealed,
            &["prod.yaml", "footer"],
        ),
        touches(
            "footer-first",
            "the footer stands before all values",
            first,
            &["prod.yaml", "footer"],
        ),
        touches(
            "footer-null",
            "the footer is empty",
            format!("{body}\nsecretree:\n"),
            &["prod.yaml", "footer"],
        ),
        touches(
            "footer-list",
            "the footer is a list",
            format!("{body}\nsecretree: []\n"),
            &["prod.yaml", "footer"],
        ),
        touches(
            "footer-empty",
            "the footer is an empty mapping",
            format!("{body}\nsecretree: {{}}\n"),
            &["prod.yaml", "`format`"],
        ),
        touches(
            "footer-token",
            "the footer is a token",
            format!("{body}\nsecretree: |-\n  {}\n", base.token("port")),
            &["prod.yaml", "footer"],
        ),
    ]
}
