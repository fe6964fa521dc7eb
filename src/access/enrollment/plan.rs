//! From a list to lines of the policy, and what these give and take.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::identify::{Identification, Whom};
use super::{Enrollment, Joining, KeySource, Leaving, LeftOut};
use crate::error::{Failure, Result};
use crate::names::RecipientName;
use crate::policy::{Access, LoadedPolicy, NewRecipient, Policy, PolicyEdit, Recipient};
use crate::roster::{Person, Roster};

/// The most names that a message lists.
const MOST_NAMED: usize = 12;

impl Enrollment {
    /// Makes the people of the list the members of a group that there is. Groups and machines in it stay. `whole` says
    /// that the list is not cut, though it looks so.
    ///
    /// # Errors
    /// `Failed` if somebody could be two people or two could be one; if the list looks cut and somebody would go; or if
    /// the policy cannot be changed so.
    pub fn plan(
        loaded: &LoadedPolicy,
        group: &RecipientName,
        roster: &Roster,
        keys: &mut KeySource<'_>,
        whole: bool,
    ) -> Result<Self> {
        let policy = &loaded.policy;
        let sorted = Sorted::new(policy, roster, keys)?;
        let members = policy.people.group(group).map_or(&[][..], |(_, members)| members);
        let inside = policy.people.flattened(std::slice::from_ref(group));
        let (stays, mut joins): (Vec<_>, Vec<_>) = sorted
            .known
            .into_values()
            .partition(|joining| inside.contains(&joining.name));
        joins.extend(sorted.new.into_values());
        joins.sort_by(|one, other| one.name.cmp(&other.name));
        let listed: HashSet<&RecipientName> = stays.iter().map(|joining| &joining.name).collect();
        let (mut leaves, mut kept) = (Vec::new(), Vec::new());
        for name in members {
            match policy.people.recipient(name.as_str()) {
                Some(recipient) if !recipient.machine && listed.contains(name) => {}
                Some(recipient) if !recipient.machine => leaves.push(recipient),
                _ => kept.push(name.clone()),
            }
        }
        refuse_unknowable(roster, &sorted.doubts, &leaves)?;
        let people = members.len() - kept.len();
        if !whole {
            refuse_cut(group, roster, leaves.len(), people)?;
        }
        let mut edit = PolicyEdit::new(loaded);
        let new: Vec<&NewRecipient> = joins.iter().filter_map(|joining| joining.new.as_ref()).collect();
        edit.add_recipients(&new)?;
        let names: Vec<&RecipientName> = joins.iter().map(|joining| &joining.name).collect();
        edit.add_members(group, &names)?;
        let names: Vec<&RecipientName> = leaves.iter().map(|recipient| &recipient.name).collect();
        edit.remove_members(group, &names)?;
        let change = edit.finish()?;
        let after = &change.after.policy;
        let still = after.people.flattened(std::slice::from_ref(group));
        let leaving = |recipient: &&Recipient| Leaving {
            name: recipient.name.clone(),
            inactive: sorted.inactive.contains(&recipient.name),
            still: still.contains(&recipient.name),
        };
        let mut leaves: Vec<_> = leaves.iter().map(leaving).collect();
        leaves.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Self {
            group: group.clone(),
            joins,
            leaves,
            stays: stays.into_iter().map(|joining| joining.name).collect(),
            kept,
            left_out: sorted.left_out,
            unusable: sorted.unusable,
            other_keys: sorted.other_keys.into_iter().cloned().collect(),
            gains: beyond(after, policy),
            losses: beyond(policy, after),
            change,
        })
    }
}

/// The people of a list, by who they are.
struct Sorted<'p> {
    known: BTreeMap<&'p RecipientName, Joining>,
    new: BTreeMap<RecipientName, Joining>,
    left_out: Vec<LeftOut>,
    unusable: Vec<String>,
    other_keys: BTreeSet<&'p RecipientName>,
    doubts: Vec<(String, &'p Recipient)>,
    inactive: HashSet<&'p RecipientName>,
}

impl<'p> Sorted<'p> {
    fn new(policy: &'p Policy, roster: &Roster, keys: &mut KeySource<'_>) -> Result<Self> {
        let identification = Identification::new(policy);
        let closed = roster.people.iter().filter(|person| !person.active);
        let mut sorted = Self {
            known: BTreeMap::new(),
            new: BTreeMap::new(),
            left_out: Vec::new(),
            unusable: Vec::new(),
            other_keys: BTreeSet::new(),
            doubts: Vec::new(),
            inactive: closed.flat_map(|person| identification.formerly(person)).collect(),
        };
        let mut owners = HashMap::new();
        for person in roster.active() {
            match identification.whom(person, keys)? {
                Whom::LeftOut(left_out) => sorted.left_out.push(left_out),
                Whom::Doubtful(recipient) => sorted.doubts.push((person.shown(), recipient)),
                Whom::Known(recipient, proof, has_all) => {
                    if !has_all {
                        sorted.other_keys.insert(&recipient.name);
                    }
                    let joining = Joining {
                        name: recipient.name.clone(),
                        shown: person.shown(),
                        proof: Some(proof),
                        new: None,
                    };
                    refuse_same(sorted.known.insert(&recipient.name, joining), person, &recipient.name)?;
                }
                Whom::New(new, unusable) => {
                    for key in &new.keys {
                        if let Some(other) = owners.insert(key.key.clone(), person.shown()) {
                            return Err(shared_key(&other, &person.shown()).into());
                        }
                    }
                    sorted.unusable.extend(unusable);
                    let name = new.name.clone();
                    let joining = Joining {
                        name: name.clone(),
                        shown: person.shown(),
                        proof: None,
                        new: Some(new),
                    };
                    refuse_same(sorted.new.insert(name.clone(), joining), person, &name)?;
                }
            }
        }
        Ok(sorted)
    }
}

fn refuse_same(before: Option<Joining>, person: &Person, name: &RecipientName) -> Result<()> {
    match before {
        None => Ok(()),
        Some(other) => Err(Failure::failed(format!(
            "`{}` and `{}` in the list would both be `{name}`; nothing was written",
            other.shown,
            person.shown()
        ))
        .hint("add one of them under another name: secretree recipient add NAME KEY --email ADDRESS")
        .into()),
    }
}

fn shared_key(one: &str, other: &str) -> Failure {
    Failure::failed(format!(
        "`{one}` and `{other}` in the list have the same public key; nothing was written"
    ))
    .hint("a key is one person's: fetch the keys of both again")
}

/// Where the list goes by address, nothing can be said of those for whom the policy has none, or another one.
fn refuse_unknowable(roster: &Roster, doubts: &[(String, &Recipient)], leaves: &[&Recipient]) -> Result<()> {
    let doubt = doubts.iter().find(|(_, recipient)| recipient.email.is_some());
    if let Some((shown, recipient)) = doubt {
        let name = &recipient.name;
        return Err(Failure::failed(format!(
            "`{shown}` in the list could be `{name}`, who has another address in the policy; nothing was written"
        ))
        .hint(format!(
            "if it is the same person: change `email` under `recipients.{name}`"
        ))
        .hint("if it is another one: secretree recipient add OTHER-NAME KEY --email ADDRESS")
        .into());
    }
    let by_address = roster.active().next().is_some() && roster.active().all(|person| !person.has_login);
    let leaves = leaves
        .iter()
        .filter(|recipient| by_address && recipient.email.is_none());
    let unknown = doubts.iter().map(|(_, recipient)| recipient).chain(leaves);
    let unknown: BTreeSet<&str> = unknown.map(|recipient| recipient.name.as_str()).collect();
    match unknown.first() {
        None => Ok(()),
        Some(first) => Err(Failure::failed(format!(
            "the list goes by address, and the policy has none for {}; nothing was written",
            named(&unknown)
        ))
        .hint(format!("write it down: `email: ADDRESS` under `recipients.{first}`"))
        .into()),
    }
}

/// A list that may be cut takes nobody out by itself.
fn refuse_cut(group: &RecipientName, roster: &Roster, leaves: usize, people: usize) -> Result<()> {
    if leaves == 0 {
        return Ok(());
    }
    let hint = "if that is meant: --whole";
    if roster.active().next().is_none() {
        let message = format!("the list has nobody, so {} would leave `{group}`", counted(leaves));
        return Err(Failure::failed(message)
            .hint("look at what the command before the pipe prints")
            .hint(hint)
            .into());
    }
    if let Some(length) = roster.full_page {
        let message = format!(
            "the last page of the list is full ({length} people), so there may be another one, and {} would leave `{group}`",
            counted(leaves)
        );
        return Err(Failure::failed(message)
            .hint("fetch all pages: gh api --paginate …")
            .hint("if it was the last page: --whole")
            .into());
    }
    match leaves == people {
        true => {
            let message = format!(
                "nobody of `{group}` is in the list, so {} would leave it",
                counted(leaves)
            );
            Err(Failure::failed(message)
                .hint("is it the list of this team?")
                .hint(hint)
                .into())
        }
        false => Ok(()),
    }
}

fn counted(people: usize) -> String {
    match people {
        1 => "1 person".to_owned(),
        many => format!("{many} people"),
    }
}

fn named(names: &BTreeSet<&str>) -> String {
    let shown: Vec<_> = names.iter().take(MOST_NAMED).map(|name| format!("`{name}`")).collect();
    match names.len() {
        many if many > MOST_NAMED => format!("{} and {} more", shown.join(", "), many - MOST_NAMED),
        _ => shown.join(", "),
    }
}

/// What people may do by one policy and not by the other.
fn beyond(more: &Policy, less: &Policy) -> BTreeMap<RecipientName, Access> {
    let mut found: BTreeMap<RecipientName, Access> = BTreeMap::new();
    for environment in more.environments.values() {
        let other = less.environment(&environment.name);
        let readers = other.map_or_else(BTreeSet::new, |other| less.readers(other));
        for name in more.readers(environment).difference(&readers) {
            let access = found.entry((*name).clone()).or_default();
            access.reads.insert(environment.name.clone());
        }
        let writers = other.map_or_else(BTreeSet::new, |other| less.writers(other));
        for name in more.writers(environment).difference(&writers) {
            let access = found.entry((*name).clone()).or_default();
            access.writes.insert(environment.name.clone());
        }
    }
    for name in more.maintainers().difference(&less.maintainers()) {
        found.entry((*name).clone()).or_default().maintains = true;
    }
    found
}
