//! The environment variables of the program that `run` starts. Decides only which variable wins and which
//! must not arrive; starting the program is left to the process floor.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use secretree::formats::steers_programs;
use secretree::secret::Secret;

use crate::context::is_private;

/// One value on its way to the child.
pub(crate) struct Delivery {
    /// The variable's name.
    pub(crate) variable: String,
    /// Where it comes from, as a person types it.
    pub(crate) path: String,
    /// What the child gets.
    pub(crate) value: Secret,
    /// Whether it stands readable in the file, so that whoever writes the repository chose it.
    pub(crate) is_readable: bool,
}

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
    /// Paths and variables that were left out because programs act on such variables before they start.
    pub(crate) left_out: Vec<(String, String)>,
}

/// Puts the environment together from the `caller`'s and the values.
pub(crate) fn assemble(
    values: Vec<Delivery>,
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
        left_out: Vec::new(),
    };
    for delivery in values {
        let name = OsString::from(&delivery.variable);
        if delivery.is_readable && steers_programs(&delivery.variable) {
            child.left_out.push((delivery.path, delivery.variable));
        } else if !(inheritance.preserves(&name) && kept.binary_search(&&name).is_ok()) {
            child.set.insert(name, delivery.value);
        }
    }
    child
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::ffi::{OsStr, OsString};

    use secretree::secret::Secret;

    use super::{ChildEnvironment, Delivery, Inheritance, Preserved, assemble};

    fn delivery(variable: &str, value: &str, is_readable: bool) -> Delivery {
        Delivery {
            variable: variable.to_owned(),
            path: variable.to_lowercase(),
            value: Secret::from(value),
            is_readable,
        }
    }

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
        values: Vec<Delivery>,
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
        let values = || vec![delivery("TOKEN", "value", false), delivery("NEW", "new", false)];
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

    #[test]
    fn readable_values_never_steer_programs() {
        for name in [
            "PATH",
            "LD_PRELOAD",
            "NODE_OPTIONS",
            "PYTHONPATH",
            "GIT_SSH_COMMAND",
            "HTTPS_PROXY",
            "IFS",
            "RUBYOPT",
        ] {
            let child = assembled(vec![delivery(name, "x", true)], true, Preserved::None, false);
            assert_eq!(text(&child, name), None, "{name}");
            assert_eq!(child.left_out, [(name.to_lowercase(), name.to_owned())]);
            let child = assembled(vec![delivery(name, "x", false)], true, Preserved::None, false);
            assert_eq!(text(&child, name).as_deref(), Some("x"), "{name}");
        }
        let child = assembled(vec![delivery("LOG_PATH", "x", true)], true, Preserved::None, false);
        assert_eq!(text(&child, "LOG_PATH").as_deref(), Some("x"));
    }
}
