//! The recipients of a new policy: the age keys of sops rules under names that fit, and groups for lists that several
//! environments share.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Adopted, Owner};
use crate::crypto::public_key::PublicKey;
use crate::formats::sops::{SopsRecipient, SopsRule};
use crate::names::RecipientName;

/// What people call a key in `.sops.yaml`, made to fit: its name there, or the comment of an SSH key.
pub(super) fn name_beside(recipient: &SopsRecipient) -> Option<RecipientName> {
    let comment = recipient.key.split_ascii_whitespace().nth(2);
    let comment = comment.and_then(|comment| comment.split('@').next());
    recipient.name.as_deref().or(comment).and_then(RecipientName::fitted)
}

/// Who was met so far, in the order of the rules; the owner first.
pub(super) struct People {
    known: Vec<(RecipientName, PublicKey)>,
    /// The keys that the owner holds. One that has no name is called after the owner; it is another recipient, because
    /// a key may be shared, and must not read more than its rules say.
    own: Vec<PublicKey>,
    names: BTreeSet<String>,
    /// How often each name was given with a number behind it.
    numbered: HashMap<String, usize>,
    unnamed: usize,
}

impl People {
    pub(super) fn new(owner: &Owner<'_>) -> Self {
        let mut people = Self {
            known: Vec::new(),
            own: owner.keys.to_vec(),
            names: BTreeSet::from([owner.name.to_string()]),
            numbered: HashMap::new(),
            unnamed: 0,
        };
        people
            .known
            .extend(owner.keys.first().map(|key| (owner.name.clone(), key.clone())));
        people
    }

    /// The readers that a rule means, each once; keys that cannot be used are noted.
    pub(super) fn of_rule(&mut self, rule: &SopsRule, notes: &mut Vec<String>) -> Vec<RecipientName> {
        let mut readers = Vec::new();
        for recipient in &rule.recipients {
            match PublicKey::parse(&recipient.key) {
                Ok(key) => {
                    let name = self.name_of(key, recipient);
                    if !readers.contains(&name) {
                        readers.push(name);
                    }
                }
                Err(reason) => {
                    let line = rule.place.line;
                    let shown: String = recipient.key.chars().take(16).collect();
                    // A private key pasted by mistake is not shown.
                    let shown = if shown.starts_with("age1") || shown.starts_with("ssh-") {
                        shown
                    } else {
                        String::new()
                    };
                    notes.push(format!(
                        "`.sops.yaml` line {line}: the key `{shown}…` is left out: it {reason}"
                    ));
                }
            }
        }
        readers
    }

    /// The name of a key's recipient, who becomes known.
    fn name_of(&mut self, key: PublicKey, recipient: &SopsRecipient) -> RecipientName {
        if let Some((name, _)) = self.known.iter().find(|(_, known)| *known == key) {
            return name.clone();
        }
        let owner = || self.known.first().filter(|_| self.own.contains(&key));
        let name = name_beside(recipient).or_else(|| owner().map(|(name, _)| name.clone()));
        let name = match name {
            Some(name) => self.distinct(&name),
            None => loop {
                self.unnamed += 1;
                let name = RecipientName::new(&format!("recipient-{}", self.unnamed)).expect("it is a name");
                if self.names.insert(name.to_string()) {
                    break name;
                }
            },
        };
        self.known.push((name.clone(), key));
        name
    }

    /// The name, with a number behind it if somebody else has it.
    fn distinct(&mut self, name: &RecipientName) -> RecipientName {
        let mut candidate = name.clone();
        let number = self.numbered.entry(name.to_string()).or_insert(1);
        while !self.names.insert(candidate.to_string()) {
            *number += 1;
            let end = name.as_str().len().min(56);
            candidate = RecipientName::new(&format!("{}-{number}", &name.as_str()[..end]))
                .expect("a name and a number are one");
        }
        candidate
    }

    /// Puts a group in the place of each list of readers that several environments share.
    pub(super) fn groups(&mut self, environments: &mut [Adopted]) -> Vec<(RecipientName, Vec<RecipientName>)> {
        let mut shared: BTreeMap<Vec<RecipientName>, Vec<usize>> = BTreeMap::new();
        for (position, environment) in environments.iter().enumerate() {
            let mut readers = environment.readers.clone();
            readers.sort();
            shared.entry(readers).or_default().push(position);
        }
        let mut groups = Vec::new();
        for (readers, users) in shared
            .into_iter()
            .filter(|(readers, users)| readers.len() > 1 && users.len() > 1)
        {
            let last = |position: &usize| {
                let name = environments[*position].name.as_str();
                name.rsplit('/').next().unwrap_or(name).to_owned()
            };
            let lasts: BTreeSet<String> = users.iter().map(last).collect();
            let proposal = match lasts.first() {
                Some(name) if lasts.len() == 1 && name.len() < 50 => format!("{name}-readers"),
                _ if readers.len() == self.known.len() => "everyone".to_owned(),
                _ => "team".to_owned(),
            };
            let name = self.distinct(&RecipientName::new(&proposal).expect("made of names"));
            for position in users {
                environments[position].readers = vec![name.clone()];
            }
            groups.push((name, readers));
        }
        groups
    }

    pub(super) fn into_recipients(self) -> Vec<(RecipientName, PublicKey)> {
        self.known
    }
}
