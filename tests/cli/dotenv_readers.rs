//! What the dotenv format promises of its readers, asked of the readers themselves: python-dotenv, the npm package
//! dotenv, and Node with `--env-file`. Shells are asked beside the quoting function, for any value.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use secretree::document::path::ValuePath;
use secretree::formats::{Variable, dotenv};
use secretree::value::Value;

use crate::tools::require_unless_missing;

/// Values, and whether python-dotenv, npm's dotenv and Node itself read them back. Each stands between others that would
/// suffer if a reader went astray.
const VALUES: [(&str, bool, bool, bool); 32] = [
    ("plain", true, true, true),
    ("null", true, true, true),
    ("1.10", true, true, true),
    ("007", true, true, true),
    ("12345678901234567890", true, true, true),
    ("=", true, true, true),
    ("#", true, true, true),
    ("\ttab\t\u{1f511}", true, true, true),
    ("", true, true, true),
    ("C:\\dir\\", false, true, true),
    (" padded # no comment ", true, true, true),
    ("$HOME $(id) `id` \"quoted\" \\d", true, true, true),
    ("two\nlines\n# not a comment\nV0=x\n", true, true, true),
    ("\\\\server\\share", false, true, true),
    ("${V0}", false, true, true),
    ("it's", true, true, true),
    ("it's\nPEM\n", true, true, true),
    ("it's \\d", true, true, true),
    ("it's \\n", true, false, false),
    ("it's \"so\"", true, false, false),
    ("ends in '\\", true, false, false),
    ("\"", true, true, true),
    ("'", true, true, true),
    ("it's $5", false, false, false),
    ("`it's`", false, false, false),
    ("a\r\nb\r\n", true, true, false),
    ("it's\r", true, true, false),
    ("$\r", false, false, false),
    ("\\", false, true, true),
    ("\u{2028}é\u{feff}", true, true, true),
    ("'\u{2028}\"", true, false, false),
    ("last", true, true, true),
];

/// The folder with npm packages beside the programs that they brought into `PATH`, if dotenv is in it.
fn npm_packages() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .filter(|folder| folder.ends_with("node_modules/.bin"))
        .filter_map(|folder| folder.parent().map(Path::to_owned))
        .find(|packages| packages.join("dotenv").is_dir())
}

pub(crate) fn has_python_dotenv() -> bool {
    let output = Command::new("python3").args(["-c", "import dotenv"]).output();
    output.is_ok_and(|output| output.status.success())
}

/// What a reader finds in the file, from the JSON object that it prints.
fn found(reader: &mut Command) -> BTreeMap<String, Option<String>> {
    let output = reader.output().expect("the reader starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("an object of strings")
}

/// What python-dotenv finds in a file.
pub(crate) fn python_read(text: &[u8]) -> BTreeMap<String, Option<String>> {
    let script = "import dotenv, json, sys; print(json.dumps(dotenv.dotenv_values(sys.argv[1])))";
    let file = file_with(text);
    found(Command::new("python3").args(["-c", script]).arg(file.path()))
}

/// What npm's dotenv finds in a file; nothing if it is not installed.
pub(crate) fn npm_read(text: &[u8]) -> Option<BTreeMap<String, Option<String>>> {
    let script = "console.log(JSON.stringify(require('dotenv').parse(require('fs').readFileSync(process.argv[1]))))";
    let file = file_with(text);
    let mut command = Command::new("node");
    command
        .args(["-e", script])
        .arg(file.path())
        .env("NODE_PATH", npm_packages()?);
    Some(found(&mut command))
}

fn file_with(text: &[u8]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), text).expect("it is ours");
    file
}

#[test]
fn dotenv_readers_read_what_the_table_says() {
    let packages = npm_packages();
    let missing = [
        (has_python_dotenv(), "python-dotenv"),
        (packages.is_some(), "npm's dotenv"),
    ];
    let missing: Vec<&str> = missing
        .iter()
        .filter(|(is_there, _)| !is_there)
        .map(|(_, name)| *name)
        .collect();
    if !require_unless_missing(&missing) {
        return;
    }
    let variable = |(number, (value, _, _, _)): (usize, &(&str, bool, bool, bool))| Variable {
        name: format!("V{number}"),
        path: ValuePath::of_keys([format!("v{number}")]),
        value: Value::text(value),
        readable: false,
    };
    let long = "a long=value # of \"64\" KiB\n".repeat((64 << 10) / 27 + 1);
    let values: Vec<_> = VALUES.into_iter().chain([(&*long, true, true, true)]).collect();
    let variables: Vec<Variable> = values.iter().enumerate().map(variable).collect();
    let written = dotenv::write(&variables).unwrap();
    let python = python_read(&written);
    let node = npm_read(&written).unwrap();

    let script = "const ours = ([name]) => /^V[0-9]+$/.test(name);\
                  console.log(JSON.stringify(Object.fromEntries(Object.entries(process.env).filter(ours))))";
    let mut argument = std::ffi::OsString::from("--env-file=");
    let file = file_with(&written);
    argument.push(file.path());
    // Since Node 20.6.
    let is_known = Command::new("node").arg(&argument).args(["-e", ""]).status();
    let is_known = is_known.is_ok_and(|status| status.success());
    let by_itself = is_known.then(|| found(Command::new("node").arg(argument).args(["-e", script])));

    for (number, (value, in_python, in_node, in_itself)) in values.iter().enumerate() {
        let asked = [
            ("python-dotenv", Some(&python), in_python),
            ("dotenv", Some(&node), in_node),
            ("node --env-file", by_itself.as_ref(), in_itself),
        ];
        for (reader, values, expected) in asked {
            let Some(values) = values else { continue };
            let read = values.get(&format!("V{number}")).and_then(Option::as_deref);
            assert_eq!(read == Some(*value), *expected, "{reader} reads {value:?} as {read:?}");
        }
    }
    for values in [&python, &node].into_iter().chain(&by_itself) {
        let unknown = |name: &&String| {
            name.strip_prefix('V')
                .is_none_or(|number| number.parse::<usize>().is_err())
        };
        assert_eq!(
            values.keys().find(unknown),
            None,
            "a value became a variable of its own"
        );
    }
}
