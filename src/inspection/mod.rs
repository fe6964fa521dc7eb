//! What `check` looks at: gathers policy, files, keys and history for the rules, runs them, and sorts out what is waived.
//! Whatever cannot be looked at becomes a note, and never silence.

mod changes;
mod files;
mod keys;
mod opening;
mod past;
mod program;
mod signatures;
mod staged;

use std::path::{Path, PathBuf};

use jiff::civil::Date;

use crate::checks::{PolicySubject, examine_policy, waive, waive_changes};
use crate::error::{Failure, Result};
use crate::finding::Finding;
use crate::history::Revision;
use crate::names::EnvironmentName;
use crate::policy::Waiver;
use crate::report::{Accepted, Report};
use crate::vault::Vault;

pub use changes::Since;
pub use files::broken_policy;
pub use staged::inspect_staged;

/// What is asked for.
pub struct Order<'o> {
    /// The environments; nothing for all of them, with everything that is of no environment.
    pub names: Option<&'o [EnvironmentName]>,
    /// The folder that cures are typed in, absolute, without links.
    pub folder: &'o Path,
    /// The files of identities that are used here.
    pub identity_files: &'o [PathBuf],
    /// The day, for waivers.
    pub today: Date,
    /// Whose commits are judged; nothing if none are.
    pub since: Option<Since<'o>>,
}

/// Says how far a long look is: steps done, and steps in all.
pub type Progress<'a> = &'a mut dyn FnMut(usize, usize);

/// Looks at the policy, its environments and what is beside them.
///
/// # Errors
/// `Failed` if the repository or an identity cannot be read. What is wrong with files is no error.
pub fn inspect(vault: &mut Vault<'_>, order: &Order<'_>, progress: Progress<'_>) -> Result<Report> {
    let loaded = vault.loaded();
    let scene = Scene::new(vault, order);
    let all: Vec<_> = loaded.policy.environments.keys().cloned().collect();
    let names = order.names.unwrap_or(&all);
    let mut notes = Vec::new();
    let mut findings = examine_policy(&PolicySubject {
        policy: &loaded.policy,
        folder: &scene.prefix,
    });
    if order.names.is_none() {
        findings.extend(keys::find(vault, &scene, order)?);
    }
    let texts = files::Texts::load(vault, &scene, names);
    let mut steps = Steps {
        done: 0,
        all: 2 * names.len(),
        progress,
    };
    let subjects = files::Subjects::parse(vault, &texts)?;
    let bygone = past::Bygone::read(
        vault.repository(),
        &scene.prefix,
        &loaded.policy,
        &texts.present(vault),
        &mut notes,
    )?;
    findings.extend(bygone.findings.iter().cloned());
    findings.extend(subjects.examine(vault, names, &bygone, &mut steps)?);
    findings.extend(opening::open(vault, &scene, subjects, names, &mut notes, &mut steps)?);
    let is_asked = |finding: &Finding| match (&finding.place.environment, order.names) {
        (_, None) => true,
        (Some(environment), Some(names)) => names.contains(environment),
        (None, Some(_)) => false,
    };
    findings.retain(is_asked);
    let mut report = sorted(vault, &scene, order, names, findings, notes);
    if let (Some(since), Some(repository)) = (order.since, vault.repository()) {
        let mut found = changes::judge(repository, &scene.prefix, since)?;
        found.retain(is_asked);
        let known = Revision::read(repository, &scene.prefix, since.commit)?.policy;
        let (counted, waived) = waive_changes(known.sound(), found, order.today);
        report.findings.extend(counted);
        in_order(&mut report.findings);
        report.waived.extend(accepted(waived));
    }
    Ok(report)
}

/// The report, once every finding is there.
fn sorted(
    vault: &Vault<'_>,
    scene: &Scene,
    order: &Order<'_>,
    names: &[EnvironmentName],
    mut findings: Vec<Finding>,
    notes: Vec<String>,
) -> Report {
    in_order(&mut findings);
    let policy = &vault.loaded().policy;
    let mut sorted = waive(policy, &scene.prefix, findings, order.today);
    if order.names.is_some() {
        // Others may be what a waiver is for.
        sorted.idle.clear();
        sorted.counted.retain(|finding| finding.place.environment.is_some());
    }
    let idle = sorted.idle.iter();
    Report {
        checked: names.to_vec(),
        findings: sorted.counted,
        waived: accepted(sorted.waived),
        idle_waivers: idle
            .map(|waiver| format!("{} at {}", waiver.code, waiver.at.as_written()))
            .collect(),
        notes,
    }
}

/// What concerns one environment stands together, errors first; rules keep their order within a line.
fn in_order(findings: &mut [Finding]) {
    findings.sort_by(|one, other| {
        let key = |finding: &Finding| {
            let place = &finding.place;
            (
                place.environment.clone(),
                finding.code.severity,
                place.file.clone(),
                place.line,
            )
        };
        key(one).cmp(&key(other))
    });
}

fn accepted(waived: Vec<(Finding, &Waiver)>) -> Vec<Accepted> {
    let accepted = waived.into_iter().map(|(finding, waiver)| Accepted {
        finding,
        until: waiver.until.to_string(),
        reason: waiver.reason.clone(),
    });
    accepted.collect()
}

/// Where things are, as findings name them.
struct Scene {
    /// The root policy's folder, relative to the top of the repository; empty without one.
    prefix: PathBuf,
    /// The working folder.
    folder: PathBuf,
}

impl Scene {
    fn new(vault: &Vault<'_>, order: &Order<'_>) -> Self {
        let root = vault.repository().map(|repository| repository.root().to_owned());
        let prefix = root.and_then(|root| vault.folder().strip_prefix(root).map(Path::to_owned).ok());
        Self {
            prefix: prefix.unwrap_or_default(),
            folder: order.folder.to_owned(),
        }
    }
}

/// Counts what was done.
struct Steps<'a> {
    done: usize,
    all: usize,
    progress: Progress<'a>,
}

impl Steps<'_> {
    fn step(&mut self) {
        self.done += 1;
        (self.progress)(self.done.min(self.all), self.all);
    }
}

/// An error that is a failure of ours, for a finding or a note.
fn failure(error: anyhow::Error) -> Failure {
    Failure::from(error)
}
