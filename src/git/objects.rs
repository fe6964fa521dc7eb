//! Single objects: commits, and the files that stand in them. Read raw, within bounds, and only what a commit
//! names: no replacements, no grafts, no attributes.

use std::fmt;
use std::path::{Component, Path};

use git2::{ErrorCode, ObjectType, Odb, Oid};

use super::{Repository, check_relative, explain};
use crate::error::{Failure, Result};

/// The largest blob that is read, in bytes.
const BLOB_LIMIT: usize = 64 << 20;

macro_rules! object_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub(super) Oid);

        impl $name {
            /// `None` unless `text` is 40 lower-case hex digits.
            pub fn new(text: &str) -> Option<Self> {
                let fits = text.len() == 40 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
                Oid::from_str(text).ok().filter(|_| fits).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }
    };
}

object_id!(
    /// The hash of a commit.
    CommitId
);
object_id!(
    /// The hash of one content of a file.
    BlobId
);

/// What a commit says about itself. All of it was written by others: escape it before showing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its hash.
    pub id: CommitId,
    /// Parents, the branch it was made on first.
    pub parents: Vec<CommitId>,
    /// The author's name.
    pub author_name: String,
    /// The author's e-mail address.
    pub author_email: String,
    /// When the author says it was written, in seconds since 1970.
    pub time: i64,
    /// The first line of the message.
    pub subject: String,
    /// Whether it carries a signature; whose, and whether it is good, is not looked at.
    pub signed: bool,
}

/// The parts of a commit that a walk needs.
pub(super) struct Node {
    pub(super) tree: Oid,
    pub(super) parents: Vec<Oid>,
    /// The committer's time, by which walks are ordered.
    pub(super) committed: i64,
    /// `NAME <EMAIL> SECONDS ZONE`.
    pub(super) author: Vec<u8>,
}

impl Repository {
    /// What the commit `id` says about itself.
    ///
    /// # Errors
    /// `Failed` if there is no such commit here, or it is malformed.
    pub fn commit(&self, id: CommitId) -> Result<Commit> {
        let odb = self.odb()?;
        let object = odb.read(id.0);
        let object = object.map_err(|error| explain(&format!("commit `{id}` cannot be read"), &error))?;
        let node = Node::parse(object.data(), object.kind()).ok_or_else(|| malformed(id.0))?;
        let (author_name, author_email, time) = parse_author(&node.author);
        let message = object.data().windows(2).position(|pair| pair == b"\n\n");
        let subject = message.and_then(|start| object.data()[start + 2..].split(|byte| *byte == b'\n').next());
        Ok(Commit {
            id,
            parents: node.parents.into_iter().map(CommitId).collect(),
            author_name,
            author_email,
            time,
            subject: String::from_utf8_lossy(subject.unwrap_or_default()).into_owned(),
            signed: has_signature(object.data()),
        })
    }

    /// Whether this clone has the commit `id`.
    ///
    /// # Errors
    /// `Failed` if the objects cannot be read.
    pub fn has(&self, id: CommitId) -> Result<bool> {
        match self.odb()?.read_header(id.0) {
            Ok(_) => Ok(true),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(false),
            Err(error) => Err(explain(&format!("commit `{id}` cannot be read"), &error).into()),
        }
    }

    /// The file `relative` (to the root) as it stood in `commit`; `None` if it did not, or was a link.
    ///
    /// # Errors
    /// `Failed` if objects are missing, or the file is larger than 64 MiB.
    pub fn blob_at(&self, commit: CommitId, relative: &Path) -> Result<Option<Vec<u8>>> {
        let Some(id) = self.blob_id_at(commit, relative)? else {
            return Ok(None);
        };
        match self.blob(id)? {
            Some(bytes) => Ok(Some(bytes)),
            None => Err(Failure::failed(format!("object `{id}` is not in this clone"))
                .hint("git fetch --unshallow --refetch")
                .into()),
        }
    }

    /// The id of the file `relative` in `commit`, as in [`Repository::blob_at`].
    ///
    /// # Errors
    /// `Failed` if objects are missing.
    pub fn blob_id_at(&self, commit: CommitId, relative: &Path) -> Result<Option<BlobId>> {
        check_relative(relative)?;
        let odb = self.odb()?;
        let explained = |error| explain(&format!("commit `{commit}` cannot be read"), &error);
        let object = odb.read(commit.0).map_err(explained)?;
        let mut tree = Node::parse(object.data(), object.kind())
            .ok_or_else(|| malformed(commit.0))?
            .tree;
        let names = path_names(relative);
        for (depth, name) in names.iter().enumerate() {
            let object = odb.read(tree).map_err(explained)?;
            let entry = tree_entries(object.data()).find(|entry| entry.name == *name);
            match entry {
                Some(entry) if depth + 1 < names.len() && entry.is_tree => tree = entry.id,
                Some(entry) if depth + 1 == names.len() && entry.is_file => return Ok(Some(BlobId(entry.id))),
                Some(_) | None => return Ok(None),
            }
        }
        Ok(None)
    }

    /// The bytes of a blob; `None` if it is not in this clone.
    ///
    /// # Errors
    /// `Failed` if it is larger than 64 MiB, or damaged.
    pub fn blob(&self, id: BlobId) -> Result<Option<Vec<u8>>> {
        let odb = self.odb()?;
        let object = match odb.read_header(id.0) {
            Ok((length, _)) if length > BLOB_LIMIT => {
                return Err(Failure::failed(format!("object `{id}` is larger than 64 MiB")).into());
            }
            Ok(_) => odb.read(id.0),
            Err(error) => Err(error),
        };
        match object {
            Ok(object) if object.kind() == ObjectType::Blob => Ok(Some(object.data().to_vec())),
            Ok(_) => Err(malformed(id.0).into()),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(explain(&format!("object `{id}` cannot be read"), &error).into()),
        }
    }

    /// The bytes of a blob of at most `limit` bytes; `None` if it is larger, or not in this clone.
    ///
    /// # Errors
    /// `Failed` if it is damaged.
    pub fn blob_up_to(&self, id: BlobId, limit: usize) -> Result<Option<Vec<u8>>> {
        match self.odb()?.read_header(id.0) {
            Ok((length, _)) if length > limit => Ok(None),
            Ok(_) | Err(_) => self.blob(id),
        }
    }

    pub(super) fn odb(&self) -> Result<Odb<'_>> {
        let odb = self.inner()?.odb();
        Ok(odb.map_err(|error| explain("the repository's objects cannot be read", &error))?)
    }
}

pub(super) fn malformed(id: Oid) -> Failure {
    Failure::failed(format!("object `{id}` is malformed")).hint("git fsck")
}

impl Node {
    /// Reads a commit object's header; `None` if it is none.
    pub(super) fn parse(data: &[u8], kind: ObjectType) -> Option<Self> {
        let mut lines = data.split(|byte| *byte == b'\n').peekable();
        let tree = hash_behind(lines.next()?, b"tree ").filter(|_| kind == ObjectType::Commit)?;
        let mut parents = Vec::with_capacity(1);
        while let Some(parent) = lines.peek().and_then(|line| hash_behind(line, b"parent ")) {
            parents.push(parent);
            lines.next();
        }
        let author = lines.next()?.strip_prefix(b"author ")?.to_vec();
        let (_, _, committed) = parse_author(lines.next()?.strip_prefix(b"committer ")?);
        Some(Self {
            tree,
            parents,
            committed,
            author,
        })
    }
}

/// Whether the header of a commit object holds a signature.
fn has_signature(data: &[u8]) -> bool {
    let header = data.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty());
    let mut fields = header.map(|line| line.split(|byte| *byte == b' ').next().unwrap_or_default());
    fields.any(|field| matches!(field, b"gpgsig" | b"gpgsig-sha256"))
}

fn hash_behind(line: &[u8], word: &[u8]) -> Option<Oid> {
    let text = std::str::from_utf8(line.strip_prefix(word)?).ok()?;
    Oid::from_str(text).ok().filter(|_| text.len() == 40)
}

/// Name, e-mail address and time of `NAME <EMAIL> SECONDS ZONE`; what is missing is empty or 0.
pub(super) fn parse_author(line: &[u8]) -> (String, String, i64) {
    let text = String::from_utf8_lossy(line);
    let (person, time) = text.rsplit_once('>').unwrap_or((&text, ""));
    let (name, email) = person.split_once('<').unwrap_or((person, ""));
    let seconds = time
        .split_ascii_whitespace()
        .next()
        .and_then(|seconds| seconds.parse().ok());
    (name.trim().to_owned(), email.trim().to_owned(), seconds.unwrap_or(0))
}

/// One entry of a tree object.
pub(super) struct TreeEntry<'a> {
    pub(super) name: &'a [u8],
    pub(super) id: Oid,
    pub(super) is_tree: bool,
    pub(super) is_file: bool,
}

/// The entries of a raw tree object, in its order; ends early where it is malformed.
pub(super) fn tree_entries(data: &[u8]) -> impl Iterator<Item = TreeEntry<'_>> {
    let mut rest = data;
    std::iter::from_fn(move || {
        let blank = rest.iter().take(8).position(|byte| *byte == b' ')?;
        let mode = rest[..blank].iter().try_fold(0_u32, |mode, digit| {
            matches!(digit, b'0'..=b'7').then(|| mode << 3 | u32::from(digit - b'0'))
        })?;
        let name_end = blank + 1 + rest[blank + 1..].iter().position(|byte| *byte == 0)?;
        let name = &rest[blank + 1..name_end];
        let id = Oid::from_bytes(rest.get(name_end + 1..name_end + 21)?).ok()?;
        rest = &rest[name_end + 21..];
        Some(TreeEntry {
            name,
            id,
            is_tree: mode & 0o170_000 == 0o040_000,
            is_file: is_file(mode),
        })
    })
}

/// Whether an entry of this mode is an ordinary file, no link and no submodule.
pub(super) fn is_file(mode: u32) -> bool {
    mode & 0o170_000 == 0o100_000
}

/// The names along a checked relative path.
pub(super) fn path_names(relative: &Path) -> Vec<&[u8]> {
    let name = |component| match component {
        Component::Normal(name) => Some(std::ffi::OsStr::as_encoded_bytes(name)),
        _ => None,
    };
    relative.components().filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use git2::ObjectType;

    use super::{BlobId, CommitId, Node, parse_author, tree_entries};
    use crate::git::testing::Sandbox;

    #[test]
    fn files_are_read_as_they_stood() {
        let sandbox = Sandbox::new();
        let first = sandbox.commit_file("secrets/prod.yaml", "one");
        let second = sandbox.commit_file("secrets/prod.yaml", "two");
        std::os::unix::fs::symlink("secrets", sandbox.root().join("link")).unwrap();
        sandbox.git(&["add", "link"]);
        let third = sandbox.commit("link");
        let repository = sandbox.repository();
        let at = |commit: &str, path: &str| {
            let commit = CommitId::new(commit).unwrap();
            repository.blob_at(commit, Path::new(path)).unwrap()
        };
        assert_eq!(at(&first, "secrets/prod.yaml").unwrap(), b"one");
        assert_eq!(at(&second, "secrets/prod.yaml").unwrap(), b"two");
        for absent in [
            "secrets",
            "secrets/dev.yaml",
            "secrets/prod.yaml/x",
            "link",
            "link/prod.yaml",
        ] {
            assert_eq!(at(&third, absent), None, "{absent}");
        }
        assert!(
            repository
                .blob_at(CommitId::new(&"0".repeat(40)).unwrap(), Path::new("x"))
                .is_err()
        );
        assert_eq!(repository.blob(BlobId::new(&"1".repeat(40)).unwrap()).unwrap(), None);
    }

    #[test]
    fn a_commit_says_who_and_when() {
        let sandbox = Sandbox::new();
        let first = sandbox.commit_file("a", "1");
        let second = sandbox.commit_file("a", "2");
        let commit = sandbox.repository().commit(CommitId::new(&second).unwrap()).unwrap();
        assert_eq!(commit.parents, [CommitId::new(&first).unwrap()]);
        assert_eq!(
            (commit.author_name.as_str(), commit.author_email.as_str()),
            ("Ada", "ada@example.com")
        );
        assert_eq!((commit.time, commit.subject.as_str()), (1_700_000_002, "a"));
    }

    #[test]
    fn malformed_objects_are_no_panic() {
        for data in [
            "",
            "tree",
            "tree 12\n",
            "tree \u{fffd}\n",
            &format!("tree {}\nparent 1\n", "0".repeat(40)),
        ] {
            assert!(Node::parse(data.as_bytes(), ObjectType::Commit).is_none(), "{data}");
        }
        for data in [
            "",
            "100644",
            "100644 a",
            "100644 a\0short",
            "9 a\0aaaaaaaaaaaaaaaaaaaaa",
        ] {
            assert_eq!(tree_entries(data.as_bytes()).count(), 0, "{data}");
        }
        assert_eq!(
            parse_author(b"no brackets"),
            ("no brackets".to_owned(), String::new(), 0)
        );
        assert_eq!(parse_author(b"A <b> x"), ("A".to_owned(), "b".to_owned(), 0));
    }
}
