//! The values themselves, for readers who ask for them: those of both sides at each place where something changed.

use std::collections::BTreeMap;

use secretree::document::path::ValuePath;
use secretree::error::{Failure, FailureKind, Result};
use secretree::git::CommitId;
use secretree::history::{EventKind, Review};
use secretree::names::EnvironmentName;
use secretree::value::Value;
use secretree::vault::Vault;
use zeroize::Zeroizing;

use super::sides::Compared;
use crate::context::Context;

/// The texts of values by path.
type Texts = BTreeMap<ValuePath, Zeroizing<String>>;

/// The values of one environment on both sides.
#[derive(Default)]
pub(super) struct EnvironmentValues {
    before: Texts,
    after: Texts,
}

impl EnvironmentValues {
    /// What stood at `path` and what stands there.
    pub(super) fn at(&self, path: &ValuePath) -> (Option<&Zeroizing<String>>, Option<&Zeroizing<String>>) {
        (self.before.get(path), self.after.get(path))
    }
}

/// The values of each environment that could be opened; none unless they were asked for.
#[derive(Default)]
pub(super) struct Values(BTreeMap<EnvironmentName, EnvironmentValues>);

impl Values {
    /// Those of one environment.
    pub(super) fn of(&self, name: &EnvironmentName) -> Option<&EnvironmentValues> {
        self.0.get(name)
    }
}

/// A value as text; bytes that are none are shown as far as they are.
pub(super) fn text(value: &Value) -> Zeroizing<String> {
    let bytes = value.delivered();
    Zeroizing::new(String::from_utf8_lossy(bytes.expose()).into_owned())
}

/// Opens what changed. What nobody here can open is named in a warning. Failure: nothing can be opened, or something is not
/// what it claims to be.
pub(super) fn values(compared: &Compared, review: &Review, context: &Context) -> Result<Values> {
    let mut values = Values::default();
    let mut closed = None;
    for environment in &review.environments {
        let paths: Vec<&ValuePath> = environment.events.iter().filter_map(EventKind::path).collect();
        if paths.is_empty() {
            continue;
        }
        let former = environment.former.as_ref().unwrap_or(&environment.name);
        let is_there = |side: &secretree::history::Side, name: &EnvironmentName| {
            let file = side.environments.get(name);
            file.is_some_and(|file| file.snapshot.is_some())
        };
        let mut opened = EnvironmentValues::default();
        let mut sides = || -> Result<()> {
            if is_there(&compared.before, former) {
                opened.before = texts(compared, compared.from.commit, former, context)?;
            }
            if is_there(&compared.after, &environment.name) {
                opened.after = texts(compared, compared.to.commit, &environment.name, context)?;
            }
            Ok(())
        };
        match sides() {
            Ok(()) => {
                opened.before.retain(|path, _| paths.contains(&path));
                opened.after.retain(|path, _| paths.contains(&path));
                values.0.insert(environment.name.clone(), opened);
            }
            Err(error) => {
                let failure = Failure::from(error);
                if failure.kind() != FailureKind::NoIdentity {
                    return Err(failure.into());
                }
                context.ui.warning(&format!("{failure}: its values are not shown"));
                closed = Some(failure);
            }
        }
    }
    match closed {
        Some(failure) if values.0.is_empty() => Err(failure.into()),
        _ => Ok(values),
    }
}

/// All values of an environment's own file in a commit or the work tree.
fn texts(compared: &Compared, commit: Option<CommitId>, name: &EnvironmentName, context: &Context) -> Result<Texts> {
    let Some(commit) = commit else {
        return entries(&mut context.vault(&compared.loaded)?, name, context);
    };
    let past = context.past_at(&commit.to_string()[..8], commit)?;
    let mut vault = context.past_vault(&past)?;
    entries(&mut vault, name, context).map_err(|error| past.explained(error))
}

fn entries(vault: &mut Vault<'_>, name: &EnvironmentName, context: &Context) -> Result<Texts> {
    let file = vault.load(name)?;
    let entries = vault.open(&file)?.entries()?;
    context.tell(vault);
    Ok(entries
        .into_iter()
        .map(|entry| (entry.path, text(&entry.value)))
        .collect())
}
