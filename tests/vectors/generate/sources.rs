//! Vectors of tokens whose `source` is malformed, or is no text of their value.

use super::Vector;
use super::draft::{padded, password};
use super::plaintexts::with_plaintext;

pub(super) fn vectors() -> Vec<Vector> {
    let with = |value: &str, source: &str| {
        let json = password(value);
        format!("{},\"source\":{source}}}", &json[..json.len() - 1])
    };
    let value = "\"canary-7d1e\"";
    let source = |text: &str| format!("{{\"text\":{text},\"column\":2,\"line_end\":\"lf\"}}");
    let cases = [
        (
            "source-of-another-value",
            "the source means another string",
            with(value, &source("\"\\\"canary-7d1e-other\\\"\"")),
        ),
        (
            "source-of-another-type",
            "the value is the string 1.10, the source the integer 1",
            with("\"1.10\"", &source("\"1\"")),
        ),
        (
            "source-of-null",
            "the value is a string, the source is empty",
            with(value, &source("\"\"")),
        ),
        (
            "source-with-another-key",
            "the source goes on with a key of its own",
            with(value, &source("\"canary-7d1e\\n  user: mallory\"")),
        ),
        (
            "source-with-a-comment",
            "the source ends in a comment",
            with(value, &source("\"canary-7d1e # mallory\"")),
        ),
        (
            "source-with-an-anchor",
            "the source has an anchor",
            with(value, &source("\"&a canary-7d1e\"")),
        ),
        (
            "source-with-a-tag",
            "the source has a tag",
            with(value, &source("\"!!str canary-7d1e\"")),
        ),
        (
            "source-that-ends-a-collection",
            "the source closes a flow collection",
            with(value, &source("\"canary-7d1e]\"")),
        ),
        (
            "source-that-ends-the-document",
            "the source begins another document",
            with(value, &source("\"canary-7d1e\\n---\\n\"")),
        ),
        (
            "source-that-is-no-scalar",
            "the source is a list",
            with(value, &source("\"[canary-7d1e]\"")),
        ),
        (
            "source-with-a-footer",
            "the source brings a footer of its own",
            with("\"a\"", &source("\"a\\nsecretree: {}\"")),
        ),
        (
            "source-of-other-bytes",
            "the value is bytes, the source other bytes",
            with("{\"base64\":\"Y2FuYXJ5\"}", &source("\"!!binary \\\"Y2FuYXJ4\\\"\"")),
        ),
        (
            "source-in-another-order",
            "`column` stands before `text`",
            with(value, "{\"column\":2,\"text\":\"'canary-7d1e'\",\"line_end\":\"lf\"}"),
        ),
        (
            "source-without-column",
            "`column` is missing",
            with(value, "{\"text\":\"'canary-7d1e'\",\"line_end\":\"lf\"}"),
        ),
        (
            "source-without-line-end",
            "`line_end` is missing",
            with(value, "{\"text\":\"'canary-7d1e'\",\"column\":2}"),
        ),
        (
            "source-with-a-negative-column",
            "`column` is -1",
            with(value, "{\"text\":\"'canary-7d1e'\",\"column\":-1,\"line_end\":\"lf\"}"),
        ),
        (
            "source-with-a-huge-column",
            "`column` is 2^53 − 1",
            with(
                value,
                "{\"text\":\"'canary-7d1e'\",\"column\":9007199254740991,\"line_end\":\"lf\"}",
            ),
        ),
        (
            "source-with-an-unknown-line-end",
            "`line_end` is `cr`",
            with(value, "{\"text\":\"'canary-7d1e'\",\"column\":2,\"line_end\":\"cr\"}"),
        ),
        ("source-that-is-null", "`source` is `null`", with(value, "null")),
        (
            "source-before-the-value",
            "`source` stands before `value`",
            password(value).replace(
                "\"value\":\"canary",
                &format!("\"source\":{},\"value\":\"canary", source("\"'canary-7d1e'\"")),
            ),
        ),
    ];
    cases
        .into_iter()
        .map(|(name, about, json)| with_plaintext(name, about, &padded(&json), &[]))
        .collect()
}
