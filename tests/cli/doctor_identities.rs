//! `doctor` on private keys: absent, unreadable, within reach of others. Each cure is typed as it was printed.

use std::os::unix::fs::PermissionsExt as _;

use expect_test::expect;

use crate::doctor::{Visit, healthy};
use crate::sandbox::{Person, Sandbox};
use crate::team::Team;
use crate::tools::require;

fn set_mode(path: &std::path::Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// A copy of the person's identity in the work folder, and how to name it.
fn key_in_work_tree(alice: &Person) -> String {
    let path = alice.work("key.txt");
    std::fs::copy(alice.identity_file(), &path).unwrap();
    set_mode(&path, 0o600);
    path.display().to_string()
}

#[test]
fn others_can_read_the_identity() {
    let alice = healthy();
    set_mode(&alice.identity_file(), 0o640);
    Visit::of(&alice).recovers(expect![[r#"
        status: 1
        --- stdout
        error[identity-mode]: others can read `[SANDBOX]/alice/config/secretree/identity.txt` (mode 640)
          cure: chmod 600 -- [SANDBOX]/alice/config/secretree/identity.txt
        --- stderr
        1 error, 0 warnings
    "#]]);
    let mode = alice.identity_file().metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn an_identity_in_the_work_tree_is_not_ignored() {
    let alice = healthy();
    let key = key_in_work_tree(&alice);
    Visit::of(&alice).env("SECRETREE_IDENTITY", key).recovers(expect![[r#"
        status: 1
        --- stdout
        error[identity-not-ignored]: `key.txt` holds a private key, lies in the work tree and is not ignored by git
          cure: printf '%s\n' '/key.txt' >> .gitignore
          hint: better: move it out of the work tree
        --- stderr
        1 error, 0 warnings
    "#]]);
    assert_eq!(alice.read_text(".gitignore"), "/key.txt\n");
}

#[test]
fn an_identity_is_tracked_by_git() {
    let alice = healthy();
    let key = key_in_work_tree(&alice);
    alice.git(["add", "key.txt"]).run().succeeds();
    Visit::of(&alice).env("SECRETREE_IDENTITY", key).recovers(expect![[r#"
        status: 1
        --- stdout
        error[identity-tracked]: git tracks `key.txt`, which holds a private key
          cure: git rm --quiet --cached -- key.txt && printf '%s\n' '/key.txt' >> .gitignore
          hint: if it was ever committed, others may have it: make a new one (`secretree keygen`) and take its old public key out of the policy
        --- stderr
        1 error, 0 warnings
    "#]]);
    assert!(alice.work("key.txt").exists());
}

#[test]
fn a_named_identity_does_not_exist() {
    let alice = healthy();
    let absent = alice.folder().join("my keys/new.txt");
    std::fs::create_dir(absent.parent().unwrap()).unwrap();
    Visit::of(&alice)
        .env("SECRETREE_IDENTITY", absent.display().to_string())
        .recovers(expect![[r#"
            status: 1
            --- stdout
            error[identity-missing]: `SECRETREE_IDENTITY` names `[SANDBOX]/alice/my keys/new.txt`, which does not exist
              cure: secretree keygen -o '[SANDBOX]/alice/my keys/new.txt'
            --- stderr
            1 error, 0 warnings
        "#]]);
    assert!(absent.exists());
}

#[test]
fn an_identity_file_holds_none() {
    let alice = healthy();
    let key = std::fs::read_to_string(alice.identity_file()).unwrap();
    std::fs::write(alice.identity_file(), "<html>not found</html>\n").unwrap();
    Visit::of(&alice).env("SECRETREE_KEY", key).recovers(expect![[r#"
        status: 1
        --- stdout
        error[identity-malformed]: `[SANDBOX]/alice/config/secretree/identity.txt` holds no identity in line 1
          cure: mv -- [SANDBOX]/alice/config/secretree/identity.txt [SANDBOX]/alice/config/secretree/identity.txt.broken && secretree keygen -o [SANDBOX]/alice/config/secretree/identity.txt
          hint: if you have the key elsewhere, put it back instead: a new one opens nothing until it was granted
        --- stderr
        1 error, 0 warnings
    "#]]);
    let aside = alice.identity_file().with_file_name("identity.txt.broken");
    assert!(aside.exists(), "nothing is lost");
}

#[test]
fn a_line_among_identities_is_none() {
    let alice = healthy();
    let key = std::fs::read_to_string(alice.identity_file()).unwrap();
    std::fs::write(alice.identity_file(), format!("{key}key of alice\n")).unwrap();
    // Named twice, told once.
    let visit = Visit::of(&alice).env("SECRETREE_IDENTITY", alice.identity_file().display().to_string());
    visit.doctor(&[]).check(expect![[r#"
        status: 0
        --- stdout
        warning[identity-partly-read]: `[SANDBOX]/alice/config/secretree/identity.txt` holds no identity in line 3
          hint: take that line out, or put `#` before it
        --- stderr
        0 errors, 1 warning
    "#]]);
}

#[test]
fn variables_hold_no_key_and_name_no_program() {
    let alice = healthy();
    Visit::of(&alice).env("SECRETREE_KEY", "hunter2").recovers(expect![[r#"
        status: 1
        --- stdout
        error[identity-malformed]: `SECRETREE_KEY` holds no identity in line 1
          cure: unset SECRETREE_KEY
          hint: it holds the key itself, `AGE-SECRET-KEY-1…`; a file is named by SECRETREE_IDENTITY
        --- stderr
        1 error, 0 warnings
    "#]]);
    Visit::of(&alice)
        .env("SECRETREE_KEY_COMMAND", "absent-password-manager read key")
        .recovers(expect![[r#"
            status: 1
            --- stdout
            error[key-command-missing]: the program `absent-password-manager` of `SECRETREE_KEY_COMMAND` was not found
              cure: unset SECRETREE_KEY_COMMAND
              hint: it must be on PATH or an absolute path, outside the repository
            --- stderr
            1 error, 0 warnings
        "#]]);
    Visit::of(&alice)
        .env("SECRETREE_KEY_COMMAND", "pass 'my key")
        .recovers(expect![[r#"
            status: 1
            --- stdout
            error[identity-settings]: `SECRETREE_KEY_COMMAND` cannot be split into words
              cure: unset SECRETREE_KEY_COMMAND
              hint: it is split as a shell splits; check its quotes
            --- stderr
            1 error, 0 warnings
        "#]]);
}

#[test]
fn a_key_command_is_looked_for_and_not_run() {
    let alice = healthy();
    let mark = alice.folder().join("was-run");
    alice
        .sandbox()
        .script("vault-key", &format!("#!/bin/sh\ntouch {}\n", mark.display()));
    Visit::of(&alice)
        .env("SECRETREE_KEY_COMMAND", "vault-key")
        .doctor(&[])
        .succeeds();
    assert!(!mark.exists());
}

#[test]
fn an_encrypted_identity_does_not_say_its_public_key() {
    if !require(&["age", "age-keygen"]) {
        return;
    }
    let alice = healthy();
    let file = alice.folder().join("config/secretree/locked.age").display().to_string();
    let mut terminal = alice.on_terminal(["keygen", "--passphrase", "-o", &file]);
    for prompt in ["assphrase", "Again"] {
        terminal.expect(prompt).send_hidden("right horse\n");
    }
    terminal.finish().succeeds();
    let visit = || Visit::of(&alice).env("SECRETREE_IDENTITY", &file);
    visit().doctor(&[]).succeeds().prints("");
    std::fs::remove_file(format!("{file}.pub")).unwrap();
    let asked = [("Enter passphrase", "right horse\n")];
    visit().answers(&asked).recovers(expect![[r#"
        status: 0
        --- stdout
        warning[identity-without-pub]: `[SANDBOX]/alice/config/secretree/locked.age` is encrypted, and no `.pub` file beside it says its public key
          cure: age -d [SANDBOX]/alice/config/secretree/locked.age | age-keygen -y > [SANDBOX]/alice/config/secretree/locked.age.pub
        --- stderr
        0 errors, 1 warning
    "#]]);
}

#[test]
fn an_ssh_key_has_a_form_that_age_cannot_read() {
    if !require(&["ssh-keygen"]) {
        return;
    }
    let alice = healthy();
    let key = alice.folder().join("home/.ssh/id_rsa");
    let make = ["-q", "-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "right horse", "-f"];
    alice.command("ssh-keygen", make).operand(&key).run().succeeds();
    let asked = [
        ("old passphrase", "right horse\n"),
        ("new passphrase", "right horse\n"),
        ("same passphrase", "right horse\n"),
    ];
    Visit::of(&alice).answers(&asked).recovers(expect![[r#"
        status: 0
        --- stdout
        warning[ssh-key-unusable]: `[SANDBOX]/alice/home/.ssh/id_rsa` is encrypted in an old form that age cannot read: `ssh-keygen -p -f FILE` writes it in the new one
          cure: ssh-keygen -p -f [SANDBOX]/alice/home/.ssh/id_rsa
        --- stderr
        0 errors, 1 warning
    "#]]);
}

#[test]
fn a_plugin_is_missing_or_comes_from_the_work_tree() {
    let alice = healthy();
    let prefix = bech32::Hrp::parse("age-plugin-pad-").unwrap();
    let plugin = bech32::encode::<bech32::Bech32>(prefix, &[7; 16])
        .unwrap()
        .to_uppercase();
    let path = alice.folder().join("config/secretree/plugin.txt");
    std::fs::write(&path, format!("{plugin}\n")).unwrap();
    set_mode(&path, 0o600);
    let visit = || Visit::of(&alice).env("SECRETREE_IDENTITY", path.display().to_string());
    visit().doctor(&[]).check(expect![[r#"
        status: 1
        --- stdout
        error[plugin-missing]: `[SANDBOX]/alice/config/secretree/plugin.txt` needs a plugin: the age plugin `age-plugin-pad` is not installed
          hint: install `age-plugin-pad` in a folder of PATH
        --- stderr
        1 error, 0 warnings
    "#]]);
    alice.write("bin/age-plugin-pad", "#!/bin/sh\n");
    set_mode(&alice.work("bin/age-plugin-pad"), 0o755);
    let mut search = alice.work("bin").into_os_string();
    search.push(":");
    search.push(alice.sandbox().path());
    visit().env("PATH", search.into_string().unwrap()).doctor(&[]).check(expect![[r#"
        status: 1
        --- stdout
        error[plugin-untrusted]: `[SANDBOX]/alice/config/secretree/plugin.txt` needs a plugin: `age-plugin-pad` would come from the untrusted folder `[SANDBOX]/alice/work/bin`
          hint: keep only absolute folders outside the repository in PATH
        --- stderr
        1 error, 0 warnings
    "#]]);
    alice.sandbox().script("age-plugin-pad", "#!/bin/sh\nexit 1\n");
    visit().doctor(&[]).succeeds().prints("");
}

#[test]
fn a_stranger_is_told_to_join() {
    let mut team = Team::new(&["alice"]);
    let carol = team.add("carol");
    Visit::of(&carol).doctor(&[]).check(expect![[r#"
        status: 1
        --- stdout
        error[not-in-policy]: no key of yours is in the policy
          cure: secretree join dev
          hint: then a reader runs `secretree apply`; `secretree whoami` shows your keys
        warning[file-not-made]: `dev` has no file yet: there is no `secrets/dev.yaml`
          hint: one of its readers runs `secretree apply dev`
        warning[file-not-made]: `prod` has no file yet: there is no `secrets/prod.yaml`
          hint: one of its readers runs `secretree apply prod`
        warning[hooks-missing]: not set up in this clone: pre-commit hook, diff driver, merge driver and attributes
          cure: secretree hooks install
        --- stderr
        1 error, 3 warnings
    "#]]);
    // Who has a key that nobody knows yet is not called a stranger.
    let command = Visit::of(&carol).env("SECRETREE_KEY_COMMAND", "true");
    assert!(!command.doctor(&[]).stdout().contains("not-in-policy"));
    let nobody = Sandbox::new().person("nobody");
    std::fs::remove_file(nobody.identity_file()).unwrap();
    assert!(
        Visit::of(&nobody)
            .doctor(&[])
            .stdout()
            .contains("cure: secretree keygen\n")
    );
}
