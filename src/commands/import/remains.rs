//! What is left to do about the file that values came from: it still holds them, and git may hold them for ever.

use std::path::Path;

use secretree::error::Result;
use secretree::files::real_path;
use secretree::git::{HookVariables, Repository};

use crate::context::Context;
use crate::ui::escaped;

/// Says whether git has the file, since when, and what to type next. Nothing for standard input and pipes.
pub(super) fn say(context: &Context, file: &Path) -> Result<()> {
    if !file.is_file() {
        return Ok(());
    }
    let shown = file.display();
    let traces = traces(file)?.unwrap_or_default();
    if let Some(commit) = &traces.since {
        context.ui.warning(&format!(
            "`{shown}` is in git's history since {commit}, and so are its values: make new ones (rotate)"
        ));
    }
    let next = if traces.tracked {
        format!("next: git rm --cached '{shown}', put it into .gitignore, and delete it")
    } else if traces.inside && !traces.ignored {
        format!("next: delete `{shown}`, which still holds the values, or put it into .gitignore")
    } else {
        format!("next: delete `{shown}`, which still holds the values")
    };
    context.ui.note(&escaped(&next));
    Ok(())
}

/// What git has of a file.
#[derive(Default)]
struct Traces {
    /// Whether a repository is around it.
    inside: bool,
    ignored: bool,
    tracked: bool,
    /// The first commit that has it, shortened.
    since: Option<String>,
}

fn traces(file: &Path) -> Result<Option<Traces>> {
    let file = real_path(file)?;
    let Some(folder) = file.parent() else { return Ok(None) };
    let repository = Repository::discover(folder, &HookVariables::default())?;
    let Some(repository) = repository.filter(|repository| repository.unreadable().is_none()) else {
        return Ok(None);
    };
    let Ok(relative) = file.strip_prefix(repository.root()) else {
        return Ok(None);
    };
    let mut since = None;
    if let Some(head) = repository.head()? {
        for change in repository.changes(&[relative], &[head], &[])? {
            let change = change?;
            // Newest first, so the last one found is the oldest.
            if change.blob.is_some() {
                since = Some(change.commit.to_string()[..8].to_owned());
            }
        }
    }
    Ok(Some(Traces {
        inside: true,
        ignored: repository.is_ignored(relative)?,
        tracked: repository.is_tracked(relative)?,
        since,
    }))
}
