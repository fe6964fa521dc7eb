//! The overview that `secretree`, `secretree --help` and `secretree help` print: the verbs in groups, which
//! the argument parser cannot do for subcommands. A test holds it against the tree of verbs.

use crate::manual::Group;

/// All verbs of this release, grouped; each with the first line of its own help.
pub(super) const OVERVIEW: &str = "\
secretree keeps a team's secrets in git: one YAML file per environment, values encrypted, keys readable.

Usage: secretree [OPTIONS] COMMAND …

Daily
  run [ENV] -- CMD…     Run a command with the values as its environment variables
  edit [ENV]            Edit the values of an environment in your editor
  set ENV PATH          Set one value, from a hidden prompt, standard input, a file or a generator
  get ENV PATH          Print one value
  unset ENV PATH…       Remove values
  list [ENV]            Show which values exist in which environments; needs no key

Files
  decrypt [ENV]         Print an environment decrypted, as YAML, JSON or variables
  encrypt [ENV…]        Seal what stands readable in an environment file and should not
  import ENV FILE       Take the values of another tool's file into an environment

People
  join [ENV…]           Ask to be a reader: add yourself to the policy
  recipient VERB        Show, add and remove the people and machines of the policy
  grant NAME ENV…       Let a recipient or group read environments: policy and files in one step
  revoke NAME ENV…      Take a recipient or group out of the readers: policy and files in one step
  apply [ENV…]          Make the environment files what the policy says: who can read them
  trust ENV             Trust the key that an environment has now

History
  log [ENV [PATH]]      Show who changed which value, who was granted what, and when; needs no key
  access ENV [PATH]     Show who could have read a value, then and since; needs no key
  exposure NAME         Show what somebody could have read, now or once; needs no key

Health
  check [ENV…]          Check policy and environments: what stands readable, who can read too much, what is missing
  doctor                Find what is wrong here, and the command that mends it

Start
  init                  Set up secrets in this folder: a policy, an identity, two environments
  keygen                Make an identity: a private key, and the public key to give to others
  whoami                Show the identities found here and their public keys
  hooks VERB            Set git up: stop commits with plaintext values, show and merge environment files by value
  demo                  Show what secretree does, in a temporary repository
  completions SHELL     Print the script that completes environments, paths and options in your shell

Options
  -C DIR                Run as if started in DIR
  -i, --identity FILE   A file with a private key, tried before all others; may be repeated
      --json            Print JSON
  -q, --quiet           Print no notes, only data, warnings and errors
  -v, --verbose         Say more about what is done
      --color WHEN      When to use colours: auto, always, never
  -y, --yes             Answer every question with yes
  -h, --help            Print this; `secretree COMMAND --help` explains a command
  -V, --version         Print the version

Without ENV, commands take $SECRETREE_ENV, then the policy's default environment; `list`, `log`, `apply` and
`check` take all. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 something was found, 4 no identity here can
read this, 5 something is not what it claims to be.
";

/// The groups of the overview: heading, verbs with their operands and what they are for.
pub(super) fn groups() -> Vec<Group<'static>> {
    let mut groups: Vec<Group<'static>> = Vec::new();
    for paragraph in OVERVIEW.split("\n\n") {
        let Some((heading, lines)) = paragraph.split_once('\n') else {
            continue;
        };
        let verbs: Vec<_> = lines.lines().filter_map(described).collect();
        if verbs.iter().any(|(what, _)| !what.starts_with('-')) {
            groups.push((heading, verbs));
        }
    }
    groups
}

/// The lines that describe something: two blanks, what it is, at least two blanks, the description.
fn described(line: &str) -> Option<(&str, &str)> {
    let (what, description) = line.strip_prefix("  ")?.trim_start().split_once("  ")?;
    Some((what, description.trim_start()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory as _;

    use super::{OVERVIEW, described, groups};
    use crate::cli::Cli;

    #[test]
    fn the_overview_names_every_verb_once_with_its_own_words() {
        let mut verbs = BTreeSet::new();
        for (what, description) in groups().into_iter().flat_map(|(_, verbs)| verbs) {
            let name = what.split(' ').next().expect("split gives at least one part");
            let tree = Cli::command();
            let verb = tree.find_subcommand(name).expect(name);
            assert_eq!(verb.get_about().map(ToString::to_string).as_deref(), Some(description));
            assert!(verbs.insert(name.to_owned()), "{name} stands twice");
        }
        let known: BTreeSet<String> = Cli::command()
            .get_subcommands()
            .filter(|verb| !verb.is_hide_set())
            .map(|verb| verb.get_name().to_owned())
            .collect();
        assert_eq!(verbs, known);
    }

    #[test]
    fn the_overview_names_every_shared_flag() {
        for argument in Cli::command().get_arguments() {
            let description = argument.get_help().map(ToString::to_string).unwrap_or_default();
            let flag = argument.get_long().map_or_else(
                || format!("-{}", argument.get_short().unwrap_or('?')),
                |long| format!("--{long}"),
            );
            assert!(
                OVERVIEW
                    .lines()
                    .filter_map(described)
                    .any(|(what, words)| { what.contains(&flag) && words.starts_with(&description) }),
                "{flag}: {description}"
            );
        }
    }
}
