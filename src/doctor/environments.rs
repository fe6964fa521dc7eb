//! The environments' files: whether they are there and whole, hold nothing readable that should be sealed, and stand under
//! a key that is trusted. What anybody may read of them is compared in [`grants`](super::grants).

use std::path::Path;

use rustix::fs::{Access, access};

use super::Check;
use super::finding::{Code, Finding};
use super::grants::{self, GRANT_LEFT, GRANTS_DIFFER, NOT_GRANTED};
use super::scene::Scene;
use crate::cure::command;
use crate::error::{Failure, FailureKind};
use crate::files::is_pending;
use crate::names::EnvironmentName;
use crate::vault::{Notice, Reading, Rulebook, Vault};

const UNREADABLE: Code = Code::error("file-unreadable", "an environment file cannot be read");
const MISSING: Code = Code::error(
    "file-missing",
    "an environment file of the last commit is not in the work tree",
);
const NONE: Code = Code::warning("file-not-made", "an environment has no file yet");
const CONFLICT: Code = Code::error("file-conflict", "an environment file is in conflict after a merge");
const MALFORMED: Code = Code::error("file-malformed", "an environment file is not what it should be");
const READABLE: Code = Code::error(
    "value-readable",
    "something in an environment file should be sealed and is not",
);
const FOREIGN: Code = Code::error(
    "token-of-another-key",
    "a value is sealed under another key than the file's",
);
const REFUSED: Code = Code::error(
    "key-refused",
    "the key of an environment, or what stands under it, is not trusted here",
);
const MOVED_BACK: Code = Code::warning(
    "key-moved-back",
    "this machine knows a newer key of an environment than its file",
);
const READ_ONLY: Code = Code::warning("folder-read-only", "a folder of environment files cannot be written");

pub(super) const CHECK: Check = Check {
    name: "environments",
    codes: &[
        &UNREADABLE,
        &MISSING,
        &NONE,
        &CONFLICT,
        &MALFORMED,
        &READABLE,
        &FOREIGN,
        &REFUSED,
        &MOVED_BACK,
        &READ_ONLY,
        &NOT_GRANTED,
        &GRANT_LEFT,
        &GRANTS_DIFFER,
    ],
    find,
};

fn find(scene: &mut Scene<'_>) -> Vec<Finding> {
    let (Ok(loaded), Some(mut vault)) = (scene.loaded, scene.vault.take()) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for name in loaded.policy.environments.keys() {
        if let Ok(rules) = vault.rules(name) {
            findings.extend(examine(scene, &mut vault, rules));
        }
    }
    findings.extend(read_only(scene));
    scene.vault = Some(vault);
    findings
}

fn examine<'s>(scene: &Scene<'s>, vault: &mut Vault<'s>, rules: Rulebook<'s>) -> Vec<Finding> {
    let name = &rules.environment.name;
    let file = match vault.load(name) {
        Ok(file) => file,
        Err(error) => {
            let failure = Failure::from(error);
            // A journal that does not fit is told once, for all files.
            if failure.kind() == FailureKind::Integrity && is_pending(vault.folder()) {
                return Vec::new();
            }
            let finding = UNREADABLE.finding(name.as_str(), failure.message());
            return vec![finding.hints(failure.hints())];
        }
    };
    let path = vault.folder().join(&file.relative);
    let Some(text) = &file.text else {
        return vec![absent(scene, rules, &path)];
    };
    let shown = scene.shown(&path);
    if let Some(message) = scene.conflict(&path, text) {
        let add = command("git add --", &[scene.here(&path)]).unwrap_or_default();
        return vec![CONFLICT.finding(shown, message).hint(format!(
            "keep one side of each place, then: {add}; secretree apply {name}"
        ))];
    }
    let reading = match vault.read(&file) {
        Ok(reading) => reading,
        Err(error) => return vec![malformed(scene, rules, &path, &error.into())],
    };
    if let Err(error) = reading.check(rules) {
        return vec![malformed(scene, rules, &path, &error.into())];
    }
    let mut findings: Vec<_> = foreign_token(scene, rules, &reading).into_iter().collect();
    let opens = match vault.try_open(&file) {
        Ok(notice) => {
            findings.extend(notice.and_then(|notice| moved_back(scene, name, notice)));
            true
        }
        Err(error) => {
            let failure = Failure::from(error);
            if failure.kind() != FailureKind::NoIdentity {
                findings.push(refused(scene, &reading, &path, &failure));
            }
            false
        }
    };
    findings.extend(grants::find(scene, rules, &reading, opens));
    findings
}

fn absent(scene: &Scene<'_>, rules: Rulebook<'_>, path: &Path) -> Finding {
    let (name, shown) = (&rules.environment.name, scene.shown(path));
    if scene.committed(path).is_some() {
        let message = format!("`{shown}` is missing, but the last commit has it");
        return MISSING
            .finding(shown, message)
            .cure(command("git restore --", &[scene.here(path)]));
    }
    let readers = rules.policy.reader_keys(rules.environment);
    let is_reader = readers.iter().any(|(_, key)| scene.own.contains(key));
    let finding = NONE.finding(&shown, format!("`{name}` has no file yet: there is no `{shown}`"));
    match is_reader {
        true => finding.cure(scene.secretree("apply", name)),
        false => finding.hint(format!("one of its readers runs `secretree apply {name}`")),
    }
}

/// A file that cannot be used: sealed where that is all it lacks; else what was changed is put aside, where it can be taken
/// up again, if the last commit is sound.
fn malformed(scene: &Scene<'_>, rules: Rulebook<'_>, path: &Path, failure: &Failure) -> Finding {
    let (name, shown) = (&rules.environment.name, scene.shown(path));
    let sealing = format!("secretree encrypt {name}");
    if failure.hints().contains(&sealing) {
        return READABLE
            .finding(shown, failure.message())
            .cure(scene.secretree("encrypt", name));
    }
    let finding = MALFORMED.finding(shown, failure.message()).hints(failure.hints());
    let is_sound = |text: &String| Reading::new(text, rules).is_ok_and(|reading| reading.check(rules).is_ok());
    let is_newer = failure.hints().iter().any(|hint| hint.contains("newer secretree"));
    match !is_newer && scene.committed(path).as_ref().is_some_and(is_sound) {
        true => finding
            .hint("the last commit has one that is whole; `git stash pop` brings your change back")
            .cure(command("git stash push --", &[scene.here(path)])),
        false => finding,
    }
}

fn foreign_token(scene: &Scene<'_>, rules: Rulebook<'_>, reading: &Reading<'_>) -> Option<Finding> {
    let name = &rules.environment.name;
    let own = reading.footer.drop_box.id();
    let places = reading.places(rules).ok()?;
    let foreign = places
        .iter()
        .find(|place| place.token.as_ref().is_some_and(|token| token.key != own))?;
    let message = format!(
        "the token at `{name}:{}` is sealed under another key than the file's",
        foreign.path
    );
    Some(
        FOREIGN
            .finding(format!("{name}:{}", foreign.path), message)
            .cure(scene.secretree("apply", name))
            .hint("a merge may have left it; `apply` shows who wrote it"),
    )
}

fn moved_back(scene: &Scene<'_>, name: &EnvironmentName, notice: Notice) -> Option<Finding> {
    match notice {
        Notice::Warning(text) if text.contains("newer key") => Some(
            MOVED_BACK
                .finding(name.as_str(), text)
                .cure(scene.secretree("trust", name)),
        ),
        Notice::Warning(_) | Notice::Note(_) => None,
    }
}

/// A key that is not trusted. Whether it may be is for a person to say, who is told how.
fn refused(scene: &Scene<'_>, reading: &Reading<'_>, path: &Path, failure: &Failure) -> Finding {
    let footer = &reading.footer;
    let name = &footer.environment;
    let finding = REFUSED.finding(name.as_str(), failure.message());
    let pinned = scene.surroundings.pinned.as_deref().unwrap_or_default();
    if !pinned.is_empty() && !pinned.contains(&(name.to_string(), footer.drop_box.clone())) {
        return finding.hint(format!(
            "SECRETREE_TRUST does not name the key that `{name}` has: look at who made it, then add `{name}:{}`",
            footer.drop_box
        ));
    }
    let hint = failure.hints().first().map_or("", String::as_str);
    if let Some(rest) = hint.strip_prefix("git restore --source ") {
        let commit: String = rest.chars().take_while(char::is_ascii_hexdigit).collect();
        return finding.cure(command(
            &format!("git restore --source {commit} --"),
            &[scene.here(path)],
        ));
    }
    if hint.starts_with("take the staged file:") {
        return finding.cure(command("git restore --", &[scene.here(path)]));
    }
    let finding = finding.hints(failure.hints());
    match hint.contains("secretree trust ") {
        true => finding.cure(scene.secretree("trust", name)),
        false => finding,
    }
}

fn read_only(scene: &Scene<'_>) -> Vec<Finding> {
    let files = scene.environment_files();
    let mut folders: Vec<&Path> = files.iter().filter_map(|file| file.parent()).collect();
    folders.sort_unstable();
    folders.dedup();
    let closed = |folder: &&Path| folder.is_dir() && access(*folder, Access::WRITE_OK).is_err();
    let finding = |folder: &Path| {
        let shown = scene.shown(folder);
        READ_ONLY
            .finding(
                &shown,
                format!("`{shown}` cannot be written: values can be read and not changed"),
            )
            .cure(command("chmod u+w --", &[scene.here(folder)]))
    };
    folders.into_iter().filter(closed).map(finding).collect()
}
