//! What an environment delivers: its own values over those of the environments that it extends. Mappings are merged
//! deeply, scalars and lists as a whole, the own value comes last, an own `null` hides (DESIGN 2).

use std::borrow::Borrow;
use std::collections::HashSet;

use super::environment::Environment;
use super::reading::Reading;
use super::{EnvironmentFile, Vault};
use crate::document::path::{Segment, ValuePath};
use crate::document::tree::{Entry, Item, Located, Mapping, Node};
use crate::document::write::Opened;
use crate::error::Result;
use crate::names::EnvironmentName;
use crate::value::Value;
use crate::view::View;

/// The files of an environment and of all that it extends, the weakest first and itself last.
#[derive(Debug)]
pub struct Layers(Vec<EnvironmentFile>);

impl Environment<'_> {
    /// What the file itself delivers.
    pub fn view(&self) -> Result<View> {
        let places = self.places()?;
        let opened = self.open_places(&places)?;
        let readable = places.iter().map(|place| place.token.is_none());
        let mut values = opened.into_iter().zip(readable);
        Ok(view_of_mapping(&self.reading.tree.root, &mut values))
    }
}

fn view_of_mapping(mapping: &Mapping<'_>, values: &mut dyn Iterator<Item = (Opened, bool)>) -> View {
    let member = |entry: &Entry<'_>| (entry.key.name.to_string(), view_of_node(&entry.value, values));
    View::Mapping(mapping.entries.iter().map(member).collect())
}

fn view_of_node(node: &Node<'_>, values: &mut dyn Iterator<Item = (Opened, bool)>) -> View {
    match node {
        Node::Scalar(_) => {
            let (opened, readable) = values.next().expect("one value for each scalar of the tree");
            View::Value(opened.value, readable)
        }
        Node::Mapping(mapping) => view_of_mapping(mapping, values),
        Node::Sequence(sequence) => {
            let item = |item: &Item<'_>| view_of_node(&item.value, values);
            View::List(sequence.items.iter().map(item).collect())
        }
    }
}

impl<'p> Vault<'p> {
    /// Reads the files of an environment and of all that it extends.
    ///
    /// # Errors
    /// As [`Vault::load`].
    pub fn layers(&self, name: &EnvironmentName) -> Result<Layers> {
        let rules = self.rules(name)?;
        let layers = rules.policy.layers(rules.environment);
        Ok(Layers(
            layers
                .into_iter()
                .map(|layer| self.load(&layer.name))
                .collect::<Result<_>>()?,
        ))
    }

    /// What an environment delivers. A failure in an extended environment is a failure.
    ///
    /// # Errors
    /// As [`Vault::open`].
    pub fn view<'f>(&mut self, layers: &'f Layers) -> Result<View>
    where
        'p: 'f,
    {
        let mut merged = View::Mapping(Vec::new());
        let own = layers.0.len().saturating_sub(1);
        for (position, file) in layers.0.iter().enumerate() {
            self.opens_base = position < own;
            let opened = self.open(file);
            self.opens_base = false;
            merged.cover(opened?.view()?);
        }
        Ok(merged)
    }

    /// Parses the files of `layers`, the weakest first. For commands that need what anyone can read before they need keys.
    ///
    /// # Errors
    /// As [`Vault::read`].
    pub fn readings<'f>(&self, layers: &'f Layers) -> Result<Vec<Reading<'f>>> {
        layers.0.iter().map(|file| self.read(file)).collect()
    }

    /// As [`Vault::readings`], without environments that have no file yet.
    ///
    /// # Errors
    /// As [`Vault::read`].
    pub fn readings_of_present<'f>(&self, layers: &'f Layers) -> Result<Vec<Reading<'f>>> {
        let present = layers.0.iter().filter(|file| file.text.is_some());
        present.map(|file| self.read(file)).collect()
    }

    /// The value that an environment delivers at `path`; opens that one token. Nothing if there is none. `readings` are
    /// those of the environment's layers.
    ///
    /// # Errors
    /// As [`Vault::open`].
    pub fn delivered<'f>(&mut self, readings: Vec<Reading<'f>>, path: &ValuePath) -> Result<Option<Value>>
    where
        'p: 'f,
    {
        let mut found = None;
        let mut covered = false;
        for (position, reading) in readings.into_iter().rev().enumerate() {
            self.opens_base = position > 0;
            let environment = self.unlock(reading);
            self.opens_base = false;
            let environment = environment?;
            environment.reading.check(environment.rules)?;
            if covered {
                continue;
            }
            if let Some(place) = environment.place(path) {
                found = Some(environment.open_place(&place)?.value);
            }
            covered = covers(&environment, path);
        }
        Ok(found)
    }
}

impl Layers {
    /// The environment's own file.
    pub fn own(&self) -> &EnvironmentFile {
        self.0.last().expect("an environment is its own last layer")
    }

    /// All files, the weakest first.
    pub fn files(&self) -> &[EnvironmentFile] {
        &self.0
    }
}

/// Whether a scalar or a list stands at `path` or above it, so that what lower layers say there does not count.
fn covers(environment: &Environment<'_>, path: &ValuePath) -> bool {
    let mut prefix = ValuePath::default();
    for segment in path.segments() {
        prefix = prefix.child(segment.clone());
        match environment.reading.tree.node(&prefix) {
            Some(Located::Mapping(_)) => {}
            Some(_) => return true,
            None => return false,
        }
    }
    // A mapping stands at the path itself: a lower scalar there is covered by it.
    true
}

/// Every path that an environment delivers, the weakest layer's first, each once; needs no key.
pub fn known_paths<'a, R: Borrow<Reading<'a>>>(readings: &[R]) -> Vec<ValuePath> {
    let covers: Vec<Cover> = readings
        .iter()
        .skip(1)
        .map(|reading| Cover::of(reading.borrow()))
        .collect();
    let mut seen = HashSet::new();
    let mut known = Vec::new();
    for (position, reading) in readings.iter().enumerate() {
        let stronger = &covers[position.min(covers.len())..];
        reading.borrow().tree.visit(&mut |trail, _| {
            let path = trail.to_path();
            if !stronger.iter().any(|cover| cover.hides(&path)) && seen.insert(path.clone()) {
                known.push(path);
            }
        });
    }
    known
}

/// The list that `path` names an item of, if only an extended environment has it: lists count as a whole, so no item of it
/// can be set in the environment itself, whose layers these are.
pub fn list_of_base(readings: &[Reading<'_>], path: &ValuePath) -> Option<ValuePath> {
    let (own, weaker) = readings.split_last()?;
    let mut prefix = ValuePath::default();
    for segment in path.segments() {
        let is_list = |reading: &Reading<'_>| matches!(reading.tree.node(&prefix), Some(Located::Sequence(_)));
        if matches!(segment, Segment::Index(_)) && own.tree.node(&prefix).is_none() && weaker.iter().any(is_list) {
            return Some(prefix);
        }
        prefix = prefix.child(segment.clone());
    }
    None
}

/// What a layer hides of those below it: [`covers`] for many paths, at a cost that grows with the path alone.
#[derive(Default)]
struct Cover {
    /// Scalars and lists: what stands below them does not count.
    whole: HashSet<ValuePath>,
    /// Mappings and lists: a scalar in their place does not count.
    collections: HashSet<ValuePath>,
}

impl Cover {
    fn of(reading: &Reading<'_>) -> Self {
        let mut cover = Self::default();
        cover.take(&reading.tree.root, &ValuePath::default());
        cover
    }

    fn take(&mut self, mapping: &Mapping<'_>, at: &ValuePath) {
        for entry in &mapping.entries {
            let path = at.child(Segment::Key(entry.key.name.to_string()));
            match &entry.value {
                Node::Mapping(below) => {
                    self.take(below, &path);
                    self.collections.insert(path);
                }
                Node::Sequence(_) => {
                    self.whole.insert(path.clone());
                    self.collections.insert(path);
                }
                Node::Scalar(_) => {
                    self.whole.insert(path);
                }
            }
        }
    }

    fn hides(&self, path: &ValuePath) -> bool {
        let mut prefix = ValuePath::default();
        // A scalar at the path itself hides nothing: both layers have a value there.
        let above = path.segments().len() - 1;
        path.segments().iter().take(above).any(|segment| {
            prefix = prefix.child(segment.clone());
            self.whole.contains(&prefix)
        }) || self.collections.contains(path)
    }
}
