//! Whether the commits since a known one were made by those who may: each file of the policy or of an environment that a
//! commit changed against all of its parents is judged by the policies of those parents, never by its own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::signatures::Verifier;
use crate::checks::{Change, Proof, examine_change};
use crate::crypto::proposal::ProposalLabel;
use crate::document::tree::{Rules, Tree};
use crate::error::Result;
use crate::files::PrivateFolder;
use crate::finding::{Finding, Place};
use crate::git::{BlobId, Commit, CommitId, Git, Repository};
use crate::history::{PolicyState, Revision};
use crate::names::{EnvironmentName, RecipientName};
use crate::policy::{POLICY_NAME, People, Policy};
use crate::vault::footer::Footer;
use crate::when;

/// What signatures are verified with.
#[derive(Clone, Copy)]
pub struct Since<'a> {
    /// The commit up to which everything is believed.
    pub commit: CommitId,
    /// The `git` command.
    pub git: &'a Git,
    /// A folder that is this user's alone.
    pub folder: &'a PrivateFolder,
}

/// What is wrong with the commits behind `HEAD` that are not behind the known one. `root_folder` is the root policy's
/// folder, relative to the top of the repository.
pub(super) fn judge(repository: &Repository, root_folder: &Path, since: Since<'_>) -> Result<Vec<Finding>> {
    let Some(head) = repository.head()? else {
        return Ok(Vec::new());
    };
    let mut court = Court {
        repository,
        root_folder,
        verifier: Verifier::new(since.git, since.folder),
        revisions: BTreeMap::new(),
    };
    let mut findings = Vec::new();
    for commit in repository.commits_between(since.commit, head)? {
        findings.extend(court.findings(commit)?);
    }
    Ok(findings)
}

struct Court<'a> {
    repository: &'a Repository,
    root_folder: &'a Path,
    verifier: Verifier<'a>,
    revisions: BTreeMap<CommitId, Arc<Revision>>,
}

/// A file that a commit changed.
struct Changed {
    file: PathBuf,
    /// The environment; nothing for a policy.
    environment: Option<EnvironmentName>,
}

impl Court<'_> {
    fn findings(&mut self, id: CommitId) -> Result<Vec<Finding>> {
        let commit = self.repository.commit(id)?;
        let own = self.revision(id)?;
        let mut parents = Vec::with_capacity(commit.parents.len());
        for parent in &commit.parents {
            parents.push(self.revision(*parent)?);
        }
        let changed = self.changed(&own, &parents)?;
        if changed.is_empty() {
            return Ok(Vec::new());
        }
        let (proof, key) = self.proof(&commit, &parents)?;
        let shown = format!(
            "commit {} of {}, {},",
            &id.to_string()[..8],
            commit.author_name,
            when::date_text(commit.time)
        );
        let changes = changed.into_iter().map(|changed| Change {
            what: match &changed.environment {
                Some(environment) => format!("`{environment}`"),
                None => format!("the policy (`{}`)", changed.file.display()),
            },
            permitted: key
                .as_ref()
                .is_some_and(|key| is_permitted(&parents, key, changed.environment.as_ref())),
            authorised: authorised(&parents, changed.environment.as_ref()),
            place: Place {
                environment: changed.environment,
                ..Place::of_file(changed.file)
            },
            commit: shown.clone(),
            proof: proof.clone(),
        });
        Ok(changes.flat_map(|change| examine_change(&change)).collect())
    }

    fn revision(&mut self, commit: CommitId) -> Result<Arc<Revision>> {
        if let Some(known) = self.revisions.get(&commit) {
            return Ok(Arc::clone(known));
        }
        let revision = Arc::new(Revision::read(self.repository, self.root_folder, commit)?);
        self.revisions.insert(commit, Arc::clone(&revision));
        Ok(revision)
    }

    /// The files of policy and environments that are other than in every parent. What only proposes values is nobody's
    /// right to forbid.
    fn changed(&self, own: &Revision, parents: &[Arc<Revision>]) -> Result<Vec<Changed>> {
        let all = || parents.iter().map(|parent| &**parent).chain([own]);
        let mut files: BTreeMap<PathBuf, Option<EnvironmentName>> = BTreeMap::new();
        for revision in all() {
            for (name, (file, _)) in &revision.environments {
                files.insert(file.clone(), Some(name.clone()));
            }
        }
        for revision in all() {
            let folders = revision.policy.sound().map(|policy| policy.files.as_slice());
            let folders = folders.unwrap_or_default().iter().map(|(folder, _)| folder.as_path());
            for folder in folders.chain([Path::new("")]) {
                files.insert(self.root_folder.join(folder).join(POLICY_NAME), None);
            }
        }
        let mut changed = Vec::new();
        for (file, environment) in files {
            let now = self.repository.blob_id_at(own.commit, &file)?;
            let mut before = Vec::with_capacity(parents.len());
            for parent in parents {
                before.push(self.repository.blob_id_at(parent.commit, &file)?);
            }
            let is_changed = before.iter().all(|blob| *blob != now) && (now.is_some() || !before.is_empty());
            if is_changed && !(environment.is_some() && self.only_proposes(now, &before)?) {
                changed.push(Changed { file, environment });
            }
        }
        Ok(changed)
    }

    /// Whether the file is that of one parent with proposals more, and nothing else.
    fn only_proposes(&self, now: Option<BlobId>, before: &[Option<BlobId>]) -> Result<bool> {
        let text = |blob: Option<BlobId>| -> Result<Option<String>> {
            let bytes = blob.map(|blob| self.repository.blob(blob)).transpose()?.flatten();
            Ok(bytes.and_then(|bytes| String::from_utf8(bytes).ok()))
        };
        let Some(after) = text(now)? else {
            return Ok(false);
        };
        for blob in before {
            if text(*blob)?.is_some_and(|parent| adds_proposals_alone(&parent, &after)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn proof(&mut self, commit: &Commit, parents: &[Arc<Revision>]) -> Result<(Proof, Option<String>)> {
        if parents.is_empty() {
            return Ok((Proof::Rootless, None));
        }
        if parents.iter().any(|parent| parent.policy.sound().is_none()) {
            return Ok((Proof::Unjudged, None));
        }
        if !commit.signed {
            return Ok((Proof::Unsigned, None));
        }
        let people = || {
            parents
                .iter()
                .filter_map(|parent| parent.policy.sound())
                .map(|policy| &policy.people)
        };
        let keys: BTreeSet<String> = people()
            .flat_map(|people| people.recipients())
            .flat_map(|recipient| recipient.signing_keys.iter().cloned())
            .collect();
        let Some(key) = self.verifier.signer(commit.id, &keys)? else {
            return Ok((Proof::Unknown, None));
        };
        let owners = people().filter_map(|people| owner(people, &key)).cloned();
        Ok((Proof::Signed(owners.collect()), Some(key)))
    }
}

/// Whether `after` is `before` with proposals more. What stands beside them, in the footer too, is not theirs to change.
fn adds_proposals_alone(before: &str, after: &str) -> bool {
    let (Some(old), Some(new)) = (parts(before), parts(after)) else {
        return false;
    };
    let kept = |(label, file): (&_, &String)| new.proposals.get(label) == Some(file);
    old.rest == new.rest && old.proposals.len() < new.proposals.len() && old.proposals.iter().all(kept)
}

/// A file, apart from its proposals.
struct Parts<'t> {
    /// What stands before the footer, the footer without proposals, and what stands behind it.
    rest: (&'t str, Footer, &'t str),
    proposals: BTreeMap<ProposalLabel, String>,
}

fn parts(text: &str) -> Option<Parts<'_>> {
    let tree = Tree::parse(text, Rules::File).ok()?;
    let mut footer = Footer::read(&tree.footer.as_ref()?.entry).ok()?;
    let proposals = std::mem::take(&mut footer.proposals);
    let end = tree.footer_end().unwrap_or(text.len());
    Some(Parts {
        rest: (tree.body(), footer, &text[end..]),
        proposals,
    })
}

/// Whose signing key it is.
fn owner<'p>(people: &'p People, key: &String) -> Option<&'p RecipientName> {
    let mut all = people.recipients().iter();
    all.find(|recipient| recipient.signing_keys.contains(key))
        .map(|owner| &owner.name)
}

/// Whether the policy of every parent gives the key to somebody whom it lets make the change. A name alone says nothing:
/// the policy of a branch may give it to another key.
fn is_permitted(parents: &[Arc<Revision>], key: &String, environment: Option<&EnvironmentName>) -> bool {
    let permits = |parent: &Arc<Revision>| {
        let Some(policy) = parent.policy.sound() else {
            return false;
        };
        owner(&policy.people, key).is_some_and(|owner| may_change(policy, environment).contains(owner))
    };
    !parents.is_empty() && parents.iter().all(permits)
}

/// Who may change an environment, or the policy: an environment that comes into it with this commit is a part of it.
fn may_change<'p>(policy: &'p Policy, environment: Option<&EnvironmentName>) -> BTreeSet<&'p RecipientName> {
    match environment.and_then(|name| policy.environment(name)) {
        Some(environment) => policy.writers(environment),
        None => policy.maintainers(),
    }
}

/// Whose signature counts for a change: those whom every parent's policy lets make it.
fn authorised(parents: &[Arc<Revision>], environment: Option<&EnvironmentName>) -> BTreeSet<RecipientName> {
    let may =
        |policy: &Policy| -> BTreeSet<RecipientName> { may_change(policy, environment).into_iter().cloned().collect() };
    let policies = parents.iter().filter_map(|parent| match &parent.policy {
        PolicyState::Sound(policy) => Some(may(policy)),
        PolicyState::Absent | PolicyState::Malformed(_) => None,
    });
    policies
        .reduce(|all, next| all.intersection(&next).cloned().collect())
        .unwrap_or_default()
}
