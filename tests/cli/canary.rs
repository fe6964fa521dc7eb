//! A value that must be seen nowhere: it is looked for, as it is and encoded, in everything commands printed, in every
//! file of the sandbox, in shared memory, in every git object, in the argument lists of running processes and in the
//! variables of the program itself.

use std::collections::HashSet;
use std::fs::DirEntry;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use regex::bytes::Regex;

use crate::redaction::repositories;
use crate::sandbox::Sandbox;
use crate::scratch;

/// A value of its own for each test, and the pattern of all its forms.
pub(crate) struct Canary {
    value: String,
    forms: Regex,
}

impl Canary {
    /// A new one.
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let value = format!(
            "canary-{}-{}-sings",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let forms = Regex::new(&forms(&value).join("|")).expect("base64, hex and plain words are valid patterns");
        Self { value, forms }
    }

    /// The value itself.
    pub(crate) fn value(&self) -> &str {
        &self.value
    }

    /// Every place where it is seen, but for files below these paths of the sandbox and commands that may reveal.
    pub(crate) fn sightings(&self, sandbox: &Sandbox, allowed: &[PathBuf]) -> Vec<String> {
        let mut sightings = sandbox.with_printed(|printed| {
            let seen = printed
                .iter()
                .filter(|one| !one.reveals && self.forms.is_match(&one.bytes));
            seen.map(|one| format!("the output of `{}`", one.command))
                .collect::<Vec<_>>()
        });
        self.look_into(sandbox.root(), allowed, &mut sightings);
        // Sandboxes of other tests may stand there; they have values of their own.
        let memory = |entry: &DirEntry| !entry.file_name().to_string_lossy().starts_with(scratch::PREFIX);
        self.look_at(entries(Path::new("/dev/shm")).filter(memory), allowed, &mut sightings);
        for repository in repositories(sandbox.root()) {
            if self.forms.is_match(&objects(&repository)) {
                sightings.push(format!("an object of {}", repository.display()));
            }
        }
        sightings
    }

    /// Fails the test if it is seen anywhere else than below these paths.
    #[track_caller]
    pub(crate) fn assert_unseen(&self, sandbox: &Sandbox, allowed: &[PathBuf]) {
        assert_eq!(
            self.sightings(sandbox, allowed),
            Vec::<String>::new(),
            "the canary was seen"
        );
    }

    /// Looks at the argument lists of all processes, and the program's own variables, until the watch is ended.
    pub(crate) fn watch_arguments(&self) -> ArgumentWatch {
        let over = Arc::new(AtomicBool::new(false));
        let (forms, told) = (self.forms.clone(), Arc::clone(&over));
        // What runs already is nothing that the test starts.
        let others: HashSet<PathBuf> = processes().collect();
        let watcher = std::thread::spawn(move || {
            let mut sightings = Vec::new();
            while !told.load(Ordering::Relaxed) {
                let started = processes().filter(|process| !others.contains(process));
                sightings.extend(arguments(started).filter(|words| forms.is_match(words)));
                std::thread::sleep(Duration::from_millis(2));
            }
            sightings
                .into_iter()
                .map(|words| String::from_utf8_lossy(&words).replace('\0', " "))
                .collect()
        });
        ArgumentWatch { over, watcher }
    }

    /// Looks into every file below a folder; names and targets of links count too.
    fn look_into(&self, folder: &Path, allowed: &[PathBuf], sightings: &mut Vec<String>) {
        self.look_at(entries(folder), allowed, sightings);
    }

    fn look_at(&self, entries: impl Iterator<Item = DirEntry>, allowed: &[PathBuf], sightings: &mut Vec<String>) {
        for entry in entries {
            let path = entry.path();
            if allowed.contains(&path) {
                continue;
            }
            let Ok(kind) = entry.file_type() else { continue };
            let content = match (kind.is_dir(), kind.is_file()) {
                (true, _) => {
                    self.look_into(&path, allowed, sightings);
                    Vec::new()
                }
                (_, true) => std::fs::read(&path).unwrap_or_default(),
                _ => std::fs::read_link(&path)
                    .map(|target| target.into_os_string().into_encoded_bytes())
                    .unwrap_or_default(),
            };
            if self.forms.is_match(&content) || self.forms.is_match(entry.file_name().as_encoded_bytes()) {
                sightings.push(path.display().to_string());
            }
        }
    }
}

fn entries(folder: &Path) -> impl Iterator<Item = DirEntry> {
    std::fs::read_dir(folder).into_iter().flatten().flatten()
}

/// A running look at all argument lists.
pub(crate) struct ArgumentWatch {
    over: Arc<AtomicBool>,
    watcher: JoinHandle<Vec<String>>,
}

impl ArgumentWatch {
    /// Ends the watch; each argument list that held the canary, as often as it was seen.
    pub(crate) fn sightings(self) -> Vec<String> {
        self.over.store(true, Ordering::Relaxed);
        self.watcher.join().expect("the watcher does not panic")
    }
}

/// The patterns of a value: itself, in hex, and the middle of its base64 at each of the three alignments.
fn forms(value: &str) -> Vec<String> {
    let hex = value.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![regex::escape(value), hex];
    for offset in 0..3 {
        let encoded = STANDARD_NO_PAD.encode(["\0".repeat(offset), value.to_owned()].concat());
        forms.push(regex::escape(&encoded[4..encoded.len() - 4]));
    }
    forms
}

/// The content of every object of a repository, also of those that nothing refers to any more.
fn objects(repository: &Path) -> Vec<u8> {
    let output = Command::new("git")
        .arg("--git-dir")
        .arg(repository)
        .args(["cat-file", "--batch-all-objects", "--batch"])
        .output()
        .expect("git can be started");
    assert!(
        output.status.success(),
        "the objects of {} cannot be listed",
        repository.display()
    );
    output.stdout
}

/// The folder of each process.
fn processes() -> impl Iterator<Item = PathBuf> {
    let is_number = |entry: &DirEntry| entry.file_name().as_encoded_bytes()[0].is_ascii_digit();
    entries(Path::new("/proc")).filter(is_number).map(|entry| entry.path())
}

/// The argument lists of these processes, and the variables of those that run the program, words ended by NUL; what
/// vanishes meanwhile is left out.
fn arguments(processes: impl Iterator<Item = PathBuf>) -> impl Iterator<Item = Vec<u8>> {
    let program = Path::new(env!("CARGO_BIN_EXE_secretree"));
    let texts = processes.flat_map(move |folder| {
        let variables = folder.join("environ");
        let is_ours = std::fs::read_link(folder.join("exe")).is_ok_and(|target| target == program);
        [Some(folder.join("cmdline")), is_ours.then_some(variables)]
    });
    texts.flatten().filter_map(|file| std::fs::read(file).ok())
}
