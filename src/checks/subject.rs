//! What the rules for single files look at: a text, parsed once for all of them, with what the policy says of it and what
//! stood there before.

use std::path::Path;

use crate::document::lines::Lines;
use crate::document::path::ValuePath;
use crate::document::tree::{Rules, Tree};
use crate::error::Failure;
use crate::finding::Place;
use crate::names::EnvironmentName;
use crate::vault::{Reading, Rulebook, not_utf8, refused};

/// One policy or environment file.
pub struct Subject<'a> {
    /// The file as findings name it, relative to where their reader is.
    pub file: &'a Path,
    /// Its text; of a text that is not UTF-8 the part before that shows.
    pub text: &'a str,
    /// What the policy says of an environment's file; nothing for a policy.
    pub rules: Option<Rulebook<'a>>,
    /// The file as it stood in each parent of what is looked at, if it did there. Empty where nothing is compared.
    pub before: &'a [String],
    /// How the program is called where cures are read: `secretree`, or `secretree -C FOLDER`.
    pub program: &'a str,
    /// What the text is.
    pub parsed: Parsed<'a>,
}

/// What a text is.
pub enum Parsed<'a> {
    /// A policy or environment file that is what it should be, as far as anyone can tell without a key. Policies have no
    /// reading.
    Whole(Option<Reading<'a>>),
    /// Accepted as YAML, but the footer is not what it should be.
    Footless {
        /// The values.
        tree: Tree<'a>,
        /// Why.
        failure: Failure,
    },
    /// Not accepted.
    Broken {
        /// The line, from 1.
        line: Option<usize>,
        /// Why.
        failure: Failure,
    },
}

impl<'a> Subject<'a> {
    /// The file of an environment.
    pub fn environment(
        file: &'a Path,
        bytes: &'a [u8],
        rules: Rulebook<'a>,
        before: &'a [String],
        program: &'a str,
    ) -> Self {
        let own = &rules.environment.file;
        let (text, parsed) = match std::str::from_utf8(bytes) {
            Ok(text) => (text, parse(text, rules)),
            Err(error) => {
                let failure = not_utf8(own, bytes, &error);
                let text = std::str::from_utf8(&bytes[..error.valid_up_to()]).expect("valid up to there");
                let line = Some(Lines::new(text).place(text.len()).line);
                (text, Parsed::Broken { line, failure })
            }
        };
        Self {
            file,
            text,
            rules: Some(rules),
            before,
            program,
            parsed: parsed.renamed(own, file),
        }
    }

    /// The file of an environment that is no text at all, such as a link.
    pub fn unusable(file: &'a Path, rules: Rulebook<'a>, failure: Failure, program: &'a str) -> Self {
        Self {
            file,
            text: "",
            rules: Some(rules),
            before: &[],
            program,
            parsed: Parsed::Broken { line: None, failure },
        }
    }

    /// A policy, and why it cannot be used if it cannot.
    pub fn policy(file: &'a Path, text: &'a str, failure: Option<Failure>, program: &'a str) -> Self {
        let parsed = match failure {
            None => Parsed::Whole(None),
            Some(failure) => Parsed::Broken { line: None, failure },
        };
        Self {
            file,
            text,
            rules: None,
            before: &[],
            program,
            parsed,
        }
    }

    /// The tree of an environment's values, also where the footer is wrong.
    pub fn tree(&self) -> Option<&Tree<'a>> {
        match &self.parsed {
            Parsed::Whole(reading) => reading.as_ref().map(|reading| &reading.tree),
            Parsed::Footless { tree, .. } => Some(tree),
            Parsed::Broken { .. } => None,
        }
    }

    /// The environment, with what the policy says of it and its tree.
    pub(super) fn values(&self) -> Option<(Rulebook<'a>, &Tree<'a>)> {
        Some((self.rules?, self.tree()?))
    }

    /// The file as a whole, of its environment if it has one.
    pub(super) fn place(&self) -> Place {
        let place = Place::of_file(self.file);
        match self.name() {
            Some(name) => place.within(name.clone()),
            None => place,
        }
    }

    /// The value at `path`, which stands at the byte `offset` of the text.
    pub(super) fn place_of(&self, path: &ValuePath, offset: usize) -> Place {
        let place = self.place().at_path(path.clone());
        match self.tree() {
            Some(tree) => place.at_line(tree.place(offset).line),
            None => place,
        }
    }

    /// `` `ENV:PATH` (`FILE` line 3) ``.
    pub(super) fn named(&self, place: &Place) -> String {
        let (shown, file) = (place.to_string(), self.file.display());
        match place.line {
            Some(line) => format!("`{shown}` (`{file}` line {line})"),
            None => format!("`{shown}` (`{file}`)"),
        }
    }

    /// The environment's name.
    pub(super) fn name(&self) -> Option<&'a EnvironmentName> {
        self.rules.map(|rules| &rules.environment.name)
    }
}

fn parse<'a>(text: &'a str, rules: Rulebook<'_>) -> Parsed<'a> {
    let tree = match Tree::parse(text, Rules::File) {
        Ok(tree) => tree,
        Err(refusal) => {
            return Parsed::Broken {
                line: Some(refusal.place.line),
                failure: refused(&rules.environment.file, &refusal),
            };
        }
    };
    match Reading::of_tree(tree, rules) {
        Ok(reading) => Parsed::Whole(Some(reading)),
        Err((tree, error)) => Parsed::Footless {
            tree: *tree,
            failure: error.into(),
        },
    }
}

impl Parsed<'_> {
    /// Failures name the file as its policy does; here it is named as the reader of the finding knows it.
    fn renamed(self, own: &Path, file: &Path) -> Self {
        let (own, shown) = (own.display().to_string(), file.display().to_string());
        let again = |failure: Failure| {
            let quoted = |name: &str| format!("`{name}`");
            let renamed = Failure::new(
                failure.kind(),
                failure.message().replacen(&quoted(&own), &quoted(&shown), 1),
            );
            // Hints are commands with the file in them.
            failure
                .hints()
                .iter()
                .fold(renamed, |renamed, hint| renamed.hint(hint.replace(&own, &shown)))
        };
        match self {
            Self::Footless { tree, failure } => Self::Footless {
                tree,
                failure: again(failure),
            },
            Self::Broken { line, failure } => Self::Broken {
                line,
                failure: again(failure),
            },
            whole => whole,
        }
    }
}
