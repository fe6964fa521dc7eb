//! `doctor` on the environments' files, what a killed command left, and the editor. Each cure is typed as it was printed.

use expect_test::expect;
use sha2::{Digest as _, Sha256};

use crate::doctor::{Visit, healthy};
use crate::fixture::{alice_with_git, policy};
use crate::sandbox::Person;
use crate::team::Team;

const DEV: &str = "environments:\n  dev: {file: secrets/dev.yaml, readers: [alice]}\n";

#[test]
fn a_file_is_missing() {
    let alice = healthy();
    std::fs::remove_file(alice.work("secrets/prod.yaml")).unwrap();
    Visit::of(&alice).recovers(expect![[r#"
        status: 1
        --- stdout
        error[file-missing]: `secrets/prod.yaml` is missing, but the last commit has it
          cure: git restore -- secrets/prod.yaml
        --- stderr
        1 error, 0 warnings
    "#]]);
}

#[test]
fn an_environment_has_no_file_yet() {
    let alice = alice_with_git(DEV);
    Visit::of(&alice).asks(1).recovers(expect![[r#"
        status: 0
        --- stdout
        warning[file-not-made]: `dev` has no file yet: there is no `secrets/dev.yaml`
          cure: secretree apply dev
        warning[hooks-missing]: not set up in this clone: pre-commit hook, diff driver, merge driver and attributes
          cure: secretree hooks install
        --- stderr
        0 errors, 2 warnings
    "#]]);
}

#[test]
fn a_value_stands_readable() {
    let alice = healthy();
    let text = alice.read_text("secrets/dev.yaml");
    alice.write("secrets/dev.yaml", format!("database: hunter2\n{text}"));
    Visit::of(&alice).asks(1).recovers(expect![[r#"
        status: 1
        --- stdout
        error[value-readable]: `dev:database` (line 1 column 11) is not encrypted
          cure: secretree encrypt dev
        --- stderr
        1 error, 0 warnings
    "#]]);
}

#[test]
fn a_file_is_malformed() {
    let alice = healthy();
    let text = alice.read_text("secrets/dev.yaml").replace("key: k", "key: q");
    alice.write("secrets/dev.yaml", text);
    Visit::of(&alice).recovers(expect![[r#"
        status: 1
        --- stdout
        error[file-malformed]: `secrets/dev.yaml` line 9 column 8: `key` in the footer is not the id of its drop box
          cure: git stash push -- secrets/dev.yaml
          hint: git log -p -- secrets/dev.yaml
          hint: the last commit has one that is whole; `git stash pop` brings your change back
        --- stderr
        1 error, 0 warnings
    "#]]);
}

#[test]
fn a_file_is_in_conflict_or_behind_a_link() {
    let alice = healthy();
    let text = alice.read_text("secrets/dev.yaml");
    alice.write("secrets/dev.yaml", format!("<<<<<<< HEAD\n{text}"));
    std::fs::rename(alice.work("secrets/prod.yaml"), alice.work("elsewhere.yaml")).unwrap();
    std::os::unix::fs::symlink("../elsewhere.yaml", alice.work("secrets/prod.yaml")).unwrap();
    Visit::of(&alice).doctor(&[]).check(expect![[r#"
        status: 1
        --- stdout
        error[file-conflict]: `secrets/dev.yaml` line 1: the marker of a conflict
          hint: keep one side of each place, then: git add -- secrets/dev.yaml; secretree apply dev
        error[file-unreadable]: `secrets/prod.yaml` is a symbolic link, on the way to the file of `prod`
          hint: put the file itself there
        --- stderr
        2 errors, 0 warnings
    "#]]);
}

#[test]
fn somebody_reads_by_the_policy_and_not_by_the_file() {
    let team = Team::with_policy(&["alice", "bob"], DEV);
    let (alice, bob) = (team.person("alice"), team.person("bob"));
    alice.secretree(["apply", "--yes"]).run().succeeds();
    team.share(&alice, "file");
    alice.write(".secrets.yaml", team.policy(&DEV.replace("[alice]", "[alice, bob]")));
    team.share(&alice, "bob reads");
    team.update(&bob);
    // Bob cannot help himself; what he is told to ask for is what alice's doctor prints.
    Visit::of(&bob).doctor(&[]).check(expect![[r#"
        status: 1
        --- stdout
        error[not-granted]: the policy lets you read `dev`, but its file holds no grant for your key
          hint: ask alice to run `secretree apply dev`
        warning[hooks-missing]: not set up in this clone: pre-commit hook, diff driver, merge driver and attributes
          cure: secretree hooks install
        --- stderr
        1 error, 1 warning
    "#]]);
    Visit::of(&alice).asks(1).recovers(expect![[r#"
        status: 0
        --- stdout
        warning[grants-differ]: the file of `dev` is not what the policy says: bob cannot read it yet
          cure: secretree apply dev
        warning[hooks-missing]: not set up in this clone: pre-commit hook, diff driver, merge driver and attributes
          cure: secretree hooks install
        --- stderr
        0 errors, 2 warnings
    "#]]);
    team.share(&alice, "granted");
    team.update(&bob);
    bob.secretree(["hooks", "install"]).run().succeeds();
    Visit::of(&bob).doctor(&[]).succeeds().prints("");
}

#[test]
fn somebody_reads_by_the_file_and_not_by_the_policy() {
    let both = DEV.replace("[alice]", "[alice, bob]");
    let team = Team::with_policy(&["alice", "bob"], &both);
    let (alice, bob) = (team.person("alice"), team.person("bob"));
    alice.secretree(["apply", "--yes"]).run().succeeds();
    alice.write(".secrets.yaml", team.policy(DEV));
    team.share(&alice, "bob left");
    team.update(&bob);
    // The new key is not theirs to make.
    Visit::of(&bob).doctor(&[]).check(expect![[r#"
        status: 0
        --- stdout
        warning[grant-left]: the policy no longer lets you read `dev`, but its file still grants you its key
          hint: ask alice to run `secretree apply dev`
        warning[hooks-missing]: not set up in this clone: pre-commit hook, diff driver, merge driver and attributes
          cure: secretree hooks install
        --- stderr
        0 errors, 2 warnings
    "#]]);
    let visit = Visit::of(&alice).asks(1);
    visit.recovers(expect![[r#"
        status: 0
        --- stdout
        warning[grants-differ]: the file of `dev` is not what the policy says: bob still can
          cure: secretree apply dev
        warning[hooks-missing]: not set up in this clone: pre-commit hook, diff driver, merge driver and attributes
          cure: secretree hooks install
        --- stderr
        0 errors, 2 warnings
    "#]]);
}

#[test]
fn a_merge_left_a_token_of_another_key() {
    let alice = healthy();
    let token = |text: &str| text.lines().find(|line| line.contains("ENC[")).unwrap().to_owned();
    let old = token(&alice.read_text("secrets/dev.yaml"));
    alice.secretree(["apply", "dev", "--new-key", "--yes"]).run().succeeds();
    alice.commit("new key");
    let text = alice.read_text("secrets/dev.yaml");
    alice.write("secrets/dev.yaml", text.replace(&token(&text), &old));
    Visit::of(&alice).asks(1).recovers(expect![[r#"
        status: 1
        --- stdout
        error[token-of-another-key]: the token at `dev:stripe` is sealed under another key than the file's
          cure: secretree apply dev
          hint: a merge may have left it; `apply` shows who wrote it
        --- stderr
        1 error, 0 warnings
    "#]]);
    alice.secretree(["get", "dev", "stripe"]).run().prints("sk_1");
}

/// The journal of a change of `dev` that was interrupted behind its moment of change.
fn interrupted(alice: &Person, content: &str) {
    let hash: String = Sha256::digest(content)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    alice.write(
        ".secrets.journal",
        format!("{{\"format\":1,\"files\":{{\"secrets/dev.yaml\":\"{hash}\"}}}}"),
    );
}

#[test]
fn a_change_was_interrupted() {
    let alice = healthy();
    let before = alice.read_text("secrets/dev.yaml");
    let changed = before.replace("level: info", "level: debug");
    alice.write("secrets/.dev.yaml.secretree-new", &changed);
    interrupted(&alice, &changed);
    Visit::of(&alice).recovers(expect![[r#"
        status: 0
        --- stdout
        warning[journal-pending]: `.secrets.journal` says that a change of several files was interrupted
          cure: secretree list
        --- stderr
        0 errors, 1 warning
    "#]]);
    assert_eq!(alice.read_text("secrets/dev.yaml"), changed);
}

#[test]
fn leftovers_and_journals_of_others() {
    let alice = healthy();
    alice.write("secrets/.dev.yaml.secretree-new", "half");
    Visit::of(&alice).recovers(expect![[r#"
        status: 0
        --- stdout
        warning[leftover]: `secrets/.dev.yaml.secretree-new` was left by a command that was interrupted
          cure: rm -f -- secrets/.dev.yaml.secretree-new
          hint: unless a command writes at this very moment; the next one that does removes it too
        --- stderr
        0 errors, 1 warning
    "#]]);
    interrupted(&alice, "content that is nowhere");
    Visit::of(&alice).recovers(expect![[r#"
        status: 1
        --- stdout
        error[journal-refused]: `[SANDBOX]/alice/work/.secrets.journal` cannot be finished: the new content of `[SANDBOX]/alice/work/secrets/dev.yaml` is not there
          cure: mv -- .secrets.journal .secrets.journal.refused
          hint: `git status` shows which files were replaced already
        --- stderr
        1 error, 0 warnings
    "#]]);
    interrupted(&alice, "content that is nowhere");
    alice.commit("a journal");
    Visit::of(&alice).recovers(expect![[r#"
        status: 1
        --- stdout
        error[journal-tracked]: `.secrets.journal` is a file of the repository; a journal never is
          cure: git rm --quiet --force -- .secrets.journal
          hint: look at who committed it: git log -- .secrets.journal
        --- stderr
        1 error, 0 warnings
    "#]]);
}

#[test]
fn the_editor_is_not_there() {
    let alice = healthy();
    for name in ["vi", "vim", "micro"] {
        alice.sandbox().script(name, "#!/bin/sh\n");
    }
    Visit::of(&alice)
        .env("VISUAL", "absent-editor -w")
        .env("PATH", alice.sandbox().path().into_string().unwrap())
        .recovers(expect![[r#"
            status: 0
            --- stdout
            warning[editor-unusable]: the editor `absent-editor` of `VISUAL` was not found
              cure: export VISUAL=vim
            --- stderr
            0 errors, 1 warning
        "#]]);
    let visit = |editor: &str| Visit::of(&alice).env("SECRETREE_EDITOR", editor).doctor(&[]);
    visit("micro").check(expect![[r#"
        status: 0
        --- stdout
        warning[editor-unknown]: it is not known how to keep `micro` from leaving swap, undo or backup files
          hint: turn them off for `*/secretree-*/*` in its settings, or use vim, nano or emacs for `edit`: SECRETREE_EDITOR
        --- stderr
        0 errors, 1 warning
    "#]]);
    alice.sandbox().script("code", "#!/bin/sh\n");
    visit("code").check(expect![[r#"
        status: 0
        --- stdout
        warning[editor-unusable]: `code` returns before you are done, unless it is told to wait
          cure: export SECRETREE_EDITOR='code --wait'
        --- stderr
        0 errors, 1 warning
    "#]]);
    visit("code --wait").check(expect![[r#"
        status: 0
        --- stdout
        warning[editor-keeps-copies]: `code` keeps copies of what it edits: exclude `**/secretree-*/**` in its setting `workbench.localHistory.exclude`, or use another editor
        --- stderr
        0 errors, 1 warning
    "#]]);
}

#[test]
fn cures_fit_the_folder_that_one_is_in() {
    let alice = healthy();
    let prod = alice.read_text("secrets/prod.yaml");
    alice.write("secrets/prod.yaml", format!("open: hunter2\n\n{prod}"));
    let text = policy(
        &[("alice", &alice.public_key())],
        "environments:\n  prod: {file: prod.yaml, readers: [alice]}\n",
    );
    let nested = text.split_once("environments").unwrap().1;
    alice.write("service/.secrets.yaml", format!("version: 1\nenvironments{nested}"));
    Visit::of(&alice).inside("service").asks(2).recovers(expect![[r#"
        status: 1
        --- stdout
        warning[file-untracked]: `.secrets.yaml` is not in git yet
          cure: git add -- .secrets.yaml
        error[value-readable]: `prod:open` (line 1 column 7) is not encrypted
          cure: secretree -C [SANDBOX]/alice/work encrypt prod
        warning[file-not-made]: `service/prod` has no file yet: there is no `prod.yaml`
          cure: secretree apply service/prod
        warning[hooks-stale]: out of date in this clone: attributes
          cure: secretree hooks install
        --- stderr
        1 error, 3 warnings
    "#]]);
}
