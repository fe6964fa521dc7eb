//! What git starts by itself in this clone: whether a commit is looked at, and whether files are shown and merged by value.

use super::Check;
use super::finding::{Code, Finding};
use super::scene::Scene;
use crate::hooks::{Installation, State, Status, policies};

const MISSING: Code = Code::warning(
    "hooks-missing",
    "the pre-commit hook, a driver or the attributes are not set up in this clone",
);
const STALE: Code = Code::warning(
    "hooks-stale",
    "what git starts here is another version's, or for other environments",
);

pub(super) const CHECK: Check = Check {
    name: "hooks",
    codes: &[&MISSING, &STALE],
    find,
};

fn find(scene: &mut Scene<'_>) -> Vec<Finding> {
    status(scene)
        .map(|parts| [findings(&parts, &MISSING), findings(&parts, &STALE)].concat())
        .unwrap_or_default()
}

/// How each part is; nothing where something else has to be mended first.
fn status(scene: &Scene<'_>) -> Option<Vec<Status>> {
    let repository = scene.repository.as_ref().ok()?.as_ref()?;
    let (git, program) = (scene.git()?, scene.surroundings.program.clone()?);
    scene.loaded.as_ref().ok()?;
    let policies = policies(repository, &git, &scene.surroundings.folder).ok()?;
    let installation = Installation::new(repository, &git, program, &policies).ok()?;
    installation.status().ok()
}

/// One finding for all parts that are so.
fn findings(parts: &[Status], code: &'static Code) -> Vec<Finding> {
    let wanted = match code == &MISSING {
        true => [State::Missing, State::Told],
        false => [State::Stale, State::Stale],
    };
    let such: Vec<_> = parts.iter().filter(|status| wanted.contains(&status.state)).collect();
    let Some(first) = such.first() else {
        return Vec::new();
    };
    let names: Vec<_> = such.iter().map(|status| status.part.name()).collect();
    let what = match code == &MISSING {
        true => "not set up in this clone",
        false => "out of date in this clone",
    };
    let named = match names.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        _ => names.join(""),
    };
    let message = format!("{what}: {named}");
    let advice: Vec<_> = such.iter().flat_map(|status| status.advice.iter().cloned()).collect();
    let is_ours = such.iter().any(|status| status.state != State::Told);
    let finding = code.finding(first.part.name(), message).hints(&advice);
    vec![finding.cure(is_ours.then(|| "secretree hooks install".to_owned()))]
}
