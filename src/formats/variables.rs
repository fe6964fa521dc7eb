//! Values as variables: which name each gets, and which must not become one. Used by `run` and by every format that
//! has no nesting; how a format quotes them is its own affair.

use std::collections::HashMap;

use crate::document::path::ValuePath;
use crate::error::{Failure, Result};
use crate::value::Value;
use crate::view::Entry;

/// A value that becomes a variable; never `null`.
#[derive(Clone, Debug)]
pub struct Variable {
    /// The variable's name.
    pub name: String,
    /// Where the value stands.
    pub path: ValuePath,
    /// The value; [`Value::delivered`] are the bytes of the variable.
    pub value: Value,
    /// Whether it stands readable in its file: nobody vouches for it then.
    pub readable: bool,
}

/// A readable value that became no variable, because programs act on such a variable before they start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Where the value stands.
    pub path: ValuePath,
    /// The name that it would have had.
    pub name: String,
}

/// What became of the values.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    /// In the order of the values, each name once.
    pub kept: Vec<Variable>,
    /// To be warned about, in the same order.
    pub left_out: Vec<LeftOut>,
}

/// Makes variables of values (DESIGN 4): `variable_name` says how the value at a path is called, `null` is left out, and
/// so are readable values whose variable [`steers_programs`].
///
/// # Errors
/// Two paths with one name, also where one of them would be left out; a NUL in a value, which no variable can hold.
pub fn variables(
    entries: impl IntoIterator<Item = Entry>,
    variable_name: impl Fn(&ValuePath) -> String,
) -> Result<Variables> {
    let variables = variables_of_any_bytes(entries, variable_name)?;
    variables.kept.iter().try_for_each(refuse_nul)?;
    Ok(variables)
}

/// Like [`variables`], for what also holds a NUL.
///
/// # Errors
/// Two paths with one name, also where one of them would be left out.
pub fn variables_of_any_bytes(
    entries: impl IntoIterator<Item = Entry>,
    variable_name: impl Fn(&ValuePath) -> String,
) -> Result<Variables> {
    let mut variables = Variables::default();
    let mut paths: HashMap<String, ValuePath> = HashMap::new();
    for entry in entries.into_iter().filter(|entry| entry.value != Value::Null) {
        let name = variable_name(&entry.path);
        if let Some(other) = paths.insert(name.clone(), entry.path.clone()) {
            return Err(clash(&name, &other, &entry.path));
        }
        if entry.readable && steers_programs(&name) {
            let path = entry.path;
            variables.left_out.push(LeftOut { path, name });
            continue;
        }
        variables.kept.push(Variable {
            name,
            path: entry.path,
            value: entry.value,
            readable: entry.readable,
        });
    }
    Ok(variables)
}

fn clash(name: &str, first: &ValuePath, second: &ValuePath) -> anyhow::Error {
    Failure::failed(format!("`{first}` and `{second}` both become the variable `{name}`"))
        .hint("rename one, or declare `env: OTHER_NAME` for it under `secrets` in the policy")
        .into()
}

fn refuse_nul(variable: &Variable) -> Result<()> {
    let (Value::Text(bytes) | Value::Bytes(bytes)) = &variable.value else {
        return Ok(());
    };
    if !bytes.expose().contains(&0) {
        return Ok(());
    }
    let path = &variable.path;
    let message = format!("the value of `{path}` holds a NUL, and no variable can");
    Err(Failure::failed(message)
        .hint(format!("it can be read by itself: secretree get ENV '{path}' > FILE"))
        .into())
}

/// Whether loaders and interpreters act on `variable` (FORMAT, The text 4): readable text, which nobody vouches for, must
/// never become one. Proxies are also known by lower-case names.
pub fn steers_programs(variable: &str) -> bool {
    const NAMES: [&str; 45] = [
        "PATH",
        "BASH_ENV",
        "ENV",
        "IFS",
        "HOME",
        "SHELL",
        "SHELLOPTS",
        "BASHOPTS",
        "PS4",
        "PROMPT_COMMAND",
        "ZDOTDIR",
        "EDITOR",
        "VISUAL",
        "PAGER",
        "MANPAGER",
        "LESSOPEN",
        "LESSCLOSE",
        "BROWSER",
        "TMPDIR",
        "SSH_ASKPASS",
        "SSH_AUTH_SOCK",
        "SUDO_ASKPASS",
        "MAKEFLAGS",
        "MFLAGS",
        "MAKEFILES",
        "LUA_INIT",
        "PERLLIB",
        "NODE_PATH",
        "NODE_EXTRA_CA_CERTS",
        "NODE_TLS_REJECT_UNAUTHORIZED",
        "CLASSPATH",
        "JAVA_HOME",
        "KUBECONFIG",
        "OPENSSL_CONF",
        "CURL_HOME",
        "GLIBC_TUNABLES",
        "GCONV_PATH",
        "LOCPATH",
        "PHPRC",
        "VIMINIT",
        "EXINIT",
        "DOCKER_HOST",
        "AGEDEBUG",
        "GOFLAGS",
        "RUSTC_WRAPPER",
    ];
    // `SECRETREE_*` would tell a secretree inside the child whom to trust.
    const PREFIXES: [&str; 18] = [
        "LD_",
        "DYLD_",
        "PYTHON",
        "PERL5",
        "RUBY",
        "GIT_",
        "SECRETREE_",
        "XDG_",
        "PIP_",
        "NPM_CONFIG_",
        "BUNDLE_",
        "GEM_",
        "SSL_CERT_",
        "MALLOC_",
        "DOTNET_",
        "ERL_",
        "R_PROFILE",
        "CARGO_",
    ];
    NAMES.contains(&variable)
        || PREFIXES.iter().any(|prefix| variable.starts_with(prefix))
        || variable.ends_with("_OPTIONS")
        || variable.to_ascii_uppercase().ends_with("_PROXY")
}

#[cfg(test)]
mod tests {
    use super::{LeftOut, Variables, steers_programs, variables, variables_of_any_bytes};
    use crate::document::path::ValuePath;
    use crate::error::{Failure, Result};
    use crate::secret::Secret;
    use crate::value::Value;
    use crate::view::Entry;

    fn entry(path: &str, value: Value, readable: bool) -> Entry {
        Entry {
            path: ValuePath::parse(path).expect("a path"),
            value,
            readable,
        }
    }

    fn named(entries: Vec<Entry>) -> Result<Variables> {
        variables(entries, ValuePath::variable_name)
    }

    fn message(result: Result<Variables>) -> String {
        let failure = result.expect_err("refused").downcast::<Failure>().expect("a failure");
        assert_eq!(failure.kind().exit_code(), 1);
        failure.message().to_owned()
    }

    #[test]
    fn values_get_names_in_their_order_and_null_gets_none() {
        let named = named(vec![
            entry("stripe.key", Value::text("sk"), false),
            entry("nothing", Value::Null, false),
            entry("log.level", Value::text("info"), true),
            entry("hosts.0", Value::Integer(1), false),
        ])
        .expect("variables");
        let names: Vec<_> = named.kept.iter().map(|variable| variable.name.as_str()).collect();
        assert_eq!(names, ["STRIPE_KEY", "LOG_LEVEL", "HOSTS_0"]);
        assert_eq!(named.kept[1].value, Value::text("info"));
        assert!(named.kept[1].readable && !named.kept[0].readable);
        assert_eq!(named.left_out, []);
    }

    #[test]
    fn a_clash_names_both_paths_and_a_null_clashes_with_nothing() {
        let clash = vec![
            entry("a.b", Value::text("1"), false),
            entry("a-b", Value::text("2"), false),
        ];
        assert_eq!(message(named(clash)), "`a.b` and `a-b` both become the variable `A_B`");
        let hidden = vec![entry("a.b", Value::Null, false), entry("a-b", Value::text("2"), false)];
        assert_eq!(named(hidden).expect("variables").kept.len(), 1);
        let dangerous = vec![
            entry("path", Value::text("1"), false),
            entry("PATH", Value::text("2"), true),
        ];
        assert_eq!(
            message(named(dangerous)),
            "`path` and `PATH` both become the variable `PATH`"
        );
    }

    #[test]
    fn a_nul_is_refused_by_path_without_the_value() {
        for value in [Value::text("can\0ary"), Value::Bytes(Secret::new(vec![0, 255]))] {
            assert_eq!(
                message(named(vec![entry("a.b", value, false)])),
                "the value of `a.b` holds a NUL, and no variable can"
            );
        }
        let entries = vec![entry("a.b", Value::text("\0"), false)];
        let any = variables_of_any_bytes(entries, ValuePath::variable_name).expect("kept");
        assert_eq!(any.kept[0].value, Value::text("\0"));
    }

    #[test]
    fn readable_values_that_steer_programs_are_left_out() {
        let values = |readable| vec![entry("ld.preload", Value::text("x"), readable)];
        let readable = named(values(true)).expect("variables");
        assert!(readable.kept.is_empty());
        let path = ValuePath::of_keys(["ld", "preload"]);
        let name = "LD_PRELOAD".to_owned();
        assert_eq!(readable.left_out, [LeftOut { path, name }]);
        let sealed = named(values(false)).expect("variables");
        assert_eq!((sealed.kept.len(), sealed.left_out.len()), (1, 0));
    }

    #[test]
    fn loaders_interpreters_and_proxies_are_known_by_name() {
        for name in [
            "PATH",
            "LD_PRELOAD",
            "DYLD_INSERT_LIBRARIES",
            "NODE_OPTIONS",
            "BASH_ENV",
            "ENV",
            "IFS",
            "PYTHONPATH",
            "PERL5LIB",
            "RUBYOPT",
            "GIT_SSH_COMMAND",
            "HTTPS_PROXY",
            "https_proxy",
            "No_Proxy",
        ] {
            assert!(steers_programs(name), "{name}");
        }
        for name in [
            "LOG_PATH",
            "ENVIRONMENT",
            "OLD_KEY",
            "OPTIONS",
            "DIGIT_X",
            "PROXY",
            "MY_ENV",
            "IFS_X",
        ] {
            assert!(!steers_programs(name), "{name}");
        }
    }
}
