//! The private keys of this person: whether there is one, whether it can be used, and whether others can get at it.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;

use super::finding::{Code, Finding};
use super::scene::Scene;
use super::{Check, IdentityPlace, Surroundings};
use crate::crypto::identities::{Identities, KeySource};
use crate::crypto::plugins::{AskNobody, Plugins};
use crate::cure::{append_rules, aside, command, quoted};
use crate::error::{Failure, FailureKind};
use crate::files::real_path;
use crate::process::{SearchPath, resolve_program};

const NONE: Code = Code::error("no-identity", "there is no private key here");
const SETTINGS: Code = Code::error(
    "identity-settings",
    "a variable that says where identities are is malformed",
);
const MISSING: Code = Code::error("identity-missing", "a file of identities that was named does not exist");
const UNREADABLE: Code = Code::error("identity-unreadable", "a file of identities cannot be read");
const MALFORMED: Code = Code::error("identity-malformed", "what should hold a private key holds none");
const PARTLY: Code = Code::warning("identity-partly-read", "a line among the identities of a file is none");
const UNFIT: Code = Code::warning(
    "ssh-key-unusable",
    "an SSH key is of a kind or form that cannot decrypt",
);
const MODE: Code = Code::error("identity-mode", "others on this machine can read a private key");
const TRACKED: Code = Code::error("identity-tracked", "git tracks a file with a private key");
const NOT_IGNORED: Code = Code::error(
    "identity-not-ignored",
    "a private key in the work tree is not ignored by git",
);
const NO_PUB: Code = Code::warning(
    "identity-without-pub",
    "an encrypted identity does not say its public key, so its passphrase is asked for in vain",
);
const PLUGIN_MISSING: Code = Code::error("plugin-missing", "the age plugin of an identity is not installed");
const PLUGIN_UNTRUSTED: Code = Code::error(
    "plugin-untrusted",
    "the age plugin of an identity would come from the work tree",
);
const KEY_COMMAND: Code = Code::error(
    "key-command-missing",
    "the program of `SECRETREE_KEY_COMMAND` was not found",
);

pub(super) const CHECK: Check = Check {
    name: "identities",
    codes: &[
        &NONE,
        &SETTINGS,
        &MISSING,
        &UNREADABLE,
        &MALFORMED,
        &PARTLY,
        &UNFIT,
        &MODE,
        &TRACKED,
        &NOT_IGNORED,
        &NO_PUB,
        &PLUGIN_MISSING,
        &PLUGIN_UNTRUSTED,
        &KEY_COMMAND,
    ],
    find,
};

const KEY_VARIABLE: &str = "SECRETREE_KEY";
const COMMAND_VARIABLE: &str = "SECRETREE_KEY_COMMAND";

/// What can be read without asking anybody: files (no pipes, which give their text once) and the text of a variable.
pub(super) fn sources(surroundings: &Surroundings) -> Vec<KeySource> {
    let places = surroundings.identities.as_deref().unwrap_or_default();
    places.iter().filter_map(source).collect()
}

fn source(place: &IdentityPlace) -> Option<KeySource> {
    match place {
        IdentityPlace::File { path, .. } if path.is_file() => {
            Some(KeySource::file(path.display().to_string(), path.clone()))
        }
        IdentityPlace::Text(text) => Some(KeySource::bytes(KEY_VARIABLE, text.clone())),
        IdentityPlace::File { .. } | IdentityPlace::Command(_) => None,
    }
}

fn find(scene: &mut Scene<'_>) -> Vec<Finding> {
    let places = match &scene.surroundings.identities {
        Ok(places) => places,
        Err(failure) => {
            let finding = SETTINGS.finding(COMMAND_VARIABLE, failure.message());
            return vec![finding.hints(failure.hints()).cure(format!("unset {COMMAND_VARIABLE}"))];
        }
    };
    let mut findings = Vec::new();
    let mut seen = BTreeSet::new();
    for place in places {
        match place {
            IdentityPlace::File { path, .. } if !seen.insert(real_path(path).unwrap_or_else(|_| path.clone())) => {}
            IdentityPlace::File { by, path } => findings.extend(file(scene, *by, path)),
            IdentityPlace::Text(_) => findings.extend(text(place)),
            IdentityPlace::Command(program) => findings.extend(key_command(scene, program)),
        }
    }
    let is_absent = |place: &IdentityPlace| matches!(place, IdentityPlace::File { path, .. } if !path.exists());
    if findings.is_empty() && places.iter().all(is_absent) {
        findings.push(no_identity());
    }
    findings
}

fn no_identity() -> Finding {
    NONE.finding("identity", "there is no identity here")
        .cure("secretree keygen".to_owned())
        .hint("if yours is elsewhere: `-i FILE` or SECRETREE_IDENTITY names it")
}

fn file(scene: &Scene<'_>, by: Option<&'static str>, path: &Path) -> Vec<Finding> {
    let shown = scene.shown(path);
    let here = scene.here(path);
    let metadata = match path.metadata() {
        Ok(metadata) => metadata,
        Err(error) => {
            let is_absent = error.kind() == std::io::ErrorKind::NotFound;
            return match by {
                Some(by) if is_absent => vec![
                    MISSING
                        .finding(&shown, format!("`{by}` names `{shown}`, which does not exist"))
                        .cure(command("secretree keygen -o", &[here])),
                ],
                None if is_absent => Vec::new(),
                _ => vec![UNREADABLE.finding(&shown, format!("`{shown}` cannot be read: {}", error.kind()))],
            };
        }
    };
    if metadata.is_dir() {
        return vec![UNREADABLE.finding(&shown, format!("`{shown}` is a folder, no file of identities"))];
    }
    if !metadata.is_file() {
        return Vec::new();
    }
    let mut findings = content(scene, path, &shown);
    if metadata.mode() & 0o077 != 0 {
        let message = format!("others can read `{shown}` (mode {:o})", metadata.mode() & 0o777);
        findings.push(MODE.finding(&shown, message).cure(command("chmod 600 --", &[here])));
    }
    findings.extend(in_work_tree(scene, path, &shown));
    findings
}

/// What is wrong inside the file.
fn content(scene: &Scene<'_>, path: &Path, shown: &str) -> Vec<Finding> {
    let here = scene.here(path);
    let mut identities = Identities::new(vec![KeySource::file(shown, path)], Plugins::none());
    let has_keys = !identities.public_keys().is_empty();
    let mut findings = Vec::new();
    let problem = identities.problems().next().map(|(_, problem)| problem.to_owned());
    let is_unknown = identities.unknown().next().is_some();
    if let Some(problem) = problem {
        let message = format!("`{shown}` {problem}");
        let is_ssh = path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"id_"));
        findings.push(if problem.starts_with("cannot be read") {
            UNREADABLE
                .finding(shown, message)
                .cure(command("chmod u+r --", &[here]))
        } else if has_keys || is_unknown {
            PARTLY
                .finding(shown, message)
                .hint("take that line out, or put `#` before it")
        } else if problem.contains("ssh-keygen -p") {
            UNFIT.finding(shown, message).cure(command("ssh-keygen -p -f", &[here]))
        } else if is_ssh || problem.contains("ssh") {
            UNFIT
                .finding(shown, message)
                .hint("`secretree keygen` makes an identity that can decrypt")
        } else {
            malformed(scene, path, shown, message)
        });
    }
    let locked = identities.unknown().find(|(_, reason)| reason.contains("`.pub`"));
    if let Some((_, reason)) = locked {
        let cure = command("age -d", &[here]).zip(here.to_str());
        let cure =
            cure.and_then(|(open, text)| Some(format!("{open} | age-keygen -y > {}", quoted(&format!("{text}.pub"))?)));
        findings.push(NO_PUB.finding(shown, format!("`{shown}` {reason}")).cure(cure));
    }
    let search = std::env::split_paths(&scene.surroundings.search_path).collect();
    let search = Plugins::new(SearchPath::new(search, scene.root()), Arc::new(AskNobody));
    for (_, plugin) in identities.plugins() {
        if let Err(error) = search.resolve(plugin) {
            let failure = Failure::from(error);
            let code = match failure.kind() {
                FailureKind::Integrity => &PLUGIN_UNTRUSTED,
                _ => &PLUGIN_MISSING,
            };
            let message = format!("`{shown}` needs a plugin: {}", failure.message());
            findings.push(code.finding(shown, message).hints(failure.hints()));
        }
    }
    findings
}

/// A file that holds no key at all is moved aside, never replaced.
fn malformed(scene: &Scene<'_>, path: &Path, shown: &str, message: String) -> Finding {
    let here = scene.here(path);
    let aside = aside(here, "broken");
    let cure = command("mv --", &[here, &aside])
        .zip(command("secretree keygen -o", &[here]))
        .map(|(first, then)| format!("{first} && {then}"));
    MALFORMED
        .finding(shown, message)
        .cure(cure)
        .hint("if you have the key elsewhere, put it back instead: a new one opens nothing until it was granted")
}

fn text(place: &IdentityPlace) -> Option<Finding> {
    let mut identities = Identities::new(source(place).into_iter().collect(), Plugins::none());
    identities.public_keys();
    let (_, problem) = identities.problems().next()?;
    Some(
        MALFORMED
            .finding(KEY_VARIABLE, format!("`{KEY_VARIABLE}` {problem}"))
            .cure(format!("unset {KEY_VARIABLE}"))
            .hint("it holds the key itself, `AGE-SECRET-KEY-1…`; a file is named by SECRETREE_IDENTITY"),
    )
}

fn key_command(scene: &Scene<'_>, program: &str) -> Option<Finding> {
    let found = resolve_program(program, &scene.surroundings.search_path, scene.root());
    if found.is_some() {
        return None;
    }
    let message = format!("the program `{program}` of `{COMMAND_VARIABLE}` was not found");
    Some(
        KEY_COMMAND
            .finding(COMMAND_VARIABLE, message)
            .cure(format!("unset {COMMAND_VARIABLE}"))
            .hint("it must be on PATH or an absolute path, outside the repository"),
    )
}

/// A private key in the work tree is one `git add` away from everybody.
fn in_work_tree(scene: &Scene<'_>, path: &Path, shown: &str) -> Option<Finding> {
    let real = real_path(path).ok()?;
    let (repository, relative) = scene.in_repository(&real)?;
    let ignore_file = repository.root().join(".gitignore");
    let ignore = append_rules(scene.here(&ignore_file), &[relative], "");
    if repository.is_tracked(relative).ok()? {
        let untrack = command("git rm --quiet --cached --", &[scene.here(&real)]);
        let cure = untrack
            .zip(ignore)
            .map(|(untrack, ignore)| format!("{untrack} && {ignore}"));
        let finding = TRACKED.finding(shown, format!("git tracks `{shown}`, which holds a private key"));
        return Some(finding.cure(cure).hint(
            "if it was ever committed, others may have it: make a new one (`secretree keygen`) and take its old public key out of the policy",
        ));
    }
    if repository.is_ignored(relative).ok()? {
        return None;
    }
    let message = format!("`{shown}` holds a private key, lies in the work tree and is not ignored by git");
    Some(
        NOT_IGNORED
            .finding(shown, message)
            .cure(ignore)
            .hint("better: move it out of the work tree"),
    )
}
