//! Makes an environment's file what the policy says: its first key, grants for readers that lack one, and a new key
//! whenever a public key loses access. Plans first, so that a person can look before anything is written.

use std::collections::{BTreeMap, BTreeSet};

use super::change::encrypt_readable;
use super::footer::{Footer, Grants, footer_of};
use super::moved::Former;
use super::reading::{Reading, Rulebook, lost_footer, with_footer};
use super::rekey::{Dropped, follows_of_last};
use super::takeover::Takeover;
use super::{EnvironmentFile, Vault};
use crate::crypto::envelope::to_base64;
use crate::crypto::grant::{GrantPlaintext, seal_grant};
use crate::crypto::key::EnvironmentKey;
use crate::crypto::label::GrantLabel;
use crate::crypto::public_key::PublicKey;
use crate::document::lines::line_end;
use crate::document::path::ValuePath;
use crate::document::tree::{Rules, Tree};
use crate::error::{Failure, FailureKind, Result};
use crate::names::{EnvironmentName, KeyId, RecipientName};
use crate::policy::POLICY_NAME;

/// What would be done to one environment.
#[derive(Debug)]
pub struct Plan {
    /// The environment.
    pub environment: EnvironmentName,
    /// Whether its file is made now.
    pub creates: bool,
    /// Whether history knows a key of the environment whose file is made now.
    pub begins_anew: bool,
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
    /// Proposals that are taken out, because they do not open.
    pub dropped: Vec<Dropped>,
    /// What the file was before its environment or the policy got another name.
    pub former: Option<Former>,
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

/// The public keys that the policy wants granted, by label, each with its recipient.
pub(super) type Wanted = BTreeMap<GrantLabel, (RecipientName, PublicKey)>;

/// The public keys of the environment's readers.
pub(super) fn wanted(rules: Rulebook<'_>) -> Wanted {
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
        let planned = self.plan_present(rules, &file, &text, new_key);
        match planned {
            // What is of another environment or policy may have been that before it was called otherwise.
            Err(error) if is_integrity(&error) => match self.former(rules, &text)? {
                Some(former) => self.plan_moved(rules, &file, &text, former),
                None => Err(error),
            },
            planned => planned,
        }
    }

    /// The plan of a file that is there.
    fn plan_present(&mut self, rules: Rulebook<'_>, file: &EnvironmentFile, text: &str, new_key: bool) -> Result<Plan> {
        let name = &rules.environment.name;
        let reading = Reading::new(text, rules)?;
        let wanted = wanted(rules);
        let granted: BTreeMap<&GrantLabel, &RecipientName> = reading
            .footer
            .all_grants()
            .map(|(name, label, _)| (label, name))
            .collect();
        let mut plan = Plan::nothing(name, file);
        plan.compare(&wanted, &granted);
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
        let environment = self.unlock(reading)?;
        // Who makes a key knows it: somebody who goes must not be the one.
        if makes_key && !wanted.contains_key(&environment.opened_by) {
            self.check_reader(rules, &wanted)?;
        }
        let taken = self.taken_over(&environment)?;
        plan.takeovers = taken.iter().map(|(takeover, _)| takeover.clone()).collect();
        let rewritten = self.rewritten(&environment, &wanted, makes_key, &taken)?;
        plan.text = rewritten.text;
        plan.new_key = rewritten.key;
        plan.dropped = rewritten.dropped;
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
            Err(error) if is_integrity(&error) => Err(error),
            Err(_) => Ok(()),
        }
    }

    /// The plan of a file that is made now, or that has no footer yet; `body` is its text.
    fn plan_first(&mut self, rules: Rulebook<'_>, file: EnvironmentFile, body: &str) -> Result<Plan> {
        let name = &rules.environment.name;
        self.refuse_lost(&file)?;
        self.refuse_elsewhere(rules, &file)?;
        let wanted = wanted(rules);
        self.check_reader(rules, &wanted)?;
        let key = EnvironmentKey::generate();
        let mut footer = Footer::new(name.clone(), key.drop_box().clone());
        let past = self.past_of_absent(rules)?;
        footer.follows = follows_of_last(&past, rules, &key)?;
        footer.grants = self.grants(rules, &key, &wanted)?;
        footer.final_newline = body.is_empty() || body.ends_with('\n');
        let mut plan = Plan::nothing(name, &file);
        plan.creates = true;
        plan.begins_anew = past.latest().is_some();
        plan.gains = wanted
            .iter()
            .map(|(label, (name, _))| (name.clone(), label.clone()))
            .collect();
        plan.gains.sort();
        plan.text = with_footer(body, &footer.write(line_end(body)), line_end(body));
        Ok(plan)
    }

    /// Fails if the last commit has values where the work tree has no file or an empty one: most often it was lost, and a new
    /// one would drop them all. Somebody who means it commits the removal first.
    fn refuse_lost(&self, file: &EnvironmentFile) -> Result<()> {
        let committed = self.committed_text(file);
        if file.text.as_deref().is_some_and(|text| !text.trim().is_empty())
            || committed.is_none_or(|text| footer_of(&text).is_none())
        {
            return Ok(());
        }
        let shown = file.relative.display();
        let state = if file.text.is_some() { "is empty" } else { "is missing" };
        Err(
            Failure::failed(format!("`{shown}` {state}, but the last commit has it"))
                .hint(format!("git restore {shown}"))
                .hint("to begin with an empty one: remove it from git and commit that first")
                .into(),
        )
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
        let lost = Tree::parse(&body, Rules::File)
            .ok()
            .and_then(|tree| lost_footer(&tree, &file.relative));
        if let Some(failure) = lost {
            return Err(failure.into());
        }
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
    pub(super) fn check_reader(&mut self, rules: Rulebook<'_>, wanted: &Wanted) -> Result<()> {
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

    fn can_open_trial(&mut self, rules: Rulebook<'_>, wanted: &Wanted) -> Result<bool> {
        let key = EnvironmentKey::generate();
        let mut footer = Footer::new(rules.environment.name.clone(), key.drop_box().clone());
        footer.grants = self.grants(rules, &key, wanted)?;
        Ok(self.open_key(rules, &footer).is_ok())
    }

    /// Grants of `key` for everybody that the policy wants.
    pub(super) fn grants(
        &self,
        rules: Rulebook<'_>,
        key: &EnvironmentKey,
        wanted: &Wanted,
    ) -> Result<BTreeMap<RecipientName, Grants>> {
        let plaintext = GrantPlaintext {
            policy: self.loaded.policy.id.clone(),
            environment: rules.environment.name.clone(),
            key: key.clone(),
        };
        let mut grants: BTreeMap<RecipientName, Grants> = BTreeMap::new();
        for (label, (name, public)) in wanted {
            let file = seal_grant(public, &plaintext, &self.plugins).map_err(|error| {
                Failure::from(error).rephrase(|reason| format!("no grant can be made for `{name}`: {reason}"))
            })?;
            grants
                .entry(name.clone())
                .or_default()
                .insert(label.clone(), to_base64(&file));
        }
        Ok(grants)
    }
}

pub(super) fn is_integrity(error: &anyhow::Error) -> bool {
    FailureKind::of(error) == Some(FailureKind::Integrity)
}

impl Plan {
    /// Who gains and who loses by a file that grants `granted`, under a policy that wants `wanted`.
    pub(super) fn compare(&mut self, wanted: &Wanted, granted: &BTreeMap<&GrantLabel, &RecipientName>) {
        let gains = wanted.iter().filter(|(label, _)| !granted.contains_key(label));
        self.gains = gains.map(|(label, (name, _))| (name.clone(), label.clone())).collect();
        self.gains.sort();
        let loses = granted.iter().filter(|(label, _)| !wanted.contains_key(**label));
        self.loses = loses.map(|(label, name)| ((*name).clone(), (*label).clone())).collect();
        self.loses.sort();
    }

    /// The file as it would be.
    pub fn made(self) -> EnvironmentFile {
        EnvironmentFile {
            text: Some(self.text),
            ..self.file
        }
    }

    pub(super) fn nothing(name: &EnvironmentName, file: &EnvironmentFile) -> Self {
        Self {
            environment: name.clone(),
            creates: false,
            begins_anew: false,
            gains: Vec::new(),
            loses: Vec::new(),
            renames: Vec::new(),
            new_key: None,
            takeovers: Vec::new(),
            dropped: Vec::new(),
            former: None,
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

/// `text` with its footer at the end; what stood behind it stands before it then.
fn settled_footer(text: &str, rules: Rulebook<'_>) -> Result<String> {
    let tree = Tree::parse(text, Rules::File).map_err(|refusal| super::refused(&rules.environment.file, &refusal))?;
    let Some(footer) = tree.footer.as_ref().filter(|footer| footer.followed_by.is_some()) else {
        return Ok(text.to_owned());
    };
    let start = footer.entry.key.span.start;
    let end = tree.footer_end().unwrap_or(text.len());
    let body = format!("{}{}", tree.body(), &text[end..]);
    Ok(with_footer(&body, &text[start..end], line_end(text)))
}
