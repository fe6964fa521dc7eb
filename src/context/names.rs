//! What a person is called in a policy: as `--name` says, or as git knows them. Whether that is asked is the verb's.

use std::path::Path;

use secretree::error::{Failure, Result};
use secretree::names::{NAME_RULE, RecipientName};

use super::Context;

impl Context {
    /// git's `user.name`, as it holds in the folder, made to fit. The command knows settings that libgit2 does not.
    pub(crate) fn name_from_git(&self, folder: &Path) -> Option<RecipientName> {
        let output = self.git(folder).ok()?.run(&["config", "--get", "user.name"]).ok()?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        output.status.success().then(|| RecipientName::fitted(&text))?
    }
}

/// The name that `--name` gave to `verb`. Failure: it is none; the hint has the nearest that is.
pub(crate) fn checked_name(named: &str, verb: &str) -> Result<RecipientName> {
    RecipientName::new(named).ok_or_else(|| {
        let failure = Failure::usage(format!("`--name {named}` is no name: {NAME_RULE}"));
        match RecipientName::fitted(named) {
            Some(fitted) => failure.hint(format!("secretree {verb} --name {fitted}")).into(),
            None => failure.into(),
        }
    })
}

/// The operand NAME. What was typed may be a private key at the wrong place, so it is not repeated.
pub(crate) fn checked_operand(text: &str) -> Result<RecipientName> {
    RecipientName::new(text).ok_or_else(|| {
        let failure = Failure::usage(format!("NAME is no name: {NAME_RULE}"));
        let looks_like_a_key =
            text.len() > 64 || text.contains([' ', '\n']) || text.to_ascii_uppercase().contains("KEY");
        match RecipientName::fitted(text).filter(|_| !looks_like_a_key) {
            Some(fitted) => failure.hint(format!("did you mean `{fitted}`?")).into(),
            None => failure.into(),
        }
    })
}

/// The failure where neither `--name` nor git says what the person is called.
pub(crate) fn no_name(verb: &str) -> Failure {
    Failure::failed("git knows no `user.name` to make your name in the policy from")
        .hint(format!("secretree {verb} --name NAME"))
}
