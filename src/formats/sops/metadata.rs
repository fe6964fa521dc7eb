//! What sops notes in a file besides its values: who can open it, which values are sealed, and the MAC over them all.

use super::data::Data;
use super::selection::{FIELDS, Selection};
use crate::crypto::data_key::open_data_key;
use crate::crypto::grant::GrantError;
use crate::crypto::identities::Identities;
use crate::crypto::public_key::PublicKey;
use crate::error::{Failure, Result};
use crate::secret::Secret;

/// Keys that are no age keys, as the metadata calls them, and as people do.
const FOREIGN: [(&str, &str); 6] = [
    ("kms", "AWS KMS"),
    ("gcp_kms", "GCP KMS"),
    ("azure_kv", "Azure Key Vault"),
    ("hc_vault", "Vault"),
    ("hckms", "Huawei KMS"),
    ("pgp", "PGP"),
];
/// More recipients than any file has.
const MOST_RECIPIENTS: usize = 10_000;
/// So many recipients are shown.
const SHOWN: usize = 5;

/// The part of a file that sops calls `sops`.
pub(super) struct Metadata {
    /// The age recipients, each with the armored age file that holds the data key.
    recipients: Vec<(String, String)>,
    /// The kinds of other keys that open the file.
    foreign: Vec<&'static str>,
    /// How many groups of keys there are.
    groups: usize,
    /// The sealed MAC.
    pub(super) mac: String,
    /// When the file was last changed: additional data of the MAC.
    pub(super) last_modified: String,
    /// Which values are sealed.
    pub(super) selection: Selection,
    /// Whether the MAC covers the sealed values only.
    pub(super) mac_only_encrypted: bool,
}

impl Metadata {
    /// Reads it.
    ///
    /// # Errors
    /// What is missing or malformed; `name` is what messages call the file.
    pub(super) fn of(data: &Data, name: &str) -> Result<Self> {
        let refused = |what: &str| Failure::failed(format!("`{name}` has sops metadata with {what}"));
        let text = |field: &str| data.text(field).ok_or_else(|| refused(&format!("no `{field}`")));
        let fields = FIELDS.into_iter().filter_map(|field| Some((field, data.text(field)?)));
        let selection = Selection::of(fields).map_err(|reason| refused(&reason))?;
        let mut metadata = Self {
            recipients: Vec::new(),
            foreign: Vec::new(),
            groups: 1,
            mac: text("mac")?.to_owned(),
            last_modified: text("lastmodified")?.to_owned(),
            selection: selection.unwrap_or_default(),
            mac_only_encrypted: data.is_set("mac_only_encrypted"),
        };
        metadata.add_keys(data);
        if metadata.recipients.is_empty() && metadata.foreign.is_empty() {
            let groups = data.list("key_groups");
            metadata.groups = groups.len();
            groups.iter().for_each(|group| metadata.add_keys(group));
        }
        if metadata.recipients.len() > MOST_RECIPIENTS {
            return Err(refused("more recipients than can be read").into());
        }
        Ok(metadata)
    }

    fn add_keys(&mut self, data: &Data) {
        for key in data.list("age") {
            if let (Some(recipient), Some(sealed)) = (key.text("recipient"), key.text("enc")) {
                self.recipients.push((recipient.to_owned(), sealed.to_owned()));
            }
        }
        for (field, kind) in FOREIGN {
            if !data.list(field).is_empty() && !self.foreign.contains(&kind) {
                self.foreign.push(kind);
            }
        }
    }

    /// The data key, opened by one of these identities.
    ///
    /// # Errors
    /// Exit 1 if the file asks for other keys than one age key, exit 4 if no identity fits, exit 5 if the sealed key is
    /// not what it claims to be.
    pub(super) fn data_key(&self, identities: &mut Identities, name: &str) -> Result<Secret> {
        if self.groups > 1 {
            let message = format!("`{name}` opens with keys of several groups together, which is not done here");
            return Err(Failure::failed(message).hint(way_out(name)).into());
        }
        let known =
            |(recipient, sealed): &'_ (String, String)| Some((PublicKey::parse(recipient).ok()?, sealed.clone()));
        let known: Vec<_> = self.recipients.iter().filter_map(known).collect();
        if known.is_empty() {
            return Err(self.no_age_key(name).into());
        }
        let sealed: Vec<_> = known.iter().map(|(public, sealed)| (public, sealed.as_str())).collect();
        match open_data_key(&sealed, identities) {
            Ok((_, key)) => Ok(key),
            Err(GrantError::NoIdentity) => Err(self.no_identity(name).into()),
            Err(GrantError::Integrity(label, reason)) => {
                let public = known.iter().find(|(public, _)| *public.label() == label);
                let public = public.map_or("one of its keys", |(public, _)| public.canonical());
                let message = format!("`{name}`: what is sealed for `{public}` is refused: {reason}");
                Err(Failure::integrity(message).hint(RESTORE).into())
            }
            Err(GrantError::Unusable(error)) => Err(error),
        }
    }

    fn no_age_key(&self, name: &str) -> Failure {
        let message = match self.foreign.as_slice() {
            _ if !self.recipients.is_empty() => {
                format!("`{name}` is sealed for age recipients that are no public keys")
            }
            [] => format!("`{name}` is sealed for nobody: its sops metadata names no key"),
            kinds => format!(
                "`{name}` is sealed for {} only, and only age keys are opened here",
                kinds.join(", ")
            ),
        };
        Failure::failed(message)
            .hint(format!(
                "with such a key: `sops rotate -i --add-age AGE_KEY {name}`, and again"
            ))
            .hint(way_out(name))
    }

    fn no_identity(&self, name: &str) -> Failure {
        let mut shown: Vec<_> = self
            .recipients
            .iter()
            .map(|(recipient, _)| recipient.as_str())
            .collect();
        let more = shown.len().saturating_sub(SHOWN);
        shown.truncate(SHOWN);
        let mut list = shown.join(", ");
        if more > 0 {
            list = format!("{list} and {more} more");
        }
        if !self.foreign.is_empty() {
            list = format!("{list}, or a key of {}", self.foreign.join(", "));
        }
        Failure::no_identity(format!("no identity here opens `{name}`")).hint(format!(
            "it is sealed for {list}: name the identity of one with `-i FILE`"
        ))
    }
}

/// What to do with a file that was damaged.
pub(super) const RESTORE: &str = "take the last good version of the file from git";

/// How a file that cannot be read here gets in all the same.
pub(super) fn way_out(name: &str) -> String {
    format!("where sops opens it: `sops -d {name} | secretree import ENV -`")
}
