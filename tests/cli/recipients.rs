//! Every kind of public key a policy can name, through the program: SSH keys and identities behind a passphrase.
//! Plugins are `plugins`'. What is asked is asked on a terminal, once, and only where it can help.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use age::secrecy::SecretString;
use expect_test::expect;

use crate::fixture::{changes_nothing, edit, policy};
use crate::run::Run;
use crate::sandbox::{Person, Sandbox};
use crate::terminal::Terminal;
use crate::tools::require;

/// Environments that alice and the other recipient read.
const SHARED: &str = "environments: {dev: {file: dev.yaml, readers: [alice, other]}}\n";

/// Alice has written `a: value` for herself and this public key; somebody without an identity got both files.
pub(crate) fn shared_with(sandbox: &std::sync::Arc<Sandbox>, key: &str) -> Person {
    let (alice, other) = (sandbox.person("alice"), sandbox.person("other"));
    alice.write(
        ".secrets.yaml",
        policy(&[("alice", &alice.public_key()), ("other", key)], SHARED),
    );
    edit(&alice, "dev", "a: value\n").run().succeeds();
    for file in [".secrets.yaml", "dev.yaml"] {
        other.write(file, alice.read(file));
    }
    std::fs::remove_file(other.identity_file()).unwrap();
    other
}

/// A new SSH key of a kind, at `path` and `path.pub`; the public line without its comment.
pub(crate) fn ssh_key(person: &Person, kind: &str, path: &Path, passphrase: &str) -> String {
    person
        .command(
            "ssh-keygen",
            ["-q", "-t", kind, "-C", "somebody@example", "-N", passphrase, "-f"],
        )
        .operand(path)
        .run()
        .succeeds();
    let line = std::fs::read_to_string(path.with_extension("pub")).unwrap();
    line.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

pub(crate) fn private(path: &Path, content: impl AsRef<[u8]>) {
    std::fs::write(path, content).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// The program on a terminal, on a machine without pinentry.
fn prompted(person: &Person, operands: &[&str]) -> Terminal {
    Terminal::start(
        person
            .secretree(operands.iter().copied())
            .env("PINENTRY_PROGRAM", "/none"),
    )
}

/// `get dev a` where nobody can be asked.
fn without_prompt(person: &Person) -> Run {
    let run = person.secretree(["get", "dev", "a"]).env("PINENTRY_PROGRAM", "/none");
    run.under(&["setsid", "--wait"])
}

#[test]
fn ssh_keys_read_and_write() {
    if !require(&["ssh-keygen"]) {
        return;
    }
    for (kind, file, label) in [("ed25519", "id_ed25519", "ssh-ed25519-"), ("rsa", "id_rsa", "ssh-rsa-")] {
        let sandbox = Sandbox::new();
        let maker = sandbox.person("maker");
        let path = maker.folder().join("key");
        let public = ssh_key(&maker, kind, &path, "");
        let other = shared_with(&sandbox, &public);
        assert!(other.read_text("dev.yaml").contains(&format!("\n      {label}")));
        changes_nothing(other.secretree(["get", "dev", "a"])).code(4);
        // Where ssh keeps it, and by its name.
        other
            .secretree(["-i"])
            .operand(&path)
            .operand("get")
            .operand("dev")
            .operand("a")
            .run()
            .succeeds()
            .prints("value");
        private(
            &other.folder().join("home/.ssh").join(file),
            std::fs::read(&path).unwrap(),
        );
        other.secretree(["get", "dev", "a"]).run().succeeds().prints("value");
        other.secretree(["set", "dev", "b"]).input("theirs").run().succeeds();
        other.secretree(["apply", "--new-key", "--yes"]).run().succeeds();
        other
            .secretree(["decrypt", "dev"])
            .run()
            .prints("a: value\nb: theirs\n");
    }
}

#[test]
fn a_passphrase_of_an_ssh_key_is_asked_for_once() {
    if !require(&["ssh-keygen"]) {
        return;
    }
    let sandbox = Sandbox::new();
    let maker = sandbox.person("maker");
    let path = maker.folder().join("key");
    let public = ssh_key(&maker, "ed25519", &path, "open sesame");
    let other = shared_with(&sandbox, &public);
    let home = other.folder().join("home/.ssh/id_ed25519");
    private(&home, std::fs::read(&path).unwrap());
    private(
        &home.with_extension("pub"),
        std::fs::read(path.with_extension("pub")).unwrap(),
    );
    let mut terminal = prompted(&other, &["get", "dev", "a"]);
    terminal.expect("passphrase of").send_hidden("open sesame\n");
    terminal.finish().check(expect![[r#"
        status: 0
        --- stdout
        passphrase of `[SANDBOX]/other/home/.ssh/id_ed25519`: 
        note: first sight of the key `k…` of `dev` on this machine (no commit yet): trusted from now on
        value
    "#]]);
    let mut terminal = prompted(&other, &["apply", "dev", "--new-key", "--yes"]);
    terminal.expect("passphrase of").send_hidden("open sesame\n");
    terminal.finish().check(expect![[r#"
        status: 0
        --- stdout
        passphrase of `[SANDBOX]/other/home/.ssh/id_ed25519`: 
        dev: new key k…; every value is sealed anew
        wrote dev.yaml
    "#]]);
    let mut terminal = prompted(&other, &["get", "dev", "a"]);
    for _ in 0..3 {
        terminal.expect("passphrase of").send_hidden("wrong\n");
    }
    terminal.finish().check(expect![[r#"
        status: 4
        --- stdout
        passphrase of `[SANDBOX]/other/home/.ssh/id_ed25519`: 
        wrong; passphrase of `[SANDBOX]/other/home/.ssh/id_ed25519`: 
        wrong; passphrase of `[SANDBOX]/other/home/.ssh/id_ed25519`: 
        [1;31merror:[0m the passphrase of `[SANDBOX]/other/home/.ssh/id_ed25519` is wrong
        [36mhint:[0m run the command again to try once more, or name another identity: `-i FILE`
    "#]]);
    // Nobody to ask.
    changes_nothing(without_prompt(&other)).check(expect![[r#"
        status: 4
        --- stderr
        error: the passphrase of `[SANDBOX]/other/home/.ssh/id_ed25519` was not given
        hint: run it where a terminal or `pinentry` (from outside the repository) can ask, or name another identity: `-i FILE`
    "#]]);
}

#[test]
fn an_encrypted_key_that_cannot_help_is_not_asked_about() {
    if !require(&["ssh-keygen"]) {
        return;
    }
    let sandbox = Sandbox::new();
    let maker = sandbox.person("maker");
    let other = shared_with(&sandbox, &sandbox.person("third").public_key());
    let home = other.folder().join("home/.ssh/id_ed25519");
    ssh_key(&maker, "ed25519", &home, "open sesame");
    other.on_terminal(["get", "dev", "a"]).finish().check(expect![[r#"
        status: 4
        --- stdout
        [1;31merror:[0m no identity here can open `dev`
        [36mhint:[0m readers are alice, other; to join: `secretree join dev`, commit, then one of them runs `secretree apply dev`
    "#]]);
}

/// An age identity file, itself sealed by a passphrase, as `age -p` makes it.
fn sealed_identity(path: &Path, identity: &[u8], passphrase: &str) {
    let mut recipient = age::scrypt::Recipient::new(SecretString::from(passphrase.to_owned()));
    recipient.set_work_factor(4);
    let recipients = std::iter::once(&recipient as &dyn age::Recipient);
    let encryptor = age::Encryptor::with_recipients(recipients).unwrap();
    let mut sealed = Vec::new();
    let armor = age::armor::ArmoredWriter::wrap_output(&mut sealed, age::armor::Format::AsciiArmor).unwrap();
    let mut writer = encryptor.wrap_output(armor).unwrap();
    writer.write_all(identity).unwrap();
    writer.finish().unwrap().finish().unwrap();
    private(path, sealed);
}

#[test]
fn a_passphrase_of_an_identity_file_is_asked_for_once() {
    let sandbox = Sandbox::new();
    let owner = sandbox.person("owner");
    let other = shared_with(&sandbox, &owner.public_key());
    let identity = std::fs::read(owner.identity_file()).unwrap();
    sealed_identity(&other.identity_file(), &identity, "open sesame");
    let mut terminal = prompted(&other, &["get", "dev", "a"]);
    terminal.expect("passphrase of").send_hidden("open sesame\n");
    terminal.finish().check(expect![[r#"
        status: 0
        --- stdout
        passphrase of `[SANDBOX]/other/config/secretree/identity.txt`: 
        note: first sight of the key `k…` of `dev` on this machine (no commit yet): trusted from now on
        value
    "#]]);
    let mut terminal = prompted(&other, &["get", "dev", "a"]);
    for _ in 0..3 {
        terminal.expect("passphrase of").send_hidden("wrong\n");
    }
    terminal.finish().check(expect![[r#"
        status: 4
        --- stdout
        passphrase of `[SANDBOX]/other/config/secretree/identity.txt`: 
        wrong; passphrase of `[SANDBOX]/other/config/secretree/identity.txt`: 
        wrong; passphrase of `[SANDBOX]/other/config/secretree/identity.txt`: 
        [1;31merror:[0m the passphrase of `[SANDBOX]/other/config/secretree/identity.txt` is wrong
        [36mhint:[0m run the command again to try once more, or name another identity: `-i FILE`
    "#]]);
    changes_nothing(without_prompt(&other)).check(expect![[r#"
        status: 4
        --- stderr
        error: the passphrase of `[SANDBOX]/other/config/secretree/identity.txt` was not given
        hint: run it where a terminal or `pinentry` (from outside the repository) can ask, or name another identity: `-i FILE`
    "#]]);
    // A plain identity that fits is tried first: nothing is asked.
    let plain = other.folder().join("plain.txt");
    private(&plain, identity);
    other
        .secretree(["get", "dev", "a"])
        .env("SECRETREE_IDENTITY", plain)
        .run()
        .check(expect![[r#"
            status: 0
            --- stdout
            value[no newline]
        "#]]);
}

#[test]
fn identities_come_from_variables_and_commands() {
    let sandbox = Sandbox::new();
    let owner = sandbox.person("owner");
    let other = shared_with(&sandbox, &owner.public_key());
    let file = owner.identity_file();
    let text = std::fs::read_to_string(&file).unwrap();
    let key = text.lines().last().unwrap();
    let get = || other.secretree(["get", "dev", "a"]);
    get().env("SECRETREE_IDENTITY", &file).run().succeeds().prints("value");
    let missing = format!("/missing:{}", file.display());
    changes_nothing(get().env("SECRETREE_IDENTITY", missing)).check(expect![[r#"
        status: 1
        --- stderr
        error: `SECRETREE_IDENTITY` names `/missing`, which does not exist
        hint: secretree keygen -o FILE makes an identity
    "#]]);
    get().env("SECRETREE_KEY", key).run().succeeds().prints("value");
    get().env("SECRETREE_KEY", &text).run().succeeds().prints("value");
    let output = changes_nothing(get().env("SECRETREE_KEY", "AGE-SECRET-KEY-1CANARY"));
    assert!(!output.stderr().contains("CANARY"));
    output.check(expect![[r#"
        status: 4
        --- stderr
        error: no identity here can open `dev`
        hint: readers are alice, other; to join: `secretree join dev`, commit, then one of them runs `secretree apply dev`
        hint: SECRETREE_KEY: holds no identity in line 1
    "#]]);
    get()
        .env("SECRETREE_KEY_COMMAND", format!("cat '{}'", file.display()))
        .run()
        .succeeds()
        .prints("value");
    changes_nothing(get().env("SECRETREE_KEY_COMMAND", "false")).check(expect![[r#"
        status: 4
        --- stderr
        error: `SECRETREE_KEY_COMMAND` gave no identity: it failed (exit status: 1)
        hint: run it by hand to see why
    "#]]);
    changes_nothing(get().env("SECRETREE_KEY_COMMAND", "./key.sh")).check(expect![[r#"
        status: 1
        --- stderr
        error: the program of `SECRETREE_KEY_COMMAND` was not found
        hint: it must be on PATH or an absolute path, outside the repository
    "#]]);
    get().env("SOPS_AGE_KEY_FILE", &file).run().succeeds().prints("value");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    get().env("SECRETREE_IDENTITY", &file).run().check(expect![[r#"
        status: 0
        --- stdout
        value[no newline]
        --- stderr
        warning: others can read the identity `[SANDBOX]/owner/config/secretree/identity.txt`: chmod 600 [SANDBOX]/owner/config/secretree/identity.txt
    "#]]);
}

#[test]
fn pinentry_is_asked_where_there_is_one() {
    let sandbox = Sandbox::new();
    let owner = sandbox.person("owner");
    let other = shared_with(&sandbox, &owner.public_key());
    let identity = std::fs::read(owner.identity_file()).unwrap();
    sealed_identity(&other.identity_file(), &identity, "open sesame");
    let pinentry = sandbox.script(
        "pinentry",
        "#!/bin/sh\necho OK\nwhile read -r word rest; do\n\
         [ \"$word\" = GETPIN ] && echo 'D open sesame'\n[ \"$word\" = SETDESC ] && echo \"$rest\" >> \"$0.log\"\n\
         echo OK\ndone\n",
    );
    other
        .secretree(["get", "dev", "a"])
        .env("PINENTRY_PROGRAM", &pinentry)
        .run()
        .succeeds()
        .prints("value");
    let asked = || std::fs::read_to_string(format!("{pinentry}.log")).unwrap();
    let file = other.identity_file();
    let question = format!("passphrase of `{}`\n", file.display());
    assert_eq!(asked(), question);
    // Unnamed, the first of PATH.
    other.secretree(["get", "dev", "a"]).run().succeeds().prints("value");
    assert_eq!(asked(), question.repeat(2));
    // Where a person watches a terminal, that is asked on, and nobody else.
    let mut terminal = Terminal::start(other.secretree(["get", "dev", "a"]));
    terminal.expect("passphrase of").send_hidden("open sesame\n");
    terminal.finish().succeeds();
    assert_eq!(asked(), question.repeat(2));
    // Nor is anybody asked where another identity fits, be it to look into grants of other people.
    let plain = other.folder().join("plain.txt");
    private(&plain, identity);
    let run = other.secretree(["get", "dev", "a"]).env("SECRETREE_IDENTITY", plain);
    run.run().succeeds().prints("value");
    assert_eq!(asked(), question.repeat(2));
}

#[test]
fn a_pinentry_that_the_repository_brings_is_not_started() {
    let sandbox = Sandbox::new();
    let owner = sandbox.person("owner");
    let other = shared_with(&sandbox, &owner.public_key());
    let identity = std::fs::read(owner.identity_file()).unwrap();
    sealed_identity(&other.identity_file(), &identity, "open sesame");
    other.git(["init", "--quiet"]).run().succeeds();
    sandbox.script("pinentry", "#!/bin/sh\ntouch \"$0.started\"\n");
    let script = sandbox.root().join("bin/pinentry");
    std::fs::rename(&script, other.work("pinentry")).unwrap();
    let place = other.work("");
    let tree = place.to_str().unwrap().trim_end_matches('/');
    let path_of = |folder: &str| {
        let mut path = std::ffi::OsString::from(format!("{folder}:"));
        path.push(sandbox.path());
        path
    };
    let named = [".", "", tree, "./"].map(|folder| ("PATH", path_of(folder)));
    let programs =
        ["pinentry", "./pinentry", &format!("{tree}/pinentry")].map(|name| ("PINENTRY_PROGRAM", name.into()));
    for (name, value) in named.into_iter().chain(programs) {
        for words in [
            &["get", "dev", "a"][..],
            &["keygen", "--passphrase", "-o", "../key.txt"],
        ] {
            // The name alone is looked up in a PATH that begins with the repository.
            let run = other.secretree(words.iter().copied()).env("PATH", path_of("."));
            let run = run.env(name, value.clone()).under(&["setsid", "--wait"]);
            let output = changes_nothing(run);
            assert!(
                output.stderr().contains("given"),
                "{name} {value:?}: {}",
                output.stderr()
            );
        }
    }
    assert!(!other.work("pinentry.started").exists());
    assert!(!other.folder().join("key.txt").exists());
}
