//! `check`: whether the repository's policy and environments are what they should be. Gathers what the library may not look
//! at, and shows what it found in the format that was asked for.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::civil::Date;
use secretree::checks::{RULES, rule};
use secretree::error::{Failure, FailureKind, Result};
use secretree::files::PrivateFolder;
use secretree::finding::Severity;
use secretree::git::{CommitId, Git, Repository};
use secretree::inspection::{Order, Since, broken_policy, inspect, inspect_staged};
use secretree::names::{EnvironmentName, did_you_mean};
use secretree::policy::{POLICY_NAME, Reach};
use secretree::report::{self, Report};
use secretree::when;

use crate::context::{Context, Place};
use crate::ui::{Meter, escaped, finding_lines};

/// The exit code of findings that count.
const FOUND: u8 = 3;

/// Check policy and environments: what stands readable, who can read too much, what is missing
///
/// Needs no key for most of it; with one it opens every value that it can and tells whether each is what it
/// claims to be. It changes nothing. `cure:` is a command for the folder you are in, `hint:` is for you to
/// judge. Ends with 3 if there is an error; with --strict a warning is enough. Findings that the policy
/// waives (`check: {waive: …}`) do not count; -v shows them.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
With --json: {\"errors\", \"warnings\", \"checked\": [environment], \"findings\": [{\"code\", \"severity\", \"environment\",
\"path\", \"file\", \"line\", \"message\", \"cure\", \"hints\": [text]}], \"waived\": [the same with \"until\" and \"reason\"],
\"idle_waivers\": [text], \"notes\": [text]}. Files are relative to the top of the repository; what is not known
is null; `notes` say what could not be looked at. Each code is explained in docs/checks.md and by --explain.

Examples:
  secretree check
  secretree check prod --strict
  secretree check --staged
  secretree check --since origin/main        were changes made by those who may?
  secretree check --format github            annotations of a workflow
  secretree check --format sarif > check.sarif
  secretree check --explain recipient-drift"
)]
pub(crate) struct Args {
    /// The environments; without any, all of them and what is beside them
    #[arg(value_name = "ENV")]
    environments: Vec<String>,
    /// Look at what is staged instead, as the hook before a commit does
    #[arg(long, conflicts_with_all = ["environments", "since"])]
    staged: bool,
    /// Also judge the commits since REV: whether each change is signed by somebody who may make it
    #[arg(long, value_name = "REV")]
    since: Option<String>,
    /// End with 3 for warnings too
    #[arg(long)]
    strict: bool,
    /// How findings are written
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Explain a finding's code, with an example and its cure
    #[arg(long, value_name = "CODE", conflicts_with_all = ["environments", "staged", "since", "strict", "format"])]
    explain: Option<String>,
}

/// How findings are written.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A line each for a person
    Text,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Workflow commands that GitHub shows as annotations
    Github,
}

/// Runs the command.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    if let Some(code) = &args.explain {
        return explain(code, context);
    }
    if context.ui.wants_json() && args.format != Format::Text {
        return Err(Failure::usage("`--json` and `--format` are two formats")
            .hint("leave one of them out")
            .into());
    }
    let report = look(args, context)?;
    match (context.ui.wants_json(), args.format) {
        (true, _) => context.ui.json(&report::json(&report))?,
        (false, Format::Text) => show(&report, context)?,
        (false, Format::Sarif) => context.ui.json(&report::sarif(&report))?,
        (false, Format::Github) => context.ui.data(report::annotations(&report).as_bytes())?,
    }
    let (errors, warnings) = (report.count(Severity::Error), report.count(Severity::Warning));
    let counts = errors + if args.strict { warnings } else { 0 };
    Ok(match counts {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::from(FOUND),
    })
}

fn look(args: &Args, context: &Context) -> Result<Report> {
    let folder = secretree::files::real_path(context.folder())?;
    if args.staged {
        let repository = repository(context, "--staged")?;
        let git = context.git(repository.root())?;
        // A policy that cannot be read is found in the index.
        let loaded = context.policy(Reach::Everything).ok();
        return inspect_staged(&repository, &git, loaded.as_ref(), &folder, today());
    }
    let (loaded, names) = match context.policy_for_many(&args.environments) {
        Ok(found) => found,
        Err(error) => return broken(error, context),
    };
    let names: Option<Vec<EnvironmentName>> = (!args.environments.is_empty()).then_some(names);
    let identity_files = identity_files(context)?;
    let mut vault = context.vault(&loaded)?;
    let asked = args
        .since
        .as_ref()
        .map(|revision| known(revision, context))
        .transpose()?;
    let since = asked.as_ref().map(|(commit, git, folder)| Since {
        commit: *commit,
        git,
        folder,
    });
    let order = Order {
        names: names.as_deref(),
        folder: &folder,
        identity_files: &identity_files,
        today: today(),
        since,
    };
    let mut meter = Meter::new(&context.ui, "checking");
    let report = inspect(&mut vault, &order, &mut |done, all| meter.show(done, all));
    drop(meter);
    report
}

/// The repository, for what is of no use without one.
fn repository(context: &Context, flag: &str) -> Result<Repository> {
    let found = context.repository()?;
    found.ok_or_else(|| {
        Failure::failed(format!("`{flag}` needs a git repository"))
            .hint("git init")
            .into()
    })
}

/// What commits since a known one are judged with.
fn known(revision: &str, context: &Context) -> Result<(CommitId, Git, PrivateFolder)> {
    let repository = repository(context, "--since")?;
    let commit = repository.resolve(revision)?;
    let git = context.git(repository.root())?;
    let folder = PrivateFolder::new(context.variables.runtime_folder(), &std::env::temp_dir())?;
    Ok((commit, git, folder))
}

/// A policy that is there and cannot be used is a finding; that there is none, or that a name means nothing, is a failure.
fn broken(error: anyhow::Error, context: &Context) -> Result<Report> {
    let failure = Failure::from(error);
    let folder = context.folders_with_policy()?.into_iter().next_back();
    let is_of_policy = failure.message().contains(&format!("{POLICY_NAME}` line "));
    let (Some(folder), true, FailureKind::Failed) = (folder, is_of_policy, failure.kind()) else {
        return Err(failure.into());
    };
    let text = secretree::files::read_if_present(&folder.join(POLICY_NAME), 1 << 20)?;
    let text = String::from_utf8_lossy(&text.unwrap_or_default()).into_owned();
    let root = context.repository()?.map(|repository| repository.root().to_owned());
    let prefix = root.and_then(|root| folder.strip_prefix(root).map(PathBuf::from).ok());
    Ok(Report {
        findings: broken_policy(&prefix.unwrap_or_default(), &text, failure),
        notes: vec!["without a policy that can be used no environment was looked at".to_owned()],
        ..Report::default()
    })
}

fn identity_files(context: &Context) -> Result<Vec<PathBuf>> {
    let places = context.identity_places()?.into_iter();
    let files = places.filter_map(|place| match place {
        Place::Named { path, .. } | Place::Usual(path) | Place::Ssh(path) => Some(path),
        Place::Text(_) | Place::Command(_) => None,
    });
    Ok(files.collect())
}

fn today() -> Date {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    when::date_of(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

fn show(report: &Report, context: &Context) -> Result<()> {
    context.ui.data(finding_lines(&report.findings).as_bytes())?;
    for note in &report.notes {
        context.ui.note(&format!("note: {}", escaped(note)));
    }
    for accepted in &report.waived {
        let finding = &accepted.finding;
        context.ui.detail(&format!(
            "waived[{}] until {} ({}): {}",
            finding.code.name,
            accepted.until,
            escaped(&accepted.reason),
            escaped(&finding.message)
        ));
    }
    for waiver in &report.idle_waivers {
        context
            .ui
            .detail(&format!("a waiver is for nothing: {}", escaped(waiver)));
    }
    let (errors, warnings) = (report.count(Severity::Error), report.count(Severity::Warning));
    let mut said = match (errors, warnings) {
        (0, 0) => "nothing was found".to_owned(),
        _ => report::summary(errors, warnings),
    };
    match report.waived.len() {
        0 => {}
        waived => said.push_str(&format!(", {waived} waived")),
    }
    context.ui.note(&said);
    Ok(())
}

fn explain(code: &str, context: &Context) -> Result<ExitCode> {
    let Some(rule) = rule(code) else {
        let failure = Failure::failed(format!("`{code}` is no code of a finding"));
        return Err(match did_you_mean(code, RULES.iter().map(|rule| rule.code.name)) {
            Some(near) => failure.hint(format!("secretree check --explain {near}")),
            None => failure.hint("docs/checks.md lists them all"),
        }
        .into());
    };
    let (severity, meaning) = (rule.code.severity.name(), rule.code.meaning);
    let text = format!("{} ({severity}): {meaning}\n\n{}\n", rule.code.name, rule.explanation());
    context.ui.data(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
