//! A manifest of a Kubernetes `Secret`: each value in base64 below its variable's name, so that any bytes fit. Whether
//! a cluster takes it is the cluster's to say; what it would surely refuse is refused here.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use super::buffer::Buffer;
use super::variables::Variable;
use crate::document::render::written_key;
use crate::error::{Failure, Result};

/// The most bytes that the values of one Secret have together (Kubernetes API, Secret, `MaxSecretSize`).
const LARGEST: usize = 1 << 20;

/// The most bytes of a name, and of a key (RFC 1123, subdomain).
const LONGEST_NAME: usize = 253;

/// The most bytes of a namespace (RFC 1123, label).
const LONGEST_LABEL: usize = 63;

/// What the Secret is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Title {
    name: String,
    namespace: Option<String>,
}

impl Title {
    /// Checks both as a cluster does.
    ///
    /// # Errors
    /// Usage: not a name after RFC 1123.
    pub fn new(name: &str, namespace: Option<&str>) -> Result<Self> {
        if name.len() > LONGEST_NAME || !name.split('.').all(is_label) {
            let message = format!("`--name`: `{name}` is no name of a Secret");
            return Err(Failure::usage(message)
                .hint("lower-case letters, digits, `-` and `.`, with a letter or digit at both ends of each part")
                .into());
        }
        if let Some(namespace) = namespace.filter(|text| text.len() > LONGEST_LABEL || !is_label(text)) {
            let message = format!("`--namespace`: `{namespace}` is no name of a namespace");
            return Err(Failure::usage(message)
                .hint("at most 63 lower-case letters, digits and `-`, with a letter or digit at both ends")
                .into());
        }
        Ok(Self {
            name: name.to_owned(),
            namespace: namespace.map(str::to_owned),
        })
    }
}

fn is_label(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let (first, last) = (text.bytes().next(), text.bytes().last());
    first.is_some_and(is_plain) && last.is_some_and(is_plain) && text.bytes().all(|byte| is_plain(byte) || byte == b'-')
}

/// The manifest. Base64 and names stand in quotes where YAML readers could take them for something else than text.
///
/// # Errors
/// A variable's name or the values together are longer than a cluster takes.
pub fn write(title: &Title, variables: &[Variable]) -> Result<Zeroizing<Vec<u8>>> {
    let mut out = Buffer::default();
    out.push(format!("apiVersion: v1\nkind: Secret\nmetadata:\n  name: \"{}\"\n", title.name).as_bytes());
    if let Some(namespace) = &title.namespace {
        out.push(format!("  namespace: \"{namespace}\"\n").as_bytes());
    }
    out.push(b"type: Opaque\ndata:");
    out.push(if variables.is_empty() { b" {}\n" } else { b"\n" });
    let mut total = 0;
    for variable in variables {
        let value = variable.value.delivered();
        total += value.len();
        refuse_excess(variable, total)?;
        out.push(format!("  {}: \"", written_key(&variable.name)).as_bytes());
        let encoded = Zeroizing::new(BASE64_STANDARD.encode(value.expose()));
        out.push(encoded.as_bytes());
        out.push(b"\"\n");
    }
    Ok(out.into_bytes())
}

fn refuse_excess(variable: &Variable, total: usize) -> Result<()> {
    let path = &variable.path;
    let (message, hint) = if variable.name.len() > LONGEST_NAME {
        (
            format!("the variable of `{path}` is longer than the {LONGEST_NAME} bytes of a key in a Secret"),
            "declare a shorter `env: NAME` for it under `secrets` in the policy",
        )
    } else if total > LARGEST {
        (
            format!("with the value of `{path}` there is more than the 1 MiB that a Secret holds"),
            "keep large values in an environment of their own",
        )
    } else {
        return Ok(());
    };
    Err(Failure::failed(message).hint(hint).into())
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    use proptest::prelude::{prop_assert_eq, proptest};

    use super::{LARGEST, Title, write};
    use crate::error::Failure;
    use crate::formats::readers::{nasty_values, variables_of};

    fn message<T>(result: crate::error::Result<T>) -> Option<String> {
        let failure = result.err()?.downcast::<Failure>().expect("a failure");
        Some(failure.message().to_owned())
    }

    #[test]
    fn a_manifest_holds_base64_by_variable() {
        let title = Title::new("null", Some("1")).expect("names");
        let mut variables = variables_of(&[&b"sk"[..], b"", b"\0\xff\n"]);
        "ON".clone_into(&mut variables[1].name);
        let expected = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: \"null\"\n  namespace: \"1\"\n\
                        type: Opaque\ndata:\n  V0: \"c2s=\"\n  \"ON\": \"\"\n  V2: \"AP8K\"\n";
        let text = write(&title, &variables).expect("written");
        assert_eq!(std::str::from_utf8(&text), Ok(expected));
        let title = Title::new("shop", None).expect("a name");
        let text = write(&title, &[]).expect("written");
        let expected = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: \"shop\"\ntype: Opaque\ndata: {}\n";
        assert_eq!(std::str::from_utf8(&text), Ok(expected));
    }

    #[test]
    fn names_are_those_of_rfc_1123() {
        for name in ["a", "0", "shop-secrets", "a.b-c.d", &"a".repeat(253)] {
            assert_eq!(message(Title::new(name, None)), None, "{name}");
        }
        for name in ["", "A", "a_b", "-a", "a-", "a..b", ".a", "a\n", "é", &"a".repeat(254)] {
            let expected = format!("`--name`: `{name}` is no name of a Secret");
            assert_eq!(message(Title::new(name, None)), Some(expected));
        }
        assert_eq!(message(Title::new("a", Some(&"a".repeat(63)))), None);
        for namespace in ["", "a.b", "A", &"a".repeat(64)] {
            let expected = format!("`--namespace`: `{namespace}` is no name of a namespace");
            assert_eq!(message(Title::new("a", Some(namespace))), Some(expected));
        }
    }

    #[test]
    fn more_than_a_secret_holds_is_refused_by_path() {
        let title = Title::new("shop", None).expect("a name");
        let values = [vec![b'x'; LARGEST - 1], vec![b'x'], vec![b'x']];
        assert_eq!(message(write(&title, &variables_of(&values[..2]))), None);
        assert_eq!(
            message(write(&title, &variables_of(&values))).as_deref(),
            Some("with the value of `v2` there is more than the 1 MiB that a Secret holds")
        );
        let mut variables = variables_of(&["x"]);
        variables[0].name = "V".repeat(254);
        assert_eq!(
            message(write(&title, &variables)).as_deref(),
            Some("the variable of `v0` is longer than the 253 bytes of a key in a Secret")
        );
    }

    proptest! {
        #[test]
        fn a_yaml_reader_reads_every_value_back(values in nasty_values(true)) {
            let title = Title::new("x", None).expect("a name");
            let text = write(&title, &variables_of(&values)).expect("written");
            let read: serde_yaml::Value = serde_yaml::from_slice(&text).expect("YAML");
            for (number, value) in values.iter().enumerate() {
                let encoded = read["data"][format!("V{number}")].as_str();
                let decoded = encoded.and_then(|text| BASE64_STANDARD.decode(text).ok());
                prop_assert_eq!(decoded.as_ref(), Some(value));
            }
        }
    }
}
