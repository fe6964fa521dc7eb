//! What is said when the command line cannot be understood: the parser's finding in our own form, `error:`
//! and `hint:`, and never with a text that could be a value.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::CommandFactory as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use secretree::error::{Failure, Result};

use super::Cli;
use crate::ui::Ui;

/// Prints the help or version that was asked for; everything else is a usage failure (exit code 2).
pub(super) fn answer(error: &clap::Error, arguments: &[OsString], ui: &Ui) -> Result<ExitCode> {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            ui.data(error.render().to_string().as_bytes())?;
            Ok(ExitCode::SUCCESS)
        }
        _ => Err(failure(error, arguments).into()),
    }
}

/// What private keys have in them.
const PRIVATE: [&str; 3] = ["SECRET-KEY", "AGE-PLUGIN-", "PRIVATE KEY"];

/// The failure that says what is wrong. Texts that follow `set` are left out: one may be a value. So are all where one
/// may be a private key.
fn failure(error: &clap::Error, arguments: &[OsString]) -> Failure {
    let is_private = |argument: &OsString| {
        let upper = argument.to_string_lossy().to_ascii_uppercase();
        PRIVATE.iter().any(|mark| upper.contains(mark))
    };
    let shows_texts = !arguments
        .iter()
        .any(|argument| argument == "set" || is_private(argument));
    let failure = Failure::usage(message(error, shows_texts));
    let failure = match suggestion(error) {
        Some(suggestion) => failure.hint(format!("did you mean {suggestion}?")),
        None => failure,
    };
    let failure = match usage(error) {
        Some(usage) => failure.hint(format!("usage: {usage}")),
        None => failure,
    };
    failure.hint(where_help_is(arguments))
}

fn message(error: &clap::Error, shows_texts: bool) -> String {
    let argument = text(error, ContextKind::InvalidArg);
    let value = text(error, ContextKind::InvalidValue).filter(|value| !value.is_empty());
    let is_suggested = error.get(ContextKind::SuggestedArg).is_some();
    match error.kind() {
        ErrorKind::InvalidSubcommand if !shows_texts => "this is no command".to_owned(),
        ErrorKind::InvalidSubcommand => {
            format!(
                "{} is no command",
                text(error, ContextKind::InvalidSubcommand).unwrap_or_default()
            )
        }
        ErrorKind::MissingSubcommand => "a command is missing".to_owned(),
        ErrorKind::UnknownArgument if shows_texts || is_suggested => {
            format!("unexpected argument {}", argument.unwrap_or_default())
        }
        ErrorKind::UnknownArgument => "unexpected argument".to_owned(),
        ErrorKind::MissingRequiredArgument => format!("missing {}", argument.unwrap_or_default()),
        ErrorKind::ArgumentConflict => match text(error, ContextKind::PriorArg) {
            Some(prior) if Some(&prior) == argument.as_ref() => format!("{prior} stands twice"),
            Some(prior) => format!("{} cannot be used with {prior}", argument.unwrap_or_default()),
            None => format!("{} cannot be used here", argument.unwrap_or_default()),
        },
        ErrorKind::InvalidUtf8 => "an argument is not UTF-8".to_owned(),
        _ => match (argument, value) {
            (Some(argument), Some(value)) if shows_texts => format!("{value} is no value for {argument}"),
            (Some(argument), Some(_)) => format!("{argument} does not take this value"),
            (Some(argument), None) => format!("{argument} needs a value"),
            (None, _) => "the command line cannot be understood".to_owned(),
        },
    }
}

/// What was probably meant: the parser's suggestion, else the values that are allowed.
fn suggestion(error: &clap::Error) -> Option<String> {
    // The best one is last.
    if let Some(ContextValue::Strings(verbs)) = error.get(ContextKind::SuggestedSubcommand) {
        return verbs.last().map(|verb| format!("`{verb}`"));
    }
    [
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedArg,
        ContextKind::SuggestedValue,
        ContextKind::ValidValue,
    ]
    .into_iter()
    .find_map(|kind| text(error, kind))
}

/// The usage line, without its heading; none before a verb is known.
fn usage(error: &clap::Error) -> Option<String> {
    let usage = text_of(error.get(ContextKind::Usage)?)?;
    let usage = usage.lines().next()?.trim_start_matches("Usage:").trim();
    (!usage.contains("<COMMAND>")).then(|| usage.to_owned())
}

/// The help of the verb that was typed, else the overview.
fn where_help_is(arguments: &[OsString]) -> String {
    let tree = Cli::command();
    let (mut verb, mut words) = (&tree, String::new());
    for argument in arguments {
        if let Some(inner) = verb.find_subcommand(argument) {
            verb = inner;
            words = words + verb.get_name() + " ";
        }
    }
    match words.as_str() {
        "" => "`secretree --help` lists the commands".to_owned(),
        words => format!("`secretree {words}--help` explains it"),
    }
}

/// One part of the finding, each of its names in backticks.
fn text(error: &clap::Error, kind: ContextKind) -> Option<String> {
    let names = match error.get(kind)? {
        ContextValue::Strings(names) => names.clone(),
        other => vec![text_of(other)?],
    };
    if names.iter().all(String::is_empty) {
        return None;
    }
    Some(
        names
            .iter()
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", "),
    )
}

fn text_of(value: &ContextValue) -> Option<String> {
    match value {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::StyledStr(text) => Some(text.to_string()),
        ContextValue::Strings(texts) => texts.first().cloned(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use clap::Parser as _;
    use secretree::error::Failure;

    use super::failure;
    use crate::cli::Cli;

    fn refused(line: &str) -> Failure {
        let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        match Cli::try_parse_from(&arguments) {
            Ok(_) => panic!("`{line}` was understood"),
            Err(error) => failure(&error, &arguments),
        }
    }

    #[test]
    fn each_mistake_is_one_line_and_says_what_to_type() {
        for (line, message, hint) in [
            ("secretree lst", "`lst` is no command", "did you mean `list`?"),
            ("secretree trust", "missing `<ENV>`", "usage: secretree trust"),
            (
                "secretree get prod a b",
                "unexpected argument `b`",
                "usage: secretree get",
            ),
            (
                "secretree list --fnd x",
                "unexpected argument `--fnd`",
                "did you mean `--find`?",
            ),
            (
                "secretree list --color pink",
                "`pink` is no value for `--color <WHEN>`",
                "did you mean `auto`, `always`, `never`?",
            ),
            (
                "secretree list --find",
                "`--find <GLOB>` needs a value",
                "`secretree list --help`",
            ),
            (
                "secretree list -q -v",
                "`--quiet` cannot be used with `--verbose`",
                "usage: secretree list",
            ),
            ("secretree -q", "a command is missing", "`secretree --help` lists"),
            (
                "secretree recipient add",
                "missing `<NAME>`",
                "`secretree recipient add --help`",
            ),
            (
                "secretree hooks instal",
                "`instal` is no command",
                "did you mean `install`?",
            ),
        ] {
            let failure = refused(line);
            assert_eq!(failure.message(), message, "{line}");
            assert!(
                failure.hints().iter().any(|text| text.contains(hint)),
                "{line}: {:?}",
                failure.hints()
            );
            assert_eq!(failure.kind().exit_code(), 2);
        }
    }

    #[test]
    fn no_mistake_in_set_repeats_what_may_be_a_value() {
        for line in [
            "secretree set prod path --raw=CANARY",
            "secretree set prod path --raw --raw --color=CANARY",
            "secretree set prod path --color CANARY",
            "secretree set --raw=CANARY prod path",
            "secretree set --CANARY",
        ] {
            let failure = refused(line);
            let said = format!("{failure:?}");
            assert!(!said.contains("CANARY"), "{line}: {said}");
        }
    }
}
