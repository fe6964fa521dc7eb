//! What an identity here opens: every value, grant, proposal and key of the environments that it reads. What it does not
//! read is named in one note.

use super::files::Subjects;
use super::{Scene, Steps, failure};
use crate::checks::{Opened, examine_opened};
use crate::error::{FailureKind, Result};
use crate::finding::Finding;
use crate::names::EnvironmentName;
use crate::vault::{Notice, Vault};

/// The most names that a note lists.
const MOST_NAMED: usize = 6;

pub(super) fn open<'t, 'p: 't>(
    vault: &mut Vault<'p>,
    _scene: &Scene,
    subjects: Subjects<'t>,
    names: &[EnvironmentName],
    notes: &mut Vec<String>,
    steps: &mut Steps<'_>,
) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut closed = Vec::new();
    for (name, reading, file, program) in subjects.into_readings() {
        if !names.contains(&name) {
            continue;
        }
        match vault.scrutinize(reading) {
            Ok((reading, scrutiny)) => {
                findings.extend(examine_opened(&Opened {
                    name: &name,
                    file,
                    tree: &reading.tree,
                    program,
                    scrutiny: &scrutiny,
                }));
                match scrutiny.notice {
                    Some(Notice::Note(text) | Notice::Warning(text)) => notes.push(text),
                    None => {}
                }
            }
            Err(error) => {
                let failure = failure(error);
                match failure.kind() {
                    FailureKind::NoIdentity => closed.push(name.to_string()),
                    _ => notes.push(format!("`{name}` was not opened: {}", failure.message())),
                }
            }
        }
        steps.step();
    }
    if !closed.is_empty() {
        notes.push(format!(
            "no identity here opens {}: whether values and keys are what they claim to be was not looked at there",
            listed(&closed)
        ));
    }
    Ok(findings)
}

fn listed(names: &[String]) -> String {
    let shown: Vec<_> = names.iter().take(MOST_NAMED).map(|name| format!("`{name}`")).collect();
    match names.len().saturating_sub(MOST_NAMED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
