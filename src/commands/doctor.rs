//! `doctor`: what is wrong here. Gathers what the library may not look at (variables, flags, the editor) and shows what it
//! finds.

use std::process::ExitCode;

use secretree::doctor::{CHECKS, Editor, Finding, IdentityPlace, Severity, Surroundings, examine};
use secretree::error::{Failure, Result};
use secretree::report::summary;
use serde::Serialize;

use crate::context::{Context, Place};
use crate::editor;
use crate::ui::finding_lines;

/// Find what is wrong here, and the command that mends it
///
/// Looks at identities, git, the policy, the environments' files, what this machine trusts, and the editor.
/// It changes nothing, asks for no passphrase and starts no plugin. `cure:` is a command for the folder you
/// are in; `hint:` is for you to judge. Ends with 1 if something does not work or a secret is within reach
/// of others, else with 0.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
With --json: {\"errors\", \"warnings\", \"checked\": [name], \"findings\": [{\"severity\", \"code\", \"place\", \"message\",
\"cure\", \"hints\": [text]}]}. `severity` is `error` or `warning`; `cure` is null where a person has to decide;
`place` is a file, a variable or an environment. With -v, what is in order is named too.

Examples:
  secretree doctor
  secretree doctor --json | jq -r '.findings[].code'"
)]
pub(crate) struct Args {}

/// The shape of `--json`.
#[derive(Serialize)]
struct Report<'f> {
    errors: usize,
    warnings: usize,
    checked: Vec<&'static str>,
    findings: Vec<Shown<'f>>,
}

/// One finding.
#[derive(Serialize)]
struct Shown<'f> {
    severity: &'static str,
    code: &'static str,
    place: &'f str,
    message: &'f str,
    cure: Option<&'f str>,
    hints: &'f [String],
}

/// Runs the command.
pub(crate) fn run(_: &Args, context: &Context) -> Result<ExitCode> {
    let findings = examine(&surroundings(context)?);
    let count = |severity| {
        findings
            .iter()
            .filter(|finding| finding.code.severity == severity)
            .count()
    };
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    if context.ui.wants_json() {
        context.ui.json(&Report {
            errors,
            warnings,
            checked: CHECKS.iter().map(|check| check.name).collect(),
            findings: findings.iter().map(shown).collect(),
        })?;
    } else {
        context.ui.data(finding_lines(&findings).as_bytes())?;
        for check in CHECKS {
            let is_silent = !findings.iter().any(|finding| check.codes.contains(&finding.code));
            if is_silent {
                context.ui.detail(&format!("ok: {}", check.name));
            }
        }
        context.ui.note(&match (errors, warnings) {
            (0, 0) => "nothing is wrong here".to_owned(),
            _ => summary(errors, warnings),
        });
    }
    Ok(match errors {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

fn surroundings(context: &Context) -> Result<Surroundings> {
    let variables = &context.variables;
    let places = context.identity_places();
    Ok(Surroundings {
        folder: secretree::files::real_path(context.folder())?,
        hook: context.hook_variables(),
        search_path: variables.get("PATH").unwrap_or_default().to_owned(),
        identities: places
            .map(|places| places.into_iter().map(place).collect())
            .map_err(Failure::from),
        state_folder: variables.state_home().map(|state| state.join("secretree")),
        pinned: context.pinned().map_err(Failure::from),
        editor: match editor::Editor::choose(variables) {
            Ok(editor) => Editor::Usable {
                name: editor.name().to_owned(),
                notice: editor.notice(),
                leaves_nothing: editor.leaves_nothing(),
            },
            Err(error) => unusable(error.into(), editor::Editor::another(variables)),
        },
        program: context.own_words().ok(),
        runtime_folder: variables.runtime_folder().map(ToOwned::to_owned),
    })
}

/// An editor that only has to be told to wait stays the person's choice.
fn unusable(failure: Failure, another: Option<String>) -> Editor {
    let waiting = failure
        .hints()
        .first()
        .filter(|hint| hint.ends_with(" --wait'"))
        .cloned();
    Editor::Unusable(failure, waiting.or(another))
}

fn place(place: Place) -> IdentityPlace {
    match place {
        Place::Named { by, path } => IdentityPlace::File { by: Some(by), path },
        Place::Usual(path) | Place::Ssh(path) => IdentityPlace::File { by: None, path },
        Place::Text(text) => IdentityPlace::Text(text),
        Place::Command(words) => IdentityPlace::Command(words.into_iter().next().unwrap_or_default()),
    }
}

fn shown(finding: &Finding) -> Shown<'_> {
    Shown {
        severity: finding.code.severity.name(),
        code: finding.code.name,
        place: &finding.place,
        message: &finding.message,
        cure: finding.cure.as_deref(),
        hints: &finding.hints,
    }
}
