//! A tiny process that outlives ours and removes the private folder if we die without a chance to: `kill -9`, a crash,
//! the system running out of memory. It waits at a pipe that only we hold, so our end, however it comes, is its signal.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

/// Waits for a line or for the end. Terminals, shells and careless `pkill`s must not end it before us.
const SCRIPT: &str = "trap '' HUP INT QUIT TERM; read -r _ || rm -rf -- \"$1\"";

/// Where the shell finds `rm`: never in the caller's `PATH`, which may lead into a repository.
const PATH: &str = "/usr/bin:/bin:/run/current-system/sw/bin";

/// Whoever removes a private folder after us.
pub(super) struct Heir {
    process: Option<(Child, ChildStdin)>,
}

impl Heir {
    /// From now on `folder` is removed when this process ends.
    pub(super) fn appoint(folder: &Path) -> Self {
        // A process group of its own: what ends ours with one signal must not end this one.
        let spawned = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "sh"])
            .arg(folder)
            .env_clear()
            .env("PATH", PATH)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        // Without a shell there is none; an orderly end removes the folder all the same.
        let process = spawned.ok().and_then(|mut child| {
            let stdin = child.stdin.take()?;
            Some((child, stdin))
        });
        Self { process }
    }

    /// The folder may stay.
    pub(super) fn dismiss(mut self) {
        if let Some((_, stdin)) = &mut self.process {
            // If it is gone it removes nothing either.
            let _ = stdin.write_all(b"keep\n");
        }
    }
}

impl Drop for Heir {
    fn drop(&mut self) {
        if let Some((mut child, stdin)) = self.process.take() {
            drop(stdin);
            // It has nothing left to do, or removes what could not be removed before.
            let _ = child.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::create_dir;

    use super::Heir;

    #[test]
    fn the_folder_goes_with_us_unless_it_may_stay() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("it's -a- \"folder\"");
        create_dir(&folder).unwrap();
        let heir = Heir::appoint(&folder);
        assert!(folder.exists());
        drop(heir);
        assert!(!folder.exists());
        create_dir(&folder).unwrap();
        Heir::appoint(&folder).dismiss();
        assert!(folder.exists());
    }
}
