//! `doctor` on git: a repository that cannot be read or is not whole, files that git ignores, filters or rewrites, a policy
//! that is missing or malformed. Each cure is typed as it was printed.

use expect_test::expect;

use crate::doctor::{Visit, healthy};
use crate::fixture::{TWO_ENVIRONMENTS, alice};
use crate::team::Team;

#[test]
fn there_is_no_repository() {
    let alice = alice(TWO_ENVIRONMENTS);
    alice.secretree(["apply", "--yes"]).run().succeeds();
    Visit::of(&alice).recovers(expect![[r#"
        status: 0
        --- stdout
        warning[no-repository]: this folder is in no git repository: nobody reviews changes, and no history speaks for a key
          cure: git init
        --- stderr
        0 errors, 1 warning
    "#]]);
}

#[test]
fn a_clone_is_shallow() {
    let team = Team::new(&["alice"]);
    let alice = team.person("alice");
    alice.secretree(["apply", "--yes"]).run().succeeds();
    team.share(&alice, "files");
    std::fs::remove_dir_all(alice.work("")).unwrap();
    std::fs::create_dir(alice.work("")).unwrap();
    let origin = format!("file://{}", team.sandbox().root().join("origin.git").display());
    alice
        .git(["clone", "--quiet", "--depth", "1", &origin, "."])
        .run()
        .succeeds();
    Visit::of(&alice).recovers(expect![[r#"
        status: 0
        --- stdout
        warning[shallow-clone]: the history here is cut (a shallow clone): whether a key is to be trusted cannot always be told
          cure: git fetch --unshallow
        warning[hooks-missing]: not set up in this clone: pre-commit hook, diff driver, merge driver and attributes
          cure: secretree hooks install
        --- stderr
        0 errors, 2 warnings
    "#]]);
}

#[test]
fn what_cannot_be_mended_here_is_named() {
    let team = Team::new(&["alice"]);
    let alice = team.person("alice");
    alice.secretree(["apply", "--yes"]).run().succeeds();
    team.share(&alice, "files");
    let origin = team.sandbox().root().join("origin.git");
    let path = origin.to_str().unwrap();
    let allow = ["-C", path, "config", "uploadpack.allowFilter", "true"];
    alice.git(allow).run().succeeds();
    let origin = format!("file://{}", origin.display());
    alice
        .git(["clone", "--quiet", "--filter=blob:none", &origin, "../partial"])
        .run()
        .succeeds();
    let doctor = |folder| Visit::of(&alice).inside(folder).doctor(&[]);
    doctor("../partial").check(expect![[r#"
        status: 0
        --- stdout
        warning[partial-clone]: objects are missing here (a partial clone): whether a key is to be trusted cannot always be told
          hint: clone it again without `--filter`
        warning[hooks-missing]: not set up in this clone: pre-commit hook, diff driver, merge driver and attributes
          cure: secretree hooks install
        --- stderr
        0 errors, 2 warnings
    "#]]);
    alice
        .git(["init", "--quiet", "--object-format=sha256", "../sha256"])
        .run()
        .succeeds();
    std::fs::copy(alice.work(".secrets.yaml"), alice.work("../sha256/.secrets.yaml")).unwrap();
    doctor("../sha256").check(expect![[r#"
        status: 0
        --- stdout
        warning[repository-unreadable]: the history of `[SANDBOX]/alice/sha256` cannot be read: its objects are named by SHA-256, which is not supported
          hint: values can be used; whether a key is to be trusted rests on this machine alone
        warning[file-not-made]: `dev` has no file yet: there is no `secrets/dev.yaml`
          cure: secretree apply dev
        warning[file-not-made]: `prod` has no file yet: there is no `secrets/prod.yaml`
          cure: secretree apply prod
        warning[hooks-missing]: not set up in this clone: pre-commit hook, diff driver, merge driver and attributes
          cure: secretree hooks install
        --- stderr
        0 errors, 4 warnings
    "#]]);
}

#[test]
fn references_are_stored_in_a_way_that_cannot_be_read() {
    let alice = alice(TWO_ENVIRONMENTS);
    let made = alice.git(["init", "--quiet", "--ref-format=reftable"]).run();
    let migrates = alice.git(["refs", "migrate", "--ref-format=files", "--dry-run"]).run();
    if made.exit_code() != Some(0) || migrates.exit_code() != Some(0) {
        return;
    }
    // Not every git that migrates takes reflogs along.
    alice.git(["config", "core.logAllRefUpdates", "false"]).run().succeeds();
    alice.secretree(["apply", "--yes"]).run().succeeds();
    alice.commit("files");
    Visit::of(&alice).recovers(expect![[r#"
        status: 0
        --- stdout
        warning[repository-unreadable]: the history of `[SANDBOX]/alice/work` cannot be read: its references are stored as reftable, which is not supported
          cure: git refs migrate --ref-format=files
          hint: git before 2.49 cannot do that while there are reflogs
          hint: values can be used; whether a key is to be trusted rests on this machine alone
        warning[hooks-missing]: not set up in this clone: pre-commit hook, diff driver, merge driver and attributes
          cure: secretree hooks install
        --- stderr
        0 errors, 2 warnings
    "#]]);
}

#[test]
fn the_repository_belongs_to_somebody_else() {
    let alice = healthy();
    let given_away = alice.command("chown", ["-R", "12345", "."]).run();
    if given_away.exit_code() != Some(0) {
        return;
    }
    Visit::of(&alice).recovers(expect![[r#"
        status: 0
        --- stdout
        warning[repository-unreadable]: the history of `[SANDBOX]/alice/work` cannot be read: it belongs to another user (git config --global --add safe.directory, if that is meant)
          cure: git config --global --add safe.directory [SANDBOX]/alice/work
          hint: values can be used; whether a key is to be trusted rests on this machine alone
        --- stderr
        0 errors, 1 warning
    "#]]);
}

#[test]
fn git_or_the_repository_is_gone() {
    let alice = healthy();
    let without_git = Visit::of(&alice).env("PATH", alice.sandbox().root().join("bin").display().to_string());
    without_git.doctor(&[]).check(expect![[r#"
        status: 0
        --- stdout
        warning[git-missing]: the `git` command was not found; `--commit` needs it
          hint: install git in a folder of PATH
        --- stderr
        0 errors, 1 warning
    "#]]);
    alice.git(["worktree", "add", "--quiet", "../linked"]).run().succeeds();
    std::fs::remove_dir_all(alice.work(".git/worktrees")).unwrap();
    Visit::of(&alice).inside("../linked").doctor(&[]).check(expect![[r#"
        status: 1
        --- stdout
        error[repository-broken]: `[SANDBOX]/alice/linked/.git` leads to no repository
          hint: git worktree repair
        --- stderr
        1 error, 0 warnings
    "#]]);
}

#[test]
fn git_ignores_a_file() {
    let alice = alice(TWO_ENVIRONMENTS);
    alice.git(["init", "--quiet"]).run().succeeds();
    alice.write(".gitignore", "# no secrets here\n/secrets/prod*\n");
    alice.secretree(["apply", "--yes"]).run().succeeds();
    alice.commit("everything but prod");
    Visit::of(&alice).recovers(expect![[r#"
        status: 1
        --- stdout
        error[file-ignored]: git ignores `secrets/prod.yaml` (`.gitignore` line 2: `/secrets/prod*`), so nobody else gets it
          cure: git add --force -- secrets/prod.yaml
        warning[hooks-missing]: not set up in this clone: pre-commit hook, diff driver, merge driver and attributes
          cure: secretree hooks install
        --- stderr
        1 error, 1 warning
    "#]]);
    alice
        .git(["ls-files", "secrets"])
        .run()
        .prints("secrets/dev.yaml\nsecrets/prod.yaml\n");
}

#[test]
fn git_was_not_given_the_files() {
    let alice = alice(TWO_ENVIRONMENTS);
    alice.git(["init", "--quiet"]).run().succeeds();
    alice.secretree(["apply", "--yes"]).run().succeeds();
    Visit::of(&alice).recovers(expect![[r#"
        status: 0
        --- stdout
        warning[file-untracked]: `.secrets.yaml` and 2 more files are not in git yet
          cure: git add -- .secrets.yaml secrets/dev.yaml secrets/prod.yaml
        warning[hooks-missing]: not set up in this clone: pre-commit hook, diff driver, merge driver and attributes
          cure: secretree hooks install
        --- stderr
        0 errors, 2 warnings
    "#]]);
}

#[test]
fn a_filter_changes_what_is_committed() {
    let alice = healthy();
    alice.write(".gitattributes", "secrets/prod.yaml filter=upper\n");
    alice
        .git(["config", "filter.upper.clean", "tr a-z A-Z"])
        .run()
        .succeeds();
    Visit::of(&alice).recovers(expect![[r#"
        status: 1
        --- stdout
        error[file-filtered]: git commits `secrets/prod.yaml` changed: its attribute is `filter=upper`
          cure: printf '%s\n' '/secrets/prod.yaml -filter' >> .gitattributes && git add --renormalize -- secrets/prod.yaml
        warning[hooks-missing]: not set up in this clone: attributes
          cure: secretree hooks install
        --- stderr
        1 error, 1 warning
    "#]]);
}

#[test]
fn git_rewrites_line_ends() {
    let alice = healthy();
    alice.git(["config", "core.autocrlf", "true"]).run().succeeds();
    Visit::of(&alice).recovers(expect![[r#"
        status: 0
        --- stdout
        warning[line-ends-rewritten]: `.secrets.yaml` is rewritten by git: it changes their line ends
          cure: printf '%s\n' '/.secrets.yaml -text' >> .gitattributes
        --- stderr
        0 errors, 1 warning
    "#]]);
}

#[test]
fn the_policy_is_missing() {
    let alice = healthy();
    std::fs::remove_file(alice.work(".secrets.yaml")).unwrap();
    Visit::of(&alice).recovers(expect![[r#"
        status: 1
        --- stdout
        error[policy-missing]: `.secrets.yaml` is missing, but the last commit has it
          cure: git restore -- .secrets.yaml
        --- stderr
        1 error, 0 warnings
    "#]]);
}

#[test]
fn the_policy_has_another_name() {
    let alice = healthy();
    alice.git(["mv", ".secrets.yaml", ".secrets.yml"]).run().succeeds();
    alice.commit("renamed");
    Visit::of(&alice).recovers(expect![[r#"
        status: 1
        --- stdout
        error[policy-misnamed]: `.secrets.yml` looks like a policy, which must be called `.secrets.yaml`
          cure: mv -- .secrets.yml .secrets.yaml
        --- stderr
        1 error, 0 warnings
    "#]]);
}

#[test]
fn the_policy_is_malformed() {
    let alice = healthy();
    let text = alice.read_text(".secrets.yaml").replace("recipients:", "recipents:");
    alice.write(".secrets.yaml", &text);
    Visit::of(&alice).recovers(expect![[r#"
        status: 1
        --- stdout
        error[policy-malformed]: `.secrets.yaml` line 3 column 1: unknown field `recipents`
          cure: git stash push -- .secrets.yaml
          hint: did you mean `recipients`?
          hint: the last commit has one that can be read; `git stash pop` brings your change back
        --- stderr
        1 error, 0 warnings
    "#]]);
    alice.git(["stash", "pop", "--quiet"]).run().succeeds();
    assert_eq!(
        alice.read_text(".secrets.yaml"),
        text,
        "the change can be taken up again"
    );
    // Committed like that, nobody but a person can say what was meant.
    alice.commit("typo");
    Visit::of(&alice).doctor(&[]).check(expect![[r#"
        status: 1
        --- stdout
        error[policy-malformed]: `.secrets.yaml` line 3 column 1: unknown field `recipents`
          hint: did you mean `recipients`?
        --- stderr
        1 error, 0 warnings
    "#]]);
}

#[test]
fn the_policy_is_in_conflict() {
    let alice = healthy();
    let text = alice.read_text(".secrets.yaml");
    alice.write(
        ".secrets.yaml",
        format!("{text}<<<<<<< ours\n=======\n>>>>>>> theirs\n"),
    );
    Visit::of(&alice).doctor(&[]).check(expect![[r#"
        status: 1
        --- stdout
        error[policy-conflict]: `.secrets.yaml` line 9: the marker of a conflict
          hint: keep one side of each place, then: git add .secrets.yaml
        --- stderr
        1 error, 0 warnings
    "#]]);
}
