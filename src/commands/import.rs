//! `import`: the values of another tool's file into an environment.

mod remains;
mod source;

use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use secretree::document::path::ValuePath;
use secretree::error::{Failure, Result};
use secretree::formats::{Imported, Kind};
use secretree::names::EnvironmentName;
use secretree::policy::{LoadedPolicy, POLICY_NAME, Reach};
use secretree::vault::Laid;

use crate::context::Context;
use crate::ui::escaped;
use remains::Holds;
use source::Source;

/// Take the values of another tool's file into an environment
///
/// Reads dotenv, JSON, YAML, sops, dotenvx and Doppler's JSON; which one it is shows in the file. New keys
/// are added with their comments, values that would be replaced are named and asked about, others stay.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
FILE may be `-`, standard input. Into an environment without values the file comes as it stands, with its
comments and order. A list counts as a whole. Nothing is written if one value cannot be taken.

dotenv: every value is a string, `$…` is kept as text, and a note names the keys that readers differ about.
dotenvx: the key comes from `.env.keys` beside FILE or from DOTENV_PRIVATE_KEY… variables.
doppler: doppler secrets download --no-file --format json | secretree import dev -

With --json: {\"environment\", \"file\", \"kind\", \"added\", \"changed\", \"removed\", \"same\": paths,
\"comments\": how many, \"notes\"}

Examples:
  secretree import dev .env
  secretree import prod secrets/prod.enc.yaml --commit
  jq .production config.json | secretree import prod -"
)]
pub(crate) struct Args {
    /// The environment
    #[arg(value_name = "ENV")]
    environment: String,
    /// The file, or `-` for standard input
    #[arg(value_name = "FILE")]
    file: std::path::PathBuf,
    /// What FILE is; without it, that is seen from its content and name
    #[arg(long, value_name = "KIND", value_parser = PossibleValuesParser::new(Kind::ALL.map(|(name, _)| name)))]
    from: Option<String>,
    /// Commit the changed file
    #[arg(long)]
    commit: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    let (loaded, name) = policy_for(context, &args.environment)?;
    let source = Source::read(&args.file)?;
    let kind = match &args.from {
        Some(kind) => Kind::named(kind).expect("clap takes these names only"),
        None => source.kind()?,
    };
    let mut vault = context.vault(&loaded)?;
    let imported = source.imported(kind, context, vault.identities())?;
    let file = vault.load(&name)?;
    let basis = context.or_first(&mut vault, &file)?;
    let environment = vault.open(&basis)?;
    context.tell(&mut vault);
    environment.refuse_outsiders()?;
    let laid = environment.lay_over(&imported.text, source.shown())?;
    vault.refuse_readable_over_token(&file, &laid.changes.readable)?;
    confirm(context, &name, kind, &laid)?;
    let writes = file.text.as_ref() != Some(&laid.text);
    if writes {
        let lock = vault.lock()?;
        vault.save(&lock, &[(&file, laid.text.clone())])?;
    }
    context.tell(&mut vault);
    report(context, &name, &source, kind, &imported, &laid)?;
    if !writes {
        context.ui.note("unchanged; nothing was written");
    }
    if source.is_readable(kind) {
        remains::say(context, &args.file, Holds::Values);
    }
    if kind == Kind::Dotenvx {
        remains::say(context, &source.keys_file(), Holds::Keys);
    }
    if args.commit {
        let message = message(&name, &laid);
        context.commit(&vault, std::slice::from_ref(&file.relative), &message)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The policy and the environment; one that is not there yet takes a line, which the hint gives.
fn policy_for(context: &Context, environment: &str) -> Result<(LoadedPolicy, EnvironmentName)> {
    context.policy_for(environment, None).map_err(|error| {
        let is_unknown = EnvironmentName::new(environment).is_some() && context.policy(Reach::Everything).is_ok();
        if !is_unknown {
            return error;
        }
        let line = format!("{environment}: {{file: secrets/{environment}.yaml, readers: [NAME]}}");
        Failure::from(error)
            .hint(format!("to make it, add to `environments` in `{POLICY_NAME}`: {line}"))
            .into()
    })
}

/// What would be lost, and what would no longer be secret, is shown and asked about; what is added is not.
fn confirm(context: &Context, name: &EnvironmentName, kind: Kind, laid: &Laid) -> Result<()> {
    let changes = &laid.changes;
    let mut plan = lines('~', name, &changes.changed);
    plan.extend(lines('-', name, &changes.removed));
    let question = if plan.is_empty() {
        "write this?"
    } else {
        "replace these values?"
    };
    if kind == Kind::Sops && laid.comments > 0 && !changes.is_empty() {
        plan.push(said_of_sealed_comments(laid.comments));
    }
    if plan.is_empty() || context.ui.confirm(&plan, question)? {
        return Ok(());
    }
    Err(Failure::failed("nothing was written").into())
}

/// sops encrypts comments, and here they stand readable.
fn said_of_sealed_comments(count: usize) -> String {
    format!("comments become readable, which sops may keep encrypted: {count}")
}

fn lines(sign: char, name: &EnvironmentName, paths: &[ValuePath]) -> Vec<String> {
    let line = |path| escaped(&format!("{sign} {name}:{path}")).into_owned();
    paths.iter().map(line).collect()
}

/// What `--json` prints.
#[derive(serde::Serialize)]
struct Report<'a> {
    environment: &'a str,
    file: String,
    kind: &'static str,
    added: Vec<String>,
    changed: Vec<String>,
    removed: Vec<String>,
    same: Vec<String>,
    /// How many comments the file has.
    comments: usize,
    notes: &'a [String],
}

fn report(
    context: &Context,
    name: &EnvironmentName,
    source: &Source,
    kind: Kind,
    imported: &Imported,
    laid: &Laid,
) -> Result<()> {
    let changes = &laid.changes;
    if context.ui.wants_json() {
        let shown = |paths: &[ValuePath]| paths.iter().map(ToString::to_string).collect();
        return context.ui.json(&Report {
            environment: name.as_str(),
            file: source.shown().display().to_string(),
            kind: kind.name(),
            added: shown(&changes.added),
            changed: shown(&changes.changed),
            removed: shown(&changes.removed),
            same: shown(&laid.same),
            comments: laid.comments,
            notes: &imported.notes,
        });
    }
    for note in &imported.notes {
        context.ui.note(&escaped(&format!("note: {note}")));
    }
    if laid.comments > 0 && kind != Kind::Sops && !laid.changes.added.is_empty() {
        let count = laid.comments;
        context.ui.note(&format!(
            "note: comments stay readable ({count} in the file): look at them before you commit"
        ));
    }
    let signs = [
        ('+', &changes.added),
        ('~', &changes.changed),
        ('-', &changes.removed),
        ('=', &laid.same),
    ];
    for (sign, paths) in signs {
        // Those that were asked about stand there already.
        let shown = matches!(sign, '~' | '-');
        for line in lines(sign, name, paths).iter().filter(|_| !shown) {
            context.ui.note(line);
        }
    }
    for path in &changes.readable {
        let text = format!("note: `{name}:{path}` stands readable, as `plaintext` in the policy says");
        context.ui.note(&escaped(&text));
    }
    let [added, changed, same] = [&changes.added, &changes.changed, &laid.same].map(Vec::len);
    context.ui.note(&escaped(&format!(
        "`{name}`, from {} `{}`: {added} added, {changed} changed, {same} the same",
        kind.name(),
        source.shown().display()
    )));
    Ok(())
}

/// Names the paths, as far as they fit into one line.
fn message(name: &EnvironmentName, laid: &Laid) -> String {
    let all: Vec<_> = laid.changes.added.iter().chain(&laid.changes.changed).collect();
    let shown: Vec<_> = all.iter().take(5).map(ToString::to_string).collect();
    match all.len() - shown.len() {
        _ if shown.is_empty() => format!("secrets: import {name}"),
        0 => format!("secrets: import {name}: {}", shown.join(", ")),
        more => format!("secrets: import {name}: {} and {more} more", shown.join(", ")),
    }
}
