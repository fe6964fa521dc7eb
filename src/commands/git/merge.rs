//! `git merge`: the merge driver. Runs in the middle of git's merge, rebase, cherry-pick, revert or stash; whatever goes
//! wrong, what it leaves is the merged text or is clearly in conflict, and never one side alone.

mod surroundings;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use secretree::cure::command;
use secretree::document::lines::may_stand_raw;
use secretree::error::{Failure, Result};
use secretree::files::{Access, FILE_LIMIT, read_bounded, replace};
use secretree::merge::{Conflict, Marks, Reason, Side, conflict, line_end_of};
use secretree::vault::{MergeOutcome, MergeTexts, merge_under_one_key, merge_unopened};

use crate::context::Context;
use crate::ui::escaped;

/// The most places that are named one by one.
const MOST_NAMED: usize = 12;
/// The longest marker: git takes any number, and writes it for every conflict.
const LONGEST_MARKER: usize = 200;

/// Merge an environment file by its paths, as git's merge driver
///
/// Takes git's placeholders `%O %A %B %L %P %S %X %Y` and writes the result to the second file. Exit code 1 means that
/// something between conflict markers is left to you.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// The common ancestor's file
    #[arg(value_name = "BASE")]
    base: PathBuf,
    /// The current branch's file, which becomes the result
    #[arg(value_name = "OURS")]
    ours: PathBuf,
    /// The merged branch's file
    #[arg(value_name = "THEIRS")]
    theirs: PathBuf,
    /// The length of conflict markers
    #[arg(value_name = "SIZE")]
    size: usize,
    /// Where the file stands in the repository
    #[arg(value_name = "FILE")]
    path: PathBuf,
    /// What the three are called, in their order
    #[arg(value_name = "LABEL", num_args = 0..=3, allow_hyphen_values = true)]
    labels: Vec<OsString>,
}

impl Args {
    /// What a text is called in conflict markers. Names of branches are bytes, and so are subjects.
    fn label(&self, number: usize, otherwise: &str) -> String {
        let label = self.labels.get(number).filter(|label| !label.is_empty());
        let label = label.map_or(otherwise.into(), |label| label.to_string_lossy());
        label.chars().filter(|character| may_stand_raw(*character)).collect()
    }
}

/// Runs the command.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    let shows_base = surroundings::shows_base(context);
    let marks = Marks {
        size: args.size.clamp(1, LONGEST_MARKER),
        ours: args.label(1, "ours"),
        theirs: args.label(2, "theirs"),
        base: shows_base.then(|| args.label(0, "base")),
    };
    let texts = match read(args) {
        Ok(texts) => texts,
        // Too large for a command of ours: no side may be left alone for that.
        Err(error) => {
            context.ui.failure(&error);
            if let Some(text) = by_git(args, context, &marks) {
                replace(&args.ours, &text, Access::Shared)?;
            }
            return Ok(ExitCode::FAILURE);
        }
    };
    match merged(args, context, &texts, &marks) {
        Ok(outcome) => {
            replace(&args.ours, outcome.text.as_bytes(), Access::Shared)?;
            Ok(told(args, context, &outcome))
        }
        Err(error) => {
            context.ui.failure(&error);
            by_lines(args, context, &texts, &marks)?;
            Ok(ExitCode::FAILURE)
        }
    }
}

fn read(args: &Args) -> Result<[Vec<u8>; 3]> {
    let [base, ours, theirs] = [&args.base, &args.ours, &args.theirs].map(|file| read_bounded(file, FILE_LIMIT));
    Ok([base?, ours?, theirs?])
}

fn merged(args: &Args, context: &Context, texts: &[Vec<u8>; 3], marks: &Marks) -> Result<MergeOutcome> {
    let shown = args.path.display();
    let text = |bytes| {
        std::str::from_utf8(bytes)
            .map_err(|_| Failure::failed(format!("`{shown}` is not UTF-8 on every side")).hint("save it as UTF-8"))
    };
    let [base, ours, theirs] = texts;
    let texts = MergeTexts {
        base: text(base)?,
        ours: text(ours)?,
        theirs: text(theirs)?,
    };
    if let Some(outcome) = merge_under_one_key(texts, marks)? {
        return Ok(outcome);
    }
    // Two keys: now it matters whose policy holds and what opens here.
    let (loaded, name) = match surroundings::policy(context, &args.path) {
        Ok(found) => found,
        Err(error) => {
            let mut outcome = merge_unopened(texts, marks)?;
            if !outcome.is_clean() {
                outcome.problems.push(Failure::from(error));
            }
            return Ok(outcome);
        }
    };
    let mut vault = context.vault_that_looks(&loaded)?;
    let commits = match vault.repository() {
        Some(repository) => surroundings::merged_commits(context, repository, &args.path, &args.labels, theirs),
        None => Vec::new(),
    };
    let outcome = vault.merge(&name, texts, marks, &commits);
    context.tell(&mut vault);
    outcome
}

/// What git would have made of it, line by line; where there is no git, both sides as one conflict.
fn by_lines(args: &Args, context: &Context, texts: &[Vec<u8>; 3], marks: &Marks) -> Result<()> {
    if let Some(text) = by_git(args, context, marks) {
        return replace(&args.ours, &text, Access::Shared);
    }
    let [_, ours, theirs] = texts.each_ref().map(|text| String::from_utf8_lossy(text));
    let mut text = String::new();
    conflict(&mut text, None, &ours, &theirs, marks, line_end_of(&ours));
    replace(&args.ours, text.as_bytes(), Access::Shared)
}

/// What git makes of it, line by line; nothing where there is no git, or it takes the files for no text.
fn by_git(args: &Args, context: &Context, marks: &Marks) -> Option<Vec<u8>> {
    let by_git = context.git(context.folder()).and_then(|git| {
        let size = format!("--marker-size={}", marks.size);
        let words = [
            "merge-file",
            "-p",
            &size,
            "-L",
            &marks.ours,
            "-L",
            "base",
            "-L",
            &marks.theirs,
            "--",
        ];
        let mut words: Vec<_> = words.iter().map(std::ffi::OsStr::new).collect();
        words.extend([&args.ours, &args.base, &args.theirs].map(|file| file.as_os_str()));
        git.run(&words)
    });
    // Up to 127 it is the number of conflicts.
    let output = by_git.ok()?;
    output
        .status
        .code()
        .is_some_and(|code| code < 128)
        .then_some(output.stdout)
}

/// Says what was done and what is left; the exit code for git.
fn told(args: &Args, context: &Context, outcome: &MergeOutcome) -> ExitCode {
    for note in &outcome.notes {
        context.ui.note(&escaped(note));
    }
    if outcome.is_clean() {
        return ExitCode::SUCCESS;
    }
    let shown = args.path.display();
    for conflict in outcome.conflicts.iter().take(MOST_NAMED) {
        context.ui.warning(&format!("`{shown}`: {}", said(conflict)));
    }
    if let Some(more) = outcome.conflicts.len().checked_sub(MOST_NAMED).filter(|more| *more > 0) {
        context.ui.warning(&format!("`{shown}`: and {more} places more"));
    }
    for problem in &outcome.problems {
        context.ui.failure(&anyhow::Error::from(problem.clone()));
    }
    let then = match command("git add --", &[&args.path]) {
        Some(add) => format!("then: {add}"),
        None => "then `git add` it".to_owned(),
    };
    context.ui.note(&escaped(&format!(
        "hint: keep one side between the markers in {shown}, {then}"
    )));
    ExitCode::FAILURE
}

/// What keeps one place from being merged.
fn said(conflict: &Conflict) -> String {
    let path = &conflict.path;
    let whose = |side| match side {
        Side::Ours => "our side",
        Side::Theirs => "their side",
    };
    match conflict.reason {
        Reason::Both => format!("`{path}` has another value on each side"),
        Reason::Removed(side) => {
            format!(
                "`{path}` was removed on {} and changed on {}",
                whose(side),
                whose(side.opposite())
            )
        }
        Reason::Doubted(side) => format!(
            "`{path}` stands under a key on {} that cannot be taken over",
            whose(side)
        ),
        Reason::List => format!("both sides changed the items of `{path}`, which are known by their numbers only"),
        Reason::Comment if path.segments().is_empty() => "both sides changed the comment at the end".to_owned(),
        Reason::Comment => format!("both sides changed the comment at `{path}`"),
        Reason::Layout => {
            "the two sides are laid out so differently that they cannot be joined place by place".to_owned()
        }
    }
}

/// The folder that the policy of a file is looked for in: the nearest that exists.
fn nearest_folder(root: &Path, file: &Path) -> PathBuf {
    let folders = file.ancestors().skip(1).map(|folder| root.join(folder));
    folders
        .into_iter()
        .find(|folder| folder.is_dir())
        .unwrap_or_else(|| root.to_path_buf())
}
