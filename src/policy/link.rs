//! Joins the files of a policy and checks what no file can check alone: names of environments, files that
//! two of them claim, what they build on, owners and rotators.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use super::environments::{EnvironmentPolicy, Folders};
use super::fields::{Read, unknown};
use super::file::PolicyFile;
use super::glob::SlashGlob;
use super::order::order;
use super::policy::Policy;
use super::secrets::Scope;
use super::spot::{Spot, shown};
use crate::error::Failure;
use crate::names::EnvironmentName;

/// The most environments of one policy.
const MOST_ENVIRONMENTS: usize = 10_000;

/// Joins the root's file and those further down.
pub(super) fn link(root: PolicyFile, nested: Vec<PolicyFile>, folders: &dyn Folders) -> Read<Policy> {
    let part = root
        .root
        .clone()
        .ok_or_else(|| Failure::failed("a nested policy stands where the root's is needed"))?;
    let mut files = vec![root];
    files.extend(nested);
    let mut policy = Policy {
        id: part.id,
        default_environment: part.default_environment.as_ref().map(|name| name.value.clone()),
        people: part.people,
        environments: BTreeMap::new(),
        secrets: Vec::new(),
        targets: BTreeMap::new(),
        rotators: BTreeMap::new(),
        waivers: Vec::new(),
        scans: Vec::new(),
        reads_noted: part.reads_noted,
        files: files
            .iter()
            .map(|file| (file.folder.clone(), Arc::clone(&file.source)))
            .collect(),
        maintainers: part.maintainers,
        unfit: Vec::new(),
    };
    for file in &files {
        add_environments(&mut policy, file, folders)?;
    }
    refuse_shared_files(&policy)?;
    resolve_extends(&mut policy)?;
    refuse_wider_readers(&policy)?;
    if let Some(name) = &part.default_environment {
        let declared = files
            .iter()
            .flat_map(|file| &file.environments)
            .any(|environment| environment.name == name.value);
        if !declared && !policy.environments.contains_key(&name.value) {
            return Err(no_environment(&policy, &name.spot, name.value.as_str()));
        }
    }
    for file in files {
        add_rest(&mut policy, file)?;
    }
    refuse_unknown_names(&policy)?;
    Ok(policy)
}

fn add_environments(policy: &mut Policy, file: &PolicyFile, folders: &dyn Folders) -> Read<()> {
    for declaration in &file.environments {
        let found = match declaration.has_placeholder() {
            true => declaration.many(&policy.people, folders, &mut policy.unfit)?,
            false => vec![declaration.single(&file.folder, &policy.people)?],
        };
        for environment in found {
            let spot = environment.spot.clone();
            if policy.environments.len() == MOST_ENVIRONMENTS {
                return Err(spot.failure(format_args!("there are more than {MOST_ENVIRONMENTS} environments")));
            }
            let name = environment.name.clone();
            if let Some(other) = policy.environments.insert(name.clone(), environment) {
                let place = other.spot.place();
                let message = format_args!(
                    "`{name}` is declared in `{}` line {} too",
                    other.spot.shown_name(),
                    place.line
                );
                return Err(spot.failure(message));
            }
        }
    }
    Ok(())
}

/// No two environments share a file, also where the file system does not tell `a` from `A`; and none has its
/// file where a deeper policy rules.
fn refuse_shared_files(policy: &Policy) -> Read<()> {
    let ruled: HashSet<&Path> = policy
        .files
        .iter()
        .skip(1)
        .map(|(folder, _)| folder.as_path())
        .collect();
    let mut owners: HashMap<String, &EnvironmentName> = HashMap::new();
    for environment in policy.environments.values() {
        let file = environment.file.to_string_lossy();
        if let Some(owner) = owners.insert(file.to_lowercase(), &environment.name) {
            let message = format_args!(
                "`{}` and `{owner}` have the same file {}",
                environment.name,
                shown(&file)
            );
            return Err(environment.spot.failure(message));
        }
        let mut around = environment.file.ancestors().skip(1);
        let own = |folder: &Path| folder == environment.folder;
        if let Some(folder) = around
            .by_ref()
            .take_while(|folder| !own(folder))
            .find(|folder| ruled.contains(folder))
        {
            let folder = shown(&folder.to_string_lossy());
            let message = format_args!(
                "the file of `{}` is in {folder}, which has its own policy",
                environment.name
            );
            return Err(environment.spot.failure(message));
        }
    }
    Ok(())
}

/// Turns short names inside nested policies into full ones, and refuses unknown ones and circles.
fn resolve_extends(policy: &mut Policy) -> Read<()> {
    let index: HashMap<EnvironmentName, usize> = policy.environments.keys().cloned().zip(0..).collect();
    let mut edges = Vec::with_capacity(index.len());
    let mut resolved = Vec::with_capacity(index.len());
    for environment in policy.environments.values() {
        let mut names = Vec::with_capacity(environment.extends.len());
        for name in &environment.extends {
            names.push(
                own_or_any(policy, &environment.folder, name)
                    .ok_or_else(|| no_environment(policy, &environment.spot, name.as_str()))?,
            );
        }
        edges.push(names.iter().map(|name| index[name]).collect());
        resolved.push(names);
    }
    order(&edges).map_err(|circle| {
        let environments: Vec<&EnvironmentPolicy> = policy.environments.values().collect();
        let names: Vec<String> = circle
            .iter()
            .map(|&at| format!("`{}`", environments[at].name))
            .collect();
        environments[circle[0]]
            .spot
            .failure(format_args!("`extends` in a circle: {}", names.join(" on ")))
    })?;
    for (environment, names) in policy.environments.values_mut().zip(resolved) {
        environment.extends = names;
    }
    Ok(())
}

/// The environment that `name` means in the policy file of `folder`: its own first.
fn own_or_any(policy: &Policy, folder: &Path, name: &EnvironmentName) -> Option<EnvironmentName> {
    let own = folder
        .file_name()
        .and_then(|last| EnvironmentName::new(&format!("{}/{name}", last.to_str()?)));
    let own = own.filter(|own| policy.environments.get(own).is_some_and(|found| found.folder == folder));
    own.or_else(|| policy.environments.contains_key(name).then(|| name.clone()))
}

/// What an environment builds on is readable for all its own readers.
fn refuse_wider_readers(policy: &Policy) -> Read<()> {
    for environment in policy.environments.values() {
        for name in &environment.extends {
            let missing = policy
                .reader_members(environment)
                .without(&policy.reader_members(&policy.environments[name]));
            if let Some(reader) = policy.people.listed(&missing).first() {
                let message = format_args!(
                    "`{}` extends `{name}`, which its reader `{}` may not read",
                    environment.name, reader.name
                );
                return Err(environment
                    .spot
                    .failure(message)
                    .hint(format!("add `{}` to the readers of `{name}`", reader.name)));
            }
        }
    }
    Ok(())
}

fn add_rest(policy: &mut Policy, file: PolicyFile) -> Read<()> {
    for mut target in file.targets {
        for (name, spot) in target.from.iter_mut().zip(&target.from_spots) {
            *name =
                own_or_any(policy, &file.folder, name).ok_or_else(|| no_environment(policy, spot, name.as_str()))?;
        }
        let spot = target.spot.clone();
        if let Some(other) = policy.targets.insert(target.name.clone(), target) {
            return Err(spot.failure(format_args!(
                "target `{}` is declared in `{}` too",
                other.name,
                other.spot.shown_name()
            )));
        }
    }
    for rotator in file.rotators {
        let spot = rotator.spot.clone();
        if let Some(other) = policy.rotators.insert(rotator.name.clone(), rotator) {
            return Err(spot.failure(format_args!(
                "rotator `{}` is declared in `{}` too",
                other.name,
                other.spot.shown_name()
            )));
        }
    }
    policy.secrets.extend(file.secrets);
    policy.waivers.extend(file.waivers);
    policy.scans.extend(file.scan);
    Ok(())
}

/// Names in declarations and waivers: environments, owners, rotators.
fn refuse_unknown_names(policy: &Policy) -> Read<()> {
    let scopes = policy
        .secrets
        .iter()
        .map(|secret| &secret.scope)
        .chain(policy.waivers.iter().map(|waiver| &waiver.at));
    for scope in scopes {
        if let Some(environment) = &scope.environment {
            refuse_unknown_environment(policy, scope, environment, &scope.spot)?;
        }
    }
    for secret in &policy.secrets {
        for required in &secret.required {
            refuse_unknown_environment(policy, &secret.scope, &required.value, &required.spot)?;
        }
        if let Some(owner) = &secret.owner
            && !policy.people.knows(&owner.value)
        {
            return Err(unknown(
                &owner.spot,
                &owner.value,
                "recipient or group",
                policy.people.names(),
            ));
        }
        if let Some(rotator) = &secret.rotator
            && policy.rotator(secret).is_none()
        {
            return Err(unknown(
                &rotator.spot,
                &rotator.value,
                "rotator",
                policy.rotators.keys().map(String::as_str),
            ));
        }
    }
    Ok(())
}

/// A pattern without wildcards names an environment. One with wildcards may mean none yet.
fn refuse_unknown_environment(policy: &Policy, scope: &Scope, pattern: &SlashGlob, spot: &Spot) -> Read<()> {
    if pattern.is_wild() {
        return Ok(());
    }
    let name = EnvironmentName::new(pattern.as_str());
    match name.and_then(|name| own_or_any(policy, &scope.folder, &name)) {
        Some(_) => Ok(()),
        None => Err(no_environment(policy, spot, pattern.as_str())),
    }
}

fn no_environment(policy: &Policy, spot: &Spot, text: &str) -> Failure {
    unknown(
        spot,
        text,
        "environment",
        policy.environments.keys().map(EnvironmentName::as_str),
    )
}
