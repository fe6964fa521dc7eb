//! What is left to do about the file that values came from: it still holds them, and git may hold them for ever.

use std::path::Path;

use secretree::error::{Failure, Result};
use secretree::files::real_path;
use secretree::git::{HookVariables, Repository};

use crate::context::Context;
use crate::ui::escaped;

/// What a file holds that others must not have.
#[derive(Clone, Copy)]
pub(super) enum Holds {
    /// Values as they are.
    Values,
    /// Private keys that open values elsewhere.
    Keys,
}

impl Holds {
    fn name(self) -> &'static str {
        match self {
            Self::Values => "the values",
            Self::Keys => "the private keys",
        }
    }

    /// Completes a line on what is in history.
    fn lost(self) -> &'static str {
        match self {
            Self::Values => "so are its values",
            Self::Keys => "whoever has that opens every value of these keys",
        }
    }
}

/// Says whether git has the file, since when, and what to type next. Nothing for standard input and pipes. What cannot
/// be found out is said and is no failure: the values are in their environment by now.
pub(super) fn say(context: &Context, file: &Path, holds: Holds) {
    if !file.is_file() {
        return;
    }
    let (shown, typed) = (file.display(), typed(file));
    let traces = traces(file);
    match &traces {
        Traces::Known(Known { since: Some(since), .. }) => {
            let since = format!("{}{}", since.commit, if since.at_least { " at least" } else { "" });
            context.ui.warning(&format!(
                "`{shown}` is in git's history since {since}, and {}: make new ones (rotate)",
                holds.lost()
            ));
        }
        Traces::Known(Known { complete: false, .. }) => context.ui.warning(&format!(
            "`{shown}` may be in git's history, of which this clone has a part only; where it is whole: git log --all -- \
             {typed}"
        )),
        Traces::Unknown(reason) => context.ui.warning(&format!(
            "whether git has `{shown}` is not seen here ({reason}); look with git log --all -- {typed}"
        )),
        Traces::Known(_) | Traces::Outside => {}
    }
    let held = holds.name();
    let next = match &traces {
        Traces::Known(known) if known.tracked => {
            format!("next: git rm --cached {typed}, put it into .gitignore, and delete it")
        }
        Traces::Unknown(_) => {
            format!("next: git rm --cached --ignore-unmatch {typed}, put it into .gitignore, and delete it")
        }
        Traces::Known(known) if !known.ignored => {
            format!("next: delete `{shown}`, which still holds {held}, or put it into .gitignore")
        }
        Traces::Known(_) | Traces::Outside => format!("next: delete `{shown}`, which still holds {held}"),
    };
    context.ui.note(&escaped(&next));
}

/// The path as a word of a shell.
fn typed(file: &Path) -> String {
    let text = file.display().to_string();
    shlex::try_quote(&text).map_or_else(|_| format!("'{text}'"), |quoted| quoted.into_owned())
}

/// What git has of a file.
enum Traces {
    /// No repository is around it.
    Outside,
    /// One is, and cannot be looked into: why, as the end of a line.
    Unknown(String),
    Known(Known),
}

struct Known {
    ignored: bool,
    tracked: bool,
    /// Whether all of history was seen.
    complete: bool,
    since: Option<Since>,
}

/// The oldest commit that has the file.
struct Since {
    /// Shortened.
    commit: String,
    /// Whether it may be older than that.
    at_least: bool,
}

fn traces(file: &Path) -> Traces {
    known(file).unwrap_or_else(|error| Traces::Unknown(Failure::from(error).message().to_owned()))
}

fn known(file: &Path) -> Result<Traces> {
    let file = real_path(file)?;
    let Some(folder) = file.parent() else {
        return Ok(Traces::Outside);
    };
    let Some(repository) = Repository::discover(folder, &HookVariables::default())? else {
        return Ok(Traces::Outside);
    };
    if let Some(reason) = repository.unreadable() {
        return Ok(Traces::Unknown(reason.to_owned()));
    }
    let Ok(relative) = file.strip_prefix(repository.root()) else {
        return Ok(Traces::Outside);
    };
    // All branches: what is on one of them is in every clone.
    let mut changes = repository.changes(&[relative], &repository.tips()?, &[])?;
    let mut since = None;
    for change in changes.by_ref() {
        let change = change?;
        // Newest first, so the last one found is the oldest.
        if change.blob.is_some() {
            since = Some(Since {
                commit: change.commit.to_string()[..8].to_owned(),
                at_least: change.at_least,
            });
        }
    }
    let complete = changes.is_complete() && !repository.is_shallow();
    if let Some(since) = &mut since {
        since.at_least |= !complete;
    }
    Ok(Traces::Known(Known {
        ignored: repository.is_ignored(relative)?,
        tracked: repository.is_tracked(relative)?,
        complete,
        since,
    }))
}
