//! `keygen`: a private key in a file of this person alone, never in the place of another, never shown.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;

use expect_test::expect;

use crate::sandbox::{Person, Sandbox};
use crate::terminal::Terminal;
use crate::tools::require;

/// Somebody without any identity.
fn newcomer() -> (Arc<Sandbox>, Person) {
    let sandbox = Sandbox::new();
    let ada = sandbox.person("ada");
    std::fs::remove_dir_all(ada.folder().join("config")).expect("the sandbox is ours");
    (sandbox, ada)
}

fn mode(path: &Path) -> u32 {
    path.metadata().expect("the file is there").permissions().mode() & 0o777
}

/// Fails if a private key was ever printed here.
pub(crate) fn assert_no_key_was_shown(sandbox: &Sandbox) {
    sandbox.with_printed(|printed| {
        for one in printed.iter().filter(|one| !one.reveals) {
            let text = String::from_utf8_lossy(&one.bytes);
            assert!(!text.contains("AGE-SECRET-KEY"), "`{}` showed a key", one.command);
        }
    });
}

#[test]
fn the_file_is_this_persons_alone_and_the_public_key_is_printed() {
    let (sandbox, ada) = newcomer();
    let output = ada.secretree(["keygen"]).run();
    output.check(expect![[r#"
        status: 0
        --- stdout
        age1…
        --- stderr
        the private key is in `[SANDBOX]/ada/config/secretree/identity.txt`
    "#]]);
    let file = ada.identity_file();
    assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert!(
        lines[0].starts_with("# created: 20") && lines[0].ends_with('Z'),
        "{}",
        lines[0]
    );
    assert_eq!(lines[1], format!("# public key: {}", output.stdout().trim()));
    assert!(lines[2].starts_with("AGE-SECRET-KEY-1") && lines.len() == 3);
    if require(&["age-keygen"]) {
        let derived = ada.command("age-keygen", ["-y"]).operand(&file).run();
        derived.prints(output.stdout());
    }
    assert_no_key_was_shown(&sandbox);
}

#[test]
fn nothing_is_ever_replaced() {
    let (_sandbox, ada) = newcomer();
    ada.write("key.txt", "mine\n");
    symlink(ada.work("elsewhere"), ada.work("link.txt")).unwrap();
    ada.write("sealed.txt.pub", "mine\n");
    ada.secretree(["keygen", "-o", "key.txt"]).run().check(expect![[r#"
        status: 1
        --- stderr
        error: `key.txt` exists, and an identity is never replaced
        hint: `secretree whoami` shows what is there; `secretree keygen -o FILE` makes another one elsewhere
    "#]]);
    ada.secretree(["keygen", "-o", "link.txt"]).run().code(1);
    ada.secretree(["keygen", "--passphrase", "-o", "sealed.txt"])
        .run()
        .code(1)
        .says("`sealed.txt.pub` exists");
    assert_eq!(ada.read_text("key.txt"), "mine\n");
    assert_eq!(ada.read_text("sealed.txt.pub"), "mine\n");
    assert!(!ada.work("elsewhere").exists() && !ada.work("sealed.txt").exists());
}

#[test]
fn a_key_for_a_machine_goes_through_a_pipe_or_a_file_of_its_own() {
    let (sandbox, ada) = newcomer();
    let piped = ada.secretree(["keygen", "-o", "-"]).reveals().run();
    piped.succeeds().says("public key: age1");
    let key = piped.stdout();
    let public = piped.stderr().replace("public key: ", "");
    ada.secretree(["whoami"])
        .env("SECRETREE_KEY", key.clone())
        .run()
        .prints(format!("{}\n  x25519 from SECRETREE_KEY\n", public.trim()));
    ada.secretree(["keygen", "-o", "-", "--json"]).run().code(2);
    ada.secretree(["keygen", "-o", "ci.txt", "--json"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stdout
            {
              "public_key": "age1…",
              "file": "ci.txt"
            }
            --- stderr
            the private key is in `ci.txt`
            it is used with `-i ci.txt`, or if SECRETREE_IDENTITY names it
        "#]]);
    assert_eq!(mode(&ada.work("ci.txt")), 0o600);
    assert_no_key_was_shown(&sandbox);
}

#[test]
fn a_private_key_is_not_shown_on_a_terminal() {
    let (sandbox, ada) = newcomer();
    let output = ada.on_terminal(["keygen", "-o", "-"]).finish();
    output.code(1);
    assert!(output.stdout().contains("must not be shown"), "{}", output.stdout());
    assert_no_key_was_shown(&sandbox);
}

#[test]
fn a_key_in_a_work_tree_is_warned_about_unless_git_ignores_it() {
    let (_sandbox, ada) = newcomer();
    ada.git(["init", "--quiet"]).run().succeeds();
    ada.write(".gitignore", "*.ignored\n");
    ada.secretree(["keygen", "-o", "keys/ci.txt"]).run().check(expect![[r#"
            status: 0
            --- stdout
            age1…
            --- stderr
            warning: `keys/ci.txt` lies in a git work tree and is not ignored: it holds a private key, never commit it
            the private key is in `keys/ci.txt`
            it is used with `-i keys/ci.txt`, or if SECRETREE_IDENTITY names it
        "#]]);
    let ignored = ada.secretree(["keygen", "-o", "ci.ignored"]).run();
    assert!(!ignored.stderr().contains("warning"), "{}", ignored.stderr());
}

#[test]
fn a_passphrase_is_asked_twice_and_then_opens_what_the_key_reads() {
    let (sandbox, ada) = newcomer();
    let no_pinentry = |run: crate::run::Run| Terminal::start(run.env("PINENTRY_PROGRAM", "/nonexistent"));
    let mut terminal = no_pinentry(ada.secretree(["keygen", "--passphrase"]));
    terminal.expect("new identity").send_hidden("correct horse\n");
    terminal.expect("Again").send_hidden("correct horse\n");
    terminal.finish().succeeds();
    let file = ada.identity_file();
    let public_file = file.with_file_name("identity.txt.pub");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("-----BEGIN AGE ENCRYPTED FILE-----\n"), "{text}");
    let public = std::fs::read_to_string(public_file).unwrap();
    assert!(public.starts_with("# public key: age1"), "{public}");

    // The public key beside it is enough to be a recipient; reading asks once.
    ada.secretree(["init", "--name", "ada"]).run().succeeds();
    ada.secretree(["whoami"]).run().succeeds();
    let mut terminal = no_pinentry(ada.secretree(["set", "dev", "greeting", "--generate", "password:12"]));
    terminal.expect("identity.txt").send_hidden("correct horse\n");
    terminal.expect("set `dev:greeting`");
    terminal.finish().succeeds();
    let mut terminal = no_pinentry(ada.secretree(["get", "dev", "greeting"]));
    terminal.expect("identity.txt").send_hidden("wrong\n");
    terminal.expect("wrong").send_hidden("correct horse\n");
    terminal.finish().succeeds();
    if require(&["age", "age-keygen"]) {
        let decryption = ada.command("age", ["-d", "-o", "plain.txt"]).operand(&file);
        let mut terminal = Terminal::start(decryption);
        terminal.expect("passphrase").send_hidden("correct horse\n");
        terminal.finish().succeeds();
        let derived = ada.command("age-keygen", ["-y", "plain.txt"]).run();
        derived.prints(public.trim_start_matches("# public key: "));
    }
    assert_no_key_was_shown(&sandbox);
}

#[test]
fn passphrases_that_differ_make_nothing() {
    let (_sandbox, ada) = newcomer();
    let run = ada
        .secretree(["keygen", "--passphrase"])
        .env("PINENTRY_PROGRAM", "/nonexistent");
    let mut terminal = Terminal::start(run);
    terminal.expect("new identity").send_hidden("one\n");
    terminal.expect("Again").send_hidden("two\n");
    terminal.finish().code(1);
    assert!(!ada.identity_file().exists());
}

#[test]
fn without_a_home_the_file_must_be_named() {
    let (_sandbox, ada) = newcomer();
    ada.secretree(["keygen"])
        .without_env("HOME")
        .without_env("XDG_CONFIG_HOME")
        .run()
        .check(expect![[r#"
            status: 1
            --- stderr
            error: there is no home folder to keep an identity in
            hint: set `HOME`, or name a file: `secretree keygen -o FILE`
        "#]]);
}
