//! New texts for an environment's file: a value set, values removed, the whole text edited, readable values encrypted.
//! Unchanged values keep their token to the byte, moved ones keep their version (FORMAT, Keys and Text 2).

use std::collections::HashSet;

use zeroize::Zeroizing;

use super::edited::{Old, seal_text};
use super::environment::{Environment, seal_value};
use super::reading::{Place, Reading, Rulebook, refused};
use crate::crypto::key::EnvironmentKey;
use crate::document::FOOTER_KEY;
use crate::document::edit::{self, Obstacle};
use crate::document::lines::line_end;
use crate::document::path::{Segment, ValuePath};
use crate::document::render::{Position, render};
use crate::document::source::source_of;
use crate::document::token::has_token_shape;
use crate::document::tree::{Located, Rules, Scalar, Tree};
use crate::document::write::{replace_scalar, write_tokens};
use crate::error::{Failure, Result};
use crate::names::Version;
use crate::value::Value;

/// What a change did, by path; for messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Paths that were not there.
    pub added: Vec<ValuePath>,
    /// Paths whose value is another now.
    pub changed: Vec<ValuePath>,
    /// Paths that are gone.
    pub removed: Vec<ValuePath>,
    /// Paths whose value was written readable, as the policy's `plaintext` says.
    pub readable: Vec<ValuePath>,
    /// Paths that match `plaintext` but stay encrypted, because they were.
    pub kept_encrypted: Vec<ValuePath>,
}

impl Changes {
    /// Whether no value changed.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }
}

impl Environment<'_> {
    /// The file's text with `value` at `path`. A value that is there already changes nothing.
    ///
    /// # Errors
    /// `Failed` if a collection or a value stands in the way; `Integrity` if the file is not sound.
    pub fn set(&self, path: &ValuePath, value: Value) -> Result<(String, Changes)> {
        let path = self.reading.as_written(path);
        self.reading.check(self.rules)?;
        self.refuse_outsiders()?;
        check_new(self.rules, &path, &value)?;
        let place = self.place(&path);
        let place = place.as_ref();
        if let Some(place) = place.filter(|place| self.is_own(place))
            && self.open_place(place)?.value == value
        {
            return Ok((self.reading.tree.text.to_owned(), Changes::default()));
        }
        let readable = self.stands_readable(&path);
        let version = Version::random();
        let token = self.seal(&path, &version, value.clone(), None)?;
        let tree = &self.reading.tree;
        let line_end = self.reading.line_end;
        let body = match place {
            Some(place) if readable => replace_scalar(tree, place.scalar, &self.rendered(place.scalar, &value)),
            Some(place) => write_tokens(tree.body(), &tree.lines, line_end, &[(place.scalar, token)]),
            None => {
                let body =
                    edit::insert(tree, &path, &token, line_end).map_err(|obstacle| self.in_the_way(&path, obstacle))?;
                if readable {
                    self.made_readable(&body, &path, &value)?
                } else {
                    body
                }
            }
        };
        let mut changes = match place {
            Some(_) => Changes {
                changed: vec![path.clone()],
                ..Changes::default()
            },
            None => Changes {
                added: vec![path.clone()],
                ..Changes::default()
            },
        };
        if readable {
            changes.readable.push(path.clone());
        }
        let text = self.reading.assemble(&body, &self.reading.footer);
        if place.is_none() {
            self.check_result(&text, self.count() + 1)?;
        }
        Ok((text, changes))
    }

    /// Whether a value that is written at `path` stands readable.
    pub fn stands_readable(&self, path: &ValuePath) -> bool {
        match self.place(path) {
            Some(place) => place.token.is_none(),
            None => self.rules.lets_stand_readable(path),
        }
    }

    /// Whether a place stands readable or under the file's own key, so that its value can be compared.
    fn is_own(&self, place: &Place<'_, '_>) -> bool {
        place.token.as_ref().is_none_or(|token| token.key == *self.key.id())
    }

    /// The number of values in the file.
    fn count(&self) -> usize {
        let mut count = 0;
        self.reading.tree.visit(&mut |_, _| count += 1);
        count
    }

    fn rendered(&self, scalar: &Scalar<'_>, value: &Value) -> Zeroizing<String> {
        render(
            value,
            Position {
                column: scalar.column,
                line_end: self.reading.line_end,
                flow: scalar.flow,
            },
        )
    }

    /// The token that was inserted at `path`, replaced by the readable text of `value`.
    fn made_readable(&self, body: &str, path: &ValuePath, value: &Value) -> Result<String> {
        let file = &self.rules.environment.file;
        let tree = Tree::parse(body, Rules::File).map_err(|refusal| refused(file, &refusal))?;
        let Some(Located::Scalar(scalar)) = tree.node(path) else {
            return Err(Failure::failed(format!("`{path}` cannot be written here"))
                .hint("use `secretree edit`")
                .into());
        };
        Ok(replace_scalar(&tree, scalar, &self.rendered(scalar, value)))
    }

    fn in_the_way(&self, path: &ValuePath, obstacle: Obstacle) -> Failure {
        let name = &self.rules.environment.name;
        match obstacle {
            Obstacle::ValueAt(above) => {
                Failure::failed(format!("`{name}:{above}` is a value, so nothing can stand at `{path}`"))
                    .hint(format!("remove it first: secretree unset {name} {above}"))
            }
            Obstacle::CollectionAt(path) => Failure::failed(format!("`{name}:{path}` holds other values")).hint(
                format!("name one of them (secretree list {name}), or use secretree edit {name}"),
            ),
            Obstacle::BeyondList(list, length) => {
                Failure::failed(format!("the list `{name}:{list}` has {length} items"))
                    .hint(format!("append with `{list}.{length}`"))
            }
            Obstacle::NoIndex(list) => Failure::failed(format!("`{name}:{list}` is a list"))
                .hint(format!("name an item by its number, such as `{list}.0`")),
        }
    }

    /// The file's text without what stands at `paths`, and without collections that become empty. List items behind a
    /// removed one are sealed for their new place and keep their version.
    ///
    /// # Errors
    /// `Failed` if nothing stands at one of the paths.
    pub fn unset(&self, paths: &[ValuePath]) -> Result<(String, Changes)> {
        let name = &self.rules.environment.name;
        self.reading.check(self.rules)?;
        let mut text = self.reading.tree.text.to_owned();
        let mut changes = Changes::default();
        // Items with higher numbers first, so that the numbers of the others stay true.
        let mut ordered: Vec<_> = paths.iter().map(|path| self.reading.as_written(path)).collect();
        ordered.sort();
        ordered.dedup();
        for path in ordered.iter().rev() {
            let reading = Reading::new(&text, self.rules)?;
            let before = reading.places(self.rules)?;
            let body = edit::remove(&reading.tree, path, reading.line_end).ok_or_else(|| {
                Failure::failed(format!("nothing stands at `{name}:{path}`")).hint(format!("secretree list {name}"))
            })?;
            let gone = |place: &&Place<'_, '_>| place.path.segments().starts_with(path.segments());
            changes
                .removed
                .extend(before.iter().filter(gone).map(|place| place.path.clone()));
            let kept: Vec<_> = before.iter().filter(|place| !gone(place)).collect();
            let new = self.resealed(&reading.assemble(&body, &reading.footer), &kept)?;
            text = new;
        }
        changes.removed.sort();
        changes.removed.dedup();
        Ok((text, changes))
    }

    /// `text`, whose places are `kept` in the same order, with the tokens of moved places sealed for their new path.
    fn resealed(&self, text: &str, kept: &[&Place<'_, '_>]) -> Result<String> {
        let after = Reading::new(text, self.rules)?;
        let places = after.places(self.rules)?;
        let same = places.len() == kept.len()
            && places.iter().zip(kept).all(|(now, before)| {
                now.token == before.token && (now.token.is_some() || now.scalar.value() == before.scalar.value())
            });
        if !same {
            let message = "a comment or blank line there would become a part of the value above it";
            return Err(Failure::failed(message)
                .hint(format!("use secretree edit {}", self.rules.environment.name))
                .into());
        }
        let mut tokens = Vec::new();
        for (now, before) in places.iter().zip(kept).filter(|(now, before)| now.path != before.path) {
            if let Some(token) = &before.token {
                let opened = self.open_place(before)?;
                tokens.push((
                    now.scalar,
                    self.seal(&now.path, &token.version, opened.value, opened.source)?,
                ));
            }
        }
        let body = write_tokens(after.tree.body(), &after.tree.lines, after.line_end, &tokens);
        Ok(after.assemble(&body, &after.footer))
    }

    /// The file's text for the edited text `new`.
    ///
    /// # Errors
    /// `Failed` with line and column if the text is not accepted, or if a value that it brings does not match the declared
    /// `pattern`.
    pub fn replace_text(&self, new: &str) -> Result<(String, Changes)> {
        let file = &self.rules.environment.file;
        let tree = Tree::parse(new, Rules::Text).map_err(|refusal| refused(file, &refusal))?;
        self.refuse_outsiders()?;
        let places = self.places()?;
        let opened = self.open_places(&places)?;
        let old: Vec<Old<'_, '_>> = places
            .iter()
            .zip(opened)
            .map(|(place, opened)| Old { place, opened })
            .collect();
        let (tokens, changes) = seal_text(&self.key, self.rules, &tree, &old)?;
        self.check_patterns(&tree, &changes)?;
        let body = write_tokens(new, &tree.lines, line_end(new), &tokens);
        let mut footer = self.reading.footer.clone();
        footer.final_newline = new.is_empty() || new.ends_with('\n');
        // The footer follows the text's line ends.
        let reading = Reading {
            line_end: if new.contains('\n') {
                line_end(new)
            } else {
                self.reading.line_end
            },
            ..self.reading_again()?
        };
        let text = reading.assemble(&body, &footer);
        self.check_result(&text, tree.scalars().len())?;
        Ok((text, changes))
    }

    /// Holds what a text brings against the declared patterns. What stood there before may stay, and `null` is no value.
    fn check_patterns(&self, tree: &Tree<'_>, changes: &Changes) -> Result<()> {
        let brought: HashSet<&ValuePath> = changes.added.iter().chain(&changes.changed).collect();
        let mut first: Option<Failure> = None;
        let mut others = Vec::new();
        for (path, scalar) in tree.scalars().iter().filter(|(path, _)| brought.contains(path)) {
            let value = scalar.value();
            let checked = match value {
                Value::Null => Ok(()),
                value => self.rules.check_pattern(path, &value),
            };
            match (checked, &first) {
                (Ok(()), _) => {}
                (Err(error), None) => first = Some(error.into()),
                (Err(_), Some(_)) => others.push(format!("`{}:{path}`", self.rules.environment.name)),
            }
        }
        match first {
            None => Ok(()),
            Some(failure) if others.is_empty() => Err(failure.into()),
            Some(failure) => {
                let hint = format!("others that do not match theirs: {}", others.join(", "));
                Err(failure.hint(hint).into())
            }
        }
    }

    fn reading_again(&self) -> Result<Reading<'_>> {
        Reading::new(self.reading.tree.text, self.rules)
    }

    /// The file's text with every readable value encrypted that must be.
    pub fn encrypt_readable(&self) -> Result<(String, Changes)> {
        encrypt_readable(&self.key, &self.reading, self.rules)
    }

    /// A last look at what is about to be written: it must be read back with as many places, none readable that must not be.
    fn check_result(&self, text: &str, places: usize) -> Result<()> {
        let reading = Reading::new(text, self.rules)?;
        reading.check(self.rules)?;
        let mut found = 0;
        reading.tree.visit(&mut |_, _| found += 1);
        if found != places {
            let message = "a comment or blank line there would become a part of a value";
            return Err(Failure::failed(message)
                .hint(format!("use secretree edit {}", self.rules.environment.name))
                .into());
        }
        Ok(())
    }
}

/// Refuses what can be no value of an environment: text of a token's shape, anything in the footer's place, and what the
/// declared `pattern` does not match.
pub(super) fn check_new(rules: Rulebook<'_>, path: &ValuePath, value: &Value) -> Result<()> {
    check_place(rules, path, value)?;
    rules.check_pattern(path, value)
}

/// The same without the `pattern`.
pub(super) fn check_place(rules: Rulebook<'_>, path: &ValuePath, value: &Value) -> Result<()> {
    let name = &rules.environment.name;
    if matches!(path.segments().first(), Some(Segment::Key(key)) if key == FOOTER_KEY) {
        let message = format!("`{FOOTER_KEY}` is the footer's place in `{name}`; no value can stand there");
        return Err(Failure::failed(message).hint("choose another first segment").into());
    }
    if let Value::Text(text) = value
        && text.expose_text().is_some_and(has_token_shape)
    {
        let message = format!("the value for `{name}:{path}` has the shape of an encrypted token");
        return Err(Failure::failed(message)
            .hint("set the value itself: `secretree get` or `decrypt` gives it")
            .into());
    }
    Ok(())
}

pub(super) fn encrypt_readable(
    key: &EnvironmentKey,
    reading: &Reading<'_>,
    rules: Rulebook<'_>,
) -> Result<(String, Changes)> {
    let mut changes = Changes::default();
    let mut tokens = Vec::new();
    let tree = &reading.tree;
    for place in reading.places(rules)? {
        if place.token.is_some() || rules.lets_stand_readable(&place.path) {
            continue;
        }
        let value = place.scalar.value();
        let source = source_of(tree.text, place.scalar, &value, reading.line_end);
        tokens.push((
            place.scalar,
            seal_value(key, rules, &place.path, &Version::random(), value, source)?,
        ));
        changes.changed.push(place.path);
    }
    let body = write_tokens(tree.body(), &tree.lines, reading.line_end, &tokens);
    Ok((reading.assemble(&body, &reading.footer), changes))
}
