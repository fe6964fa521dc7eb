//! What `offboard` prints: the list of values to change, for eyes, for a ticket, for a program.

use std::fmt::Write as _;

use secretree::access::{Departure, ToChange};
use secretree::error::Result;
use secretree::history::Exposed;
use secretree::vault::Plan;
use serde::Serialize;

use crate::context::Context;
use crate::ui::escaped;

/// The shape of `--json`.
#[derive(Serialize)]
pub(super) struct Report {
    pub(super) recipient: String,
    dry_run: bool,
    removed_from: Vec<String>,
    new_keys: Vec<String>,
    complete: bool,
    pub(super) values: Vec<Row>,
}

/// One value to change.
#[derive(Serialize)]
pub(super) struct Row {
    environment: String,
    path: String,
    version: String,
    description: Option<String>,
    owner: Option<String>,
}

impl Report {
    pub(super) fn new(
        departure: &Departure,
        plans: &[Plan],
        exposed: &Exposed,
        has_history: bool,
        dry_run: bool,
    ) -> Self {
        let row = |value: ToChange| Row {
            environment: value.environment.to_string(),
            path: value.path.to_string(),
            version: value.version.to_string(),
            description: value.description,
            owner: value.owner,
        };
        let renewed = plans.iter().filter(|plan| plan.new_key.is_some());
        Self {
            recipient: departure.name.to_string(),
            dry_run,
            removed_from: departure.places.clone(),
            new_keys: renewed.map(|plan| plan.environment.to_string()).collect(),
            complete: has_history && exposed.complete && exposed.unreadable == 0,
            values: departure.to_change(exposed).into_iter().map(row).collect(),
        }
    }

    /// `1 value`, `12 values`, `no value`.
    pub(super) fn counted(&self) -> String {
        let least = if self.complete { "" } else { "at least " };
        match self.values.len() {
            0 if self.complete => "no value".to_owned(),
            1 => format!("{least}1 value"),
            many => format!("{least}{many} values"),
        }
    }

    pub(super) fn print(&self, context: &Context, markdown: bool) -> Result<()> {
        if context.ui.wants_json() {
            return context.ui.json(self);
        }
        let text = if markdown { self.markdown() } else { self.text() };
        context.ui.data(text.as_bytes())
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for row in &self.values {
            let mut line = format!("[ ] {}:{}", row.environment, row.path);
            let notes: Vec<_> = row.notes().collect();
            if !notes.is_empty() {
                let _ = write!(line, "  {}", notes.join(", "));
            }
            let _ = writeln!(text, "{}", escaped(&line));
        }
        text
    }

    fn markdown(&self) -> String {
        let mut text = format!("# Offboarding of {}\n\n", self.recipient);
        let _ = match self.values.is_empty() {
            true => writeln!(
                text,
                "{} could have read {} that is in use still.",
                self.recipient,
                self.counted()
            ),
            false => writeln!(
                text,
                "{} could have read {} still in use. Change each where it comes from, then `secretree set` it.\n",
                self.recipient,
                self.counted()
            ),
        };
        for row in &self.values {
            let place = escaped(&format!("{}:{}", row.environment, row.path)).into_owned();
            // A code span ends at the first run of as many backticks as it began with.
            let fence = if place.contains('`') { "`` " } else { "`" };
            let end: String = fence.chars().rev().collect();
            let _ = write!(text, "- [ ] {fence}{place}{end}");
            let notes: Vec<_> = row.notes().map(|note| plain(&escaped(&note))).collect();
            if !notes.is_empty() {
                let _ = write!(text, ": {}", notes.join(", "));
            }
            text.push('\n');
        }
        text
    }
}

impl Row {
    fn notes(&self) -> impl Iterator<Item = String> {
        let owner = self.owner.as_ref().map(|owner| format!("owner {owner}"));
        self.description.clone().into_iter().chain(owner)
    }
}

/// Text that others wrote, without any meaning that Markdown or HTML could find in it.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if "\\`*_{}[]<>()#+!|~@&".contains(character) {
            plain.push('\\');
        }
        plain.push(character);
    }
    plain
}
