//! The JSON of a list of people: only the members that matter are kept, whatever else stands there (passwords,
//! addresses, telephone numbers) is read over. A member that stands twice is refused, since readers differ about which
//! one counts.

use std::fmt;

use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};

use crate::error::{Failure, Result};

/// The most entries that one list may have.
const MOST_ENTRIES: usize = 200_000;

/// The members that are kept, in lower case: SCIM does not tell `userName` from `username` (RFC 7643, 2.1).
const KEPT: [&str; 14] = [
    "active",
    "display",
    "displayname",
    "emails",
    "id",
    "login",
    "members",
    "primary",
    "resources",
    "schemas",
    "totalresults",
    "type",
    "username",
    "value",
];

/// One value, without what does not matter in it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    /// A number; nothing unless it is a whole one that counts something.
    Number(Option<u64>),
    Text(String),
    List(Vec<Json>),
    /// Kept members, their names in lower case.
    Object(Vec<(&'static str, Json)>),
}

impl Json {
    /// The documents of a text, one behind the other.
    ///
    /// # Errors
    /// `Failed` as the end of a line; it repeats nothing of the text.
    pub(super) fn documents(bytes: &[u8]) -> Result<Vec<Self>> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let text = std::str::from_utf8(bytes).map_err(|_| Failure::failed("is no UTF-8 text"))?;
        let documents = serde_json::Deserializer::from_str(text).into_iter::<Self>();
        let documents: Result<Vec<_>, _> = documents.collect();
        Ok(documents.map_err(|error| refused(&error))?)
    }

    /// The kept member of that name, in lower case; `null` is as good as none.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        let member = members.iter().find(|(known, _)| *known == name);
        member.map(|(_, value)| value).filter(|value| **value != Self::Null)
    }
}

/// What serde_json says without what it found: it was asked for nothing in particular.
fn refused(error: &serde_json::Error) -> Failure {
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    let reason = text.split(" at line ").next().unwrap_or("no JSON");
    Failure::failed(format!("is no such JSON: {reason} (line {line} column {column})"))
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Json;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(Some(value)))
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Json, E> {
        Ok(Json::Number(None))
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Number(None))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element()? {
            if items.len() == MOST_ENTRIES {
                return Err(A::Error::custom(format!("a list has more than {MOST_ENTRIES} entries")));
            }
            items.push(item);
        }
        Ok(Json::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut members: Vec<(&'static str, Json)> = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            let kept = KEPT.into_iter().find(|kept| kept.eq_ignore_ascii_case(&name));
            let Some(kept) = kept else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            if members.iter().any(|(known, _)| *known == kept) {
                return Err(A::Error::custom(format!("an object names `{kept}` twice")));
            }
            members.push((kept, map.next_value()?));
        }
        Ok(Json::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::Json;

    fn refusal(text: &str) -> String {
        Json::documents(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn only_what_matters_is_kept() {
        let documents =
            Json::documents(b"\xef\xbb\xbf{\"UserName\": \"a\", \"password\": [{\"value\": 1}], \"id\": -1}\n[1.5]")
                .unwrap();
        let kept = vec![("username", Json::Text("a".to_owned())), ("id", Json::Number(None))];
        assert_eq!(documents, [Json::Object(kept), Json::List(vec![Json::Number(None)])]);
        assert_eq!(documents[0].get("username"), Some(&Json::Text("a".to_owned())));
        assert_eq!(documents[0].get("password"), None);
        assert!(Json::documents(b" \n").unwrap().is_empty());
    }

    #[test]
    fn what_is_refused_is_never_repeated() {
        for (text, reason) in [
            (
                "{\"login\": \"canary\", \"LOGIN\": \"canary\"}",
                "an object names `login` twice",
            ),
            ("{\"login\": \"canary\\ud800\"}", "is no such JSON"),
            ("{\"login\": \"canary\"", "EOF while parsing"),
            ("{\"login\": canary}", "expected value (line 1 column 11)"),
            ("{canary: 1}", "key must be a string"),
            ("canary", "expected value"),
            ("[1e999]", "number out of range"),
        ] {
            let refusal = refusal(text);
            assert!(refusal.contains(reason), "{text}: {refusal}");
            assert!(!refusal.contains("canary"), "{refusal}");
        }
        assert!(Json::documents(b"[\"\xff\"]").is_err());
        let deep = |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
        assert!(refusal(&deep("[", "]")).contains("recursion limit"));
        assert!(refusal(&deep("{\"members\":[", "]}")).contains("recursion limit"));
        let ignored = format!("{{\"x\": {}}}", deep("[", "]"));
        assert!(Json::documents(ignored.as_bytes()).is_ok() || refusal(&ignored).contains("recursion limit"));
        let many = format!("[{}0]", "0,".repeat(200_000));
        assert!(refusal(&many).contains("more than 200000 entries"));
    }
}
