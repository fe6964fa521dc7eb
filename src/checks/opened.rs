//! What the rules for opened environments look at: what an identity found when it opened everything in a file. Holds
//! places and reasons, never a value.

use std::path::Path;

use crate::document::path::ValuePath;
use crate::document::tree::Tree;
use crate::finding::Place;
use crate::names::EnvironmentName;
use crate::vault::Scrutiny;

/// What an identity here found in an environment's file.
pub struct Opened<'a> {
    /// The environment.
    pub name: &'a EnvironmentName,
    /// Its file as findings name it.
    pub file: &'a Path,
    /// The file's values.
    pub tree: &'a Tree<'a>,
    /// How the program is called where cures are read.
    pub program: &'a str,
    /// What was found.
    pub scrutiny: &'a Scrutiny,
}

impl Opened<'_> {
    /// The place of a value that stands at a byte of the file, or the file as a whole.
    pub(super) fn place(&self, at: Option<&(ValuePath, usize)>) -> Place {
        let place = Place::of_file(self.file).within(self.name.clone());
        match at {
            Some((path, offset)) => place.at_path(path.clone()).at_line(self.tree.place(*offset).line),
            None => place,
        }
    }
}
