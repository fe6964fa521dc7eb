//! Git itself: whether there is a repository here, whether it can be read, and how much of its history is there.

use super::Check;
use super::finding::{Code, Finding};
use super::scene::Scene;
use crate::cure::command;

const NO_GIT: Code = Code::warning("git-missing", "there is no `git` command");
const NO_REPOSITORY: Code = Code::warning("no-repository", "the folder is in no git repository");
const BROKEN: Code = Code::error("repository-broken", "the folder's `.git` leads to no repository");
const UNREADABLE: Code = Code::warning(
    "repository-unreadable",
    "the repository is of a kind, or of an owner, that keeps its history from being read",
);
const SHALLOW: Code = Code::warning("shallow-clone", "the history here is cut: what it says is only a part");
const PARTIAL: Code = Code::warning(
    "partial-clone",
    "objects may be missing here: what history says is only a part",
);

pub(super) const CHECK: Check = Check {
    name: "git",
    codes: &[&NO_GIT, &NO_REPOSITORY, &BROKEN, &UNREADABLE, &SHALLOW, &PARTIAL],
    find,
};

fn find(scene: &mut Scene<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let has_git = scene.git().is_some();
    if !has_git {
        let finding = NO_GIT.finding("git", "the `git` command was not found; `--commit` needs it");
        findings.push(finding.hint("install git in a folder of PATH"));
    }
    let repository = match scene.repository {
        Err(failure) => {
            let finding = BROKEN.finding(".git", failure.message());
            findings.push(finding.hints(failure.hints()));
            return findings;
        }
        Ok(None) => {
            let message =
                "this folder is in no git repository: nobody reviews changes, and no history speaks for a key";
            let finding = NO_REPOSITORY.finding(".", message);
            findings.push(finding.cure(has_git.then(|| "git init".to_owned())));
            return findings;
        }
        Ok(Some(repository)) => repository,
    };
    let shown = scene.shown(repository.root());
    if let Some(reason) = repository.unreadable() {
        let finding = UNREADABLE.finding(&shown, format!("the history of `{shown}` cannot be read: {reason}"));
        let cure = match reason {
            _ if reason.contains("safe.directory") => {
                command("git config --global --add safe.directory", &[repository.root()])
            }
            _ if reason.contains("reftable") => Some("git refs migrate --ref-format=files".to_owned()),
            _ => None,
        };
        let finding = match reason.contains("reftable") {
            true => finding.hint("git before 2.49 cannot do that while there are reflogs"),
            false => finding,
        };
        findings.push(
            finding
                .cure(cure)
                .hint("values can be used; whether a key is to be trusted rests on this machine alone"),
        );
        return findings;
    }
    if repository.is_shallow() {
        let message = "the history here is cut (a shallow clone): whether a key is to be trusted cannot always be told";
        findings.push(
            SHALLOW
                .finding(&shown, message)
                .cure("git fetch --unshallow".to_owned()),
        );
    }
    if repository.is_partial() {
        let message =
            "objects are missing here (a partial clone): whether a key is to be trusted cannot always be told";
        findings.push(
            PARTIAL
                .finding(&shown, message)
                .hint("clone it again without `--filter`"),
        );
    }
    findings
}
