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
    /// This machine trusts it, or was told to, and knows of none that came later.
    Known(DropBox),
    /// Nothing is known here, and it is the only one that the history behind HEAD knows.
    Only(DropBox, Option<Origin>),
    /// A person has to look at it.
    Unknown {
        /// The drop box.
        drop_box: DropBox,
        /// Who brought it.
        origin: Option<Origin>,
        /// What speaks against it, if anything does but that it is new here.
        objection: Option<String>,
    },
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
        let objection = match scene.other_policy(environment, &footer)? {
            Some(other) => Some(format!(
                "the policy here has the id `{}`, but `{other}` was known in this folder or above it",
                scene.policy
            )),
            None => scene.other_key(environment, &footer)?,
        };
        if objection.is_none() {
            if scene.is_trusted(&environment.name, &footer.drop_box) {
                return Ok(Addressee::Known(footer.drop_box));
            }
            if scene.is_only_key(environment, &footer)? {
                let origin = scene.origin(environment, &footer)?;
                return Ok(Addressee::Only(footer.drop_box, origin));
            }
        }
        let origin = scene.origin(environment, &footer)?;
        Ok(Addressee::Unknown {
            drop_box: footer.drop_box,
            origin,
            objection,
        })
    }

    /// The file's text with a proposal for `path`, sealed to `drop_box`, which [`Vault::addressee`] or a person vouched for.
    ///
    /// # Errors
    /// As [`Vault::read`]; `Failed` if the value is too large or does not match the declared `pattern`; `Integrity` if the
    /// file has another drop box.
    pub fn propose(
        &mut self,
        file: &EnvironmentFile,
        drop_box: &DropBox,
        path: &ValuePath,
        value: Value,
    ) -> Result<String> {
        let rules = self.rules(&file.name)?;
        let reading = self.read(file)?;
        let path = reading.as_written(path);
        refuse_outsiders(rules, &reading.footer)?;
        check_new(rules, &path, &value)?;
        let mut footer = reading.footer.clone();
        if footer.drop_box != *drop_box {
            let message = format!("the drop box of `{}` changed meanwhile; nothing was written", file.name);
            return Err(Failure::integrity(message).hint("run the command again").into());
        }
        let proposal = ProposalPlaintext {
            policy: self.loaded.policy.id.clone(),
            environment: file.name.clone(),
            path: path.to_json(),
            value,
        };
        let (label, sealed) = seal_proposal(drop_box, &proposal)?;
        footer.proposals.insert(label, to_base64(&sealed));
        Ok(reading.assemble(reading.tree.body(), &footer))
    }
}
