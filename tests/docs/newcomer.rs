//! A machine of a person's own for the lines that pages show: a home, an editor, a `PATH`, a folder to work in.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output, Stdio};

use crate::PROGRAM;

/// A home, an editor and a `PATH` for the block of the README, with nothing of this machine's but its tools.
pub(crate) struct Newcomer {
    folder: tempfile::TempDir,
}

impl Newcomer {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["home", "bin", "work"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let newcomer = Self { folder };
        // The questions of the first minute are asked on a terminal; here their answer is yes.
        newcomer.script("secretree", &format!("exec '{PROGRAM}' --yes \"$@\""));
        newcomer.script(
            "editor",
            "printf 'stripe:\\n  key: sk_test_1 # of the test account\\n' >> \"$1\"",
        );
        std::fs::write(
            newcomer.folder.path().join("home/.gitconfig"),
            "[user]\n\tname = Ada Lovelace\n\temail = ada@example.com\n[init]\n\tdefaultBranch = main\n",
        )
        .unwrap();
        newcomer
    }

    fn script(&self, name: &str, text: &str) {
        let path = self.folder.path().join("bin").join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Writes a file below the work folder.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join("work").join(path);
        std::fs::create_dir_all(path.parent().expect("a path in the work folder")).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Runs the lines of a shell in the work folder, up to the first that fails.
    pub(crate) fn run(&self, lines: &str) -> Output {
        let bin = self.folder.path().join("bin");
        let machine = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(std::iter::once(bin).chain(std::env::split_paths(&machine))).unwrap();
        let home = self.folder.path().join("home");
        Command::new("setsid")
            .args(["--wait", "sh", "-e", "-c", lines])
            .current_dir(self.folder.path().join("work"))
            .env_clear()
            .env("PATH", path)
            .env("HOME", &home)
            .env("EDITOR", "editor")
            .env("LANG", "C.UTF-8")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }
}

#[track_caller]
pub(crate) fn printed(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{error}", output.status);
    String::from_utf8(output.stdout.clone()).unwrap()
}
