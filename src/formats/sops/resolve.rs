//! What sops reads in a readable value of a YAML file. Its YAML library knows octal and binary numbers, underscores and
//! dates; the MAC covers what it made of them.

use granit_parser::ScalarStyle;

use super::scalar::{float, float_text};
use crate::document::tree;
use crate::secret::Secret;
use crate::value::Value;

/// The bytes of a readable value that the MAC covers; `None` for `null`, which it does not cover.
pub(super) fn mac_bytes(scalar: &tree::Scalar<'_>) -> Option<Secret> {
    if scalar.style != ScalarStyle::Plain || scalar.binary {
        return Some(scalar.value().delivered());
    }
    match scalar.value() {
        Value::Null => None,
        Value::Bool(true) => Some(Secret::from("True")),
        Value::Bool(false) => Some(Secret::from("False")),
        Value::Integer(value) => Some(Secret::from_text(value.to_string())),
        Value::Text(text) | Value::Bytes(text) => Some(number(&scalar.content).map_or(text, Secret::from_text)),
    }
}

/// A number or date, as the MAC covers it; `None` if `text` is text.
fn number(text: &str) -> Option<String> {
    match text {
        ".nan" | ".NaN" | ".NAN" => return Some("NaN".to_owned()),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Some("+Inf".to_owned()),
        "-.inf" | "-.Inf" | "-.INF" => return Some("-Inf".to_owned()),
        _ => {}
    }
    let first = text.bytes().next()?;
    if first == b'.' {
        return float_of_digits(text);
    }
    if !first.is_ascii_digit() && first != b'+' && first != b'-' {
        return None;
    }
    date(text).or_else(|| {
        let plain = text.replace('_', "");
        integer(&plain).or_else(|| float_of_digits(&plain))
    })
}

fn float_of_digits(text: &str) -> Option<String> {
    let digits = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    digits.then(|| float(text).map(float_text))?
}

/// With the prefixes `0x`, `0o`, `0b`, or `0` for octal.
fn integer(text: &str) -> Option<String> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => ("-", &text[1..]),
        b'+' => ("", &text[1..]),
        _ => ("", text),
    };
    let prefixed = |prefix: &str| digits.get(..2).filter(|start| start.eq_ignore_ascii_case(prefix));
    let (radix, digits) = if prefixed("0x").is_some() {
        (16, &digits[2..])
    } else if prefixed("0o").is_some() {
        (8, &digits[2..])
    } else if prefixed("0b").is_some() {
        (2, &digits[2..])
    } else if digits.len() > 1 && digits.starts_with('0') {
        (8, &digits[1..])
    } else {
        (10, digits)
    };
    let sound = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let value = i64::from_str_radix(&format!("{sign}{digits}"), radix)
        .ok()
        .filter(|_| sound)?;
    Some(value.to_string())
}

/// A date without time becomes its midnight; a full point in time stays as it is.
fn date(text: &str) -> Option<String> {
    let (year, rest) = text.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    let number = |text: &str| text.parse::<i8>().ok().filter(|_| text.len() <= 2);
    if year.len() != 4 {
        return None;
    }
    let date = jiff::civil::Date::new(year.parse().ok()?, number(month)?, number(day)?).ok()?;
    Some(format!("{date}T00:00:00Z"))
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn plain_scalars_are_what_sops_reads() {
        for (text, read) in [
            ("0777", Some("511")),
            ("0o17", Some("15")),
            ("0x1F", Some("31")),
            ("-0b11", Some("-3")),
            ("1_000", Some("1000")),
            ("+5", Some("5")),
            ("08", Some("8")),
            ("1.10", Some("1.1")),
            ("1e3", Some("1000")),
            (".5", Some("0.5")),
            ("-.inf", Some("-Inf")),
            ("9007199254740993", Some("9007199254740993")),
            ("18446744073709551616", Some("18446744073709552000")),
            ("2020-01-02", Some("2020-01-02T00:00:00Z")),
            ("2020-01-02T03:04:05Z", None),
            ("2020-13-02", None),
            ("1.2.3", None),
            ("-", None),
            ("inf", None),
            ("+x", None),
            ("0x", None),
        ] {
            assert_eq!(number(text).as_deref(), read, "{text}");
        }
    }
}
