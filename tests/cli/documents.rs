//! The documents of `tests/documents` through the program: accepted ones go in through an editor and come back byte for
//! byte from `decrypt`; refused ones leave the file as it was and are told with line and column.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::fixture::{TWO_ENVIRONMENTS, alice, edit};
use crate::sandbox::Person;

/// The documents of a folder by name, at least so many.
fn documents(folder: &str, least: usize) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/documents")
        .join(folder);
    let entries = std::fs::read_dir(folder).expect("the folder is a part of the repository");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("the folder can be listed").path())
        .collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    assert!(files.len() >= least, "only {} documents were found", files.len());
    files
}

/// Someone with an environment `dev` that has one value.
fn somebody() -> Person {
    let person = alice(TWO_ENVIRONMENTS);
    edit(&person, "dev", "first: value\n").run().succeeds();
    person
}

/// What `judge` finds wrong in each document; two people look at one half each, at the same time.
fn faults(files: &[PathBuf], judge: impl Fn(&Person, &Path) -> Option<String> + Sync) -> Vec<String> {
    let half = |files: &[PathBuf]| -> Vec<String> {
        let person = somebody();
        let wrong = files.iter().filter_map(|file| {
            let name = file.file_stem().unwrap_or_default().to_string_lossy();
            judge(&person, file).map(|fault| format!("{name}: {fault}"))
        });
        wrong.collect()
    };
    let (first, second) = files.split_at(files.len() / 2);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| half(second));
        let mut faults = half(first);
        faults.extend(other.join().expect("the other half does not panic"));
        faults
    })
}

/// `edit dev` with an editor that puts this file there.
fn edit_with(person: &Person, file: &Path) -> crate::output::Output {
    person
        .secretree(["edit", "dev"])
        .env("EDITOR", format!("cp {}", file.display()))
        .run()
}

#[test]
fn accepted_documents_come_back_byte_for_byte() {
    // Each third one: the library reads and writes all of them in `tests/documents`, this is about the way there.
    let documents: Vec<_> = documents("accepted", 300).into_iter().step_by(3).collect();
    let faults = faults(&documents, |person, file| {
        let edited = edit_with(person, file);
        if edited.exit_code() != Some(0) {
            return Some(format!("edit: {}", edited.stderr()));
        }
        let decrypted = person.secretree(["decrypt", "dev"]).run();
        let same = decrypted.stdout_bytes() == std::fs::read(file).expect("it was just listed");
        (!same || decrypted.exit_code() != Some(0)).then(|| format!("decrypt: {}", decrypted.stderr()))
    });
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn refused_documents_change_nothing_and_are_told_with_their_place() {
    let places: BTreeMap<&str, &str> = include_str!("../documents/refused/expected.txt")
        .lines()
        .filter_map(|line| line.split_once(": "))
        .collect();
    let faults = faults(&documents("refused", 140), |person, file| {
        let before = person.read("secrets/dev.yaml");
        let edited = edit_with(person, file);
        if edited.exit_code() != Some(1) {
            return Some(format!("ended with {:?}: {}", edited.exit_code(), edited.stderr()));
        }
        if person.read("secrets/dev.yaml") != before {
            return Some("the file changed".into());
        }
        let name = file.file_stem()?.to_str()?;
        let (line, column) = places[name].split_once(": ")?.0.split_once(':')?;
        let place = format!("line {line} column {column}:");
        (!edited.stderr().contains(&place)).then(|| format!("not at {place} but {}", edited.stderr()))
    });
    assert_eq!(faults, Vec::<String>::new());
}
