//! Who may do what, asked the other way round: what one recipient may do, what a group gives to its members, and the
//! smallest way for a newcomer to what they need.

use std::collections::{BTreeMap, BTreeSet};

use super::policy::Policy;
use crate::names::{EnvironmentName, RecipientName};

/// What somebody may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// The environments they may read.
    pub reads: BTreeSet<EnvironmentName>,
    /// The environments that their signed commits may change.
    pub writes: BTreeSet<EnvironmentName>,
    /// Whether their signed commits may change the policy.
    pub maintains: bool,
}

/// Where a newcomer is to be named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WayIn {
    /// The groups to join.
    pub groups: Vec<RecipientName>,
    /// The environments whose readers are to name them.
    pub environments: Vec<EnvironmentName>,
}

impl Policy {
    /// What one recipient may do; nothing if there is no such recipient.
    pub fn access(&self, name: &RecipientName) -> Access {
        let Some(recipient) = self.people.recipient(name.as_str()) else {
            return Access::default();
        };
        let mut access = Access::default();
        for environment in self.environments.values() {
            let reads = self.people.is_among(name, &environment.readers);
            let writes = match &environment.writers {
                Some(writers) => self.people.is_among(name, writers),
                None => reads && !recipient.machine,
            };
            access.reads.extend(reads.then(|| environment.name.clone()));
            access.writes.extend(writes.then(|| environment.name.clone()));
        }
        access.maintains = match &self.maintainers {
            Some(maintainers) => self.people.is_among(name, maintainers),
            None if self.environments.is_empty() => !recipient.machine,
            None => access.writes.len() == self.environments.len(),
        };
        access
    }

    /// The groups that list the name itself.
    pub fn groups_of(&self, name: &RecipientName) -> Vec<&RecipientName> {
        let groups = self.people.groups().filter(|(_, members)| members.contains(name));
        groups.map(|(group, _)| group).collect()
    }

    /// The least that lets `who` read `wanted` and what these build on: groups that give nothing else, and do not let
    /// their members change the policy; what they leave open by the environments' own lists.
    pub fn way_in(&self, who: &RecipientName, wanted: &[EnvironmentName]) -> WayIn {
        let mut missing = self.missing(who, wanted);
        let mut gifts = self.gifts();
        let has = self.access(who).reads;
        let fits = |name: &EnvironmentName| has.contains(name) || missing.contains(name);
        gifts.retain(|_, gift| !gift.maintains && gift.reads.iter().chain(&gift.writes).all(fits));
        let mut way = WayIn::default();
        loop {
            let worth = |gift: &Access| gift.reads.intersection(&missing).count();
            // The most of what is missing, then the fewest rights to write, then the first by name.
            let best = gifts.iter().filter(|(_, gift)| worth(gift) > 0);
            let best = best.min_by_key(|(_, gift)| (usize::MAX - worth(gift), gift.writes.len()));
            let Some((group, gift)) = best else { break };
            missing.retain(|name| !gift.reads.contains(name));
            way.groups.push((*group).clone());
        }
        way.environments = missing.into_iter().collect();
        way
    }

    /// The way through `groups`, whatever else they give, and what they leave open of `wanted` and what that builds on.
    pub fn way_through(&self, who: &RecipientName, wanted: &[EnvironmentName], groups: &[RecipientName]) -> WayIn {
        let gifts = self.gifts();
        let given: BTreeSet<_> = groups
            .iter()
            .filter_map(|group| gifts.get(group))
            .flat_map(|gift| &gift.reads)
            .collect();
        let mut environments = self.missing(who, wanted);
        environments.retain(|name| !given.contains(name));
        WayIn {
            groups: groups.to_vec(),
            environments: environments.into_iter().collect(),
        }
    }

    /// What `who` may not read of `wanted` and what that builds on.
    fn missing(&self, who: &RecipientName, wanted: &[EnvironmentName]) -> BTreeSet<EnvironmentName> {
        let has = self.access(who).reads;
        let wanted = wanted.iter().filter_map(|name| self.environment(name));
        let layers = wanted
            .flat_map(|environment| self.layers(environment))
            .map(|layer| layer.name.clone());
        layers.filter(|name| !has.contains(name)).collect()
    }

    /// What each group gives to its members, by itself or through the groups it is in.
    fn gifts(&self) -> BTreeMap<&RecipientName, Access> {
        let mut gifts: BTreeMap<&RecipientName, Access> = BTreeMap::new();
        for environment in self.environments.values() {
            for group in self.groups_within(&environment.readers) {
                gifts.entry(group).or_default().reads.insert(environment.name.clone());
            }
            for group in self.groups_within(environment.writers.as_ref().unwrap_or(&environment.readers)) {
                gifts.entry(group).or_default().writes.insert(environment.name.clone());
            }
        }
        for group in self.groups_within(self.maintainers.as_deref().unwrap_or_default()) {
            gifts.entry(group).or_default().maintains = true;
        }
        gifts
    }

    /// The groups that a list names, and those in them.
    fn groups_within(&self, names: &[RecipientName]) -> BTreeSet<&RecipientName> {
        let mut found = BTreeSet::new();
        let mut open: Vec<&RecipientName> = names.iter().collect();
        while let Some(name) = open.pop() {
            if let Some((group, members)) = self.people.group(name)
                && found.insert(group)
            {
                open.extend(members);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::{Access, WayIn};
    use crate::names::{EnvironmentName, RecipientName};
    use crate::policy::tests::{names, policy};

    fn name(text: &str) -> RecipientName {
        RecipientName::new(text).unwrap()
    }

    /// The way of dave, who is new, or of somebody who is there, as text: `groups | environments`.
    fn way(rest: &str, who: &str, wanted: &[&str]) -> String {
        let wanted: Vec<_> = wanted.iter().map(|name| EnvironmentName::new(name).unwrap()).collect();
        let WayIn { groups, environments } = policy(rest).way_in(&name(who), &wanted);
        let environments: Vec<_> = environments.iter().map(EnvironmentName::as_str).collect();
        format!("{} | {}", names(&groups).join(" "), environments.join(" "))
    }

    /// alice and bob are in platform, platform and carol in developers.
    const SEVERAL: &str = "environments:\n  dev: {file: d.yaml, readers: [developers]}\n  \
         base: {file: b.yaml, readers: [developers, ci]}\n  stage: {file: s.yaml, readers: [alice], extends: [base]}\n  \
         prod: {file: p.yaml, readers: [platform, ci], writers: [platform]}\n";

    #[test]
    fn a_group_that_gives_just_what_is_wanted_is_joined() {
        assert_eq!(way(SEVERAL, "dave", &["dev", "base"]), "developers | ");
        assert_eq!(way(SEVERAL, "dave", &["dev", "base", "prod"]), "platform | ");
    }

    #[test]
    fn no_group_that_gives_more_is_joined() {
        assert_eq!(way(SEVERAL, "dave", &["dev"]), " | dev");
        assert_eq!(way(SEVERAL, "dave", &["prod"]), " | prod");
    }

    #[test]
    fn what_is_built_on_is_wanted_too() {
        assert_eq!(way(SEVERAL, "dave", &["stage"]), " | base stage");
        assert_eq!(way(SEVERAL, "dave", &["stage", "dev"]), "developers | stage");
    }

    #[test]
    fn what_somebody_has_is_not_wanted_again() {
        assert_eq!(way(SEVERAL, "carol", &["dev"]), " | ");
        assert_eq!(way(SEVERAL, "carol", &["prod"]), "platform | ");
        assert_eq!(way(SEVERAL, "ci", &["dev", "prod"]), "developers | ");
    }

    #[test]
    fn no_group_that_maintains_is_joined() {
        let rest = format!("maintainers: [platform]\n{SEVERAL}");
        assert_eq!(way(&rest, "carol", &["prod"]), " | prod");
        assert_eq!(way(&rest, "dave", &["dev", "base"]), "developers | ");
    }

    #[test]
    fn both_ways_of_asking_have_one_answer() {
        for rest in [
            "",
            SEVERAL,
            "environments: {dev: {file: d.yaml, readers: [ci, alice], writers: [ci]}}\n",
            "maintainers: [developers]\nenvironments: {dev: {file: d.yaml, readers: [platform]}}\n",
        ] {
            let policy = policy(rest);
            for recipient in policy.people.recipients() {
                let name = &recipient.name;
                let access = policy.access(name);
                assert_eq!(
                    access.maintains,
                    policy.maintainers().contains(name),
                    "{name} in {rest}"
                );
                for environment in policy.environments.values() {
                    let reads = policy.readers(environment).contains(name);
                    let writes = policy.writers(environment).contains(name);
                    let known = (
                        access.reads.contains(&environment.name),
                        access.writes.contains(&environment.name),
                    );
                    assert_eq!(known, (reads, writes), "{name} in {rest}");
                }
            }
        }
    }

    #[test]
    fn what_somebody_may_do_is_known() {
        let policy = policy(SEVERAL);
        let access = policy.access(&name("carol"));
        assert_eq!(
            (access.reads.len(), access.writes.len(), access.maintains),
            (2, 2, false)
        );
        let access = policy.access(&name("alice"));
        assert_eq!(
            (access.reads.len(), access.writes.len(), access.maintains),
            (4, 4, true)
        );
        let access = policy.access(&name("ci"));
        assert_eq!((access.reads.len(), access.writes.len()), (2, 0));
        assert_eq!(policy.access(&name("nobody")), Access::default());
        assert_eq!(names(policy.groups_of(&name("alice"))), ["platform"]);
    }
}
