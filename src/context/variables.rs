//! The environment variables of this process, read once. Gives each one the program knows a method, so that
//! this file lists everything that the environment can change.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use secretree::error::{Failure, Result};
use secretree::secret::Secret;

/// A snapshot of the environment.
#[derive(Clone, Default)]
pub(crate) struct Variables(BTreeMap<OsString, OsString>);

impl Variables {
    /// The environment of this process.
    pub(crate) fn read() -> Self {
        Self(std::env::vars_os().collect())
    }

    /// All of them, for a child.
    pub(crate) fn all(&self) -> &BTreeMap<OsString, OsString> {
        &self.0
    }

    /// The value of `name`, if it is set and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&OsStr> {
        self.0
            .get(OsStr::new(name))
            .map(OsString::as_os_str)
            .filter(|value| !value.is_empty())
    }

    /// Like `get`, as text. Failure: not UTF-8.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => match value.to_str() {
                Some(text) => Ok(Some(text)),
                None => Err(Failure::failed(format!("`{name}` is not UTF-8")).into()),
            },
        }
    }

    /// `SECRETREE_ENV`: the environment that is meant where none is named.
    pub(crate) fn environment(&self) -> Result<Option<&str>> {
        self.text("SECRETREE_ENV")
    }

    /// `SECRETREE_KEY`: identities themselves, as an identity file would hold them.
    pub(crate) fn key(&self) -> Option<Secret> {
        use std::os::unix::ffi::OsStrExt as _;
        self.get("SECRETREE_KEY")
            .map(|value| Secret::new(value.as_bytes().to_vec()))
    }

    /// `SECRETREE_TRUST`: `ENV:DROP_BOX` pairs, separated by blanks or commas.
    pub(crate) fn trust(&self) -> Result<Vec<(String, String)>> {
        let Some(text) = self.text("SECRETREE_TRUST")? else {
            return Ok(Vec::new());
        };
        text.split([' ', ',', '\n'])
            .filter(|pair| !pair.is_empty())
            .map(|pair| match pair.split_once(':') {
                Some((environment, drop_box)) => Ok((environment.to_owned(), drop_box.to_owned())),
                None => Err(Failure::failed("`SECRETREE_TRUST` must be `ENV:DROP_BOX`")
                    .hint("the drop box is the `age1…` text in the environment file")
                    .into()),
            })
            .collect()
    }

    /// `GITHUB_ENV`: the file from which the runner of GitHub Actions takes variables for later steps.
    pub(crate) fn github_env(&self) -> Option<&Path> {
        self.get("GITHUB_ENV").map(Path::new)
    }

    /// `NO_COLOR` and `TERM=dumb` forbid colours.
    pub(crate) fn allow_color(&self) -> bool {
        self.get("NO_COLOR").is_none() && self.get("TERM") != Some(OsStr::new("dumb"))
    }

    /// `HOME`, if absolute.
    pub(crate) fn home(&self) -> Option<&Path> {
        self.folder("HOME")
    }

    /// `$XDG_CONFIG_HOME`, else `~/.config`.
    pub(crate) fn config_home(&self) -> Option<PathBuf> {
        self.xdg("XDG_CONFIG_HOME", ".config")
    }

    /// `$XDG_STATE_HOME`, else `~/.local/state`.
    pub(crate) fn state_home(&self) -> Option<PathBuf> {
        self.xdg("XDG_STATE_HOME", ".local/state")
    }

    /// `$XDG_RUNTIME_DIR`, memory-backed on most systems.
    pub(crate) fn runtime_folder(&self) -> Option<&Path> {
        self.folder("XDG_RUNTIME_DIR")
    }

    fn xdg(&self, name: &str, below_home: &str) -> Option<PathBuf> {
        match self.folder(name) {
            Some(folder) => Some(folder.to_owned()),
            None => self.home().map(|home| home.join(below_home)),
        }
    }

    /// Relative folders are ignored, as the XDG Base Directory Specification asks.
    fn folder(&self, name: &str) -> Option<&Path> {
        self.get(name).map(Path::new).filter(|folder| folder.is_absolute())
    }
}

impl<K: Into<OsString>, V: Into<OsString>> FromIterator<(K, V)> for Variables {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(
            pairs
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }
}

/// Whether a child must not inherit `name`: it holds an identity, or says what to trust.
pub(crate) fn is_private(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(b"SECRETREE_KEY")
        || name.starts_with(b"SECRETREE_TRUST")
        || name == b"SECRETREE_IDENTITY"
        || name == b"AGEDEBUG"
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{Variables, is_private};

    #[test]
    fn folders_fall_back_to_home_and_relative_ones_do_not_count() {
        let variables = Variables::from_iter([("HOME", "/home/alice"), ("XDG_CONFIG_HOME", "config")]);
        assert_eq!(variables.config_home(), Some(PathBuf::from("/home/alice/.config")));
        assert_eq!(variables.state_home(), Some(PathBuf::from("/home/alice/.local/state")));
        let variables = Variables::from_iter([("XDG_STATE_HOME", "/state")]);
        assert_eq!(variables.state_home(), Some(PathBuf::from("/state")));
        assert_eq!(variables.config_home(), None);
    }

    #[test]
    fn trust_is_pairs() {
        let variables = Variables::from_iter([("SECRETREE_TRUST", "prod:age1x, billing/dev:age1y")]);
        let pairs = variables.trust().unwrap();
        assert_eq!(pairs[1], ("billing/dev".to_owned(), "age1y".to_owned()));
        assert!(Variables::from_iter([("SECRETREE_TRUST", "age1x")]).trust().is_err());
    }

    #[test]
    fn what_holds_an_identity_is_private() {
        for name in [
            "SECRETREE_KEY",
            "SECRETREE_KEY_COMMAND",
            "SECRETREE_IDENTITY",
            "SECRETREE_TRUST_COMMANDS",
            "AGEDEBUG",
        ] {
            assert!(is_private(name.as_ref()), "{name}");
        }
        for name in ["SECRETREE_ENV", "SECRETREE_EDITOR", "KEY", "AGEDEBUGGER"] {
            assert!(!is_private(name.as_ref()), "{name}");
        }
    }
}
