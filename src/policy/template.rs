//! The policy that `init` writes: the commented example of this repository with an id, a recipient and a
//! public key put in. The example is also the documentation of every field.

use crate::crypto::public_key::PublicKey;
use crate::names::RecipientName;

/// The example, a policy by itself.
const EXAMPLE: &str = include_str!("../../.secrets.example.yaml");

/// What stands in the example for the id of the policy.
const EXAMPLE_ID: &str = "00000000000000000000000000000000";

/// What stands in the example for the first recipient's name.
const EXAMPLE_NAME: &str = "your-name";

/// What stands in the example for the first recipient's public key.
const EXAMPLE_KEY: &str = "age12rv93cyctmx87czp32hse3dttpl59sjhp2yyp9dfarx2e58k23wqhtk995";

/// The text of a new policy with the environments `dev` and `prod`, both readable by one recipient. `id` is
/// 32 lower-case hex digits.
pub fn template(id: &str, name: &RecipientName, key: &PublicKey) -> String {
    // The key last: it is the only text here that is not ours to word.
    EXAMPLE
        .replace(EXAMPLE_ID, id)
        .replace(EXAMPLE_NAME, name.as_str())
        .replace(EXAMPLE_KEY, key.canonical())
}

#[cfg(test)]
mod tests {
    use super::{EXAMPLE, EXAMPLE_ID, EXAMPLE_KEY, EXAMPLE_NAME, template};
    use crate::crypto::public_key::PublicKey;
    use crate::names::RecipientName;
    use crate::policy::Policy;
    use crate::policy::tests::KEY;

    const ID: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn the_example_has_each_mark_that_is_replaced() {
        assert_eq!(EXAMPLE.matches(EXAMPLE_ID).count(), 1);
        assert_eq!(EXAMPLE.matches(EXAMPLE_KEY).count(), 1);
        assert!(EXAMPLE.contains(EXAMPLE_NAME));
    }

    #[test]
    fn the_example_is_a_policy_by_itself() {
        let policy = Policy::parse(EXAMPLE, ".secrets.example.yaml").unwrap();
        assert_eq!(policy.id, EXAMPLE_ID);
    }

    #[test]
    fn a_new_policy_has_one_recipient_and_two_environments() {
        let key = PublicKey::parse(KEY).unwrap();
        let text = template(ID, &RecipientName::new("ada").unwrap(), &key);
        let policy = Policy::parse(&text, ".secrets.yaml").unwrap();
        assert_eq!(policy.id, ID);
        let names: Vec<&str> = policy.environments.keys().map(AsRef::as_ref).collect();
        assert_eq!(names, ["dev", "prod"]);
        for environment in policy.environments.values() {
            let keys: Vec<_> = policy
                .reader_keys(environment)
                .into_iter()
                .map(|(name, key)| (name.as_str(), key.canonical()))
                .collect();
            assert_eq!(keys, [("ada", KEY)]);
        }
        assert!(!text.contains(EXAMPLE_NAME), "{text}");
    }

    #[test]
    fn what_is_commented_out_in_the_example_can_be_used() {
        let switched_on: Vec<&str> = EXAMPLE
            .lines()
            .map(|line| line.strip_prefix("#: ").unwrap_or(line))
            .collect();
        let policy = Policy::parse(&switched_on.join("\n"), ".secrets.example.yaml").unwrap();
        assert!(!policy.targets.is_empty() && !policy.rotators.is_empty() && !policy.waivers.is_empty());
    }
}
