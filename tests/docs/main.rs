//! Holds the pages for people against the program: every path they name exists, every command and flag they show is
//! there, the first minute of the README does what it says, and each recipe of the other pages is run with the tool it
//! is for, or says that it is untried. What the pages claim beyond that is for reviewers.

// Tests lay out fixtures; nothing here has to be atomic.
#![allow(clippy::disallowed_methods, reason = "fixtures are written before anyone reads them")]
#![allow(clippy::unwrap_used, reason = "whatever fails in a test of the pages fails the test")]

mod first_minute;
mod names;
mod newcomer;
mod page;
mod recipes;
#[path = "../cli/tools.rs"]
mod tools;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const PROGRAM: &str = env!("CARGO_BIN_EXE_secretree");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every page, by its path from the root.
fn pages() -> BTreeMap<PathBuf, String> {
    let mut pages = BTreeMap::new();
    for folder in ["", "docs"] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let path = Path::new(folder).join(entry.unwrap().file_name());
            if path.extension().is_some_and(|extension| extension == "md") {
                let text = std::fs::read_to_string(root().join(&path)).unwrap();
                pages.insert(path, text);
            }
        }
    }
    assert!(pages.len() >= 6, "where are the pages? {:?}", pages.keys());
    pages
}
