//! What an environment delivers: its own values over those of the environments that it extends. Mappings are merged
//! deeply, scalars and lists as a whole, the own value comes last, an own `null` hides (DESIGN 2).

use super::environment::Environment;
use super::reading::Rulebook;
use super::{EnvironmentFile, Vault};
use crate::document::path::ValuePath;
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

    /// Reads the environment's own file, without those that it extends.
    ///
    /// # Errors
    /// As [`Vault::load`].
    pub fn own_layer(&self, name: &EnvironmentName) -> Result<Layers> {
        Ok(Layers(vec![self.load(name)?]))
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
        for file in &layers.0 {
            merged.cover(self.open(file)?.view()?);
        }
        Ok(merged)
    }

    /// The value that an environment delivers at `path`; opens that one token. Nothing if there is none.
    ///
    /// # Errors
    /// As [`Vault::open`].
    pub fn delivered<'f>(&mut self, layers: &'f Layers, path: &ValuePath) -> Result<Option<Value>>
    where
        'p: 'f,
    {
        let mut found = None;
        let mut covered = false;
        for file in layers.0.iter().rev() {
            let environment = self.open(file)?;
            let places = environment.places()?;
            if covered {
                continue;
            }
            if let Some(place) = places.iter().find(|place| place.path == *path) {
                found = Some(environment.open_place(place)?.value);
                covered = true;
            }
            covered = covered || covers(&environment, path);
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

/// Every path of an environment's layers with the name of its variable; needs no key.
///
/// # Errors
/// As [`Vault::read`].
pub fn known_paths(vault: &Vault<'_>, layers: &Layers) -> Result<Vec<(ValuePath, String)>> {
    let mut known = Vec::new();
    for file in layers.files().iter().filter(|file| file.text.is_some()) {
        let rules: Rulebook<'_> = vault.rules(&file.name)?;
        let reading = vault.read(file)?;
        known.extend(
            reading
                .places(rules)?
                .into_iter()
                .map(|place| (rules.variable(&place.path), place.path))
                .map(|(variable, path)| (path, variable)),
        );
    }
    Ok(known)
}
