//! Marks of values: eight hex digits that whoever has the environment key can compute, and nobody else can test a guess
//! with. They say whether two versions of a place hold the same value, and nothing across places.

use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::key::EnvironmentKey;
use crate::names::EnvironmentName;
use crate::value::Value;

/// The purpose of the derived key; nothing else may be computed with it.
const PURPOSE: &[u8] = b"secretree/1/mark";

/// Computes marks under one environment key.
pub struct Marker(Hmac<Sha256>);

impl Marker {
    /// A key of its own is derived: a mark must be of no use against tokens or the drop box.
    pub fn new(key: &EnvironmentKey) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(None, key.passphrase().expose())
            .expand(PURPOSE, &mut *bytes)
            .expect("32 bytes are less than HKDF's limit");
        Self(Hmac::new_from_slice(&*bytes).expect("HMAC takes keys of every length"))
    }

    /// Eight hex digits for `value` at `path` (its JSON text) of `environment`. The place is part of it, so that equal
    /// values at two places do not show as equal.
    pub fn mark(&self, environment: &EnvironmentName, path: &str, value: &Value) -> String {
        let mut text = Zeroizing::new(Vec::new());
        for part in [environment.as_str(), path] {
            text.extend_from_slice(&(part.len() as u64).to_be_bytes());
            text.extend_from_slice(part.as_bytes());
        }
        value.push_canonical_json(&mut text);
        let code = self.0.clone().chain_update(&*text).finalize().into_bytes();
        code[..4].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Marker;
    use crate::crypto::key::EnvironmentKey;
    use crate::names::EnvironmentName;
    use crate::secret::Secret;
    use crate::value::Value;

    #[test]
    fn a_mark_depends_on_key_place_and_value() {
        let key = |digit: &str| EnvironmentKey::from_passphrase(&Secret::from(digit.repeat(64).as_str())).unwrap();
        let name = |text| EnvironmentName::new(text).unwrap();
        let mark =
            |digit, environment, path, value: &Value| Marker::new(&key(digit)).mark(&name(environment), path, value);
        let value = Value::text("1234");
        let first = mark("a", "prod", "[\"pin\"]", &value);
        assert!(first.len() == 8 && first.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(first, mark("a", "prod", "[\"pin\"]", &value));
        let others = [
            mark("b", "prod", "[\"pin\"]", &value),
            mark("a", "dev", "[\"pin\"]", &value),
            mark("a", "prod", "[\"nip\"]", &value),
            mark("a", "prod", "[\"pin\"]", &Value::text("1235")),
            mark("a", "prod", "[\"pin\"]", &Value::Integer(1234)),
        ];
        assert!(!others.contains(&first), "{others:?}");
        // Frozen: marks in old diffs stay comparable.
        assert_eq!(first, "74bb2e37");
    }
}
