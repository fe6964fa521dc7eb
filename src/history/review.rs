//! What two states of a repository mean for a reviewer: each environment's events, who gains or loses what by which public
//! key, and what must be there and is not. Pure functions of what both sides say; needs no key.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::Snapshots;
use super::commits::state_events;
use super::event::{EventKind, events_between};
use super::policy_event::PolicyEvent;
use super::revision::{PolicyState, Revision};
use super::snapshot::Snapshot;
use crate::crypto::key::DropBox;
use crate::crypto::label::GrantLabel;
use crate::document::path::ValuePath;
use crate::names::{EnvironmentName, RecipientName};
use crate::policy::{EnvironmentPolicy, Policy, SecretDeclaration};

/// The file of an environment on one side.
#[derive(Clone, Debug)]
pub struct SideFile {
    /// Where it stands, relative to the repository's root.
    pub file: PathBuf,
    /// What is in it; nothing if there is no file.
    pub snapshot: Option<Arc<Snapshot>>,
}

/// One of the two states that are compared.
#[derive(Clone, Debug)]
pub struct Side {
    /// The policy.
    pub policy: PolicyState,
    /// Each environment that the policy declares.
    pub environments: BTreeMap<EnvironmentName, SideFile>,
}

impl Side {
    /// No policy and no environment: before a first commit.
    pub fn empty() -> Self {
        Self {
            policy: PolicyState::Absent,
            environments: BTreeMap::new(),
        }
    }

    /// What stood at a commit.
    pub fn of_revision(revision: &Revision, snapshots: &mut Snapshots<'_>) -> Self {
        let mut environments = BTreeMap::new();
        for (name, (file, blob)) in &revision.environments {
            let side = SideFile {
                file: file.clone(),
                snapshot: blob.map(|blob| snapshots.get(blob, None)),
            };
            environments.insert(name.clone(), side);
        }
        Self {
            policy: revision.policy.clone(),
            environments,
        }
    }

    fn snapshot(&self, name: &EnvironmentName) -> Option<&Snapshot> {
        self.environments.get(name)?.snapshot.as_deref()
    }

    /// The policy and what it says of an environment.
    fn declared(&self, name: &EnvironmentName) -> Option<(&Policy, &EnvironmentPolicy)> {
        let policy = self.policy.sound()?;
        Some((policy, policy.environment(name)?))
    }

    /// The public keys that the policy names as readers, each with its owner; nothing if it cannot be read.
    fn reader_keys(&self, name: &EnvironmentName) -> BTreeMap<GrantLabel, RecipientName> {
        let declared = self.declared(name).into_iter();
        let keys = declared.flat_map(|(policy, environment)| policy.reader_keys(environment));
        keys.map(|(owner, key)| (key.label().clone(), owner.clone())).collect()
    }

    fn holders(&self, name: &EnvironmentName) -> BTreeMap<GrantLabel, RecipientName> {
        let granted = self.snapshot(name).and_then(Snapshot::granted);
        granted.map(|granted| granted.holders.clone()).unwrap_or_default()
    }

    fn drop_box(&self, name: &EnvironmentName) -> Option<&DropBox> {
        Some(&self.snapshot(name)?.granted()?.drop_box)
    }

    /// Whether a value stands at `path` in the environment or one that it extends.
    fn has(&self, name: &EnvironmentName, path: &ValuePath) -> bool {
        let Some((policy, environment)) = self.declared(name) else {
            return false;
        };
        let mut layers = policy.layers(environment).into_iter();
        layers.any(|layer| {
            self.snapshot(&layer.name)
                .is_some_and(|snapshot| snapshot.mark(path).is_some())
        })
    }
}

/// Who says that a public key reads an environment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Footing {
    /// The policy names its owner as a reader.
    pub policy: bool,
    /// The file has a grant for it.
    pub file: bool,
}

/// A public key whose standing is another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessChange {
    /// Whose it is: by the policy, else by the file.
    pub recipient: RecipientName,
    /// The label of the public key.
    pub label: GrantLabel,
    /// How it stood before.
    pub before: Footing,
    /// How it stands now.
    pub after: Footing,
    /// Whether it lost its grant and the environment key is the old one: it opens what is written from now on.
    pub keeps_key: bool,
}

/// A declared value that an environment has not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lacking {
    /// Where it would stand.
    pub path: ValuePath,
    /// The variable that would carry it.
    pub variable: String,
    /// Whether the environment must have it; else it is only declared, and that is new.
    pub required: bool,
    /// Whether it was lacking before too.
    pub was_lacking: bool,
    /// What it is for.
    pub description: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
}

/// What happened to one environment.
#[derive(Clone, Debug)]
pub struct EnvironmentReview {
    /// Its name; the old one if it is gone.
    pub name: EnvironmentName,
    /// The name that it had before, if it had another one.
    pub former: Option<EnvironmentName>,
    /// Its file, relative to the repository's root.
    pub file: PathBuf,
    /// What happened to file, key, values and proposals.
    pub events: Vec<EventKind>,
    /// Who gains or loses what.
    pub access: Vec<AccessChange>,
    /// What it should have.
    pub lacking: Vec<Lacking>,
    /// Values that stand under another key than the file's, as a merge leaves them, and did not before.
    pub foreign: Vec<ValuePath>,
}

impl EnvironmentReview {
    /// Whether there is nothing to say but what was so before.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
            && self.access.is_empty()
            && self.foreign.is_empty()
            && self.former.is_none()
            && self.lacking.iter().all(|lacking| lacking.was_lacking)
    }
}

/// A group with other members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupChange {
    /// The group.
    pub group: RecipientName,
    /// Who joined it: recipients and groups, as written.
    pub joined: Vec<RecipientName>,
    /// Who left it.
    pub left: Vec<RecipientName>,
}

/// What happened between two sides.
#[derive(Clone, Debug)]
pub struct Review {
    /// What happened to the policy.
    pub policy: Vec<PolicyEvent>,
    /// Groups with other members.
    pub groups: Vec<GroupChange>,
    /// Each environment to which something happened, by name.
    pub environments: Vec<EnvironmentReview>,
}

/// What happened between `before` and `after`. Linear in the number of values.
pub fn review(before: &Side, after: &Side) -> Review {
    let mut environments = Vec::new();
    for (former, name) in pairs(before, after) {
        let reviewed = review_environment(before, former, after, name);
        environments.extend(reviewed.filter(|reviewed| !reviewed.is_empty()));
    }
    environments.sort_by(|one, other| one.name.cmp(&other.name));
    Review {
        policy: state_events(&before.policy, &after.policy),
        groups: group_changes(before.policy.sound(), after.policy.sound()),
        environments,
    }
}

/// Which environment is which on the other side: by name, by file, or because values are the same. Neither is `None` for
/// both.
fn pairs<'s>(before: &'s Side, after: &'s Side) -> Vec<(Option<&'s EnvironmentName>, Option<&'s EnvironmentName>)> {
    let mut pairs = Vec::new();
    let mut gone: Vec<&EnvironmentName> = Vec::new();
    for name in before.environments.keys() {
        match after.environments.contains_key(name) {
            true => pairs.push((Some(name), Some(name))),
            false => gone.push(name),
        }
    }
    for (name, file) in &after.environments {
        if before.environments.contains_key(name) {
            continue;
        }
        let fits = |other: &&EnvironmentName| before.environments[*other].file == file.file;
        let shares = |other: &&EnvironmentName| match (before.snapshot(other), &file.snapshot) {
            (Some(old), Some(new)) => share_a_value(old, new),
            _ => false,
        };
        let place = gone.iter().position(fits).or_else(|| gone.iter().position(shares));
        pairs.push((place.map(|place| gone.remove(place)), Some(name)));
    }
    pairs.extend(gone.into_iter().map(|name| (Some(name), None)));
    pairs
}

/// Whether a version stands in both: versions are random, so it is the same value.
fn share_a_value(one: &Snapshot, other: &Snapshot) -> bool {
    let versions = |snapshot: &Snapshot| -> BTreeSet<u32> {
        let seals = snapshot.values().filter_map(|(_, mark)| mark.seal());
        seals.map(|seal| seal.number()).collect()
    };
    !versions(one).is_disjoint(&versions(other))
}

fn review_environment(
    before: &Side,
    former: Option<&EnvironmentName>,
    after: &Side,
    name: Option<&EnvironmentName>,
) -> Option<EnvironmentReview> {
    let (old, new) = (
        former.and_then(|former| before.environments.get(former)),
        name.and_then(|name| after.environments.get(name)),
    );
    let old_snapshot = old.and_then(|old| old.snapshot.as_deref());
    let new_snapshot = new.and_then(|new| new.snapshot.as_deref());
    let mut events = Vec::new();
    if let (Some(old), Some(new)) = (old, new)
        && old.snapshot.is_some()
        && new.snapshot.is_some()
        && old.file != new.file
    {
        events.push(EventKind::FileMoved {
            from: old.file.clone(),
            to: new.file.clone(),
        });
    }
    // Of an environment that the policy no longer declares the file may well be there still.
    if name.is_some() && (old_snapshot.is_some() || new_snapshot.is_some()) {
        events.extend(events_between(&[old_snapshot], new_snapshot));
    }
    let mut access = Vec::new();
    let keys = |side: &Side, name: Option<&EnvironmentName>| match name {
        Some(name) => (side.reader_keys(name), side.holders(name)),
        None => Default::default(),
    };
    let (readers_before, holders_before) = keys(before, former);
    let (readers, holders) = keys(after, name);
    let same_key = match (former, name) {
        (Some(former), Some(name)) => before.drop_box(former) == after.drop_box(name),
        _ => false,
    };
    // Where a policy cannot be read, nothing is known of what it said.
    let policy_known = [&before.policy, &after.policy]
        .into_iter()
        .all(|policy| !matches!(policy, PolicyState::Malformed(_)));
    let all = [&readers_before, &holders_before, &readers, &holders];
    let labels: BTreeSet<&GrantLabel> = all.iter().flat_map(|known| known.keys()).collect();
    for label in labels {
        let standing = |readers: &BTreeMap<_, _>, holders: &BTreeMap<_, _>| Footing {
            policy: policy_known && readers.contains_key(label),
            file: holders.contains_key(label),
        };
        let (stood, stands) = (standing(&readers_before, &holders_before), standing(&readers, &holders));
        if stood == stands {
            continue;
        }
        let owner = [&readers, &holders, &readers_before, &holders_before]
            .into_iter()
            .find_map(|known| known.get(label));
        access.extend(owner.map(|owner| AccessChange {
            recipient: owner.clone(),
            label: label.clone(),
            before: stood,
            after: stands,
            keeps_key: stood.file && !stands.file && same_key,
        }));
    }
    access.sort_by(|one, other| (&one.recipient, &one.label).cmp(&(&other.recipient, &other.label)));
    let foreign = |snapshot: Option<&Snapshot>| -> BTreeSet<ValuePath> {
        let found = snapshot.into_iter().flat_map(|snapshot| snapshot.foreign());
        found.map(|(path, _)| path.clone()).collect()
    };
    let known_foreign = foreign(old_snapshot);
    Some(EnvironmentReview {
        name: name.or(former)?.clone(),
        former: former
            .filter(|former| name.is_some_and(|name| name != *former))
            .cloned(),
        file: new.or(old)?.file.clone(),
        events,
        access,
        lacking: name
            .map(|name| lacking(before, former, after, name))
            .unwrap_or_default(),
        foreign: foreign(new_snapshot).difference(&known_foreign).cloned().collect(),
    })
}

/// What is declared for the environment and not there: all that is required, and what is declared with a variable of its
/// own since `before`.
fn lacking(before: &Side, former: Option<&EnvironmentName>, after: &Side, name: &EnvironmentName) -> Vec<Lacking> {
    let Some((policy, environment)) = after.declared(name) else {
        return Vec::new();
    };
    let known = former.and_then(|former| before.declared(former));
    let mut found: BTreeMap<ValuePath, Lacking> = BTreeMap::new();
    for secret in policy.declared(environment) {
        let Some(path) = secret.scope.path.literal() else {
            continue;
        };
        let required = secret.is_required_in(environment);
        let was_required = known.is_some_and(|(policy, environment)| {
            let mut declared = policy.declared(environment);
            declared.any(|other| is_about(other, &path) && other.is_required_in(environment))
        });
        let is_new = secret.variable.is_some()
            && known.is_none_or(|(policy, environment)| {
                let mut declared = policy.declared(environment);
                !declared.any(|other| is_about(other, &path) && other.variable == secret.variable)
            });
        if !(required || is_new) || after.has(name, &path) {
            continue;
        }
        let variable = policy.variable(environment, &path);
        let lacking = Lacking {
            variable: variable.map_or_else(|| path.variable_name(), str::to_owned),
            required,
            was_lacking: required && was_required && former.is_some_and(|former| !before.has(former, &path)),
            description: secret.description.clone(),
            owner: secret.owner.as_ref().map(|owner| owner.value.clone()),
            path: path.clone(),
        };
        let known = found.entry(path).or_insert_with(|| lacking.clone());
        if lacking.required && !known.required {
            *known = lacking;
        }
    }
    found.into_values().collect()
}

fn is_about(secret: &SecretDeclaration, path: &ValuePath) -> bool {
    secret.scope.path.literal().as_ref() == Some(path)
}

/// Groups with other members than before; new ones and those that are gone too.
fn group_changes(before: Option<&Policy>, after: Option<&Policy>) -> Vec<GroupChange> {
    let members = |policy: Option<&Policy>| -> BTreeMap<RecipientName, BTreeSet<RecipientName>> {
        let groups = policy.into_iter().flat_map(|policy| policy.people.groups());
        groups
            .map(|(group, members)| (group.clone(), members.iter().cloned().collect()))
            .collect()
    };
    let (Some(_), Some(_)) = (before, after) else {
        return Vec::new();
    };
    let (before, after) = (members(before), members(after));
    let all: BTreeSet<&RecipientName> = before.keys().chain(after.keys()).collect();
    let none = BTreeSet::new();
    let changed = all.into_iter().map(|group| {
        let (old, new) = (before.get(group).unwrap_or(&none), after.get(group).unwrap_or(&none));
        GroupChange {
            group: group.clone(),
            joined: new.difference(old).cloned().collect(),
            left: old.difference(new).cloned().collect(),
        }
    });
    changed
        .filter(|change| !change.joined.is_empty() || !change.left.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::{Footing, Review, Side, SideFile, review};
    use crate::history::revision::PolicyState;
    use crate::history::snapshot::Snapshot;
    use crate::history::testing::Text;
    use crate::names::EnvironmentName;
    use crate::policy::Policy;

    const KEYS: [&str; 2] = [
        "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN",
    ];

    /// A policy of alice and bob, and files by environment.
    fn side(rest: &str, files: &[(&str, &str, Option<Text>)]) -> Side {
        let text = format!(
            "version: 1\nid: \"{}\"\nrecipients:\n  alice: {{keys: [{}]}}\n  bob: {{keys: [{}]}}\n{rest}",
            "0".repeat(32),
            KEYS[0],
            KEYS[1]
        );
        let environments: BTreeMap<_, _> = files
            .iter()
            .map(|(name, file, text)| {
                let snapshot = text
                    .as_ref()
                    .map(|text| Arc::new(Snapshot::read(text.write().as_bytes())));
                let file = PathBuf::from(file);
                (EnvironmentName::new(name).unwrap(), SideFile { file, snapshot })
            })
            .collect();
        Side {
            policy: PolicyState::Sound(Arc::new(Policy::parse(&text, "policy").unwrap())),
            environments,
        }
    }

    fn shown(review: &Review) -> Vec<String> {
        let lines = review.environments.iter().flat_map(|one| {
            let name = one.name.clone();
            let events = one.events.iter().map(|event| serde_json::to_value(event).unwrap());
            let events = events.map(|event| event["event"].as_str().unwrap().to_owned());
            let access = one.access.iter().map(|change| {
                let word = |standing: Footing| match (standing.policy, standing.file) {
                    (true, true) => "both",
                    (true, false) => "policy",
                    (false, true) => "file",
                    (false, false) => "none",
                };
                let kept = if change.keeps_key { " keeps" } else { "" };
                format!(
                    "{} {} to {}{kept}",
                    change.recipient,
                    word(change.before),
                    word(change.after)
                )
            });
            let lacking = one.lacking.iter().map(|lacking| {
                let old = if lacking.was_lacking { " as before" } else { "" };
                format!("lacks {} {}{old}", lacking.path, lacking.variable)
            });
            let lines: Vec<_> = events
                .chain(access)
                .chain(lacking)
                .map(|line| format!("{name} {line}"))
                .collect();
            lines
        });
        lines.collect()
    }

    const BOTH: &str = "environments:\n  prod: {file: p.yaml, readers: [alice, bob]}\n";

    #[test]
    fn what_is_the_same_is_not_told() {
        let text = || Some(Text::new("prod", 1).value("a", 1).grant("alice", 1));
        let one = side(BOTH, &[("prod", "p.yaml", text())]);
        let other = side(BOTH, &[("prod", "p.yaml", text())]);
        let found = review(&one, &other);
        assert!(found.environments.is_empty() && found.policy.is_empty() && found.groups.is_empty());
    }

    #[test]
    fn another_name_is_the_same_environment_by_its_file_or_its_values() {
        let policy = |name: &str, file: &str| format!("environments:\n  {name}: {{file: {file}, readers: [alice]}}\n");
        let before = side(
            &policy("prod", "p.yaml"),
            &[("prod", "p.yaml", Some(Text::new("prod", 1).value("a", 1).value("b", 2)))],
        );
        let text = |name: &str| Some(Text::new(name, 1).value("a", 1).value("b", 3));
        let same_file = side(&policy("live", "p.yaml"), &[("live", "p.yaml", text("live"))]);
        assert_eq!(shown(&review(&before, &same_file)), ["live renamed", "live changed"]);
        let moved = side(&policy("live", "l.yaml"), &[("live", "l.yaml", text("live"))]);
        assert_eq!(
            shown(&review(&before, &moved)),
            ["live file-moved", "live renamed", "live changed"]
        );
        let other = Some(Text::new("live", 1).value("a", 7));
        let stranger = side(&policy("live", "l.yaml"), &[("live", "l.yaml", other)]);
        let found = shown(&review(&before, &stranger));
        assert!(found.contains(&"live file-added".to_owned()), "{found:?}");
        assert!(!found.iter().any(|line| line.starts_with("prod file")), "{found:?}");
    }

    #[test]
    fn a_missing_value_is_told_with_whether_it_was_missing() {
        let secrets = "secrets:\n  a: {required: [prod], env: AAA}\n  b: {required: [prod]}\n";
        let file = || Some(Text::new("prod", 1).value("c", 3));
        let before = side(
            &format!("{BOTH}secrets:\n  a: {{required: [prod], env: AAA}}\n"),
            &[("prod", "p.yaml", file())],
        );
        let after = side(
            &format!("{BOTH}{secrets}  d: {{env: DDD}}\n"),
            &[("prod", "p.yaml", file())],
        );
        assert_eq!(
            shown(&review(&before, &after)),
            ["prod lacks a AAA as before", "prod lacks b B", "prod lacks d DDD"]
        );
        assert!(review(&after, &after).environments.is_empty());
    }

    #[test]
    fn groups_tell_who_joined_and_who_left() {
        let policy = |members: &str| format!("groups: {{team: [{members}], ops: [team]}}\n{BOTH}");
        let found = review(&side(&policy("alice"), &[]), &side(&policy("bob"), &[]));
        let names: Vec<_> = found.groups.iter().map(|change| format!("{change:?}")).collect();
        assert_eq!(names.len(), 1, "{names:?}");
        assert_eq!(found.groups[0].joined[0].as_str(), "bob");
        assert_eq!(found.groups[0].left[0].as_str(), "alice");
    }
}
