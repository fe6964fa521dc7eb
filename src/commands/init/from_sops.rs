//! `init --from-sops`: the rules and files of sops as a policy and environments, all or nothing. The sops files stay.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use secretree::adoption::{Adopted, Adoption, Owner, adopt};
use secretree::crypto::public_key::PublicKey;
use secretree::error::{Failure, Result};
use secretree::files::{FILE_LIMIT, Transaction, read_bounded, read_if_present};
use secretree::formats::sops::{self, SopsRules};
use secretree::git::Repository;
use secretree::names::RecipientName;
use secretree::policy::POLICY_NAME;
use secretree::secret::Secret;
use secretree::vault::{Vault, refused};

use super::name::ask_name;
use super::sops_files::sops_files;
use super::{Args, draft, new_id, refuse_ignored, set_up_git};
use crate::context::{Context, checked_name};
use crate::ui::escaped;

const RULES_NAME: &str = ".sops.yaml";
const RULES_LIMIT: u64 = 1 << 20;
/// The most files that one line of hints names.
const MOST_NAMED: usize = 6;

/// Who makes a policy where sops has rules may not know that they can be taken over.
pub(super) fn say_that_it_can(context: &Context, folder: &Path) {
    if folder.join(RULES_NAME).is_file() {
        let note = format!(
            "note: there is a `{RULES_NAME}` here; to make policy and environments of it: secretree init --from-sops"
        );
        context.ui.note(&note);
    }
}

/// Runs the command in a folder that has no policy.
pub(super) fn run(args: &Args, context: &Context, folder: &Path, repository: Option<&Repository>) -> Result<ExitCode> {
    let rules = rules(folder)?;
    let found = sops_files(folder, repository)?;
    let keys = own_keys(context, repository, &rules)?;
    let owner = Owner {
        name: owner_name(args, context, folder, Owner::name_in(&rules, &keys))?,
        keys: &keys,
    };
    let is_there = |path: &Path| folder.join(path).symlink_metadata().is_ok();
    let adoption = adopt(&rules, &found, &owner, &new_id(), is_there)?;
    let mut files: Vec<PathBuf> = std::iter::once(PathBuf::from(POLICY_NAME))
        .chain(adoption.environments.iter().map(|environment| environment.file.clone()))
        .collect();
    refuse_ignored(args, context, repository, folder, &files)?;
    // Everything is read before anything is asked, so that the plan can say what comes of it.
    let loaded = draft(folder, &adoption.policy)?;
    let mut vault = context.vault(&loaded)?;
    let mut texts = Vec::new();
    let mut plan = plan(&adoption);
    for environment in &adoption.environments {
        texts.push(text_of(&mut vault, environment, folder, &mut plan)?);
    }
    if !context.ui.confirm(&plan, "write this?")? {
        return Err(Failure::failed("nothing was written").into());
    }
    write(&mut vault, &adoption, texts)?;
    context.tell(&mut vault);
    files.extend(set_up_git(args, context, &vault)?);
    say_what_is_next(context, &adoption, &files, args.commit);
    if args.commit {
        context.commit(&vault, &files, "secrets: adopt what sops encrypted")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// `--name`, or what `.sops.yaml` or git call the owner, asked where there is somebody to ask. Where there is nobody the
/// plan shows it.
fn owner_name(args: &Args, context: &Context, folder: &Path, in_rules: Option<RecipientName>) -> Result<RecipientName> {
    if let Some(named) = &args.name {
        return checked_name(named, "init");
    }
    match in_rules.or_else(|| context.name_from_git(folder)) {
        Some(name) if context.ui.assumes_yes() || context.ui.terminal().is_none() => Ok(name),
        proposal => ask_name(context, proposal),
    }
}

fn rules(folder: &Path) -> Result<SopsRules> {
    let bytes = read_if_present(&folder.join(RULES_NAME), RULES_LIMIT)?.ok_or_else(|| {
        Failure::failed(format!("there is no `{RULES_NAME}` here"))
            .hint("run it in the folder that has one; without rules: secretree init, then secretree import ENV FILE")
    })?;
    let text = String::from_utf8(bytes).map_err(|_| Failure::failed(format!("`{RULES_NAME}` is no UTF-8 text")))?;
    Ok(SopsRules::parse(&text).map_err(|refusal| refused(Path::new(RULES_NAME), &refusal))?)
}

/// The public keys of the identities here, those that a rule names in front.
fn own_keys(context: &Context, repository: Option<&Repository>, rules: &SopsRules) -> Result<Vec<PublicKey>> {
    let work_tree = repository.map(Repository::root);
    let mut identities = context.identities(context.plugins(work_tree), work_tree)?;
    let mut keys: Vec<PublicKey> = identities
        .public_keys()
        .into_iter()
        .map(|(_, key)| key.clone())
        .collect();
    if keys.is_empty() {
        return Err(
            Failure::no_identity("there is no identity here, so sops files cannot be read")
                .hint("name the age key that sops uses: secretree -i FILE init --from-sops, or SOPS_AGE_KEY_FILE")
                .into(),
        );
    }
    let recipients = rules.rules.iter().flat_map(|rule| &rule.recipients);
    let named: Vec<PublicKey> = recipients
        .filter_map(|recipient| PublicKey::parse(&recipient.key).ok())
        .collect();
    keys.sort_by_key(|key| !named.contains(key));
    Ok(keys)
}

/// What would be written, a line for each recipient, group and environment, and what is not taken along.
fn plan(adoption: &Adoption) -> Vec<String> {
    let joined = |names: &[RecipientName]| names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
    let recipients = adoption
        .recipients
        .iter()
        .map(|(name, key)| format!("recipient {name}: {key}"));
    let groups = adoption
        .groups
        .iter()
        .map(|(name, members)| format!("group {name}: {}", joined(members)));
    let environments = adoption.environments.iter().map(|environment| {
        let Adopted {
            name,
            file,
            source,
            readers,
            ..
        } = environment;
        let (file, source) = (file.display(), source.display());
        format!("environment {name}: {file} from {source}, read by {}", joined(readers))
    });
    let notes = adoption.notes.iter().map(|note| format!("note: {note}"));
    let lines = recipients.chain(groups).chain(environments).chain(notes);
    lines.map(|line| escaped(&line).into_owned()).collect()
}

/// The text of one new file, with the values of its sops file; adds to the plan what there is to say about it.
fn text_of(vault: &mut Vault<'_>, environment: &Adopted, folder: &Path, plan: &mut Vec<String>) -> Result<String> {
    let source = &environment.source;
    let shown = source.display().to_string();
    let bytes = Secret::new(read_bounded(&folder.join(source), FILE_LIMIT)?);
    let imported = sops::read(bytes.expose(), environment.kind, vault.identities(), &shown)?;
    let file = vault.load(&environment.name)?;
    let basis = vault.or_first(&file)?;
    let opened = vault.open(&basis)?;
    let laid = opened.lay_over(&imported.text, source)?;
    let comments = match laid.comments {
        0 => None,
        count => Some(format!(
            "comments become readable, which sops may keep encrypted: {count}"
        )),
    };
    let notes = imported.notes.iter().chain(&comments);
    plan.extend(notes.map(|note| escaped(&format!("note: `{shown}`: {note}")).into_owned()));
    Ok(laid.text)
}

/// Writes the policy and all files as one change.
fn write(vault: &mut Vault<'_>, adoption: &Adoption, texts: Vec<String>) -> Result<()> {
    let lock = vault.lock()?;
    let policy = Path::new(POLICY_NAME);
    let files = adoption
        .environments
        .iter()
        .map(|environment| environment.file.as_path());
    for file in files.chain([policy]) {
        if vault.folder().join(file).symlink_metadata().is_ok() {
            let message = format!(
                "`{}` was made by somebody else meanwhile; nothing was written",
                file.display()
            );
            return Err(Failure::failed(message).hint("run the command again").into());
        }
    }
    let mut transaction = Transaction::new(&lock).add(POLICY_NAME, adoption.policy.clone().into_bytes());
    for (environment, text) in adoption.environments.iter().zip(texts) {
        vault.note_key_of(&environment.name, &text)?;
        transaction = transaction.add(&environment.file, text.into_bytes());
    }
    transaction.commit()
}

fn say_what_is_next(context: &Context, adoption: &Adoption, files: &[PathBuf], commits: bool) {
    let listed = |files: &mut dyn Iterator<Item = &Path>| {
        let files: Vec<_> = files.map(|file| file.display().to_string()).collect();
        (files.len() <= MOST_NAMED).then(|| files.join(" "))
    };
    let count = files.len();
    let new = listed(&mut files.iter().map(PathBuf::as_path));
    match &new {
        Some(names) => context.ui.note(&escaped(&format!("wrote {names}"))),
        None => context
            .ui
            .note(&format!("wrote {POLICY_NAME} and {} environments", count - 1)),
    }
    if !commits {
        context.ui.note(&escaped(&match new {
            Some(names) => format!("next: git add {names} && git commit"),
            None => format!("next: commit {POLICY_NAME} and the {} new files", count - 1),
        }));
    }
    let old = adoption
        .environments
        .iter()
        .map(|environment| environment.source.as_path());
    let old = listed(&mut old.chain([Path::new(RULES_NAME)]));
    let old = old.unwrap_or_else(|| format!("{RULES_NAME} and the {} sops files", adoption.environments.len()));
    context.ui.note(&escaped(&format!(
        "when nothing reads the sops files any more: git rm {old}"
    )));
}
