//! A place of its own for one test: a temporary folder with homes, scripts, a clock and a memory of everything that
//! commands printed in it. Nothing from the machine gets in but the `PATH` to find tools; nothing outlives the test.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use age::secrecy::ExposeSecret;
use bech32::{Bech32, Hrp};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::run::Run;
use crate::scratch;
use crate::terminal::Terminal;

/// The first moment of every sandbox, in seconds since 1970: 2026-01-05 09:00 UTC, a Monday.
const FIRST_MOMENT: u64 = 1_767_603_600;

/// What one command printed; kept so that a canary can be looked for afterwards.
pub(crate) struct Printed {
    pub(crate) command: String,
    pub(crate) bytes: Vec<u8>,
    /// The test said that this command may show values.
    pub(crate) reveals: bool,
}

/// The folder, clock and memory that the people of one test share.
pub(crate) struct Sandbox {
    root: PathBuf,
    _folder: TempDir,
    clock: AtomicU64,
    printed: Mutex<Vec<Printed>>,
}

impl Sandbox {
    /// An empty sandbox, outside of any repository.
    pub(crate) fn new() -> Arc<Self> {
        let folder = scratch::folder();
        let root = folder.path().canonicalize().expect("it was just made");
        for name in ["tmp", "bin"] {
            std::fs::create_dir(root.join(name)).expect("the sandbox is empty and ours");
        }
        Arc::new(Self {
            root,
            _folder: folder,
            clock: AtomicU64::new(FIRST_MOMENT),
            printed: Mutex::default(),
        })
    }

    /// Somebody with a home, an identity and an empty work folder that is no repository.
    pub(crate) fn person(self: &Arc<Self>, name: &str) -> Person {
        let person = Person {
            name: name.to_owned(),
            sandbox: Arc::clone(self),
        };
        for folder in [
            "work",
            "home/.ssh",
            "config/secretree",
            "state",
            "cache",
            "data",
            "runtime",
        ] {
            std::fs::create_dir_all(person.folder().join(folder)).expect("the sandbox is ours");
        }
        for private in ["runtime", "home/.ssh", "config/secretree"] {
            set_mode(&person.folder().join(private), 0o700);
        }
        let git = format!(
            "[user]\n\tname = {name}\n\temail = {name}@example.com\n[init]\n\tdefaultBranch = main\n\
             [advice]\n\tdetachedHead = false\n[core]\n\tautocrlf = false\n\tfsync = none\n\
             [maintenance]\n\tauto = false\n[receive]\n\tautogc = false\n"
        );
        std::fs::write(person.folder().join("home/.gitconfig"), git).expect("the sandbox is ours");
        let identity = identity_of(name);
        let public = identity.to_public().to_string();
        let text = format!("# public key: {public}\n{}\n", identity.to_string().expose_secret());
        std::fs::write(person.identity_file(), text).expect("the sandbox is ours");
        set_mode(&person.identity_file(), 0o600);
        person
    }

    /// The sandbox's folder, without symbolic links in its path.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The folder that `TMPDIR` names for every command.
    pub(crate) fn temporary(&self) -> PathBuf {
        self.root.join("tmp")
    }

    /// Writes an executable script that everybody here finds in `PATH`; returns its absolute path.
    pub(crate) fn script(&self, name: &str, text: &str) -> String {
        let path = self.root.join("bin").join(name);
        std::fs::write(&path, text).expect("the sandbox is ours");
        set_mode(&path, 0o755);
        path.into_os_string()
            .into_string()
            .expect("temporary folders have plain names")
    }

    /// The present moment, as git reads it: `SECONDS +0000`.
    pub(crate) fn now(&self) -> String {
        format!("{} +0000", self.clock.load(Ordering::Relaxed))
    }

    /// Lets time pass for every later command.
    pub(crate) fn wait(&self, seconds: u64) {
        self.clock.fetch_add(seconds, Ordering::Relaxed);
    }

    /// `PATH` in here: scripts of this sandbox, the program, the tools of the machine.
    pub(crate) fn path(&self) -> OsString {
        let program = Path::new(env!("CARGO_BIN_EXE_secretree"));
        let folder = program.parent().expect("a program is in a folder").to_owned();
        let machine = std::env::var_os("PATH").unwrap_or_default();
        let folders = [self.root.join("bin"), folder]
            .into_iter()
            .chain(std::env::split_paths(&machine));
        std::env::join_paths(folders).expect("temporary folders have no colon in their name")
    }

    /// Remembers what a command printed.
    pub(crate) fn remember(&self, printed: Printed) {
        self.printed
            .lock()
            .expect("no test thread panics while it prints")
            .push(printed);
    }

    /// Hands everything that was printed so far to `judge`.
    pub(crate) fn with_printed<T>(&self, judge: impl FnOnce(&[Printed]) -> T) -> T {
        judge(&self.printed.lock().expect("no test thread panics while it prints"))
    }
}

/// One person or machine: a home, an identity, a work folder and the environment its commands run in.
#[derive(Clone)]
pub(crate) struct Person {
    name: String,
    sandbox: Arc<Sandbox>,
}

impl Person {
    /// The sandbox this person lives in.
    pub(crate) fn sandbox(&self) -> &Arc<Sandbox> {
        &self.sandbox
    }

    /// The folder that holds everything of this person.
    pub(crate) fn folder(&self) -> PathBuf {
        self.sandbox.root.join(&self.name)
    }

    /// A path inside the work folder, where commands start.
    pub(crate) fn work(&self, path: &str) -> PathBuf {
        self.folder().join("work").join(path)
    }

    /// The default identity file; remove it for somebody who has none.
    pub(crate) fn identity_file(&self) -> PathBuf {
        self.folder().join("config/secretree/identity.txt")
    }

    /// The `age1…` key of this person: the same in every run, since it is made from the name.
    pub(crate) fn public_key(&self) -> String {
        identity_of(&self.name).to_public().to_string()
    }

    /// Writes a file of the work folder, with the folders it needs.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.work(path);
        std::fs::create_dir_all(path.parent().expect("it is inside the work folder")).expect("the sandbox is ours");
        std::fs::write(path, content).expect("the sandbox is ours");
    }

    /// Reads a file of the work folder.
    pub(crate) fn read(&self, path: &str) -> Vec<u8> {
        let path = self.work(path);
        std::fs::read(&path).unwrap_or_else(|error| panic!("`{}` cannot be read: {error}", path.display()))
    }

    /// Reads a file of the work folder that is text.
    pub(crate) fn read_text(&self, path: &str) -> String {
        String::from_utf8(self.read(path)).unwrap_or_else(|_| panic!("`{path}` is not UTF-8"))
    }

    /// The program, with these operands.
    pub(crate) fn secretree<I: IntoIterator<Item = S>, S: Into<OsString>>(&self, operands: I) -> Run {
        self.command(env!("CARGO_BIN_EXE_secretree"), operands)
    }

    /// Git, with these operands.
    pub(crate) fn git<I: IntoIterator<Item = S>, S: Into<OsString>>(&self, operands: I) -> Run {
        self.command("git", operands)
    }

    /// Any program, with these operands.
    pub(crate) fn command<I: IntoIterator<Item = S>, S: Into<OsString>>(&self, program: &str, operands: I) -> Run {
        Run::new(self.clone(), program, operands.into_iter().map(Into::into).collect())
    }

    /// The program on a terminal of its own, with these operands.
    pub(crate) fn on_terminal<I: IntoIterator<Item = S>, S: Into<OsString>>(&self, operands: I) -> Terminal {
        Terminal::start(self.secretree(operands))
    }

    /// Records everything in the work folder as a commit, a minute after the one before; no hook has a say.
    pub(crate) fn commit(&self, message: &str) {
        self.sandbox.wait(60);
        self.git(["add", "--all"]).run().succeeds();
        self.git(["commit", "--quiet", "--no-verify", "--message", message])
            .run()
            .succeeds();
    }

    /// The variables every command of this person sees; nothing else is inherited.
    pub(crate) fn environment(&self) -> Vec<(String, OsString)> {
        let folder = self.folder();
        let mut variables: Vec<(String, OsString)> = vec![
            ("PATH".into(), self.sandbox.path()),
            ("HOME".into(), folder.join("home").into()),
            ("TMPDIR".into(), self.sandbox.temporary().into()),
            ("XDG_CONFIG_HOME".into(), folder.join("config").into()),
            ("XDG_STATE_HOME".into(), folder.join("state").into()),
            ("XDG_CACHE_HOME".into(), folder.join("cache").into()),
            ("XDG_DATA_HOME".into(), folder.join("data").into()),
            ("XDG_RUNTIME_DIR".into(), folder.join("runtime").into()),
        ];
        let fixed = [
            ("LANG", "C.UTF-8"),
            ("TZ", "UTC"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_TERMINAL_PROMPT", "0"),
        ];
        variables.extend(fixed.map(|(name, value)| (name.to_owned(), value.into())));
        for name in ["GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"] {
            variables.push((name.to_owned(), self.sandbox.now().into()));
        }
        variables
    }
}

/// The identity of a name: its SHA-256 is the secret key, so that keys and labels are the same in every run.
pub(crate) fn identity_of(name: &str) -> age::x25519::Identity {
    let secret = Sha256::digest(name.as_bytes());
    let prefix = Hrp::parse("age-secret-key-").expect("it is a valid prefix");
    let text = bech32::encode::<Bech32>(prefix, &secret)
        .expect("32 bytes fit")
        .to_uppercase();
    text.parse().expect("it is an identity's own form")
}

/// Sets the permission bits of a file or folder.
fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("the sandbox is ours");
}
