//! Passphrases of identities: asked for on the terminal or by pinentry, whichever the age tools would use
//! here. What the passphrase is for is the caller's text.

use age::secrecy::ExposeSecret as _;
use secretree::error::{Failure, Result};
use secretree::secret::Secret;

/// Asks for a passphrase; `description` says what it opens. With `twice` it is a new one, typed again.
pub(crate) fn ask_passphrase(description: &str, twice: bool) -> Result<Secret> {
    let again = twice.then_some("Again");
    let typed = age::cli_common::read_secret(description, "Passphrase", again).map_err(|error| {
        Failure::failed(format!("no passphrase was given: {error}"))
            .hint("the passphrase is asked for on a terminal, or by pinentry where it is installed")
    })?;
    if typed.expose_secret().is_empty() {
        return Err(Failure::failed("the passphrase is empty").into());
    }
    Ok(Secret::from(typed.expose_secret()))
}
