//! What the manual says of the program as a whole: variables, files, exit codes. A test holds the variables to those
//! that the program reads.

/// The description: paragraphs with an empty line between them.
pub(super) const DESCRIPTION: &str = "\
secretree keeps a team's secrets in the git repository they belong to. Each
environment is one YAML file whose values are encrypted with age and whose
keys, comments and layout stay readable. A policy file, .secrets.yaml, says who
reads which environment.

Without ENV, commands take $SECRETREE_ENV, then the policy's default
environment; list and apply take all. Data goes to standard output, everything
else to standard error.";

/// A heading and what stands below it: a name, and what it means.
type Section = (&'static str, &'static [(&'static str, &'static str)]);

/// The sections behind the options.
pub(super) const SECTIONS: [Section; 3] = [
    ("ENVIRONMENT", &VARIABLES),
    ("FILES", &FILES),
    ("EXIT STATUS", &EXIT_CODES),
];

/// The variables that the program reads.
const VARIABLES: [(&str, &str); 12] = [
    ("SECRETREE_ENV", "The environment that is meant where none is named."),
    (
        "SECRETREE_IDENTITY",
        "Files with private keys, separated by colons; tried behind those of --identity.",
    ),
    ("SECRETREE_KEY", "A private key itself, for machines."),
    (
        "SECRETREE_KEY_COMMAND",
        "A command that prints a private key, split into words as a shell splits.",
    ),
    (
        "SECRETREE_TRUST",
        "What a machine trusts: ENV:DROP_BOX, several separated by commas.",
    ),
    (
        "SECRETREE_EDITOR, VISUAL, EDITOR",
        "The editor of the command edit; the first that is set.",
    ),
    ("SOPS_AGE_KEY_FILE", "A file with private keys, as sops reads it."),
    (
        "XDG_CONFIG_HOME",
        "Where the folder secretree with identity.txt is; otherwise ~/.config.",
    ),
    (
        "XDG_STATE_HOME",
        "Where the folder secretree with trust.json is; otherwise ~/.local/state.",
    ),
    ("XDG_RUNTIME_DIR", "Where plaintext is kept while the editor shows it."),
    ("PINENTRY_PROGRAM", "The program that asks for passphrases."),
    ("NO_COLOR", "Set to anything: no colours."),
];

/// The files that the program reads and writes.
const FILES: [(&str, &str); 6] = [
    (
        ".secrets.yaml",
        "The policy: recipients, groups, environments. Commands look for it here and above.",
    ),
    (
        "secrets/ENV.yaml",
        "An environment, where the policy does not name another file.",
    ),
    (
        "~/.config/secretree/identity.txt",
        "Your identity, made by secretree keygen or init.",
    ),
    (
        "~/.config/sops/age/keys.txt, ~/.ssh/id_ed25519, ~/.ssh/id_rsa",
        "Identities that are tried too.",
    ),
    (
        "~/.local/state/secretree/trust.json",
        "The environment keys that this machine has come to trust.",
    ),
    (
        ".secrets.journal",
        "What an interrupted command left; the next one finishes it.",
    ),
];

/// What the program ends with.
const EXIT_CODES: [(&str, &str); 6] = [
    ("0", "Done."),
    ("1", "Failed; the message says how to mend it."),
    ("2", "The command line cannot be understood."),
    ("3", "A check found something."),
    ("4", "No identity here can read this."),
    ("5", "Something is not what it claims to be."),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use regex::Regex;

    use super::VARIABLES;

    /// Names in string literals below `folder` that look like variables of ours.
    fn named_in(folder: &Path, names: &mut BTreeSet<String>) {
        let pattern = "\"((?:SECRETREE|XDG|SOPS|PINENTRY|NO)_[A-Z_]+|VISUAL|EDITOR)\"";
        let pattern = Regex::new(pattern).expect("it is a valid pattern");
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                named_in(&path, names);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            names.extend(pattern.captures_iter(&text).map(|found| found[1].to_owned()));
        }
    }

    #[test]
    fn every_variable_that_is_read_is_in_the_manual() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut read = BTreeSet::new();
        for folder in ["context", "editor", "ui", "commands"] {
            named_in(&source.join(folder), &mut read);
        }
        assert!(read.len() > 8, "{read:?}");
        // Never inherited by children; nothing reads it yet.
        read.remove("SECRETREE_TRUST_COMMANDS");
        let told: BTreeSet<String> = VARIABLES
            .iter()
            .flat_map(|(names, _)| names.split(", "))
            .map(str::to_owned)
            .collect();
        assert_eq!(read, told);
    }
}
