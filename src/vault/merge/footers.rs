//! Footers merged by what they mean: grants, proposals and old values as sets, within one key.

use std::collections::BTreeMap;

use super::Versions;
use crate::crypto::label::GrantLabel;
use crate::merge::{join, three_way};
use crate::names::RecipientName;
use crate::vault::footer::{Footer, Grants};

/// Each granted public key with its recipient and grant.
pub(super) type ByLabel = BTreeMap<GrantLabel, (RecipientName, String)>;

/// The grants of a footer by public key: what a recipient is called may change.
pub(super) fn by_label(footer: &Footer) -> ByLabel {
    let grants = footer.all_grants();
    grants
        .map(|(name, label, file)| (label.clone(), (name.clone(), file.to_owned())))
        .collect()
}

/// The other way round.
pub(super) fn by_name(grants: ByLabel) -> BTreeMap<RecipientName, Grants> {
    let mut all: BTreeMap<RecipientName, Grants> = BTreeMap::new();
    for (label, (name, file)) in grants {
        all.entry(name).or_default().insert(label, file);
    }
    all
}

/// The footer of two sides under one key.
pub(super) fn of_one_key(versions: &Versions<'_>) -> Footer {
    let (ours, theirs) = (&versions.ours.footer, &versions.theirs.footer);
    // What stood under another key says nothing about grants and proposals of this one.
    let base = versions.base.as_ref().map(|base| &base.footer);
    let base = base.filter(|base| base.drop_box == ours.drop_box);
    let nothing = Footer::new(ours.environment.clone(), ours.drop_box.clone());
    let base = base.unwrap_or(&nothing);
    Footer {
        environment: ours.environment.clone(),
        drop_box: ours.drop_box.clone(),
        final_newline: final_newline(versions),
        // Each entry is a word of an old key for this one, and stays true.
        follows: join(&ours.follows, &theirs.follows),
        grants: by_name(three_way(&by_label(base), &by_label(ours), &by_label(theirs))),
        proposals: three_way(&base.proposals, &ours.proposals, &theirs.proposals),
        previous: three_way(&base.previous, &ours.previous, &theirs.previous),
    }
}

/// Whether the text ends with a line end: as the side says that changed it.
pub(super) fn final_newline(versions: &Versions<'_>) -> bool {
    let [ours, theirs] = [&versions.ours, &versions.theirs].map(|version| version.footer.final_newline);
    match versions.base.as_ref().map(|base| base.footer.final_newline) {
        Some(base) if ours == base => theirs,
        _ => ours,
    }
}

/// A line for each public key that their side grants and ours does not: a merge must not widen who reads in silence.
pub(super) fn gains(versions: &Versions<'_>) -> Vec<String> {
    let ours = by_label(&versions.ours.footer);
    let base = versions.base.as_ref().map(|base| by_label(&base.footer));
    let is_new =
        |label: &GrantLabel| !ours.contains_key(label) && base.as_ref().is_none_or(|base| !base.contains_key(label));
    let theirs = by_label(&versions.theirs.footer);
    let name = &versions.ours.footer.environment;
    theirs
        .into_iter()
        .filter(|(label, _)| is_new(label))
        .map(|(label, (reader, _))| format!("{name}: + {reader} ({label}) can read: the merged branch grants it"))
        .collect()
}
