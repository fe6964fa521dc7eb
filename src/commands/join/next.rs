//! What comes after `join`: the commit, and the reader who makes the files what the policy says.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use secretree::error::Result;
use secretree::names::{EnvironmentName, RecipientName};
use secretree::policy::{LoadedPolicy, POLICY_NAME, Policy};
use secretree::vault::Vault;

use super::Request;
use super::plan::{Newcomer, Plan};
use crate::context::Context;
use crate::ui::escaped;

/// The most readers that a line names.
const MOST_NAMED: usize = 6;

/// Commits if asked, and says what to type, and who has to do what then.
pub(super) fn say_what_is_next(context: &Context, plan: &Plan, request: &Request, commit: bool) -> Result<()> {
    let name = request.newcomer.name();
    let after = &plan.change.after;
    let vault = context.vault(after)?;
    let message = message(plan, &request.newcomer);
    if commit {
        context.commit(&vault, &plan.change.paths(), &message)?;
        context.ui.note(&format!(
            "next: `git push`, or where your branch is protected `git push origin HEAD:join-{name}` and ask for a review"
        ));
    } else {
        context.ui.note(&escaped(&how_to_commit(
            &vault,
            context,
            &plan.change.paths(),
            name,
            &message,
        )));
    }
    let environments: Vec<&EnvironmentName> = plan.gives.reads.iter().collect();
    // Who adds a key can open the files elsewhere.
    let but = (!matches!(request.newcomer, Newcomer::NewKey(_))).then_some(name);
    say_who_applies(context, &after.policy, but, &environments);
    Ok(())
}

/// Nothing to change: says what is done already and what is not.
pub(super) fn say_what_is_missing(context: &Context, loaded: &LoadedPolicy, request: &Request) -> Result<()> {
    let name = request.newcomer.name();
    let mut vault = context.vault(loaded)?;
    context
        .ui
        .note(&format!("the policy knows you as `{name}`, with all of this"));
    let uncommitted = uncommitted(&vault);
    if !uncommitted.is_empty() {
        let message = format!("secrets: {name} joins");
        context
            .ui
            .note(&escaped(&how_to_commit(&vault, context, &uncommitted, name, &message)));
    }
    let mut waiting = Vec::new();
    for environment in &request.environments {
        let file = vault.load(environment)?;
        let open = match &file.text {
            None => false,
            Some(_) => {
                let reading = vault.read(&file)?;
                vault.holds_grant(&reading)
            }
        };
        match open {
            true => context.ui.note(&format!(
                "`{environment}` is open to you: secretree run {environment} -- CMD"
            )),
            false => waiting.push(environment),
        }
    }
    context.tell(&mut vault);
    say_who_applies(context, &loaded.policy, Some(name), &waiting);
    Ok(())
}

fn message(plan: &Plan, newcomer: &Newcomer) -> String {
    let name = newcomer.name();
    let reads: Vec<&str> = plan.gives.reads.iter().map(EnvironmentName::as_str).collect();
    match reads.len() {
        _ if matches!(newcomer, Newcomer::NewKey(_)) => format!("secrets: a new key of {name}"),
        0 => format!("secrets: {name} joins"),
        1..=4 => format!("secrets: {name} joins {}", reads.join(", ")),
        many => format!("secrets: {name} joins {many} environments"),
    }
}

fn how_to_commit(
    vault: &Vault<'_>,
    context: &Context,
    files: &[PathBuf],
    name: &RecipientName,
    message: &str,
) -> String {
    let Some(repository) = vault.repository() else {
        return format!("next: give {POLICY_NAME} to the others");
    };
    let prefix = vault.folder().strip_prefix(repository.root()).unwrap_or(vault.folder());
    let files = files.iter().map(|file| match context.folder() == vault.folder() {
        true => file.display().to_string(),
        // `:/` is the root of the work tree, wherever the command is typed.
        false => format!("':/{}'", prefix.join(file).display()),
    });
    let files: Vec<String> = files.collect();
    format!(
        "next: git switch -c join-{name} && git add {} && git commit -m '{message}' && git push -u origin join-{name}",
        files.join(" ")
    )
}

/// The policy files that stand here otherwise than in git's last commit.
fn uncommitted(vault: &Vault<'_>) -> Vec<PathBuf> {
    let Some(repository) = vault.repository() else {
        return Vec::new();
    };
    let committed = |file: &Path| {
        let prefix = vault.folder().strip_prefix(repository.root()).ok()?;
        let head = repository.head().ok()??;
        repository.blob_at(head, &prefix.join(file)).ok()?
    };
    let files = vault.loaded().policy.files.iter();
    let files = files.map(|(folder, source)| (folder.join(POLICY_NAME), source));
    let differing = files.filter(|(file, source)| committed(file).as_deref() != Some(source.text.as_bytes()));
    differing.map(|(file, _)| file).collect()
}

/// One line for the readers of all these environments, or one for each environment where nobody reads all. `but` is no
/// reader yet.
fn say_who_applies(context: &Context, policy: &Policy, but: Option<&RecipientName>, environments: &[&EnvironmentName]) {
    if environments.is_empty() {
        return;
    }
    let readers = |environment: &&EnvironmentName| -> BTreeSet<&RecipientName> {
        let readers = policy
            .environment(environment)
            .map(|environment| policy.readers(environment));
        let mut readers = readers.unwrap_or_default();
        readers.retain(|name| Some(*name) != but);
        readers
    };
    let all = environments
        .iter()
        .map(readers)
        .reduce(|all, more| all.intersection(&more).copied().collect());
    let all = all.unwrap_or_default();
    if all.is_empty() && environments.len() > 1 {
        for environment in environments {
            say_who_applies(context, policy, but, &[environment]);
        }
        return;
    }
    let people = all
        .iter()
        .filter(|name| policy.people.recipient(name.as_str()).is_some_and(|one| !one.machine));
    let mut people: Vec<&str> = people.map(|name| name.as_str()).collect();
    if people.is_empty() {
        people = all.iter().map(|name| name.as_str()).collect();
    }
    let who = match people.as_slice() {
        [] => "a reader".to_owned(),
        [one] => (*one).to_owned(),
        [first @ .., last] if people.len() <= MOST_NAMED => format!("{} or {last}", first.join(", ")),
        _ => format!("one of {}, …", people[..MOST_NAMED].join(", ")),
    };
    let names: Vec<&str> = environments.iter().map(|name| name.as_str()).collect();
    context.ui.note(&format!(
        "then: {who} runs `secretree apply {}`, commits and pushes",
        names.join(" ")
    ));
}
