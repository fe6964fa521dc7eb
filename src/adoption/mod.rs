//! What a repository that uses sops becomes here: its rules and files as a policy with recipients, groups and environments,
//! and a place for each new file. Proposes only: nothing is read from disk, opened or written.

mod people;
mod places;
mod policy_text;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::crypto::public_key::PublicKey;
use crate::error::{Failure, Result};
use crate::formats::sops::{Kind, Selection, SopsRule, SopsRules};
use crate::names::{EnvironmentName, RecipientName};
use people::People;

/// A sops file of the repository.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its path relative to the folder of the `.sops.yaml`, with `/` between its parts.
    pub path: String,
    /// Its form.
    pub kind: Kind,
}

/// Who adopts: the first recipient of the new policy.
pub struct Owner<'a> {
    /// How they are called.
    pub name: RecipientName,
    /// Their public keys; the first is theirs even if no rule names it.
    pub keys: &'a [PublicKey],
}

impl Owner<'_> {
    /// How the rules call the owner of these keys, made to fit; nothing if they give no key of them a name.
    pub fn name_in(rules: &SopsRules, keys: &[PublicKey]) -> Option<RecipientName> {
        let mut recipients = rules.rules.iter().flat_map(|rule| &rule.recipients);
        recipients.find_map(|recipient| {
            let key = PublicKey::parse(&recipient.key).ok()?;
            keys.contains(&key).then(|| people::name_beside(recipient))?
        })
    }
}

/// What is proposed.
#[derive(Debug)]
pub struct Adoption {
    /// The text of the policy.
    pub policy: String,
    /// Who there is, by name.
    pub recipients: Vec<(RecipientName, PublicKey)>,
    /// Names for lists of readers that several environments share.
    pub groups: Vec<(RecipientName, Vec<RecipientName>)>,
    /// The environments, by their sops files' paths.
    pub environments: Vec<Adopted>,
    /// What is not taken along as it stood, one sentence each.
    pub notes: Vec<String>,
}

/// An environment made of a sops file.
#[derive(Clone, Debug)]
pub struct Adopted {
    /// Its name.
    pub name: EnvironmentName,
    /// The new file, relative to the policy's folder.
    pub file: PathBuf,
    /// The sops file, relative to the same folder.
    pub source: PathBuf,
    /// The sops file's form.
    pub kind: Kind,
    /// Who reads it: recipients or one group.
    pub readers: Vec<RecipientName>,
    /// What stands readable in it, as globs.
    pub plaintext: Vec<String>,
}

/// The proposal for these rules and files. `is_taken` says whether something stands at a path relative to the folder; `id`
/// is the new policy's.
///
/// # Errors
/// `Failed` if no file can be adopted.
pub fn adopt(
    rules: &SopsRules,
    found: &[Found],
    owner: &Owner<'_>,
    id: &str,
    is_taken: impl Fn(&Path) -> bool,
) -> Result<Adoption> {
    let mut notes = Vec::new();
    let files = with_rules(rules, found, &mut notes);
    if files.is_empty() {
        return Err(
            Failure::failed("there is no sops file here that a rule of `.sops.yaml` is for")
                .hint("secretree init, then secretree import ENV FILE for each file")
                .into(),
        );
    }
    let mut people = People::new(owner);
    let mut readers = BTreeMap::new();
    let mut used: Vec<&SopsRule> = Vec::new();
    for (_, rule) in &files {
        if used.iter().any(|known| std::ptr::eq(*known, *rule)) {
            continue;
        }
        used.push(rule);
        readers.insert(rule.place.line, people.of_rule(rule, &mut notes));
        notes.extend(said_of(rule));
    }
    let paths: Vec<&str> = files.iter().map(|(found, _)| found.path.as_str()).collect();
    let names = places::names(&paths);
    let new_files = places::files(&paths, &names, is_taken);
    let mut environments = Vec::new();
    for (((found, rule), name), file) in files.iter().zip(names).zip(new_files) {
        environments.push(Adopted {
            name,
            file,
            source: PathBuf::from(&found.path),
            kind: found.kind,
            readers: readers[&rule.place.line].clone(),
            plaintext: plaintext(rule),
        });
    }
    let groups = people.groups(&mut environments);
    let recipients = people.into_recipients();
    Ok(Adoption {
        policy: policy_text::text(id, &recipients, &groups, &environments),
        recipients,
        groups,
        environments,
        notes,
    })
}

/// The files that can be read and that a rule with age keys is for.
fn with_rules<'r, 'f>(
    rules: &'r SopsRules,
    found: &'f [Found],
    notes: &mut Vec<String>,
) -> Vec<(&'f Found, &'r SopsRule)> {
    let mut files = Vec::new();
    for file in found {
        let path = &file.path;
        match (file.kind, rules.matching(path)) {
            (Kind::Ini | Kind::Binary, _) => {
                notes.push(format!(
                    "`{path}` is a sops file of a kind that is not read here; it stays as it is"
                ));
            }
            (_, None) => notes.push(format!(
                "`{path}` is a sops file that no rule is for; it stays as it is"
            )),
            (_, Some(rule)) => files.push((file, rule)),
        }
    }
    files
}

/// What of a rule is not taken along.
fn said_of(rule: &SopsRule) -> Vec<String> {
    let line = rule.place.line;
    let mut notes = Vec::new();
    if !rule.foreign.is_empty() {
        let kinds = rule.foreign.join(", ");
        notes.push(format!(
            "`.sops.yaml` line {line}: keys of other kinds are left out ({kinds}); who uses them needs an age key"
        ));
    }
    if rule.groups > 1 {
        let groups = rule.groups;
        notes.push(format!(
            "`.sops.yaml` line {line}: sops asks for keys of several of {groups} groups; here each reader reads alone"
        ));
    }
    if matches!(
        rule.selection,
        Some(
            Selection::EncryptedSuffix(_)
                | Selection::EncryptedRegex(_)
                | Selection::UnencryptedRegex(_)
                | Selection::Comments
        )
    ) {
        notes.push(format!(
            "`.sops.yaml` line {line}: sops leaves some values readable; here all are encrypted but those that `plaintext` names"
        ));
    }
    notes
}

/// The globs for what sops leaves readable, where that is said by the end of a key.
fn plaintext(rule: &SopsRule) -> Vec<String> {
    match &rule.selection {
        Some(Selection::UnencryptedSuffix(suffix))
            if suffix
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)) =>
        {
            vec![format!("**.*{suffix}.**")]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Adoption, Found, Owner, adopt};
    use crate::crypto::identities::generate_x25519;
    use crate::crypto::public_key::PublicKey;
    use crate::document::path::ValuePath;
    use crate::formats::sops::{Kind, SopsRules};
    use crate::names::RecipientName;
    use crate::policy::Policy;

    const ID: &str = "0123456789abcdef0123456789abcdef";

    fn keys(count: usize) -> Vec<PublicKey> {
        (0..count).map(|_| generate_x25519().1).collect()
    }

    fn adopted(rules: &str, paths: &[&str], keys: &[PublicKey]) -> Adoption {
        let found = paths.iter().map(|path| Found {
            path: (*path).to_owned(),
            kind: if path.ends_with(".ini") { Kind::Ini } else { Kind::Yaml },
        });
        let owner = Owner {
            name: RecipientName::new("ada").unwrap(),
            keys: &keys[..1],
        };
        let rules = SopsRules::parse(rules).unwrap();
        let found: Vec<_> = found.collect();
        adopt(&rules, &found, &owner, ID, |path| {
            paths.iter().any(|taken| Path::new(taken) == path)
        })
        .unwrap()
    }

    #[test]
    fn rules_become_recipients_groups_and_environments() {
        let keys = keys(4);
        let rules = format!(
            "keys:\n  - &bob {}\ncreation_rules:\n  - path_regex: prod\n    pgp: ABC\n    age:\n      - {} # Somebody Else\n      - *bob\n  \
             - path_regex: unused\n    age: {}\n  - unencrypted_suffix: _pub\n    age: \"{},{},age1damaged\"\n",
            keys[1], keys[0], keys[3], keys[2], keys[0]
        );
        let paths = [
            "secrets/prod.enc.yaml",
            "services/billing/secrets/prod.yaml",
            "dev.yaml",
            "x.ini",
        ];
        let adoption = adopted(&rules, &paths, &keys);
        let policy = Policy::parse(&adoption.policy, ".secrets.yaml").unwrap();
        let people: Vec<_> = adoption
            .recipients
            .iter()
            .map(|(name, key)| (name.as_str(), key))
            .collect();
        assert_eq!(
            people,
            [("ada", &keys[0]), ("bob", &keys[1]), ("recipient-1", &keys[2])]
        );
        let names: Vec<_> = policy.environments.keys().map(AsRef::as_ref).collect::<Vec<&str>>();
        assert_eq!(names, ["billing/prod", "dev", "prod"]);
        for (name, file, keys) in [
            ("prod", "secrets/prod.yaml", vec![&keys[0], &keys[1]]),
            ("billing/prod", "secrets/billing/prod.yaml", vec![&keys[0], &keys[1]]),
            ("dev", "secrets/dev.yaml", vec![&keys[0], &keys[2]]),
        ] {
            let environment = &policy.environments[name];
            assert_eq!(environment.file, Path::new(file), "{name}");
            let found: Vec<_> = policy
                .reader_keys(environment)
                .into_iter()
                .map(|(_, key)| key)
                .collect();
            assert_eq!(found, keys, "{name}");
        }
        assert_eq!(adoption.groups.len(), 1);
        assert_eq!(adoption.groups[0].0.as_str(), "prod-readers");
        assert!(policy.environments["dev"].is_plaintext(&ValuePath::of_keys(["a", "b_pub"])));
        assert!(!policy.environments["dev"].is_plaintext(&ValuePath::of_keys(["a", "b"])));
        let notes = adoption.notes.join("\n");
        for part in ["`x.ini`", "(pgp)", "age1damaged"] {
            assert!(notes.contains(part), "{part}: {notes}");
        }
    }

    #[test]
    fn the_owner_is_called_as_the_rules_do_and_other_keys_keep_their_names() {
        let keys = keys(4);
        let rules = format!(
            "creation_rules:\n  - path_regex: ^a\n    age:\n      - {} # Ada's Laptop\n      - {} # shared for CI\n      - {}\n",
            keys[0], keys[1], keys[2]
        );
        let parsed = SopsRules::parse(&rules).unwrap();
        let name = |keys: &[PublicKey]| Owner::name_in(&parsed, keys);
        assert_eq!(name(&keys[..1]).unwrap().as_str(), "ada-s-laptop");
        assert_eq!(name(&keys[2..]), None);
        let found = Found {
            path: "a.yaml".to_owned(),
            kind: Kind::Yaml,
        };
        let owner = Owner {
            name: RecipientName::new("ada").unwrap(),
            keys: &keys[..3],
        };
        let adoption = adopt(&parsed, &[found], &owner, ID, |_| false).unwrap();
        // One key may be one that others hold too: it reads what its rules say, and no more.
        let names: Vec<_> = adoption.recipients.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["ada", "shared-for-ci", "ada-2"]);
    }

    #[test]
    fn very_many_files_of_one_name_are_numbered_at_once() {
        let keys = keys(1);
        let found = |number| Found {
            path: format!("漢字{number}字/prod.yaml"),
            kind: Kind::Yaml,
        };
        let found: Vec<_> = (0..20_000).map(found).collect();
        let owner = Owner {
            name: RecipientName::new("ada").unwrap(),
            keys: &keys,
        };
        let rules = SopsRules::parse(&format!("creation_rules: [{{age: {}}}]\n", keys[0])).unwrap();
        // Trying each number for each file would take longer than any test may.
        let adoption = adopt(&rules, &found, &owner, ID, |_| false).unwrap();
        assert_eq!(adoption.environments.last().unwrap().name.as_str(), "prod-20000");
    }

    #[test]
    fn names_that_people_wrote_are_made_to_fit_and_to_differ() {
        let keys = keys(5);
        let rules = format!(
            "creation_rules:\n  - age:\n      - {} # Bob's Laptop!\n      - {} # bobs laptop\n      - {} # ADA\n      - {} # 漢字\n      - {} # me\n",
            keys[1], keys[2], keys[3], keys[4], keys[0]
        );
        let adoption = adopted(&rules, &["a.yaml"], &keys);
        let names: Vec<_> = adoption.recipients.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["ada", "bob-s-laptop", "bobs-laptop", "ada-2", "recipient-1"]);
        assert!(Policy::parse(&adoption.policy, ".secrets.yaml").is_ok());
    }
}
