//! Changes who there is and who reads what in the text of a policy, keeping comments and layout: only the lines
//! concerned change. Each step is read again and must say exactly what was meant, or nothing is changed at all; writing
//! the files is `change`'s.

mod change;
mod keys;
mod members;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use change::{DiffLine, PolicyChange};
pub use keys::{KeyList, MOST_KEYS, NamedKey, read_keys};

use super::environments::EnvironmentPolicy;
use super::file::{POLICY_NAME, parse};
use super::load::LoadedPolicy;
use super::spot::SourceText;
use crate::crypto::public_key::PublicKey;
use crate::document::edit::{Change, changed, entry_in_one_line};
use crate::document::meaning::Meaning;
use crate::document::path::{Segment, ValuePath};
use crate::document::tree::{Located, Rules, Tree};
use crate::error::{Failure, Result};
use crate::names::{EnvironmentName, RecipientName};
use crate::value::Value;

/// The most places that a hint names.
const MOST_NAMED: usize = 12;

/// Somebody or something new in a policy.
#[derive(Clone, Debug)]
pub struct NewRecipient {
    /// The name.
    pub name: RecipientName,
    /// The public keys; at least one.
    pub keys: Vec<NamedKey>,
    /// Where to write to.
    pub email: Option<String>,
    /// Whether it is a machine.
    pub machine: bool,
}

impl NewRecipient {
    /// What stands in the policy under the name.
    fn meaning(&self) -> Meaning {
        let keys = Meaning::texts(self.keys.iter().map(|key| key.text.as_str()));
        let mut fields = vec![("keys".to_owned(), keys)];
        if let Some(email) = &self.email {
            fields.push(("email".to_owned(), Meaning::text(email)));
        }
        if self.machine {
            fields.push(("machine".to_owned(), Meaning::Scalar(Value::Bool(true))));
        }
        Meaning::Mapping(fields)
    }
}

/// One policy file while it is changed.
struct Draft {
    folder: PathBuf,
    source: Arc<SourceText>,
    text: String,
}

/// A policy while it is changed: its files' texts, and what they say so far.
pub struct PolicyEdit<'p> {
    loaded: &'p LoadedPolicy,
    drafts: Vec<Draft>,
}

impl<'p> PolicyEdit<'p> {
    /// Begins with the policy as it was read; one that was read with everything below it knows all files.
    pub fn new(loaded: &'p LoadedPolicy) -> Self {
        let drafts = loaded.policy.files.iter().map(|(folder, source)| Draft {
            folder: folder.clone(),
            source: Arc::clone(source),
            text: source.text.clone(),
        });
        Self {
            loaded,
            drafts: drafts.collect(),
        }
    }

    /// Adds somebody new.
    ///
    /// # Errors
    /// `Failed` if the text cannot be changed by a machine; the hint has the lines to add by hand. So do all others.
    pub fn add_recipient(&mut self, new: &NewRecipient) -> Result<()> {
        self.add_recipients(&[new])
    }

    /// Adds many at once, which reads the text once and not once for each.
    ///
    /// # Errors
    /// As [`PolicyEdit::add_recipient`].
    pub fn add_recipients(&mut self, new: &[&NewRecipient]) -> Result<()> {
        if new.is_empty() {
            return Ok(());
        }
        let entries = new.iter().map(|new| (new.name.to_string(), new.meaning())).collect();
        let is_first = tree_of(&self.drafts[0])?.root.get("recipients").is_none();
        let change = if is_first {
            let only = vec![("recipients".to_owned(), Meaning::Mapping(entries))];
            Change::Insert(ValuePath::default(), only)
        } else {
            Change::Insert(ValuePath::of_keys(["recipients"]), entries)
        };
        self.step(0, &change)
    }

    /// Adds a public key to somebody who is there.
    ///
    /// # Errors
    /// As [`PolicyEdit::add_recipient`].
    pub fn add_key(&mut self, recipient: &RecipientName, key: &NamedKey) -> Result<()> {
        self.step(0, &Change::Append(keys_of(recipient), vec![key.text.clone()]))
    }

    /// Takes a public key away from somebody.
    ///
    /// # Errors
    /// As [`PolicyEdit::add_recipient`]; `Failed` if it is no key of theirs.
    pub fn remove_key(&mut self, recipient: &RecipientName, key: &PublicKey) -> Result<()> {
        let list = keys_of(recipient);
        let is_meant = |text: &str| PublicKey::parse(text).as_ref() == Ok(key);
        if self.remove_item(0, &list, is_meant)? {
            return Ok(());
        }
        Err(Failure::failed(format!("`{recipient}` has no such key"))
            .hint(format!("secretree recipient show {recipient}"))
            .into())
    }

    /// Lets a recipient or group read an environment; nothing changes if `readers` names it.
    ///
    /// # Errors
    /// As [`PolicyEdit::add_recipient`]; `Failed` if a placeholder declares the environment together with others.
    pub fn add_reader(&mut self, environment: &EnvironmentName, reader: &RecipientName) -> Result<()> {
        let (file, list) = self.readers_of(environment)?;
        self.add_names(file, list, &[reader])
    }

    /// Takes a recipient or group out of `readers` of an environment. Says whether it stood there.
    ///
    /// # Errors
    /// As [`PolicyEdit::add_reader`].
    pub fn remove_reader(&mut self, environment: &EnvironmentName, reader: &RecipientName) -> Result<bool> {
        let (file, list) = self.readers_of(environment)?;
        self.remove_item(file, &list, |text| text == reader.as_str())
    }

    /// Takes a recipient or group out of the list `writers` of an environment. Says whether it stood there.
    ///
    /// # Errors
    /// As [`PolicyEdit::add_reader`].
    pub fn remove_writer(&mut self, environment: &EnvironmentName, writer: &RecipientName) -> Result<bool> {
        let (file, readers) = self.readers_of(environment)?;
        let mut segments = readers.segments().to_vec();
        segments.pop();
        let list = ValuePath::new(segments).child(Segment::Key("writers".to_owned()));
        self.remove_item(file, &list, |text| text == writer.as_str())
    }

    /// Whether a placeholder declares the environment together with others, so that no line is its own.
    pub fn is_shared(&self, environment: &EnvironmentPolicy) -> bool {
        let draft = self.drafts.iter().find(|draft| draft.folder == environment.folder);
        draft.is_some_and(|draft| declared_name(draft, environment) != short_name(environment))
    }

    /// Takes a name out of every list of every file, and a recipient out of `recipients`. Says each place.
    ///
    /// # Errors
    /// As [`PolicyEdit::add_recipient`]; `Failed` if the name owns a declared value.
    pub fn remove_everywhere(&mut self, name: &RecipientName) -> Result<Vec<String>> {
        self.refuse_owner(name)?;
        self.take_out(name, false)
    }

    /// The same for somebody who leaves: what they own has no `owner` any more.
    ///
    /// # Errors
    /// As [`PolicyEdit::add_recipient`].
    pub fn remove_for_good(&mut self, name: &RecipientName) -> Result<Vec<String>> {
        self.take_out(name, true)
    }

    fn take_out(&mut self, name: &RecipientName, owned_too: bool) -> Result<Vec<String>> {
        self.refuse_only_reader(name)?;
        let mut places = Vec::new();
        for file in 0..self.drafts.len() {
            let tree = tree_of(&self.drafts[file])?;
            let meaning = Meaning::of(&tree);
            let mut paths = Vec::new();
            for list in lists_of_names(&meaning) {
                let index = meaning.list(&list).iter().position(|item| *item == Some(name.as_str()));
                if let Some(index) = index {
                    places.push(self.shown_place(file, &list));
                    paths.push(list.child(Segment::Index(index)));
                }
            }
            for owner in owners(&meaning).into_iter().filter(|_| owned_too) {
                if meaning.text_at(&owner) == Some(name.as_str()) {
                    places.push(self.shown_place(file, &owner));
                    paths.push(owner);
                }
            }
            if file == 0 && self.loaded.policy.people.recipient(name.as_str()).is_some() {
                places.push("recipients".to_owned());
                paths.push(ValuePath::of_keys(["recipients", name.as_str()]));
            }
            if !paths.is_empty() {
                self.step(file, &Change::Remove(paths))?;
            }
        }
        Ok(places)
    }

    /// What was changed, after looking that it is a policy in which nobody lost more than was asked.
    ///
    /// # Errors
    /// `Failed` if the texts are no policy any more, or an environment would be left without readers or writers, or the
    /// policy without maintainers.
    pub fn finish(self) -> Result<PolicyChange> {
        let texts = self
            .drafts
            .iter()
            .map(|draft| (draft.folder.as_path(), draft.text.as_str()));
        let after = self.loaded.with_texts(&texts.collect::<Vec<_>>()).map_err(|error| {
            Failure::from(error).rephrase(|reason| format!("{reason} after this change; nothing was written"))
        })?;
        change::refuse_losses(&self.loaded.policy, &after.policy)?;
        let changed = self.drafts.into_iter().filter(|draft| draft.text != draft.source.text);
        let files = changed.map(|draft| (draft.folder.join(POLICY_NAME), draft.source, draft.text));
        Ok(PolicyChange::new(files.collect(), after))
    }

    /// Appends those of the names that the list does not have.
    fn add_names(&mut self, file: usize, list: ValuePath, names: &[&RecipientName]) -> Result<()> {
        let meaning = Meaning::of(&tree_of(&self.drafts[file])?);
        let known: HashSet<_> = meaning.list(&list).into_iter().flatten().collect();
        let new = names.iter().filter(|name| !known.contains(name.as_str()));
        let new: Vec<String> = new.map(ToString::to_string).collect();
        match new.is_empty() {
            true => Ok(()),
            false => self.step(file, &Change::Append(list, new)),
        }
    }

    /// Takes the one item that is meant out of a list. Says whether there was one.
    fn remove_item(&mut self, file: usize, list: &ValuePath, is_meant: impl Fn(&str) -> bool) -> Result<bool> {
        let meaning = Meaning::of(&tree_of(&self.drafts[file])?);
        let items = meaning.list(list);
        let Some(index) = items.iter().position(|item| item.is_some_and(&is_meant)) else {
            return Ok(false);
        };
        self.step(file, &Change::Remove(vec![list.child(Segment::Index(index))]))?;
        Ok(true)
    }

    /// One change of one file; what it says afterwards must be what was meant.
    fn step(&mut self, file: usize, change: &Change) -> Result<()> {
        let draft = &self.drafts[file];
        let tree = tree_of(draft)?;
        let wanted = Meaning::of(&tree).after(change);
        let says_so = |text: &String| {
            let tree = Tree::parse(text, Rules::Policy);
            tree.is_ok_and(|tree| Some(Meaning::of(&tree)) == wanted)
        };
        match changed(&tree, change).filter(says_so) {
            Some(text) => {
                self.drafts[file].text = text;
                Ok(())
            }
            None => Err(by_hand(&tree, &draft.source.shown_name, change).into()),
        }
    }

    /// The file and the list of readers of an environment.
    fn readers_of(&self, name: &EnvironmentName) -> Result<(usize, ValuePath)> {
        let environment = self.loaded.policy.environment(name);
        let environment =
            environment.ok_or_else(|| Failure::failed(format!("`{name}` is no environment")).hint("secretree list"))?;
        let file = self.drafts.iter().position(|draft| draft.folder == environment.folder);
        let file = file.ok_or_else(|| Failure::failed(format!("the file that declares `{name}` was not read")))?;
        let (short, declared) = (short_name(environment), declared_name(&self.drafts[file], environment));
        if declared != short {
            let message = format!("`{name}` is declared together with others by a placeholder (`{declared}`)");
            let groups = environment.readers.iter();
            let groups = groups.filter(|name| self.loaded.policy.people.group(name).is_some());
            let groups: Vec<_> = groups.map(RecipientName::as_str).collect();
            let hint = match groups.is_empty() {
                true => "give it a group as reader that can be joined".to_owned(),
                false => format!("name a group that reads it: --group {}", groups.join(" or --group ")),
            };
            return Err(Failure::failed(message).hint(hint).into());
        }
        Ok((file, ValuePath::of_keys(["environments", short, "readers"])))
    }

    fn refuse_owner(&self, name: &RecipientName) -> Result<()> {
        let mut secrets = self.loaded.policy.secrets.iter();
        let owned = secrets.find_map(|secret| secret.owner.as_ref().filter(|owner| owner.value == name.as_str()));
        match owned {
            None => Ok(()),
            Some(owner) => Err(owner
                .spot
                .failure(format_args!("`{name}` owns declared values"))
                .hint("write another `owner` there first")
                .into()),
        }
    }

    /// An environment without readers is no policy; here it is known why.
    fn refuse_only_reader(&self, name: &RecipientName) -> Result<()> {
        let policy = &self.loaded.policy;
        let is_only = |environment: &&EnvironmentPolicy| policy.readers(environment).into_iter().eq([name]);
        match policy.environments.values().find(is_only) {
            None => Ok(()),
            Some(environment) => {
                let message = format!(
                    "`{}` would be left without readers; nothing was written",
                    environment.name
                );
                Err(Failure::failed(message).hint("name another reader there first").into())
            }
        }
    }

    /// `groups.platform`, `environments.dev.readers`, with the file in front if it is not the root's.
    fn shown_place(&self, file: usize, list: &ValuePath) -> String {
        match self.drafts[file].folder == Path::new("") {
            true => list.to_string(),
            false => format!("{} {list}", self.drafts[file].source.shown_name),
        }
    }
}

/// The name as its own file has it.
fn short_name(environment: &EnvironmentPolicy) -> &str {
    let name = environment.name.as_str();
    match environment.folder.as_os_str().is_empty() {
        true => name,
        false => name.rsplit('/').next().unwrap_or(name),
    }
}

/// The name that the file declares, which is another one where a placeholder stands.
fn declared_name<'d>(draft: &'d Draft, environment: &EnvironmentPolicy) -> &'d str {
    let declared = draft.source.text.get(environment.spot.span()).unwrap_or_default();
    declared.trim_matches(['"', '\''])
}

fn keys_of(recipient: &RecipientName) -> ValuePath {
    ValuePath::of_keys(["recipients", recipient.as_str(), "keys"])
}

fn tree_of(draft: &Draft) -> Result<Tree<'_>> {
    Ok(parse(&draft.text, &draft.source.shown_name)?)
}

/// Every list in which names of recipients and groups stand.
fn lists_of_names(meaning: &Meaning) -> Vec<ValuePath> {
    let mut lists = vec![ValuePath::of_keys(["maintainers"])];
    let groups = meaning.keys_under("groups").into_iter();
    lists.extend(groups.map(|group| ValuePath::of_keys(["groups", group])));
    for environment in meaning.keys_under("environments") {
        lists.extend(["readers", "writers"].map(|list| ValuePath::of_keys(["environments", environment, list])));
    }
    lists
}

/// Where `secrets` names who answers for a value.
fn owners(meaning: &Meaning) -> Vec<ValuePath> {
    let declared = meaning.keys_under("secrets").into_iter();
    declared
        .map(|path| ValuePath::of_keys(["secrets", path, "owner"]))
        .collect()
}

/// The failure where the layout is none that can be changed, with what a person has to write.
fn by_hand(tree: &Tree<'_>, shown_name: &str, change: &Change) -> Failure {
    let line = |path: &ValuePath| {
        let mut segments = path.segments().to_vec();
        while !segments.is_empty() {
            let start = match tree.node(&ValuePath::new(segments.clone())) {
                Some(Located::Scalar(scalar)) => Some(scalar.head.start),
                Some(Located::Mapping(mapping)) => Some(mapping.span.start),
                Some(Located::Sequence(list)) => Some(list.span.start),
                None => None,
            };
            if let Some(start) = start {
                return tree.place(start).line;
            }
            segments.pop();
        }
        1
    };
    let (path, hint) = match change {
        Change::Insert(path, entries) => {
            let entries = entries.iter().take(MOST_NAMED);
            let lines: Vec<_> = entries.map(|(key, value)| entry_in_one_line(key, value)).collect();
            (Some(path), format!("add under `{path}`: {}", lines.join("; ")))
        }
        Change::Append(path, items) => {
            let items = items[..items.len().min(MOST_NAMED)].join(", ");
            (Some(path), format!("add to the list `{path}`: {items}"))
        }
        Change::Remove(paths) => {
            let shown: Vec<_> = paths.iter().take(MOST_NAMED).map(|path| format!("`{path}`")).collect();
            (paths.first(), format!("take out {}", shown.join(", ")))
        }
    };
    let message = format!(
        "`{shown_name}` line {}: this is laid out in a way that cannot be changed safely; nothing was written",
        path.map_or(1, line)
    );
    Failure::failed(message).hint(format!("by hand: {hint}"))
}
