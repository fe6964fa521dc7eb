//! What the dotenv format promises of its readers, asked of the readers themselves: python-dotenv, and the npm package
//! dotenv. Shells are asked beside the quoting function, for any value.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use secretree::document::path::ValuePath;
use secretree::formats::{Variable, dotenv};
use secretree::value::Value;

use crate::tools::require_unless_missing;

/// Values, whether python-dotenv reads them back, and whether npm's dotenv does. Each stands between others that would
/// suffer if a reader went astray.
const VALUES: [(&str, bool, bool); 25] = [
    ("plain", true, true),
    ("", true, true),
    ("C:\\dir\\", false, true),
    (" padded # no comment ", true, true),
    ("$HOME $(id) `id` \"quoted\" \\d", true, true),
    ("two\nlines\n# not a comment\nV0=x\n", true, true),
    ("\\\\server\\share", false, true),
    ("${V0}", false, true),
    ("it's", true, true),
    ("it's\nPEM\n", true, true),
    ("it's \\d", true, true),
    ("it's \\n", true, false),
    ("it's \"so\"", true, false),
    ("ends in '\\", true, false),
    ("\"", true, true),
    ("'", true, true),
    ("it's $5", false, false),
    ("`it's`", false, false),
    ("a\r\nb\r\n", true, true),
    ("it's\r", true, true),
    ("$\r", false, false),
    ("\\", false, true),
    ("\u{2028}é\u{feff}", true, true),
    ("'\u{2028}\"", true, false),
    ("last", true, true),
];

/// The folder with npm packages beside the programs that they brought into `PATH`, if dotenv is in it.
fn npm_packages() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .filter(|folder| folder.ends_with("node_modules/.bin"))
        .filter_map(|folder| folder.parent().map(Path::to_owned))
        .find(|packages| packages.join("dotenv").is_dir())
}

fn has_python_dotenv() -> bool {
    let output = Command::new("python3").args(["-c", "import dotenv"]).output();
    output.is_ok_and(|output| output.status.success())
}

/// What a reader finds in the file, from the JSON object that it prints.
fn found(reader: &mut Command) -> BTreeMap<String, Option<String>> {
    let output = reader.output().expect("the reader starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("an object of strings")
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
    let variable = |(number, (value, _, _)): (usize, &(&str, bool, bool))| Variable {
        name: format!("V{number}"),
        path: ValuePath::of_keys([format!("v{number}")]),
        value: Value::text(value),
        readable: false,
    };
    let variables: Vec<Variable> = VALUES.iter().enumerate().map(variable).collect();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(".env");
    std::fs::write(&file, dotenv::write(&variables).unwrap()).unwrap();

    let script = "import dotenv, json, sys; print(json.dumps(dotenv.dotenv_values(sys.argv[1])))";
    let python = found(Command::new("python3").args(["-c", script]).arg(&file));
    let script = "console.log(JSON.stringify(require('dotenv').parse(require('fs').readFileSync(process.argv[1]))))";
    let mut command = Command::new("node");
    let node = found(
        command
            .args(["-e", script])
            .arg(&file)
            .env("NODE_PATH", packages.unwrap()),
    );

    for (number, (value, in_python, in_node)) in VALUES.iter().enumerate() {
        for (reader, values, expected) in [("python-dotenv", &python, in_python), ("dotenv", &node, in_node)] {
            let read = values.get(&format!("V{number}")).and_then(Option::as_deref);
            assert_eq!(read == Some(*value), *expected, "{reader} reads {value:?} as {read:?}");
        }
    }
    for values in [&python, &node] {
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
