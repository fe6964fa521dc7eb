//! The vault: environment files of one policy, opened with the identities at hand. It decides which key may be believed,
//! reads and writes values, and saves files so that nothing is lost. It asks nobody and prints nothing: what a person
//! should hear is collected as notices.

mod apply;
mod at;
mod change;
mod edited;
mod environment;
mod examine;
pub mod footer;
mod imported;
mod merge;
mod moved;
mod outsiders;
mod past;
mod past_files;
mod past_trust;
mod proposal;
mod proposals;
mod provenance;
mod readable;
mod reading;
mod rekey;
mod scrutiny;
mod takeover;
mod trust;
mod trust_file;
mod unlock;
mod view;

use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

pub use apply::Plan;
pub use at::At;
pub use change::Changes;
pub use environment::Environment;
pub use examine::{Examination, Verdict};
pub use imported::Laid;
pub use merge::{MergeOutcome, MergeTexts, merge_under_one_key, merge_unopened};
pub use moved::Former;
pub use past::Origin;
pub use proposal::Addressee;
pub use proposals::{Content, Effect, Proposal, Proposed};
pub use provenance::Provenance;
pub use reading::{Place, Reading, Rulebook, not_utf8, refused};
pub use rekey::Dropped;
pub use scrutiny::Scrutiny;
pub use takeover::Takeover;
pub use trust::Notice;
pub use view::{Layers, known_paths, list_of_base};

use crate::crypto::identities::Identities;
use crate::crypto::key::DropBox;
use crate::crypto::plugins::Plugins;
use crate::document::path::ValuePath;
use crate::document::token::is_token;
use crate::document::tree::{Located, Rules, Tree};
use crate::error::{Failure, Result};
use crate::files::{self, FolderLock, Transaction};
use crate::git::Repository;
use crate::names::EnvironmentName;
use crate::policy::{LoadedPolicy, POLICY_NAME, PolicyChange};
use trust::Scene;
pub use trust_file::FILE_NAME as TRUST_FILE_NAME;
use trust_file::{Rank, TrustFile};

/// How long a command waits for another that writes.
const PATIENCE: Duration = Duration::from_secs(10);

/// An environment's file as it was read.
#[derive(Clone, Debug)]
pub struct EnvironmentFile {
    /// The environment.
    pub name: EnvironmentName,
    /// The file, relative to the root policy's folder.
    pub relative: PathBuf,
    /// Its text; nothing if there is no such file.
    pub text: Option<String>,
}

/// What a vault works with.
pub struct Setup<'p> {
    /// The policy.
    pub loaded: &'p LoadedPolicy,
    /// The repository that the policy stands in, if any.
    pub repository: Option<Repository>,
    /// The identities at hand.
    pub identities: Identities,
    /// Where age plugins are found, for sealing to them.
    pub plugins: Plugins,
    /// The folder of the trust file; without one, nothing can be noted.
    pub state_folder: Option<PathBuf>,
    /// Drop boxes that the caller was told to trust, by environment.
    pub named: Vec<(String, DropBox)>,
}

/// The environments of one policy.
pub struct Vault<'p> {
    loaded: &'p LoadedPolicy,
    place: PathBuf,
    repository: Option<Repository>,
    identities: Identities,
    plugins: Plugins,
    trust: TrustFile,
    named: Vec<(String, DropBox)>,
    /// Drop boxes of keys that were made here and are not saved yet.
    made: Vec<DropBox>,
    notices: Vec<Notice>,
    /// Whether what is opened now is a base of the environment that was asked for.
    opens_base: bool,
    /// The commit that is read instead of the work tree.
    at: Option<At<'p>>,
}

impl<'p> Vault<'p> {
    /// Finishes what an interrupted command left, as far as the folder can be written.
    ///
    /// # Errors
    /// `Failed` if the trust file cannot be read; `Integrity` if a journal is not ours.
    pub fn new(setup: Setup<'p>) -> Result<Self> {
        let vault = Self::looking(setup)?;
        if files::is_pending(&vault.place) {
            vault.refuse_foreign_journal()?;
            // On a read-only tree the new contents are read through the journal instead.
            if let Ok(lock) = FolderLock::acquire(&vault.place, PATIENCE) {
                let finished = files::finish_pending(&lock, &vault.files());
                if let Err(error) = finished
                    && apply::is_integrity(&error)
                {
                    return Err(error);
                }
            }
        }
        Ok(vault)
    }

    /// Finishes nothing: for those who only look.
    ///
    /// # Errors
    /// `Failed` if the trust file cannot be read.
    pub fn looking(setup: Setup<'p>) -> Result<Self> {
        Ok(Self {
            place: files::real_path(&setup.loaded.root_folder)?,
            loaded: setup.loaded,
            repository: setup.repository,
            identities: setup.identities,
            plugins: setup.plugins,
            trust: TrustFile::load(setup.state_folder)?,
            named: setup.named,
            made: Vec::new(),
            notices: Vec::new(),
            opens_base: false,
            at: None,
        })
    }

    /// The repository that the policy stands in, if it can be read, and the policy's folder relative to its root.
    fn inside(&self) -> Option<(&Repository, &Path)> {
        let repository = self
            .repository
            .as_ref()
            .filter(|repository| repository.unreadable().is_none())?;
        Some((repository, self.place.strip_prefix(repository.root()).ok()?))
    }

    /// A journal that git knows was written by no command of this machine: it would replace files that were reviewed.
    fn refuse_foreign_journal(&self) -> Result<()> {
        let inside = self
            .inside()
            .map(|(repository, prefix)| (repository, prefix.join(files::JOURNAL)));
        match inside {
            Some((repository, journal)) if repository.is_tracked(&journal)? => {
                let message = format!(
                    "`{}` is a file of the repository; a journal never is",
                    journal.display()
                );
                let hint = format!("look at who committed it, then: git rm -f {}", journal.display());
                Err(Failure::integrity(message).hint(hint).into())
            }
            _ => Ok(()),
        }
    }

    /// The policy and environment files, relative to the root policy's folder.
    fn files(&self) -> Vec<PathBuf> {
        let environments = self
            .loaded
            .policy
            .environments
            .values()
            .map(|environment| environment.file.clone());
        let policies = self
            .loaded
            .policy
            .files
            .iter()
            .map(|(folder, _)| folder.join(POLICY_NAME));
        environments.chain(policies).collect()
    }

    /// The policy as it was loaded.
    pub fn loaded(&self) -> &'p LoadedPolicy {
        self.loaded
    }

    /// The repository that the policy stands in.
    pub fn repository(&self) -> Option<&Repository> {
        self.repository.as_ref()
    }

    /// The identities at hand.
    pub fn identities(&mut self) -> &mut Identities {
        &mut self.identities
    }

    /// What a person should hear, since the last call.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    /// What the policy says about an environment.
    ///
    /// # Errors
    /// `Failed` if it has no such environment.
    pub fn rules(&self, name: &EnvironmentName) -> Result<Rulebook<'p>> {
        let policy = &self.loaded.policy;
        match policy.environment(name) {
            Some(environment) => Ok(Rulebook { policy, environment }),
            None => Err(Failure::failed(format!("`{name}` is no environment"))
                .hint("secretree list")
                .into()),
        }
    }

    /// Whether an identity at hand, locked or not, fits a grant of the file.
    pub fn holds_grant(&mut self, reading: &Reading<'_>) -> bool {
        let own = self.identities.public_keys();
        reading
            .footer
            .all_grants()
            .any(|(_, label, _)| own.iter().any(|(_, key)| key.label() == label))
    }

    /// Waits until no other command writes here, and keeps others waiting until the lock is dropped.
    ///
    /// # Errors
    /// `Failed` if another command holds it for too long, or the folder cannot be written.
    pub fn lock(&mut self) -> Result<FolderLock> {
        let lock = FolderLock::acquire(&self.place, PATIENCE)?;
        files::finish_pending(&lock, &self.files())?;
        // Who wrote while this waited noted the key there.
        self.trust.reload()?;
        Ok(lock)
    }

    /// Reads the file of an environment; a missing one has no text.
    ///
    /// # Errors
    /// `Failed` if it is no ordinary file of UTF-8 text of at most 64 MiB, or stands behind a link.
    pub fn load(&self, name: &EnvironmentName) -> Result<EnvironmentFile> {
        let environment = self.rules(name)?.environment;
        if let Some(at) = self.at {
            return self.load_at(environment, at);
        }
        let path = self.loaded.file(environment)?;
        let pending = files::read_through(&self.place, &environment.file)?;
        let bytes = match pending {
            Some(bytes) => Some(bytes),
            None => files::read_if_present(&path, files::FILE_LIMIT)?,
        };
        let text = match bytes.map(String::from_utf8) {
            None => None,
            Some(Ok(text)) => Some(text),
            Some(Err(error)) => {
                let bytes = error.as_bytes();
                return Err(not_utf8(&environment.file, bytes, &error.utf8_error()).into());
            }
        };
        Ok(EnvironmentFile {
            name: name.clone(),
            relative: environment.file.clone(),
            text,
        })
    }

    /// Reads what anyone can read of a file.
    ///
    /// # Errors
    /// As [`Reading::new`]; `Failed` if there is no such file.
    pub fn read<'f>(&self, file: &'f EnvironmentFile) -> Result<Reading<'f>> {
        Reading::new(self.text_of(file)?, self.rules(&file.name)?)
    }

    /// The file, or what it would be made as if it is missing.
    ///
    /// # Errors
    /// As [`Vault::first`].
    pub fn or_first(&mut self, file: &EnvironmentFile) -> Result<EnvironmentFile> {
        let first = self.first(file)?;
        Ok(first.map_or_else(|| file.clone(), |plan| plan.made()))
    }

    /// What makes the file where it is missing; nothing where it is there. Its key is believed, since it is made here; that
    /// is noted only when it is saved.
    ///
    /// # Errors
    /// As [`Vault::plan`]; `Failed` where the environment had a file once: whoever takes one out, and a line into the
    /// policy, must not be granted what others write.
    pub fn first(&mut self, file: &EnvironmentFile) -> Result<Option<Plan>> {
        if file.text.is_some() {
            return Ok(None);
        }
        let plan = self.plan(&file.name, false)?;
        if plan.begins_anew {
            let (name, shown) = (&file.name, file.relative.display());
            let message = format!("`{name}` had a file, `{shown}`, and it was taken out: only `apply` makes another");
            return Err(Failure::failed(message)
                .hint(format!("see who took it out: git log -1 -- {shown}"))
                .hint(format!("to begin anew, and see whom it grants: secretree apply {name}"))
                .into());
        }
        if let Some(footer) = footer::footer_of(&plan.text) {
            self.made.push(footer.drop_box);
        }
        Ok(Some(plan))
    }

    /// The policy or environment file, relative to the policy's folder, that `target` (absolute) is.
    pub fn own_file(&self, target: &Path) -> Option<PathBuf> {
        let relative = target.strip_prefix(&self.place).ok()?;
        self.files().into_iter().find(|file| file == relative)
    }

    /// The file's text in the commit that HEAD names; nothing where there is none, or that cannot be told.
    pub(super) fn committed_text(&self, file: &EnvironmentFile) -> Option<String> {
        let (repository, prefix) = self.inside()?;
        let head = repository.head().ok()??;
        let bytes = repository.blob_at(head, &prefix.join(&file.relative)).ok()??;
        String::from_utf8(bytes).ok()
    }

    /// The file's text in the last commit, where it is another one than `file`.
    pub fn committed_before(&self, file: &EnvironmentFile) -> Option<String> {
        self.committed_text(file)
            .filter(|committed| file.text.as_deref() != Some(committed))
    }

    /// Whether one of `paths` stands readable in the file as HEAD has it: then its value is in git's history.
    pub fn was_committed_readable(&self, file: &EnvironmentFile, paths: &[ValuePath]) -> bool {
        let Some(text) = self.committed_text(file) else {
            return false;
        };
        let Ok(tree) = Tree::parse(&text, Rules::File) else {
            return false;
        };
        let stood =
            |path: &ValuePath| matches!(tree.node(path), Some(Located::Scalar(scalar)) if !is_token(&scalar.content));
        paths.iter().any(stood)
    }

    fn text_of<'f>(&self, file: &'f EnvironmentFile) -> Result<&'f str> {
        file.text.as_deref().ok_or_else(|| {
            if self.at.is_some() {
                return at::no_file_at(file).into();
            }
            if self.committed_text(file).is_some() {
                let shown = file.relative.display();
                return Failure::failed(format!("`{shown}` is missing, but the last commit has it"))
                    .hint(format!("git restore {shown}"))
                    .into();
            }
            Failure::failed(format!(
                "`{}` has no file yet: there is no `{}`",
                file.name,
                file.relative.display()
            ))
            .hint(format!("secretree apply {}", file.name))
            .into()
        })
    }

    /// Opens an environment for delivering and writing values: its grant with an identity at hand, then its key is judged.
    ///
    /// # Errors
    /// `NoIdentity` if nobody here was granted it; `Integrity` if the file or the key is not to be believed.
    pub fn open<'f>(&mut self, file: &'f EnvironmentFile) -> Result<Environment<'f>>
    where
        'p: 'f,
    {
        let reading = self.read(file)?;
        self.unlock(reading)
    }

    /// Opens an environment whose file was read; see [`Vault::open`].
    ///
    /// # Errors
    /// As [`Vault::open`].
    pub fn unlock<'f>(&mut self, reading: Reading<'f>) -> Result<Environment<'f>>
    where
        'p: 'f,
    {
        let rules = self.rules(&reading.footer.environment)?;
        let (opened_by, key) = self.open_grant(rules, &reading.footer)?;
        self.refuse_made_readable(rules, &reading)?;
        if let Some(at) = self.at {
            let notice = self.scene().judge_past(rules.environment, &reading.footer, &key, at)?;
            self.notices.extend(notice);
        } else if !self.made.contains(key.drop_box()) {
            let mut judged = self.scene().judge(rules.environment, &reading.footer, &key);
            // A key made since the trust file was read was noted there before the file that was read now was written.
            if judged.is_err() && self.trust.reload()? {
                judged = self.scene().judge(rules.environment, &reading.footer, &key);
            }
            self.notices.extend(judged?.notice);
        }
        Ok(Environment {
            rules,
            reading,
            key,
            opened_by,
        })
    }

    fn scene(&mut self) -> Scene<'_> {
        Scene {
            policy: &self.loaded.policy.id,
            place: &self.place,
            repository: self.repository.as_ref(),
            trust: &mut self.trust,
            named: &self.named,
            identities: &mut self.identities,
            is_base: self.opens_base,
        }
    }

    /// Puts new texts in the place of files, all or none. A file that changed since it was read is not replaced.
    ///
    /// # Errors
    /// `Failed` if one changed meanwhile or cannot be written: then none was.
    pub fn save(&mut self, lock: &FolderLock, changes: &[(&EnvironmentFile, String)]) -> Result<()> {
        self.save_under(lock, None, changes)
    }

    /// The same, in one step with the lines of the policy that the new texts were made under.
    ///
    /// # Errors
    /// As [`Vault::save`], also for a policy file that changed meanwhile.
    pub fn save_under(
        &mut self,
        lock: &FolderLock,
        policy: Option<&PolicyChange>,
        changes: &[(&EnvironmentFile, String)],
    ) -> Result<()> {
        let mut transaction = Transaction::new(lock);
        let mut any = false;
        if let Some(policy) = policy.filter(|policy| !policy.is_empty()) {
            transaction = policy.add_to(lock, transaction)?;
            any = true;
        }
        for (file, text) in changes {
            if file.text.as_deref() == Some(text) {
                continue;
            }
            if self.load(&file.name)?.text != file.text {
                let message = format!(
                    "`{}` changed on disk meanwhile; nothing was written",
                    file.relative.display()
                );
                return Err(Failure::failed(message).hint("run the command again").into());
            }
            transaction = transaction.add(&file.relative, text.clone().into_bytes());
            any = true;
        }
        // Before the files need it, and once for all of them.
        self.trust.hold();
        for (file, text) in changes.iter().filter(|(file, text)| file.text.as_deref() != Some(text)) {
            self.note_key_of(&file.name, text)?;
        }
        self.trust.write_held()?;
        if any { transaction.commit() } else { Ok(()) }
    }

    /// Does `work` on many environments; what is trusted by it is noted once, and not for each.
    pub fn noting_once<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        self.trust.hold();
        let outcome = work(self);
        // Where this cannot be written, whatever writes files notes again and fails there.
        if let Err(error) = self.trust.write_held() {
            self.notices
                .push(Notice::Warning(format!("what is trusted cannot be noted: {error}")));
        }
        outcome
    }

    /// Notes that a person trusts the key of `drop_box` as the one that holds now, also over keys that were trusted later.
    ///
    /// # Errors
    /// `Failed` if the trust file cannot be written.
    pub fn settle_trust(&mut self, name: &EnvironmentName, drop_box: &DropBox) -> Result<()> {
        self.trust
            .note(&self.loaded.policy.id, name, drop_box, &self.place, None, Rank::Newest)
    }

    /// Notes that the key of a text that is about to be written is trusted: before the file needs it.
    ///
    /// # Errors
    /// `Failed` if the trust file cannot be written.
    pub fn note_key_of(&mut self, name: &EnvironmentName, text: &str) -> Result<()> {
        match footer::footer_of(text) {
            Some(footer) => self.note_trust(name, &footer.drop_box),
            None => Ok(()),
        }
    }

    /// Notes that the key of `drop_box` is trusted for the environment here.
    ///
    /// # Errors
    /// `Failed` if the trust file cannot be written.
    pub fn note_trust(&mut self, name: &EnvironmentName, drop_box: &DropBox) -> Result<()> {
        self.trust
            .note(&self.loaded.policy.id, name, drop_box, &self.place, None, Rank::AsKnown)
    }

    /// The decrypted text of one environment's own file.
    ///
    /// # Errors
    /// As [`Vault::open`].
    pub fn text(&mut self, file: &EnvironmentFile) -> Result<Zeroizing<String>> {
        self.open(file)?.text()
    }

    /// The real path of the root policy's folder.
    pub fn folder(&self) -> &Path {
        &self.place
    }
}
