//! The lines of `.gitattributes` that give environment files their drivers. They go into the repository: whoever did not
//! install the drivers gets git's own ways, since git passes over a driver that it does not know.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::block::{At, body, put, taken_out};
use super::place::LARGEST;
use super::{Outcome, State};
use crate::error::{Failure, Result};
use crate::files::{Access, read_if_present, replace};
use crate::policy::LoadedPolicy;

/// The file, at the top of the repository.
pub const FILE: &str = ".gitattributes";

/// What environment files get. Line ends stay as they are: git would rewrite them on some machines, and not on others.
const ATTRIBUTES: &str = "diff=secretree merge=secretree -text";

/// The patterns of every environment of these policies, relative to `root`, sorted. A placeholder is `*`, so that a new
/// folder needs no new line.
pub(super) fn patterns(root: &Path, policies: &[LoadedPolicy]) -> Vec<String> {
    let mut patterns = BTreeSet::new();
    for loaded in policies {
        let Ok(folder) = loaded.root_folder.strip_prefix(root) else {
            continue;
        };
        for environment in loaded.policy.environments.values() {
            let (before, after) = environment.around_placeholder();
            let pattern = match after {
                None => literal(&folder.join(before)),
                Some(after) => {
                    let start = folder.join(before);
                    let start = match start.as_os_str().is_empty() {
                        true => String::new(),
                        false => format!("{}/", literal(&start)),
                    };
                    format!("{start}*/{}", literal(after))
                }
            };
            patterns.insert(quoted(&format!("/{pattern}")));
        }
    }
    patterns.into_iter().collect()
}

/// The lines as they are.
pub(super) fn state(root: &Path, patterns: &[String]) -> Result<State> {
    let Some(text) = read_if_present(&root.join(FILE), LARGEST)? else {
        return Ok(State::Missing);
    };
    Ok(match named(body(&text))? {
        Some(body) if body == lines(patterns).as_bytes() => State::Installed,
        Some(_) => State::Stale,
        None => State::Missing,
    })
}

/// Puts the lines in, or brings them up to date.
pub(super) fn install(root: &Path, patterns: &[String]) -> Result<Outcome> {
    let path = root.join(FILE);
    let text = read_if_present(&path, LARGEST)?;
    let new = named(put(text.as_deref(), "", &lines(patterns), At::End))?;
    if text.as_deref() == Some(new.as_slice()) {
        return Ok(Outcome::Kept);
    }
    let had = text.as_deref().is_some_and(|text| matches!(body(text), Ok(Some(_))));
    replace(&path, &new, Access::Shared)?;
    Ok(match had {
        true => Outcome::Refreshed,
        false => Outcome::Added,
    })
}

/// Takes the lines out.
pub(super) fn uninstall(root: &Path) -> Result<Outcome> {
    let path = root.join(FILE);
    let Some(text) = read_if_present(&path, LARGEST)? else {
        return Ok(Outcome::Kept);
    };
    if named(body(&text))?.is_none() {
        return Ok(Outcome::Kept);
    }
    match named(taken_out(&text, ""))? {
        Some(rest) => replace(&path, &rest, Access::Shared)?,
        None => fs::remove_file(&path)
            .map_err(|error| Failure::failed(format!("`{}` cannot be removed: {error}", path.display())))?,
    }
    Ok(Outcome::Removed)
}

fn lines(patterns: &[String]) -> String {
    patterns
        .iter()
        .map(|pattern| format!("{pattern} {ATTRIBUTES}\n"))
        .collect()
}

/// A path as a pattern that fits this path only (gitignore, "PATTERN FORMAT").
fn literal(path: &Path) -> String {
    let mut pattern = String::new();
    for character in path.to_string_lossy().chars() {
        if "*?[\\".contains(character) {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

/// A pattern as git reads it in a line of attributes: in quotes where it would end too early (gitattributes, "DESCRIPTION").
fn quoted(pattern: &str) -> String {
    let is_plain = |character: char| !character.is_whitespace() && !character.is_control() && character != '"';
    if pattern.chars().all(is_plain) {
        return pattern.to_owned();
    }
    let mut text = String::from("\"");
    for character in pattern.chars() {
        match character {
            '"' | '\\' => {
                text.push('\\');
                text.push(character);
            }
            '\t' => text.push_str("\\t"),
            '\n' => text.push_str("\\n"),
            _ => text.push(character),
        }
    }
    text.push('"');
    text
}

fn named<T>(result: Result<T>) -> Result<T> {
    result.map_err(|error| {
        Failure::from(error)
            .rephrase(|message| format!("`{FILE}`: {message}"))
            .into()
    })
}

/// Where the lines are, for messages.
pub(super) fn path(root: &Path) -> PathBuf {
    root.join(FILE)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{literal, quoted};

    #[test]
    fn a_pattern_means_one_file() {
        for (path, expected) in [
            ("secrets/dev.yaml", "/secrets/dev.yaml"),
            ("a b/c.yaml", "\"/a b/c.yaml\""),
            ("a*[b]?/c.yaml", "/a\\*\\[b]\\?/c.yaml"),
            ("a\" *", "\"/a\\\" \\\\*\""),
        ] {
            assert_eq!(quoted(&format!("/{}", literal(Path::new(path)))), expected);
        }
    }
}
