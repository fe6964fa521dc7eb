//! The values as a template sees them. Each becomes a value of the engine only when it is looked up, and what is looked up
//! in vain is noted by its path.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use minijinja::Value as Any;
use minijinja::value::{Enumerator, Object, ObjectRepr};

use super::notes::Notes;
use crate::document::path::{Segment, ValuePath};
use crate::error::Failure;
use crate::secret::Secret;
use crate::value::Value;
use crate::view::View;

/// What stands at a key or an index.
enum Node {
    Value(Value),
    Place(Arc<Place>),
}

/// A mapping or a list.
pub(super) struct Place {
    path: ValuePath,
    /// The keys of a mapping, with their positions; `None` for a list.
    keys: Option<Keys>,
    nodes: Vec<Node>,
    notes: Arc<Notes>,
}

#[derive(Default)]
struct Keys {
    in_order: Vec<String>,
    positions: HashMap<String, usize>,
}

impl Keys {
    fn new(in_order: Vec<String>) -> Self {
        let numbered = in_order.iter().cloned().enumerate();
        let positions = numbered.map(|(position, key)| (key, position)).collect();
        Self { in_order, positions }
    }
}

impl Place {
    /// Of what stands at `path`.
    pub(super) fn new(path: ValuePath, view: View, notes: &Arc<Notes>) -> Self {
        let (keys, views) = match view {
            View::Mapping(members) => {
                let (keys, views): (Vec<_>, Vec<_>) = members.into_iter().unzip();
                (Some(keys), views)
            }
            View::List(items) => (None, items),
            value @ View::Value(..) => (None, vec![value]),
        };
        let segment = |position: usize| match &keys {
            Some(keys) => Segment::Key(keys[position].clone()),
            None => Segment::Index(position),
        };
        let node = |(position, view)| match view {
            View::Value(value, _) => Node::Value(value),
            collection => Node::Place(Arc::new(Self::new(path.child(segment(position)), collection, notes))),
        };
        let nodes = views.into_iter().enumerate().map(node).collect();
        Self {
            path,
            keys: keys.map(Keys::new),
            nodes,
            notes: Arc::clone(notes),
        }
    }

    /// A mapping at the root, of these values by key.
    pub(super) fn of_values(members: impl IntoIterator<Item = (String, Value)>, notes: &Arc<Notes>) -> Self {
        let members = members.into_iter().map(|(key, value)| (key, Node::Value(value)));
        let (keys, nodes) = members.unzip();
        Self {
            path: ValuePath::new(Vec::new()),
            keys: Some(Keys::new(keys)),
            nodes,
            notes: Arc::clone(notes),
        }
    }

    /// What stands at a key or an index, if anything does.
    pub(super) fn find(&self, key: &Any) -> Option<Any> {
        let position = match (&self.keys, key.as_str()) {
            (Some(keys), Some(key)) => *keys.positions.get(key)?,
            (Some(keys), None) => *keys.positions.get(&key.as_i64()?.to_string())?,
            (None, _) => key.as_usize()?,
        };
        let node = self.nodes.get(position)?;
        Some(match node {
            Node::Place(place) => Any::from_dyn_object(Arc::clone(place)),
            Node::Value(value) => {
                let path = || self.path.child(self.segment(position));
                engine_value(value, path, &self.notes)
            }
        })
    }

    fn segment(&self, position: usize) -> Segment {
        match &self.keys {
            Some(keys) => Segment::Key(keys.in_order[position].clone()),
            None => Segment::Index(position),
        }
    }
}

impl Object for Place {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        match self.keys {
            Some(_) => ObjectRepr::Map,
            None => ObjectRepr::Seq,
        }
    }

    fn get_value(self: &Arc<Self>, key: &Any) -> Option<Any> {
        let found = self.find(key);
        if found.is_none() {
            self.notes.miss(child_shown(&self.path, key));
        }
        found
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        match &self.keys {
            Some(keys) => enumerated(&keys.in_order),
            None => Enumerator::Seq(self.nodes.len()),
        }
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.nodes.len())
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "[values at {}]", self.path)
    }
}

fn enumerated(keys: &[String]) -> Enumerator {
    let keys: Vec<Any> = keys.iter().map(Any::from).collect();
    Enumerator::Values(keys)
}

/// `key` of the template below `path`, for a message.
fn child_shown(path: &ValuePath, key: &Any) -> String {
    match (key.as_str(), key.as_usize()) {
        (Some(key), _) => path.child(Segment::Key(key.to_owned())).to_string(),
        (None, Some(index)) => path.child(Segment::Index(index)).to_string(),
        (None, None) => path.to_string(),
    }
}

fn engine_value(value: &Value, path: impl FnOnce() -> ValuePath, notes: &Arc<Notes>) -> Any {
    match value {
        Value::Null => Any::from(()),
        Value::Bool(value) => Any::from(*value),
        Value::Integer(value) => Any::from(*value),
        Value::Text(text) => Any::from(text.expose_text().expect("text values are UTF-8")),
        Value::Bytes(bytes) => Any::from_object(Bytes {
            path: path(),
            bytes: bytes.clone(),
            notes: Arc::clone(notes),
        }),
    }
}

/// A value that is no text: filters take it, but it cannot be printed as it is.
pub(super) struct Bytes {
    path: ValuePath,
    bytes: Secret,
    notes: Arc<Notes>,
}

impl Bytes {
    /// The bytes themselves.
    pub(super) fn expose(&self) -> &[u8] {
        self.bytes.expose()
    }
}

impl Object for Bytes {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }

    /// The engine also prints where no error can be given back, such as in `~`.
    fn render(self: &Arc<Self>, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = format!("the value of `{}` is not UTF-8 text", self.path);
        self.notes
            .fail(Failure::failed(message).hint("write it with `| base64` or `| url`"));
        Ok(())
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[bytes]")
    }
}
