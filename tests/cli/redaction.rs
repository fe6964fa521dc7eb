//! What a snapshot hides because it differs from run to run: paths of the sandbox, keys, ids, versions, ciphertext and
//! commits. Everything else stays, also what looks random but is fixed (labels of the sandbox's own people).

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::sandbox::Sandbox;

/// Random parts and what stands for them, applied in this order.
static RANDOM_PARTS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"AGE-SECRET-KEY-1[A-Z0-9]+", "AGE-SECRET-KEY-1…"),
        (r"age1[a-z0-9]{20,}", "age1…"),
        (r"\b(ssh-(?:ed25519|rsa)) AAAA[A-Za-z0-9+/=]+", "$1 AAAA…"),
        // Base64 of the first line of an age file.
        (r"YWdlLWVuY3J5cHRpb24[A-Za-z0-9+/=]*", "YWdl…"),
        (r"\bk[0-9a-f]{16}\b", "k…"),
        (r"\bp[0-9a-f]{16}\b", "p…"),
        (r"\bv[0-9a-f]{8}\b", "v…"),
        (r"\b[0-9a-f]{32}\b", "ID"),
    ]
    .map(|(pattern, replacement)| (Regex::new(pattern).expect("it is a valid pattern"), replacement))
    .into()
});

/// A commit's name, or the start of one.
static COMMIT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b[0-9a-f]{7,40}\b").expect("it is a valid pattern"));

/// The text with its random parts replaced.
pub(crate) fn redact(sandbox: &Sandbox, text: &str) -> String {
    let root = sandbox.root().to_str().expect("temporary folders have plain names");
    let mut text = text.replace(root, "[SANDBOX]");
    for (pattern, replacement) in RANDOM_PARTS.iter() {
        text = pattern.replace_all(&text, *replacement).into_owned();
    }
    if !COMMIT.is_match(&text) {
        return text;
    }
    // Only what really is a commit here: seven hex digits may be a word, a number or a fingerprint too.
    let commits = commits(sandbox);
    let name = |found: &Captures<'_>| match commits.iter().any(|commit| commit.starts_with(&found[0])) {
        true => String::from("COMMIT"),
        false => found[0].to_owned(),
    };
    COMMIT.replace_all(&text, name).into_owned()
}

/// The names of all commits in all repositories of the sandbox.
fn commits(sandbox: &Sandbox) -> Vec<String> {
    let mut names = Vec::new();
    for repository in repositories(sandbox.root()) {
        let listing = Command::new("git")
            .arg("--git-dir")
            .arg(&repository)
            .args([
                "cat-file",
                "--batch-all-objects",
                "--batch-check=%(objecttype) %(objectname)",
            ])
            .output()
            .expect("git can be started");
        let listing = String::from_utf8_lossy(&listing.stdout);
        names.extend(
            listing
                .lines()
                .filter_map(|line| line.strip_prefix("commit "))
                .map(String::from),
        );
    }
    names
}

/// Every repository below a folder: its `.git`, or itself if it is bare.
pub(crate) fn repositories(folder: &Path) -> Vec<PathBuf> {
    if folder.join("HEAD").is_file() && folder.join("objects").is_dir() {
        return vec![folder.to_owned()];
    }
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let folders = entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.flat_map(|entry| repositories(&entry.path())).collect()
}
