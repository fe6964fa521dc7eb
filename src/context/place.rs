//! From what a person typed as PATH to a path of an environment.

use secretree::document::path::{Resolved, Search, ValuePath};
use secretree::error::{Failure, FailureKind, Result};
use secretree::names::{EnvironmentName, did_you_mean};
use secretree::vault::{Reading, Vault, known_paths};

use super::Context;

/// Reads `text` as a path of the environment `name`, whose layers were read; declared paths count as known.
pub(crate) fn path(
    vault: &Vault<'_>,
    name: &EnvironmentName,
    readings: &[Reading<'_>],
    text: &str,
) -> Result<ValuePath> {
    let rules = vault.rules(name)?;
    let mut search = Search::new(text);
    for reading in readings {
        reading
            .tree
            .visit(&mut |trail, _| search.consider_trail(trail, |path| rules.variable(path)));
    }
    for secret in rules.policy.declared(rules.environment) {
        if let Some(path) = secret.scope.path.literal() {
            search.consider(&path, |path| rules.variable(path));
        }
    }
    match search.result() {
        Resolved::Known(path) | Resolved::New(path) => Ok(path),
        Resolved::Ambiguous(paths) => {
            let forms: Vec<_> = paths.iter().map(|path| format!("'{}'", path.quoted())).collect();
            let message = format!("`{text}` can be {} paths of `{name}`", paths.len());
            Err(Failure::failed(message)
                .hint(format!("write one of {}", forms.join(", ")))
                .into())
        }
        Resolved::Malformed => Err(Failure::failed("PATH is no path")
            .hint("segments are joined by dots; one that holds a dot is a JSON string: 'tls.\"example.com\".key'")
            .into()),
    }
}

/// The operands of a verb that takes ENV and PATH, when there are too few: most often it is ENV that was forgotten.
pub(crate) fn operand<'a>(context: &Context, environment: &str, path: Option<&'a str>, verb: &str) -> Result<&'a str> {
    if let Some(path) = path {
        return Ok(path);
    }
    // Whether the one word is an environment tells which of the two is missing.
    if let Err(error) = context.policy_for(environment, Some(verb)) {
        return Err(match error.downcast::<Failure>() {
            Ok(failure) if failure.message().ends_with("is no environment") => {
                failure.of_kind(FailureKind::Usage).into()
            }
            Ok(failure) => failure.into(),
            Err(error) => error,
        });
    }
    Err(
        Failure::usage(format!("PATH is missing: which value of `{environment}`?"))
            .hint(format!("secretree list {environment}"))
            .hint(format!("secretree {verb} --help"))
            .into(),
    )
}

/// Nothing stands at `path`: says so, with the nearest path that exists.
pub(crate) fn nothing_at(name: &EnvironmentName, readings: &[Reading<'_>], path: &ValuePath, verb: &str) -> Failure {
    let failure = Failure::failed(format!("`{name}` has no `{path}`"));
    match nearest(readings, path) {
        Some(near) => failure.hint(format!("did you mean `{near}`? secretree {verb} {name} {near}")),
        None => failure.hint(format!("secretree list {name}")),
    }
}

/// The path that exists and is nearly `path`.
pub(crate) fn nearest(readings: &[Reading<'_>], path: &ValuePath) -> Option<String> {
    let known: Vec<_> = known_paths(readings).iter().map(ValuePath::to_string).collect();
    did_you_mean(&path.to_string(), known.iter().map(String::as_str)).map(str::to_owned)
}
