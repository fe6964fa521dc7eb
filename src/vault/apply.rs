//! Makes an environment's file what the policy says: its first key, grants for readers that lack one, and a new key
//! whenever a public key loses access. Plans first, so that a person can look before anything is written.

use std::collections::{BTreeMap, BTreeSet};

use super::change::encrypt_readable;
use super::environment::{Environment, seal_value};
use super::footer::{Footer, Grants, Previous};
use super::past::{Origin, PastKeys};
use super::past_files::{origin_of, past_files};
use super::reading::{Reading, Rulebook, with_footer};
use super::{EnvironmentFile, Vault};
use crate::crypto::envelope::{from_base64, to_base64};
use crate::crypto::grant::{GrantPlaintext, seal_grant};
use crate::crypto::key::{DropBox, EnvironmentKey};
use crate::crypto::label::GrantLabel;
use crate::crypto::proposal::{ProposalLabel, open_proposal, seal_proposal};
use crate::crypto::public_key::PublicKey;
use crate::crypto::token::{TokenKind, TokenPlaintext, open_token, seal_token};
use crate::document::lines::line_end;
use crate::document::path::ValuePath;
use crate::document::token::Token;
use crate::document::tree::{Rules, Tree};
use crate::document::write::write_tokens;
use crate::error::{Failure, Result};
use crate::names::{EnvironmentName, KeyId, RecipientName, Version};
use crate::policy::{POLICY_NAME, Policy};

/// The most keys, besides the replaced one and HEAD's, that a new key follows.
const MOST_FOLLOWED: usize = 16;

/// What would be done to one environment.
#[derive(Debug)]
pub struct Plan {
    /// The environment.
    pub environment: EnvironmentName,
    /// Whether its file is made now.
    pub creates: bool,
    /// Public keys that gain access.
    pub gains: Vec<(RecipientName, GrantLabel)>,
    /// Public keys that lose access.
    pub loses: Vec<(RecipientName, GrantLabel)>,
    /// Recipients that are called otherwise now.
    pub renames: Vec<(RecipientName, RecipientName)>,
    /// The id of the new key, if one is made.
    pub new_key: Option<KeyId>,
    /// Tokens of other keys that are taken over.
    pub takeovers: Vec<Takeover>,
    /// Readable values that are encrypted.
    pub encrypts: Vec<ValuePath>,
    /// The file as it is.
    pub file: EnvironmentFile,
    /// The file as it would be.
    pub text: String,
}

impl Plan {
    /// Whether nothing would change.
    pub fn is_empty(&self) -> bool {
        self.file.text.as_deref() == Some(&self.text)
    }
}

/// A token whose key is not the file's, worth no more than a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Takeover {
    /// Where it stands.
    pub path: ValuePath,
    /// The key it is sealed under.
    pub key: KeyId,
    /// Who brought it, as far as history tells.
    pub origin: Option<Origin>,
    /// Whether its key leads to the current one, with no other beside it, and everybody who ever held it reads the
    /// environment by the current policy and by that of the commit which brought the current key: then nobody has to be
    /// asked.
    pub proven: bool,
}

/// The public keys that the policy wants granted, by label.
fn wanted(rules: Rulebook<'_>) -> BTreeMap<GrantLabel, (RecipientName, PublicKey)> {
    let keys = rules.policy.reader_keys(rules.environment);
    keys.into_iter()
        .map(|(name, key)| (key.label().clone(), (name.clone(), key.clone())))
        .collect()
}

impl Vault<'_> {
    /// What [`Plan`] would make the environment what the policy says. `new_key` asks for a new key in any case.
    ///
    /// # Errors
    /// As [`Vault::open`], unless nothing has to be done; `NoIdentity` if a file is to be made and no identity here reads
    /// the environment; `Integrity` if a token of another key cannot be opened here.
    pub fn plan(&mut self, name: &EnvironmentName, new_key: bool) -> Result<Plan> {
        let rules = self.rules(name)?;
        let file = self.load(name)?;
        let Some(text) = file.text.clone() else {
            return self.plan_first(rules, file, "");
        };
        if Tree::parse(&text, Rules::File).is_ok_and(|tree| tree.footer.is_none()) && text.trim().is_empty() {
            return self.plan_first(rules, file, &text);
        }
        let reading = Reading::new(&text, rules)?;
        let wanted = wanted(rules);
        let granted: BTreeMap<&GrantLabel, &RecipientName> = reading
            .footer
            .all_grants()
            .map(|(name, label, _)| (label, name))
            .collect();
        let mut plan = Plan::nothing(name, &file);
        plan.gains = wanted
            .iter()
            .filter(|(label, _)| !granted.contains_key(label))
            .map(|(label, (name, _))| (name.clone(), label.clone()))
            .collect();
        plan.gains.sort();
        plan.loses = granted
            .iter()
            .filter(|(label, _)| !wanted.contains_key(**label))
            .map(|(label, name)| ((*name).clone(), (*label).clone()))
            .collect();
        plan.loses.sort();
        let renames: BTreeSet<_> = granted
            .iter()
            .filter_map(|(label, old)| Some(((*old).clone(), wanted.get(*label)?.0.clone())))
            .filter(|(old, new)| old != new)
            .collect();
        plan.renames = renames.into_iter().collect();
        let foreign = reading.places(rules)?.iter().any(|place| {
            place
                .token
                .as_ref()
                .is_some_and(|token| token.key != reading.footer.drop_box.id())
        });
        if plan.gains.is_empty() && plan.loses.is_empty() && plan.renames.is_empty() && !new_key && !foreign {
            self.check_current(rules, &reading)?;
            return Ok(plan);
        }
        let makes_key = new_key || !plan.loses.is_empty();
        let own = EnvironmentFile {
            name: name.clone(),
            relative: file.relative.clone(),
            text: Some(text.clone()),
        };
        let environment = self.open(&own)?;
        let taken = self.taken_over(&environment)?;
        plan.takeovers = taken.iter().map(|(takeover, _)| takeover.clone()).collect();
        let (text, key) = self.rewritten(&environment, &wanted, makes_key, &taken)?;
        plan.text = text;
        plan.new_key = key;
        Ok(plan)
    }

    /// Where nothing has to be done, what can be judged with an identity at hand still is: a file of another policy or
    /// under a forged key is not called what the policy says.
    fn check_current(&mut self, rules: Rulebook<'_>, reading: &Reading<'_>) -> Result<()> {
        match self.open_key(rules, &reading.footer) {
            Ok(key) => {
                let notice = self.scene().judge(rules.environment, &reading.footer, &key)?.notice;
                self.notices.extend(notice);
                Ok(())
            }
            Err(error) => match error.downcast_ref::<Failure>() {
                Some(failure) if failure.kind() == crate::error::FailureKind::Integrity => Err(error),
                _ => Ok(()),
            },
        }
    }

    /// The plan of a file that is made now, or that has no footer yet; `body` is its text.
    fn plan_first(&mut self, rules: Rulebook<'_>, file: EnvironmentFile, body: &str) -> Result<Plan> {
        let name = &rules.environment.name;
        let wanted = wanted(rules);
        self.check_reader(rules, &wanted)?;
        let key = EnvironmentKey::generate();
        let mut footer = Footer::new(name.clone(), key.drop_box().clone());
        footer.follows = self.follows_of_absent(rules, &key)?;
        footer.grants = self.grants(rules, &key, &wanted)?;
        footer.final_newline = body.is_empty() || body.ends_with('\n');
        let mut plan = Plan::nothing(name, &file);
        plan.creates = true;
        plan.gains = wanted
            .iter()
            .map(|(label, (name, _))| (name.clone(), label.clone()))
            .collect();
        plan.gains.sort();
        plan.text = with_footer(body, &footer.write(line_end(body)), line_end(body));
        Ok(plan)
    }

    /// The plan that encrypts what stands readable and should not, in a file that may have no footer yet.
    ///
    /// # Errors
    /// As [`Vault::plan`]; `Failed` if there is no such file.
    pub fn plan_encryption(&mut self, name: &EnvironmentName) -> Result<Plan> {
        let rules = self.rules(name)?;
        let mut file = self.load(name)?;
        let original = file.text.clone();
        file.text = Some(settled_footer(self.text_of(&file)?, rules)?);
        let has_footer = file
            .text
            .as_deref()
            .is_some_and(|text| Tree::parse(text, Rules::File).is_ok_and(|tree| tree.footer.is_some()));
        if has_footer {
            let environment = self.open(&file)?;
            let (text, changes) = environment.encrypt_readable()?;
            let mut plan = Plan::nothing(name, &file);
            plan.text = text;
            plan.encrypts = changes.changed;
            plan.file.text = original;
            return Ok(plan);
        }
        let body = file.text.clone().unwrap_or_default();
        Tree::parse(&body, Rules::Text).map_err(|refusal| super::refused(&file.relative, &refusal))?;
        let plan = self.plan_first(rules, file, &body)?;
        let reading = Reading::new(&plan.text, rules)?;
        let key = self.open_key(rules, &reading.footer)?;
        let (text, changes) = encrypt_readable(&key, &reading, rules)?;
        let mut file = plan.file;
        file.text = original;
        Ok(Plan {
            text,
            encrypts: changes.changed,
            file,
            ..plan
        })
    }

    /// Only a reader of the environment makes a key.
    fn check_reader(
        &mut self,
        rules: Rulebook<'_>,
        wanted: &BTreeMap<GrantLabel, (RecipientName, PublicKey)>,
    ) -> Result<()> {
        let name = &rules.environment.name;
        if wanted.is_empty() {
            let message = format!("`{name}` has no readers with a public key");
            return Err(Failure::failed(message)
                .hint(format!("name them under `readers` in {POLICY_NAME}"))
                .into());
        }
        let own = self
            .identities
            .public_keys()
            .into_iter()
            .any(|(_, key)| wanted.contains_key(key.label()));
        // A plugin's or an encrypted key's public key may not be known: then the new grants are tried.
        if own || self.can_open_trial(rules, wanted)? {
            return Ok(());
        }
        let names: BTreeSet<_> = wanted.values().map(|(name, _)| name.as_str()).collect();
        let first = names.iter().next().copied().unwrap_or_default();
        let failure = Failure::no_identity(format!("no identity here reads `{name}`"));
        Err(failure
            .hint(format!("ask {first} to run `secretree apply {name}`"))
            .into())
    }

    fn can_open_trial(
        &mut self,
        rules: Rulebook<'_>,
        wanted: &BTreeMap<GrantLabel, (RecipientName, PublicKey)>,
    ) -> Result<bool> {
        let key = EnvironmentKey::generate();
        let mut footer = Footer::new(rules.environment.name.clone(), key.drop_box().clone());
        footer.grants = self.grants(rules, &key, wanted)?;
        Ok(self.open_key(rules, &footer).is_ok())
    }

    /// Grants of `key` for everybody that the policy wants.
    fn grants(
        &self,
        rules: Rulebook<'_>,
        key: &EnvironmentKey,
        wanted: &BTreeMap<GrantLabel, (RecipientName, PublicKey)>,
    ) -> Result<BTreeMap<RecipientName, Grants>> {
        let plaintext = GrantPlaintext {
            policy: self.loaded.policy.id.clone(),
            environment: rules.environment.name.clone(),
            key: key.clone(),
        };
        let mut grants: BTreeMap<RecipientName, Grants> = BTreeMap::new();
        for (label, (name, public)) in wanted {
            let file = to_base64(&seal_grant(public, &plaintext, &self.plugins)?);
            grants.entry(name.clone()).or_default().insert(label.clone(), file);
        }
        Ok(grants)
    }

    /// The new text of an opened file, and the id of its key if that is new.
    fn rewritten(
        &mut self,
        environment: &Environment<'_>,
        wanted: &BTreeMap<GrantLabel, (RecipientName, PublicKey)>,
        makes_key: bool,
        taken: &[(Takeover, TokenPlaintext)],
    ) -> Result<(String, Option<KeyId>)> {
        let rules = environment.rules;
        let old = &environment.reading.footer;
        let key = if makes_key {
            EnvironmentKey::generate()
        } else {
            environment.key.clone()
        };
        let mut footer = old.clone();
        if makes_key {
            footer.drop_box = key.drop_box().clone();
            footer.follows = self.follows_of_successor(environment, &key)?;
            footer.grants = self.grants(rules, &key, wanted)?;
            footer.proposals = reseal_proposals(environment, &key)?;
            footer.previous = reseal_previous(environment, &key)?;
        } else {
            let present: BTreeMap<&GrantLabel, &str> = old.all_grants().map(|(_, label, file)| (label, file)).collect();
            let missing = wanted
                .iter()
                .filter(|(label, _)| !present.contains_key(label))
                .map(|(label, key)| (label.clone(), key.clone()));
            footer.grants = self.grants(rules, &key, &missing.collect())?;
            for (label, file) in present {
                if let Some((name, _)) = wanted.get(label) {
                    footer
                        .grants
                        .entry(name.clone())
                        .or_default()
                        .insert(label.clone(), file.to_owned());
                }
            }
        }
        let body = resealed_body(environment, &key, makes_key, taken)?;
        let text = environment.reading.assemble(&body, &footer);
        // What was just made is what everybody else will read: it must be whole.
        let check = Reading::new(&text, rules)?;
        check.check(rules)?;
        Ok((text, makes_key.then(|| key.id().clone())))
    }

    /// The `follows` of a key that replaces the one of `environment`: tokens under that key, under HEAD's if that is
    /// another, and under each key that the replaced one follows, as far as they open here.
    fn follows_of_successor(
        &mut self,
        environment: &Environment<'_>,
        key: &EnvironmentKey,
    ) -> Result<BTreeMap<KeyId, String>> {
        let name = environment.rules.environment.name.clone();
        let footer = &environment.reading.footer;
        let head = self.scene().head()?;
        let (past, _) = self
            .scene()
            .past(environment.rules.environment, footer, &environment.key, head, None)?;
        let mut followed = vec![environment.key.clone()];
        followed.extend(past.latest().and_then(|latest| past.key(latest)).cloned());
        let mut older: Vec<_> = past
            .drop_boxes()
            .filter(|drop_box| footer.follows.contains_key(&drop_box.id()))
            .filter_map(|drop_box| Some((past.origin(drop_box)?.time, past.key(drop_box)?.clone())))
            .collect();
        older.sort_by_key(|(time, _)| std::cmp::Reverse(*time));
        followed.extend(older.into_iter().take(MOST_FOLLOWED).map(|(_, key)| key));
        followed
            .iter()
            .map(|old| follows_entry(old, &name, key.drop_box()))
            .collect()
    }

    /// The `follows` of a key for a file that is not there: of the last key that history has, if it opens here.
    fn follows_of_absent(&mut self, rules: Rulebook<'_>, key: &EnvironmentKey) -> Result<BTreeMap<KeyId, String>> {
        let past = self.past_of_absent(rules)?;
        let last = past.latest().and_then(|latest| past.key(latest));
        last.into_iter()
            .map(|old| follows_entry(old, &rules.environment.name, key.drop_box()))
            .collect()
    }

    fn past_of_absent(&mut self, rules: Rulebook<'_>) -> Result<PastKeys> {
        let mut past = PastKeys::new(&self.loaded.policy.id, &rules.environment.name);
        let Some(repository) = self
            .repository
            .as_ref()
            .filter(|repository| repository.unreadable().is_none())
        else {
            return Ok(past);
        };
        let Ok(prefix) = self.place.strip_prefix(repository.root()) else {
            return Ok(past);
        };
        let head = repository.head()?;
        let found = past_files(repository, head, None, prefix, rules.environment)?;
        past.complete &= found.complete;
        past.read(repository, &found.files, head, None, &mut self.identities)?;
        Ok(past)
    }

    /// The tokens of other keys in the file, opened: what FORMAT calls taking over.
    fn taken_over(&mut self, environment: &Environment<'_>) -> Result<Vec<(Takeover, TokenPlaintext)>> {
        let rules = environment.rules;
        let name = &rules.environment.name;
        let places = environment.reading.places(rules)?;
        let foreign: Vec<_> = places
            .iter()
            .filter_map(|place| place.token.as_ref().map(|token| (&place.path, token)))
            .filter(|(_, token)| token.key != *environment.key.id())
            .collect();
        if foreign.is_empty() {
            return Ok(Vec::new());
        }
        let head = self.scene().head()?;
        let (past, _) = self.scene().past(
            rules.environment,
            &environment.reading.footer,
            &environment.key,
            head,
            None,
        )?;
        let mut taken = Vec::new();
        for (path, token) in foreign {
            let unknown = || {
                Failure::integrity(format!(
                    "the token at `{name}:{path}` is sealed under the key `{}`, which does not open here",
                    token.key
                ))
                .hint(format!("set the value again: secretree set {name} {path}"))
            };
            let old = past
                .drop_boxes()
                .find(|drop_box| drop_box.id() == token.key)
                .ok_or_else(unknown)?;
            let key = past.key(old).ok_or_else(unknown)?;
            let opened = open_token(key, token.base64).map_err(|_| unknown())?;
            let sound = opened.kind == TokenKind::Value
                && opened.environment == *name
                && opened.path == path.to_json()
                && opened.version == token.version;
            if !sound {
                return Err(unknown().into());
            }
            let current = environment.key.drop_box();
            let proven = past.complete
                && past.is_only_way(old, current)
                && self.holders_still_read(rules, &past, old, current)?;
            taken.push((
                Takeover {
                    path: path.clone(),
                    key: token.key.clone(),
                    origin: self.token_origin(rules, token.base64)?,
                    proven,
                },
                opened,
            ));
        }
        Ok(taken)
    }

    /// The commit that brought a token into the environment's file.
    fn token_origin(&self, rules: Rulebook<'_>, base64: &str) -> Result<Option<Origin>> {
        let repository = self.repository.as_ref();
        let Some(repository) = repository.filter(|repository| repository.unreadable().is_none()) else {
            return Ok(None);
        };
        let (Ok(prefix), Some(head)) = (self.place.strip_prefix(repository.root()), repository.head()?) else {
            return Ok(None);
        };
        let found = past_files(repository, Some(head), None, prefix, rules.environment)?;
        origin_of(repository, &found.files, head, base64)
    }

    /// Whether each public key that ever held `old` belongs to a reader by the current policy, and by the policy of the
    /// commit that brought the key of `current`.
    fn holders_still_read(
        &self,
        rules: Rulebook<'_>,
        past: &PastKeys,
        old: &DropBox,
        current: &DropBox,
    ) -> Result<bool> {
        let holders = past.holders(old);
        let wanted = wanted(rules);
        if !holders.iter().all(|label| wanted.contains_key(label)) {
            return Ok(false);
        }
        let Some(repository) = &self.repository else {
            return Ok(false);
        };
        let Some(commit) = past
            .origin(current)
            .and_then(|origin| origin.commit.as_deref())
            .and_then(crate::git::CommitId::new)
        else {
            // Not committed yet: the work tree's policy is the one of the commit to come.
            return Ok(true);
        };
        let Ok(prefix) = self.place.strip_prefix(repository.root()) else {
            return Ok(false);
        };
        let policy = repository
            .blob_at(commit, &prefix.join(POLICY_NAME))?
            .and_then(|bytes| String::from_utf8(bytes).ok());
        let Some(policy) = policy.and_then(|text| Policy::parse(&text, POLICY_NAME).ok()) else {
            return Ok(false);
        };
        let Some(environment) = policy.environment(&rules.environment.name) else {
            return Ok(false);
        };
        let then: BTreeSet<_> = policy
            .reader_keys(environment)
            .into_iter()
            .map(|(_, key)| key.label().clone())
            .collect();
        Ok(holders.iter().all(|label| then.contains(label)))
    }
}

impl Plan {
    fn nothing(name: &EnvironmentName, file: &EnvironmentFile) -> Self {
        Self {
            environment: name.clone(),
            creates: false,
            gains: Vec::new(),
            loses: Vec::new(),
            renames: Vec::new(),
            new_key: None,
            takeovers: Vec::new(),
            encrypts: Vec::new(),
            text: file.text.clone().unwrap_or_default(),
            file: EnvironmentFile {
                name: file.name.clone(),
                relative: file.relative.clone(),
                text: file.text.clone(),
            },
        }
    }
}

/// The entry of `follows` by which `old` vouches for the key of `new`.
fn follows_entry(old: &EnvironmentKey, name: &EnvironmentName, new: &DropBox) -> Result<(KeyId, String)> {
    let base64 = seal_token(old, &TokenPlaintext::follows(name.clone(), new))?;
    let token = Token {
        key: old.id().clone(),
        version: Version::follows(),
        base64: &base64,
    };
    Ok((old.id().clone(), token.to_string()))
}

/// The body with every token sealed under `key`, if it is new, and with the tokens that are taken over.
fn resealed_body(
    environment: &Environment<'_>,
    key: &EnvironmentKey,
    all: bool,
    taken: &[(Takeover, TokenPlaintext)],
) -> Result<String> {
    let reading = &environment.reading;
    let rules = environment.rules;
    let places = reading.places(rules)?;
    reading.check(rules)?;
    let takeovers: BTreeMap<&ValuePath, &TokenPlaintext> = taken
        .iter()
        .map(|(takeover, opened)| (&takeover.path, opened))
        .collect();
    let own: Vec<_> = places
        .iter()
        .filter(|place| place.token.is_some() && !takeovers.contains_key(&place.path))
        .collect();
    let seal = |part: &[&super::Place<'_, '_>]| -> Result<Vec<String>> {
        let seal_one = |place: &&super::Place<'_, '_>| {
            let token = place.token.as_ref().expect("only tokens were chosen");
            let opened = environment.open_place(place)?;
            seal_value(key, rules, &place.path, &token.version, opened.value, opened.source)
        };
        part.iter().map(seal_one).collect()
    };
    let sealed = if all {
        super::environment::on_threads(&own, seal)?
    } else {
        Vec::new()
    };
    let mut new: BTreeMap<usize, (&crate::document::tree::Scalar<'_>, String)> = own
        .iter()
        .zip(sealed)
        .map(|(place, token)| (place.scalar.head.start, (place.scalar, token)))
        .collect();
    for place in &places {
        if let Some(opened) = takeovers.get(&place.path) {
            let version = opened.version.clone();
            let token = seal_value(
                key,
                rules,
                &place.path,
                &version,
                opened.value.clone(),
                opened.source.clone(),
            )?;
            new.insert(place.scalar.head.start, (place.scalar, token));
        }
    }
    let tokens: Vec<_> = new.into_values().collect();
    Ok(write_tokens(
        reading.tree.body(),
        &reading.tree.lines,
        reading.line_end,
        &tokens,
    ))
}

fn reseal_proposals(environment: &Environment<'_>, key: &EnvironmentKey) -> Result<BTreeMap<ProposalLabel, String>> {
    let name = &environment.rules.environment.name;
    let policy = &environment.rules.policy.id;
    let mut proposals = BTreeMap::new();
    for (label, file) in &environment.reading.footer.proposals {
        let refused = |reason: String| {
            Failure::integrity(format!("the proposal `{label}` of `{name}` is refused: {reason}")).hint(format!(
                "take its lines out of {}",
                environment.rules.environment.file.display()
            ))
        };
        let bytes = from_base64(file, usize::MAX / 8).map_err(|reason| refused(reason.to_string()))?;
        let opened = open_proposal(&environment.key, label, &bytes).map_err(|reason| refused(reason.to_string()))?;
        if opened.environment != *name {
            return Err(refused(format!("it was made for `{}`", opened.environment)).into());
        }
        if opened.policy != *policy {
            let reason = format!(
                "it was made for the policy `{}`, but the policy here is `{policy}`",
                opened.policy
            );
            return Err(refused(reason).into());
        }
        let (label, sealed) = seal_proposal(key.drop_box(), &opened)?;
        proposals.insert(label, to_base64(&sealed));
    }
    Ok(proposals)
}

fn reseal_previous(environment: &Environment<'_>, key: &EnvironmentKey) -> Result<BTreeMap<Version, Previous>> {
    let mut all = BTreeMap::new();
    for (version, previous) in &environment.reading.footer.previous {
        let token = Token::parse(&previous.token).expect("checked when the footer was read");
        let opened = environment.open_token(&token, &previous.path, TokenKind::Previous)?;
        let plaintext = TokenPlaintext {
            kind: TokenKind::Previous,
            environment: environment.rules.environment.name.clone(),
            path: previous.path.to_json(),
            version: version.clone(),
            value: opened.value,
            source: opened.source,
        };
        let base64 = seal_token(key, &plaintext)?;
        let token = Token {
            key: key.id().clone(),
            version: version.clone(),
            base64: &base64,
        }
        .to_string();
        all.insert(
            version.clone(),
            Previous {
                token,
                ..previous.clone()
            },
        );
    }
    Ok(all)
}

/// `text` with its footer at the end; what stood behind it stands before it then.
fn settled_footer(text: &str, rules: Rulebook<'_>) -> Result<String> {
    let tree = Tree::parse(text, Rules::File).map_err(|refusal| super::refused(&rules.environment.file, &refusal))?;
    let Some(footer) = tree.footer.as_ref().filter(|footer| footer.followed_by.is_some()) else {
        return Ok(text.to_owned());
    };
    let start = footer.entry.key.span.start;
    let end = tree
        .lines
        .next_of(footer.entry.value.span().end.saturating_sub(1).max(start));
    let body = format!("{}{}", tree.body(), &text[end..]);
    Ok(with_footer(&body, &text[start..end], line_end(text)))
}
