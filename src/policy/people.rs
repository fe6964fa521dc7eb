//! Who there is: recipients with their public keys, and groups of them. Reads both from the policy and
//! answers which recipients a list of names means; what they may do is said by the environments.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;

use super::fields::{Fields, Read, Reader, no_name, refuse_repeated, unknown};
use super::keys::{as_signing_key, canonical_signing_key, public_key};
use super::order::order;
use super::spot::{Spot, Spotted, shown};
use crate::crypto::public_key::PublicKey;
use crate::document::tree::Node;
use crate::names::RecipientName;

/// The fields of a recipient.
pub(super) const RECIPIENT_FIELDS: [&str; 4] = ["keys", "signing_keys", "email", "machine"];

/// A named person or machine.
#[derive(Clone, Debug)]
pub struct Recipient {
    /// The name in the policy.
    pub name: RecipientName,
    /// The public keys that grants are made for; at least one.
    pub keys: Vec<PublicKey>,
    /// The keys whose signatures count, canonical: `KIND BASE64` of SSH, or an OpenPGP fingerprint in capitals.
    /// Without `signing_keys` in the policy the SSH keys among `keys`.
    pub signing_keys: Vec<String>,
    /// Where to write to; never an authorisation.
    pub email: Option<String>,
    /// Whether it is a machine: no writer unless `writers` names it.
    pub machine: bool,
    /// Where it stands in the policy.
    pub spot: Spot,
}

/// A set of recipients, one bit each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Members(Vec<u64>);

impl Members {
    fn none(recipients: usize) -> Self {
        Self(vec![0; recipients.div_ceil(64)])
    }

    fn add(&mut self, index: usize) {
        self.0[index / 64] |= 1 << (index % 64);
    }

    fn add_all(&mut self, other: &Self) {
        for (own, more) in self.0.iter_mut().zip(&other.0) {
            *own |= more;
        }
    }

    fn indices(&self) -> impl Iterator<Item = usize> {
        let words = self.0.iter().enumerate();
        words.flat_map(|(word, bits)| {
            (0..64)
                .filter(move |bit| bits >> bit & 1 == 1)
                .map(move |bit| word * 64 + bit)
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// The members that `other` lacks.
    pub(super) fn without(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(own, theirs)| own & !theirs).collect())
    }
}

/// What a name means.
#[derive(Clone, Copy)]
enum Meaning {
    Recipient(usize),
    Group(usize),
}

/// All recipients and groups of a policy.
#[derive(Clone, Debug)]
pub struct People {
    recipients: Vec<Recipient>,
    by_name: HashMap<RecipientName, usize>,
    groups: BTreeMap<RecipientName, (Vec<RecipientName>, Members)>,
}

impl People {
    /// Reads `recipients` and `groups`.
    pub(super) fn read(reader: Reader<'_>, root: &Fields<'_>) -> Read<Self> {
        let mut recipients = match root.get("recipients") {
            Some(node) => read_recipients(reader, node)?,
            None => Vec::new(),
        };
        recipients.sort_by(|one, other| one.name.cmp(&other.name));
        let by_name = recipients
            .iter()
            .enumerate()
            .map(|(index, recipient)| (recipient.name.clone(), index))
            .collect();
        let groups = BTreeMap::new();
        let people = Self {
            recipients,
            by_name,
            groups,
        };
        match root.get("groups") {
            Some(node) => people.with_groups(reader, node),
            None => Ok(people),
        }
    }

    fn with_groups(mut self, reader: Reader<'_>, node: &Node<'_>) -> Read<Self> {
        let drafts = read_groups(reader, node, &self)?;
        let index: HashMap<&str, usize> = drafts
            .iter()
            .enumerate()
            .map(|(at, draft)| (draft.name.as_str(), at))
            .collect();
        let mut edges = Vec::with_capacity(drafts.len());
        let mut direct = Vec::with_capacity(drafts.len());
        for draft in &drafts {
            let mut members = Members::none(self.recipients.len());
            let mut inner = Vec::new();
            for item in &draft.items {
                match self.meaning(&item.value, &index) {
                    Some(Meaning::Recipient(recipient)) => members.add(recipient),
                    Some(Meaning::Group(group)) => inner.push(group),
                    None => {
                        let known = self
                            .by_name
                            .keys()
                            .map(RecipientName::as_str)
                            .chain(index.keys().copied());
                        return Err(unknown(&item.spot, &item.value, "recipient or group", known));
                    }
                }
            }
            edges.push(inner);
            direct.push(members);
        }
        let ordered = order(&edges).map_err(|circle| {
            let names: Vec<String> = circle.iter().map(|&group| shown(drafts[group].name.as_str())).collect();
            drafts[circle[0]]
                .spot
                .failure(format_args!("groups in a circle: {}", names.join(" in ")))
        })?;
        for group in ordered {
            for &inner in &edges[group] {
                let all = std::mem::replace(&mut direct[inner], Members(Vec::new()));
                direct[group].add_all(&all);
                direct[inner] = all;
            }
        }
        for (draft, members) in drafts.iter().zip(direct) {
            let items = draft
                .items
                .iter()
                .filter_map(|item| RecipientName::new(&item.value))
                .collect();
            self.groups.insert(draft.name.clone(), (items, members));
        }
        Ok(self)
    }

    fn meaning(&self, name: &str, groups: &HashMap<&str, usize>) -> Option<Meaning> {
        let recipient = self.by_name.get(name).map(|&index| Meaning::Recipient(index));
        recipient.or_else(|| groups.get(name).map(|&index| Meaning::Group(index)))
    }

    /// The recipient of that name.
    pub fn recipient(&self, name: &str) -> Option<&Recipient> {
        self.by_name.get(name).map(|&index| &self.recipients[index])
    }

    /// All recipients, sorted by name.
    pub fn recipients(&self) -> &[Recipient] {
        &self.recipients
    }

    /// All groups by name, with the names each one lists, as written.
    pub fn groups(&self) -> impl Iterator<Item = (&RecipientName, &[RecipientName])> {
        self.groups.iter().map(|(name, (items, _))| (name, items.as_slice()))
    }

    /// The group of that name, with the names that it lists, as written.
    pub fn group(&self, name: &RecipientName) -> Option<(&RecipientName, &[RecipientName])> {
        let (name, (items, _)) = self.groups.get_key_value(name)?;
        Some((name, items))
    }

    /// The recipient that has this public key.
    pub fn owner(&self, key: &PublicKey) -> Option<&Recipient> {
        self.recipients.iter().find(|recipient| recipient.keys.contains(key))
    }

    /// Whether `name` is a recipient or a group.
    pub fn knows(&self, name: &str) -> bool {
        self.by_name.contains_key(name) || self.groups.contains_key(name)
    }

    /// All names of recipients and groups.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let recipients = self.recipients.iter().map(|recipient| recipient.name.as_str());
        recipients.chain(self.groups.keys().map(RecipientName::as_str))
    }

    /// The recipients that these names of recipients and groups mean. Names that mean nothing were refused
    /// when the policy was read.
    pub(super) fn members(&self, names: &[RecipientName]) -> Members {
        let mut members = Members::none(self.recipients.len());
        for name in names {
            if let Some(&index) = self.by_name.get(name) {
                members.add(index);
            } else if let Some((_, group)) = self.groups.get(name) {
                members.add_all(group);
            }
        }
        members
    }

    /// Whether the recipient is one of those that `names` mean.
    pub(super) fn is_among(&self, recipient: &RecipientName, names: &[RecipientName]) -> bool {
        let index = self.by_name.get(recipient);
        index.is_some_and(|index| self.members(names).0[index / 64] >> (index % 64) & 1 == 1)
    }

    /// The members as recipients, sorted by name.
    pub(super) fn listed<'p>(&'p self, members: &Members) -> Vec<&'p Recipient> {
        members.indices().map(|index| &self.recipients[index]).collect()
    }

    /// The recipients that these names mean, through all groups.
    pub fn flattened(&self, names: &[RecipientName]) -> BTreeSet<&RecipientName> {
        self.listed(&self.members(names))
            .into_iter()
            .map(|recipient| &recipient.name)
            .collect()
    }

    /// Checks that each name is known, and gives them back as names.
    pub(super) fn checked(&self, listed: &[Spotted<String>]) -> Read<Vec<RecipientName>> {
        refuse_repeated(listed)?;
        listed
            .iter()
            .map(|item| {
                let name = RecipientName::new(&item.value).ok_or_else(|| no_name(&item.spot, &item.value))?;
                match self.knows(name.as_str()) {
                    true => Ok(name),
                    false => Err(unknown(&item.spot, &item.value, "recipient or group", self.names())),
                }
            })
            .collect()
    }
}

fn read_recipients(reader: Reader<'_>, node: &Node<'_>) -> Read<Vec<Recipient>> {
    let mut owners = HashMap::new();
    let mut signers = HashMap::new();
    let mut recipients = Vec::new();
    for entry in reader.entries(node, "`recipients`")? {
        let name = reader.name(entry)?;
        let fields = reader.fields(&entry.value, "a recipient", &RECIPIENT_FIELDS)?;
        let what = format!("recipient `{name}`");
        let listed = reader.texts(fields.needed("keys", &what)?, "`keys`")?;
        if listed.is_empty() {
            return Err(reader.key_spot(entry).failure(format_args!("{what} has no key")));
        }
        let keys = read_keys(&listed, &name, &mut owners, public_key)?;
        let signing_keys = match fields.texts("signing_keys")? {
            Some(listed) => read_keys(&listed, &name, &mut signers, canonical_signing_key)?,
            None => keys.iter().filter_map(as_signing_key).collect(),
        };
        let email = fields.text("email")?.map(|email| email.value);
        let machine = fields.flag("machine")?;
        let spot = reader.key_spot(entry);
        recipients.push(Recipient {
            name,
            keys,
            signing_keys,
            email,
            machine,
            spot,
        });
    }
    refuse_shared_signatures(&recipients)?;
    Ok(recipients)
}

/// The keys of one recipient; each key belongs to one recipient and stands once.
fn read_keys<K: Clone + Eq + Hash>(
    listed: &[Spotted<String>],
    name: &RecipientName,
    owners: &mut HashMap<K, RecipientName>,
    parse: impl Fn(&str) -> Result<K, String>,
) -> Read<Vec<K>> {
    let mut keys = Vec::with_capacity(listed.len());
    for item in listed {
        let key = parse(&item.value).map_err(|reason| item.spot.failure(reason))?;
        if let Some(owner) = owners.insert(key.clone(), name.clone()) {
            return Err(item
                .spot
                .failure(format_args!("this key of `{name}` is already one of `{owner}`")));
        }
        keys.push(key);
    }
    Ok(keys)
}

/// A signature counts by its key, so no key may sign for two recipients, be it listed or implied.
fn refuse_shared_signatures(recipients: &[Recipient]) -> Read<()> {
    let mut owners: HashMap<&str, &RecipientName> = HashMap::new();
    for recipient in recipients {
        for key in &recipient.signing_keys {
            if let Some(owner) = owners.insert(key, &recipient.name) {
                let name = &recipient.name;
                return Err(recipient
                    .spot
                    .failure(format_args!("`{name}` and `{owner}` have the same signing key")));
            }
        }
    }
    Ok(())
}

struct GroupDraft {
    name: RecipientName,
    items: Vec<Spotted<String>>,
    spot: Spot,
}

fn read_groups(reader: Reader<'_>, node: &Node<'_>, people: &People) -> Read<Vec<GroupDraft>> {
    let mut drafts = Vec::new();
    for entry in reader.entries(node, "`groups`")? {
        let name = reader.name(entry)?;
        let spot = reader.key_spot(entry);
        if people.by_name.contains_key(&name) {
            return Err(spot.failure(format_args!(
                "`{name}` is a recipient already: groups share their name space"
            )));
        }
        let items = reader.texts(&entry.value, &format!("group `{name}`"))?;
        refuse_repeated(&items)?;
        drafts.push(GroupDraft { name, items, spot });
    }
    Ok(drafts)
}
