//! `init`: one question, then a policy, an identity and two environments; run again, only what is missing.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use expect_test::expect;
use sha2::{Digest, Sha256};

use crate::keygen::assert_no_key_was_shown;
use crate::sandbox::{Person, Sandbox};
use crate::team::Team;

const FILES: [&str; 3] = [".secrets.yaml", "secrets/dev.yaml", "secrets/prod.yaml"];

/// Ada in an empty repository; git knows her as `Ada Lovelace`.
fn repository() -> (Arc<Sandbox>, Person) {
    let sandbox = Sandbox::new();
    let ada = sandbox.person("ada");
    ada.git(["init", "--quiet"]).run().succeeds();
    ada.git(["config", "user.name", "Ada Lovelace"]).run().succeeds();
    (sandbox, ada)
}

fn contents(person: &Person) -> Vec<Vec<u8>> {
    FILES.iter().map(|file| person.read(file)).collect()
}

fn assert_nothing_was_made(person: &Person) {
    for file in [".secrets.yaml", "secrets", ".secrets.journal"] {
        assert!(person.work(file).symlink_metadata().is_err(), "`{file}` was made");
    }
}

#[test]
fn a_repository_is_ready_after_one_command() {
    let (_sandbox, ada) = repository();
    ada.secretree(["init", "--yes"]).run().check(expect![[r#"
        status: 0
        --- stderr
        your identity is in `[SANDBOX]/ada/config/secretree/identity.txt`: age1…
        wrote .secrets.yaml, secrets/dev.yaml, secrets/prod.yaml
        next: `secretree edit dev` puts values in, `secretree run dev -- CMD` uses them
        then: `git add .secrets.yaml secrets/dev.yaml secrets/prod.yaml && git commit`
    "#]]);
    let policy = ada.read_text(".secrets.yaml");
    let id = policy.lines().find_map(|line| line.strip_prefix("id: \"")).unwrap();
    assert!(id.len() == 33 && !id.starts_with("00000000"), "{id}");
    assert!(policy.contains("ada-lovelace:") && policy.contains(&ada.public_key()));
    ada.secretree(["set", "dev", "greeting"])
        .input("hello")
        .run()
        .succeeds();
    ada.secretree(["get", "dev", "greeting"]).run().prints("hello");
}

#[test]
fn the_machine_that_made_the_keys_trusts_them_without_a_word() {
    let (_sandbox, ada) = repository();
    ada.secretree(["init", "--yes", "--commit"]).run().succeeds();
    for environment in ["dev", "prod"] {
        ada.secretree(["set", environment, "greeting"])
            .input("hello")
            .run()
            .check(match environment {
                "dev" => expect![[r#"
                status: 0
                --- stderr
                set `dev:greeting`
            "#]],
                _ => expect![[r#"
                status: 0
                --- stderr
                set `prod:greeting`
            "#]],
            });
    }
}

#[test]
fn twice_is_once() {
    let (_sandbox, ada) = repository();
    ada.secretree(["init", "--yes"]).run().succeeds();
    let before = contents(&ada);
    ada.secretree(["init"]).run().check(expect![[r#"
        status: 0
        --- stderr
        your identity is in `[SANDBOX]/ada/config/secretree/identity.txt`: age1…
        nothing was missing
        next: `secretree edit dev` puts values in, `secretree run dev -- CMD` uses them
        then: `git add .secrets.yaml secrets/dev.yaml secrets/prod.yaml && git commit`
    "#]]);
    assert_eq!(contents(&ada), before);
    std::fs::remove_file(ada.work("secrets/prod.yaml")).unwrap();
    ada.secretree(["init"])
        .run()
        .succeeds()
        .says("wrote secrets/prod.yaml\n");
    assert_eq!(contents(&ada)[..2], before[..2]);
}

#[test]
fn an_identity_is_made_where_there_is_none() {
    let (sandbox, ada) = repository();
    std::fs::remove_dir_all(ada.folder().join("config")).unwrap();
    ada.secretree(["init", "--yes"]).run().check(expect![[r#"
        status: 0
        --- stderr
        made your identity in `[SANDBOX]/ada/config/secretree/identity.txt`, keep it safe: age1…
        wrote .secrets.yaml, secrets/dev.yaml, secrets/prod.yaml
        next: `secretree edit dev` puts values in, `secretree run dev -- CMD` uses them
        then: `git add .secrets.yaml secrets/dev.yaml secrets/prod.yaml && git commit`
    "#]]);
    let mode = ada.identity_file().metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    ada.secretree(["set", "prod", "greeting"])
        .input("hello")
        .run()
        .succeeds();
    assert_no_key_was_shown(&sandbox);
}

#[test]
fn the_one_question_confirms_the_name() {
    let (_sandbox, ada) = repository();
    let mut terminal = ada.on_terminal(["init"]);
    terminal.expect("your name in the policy [ada-lovelace]: ").send("\n");
    terminal.expect("wrote .secrets.yaml");
    terminal
        .expect("let git stop commits with plaintext values")
        .send("y\n");
    terminal.finish().succeeds();
    assert!(ada.read_text(".secrets.yaml").contains("  ada-lovelace:\n"));
    assert!(ada.work(".git/hooks/pre-commit").exists());
}

#[test]
fn another_name_can_be_typed_and_no_name_makes_nothing() {
    let (_sandbox, ada) = repository();
    let mut terminal = ada.on_terminal(["init"]);
    terminal.expect("[ada-lovelace]: ").send("\u{4}");
    terminal.finish().code(1);
    assert_nothing_was_made(&ada);
    let mut terminal = ada.on_terminal(["init"]);
    terminal.expect("[ada-lovelace]: ").send("No Name\n");
    terminal
        .expect("names are")
        .expect("[ada-lovelace]: ")
        .send("countess\n");
    terminal.expect("[y/N]").send("n\n");
    terminal.finish().succeeds();
    assert!(ada.read_text(".secrets.yaml").contains("  countess:\n"));
}

#[test]
fn without_a_terminal_the_question_needs_an_answer() {
    let (_sandbox, ada) = repository();
    std::fs::remove_file(ada.identity_file()).unwrap();
    ada.secretree(["init"]).run().check(expect![[r#"
        status: 1
        --- stderr
        would write .secrets.yaml, secrets/dev.yaml, secrets/prod.yaml with `ada-lovelace` as the first recipient
        error: no terminal to ask on: is your name `ada-lovelace`?
        hint: `--yes` answers with yes; `--name NAME` is another one
    "#]]);
    ada.secretree(["init", "--name", "Ada L"]).run().check(expect![[r#"
        status: 2
        --- stderr
        error: `--name Ada L` is no name: names are lower-case letters, digits, `.`, `_` and `-`, begin with a letter, have at most 64 characters, and are not a word such as `null` or `yes`
        hint: secretree init --name ada-l
    "#]]);
    assert_nothing_was_made(&ada);
    assert!(!ada.identity_file().exists());
}

#[test]
fn nobody_is_called_by_a_name_that_git_does_not_know() {
    let sandbox = Sandbox::new();
    let ada = sandbox.person("ada");
    std::fs::remove_file(ada.folder().join("home/.gitconfig")).unwrap();
    ada.secretree(["init", "--yes"]).run().check(expect![[r#"
        status: 1
        --- stderr
        error: git knows no `user.name` to make your name in the policy from
        hint: secretree init --name NAME
    "#]]);
    assert_nothing_was_made(&ada);
    ada.secretree(["init", "--name", "ada"]).run().check(expect![[r#"
        status: 0
        --- stderr
        your identity is in `[SANDBOX]/ada/config/secretree/identity.txt`: age1…
        wrote .secrets.yaml, secrets/dev.yaml, secrets/prod.yaml
        next: `secretree edit dev` puts values in, `secretree run dev -- CMD` uses them
        then: `git init` if you want history and a team; values work without
    "#]]);
}

#[test]
fn git_is_not_needed() {
    let sandbox = Sandbox::new();
    let ada = sandbox.person("ada");
    let tools = ada.folder().join("empty");
    std::fs::create_dir(&tools).unwrap();
    let without_git = |operands: &[&str]| ada.secretree(operands.iter().copied()).env("PATH", &tools).run();
    without_git(&["init", "--name", "ada", "--commit"])
        .code(1)
        .says("needs a git repository");
    assert_nothing_was_made(&ada);
    without_git(&["init", "--name", "ada"]).succeeds();
    without_git(&["list", "dev"]).succeeds();
}

#[test]
fn a_policy_above_is_respected() {
    let (_sandbox, ada) = repository();
    ada.secretree(["init", "--yes"]).run().succeeds();
    ada.write("services/billing/keep", "");
    ada.secretree(["init", "--yes"])
        .inside("services/billing")
        .run()
        .check(expect![[r#"
            status: 1
            --- stderr
            error: `[SANDBOX]/ada/work/.secrets.yaml` holds here already; nothing was written
            hint: to make what is missing there: secretree -C [SANDBOX]/ada/work init
            hint: to add environments for this folder: write them into its own .secrets.yaml, with `version` and `environments` only
        "#]]);
    assert!(!ada.work("services/billing/.secrets.yaml").exists());
}

#[test]
fn what_git_ignores_is_named_with_file_and_line() {
    let (_sandbox, ada) = repository();
    ada.write(".gitignore", "target\nprod.yaml\n");
    ada.write("secrets/.gitignore", "# nothing\n\n/dev.*\n");
    ada.secretree(["init", "--yes", "--commit"]).run().check(expect![[r#"
            status: 1
            --- stderr
            warning: git ignores `secrets/dev.yaml`, which must be committed: `secrets/.gitignore` line 3 says `/dev.*`
            warning: git ignores `secrets/prod.yaml`, which must be committed: `.gitignore` line 2 says `prod.yaml`
            error: git ignores what should be committed; nothing was written
            hint: change the ignore rule above, or leave `--commit` out
        "#]]);
    assert!(!ada.work(".secrets.yaml").exists());
    ada.secretree(["init", "--yes"]).run().check(expect![[r#"
        status: 0
        --- stderr
        warning: git ignores `secrets/dev.yaml`, which must be committed: `secrets/.gitignore` line 3 says `/dev.*`
        warning: git ignores `secrets/prod.yaml`, which must be committed: `.gitignore` line 2 says `prod.yaml`
        your identity is in `[SANDBOX]/ada/config/secretree/identity.txt`: age1…
        wrote .secrets.yaml, secrets/dev.yaml, secrets/prod.yaml
        next: `secretree edit dev` puts values in, `secretree run dev -- CMD` uses them
        then: `git add .secrets.yaml secrets/dev.yaml secrets/prod.yaml && git commit`
    "#]]);
}

#[test]
fn exactly_the_new_files_are_committed() {
    let (_sandbox, ada) = repository();
    ada.write("staged.txt", "x");
    ada.git(["add", "staged.txt"]).run().succeeds();
    // The first run was without `--commit`; the second one makes up for it.
    ada.secretree(["init", "--yes"]).run().succeeds();
    ada.secretree(["init", "--commit"]).run().check(expect![[r#"
        status: 0
        --- stderr
        your identity is in `[SANDBOX]/ada/config/secretree/identity.txt`: age1…
        nothing was missing
        committed COMMIT
        next: `secretree edit dev` puts values in, `secretree run dev -- CMD` uses them
        then: `git push`; whoever has the repository can see what there is, but not read it
    "#]]);
    ada.git(["show", "--format=%s", "--name-only", "HEAD"])
        .run()
        .prints("secrets: init\n\n.secrets.yaml\nsecrets/dev.yaml\nsecrets/prod.yaml\n");
    ada.git(["status", "--short"]).run().prints("A  staged.txt\n");
}

#[test]
fn what_cannot_be_written_leaves_nothing_behind() {
    let (_sandbox, ada) = repository();
    ada.write("secrets", "a file where a folder belongs");
    ada.secretree(["init", "--yes"]).run().code(1);
    assert!(!ada.work(".secrets.yaml").exists());
    assert_eq!(ada.read_text("secrets"), "a file where a folder belongs");
}

#[test]
fn an_interrupted_init_is_finished_by_the_next() {
    let (_sandbox, ada) = repository();
    ada.secretree(["init", "--yes"]).run().succeeds();
    let before = contents(&ada);
    // As a process leaves it that died right after the moment of change.
    let mut hashes = Vec::new();
    for (file, bytes) in FILES.iter().zip(&before) {
        let hash: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        hashes.push(format!("\"{file}\":\"{hash}\""));
        let (folder, name) = file.rsplit_once('/').unwrap_or((".", file));
        std::fs::rename(ada.work(file), ada.work(&format!("{folder}/.{name}.secretree-new"))).unwrap();
    }
    ada.write(
        ".secrets.journal",
        format!("{{\"format\":1,\"files\":{{{}}}}}", hashes.join(",")),
    );
    ada.secretree(["init"]).run().succeeds().says("nothing was missing");
    assert_eq!(contents(&ada), before);
    assert!(!ada.work(".secrets.journal").exists());
}

#[test]
fn a_newcomer_gets_an_identity_and_is_told_how_to_join() {
    let mut team = Team::new(&["alice"]);
    let alice = team.person("alice");
    alice.secretree(["apply", "--yes"]).run().succeeds();
    team.share(&alice, "environments");
    let carol = team.add("carol");
    std::fs::remove_file(carol.identity_file()).unwrap();
    carol.secretree(["init"]).run().check(expect![[r#"
        status: 0
        --- stderr
        made your identity in `[SANDBOX]/carol/config/secretree/identity.txt`, keep it safe: age1…
        nothing was missing
        next: `secretree join` adds you to .secrets.yaml and says what comes then
    "#]]);
    carol.git(["status", "--short"]).run().prints("");
}

#[test]
fn files_that_only_others_can_make_are_left_to_them() {
    let mut team = Team::new(&["alice"]);
    let carol = team.add("carol");
    carol.secretree(["init"]).run().check(expect![[r#"
        status: 0
        --- stderr
        your identity is in `[SANDBOX]/carol/config/secretree/identity.txt`: age1…
        `dev` has no file yet, and only its readers can make it: secretree apply dev
        `prod` has no file yet, and only its readers can make it: secretree apply prod
        next: `secretree join` adds you to .secrets.yaml and says what comes then
    "#]]);
    assert!(!carol.work("secrets").exists());
}
