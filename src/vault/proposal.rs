//! Proposals: a value sealed to the drop box of an environment by somebody who cannot read it. A reader accepts it later.

use super::change::check_new;
use super::outsiders::refuse_outsiders;
use super::trust::Scene;
use super::{EnvironmentFile, Origin, Vault};
use crate::crypto::envelope::to_base64;
use crate::crypto::key::DropBox;
use crate::crypto::proposal::{ProposalPlaintext, seal_proposal};
use crate::document::path::ValuePath;
use crate::error::{Failure, Result};
use crate::value::Value;

/// Whether a drop box may be sealed to without asking.
#[derive(Debug)]
pub enum Addressee {
    /// This machine trusts it, or was told to.
    Known,
    /// It is the only one that the history behind HEAD knows.
    Only,
    /// A person has to look at it: who brought it.
    Unknown(DropBox, Option<Origin>),
}

impl Vault<'_> {
    /// How well the drop box of a file is known, for somebody who cannot open it.
    ///
    /// # Errors
    /// As [`Vault::read`].
    pub fn addressee(&mut self, file: &EnvironmentFile) -> Result<Addressee> {
        let environment = self.rules(&file.name)?.environment;
        let footer = self.read(file)?.footer;
        let mut scene: Scene<'_> = self.scene();
        let is_trusted = scene.is_trusted(&environment.name, &footer.drop_box);
        if is_trusted && !scene.is_replaced(environment, &footer)? {
            return Ok(Addressee::Known);
        }
        if !is_trusted && scene.is_only_key(environment, &footer)? {
            return Ok(Addressee::Only);
        }
        let origin = scene.origin(environment, &footer)?;
        Ok(Addressee::Unknown(footer.drop_box, origin))
    }

    /// The file's text with a proposal for `path`.
    ///
    /// # Errors
    /// As [`Vault::read`]; `Failed` if the value is too large; `Integrity` if nobody vouched for the file's drop box: it
    /// was not the one that [`Vault::addressee`] saw.
    pub fn propose(&mut self, file: &EnvironmentFile, path: &ValuePath, value: Value) -> Result<String> {
        let rules = self.rules(&file.name)?;
        let reading = self.read(file)?;
        let path = reading.as_written(path);
        refuse_outsiders(rules, &reading.footer)?;
        check_new(rules, &path, &value)?;
        let mut footer = reading.footer.clone();
        let mut scene = self.scene();
        if !scene.is_trusted(&file.name, &footer.drop_box) && !scene.is_only_key(rules.environment, &footer)? {
            let message = format!("the drop box of `{}` changed meanwhile; nothing was written", file.name);
            return Err(Failure::integrity(message).hint("run the command again").into());
        }
        let proposal = ProposalPlaintext {
            policy: self.loaded.policy.id.clone(),
            environment: file.name.clone(),
            path: path.to_json(),
            value,
        };
        let (label, sealed) = seal_proposal(&footer.drop_box, &proposal)?;
        footer.proposals.insert(label, to_base64(&sealed));
        Ok(reading.assemble(reading.tree.body(), &footer))
    }
}
