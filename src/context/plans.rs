//! A change of who reads what, from its plan to the commit: shown a line for each public key, asked about, written with
//! the policy's own lines in one step. What has to be done was planned by the vault.

use std::collections::BTreeMap;
use std::path::PathBuf;

use secretree::access::{Brought, Since};
use secretree::crypto::label::GrantLabel;
use secretree::error::{Failure, Result};
use secretree::files::FolderLock;
use secretree::git::CommitId;
use secretree::names::{EnvironmentName, RecipientName};
use secretree::policy::PolicyChange;
use secretree::vault::{EnvironmentFile, Origin, Plan, Takeover, Vault};

use super::{Context, shown_diff};
use crate::ui::escaped;

/// The most environments that the message of a commit names.
const MOST_NAMED: usize = 12;

/// What is about to be written.
pub(crate) struct Step<'a> {
    /// New lines of the policy.
    pub(crate) policy: Option<&'a PolicyChange>,
    /// New files.
    pub(crate) plans: &'a [Plan],
    /// Where they come from, if the person did not bring them just now.
    pub(crate) since: Option<&'a Told>,
    /// What else a person should see before they answer, escaped.
    pub(crate) remarks: &'a [String],
    /// The question.
    pub(crate) question: &'a str,
    /// The message of the commit, if there is to be one.
    pub(crate) message: Option<&'a str>,
}

impl Context {
    /// What the files of these environments need to be what the policy says; `new_key` asks for new keys in any case.
    pub(crate) fn plans(&self, vault: &mut Vault<'_>, names: &[EnvironmentName], new_key: bool) -> Result<Vec<Plan>> {
        let mut progress = self.ui.progress("planning", names.len());
        let plans: Result<_> = vault.noting_once(|vault| {
            let mut plans = Vec::new();
            for name in names {
                plans.push(vault.plan(name, new_key)?);
                progress.step();
            }
            plans.retain(|plan| !plan.is_empty());
            Ok(plans)
        });
        drop(progress);
        let plans = plans?;
        self.tell(vault);
        Ok(plans)
    }

    /// The file, or what it is made as by the first write: whom that grants is said before anybody types a value.
    pub(crate) fn or_first(&self, vault: &mut Vault<'_>, file: &EnvironmentFile) -> Result<EnvironmentFile> {
        let Some(plan) = vault.first(file)? else {
            return Ok(file.clone());
        };
        let told = self.told(vault, std::slice::from_ref(&plan))?;
        for line in lines_of(&plan, told.as_ref()) {
            self.ui.note(&line);
        }
        Ok(plan.made())
    }

    /// Whom a plan grants, a line for each public key, with the commit that lets it read.
    pub(crate) fn gains(&self, vault: &Vault<'_>, plan: &Plan) -> Result<Vec<String>> {
        let told = self.told(vault, std::slice::from_ref(plan))?;
        Ok(gains_of(plan, told.as_ref())
            .iter()
            .map(|line| escaped(line).into_owned())
            .collect())
    }

    /// Shows the step, and writes nothing.
    pub(crate) fn show(&self, step: &Step<'_>) {
        for line in step.lines() {
            self.ui.note(&line);
        }
    }

    /// Shows the step, asks, writes everything or nothing, and commits if that was asked for.
    pub(crate) fn carry_out(&self, vault: &mut Vault<'_>, lock: FolderLock, step: &Step<'_>) -> Result<()> {
        if !self.ui.confirm(&step.lines(), step.question)? {
            return Err(Failure::failed("nothing was written").into());
        }
        let changes: Vec<(&EnvironmentFile, String)> =
            step.plans.iter().map(|plan| (&plan.file, plan.text.clone())).collect();
        vault.save_under(&lock, step.policy, &changes)?;
        drop(lock);
        self.tell(vault);
        let policies = step.policy.map(PolicyChange::paths).unwrap_or_default();
        let files = step.plans.iter().map(|plan| plan.file.relative.clone());
        let files: Vec<PathBuf> = policies.into_iter().chain(files).collect();
        self.ui.note(&escaped(&format!(
            "wrote {}",
            listed(files.iter().map(|file| file.display().to_string()))
        )));
        match step.message {
            Some(message) => self.commit(vault, &files, message),
            None => Ok(()),
        }
    }
}

impl Step<'_> {
    fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.policy.map(shown_diff).unwrap_or_default();
        lines.extend(self.remarks.iter().cloned());
        lines.extend(self.plans.iter().flat_map(|plan| lines_of(plan, self.since)));
        lines.extend(self.since.into_iter().flat_map(|told| told.changes.iter().cloned()));
        lines
    }
}

/// Since when the policy says what plans do, in words.
pub(crate) struct Told {
    since: Since,
    origins: BTreeMap<CommitId, String>,
    changes: Vec<String>,
    /// Whether what is not committed yet is what the person has just asked for, and needs no word.
    asked_for: bool,
}

impl Told {
    /// ` (commit 1a2b3c4d of Ada, 2026-01-31)`.
    fn origin(&self, brought: Brought, never: &str) -> String {
        match brought {
            Brought::Uncommitted if self.asked_for => String::new(),
            Brought::Uncommitted => " (not committed yet)".to_owned(),
            Brought::By(commit) => self
                .origins
                .get(&commit)
                .map_or_else(String::new, |shown| format!(" ({shown})")),
            Brought::Never if self.since.complete => format!(" ({never})"),
            Brought::Never => " (by no commit of this cut history)".to_owned(),
        }
    }

    fn of(&self, environment: &EnvironmentName, label: &GrantLabel, never: &str) -> String {
        let brought = self.since.of(environment, label);
        brought.map_or_else(String::new, |brought| self.origin(brought, never))
    }
}

impl Context {
    /// What rides along with a change that the person asks for: keys that gain by commits of others, with these commits, and
    /// what else changed in the policy before it.
    pub(crate) fn told_of_others(&self, vault: &Vault<'_>, plans: &[Plan]) -> Result<Option<Told>> {
        // Who only loses is named by the command itself.
        if plans.iter().all(|plan| plan.gains.is_empty()) {
            return Ok(None);
        }
        self.told_since(vault, plans, true)
    }

    /// Since when, and by whose commits, the policy says what the plans do; nothing without a history.
    pub(crate) fn told(&self, vault: &Vault<'_>, plans: &[Plan]) -> Result<Option<Told>> {
        self.told_since(vault, plans, false)
    }

    fn told_since(&self, vault: &Vault<'_>, plans: &[Plan], asked_for: bool) -> Result<Option<Told>> {
        let readable = vault
            .repository()
            .filter(|repository| repository.unreadable().is_none());
        let Some((repository, folder)) =
            readable.and_then(|repository| Some((repository, vault.folder().strip_prefix(repository.root()).ok()?)))
        else {
            return Ok(None);
        };
        let since = match Since::read(repository, folder, &vault.loaded().policy, plans) {
            Ok(since) => since,
            Err(error) => {
                self.ui
                    .warning(&format!("by which commits the policy says this is not known: {error}"));
                return Ok(None);
            }
        };
        let keys = plans.iter().flat_map(|plan| {
            let labels = plan.gains.iter().chain(&plan.loses);
            labels.map(|(_, label)| (&plan.environment, label))
        });
        let brought = keys.filter_map(|(environment, label)| since.of(environment, label));
        let brought: Vec<_> = brought
            .chain(since.changes.iter().map(|(_, brought)| *brought))
            .collect();
        let mut origins = BTreeMap::new();
        for brought in brought {
            if let Brought::By(id) = brought
                && !origins.contains_key(&id)
            {
                let commit = repository.commit(id)?;
                let origin = Origin {
                    commit: Some(id.to_string()),
                    author: commit.author_name,
                    time: commit.time,
                };
                origins.insert(id, origin.shown());
            }
        }
        let mut told = Told {
            since,
            origins,
            changes: Vec::new(),
            asked_for,
        };
        let changes = told.since.changes.iter();
        told.changes = changes
            .filter(|(_, brought)| !(asked_for && *brought == Brought::Uncommitted))
            .map(|(event, brought)| {
                let line = format!("policy: {event}{}", told.origin(*brought, "before this history"));
                escaped(&line).into_owned()
            })
            .collect();
        Ok(Some(told))
    }
}

/// The names of the planned environments, as far as they fit into the subject of a commit.
pub(crate) fn environments(plans: &[Plan]) -> String {
    listed(plans.iter().map(|plan| plan.environment.to_string()))
}

fn listed(names: impl Iterator<Item = String>) -> String {
    let names: Vec<_> = names.collect();
    match names.len() {
        many if many > MOST_NAMED => format!("{} and {} more", names[..MOST_NAMED].join(", "), many - MOST_NAMED),
        _ => names.join(", "),
    }
}

/// The commit that brought a token of another key.
pub(crate) fn origin_of(takeover: &Takeover) -> String {
    let origin = takeover.origin.as_ref();
    origin.map_or_else(|| "no commit yet".to_owned(), Origin::shown)
}

/// Whom a plan grants.
fn gains_of(plan: &Plan, told: Option<&Told>) -> Vec<String> {
    let name = &plan.environment;
    let line = |(reader, label): &(RecipientName, GrantLabel)| {
        let origin = told.map_or_else(String::new, |told| told.of(name, label, "by no commit"));
        format!("{name}: + {reader} ({label}) can read{origin}")
    };
    plan.gains.iter().map(line).collect()
}

/// What a plan would do, a line for each public key and each token.
fn lines_of(plan: &Plan, told: Option<&Told>) -> Vec<String> {
    let name = &plan.environment;
    let origin = |label, never| told.map_or_else(String::new, |told| told.of(name, label, never));
    let mut lines = Vec::new();
    if plan.creates {
        lines.push(format!("{name}: makes {}", plan.file.relative.display()));
    }
    if let Some(former) = &plan.former {
        let was = match former.environment == *name {
            true => format!("belonged to the policy `{}`", former.policy),
            false => format!("was called `{}`", former.environment),
        };
        lines.push(format!(
            "{name}: {was}; every value moves to the new name and keeps its version"
        ));
    }
    if let Some(key) = &plan.new_key {
        lines.push(format!("{name}: new key {key}; every value is sealed anew"));
    }
    lines.extend(gains_of(plan, told));
    lines.extend(plan.loses.iter().map(|(reader, label)| {
        format!(
            "{name}: - {reader} ({label}) can no longer read what is written from now on{}",
            origin(label, "the policy never let it read")
        )
    }));
    lines.extend(
        plan.renames
            .iter()
            .map(|(old, new)| format!("{name}: {old} is called {new}")),
    );
    for takeover in &plan.takeovers {
        let proof = if takeover.proven {
            "everybody who held that key still reads"
        } else {
            "nothing proves that only readers held that key"
        };
        lines.push(format!(
            "{name}: takes over `{}` from the key {} ({}): {proof}",
            takeover.path,
            takeover.key,
            origin_of(takeover)
        ));
    }
    for dropped in &plan.dropped {
        let origin = dropped
            .origin
            .as_ref()
            .map_or_else(|| "no commit yet".to_owned(), Origin::shown);
        lines.push(format!(
            "{name}: drops the proposal {} ({origin}), which nobody can accept: {}",
            dropped.label, dropped.reason
        ));
    }
    lines.extend(plan.encrypts.iter().map(|path| format!("{name}: encrypts `{path}`")));
    lines.iter().map(|line| escaped(line).into_owned()).collect()
}
