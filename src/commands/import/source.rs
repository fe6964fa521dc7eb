//! The file that `import` takes: its bytes, what kind it is, and the keys of other tools that open it.

use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use secretree::crypto::identities::Identities;
use secretree::error::{Failure, Result};
use secretree::files::{FILE_LIMIT, read_if_present, read_secret_stream};
use secretree::formats::dotenvx::{self, PRIVATE_KEY_NAME, PrivateKeys};
use secretree::formats::{Imported, Kind, doppler, dotenv, json, sops};
use secretree::secret::Secret;
use zeroize::Zeroizing;

use crate::context::Context;
use crate::input;

/// The name that stands for standard input.
const STANDARD_INPUT: &str = "-";
/// The largest `.env.keys`, in bytes.
const KEYS_LIMIT: u64 = 1 << 20;

/// What is imported, before it is known what it is.
pub(super) struct Source {
    shown: PathBuf,
    bytes: Secret,
}

impl Source {
    /// Reads FILE, pipes included, at most as much as an environment's file may have.
    pub(super) fn read(file: &Path) -> Result<Self> {
        let limit = usize::try_from(FILE_LIMIT).unwrap_or(usize::MAX);
        if file == Path::new(STANDARD_INPUT) {
            return Ok(Self {
                shown: PathBuf::from("standard input"),
                bytes: input::all_of(io::stdin().lock(), limit)?,
            });
        }
        let bytes = read_secret_stream(file, limit)?;
        Ok(Self {
            shown: file.to_owned(),
            bytes,
        })
    }

    /// What messages call it.
    pub(super) fn shown(&self) -> &Path {
        &self.shown
    }

    /// Its kind, from name and content.
    pub(super) fn kind(&self) -> Result<Kind> {
        if let Err(error) = std::str::from_utf8(self.bytes.expose()) {
            return Err(secretree::vault::not_utf8(&self.shown, self.bytes.expose(), &error).into());
        }
        Kind::of(&self.shown, self.bytes.expose()).ok_or_else(|| {
            let names: Vec<_> = Kind::ALL.iter().map(|(name, _)| *name).collect();
            Failure::failed(format!(
                "`{}` is no kind of file that is known here",
                self.shown.display()
            ))
            .hint(format!("say what it is: --from {}", names.join("|")))
            .into()
        })
    }

    /// Whether whoever has the file has values in it.
    pub(super) fn is_readable(&self, kind: Kind) -> bool {
        match kind {
            Kind::Sops => false,
            Kind::Dotenvx => dotenvx::has_readable_value(self.bytes.expose()),
            Kind::Dotenv | Kind::Json | Kind::Yaml | Kind::Doppler => true,
        }
    }

    /// Reads it as `kind`.
    pub(super) fn imported(&self, kind: Kind, context: &Context, identities: &mut Identities) -> Result<Imported> {
        let bytes = self.bytes.expose();
        let shown = self.shown.display().to_string();
        let imported = match kind {
            Kind::Dotenv => dotenv::read(bytes),
            Kind::Json => json::read(bytes),
            Kind::Doppler => doppler::read(bytes),
            Kind::Dotenvx => dotenvx::read(bytes, &mut self.private_keys(context)?),
            Kind::Yaml => return self.yaml(),
            Kind::Sops => {
                let form = sops::kind_of(&self.shown, bytes)
                    .ok_or_else(|| Failure::failed(format!("`{shown}` is no sops file: it has no `sops` part")))?;
                return sops::read(bytes, form, identities, &shown);
            }
        };
        imported.map_err(|error| {
            Failure::from(error)
                .rephrase(|reason| format!("`{shown}` {reason}"))
                .into()
        })
    }

    /// YAML is the text itself; whether it is accepted shows when it is laid over the environment's.
    fn yaml(&self) -> Result<Imported> {
        let text = std::str::from_utf8(self.bytes.expose())
            .map_err(|error| secretree::vault::not_utf8(&self.shown, self.bytes.expose(), &error))?;
        Ok(Imported {
            text: Zeroizing::new(text.to_owned()),
            notes: Vec::new(),
        })
    }

    /// Where dotenvx keeps the private keys of the file.
    pub(super) fn keys_file(&self) -> PathBuf {
        self.shown.with_file_name(".env.keys")
    }

    /// The keys in `.env.keys` beside the file, and in variables.
    fn private_keys(&self, context: &Context) -> Result<PrivateKeys> {
        let beside = self.keys_file();
        let mut keys = match read_if_present(&beside, KEYS_LIMIT)?.map(Secret::new) {
            None => Vec::new(),
            Some(bytes) => dotenvx::private_keys(bytes.expose())
                .map_err(|error| Failure::from(error).rephrase(|reason| format!("`{}` {reason}", beside.display())))?,
        };
        let named = context.variables.all().iter();
        for (_, value) in named.filter(|(name, _)| name.as_bytes().starts_with(PRIVATE_KEY_NAME.as_bytes())) {
            keys.extend(value.to_str().map(dotenvx::split_keys).unwrap_or_default());
        }
        PrivateKeys::parse(&keys)
    }
}
