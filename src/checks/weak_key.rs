//! `weak-key`: an RSA key that is shorter than what is recommended until 2030 and beyond (NIST SP 800-57, part 1: 3072
//! bits). Keys that protect nothing are refused by the policy itself.

use super::{Look, PolicySubject, Rule};
use crate::crypto::public_key::rsa_bits;
use crate::finding::{Code, Finding};

static CODE: Code = Code::warning("weak-key", "a public key is an RSA key of less than 3072 bits");

pub(super) static RULE: Rule = Rule {
    code: &CODE,
    look: Look::Policy(find),
};

/// The shortest modulus that is not weak.
const SHORTEST: usize = 3072;

fn find(subject: &PolicySubject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for recipient in subject.policy.people.recipients() {
        let keys = recipient.keys.iter().map(|key| (key.canonical(), "public key"));
        let own: Vec<_> = recipient.keys.iter().map(|key| key.canonical()).collect();
        let signing = recipient.signing_keys.iter().map(|key| (key.as_str(), "signing key"));
        let signing = signing.filter(|(key, _)| !own.contains(key));
        for (key, what) in keys.chain(signing) {
            let Some(bits) = rsa_bits(key).filter(|bits| *bits < SHORTEST) else {
                continue;
            };
            let name = &recipient.name;
            let message = format!("a {what} of `{name}` is an RSA key of {bits} bits");
            let finding: Finding = CODE.finding(subject.place(&recipient.spot), message);
            findings.push(
                finding
                    .hint("make an ssh-ed25519 or age key, name it beside this one, `apply`, then take this one out"),
            );
        }
    }
    findings
}
