//! The frozen vectors of the file's format (`tests/vectors`), met by the real program and by the library: good ones
//! open to exactly what they say, the others are refused with the right code, both places named, and nothing shown or
//! written. New ones are made by `generate`, see there.

#![allow(clippy::disallowed_methods, reason = "fixtures are written before anyone reads them")]
#![allow(clippy::unwrap_used, reason = "a vector that is not as it should be fails the test")]

#[path = "vectors/generate/mod.rs"]
mod generate;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secretree::crypto::envelope::from_base64;
use secretree::crypto::identities::{Identities, KeySource};
use secretree::crypto::key::EnvironmentKey;
use secretree::crypto::plugins::Plugins;
use secretree::crypto::proposal::open_proposal;
use secretree::crypto::token::{TokenKind, open_token};
use secretree::document::path::{Segment, ValuePath};
use secretree::document::token::Token;
use secretree::names::{EnvironmentName, Version};
use secretree::policy::{LoadedPolicy, Reach};
use secretree::secret::Secret;
use secretree::value::Value as SecretValue;
use secretree::vault::footer::Footer;
use secretree::vault::{Environment, Place, Setup, Vault};
use secretree::view::Entry;
use serde_json::{Value, json};
use tempfile::TempDir;
use zeroize::Zeroizing;

/// How long a refusal may take. It takes milliseconds; the rest is for an unoptimised program on a busy machine.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often a refusal is tried that took longer.
const MOST_TRIES: usize = 3;

/// The root of the vectors.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

/// The folders below `kind`, in order.
fn vectors(kind: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join(kind)).unwrap();
    let mut folders: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

fn expected(vector: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(vector.join("expected.json")).unwrap()).unwrap()
}

/// A copy of one vector, a home beside it, and an editor that shows what it got.
struct Bench {
    _folder: TempDir,
    root: PathBuf,
    before: BTreeMap<PathBuf, Vec<u8>>,
}

impl Bench {
    fn new(vector: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let before = contents(vector);
        for (path, bytes) in &before {
            let path = root.join("work").join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        std::fs::create_dir(root.join("tmp")).unwrap();
        let identity = root.join("work/identity.txt");
        std::fs::set_permissions(identity, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let editor = format!("#!/bin/sh\ncp \"$1\" '{}'\n", root.join("edited").display());
        std::fs::write(root.join("editor"), editor).unwrap();
        Self {
            _folder: folder,
            root,
            before,
        }
    }

    fn work(&self) -> PathBuf {
        self.root.join("work")
    }

    /// Runs the program with the vector's identity.
    fn run<S: AsRef<OsStr>>(&self, words: &[S]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_secretree"));
        command.arg("--identity").arg("identity.txt").args(words);
        command.current_dir(self.work()).env_clear();
        command
            .env("HOME", self.root.join("home"))
            .env("TMPDIR", self.root.join("tmp"))
            .env("PATH", "/usr/bin:/bin")
            .env(
                "SECRETREE_EDITOR",
                format!("/bin/sh {}", self.root.join("editor").display()),
            );
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A program that refuses may have closed its input already.
        let _ = child.stdin.take().unwrap().write_all(b"new value\n");
        child.wait_with_output().unwrap()
    }

    /// What the editor got, if it was started.
    fn edited(&self) -> Option<Vec<u8>> {
        std::fs::read(self.root.join("edited")).ok()
    }

    /// Whether the work folder is as in the vector, and the temporary folder empty.
    fn is_untouched(&self) -> bool {
        contents(&self.work()) == self.before && contents(&self.root.join("tmp")).is_empty()
    }
}

/// Every file below a folder.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(current) = open.pop() {
        for entry in std::fs::read_dir(current).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.insert(
                    path.strip_prefix(folder).unwrap().to_owned(),
                    std::fs::read(&path).unwrap(),
                );
            }
        }
    }
    found
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|text| text.as_str().unwrap())
        .collect()
}

/// Existing vectors are frozen, so this is the only writer, and it replaces nothing.
#[test]
fn vectors_are_written_only_on_demand() {
    if std::env::var_os("SECRETREE_WRITE_VECTORS").is_some_and(|value| value == "1") {
        let written = generate::write_missing(&root());
        assert!(
            written.is_empty(),
            "wrote {written:#?}\nlook at them, then run without SECRETREE_WRITE_VECTORS"
        );
    }
}

#[test]
fn there_are_vectors_and_more_refused_than_good_ones() {
    let (good, refused) = (vectors("good").len(), vectors("refused").len());
    assert!(good >= 20, "{good}");
    assert!(refused > 4 * good, "{refused} against {good}");
}

#[test]
fn refused_vectors_are_refused_by_name_and_nothing_is_shown_or_written() {
    let vectors = vectors("refused");
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let failures: Vec<_> = std::thread::scope(|scope| {
        let parts = vectors.chunks(vectors.len().div_ceil(threads));
        let workers: Vec<_> = parts
            .map(|part| scope.spawn(|| part.iter().flat_map(|vector| failures(vector)).collect::<Vec<_>>()))
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    assert!(
        failures.is_empty(),
        "{} failures\n{}",
        failures.len(),
        failures.join("\n")
    );
}

/// What the commands of one vector did otherwise.
fn failures(vector: &Path) -> Vec<String> {
    let expected = expected(vector);
    let commands = expected["commands"].as_array().unwrap();
    assert!(!commands.is_empty(), "{}", vector.display());
    let name = vector.file_name().unwrap().to_string_lossy();
    let failure = |command| refuses(vector, &expected, &texts(command)).err();
    let failures = commands.iter().filter_map(failure);
    failures.map(|failure| format!("{name}: {failure}")).collect()
}

fn refuses(vector: &Path, expected: &Value, words: &[&str]) -> Result<(), String> {
    let mut outcome = Err(String::new());
    for _ in 0..MOST_TRIES {
        let start = Instant::now();
        let bench = Bench::new(vector);
        let output = bench.run(words);
        outcome = judge(&bench, &output, expected, words);
        if start.elapsed() <= PATIENCE || outcome.is_err() {
            return outcome;
        }
    }
    outcome.and(Err(format!(
        "{}: {}: took longer than {PATIENCE:?}",
        vector.display(),
        words.join(" ")
    )))
}

fn judge(bench: &Bench, output: &Output, expected: &Value, words: &[&str]) -> Result<(), String> {
    let context = format!("{}: {}", expected["about"], words.join(" "));
    let (stdout, stderr) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    let said = format!(
        "{context}\n    status {:?}\n    {}",
        output.status.code(),
        stderr.trim_end()
    );
    let code = i32::try_from(expected["exit"].as_i64().unwrap()).unwrap();
    let canary = expected["canary"].as_str().unwrap();
    let shows = !stdout.is_empty() || stderr.to_lowercase().contains(canary) || bench.edited().is_some();
    if drops_proposal(words, &stderr, expected) {
        // Anyone can write a proposal, and none may stop a new key: it is named, and it is gone.
        let text = String::from_utf8(std::fs::read(bench.work().join(expected["file"].as_str().unwrap())).unwrap());
        let is_gone = !text.unwrap().contains("proposals:");
        return match output.status.success() && is_gone && !shows {
            true => Ok(()),
            false => Err(format!("{said}\n    not dropped cleanly")),
        };
    }
    if output.status.code() != Some(code) {
        return Err(format!("{said}\n    not {code}"));
    }
    if shows {
        return Err(format!("{said}\n    showed something"));
    }
    if !bench.is_untouched() {
        return Err(format!("{said}\n    wrote something"));
    }
    if !stderr.contains("error: ") || code == 5 && !stderr.contains("\nhint: ") {
        return Err(format!("{said}\n    no error with a hint"));
    }
    if let Some(missing) = texts(&expected["names"]).iter().find(|named| !stderr.contains(**named)) {
        return Err(format!("{said}\n    does not name {missing}"));
    }
    Ok(())
}

/// Whether a new key left out a refused proposal, which it names.
fn drops_proposal(words: &[&str], stderr: &str, expected: &Value) -> bool {
    let named = |label: &&str| stderr.contains(&format!("drops the proposal {label} "));
    words.first() == Some(&"apply") && texts(&expected["names"]).iter().any(named)
}

#[test]
fn good_vectors_open_for_the_program() {
    for vector in vectors("good") {
        let (expected, bench) = (expected(&vector), Bench::new(&vector));
        let name = expected["environment"].as_str().unwrap();
        for entry in expected["values"].as_array().unwrap() {
            let path = path_of(&entry["path"]).to_string();
            let output = bench.run(&["get", name, &path]);
            let context = format!(
                "{}: {path}: {}",
                vector.display(),
                String::from_utf8_lossy(&output.stderr)
            );
            assert!(output.status.success(), "{context}");
            assert_eq!(output.stdout, delivered(&entry["value"]), "{context}");
        }
        let text = std::fs::read(vector.join(expected["text"].as_str().unwrap())).unwrap();
        let output = bench.run(&["decrypt", name]);
        assert!(
            output.status.success() && output.stdout == text,
            "{}: decrypt",
            vector.display()
        );
        let output = bench.run(&["edit", name]);
        let context = format!("{}: {}", vector.display(), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{context}");
        assert!(bench.edited() == Some(text), "{context}: another text");
        assert!(bench.is_untouched(), "{context}: wrote something");
    }
}

fn path_of(path: &Value) -> ValuePath {
    ValuePath::from_json(&path.to_string()).unwrap()
}

/// What `get` writes for a value of `expected.json`.
fn delivered(value: &Value) -> Vec<u8> {
    match value {
        Value::Null => Vec::new(),
        Value::String(text) => text.clone().into_bytes(),
        Value::Object(bytes) => BASE64_STANDARD.decode(bytes["base64"].as_str().unwrap()).unwrap(),
        other => other.to_string().into_bytes(),
    }
}

#[test]
fn good_vectors_open_for_the_library() {
    for vector in vectors("good") {
        let (expected, bench) = (expected(&vector), Bench::new(&vector));
        let name = EnvironmentName::new(expected["environment"].as_str().unwrap()).unwrap();
        let loaded = LoadedPolicy::load(&bench.work(), Some(&bench.work()), Reach::Everything).unwrap();
        let identity = KeySource::file("identity.txt", bench.work().join("identity.txt"));
        let mut vault = Vault::new(Setup {
            loaded: &loaded,
            repository: None,
            identities: Identities::new(vec![identity], Plugins::none()),
            plugins: Plugins::none(),
            state_folder: Some(bench.root.join("state")),
            named: Vec::new(),
        })
        .unwrap();
        let file = vault.load(&name).unwrap();
        assert_eq!(file.relative, Path::new(expected["file"].as_str().unwrap()));
        let environment = vault.open(&file).unwrap();
        assert_eq!(values(&environment), expected["values"], "{}", vector.display());
        let text = std::fs::read_to_string(vector.join(expected["text"].as_str().unwrap())).unwrap();
        assert_eq!(*environment.text().unwrap(), text, "{}", vector.display());
        assert_footer(&environment.reading.footer, &expected, &name);
    }
}

fn values(environment: &Environment<'_>) -> Value {
    let places = environment.places().unwrap();
    let entries = environment.entries().unwrap();
    assert_eq!(places.len(), entries.len());
    let of = |(place, entry): (&Place<'_, '_>, &Entry)| {
        assert_eq!(place.path, entry.path);
        let version = place.token.as_ref().map(|token| token.version.as_str());
        json!({"path": path_json(&entry.path), "version": version, "value": value_json(&entry.value)})
    };
    places.iter().zip(&entries).map(of).collect()
}

fn path_json(path: &ValuePath) -> Value {
    let segment = |segment: &Segment| match segment {
        Segment::Key(key) => json!(key),
        Segment::Index(index) => json!(index),
    };
    path.segments().iter().map(segment).collect()
}

fn value_json(value: &SecretValue) -> Value {
    let mut out = Zeroizing::new(Vec::new());
    value.push_canonical_json(&mut out);
    serde_json::from_slice(&out).unwrap()
}

/// What stands in the footer, opened with the passphrase that `expected.json` gives.
fn assert_footer(footer: &Footer, expected: &Value, name: &EnvironmentName) {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let key_of = |text: &Value| EnvironmentKey::from_passphrase(&Secret::from(text.as_str().unwrap())).unwrap();
    let key = key_of(&expected["key"]["passphrase"]);
    assert_eq!(key.id().as_str(), expected["key"]["id"]);
    assert_eq!(key.drop_box().as_str(), expected["key"]["drop_box"]);
    assert_eq!(footer.drop_box, *key.drop_box());
    let list = |field: &str| expected[field].as_array().cloned().unwrap_or_default();
    assert_eq!(footer.follows.len(), list("follows").len());
    for followed in list("follows") {
        let (id, old) = (text(&followed["key"]), key_of(&followed["passphrase"]));
        assert_eq!(old.id().as_str(), id);
        let token = Token::parse(&footer.follows[id.as_str()]).unwrap();
        let opened = open_token(&old, token.base64).unwrap();
        assert_eq!((opened.kind, &opened.environment), (TokenKind::Follows, name));
        assert_eq!(opened.successor().unwrap().as_str(), followed["drop_box"]);
    }
    assert_eq!(footer.previous.len(), list("previous").len());
    for old in list("previous") {
        let version = Version::new(&text(&old["version"])).unwrap();
        let previous = &footer.previous[&version];
        let opened = open_token(&key, Token::parse(&previous.token).unwrap().base64).unwrap();
        assert_eq!((opened.kind, opened.version), (TokenKind::Previous, version));
        assert_eq!(
            (opened.path, &previous.until),
            (old["path"].to_string(), &text(&old["until"]))
        );
        assert_eq!(value_json(&opened.value), old["value"]);
    }
    assert_eq!(footer.proposals.len(), list("proposals").len());
    for (proposal, (label, file)) in list("proposals").iter().zip(&footer.proposals) {
        assert_eq!(label.as_str(), proposal["label"]);
        let opened = open_proposal(&key, label, &from_base64(file, 1 << 20).unwrap()).unwrap();
        assert_eq!((opened.path, &opened.environment), (proposal["path"].to_string(), name));
        assert_eq!(value_json(&opened.value), proposal["value"]);
    }
}
