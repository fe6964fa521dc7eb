//! What only history can answer: what each commit did to values, grants and keys, and who could read what, then and
//! since. It takes commits from `git` and texts from `document` and `vault::footer`, opens nothing and needs no key.

mod access;
mod brought;
mod cache;
mod commits;
mod descent;
mod event;
mod exposure;
mod holders;
mod layout;
mod lineage;
mod log;
mod numbered;
mod policy_event;
mod reach;
mod review;
mod revision;
mod scene;
mod settings;
mod snapshot;
#[cfg(test)]
mod testing;
mod wording;

use std::fmt::Display;

use serde::Serializer;

pub use access::{Access, Holder, Question, Until, ValueVersion, access, version_at};
pub use brought::{Brought, BroughtBy};
pub use cache::Snapshots;
pub use commits::{CommitEvents, Commits, state_events};
pub use event::{EventKind, events_between};
pub use exposure::{Exposed, Exposure, Exposures, Standing};
pub use holders::Present;
pub use log::{Filter, Log};
pub use policy_event::{PolicyEvent, policy_events};
pub use reach::Named;
pub use review::{AccessChange, EnvironmentReview, Footing, GroupChange, Lacking, Review, Side, SideFile, review};
pub use revision::{PolicyState, Revision};
pub use scene::{Entries, History};
pub use snapshot::{Granted, Kept, Mark, Seal, Snapshot};

/// Serialises something as the text that it shows.
fn as_text<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// Serialises several things as the texts that they show.
fn as_texts<T: Display, S: Serializer>(values: &[T], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().map(ToString::to_string))
}

/// Serialises the version of a value; `null` for a readable one.
fn as_version<S: Serializer>(mark: &Mark, serializer: S) -> Result<S::Ok, S::Error> {
    as_some_version(&Some(*mark), serializer)
}

/// The same where there may be no value.
fn as_some_version<S: Serializer>(mark: &Option<Mark>, serializer: S) -> Result<S::Ok, S::Error> {
    match mark.and_then(Mark::version) {
        Some(version) => serializer.collect_str(&version),
        None => serializer.serialize_none(),
    }
}
