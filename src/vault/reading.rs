//! An environment file as anyone can read it: its tree, its footer and its places. Finds everything that can be wrong
//! without a key, and says so; nothing is opened here.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::str::Utf8Error;

use crate::document::lines::{Lines, Refusal, line_end};
use crate::document::path::{Segment, ValuePath};
use crate::document::token::{Token, has_token_shape, is_token};
use crate::document::tree::{Located, Rules, Scalar, Tree};
use crate::error::{Failure, Result};
use crate::policy::{EnvironmentPolicy, POLICY_NAME, Policy};
use crate::value::{LineEnd, Value};
use crate::vault::footer::{Fault, Footer};

/// What the policy says about the places of one environment.
#[derive(Clone, Copy)]
pub struct Rulebook<'p> {
    /// The policy.
    pub policy: &'p Policy,
    /// The environment.
    pub environment: &'p EnvironmentPolicy,
}

impl Rulebook<'_> {
    /// Whether the policy lets a value that is not encrypted yet stand readable at `path`: it is named by `plaintext` and
    /// not declared under `secrets`.
    pub fn lets_stand_readable(&self, path: &ValuePath) -> bool {
        self.environment.is_plaintext(path)
            && !self
                .policy
                .declared(self.environment)
                .any(|secret| secret.scope.path.matches(path))
    }

    /// The names of all variables: what [`Rulebook::variable`] says, for many paths at the cost of one look-up each.
    pub fn variables(&self) -> impl Fn(&ValuePath) -> String + use<> {
        let mut literal = HashMap::new();
        let mut others = Vec::new();
        let declared: Vec<_> = self
            .policy
            .declared(self.environment)
            .filter(|secret| secret.variable.is_some())
            .collect();
        // The later declaration wins, and one that names the environment over one that does not.
        for named in [false, true] {
            for secret in declared
                .iter()
                .filter(|secret| secret.scope.environment.is_some() == named)
            {
                let variable = secret.variable.clone().unwrap_or_default();
                match secret.scope.path.literal() {
                    Some(path) => drop(literal.insert(path, variable)),
                    None => others.push((secret.scope.path.clone(), variable)),
                }
            }
        }
        move |path| {
            let other = || {
                others
                    .iter()
                    .rev()
                    .find(|(glob, _)| glob.matches(path))
                    .map(|(_, variable)| variable)
            };
            literal
                .get(path)
                .or_else(other)
                .cloned()
                .unwrap_or_else(|| path.variable_name())
        }
    }

    /// The name of the variable that carries the value at `path`.
    pub fn variable(&self, path: &ValuePath) -> String {
        self.policy
            .variable(self.environment, path)
            .map_or_else(|| path.variable_name(), str::to_owned)
    }

    /// Holds a new value against the `pattern` that the policy declares for it, the most specific one.
    ///
    /// # Errors
    /// `Failed` if it does not match; the message has the pattern and never the value.
    pub fn check_pattern(&self, path: &ValuePath, value: &Value) -> Result<()> {
        let declared = self.policy.declarations(self.environment, path).into_iter();
        let Some((secret, pattern)) = declared
            .filter_map(|secret| Some((secret, secret.pattern.as_ref()?)))
            .next()
        else {
            return Ok(());
        };
        let delivered = value.delivered();
        let name = &self.environment.name;
        let reason = match delivered.expose_text() {
            Some(text) if secret.fits(text)? => return Ok(()),
            Some(_) => "does not match",
            None => "is no text, which is asked for by",
        };
        Err(pattern
            .spot
            .failure(format_args!(
                "the value for `{name}:{path}` {reason} this pattern: `{}`",
                pattern.value
            ))
            .hint(format!(
                "give a value that matches, or change `pattern` in {}",
                pattern.spot.shown_name()
            ))
            .into())
    }
}

/// One scalar of the file.
#[derive(Debug)]
pub struct Place<'t, 'a> {
    /// Where it stands.
    pub path: ValuePath,
    /// The scalar.
    pub scalar: &'t Scalar<'a>,
    /// Its token; nothing if it stands readable.
    pub token: Option<Token<'t>>,
}

/// A parsed environment file.
#[derive(Debug)]
pub struct Reading<'a> {
    /// The tree of the file's text.
    pub tree: Tree<'a>,
    /// Its footer.
    pub footer: Footer,
    /// The line ends of the file.
    pub line_end: LineEnd,
}

/// A text that is refused, as a failure of the file `file`.
pub fn refused(file: &Path, refusal: &Refusal) -> Failure {
    let failure = Failure::failed(format!("`{}` {refusal}", file.display()));
    match &refusal.hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// A text that is no UTF-8, as a failure of the file `file`, with the place where it stops being that.
pub fn not_utf8(file: &Path, bytes: &[u8], error: &Utf8Error) -> Failure {
    let before = &bytes[..error.valid_up_to()];
    let text = std::str::from_utf8(before).expect("valid up to there");
    let place = Lines::new(text).place(text.len());
    refused(
        file,
        &Refusal::new(place, "text that is not UTF-8").hint("save it as UTF-8"),
    )
}

impl<'a> Reading<'a> {
    /// Parses the text of an environment file.
    ///
    /// # Errors
    /// `Failed` if it is refused as YAML; `Integrity` if the footer is missing, malformed or not at the end, or belongs to
    /// another environment.
    pub fn new(text: &'a str, rules: Rulebook<'_>) -> Result<Self> {
        let tree = Tree::parse(text, Rules::File).map_err(|refusal| refused(&rules.environment.file, &refusal))?;
        Self::of_tree(tree, rules).map_err(|(_, error)| error)
    }

    /// Reads a text that was parsed as a file; gives the tree back where its footer is refused.
    ///
    /// # Errors
    /// `Integrity` as [`Reading::new`].
    pub fn of_tree(tree: Tree<'a>, rules: Rulebook<'_>) -> Result<Self, (Box<Tree<'a>>, anyhow::Error)> {
        match read_footer(&tree, rules) {
            Ok(footer) => Ok(Self {
                line_end: line_end(tree.text),
                footer,
                tree,
            }),
            Err(error) => Err((Box::new(tree), error)),
        }
    }

    /// Every place in the order of the text.
    ///
    /// # Errors
    /// `Integrity` for the first malformed token.
    pub fn places<'t>(&'t self, rules: Rulebook<'_>) -> Result<Vec<Place<'t, 'a>>> {
        let mut places = Vec::new();
        for (path, scalar) in self.tree.scalars() {
            let token = Token::parse(&scalar.content);
            if token.is_none() && has_token_shape(&scalar.content) {
                return Err(self.malformed_token(rules, &path, scalar.head.start));
            }
            places.push(Place { path, scalar, token });
        }
        Ok(places)
    }

    /// Fails if a token is malformed, something stands readable that should be encrypted, or a collection stands where a
    /// value is declared (FORMAT, Text 4).
    pub fn check(&self, rules: Rulebook<'_>) -> Result<()> {
        let mut wrong = None;
        self.tree.visit(&mut |trail, scalar| {
            if wrong.is_none() && !is_token(&scalar.content) {
                let path = trail.to_path();
                let malformed = has_token_shape(&scalar.content);
                if malformed || !rules.lets_stand_readable(&path) {
                    wrong = Some((path, scalar.head.start, malformed));
                }
            }
        });
        match wrong {
            Some((path, offset, true)) => return Err(self.malformed_token(rules, &path, offset)),
            Some((path, offset, false)) => {
                let name = &rules.environment.name;
                let message = format!("`{name}:{path}` ({}) is not encrypted", self.tree.place(offset));
                return Err(Failure::integrity(message)
                    .hint(format!("secretree encrypt {name}"))
                    .into());
            }
            None => {}
        }
        self.check_collections(rules)
    }

    fn malformed_token(&self, rules: Rulebook<'_>, path: &ValuePath, offset: usize) -> anyhow::Error {
        let name = &rules.environment.name;
        let message = format!(
            "the token at `{name}:{path}` ({}) is malformed",
            self.tree.place(offset)
        );
        Failure::integrity(message)
            .hint(format!("git log -p -- {}", rules.environment.file.display()))
            .into()
    }

    fn check_collections(&self, rules: Rulebook<'_>) -> Result<()> {
        let name = &rules.environment.name;
        for secret in rules.policy.declared(rules.environment) {
            let Some(path) = secret.scope.path.literal() else {
                continue;
            };
            let collection = match self.tree.node(&path) {
                Some(Located::Mapping(mapping)) => mapping.span.start,
                Some(Located::Sequence(sequence)) => sequence.span.start,
                _ => continue,
            };
            let at = self.tree.place(collection);
            let message = format!("`{name}:{path}` ({at}) is a collection where the policy declares a value");
            return Err(Failure::integrity(message)
                .hint(format!(
                    "take it out of {} by hand, or change `secrets` in {POLICY_NAME}",
                    rules.environment.file.display()
                ))
                .into());
        }
        Ok(())
    }

    /// The path as the file has it: an index where a list stands, else a key.
    pub fn as_written(&self, path: &ValuePath) -> ValuePath {
        let mut written = ValuePath::default();
        for segment in path.segments() {
            let in_list = matches!(self.tree.node(&written), Some(Located::Sequence(_)));
            written = written.child(match segment {
                Segment::Index(index) if !in_list => Segment::Key(index.to_string()),
                other => other.clone(),
            });
        }
        written
    }

    /// The text of the file with this body and footer. Comments behind the footer stay.
    pub fn assemble(&self, body: &str, footer: &Footer) -> String {
        let behind = self.tree.footer_end().map_or("", |end| &self.tree.text[end..]);
        let unchanged = self.tree.footer.as_ref().filter(|_| *footer == self.footer);
        match unchanged {
            // A footer that a formatter laid out otherwise stays as it is until something in it changes.
            Some(old) => {
                let start = old.entry.key.span.start;
                let text = &self.tree.text[start..];
                // So does a blank line before it that a formatter took away, if none of the body's is mistaken for it.
                let last = body.strip_suffix('\n').map(|above| above.trim_end_matches('\r'));
                let is_clear = last.is_some_and(|above| !above.is_empty() && !above.ends_with('\n'));
                if is_clear && start > 0 && self.tree.body().len() == start {
                    return format!("{body}{text}");
                }
                with_footer(body, text, self.line_end)
            }
            None => with_footer(body, &format!("{}{behind}", footer.write(self.line_end)), self.line_end),
        }
    }
}

/// The footer of a file, after everything was looked at that can be told without a key.
fn read_footer(tree: &Tree<'_>, rules: Rulebook<'_>) -> Result<Footer> {
    let environment = rules.environment;
    let (name, file) = (&environment.name, &environment.file);
    let Some(entry) = &tree.footer else {
        if let Some(failure) = lost_footer(tree, file) {
            return Err(failure.into());
        }
        let message = format!("`{}` has no footer: nothing in it is encrypted", file.display());
        return Err(Failure::integrity(message)
            .hint(format!("secretree encrypt {name}"))
            .into());
    };
    if let Some(offset) = entry.followed_by {
        let message = format!("`{}` {}: a key behind the footer", file.display(), tree.place(offset));
        return Err(Failure::integrity(message)
            .hint(format!("secretree encrypt {name}"))
            .into());
    }
    let footer = Footer::read(&entry.entry).map_err(|fault| malformed(tree, file, &fault))?;
    if footer.environment != *name {
        let message = format!(
            "`{}` belongs to `{name}`, but its footer says `{}`",
            file.display(),
            footer.environment
        );
        let hint = format!("put the file of `{name}` back: git log -- {}", file.display());
        return Err(Failure::integrity(message).hint(hint).into());
    }
    let groups: HashSet<_> = rules.policy.people.groups().map(|(group, _)| group).collect();
    if let Some(group) = footer.grants.keys().find(|name| groups.contains(name)) {
        let message = format!(
            "`{}` grants the key of `{name}` to `{group}`, which is a group",
            file.display()
        );
        return Err(Failure::integrity(message)
            .hint("groups hold no keys; git log shows who wrote it")
            .into());
    }
    Ok(footer)
}

/// The failure of a file that holds tokens but no footer: nothing here can make it whole again.
pub(super) fn lost_footer(tree: &Tree<'_>, file: &Path) -> Option<Failure> {
    let mut tokens = false;
    tree.visit(&mut |_, scalar| tokens |= has_token_shape(&scalar.content));
    let shown = file.display();
    let message = format!("`{shown}` has lost its footer, without which its tokens do not open");
    tokens.then(|| Failure::integrity(message).hint(format!("git restore {shown}")))
}

/// `body` and `footer` with the blank line between them.
pub(super) fn with_footer(body: &str, footer: &str, line_end: LineEnd) -> String {
    let line_end = line_end.text();
    let ending = if body.is_empty() || body.ends_with('\n') {
        ""
    } else {
        line_end
    };
    let blank = if body.is_empty() { "" } else { line_end };
    format!("{body}{ending}{blank}{footer}")
}

fn malformed(tree: &Tree<'_>, file: &Path, fault: &Fault) -> Failure {
    let place = tree.place(fault.offset);
    let failure = Failure::integrity(format!("`{}` {place}: {}", file.display(), fault.message));
    if fault.newer {
        failure.hint("it was written by a newer secretree; update yours")
    } else {
        failure.hint(format!("git log -p -- {}", file.display()))
    }
}
