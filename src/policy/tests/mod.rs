//! Stories about policies: each says what a person wrote and what the policy answers. Here is what the
//! stories share: a policy with a few people, and the way a failure is told.

mod answers;
mod loading;
mod refusals;

use super::{EnvironmentPolicy, Policy};
use crate::document::path::ValuePath;
use crate::error::Failure;
use crate::names::{EnvironmentName, RecipientName};

pub(in crate::policy) const KEY: &str = "age1rd8saxz3juve3eejq7z5fjttxmpaq88d7l92xv34n4h3mq6kwq2qpa9sa3";
pub(in crate::policy) const KEY2: &str = "age1vqcr4c3tnxyxr08rk28n8mkphe6c5gfusmyncpmdh604trq3cafqpsveth";
pub(in crate::policy) const KEY3: &str = "age1l4s6qwh57a7cwr7zrcz706qx0qy4eykcpr8m8dwz08hqf362egfsf8p7ym";
pub(in crate::policy) const SSH: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPdQIFLHSrVymNcuCAqWhFXTOO13/KJYTzLCMydRLULP";
pub(super) const SSH2: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH8anqfyh4Bo5ATDfsOVkOlVh0bE+qphIK7ZRk/nw2ZJ";

/// A policy with alice and bob (platform), carol (with platform: developers) and the machine ci; `rest` follows.
pub(in crate::policy) fn story(rest: &str) -> String {
    format!(
        "version: 1\nid: \"0123456789abcdef0123456789abcdef\"\nrecipients:\n  alice: {{keys: [{KEY}]}}\n  bob: {{keys: [{KEY2}]}}\n  \
         carol: {{keys: [{SSH} carol@home]}}\n  ci: {{keys: [{KEY3}], machine: true}}\n\
         groups: {{platform: [alice, bob], developers: [platform, carol]}}\n{rest}"
    )
}

/// The lines that `story` puts in front.
pub(super) const LINES_BEFORE: usize = 8;

pub(super) fn policy(rest: &str) -> Policy {
    Policy::parse(&story(rest), ".secrets.yaml").unwrap()
}

pub(in crate::policy) fn failure_of<T>(result: anyhow::Result<T>) -> Failure {
    let Err(error) = result else {
        panic!("should have been refused")
    };
    error.downcast::<Failure>().unwrap()
}

/// `line:column message | hint` of a refused policy, with lines counted behind `story`'s own.
pub(super) fn refusal(rest: &str) -> String {
    told(&failure_of(Policy::parse(&story(rest), ".secrets.yaml")))
}

pub(super) fn told(failure: &Failure) -> String {
    let text = failure
        .message()
        .strip_prefix("`.secrets.yaml` line ")
        .unwrap_or(failure.message());
    let shifted = text
        .split_once(' ')
        .and_then(|(line, rest)| Some((line.parse::<usize>().ok()?, rest)));
    let text = match shifted {
        Some((line, rest)) => format!(
            "{}:{}",
            line.saturating_sub(LINES_BEFORE),
            rest.replacen("column ", "", 1)
        ),
        None => text.to_owned(),
    };
    match failure.hints() {
        [] => text,
        hints => format!("{text} | {}", hints.join("; ")),
    }
}

pub(super) fn names<'a>(set: impl IntoIterator<Item = &'a RecipientName>) -> Vec<&'a str> {
    set.into_iter().map(|name| name.as_str()).collect()
}

pub(super) fn environment<'p>(policy: &'p Policy, name: &str) -> &'p EnvironmentPolicy {
    policy.environment(&EnvironmentName::new(name).unwrap()).unwrap()
}

pub(super) fn path(text: &str) -> ValuePath {
    ValuePath::of_keys(text.split('.'))
}

/// One environment for each service, read by its team.
pub(super) const PLACEHOLDER: &str = "groups: {team-billing: [alice], team-api: [bob]}\nenvironments:\n  \
     prod: {file: \"services/{service}/secrets/prod.yaml\", readers: [alice, \"team-{service}\"], writers: [\"team-{service}\"]}\n";
