//! What a sealed value is, by the type that sops wrote beside it: its bytes for the file's MAC, and how it is written
//! in YAML so that it is read as what sops would decrypt.

use zeroize::Zeroizing;

use crate::document::render::{Position, render};
use crate::secret::Secret;
use crate::value::Value;

/// A value of a sops file.
pub(super) enum Scalar {
    /// Text; bytes where it is not UTF-8.
    Text(Secret),
    /// An integer of 64 bits.
    Integer(i64),
    /// A floating-point number.
    Float(f64),
    /// `true` or `false`.
    Bool(bool),
    /// A point in time, in the form of RFC 3339.
    Time(Secret),
    /// A comment, without its `#`. No value: no MAC covers it.
    Comment(Secret),
}

impl Scalar {
    /// A value of the type called `kind`; `None` if the type is unknown or the content does not fit it.
    pub(super) fn new(kind: &str, content: Secret) -> Option<Self> {
        let text = content.expose_text();
        Some(match kind {
            "str" | "bytes" => Self::Text(content),
            "int" | "int64" => Self::Integer(text?.parse().ok()?),
            "float" => Self::Float(float(text?)?),
            "bool" => match text? {
                "True" | "true" | "TRUE" | "t" | "T" | "1" => Self::Bool(true),
                "False" | "false" | "FALSE" | "f" | "F" | "0" => Self::Bool(false),
                _ => return None,
            },
            "time" if is_time(text?) => Self::Time(content),
            "comment" => Self::Comment(content),
            _ => return None,
        })
    }

    /// The type and content under which a value is sealed; `None` for `null` and empty text, which sops leaves as
    /// they are.
    pub(super) fn sealed_form(value: &Value) -> Option<(&'static str, Secret)> {
        Some(match value {
            Value::Null => return None,
            Value::Bool(value) => ("bool", Secret::from(if *value { "True" } else { "False" })),
            Value::Integer(_) => ("int", value.delivered()),
            Value::Text(content) | Value::Bytes(content) if content.is_empty() => return None,
            Value::Text(content) | Value::Bytes(content) => ("str", content.clone()),
        })
    }

    /// The bytes that the MAC covers.
    pub(super) fn mac_bytes(&self) -> Secret {
        match self {
            Self::Text(content) | Self::Time(content) => content.clone(),
            Self::Integer(value) => Secret::from_text(value.to_string()),
            Self::Float(value) => Secret::from_text(float_text(*value)),
            Self::Bool(true) => Secret::from("True"),
            Self::Bool(false) => Secret::from("False"),
            Self::Comment(_) => Secret::default(),
        }
    }

    /// How it is written in YAML.
    pub(super) fn into_written(self) -> Written {
        match self {
            Self::Text(content) => Written::Value(Value::from_bytes(content)),
            Self::Bool(value) => Written::Value(Value::Bool(value)),
            Self::Integer(value) => Written::plain(value.to_string()),
            Self::Float(value) if value.is_nan() => Written::plain(".nan".to_owned()),
            Self::Float(value) if value.is_infinite() && value > 0.0 => Written::plain(".inf".to_owned()),
            Self::Float(value) if value.is_infinite() => Written::plain("-.inf".to_owned()),
            Self::Float(value) => Written::plain(short_float_text(value)),
            Self::Time(content) | Self::Comment(content) => {
                Written::plain(content.expose_text().unwrap_or_default().to_owned())
            }
        }
    }
}

/// A value on its way into a text.
pub(super) enum Written {
    /// Without quotes, exactly so: a number or a time.
    Plain(Zeroizing<String>),
    /// In the default rendering.
    Value(Value),
}

impl Written {
    /// Without quotes, exactly so.
    pub(super) fn plain(text: String) -> Self {
        Self::Plain(Zeroizing::new(text))
    }

    /// What a reader makes of it.
    pub(super) fn value(&self) -> Value {
        match self {
            Self::Plain(text) => Value::of_plain(text),
            Self::Value(value) => value.clone(),
        }
    }

    /// The text at `position`. That of a literal block ends with its last line's end.
    pub(super) fn text(&self, position: Position) -> Zeroizing<String> {
        match self {
            Self::Plain(text) => text.clone(),
            Self::Value(value) => render(value, position),
        }
    }
}

/// Reads a floating-point number, or its name.
pub(super) fn float(text: &str) -> Option<f64> {
    let unsigned = text.trim_start_matches(['+', '-']);
    let known = unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        || ["inf", "infinity", "nan"]
            .iter()
            .any(|word| unsigned.eq_ignore_ascii_case(word));
    known.then(|| text.parse().ok())?
}

/// Decimal digits without exponent, as few as tell the number from its neighbours; `NaN`, `+Inf`, `-Inf`.
pub(super) fn float_text(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
    } else {
        value.to_string()
    }
}

/// The same number with an exponent where there would be many zeros: a reader must not take it for an integer.
fn short_float_text(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{value:e}");
        return if size < 1.0 { text } else { text.replace('e', "e+") };
    }
    float_text(value)
}

/// Whether text can only be a point in time: YAML readers must not take it for anything else.
fn is_time(text: &str) -> bool {
    text.len() >= "2026-01-01T00:00:00Z".len()
        && text.len() <= 64
        && text.as_bytes()[10] == b'T'
        && text.starts_with(|first: char| first.is_ascii_digit())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"TZ:+.-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::{Scalar, Written};
    use crate::document::render::Position;
    use crate::secret::Secret;
    use crate::value::LineEnd;

    #[test]
    fn each_type_is_written_as_it_is_read() {
        let position = Position {
            column: 0,
            line_end: LineEnd::Lf,
            flow: false,
        };
        for (kind, content, mac, written) in [
            ("str", "true", "true", "\"true\""),
            ("str", "1.10", "1.10", "\"1.10\""),
            ("str", "a\nb\n", "a\nb\n", "|\n  a\n  b\n"),
            ("int", "-12", "-12", "-12"),
            (
                "int",
                "9223372036854775807",
                "9223372036854775807",
                "9223372036854775807",
            ),
            ("float", "1.50", "1.5", "1.5"),
            ("float", "-0.00000025", "-0.00000025", "-2.5e-7"),
            ("float", "1e21", "1000000000000000000000", "1e+21"),
            ("float", "+Inf", "+Inf", ".inf"),
            ("float", "NaN", "NaN", ".nan"),
            ("bool", "True", "True", "true"),
            (
                "time",
                "2020-01-02T03:04:05.5+01:00",
                "2020-01-02T03:04:05.5+01:00",
                "2020-01-02T03:04:05.5+01:00",
            ),
        ] {
            let scalar = Scalar::new(kind, Secret::from(content)).expect("of this type");
            assert_eq!(scalar.mac_bytes(), Secret::from(mac), "{kind} {content}");
            assert_eq!(*scalar.into_written().text(position), written, "{kind} {content}");
        }
        let bytes = Scalar::new("str", Secret::new(vec![255])).expect("of this type");
        assert_eq!(*bytes.into_written().text(position), "!!binary \"/w==\"");
    }

    #[test]
    fn what_does_not_fit_its_type_is_no_value() {
        for (kind, content) in [
            ("int", "1.5"),
            ("int", "99999999999999999999"),
            ("float", "x"),
            ("float", ""),
            ("bool", "yes"),
            ("time", "2020-01-02"),
            ("time", "2020-01-02T00:00:00Z\na: b"),
            ("list", "x"),
        ] {
            assert!(Scalar::new(kind, Secret::from(content)).is_none(), "{kind} {content}");
        }
        assert!(matches!(
            Scalar::new("comment", Secret::from(" x")),
            Some(Scalar::Comment(_))
        ));
        assert!(matches!(
            Written::plain("7".to_owned()).value(),
            crate::value::Value::Integer(7)
        ));
    }
}
