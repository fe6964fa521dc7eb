//! Where identities are looked for, in order. Names the places only: nothing is opened, and no program
//! started, before a grant asks for an identity.

use std::path::{Path, PathBuf};

use secretree::error::{Failure, Result};
use secretree::process::split_shell_words;
use secretree::secret::Secret;

use super::variables::Variables;

/// One place that may hold identities.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A file that was named: it must exist.
    Named {
        /// Who named it: `--identity`, `SECRETREE_IDENTITY`, `SOPS_AGE_KEY_FILE`.
        by: &'static str,
        path: PathBuf,
    },
    /// A file that is used if it exists.
    Usual(PathBuf),
    /// An SSH key that is used if it exists; its public half stands in `.pub` beside it.
    Ssh(PathBuf),
    /// The text of `SECRETREE_KEY`.
    Text(Secret),
    /// The words of `SECRETREE_KEY_COMMAND`, a program that prints the text.
    Command(Vec<String>),
}

/// All places, first those that were named for this call.
pub(crate) fn places(flags: &[PathBuf], variables: &Variables) -> Result<Vec<Place>> {
    let mut places: Vec<Place> = flags.iter().map(|path| named("--identity", path)).collect();
    if let Some(list) = variables.get("SECRETREE_IDENTITY") {
        let files = std::env::split_paths(list).filter(|path| !path.as_os_str().is_empty());
        places.extend(files.map(|path| named("SECRETREE_IDENTITY", &path)));
    }
    places.extend(variables.key().map(Place::Text));
    places.extend(command(variables)?);
    if let Some(config) = variables.config_home() {
        places.push(Place::Usual(config.join("secretree/identity.txt")));
    }
    if let Some(path) = variables.get("SOPS_AGE_KEY_FILE") {
        places.push(named("SOPS_AGE_KEY_FILE", Path::new(path)));
    }
    if let Some(home) = variables.home() {
        places.push(Place::Usual(home.join(".config/sops/age/keys.txt")));
        places.push(Place::Ssh(home.join(".ssh/id_ed25519")));
        places.push(Place::Ssh(home.join(".ssh/id_rsa")));
    }
    Ok(places)
}

fn named(by: &'static str, path: &Path) -> Place {
    Place::Named {
        by,
        path: path.to_owned(),
    }
}

fn command(variables: &Variables) -> Result<Option<Place>> {
    let Some(text) = variables.text("SECRETREE_KEY_COMMAND")? else {
        return Ok(None);
    };
    let words = split_shell_words(text).map_err(|_| {
        Failure::failed("`SECRETREE_KEY_COMMAND` cannot be split into words")
            .hint("it is split as a shell splits; check its quotes")
    })?;
    Ok(Some(Place::Command(words)))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use secretree::secret::Secret;

    use super::{Place, Variables, named, places};

    #[test]
    fn places_come_in_the_documented_order() {
        let variables = Variables::from_iter([
            ("HOME", "/h"),
            ("SOPS_AGE_KEY_FILE", "/sops"),
            ("SECRETREE_KEY", "KEY"),
            ("SECRETREE_KEY_COMMAND", "vault read 'my key'"),
            ("SECRETREE_IDENTITY", "/one::/two"),
        ]);
        let words = ["vault", "read", "my key"].map(str::to_owned).to_vec();
        assert_eq!(
            places(&[PathBuf::from("flag")], &variables).unwrap(),
            [
                named("--identity", "flag".as_ref()),
                named("SECRETREE_IDENTITY", "/one".as_ref()),
                named("SECRETREE_IDENTITY", "/two".as_ref()),
                Place::Text(Secret::from("KEY")),
                Place::Command(words),
                Place::Usual("/h/.config/secretree/identity.txt".into()),
                named("SOPS_AGE_KEY_FILE", "/sops".as_ref()),
                Place::Usual("/h/.config/sops/age/keys.txt".into()),
                Place::Ssh("/h/.ssh/id_ed25519".into()),
                Place::Ssh("/h/.ssh/id_rsa".into()),
            ]
        );
        assert_eq!(places(&[], &Variables::default()).unwrap(), []);
    }

    #[test]
    fn a_command_with_open_quotes_is_refused() {
        let variables = Variables::from_iter([("SECRETREE_KEY_COMMAND", "pass 'x")]);
        assert!(places(&[], &variables).is_err());
    }
}
