//! What is about to be committed: the look of the hook, sorted by the waivers of the policy.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::civil::Date;

use super::accepted;
use crate::checks::waive;
use crate::error::Result;
use crate::git::{Git, Repository};
use crate::hooks::{Standpoint, examine_staged};
use crate::policy::LoadedPolicy;
use crate::report::Report;

/// What the hook before a commit would find. `loaded` is the policy whose waivers hold, if there is one that can be read;
/// `folder` is where cures are typed.
///
/// # Errors
/// `Failed` if the index cannot be read.
pub fn inspect_staged(
    repository: &Repository,
    git: &Git,
    loaded: Option<&LoadedPolicy>,
    folder: &Path,
    today: Date,
) -> Result<Report> {
    let standpoint = Standpoint {
        folder: folder.to_owned(),
        also: BTreeSet::new(),
    };
    let findings = examine_staged(repository, git, &standpoint)?;
    let notes = vec!["only what is staged was looked at, as `git pre-commit` does".to_owned()];
    let Some(loaded) = loaded else {
        return Ok(Report {
            findings,
            notes,
            ..Report::default()
        });
    };
    let sorted = waive(&loaded.policy, Path::new(""), findings, today);
    Ok(Report {
        findings: sorted.counted,
        waived: accepted(sorted.waived),
        notes,
        ..Report::default()
    })
}
