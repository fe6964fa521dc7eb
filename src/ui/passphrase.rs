//! Passphrases of identities: asked for on the terminal, or by pinentry where no terminal is watched. What the passphrase
//! is for is the caller's text; which pinentry may be started is decided by the caller.

use std::path::Path;

use age::secrecy::ExposeSecret as _;
use pinentry::{Error, PassphraseInput};
use secretree::error::{Failure, Result};
use secretree::secret::Secret;

use super::{Terminal, Ui};

/// How long pinentry waits for an answer, in seconds; an unattended job must end.
const PINENTRY_TIME: u16 = 30;

/// Asks for a passphrase; `description` says what it opens. With `twice` it is a new one, typed again. `None` if nobody
/// can be asked or nothing was typed.
///
/// # Errors
/// `Failed` if what was typed cannot be a passphrase, or is not the same twice, or pinentry fails.
pub(crate) fn ask_passphrase(
    ui: &Ui,
    pinentry: Option<&Path>,
    description: &str,
    twice: bool,
) -> Result<Option<Secret>> {
    if let Some(terminal) = ui.terminal() {
        return ask_on(&terminal, description, twice);
    }
    if let Some(input) = pinentry.and_then(PassphraseInput::with_binary) {
        return ask_by(input, description, twice);
    }
    // Messages go elsewhere, but this question finds its way.
    Terminal::open().map_or(Ok(None), |terminal| ask_on(&terminal, description, twice))
}

fn ask_on(terminal: &Terminal, description: &str, twice: bool) -> Result<Option<Secret>> {
    let line = |prompt: &str| -> Result<Secret> {
        terminal.hidden_line(&format!("{prompt}: ")).map_err(|error| {
            Failure::failed(error.to_string())
                .hint("type the passphrase as one line")
                .into()
        })
    };
    let typed = line(description)?;
    if typed.is_empty() {
        return Ok(None);
    }
    if twice && line("Again")? != typed {
        return Err(Failure::failed("the two passphrases differ")
            .hint("run the command again")
            .into());
    }
    Ok(Some(typed))
}

fn ask_by<'a>(mut input: PassphraseInput<'a>, description: &'a str, twice: bool) -> Result<Option<Secret>> {
    input
        .with_description(description)
        .with_prompt("Passphrase:")
        .with_timeout(PINENTRY_TIME);
    if twice {
        input.with_confirmation("Again:", "the two passphrases differ");
    } else {
        input.required("a passphrase is needed");
    }
    match input.interact() {
        Ok(typed) if typed.expose_secret().is_empty() => Ok(None),
        Ok(typed) => Ok(Some(Secret::from(typed.expose_secret()))),
        Err(Error::Cancelled | Error::Timeout) => Ok(None),
        Err(error) => Err(Failure::failed(format!("pinentry failed: {error}"))
            .hint("run it on a terminal")
            .into()),
    }
}
