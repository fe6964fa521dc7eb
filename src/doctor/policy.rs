//! The policy: whether there is one, whether it can be read, and whether it knows this person.

use std::path::{Path, PathBuf};

use super::Check;
use super::finding::{Code, Finding};
use super::scene::Scene;
use crate::cure::command;
use crate::error::Failure;
use crate::files::read_if_present;
use crate::policy::{LONGEST_POLICY, LoadedPolicy, POLICY_NAME, Policy, Recipient};

const NONE: Code = Code::error("no-policy", "there is no `.secrets.yaml` here or above");
const MISNAMED: Code = Code::error("policy-misnamed", "the policy has another name than `.secrets.yaml`");
const MISSING: Code = Code::error(
    "policy-missing",
    "the policy of the last commit is not in the work tree",
);
const CONFLICT: Code = Code::error("policy-conflict", "the policy is in conflict after a merge");
const MALFORMED: Code = Code::error("policy-malformed", "the policy cannot be used as it stands");
const STRANGER: Code = Code::error("not-in-policy", "no identity here belongs to a recipient of the policy");

pub(super) const CHECK: Check = Check {
    name: "policy",
    codes: &[&NONE, &MISNAMED, &MISSING, &CONFLICT, &MALFORMED, &STRANGER],
    find,
};

/// Names that people give the file by mistake.
const NEAR_NAMES: [&str; 5] = [
    ".secrets.yml",
    "secrets.yaml",
    "secrets.yml",
    ".Secrets.yaml",
    ".secret.yaml",
];

fn find(scene: &mut Scene<'_>) -> Vec<Finding> {
    match scene.loaded {
        Ok(loaded) => stranger(scene, loaded).into_iter().collect(),
        Err(failure) => vec![unusable(scene, failure)],
    }
}

/// The folders from the working folder up to the repository's top.
fn folders<'s>(scene: &Scene<'s>) -> impl Iterator<Item = &'s Path> + use<'s> {
    let end = scene.root().and_then(Path::parent);
    let start = scene.surroundings.folder.ancestors();
    start.take_while(move |folder| Some(*folder) != end)
}

fn unusable(scene: &Scene<'_>, failure: &Failure) -> Finding {
    let policies: Vec<PathBuf> = folders(scene).map(|folder| folder.join(POLICY_NAME)).collect();
    let mut present = policies
        .iter()
        .filter(|path| path.symlink_metadata().is_ok())
        .peekable();
    if present.peek().is_none() {
        return absent(scene, &policies);
    }
    for path in present {
        let Ok(Some(bytes)) = read_if_present(path, LONGEST_POLICY as u64) else {
            continue;
        };
        let text = String::from_utf8_lossy(&bytes);
        let shown = scene.shown(path);
        if let Some(message) = scene.conflict(path, &text) {
            return CONFLICT
                .finding(&shown, message)
                .hint(format!("keep one side of each place, then: git add {shown}"));
        }
        // What was changed since the last commit is put aside, where it can be taken up again.
        let is_sound = |committed: &String| *committed != text && Policy::parse(committed, POLICY_NAME).is_ok();
        if scene.committed(path).as_ref().is_some_and(is_sound) {
            let finding = MALFORMED.finding(shown, failure.message()).hints(failure.hints());
            return finding
                .hint("the last commit has one that can be read; `git stash pop` brings your change back")
                .cure(command("git stash push --", &[scene.here(path)]));
        }
    }
    MALFORMED.finding(POLICY_NAME, failure.message()).hints(failure.hints())
}

fn absent(scene: &Scene<'_>, policies: &[PathBuf]) -> Finding {
    for path in policies {
        let shown = scene.shown(path);
        if scene.committed(path).is_some() {
            let message = format!("`{shown}` is missing, but the last commit has it");
            return MISSING
                .finding(shown, message)
                .cure(command("git restore --", &[scene.here(path)]));
        }
        let near = NEAR_NAMES
            .iter()
            .map(|name| path.with_file_name(name))
            .find(|near| has_policy(near));
        if let Some(near) = near {
            let found = scene.shown(&near);
            let message = format!("`{found}` looks like a policy, which must be called `{POLICY_NAME}`");
            return MISNAMED
                .finding(found, message)
                .cure(command("mv --", &[scene.here(&near), scene.here(path)]));
        }
    }
    NONE.finding(POLICY_NAME, format!("no `{POLICY_NAME}` here or above"))
        .cure("secretree init".to_owned())
}

/// Whether the file is a whole policy.
fn has_policy(path: &Path) -> bool {
    let bytes = read_if_present(path, LONGEST_POLICY as u64).ok().flatten();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.is_some_and(|text| Policy::parse(&text, POLICY_NAME).is_ok())
}

/// Nobody here is in the policy. Where a key is not known before it is used, nothing can be said.
fn stranger(scene: &Scene<'_>, loaded: &LoadedPolicy) -> Option<Finding> {
    let policy = &loaded.policy;
    let is_known = |recipient: &Recipient| recipient.keys.iter().any(|key| scene.own.contains(key));
    if scene.own.is_empty() || scene.has_unknown || policy.people.recipients().iter().any(is_known) {
        return None;
    }
    let environment = policy
        .default_environment
        .as_ref()
        .or_else(|| policy.environments.keys().next());
    Some(
        STRANGER
            .finding(POLICY_NAME, "no key of yours is in the policy")
            .cure(environment.and_then(|environment| scene.secretree("join", environment)))
            .hint("then a reader runs `secretree apply`; `secretree whoami` shows your keys"),
    )
}
