//! What is said of a word that names no environment: what was probably meant, as a command to type.

use super::file::POLICY_NAME;
use super::load::LoadedPolicy;
use super::spot::shown;
use crate::document::path::{Resolved, Search, ValuePath};
use crate::document::tree::{Rules, Tree};
use crate::error::Failure;
use crate::files::{FILE_LIMIT, read_if_present};
use crate::names::{EnvironmentName, did_you_mean};

/// The most names that a hint lists.
const MOST_LISTED: usize = 12;

impl LoadedPolicy {
    /// The failure of a word that names none; `command` is the verb where a PATH follows, so that the hint can name it.
    pub(super) fn no_environment(&self, text: &str, command: Option<&str>) -> Failure {
        if let Some(unfit) = self.policy.unfit.iter().find(|unfit| unfit.name.as_str() == text) {
            let message = format!(
                "`{text}` is no environment yet: there is no recipient or group `{}`",
                unfit.missing
            );
            return Failure::failed(message).hint(format!("add `{}` to `groups` in `{POLICY_NAME}`", unfit.missing));
        }
        let failure = Failure::failed(format!("{} is no environment", shown(text)));
        let names = || self.policy.environments.keys().map(EnvironmentName::as_str);
        let short = text.len() <= 64 && !text.chars().any(char::is_control);
        if let Some(meant) = short.then(|| did_you_mean(text, names())).flatten() {
            return failure.hint(format!("did you mean `{meant}`?"));
        }
        let last = |name: &&str| name.rsplit_once('/').is_some_and(|(_, last)| last == text);
        let elsewhere: Vec<_> = names()
            .filter(last)
            .take(MOST_LISTED)
            .map(|name| format!("`{name}`"))
            .collect();
        if !elsewhere.is_empty() {
            return failure.hint(format!("did you mean {}?", elsewhere.join(" or ")));
        }
        let meant = || {
            let default = self.policy.default_environment.as_ref();
            let holding = self.environment_with(text).or(default);
            holding.map(EnvironmentName::as_str).or_else(|| names().next())
        };
        let command = command.filter(|_| short);
        match (command, command.and_then(|_| meant()), shlex::try_quote(text)) {
            (Some(command), Some(meant), Ok(quoted)) => failure.hint(format!("secretree {command} {meant} {quoted}")),
            _ if self.policy.environments.is_empty() => failure.hint(format!("`{POLICY_NAME}` declares none")),
            _ => failure.hint(format!(
                "environments are {}",
                names().take(MOST_LISTED).collect::<Vec<_>>().join(", ")
            )),
        }
    }

    /// The environment whose file holds the path `text`, the default one before others.
    fn environment_with(&self, text: &str) -> Option<&EnvironmentName> {
        let default = self.policy.default_environment.as_ref();
        let default = default.and_then(|name| self.policy.environment(name));
        let others = self.policy.environments.values().take(MOST_LISTED);
        let mut found = default.into_iter().chain(others).filter(|environment| {
            let file = self.file(environment).ok();
            let bytes = file.and_then(|file| read_if_present(&file, FILE_LIMIT).ok().flatten());
            let file = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
            let tree = file.as_deref().and_then(|file| Tree::parse(file, Rules::File).ok());
            tree.is_some_and(|tree| {
                let mut search = Search::new(text);
                tree.visit(&mut |trail, _| search.consider_trail(trail, ValuePath::variable_name));
                matches!(search.result(), Resolved::Known(_))
            })
        });
        found.next().map(|environment| &environment.name)
    }
}
