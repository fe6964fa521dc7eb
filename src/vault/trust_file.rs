//! The trust file of this machine: which keys it trusts, which policies it has seen where, up to which commit it
//! has looked. Public data only, but nobody else may write it (FORMAT, "Which key is trusted").

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::crypto::key::DropBox;
use crate::error::{Failure, Result};
use crate::files::{Access, FolderLock, read_if_present, replace};
use crate::names::EnvironmentName;

/// The name of the trust file.
pub const FILE_NAME: &str = "trust.json";
const LARGEST_FILE: u64 = 16 << 20;
const PATIENCE: Duration = Duration::from_secs(10);

/// What is known of one environment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    /// The drop boxes of the keys that are trusted, oldest first.
    pub trusted: Vec<String>,
    /// How far the history was looked at.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub checked: Option<CheckedTo>,
}

/// At `head`, the key of `drop_box` was trusted and no successor of it was known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CheckedTo {
    /// The commit that HEAD was.
    pub head: String,
    /// The drop box of the key.
    pub drop_box: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    format: u32,
    #[serde(default)]
    environments: BTreeMap<String, BTreeMap<String, Known>>,
    #[serde(default)]
    places: BTreeMap<String, String>,
    #[serde(default)]
    commands: Vec<String>,
}

impl Default for Content {
    fn default() -> Self {
        Self {
            format: 1,
            environments: BTreeMap::new(),
            places: BTreeMap::new(),
            commands: Vec::new(),
        }
    }
}

/// Where a key goes among those that are trusted already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rank {
    /// Where it is; a new one behind the others.
    AsKnown,
    /// Behind the others: a person said that it is the one that holds now.
    Newest,
}

/// The trust file, read once; every change reads it again under a lock, so that two processes lose nothing.
#[derive(Clone, Debug)]
pub(super) struct TrustFile {
    folder: Option<PathBuf>,
    content: Content,
    /// What is to be written once, when many environments are looked at together.
    held: Option<Vec<Noted>>,
}

/// One thing that is noted.
#[derive(Clone, Debug)]
struct Noted {
    policy: String,
    environment: EnvironmentName,
    drop_box: DropBox,
    place: PathBuf,
    head: Option<String>,
    rank: Rank,
}

impl TrustFile {
    /// Reads the trust file in `folder` (the program's state folder); none is an empty one. Without a folder nothing is known
    /// and nothing can be noted.
    ///
    /// # Errors
    /// `Failed` if it cannot be read or is no trust file of this version.
    pub(super) fn load(folder: Option<PathBuf>) -> Result<Self> {
        let content = folder.as_deref().map_or(Ok(Content::default()), read)?;
        Ok(Self {
            folder,
            content,
            held: None,
        })
    }

    /// Reads it again and says whether it is another now.
    ///
    /// # Errors
    /// As [`TrustFile::load`].
    pub(super) fn reload(&mut self) -> Result<bool> {
        let content = self.folder.as_deref().map_or(Ok(Content::default()), read)?;
        let is_another = !same(&content, &self.content);
        self.content = content;
        Ok(is_another)
    }

    /// What is known of an environment of the policy `policy`.
    pub(super) fn known(&self, policy: &str, environment: &EnvironmentName) -> Option<&Known> {
        self.content.environments.get(policy)?.get(environment.as_str())
    }

    /// Whether an environment of the policy is known.
    pub(super) fn knows_policy(&self, policy: &str) -> bool {
        self.content
            .environments
            .get(policy)
            .is_some_and(|known| !known.is_empty())
    }

    /// The `id` of the policy that was last trusted in the folder `place`.
    pub(super) fn policy_at(&self, place: &Path) -> Option<&str> {
        self.content.places.get(place.to_str()?).map(String::as_str)
    }

    /// Notes that the key of `drop_box` is trusted, that the policy stands at `place`, and how far was looked.
    /// Writes nothing if all of that is noted.
    ///
    /// # Errors
    /// `Failed` if the file cannot be written.
    pub(super) fn note(
        &mut self,
        policy: &str,
        environment: &EnvironmentName,
        drop_box: &DropBox,
        place: &Path,
        head: Option<&str>,
        rank: Rank,
    ) -> Result<()> {
        let noted = Noted {
            policy: policy.to_owned(),
            environment: environment.clone(),
            drop_box: drop_box.clone(),
            place: place.to_owned(),
            head: head.map(str::to_owned),
            rank,
        };
        if !noted.changes(&self.content) {
            return Ok(());
        }
        match &mut self.held {
            Some(held) => {
                noted.apply(&mut self.content);
                held.push(noted);
                Ok(())
            }
            None => self.write(&[noted]),
        }
    }

    /// Writes nothing from now on until [`TrustFile::write_held`]: each time costs a sync of the whole file.
    pub(super) fn hold(&mut self) {
        self.held.get_or_insert_default();
    }

    /// Writes what was held, at once.
    ///
    /// # Errors
    /// As [`TrustFile::note`].
    pub(super) fn write_held(&mut self) -> Result<()> {
        match self.held.take() {
            Some(held) if !held.is_empty() => self.write(&held),
            _ => Ok(()),
        }
    }

    fn write(&mut self, notes: &[Noted]) -> Result<()> {
        let Some(folder) = &self.folder else {
            let failure = Failure::failed("there is no folder to keep trust in");
            return Err(failure.hint("set HOME or XDG_STATE_HOME").into());
        };
        make_folder(folder)?;
        let _lock = FolderLock::acquire(folder, PATIENCE)?;
        let mut content = read(folder)?;
        for noted in notes {
            noted.apply(&mut content);
        }
        let text = serde_json::to_vec_pretty(&content).expect("maps of texts are JSON");
        replace(&folder.join(FILE_NAME), &text, Access::Private)?;
        self.content = content;
        Ok(())
    }
}

impl Noted {
    /// Whether any of it is new.
    fn changes(&self, content: &Content) -> bool {
        let known = content.environments.get(&self.policy);
        let known = known.and_then(|known| known.get(self.environment.as_str()));
        let drop_box = self.drop_box.as_str();
        let is_trusted = known.is_some_and(|known| match self.rank {
            Rank::AsKnown => known.trusted.iter().any(|trusted| trusted == drop_box),
            Rank::Newest => known.trusted.last().is_some_and(|trusted| trusted == drop_box),
        });
        let checked = known.and_then(|known| known.checked.as_ref());
        let is_checked = self
            .head
            .as_ref()
            .is_none_or(|head| checked.is_some_and(|checked| checked.head == *head && checked.drop_box == drop_box));
        let place = self.place.to_str();
        let is_placed = place.is_none_or(|place| content.places.get(place) == Some(&self.policy));
        !(is_trusted && is_checked && is_placed)
    }

    fn apply(&self, content: &mut Content) {
        let environments = content.environments.entry(self.policy.clone()).or_default();
        let known = environments.entry(self.environment.to_string()).or_default();
        let drop_box = self.drop_box.as_str();
        if self.rank == Rank::Newest {
            known.trusted.retain(|trusted| trusted != drop_box);
        }
        if !known.trusted.iter().any(|trusted| trusted == drop_box) {
            known.trusted.push(drop_box.to_owned());
        }
        if let Some(head) = &self.head {
            known.checked = Some(CheckedTo {
                head: head.clone(),
                drop_box: drop_box.to_owned(),
            });
        }
        if let Some(place) = self.place.to_str() {
            content.places.insert(place.to_owned(), self.policy.clone());
        }
    }
}

fn same(left: &Content, right: &Content) -> bool {
    left.environments == right.environments && left.places == right.places && left.commands == right.commands
}

fn read(folder: &Path) -> Result<Content> {
    let path = folder.join(FILE_NAME);
    let Some(bytes) = read_if_present(&path, LARGEST_FILE)? else {
        return Ok(Content::default());
    };
    let content: Content = serde_json::from_slice(&bytes).map_err(|_| damaged(&path))?;
    if content.format != 1 {
        return Err(Failure::failed(format!("`{}` was written by a newer secretree", path.display())).into());
    }
    Ok(content)
}

fn damaged(path: &Path) -> Failure {
    let shown = path.display();
    Failure::failed(format!("`{shown}` is no trust file")).hint(format!("move it away: mv {shown} {shown}.damaged"))
}

fn make_folder(folder: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| {
        Failure::failed(format!("cannot make the folder `{}`: {error}", folder.display()))
            .hint("set XDG_STATE_HOME to a folder that you may write")
            .into()
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use super::{Rank, TrustFile};
    use crate::crypto::key::EnvironmentKey;
    use crate::names::EnvironmentName;

    #[test]
    fn what_is_noted_is_known_to_the_next_process() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state/secretree");
        let (prod, key) = (EnvironmentName::new("prod").unwrap(), EnvironmentKey::generate());
        let mut first = TrustFile::load(Some(state.clone())).unwrap();
        let mut second = TrustFile::load(Some(state.clone())).unwrap();
        first
            .note("p1", &prod, key.drop_box(), Path::new("/a"), Some("c1"), Rank::AsKnown)
            .unwrap();
        second
            .note("p2", &prod, key.drop_box(), Path::new("/b"), None, Rank::AsKnown)
            .unwrap();
        // Held, it is known here at once, and to others when it is written.
        let dev = EnvironmentName::new("dev").unwrap();
        let before = std::fs::read(state.join("trust.json")).unwrap();
        second.hold();
        second
            .note("p2", &dev, key.drop_box(), Path::new("/b"), None, Rank::AsKnown)
            .unwrap();
        assert!(second.known("p2", &dev).is_some());
        assert_eq!(std::fs::read(state.join("trust.json")).unwrap(), before);
        second.write_held().unwrap();
        let third = TrustFile::load(Some(state.clone())).unwrap();
        assert!(third.known("p2", &dev).is_some());
        assert_eq!(third.known("p1", &prod).unwrap().trusted, [key.drop_box().as_str()]);
        assert_eq!(third.known("p1", &prod).unwrap().checked.as_ref().unwrap().head, "c1");
        assert_eq!(
            (third.policy_at(Path::new("/a")), third.policy_at(Path::new("/b"))),
            (Some("p1"), Some("p2"))
        );
        let mode = std::fs::metadata(state.join("trust.json"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
