//! What tests of single verbs begin with: one person and a policy, with or without git, environment files written
//! through `edit`, and the proof that a refused command changed no byte.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::output::Output;
use crate::run::Run;
use crate::sandbox::{Person, Sandbox};
use crate::team::POLICY_ID;

/// The environments of most tests: `dev` and `prod`, read by alice, `dev` with readable log settings.
pub(crate) const TWO_ENVIRONMENTS: &str = "\
default_environment: dev
environments:
  dev: {file: secrets/dev.yaml, readers: [alice], plaintext: [\"log.*\"]}
  prod: {file: secrets/prod.yaml, readers: [alice]}
";

/// A policy with these recipients, by name and public key, and `rest` behind that.
pub(crate) fn policy(recipients: &[(&str, &str)], rest: &str) -> String {
    let people = recipients
        .iter()
        .map(|(name, key)| format!("  {name}: {{keys: [{key}]}}\n"));
    let people: String = people.collect();
    format!("version: 1\nid: \"{POLICY_ID}\"\nrecipients:\n{people}{rest}")
}

/// Alice in a folder that is no repository, with a policy that ends in `rest`.
pub(crate) fn alice(rest: &str) -> Person {
    let alice = Sandbox::new().person("alice");
    alice.write(".secrets.yaml", policy(&[("alice", &alice.public_key())], rest));
    alice
}

/// The same in a git repository whose first commit is the policy.
pub(crate) fn alice_with_git(rest: &str) -> Person {
    let alice = alice(rest);
    alice.git(["init", "--quiet"]).run().succeeds();
    alice.commit("policy");
    alice
}

/// `edit` of an environment by an editor that puts this text there.
pub(crate) fn edit(person: &Person, environment: &str, text: impl AsRef<[u8]>) -> Run {
    let file = person.folder().join("edited.yaml");
    std::fs::write(&file, text).expect("the sandbox is ours");
    person
        .secretree(["edit", environment])
        .env("EDITOR", format!("cp {}", file.display()))
}

/// Alice with `TWO_ENVIRONMENTS`, and this text as `dev`.
pub(crate) fn alice_with_dev(text: &str) -> Person {
    let alice = alice(TWO_ENVIRONMENTS);
    edit(&alice, "dev", text).run().succeeds();
    alice
}

/// Every file below a folder with its bytes, git's own files apart.
pub(crate) fn snapshot(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.file_name().is_some_and(|name| name == ".git") {
            continue;
        }
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            files.extend(snapshot(&path));
        } else {
            let content = std::fs::read(&path).unwrap_or_default();
            files.insert(path, content);
        }
    }
    files
}

/// Runs a command that must change no file of the work folder and leave none in the temporary one.
#[track_caller]
pub(crate) fn changes_nothing(run: Run) -> Output {
    let work = run.person().work("");
    let temporary = run.person().sandbox().temporary();
    let display = run.display();
    let before = (snapshot(&work), snapshot(&temporary));
    let output = run.run();
    let after = (snapshot(&work), snapshot(&temporary));
    assert!(before == after, "`{display}` changed files:\n{}", output.stderr());
    output
}
