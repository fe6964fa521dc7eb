//! The pre-commit hook: a block in the script that is there, or a script of our own that starts what is there. What runs
//! the hooks instead of git is told, not changed: its file is the team's.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::block::{At, body, made_file, put, taken_out};
use super::place::{FRAMEWORK_FILE, LARGEST, Place, Reach, Starter, starts_it};
use super::{Outcome, State};
use crate::error::{Failure, Result};
use crate::files::{Access, read_if_present, replace};

/// What a script that is made holds besides the block.
const SKELETON: &str = "#!/bin/sh\n";

/// What is put behind the name of a hook that is no shell script.
const ASIDE: &str = ".before-secretree";

/// The hook as it is.
pub(super) fn state(place: &Place, program: &str) -> Result<State> {
    match &place.starter {
        Starter::Lefthook(file) => return Ok(told(file)),
        Starter::Framework => {
            let root = place
                .file
                .ancestors()
                .find(|folder| folder.join(FRAMEWORK_FILE).is_file());
            return Ok(root.map_or(State::Missing, |root| told(&root.join(FRAMEWORK_FILE))));
        }
        Starter::Git | Starter::Husky => {}
    }
    if is_link(&place.file) {
        return Ok(State::Missing);
    }
    let Some(text) = read_if_present(&place.file, LARGEST)? else {
        return Ok(State::Missing);
    };
    let is_run = place.starter == Starter::Husky || is_executable(&place.file);
    Ok(match named(body(&text), &place.file)? {
        Some(body) if body == lines(place, program, aside(&place.file).exists()).as_bytes() && is_run => {
            State::Installed
        }
        Some(_) => State::Stale,
        None if is_run && starts_it(&place.file) => State::Installed,
        None => State::Missing,
    })
}

/// Puts the block in, or brings it up to date.
pub(super) fn install(place: &Place, program: &str) -> Result<Outcome> {
    let file = &place.file;
    if matches!(place.starter, Starter::Lefthook(_) | Starter::Framework) {
        return Ok(match state(place, program)? {
            State::Installed => Outcome::Kept,
            _ => Outcome::Told(advice(&place.starter)),
        });
    }
    if state(place, program)? == State::Installed {
        return Ok(Outcome::Kept);
    }
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
    }
    let text = match is_link(file) {
        true => None,
        false => read_if_present(file, LARGEST)?,
    };
    let is_there = text.is_some() || is_link(file);
    let has_block = text.as_deref().is_some_and(|text| matches!(body(text), Ok(Some(_))));
    if is_there && !has_block && place.starter == Starter::Git && !is_executable(file) {
        return Err(Failure::failed(format!(
            "`{}` is there and not executable, so git does not run it",
            file.display()
        ))
        .hint("make it executable or remove it, then: secretree hooks install")
        .into());
    }
    let mut is_chained = aside(file).symlink_metadata().is_ok();
    let is_script = text
        .as_deref()
        .is_none_or(|text| place.starter == Starter::Husky || is_shell_script(text));
    let text = match text {
        Some(text) if is_script => Some(text),
        _ if is_there => {
            move_aside(place)?;
            is_chained = true;
            None
        }
        _ => None,
    };
    let new = named(
        put(
            text.as_deref(),
            skeleton(place),
            &lines(place, program, is_chained),
            At::FirstCommand,
        ),
        file,
    )?;
    replace(file, &new, Access::Shared)?;
    if place.starter == Starter::Git {
        make_executable(file)?;
    }
    Ok(match has_block {
        true => Outcome::Refreshed,
        false => Outcome::Added,
    })
}

/// Takes out what was put in.
pub(super) fn uninstall(place: &Place) -> Result<Outcome> {
    let file = &place.file;
    let text = match is_link(file) {
        true => None,
        false => read_if_present(file, LARGEST)?,
    };
    let Some(text) = text.filter(|text| matches!(named(body(text), file), Ok(Some(_)) | Err(_))) else {
        return Ok(match &place.starter {
            Starter::Lefthook(file) if starts_it(file) => {
                Outcome::Told(vec![format!("take the lines of secretree out of {}", file.display())])
            }
            Starter::Framework => Outcome::Told(vec![format!("take the lines of secretree out of {FRAMEWORK_FILE}")]),
            _ => Outcome::Kept,
        });
    };
    let aside = aside(file);
    let is_chained = made_file(&text) && aside.symlink_metadata().is_ok();
    match named(taken_out(&text, skeleton(place)), file)? {
        Some(_) if is_chained => {
            return Err(
                Failure::failed(format!("`{}` holds lines of somebody else", file.display()))
                    .hint(format!("move them elsewhere: it gives way to {}", aside.display()))
                    .into(),
            );
        }
        Some(rest) => replace(file, &rest, Access::Shared)?,
        None if is_chained => fs::rename(&aside, file).map_err(|error| unwritable(file, &error))?,
        None => fs::remove_file(file).map_err(|error| unwritable(file, &error))?,
    }
    Ok(Outcome::Removed)
}

/// What to write where somebody else starts the hooks.
pub(super) fn advice(starter: &Starter) -> Vec<String> {
    let lines: &[&str] = match starter {
        Starter::Lefthook(_) => &[
            "pre-commit:",
            "  commands:",
            "    secretree:",
            "      run: secretree git pre-commit",
        ],
        Starter::Framework => &[
            "- repo: local",
            "  hooks:",
            "  - id: secretree",
            "    name: secretree",
            "    entry: secretree git pre-commit",
            "    language: system",
            "    require_serial: true",
        ],
        Starter::Git | Starter::Husky => &[],
    };
    let file = match starter {
        Starter::Lefthook(file) => file
            .file_name()
            .map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
        _ => FRAMEWORK_FILE.to_owned(),
    };
    let who = match starter {
        Starter::Lefthook(_) => "lefthook",
        _ => "pre-commit",
    };
    let mut all = vec![format!("{who} starts the hooks here; add to {file}:")];
    all.extend(lines.iter().map(|line| format!("  {line}")));
    all
}

fn told(configuration: &Path) -> State {
    match starts_it(configuration) {
        true => State::Installed,
        false => State::Told,
    }
}

/// The lines of the block.
fn lines(place: &Place, program: &str, is_chained: bool) -> String {
    let mut lines = match place.reach {
        Reach::Clone | Reach::AllRepositories => format!("{program} git pre-commit || exit $?\n"),
        // Who has the repository need not have the program, and not at the same place.
        Reach::Everybody => "\
if command -v secretree >/dev/null 2>&1; then
  secretree git pre-commit || exit $?
else
  echo 'secretree is not installed: nothing looks for plaintext values in this commit' >&2
fi
"
        .to_owned(),
    };
    if is_chained {
        lines.push_str(&format!("exec \"$(dirname \"$0\")/pre-commit{ASIDE}\" \"$@\"\n"));
    }
    lines
}

/// Husky starts its scripts with `sh`, so they have no first line.
fn skeleton(place: &Place) -> &'static str {
    match place.starter {
        Starter::Husky => "",
        _ => SKELETON,
    }
}

/// A hook that is a program of its own, or a link, goes on under another name.
fn move_aside(place: &Place) -> Result<()> {
    let (file, aside) = (&place.file, aside(&place.file));
    if place.reach == Reach::Everybody {
        return Err(Failure::failed(format!(
            "`{}` is no shell script, and everybody who has the repository has it",
            file.display()
        ))
        .hint("let it start `secretree git pre-commit`, and end with its code if that is not 0")
        .into());
    }
    if aside.symlink_metadata().is_ok() {
        return Err(Failure::failed(format!("`{}` is there already", aside.display()))
            .hint("move it elsewhere, then: secretree hooks install")
            .into());
    }
    Ok(fs::rename(file, &aside).map_err(|error| unwritable(file, &error))?)
}

fn aside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ASIDE);
    PathBuf::from(name)
}

/// Whether a shell reads the file: by its first line, and where there is none and it is text, because the system then
/// takes `sh`.
fn is_shell_script(text: &[u8]) -> bool {
    let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let Some(interpreter) = first.strip_prefix(b"#!") else {
        return !text.contains(&0) && std::str::from_utf8(text).is_ok();
    };
    // A script that hands itself to another program is that one's text too.
    let hands_on = |line: &str| line.contains("exec") && line.contains("$0") && !line.contains("name \"$0");
    if String::from_utf8_lossy(text).lines().any(hands_on) {
        return false;
    }
    let words = String::from_utf8_lossy(interpreter).into_owned();
    let mut names = words.split_whitespace().filter_map(|word| word.rsplit('/').next());
    let is_shell = |name: &str| ["sh", "bash", "dash", "zsh", "ksh", "ash", "mksh"].contains(&name);
    match names.next() {
        Some("env") => names
            .find(|name| !name.starts_with('-') && !name.contains('='))
            .is_some_and(is_shell),
        Some(name) => is_shell(name),
        None => false,
    }
}

fn is_link(file: &Path) -> bool {
    file.symlink_metadata().is_ok_and(|found| found.is_symlink())
}

fn is_executable(file: &Path) -> bool {
    file.metadata()
        .is_ok_and(|found| found.permissions().mode() & 0o111 != 0)
}

/// Executable for whoever can read it.
fn make_executable(file: &Path) -> Result<()> {
    let failed = |error: std::io::Error| unwritable(file, &error);
    let mode = file.metadata().map_err(failed)?.permissions().mode();
    let readable = mode & 0o444;
    Ok(fs::set_permissions(file, fs::Permissions::from_mode(mode | readable >> 2)).map_err(failed)?)
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::failed(format!("`{}` cannot be written: {error}", path.display()))
}

/// A failure of the block, with the file that it is in.
fn named<T>(result: Result<T>, file: &Path) -> Result<T> {
    result.map_err(|error| {
        Failure::from(error)
            .rephrase(|message| format!("`{}`: {message}", file.display()))
            .into()
    })
}

#[cfg(test)]
mod tests {
    use super::is_shell_script;

    #[test]
    fn shell_scripts_are_known_by_their_first_line() {
        for text in [
            "#!/bin/sh\n",
            "#! /usr/bin/env bash\n",
            "#!/usr/bin/env -S zsh -e\n",
            "#!/bin/bash -e",
            "echo x\n",
            "#!/bin/sh\nexec \"$(dirname \"$0\")/other\"\n",
            "",
        ] {
            assert!(is_shell_script(text.as_bytes()), "{text:?}");
        }
        for text in [
            "#!/usr/bin/env python3\n",
            "#!/usr/bin/perl\n",
            "#!/usr/bin/fish\n",
            "\u{7f}ELF\0",
            "#!\n",
            "#!/bin/sh\n\"exec\" \"python3\" \"$0\" \"$@\"\nprint(1)\n",
        ] {
            assert!(!is_shell_script(text.as_bytes()), "{text:?}");
        }
    }
}
