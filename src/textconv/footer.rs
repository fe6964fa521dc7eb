//! The footer in lines that compare well: which key, whom it follows, who was granted it, what is proposed. One line for
//! each thing that a commit can add or take away.

use super::sheet::{Sheet, harmless};
use crate::document::tree::Tree;
use crate::vault::footer::Footer;

/// Puts the footer on the sheet, and the comments behind it.
pub(super) fn append(footer: &Footer, tree: &Tree<'_>, sheet: &mut Sheet<'_>) {
    sheet.gap();
    sheet.line(&format!("secretree.environment: {}", footer.environment));
    sheet.line(&format!("secretree.key: {}", footer.drop_box.id()));
    if !footer.final_newline {
        sheet.line("secretree.final_newline: false");
    }
    for key in footer.follows.keys() {
        sheet.line(&format!("secretree.follows: {key}"));
    }
    for (name, label, _) in footer.all_grants() {
        sheet.line(&format!("secretree.grants.{name}: {label}"));
    }
    for label in footer.proposals.keys() {
        sheet.line(&format!("secretree.proposals: {label}"));
    }
    for (version, previous) in &footer.previous {
        let (path, until) = (harmless(&previous.path), &previous.until);
        sheet.line(&format!("secretree.previous: {path} <{version}> until {until}"));
    }
    if let Some(end) = tree.footer_end() {
        sheet.comments_from(end, tree.text.len());
    }
}
