//! Every format against those who read it: nasty values go into one environment by `set --file`, out by `decrypt`, and
//! have to come back from the consumer's own parser byte for byte. The runner of GitHub Actions is not to be had, so
//! its published rules stand in `github_runner`; what dotenv readers make of which value is `dotenv_readers`'.

use std::collections::BTreeMap;
use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::docker_daemon::Daemon;
use crate::fixture::alice;
use crate::github_runner::{masked, masks, variables};
use crate::kubernetes_server::kubernetes_server;
use crate::sandbox::Person;
use crate::sops::sops;
use crate::tools::{require, require_unless_missing};

/// Values of one line, which every format carries.
const ONE_LINE: [&str; 47] = [
    "plain",
    "",
    " ",
    " leading",
    "trailing ",
    "\ttabs\t",
    "it's",
    "'",
    "\"double\"",
    "`id`",
    "$HOME",
    "${V0}",
    "$(id)",
    "'\"`$\\",
    "back\\slash",
    "\\",
    "\\n",
    "C:\\dir\\",
    "#hash",
    "a # b",
    "a=b",
    "=",
    "null",
    "~",
    "true",
    "no",
    "-",
    "1.10",
    "007",
    "0x1F",
    "1e3",
    "12345678901234567890",
    "%",
    "%0A",
    "%25",
    "::set-env name=V0::x",
    "::stop-commands::x",
    "##[add-mask]x",
    "EOF",
    "V0<<EOF",
    "\u{1f511} émoji",
    "\u{feff}mark",
    "\u{2028}\u{85}",
    "!history!",
    "a;b|c&d>e<f*?[g]",
    "{{ V0 }}{% if %}",
    "\u{1}\u{7f}",
];

/// Values with line ends, which Docker's format cannot carry.
const SEVERAL_LINES: [&str; 11] = [
    "two\nlines",
    "\n",
    "\n\n",
    "ends\n",
    "a\r\nb\r\n",
    "\r",
    "ends\r",
    "EOF\nV0=x\n",
    "V0='x'\nexport V1=y\n::add-mask::z",
    "-----BEGIN KEY-----\nab%3D=\n-----END KEY-----\n",
    "  indented: |\n    yaml\n",
];

/// Bytes that are no text, which only shells and Kubernetes get as they are.
const BYTES: &[u8] = b"\xff\xfe\r\n'\x80";

type Values = BTreeMap<String, Vec<u8>>;

/// Alice, whose `lines` extends `line`, and whose `bytes` extends `lines`.
fn alice_with_values() -> Person {
    let alice = alice(
        "environments:\n  line: {file: line.yaml, readers: [alice]}\n  \
         lines: {file: lines.yaml, readers: [alice], extends: [line]}\n  \
         bytes: {file: bytes.yaml, readers: [alice], extends: [lines]}\n  again: {file: again.yaml, readers: [alice]}\n",
    );
    for (name, value) in values("bytes") {
        let number: usize = name[1..].parse().unwrap();
        let environment = match number {
            _ if number < ONE_LINE.len() => "line",
            _ if number < ONE_LINE.len() + SEVERAL_LINES.len() + 1 => "lines",
            _ => "bytes",
        };
        alice.write("value", &value);
        let path = name.to_lowercase();
        alice
            .secretree(["set", environment, &path, "--file", "value"])
            .run()
            .succeeds();
    }
    alice
}

/// What an environment delivers, by variable.
fn values(environment: &str) -> Values {
    let mut values: Vec<Vec<u8>> = ONE_LINE.map(|text| text.as_bytes().to_vec()).into();
    if environment != "line" {
        values.extend(SEVERAL_LINES.map(|text| text.as_bytes().to_vec()));
        values.push(vec![b'k'; 64 << 10]);
    }
    if environment == "bytes" {
        values.push(BYTES.to_vec());
    }
    let numbered = values.into_iter().enumerate();
    numbered.map(|(number, value)| (format!("V{number}"), value)).collect()
}

#[track_caller]
fn assert_same(reader: &str, found: &Values, environment: &str) {
    let expected = values(environment);
    let (found_names, names): (Vec<_>, Vec<_>) = (found.keys().collect(), expected.keys().collect());
    assert_eq!(found_names, names, "{reader} knows other names");
    for (name, value) in &expected {
        let found = &found[name];
        let shown = |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned();
        assert!(
            found == value,
            "{reader} reads {:?} as {:?}",
            shown(value),
            shown(found)
        );
    }
}

/// `V0 BASE64` lines, or `V0=BASE64`.
fn of_base64(lines: &str) -> Values {
    let pair = |line: &str| {
        let (name, encoded) = line.split_once([' ', '=']).expect("a name and its value");
        (name.to_owned(), BASE64_STANDARD.decode(encoded).expect("base64"))
    };
    lines.lines().map(pair).collect()
}

/// `V0=value` texts, each ended by NUL.
fn of_environment(bytes: &[u8]) -> Values {
    let pairs = bytes.split(|byte| *byte == 0).filter_map(|pair| {
        let text = String::from_utf8_lossy(pair);
        let (name, _) = text.split_once('=')?;
        let is_ours = name.starts_with('V') && name[1..].bytes().all(|byte| byte.is_ascii_digit());
        is_ours.then(|| (name.to_owned(), pair[name.len() + 1..].to_vec()))
    });
    pairs.collect()
}

/// What a script in this shell finds.
fn shell_finds(alice: &Person, shell: &str, options: &str, script: &str) -> Values {
    let script = format!("{script}; exec env -0");
    let output = alice.command(shell, [options, &script]).run();
    assert_eq!(output.succeeds().stderr(), "", "{shell}");
    of_environment(output.stdout_bytes())
}

fn decrypted(alice: &Person, operands: &[&str]) -> Vec<u8> {
    let output = alice.secretree([&["decrypt"], operands].concat()).run();
    assert_eq!(output.succeeds().stderr(), "");
    output.stdout_bytes().to_vec()
}

#[test]
fn consumers_read_every_value_back() {
    if !require(&["bash", "dash", "zsh", "jq", "docker", "kubectl", "sops"]) || !has_ruamel() {
        return;
    }
    let alice = alice_with_values();
    in_shells(&alice);
    in_docker(&alice);
    in_kubernetes(&alice);
    in_sops(&alice);
    in_github(&alice);
    in_jq(&alice);
    in_yaml(&alice);
    in_templates(&alice);
}

fn has_ruamel() -> bool {
    let found = Command::new("python3").args(["-c", "import ruamel.yaml"]).output();
    let is_there = found.is_ok_and(|output| output.status.success());
    require_unless_missing(if is_there { &[] } else { &["ruamel.yaml"] })
}

fn in_shells(alice: &Person) {
    for (shell, options) in [("bash", "-c"), ("dash", "-c"), ("zsh", "-fc")] {
        let script = "eval \"$(secretree decrypt bytes --format shell)\"";
        assert_same(shell, &shell_finds(alice, shell, options, script), "bytes");
    }
    // A shell that reads dotenv has no escapes for carriage returns; the rest it reads.
    alice.write(".env", decrypted(alice, &["line", "--format", "dotenv"]));
    for (shell, options) in [("bash", "-c"), ("dash", "-c"), ("zsh", "-fc")] {
        assert_same(shell, &shell_finds(alice, shell, options, "set -a; . ./.env"), "line");
    }
}

fn in_docker(alice: &Person) {
    alice.write("docker.env", decrypted(alice, &["line", "--format", "docker"]));
    let daemon = Daemon::start(&alice.folder().join("docker"));
    alice
        .command("docker", ["create", "--env-file", "docker.env", "image"])
        .env("DOCKER_HOST", daemon.host())
        .run()
        .succeeds();
    let pairs = daemon.variables_of_created().into_iter().map(|pair| {
        let (name, value) = pair.split_once('=').expect("a pair");
        (name.to_owned(), value.as_bytes().to_vec())
    });
    assert_same("docker", &pairs.collect(), "line");
}

fn in_kubernetes(alice: &Person) {
    let manifest = decrypted(
        alice,
        &["bytes", "--format", "kubernetes", "--name", "null", "--namespace", "1"],
    );
    // What people type, but for the server's own rules about manifests.
    let server = kubernetes_server();
    let apply = ["apply", "--dry-run=client", "--validate=false", "-o", "json", "-f", "-"];
    let output = alice
        .command("kubectl", [&apply[..], &["--server", &server]].concat())
        .input(manifest)
        .run();
    let secret: serde_json::Value = serde_json::from_slice(output.succeeds().stdout_bytes()).unwrap();
    assert_eq!(secret["metadata"]["name"], "null");
    assert_eq!(secret["metadata"]["namespace"], "1");
    assert_eq!(secret["type"], "Opaque");
    let data = secret["data"].as_object().unwrap().iter();
    let data = data.map(|(name, encoded)| {
        let decoded = BASE64_STANDARD.decode(encoded.as_str().unwrap()).unwrap();
        (name.clone(), decoded)
    });
    assert_same("kubectl", &data.collect(), "bytes");
}

fn in_sops(alice: &Person) {
    let public = alice.public_key();
    let sealed = decrypted(alice, &["lines", "--format", "sops", "--recipient", &public]);
    alice.write("lines.sops.yaml", sealed);
    let script = "to_entries[] | \"\\(.key | ascii_upcase) \\(.value | @base64)\"";
    let opened = sops(alice, ["--decrypt", "--output-type", "json", "lines.sops.yaml"]).run();
    let output = alice
        .command("jq", ["-r", script])
        .input(opened.succeeds().stdout_bytes())
        .run();
    assert_same("sops", &of_base64(&output.succeeds().stdout()), "lines");
    // And in again, into an environment of its own.
    alice.secretree(["import", "again", "lines.sops.yaml"]).run().succeeds();
    assert_eq!(
        decrypted(alice, &["again", "--format", "json"]),
        decrypted(alice, &["lines", "--format", "json"])
    );
}

fn in_github(alice: &Person) {
    alice.write("github_env", "BEFORE=x");
    let output = alice
        .secretree(["decrypt", "lines", "--format", "github"])
        .env("GITHUB_ENV", "github_env")
        .run();
    assert_eq!(output.succeeds().stderr(), "");
    let masks = masks(&output.stdout());
    let mut found = variables(&alice.read_text("github_env"));
    assert_eq!(found.remove("BEFORE").as_deref(), Some("x"));
    for value in found.values() {
        // What a program prints of it, as the log shows it.
        for line in value.split(['\n', '\r']) {
            let shown = masked(line, &masks);
            assert_eq!(
                shown.trim_matches(|left: char| left == '*' || left.is_whitespace()),
                "",
                "{line:?}"
            );
        }
    }
    let found = found.into_iter().map(|(name, value)| (name, value.into_bytes()));
    assert_same("the runner", &found.collect(), "lines");
}

fn in_jq(alice: &Person) {
    for operands in [
        &["lines", "--format", "json", "--flat"][..],
        &["lines", "--format", "json"],
    ] {
        let script = "to_entries[] | \"\\(.key | ascii_upcase) \\(.value | @base64)\"";
        let output = alice
            .command("jq", ["-r", script])
            .input(decrypted(alice, operands))
            .run();
        assert_same("jq", &of_base64(&output.succeeds().stdout()), "lines");
    }
}

fn in_yaml(alice: &Person) {
    let script = "import base64, sys\nfrom ruamel.yaml import YAML\n\
                  for key, value in YAML(typ='safe', pure=True).load(sys.stdin.buffer).items():\n  \
                  value = value if isinstance(value, bytes) else value.encode()\n  \
                  print(key.upper(), base64.b64encode(value).decode())\n";
    let read = |text: Vec<u8>| {
        let output = alice.command("python3", ["-c", script]).input(text).run();
        of_base64(&output.succeeds().stdout())
    };
    assert_same("ruamel", &read(decrypted(alice, &["bytes", "--merged"])), "bytes");
    assert_same("ruamel", &read(decrypted(alice, &["line"])), "line");
}

fn in_templates(alice: &Person) {
    alice.write(
        "base64.j2",
        "{% for name, value in env | items %}{{ name }} {{ value | base64 }}\n{% endfor %}",
    );
    let text = decrypted(alice, &["bytes", "--template", "base64.j2"]);
    assert_same("a template", &of_base64(std::str::from_utf8(&text).unwrap()), "bytes");
    alice.write(
        "plain.j2",
        "{% for name in env %}{{ name }}={{ env[name] }}{{ '\\u0000' }}{% endfor %}",
    );
    let text = decrypted(alice, &["lines", "--template", "plain.j2"]);
    assert_same("a template", &of_environment(&text), "lines");
    alice.write(
        "shell.j2",
        "{% for name, value in env | items %}export {{ name }}={{ value | shell }}\n{% endfor %}",
    );
    let script = "eval \"$(secretree decrypt lines --template shell.j2)\"";
    assert_same("sh", &shell_finds(alice, "sh", "-c", script), "lines");
}
