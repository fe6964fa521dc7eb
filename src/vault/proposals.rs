//! What others proposed for an environment, as a reader sees it: opened and held against the file, then taken into it or
//! out of it. Making a proposal is `proposal`'s, who made it is `provenance`'s to say.

#[cfg(test)]
mod tests;

use super::Vault;
use super::change::{Changes, check_place};
use super::environment::{Environment, on_threads};
use super::provenance::Provenance;
use super::reading::{Reading, Rulebook};
use crate::crypto::envelope::from_base64;
use crate::crypto::proposal::{ProposalLabel, ProposalPlaintext, open_proposal};
use crate::document::path::{Segment, ValuePath};
use crate::document::tree::Located;
use crate::error::{Failure, Result};
use crate::value::Value;
use crate::vault::footer::LARGEST_PROPOSAL;

/// The deepest place that an environment file can have.
const DEEPEST: usize = 63;

/// A proposal in the file of an environment.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// Its name: a hash of its bytes, so that it means exactly this one.
    pub label: ProposalLabel,
    /// What it says.
    pub content: Content,
    /// Who proposed it.
    pub provenance: Provenance,
    /// The age file in base64, as it stands in the footer.
    file: String,
}

/// What a proposal says.
#[derive(Clone, Debug)]
pub enum Content {
    /// Nobody here can open it.
    Sealed,
    /// A value for a place.
    Value(Proposed),
    /// Nothing that could be accepted: why, as the end of a line. It may name paths; escape it.
    Junk(String),
}

/// A value that was proposed.
#[derive(Clone, Debug)]
pub struct Proposed {
    /// Where it would stand.
    pub path: ValuePath,
    /// The value.
    pub value: Value,
    /// What it would do.
    pub effect: Effect,
    /// Whether it would stand readable, as the policy's `plaintext` says.
    pub readable: bool,
}

/// What accepting a proposal would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing stands there yet.
    Adds,
    /// Another value stands there.
    Changes,
    /// This very value stands there.
    Repeats,
}

impl Proposed {
    /// The length of the value in bytes, rounded up to 32.
    pub fn size(&self) -> usize {
        self.value.delivered().len().max(1).next_multiple_of(32)
    }

    /// Whether the value holds what a terminal acts on or no text holds: control characters but tab and line feed, or bytes
    /// that are no text.
    pub fn is_raw(&self) -> bool {
        let delivered = self.value.delivered();
        let odd = |character: char| character.is_control() && !matches!(character, '\t' | '\n');
        delivered.expose_text().is_none_or(|text| text.contains(odd))
    }
}

impl Vault<'_> {
    /// The proposals of an opened environment, by label.
    ///
    /// # Errors
    /// `Failed` if the history cannot be read. What is wrong with a proposal is no error: it is junk.
    pub fn proposals(&mut self, environment: &Environment<'_>) -> Result<Vec<Proposal>> {
        let footer = &environment.reading.footer;
        let files: Vec<_> = footer.proposals.iter().collect();
        let contents = on_threads(&files, |part| {
            let contents = part.iter().map(|(label, file)| content(environment, label, file));
            Ok(contents.collect::<Vec<_>>())
        })?;
        let provenances = self.provenances(environment.rules, footer, Some(&environment.key))?;
        let proposals = files.into_iter().zip(contents).zip(provenances);
        Ok(proposals
            .map(|(((label, file), content), provenance)| Proposal {
                label: label.clone(),
                content,
                provenance,
                file: file.clone(),
            })
            .collect())
    }

    /// The proposals of a file that nobody here can open, by label.
    ///
    /// # Errors
    /// `Failed` if the history cannot be read.
    pub fn sealed_proposals(&mut self, reading: &Reading<'_>) -> Result<Vec<Proposal>> {
        let rules = self.rules(&reading.footer.environment)?;
        let provenances = self.provenances(rules, &reading.footer, None)?;
        let proposals = reading.footer.proposals.iter().zip(provenances);
        Ok(proposals
            .map(|((label, file), provenance)| Proposal {
                label: label.clone(),
                content: Content::Sealed,
                provenance,
                file: file.clone(),
            })
            .collect())
    }
}

/// What a proposal says, held against the file that it stands in.
fn content(environment: &Environment<'_>, label: &ProposalLabel, file: &str) -> Content {
    let opened = from_base64(file, LARGEST_PROPOSAL)
        .and_then(|bytes| open_proposal(&environment.key, label, &bytes))
        .map_err(|reason| reason.to_string());
    match opened.and_then(|opened| checked(environment, opened)) {
        Ok(proposed) => Content::Value(proposed),
        Err(reason) => Content::Junk(reason),
    }
}

fn checked(environment: &Environment<'_>, opened: ProposalPlaintext) -> Result<Proposed, String> {
    let rules = environment.rules;
    let name = &rules.environment.name;
    if opened.environment != *name {
        return Err(format!("it was made for `{}`", opened.environment));
    }
    if opened.policy != rules.policy.id {
        return Err(format!("it was made for the policy `{}`", opened.policy));
    }
    let path = ValuePath::from_json(&opened.path).ok_or("its path is malformed")?;
    let path = environment.reading.as_written(&path);
    let is_control = |segment: &Segment| matches!(segment, Segment::Key(key) if key.chars().any(char::is_control));
    if path.segments().iter().any(is_control) {
        return Err("its path holds control characters".to_owned());
    }
    check_place(rules, &path, &opened.value).map_err(|error| error.to_string())?;
    refuse_obstacle(rules, &environment.reading, &path)?;
    let place = environment.place(&path);
    let effect = match &place {
        None => Effect::Adds,
        Some(place) if environment.holds(place, &opened.value) => Effect::Repeats,
        Some(_) => Effect::Changes,
    };
    let readable = match &place {
        Some(place) => place.token.is_none(),
        None => rules.lets_stand_readable(&path),
    };
    Ok(Proposed {
        path,
        value: opened.value,
        effect,
        readable,
    })
}

/// Says what stands in the way of a value at `path`.
fn refuse_obstacle(rules: Rulebook<'_>, reading: &Reading<'_>, path: &ValuePath) -> Result<(), String> {
    let segments = path.segments();
    if segments.is_empty() {
        return Err("it names no place".to_owned());
    }
    if segments.len() > DEEPEST {
        return Err("its path is nested too deep".to_owned());
    }
    let declared = rules.policy.declared(rules.environment);
    let mut literal = declared.filter_map(|secret| secret.scope.path.literal());
    let is_above =
        |above: &ValuePath| above.segments().len() < segments.len() && segments.starts_with(above.segments());
    if let Some(above) = literal.find(is_above) {
        return Err(format!(
            "`{path}` lies below `{above}`, which the policy declares as one value"
        ));
    }
    for depth in 0..=segments.len() {
        let here = ValuePath::new(segments[..depth].to_vec());
        match (reading.tree.node(&here), segments.get(depth)) {
            (None, _) | (Some(Located::Scalar(_)), None) => return Ok(()),
            (Some(Located::Scalar(_)), Some(_)) => return Err(format!("`{path}` lies below the value `{here}`")),
            (Some(_), None) => return Err(format!("a collection stands at `{path}`")),
            (Some(Located::Mapping(_)), Some(_)) => {}
            (Some(Located::Sequence(list)), Some(Segment::Index(index))) if *index <= list.items.len() => {}
            (Some(Located::Sequence(_)), Some(_)) => return Err(format!("`{path}` is no item of the list `{here}`")),
        }
    }
    Ok(())
}

impl Environment<'_> {
    /// The file's text with these proposals taken over as values with new versions, and out of the footer. Those must be
    /// proposals of this very file.
    ///
    /// # Errors
    /// `Failed` if one is not there any more, holds no value, or does not match the declared `pattern`; and as
    /// [`Environment::set`].
    pub fn accept(&self, proposals: &[Proposal]) -> Result<(String, Changes)> {
        let mut text = self.reading.tree.text.to_owned();
        let mut changes = Changes::default();
        for proposal in proposals {
            self.reading.refuse_absent(proposal)?;
            let Content::Value(proposed) = &proposal.content else {
                let message = format!("the proposal `{}` holds no value", proposal.label);
                return Err(Failure::failed(message).into());
            };
            let step = Environment {
                rules: self.rules,
                reading: Reading::new(&text, self.rules)?,
                key: self.key.clone(),
                opened_by: self.opened_by.clone(),
            };
            let (next, change) = step.set(&proposed.path, proposed.value.clone())?;
            changes.added.extend(change.added);
            changes.changed.extend(change.changed);
            changes.readable.extend(change.readable);
            text = next;
        }
        let reading = Reading::new(&text, self.rules)?;
        Ok((reading.without(proposals)?, changes))
    }

    /// What stands in the file at `path`, as it stands: to see whether that changed meanwhile.
    pub fn as_it_stands(&self, path: &ValuePath) -> Option<&str> {
        match self.reading.tree.node(path) {
            Some(Located::Scalar(scalar)) => Some(&scalar.content),
            _ => None,
        }
    }
}

impl Reading<'_> {
    fn refuse_absent(&self, proposal: &Proposal) -> Result<()> {
        if self.footer.proposals.get(&proposal.label) == Some(&proposal.file) {
            return Ok(());
        }
        let message = format!(
            "the proposal `{}` is not in the file any more; nothing was written",
            proposal.label
        );
        Err(Failure::failed(message)
            .hint(format!("secretree proposals {}", self.footer.environment))
            .into())
    }

    /// The file's text without these proposals; everything else keeps its bytes.
    ///
    /// # Errors
    /// `Failed` if one is not there any more.
    pub fn without(&self, proposals: &[Proposal]) -> Result<String> {
        let mut footer = self.footer.clone();
        for proposal in proposals {
            self.refuse_absent(proposal)?;
            footer.proposals.remove(&proposal.label);
        }
        Ok(self.assemble(self.tree.body(), &footer))
    }
}
