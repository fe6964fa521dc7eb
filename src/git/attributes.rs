//! What `.gitattributes` and settings make of a file between the work tree and the repository.

use std::path::Path;

use git2::{AttrCheckFlags, AttrValue};

use super::{Repository, check_relative, explain};
use crate::error::Result;

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// Nothing is said of it.
    Unspecified,
    /// `NAME`
    Set,
    /// `-NAME`
    Unset,
    /// `NAME=…`
    Value(String),
}

impl Repository {
    /// The attribute `name` of the file `relative` (to the root), as the files of the work tree say.
    ///
    /// # Errors
    /// `Failed` if the repository cannot be read.
    pub fn attribute(&self, relative: &Path, name: &str) -> Result<Attribute> {
        check_relative(relative)?;
        let value = self
            .inner()?
            .get_attr_bytes(relative, name, AttrCheckFlags::FILE_THEN_INDEX)
            .map_err(|error| explain("attributes cannot be read", &error))?;
        Ok(match AttrValue::from_bytes(value) {
            AttrValue::Unspecified => Attribute::Unspecified,
            AttrValue::True => Attribute::Set,
            AttrValue::False => Attribute::Unset,
            AttrValue::String(text) => Attribute::Value(text.to_owned()),
            AttrValue::Bytes(bytes) => Attribute::Value(String::from_utf8_lossy(bytes).into_owned()),
        })
    }

    /// Whether git changes the line ends of the file when it checks it out, as attributes and `core.autocrlf` say.
    ///
    /// # Errors
    /// As [`Self::attribute`].
    pub fn rewrites_line_ends(&self, relative: &Path) -> Result<bool> {
        let setting = |key| -> Result<String> { Ok(self.config(key)?.unwrap_or_default().to_lowercase()) };
        let text = self.attribute(relative, "text")?;
        Ok(match self.attribute(relative, "eol")? {
            _ if text == Attribute::Unset => false,
            Attribute::Value(end) if end == "lf" => false,
            Attribute::Value(end) if end == "crlf" => true,
            _ if matches!(setting("core.autocrlf")?.as_str(), "true" | "yes" | "on" | "1") => true,
            _ => text != Attribute::Unspecified && setting("core.eol")? == "crlf",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Attribute;
    use crate::git::testing::Sandbox;
    use crate::git::{HookVariables, Repository};

    #[test]
    fn the_rule_of_a_file_beats_the_setting_of_a_machine() {
        let sandbox = Sandbox::new();
        sandbox.write(
            ".gitattributes",
            "a -text\nb text eol=lf\nc eol=crlf\nd filter=lfs -diff\ne text\n",
        );
        let rewritten = |setting: &[&str]| {
            sandbox.git(&[&["config"], setting].concat());
            let repository = Repository::discover(sandbox.root(), &HookVariables::default())
                .unwrap()
                .unwrap();
            let filter = repository.attribute(Path::new("d"), "filter").unwrap();
            assert_eq!(filter, Attribute::Value("lfs".to_owned()));
            assert_eq!(repository.attribute(Path::new("d"), "diff").unwrap(), Attribute::Unset);
            let is_rewritten = |name: &&str| repository.rewrites_line_ends(Path::new(name)).unwrap();
            ["a", "b", "c", "d", "e"]
                .into_iter()
                .filter(is_rewritten)
                .collect::<String>()
        };
        assert_eq!(rewritten(&["core.autocrlf", "false"]), "c");
        assert_eq!(rewritten(&["core.eol", "crlf"]), "ce");
        assert_eq!(rewritten(&["core.autocrlf", "true"]), "cde");
    }
}
