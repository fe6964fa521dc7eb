//! Two environments side by side, as they stand in the work tree and with what they extend: which values only one of them
//! has, which both have, and, for readers of both, which of these are equal.

use std::collections::{BTreeMap, BTreeSet};

use secretree::document::path::ValuePath;
use secretree::error::{Failure, FailureKind, Result};
use secretree::names::EnvironmentName;
use secretree::policy::Reach;
use secretree::value::Value;
use secretree::vault::{Layers, Vault, known_paths};
use serde::Serialize;

use super::cells::{Block, Cell, Row, Section};
use super::{reveal, text};
use crate::context::Context;

/// The shape of `--json`.
#[derive(Serialize)]
struct Report {
    environments: [String; 2],
    only: [Vec<String>; 2],
    both: Vec<String>,
    equal: Option<Vec<String>>,
    different: Option<Vec<String>>,
}

/// The values of both, by path.
type Opened = [BTreeMap<ValuePath, Value>; 2];

/// Compares two environments.
pub(super) fn run(one: &str, other: &str, reveals: bool, context: &Context) -> Result<()> {
    let loaded = context.policy(Reach::Everything)?;
    let name_of = |text: &str| -> Result<EnvironmentName> {
        let is_revision = || {
            let repository = context.readable_history();
            repository.is_ok_and(|repository| [one, other].iter().all(|text| repository.resolve(text).is_ok()))
        };
        context
            .environment_in(&loaded, text)
            .map_err(|error| match is_revision() {
                true => Failure::from(error)
                    .hint(format!("revisions? secretree diff --from {one} --to {other}"))
                    .into(),
                false => error,
            })
    };
    let names = [name_of(one)?, name_of(other)?];
    if names[0] == names[1] {
        return Err(Failure::usage(format!("both are `{}`", names[0]))
            .hint("name two environments: secretree diff dev prod")
            .into());
    }
    let mut vault = context.vault(&loaded)?;
    let layers = [vault.layers(&names[0])?, vault.layers(&names[1])?];
    let paths = |layers: &Layers| -> Result<BTreeSet<ValuePath>> {
        Ok(known_paths(&vault.readings_of_present(layers)?).into_iter().collect())
    };
    let known = [paths(&layers[0])?, paths(&layers[1])?];
    let opened = opened(&mut vault, &layers, &names, reveals, context)?;
    context.tell(&mut vault);
    let both: Vec<&ValuePath> = known[0].intersection(&known[1]).collect();
    let only = |side: usize| known[side].difference(&known[1 - side]);
    let is_equal = |path: &&&ValuePath| {
        let value = |side: usize| opened.as_ref().and_then(|opened: &Opened| opened[side].get(**path));
        value(0) == value(1)
    };
    if context.ui.wants_json() {
        let texts = |paths: &mut dyn Iterator<Item = &ValuePath>| paths.map(ToString::to_string).collect::<Vec<_>>();
        let judged = |equal: bool| {
            let chosen = both.iter().filter(|path| is_equal(path) == equal);
            opened.is_some().then(|| chosen.map(ToString::to_string).collect())
        };
        return context.ui.json(&Report {
            environments: names.clone().map(|name| name.to_string()),
            only: [texts(&mut only(0)), texts(&mut only(1))],
            both: texts(&mut both.iter().copied()),
            equal: judged(true),
            different: judged(false),
        });
    }
    let row = |sign: char, path: &ValuePath| {
        let mut cells = vec![Cell::foreign(path)];
        if let Some(opened) = opened.as_ref().filter(|_| reveals) {
            let shown = |side: usize| opened[side].get(path).map(|value| Cell::value(&reveal::text(value)));
            cells.extend([shown(0).unwrap_or_default(), shown(1).unwrap_or_default()]);
        }
        Row { sign, cells }
    };
    let columns = || match reveals {
        true => vec!["path", "one", "other"],
        false => vec!["path"],
    };
    let mut sections = vec![
        Section::new(
            format!("only in {}", names[0]),
            columns(),
            only(0).map(|path| row('-', path)).collect(),
        ),
        Section::new(
            format!("only in {}", names[1]),
            columns(),
            only(1).map(|path| row('+', path)).collect(),
        ),
    ];
    if opened.is_some() {
        let judged = |equal: bool| both.iter().filter(move |path| is_equal(path) == equal);
        let rows = |equal: bool, sign: char| judged(equal).map(|path| row(sign, path)).collect();
        sections.push(Section::new("in both, different", columns(), rows(false, '~')));
        sections.push(Section::new("in both, equal", columns(), rows(true, '=')));
    } else {
        let rows = both.iter().map(|path| row(' ', path)).collect();
        sections.push(Section::new("in both", columns(), rows));
    }
    let sections: Vec<Section> = sections.into_iter().flatten().collect();
    let title = Cell::default().name(&names[0]).words(" and ").name(&names[1]);
    match sections.is_empty() {
        true => context.ui.note("neither has a value"),
        false => context.ui.data(&text::write(&None, &[Block { title, sections }]))?,
    }
    Ok(())
}

/// The values of both environments; nothing if nobody here can open both, which is said.
fn opened(
    vault: &mut Vault<'_>,
    layers: &[Layers; 2],
    names: &[EnvironmentName; 2],
    reveals: bool,
    context: &Context,
) -> Result<Option<Opened>> {
    let mut opened = Vec::new();
    for (layers, name) in layers.iter().zip(names) {
        if layers.files().iter().any(|file| file.text.is_none()) {
            context.ui.note(&format!(
                "`{name}`, or what it extends, has no file yet: values are not compared"
            ));
            return Ok(None);
        }
        match vault.view(layers) {
            Ok(view) => {
                let entries = view.entries().into_iter();
                opened.push(entries.map(|entry| (entry.path, entry.value)).collect());
            }
            Err(error) => {
                let failure = Failure::from(error);
                if reveals || failure.kind() != FailureKind::NoIdentity {
                    return Err(failure.into());
                }
                context.ui.note(&format!(
                    "{}: whether values are equal only readers of both can tell",
                    failure.message()
                ));
                return Ok(None);
            }
        }
    }
    Ok(opened.try_into().ok())
}
