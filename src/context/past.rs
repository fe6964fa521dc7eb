//! `--at REV`: which commit is meant, the policy that held in it, and a vault over it. What was wrong then is said with the
//! commit's name, because hints of the present do not mend the past.

use std::path::PathBuf;
use std::sync::Arc;

use secretree::error::{Failure, FailureKind, Result};
use secretree::files::real_path;
use secretree::git::{CommitId, Repository};
use secretree::history::{PolicyState, Revision};
use secretree::names::EnvironmentName;
use secretree::policy::{LoadedPolicy, POLICY_NAME, Reach};
use secretree::vault::{At, Vault};
use secretree::when::{date_text, end_of, parse_date};

use super::Context;
use crate::ui::{ClosedPipe, escaped};

/// A commit that somebody named, and what held in it.
pub(crate) struct Past {
    /// What was typed.
    revision: String,
    commit: CommitId,
    /// The policy of the work tree.
    now: LoadedPolicy,
    /// The policy of the commit.
    then: LoadedPolicy,
    start: PathBuf,
}

impl Context {
    /// The commit that `revision` means: anything that git resolves, or a day (`2026-01-31`): how the branch stood at its end,
    /// in UTC. Which one it is, is said. Failure: there is none.
    pub(crate) fn revision(&self, repository: &Repository, revision: &str) -> Result<CommitId> {
        let resolved = repository.resolve(revision);
        let (commit, by_day) = match (resolved, parse_date(revision)) {
            (Ok(commit), _) => (commit, false),
            (Err(error), None) => {
                let message = Failure::from(error).message().to_owned();
                refuse_without_commit(repository)?;
                let hint = "a commit, a branch, a tag, or a day such as 2026-01-31: git log --oneline";
                return Err(what_is_missing(repository, Failure::failed(message).hint(hint).into()));
            }
            (Err(_), Some(day)) => {
                refuse_without_commit(repository)?;
                let stood = repository.head()?.map(|head| repository.last_before(head, end_of(day)));
                match stood.transpose()?.flatten() {
                    Some(commit) => (commit, true),
                    None => {
                        let none = Failure::failed(format!("there was no commit here yet on {revision}"));
                        let hint = "the first one: git log --reverse --format='%h %cs %s'";
                        return Err(what_is_missing(repository, none.hint(hint).into()));
                    }
                }
            }
        };
        let found = repository.commit(commit)?;
        let told = format!(
            "`{revision}` is commit {} of {}, {}: {}",
            short(commit),
            found.author_name,
            date_text(found.time),
            found.subject
        );
        match by_day {
            true => self.ui.note(&escaped(&format!("note: {told}"))),
            false => self.ui.detail(&escaped(&told)),
        }
        Ok(commit)
    }

    /// The commit that `--at` names and the policy in it. Failure: no history, no such commit, no policy in it.
    pub(crate) fn past(&self, revision: &str) -> Result<Past> {
        let commit = self.revision(&self.readable_history()?, revision)?;
        self.past_at(revision, commit)
    }

    /// The policy in `commit`, which was named by `revision`. Failure: there is none.
    pub(crate) fn past_at(&self, revision: &str, commit: CommitId) -> Result<Past> {
        let now = self.policy(Reach::Near)?;
        let repository = self.readable_history()?;
        let root = real_path(&now.root_folder)?;
        let folder = root.strip_prefix(repository.root()).map_err(|_| {
            Failure::failed("the policy stands outside of the repository").hint("work inside the repository")
        })?;
        let policy = match Revision::read(&repository, folder, commit)?.policy {
            PolicyState::Sound(policy) => Arc::unwrap_or_clone(policy),
            PolicyState::Malformed(why) => {
                let at = folder.join(POLICY_NAME);
                let hint = format!("see it: git show {}:{}", short(commit), at.display());
                return Err(in_revision(revision, Failure::failed(&*why).hint(hint).into()));
            }
            PolicyState::Absent => {
                let at = folder.join(POLICY_NAME);
                let hint = format!("see where it came from: git log --oneline -- ':/{}'", at.display());
                let absent = Failure::failed(format!("there was no `{}`", at.display())).hint(hint);
                return Err(in_revision(revision, absent.into()));
            }
        };
        let then = LoadedPolicy {
            root_folder: now.root_folder.clone(),
            policy,
            reach: Reach::Everything,
        };
        Ok(Past {
            revision: revision.to_owned(),
            commit,
            now,
            then,
            start: real_path(self.folder())?,
        })
    }

    /// The repository, when its history can be read. Failure, with the way round: it cannot.
    pub(crate) fn readable_history(&self) -> Result<Repository> {
        let Some(repository) = self.repository()? else {
            return Err(Failure::failed("there is no git history here")
                .hint("work inside a clone of the repository")
                .into());
        };
        match repository.unreadable() {
            None => Ok(repository),
            Some(cause) => Err(Failure::failed(format!("the history here cannot be read: {cause}"))
                .hint("git worktree add ../then REV, and read the values there: secretree -C ../then …")
                .into()),
        }
    }

    /// A vault over the commit: for reading only.
    pub(crate) fn past_vault<'p>(&self, past: &'p Past) -> Result<Vault<'p>> {
        let vault = self.vault_over(&past.then, &past.now)?;
        Ok(vault.at(At {
            commit: past.commit,
            now: &past.now,
        }))
    }
}

impl Past {
    /// The policy that holds now.
    pub(crate) fn now(&self) -> &LoadedPolicy {
        &self.now
    }

    /// The environment of that commit which is meant by `text`, or by nothing.
    pub(crate) fn environment(&self, text: Option<&str>) -> Result<EnvironmentName> {
        let Some(text) = text else {
            return match self.then.default_environment(&self.start)? {
                Some(name) => Ok(name),
                None => Err(Failure::failed("the policy had no `default_environment`")
                    .hint(format!("name one of {}", self.names()))
                    .into()),
            };
        };
        self.then
            .resolve_environment(text, &self.start, None)
            .map_err(|error| match self.other_name(text) {
                Some(other) => Failure::failed(format!("`{text}` is no environment"))
                    .hint(format!("its file was the one of `{other}` then"))
                    .into(),
                None => error,
            })
    }

    /// The environment whose file in that commit is the one of `text` now.
    fn other_name(&self, text: &str) -> Option<&EnvironmentName> {
        let now = self.now.resolve_environment(text, &self.start, None).ok()?;
        let file = &self.now.policy.environment(&now)?.file;
        self.then.policy.environment_of_file(file).map(|other| &other.name)
    }

    fn names(&self) -> String {
        let names = self.then.policy.environments.keys().map(EnvironmentName::as_str);
        names.take(12).collect::<Vec<_>>().join(", ")
    }

    /// The option that names the commit, as it is typed again.
    pub(crate) fn option(&self) -> String {
        let quoted = shlex::try_quote(&self.revision).unwrap_or_default();
        format!("--at {quoted}")
    }

    /// The same failure, with the commit that it is about.
    pub(crate) fn explained(&self, error: anyhow::Error) -> anyhow::Error {
        if error.is::<ClosedPipe>() {
            return error;
        }
        in_revision(&self.revision, error)
    }
}

/// A failure of a commit. What would be typed against the same failure of the work tree is left out.
fn in_revision(revision: &str, error: anyhow::Error) -> anyhow::Error {
    let failure = Failure::from(error);
    let mends = |hint: &&String| {
        let mends_the_present = [
            "secretree encrypt",
            "secretree apply",
            "secretree trust",
            "secretree unset",
        ];
        failure.kind() == FailureKind::Usage || !mends_the_present.iter().any(|verb| hint.contains(verb))
    };
    let message = format!("in `{revision}`: {}", failure.message());
    let explained = Failure::new(failure.kind(), message);
    let hints = failure.hints().iter().filter(mends);
    hints.fold(explained, |failure, hint| failure.hint(hint)).into()
}

/// Before the first commit no revision names one.
fn refuse_without_commit(repository: &Repository) -> Result<()> {
    match repository.head()? {
        Some(_) => Ok(()),
        None => Err(Failure::failed("nothing is committed here yet")
            .hint("what there is: secretree diff")
            .into()),
    }
}

/// In a clone that ends early, the commit may be among those that it lacks.
fn what_is_missing(repository: &Repository, error: anyhow::Error) -> anyhow::Error {
    if !repository.is_shallow() {
        return error;
    }
    let message = Failure::from(error).message().to_owned();
    Failure::failed(format!("{message}: this clone is shallow"))
        .hint("git fetch --unshallow")
        .into()
}

fn short(commit: CommitId) -> String {
    commit.to_string()[..8].to_owned()
}
