//! By which line of the policy a name reads an environment: its own, or that of a group, and through which groups.

use std::collections::{HashSet, VecDeque};

use crate::names::RecipientName;
use crate::policy::{EnvironmentPolicy, People};

/// How a name comes to read an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// `readers` names it.
    Named,
    /// `readers` names a group. The first of these is the one that lists the name, each next lists the one before, and
    /// the last stands in `readers`.
    Through(Vec<RecipientName>),
}

impl Way {
    /// `platform`, or `platform` in `developers`, as a message says it; nothing where the name stands in `readers`.
    pub fn groups_shown(&self) -> Option<String> {
        let Self::Through(groups) = self else { return None };
        let quoted: Vec<_> = groups.iter().map(|group| format!("`{group}`")).collect();
        Some(quoted.join(" in "))
    }
}

/// How `name`, a recipient or group, reads the environment: by its own line before a group's, by the fewest groups.
pub fn way_to_read(people: &People, environment: &EnvironmentPolicy, name: &RecipientName) -> Option<Way> {
    if environment.readers.contains(name) {
        return Some(Way::Named);
    }
    through_groups(people, environment, name).map(Way::Through)
}

/// The groups by which `name` reads the environment, whether `readers` names it itself or not.
pub(super) fn through_groups(
    people: &People,
    environment: &EnvironmentPolicy,
    name: &RecipientName,
) -> Option<Vec<RecipientName>> {
    let mut open = VecDeque::from([vec![name]]);
    let mut seen = HashSet::from([name]);
    while let Some(chain) = open.pop_front() {
        let last = chain.last().expect("a chain begins with the name");
        for (group, members) in people.groups() {
            if !members.contains(last) || !seen.insert(group) {
                continue;
            }
            let mut longer = chain.clone();
            longer.push(group);
            if environment.readers.contains(group) {
                return Some(longer[1..].iter().map(|group| (*group).clone()).collect());
            }
            open.push_back(longer);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Way, way_to_read};
    use crate::names::{EnvironmentName, RecipientName};
    use crate::policy::Policy;

    #[test]
    fn the_shortest_way_is_found_and_shown() {
        let text = "version: 1\nid: \"5f0c1d2e3b4a59687786a5b4c3d2e1f0\"\nrecipients:\n  \
            alice: {keys: [age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa]}\n\
            groups: {one: [alice], two: [one], three: [two]}\nenvironments:\n  \
            a: {file: a, readers: [alice, one]}\n  b: {file: b, readers: [three]}\n  c: {file: c, readers: [two, one]}\n";
        let policy = Policy::parse(text, "policy").unwrap();
        let way = |name: &str, environment: &str| {
            let environment = policy.environment(&EnvironmentName::new(environment).unwrap()).unwrap();
            way_to_read(&policy.people, environment, &RecipientName::new(name).unwrap())
        };
        let shown = |name, environment| way(name, environment).and_then(|way| way.groups_shown());
        assert_eq!(way("alice", "a"), Some(Way::Named));
        assert_eq!(shown("alice", "a"), None);
        assert_eq!(shown("alice", "b").unwrap(), "`one` in `two` in `three`");
        assert_eq!(shown("alice", "c").unwrap(), "`one`");
        assert_eq!(shown("two", "b").unwrap(), "`three`");
        assert_eq!(way("three", "c"), None);
    }
}
