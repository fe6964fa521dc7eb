//! The text of another tool's file, laid over what an environment has. What did not change keeps its token, as in `edit`.

use std::collections::HashSet;
use std::path::Path;

use super::change::Changes;
use super::environment::Environment;
use super::reading::refused;
use crate::document::comments::count_comments;
use crate::document::edit::{Misfit, overlay};
use crate::document::lines::line_end;
use crate::document::path::ValuePath;
use crate::document::tree::{Rules, Tree};
use crate::error::{Failure, Result};

/// An environment's file with the values of another text laid over it.
pub struct Laid {
    /// The new text of the file.
    pub text: String,
    /// What is another now.
    pub changes: Changes,
    /// Paths of the other text whose value was there already.
    pub same: Vec<ValuePath>,
    /// How many comments the other text has; they come along with new keys, and stay readable.
    pub comments: usize,
}

impl Environment<'_> {
    /// The file's text with the values of `new` in it. Where there are no values and no comments yet, `new` becomes the
    /// text as it stands; else its keys are added and its values replace others, path by path, lists as a whole.
    /// `origin` is what messages call `new`. Linear.
    ///
    /// # Errors
    /// `Failed` if `new` is not accepted, or has a collection where the environment has a value, or the reverse.
    pub fn lay_over(&self, new: &str, origin: &Path) -> Result<Laid> {
        let over = Tree::parse(new, Rules::Text).map_err(|refusal| refused(origin, &refusal))?;
        let own = self.text()?;
        let (text, changes) = if own.trim().is_empty() {
            self.replace_text(new)?
        } else {
            let file = &self.rules.environment.file;
            let base = Tree::parse(&own, Rules::Text).map_err(|refusal| refused(file, &refusal))?;
            let merged = overlay(&base, &over, line_end(&own)).map_err(|misfit| self.misfit(&misfit, origin))?;
            self.replace_text(&merged)?
        };
        let present = over.scalars();
        let touched: HashSet<&ValuePath> = changes.added.iter().chain(&changes.changed).collect();
        let untouched = present
            .iter()
            .map(|(path, _)| path)
            .filter(|path| !touched.contains(path));
        let same = untouched.cloned().collect();
        Ok(Laid {
            text,
            changes,
            same,
            comments: count_comments(&over),
        })
    }

    fn misfit(&self, misfit: &Misfit, origin: &Path) -> Failure {
        let name = &self.rules.environment.name;
        let origin = origin.display();
        match misfit {
            Misfit::Kinds { path, here, there } => {
                Failure::failed(format!("`{name}:{path}` is {here}, but {there} in `{origin}`")).hint(format!(
                    "rename it there, or take it out here first: secretree unset {name} {path}"
                ))
            }
            Misfit::Layout => {
                let message =
                    format!("a comment or blank line of `{name}` would become a part of a value of `{origin}`");
                Failure::failed(message).hint(format!("use secretree edit {name}"))
            }
        }
    }
}
