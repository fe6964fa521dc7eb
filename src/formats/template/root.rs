//! The names that a template can begin with: the keys of the environment, `env`, and the variables.

use std::fmt;
use std::sync::Arc;

use minijinja::Value as Any;
use minijinja::value::{Enumerator, Object};

use super::notes::Notes;
use super::places::Place;
use crate::document::path::ValuePath;
use crate::error::{Failure, Result};
use crate::formats::variables::Variables;
use crate::value::Value;
use crate::view::View;

/// The names that a template can begin with.
#[derive(Debug)]
pub(super) struct Root {
    own: Arc<Place>,
    variables: Arc<Named>,
}

impl Root {
    /// Of the values and what they are called as variables.
    pub(super) fn new(view: View, variables: Result<Variables>, notes: &Arc<Notes>) -> Self {
        Self {
            own: Arc::new(Place::new(ValuePath::new(Vec::new()), view, notes)),
            variables: Arc::new(Named::new(variables, notes)),
        }
    }
}

impl Object for Root {
    fn get_value(self: &Arc<Self>, key: &Any) -> Option<Any> {
        let name = key.as_str()?;
        if let Some(found) = self.own.find(key) {
            return Some(found);
        }
        if name == "env" {
            return Some(Any::from_dyn_object(Arc::clone(&self.variables)));
        }
        let is_variable = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        if name.bytes().all(is_variable) {
            return self.variables.get_value(key);
        }
        self.own.get_value(key)
    }
}

/// The variables by name, each the text that a program gets.
struct Named {
    found: Result<Arc<Place>, Failure>,
    notes: Arc<Notes>,
}

impl Named {
    fn new(variables: Result<Variables>, notes: &Arc<Notes>) -> Self {
        let place = |variables: Variables| {
            let members = variables.kept.into_iter().map(|variable| {
                let value = match variable.value {
                    bytes @ Value::Bytes(_) => bytes,
                    other => Value::Text(other.delivered()),
                };
                (variable.name, value)
            });
            Arc::new(Place::of_values(members, notes))
        };
        Self {
            found: variables.map(place).map_err(Failure::from),
            notes: Arc::clone(notes),
        }
    }

    /// Whoever asks for a variable where there are none learns why.
    fn place(&self) -> Option<&Arc<Place>> {
        match &self.found {
            Ok(place) => Some(place),
            Err(failure) => {
                self.notes.fail(failure.clone());
                None
            }
        }
    }
}

impl Object for Named {
    fn get_value(self: &Arc<Self>, key: &Any) -> Option<Any> {
        self.place()?.get_value(key)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        self.place().map_or(Enumerator::Empty, Object::enumerate)
    }
}

impl fmt::Debug for Named {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[variables]")
    }
}
