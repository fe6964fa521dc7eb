//! One environment, opened with its key: reads values and texts out of the file, and makes the new text of the file when
//! values are set, removed or edited. Whether the key may be believed was judged before.

use std::thread;

use zeroize::Zeroizing;

use super::reading::{Place, Reading, Rulebook};
use crate::crypto::key::EnvironmentKey;
use crate::crypto::label::GrantLabel;
use crate::crypto::token::{TokenKind, TokenPlaintext, open_token, seal_token};
use crate::document::path::ValuePath;
use crate::document::source::agrees;
use crate::document::token::Token;
use crate::document::tree::Located;
use crate::document::write::{Opened, write_values};
use crate::error::{Failure, Result};
use crate::names::Version;
use crate::value::{Source, Value};
use crate::view::Entry;

/// From how many tokens on it pays to open them on several threads.
const WORTH_A_THREAD: usize = 64;
/// The most threads that open tokens.
const MOST_THREADS: usize = 8;

/// An environment whose file was read and whose key was opened and judged.
pub struct Environment<'f> {
    /// What the policy says of it.
    pub rules: Rulebook<'f>,
    /// The file.
    pub reading: Reading<'f>,
    pub(super) key: EnvironmentKey,
    /// The grant that was opened with an identity here.
    pub(super) opened_by: GrantLabel,
}

impl<'f> Environment<'f> {
    /// `ENV:PATH`, as messages say it.
    fn named(&self, path: &ValuePath) -> String {
        format!("{}:{path}", self.rules.environment.name)
    }

    /// Every place of the file, after all of them were checked (FORMAT, Text 4).
    pub fn places(&self) -> Result<Vec<Place<'_, 'f>>> {
        self.reading.check(self.rules)?;
        self.reading.places(self.rules)
    }

    /// The scalar at `path` as a place; nothing if no scalar stands there. Checks nothing else.
    pub(super) fn place<'t>(&'t self, path: &ValuePath) -> Option<Place<'t, 'f>> {
        match self.reading.tree.node(path)? {
            Located::Scalar(scalar) => Some(Place {
                path: path.clone(),
                scalar,
                token: Token::parse(&scalar.content),
            }),
            _ => None,
        }
    }

    /// Every value in the order of the file.
    pub fn entries(&self) -> Result<Vec<Entry>> {
        let places = self.places()?;
        let opened = self.open_places(&places)?;
        let entry = |(place, opened): (Place<'_, '_>, Opened)| Entry {
            readable: place.token.is_none(),
            path: place.path,
            value: opened.value,
        };
        Ok(places.into_iter().zip(opened).map(entry).collect())
    }

    /// The text that its people edit: every token replaced by the author's text.
    pub fn text(&self) -> Result<Zeroizing<String>> {
        let places = self.places()?;
        let opened = self.open_places(&places)?;
        let tokens: Vec<_> = places
            .iter()
            .zip(opened)
            .filter(|(place, _)| place.token.is_some())
            .map(|(place, opened)| (place.scalar, opened))
            .collect();
        let final_newline = self.reading.footer.final_newline;
        write_values(&self.reading.tree, self.reading.line_end, &tokens, final_newline).ok_or_else(|| {
            let name = &self.rules.environment.name;
            Failure::integrity(format!("the values of `{name}` do not fit where they stand"))
                .hint(format!(
                    "see what changed around them: git log -p -- {}",
                    self.rules.environment.file.display()
                ))
                .into()
        })
    }

    /// What each place holds, opened on as many threads as are worth it.
    pub(super) fn open_places(&self, places: &[Place<'_, '_>]) -> Result<Vec<Opened>> {
        on_threads(places, |part| part.iter().map(|place| self.open_place(place)).collect())
    }

    pub(super) fn open_place(&self, place: &Place<'_, '_>) -> Result<Opened> {
        let Some(token) = &place.token else {
            return Ok(Opened {
                value: place.scalar.value(),
                source: None,
            });
        };
        self.open_token(token, &place.path, TokenKind::Value)
    }

    /// Whether this very value stands at the place. One that does not open is another.
    pub(super) fn holds(&self, place: &Place<'_, '_>, value: &Value) -> bool {
        let is_own = place.token.as_ref().is_none_or(|token| token.key == *self.key.id());
        is_own && self.open_place(place).is_ok_and(|opened| opened.value == *value)
    }

    /// Opens a token of the file's key that stands at `path`.
    pub(super) fn open_token(&self, token: &Token<'_>, path: &ValuePath, kind: TokenKind) -> Result<Opened> {
        if token.key != *self.key.id() {
            return Err(self.of_another_key(token, path).into());
        }
        let opened = open_token(&self.key, token.base64)
            .map_err(|reason| self.refused(path, &format!("is refused: {reason}")))?;
        let name = &self.rules.environment.name;
        let sealed_path = ValuePath::from_json(&opened.path);
        if opened.environment != *name || opened.path != path.to_json() || opened.kind != kind {
            let sealed_path = sealed_path.map_or_else(|| "?".to_owned(), |path| path.to_string());
            let kinds = if opened.kind == kind {
                String::new()
            } else {
                format!(" as `{}`, not as `{}`", opened.kind.name(), kind.name())
            };
            return Err(self.refused(
                path,
                &format!("was sealed for `{}:{sealed_path}`{kinds}", opened.environment),
            ));
        }
        if opened.version != token.version {
            let versions = format!("is `{}` inside but `{}` outside", opened.version, token.version);
            return Err(self.refused(path, &versions));
        }
        if opened
            .source
            .as_ref()
            .is_some_and(|source| !agrees(source, &opened.value))
        {
            return Err(self.refused(path, "carries a text that is not its value"));
        }
        Ok(Opened {
            value: opened.value,
            source: opened.source,
        })
    }

    fn of_another_key(&self, token: &Token<'_>, path: &ValuePath) -> Failure {
        let message = format!(
            "the token at `{}` is sealed under the key `{}`, but the key of the file is `{}`",
            self.named(path),
            token.key,
            self.key.id()
        );
        Failure::integrity(message).hint(format!(
            "a merge may have left it: secretree apply {}",
            self.rules.environment.name
        ))
    }

    fn refused(&self, path: &ValuePath, why: &str) -> anyhow::Error {
        Failure::integrity(format!("the token at `{}` {why}", self.named(path)))
            .hint(format!("git log -p -- {}", self.rules.environment.file.display()))
            .into()
    }

    /// The text of a new token under the file's key.
    pub(super) fn seal(
        &self,
        path: &ValuePath,
        version: &Version,
        value: Value,
        source: Option<Source>,
    ) -> Result<String> {
        seal_value(&self.key, self.rules, path, version, value, source)
    }
}

/// The text of a new token of type `value`.
pub(super) fn seal_value(
    key: &EnvironmentKey,
    rules: Rulebook<'_>,
    path: &ValuePath,
    version: &Version,
    value: Value,
    source: Option<Source>,
) -> Result<String> {
    let plaintext = TokenPlaintext {
        kind: TokenKind::Value,
        environment: rules.environment.name.clone(),
        path: path.to_json(),
        version: version.clone(),
        value,
        source,
    };
    let base64 = seal_token(key, &plaintext)?;
    Ok(Token {
        key: key.id().clone(),
        version: version.clone(),
        base64: &base64,
    }
    .to_string())
}

/// `work` on parts of `items`, on as many threads as are worth it; the results in the order of the items.
pub(super) fn on_threads<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(&[T]) -> Result<Vec<R>> + Sync,
) -> Result<Vec<R>> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    let share = items.len().div_ceil(threads).max(WORTH_A_THREAD);
    if items.len() <= share {
        return work(items);
    }
    thread::scope(|scope| {
        let workers: Vec<_> = items.chunks(share).map(|part| scope.spawn(|| work(part))).collect();
        let mut results = Vec::with_capacity(items.len());
        for worker in workers {
            results.extend(worker.join().expect("opening and sealing tokens does not panic")?);
        }
        Ok(results)
    })
}
