//! The environment variables of the program that `run` starts. Decides only which variable wins and which
//! must not arrive; starting the program is left to the process floor.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use secretree::secret::Secret;

use crate::context::is_private;

/// Which of the caller's variables win over values of the same name.
pub(crate) enum Preserved {
    /// No variable of the caller.
    None,
    /// Every variable of the caller.
    All,
    /// These, also where nothing else is inherited.
    Names(Vec<String>),
}

/// What the child inherits from the caller.
pub(crate) struct Inheritance {
    /// Whether the caller's variables are inherited at all.
    pub(crate) inherits: bool,
    pub(crate) preserved: Preserved,
    /// Whether identities and trust are inherited, for a `secretree` inside.
    pub(crate) keeps_identity: bool,
}

impl Inheritance {
    fn preserves(&self, variable: &OsStr) -> bool {
        match &self.preserved {
            Preserved::None => false,
            Preserved::All => self.inherits,
            Preserved::Names(names) => names.iter().any(|name| OsStr::new(name) == variable),
        }
    }
}

/// How the child's environment differs from the caller's.
pub(crate) struct ChildEnvironment {
    /// The values that the child gets, by name.
    pub(crate) set: BTreeMap<OsString, Secret>,
    /// The caller's variables that it does not get.
    pub(crate) removed: Vec<OsString>,
}

/// Puts the environment together from the `caller`'s and the values, by variable.
pub(crate) fn assemble(
    values: Vec<(String, Secret)>,
    caller: &BTreeMap<OsString, OsString>,
    inheritance: &Inheritance,
) -> ChildEnvironment {
    let is_kept = |name: &OsString| {
        (inheritance.inherits || inheritance.preserves(name)) && (inheritance.keeps_identity || !is_private(name))
    };
    let (kept, removed): (Vec<&OsString>, Vec<&OsString>) = caller.keys().partition(|name| is_kept(name));
    let mut child = ChildEnvironment {
        set: BTreeMap::new(),
        removed: removed.into_iter().cloned().collect(),
    };
    // This process has them no more in its own environment (see `context::scrub`): they are handed on by name.
    for name in kept.iter().filter(|name| is_private(name)) {
        use std::os::unix::ffi::OsStrExt as _;
        child
            .set
            .insert((*name).clone(), Secret::new(caller[*name].as_bytes().to_vec()));
    }
    for (variable, value) in values {
        let name = OsString::from(variable);
        if !(inheritance.preserves(&name) && kept.binary_search(&&name).is_ok()) {
            child.set.insert(name, value);
        }
    }
    child
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::ffi::{OsStr, OsString};

    use secretree::secret::Secret;

    use super::{ChildEnvironment, Inheritance, Preserved, assemble};

    fn caller() -> BTreeMap<OsString, OsString> {
        [
            ("HOME", "/h"),
            ("TOKEN", "caller"),
            ("SECRETREE_KEY", "k"),
            ("SECRETREE_ENV", "dev"),
        ]
        .map(|(name, value)| (name.into(), value.into()))
        .into()
    }

    fn assembled(
        values: Vec<(String, Secret)>,
        inherits: bool,
        preserved: Preserved,
        keeps_identity: bool,
    ) -> ChildEnvironment {
        let inheritance = Inheritance {
            inherits,
            preserved,
            keeps_identity,
        };
        assemble(values, &caller(), &inheritance)
    }

    /// What the child finds in variable `name`.
    fn text(child: &ChildEnvironment, name: &str) -> Option<String> {
        let name = OsStr::new(name);
        if let Some(value) = child.set.get(name) {
            return value.expose_text().map(str::to_owned);
        }
        let inherited = caller().get(name)?.to_str()?.to_owned();
        (!child.removed.iter().any(|removed| removed == name)).then_some(inherited)
    }

    #[test]
    fn values_win_over_the_caller_unless_asked() {
        let values = || {
            [("TOKEN", "value"), ("NEW", "new")]
                .map(|(name, value)| (name.to_owned(), Secret::from(value)))
                .to_vec()
        };
        let names = |names: &[&str]| Preserved::Names(names.iter().map(|name| (*name).to_owned()).collect());
        for (inherits, preserved, token, home) in [
            (true, Preserved::None, "value", Some("/h")),
            (true, Preserved::All, "caller", Some("/h")),
            (true, names(&["TOKEN"]), "caller", Some("/h")),
            (true, names(&["NEW"]), "value", Some("/h")),
            (false, Preserved::None, "value", None),
            (false, Preserved::All, "value", None),
            (false, names(&["TOKEN", "HOME"]), "caller", Some("/h")),
        ] {
            let child = assembled(values(), inherits, preserved, false);
            assert_eq!(text(&child, "TOKEN").as_deref(), Some(token));
            assert_eq!(text(&child, "NEW").as_deref(), Some("new"));
            assert_eq!(text(&child, "HOME").as_deref(), home);
        }
    }

    #[test]
    fn identities_stay_here_unless_asked() {
        let child = assembled(vec![], true, Preserved::Names(vec!["SECRETREE_KEY".to_owned()]), false);
        assert_eq!(text(&child, "SECRETREE_KEY"), None);
        assert_eq!(text(&child, "SECRETREE_ENV").as_deref(), Some("dev"));
        let child = assembled(vec![], true, Preserved::None, true);
        assert_eq!(text(&child, "SECRETREE_KEY").as_deref(), Some("k"));
    }
}
