//! `git pre-commit`: the hook. Says what must not be committed and how to put it right, and stops the commit.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use secretree::error::{Failure, FailureKind, Result};
use secretree::finding::{Finding, Severity};
use secretree::hooks::{Standpoint, examine_staged};
use serde::Serialize;

use crate::context::Context;
use crate::ui::finding_lines;

/// The most findings that are shown.
const MOST_SHOWN: usize = 50;

/// Stop a commit that holds a plaintext value or a broken file
///
/// Looks at what is staged, not at the work tree: environment files that the commit changes, under the policy
/// that the commit will have. Needs no key, and prints no value. Ends with 3 if it finds something, which
/// stops the commit; `git commit --no-verify` goes past it.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
With --json: {\"findings\": [{\"severity\", \"code\", \"environment\", \"path\", \"file\", \"line\", \"message\", \"cure\",
\"hints\": [text]}]}; what is not known is null.

Examples:
  secretree git pre-commit
  secretree git pre-commit secrets/dev.yaml"
)]
pub(crate) struct Args {
    /// Look at these too, although the commit does not change them
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// The shape of `--json`.
#[derive(Serialize)]
struct Report<'f> {
    findings: Vec<Shown<'f>>,
}

/// One finding.
#[derive(Serialize)]
struct Shown<'f> {
    severity: &'static str,
    code: &'static str,
    environment: Option<&'f str>,
    path: Option<String>,
    file: Option<String>,
    line: Option<usize>,
    message: &'f str,
    cure: Option<&'f str>,
    hints: &'f [String],
}

/// Runs the command.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    let Some(repository) = context.repository()? else {
        return Err(Failure::failed("this folder is in no git repository")
            .hint("git init")
            .into());
    };
    let root = repository.root();
    let here = secretree::files::real_path(context.folder())?;
    let standpoint = Standpoint {
        also: args
            .files
            .iter()
            .filter_map(|file| relative(&here.join(file), root))
            .collect(),
        folder: persons_folder(context, root, here),
    };
    let findings = examine_staged(&repository, &context.git(root)?, &standpoint)?;
    if context.ui.wants_json() {
        context.ui.json(&Report {
            findings: findings.iter().map(shown).collect(),
        })?;
    } else {
        report(context, &findings)?;
    }
    match findings.iter().any(|finding| finding.code.severity == Severity::Error) {
        true => Ok(ExitCode::from(FailureKind::Findings.exit_code())),
        false => Ok(ExitCode::SUCCESS),
    }
}

/// Where the person typed `git commit`: git starts hooks at the top, and says so.
fn persons_folder(context: &Context, root: &Path, here: PathBuf) -> PathBuf {
    match context.variables.get("GIT_PREFIX").filter(|prefix| !prefix.is_empty()) {
        Some(prefix) if here == root => root.join(prefix).components().collect(),
        _ => here,
    }
}

/// The file as git names it; nothing if it is elsewhere.
fn relative(file: &Path, root: &Path) -> Option<PathBuf> {
    let folder = secretree::files::real_path(file.parent()?).ok()?;
    let inside = folder.strip_prefix(root).ok()?;
    Some(inside.join(file.file_name()?))
}

fn report(context: &Context, findings: &[Finding]) -> Result<()> {
    if findings.is_empty() {
        return Ok(());
    }
    let shown = &findings[..findings.len().min(MOST_SHOWN)];
    context.ui.data(finding_lines(shown).as_bytes())?;
    let (all, more) = (findings.len(), findings.len() - shown.len());
    if more > 0 {
        context.ui.note(&format!("and {more} more"));
    }
    context.ui.note(match all {
        1 => "this must not be committed as it is staged",
        _ => "these must not be committed as they are staged",
    });
    Ok(())
}

fn shown(finding: &Finding) -> Shown<'_> {
    let place = &finding.place;
    Shown {
        severity: finding.code.severity.name(),
        code: finding.code.name,
        environment: place.environment.as_ref().map(|name| name.as_str()),
        path: place.path.as_ref().map(ToString::to_string),
        file: place.file.as_ref().map(|file| file.display().to_string()),
        line: place.line,
        message: &finding.message,
        cure: finding.cure.as_deref(),
        hints: &finding.hints,
    }
}
