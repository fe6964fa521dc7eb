//! A finding: one thing that is wrong, with a code that never changes, how bad it is, where it stands, one line for the
//! person, and what mends it. What looks for findings, and how they are shown, is for the floors above.

use std::fmt;
use std::path::PathBuf;

use crate::document::path::ValuePath;
use crate::names::EnvironmentName;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Something does not work, or a secret is within reach of others.
    Error,
    /// It works, and may stop working or reveal something later.
    Warning,
}

impl Severity {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A kind of trouble.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// Its name, in lower case with hyphens; stable.
    pub name: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it means, as one line of a table.
    pub meaning: &'static str,
}

impl Code {
    /// A code whose findings are errors.
    pub const fn error(name: &'static str, meaning: &'static str) -> Self {
        Self {
            name,
            severity: Severity::Error,
            meaning,
        }
    }

    /// A code whose findings are warnings.
    pub const fn warning(name: &'static str, meaning: &'static str) -> Self {
        Self {
            name,
            severity: Severity::Warning,
            meaning,
        }
    }

    /// One case of it: where, and the whole line for the person.
    pub fn finding<P>(&'static self, place: impl Into<P>, message: impl Into<String>) -> Finding<P> {
        Finding {
            code: self,
            place: place.into(),
            message: message.into(),
            cure: None,
            hints: Vec::new(),
        }
    }
}

/// One thing that is wrong. Paths and names in it were written by others: escape it for where it goes. Never holds a value.
///
/// `P` is the place: [`Place`] for what stands in the repository, a text for what is a machine's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding<P = Place> {
    /// What kind it is.
    pub code: &'static Code,
    /// Where it is.
    pub place: P,
    /// One line, names and paths in backticks.
    pub message: String,
    /// The command that mends it, for a POSIX shell in the working folder; nothing if a person has to decide.
    pub cure: Option<String>,
    /// What to know before, or to do where no command can.
    pub hints: Vec<String>,
}

impl<P> Finding<P> {
    /// The command that mends it, if there is one.
    #[must_use]
    pub fn cure(mut self, command: impl Into<Option<String>>) -> Self {
        self.cure = command.into();
        self
    }

    /// Adds what to know before, or to do where no command can.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds several hints.
    #[must_use]
    pub fn hints(mut self, hints: &[String]) -> Self {
        self.hints.extend_from_slice(hints);
        self
    }
}

/// A place in the repository, as exactly as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, relative to the folder that the caller works for.
    pub file: Option<PathBuf>,
    /// The line in it, from 1.
    pub line: Option<usize>,
    /// The environment.
    pub environment: Option<EnvironmentName>,
    /// The path in the environment.
    pub path: Option<ValuePath>,
}

impl Place {
    /// A file as a whole.
    pub fn of_file(file: impl Into<PathBuf>) -> Self {
        Self {
            file: Some(file.into()),
            ..Self::default()
        }
    }

    /// An environment as a whole.
    pub fn of_environment(environment: EnvironmentName) -> Self {
        Self {
            environment: Some(environment),
            ..Self::default()
        }
    }

    /// The same place, at this line of the file.
    #[must_use]
    pub fn at_line(self, line: usize) -> Self {
        Self {
            line: Some(line),
            ..self
        }
    }

    /// The same place, of this environment.
    #[must_use]
    pub fn within(self, environment: EnvironmentName) -> Self {
        Self {
            environment: Some(environment),
            ..self
        }
    }

    /// The same place, at this path of the environment.
    #[must_use]
    pub fn at_path(self, path: ValuePath) -> Self {
        Self {
            path: Some(path),
            ..self
        }
    }
}

/// `ENV:PATH`, `ENV` or the file: what a person calls it.
impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.environment, &self.path, &self.file) {
            (Some(environment), Some(path), _) => write!(formatter, "{environment}:{path}"),
            (Some(environment), None, _) => write!(formatter, "{environment}"),
            (None, _, Some(file)) => write!(formatter, "{}", file.display()),
            (None, _, None) => formatter.write_str("."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Code, Finding, Place, Severity};
    use crate::document::path::ValuePath;
    use crate::names::EnvironmentName;

    static CODE: Code = Code::warning("some-code", "something");

    #[test]
    fn a_place_is_called_by_the_most_exact_name_that_a_person_has_for_it() {
        let environment = EnvironmentName::new("prod").unwrap();
        let file = Place::of_file("secrets/prod.yaml").at_line(3);
        assert_eq!(file.to_string(), "secrets/prod.yaml");
        let inside = file.within(environment.clone());
        assert_eq!(inside.to_string(), "prod");
        assert_eq!(
            inside.at_path(ValuePath::of_keys(["a", "b c"])).to_string(),
            "prod:a.\"b c\""
        );
        assert_eq!(Place::of_environment(environment).to_string(), "prod");
    }

    #[test]
    fn a_finding_gathers_what_mends_it() {
        let finding: Finding<String> = CODE.finding("here", "it is wrong");
        let finding = finding
            .hint("look")
            .hints(&["twice".to_owned()])
            .cure("mend it".to_owned());
        assert_eq!(finding.code.severity, Severity::Warning);
        assert_eq!(finding.hints, ["look", "twice"]);
        assert_eq!(finding.cure.as_deref(), Some("mend it"));
    }
}
