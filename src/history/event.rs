//! What a commit did to an environment, said by path and version: what differs from all of its parents, so that a merge
//! tells only what it brought itself. Pure functions of snapshots; which snapshots to compare is `walk`'s.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

use serde::Serialize;

use super::as_text;
use super::snapshot::{Granted, Mark, Snapshot};
use crate::crypto::key::DropBox;
use crate::crypto::label::GrantLabel;
use crate::crypto::proposal::ProposalLabel;
use crate::document::path::ValuePath;
use crate::names::{EnvironmentName, KeyId, RecipientName, Version};

/// What happened to an environment. As JSON: `"event"` is the name in kebab-case, the other fields as here; readable
/// values have `null` for a version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum EventKind {
    /// The environment has a file where it had none.
    FileAdded,
    /// It had a file before, then none, and has one again.
    FileBack,
    /// Its file is gone.
    FileRemoved,
    /// Its file stands elsewhere.
    FileMoved {
        /// The old place, relative to the repository's root.
        from: PathBuf,
        /// The new one.
        to: PathBuf,
    },
    /// It has another name.
    Renamed {
        /// The old name.
        #[serde(serialize_with = "as_text")]
        from: EnvironmentName,
        /// The new one.
        #[serde(serialize_with = "as_text")]
        to: EnvironmentName,
    },
    /// The file cannot be read any more.
    Unreadable {
        /// Why, as the end of a line.
        reason: String,
    },
    /// The file can be read again.
    ReadableAgain,
    /// The history that this clone has ends here: what is there may be older.
    HistoryEnds,
    /// The environment has a new key.
    NewKey {
        /// Its id.
        #[serde(serialize_with = "as_text")]
        key: KeyId,
        /// What stands for it.
        #[serde(serialize_with = "as_text")]
        drop_box: DropBox,
        /// The ids of the keys that it says it follows.
        #[serde(serialize_with = "super::as_texts")]
        follows: Vec<KeyId>,
    },
    /// The environment has a key that it had before, as after `git revert`.
    KeyBack {
        /// Its id.
        #[serde(serialize_with = "as_text")]
        key: KeyId,
        /// What stands for it.
        #[serde(serialize_with = "as_text")]
        drop_box: DropBox,
    },
    /// A public key was granted the environment key.
    Granted {
        /// The name that the grant stands under.
        #[serde(serialize_with = "as_text")]
        recipient: RecipientName,
        /// The label of the public key.
        #[serde(serialize_with = "as_text")]
        label: GrantLabel,
    },
    /// A public key has no grant any more.
    Revoked {
        /// The name that the grant stood under.
        #[serde(serialize_with = "as_text")]
        recipient: RecipientName,
        /// The label of the public key.
        #[serde(serialize_with = "as_text")]
        label: GrantLabel,
    },
    /// A grant stands under another name.
    HolderRenamed {
        /// The old name.
        #[serde(serialize_with = "as_text")]
        from: RecipientName,
        /// The new name.
        #[serde(serialize_with = "as_text")]
        to: RecipientName,
        /// The label of the public key.
        #[serde(serialize_with = "as_text")]
        label: GrantLabel,
    },
    /// A value is there that was not.
    Added {
        /// Where.
        #[serde(serialize_with = "as_text")]
        path: ValuePath,
        /// What stands there.
        #[serde(rename = "version", serialize_with = "super::as_version")]
        mark: Mark,
    },
    /// Another value stands there.
    Changed {
        /// Where.
        #[serde(serialize_with = "as_text")]
        path: ValuePath,
        /// What stood there.
        #[serde(serialize_with = "super::as_version")]
        before: Mark,
        /// What stands there now.
        #[serde(rename = "version", serialize_with = "super::as_version")]
        mark: Mark,
    },
    /// A value stands there that stood there before, as after `git revert`.
    SetBack {
        /// Where.
        #[serde(serialize_with = "as_text")]
        path: ValuePath,
        /// What stood there; `None`: nothing.
        #[serde(serialize_with = "super::as_some_version")]
        before: Option<Mark>,
        /// What stands there again.
        #[serde(rename = "version", serialize_with = "super::as_version")]
        mark: Mark,
    },
    /// A value is gone.
    Removed {
        /// Where it stood.
        #[serde(serialize_with = "as_text")]
        path: ValuePath,
        /// What stood there.
        #[serde(rename = "version", serialize_with = "super::as_version")]
        mark: Mark,
    },
    /// The same value stands elsewhere: a key was renamed, or a list item moved.
    Moved {
        /// Where it stood.
        #[serde(serialize_with = "as_text")]
        from: ValuePath,
        /// Where it stands.
        #[serde(rename = "path", serialize_with = "as_text")]
        to: ValuePath,
        /// What it is.
        #[serde(rename = "version", serialize_with = "super::as_version")]
        mark: Mark,
    },
    /// Somebody proposed a value; for which path only readers know.
    Proposed {
        /// The proposal's label.
        #[serde(serialize_with = "as_text")]
        proposal: ProposalLabel,
    },
    /// A proposal is gone, and a value was set in the same commit.
    Accepted {
        /// The proposal's label.
        #[serde(serialize_with = "as_text")]
        proposal: ProposalLabel,
    },
    /// A proposal is gone, and no value was set.
    Withdrawn {
        /// The proposal's label.
        #[serde(serialize_with = "as_text")]
        proposal: ProposalLabel,
    },
    /// An old value is kept for its grace.
    PreviousKept {
        /// Where it stood.
        #[serde(serialize_with = "as_text")]
        path: ValuePath,
        /// Its version.
        #[serde(serialize_with = "as_text")]
        version: Version,
        /// The last day of its grace, YYYY-MM-DD.
        until: String,
    },
    /// An old value is no longer kept.
    PreviousEnded {
        /// Where it stood.
        #[serde(serialize_with = "as_text")]
        path: ValuePath,
        /// Its version.
        #[serde(serialize_with = "as_text")]
        version: Version,
    },
}

impl EventKind {
    /// The path of the value that the event is about, its new one if it moved.
    pub fn path(&self) -> Option<&ValuePath> {
        match self {
            Self::Added { path, .. }
            | Self::Changed { path, .. }
            | Self::SetBack { path, .. }
            | Self::Removed { path, .. }
            | Self::Moved { to: path, .. }
            | Self::PreviousKept { path, .. }
            | Self::PreviousEnded { path, .. } => Some(path),
            _ => None,
        }
    }

    /// Whether another value stands somewhere after it: what a person calls a change of a value.
    pub fn sets_value(&self) -> bool {
        matches!(self, Self::Added { .. } | Self::Changed { .. } | Self::SetBack { .. })
    }
}

/// What happened to an environment between `before` (its file in each parent of a commit, or in the one revision that is
/// compared with; `None` where it had none) and `after`: what differs from all of them. Nothing is said of parents that
/// cannot be read; if none can, only that the file can be read again. The order is that of a report: file, key, grants,
/// values by path, proposals. Linear in the number of values.
pub fn events_between(before: &[Option<&Snapshot>], after: Option<&Snapshot>) -> Vec<EventKind> {
    let Some(after) = after else {
        let gone = !before.is_empty() && before.iter().all(Option::is_some);
        return if gone { vec![EventKind::FileRemoved] } else { Vec::new() };
    };
    let mut events = Vec::new();
    if before.iter().all(Option::is_none) {
        events.push(EventKind::FileAdded);
    }
    if let Some(reason) = after.fault() {
        let is_known = before.iter().flatten().any(|before| before.fault() == Some(reason));
        if !is_known {
            let reason = reason.to_owned();
            events.push(EventKind::Unreadable { reason });
        }
        return events;
    }
    let readable: Vec<Option<&Snapshot>> = before
        .iter()
        .copied()
        .filter(|before| before.is_none_or(|before| before.fault().is_none()))
        .collect();
    if readable.is_empty() && !before.is_empty() {
        events.push(EventKind::ReadableAgain);
        return events;
    }
    granted_events(&readable, after, &mut events);
    let set = value_events(&readable, after, &mut events);
    proposal_events(&readable, after, set, &mut events);
    events
}

/// What the footers of the parents say; nothing for a parent without file or footer.
fn footers<'s>(before: &[Option<&'s Snapshot>]) -> Vec<Option<&'s Granted>> {
    before.iter().map(|before| before.and_then(Snapshot::granted)).collect()
}

fn granted_events(before: &[Option<&Snapshot>], after: &Snapshot, events: &mut Vec<EventKind>) {
    let Some(now) = after.granted() else { return };
    let before = footers(before);
    if before.contains(&Some(now)) {
        return;
    }
    if let Some(Some(first)) = before.first()
        && before
            .iter()
            .flatten()
            .all(|other| other.environment != now.environment)
    {
        events.push(EventKind::Renamed {
            from: first.environment.clone(),
            to: now.environment.clone(),
        });
    }
    if before.iter().flatten().all(|other| other.drop_box != now.drop_box) {
        events.push(EventKind::NewKey {
            key: now.key.clone(),
            drop_box: now.drop_box.clone(),
            follows: now.follows.iter().cloned().collect(),
        });
    }
    let first = before.first().copied().flatten();
    let labels: BTreeSet<&GrantLabel> = first
        .into_iter()
        .chain([now])
        .flat_map(|granted| granted.holders.keys())
        .collect();
    let mut changes = Vec::new();
    for label in labels {
        let name = now.holders.get(label);
        if before
            .iter()
            .any(|other| other.and_then(|other| other.holders.get(label)) == name)
        {
            continue;
        }
        let label = label.clone();
        changes.push(match (first.and_then(|first| first.holders.get(&label)), name) {
            (None, Some(name)) => EventKind::Granted {
                recipient: name.clone(),
                label,
            },
            (Some(name), None) => EventKind::Revoked {
                recipient: name.clone(),
                label,
            },
            (Some(from), Some(to)) => EventKind::HolderRenamed {
                from: from.clone(),
                to: to.clone(),
                label,
            },
            (None, None) => continue,
        });
    }
    changes.sort();
    events.extend(changes);
}

/// Adds what happened to values; whether one was set.
fn value_events(before: &[Option<&Snapshot>], after: &Snapshot, events: &mut Vec<EventKind>) -> bool {
    let empty = Snapshot::default();
    let before: Vec<&Snapshot> = before.iter().map(|before| before.unwrap_or(&empty)).collect();
    let first = before.first().copied().unwrap_or(&empty);
    let differs =
        |path: &ValuePath, mark: Option<Mark>| before.iter().skip(1).all(|other| !is_same(other.mark(path), mark));
    let mut came = BTreeMap::new();
    let mut gone = BTreeMap::new();
    for_differences(first, after, |path, old, new| {
        if differs(path, new) {
            came.extend(new.map(|mark| (path, mark)));
            gone.extend(old.map(|mark| (path, mark)));
        }
    });
    if came.is_empty() && gone.is_empty() {
        return false;
    }
    let versions = |snapshot: &Snapshot| -> HashMap<u32, ValuePath> {
        let sealed = snapshot.values().filter_map(|(path, mark)| Some((mark.seal()?, path)));
        sealed.map(|(seal, path)| (seal.number(), path.clone())).collect()
    };
    // Where a value that came stood before, and whether one that is gone stands elsewhere now.
    let (known, kept) = (
        before.iter().map(|before| versions(before)).collect::<Vec<_>>(),
        versions(after),
    );
    let number = |mark: Mark| mark.seal().map(|seal| seal.number());
    let origin = |mark: Mark| known.iter().find_map(|known| known.get(&number(mark)?));
    let moved_away = |mark: Mark| number(mark).is_some_and(|number| kept.contains_key(&number));
    let mut set = false;
    let mut changes: Vec<(ValuePath, EventKind)> = Vec::new();
    for (&path, &mark) in &came {
        let old = gone.get(path).copied();
        let event = match (origin(mark), old.filter(|old| !moved_away(*old))) {
            (Some(from), _) => EventKind::Moved {
                from: from.clone(),
                to: path.clone(),
                mark,
            },
            (None, Some(before)) => EventKind::Changed {
                path: path.clone(),
                before,
                mark,
            },
            (None, None) => EventKind::Added {
                path: path.clone(),
                mark,
            },
        };
        set |= event.sets_value();
        let replaced = matches!(event, EventKind::Moved { .. }) && old.is_some_and(|old| !moved_away(old));
        changes.push((path.clone(), event));
        if replaced && let Some(mark) = old {
            let path = path.clone();
            changes.push((path.clone(), EventKind::Removed { path, mark }));
        }
    }
    for (&path, &mark) in &gone {
        if !came.contains_key(path) && !moved_away(mark) {
            let path = path.clone();
            changes.push((path.clone(), EventKind::Removed { path, mark }));
        }
    }
    changes.sort();
    events.extend(changes.into_iter().map(|(_, event)| event));
    set
}

/// Whether two places hold the same value, or none.
fn is_same(one: Option<Mark>, other: Option<Mark>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.is_same_value(other),
        (None, None) => true,
        _ => false,
    }
}

/// Shows each path where the two hold different values, or only one holds one; in order.
fn for_differences<'s>(
    before: &'s Snapshot,
    after: &'s Snapshot,
    mut seen: impl FnMut(&'s ValuePath, Option<Mark>, Option<Mark>),
) {
    for_marks(before, after, |path, old, new| {
        if !is_same(old, new) {
            seen(path, old, new);
        }
    });
}

/// Shows each path where the marks of the two differ, also where the same value is sealed under another key; in order.
pub(super) fn for_marks<'s>(
    before: &'s Snapshot,
    after: &'s Snapshot,
    mut seen: impl FnMut(&'s ValuePath, Option<Mark>, Option<Mark>),
) {
    if std::sync::Arc::ptr_eq(&before.paths, &after.paths) {
        for ((path, old), (_, new)) in before.values().zip(after.values()) {
            if old != new {
                seen(path, Some(old), Some(new));
            }
        }
        return;
    }
    let (mut old, mut new) = (before.values().peekable(), after.values().peekable());
    loop {
        let order = match (old.peek(), new.peek()) {
            (None, None) => break,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some((one, _)), Some((other, _))) => one.cmp(other),
        };
        match order {
            std::cmp::Ordering::Less => {
                if let Some((path, mark)) = old.next() {
                    seen(path, Some(mark), None);
                }
            }
            std::cmp::Ordering::Greater => {
                if let Some((path, mark)) = new.next() {
                    seen(path, None, Some(mark));
                }
            }
            std::cmp::Ordering::Equal => {
                if let (Some((path, one)), Some((_, other))) = (old.next(), new.next())
                    && one != other
                {
                    seen(path, Some(one), Some(other));
                }
            }
        }
    }
}

fn proposal_events(before: &[Option<&Snapshot>], after: &Snapshot, set: bool, events: &mut Vec<EventKind>) {
    let Some(now) = after.granted() else { return };
    let before = footers(before);
    let first = before.first().copied().flatten();
    for proposal in &now.proposals {
        if before.iter().flatten().all(|other| !other.proposals.contains(proposal)) {
            let proposal = proposal.clone();
            events.push(EventKind::Proposed { proposal });
        }
    }
    let in_all = |proposal: &ProposalLabel| {
        before
            .iter()
            .all(|other| other.is_some_and(|other| other.proposals.contains(proposal)))
    };
    for proposal in first.into_iter().flat_map(|first| &first.proposals) {
        if !now.proposals.contains(proposal) && in_all(proposal) {
            let proposal = proposal.clone();
            events.push(match set {
                true => EventKind::Accepted { proposal },
                false => EventKind::Withdrawn { proposal },
            });
        }
    }
    for (version, kept) in &now.previous {
        if before
            .iter()
            .flatten()
            .all(|other| !other.previous.contains_key(version))
        {
            events.push(EventKind::PreviousKept {
                path: kept.path.clone(),
                version: version.clone(),
                until: kept.until.clone(),
            });
        }
    }
    for (version, kept) in first.into_iter().flat_map(|first| &first.previous) {
        let everywhere = before
            .iter()
            .all(|other| other.is_some_and(|other| other.previous.contains_key(version)));
        if !now.previous.contains_key(version) && everywhere {
            events.push(EventKind::PreviousEnded {
                path: kept.path.clone(),
                version: version.clone(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{EventKind, events_between};
    use crate::history::snapshot::Snapshot;
    use crate::history::testing::Text;

    fn snapshot(text: &Text) -> Snapshot {
        Snapshot::read(text.write().as_bytes())
    }

    /// The events as short words: name, path, recipient.
    fn words(before: &[&Snapshot], after: &Snapshot) -> Vec<String> {
        let before: Vec<_> = before.iter().copied().map(Some).collect();
        events_between(&before, Some(after)).iter().map(word).collect()
    }

    fn word(event: &EventKind) -> String {
        let json = serde_json::to_value(event).unwrap();
        let field = |name: &str| {
            json.get(name)
                .and_then(|value| value.as_str())
                .unwrap_or_default()
                .to_owned()
        };
        let words = [
            field("event"),
            field("from"),
            field("path"),
            field("recipient"),
            field("to"),
        ];
        words
            .into_iter()
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn values_are_added_changed_moved_and_removed() {
        let base = Text::new("prod", 1).value("a", 1).value("b", 2).value("c", 3);
        let before = snapshot(&base);
        let after = snapshot(&Text::new("prod", 1).value("a", 9).value("d", 3).value("e", 5));
        assert_eq!(
            words(&[&before], &after),
            ["changed a", "removed b", "moved c d", "added e"]
        );
        assert!(words(&[&before], &before).is_empty());
        // A list whose first item goes: the others move up.
        let list = |versions: &[u32]| {
            let mut text = Text::new("prod", 1).value("x", 99);
            for version in versions {
                text = text.item("hosts", *version);
            }
            snapshot(&text)
        };
        assert_eq!(
            words(&[&list(&[1, 2, 3])], &list(&[2, 3])),
            ["removed hosts.0", "moved hosts.1 hosts.0", "moved hosts.2 hosts.1"]
        );
    }

    #[test]
    fn a_new_key_over_the_same_values_changes_no_value() {
        let before = Text::new("prod", 1)
            .value("a", 1)
            .value("b", 2)
            .grant("alice", 1)
            .grant("bob", 2);
        let after = Text::new("prod", 2)
            .value("a", 1)
            .value("b", 7)
            .grant("alice", 1)
            .grant("carol", 3);
        let (before, after) = (snapshot(&before), snapshot(&after));
        assert_eq!(
            words(&[&before], &after),
            ["new-key", "granted carol", "revoked bob", "changed b"]
        );
    }

    #[test]
    fn a_merge_tells_what_differs_from_all_parents() {
        let base = |a, b| Text::new("prod", 1).value("a", a).value("b", b).grant("alice", 1);
        let ours = snapshot(&base(2, 1).grant("bob", 2));
        let theirs = snapshot(&base(1, 2).proposal(5));
        let merged = snapshot(&base(2, 2).grant("bob", 2).proposal(5));
        assert!(words(&[&ours, &theirs], &merged).is_empty());
        let evil = snapshot(&base(2, 9).grant("bob", 2).grant("eve", 6).proposal(5));
        assert_eq!(words(&[&ours, &theirs], &evil), ["granted eve", "changed b"]);
    }

    #[test]
    fn proposals_are_accepted_or_withdrawn() {
        let with = Text::new("prod", 1).value("a", 1).proposal(5);
        let without = Text::new("prod", 1).value("a", 1);
        let accepted = Text::new("prod", 1).value("a", 1).value("b", 2);
        let [with, without, accepted] = [&with, &without, &accepted].map(snapshot);
        assert_eq!(words(&[&without], &with), ["proposed"]);
        assert_eq!(words(&[&with], &without), ["withdrawn"]);
        assert_eq!(words(&[&with], &accepted), ["added b", "accepted"]);
    }

    #[test]
    fn the_old_value_of_a_rotation_is_kept_and_let_go() {
        let plain = snapshot(&Text::new("prod", 1).value("a", 2));
        let kept = snapshot(&Text::new("prod", 1).value("a", 2).previous("a", 1));
        assert_eq!(words(&[&plain], &kept), ["previous-kept a"]);
        assert_eq!(words(&[&kept], &plain), ["previous-ended a"]);
    }

    #[test]
    fn files_come_and_go_and_what_cannot_be_read_is_said_once() {
        let sound = snapshot(&Text::new("prod", 1).value("a", 1));
        let broken = Snapshot::read(b"<<<<<<< HEAD\n");
        assert_eq!(events_between(&[Some(&sound)], None), [EventKind::FileRemoved]);
        assert!(events_between(&[Some(&sound), None], None).is_empty());
        let came: Vec<_> = events_between(&[None], Some(&sound)).iter().map(word).collect();
        assert_eq!(came, ["file-added", "new-key", "added a"]);
        assert_eq!(words(&[&sound], &broken), ["unreadable"]);
        assert!(words(&[&broken], &broken).is_empty());
        assert_eq!(words(&[&broken], &sound), ["readable-again"]);
        // One parent that can be read is enough.
        assert!(words(&[&broken, &sound], &sound).is_empty());
    }

    #[test]
    fn a_readable_value_that_was_encrypted_is_a_change() {
        let sealed = snapshot(&Text::new("prod", 1).value("a", 1));
        let readable = snapshot(&Text::new("prod", 1).readable("a", "x"));
        assert_eq!(words(&[&sealed], &readable), ["changed a"]);
        let json = serde_json::to_string(&events_between(&[Some(&sealed)], Some(&readable))).unwrap();
        assert_eq!(
            json,
            "[{\"event\":\"changed\",\"path\":\"a\",\"before\":\"v00000001\",\"version\":null}]"
        );
    }
}
