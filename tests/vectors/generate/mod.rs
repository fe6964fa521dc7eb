//! Makes the frozen vectors, once: `SECRETREE_WRITE_VECTORS=1 cargo test --test vectors` writes those that are not there
//! yet and never replaces one. Well-formed parts come from the library, malformed ones from the age crates.

mod draft;
mod entries;
mod footers;
mod good;
mod grants;
mod layouts;
mod plaintexts;
mod sources;
mod spellings;
mod stanzas;
mod texts;
mod tokens;

use std::path::Path;

use serde_json::Value;

/// One vector that is about to be written.
pub(crate) struct Vector {
    /// The folder: `good/NAME` or `refused/NAME`.
    folder: String,
    /// Files by their path in the folder.
    files: Vec<(String, Vec<u8>)>,
    /// What `expected.json` says.
    expected: Value,
}

/// Writes the vectors that are missing; returns their folders.
pub(crate) fn write_missing(root: &Path) -> Vec<String> {
    let all = [
        good::vectors(),
        layouts::vectors(),
        tokens::vectors(),
        spellings::vectors(),
        plaintexts::vectors(),
        sources::vectors(),
        footers::vectors(),
        grants::vectors(),
        entries::vectors(),
        texts::vectors(),
    ];
    let mut written = Vec::new();
    let mut names = std::collections::BTreeSet::new();
    for vector in all.into_iter().flatten() {
        assert!(names.insert(vector.folder.clone()), "`{}` twice", vector.folder);
        if !root.join(&vector.folder).exists() {
            write(root, &vector);
            written.push(vector.folder);
        }
    }
    written
}

fn write(root: &Path, vector: &Vector) {
    let folder = root.join(&vector.folder);
    let mut expected = serde_json::to_vec_pretty(&vector.expected).expect("it is JSON");
    expected.push(b'\n');
    let files = vector.files.iter().map(|(path, bytes)| (path.as_str(), bytes));
    for (path, bytes) in files.chain([("expected.json", &expected)]) {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().expect("it is in a folder")).expect("the tree can be written");
        std::fs::write(path, bytes).expect("the tree can be written");
    }
}
