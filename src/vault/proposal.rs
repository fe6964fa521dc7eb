//! Proposals: a value sealed to the drop box of an environment by somebody who cannot read it. A reader accepts it later.

use super::trust::Scene;
use super::{EnvironmentFile, Origin, Vault};
use crate::crypto::envelope::to_base64;
use crate::crypto::key::DropBox;
use crate::crypto::proposal::{ProposalPlaintext, seal_proposal};
use crate::document::path::ValuePath;
use crate::error::Result;
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
        if scene.is_trusted(&environment.name, &footer.drop_box) {
            return Ok(Addressee::Known);
        }
        if scene.is_only_key(environment, &footer)? {
            return Ok(Addressee::Only);
        }
        let origin = scene.origin(environment, &footer)?;
        Ok(Addressee::Unknown(footer.drop_box, origin))
    }

    /// The file's text with a proposal for `path`.
    ///
    /// # Errors
    /// As [`Vault::read`]; `Failed` if the value is too large.
    pub fn propose(&self, file: &EnvironmentFile, path: &ValuePath, value: Value) -> Result<String> {
        let reading = self.read(file)?;
        let mut footer = reading.footer.clone();
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
