//! The values of commits, for `log --reveal`: opened with the identities at hand, one unlock for all of them. What nobody
//! here can open is said once for each environment.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use secretree::crypto::identities::Identities;
use secretree::document::path::ValuePath;
use secretree::error::{Failure, FailureKind, Result};
use secretree::git::CommitId;
use secretree::names::EnvironmentName;
use zeroize::Zeroizing;

use crate::context::Context;
use crate::context::history::short;
use crate::ui::escaped;

/// How many contents are kept open: a commit and its parent, which is the next commit most often.
const KEPT: usize = 4;

/// The values of one environment at one commit, as text.
type Texts = BTreeMap<ValuePath, Zeroizing<String>>;

/// Opens values of the past.
pub(super) struct Opener<'c> {
    context: &'c Context,
    identities: Option<Identities>,
    known: VecDeque<(CommitId, EnvironmentName, Rc<Texts>)>,
    warned: BTreeSet<(EnvironmentName, String)>,
    closed: Option<Failure>,
    opened: bool,
}

impl<'c> Opener<'c> {
    pub(super) fn new(context: &'c Context) -> Self {
        Self {
            context,
            identities: None,
            known: VecDeque::new(),
            warned: BTreeSet::new(),
            closed: None,
            opened: false,
        }
    }

    /// The value at `path` in a commit, as text; nothing if it stood not there, or cannot be opened.
    pub(super) fn value(
        &mut self,
        commit: CommitId,
        environment: &EnvironmentName,
        path: &ValuePath,
    ) -> Option<Zeroizing<String>> {
        self.texts(commit, environment).get(path).cloned()
    }

    /// Failure: something was to be opened, and nobody here can open any of it.
    pub(super) fn check(self) -> Result<()> {
        match self.closed {
            Some(failure) if !self.opened => Err(failure.into()),
            _ => Ok(()),
        }
    }

    fn texts(&mut self, commit: CommitId, environment: &EnvironmentName) -> Rc<Texts> {
        let is_it = |(known, name, _): &&(CommitId, EnvironmentName, _)| *known == commit && name == environment;
        if let Some((_, _, texts)) = self.known.iter().find(is_it) {
            return Rc::clone(texts);
        }
        let texts = match self.open(commit, environment) {
            Ok(texts) => {
                self.opened = true;
                texts
            }
            Err(error) => {
                self.note(commit, environment, error);
                Texts::new()
            }
        };
        let texts = Rc::new(texts);
        if self.known.len() >= KEPT {
            self.known.pop_front();
        }
        self.known.push_back((commit, environment.clone(), Rc::clone(&texts)));
        texts
    }

    fn open(&mut self, commit: CommitId, environment: &EnvironmentName) -> Result<Texts> {
        let past = self.context.past(&commit.to_string())?;
        let name = past.environment(Some(environment.as_str()))?;
        let mut vault = self.context.past_vault(&past)?;
        if let Some(known) = &mut self.identities {
            std::mem::swap(vault.identities(), known);
        }
        let texts = (|| {
            let file = vault.load(&name)?;
            let entries = vault.open(&file)?.entries()?.into_iter();
            let text = |value: &secretree::value::Value| {
                let bytes = value.delivered();
                Zeroizing::new(String::from_utf8_lossy(bytes.expose()).into_owned())
            };
            Ok(entries.map(|entry| (entry.path, text(&entry.value))).collect())
        })();
        let identities = vault.identities();
        match &mut self.identities {
            Some(known) => std::mem::swap(identities, known),
            None => {
                let empty = Identities::new(Vec::new(), self.context.plugins(None));
                self.identities = Some(std::mem::replace(identities, empty));
            }
        }
        texts
    }

    /// Says once why values are not shown.
    fn note(&mut self, commit: CommitId, environment: &EnvironmentName, error: anyhow::Error) {
        let failure = Failure::from(error);
        let reason = match failure.kind() {
            FailureKind::NoIdentity => "no identity here opens them".to_owned(),
            _ => format!("{failure} (commit {})", short(commit)),
        };
        if self.warned.insert((environment.clone(), reason.clone())) {
            let text = format!("values of `{environment}` are not shown: {reason}");
            self.context.ui.warning(&escaped(&text));
        }
        self.closed = Some(failure);
    }
}
