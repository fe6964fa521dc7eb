//! What this machine remembers of keys it trusts: whether that can be read and written, by this person alone.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use super::Check;
use super::finding::{Code, Finding};
use super::scene::Scene;
use crate::cure::{aside, command};
use crate::names::{EnvironmentName, did_you_mean};
use crate::vault::TRUST_FILE_NAME;

const DAMAGED: Code = Code::error("trust-file-damaged", "the trust file of this machine cannot be used");
const MODE: Code = Code::error("trust-file-mode", "others on this machine can change what is trusted");
const NO_FOLDER: Code = Code::error("no-state-folder", "there is no home folder to keep trust in");
const READ_ONLY: Code = Code::warning("state-read-only", "the folder of the trust file cannot be written");
const PINNED: Code = Code::error(
    "trust-variable",
    "`SECRETREE_TRUST` is malformed, or names no environment",
);

pub(super) const CHECK: Check = Check {
    name: "trust",
    codes: &[&DAMAGED, &MODE, &NO_FOLDER, &READ_ONLY, &PINNED],
    find,
};

const VARIABLE: &str = "SECRETREE_TRUST";

fn find(scene: &mut Scene<'_>) -> Vec<Finding> {
    let mut findings: Vec<_> = pinned(scene).into_iter().collect();
    let Some(folder) = &scene.surroundings.state_folder else {
        let message = "neither XDG_STATE_HOME nor HOME is set: what is trusted cannot be kept";
        let finding = NO_FOLDER.finding("HOME", message);
        findings.push(finding.hint("set HOME, or SECRETREE_TRUST to say which keys to trust"));
        return findings;
    };
    findings.extend(damaged(scene, &folder.join(TRUST_FILE_NAME)));
    findings.extend(mode(scene, folder));
    findings.extend(read_only(scene, folder));
    findings
}

fn damaged(scene: &Scene<'_>, file: &Path) -> Option<Finding> {
    let failure = scene.trust_failure.as_ref()?;
    let (shown, here) = (scene.shown(file), scene.here(file));
    let finding = DAMAGED.finding(shown, failure.message());
    let is_malformed = failure.hints().iter().any(|hint| hint.starts_with("move it away"));
    if !is_malformed {
        return Some(finding.hints(failure.hints()));
    }
    let aside = aside(here, "damaged");
    Some(
        finding
            .cure(command("mv --", &[here, &aside]))
            .hint("keys are then met for the first time again: look at what the next command says of them"),
    )
}

/// Who may write the file, or rename another into its place, says what is trusted here.
fn mode(scene: &Scene<'_>, folder: &Path) -> Vec<Finding> {
    let places = [folder.to_path_buf(), folder.join(TRUST_FILE_NAME)];
    let open = places.iter().filter(|place| {
        let metadata = place.metadata();
        metadata.is_ok_and(|metadata| metadata.mode() & 0o022 != 0)
    });
    let finding = |place: &PathBuf| {
        let shown = scene.shown(place);
        MODE.finding(
            &shown,
            format!("others can write `{shown}`, which says what is trusted"),
        )
        .cure(command("chmod go-w --", &[scene.here(place)]))
    };
    open.map(finding).collect()
}

fn read_only(scene: &Scene<'_>, folder: &Path) -> Option<Finding> {
    let existing = folder.ancestors().find(|place| place.exists())?;
    if access(existing, Access::WRITE_OK).is_ok() {
        return None;
    }
    let shown = scene.shown(existing);
    Some(
        READ_ONLY
            .finding(
                &shown,
                format!("`{shown}` cannot be written: a key that was looked at is not remembered"),
            )
            .cure(command("chmod u+w --", &[scene.here(existing)]))
            .hint("or set XDG_STATE_HOME to a folder that you may write"),
    )
}

fn pinned(scene: &Scene<'_>) -> Option<Finding> {
    let pinned = match &scene.surroundings.pinned {
        Ok(pinned) => pinned,
        Err(failure) => {
            let finding = PINNED.finding(VARIABLE, failure.message());
            return Some(finding.hints(failure.hints()));
        }
    };
    let environments = &scene.loaded.as_ref().ok()?.policy.environments;
    let names = || environments.keys().map(EnvironmentName::as_str);
    let (unknown, _) = pinned
        .iter()
        .find(|(name, _)| !name.contains('/') && !environments.contains_key(name.as_str()))?;
    let finding = PINNED.finding(
        VARIABLE,
        format!("`{VARIABLE}` names `{unknown}`, which is no environment"),
    );
    Some(match did_you_mean(unknown, names()) {
        Some(near) => finding.hint(format!("did you mean `{near}`?")),
        None => finding.hint("it is `ENV:age1…`, several separated by commas"),
    })
}
