//! The events of all commits together, kept in little memory, so that what only the older ones can tell is said of the
//! newer ones: that a value was set back to an old one, that an environment came back.

use std::collections::{HashMap, HashSet};

use super::commits::CommitEvents;
use super::event::EventKind;
use super::numbered::Numbered;
use super::policy_event::PolicyEvent;
use super::scene::History;
use super::snapshot::Mark;
use crate::document::path::ValuePath;
use crate::error::Result;
use crate::git::CommitId;
use crate::names::EnvironmentName;

/// One event as it is kept. Nearly all of a long history are the first two.
#[derive(Debug)]
enum Stored {
    Added { path: u32, mark: Mark },
    Changed { path: u32, before: Mark, mark: Mark },
    Other(Box<EventKind>),
    Policy(Box<PolicyEvent>),
}

/// A commit as it is kept: the end of its events, which begin where those of the one before end.
#[derive(Debug)]
struct Entry {
    commit: CommitId,
    end: usize,
}

/// What happened, commit by commit.
#[derive(Debug)]
pub struct Log {
    paths: Numbered<ValuePath>,
    environments: Numbered<EnvironmentName>,
    /// Newest first.
    entries: Vec<Entry>,
    /// Each with its environment; of the policy with `u32::MAX`.
    events: Vec<(u32, Stored)>,
    complete: bool,
}

/// Which events are wanted.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Those of this environment.
    pub environment: Option<EnvironmentName>,
    /// Those of this value, and of what it was before it moved here.
    pub path: Option<ValuePath>,
}

/// The number that stands for the policy.
const POLICY: u32 = u32::MAX;

impl Log {
    /// Reads the whole history of all environments, or of `only` this one.
    ///
    /// # Errors
    /// `Failed` if the repository cannot be read.
    pub fn read(history: &History<'_>, only: Option<&EnvironmentName>) -> Result<Self> {
        let mut log = Self {
            paths: Numbered::new(),
            environments: Numbered::new(),
            entries: Vec::new(),
            events: Vec::new(),
            complete: true,
        };
        let mut commits = history.commits(only)?;
        for events in &mut commits {
            log.add(events?);
        }
        log.complete = commits.is_complete();
        log.look_back();
        Ok(log)
    }

    /// Whether no object was missing. `false` (a shallow or partial clone) means "at least".
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Every path that a value ever had, in any environment.
    pub fn paths(&self) -> impl Iterator<Item = &ValuePath> {
        self.paths.all.iter()
    }

    /// Every environment in which something happened.
    pub fn environments(&self) -> impl Iterator<Item = &EnvironmentName> {
        self.environments.all.iter()
    }

    fn add(&mut self, commit: CommitEvents) {
        for event in commit.policy {
            self.events.push((POLICY, Stored::Policy(Box::new(event))));
        }
        for (environment, events) in commit.environments {
            let environment = self.environments.number(&environment);
            for event in events {
                let stored = match event {
                    EventKind::Added { path, mark } => {
                        let path = self.paths.number(&path);
                        Stored::Added { path, mark }
                    }
                    EventKind::Changed { path, before, mark } => {
                        let path = self.paths.number(&path);
                        Stored::Changed { path, before, mark }
                    }
                    other => {
                        if let Some(path) = other.path() {
                            self.paths.number(path);
                        }
                        Stored::Other(Box::new(other))
                    }
                };
                self.events.push((environment, stored));
            }
        }
        let (commit, end) = (commit.commit, self.events.len());
        self.entries.push(Entry { commit, end });
    }

    /// Says of newer events what the older ones tell.
    fn look_back(&mut self) {
        let mut past = Past::default();
        for position in (0..self.events.len()).rev() {
            let age = self.events.len() - position;
            let (environment, stored) = &self.events[position];
            if let Some(event) = past.learn(*environment, stored, &self.paths, age) {
                self.events[position].1 = Stored::Other(Box::new(event));
            }
        }
    }

    /// The commits whose events pass the filter, newest first, with those events.
    pub fn commits(&self, filter: Filter) -> impl Iterator<Item = CommitEvents> {
        let mut start = 0;
        let mut path = filter.path;
        self.entries.iter().filter_map(move |entry| {
            let stored = &self.events[start..entry.end];
            start = entry.end;
            let mut found = CommitEvents {
                commit: entry.commit,
                policy: Vec::new(),
                environments: Vec::new(),
            };
            let mut came_from = None;
            for (number, stored) in stored {
                let environment = self.environments.all.get(*number as usize);
                let wanted = filter.environment.as_ref();
                let event = match self.event(stored) {
                    Ok(event) => event,
                    Err(event) => {
                        let fits = wanted.is_none_or(|wanted| event.environment() == Some(wanted));
                        found.policy.extend((fits && path.is_none()).then(|| event.clone()));
                        continue;
                    }
                };
                let Some(environment) = environment.filter(|name| wanted.is_none_or(|wanted| wanted == *name)) else {
                    continue;
                };
                if let Some(path) = &path
                    && !concerns(&event, path)
                {
                    continue;
                }
                if let EventKind::Moved { from, .. } = &event {
                    came_from = Some(from.clone());
                }
                match found.environments.last_mut() {
                    Some((last, events)) if last == environment => events.push(event),
                    _ => found.environments.push((environment.clone(), vec![event])),
                }
            }
            if path.is_some() {
                path = came_from.or_else(|| path.take());
            }
            (!found.policy.is_empty() || !found.environments.is_empty()).then_some(found)
        })
    }

    fn event<'s>(&self, stored: &'s Stored) -> std::result::Result<EventKind, &'s PolicyEvent> {
        let path = |number: u32| self.paths.get(number);
        match stored {
            Stored::Added { path: number, mark } => Ok(EventKind::Added {
                path: path(*number),
                mark: *mark,
            }),
            Stored::Changed {
                path: number,
                before,
                mark,
            } => Ok(EventKind::Changed {
                path: path(*number),
                before: *before,
                mark: *mark,
            }),
            Stored::Other(event) => Ok((**event).clone()),
            Stored::Policy(event) => Err(event),
        }
    }
}

/// A value at a place: the environment, the path, and what stands there under whatever key.
type Standing = (u32, u32, Mark);

/// What happened so far, while it is told from the oldest event on.
#[derive(Default)]
struct Past {
    /// When a value last came to stand somewhere.
    came: HashMap<Standing, usize>,
    /// Values that were removed.
    gone: HashSet<Standing>,
    /// Environments whose file was removed.
    lost: HashSet<u32>,
    keys: HashSet<(u32, String)>,
}

impl Past {
    /// Learns an event; what it is called in the light of what was before, if that is another word. A value is set back if it
    /// stood there before the one that it takes the place of came, or was removed in between: what merely came by two ways,
    /// as by a cherry-pick, is not.
    fn learn(
        &mut self,
        environment: u32,
        stored: &Stored,
        paths: &Numbered<ValuePath>,
        age: usize,
    ) -> Option<EventKind> {
        let standing = |path: u32, mark: Mark| (environment, path, mark.without_key());
        match stored {
            Stored::Added { path, mark } => {
                let place = standing(*path, *mark);
                let known = self.came.insert(place, age).is_some();
                let back = self.gone.contains(&place) || (known && self.lost.contains(&environment));
                back.then(|| EventKind::SetBack {
                    path: paths.get(*path),
                    before: None,
                    mark: *mark,
                })
            }
            Stored::Changed { path, before, mark } => {
                let old = self.came.get(&standing(*path, *before)).copied();
                let known = self.came.insert(standing(*path, *mark), age);
                let back = known.is_some_and(|known| old.is_some_and(|old| known < old));
                back.then(|| EventKind::SetBack {
                    path: paths.get(*path),
                    before: Some(*before),
                    mark: *mark,
                })
            }
            Stored::Other(event) => self.learn_other(environment, event, paths, age),
            Stored::Policy(_) => None,
        }
    }

    fn learn_other(
        &mut self,
        environment: u32,
        event: &EventKind,
        paths: &Numbered<ValuePath>,
        age: usize,
    ) -> Option<EventKind> {
        let place = |path: &ValuePath, mark: &Mark| {
            let path = paths.numbers.get(path).copied();
            path.map(|path| (environment, path, mark.without_key()))
        };
        match event {
            EventKind::Removed { path, mark } => self.gone.extend(place(path, mark)),
            EventKind::Moved { to, mark, .. } => self.came.extend(place(to, mark).map(|place| (place, age))),
            EventKind::FileRemoved => drop(self.lost.insert(environment)),
            EventKind::FileAdded if self.lost.contains(&environment) => return Some(EventKind::FileBack),
            EventKind::NewKey { key, drop_box, .. } => {
                let is_known = !self.keys.insert((environment, drop_box.to_string()));
                let (key, drop_box) = (key.clone(), drop_box.clone());
                return is_known.then_some(EventKind::KeyBack { key, drop_box });
            }
            _ => {}
        }
        None
    }
}

/// Whether an event is about the value at `path`, or about whether it could be there.
fn concerns(event: &EventKind, path: &ValuePath) -> bool {
    let whole_file = matches!(
        event,
        EventKind::FileRemoved | EventKind::FileBack | EventKind::HistoryEnds | EventKind::Unreadable { .. }
    );
    let moved_away = matches!(event, EventKind::Moved { from, .. } if from == path);
    whole_file || moved_away || event.path() == Some(path)
}
