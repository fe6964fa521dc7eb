//! The policy and the environments' files in git: whether it has them, and whether it keeps them as they are.

use std::path::{Path, PathBuf};

use super::Check;
use super::finding::{Code, Finding};
use super::scene::Scene;
use crate::cure::{append_rules, command};
use crate::git::{Attribute, IgnoreRule, Repository};

const IGNORED: Code = Code::error("file-ignored", "git ignores a policy or environment file");
const UNTRACKED: Code = Code::warning(
    "file-untracked",
    "a policy or environment file was not given to git yet",
);
const FILTERED: Code = Code::error(
    "file-filtered",
    "git attributes change a policy or environment file on its way to the repository",
);
const LINE_ENDS: Code = Code::warning(
    "line-ends-rewritten",
    "git rewrites the line ends of policy or environment files",
);

pub(super) const CHECK: Check = Check {
    name: "tracking",
    codes: &[&IGNORED, &UNTRACKED, &FILTERED, &LINE_ENDS],
    find,
};

/// Attributes under which the repository holds other bytes than the work tree.
const CHANGING: [&str; 3] = ["filter", "working-tree-encoding", "ident"];

fn find(scene: &mut Scene<'_>) -> Vec<Finding> {
    let files = [scene.policy_files(), scene.environment_files()].concat();
    let mut findings = Vec::new();
    let (mut untracked, mut rewritten) = (Vec::new(), Vec::new());
    for path in &files {
        let Some((repository, relative)) = scene.in_repository(path) else {
            continue;
        };
        if path.symlink_metadata().is_err() {
            continue;
        }
        if !repository.is_tracked(relative).unwrap_or(true) {
            match repository.is_ignored(relative) {
                Ok(true) => findings.push(ignored(scene, path, relative)),
                _ => untracked.push(path),
            }
        }
        findings.extend(filtered(scene, repository, path, relative));
        if repository.rewrites_line_ends(relative).unwrap_or(false) {
            rewritten.push(path);
        }
    }
    if let Some((first, message)) = several(scene, &untracked, "not in git yet") {
        let paths: Vec<_> = untracked.iter().map(|path| scene.here(path)).collect();
        findings.push(UNTRACKED.finding(first, message).cure(command("git add --", &paths)));
    }
    if let Some((first, message)) = several(scene, &rewritten, "rewritten by git: it changes their line ends") {
        findings.push(
            LINE_ENDS
                .finding(first, message)
                .cure(rule(scene, &rewritten, " -text")),
        );
    }
    findings
}

/// The first of these files, and a line that says of all of them that they are `what`.
fn several(scene: &Scene<'_>, paths: &[&PathBuf], what: &str) -> Option<(String, String)> {
    let (first, others) = paths.split_first()?;
    let first = scene.shown(first);
    let message = match others.len() {
        0 => format!("`{first}` is {what}"),
        1 => format!("`{first}` and 1 more file are {what}"),
        more => format!("`{first}` and {more} more files are {what}"),
    };
    Some((first, message))
}

/// The command that gives each file an attribute.
fn rule(scene: &Scene<'_>, paths: &[&PathBuf], attribute: &str) -> Option<String> {
    let root = scene.root()?;
    let relative: Option<Vec<&Path>> = paths.iter().map(|path| path.strip_prefix(root).ok()).collect();
    append_rules(scene.here(&root.join(".gitattributes")), &relative?, attribute)
}

fn ignored(scene: &Scene<'_>, path: &Path, relative: &Path) -> Finding {
    let shown = scene.shown(path);
    let rule = scene.git().and_then(|git| git.ignore_rule(relative).ok().flatten());
    let by = rule.map_or_else(String::new, |IgnoreRule { file, line, pattern }| {
        format!(" (`{}` line {line}: `{pattern}`)", file.display())
    });
    IGNORED
        .finding(&shown, format!("git ignores `{shown}`{by}, so nobody else gets it"))
        .cure(command("git add --force --", &[scene.here(path)]))
}

fn filtered(scene: &Scene<'_>, repository: &Repository, path: &Path, relative: &Path) -> Option<Finding> {
    let value = |name: &&str| match repository.attribute(relative, name).ok()? {
        Attribute::Value(value) => Some(format!("{name}={value}")),
        Attribute::Set => Some((*name).to_owned()),
        Attribute::Unset | Attribute::Unspecified => None,
    };
    let (name, attribute) = CHANGING.iter().find_map(|name| Some((name, value(name)?)))?;
    let shown = scene.shown(path);
    let renormalize = command("git add --renormalize --", &[scene.here(path)]);
    let cure = rule(scene, &[&path.to_path_buf()], &format!(" -{name}")).zip(renormalize);
    let message = format!("git commits `{shown}` changed: its attribute is `{attribute}`");
    Some(
        FILTERED
            .finding(shown, message)
            .cure(cure.map(|(rule, renormalize)| format!("{rule} && {renormalize}"))),
    )
}
