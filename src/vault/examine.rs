//! A key for a person to look at before it is trusted: who brought it, and what speaks against it.

use super::past::Origin;
use super::reading::Reading;
use super::trust::Notice;
use super::{EnvironmentFile, Vault};
use crate::crypto::key::DropBox;
use crate::error::Result;

impl Vault<'_> {
    /// What [`Vault::open`] would say of the file and its key; nothing is noted.
    ///
    /// # Errors
    /// As [`Vault::open`].
    pub fn try_open(&mut self, file: &EnvironmentFile) -> Result<Option<Notice>> {
        let rules = self.rules(&file.name)?;
        let reading = Reading::new(self.text_of(file)?, rules)?;
        let key = self.open_key(rules, &reading.footer)?;
        self.refuse_made_readable(rules, &reading)?;
        let mut scene = self.scene();
        let head = scene.head()?;
        Ok(scene.weigh(rules.environment, &reading.footer, &key, head)?.notice)
    }

    /// The key of an environment for a person to look at: its drop box, who brought it, and what speaks against it.
    ///
    /// # Errors
    /// As [`Vault::open`], but for the judgement.
    pub fn examine(&mut self, file: &EnvironmentFile) -> Result<Examination> {
        let rules = self.rules(&file.name)?;
        let reading = Reading::new(self.text_of(file)?, rules)?;
        let key = self.open_key(rules, &reading.footer).ok();
        let mut scene = self.scene();
        let head = scene.head()?;
        let verdict = match &key {
            None => Verdict::Unopened,
            Some(key) => match scene.weigh(rules.environment, &reading.footer, key, head) {
                Ok(findings) => match findings.notice {
                    Some(Notice::Warning(text)) => Verdict::Open(Some(text)),
                    None if scene.is_noted(&file.name, key.drop_box()) => Verdict::Trusted,
                    _ => Verdict::Open(None),
                },
                Err(objection) => Verdict::Open(Some(objection.to_string())),
            },
        };
        let origin = scene.origin(rules.environment, &reading.footer)?;
        Ok(Examination {
            drop_box: reading.footer.drop_box,
            origin,
            verdict,
        })
    }
}

/// What is known of a key that a person is asked to trust.
#[derive(Debug)]
pub struct Examination {
    /// The drop box, which stands for the key.
    pub drop_box: DropBox,
    /// Who brought it.
    pub origin: Option<Origin>,
    /// What speaks for or against it.
    pub verdict: Verdict,
}

/// What speaks for or against a key.
#[derive(Debug)]
pub enum Verdict {
    /// It is trusted already.
    Trusted,
    /// It is not noted yet; the reason if something speaks against it.
    Open(Option<String>),
    /// No identity here opens it, so that nothing can be said.
    Unopened,
}
