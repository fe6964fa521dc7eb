//! Who a person of the list is: one of the policy, by address, login or key; somebody new; or nobody that can be told.

use std::collections::{BTreeMap, HashMap};

use super::{KeySource, LeftOut, Proof, Reason};
use crate::crypto::public_key::PublicKey;
use crate::error::{Failure, Result};
use crate::names::RecipientName;
use crate::policy::{NamedKey, NewRecipient, Policy, Recipient, read_keys};
use crate::roster::{Person, folded};

/// Who somebody is.
pub(super) enum Whom<'p> {
    /// One of the policy; whether the keys that came are all theirs.
    Known(&'p Recipient, Proof, bool),
    /// Nobody the policy knows; with a line for each key that cannot decrypt.
    New(NewRecipient, Vec<String>),
    /// Somebody for whom nothing is done.
    LeftOut(LeftOut),
    /// Perhaps this one of the policy, and perhaps not.
    Doubtful(&'p Recipient),
}

/// The people of a policy by what they are recognised by.
pub(super) struct Identification<'p> {
    policy: &'p Policy,
    by_address: HashMap<String, Vec<&'p Recipient>>,
    by_key: HashMap<&'p PublicKey, &'p Recipient>,
}

/// The keys of a text, and what was wrong with it.
#[derive(Default)]
struct Keys {
    new: Vec<NamedKey>,
    unusable: Vec<String>,
    wrong: Option<String>,
    came: bool,
}

impl<'p> Identification<'p> {
    pub(super) fn new(policy: &'p Policy) -> Self {
        let mut by_address: HashMap<String, Vec<&Recipient>> = HashMap::new();
        let mut by_key = HashMap::new();
        for recipient in policy.people.recipients() {
            if let Some(email) = &recipient.email {
                by_address.entry(folded(email)).or_default().push(recipient);
            }
            by_key.extend(recipient.keys.iter().map(|key| (key, recipient)));
        }
        Self {
            policy,
            by_address,
            by_key,
        }
    }

    /// Who the person is. Failure: more than one of the policy.
    pub(super) fn whom(&self, person: &Person, keys: &mut KeySource<'_>) -> Result<Whom<'p>> {
        let name = RecipientName::new(&folded(&person.login));
        let keys = match &name {
            Some(name) => keys_of(person, name, keys),
            None => Keys::default(),
        };
        let mut found = self.by_list(person);
        let mut doubtful = None;
        for key in &keys.new {
            let Some(owner) = self.by_key.get(&key.key).copied() else {
                continue;
            };
            let proof = Proof::Key(key.key.label().clone());
            if found.is_empty() && !may_prove(person, owner) {
                doubtful = Some((owner, proof));
                continue;
            }
            found.entry(owner.name.as_str()).or_insert((owner, proof));
        }
        match doubtful {
            Some((owner, _)) if found.is_empty() && owner.machine => {
                return Ok(left_out(person, Reason::Machine(owner.name.clone())));
            }
            Some((owner, _)) if found.is_empty() => return Ok(Whom::Doubtful(owner)),
            Some(evidence) => drop(found.entry(evidence.0.name.as_str()).or_insert(evidence)),
            None => {}
        }
        let mut found = found.into_values();
        match (found.next(), found.next()) {
            (Some((one, _)), Some((other, _))) => Err(several(person, one, other).into()),
            (Some((recipient, _)), None) if recipient.machine => {
                Ok(left_out(person, Reason::Machine(recipient.name.clone())))
            }
            (Some((recipient, proof)), None) => {
                let has_all = keys.new.iter().all(|key| recipient.keys.contains(&key.key));
                Ok(Whom::Known(recipient, proof, has_all))
            }
            (None, _) => self.stranger(person, name, keys),
        }
    }

    /// The recipient that somebody with a closed account was.
    pub(super) fn formerly(&self, person: &Person) -> Vec<&'p RecipientName> {
        self.by_list(person)
            .into_values()
            .map(|(recipient, _)| &recipient.name)
            .collect()
    }

    /// Who the list's own words mean: by an address; or by the login, where no address speaks against it.
    fn by_list(&self, person: &Person) -> BTreeMap<&'p str, (&'p Recipient, Proof)> {
        let addressed = person.folded_addresses();
        let addressed = addressed.filter_map(|address| self.by_address.get(&address)).flatten();
        let mut found: BTreeMap<_, _> = addressed
            .map(|recipient| (recipient.name.as_str(), (*recipient, Proof::Address)))
            .collect();
        let named = self.policy.people.recipient(&folded(&person.login));
        let is_named =
            |recipient: &&Recipient| person.has_login && (person.addresses.is_empty() || recipient.email.is_none());
        if let Some(recipient) = named.filter(is_named) {
            found
                .entry(recipient.name.as_str())
                .or_insert((recipient, Proof::Login));
        }
        found
    }

    /// Somebody whom nothing ties to one of the policy.
    fn stranger(&self, person: &Person, name: Option<RecipientName>, keys: Keys) -> Result<Whom<'p>> {
        let Some(name) = name else {
            return Ok(left_out(person, Reason::NoName));
        };
        let people = &self.policy.people;
        if let Some(namesake) = people.recipient(name.as_str()) {
            return Ok(match namesake.machine {
                true => left_out(person, Reason::Machine(name)),
                false => Whom::Doubtful(namesake),
            });
        }
        let email = person.addresses.first();
        let reason = match (people.group(&name), keys.wrong) {
            (Some(_), _) => Some(Reason::Group(name.clone())),
            _ if email.is_some_and(|email| !email.bytes().all(|byte| byte.is_ascii_graphic())) => Some(Reason::Address),
            (_, Some(wrong)) => Some(Reason::Keys(wrong)),
            _ if !keys.came => Some(Reason::NoKeys(name.clone())),
            _ => None,
        };
        Ok(match reason {
            Some(reason) => left_out(person, reason),
            None => Whom::New(
                NewRecipient {
                    name,
                    keys: keys.new,
                    email: email.cloned(),
                    machine: false,
                },
                keys.unusable,
            ),
        })
    }
}

/// Whether a key in the file that is called as the person may tell that they are its owner: not where the file is called
/// as a part of their address, which somebody of another domain may have too, nor where their addresses differ.
fn may_prove(person: &Person, owner: &Recipient) -> bool {
    person.has_login && (person.addresses.is_empty() || owner.email.is_none())
}

fn keys_of(person: &Person, name: &RecipientName, source: &mut KeySource<'_>) -> Keys {
    let Some(text) = source(person, name) else {
        return Keys::default();
    };
    let shown = &text.shown;
    let list = text.text.and_then(|text| read_keys(&text));
    let came = true;
    match list {
        Ok(list) if list.beside_private => Keys {
            wrong: Some(format!("`{shown}` holds a private key, which is nobody else's to have")),
            came,
            ..Keys::default()
        },
        // A comment would stand in the policy as if somebody had looked at it.
        Ok(list) => Keys {
            new: list.keys.into_iter().map(without_comment).collect(),
            unusable: list.left_out.iter().map(|why| format!("`{shown}`: {why}")).collect(),
            wrong: None,
            came,
        },
        Err(reason) => Keys {
            wrong: Some(format!("`{shown}` {reason}")),
            came,
            ..Keys::default()
        },
    }
}

fn without_comment(key: NamedKey) -> NamedKey {
    NamedKey {
        text: key.key.canonical().to_owned(),
        key: key.key,
    }
}

fn left_out<'p>(person: &Person, reason: Reason) -> Whom<'p> {
    Whom::LeftOut(LeftOut {
        shown: person.shown(),
        reason,
    })
}

fn several(person: &Person, one: &Recipient, other: &Recipient) -> Failure {
    let (shown, one, other) = (person.shown(), &one.name, &other.name);
    Failure::failed(format!(
        "`{shown}` in the list could be `{one}` and could be `{other}`; nothing was written"
    ))
    .hint(format!(
        "compare address, login and keys: secretree recipient show {one}; secretree recipient show {other}"
    ))
}
