//! The one question of `init`: what the first recipient is called.

use std::path::Path;

use secretree::error::{Failure, Result};
use secretree::names::{NAME_RULE, RecipientName};

use super::FIRST_FILES;
use crate::context::{Context, checked_name, no_name};

/// `--name`, or git's `user.name` made to fit and confirmed: the one question there is.
pub(super) fn recipient_name(named: Option<&str>, context: &Context, folder: &Path) -> Result<RecipientName> {
    if let Some(name) = named {
        return checked_name(name, "init");
    }
    let proposal = context.name_from_git(folder);
    match proposal {
        Some(name) if context.ui.assumes_yes() => Ok(name),
        proposal => ask_name(context, proposal),
    }
}

/// Asks; the proposal is the answer of whoever types none.
pub(super) fn ask_name(context: &Context, proposal: Option<RecipientName>) -> Result<RecipientName> {
    let Some(terminal) = context.ui.terminal().filter(|_| !context.ui.assumes_yes()) else {
        let Some(name) = proposal else {
            return Err(no_name("init").into());
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
