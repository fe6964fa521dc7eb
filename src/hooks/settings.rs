//! The drivers in the repository's configuration, written by `git config`. What somebody else put under our names is not
//! replaced.

use super::{Outcome, State};
use crate::error::{Failure, Result};
use crate::git::Git;

/// One setting.
pub(super) struct Setting {
    pub(super) key: &'static str,
    /// What comes behind the program.
    words: &'static str,
    /// Whether the program stands before the words.
    is_command: bool,
}

/// The diff driver. `cachetextconv` is never set: what is shown depends on who looks.
pub(super) const DIFF: &[Setting] = &[Setting {
    key: "diff.secretree.textconv",
    words: " git textconv",
    is_command: true,
}];

/// The merge driver. Behind `--` a file may be called whatever it likes. Between common ancestors, where nobody looks at
/// conflicts, git takes what both grew out of.
pub(super) const MERGE: &[Setting] = &[
    Setting {
        key: "merge.secretree.name",
        words: "secretree: environment files, path by path",
        is_command: false,
    },
    Setting {
        key: "merge.secretree.driver",
        words: " git merge -- %O %A %B %L %P %S %X %Y",
        is_command: true,
    },
    Setting {
        key: "merge.secretree.recursive",
        words: "binary",
        is_command: false,
    },
];

impl Setting {
    fn value(&self, program: &str) -> String {
        match (self.is_command, self.words.contains('%')) {
            (false, _) => self.words.to_owned(),
            (true, false) => format!("{program}{}", self.words),
            // Where git fills in placeholders, it does so in the program's path too.
            (true, true) => format!("{}{}", program.replace('%', "%%"), self.words),
        }
    }

    /// Whether a value is one that some version of this program set.
    fn is_ours(&self, value: &str) -> bool {
        let verb: Vec<_> = self.words.split_whitespace().take(2).collect();
        match self.is_command {
            true => value.contains(&format!(" {}", verb.join(" "))),
            false => value.starts_with("secretree") || value == self.words,
        }
    }

    fn current(&self, git: &Git) -> Result<Option<String>> {
        let output = git.run(&["config", "--local", "--get", self.key])?;
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(output.status.success().then(|| text.trim_end_matches('\n').to_owned()))
    }
}

/// The settings as they are.
pub(super) fn state(settings: &[Setting], git: &Git, program: &str) -> Result<State> {
    let mut all = State::Installed;
    for setting in settings {
        let state = match setting.current(git)? {
            None => State::Missing,
            Some(value) if value == setting.value(program) => State::Installed,
            Some(_) => State::Stale,
        };
        if state != State::Installed && all != State::Missing {
            all = state;
        }
    }
    Ok(all)
}

/// Sets what is not set.
pub(super) fn install(settings: &[Setting], git: &Git, program: &str) -> Result<Outcome> {
    let mut outcome = Outcome::Kept;
    for setting in settings {
        let (key, value) = (setting.key, setting.value(program));
        match setting.current(git)? {
            Some(current) if current == value => continue,
            Some(current) if !setting.is_ours(&current) => {
                return Err(Failure::failed(format!("`{key}` is set to something else already"))
                    .hint(format!("look at it: git config --local --get {key}"))
                    .hint(format!(
                        "then: git config --local --unset {key} && secretree hooks install"
                    ))
                    .into());
            }
            Some(_) => outcome = Outcome::Refreshed,
            None if outcome == Outcome::Kept => outcome = Outcome::Added,
            None => {}
        }
        changed(git, &["config", "--local", key, &value])?;
    }
    Ok(outcome)
}

/// Takes out what is ours.
pub(super) fn uninstall(settings: &[Setting], git: &Git) -> Result<Outcome> {
    let mut outcome = Outcome::Kept;
    for setting in settings {
        if setting.current(git)?.is_some_and(|value| setting.is_ours(&value)) {
            changed(git, &["config", "--local", "--unset", setting.key])?;
            outcome = Outcome::Removed;
        }
    }
    Ok(outcome)
}

fn changed(git: &Git, arguments: &[&str]) -> Result<()> {
    let output = git.run(arguments)?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
    Err(Failure::failed(format!("`git config` failed: {said}")).into())
}
