//! Events in the words of a person, one line each. Names, paths and reasons stand in them as others wrote them: escape
//! the line for where it goes.

use std::fmt::{self, Display, Formatter};

use super::event::EventKind;
use super::policy_event::PolicyEvent;
use super::snapshot::Mark;

impl Display for EventKind {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::FileAdded => write!(out, "file added"),
            Self::FileBack => write!(out, "file is back"),
            Self::FileRemoved => write!(out, "file removed"),
            Self::FileMoved { from, to } => write!(out, "file moved from {} to {}", from.display(), to.display()),
            Self::Renamed { from, to } => write!(out, "renamed from {from} to {to}"),
            Self::Unreadable { reason } => write!(out, "file cannot be read: {reason}"),
            Self::ReadableAgain => write!(out, "file can be read again"),
            Self::HistoryEnds => write!(out, "history ends here: what the file holds may be older"),
            Self::NewKey { key, .. } => write!(out, "new key {key}"),
            Self::KeyBack { key, .. } => write!(out, "old key {key} is back"),
            Self::Granted { recipient, label } => write!(out, "granted to {recipient} ({label})"),
            Self::Revoked { recipient, label } => write!(out, "revoked from {recipient} ({label})"),
            Self::HolderRenamed { from, to, label } => write!(out, "grant of {from} ({label}) is {to}'s"),
            Self::Added { path, mark } => write!(out, "added {path}{}", readable(*mark)),
            Self::Changed { path, before, mark } => match (before, mark) {
                (Mark::Readable(_), Mark::Sealed(_)) => write!(out, "encrypted {path}, which was readable"),
                (Mark::Sealed(_), Mark::Readable(_)) => write!(out, "changed {path} and made it readable"),
                _ => write!(out, "changed {path}{}", readable(*mark)),
            },
            Self::SetBack { path, mark, .. } => match mark {
                Mark::Sealed(seal) => write!(out, "set {path} back to {}", seal.version()),
                Mark::Readable(_) => write!(out, "set {path} back to an older text, readable"),
            },
            Self::Removed { path, mark } => write!(out, "removed {path}{}", readable(*mark)),
            Self::Moved { from, to, .. } => write!(out, "moved {from} to {to}"),
            Self::Proposed { proposal } => write!(out, "proposed a value ({proposal})"),
            Self::Accepted { proposal } => write!(out, "accepted a proposal ({proposal})"),
            Self::Withdrawn { proposal } => write!(out, "dropped a proposal ({proposal})"),
            Self::PreviousKept { path, version, until } => write!(out, "kept the old {path} ({version}) until {until}"),
            Self::PreviousEnded { path, version } => write!(out, "let go of the old {path} ({version})"),
        }
    }
}

fn readable(mark: Mark) -> &'static str {
    match mark {
        Mark::Sealed(_) => "",
        Mark::Readable(_) => ", readable",
    }
}

impl Display for PolicyEvent {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::PolicyAdded => write!(out, "policy added"),
            Self::PolicyRemoved => write!(out, "policy removed"),
            Self::PolicyUnreadable { reason } => write!(out, "policy cannot be read: {reason}"),
            Self::PolicyReadableAgain => write!(out, "policy can be read again"),
            Self::IdChanged => write!(out, "another `id`: no grant of before holds"),
            Self::RecipientAdded { recipient } => write!(out, "recipient {recipient} added"),
            Self::RecipientRemoved { recipient } => write!(out, "recipient {recipient} removed"),
            Self::KeyAdded { recipient, label } => write!(out, "{recipient} has the public key {label}"),
            Self::KeyRemoved { recipient, label } => write!(out, "{recipient} has no longer the public key {label}"),
            Self::SigningKeyAdded { recipient, key } => write!(out, "{recipient} signs with {key}"),
            Self::SigningKeyRemoved { recipient, key } => write!(out, "{recipient} signs no longer with {key}"),
            Self::EnvironmentDeclared { environment } => write!(out, "environment {environment} declared"),
            Self::EnvironmentDropped { environment } => write!(out, "environment {environment} no longer declared"),
            Self::FileDeclared { environment, from, to } => {
                write!(
                    out,
                    "{environment} has its file at {}, not {}",
                    to.display(),
                    from.display()
                )
            }
            Self::ReaderAdded { environment, recipient } => write!(out, "{recipient} may read {environment}"),
            Self::ReaderRemoved { environment, recipient } => {
                write!(out, "{recipient} may no longer read {environment}")
            }
            Self::WriterAdded { environment, recipient } => write!(out, "{recipient} may write {environment}"),
            Self::WriterRemoved { environment, recipient } => {
                write!(out, "{recipient} may no longer write {environment}")
            }
            Self::MaintainerAdded { recipient } => write!(out, "{recipient} may change the policy"),
            Self::MaintainerRemoved { recipient } => write!(out, "{recipient} may no longer change the policy"),
            Self::ExtendsChanged { environment, to, .. } if to.is_empty() => {
                write!(out, "{environment} builds on nothing any more")
            }
            Self::ExtendsChanged { environment, to, .. } => {
                let names: Vec<&str> = to.iter().map(AsRef::as_ref).collect();
                write!(out, "{environment} builds on {}", names.join(", "))
            }
            Self::PlaintextAdded { environment, pattern } => {
                write!(out, "values of {environment} at {pattern} may stand readable")
            }
            Self::PlaintextRemoved { environment, pattern } => {
                write!(out, "values of {environment} at {pattern} may no longer stand readable")
            }
            Self::CommandChanged { of, before, after } => match (before.is_empty(), after.is_empty()) {
                (_, true) => write!(out, "{of} runs nothing any more"),
                (true, _) => write!(out, "{of} runs {}", command(after)),
                _ => write!(out, "{of} runs {}, not {}", command(after), command(before)),
            },
            Self::TargetAdded { target } => write!(out, "target `{target}` added"),
            Self::TargetRemoved { target } => write!(out, "target `{target}` removed"),
            Self::TargetChanged { target } => write!(out, "target `{target}` takes other values or delivers elsewhere"),
            Self::DeclarationChanged { at } => write!(out, "what is declared about {at} changed"),
            Self::WaiverAdded {
                code,
                at,
                until,
                reason,
            } => {
                write!(out, "waived {code} at {at} until {until}: {reason}")
            }
            Self::WaiverRemoved { code, at } => write!(out, "{code} at {at} no longer waived"),
            Self::SettingChanged { of, from, to } => match (from, to) {
                (Some(from), Some(to)) => write!(out, "{of} is {to}, not {from}"),
                (None, Some(to)) => write!(out, "{of} is {to}"),
                (Some(from), None) => write!(out, "{of} is no longer {from}"),
                (None, None) => write!(out, "{of} is not set"),
            },
            Self::ScanAllowed { pattern } => write!(out, "scan lets {pattern} pass"),
            Self::ScanRefused { pattern } => write!(out, "scan lets {pattern} no longer pass"),
        }
    }
}

/// A command as a shell would take it.
fn command(words: &[String]) -> String {
    let joined = shlex::try_join(words.iter().map(String::as_str));
    joined.unwrap_or_else(|_| words.join(" "))
}
