//! `git pre-commit`: what is staged is looked at, never the work tree; what must not be committed stops the commit, and
//! what is said puts it right.

use std::os::unix::fs::PermissionsExt;

use expect_test::expect;

use crate::canary::Canary;
use crate::fixture::{TWO_ENVIRONMENTS, alice_with_git, edit, policy};
use crate::output::Output;
use crate::sandbox::Person;
use crate::team::Team;

/// Puts a hook into the repository that git finds at `git_directory`.
pub(crate) fn hook(person: &Person, git_directory: &str) {
    let path = format!("{git_directory}/hooks/pre-commit");
    person.write(&path, "#!/bin/sh\nexec secretree git pre-commit\n");
    std::fs::set_permissions(person.work(&path), PermissionsExt::from_mode(0o755)).unwrap();
}

/// Alice with the hook, and a committed `dev` that holds two values.
fn alice() -> Person {
    let alice = alice_with_git(TWO_ENVIRONMENTS);
    hook(&alice, ".git");
    edit(&alice, "dev", "a: one\nlog:\n  level: info\nz: two\n")
        .run()
        .succeeds();
    alice.commit("dev");
    alice
}

fn commit(person: &Person) -> Output {
    person.git(["commit", "--quiet", "-m", "x"]).run()
}

/// Stages this text as the file, and puts the file back in the work tree.
fn stage(person: &Person, path: &str, text: &str) {
    let before = std::fs::read(person.work(path)).ok();
    person.write(path, text);
    person.git(["add", path]).run().succeeds();
    match before {
        Some(bytes) => person.write(path, bytes),
        None => std::fs::remove_file(person.work(path)).unwrap(),
    }
}

#[test]
fn a_staged_value_stops_the_commit_while_the_work_tree_is_clean() {
    let (alice, canary) = (alice(), Canary::new());
    let sealed = alice.read_text("secrets/dev.yaml");
    let text = format!("b: {}\n{sealed}", canary.value());
    stage(&alice, "secrets/dev.yaml", &text);
    let output = commit(&alice);
    output.check(expect![[r#"
        status: 1
        --- stderr
        error[plaintext-value]: `dev:b` (`secrets/dev.yaml` line 1) is not encrypted
          cure: secretree encrypt dev && git add -- secrets/dev.yaml
        this must not be committed as it is staged
    "#]]);
    assert!(!output.stderr().contains(canary.value()));
    assert_eq!(alice.read_text("secrets/dev.yaml"), sealed);
    // The same from a folder further down, and with what was staged repaired.
    let output = alice.git(["commit", "--quiet", "-m", "x"]).inside("secrets").run();
    output
        .code(1)
        .says("secretree encrypt dev && git add -- :/secrets/dev.yaml");
    let cure = "secretree --yes encrypt dev && git add -- ':/secrets/dev.yaml'";
    alice.command("sh", ["-c", cure]).inside("secrets").run().succeeds();
    alice.secretree(["set", "dev", "c"]).input("three").run().succeeds();
    alice.git(["add", "."]).run().succeeds();
    commit(&alice).succeeds().silent();
}

#[test]
fn the_cure_seals_what_was_typed_into_the_file() {
    let alice = alice();
    let sealed = alice.read_text("secrets/dev.yaml");
    alice.write("secrets/dev.yaml", format!("b: typed\n{sealed}"));
    // `commit -a` has an index of its own.
    let output = alice.git(["commit", "--quiet", "-a", "-m", "x"]).run();
    output
        .code(1)
        .says("error[plaintext-value]: `dev:b` (`secrets/dev.yaml` line 1)");
    let all = output.stderr();
    let cure = all.lines().find_map(|line| line.strip_prefix("  cure: ")).unwrap();
    let cure = cure.replace("secretree ", "secretree --yes ");
    alice.command("sh", ["-c", &cure]).run().succeeds();
    alice.git(["commit", "--quiet", "-a", "-m", "x"]).run().succeeds();
    alice.secretree(["get", "dev", "b"]).run().prints("typed");
}

#[test]
fn programs_get_the_findings_as_json() {
    let alice = alice();
    stage(&alice, "secrets/prod.yaml", "x: {y: 1}\n");
    alice.git(["commit", "-m", "x"]).run().code(1);
    alice
        .secretree(["git", "pre-commit", "--json"])
        .run()
        .check(expect![[r#"
            status: 3
            --- stdout
            {
              "findings": [
                {
                  "severity": "error",
                  "code": "plaintext-value",
                  "environment": "prod",
                  "path": "x.y",
                  "file": "secrets/prod.yaml",
                  "line": 1,
                  "message": "`prod:x.y` (`secrets/prod.yaml` line 1) is not encrypted",
                  "cure": "secretree encrypt prod && git add -- secrets/prod.yaml",
                  "hints": []
                }
              ]
            }
        "#]]);
    // What is not changed is looked at when it is named.
    alice
        .git(["commit", "--quiet", "--no-verify", "-m", "x"])
        .run()
        .succeeds();
    alice.secretree(["git", "pre-commit"]).run().succeeds().silent();
    let asked = alice
        .secretree(["git", "pre-commit", "prod.yaml", "nothing"])
        .inside("secrets");
    asked.run().code(3);
}

#[test]
fn no_finding_repeats_what_it_found() {
    let (alice, canary) = (alice(), Canary::new());
    let (sealed, value) = (alice.read_text("secrets/dev.yaml"), canary.value());
    for text in [
        format!("b: {value}\n{sealed}"),
        format!("b: {value}: [{value}\n{sealed}"),
        format!("b: &{value} x\nc: *{value}\n{sealed}"),
        format!("b: ENC[age,{value}]\n{sealed}"),
        format!("{sealed}  notes: {value}\n"),
        format!("{sealed}behind: {value}\n"),
        format!("<<<<<<< HEAD\n{value}\n=======\n"),
        value.to_owned(),
    ] {
        stage(&alice, "secrets/dev.yaml", &text);
        for options in [
            &["git", "pre-commit"] as &[&str],
            &["git", "pre-commit", "--json", "-v"],
        ] {
            let output = alice.secretree(options.iter().copied()).run();
            output.code(3);
            let printed = output.stdout() + &output.stderr();
            assert!(!printed.contains(value) && !printed.contains("internal"), "{printed}");
        }
    }
}

#[test]
fn the_policy_that_counts_is_the_staged_one() {
    let alice = alice();
    let both = policy(&[("alice", &alice.public_key())], TWO_ENVIRONMENTS);
    let wide = both.replace("\"log.*\"", "\"log.*\", \"name\"");
    let sealed = alice.read_text("secrets/dev.yaml");
    let readable = format!("name: shop\n{sealed}");
    // A pattern in the work tree allows nothing.
    alice.write(".secrets.yaml", &wide);
    stage(&alice, "secrets/dev.yaml", &readable);
    commit(&alice).code(1).says("`dev:name`");
    alice.git(["add", ".secrets.yaml"]).run().succeeds();
    commit(&alice).succeeds();
    // A pattern that is taken away leaves a value readable that must not be, in a file that nobody touched.
    alice.git(["checkout", "--quiet", "."]).run().succeeds();
    stage(&alice, ".secrets.yaml", &both);
    commit(&alice)
        .code(1)
        .says("`dev:name` (`secrets/dev.yaml` line 1) is not encrypted");
    // A policy that cannot be used.
    stage(
        &alice,
        ".secrets.yaml",
        &both.replace("readers: [alice]}\n", "readers: [bob]}\n"),
    );
    commit(&alice)
        .code(1)
        .says("error[malformed-file]: `.secrets.yaml` line");
    alice.git(["restore", "--staged", "."]).run().succeeds();
    let output = commit(&alice);
    assert!(output.stdout().contains("nothing to commit"), "{}", output.stderr());
}

#[test]
fn a_readable_value_does_not_take_the_place_of_a_token() {
    let alice = alice();
    let sealed = alice.read_text("secrets/dev.yaml");
    let (before, after) = sealed.split_once("z: |-\n").unwrap();
    let (_, footer) = after.split_once('\n').unwrap();
    let wide = policy(&[("alice", &alice.public_key())], TWO_ENVIRONMENTS).replace("\"log.*\"", "\"log.*\", z");
    stage(&alice, ".secrets.yaml", &wide);
    stage(&alice, "secrets/dev.yaml", &format!("{before}z: two\n{footer}"));
    let said = "`dev:z` (`secrets/dev.yaml` line 5) stands readable where a token stood";
    commit(&alice).code(1).says(said);
    // Removed, committed, and set: so it is meant.
    stage(&alice, "secrets/dev.yaml", &format!("{before}{footer}"));
    commit(&alice).succeeds();
    stage(&alice, "secrets/dev.yaml", &format!("{before}z: two\n{footer}"));
    commit(&alice).succeeds();
}

#[test]
fn nothing_is_asked_of_files_that_the_commit_leaves_alone() {
    let alice = alice();
    stage(&alice, "secrets/prod.yaml", "a: plain\n");
    alice
        .git(["commit", "--quiet", "--no-verify", "-m", "x"])
        .run()
        .succeeds();
    alice.write("README", "x");
    alice.git(["add", "README"]).run().succeeds();
    commit(&alice).succeeds().silent();
    alice.git(["commit", "--quiet", "--amend", "-m", "y"]).run().succeeds();
    // Only announced: that is in no commit.
    alice.write("secrets/dev.yaml", "a: plain\n");
    alice
        .git(["rm", "--quiet", "--cached", "secrets/dev.yaml"])
        .run()
        .succeeds();
    alice.git(["add", "-N", "secrets/dev.yaml"]).run().succeeds();
    alice.write("README", "y");
    alice
        .git(["commit", "--quiet", "-m", "x", "--", "README"])
        .run()
        .succeeds();
}

#[test]
fn the_first_commit_is_looked_at_too() {
    let alice = crate::fixture::alice(TWO_ENVIRONMENTS);
    alice.git(["init", "--quiet"]).run().succeeds();
    hook(&alice, ".git");
    alice.write("secrets/dev.yaml", "a: plain\n");
    // The policy is not given to git yet; it counts nevertheless.
    alice.git(["add", "secrets"]).run().succeeds();
    commit(&alice).code(1).says("`dev:a`");
    alice.git(["add", "."]).run().succeeds();
    commit(&alice).code(1).says("`dev:a`");
    alice.secretree(["--yes", "encrypt", "dev"]).run().succeeds();
    alice.git(["add", "."]).run().succeeds();
    commit(&alice).succeeds();
}

#[test]
fn what_a_part_of_a_file_brings_is_judged_by_that_part() {
    let alice = alice();
    let sealed = alice.read_text("secrets/dev.yaml");
    let (body, footer) = sealed.split_once("\nsecretree:").unwrap();
    alice.write(
        "secrets/dev.yaml",
        format!("plain: 1\n{body}# fine\n\nsecretree:{footer}"),
    );
    let parts = |answers: &str| {
        alice
            .git(["commit", "--quiet", "-p", "-m", "x"])
            .input(answers.to_owned())
            .run()
    };
    parts("s\nn\ny\n").code(0);
    parts("y\n").code(1);
    let shown = alice.git(["show", "HEAD:secrets/dev.yaml"]).run().stdout();
    assert!(shown.contains("# fine") && !shown.contains("plain"), "{shown}");
}

#[test]
fn a_merge_is_asked_for_what_it_made_itself() {
    let team = Team::new(&["alice"]);
    let alice = team.person("alice");
    hook(&alice, ".git");
    edit(&alice, "dev", "a: one\nb: two\n").run().succeeds();
    alice.commit("dev");
    let base = alice.read_text("secrets/dev.yaml");
    // Somebody went past the hook on a branch.
    alice.git(["checkout", "--quiet", "-b", "other"]).run().succeeds();
    alice.write("secrets/prod.yaml", "a: plain\n");
    alice.secretree(["set", "dev", "a"]).input("theirs").run().succeeds();
    alice.git(["add", "."]).run().succeeds();
    alice
        .git(["commit", "--quiet", "--no-verify", "-m", "theirs"])
        .run()
        .succeeds();
    alice.git(["checkout", "--quiet", "main"]).run().succeeds();
    alice.secretree(["set", "dev", "a"]).input("ours").run().succeeds();
    alice.commit("ours");
    let ours = alice.read_text("secrets/dev.yaml");
    alice.git(["merge", "--quiet", "other"]).run().code(1);
    alice.git(["add", "."]).run().succeeds();
    let output = commit(&alice);
    output
        .code(1)
        .says("error[conflict-markers]: `secrets/dev.yaml` line 2: the marker of a conflict");
    assert!(!output.stderr().contains("prod"), "{}", output.stderr());
    alice.write("secrets/dev.yaml", &ours);
    alice.git(["add", "."]).run().succeeds();
    commit(&alice).succeeds().silent();
    assert_ne!(base, ours);
}

#[test]
fn a_token_of_another_key_and_a_link_are_stopped() {
    let alice = alice();
    let old = alice.read_text("secrets/dev.yaml");
    alice.secretree(["--yes", "apply", "dev", "--new-key"]).run().succeeds();
    let new = alice.read_text("secrets/dev.yaml");
    let token = |text: &str| text.lines().find(|line| line.contains("ENC[")).unwrap().to_owned();
    stage(&alice, "secrets/dev.yaml", &new.replace(&token(&new), &token(&old)));
    let output = commit(&alice);
    output
        .code(1)
        .says("error[foreign-token]: `dev:a` (`secrets/dev.yaml` line 1) is sealed under another key");
    output.says("secretree apply dev && git add -- secrets/dev.yaml");
    std::fs::remove_file(alice.work("secrets/dev.yaml")).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", alice.work("secrets/dev.yaml")).unwrap();
    alice.git(["add", "."]).run().succeeds();
    commit(&alice)
        .code(1)
        .says("error[malformed-file]: `secrets/dev.yaml` is staged as a link");
}

#[test]
fn linked_work_trees_submodules_and_folders_have_the_same_hook() {
    let team = Team::new(&["alice"]);
    let alice = team.person("alice");
    hook(&alice, ".git");
    let linked = team.sandbox().root().join("alice/work/linked");
    alice
        .git(["worktree", "add", "--quiet"])
        .operand(&linked)
        .run()
        .succeeds();
    alice.write("linked/secrets/dev.yaml", "a: plain\n");
    alice.git(["add", "."]).inside("linked").run().succeeds();
    let output = alice.git(["commit", "-m", "x"]).inside("linked/secrets").run();
    output.code(1).says("`dev:a`");
    // The same repository inside another.
    let outer = team.sandbox().person("outer");
    outer.git(["init", "--quiet"]).run().succeeds();
    let origin = team.sandbox().root().join("origin.git");
    let add = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add"];
    outer.git(add).operand(&origin).operand("inner").run().succeeds();
    hook(&outer, ".git/modules/inner");
    outer.write("inner/secrets/dev.yaml", "a: plain\n");
    outer.git(["add", "."]).inside("inner").run().succeeds();
    outer
        .git(["commit", "-m", "x"])
        .inside("inner")
        .run()
        .code(1)
        .says("`dev:a`");
    // A submodule in the index is no file of an environment.
    hook(&outer, ".git");
    outer.git(["commit", "--quiet", "-m", "x"]).run().succeeds();
}

#[test]
fn environments_of_placeholders_and_of_policies_further_down_count() {
    let rest = "environments:\n  prod: {file: \"services/{service}/prod.yaml\", readers: [alice]}\n";
    let alice = alice_with_git(rest);
    hook(&alice, ".git");
    let below = "version: 1\nenvironments:\n  dev: {file: dev.yaml, readers: [alice]}\n";
    alice.write("apps/shop/.secrets.yaml", below);
    alice.write("apps/shop/dev.yaml", "a: plain\n");
    alice.write("services/mail/prod.yaml", "b: plain\n");
    // Another policy of the same repository, with people of its own.
    alice.write(
        "tools/.secrets.yaml",
        policy(&[("alice", &alice.public_key())], TWO_ENVIRONMENTS),
    );
    alice.write("tools/secrets/dev.yaml", "c: plain\n");
    alice.git(["add", "."]).run().succeeds();
    let output = commit(&alice);
    output.code(1);
    let errors: Vec<_> = output
        .stderr()
        .lines()
        .filter(|line| !line.contains("hint"))
        .map(String::from)
        .collect();
    expect![[r#"
        error[plaintext-value]: `mail/prod:b` (`services/mail/prod.yaml` line 1) is not encrypted
          cure: secretree encrypt mail/prod && git add -- services/mail/prod.yaml
        error[plaintext-value]: `shop/dev:a` (`apps/shop/dev.yaml` line 1) is not encrypted
          cure: secretree encrypt shop/dev && git add -- apps/shop/dev.yaml
        error[plaintext-value]: `dev:c` (`tools/secrets/dev.yaml` line 1) is not encrypted
          cure: secretree -C tools encrypt dev && git add -- tools/secrets/dev.yaml
        these must not be committed as they are staged"#]]
    .assert_eq(&errors.join("\n"));
    // Cures are for the folder where `git commit` was typed.
    let output = alice.git(["commit", "-m", "x"]).inside("services/mail").run();
    output.says("secretree encrypt mail/prod && git add -- :/services/mail/prod.yaml");
}

#[test]
fn other_kinds_of_repositories_are_not_passed_over() {
    for kind in [["--object-format=sha256"], ["--ref-format=reftable"]] {
        let alice = crate::fixture::alice(TWO_ENVIRONMENTS);
        alice.git(["init", "--quiet"]).operand(kind[0]).run().succeeds();
        hook(&alice, ".git");
        for message in ["first", "second"] {
            alice.write("secrets/dev.yaml", "a: plain\n");
            alice.git(["add", "."]).run().succeeds();
            commit(&alice).code(1).says("`dev:a`");
            alice.write("secrets/dev.yaml", "");
            alice.write("README", message);
            alice.git(["add", "."]).run().succeeds();
            commit(&alice).succeeds();
        }
    }
    // An index in two parts, which libgit2 does not read.
    let alice = alice();
    alice.git(["update-index", "--split-index"]).run().succeeds();
    stage(&alice, "secrets/dev.yaml", "a: plain\n");
    commit(&alice).code(1).says("`dev:a`");
}

#[test]
fn outside_of_a_repository_there_is_nothing_to_look_at() {
    let alice = crate::fixture::alice(TWO_ENVIRONMENTS);
    alice.secretree(["git", "pre-commit"]).run().check(expect![[r#"
        status: 1
        --- stderr
        error: this folder is in no git repository
        hint: git init
    "#]]);
}

#[test]
fn a_policy_beside_the_staged_one_counts_too() {
    let (alice, canary) = (alice(), Canary::new());
    let readable = format!("x: {}\n", canary.value());
    let people = [("alice", alice.public_key())];
    let people: Vec<_> = people.iter().map(|(name, key)| (*name, key.as_str())).collect();
    let commit = |hint: &str, line: &str| {
        let output = commit(&alice);
        output.code(1).says(hint).says(line);
        assert!(!output.stderr().contains(canary.value()));
    };
    // The line for a new environment is written and not staged.
    let more = format!("{TWO_ENVIRONMENTS}  new: {{file: secrets/new.yaml, readers: [alice]}}\n");
    alice.write(".secrets.yaml", policy(&people, &more));
    stage(&alice, "secrets/new.yaml", &readable);
    commit(
        "the policy that names it is not staged",
        "`new:x` (`secrets/new.yaml` line 1) is not encrypted",
    );
    alice.git(["reset", "--quiet", "--hard"]).run().succeeds();
    // The commit takes the environment out, and its file, no longer encrypted, stays.
    let sealed = alice.read_text("secrets/dev.yaml");
    let other = "environments:\n  other: {file: secrets/other.yaml, readers: [alice]}\n";
    for text in [Some(policy(&people, other)), None] {
        match text {
            Some(text) => alice.write(".secrets.yaml", text),
            None => std::fs::remove_file(alice.work(".secrets.yaml")).unwrap(),
        }
        alice.git(["add", "--all"]).run().succeeds();
        stage(&alice, "secrets/dev.yaml", &readable);
        commit(
            "git commit --no-verify",
            "`dev:x` (`secrets/dev.yaml` line 1) is not encrypted",
        );
        // With its tokens it may go.
        alice.write("secrets/dev.yaml", &sealed);
        alice.git(["add", "--all"]).run().succeeds();
        alice.secretree(["git", "pre-commit"]).run().succeeds();
        alice.git(["reset", "--quiet", "--hard"]).run().succeeds();
    }
    // A policy in a folder that git does not know yet.
    alice.write(
        "app/.secrets.yaml",
        policy(&people, TWO_ENVIRONMENTS).replace("5f0c", "5f0d"),
    );
    stage(&alice, "app/secrets/prod.yaml", &readable);
    commit(
        "is not staged",
        "`prod:x` (`app/secrets/prod.yaml` line 1) is not encrypted",
    );
}
