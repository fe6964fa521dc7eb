//! Values that stand readable where a token stood: a changed `plaintext` pattern does not make an encrypted value readable,
//! that needs `unset` and `set` (FORMAT, Text 4). Otherwise whoever may push could put a value of their own in the place of
//! one that was vouched for.

use std::collections::HashSet;
use std::path::Path;

use super::past::Origin;
use super::past_files::past_files;
use super::{EnvironmentFile, Reading, Rulebook, Vault};
use crate::document::path::ValuePath;
use crate::document::token::is_token;
use crate::document::tree::{Located, Rules, Tree};
use crate::error::{Failure, Result};
use crate::git::{BlobId, CommitId, Repository};

/// What stands at a path in one version of the file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Absent,
    Token,
    Readable,
}

impl Vault<'_> {
    /// Fails if a value stands readable whose token was replaced by it, in the work tree or in the history behind HEAD that
    /// was not looked at yet.
    pub(super) fn refuse_made_readable(&self, rules: Rulebook<'_>, reading: &Reading<'_>) -> Result<()> {
        let mut readable = HashSet::new();
        reading.tree.visit(&mut |trail, scalar| {
            if !is_token(&scalar.content) {
                readable.insert(trail.to_path());
            }
        });
        // Most environments have no readable value, and nothing is asked of git for them.
        if readable.is_empty() {
            return Ok(());
        }
        let Some((repository, prefix)) = self.inside() else {
            return Ok(());
        };
        if let Some(at) = self.at {
            let found = past_files(repository, Some(at.commit), None, prefix, rules.environment)?;
            return found
                .files
                .iter()
                .try_for_each(|file| search(repository, file, at.commit, None, readable.clone(), rules));
        }
        let Some(head) = repository.head()? else {
            return Ok(());
        };
        let file = prefix.join(&rules.environment.file);
        let committed = states(repository, repository.blob_id_at(head, &file)?, &readable)?;
        if let Some(path) = committed
            .into_iter()
            .find_map(|(path, state)| (state == State::Token).then_some(path))
        {
            return Err(made_readable(rules, &path, None));
        }
        let checked = self.trust.known(&self.loaded.policy.id, &rules.environment.name);
        let checked = checked.and_then(|known| CommitId::new(&known.checked.as_ref()?.head));
        if checked == Some(head) {
            return Ok(());
        }
        search(repository, &file, head, checked, readable, rules)
    }

    /// Fails if the last commit has a token at one of `paths`, where a value is about to be written readable: the removal
    /// has to be committed first, or nobody could tell it from an attack.
    ///
    /// # Errors
    /// `Failed`, with what to type.
    pub fn refuse_readable_over_token(&self, file: &EnvironmentFile, paths: &[ValuePath]) -> Result<()> {
        if paths.is_empty() {
            return Ok(());
        }
        let Some(text) = self.committed_text(file) else {
            return Ok(());
        };
        let Ok(tree) = Tree::parse(&text, Rules::File) else {
            return Ok(());
        };
        let is_sealed =
            |path: &&ValuePath| matches!(tree.node(path), Some(Located::Scalar(scalar)) if is_token(&scalar.content));
        match paths.iter().find(is_sealed) {
            None => Ok(()),
            Some(path) => {
                let name = &file.name;
                let message = format!("the last commit has an encrypted value at `{name}:{path}`");
                let hint = format!("commit its removal first: git commit -- {}", file.relative.display());
                Err(Failure::failed(message).hint(hint).into())
            }
        }
    }
}

/// Walks the file's changes, newest first, and follows each readable path back to where it appeared.
fn search(
    repository: &Repository,
    file: &Path,
    head: CommitId,
    checked: Option<CommitId>,
    mut readable: HashSet<ValuePath>,
    rules: Rulebook<'_>,
) -> Result<()> {
    for change in repository.changes(&[file], &[head], checked.as_slice())? {
        if readable.is_empty() {
            break;
        }
        let change = change?;
        let mut before = Vec::new();
        for blob in &change.before {
            before.push(states(repository, *blob, &readable)?);
        }
        for (path, after) in states(repository, change.blob, &readable)? {
            let was = |state| {
                before
                    .iter()
                    .flatten()
                    .any(|(other, found)| *other == path && *found == state)
            };
            if after != State::Readable || was(State::Readable) {
                continue;
            }
            if was(State::Token) {
                let (author, _, time) = change.author();
                let origin = Origin {
                    commit: Some(change.commit.to_string()),
                    author,
                    time,
                };
                return Err(made_readable(rules, &path, Some(&origin)));
            }
            readable.remove(&path);
        }
    }
    Ok(())
}

/// What stands at each of `paths` in the file `blob`.
fn states(
    repository: &Repository,
    blob: Option<BlobId>,
    paths: &HashSet<ValuePath>,
) -> Result<Vec<(ValuePath, State)>> {
    let bytes = match blob {
        Some(blob) => repository.blob(blob)?,
        None => None,
    };
    let Some(Ok(text)) = bytes.map(String::from_utf8) else {
        return Ok(Vec::new());
    };
    let Ok(tree) = Tree::parse(&text, Rules::File) else {
        return Ok(Vec::new());
    };
    let state = |path: &ValuePath| match tree.node(path) {
        Some(Located::Scalar(scalar)) if is_token(&scalar.content) => State::Token,
        Some(Located::Scalar(_)) => State::Readable,
        _ => State::Absent,
    };
    Ok(paths.iter().map(|path| (path.clone(), state(path))).collect())
}

fn made_readable(rules: Rulebook<'_>, path: &ValuePath, origin: Option<&Origin>) -> anyhow::Error {
    let (name, file) = (&rules.environment.name, rules.environment.file.display());
    let origin = origin.map_or_else(|| "not committed yet".to_owned(), Origin::shown);
    Failure::integrity(format!(
        "`{name}:{path}` stands readable where a token stood ({origin})"
    ))
    .hint(format!("put the token back: git log -p -- {file}"))
    .hint(format!(
        "a value is made readable by secretree unset {name} '{path}', a commit, and secretree set"
    ))
    .into()
}
