//! The tokens of an edited text: what did not change keeps its token to the byte, what only moved keeps its version
//! (FORMAT, Keys and Text 2).

use std::collections::{HashMap, HashSet, VecDeque};

use zeroize::Zeroizing;

use super::change::Changes;
use super::environment::seal_value;
use super::reading::{Place, Rulebook};
use crate::crypto::key::EnvironmentKey;
use crate::document::lines::line_end;
use crate::document::path::{Segment, ValuePath};
use crate::document::source::source_of;
use crate::document::token::Token;
use crate::document::tree::{Scalar, Tree};
use crate::document::write::Opened;
use crate::error::Result;
use crate::names::Version;
use crate::value::{Source, Value};

/// What stood at a place before an edit.
pub(super) struct Old<'o, 'a> {
    pub(super) place: &'o Place<'o, 'a>,
    pub(super) opened: Opened,
}

/// The tokens for the scalars of an edited text, and what changed. What did not change keeps its token, what moved keeps
/// its version.
pub(super) fn seal_text<'t, 'a>(
    key: &EnvironmentKey,
    rules: Rulebook<'_>,
    tree: &'t Tree<'a>,
    old: &[Old<'_, '_>],
) -> Result<(Vec<(&'t Scalar<'a>, String)>, Changes)> {
    let scalars = tree.scalars();
    let line_end = line_end(tree.text);
    let by_path: HashMap<&ValuePath, &Old<'_, '_>> = old.iter().map(|old| (&old.place.path, old)).collect();
    let present: HashSet<&ValuePath> = scalars.iter().map(|(path, _)| path).collect();
    let mut changes = Changes {
        removed: old
            .iter()
            .map(|old| &old.place.path)
            .filter(|path| !present.contains(path))
            .cloned()
            .collect(),
        ..Changes::default()
    };
    let mut moved = Moved::new(old, &scalars, &by_path, &present);
    let mut tokens = Vec::with_capacity(scalars.len());
    for (path, scalar) in &scalars {
        let before = by_path.get(path).copied();
        let value = scalar.value();
        let same = before.is_some_and(|before| before.opened.value == value);
        match before {
            Some(_) if !same => changes.changed.push(path.clone()),
            None => changes.added.push(path.clone()),
            Some(_) => {}
        }
        let was_token = before.and_then(|before| before.place.token.as_ref());
        if rules.lets_stand_readable(path) {
            if was_token.is_none() {
                changes.readable.extend(before.is_none().then(|| path.clone()));
                continue;
            }
            changes.kept_encrypted.push(path.clone());
        }
        let source = source_of(tree.text, scalar, &value, line_end);
        tokens.push((
            *scalar,
            token_for(key, rules, path, value, source, before.filter(|_| same), &mut moved)?,
        ));
    }
    Ok((tokens, changes))
}

fn token_for(
    key: &EnvironmentKey,
    rules: Rulebook<'_>,
    path: &ValuePath,
    value: Value,
    source: Option<Source>,
    same: Option<&Old<'_, '_>>,
    moved: &mut Moved,
) -> Result<String> {
    if let Some((before, token)) = same.and_then(|before| Some((before, before.place.token.as_ref()?))) {
        if before.opened.source == source {
            return Ok(token.to_string());
        }
        return seal_value(key, rules, path, &token.version, value, source);
    }
    let version = moved.take(path, &value).unwrap_or_else(Version::random);
    seal_value(key, rules, path, &version, value, source)
}

/// Versions of values that left their path, for those that turn up at another: an item of the same list, or the one new
/// key that has the value of the one key that is gone.
struct Moved {
    items: HashMap<(ValuePath, Fingerprint), VecDeque<Version>>,
    keys: HashMap<Fingerprint, Version>,
}

type Fingerprint = [u8; 32];

impl Moved {
    fn new(
        old: &[Old<'_, '_>],
        scalars: &[(ValuePath, &Scalar<'_>)],
        by_path: &HashMap<&ValuePath, &Old<'_, '_>>,
        present: &HashSet<&ValuePath>,
    ) -> Self {
        let mut moved = Self {
            items: HashMap::new(),
            keys: HashMap::new(),
        };
        let now: HashMap<&ValuePath, &&Scalar<'_>> = scalars.iter().map(|(path, scalar)| (path, scalar)).collect();
        let mut gone: HashMap<Fingerprint, Vec<&Token<'_>>> = HashMap::new();
        for old in old {
            let path = &old.place.path;
            let Some(token) = &old.place.token else { continue };
            if now.get(path).is_some_and(|scalar| scalar.value() == old.opened.value) {
                continue;
            }
            let mark = fingerprint(&old.opened.value);
            if in_list(path) {
                moved
                    .items
                    .entry((without_indices(path), mark))
                    .or_default()
                    .push_back(token.version.clone());
            } else if !present.contains(path) {
                gone.entry(mark).or_default().push(token);
            }
        }
        let mut new: HashMap<Fingerprint, usize> = HashMap::new();
        for (path, scalar) in scalars
            .iter()
            .filter(|(path, _)| !by_path.contains_key(path) && !in_list(path))
        {
            let _ = path;
            *new.entry(fingerprint(&scalar.value())).or_default() += 1;
        }
        for (mark, tokens) in gone {
            if let ([token], Some(1)) = (tokens.as_slice(), new.get(&mark)) {
                moved.keys.insert(mark, token.version.clone());
            }
        }
        moved
    }

    fn take(&mut self, path: &ValuePath, value: &Value) -> Option<Version> {
        let mark = fingerprint(value);
        if in_list(path) {
            return self.items.get_mut(&(without_indices(path), mark))?.pop_front();
        }
        self.keys.remove(&mark)
    }
}

/// SHA-256 of a value's canonical JSON; lives only as long as the edit.
fn fingerprint(value: &Value) -> Fingerprint {
    use sha2::{Digest as _, Sha256};
    let mut json = Zeroizing::new(Vec::new());
    value.push_canonical_json(&mut json);
    Sha256::digest(&*json).into()
}

fn in_list(path: &ValuePath) -> bool {
    path.segments()
        .iter()
        .any(|segment| matches!(segment, Segment::Index(_)))
}

fn without_indices(path: &ValuePath) -> ValuePath {
    let same = |segment: &Segment| match segment {
        Segment::Index(_) => Segment::Index(0),
        key => key.clone(),
    };
    ValuePath::new(path.segments().iter().map(same).collect())
}
