//! Text by a template (MiniJinja): the values by path as they stand, and the variables by name. A template comes from the
//! repository, so it reaches nothing but values, its instructions and output are bounded, and no error quotes a value.
//!
//! `{{ database.password }}` and `{{ DATABASE_PASSWORD }}` are the same value, `env` the mapping of all variables; keys
//! of the environment win over both. Text is what its author wrote, integers and booleans are typed, `null` prints
//! nothing, and what does not exist is an error. Inside of expressions, `~` and `join` among them, the engine writes
//! booleans and `null` as Jinja does: True, False, None.

mod filters;
mod notes;
mod places;
mod root;

use std::io;
use std::sync::Arc;

use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value as Any};
use zeroize::Zeroizing;

use super::buffer::Buffer;
use super::variables::Variables;
use crate::error::{Failure, Result};
use crate::view::View;

use notes::{Notes, refusal};
use root::Root;

/// The instructions that one template may take.
const FUEL: u64 = 10_000_000;

/// The most bytes that come out.
const LARGEST_OUTPUT: usize = 64 << 20;

/// A template, and what messages call it.
#[derive(Clone, Debug)]
pub struct Template {
    /// The file's name.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// The text that `template` makes of `view`. That there are no `variables` counts only where it asks for one.
///
/// # Errors
/// A malformed template, a value that does not exist, bytes without a filter, a collection without `json` or a loop; more
/// instructions or output than are allowed. Each names the template and, but for bytes, the line.
pub fn write(template: &Template, view: View, variables: Result<Variables>) -> Result<Zeroizing<Vec<u8>>> {
    let notes = Arc::new(Notes::default());
    let root = Any::from_object(Root::new(view, variables, &notes));
    let mut out = Bounded::default();
    let rendered = engine()
        .template_from_named_str(&template.name, &template.text)
        .and_then(|parsed| parsed.render_captured_to(root, &mut out).map(drop));
    if let Some(failure) = notes.failure() {
        return Err(failure.rephrase(|words| format!("`{}`: {words}", template.name)).into());
    }
    match rendered {
        Ok(()) => Ok(out.text.into_bytes()),
        Err(error) => Err(explained(&template.name, &error, &notes).into()),
    }
}

/// The engine with what a template may use; nothing that reads files or variables of this process exists in it.
fn engine() -> Environment<'static> {
    let mut engine = Environment::empty();
    engine.set_keep_trailing_newline(true);
    engine.set_auto_escape_callback(|_| AutoEscape::None);
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_fuel(Some(FUEL));
    engine.set_formatter(print);
    filters::add(&mut engine);
    engine
}

/// What `{{ … }}` prints.
fn print(out: &mut Output<'_>, state: &State<'_, '_>, value: &Any) -> std::result::Result<(), Error> {
    match value.kind() {
        ValueKind::None => Ok(()),
        // Not as the engine does, which writes them as Python has them.
        ValueKind::Bool => Ok(out.write_str(if value.is_true() { "true" } else { "false" })?),
        ValueKind::Map | ValueKind::Seq | ValueKind::Iterable => Err(refusal(
            "a mapping or a list cannot be printed; name a value in it, or write `| json`",
        )),
        _ => minijinja::escape_formatter(out, state, value),
    }
}

/// The error in our words: those of the engine may quote values.
fn explained(name: &str, error: &Error, notes: &Notes) -> Failure {
    let line = error.line().map(|line| format!(" line {line}")).unwrap_or_default();
    let at = format!("`{name}`{line}");
    if let Some(own) = notes::own_words(error) {
        return Failure::failed(format!("{at}: {own}"));
    }
    match error.kind() {
        ErrorKind::UndefinedError => match notes.missing() {
            Some(missing) => Failure::failed(format!("{at}: there is no value at `{missing}`"))
                .hint("what there is: secretree list; for what may be missing: `| default(\"…\")`"),
            None => Failure::failed(format!("{at}: there is no such value")),
        },
        // These speak of the template's own words.
        ErrorKind::SyntaxError
        | ErrorKind::UnknownFilter
        | ErrorKind::UnknownFunction
        | ErrorKind::UnknownMethod
        | ErrorKind::UnknownTest => {
            let words = error.detail().unwrap_or("it is malformed");
            Failure::failed(format!("{at}: {words}")).hint("filters and examples: secretree decrypt --help")
        }
        ErrorKind::OutOfFuel => Failure::failed(format!("{at}: the template takes too many steps")),
        ErrorKind::WriteFailure => Failure::failed(format!("{at}: the template writes more than 64 MiB")),
        kind => Failure::failed(format!("{at}: {kind}")),
    }
}

/// What was written so far.
#[derive(Default)]
struct Bounded {
    text: Buffer,
    length: usize,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.length += bytes.len();
        if self.length > LARGEST_OUTPUT {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.text.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
