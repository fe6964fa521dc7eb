//! One name more or less among the readers of environments, as lines of the policy: with what the environments build on,
//! and never so that less happens than was said.

use super::membership::{Way, through_groups, way_to_read};
use crate::error::{Failure, Result};
use crate::names::{EnvironmentName, RecipientName, did_you_mean};
use crate::policy::{EnvironmentPolicy, LoadedPolicy, PolicyChange, PolicyEdit};

/// New lines of the policy, and which environments they concern.
#[derive(Debug)]
pub struct ReaderChange {
    /// The lines.
    pub change: PolicyChange,
    /// The environments that were named, and for a grant those that they build on.
    pub environments: Vec<EnvironmentName>,
    /// Environments that the name could read already, or could not, and why.
    pub unchanged: Vec<(EnvironmentName, Option<Way>)>,
}

/// Lets `name`, a recipient or group, read `environments` and what they build on.
///
/// # Errors
/// `Failed` if there is no such name, a placeholder declares an environment together with others, or the text is laid
/// out in a way that cannot be changed safely.
pub fn grant(loaded: &LoadedPolicy, name: &RecipientName, environments: &[EnvironmentName]) -> Result<ReaderChange> {
    let policy = &loaded.policy;
    check_known(loaded, name)?;
    let mut edit = PolicyEdit::new(loaded);
    let (mut concerned, mut unchanged) = (Vec::new(), Vec::new());
    for environment in environments.iter().filter_map(|name| policy.environment(name)) {
        for layer in policy.layers(environment) {
            if concerned.contains(&layer.name) {
                continue;
            }
            match way_to_read(&policy.people, layer, name) {
                None => {
                    refuse_shared(&edit, loaded, layer, |group| {
                        format!("a group that reads it does: secretree recipient add {name} --group {group}")
                    })?;
                    edit.add_reader(&layer.name, name)?;
                }
                way if layer.name == environment.name => unchanged.push((layer.name.clone(), way)),
                _ => {}
            }
            concerned.push(layer.name.clone());
        }
    }
    Ok(ReaderChange {
        change: edit.finish()?,
        environments: concerned,
        unchanged,
    })
}

/// Takes `name`, a recipient or group, out of the readers of `environments`, and out of their own lists of writers.
///
/// # Errors
/// `Failed` if there is no such name, it would go on reading through a group, an environment would be left without
/// readers or writers or less open than one that builds on it, or as [`grant`].
pub fn revoke(loaded: &LoadedPolicy, name: &RecipientName, environments: &[EnvironmentName]) -> Result<ReaderChange> {
    let policy = &loaded.policy;
    check_known(loaded, name)?;
    let mut edit = PolicyEdit::new(loaded);
    let mut unchanged = Vec::new();
    for environment in environments.iter().filter_map(|name| policy.environment(name)) {
        if let Some(groups) = through_groups(&policy.people, environment, name) {
            return Err(reads_through(environment, name, groups).into());
        }
        let writes = environment
            .writers
            .as_ref()
            .is_some_and(|writers| writers.contains(name));
        let reads = environment.readers.contains(name);
        if !reads && !writes {
            unchanged.push((environment.name.clone(), None));
            continue;
        }
        refuse_shared(&edit, loaded, environment, |_| {
            "change its line by hand, then: secretree apply".to_owned()
        })?;
        if reads {
            edit.remove_reader(&environment.name, name)?;
        }
        if writes {
            edit.remove_writer(&environment.name, name)?;
        }
    }
    Ok(ReaderChange {
        change: edit.finish()?,
        environments: environments.to_vec(),
        unchanged,
    })
}

/// Fails for a name that the policy does not have.
fn check_known(loaded: &LoadedPolicy, name: &RecipientName) -> Result<()> {
    let people = &loaded.policy.people;
    if people.knows(name.as_str()) {
        return Ok(());
    }
    let failure = Failure::failed(format!("`{name}` is no recipient and no group"));
    let failure = match did_you_mean(name.as_str(), people.names()) {
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None => failure.hint(format!("somebody new: secretree recipient add {name} KEY")),
    };
    Err(failure.into())
}

/// Fails where the readers stand in a line that declares other environments too; `hint` gets a group of that line.
fn refuse_shared(
    edit: &PolicyEdit<'_>,
    loaded: &LoadedPolicy,
    environment: &EnvironmentPolicy,
    hint: impl FnOnce(&RecipientName) -> String,
) -> Result<()> {
    if !edit.is_shared(environment) {
        return Ok(());
    }
    let name = &environment.name;
    let failure = Failure::failed(format!(
        "`{name}` is declared together with others by a placeholder, so its readers cannot change alone"
    ));
    let people = &loaded.policy.people;
    let group = environment.readers.iter().find(|reader| people.group(reader).is_some());
    Err(match group {
        Some(group) => failure.hint(hint(group)),
        None => failure.hint("give it a group as reader, and change that group"),
    }
    .into())
}

/// The failure of a revocation that would take nothing away.
fn reads_through(environment: &EnvironmentPolicy, name: &RecipientName, groups: Vec<RecipientName>) -> Failure {
    let first = groups.first().map_or_else(String::new, ToString::to_string);
    let shown = Way::Through(groups).groups_shown().unwrap_or_default();
    Failure::failed(format!(
        "`{name}` reads `{}` through the group {shown}; nothing was written",
        environment.name
    ))
    .hint(format!(
        "out of that group, and all that it gives: secretree recipient remove {name} --group {first}, then secretree apply"
    ))
    .hint(format!(
        "or let `{}` name those it is for instead of the group, in `readers` of the policy",
        environment.name
    ))
}
