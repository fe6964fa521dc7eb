//! What only history tells, learned once for all environments: who ever held which key, and which values were set back.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use crate::checks::{Extent, Past, Standing, examine_history, examine_past};
use crate::document::path::ValuePath;
use crate::error::Result;
use crate::finding::Finding;
use crate::git::{CommitId, Repository};
use crate::history::{Entries, EventKind, Exposures, Filter, History, Log, Mark, Present, Snapshot};
use crate::names::EnvironmentName;
use crate::policy::{POLICY_NAME, Policy};
use crate::when;

/// What is known of the past; nothing where there is no history that can be read.
pub(super) struct Bygone {
    exposures: Option<Exposures>,
    /// By environment: the values that were set back, with the commit.
    set_back: BTreeMap<EnvironmentName, Vec<(ValuePath, String)>>,
    /// That the history is not whole.
    pub(super) findings: Vec<Finding>,
}

impl Bygone {
    /// Reads the history of a policy. `prefix` is its folder, relative to the top of the repository; `present` are the files
    /// as they stand.
    pub(super) fn read(
        repository: Option<&Repository>,
        prefix: &Path,
        policy: &Policy,
        present: &Present,
        notes: &mut Vec<String>,
    ) -> Result<Self> {
        let mut bygone = Self {
            exposures: None,
            set_back: BTreeMap::new(),
            findings: Vec::new(),
        };
        let Some(repository) = repository else {
            notes.push("there is no git repository here: nothing is known of who could read what before".to_owned());
            return Ok(bygone);
        };
        let file = prefix.join(POLICY_NAME);
        let mut extent = Extent {
            policy: &file,
            why: repository.unreadable().map(str::to_owned),
            command: None,
        };
        if extent.why.is_none() {
            let everything = History::open(repository, prefix, policy, Entries::All)?;
            let exposures = Exposures::read(Some(&everything), present)?;
            let history = History::open(repository, prefix, policy, Entries::Head)?;
            let log = Log::read(&history, None)?;
            bygone.set_back = set_back(repository, &log, present);
            (extent.why, extent.command) = incomplete(repository, exposures.is_complete() && log.is_complete());
            bygone.exposures = Some(exposures);
        }
        bygone.findings = examine_history(&extent);
        Ok(bygone)
    }

    /// What the rules find in the past of an environment.
    pub(super) fn examine(&self, standing: &Standing<'_>) -> Vec<Finding> {
        let (Some(exposures), Some(reading)) = (&self.exposures, standing.reading) else {
            return Vec::new();
        };
        let (rules, name) = (standing.rules, &standing.rules.environment.name);
        let mut current: HashSet<_> = reading.footer.all_grants().map(|(_, label, _)| label).collect();
        current.extend(
            rules
                .policy
                .reader_keys(rules.environment)
                .into_iter()
                .map(|(_, key)| key.label()),
        );
        examine_past(&Past {
            standing,
            exposed: exposures.within_reach(name, |label| !current.contains(label)),
            held: exposures.held_present_key(name),
            set_back: self.set_back.get(name).cloned().unwrap_or_default(),
        })
    }
}

/// Why the history is not whole, and what brings the rest.
fn incomplete(repository: &Repository, is_complete: bool) -> (Option<String>, Option<String>) {
    if is_complete {
        return (None, None);
    }
    let (why, command) = match (repository.is_shallow(), repository.is_partial()) {
        (true, _) => ("a shallow clone", "git fetch --unshallow"),
        (false, true) => ("a partial clone", "git fetch --refetch --no-filter"),
        (false, false) => ("objects are missing", "git fsck"),
    };
    (Some(why.to_owned()), Some(command.to_owned()))
}

/// What the walk, newest first, knows of one value.
#[derive(Clone, Copy, PartialEq)]
enum Known {
    /// The last commit that changed it left it as it stands now.
    Settled,
    /// It stands as it did in no commit yet that was looked at.
    Differs,
}

/// The values that stand as they did before another took their place: set back by the last commit that changed them, or by
/// nobody who committed it yet.
fn set_back(
    repository: &Repository,
    log: &Log,
    present: &Present,
) -> BTreeMap<EnvironmentName, Vec<(ValuePath, String)>> {
    let mut known: HashMap<(EnvironmentName, ValuePath), Known> = HashMap::new();
    let mut found: BTreeMap<EnvironmentName, Vec<(ValuePath, String)>> = BTreeMap::new();
    for commit in log.commits(Filter::default()) {
        for (environment, events) in &commit.environments {
            let Some(snapshot) = present.get(environment) else {
                continue;
            };
            for event in events {
                let Some((path, mark)) = value_of(event) else { continue };
                let Some(now) = snapshot.mark(path).filter(|mark| mark.seal().is_some()) else {
                    continue;
                };
                let is_same = mark.is_some_and(|mark| mark.is_same_value(now));
                let key = (environment.clone(), path.clone());
                let state = known.get(&key).copied();
                let is_set_back = matches!(event, EventKind::SetBack { .. });
                let by = match (state, is_same) {
                    (None, true) if is_set_back => Some(shown(repository, commit.commit)),
                    (Some(Known::Differs), true) => Some("not committed yet".to_owned()),
                    _ => None,
                };
                if let Some(by) = by {
                    found.entry(environment.clone()).or_default().push((path.clone(), by));
                }
                let is_settled = is_same || state == Some(Known::Settled);
                known.insert(key, if is_settled { Known::Settled } else { Known::Differs });
            }
        }
    }
    found
}

/// The value that an event is about, and what stands there after it.
fn value_of(event: &EventKind) -> Option<(&ValuePath, Option<Mark>)> {
    match event {
        EventKind::Added { path, mark }
        | EventKind::Changed { path, mark, .. }
        | EventKind::SetBack { path, mark, .. } => Some((path, Some(*mark))),
        EventKind::Removed { path, .. } => Some((path, None)),
        EventKind::Moved { to, mark, .. } => Some((to, Some(*mark))),
        _ => None,
    }
}

fn shown(repository: &Repository, id: CommitId) -> String {
    let short = id.to_string()[..8].to_owned();
    match repository.commit(id) {
        Ok(commit) => format!(
            "commit {short} of {}, {}",
            commit.author_name,
            when::date_text(commit.time)
        ),
        Err(_) => format!("commit {short}"),
    }
}

/// The content of a file as history knows it.
pub(super) fn snapshot(text: &str) -> Arc<Snapshot> {
    Arc::new(Snapshot::read(text.as_bytes()))
}
