//! What the rules for policies look at: a policy that can be used, and how its files are named to the person.

use std::path::{Path, PathBuf};

use crate::finding::Place;
use crate::policy::{Policy, Spot};

/// A policy with those below it.
pub struct PolicySubject<'a> {
    /// What it says.
    pub policy: &'a Policy,
    /// The root policy's folder, relative to where findings name files from.
    pub folder: &'a Path,
}

impl PolicySubject<'_> {
    /// The place of a stretch of one of its files.
    pub(super) fn place(&self, spot: &Spot) -> Place {
        place_of(self.folder, spot)
    }
}

/// The place of a stretch of a policy file, below the root policy's folder.
pub(super) fn place_of(folder: &Path, spot: &Spot) -> Place {
    let file: PathBuf = folder.join(spot.shown_name());
    Place::of_file(file).at_line(spot.place().line)
}
