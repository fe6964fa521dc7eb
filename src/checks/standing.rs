//! What the rules for environments look at: one environment of the policy with its file and those it builds on, as anyone
//! can read them.

use std::collections::BTreeMap;
use std::path::Path;

use crate::crypto::label::GrantLabel;
use crate::document::path::ValuePath;
use crate::document::tree::{Mapping, Node};
use crate::finding::Place;
use crate::names::{EnvironmentName, RecipientName};
use crate::vault::footer::Footer;
use crate::vault::{Reading, Rulebook};

/// One environment of a policy.
pub struct Standing<'a> {
    /// What the policy says of it.
    pub rules: Rulebook<'a>,
    /// Its file as findings name it.
    pub file: &'a Path,
    /// How the program is called where cures are read.
    pub program: &'a str,
    /// Its file, if there is one that can be read as a whole.
    pub reading: Option<&'a Reading<'a>>,
    /// Whether there is no file at all.
    pub is_absent: bool,
    /// The files of the environments that it builds on, the weakest first, as far as they can be read.
    pub bases: Vec<&'a Reading<'a>>,
    /// Whether one of those cannot be read: then nothing can be said of what is missing.
    pub is_cut: bool,
}

impl<'a> Standing<'a> {
    pub(super) fn name(&self) -> &'a EnvironmentName {
        &self.rules.environment.name
    }

    /// The environment's file as a whole.
    pub(super) fn place(&self) -> Place {
        Place::of_file(self.file).within(self.name().clone())
    }

    /// The footer, if it can be read.
    pub(super) fn footer(&self) -> Option<&'a Footer> {
        self.reading.map(|reading| &reading.footer)
    }

    /// The place of an entry of the footer, at its line.
    pub(super) fn place_in_footer(&self, field: &str, find: impl Fn(&Mapping<'_>) -> Option<usize>) -> Place {
        let line = self.reading.and_then(|reading| {
            let footer = reading.tree.footer.as_ref()?;
            let Node::Mapping(fields) = &footer.entry.value else {
                return None;
            };
            let Node::Mapping(entries) = &fields.get(field)?.value else {
                return None;
            };
            Some(reading.tree.place(find(entries)?).line)
        });
        match line {
            Some(line) => self.place().at_line(line),
            None => self.place(),
        }
    }

    /// The place of a grant.
    pub(super) fn place_of_grant(&self, label: &GrantLabel) -> Place {
        self.place_in_footer("grants", |grants| {
            grants.entries.iter().find_map(|entry| match &entry.value {
                Node::Mapping(own) => own.get(label.as_str()).map(|grant| grant.key.span.start),
                _ => None,
            })
        })
    }

    /// The place of a value, at its line if the file has it.
    pub(super) fn place_of_value(&self, path: &ValuePath, offset: usize) -> Place {
        let place = self.place().at_path(path.clone());
        match self.reading {
            Some(reading) => place.at_line(reading.tree.place(offset).line),
            None => place,
        }
    }

    /// The public keys that the policy wants granted, each with its reader.
    pub(super) fn wanted(&self) -> BTreeMap<&'a GrantLabel, &'a RecipientName> {
        let keys = self.rules.policy.reader_keys(self.rules.environment);
        keys.into_iter().map(|(reader, key)| (key.label(), reader)).collect()
    }

    /// The public keys that the file grants its key, each with the name that the grant stands under.
    pub(super) fn granted(&self) -> BTreeMap<&'a GrantLabel, &'a RecipientName> {
        let grants = self.footer().into_iter().flat_map(Footer::all_grants);
        grants.map(|(reader, label, _)| (label, reader)).collect()
    }

    /// `PROGRAM VERB ENV`.
    pub(super) fn command(&self, verb: &str) -> String {
        format!("{} {verb} {}", self.program, self.name())
    }
}
