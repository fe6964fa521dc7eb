//! The one question of `init`: what the first recipient is called.

use std::path::Path;

use secretree::error::{Failure, Result};
use secretree::names::{NAME_RULE, RecipientName};

use super::FIRST_FILES;
use crate::context::Context;

/// `--name`, or git's `user.name` made to fit and confirmed: the one question there is.
pub(super) fn recipient_name(named: Option<&str>, context: &Context, folder: &Path) -> Result<RecipientName> {
    if let Some(name) = named {
        return RecipientName::new(name).ok_or_else(|| {
            let failure = Failure::usage(format!("`--name {name}` is no name: {NAME_RULE}"));
            match RecipientName::fitted(name) {
                Some(fitted) => failure.hint(format!("secretree init --name {fitted}")).into(),
                None => failure.into(),
            }
        });
    }
    let proposal = user_name(context, folder).and_then(|name| RecipientName::fitted(&name));
    match proposal {
        Some(name) if context.ui.assumes_yes() => Ok(name),
        proposal => ask_name(context, proposal),
    }
}

fn ask_name(context: &Context, proposal: Option<RecipientName>) -> Result<RecipientName> {
    let Some(terminal) = context.ui.terminal().filter(|_| !context.ui.assumes_yes()) else {
        let Some(name) = proposal else {
            return Err(
                Failure::failed("git knows no `user.name` to make your name in the policy from")
                    .hint("secretree init --name NAME")
                    .into(),
            );
        };
        let files = FIRST_FILES.join(", ");
        context
            .ui
            .note(&format!("would write {files} with `{name}` as the first recipient"));
        return Err(
            Failure::failed(format!("no terminal to ask on: is your name `{name}`?"))
                .hint("`--yes` answers with yes; `--name NAME` is another one")
                .into(),
        );
    };
    let question = match &proposal {
        Some(name) => format!("your name in the policy [{name}]: "),
        None => "your name in the policy: ".to_owned(),
    };
    loop {
        let Some(line) = terminal.line(&question)? else {
            return Err(Failure::failed("no name was given; nothing was written").into());
        };
        match (line.trim(), &proposal) {
            ("", Some(name)) => return Ok(name.clone()),
            (typed, _) => match RecipientName::new(typed) {
                Some(name) => return Ok(name),
                None => context.ui.note(NAME_RULE),
            },
        }
    }
}

/// git's `user.name`, as it holds in the folder. The command knows settings that libgit2 does not.
fn user_name(context: &Context, folder: &Path) -> Option<String> {
    let output = context.git(folder).ok()?.run(&["config", "--get", "user.name"]).ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}
