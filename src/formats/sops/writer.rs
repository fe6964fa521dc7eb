//! An environment as a sops file in YAML, sealed for age recipients: the way out, and what Flux, Argo CD and others read.
//! Comments stay here, for a view has none.

use jiff::Timestamp;
use sha2::{Digest as _, Sha512};
use zeroize::Zeroizing;

use super::layout::{Node, write as lay_out};
use super::opening::KeyPath;
use super::scalar::{Scalar, Written};
use super::sealed::DataKey;
use super::selection::DEFAULT_SUFFIX;
use super::yaml::METADATA_KEY;
use crate::crypto::data_key::seal_data_key;
use crate::crypto::plugins::Plugins;
use crate::crypto::public_key::PublicKey;
use crate::error::{Failure, Result};
use crate::secret::Secret;
use crate::view::View;

/// The release of sops whose form is written; sops only notes it.
const VERSION: &str = "3.11.0";
/// How far sops indents.
const INDENT: usize = 4;

/// The file. Every value is sealed but `null` and empty text, which sops leaves readable. Bytes are sealed as what they
/// are; sops gives those back as `!!binary` that are not UTF-8, others as text. `now` is in seconds since 1970.
///
/// # Errors
/// No recipient, a root key `sops`, or a plugin that fails.
pub fn write(view: &View, recipients: &[PublicKey], plugins: &Plugins, now: i64) -> Result<Zeroizing<Vec<u8>>> {
    if recipients.is_empty() {
        return Err(Failure::usage("a sops file needs a recipient")
            .hint("--recipient AGE_KEY")
            .into());
    }
    let View::Mapping(members) = view else {
        return Err(Failure::failed("sops files hold mappings").into());
    };
    if members.iter().any(|(key, _)| key == METADATA_KEY) {
        let message = format!("the key `{METADATA_KEY}` stands for sops' own data in a sops file");
        return Err(Failure::failed(message).hint("rename it with `secretree edit`").into());
    }
    let (key, bytes) = DataKey::generate();
    let mut sealer = Sealer {
        key,
        mac: Sha512::new(),
        path: KeyPath::default(),
        has_suffix: false,
    };
    let mut members = sealer.members(members);
    members.push((
        METADATA_KEY.to_owned(),
        sealer.metadata(recipients, &bytes, plugins, now)?,
    ));
    let mut text = lay_out(&members, INDENT);
    Ok(Zeroizing::new(std::mem::take(&mut *text).into_bytes()))
}

struct Sealer {
    key: DataKey,
    mac: Sha512,
    path: KeyPath,
    /// Whether a key ends as those do that sops leaves readable unless told otherwise.
    has_suffix: bool,
}

impl Sealer {
    fn members(&mut self, members: &[(String, View)]) -> Vec<(String, Node)> {
        let mut nodes = Vec::with_capacity(members.len() + 1);
        for (key, view) in members {
            self.has_suffix |= key.ends_with(DEFAULT_SUFFIX);
            self.path.push(key);
            let node = self.node(view);
            self.path.pop();
            nodes.push((key.clone(), node));
        }
        nodes
    }

    fn node(&mut self, view: &View) -> Node {
        match view {
            View::Mapping(members) => Node::Mapping(self.members(members)),
            View::List(items) => Node::List(items.iter().map(|item| self.node(item)).collect()),
            View::Value(value, _) => Node::Value(match Scalar::sealed_form(value) {
                None => Written::Value(value.clone()),
                Some((kind, content)) => {
                    self.mac.update(content.expose());
                    Written::plain(self.key.seal(kind, content.expose(), self.path.bound()))
                }
            }),
        }
    }

    fn metadata(self, recipients: &[PublicKey], key: &Secret, plugins: &Plugins, now: i64) -> Result<Node> {
        let age = recipients.iter().map(|public| {
            let sealed = seal_data_key(public, key, plugins)?;
            Ok(mapping([
                ("recipient", text(public.canonical())),
                ("enc", text(&sealed)),
            ]))
        });
        let age = age.collect::<Result<_>>()?;
        let time = Timestamp::from_second(now).unwrap_or(Timestamp::UNIX_EPOCH).to_string();
        let mac: String = self.mac.finalize().iter().map(|byte| format!("{byte:02X}")).collect();
        let mac = self.key.seal("str", mac.as_bytes(), &time);
        let selection = if self.has_suffix {
            ("encrypted_regex", text(".*"))
        } else {
            ("unencrypted_suffix", text(DEFAULT_SUFFIX))
        };
        Ok(mapping([
            ("age", Node::List(age)),
            ("lastmodified", text(&time)),
            ("mac", Node::Value(Written::plain(mac))),
            selection,
            ("version", text(VERSION)),
        ]))
    }
}

fn text(text: &str) -> Node {
    Node::Value(Written::Value(crate::value::Value::text(text)))
}

fn mapping<const N: usize>(members: [(&str, Node); N]) -> Node {
    Node::Mapping(members.into_iter().map(|(key, node)| (key.to_owned(), node)).collect())
}
