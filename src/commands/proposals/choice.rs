//! Which proposals a person means: by path, where there is one for it, or by label, which means exactly one.

use secretree::crypto::proposal::ProposalLabel;
use secretree::document::path::{Resolved, Search};
use secretree::error::{Failure, Result};
use secretree::vault::{Content, Proposal, Rulebook};

/// Which of all proposals are meant without being named.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sweep {
    /// None.
    Nothing,
    /// Those that could be accepted.
    Values,
    /// Those that could not.
    Junk,
    /// All of them.
    Everything,
}

impl Sweep {
    fn takes(self, proposal: &Proposal) -> bool {
        match self {
            Self::Nothing => false,
            Self::Values => matches!(proposal.content, Content::Value(_)),
            Self::Junk => matches!(proposal.content, Content::Junk(_)),
            Self::Everything => true,
        }
    }
}

/// The proposals that `named` (paths, labels) and `sweep` mean, each once, in the order of their labels.
///
/// Fails if a text names none, or several.
pub(super) fn chosen(rules: Rulebook<'_>, all: Vec<Proposal>, named: &[String], sweep: Sweep) -> Result<Vec<Proposal>> {
    let mut meant: Vec<&ProposalLabel> = Vec::new();
    for text in named {
        meant.push(named_by(rules, &all, text)?);
    }
    let meant: Vec<ProposalLabel> = meant.into_iter().cloned().collect();
    let is_meant = |proposal: &Proposal| sweep.takes(proposal) || meant.contains(&proposal.label);
    Ok(all.into_iter().filter(is_meant).collect())
}

fn named_by<'a>(rules: Rulebook<'_>, all: &'a [Proposal], text: &str) -> Result<&'a ProposalLabel> {
    let name = &rules.environment.name;
    if let Some(found) = all.iter().find(|proposal| proposal.label.as_str() == text) {
        return Ok(&found.label);
    }
    let mut search = Search::new(text);
    for path in paths(all) {
        search.consider(path, |path| rules.variable(path));
    }
    let meant = match search.result() {
        Resolved::Known(path) => vec![path],
        Resolved::Ambiguous(paths) => paths,
        Resolved::New(_) | Resolved::Malformed => Vec::new(),
    };
    let is_for = |proposal: &&Proposal| match &proposal.content {
        Content::Value(proposed) => meant.contains(&proposed.path),
        _ => false,
    };
    let fitting: Vec<_> = all.iter().filter(is_for).map(|proposal| &proposal.label).collect();
    match fitting.as_slice() {
        [one] => Ok(one),
        [] => {
            let failure = Failure::failed(format!("nothing is proposed for `{name}:{text}`"));
            Err(failure.hint(format!("secretree proposals {name}")).into())
        }
        several => {
            let message = format!("{} values are proposed for `{name}:{text}`", several.len());
            let labels: Vec<_> = several.iter().map(|label| label.as_str()).collect();
            Err(Failure::failed(message)
                .hint(format!("name one of {}", labels.join(", ")))
                .hint(format!("secretree proposals {name}"))
                .into())
        }
    }
}

fn paths(all: &[Proposal]) -> impl Iterator<Item = &secretree::document::path::ValuePath> {
    all.iter().filter_map(|proposal| match &proposal.content {
        Content::Value(proposed) => Some(&proposed.path),
        _ => None,
    })
}
