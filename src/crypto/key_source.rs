//! One source of private keys: bytes at hand, a file, or a command. Reads it once, when that is worth it, and
//! tries its keys. The order among sources is left to [`identities`](super::identities).

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::grant::GrantError;
use super::identity_file::{Contents, Effort, Key, LARGEST_FILE, parse};
use super::label::GrantLabel;
use super::plugins::Plugins;
use super::public_key::PublicKey;
use crate::error::{Failure, FailureKind, Result};
use crate::secret::Secret;

/// Where identities come from, and what messages call it.
pub struct KeySource {
    name: String,
    content: Content,
    public: Option<String>,
}

enum Content {
    Bytes(Secret),
    File(PathBuf),
    Command(Box<dyn FnOnce() -> Result<Secret> + Send>),
}

impl KeySource {
    /// Identities that are at hand, such as those of `SECRETREE_KEY`.
    pub fn bytes(name: impl Into<String>, content: Secret) -> Self {
        Self {
            name: name.into(),
            content: Content::Bytes(content),
            public: None,
        }
    }

    /// A file, read when it is first needed. If it is encrypted, a `.pub` file beside it is read too.
    pub fn file(name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            content: Content::File(path.into()),
            public: None,
        }
    }

    /// A command that gives the identities; run once, when nothing cheaper fits.
    pub fn command(name: impl Into<String>, run: impl FnOnce() -> Result<Secret> + Send + 'static) -> Self {
        Self {
            name: name.into(),
            content: Content::Command(Box::new(run)),
            public: None,
        }
    }

    /// The public keys of an encrypted source, one a line: with them it is unlocked only if it fits.
    #[must_use]
    pub fn with_public_keys(mut self, text: impl Into<String>) -> Self {
        self.public = Some(text.into());
        self
    }
}

/// A source and what is known of it so far.
pub(super) struct Held {
    name: String,
    public: Option<String>,
    /// What was not read yet.
    content: Option<Content>,
    keys: Vec<Key>,
    problem: Option<String>,
}

impl Held {
    /// Nothing is read yet.
    pub(super) fn new(source: KeySource) -> Self {
        Self {
            name: source.name,
            public: source.public,
            content: Some(source.content),
            keys: Vec::new(),
            problem: None,
        }
    }

    /// The public keys known so far, each with the source's name.
    pub(super) fn public_keys(&self) -> impl Iterator<Item = (&str, &PublicKey)> {
        self.keys
            .iter()
            .flat_map(Key::publics)
            .map(|public| (self.name.as_str(), public))
    }

    /// The source's name, and why it could not be read.
    pub(super) fn problem(&self) -> Option<(&str, &str)> {
        Some((&self.name, self.problem.as_deref()?))
    }

    /// The source's name and a reason, for each key of which no public key is known without asking or starting anything.
    pub(super) fn unknown(&self) -> impl Iterator<Item = (&str, String)> {
        let unread = matches!(self.content, Some(Content::Command(_)));
        let command = unread.then(|| "is a command, run when a grant needs it".to_owned());
        let reasons = command
            .into_iter()
            .chain(self.keys.iter().filter_map(Key::reason_unknown));
        reasons.map(|reason| (self.name.as_str(), reason))
    }

    /// The source's name and the plugin's, for each key of a plugin.
    pub(super) fn plugins(&self) -> impl Iterator<Item = (&str, &str)> {
        self.keys
            .iter()
            .filter_map(Key::plugin)
            .map(|plugin| (self.name.as_str(), plugin))
    }

    /// Reads the source if that is worth `effort`; returns whether it was read now.
    pub(super) fn load(&mut self, effort: Effort) -> bool {
        if effort < Effort::Asks && matches!(self.content, Some(Content::Command(_))) {
            return false;
        }
        let Some(content) = self.content.take() else {
            return false;
        };
        let contents = match content {
            Content::Bytes(bytes) => Ok(parse(&bytes, self.public.as_deref())),
            Content::File(path) => read_file(&path, self.public.as_deref()),
            Content::Command(run) => run()
                .map(|bytes| parse(&bytes, self.public.as_deref()))
                .or_else(|error| Ok(failed_command(&self.name, error.into()))),
        };
        match contents {
            Ok(Contents { keys, problem }) => (self.keys, self.problem) = (keys, problem),
            Err(reason) => self.problem = Some(reason),
        }
        true
    }

    /// Tries the keys that cost this effort, and all that came to light in doing so.
    pub(super) fn open(
        &mut self,
        effort: Effort,
        grants: &[(&GrantLabel, &[u8])],
        plugins: &Plugins,
    ) -> Result<Option<(usize, Secret)>, GrantError> {
        let mut fresh = self.load(effort);
        let mut failure = None;
        let mut at = 0;
        while at < self.keys.len() {
            let key = &self.keys[at];
            let is_due = |cost: Effort| cost == effort || fresh && cost < effort;
            let fits = |(label, _): &(&GrantLabel, &[u8])| key.effort(label).is_some_and(is_due);
            let fitting: Vec<usize> = (0..grants.len()).filter(|index| fits(&grants[*index])).collect();
            if !fitting.is_empty() && key.is_locked() {
                let unlocked = self.keys.remove(at).unlocked(&self.name, plugins.ask());
                self.keys.splice(at..at, unlocked);
                fresh = true;
                continue;
            }
            for index in fitting {
                let (label, file) = grants[index];
                match self.keys[at].open(file, label, plugins) {
                    Ok(plaintext) => return Ok(Some((index, plaintext))),
                    Err(GrantError::Unusable(error)) => {
                        failure.get_or_insert(error);
                    }
                    Err(error) => return Err(error),
                }
            }
            at += 1;
        }
        failure.map_or(Ok(None), |error| Err(GrantError::Unusable(error)))
    }
}

/// A key that stands for a command that failed, so that the failure is told whenever it mattered.
fn failed_command(name: &str, error: Failure) -> Contents {
    let failure = error.rephrase(|reason| format!("`{name}` gave no identity: {reason}"));
    let key = Key::Spent {
        publics: Vec::new(),
        failure: failure.of_kind(FailureKind::NoIdentity),
    };
    Contents {
        keys: vec![key],
        problem: Some("gave no identity".to_owned()),
    }
}

fn read_file(path: &Path, public: Option<&str>) -> Result<Contents, String> {
    let bytes = read_bounded(path)?;
    let contents = parse(&bytes, public);
    match contents.keys.as_slice() {
        [Key::SealedFile { publics, .. }] if publics.is_empty() && public.is_none() => {
            let mut beside = path.as_os_str().to_owned();
            beside.push(".pub");
            let text = read_bounded(Path::new(&beside)).unwrap_or_default();
            Ok(parse(&bytes, text.expose_text()))
        }
        _ => Ok(contents),
    }
}

fn read_bounded(path: &Path) -> Result<Secret, String> {
    let unreadable = |error: std::io::Error| format!("cannot be read: {}", error.kind());
    let file = File::open(path).map_err(unreadable)?;
    let size = file.metadata().map_err(unreadable)?.len();
    let room = usize::try_from(size).unwrap_or(usize::MAX).min(LARGEST_FILE);
    // Room for all of it at once, so that no copy is left behind; pipes say 0.
    let mut bytes = Vec::with_capacity(room.max(4096) + 1);
    file.take(LARGEST_FILE as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    Ok(Secret::new(bytes))
}
