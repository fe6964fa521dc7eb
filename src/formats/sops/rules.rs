//! `.sops.yaml`: for which files sops uses which keys. Gives the age keys with the names that people wrote beside them,
//! and says which other kinds of keys there are; what becomes of them is the caller's to decide.

use std::rc::Rc;

use regex::Regex;

use super::loose::{Content, Node, parse};
use super::selection::{FIELDS, Selection, expression};
use crate::document::lines::{Place, Refusal};

/// The largest `.sops.yaml`, in bytes.
const LARGEST: usize = 1 << 20;
/// More keys than any team has; aliases could repeat a few without end.
const MOST_KEYS: usize = 10_000;
/// How deep groups may be merged into groups.
const DEEPEST_MERGE: usize = 8;

/// Where a rule or a group names keys of other kinds.
const FOREIGN: [&str; 10] = [
    "kms",
    "gcp_kms",
    "azure_keyvault",
    "azure_kv",
    "hc_vault_transit_uri",
    "hc_vault",
    "hckms",
    "pgp",
    "barbican",
    "plugins",
];

/// The creation rules of a `.sops.yaml`, in order.
#[derive(Clone, Debug)]
pub struct SopsRules {
    /// The first one that matches a file is the file's.
    pub rules: Vec<SopsRule>,
}

/// One creation rule.
#[derive(Clone, Debug)]
pub struct SopsRule {
    /// Which files it is for, searched in their path relative to the `.sops.yaml`; absent: for all.
    pub path_regex: Option<Regex>,
    /// The age keys, each once, in the order of the file.
    pub recipients: Vec<SopsRecipient>,
    /// The kinds of other keys, as the file calls them: `kms`, `pgp`.
    pub foreign: Vec<String>,
    /// How many groups of keys there are; with more than one, sops asks for keys of several.
    pub groups: usize,
    /// Which values are encrypted, where the rule says it.
    pub selection: Option<Selection>,
    /// Where the rule begins.
    pub place: Place,
}

/// One age key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SopsRecipient {
    /// `age1…` or `ssh-…`, as it stands in the file.
    pub key: String,
    /// How people call it: an anchor, or a comment beside or above it. Any text, at most 64 bytes.
    pub name: Option<String>,
}

impl SopsRules {
    /// Reads a `.sops.yaml`. One without creation rules has none.
    ///
    /// # Errors
    /// What is no YAML, or no rule, with its place.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        if text.len() > LARGEST {
            let place = Place { line: 1, column: 1 };
            return Err(Refusal::new(place, "the file is larger than 1 MiB"));
        }
        let document = parse(text)?;
        let listed = document.root.as_deref().and_then(|root| root.get("creation_rules"));
        let mut budget = MOST_KEYS;
        let rules = listed.map_or(&[][..], Node::items).iter();
        let mut rules = rules
            .map(|rule| read_rule(rule, &mut budget))
            .collect::<Result<Vec<_>, _>>()?;
        // A key without a name here may have one where all keys are listed.
        for recipient in rules.iter_mut().flat_map(|rule| &mut rule.recipients) {
            recipient.name = recipient
                .name
                .take()
                .or_else(|| document.names.get(&recipient.key).cloned());
        }
        Ok(Self { rules })
    }

    /// The rule of the file at this path, relative to the folder of the `.sops.yaml`, with `/` between its parts.
    pub fn matching(&self, relative_path: &str) -> Option<&SopsRule> {
        self.rules.iter().find(|rule| rule.matches(relative_path))
    }
}

impl SopsRule {
    /// Whether it is for this file.
    pub fn matches(&self, relative_path: &str) -> bool {
        self.path_regex
            .as_ref()
            .is_none_or(|regex| regex.is_match(relative_path))
    }
}

fn read_rule(node: &Node, budget: &mut usize) -> Result<SopsRule, Refusal> {
    if !matches!(node.content, Content::Mapping(_)) {
        return Err(Refusal::new(node.place, "a creation rule that is no mapping"));
    }
    let refused = |message: &str| Refusal::new(node.place, message);
    let pattern = node.get("path_regex").and_then(Node::text);
    let path_regex = match pattern {
        None => None,
        Some(text) => Some(
            expression(text).ok_or_else(|| refused("a `path_regex` that is no expression which can be read here"))?,
        ),
    };
    let fields = FIELDS
        .into_iter()
        .filter_map(|field| Some((field, node.get(field)?.text()?)));
    let mut rule = SopsRule {
        path_regex,
        recipients: Vec::new(),
        foreign: Vec::new(),
        groups: 1,
        selection: Selection::of(fields).map_err(|reason| refused(&reason))?,
        place: node.place,
    };
    // As sops does: with groups, the keys beside them count for nothing.
    let groups = node.get("key_groups").map_or(&[][..], Node::items);
    if groups.is_empty() {
        read_keys(node, 0, budget, &mut rule)?;
    } else {
        rule.groups = groups.len();
        for group in groups {
            read_keys(group, DEEPEST_MERGE, budget, &mut rule)?;
        }
    }
    Ok(rule)
}

/// Adds the keys of a rule or a group to the rule.
fn read_keys(node: &Node, merges: usize, budget: &mut usize, rule: &mut SopsRule) -> Result<(), Refusal> {
    let present = |node: &Node| !node.items().is_empty() || node.text().is_some();
    for kind in FOREIGN {
        if node.get(kind).is_some_and(present) && !rule.foreign.iter().any(|known| known == kind) {
            rule.foreign.push(kind.to_owned());
        }
    }
    if let Some(age) = node.get("age") {
        let mut keys = Vec::new();
        push_age_keys(age, budget, &mut keys)?;
        for key in keys {
            match rule.recipients.iter_mut().find(|known| known.key == key.key) {
                Some(known) => known.name = known.name.take().or(key.name),
                None => rule.recipients.push(key),
            }
        }
    }
    let Some(merged) = node.get("merge").filter(|_| merges > 0) else {
        return Ok(());
    };
    for group in merged.items() {
        *budget = budget.checked_sub(1).ok_or_else(|| too_many(group))?;
        read_keys(group, merges - 1, budget, rule)?;
    }
    Ok(())
}

/// The keys of an `age` field: one text with commas, or a list of such texts.
fn push_age_keys(node: &Node, budget: &mut usize, keys: &mut Vec<SopsRecipient>) -> Result<(), Refusal> {
    match &node.content {
        Content::List(items) => {
            let listed = name_from_above(items);
            for item in items {
                let from = keys.len();
                if matches!(item.content, Content::List(_)) {
                    return Err(Refusal::new(item.place, "a list of age keys in a list of age keys"));
                }
                push_age_keys(item, budget, keys)?;
                if let [key] = &mut keys[from..] {
                    key.name = key.name.take().or_else(|| item.above.clone().filter(|_| listed));
                }
            }
            Ok(())
        }
        Content::Mapping(_) => Err(Refusal::new(node.place, "age keys that are no text")),
        Content::Scalar(text) => {
            let parts = text.as_deref().unwrap_or_default().split(',').map(str::trim);
            let parts: Vec<_> = parts.filter(|part| !part.is_empty()).collect();
            *budget = budget.checked_sub(parts.len()).ok_or_else(|| too_many(node))?;
            let name = node.name.as_ref().filter(|_| parts.len() == 1);
            keys.extend(parts.into_iter().map(|key| SopsRecipient {
                key: key.to_owned(),
                name: name.cloned(),
            }));
            Ok(())
        }
    }
}

/// Whether the comments above keys name them: a comment above the first of several is about all of them.
fn name_from_above(items: &[Rc<Node>]) -> bool {
    items.iter().all(|item| item.name.is_some() || item.above.is_some())
}

fn too_many(node: &Node) -> Refusal {
    Refusal::new(node.place, "more keys than can be read")
}

#[cfg(test)]
mod tests {
    use super::{SopsRecipient, SopsRules};
    use crate::formats::sops::Selection;

    fn recipient(key: &str, name: Option<&str>) -> SopsRecipient {
        SopsRecipient {
            key: key.to_owned(),
            name: name.map(String::from),
        }
    }

    #[test]
    fn keys_come_with_their_names() {
        let text = "\
keys:
  - &alice age1alice
  - &ci age1ci   # GitHub
creation_rules:
  - path_regex: secrets/prod/.*\\.ya?ml$
    encrypted_regex: ^(data|stringData)$
    key_groups:
      - age:
          - *alice
          - *ci
          - age1bob # bob
        pgp: [ABCDEF]
  - path_regex: ^dev/
    age: >-
      age1alice,
      age1carol,
    kms: arn:aws:kms:x
  - age:
      # alice
      - age1alice
      # Dave's laptop
      - age1dave
";
        let rules = SopsRules::parse(text).expect("sound");
        let prod = rules.matching("deploy/secrets/prod/a.yaml").expect("a rule");
        let names = [
            recipient("age1alice", Some("alice")),
            recipient("age1ci", Some("ci")),
            recipient("age1bob", Some("bob")),
        ];
        assert_eq!(prod.recipients, names);
        assert_eq!((prod.foreign.as_slice(), prod.groups), (&["pgp".to_owned()][..], 1));
        assert!(matches!(&prod.selection, Some(Selection::EncryptedRegex(_))));
        let dev = rules.matching("dev/a.yaml").expect("a rule");
        assert_eq!(
            dev.recipients,
            [recipient("age1alice", Some("alice")), recipient("age1carol", None)]
        );
        assert_eq!(dev.foreign, ["kms"]);
        let rest = rules.matching("x").expect("a rule");
        let names = [
            recipient("age1alice", Some("alice")),
            recipient("age1dave", Some("Dave's laptop")),
        ];
        assert_eq!(rest.recipients, names);
        assert_eq!(rest.place.line, 18);
    }

    #[test]
    fn groups_merge_and_count() {
        let text = "\
x-team: &team
  age: [age1a, age1b]
creation_rules:
  - key_groups:
      - merge:
          - *team
          - age: [age1c]
      - hc_vault: [\"https://vault/v1/sops/keys/x\"]
        age: []
  - <<: {path_regex: none, age: 'age1d, ssh-ed25519 AAAA'}
";
        let rules = SopsRules::parse(text).expect("sound").rules;
        let keys: Vec<_> = rules[0]
            .recipients
            .iter()
            .map(|recipient| recipient.key.as_str())
            .collect();
        assert_eq!(keys, ["age1a", "age1b", "age1c"]);
        assert_eq!(
            (rules[0].groups, rules[0].foreign.as_slice()),
            (2, &["hc_vault".to_owned()][..])
        );
        assert!(rules[0].matches("anything") && !rules[1].matches("anything"));
        assert_eq!(rules[1].recipients[1].key, "ssh-ed25519 AAAA");
    }

    #[test]
    fn what_cannot_be_read_is_refused_by_place() {
        for (text, line, message) in [
            ("creation_rules:\n  - 1\n", 2, "a creation rule that is no mapping"),
            (
                "creation_rules:\n  - path_regex: '('\n",
                2,
                "a `path_regex` that is no expression which can be read here",
            ),
            ("creation_rules:\n  - age: {a: b}\n", 2, "age keys that are no text"),
            (
                "creation_rules:\n  - age: [[a]]\n",
                2,
                "a list of age keys in a list of age keys",
            ),
            ("creation_rules: [\n", 1, "this is no YAML"),
        ] {
            let refusal = SopsRules::parse(text).expect_err("refused");
            assert_eq!(
                (refusal.place.line, refusal.message.as_str()),
                (line, message),
                "{text}"
            );
        }
        for text in ["", "stores: {}\n", "creation_rules:\n"] {
            assert!(SopsRules::parse(text).expect("sound").rules.is_empty());
        }
        let mut bomb = "a0: &a0 {age: [age1x, age1x]}\n".to_owned();
        for level in 1..30 {
            bomb.push_str(&format!(
                "a{level}: &a{level} {{merge: [*a{0}, *a{0}, *a{0}, *a{0}, *a{0}]}}\n",
                level - 1
            ));
        }
        bomb.push_str("creation_rules:\n  - key_groups: [*a29]\n");
        SopsRules::parse(&bomb).expect_err("too many");
    }
}
