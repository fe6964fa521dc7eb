//! What may stand where the cursor is: the script of a shell (beside this file) asks at Tab time and gets one candidate
//! a line. Opens, asks and writes nothing, and answers nothing where something is wrong. Which operand is meant says
//! the name of its value, `ENV` or `PATH`, so that every verb is completed alike.

mod known;
mod shell;
mod steps;

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::Arc;

use clap::{Arg, Command};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, complete};

use known::{Known, People};
pub(crate) use shell::Shell;

/// The line that leaves completion to the shell's own way with files.
const FILES: &str = ":files";
/// The same for folders.
const FOLDERS: &str = ":folders";

/// What an operand or an option takes, said by the name of its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// An environment of the policy.
    Environment,
    /// A place in the environment that was named before.
    Path,
    /// Somebody the policy names already.
    Recipient,
    /// A group of the policy.
    Group,
    /// A file of this machine.
    File,
    /// A folder of this machine.
    Folder,
}

impl Kind {
    /// Nothing for what is new, free text, or one of the values that the argument itself lists.
    fn of(argument: &Arg) -> Option<Self> {
        let name = argument.get_value_names()?.first()?.as_str();
        let is_listed = !argument.get_possible_values().is_empty();
        match name {
            _ if is_listed => None,
            "ENV" => Some(Self::Environment),
            "PATH" | "GLOB" => Some(Self::Path),
            // As an option's value it is the name of something new, or of a variable.
            "NAME" if argument.is_positional() => Some(Self::Recipient),
            "GROUP" => Some(Self::Group),
            "FILE" => Some(Self::File),
            "DIR" => Some(Self::Folder),
            _ => None,
        }
    }
}

/// The candidates for the last of `words`, which is empty where nothing was typed yet; the first is the program. One a
/// line: the text, then, behind a tab, what it is. A text that ends with `.`, `/` or `=` goes on. `:files` and
/// `:folders` leave it to the shell. `tree` makes the tree of verbs; `home` is what `~` means.
pub(crate) fn answer(tree: fn() -> Command, shell: Shell, words: &[OsString], home: Option<&Path>) -> String {
    let (words, hidden) = shell.understood(words);
    let Some((current, before)) = words.split_last() else {
        return String::new();
    };
    // Behind `--` stands another command, and the script asks that one.
    if before.is_empty() || before.iter().any(|word| word == "--") {
        return String::new();
    }
    let known = Arc::new(Known::new(tree, before.to_vec(), home.map(Path::to_owned)));
    let mut completing = with_completers(tree(), &known);
    let starts_option = current.as_encoded_bytes().starts_with(b"-");
    let candidates = complete(&mut completing, words.clone(), words.len() - 1, None).unwrap_or_default();
    let mut lines = String::new();
    for candidate in candidates.iter().filter(|candidate| !candidate.is_hide_set()) {
        let tag = candidate.get_tag().map(ToString::to_string).unwrap_or_default();
        if tag == FILES || tag == FOLDERS {
            return format!("{tag}\n");
        }
        let Some(text) = candidate.get_value().to_str() else {
            continue;
        };
        // Options are many: who wants one begins it.
        if text.starts_with('-') && !starts_option {
            continue;
        }
        lines.push_str(text.get(hidden..).unwrap_or_default());
        if let Some(help) = candidate.get_help() {
            let help = help.to_string();
            lines.push('\t');
            lines.push_str(help.lines().next().unwrap_or_default());
        }
        lines.push('\n');
    }
    lines
}

/// The tree with what is known put to each operand and option, at every depth.
fn with_completers(command: Command, known: &Arc<Known>) -> Command {
    let verb = command.get_name().to_owned();
    command
        .mut_args(|argument| match Kind::of(&argument) {
            None => argument,
            Some(kind) => {
                let known = Arc::clone(known);
                let verb = verb.clone();
                argument.add(ArgValueCompleter::new(move |current: &OsStr| {
                    current
                        .to_str()
                        .map(|current| candidates(kind, &known, &verb, current))
                        .unwrap_or_default()
                }))
            }
        })
        .mut_subcommands(|verb| with_completers(verb, known))
}

fn candidates(kind: Kind, known: &Known, verb: &str, current: &str) -> Vec<CompletionCandidate> {
    let texts = match kind {
        Kind::Environment => known.environments(current),
        Kind::Path => known.paths(verb, current),
        Kind::Recipient => known.people(current, People::Recipients),
        Kind::Group => known.people(current, People::Groups),
        Kind::File => return vec![CompletionCandidate::new("").tag(Some(FILES.into()))],
        Kind::Folder => return vec![CompletionCandidate::new("").tag(Some(FOLDERS.into()))],
    };
    texts.into_iter().map(CompletionCandidate::new).collect()
}

#[cfg(test)]
mod tests {
    use clap::Arg;

    use super::Kind;

    #[test]
    fn the_name_of_a_value_says_what_is_proposed() {
        let operand = |name: &'static str| Kind::of(&Arg::new("x").value_name(name));
        let option = |name: &'static str| Kind::of(&Arg::new("x").long("x").value_name(name));
        for (name, as_operand, as_option) in [
            ("ENV", Some(Kind::Environment), Some(Kind::Environment)),
            ("PATH", Some(Kind::Path), Some(Kind::Path)),
            ("GLOB", Some(Kind::Path), Some(Kind::Path)),
            ("NAME", Some(Kind::Recipient), None),
            ("GROUP", Some(Kind::Group), Some(Kind::Group)),
            ("FILE", Some(Kind::File), Some(Kind::File)),
            ("DIR", Some(Kind::Folder), Some(Kind::Folder)),
            ("KEY", None, None),
        ] {
            assert_eq!((operand(name), option(name)), (as_operand, as_option), "{name}");
        }
        let listed = Arg::new("x").value_name("FILE").value_parser(["a", "b"]);
        assert_eq!(Kind::of(&listed), None);
        assert_eq!(Kind::of(&Arg::new("x")), None);
    }
}
