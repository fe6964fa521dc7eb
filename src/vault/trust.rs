//! Whether the key that an environment file stands under may be believed. Grants need only public keys, so anybody who
//! can write the repository can make a key and grant it to everyone: FORMAT, "Which key is trusted".

use std::path::{Path, PathBuf};

use super::past::{Origin, PastKeys};
use super::past_files::past_files;
use super::trust_file::{Rank, TrustFile};
use crate::crypto::identities::Identities;
use crate::crypto::key::{DropBox, EnvironmentKey};
use crate::error::{Failure, Result};
use crate::git::{CommitId, Repository};
use crate::names::EnvironmentName;
use crate::policy::{self, EnvironmentPolicy, POLICY_NAME};
use crate::vault::footer::Footer;

/// What a judgement is based on.
pub(super) struct Scene<'s> {
    pub(super) policy: &'s str,
    /// The real path of the root policy's folder.
    pub(super) place: &'s Path,
    pub(super) repository: Option<&'s Repository>,
    pub(super) trust: &'s mut TrustFile,
    /// Drop boxes that the caller was told to trust, by environment.
    pub(super) named: &'s [(String, DropBox)],
    pub(super) identities: &'s mut Identities,
    /// Whether the environment is a base of the one that was asked for.
    pub(super) is_base: bool,
}

/// What a person should hear although the command works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Something to know.
    Note(String),
    /// Something to look into.
    Warning(String),
}

/// What speaks for a key.
pub(super) struct Findings {
    /// What the person should hear.
    pub(super) notice: Option<Notice>,
    /// Whether no commit or object was missing.
    complete: bool,
}

/// What a judgement found.
pub(super) struct Judgement {
    /// A line for the person: this key was never seen before.
    pub(super) notice: Option<Notice>,
}

impl Scene<'_> {
    /// The folder of the policy relative to the repository's root.
    pub(super) fn prefix(&self) -> Option<PathBuf> {
        let repository = self.repository?;
        self.place.strip_prefix(repository.root()).ok().map(Path::to_owned)
    }

    /// The repository, unless it cannot be read.
    fn readable(&self) -> Option<&Repository> {
        self.repository.filter(|repository| repository.unreadable().is_none())
    }

    pub(super) fn head(&self) -> Result<Option<CommitId>> {
        self.readable().map_or(Ok(None), Repository::head)
    }

    /// The keys that this machine noted as trusted for the environment, oldest first, and those that it was told to trust.
    pub(super) fn trusted(&self, environment: &EnvironmentName) -> Vec<DropBox> {
        let known = self.trust.known(self.policy, environment);
        let noted = known
            .map_or(&[][..], |known| &known.trusted[..])
            .iter()
            .filter_map(|text| DropBox::parse(text));
        let named = self
            .named
            .iter()
            .filter(|(name, _)| name == environment.as_str())
            .map(|(_, drop_box)| drop_box.clone());
        noted.chain(named).collect()
    }

    /// Whether this machine noted that the key of `drop_box` is trusted.
    pub(super) fn is_noted(&self, environment: &EnvironmentName, drop_box: &DropBox) -> bool {
        let known = self.trust.known(self.policy, environment);
        known.is_some_and(|known| known.trusted.iter().any(|trusted| trusted == drop_box.as_str()))
    }

    /// Whether the key of `drop_box` is trusted here, or was named to be.
    pub(super) fn is_trusted(&self, environment: &EnvironmentName, drop_box: &DropBox) -> bool {
        self.trusted(environment).contains(drop_box)
    }

    /// Whether the caller was told to trust this very key.
    pub(super) fn is_named(&self, environment: &EnvironmentName, drop_box: &DropBox) -> bool {
        self.named
            .iter()
            .any(|(name, named)| name == environment.as_str() && named == drop_box)
    }

    /// Judges the key of `footer`, which an identity here opened, and notes that it is trusted. Under a key that passes,
    /// values may be delivered and sealed.
    ///
    /// # Errors
    /// `Integrity` if it is not trusted, or a key that follows it is known.
    pub(super) fn judge(
        &mut self,
        environment: &EnvironmentPolicy,
        footer: &Footer,
        key: &EnvironmentKey,
    ) -> Result<Judgement> {
        let name = &environment.name;
        let head = self.head()?;
        let Findings { notice, complete } = self.weigh(environment, footer, key, head)?;
        // Where commits are missing, the rest is looked at once it is there.
        let looked_at = head.filter(|_| complete);
        let noted = self.trust.note(
            self.policy,
            name,
            key.drop_box(),
            self.place,
            looked_at.map(|head| head.to_string()).as_deref(),
            Rank::AsKnown,
        );
        // Reading goes on where the state folder cannot be written; whatever writes notes again and fails there.
        let notice = match (noted, notice) {
            (Ok(()), notice) => notice,
            (Err(error), Some(Notice::Note(text))) => {
                Some(Notice::Note(format!("{text}; this cannot be noted: {error}")))
            }
            (Err(_), Some(warning)) => Some(warning),
            (Err(_), None) => None,
        };
        Ok(Judgement { notice })
    }

    /// What [`Scene::judge`] would find, without noting it.
    pub(super) fn weigh(
        &mut self,
        environment: &EnvironmentPolicy,
        footer: &Footer,
        key: &EnvironmentKey,
        head: Option<CommitId>,
    ) -> Result<Findings> {
        let name = &environment.name;
        let trusted = self.trusted(name);
        let is_trusted = trusted.contains(key.drop_box());
        let known_policy = self.trust.policy_at(self.place).map(str::to_owned);
        let checked = self
            .trust
            .known(self.policy, name)
            .and_then(|known| known.checked.clone());
        // In a folder that was never looked at, the history is asked which policies stood there.
        let checked = checked.filter(|checked| {
            is_trusted && checked.drop_box == key.drop_box().as_str() && known_policy.as_deref() == Some(self.policy)
        });
        let up_to_date = checked
            .as_ref()
            .is_some_and(|checked| head.is_some_and(|head| head.to_string() == checked.head));
        let stop_at = checked.as_ref().and_then(|checked| CommitId::new(&checked.head));
        let from = if up_to_date { None } else { head };
        let (past, ids) = self.past(environment, footer, key, from, stop_at)?;
        // What a person trusted in this folder is settled, whatever its history says of other policies.
        let settled = is_trusted && known_policy.is_some();
        let foreign = known_policy
            .into_iter()
            .chain(ids.into_iter().filter(|_| !settled))
            .chain(self.policies_above()?.into_iter().filter(|_| !settled))
            .find(|id| id != self.policy);
        if let Some(other) = foreign.filter(|_| !self.is_named(name, key.drop_box())) {
            let message = format!(
                "the policy here has the id `{}`, but `{other}` was known in this folder or above it",
                self.policy
            );
            return Err(distrust(message, name));
        }
        refuse_superseded(&past, name, key.drop_box(), &environment.file)?;
        let notice = if is_trusted {
            self.newer_key(environment, key.drop_box())
        } else if trusted.is_empty() {
            self.refuse_unasked_first_sight(name)?;
            let seen = first_sight(&past, name, key.drop_box())?;
            let cause = self.repository.and_then(Repository::unreadable);
            Some(match cause {
                Some(cause) => Notice::Warning(format!("{seen}; the history here cannot speak against it: {cause}")),
                None if !past.complete => {
                    Notice::Warning(format!("{seen}; the history here is cut, and cannot speak against it"))
                }
                None => Notice::Note(seen),
            })
        } else {
            let known = self.trust.known(self.policy, name);
            let noted = known.map_or(0, |known| known.trusted.len()).min(trusted.len());
            follow(&past, name, &trusted, noted, key.drop_box())?;
            None
        };
        Ok(Findings {
            notice,
            complete: past.complete,
        })
    }

    /// The ids of policies that govern the folders above, up to the repository's root: a policy further down that has an id
    /// of its own takes its folder out of their hands.
    fn policies_above(&self) -> Result<Vec<String>> {
        let Some(repository) = self.repository else {
            return Ok(Vec::new());
        };
        let above = self
            .place
            .ancestors()
            .skip(1)
            .take_while(|folder| folder.starts_with(repository.root()));
        let mut ids = Vec::new();
        for folder in above {
            ids.extend(self.trust.policy_at(folder).map(str::to_owned));
            ids.extend(policy::id_of(&folder.join(POLICY_NAME))?);
        }
        Ok(ids)
    }

    /// First sight is for somebody who was told nothing. A caller who named keys named all that the job needs; and a base
    /// that a known policy extends all of a sudden could bring variables of somebody else's choice.
    pub(super) fn refuse_unasked_first_sight(&self, name: &EnvironmentName) -> Result<()> {
        if !self.named.is_empty() {
            let message = format!("`SECRETREE_TRUST` names no key of `{name}`, which was never seen here");
            let hint = format!("add `{name}:age1…`, the drop box in its file's footer, to SECRETREE_TRUST");
            return Err(Failure::integrity(message).hint(hint).into());
        }
        if self.is_base && self.trust.knows_policy(self.policy) {
            let message = format!("`{name}`, which is extended here, was never seen on this machine");
            let hint = format!("look at who wrote it and who reads it, then: secretree trust {name}");
            return Err(Failure::integrity(message).hint(hint).into());
        }
        Ok(())
    }

    /// A line for the person if this machine once saw a newer key than `drop_box`, which is in no history here: the branch
    /// was moved back to before it.
    fn newer_key(&self, environment: &EnvironmentPolicy, drop_box: &DropBox) -> Option<Notice> {
        let known = self.trust.known(self.policy, &environment.name)?;
        let newest = known
            .trusted
            .last()
            .and_then(|text| DropBox::parse(text))
            .filter(|newest| newest != drop_box)?;
        let name = &environment.name;
        Some(Notice::Warning(format!(
            "this machine knows a newer key of `{name}` (`{}`) than the one that the file stands under (`{}`): was the branch moved back? If that was meant: secretree trust {name}",
            newest.id(),
            drop_box.id()
        )))
    }

    /// The keys known here: of the current file, the index, and the history behind `head` but not behind `stop_at`; and
    /// the ids that the policy had.
    pub(super) fn past(
        &mut self,
        environment: &EnvironmentPolicy,
        footer: &Footer,
        key: &EnvironmentKey,
        head: Option<CommitId>,
        stop_at: Option<CommitId>,
    ) -> Result<(PastKeys, Vec<String>)> {
        let mut past = PastKeys::new(self.policy, &environment.name);
        let here = Origin::uncommitted();
        past.learn(footer, &here, self.identities);
        past.learn_key(key);
        let mut ids = Vec::new();
        let (Some(repository), Some(prefix)) = (self.repository, self.prefix()) else {
            return Ok((past, ids));
        };
        if repository.unreadable().is_some() {
            past.complete = false;
            return Ok((past, ids));
        }
        let found = past_files(repository, head, stop_at, &prefix, environment)?;
        ids.extend(found.ids);
        past.complete &= found.complete;
        past.read(repository, &found.files, head, stop_at, self.identities)?;
        past.learn_key(key);
        Ok((past, ids))
    }
}

/// A key is believed on first sight, unless something here knew another before.
fn first_sight(past: &PastKeys, name: &EnvironmentName, drop_box: &DropBox) -> Result<String> {
    let before = past.leading_to(drop_box);
    let stranger = past
        .drop_boxes()
        .find(|other| past.key(other).is_some() && !before.contains(other));
    if let Some(other) = stranger {
        return Err(forged(past, name, drop_box, other));
    }
    let origin = past
        .origin(drop_box)
        .map_or_else(|| "no commit yet".to_owned(), Origin::shown);
    Ok(format!(
        "first sight of the key `{}` of `{name}` on this machine ({origin}): trusted from now on",
        drop_box.id()
    ))
}

/// Fails if a key is known that follows `drop_box`: the file was put back to what it was.
fn refuse_superseded(past: &PastKeys, name: &EnvironmentName, drop_box: &DropBox, file: &Path) -> Result<()> {
    let Some(next) = past.successors(drop_box).into_iter().next() else {
        return Ok(());
    };
    let origin = past.origin(next);
    let shown = origin.map_or_else(|| "no commit yet".to_owned(), Origin::shown);
    let message = format!(
        "`{name}` stands under the key `{}`, which `{}` replaced ({shown})",
        drop_box.id(),
        next.id()
    );
    let failure = Failure::integrity(message);
    Err(match origin.and_then(|origin| origin.commit.as_ref()) {
        Some(commit) => failure.hint(format!("git restore --source {} -- {}", &commit[..12], file.display())),
        None => failure.hint(format!("take the staged file: git restore -- {}", file.display())),
    }
    .into())
}

/// Finds a trusted key that leads to `drop_box` and whose other successors all lead there too. Of the first `noted` keys,
/// those that this machine came to trust later count as successors: on a branch from before a new key, a removed reader
/// could make another.
fn follow(
    past: &PastKeys,
    name: &EnvironmentName,
    trusted: &[DropBox],
    noted: usize,
    drop_box: &DropBox,
) -> Result<()> {
    let before = past.leading_to(drop_box);
    let leads = |old: &DropBox| before.contains(old);
    for (position, old) in trusted.iter().enumerate() {
        let mut later = trusted.iter().take(noted).skip(position);
        if leads(old) && past.successors(old).into_iter().all(leads) && later.all(leads) {
            return Ok(());
        }
    }
    match trusted.iter().rev().find(|old| past.key(old).is_none()) {
        Some(missing) if past.leads_nowhere(trusted) => Err(unknown_predecessor(past, name, missing)),
        _ => Err(forged(past, name, drop_box, trusted.last().unwrap_or(drop_box))),
    }
}

impl PastKeys {
    /// Whether none of these keys opens here, so that nothing can be said of what follows them.
    fn leads_nowhere(&self, trusted: &[DropBox]) -> bool {
        trusted.iter().all(|old| self.key(old).is_none())
    }
}

fn unknown_predecessor(past: &PastKeys, name: &EnvironmentName, missing: &DropBox) -> anyhow::Error {
    let why = if past.complete {
        "in no history here"
    } else {
        "not in this clone"
    };
    let message = format!(
        "the key of `{name}` cannot be checked: a grant of `{}`, which is trusted, is {why}",
        missing.id()
    );
    let hint = if past.complete {
        "if a reader made the new key"
    } else {
        "`git fetch --unshallow`, or if a reader made the new key"
    };
    Failure::integrity(message)
        .hint(format!("{hint}: secretree trust {name}"))
        .into()
}

fn forged(past: &PastKeys, name: &EnvironmentName, drop_box: &DropBox, known: &DropBox) -> anyhow::Error {
    let origin = past
        .origin(drop_box)
        .map_or_else(|| "no commit yet".to_owned(), Origin::shown);
    let message = format!(
        "the key `{}` of `{name}` ({origin}) is not trusted: the key `{}`, known here, does not vouch for it",
        drop_box.id(),
        known.id()
    );
    distrust(message, name)
}

fn distrust(message: String, name: &EnvironmentName) -> anyhow::Error {
    Failure::integrity(message)
        .hint(format!(
            "ask who wrote that commit; only if it was meant: secretree trust {name}"
        ))
        .into()
}

impl Scene<'_> {
    /// Who brought the key of `footer`; needs no identity.
    pub(super) fn origin(&mut self, environment: &EnvironmentPolicy, footer: &Footer) -> Result<Option<Origin>> {
        let past = self.public_past(environment, footer)?;
        Ok(past.origin(&footer.drop_box).cloned())
    }

    /// What speaks against the drop box of `footer`, besides that it may be new here: a key that this machine trusts came
    /// later, or instead. Needs no identity, so what claims to follow is believed.
    pub(super) fn other_key(&mut self, environment: &EnvironmentPolicy, footer: &Footer) -> Result<Option<String>> {
        let name = &environment.name;
        let drop_box = &footer.drop_box;
        if self.is_named(name, drop_box) {
            return Ok(None);
        }
        let trusted = self.trusted(name);
        let Some(newest) = trusted.last().filter(|newest| *newest != drop_box) else {
            return Ok(None);
        };
        let id = newest.id();
        if !trusted.contains(drop_box) {
            return Ok(Some(format!("this machine knows another key of `{name}`, `{id}`")));
        }
        let past = self.public_past(environment, footer)?;
        let claims = past.is_claimed_by(drop_box, &trusted);
        Ok(Some(match claims {
            true => format!("a key of `{name}` that this machine trusts says that it replaced this one"),
            false => format!("this machine knows a newer key of `{name}`, `{id}`: was the branch moved back?"),
        }))
    }

    /// The id of another policy that was known in this folder or governs it from above, unless a person settled that or
    /// named this very key. Needs no identity.
    pub(super) fn other_policy(&mut self, environment: &EnvironmentPolicy, footer: &Footer) -> Result<Option<String>> {
        if self.is_named(&environment.name, &footer.drop_box) {
            return Ok(None);
        }
        if let Some(known) = self.trust.policy_at(self.place) {
            return Ok(Some(known.to_owned()).filter(|known| known != self.policy));
        }
        let head = self.head()?;
        let past = match (self.readable(), self.prefix()) {
            (Some(repository), Some(prefix)) => past_files(repository, head, None, &prefix, environment)?.ids,
            _ => std::collections::BTreeSet::new(),
        };
        let mut all = past.into_iter().chain(self.policies_above()?);
        Ok(all.find(|id| id != self.policy))
    }

    /// Whether the history behind HEAD is complete and knows the drop box of `footer` and no other for the environment.
    pub(super) fn is_only_key(&mut self, environment: &EnvironmentPolicy, footer: &Footer) -> Result<bool> {
        let past = self.public_past(environment, footer)?;
        let committed = past
            .origin(&footer.drop_box)
            .is_some_and(|origin| origin.commit.is_some());
        Ok(past.complete && committed && past.drop_boxes().count() == 1)
    }

    /// The keys of the environment as anyone can see them.
    fn public_past(&mut self, environment: &EnvironmentPolicy, footer: &Footer) -> Result<PastKeys> {
        let head = self.head()?;
        let mut past = PastKeys::new(self.policy, &environment.name);
        past.learn(footer, &Origin::uncommitted(), self.identities);
        let repository = self.repository.filter(|repository| repository.unreadable().is_none());
        if let (Some(repository), Some(prefix)) = (repository, self.prefix()) {
            let found = past_files(repository, head, None, &prefix, environment)?;
            past.complete &= found.complete;
            past.read(repository, &found.files, head, None, self.identities)?;
        }
        Ok(past)
    }
}
