//! Joins two texts of one environment that grew out of a third, with what `merge` cannot know: the footers, which key is
//! newer, and values of a key that was replaced. Nothing is sealed under a key that is not trusted, and what cannot be
//! proven is left to a person (FORMAT, "Which key is trusted").

mod carry;
mod footers;
mod join;
mod relation;

use std::collections::BTreeSet;

use super::Vault;
use super::footer::Footer;
use super::reading::with_footer;
use crate::crypto::key::EnvironmentKey;
use crate::document::lines::line_end;
use crate::document::path::ValuePath;
use crate::document::tree::{Rules, Tree};
use crate::error::{Failure, Result};
use crate::git::CommitId;
use crate::merge::{Conflict, Marks, Side, Task, conflict, merge};
use crate::names::EnvironmentName;
use crate::value::LineEnd;
use relation::Relation;

/// The three texts of a merge.
#[derive(Clone, Copy)]
pub struct MergeTexts<'t> {
    /// What both grew out of; empty if each side made the file.
    pub base: &'t str,
    /// The branch that is merged into.
    pub ours: &'t str,
    /// The branch that is merged.
    pub theirs: &'t str,
}

/// What became of them.
pub struct MergeOutcome {
    /// The new text of the file; what a person has to decide stands between markers.
    pub text: String,
    /// Places that a person has to decide about.
    pub conflicts: Vec<Conflict>,
    /// Why the footers, or values of another key, could not be joined; each with what to do.
    pub problems: Vec<Failure>,
    /// What a person should hear although it was done.
    pub notes: Vec<String>,
}

impl MergeOutcome {
    /// Whether nothing is left to a person.
    pub fn is_clean(&self) -> bool {
        self.conflicts.is_empty() && self.problems.is_empty()
    }
}

/// One parsed text.
pub(super) struct Version<'t> {
    tree: Tree<'t>,
    footer: Footer,
}

impl<'t> Version<'t> {
    /// Reads what anyone can read.
    fn read(text: &'t str, whose: &str) -> Result<Self> {
        let refused = |reason: String| {
            let message = format!("{whose} cannot be merged by path: {reason}");
            Failure::integrity(message).hint("git merged it line by line; look at what it made of it")
        };
        let tree = Tree::parse(text, Rules::File).map_err(|refusal| refused(refusal.to_string()))?;
        let Some(entry) = &tree.footer else {
            return Err(refused("it has no footer".to_owned()).into());
        };
        if entry.followed_by.is_some() {
            return Err(refused("a key stands behind its footer".to_owned()).into());
        }
        let footer = Footer::read(&entry.entry).map_err(|fault| refused(fault.message))?;
        Ok(Self { tree, footer })
    }

    /// The text of the footer as it stands there, with what is behind it.
    fn footer_text(&self) -> &'t str {
        let start = self.tree.footer.as_ref().map(|footer| footer.entry.key.span.start);
        &self.tree.text[start.unwrap_or(self.tree.text.len())..]
    }
}

/// The three texts, parsed.
pub(super) struct Versions<'t> {
    /// Nothing if there is none, or nobody can read it.
    base: Option<Version<'t>>,
    ours: Version<'t>,
    theirs: Version<'t>,
}

impl<'t> Versions<'t> {
    fn read(texts: MergeTexts<'t>) -> Result<Self> {
        let versions = Self {
            base: Version::read(texts.base, "the common ancestor").ok(),
            ours: Version::read(texts.ours, "our side")?,
            theirs: Version::read(texts.theirs, "their side")?,
        };
        let (ours, theirs) = (&versions.ours.footer.environment, &versions.theirs.footer.environment);
        if ours != theirs {
            let message = format!("the file belongs to `{ours}` on our side and to `{theirs}` on theirs");
            return Err(Failure::integrity(message)
                .hint("merge the renaming alone first")
                .into());
        }
        Ok(versions)
    }

    fn of(&self, side: Side) -> &Version<'t> {
        match side {
            Side::Ours => &self.ours,
            Side::Theirs => &self.theirs,
        }
    }

    fn is_one_key(&self) -> bool {
        self.ours.footer.drop_box == self.theirs.footer.drop_box
    }
}

/// What was made of the sides before they are merged by path.
#[derive(Default)]
struct Prepared {
    /// Our text without its footer, if tokens in it were replaced.
    ours: Option<String>,
    /// Theirs.
    theirs: Option<String>,
    /// Values that must not be taken without asking.
    doubted: BTreeSet<(Side, ValuePath)>,
    /// The footer of the result; nothing if a person has to choose.
    footer: Option<Footer>,
    problems: Vec<Failure>,
    notes: Vec<String>,
}

/// Merges two sides that stand under one key, for which nothing has to be opened; nothing if they do not.
///
/// # Errors
/// `Integrity` if a side is no sound environment file.
pub fn merge_under_one_key(texts: MergeTexts<'_>, marks: &Marks) -> Result<Option<MergeOutcome>> {
    let versions = Versions::read(texts)?;
    let is_one = versions.is_one_key();
    is_one
        .then(|| finish(&versions, of_one_key(&versions), marks))
        .transpose()
}

/// Merges without a key and without a policy: all that can be done for somebody who has neither.
///
/// # Errors
/// `Integrity` if a side is no sound environment file.
pub fn merge_unopened(texts: MergeTexts<'_>, marks: &Marks) -> Result<MergeOutcome> {
    let versions = Versions::read(texts)?;
    let prepared = match versions.is_one_key() {
        true => of_one_key(&versions),
        false => relation::unopened(&versions, None),
    };
    finish(&versions, prepared, marks)
}

impl Vault<'_> {
    /// Merges the texts of the environment `name`. `merged` are the commits that are merged, as far as they are known.
    ///
    /// # Errors
    /// `Integrity` if a side is no sound file of this environment; `Failed` if the repository cannot be read.
    pub fn merge(
        &mut self,
        name: &EnvironmentName,
        texts: MergeTexts<'_>,
        marks: &Marks,
        merged: &[CommitId],
    ) -> Result<MergeOutcome> {
        let versions = Versions::read(texts)?;
        let rules = self.rules(name)?;
        let environment = &versions.ours.footer.environment;
        if environment != name {
            let message = format!("the file of `{name}` says in its footer that it belongs to `{environment}`");
            return Err(Failure::integrity(message).hint("secretree list").into());
        }
        if versions.is_one_key() {
            return finish(&versions, of_one_key(&versions), marks);
        }
        let prepared = match self.relate(rules, &versions, merged)? {
            Relation::Follows(newer) => self.carry(rules, &versions, newer, merged)?,
            Relation::Beside(keys) => self.join(rules, &versions, *keys, merged)?,
            Relation::Unknown(failure) => relation::unopened(&versions, Some(failure)),
        };
        finish(&versions, prepared, marks)
    }
}

/// Both sides stand under one key: nothing has to be opened.
fn of_one_key(versions: &Versions<'_>) -> Prepared {
    Prepared {
        footer: Some(footers::of_one_key(versions)),
        notes: footers::gains(versions),
        ..Prepared::default()
    }
}

/// Merges by path what was prepared.
fn finish(versions: &Versions<'_>, prepared: Prepared, marks: &Marks) -> Result<MergeOutcome> {
    let Prepared {
        ours: our_body,
        theirs: their_body,
        doubted,
        footer,
        problems,
        notes,
    } = prepared;
    fn parsed(body: Option<&str>) -> Result<Option<Tree<'_>>> {
        let tree = body.map(|body| Tree::parse(body, Rules::File)).transpose();
        // Tokens were replaced by tokens.
        tree.map_err(|refusal| Failure::integrity(format!("the values do not fit where they stand: {refusal}")).into())
    }
    let (ours, theirs) = (parsed(our_body.as_deref())?, parsed(their_body.as_deref())?);
    let result = merge(&Task {
        base: versions.base.as_ref().map(|base| &base.tree),
        ours: ours.as_ref().unwrap_or(&versions.ours.tree),
        theirs: theirs.as_ref().unwrap_or(&versions.theirs.tree),
        doubted: &doubted,
        marks,
    });
    let line_end = line_end(versions.ours.tree.text);
    let footer = match footer {
        Some(footer) => footer_text(versions, &footer, line_end),
        None => {
            let mut text = String::new();
            let base = versions.base.as_ref().map(Version::footer_text);
            let (ours, theirs) = (versions.ours.footer_text(), versions.theirs.footer_text());
            conflict(&mut text, base, ours, theirs, marks, line_end.text());
            text
        }
    };
    Ok(MergeOutcome {
        text: with_footer(&result.body, &footer, line_end),
        conflicts: result.conflicts,
        problems,
        notes,
    })
}

/// The text of a footer: as it stands on the side that has just this one, else in its one form.
fn footer_text(versions: &Versions<'_>, footer: &Footer, line_end: LineEnd) -> String {
    let same = [&versions.ours, &versions.theirs]
        .into_iter()
        .find(|version| version.footer == *footer);
    if let Some(version) = same {
        return version.footer_text().to_owned();
    }
    let behind = [&versions.ours, &versions.theirs].map(|version| {
        let end = version.tree.footer_end();
        end.map_or("", |end| &version.tree.text[end..])
    });
    let behind = behind.into_iter().find(|behind| !behind.is_empty()).unwrap_or_default();
    format!("{}{behind}", footer.write(line_end))
}

/// The keys of two sides that were made beside each other.
pub(super) struct Keys {
    pub(super) ours: EnvironmentKey,
    pub(super) theirs: EnvironmentKey,
}
