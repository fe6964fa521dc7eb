//! Everything in one file opened for a person who checks it: which token, grant, entry of `follows`, proposal or previous
//! value is not what it claims to be, and whether the key may be believed. Goes on after the first that is wrong, notes
//! nothing and keeps no value.

use super::environment::{Environment, on_threads};
use super::past::vouches;
use super::trust::Notice;
use super::{Place, Reading, Vault};
use crate::crypto::envelope::from_base64;
use crate::crypto::grant::{GrantError, LARGEST_GRANT, open_grant};
use crate::crypto::label::KeyKind;
use crate::crypto::proposal::open_proposal;
use crate::crypto::token::TokenKind;
use crate::document::path::ValuePath;
use crate::document::token::Token;
use crate::error::{Failure, FailureKind, Result};
use crate::value::Value;

/// The largest proposal in base64-decoded bytes.
const LARGEST_PROPOSAL: usize = (16 << 20) + (64 << 10);

/// What was found in a file.
#[derive(Debug, Default)]
pub struct Scrutiny {
    /// Why the key is not to be believed, if it is not.
    pub distrust: Option<Failure>,
    /// What a person should hear about a key that may be believed.
    pub notice: Option<Notice>,
    /// What is not what it claims to be: the path of a value and the byte where it stands, and what is wrong.
    pub faults: Vec<(Option<(ValuePath, usize)>, Failure)>,
    /// The values whose text does not match their declared pattern, with the byte where each stands.
    pub misfits: Vec<(ValuePath, usize)>,
}

impl<'p> Vault<'p> {
    /// Why a readable value may not stand where it does, since a token stood there in history; needs no identity.
    ///
    /// # Errors
    /// `Failed` if the history cannot be read.
    pub fn made_readable(&self, reading: &Reading<'_>) -> Result<Option<Failure>> {
        let rules = self.rules(&reading.footer.environment)?;
        integrity(self.refuse_made_readable(rules, reading))
    }

    /// Opens everything in a file that was read.
    ///
    /// # Errors
    /// `NoIdentity` if no identity here opens it; `Failed` if an identity or the history cannot be read. What is wrong with
    /// the file is no error.
    pub fn scrutinize<'f>(&mut self, reading: Reading<'f>) -> Result<(Reading<'f>, Scrutiny)>
    where
        'p: 'f,
    {
        let rules = self.rules(&reading.footer.environment)?;
        let mut scrutiny = Scrutiny::default();
        let (opened_by, key) = match self.open_grant(rules, &reading.footer) {
            Ok(opened) => opened,
            Err(error) => {
                let failure = integrity(Err(error))?.expect("an error was given");
                scrutiny.faults.push((None, failure));
                return Ok((reading, scrutiny));
            }
        };
        let mut scene = self.scene();
        let head = scene.head()?;
        match scene.weigh(rules.environment, &reading.footer, &key, head) {
            Ok(found) => scrutiny.notice = found.notice,
            Err(error) => scrutiny.distrust = integrity(Err(error))?,
        }
        let environment = Environment {
            rules,
            reading,
            key,
            opened_by,
        };
        self.open_other_grants(&environment, &mut scrutiny)?;
        self.open_follows(&environment, &mut scrutiny)?;
        environment.open_all(&mut scrutiny)?;
        environment.open_proposals(&mut scrutiny);
        Ok((environment.reading, scrutiny))
    }

    /// The grants for every key at hand, and not only for the one that opened the file.
    fn open_other_grants(&mut self, environment: &Environment<'_>, scrutiny: &mut Scrutiny) -> Result<()> {
        let own: Vec<_> = self
            .identities
            .public_keys()
            .into_iter()
            .map(|(_, key)| key.label().clone())
            .collect();
        let Environment { rules, reading, .. } = environment;
        let mine = reading
            .footer
            .all_grants()
            // A plugin would ask its person once more.
            .filter(|(_, label, _)| own.contains(*label) && !matches!(label.kind(), KeyKind::Plugin(_)));
        for (_, label, file) in mine {
            let Ok(bytes) = from_base64(file, LARGEST_GRANT) else {
                continue;
            };
            let failure = match open_grant(&bytes, label, &mut self.identities) {
                Ok(grant) => integrity(self.check_grant(*rules, &reading.footer, &grant))?,
                Err(GrantError::Integrity(label, reason)) => {
                    let name = &rules.environment.name;
                    let message = format!("the grant `{label}` of `{name}` is refused: {reason}");
                    Some(environment.with_log(Failure::integrity(message)))
                }
                Err(GrantError::NoIdentity | GrantError::Unusable(_)) => None,
            };
            scrutiny.faults.extend(failure.map(|failure| (None, failure)));
        }
        Ok(())
    }

    /// The entries under `follows` whose key opens here.
    fn open_follows(&mut self, environment: &Environment<'_>, scrutiny: &mut Scrutiny) -> Result<()> {
        let (rules, footer) = (environment.rules, &environment.reading.footer);
        if footer.follows.is_empty() {
            return Ok(());
        }
        let mut scene = self.scene();
        let head = scene.head()?;
        let (past, _) = scene.past(rules.environment, footer, &environment.key, head, None)?;
        let name = &rules.environment.name;
        for (id, token) in &footer.follows {
            let mut keys = past.drop_boxes().filter(|known| known.id() == *id);
            let known: Vec<_> = keys.by_ref().filter_map(|known| past.key(known)).collect();
            if !known.is_empty() && !known.iter().any(|key| vouches(key, token, name, &footer.drop_box)) {
                let message = format!("the key `{id}` does not vouch for the key of `{name}`, as its footer says");
                let failure = environment.with_log(Failure::integrity(message));
                scrutiny.faults.push((None, failure));
            }
        }
        Ok(())
    }
}

impl<'f> Environment<'f> {
    fn with_log(&self, failure: Failure) -> Failure {
        failure.hint(format!("git log -p -- {}", self.rules.environment.file.display()))
    }

    /// Opens every token of the file's own key. Those of other keys are another trouble.
    fn open_all(&self, scrutiny: &mut Scrutiny) -> Result<()> {
        let mut places = Vec::new();
        for (path, scalar) in self.reading.tree.scalars() {
            let token = Token::parse(&scalar.content).filter(|token| token.key == *self.key.id());
            if token.is_some() {
                places.push(Place { path, scalar, token });
            }
        }
        let opened = on_threads(&places, |part| Ok(part.iter().map(|place| self.judge(place)).collect()))?;
        for (place, judged) in places.into_iter().zip(opened) {
            let at = (place.path, place.scalar.head.start);
            match judged {
                Ok(true) => {}
                Ok(false) => scrutiny.misfits.push(at),
                Err(failure) => scrutiny.faults.push((Some(at), failure)),
            }
        }
        for previous in self.reading.footer.previous.values() {
            let Some(token) = Token::parse(&previous.token).filter(|token| token.key == *self.key.id()) else {
                continue;
            };
            if let Err(error) = self.open_token(&token, &previous.path, TokenKind::Previous) {
                scrutiny.faults.push((None, error.into()));
            }
        }
        Ok(())
    }

    /// Opens a token. Whether its value matches the pattern that is declared for it, the most specific one.
    fn judge(&self, place: &Place<'_, '_>) -> Result<bool, Failure> {
        let opened = self.open_place(place)?;
        let declared = self.rules.policy.declarations(self.rules.environment, &place.path);
        let Some(secret) = declared.into_iter().find(|secret| secret.pattern.is_some()) else {
            return Ok(true);
        };
        if opened.value == Value::Null {
            return Ok(true);
        }
        match opened.value.delivered().expose_text() {
            Some(text) => Ok(secret.fits(text)?),
            None => Ok(false),
        }
    }

    fn open_proposals(&self, scrutiny: &mut Scrutiny) {
        let name = &self.rules.environment.name;
        for (label, file) in &self.reading.footer.proposals {
            let opened = from_base64(file, LARGEST_PROPOSAL)
                .map_err(|reason| reason.to_string())
                .and_then(|bytes| open_proposal(&self.key, label, &bytes).map_err(|reason| reason.to_string()));
            let wrong = match opened {
                Err(reason) => Some(format!("is refused: {reason}")),
                Ok(proposal) if proposal.policy != self.rules.policy.id => {
                    Some(format!("was made for the policy `{}`", proposal.policy))
                }
                Ok(proposal) if proposal.environment != *name => {
                    Some(format!("was made for `{}`", proposal.environment))
                }
                Ok(_) => None,
            };
            if let Some(wrong) = wrong {
                let message = format!("the proposal {label} of `{name}` {wrong}");
                scrutiny.faults.push((None, self.with_log(Failure::integrity(message))));
            }
        }
    }
}

/// What is wrong, where the outcome says that something is not what it claims to be.
fn integrity(outcome: Result<()>) -> Result<Option<Failure>> {
    match outcome {
        Ok(()) => Ok(None),
        Err(error) => match error.downcast::<Failure>() {
            Ok(failure) if failure.kind() == FailureKind::Integrity => Ok(Some(failure)),
            Ok(failure) => Err(failure.into()),
            Err(error) => Err(error),
        },
    }
}
