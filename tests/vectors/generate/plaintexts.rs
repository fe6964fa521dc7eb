//! Vectors of tokens that open under the right key, but whose plaintext is not canonical or not of its kind.

use secretree::crypto::envelope::seal;

use super::Vector;
use super::draft::{CANARY, Draft, OPENS_PASSWORD, POLICY_ID, padded, password, refused, version};
use super::tokens::PASSWORD;

pub(super) fn vectors() -> Vec<Vector> {
    let mut all = not_canonical();
    all.extend(paddings());
    all.extend(kinds());
    all
}

/// A token at the password that opens to these bytes.
pub(super) fn with_plaintext(name: &str, about: &str, bytes: &[u8], names: &[&str]) -> Vector {
    let mut draft = Draft::new();
    let file = seal(&draft.key, bytes);
    draft.put_file("database.password", &file);
    refused(
        name,
        about,
        draft.text(),
        OPENS_PASSWORD,
        &[&[PASSWORD], names].concat(),
    )
}

fn not_canonical() -> Vec<Vector> {
    let right = password("\"canary-7d1e\"");
    let version = version("database.password").to_string();
    let cases = [
        (
            "json-with-blanks",
            "blanks stand behind the colons",
            right.replace("\":", "\": "),
        ),
        (
            "json-with-a-line-end",
            "a line end stands before the closing brace",
            right.replace("\"}", "\"\n}"),
        ),
        (
            "json-in-another-order",
            "`environment` stands before `type`",
            right.replace(
                "{\"type\":\"value\",\"environment\":\"prod\",",
                "{\"environment\":\"prod\",\"type\":\"value\",",
            ),
        ),
        (
            "json-escaped-letter",
            "a letter is written `\\u0063`",
            right.replace("canary", "\\u0063anary"),
        ),
        (
            "json-escaped-solidus",
            "`/` is written `\\/`",
            password("\"canary-7d1e\\/\""),
        ),
        (
            "json-escape-in-capitals",
            "a control character is written `\\u001F`",
            password("\"canary-7d1e\\u001F\""),
        ),
        (
            "json-long-escape",
            "a line feed is written `\\u000a`",
            password("\"canary-7d1e\\u000a\""),
        ),
        (
            "json-escaped-delete",
            "U+007F is written `\\u007f`",
            password("\"canary-7d1e\\u007f\""),
        ),
        (
            "json-raw-control-character",
            "a tab stands raw in a string",
            password("\"canary-7d1e\t\""),
        ),
        (
            "json-surrogates",
            "a character beyond U+FFFF is written as two escapes",
            password("\"canary-7d1e\\ud83d\\ude00\""),
        ),
        (
            "json-lone-surrogate",
            "half of such a pair",
            password("\"canary-7d1e\\ud83d\""),
        ),
        (
            "json-escaped-member",
            "the name of a member is written with an escape",
            right.replace("\"value\":\"canary", "\"v\\u0061lue\":\"canary"),
        ),
        (
            "json-escaped-path",
            "a segment of the path is written with an escape",
            right.replace("[\"database", "[\"d\\u0061tabase"),
        ),
        (
            "json-repeated-member",
            "`value` stands twice",
            right.replace(",\"value\"", ",\"value\":\"canary-7d1e-first\",\"value\""),
        ),
        (
            "json-unknown-member",
            "a member that the format does not know",
            right.replace("\"}", "\",\"note\":\"canary-7d1e\"}"),
        ),
        (
            "json-missing-member",
            "`version` is missing",
            right.replace(&format!("\"version\":\"{version}\","), ""),
        ),
        ("json-exponent", "an integer with exponent", password("12e2")),
        ("json-negative-zero", "the integer `-0`", password("-0")),
        ("json-plus-sign", "the integer `+1`", password("+1")),
        ("json-leading-zero", "the integer `007`", password("007")),
        ("json-fraction", "the number `1.0`", password("1.0")),
        ("json-large-integer", "the integer 2^53", password("9007199254740992")),
        ("json-small-integer", "the integer -2^53", password("-9007199254740992")),
        (
            "json-list-as-value",
            "the value is a list",
            password("[\"canary-7d1e\"]"),
        ),
        (
            "json-mapping-as-value",
            "the value is a mapping",
            password("{\"a\":\"canary-7d1e\"}"),
        ),
        (
            "json-bytes-not-canonical",
            "the base64 of bytes has stray bits",
            password("{\"base64\":\"Y2FuYXJ5LTdkMWV=\"}"),
        ),
        (
            "json-bytes-with-another-member",
            "bytes with a member more",
            password("{\"base64\":\"Y2FuYXJ5\",\"a\":1}"),
        ),
        (
            "json-path-with-a-fraction",
            "an index of the path is `1.0`",
            right.replace("[\"database\",\"password\"]", "[\"hosts\",1.0]"),
        ),
        (
            "json-path-with-a-negative-index",
            "an index of the path is `-1`",
            right.replace("[\"database\",\"password\"]", "[\"hosts\",-1]"),
        ),
        (
            "json-path-as-text",
            "the path is one string",
            right.replace("[\"database\",\"password\"]", "\"database.password\""),
        ),
        (
            "json-twice",
            "a second plaintext stands behind the first",
            format!("{right}{right}"),
        ),
        (
            "json-byte-order-mark",
            "U+FEFF stands before the plaintext",
            format!("\u{feff}{right}"),
        ),
        (
            "json-version-malformed",
            "the version inside is no version",
            right.replace(&version, "v1"),
        ),
        ("json-empty", "the plaintext is empty", String::new()),
        ("json-null", "the plaintext is `null`", "null".to_owned()),
        (
            "json-cut",
            "the plaintext ends within the value",
            right[..right.len() - 3].to_owned(),
        ),
    ];
    let vector = |(name, about, json): (&str, &str, String)| with_plaintext(name, about, &padded(&json), &[]);
    let mut all: Vec<_> = cases.into_iter().map(vector).collect();
    let at = right.find(CANARY).expect("the value holds it") + CANARY.len();
    let latin = [&right.as_bytes()[..at], b"\xe9", &right.as_bytes()[at..]].concat();
    let mut bytes = latin.clone();
    bytes.resize(latin.len().next_multiple_of(32), b' ');
    all.push(with_plaintext(
        "json-not-utf8",
        "the value holds a byte that is no UTF-8",
        &bytes,
        &[],
    ));
    all
}

fn paddings() -> Vec<Vector> {
    let right = password("\"canary-7d1e\"");
    assert!(!right.len().is_multiple_of(32), "there is something to pad");
    let filled = |with: u8| {
        let mut bytes = right.clone().into_bytes();
        bytes.resize(right.len().next_multiple_of(32), with);
        bytes
    };
    let mut more = filled(b' ');
    more.extend([b' '; 32]);
    let mut one = right.clone().into_bytes();
    one.push(b' ');
    let cases = [
        ("padding-missing", "no padding at all", right.clone().into_bytes()),
        ("padding-short", "padded to no multiple of 32", one),
        ("padding-long", "32 spaces too many", more),
        ("padding-of-zeros", "padded with zero bytes", filled(0)),
        ("padding-of-line-ends", "padded with line ends", filled(b'\n')),
        ("padding-of-tabs", "padded with tabs", filled(b'\t')),
    ];
    cases
        .into_iter()
        .map(|(name, about, bytes)| with_plaintext(name, about, &bytes, &[]))
        .collect()
}

fn kinds() -> Vec<Vector> {
    let right = password("\"canary-7d1e\"");
    let draft = Draft::new();
    let passphrase = draft.key.passphrase().expose_text().expect("it is hex").to_owned();
    let identity = draft.key.drop_box_identity();
    let identity = identity.expose_text().expect("it is ASCII");
    let zero = "v00000000";
    let drop_box = draft.key.drop_box();
    let follows =
        format!(r#"{{"type":"follows","environment":"prod","path":[],"version":"{zero}","value":"{drop_box}"}}"#);
    let grant = format!(
        r#"{{"type":"grant","format":1,"policy":"{POLICY_ID}","environment":"prod","passphrase":"{passphrase}","drop_box":"{identity}"}}"#
    );
    let proposal = format!(
        r#"{{"type":"proposal","format":1,"policy":"{POLICY_ID}","environment":"prod","path":["database","password"],"value":"canary-7d1e"}}"#
    );
    let mut all = Vec::new();
    for (name, about, json, names) in [
        (
            "kind-previous-as-value",
            "a token of type `previous` stands at a value's place",
            right.replace("\"type\":\"value\"", "\"type\":\"previous\""),
            &["previous"][..],
        ),
        (
            "kind-grant-as-value",
            "the plaintext of a grant stands in a token",
            grant,
            &[],
        ),
        (
            "kind-proposal-as-value",
            "the plaintext of a proposal stands in a token",
            proposal,
            &[],
        ),
        (
            "kind-unknown",
            "a type that the format does not know",
            right.replace("\"type\":\"value\"", "\"type\":\"VALUE\""),
            &[],
        ),
        (
            "kind-follows-with-a-path",
            "a token of type `follows` that names a path",
            follows.replace("[]", "[\"database\",\"password\"]"),
            &[],
        ),
        (
            "kind-follows-without-a-key",
            "a token of type `follows` whose value is no drop box",
            follows.replace(drop_box.as_str(), CANARY),
            &[],
        ),
    ] {
        all.push(with_plaintext(name, about, &padded(&json), names));
    }
    let mut draft = Draft::new();
    let version = secretree::names::Version::new(zero).expect("it is one");
    let token = draft.wrapped(&version, &seal(&draft.key, &padded(&follows)));
    draft.put("database.password", token);
    all.push(refused(
        "kind-follows-as-value",
        "a token of type `follows` stands at a value's place",
        draft.text(),
        OPENS_PASSWORD,
        &[PASSWORD, "follows"],
    ));
    all
}
