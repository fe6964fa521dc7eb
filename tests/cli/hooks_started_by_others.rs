//! The hook under the programs that people start hooks with: the pre-commit framework, lefthook and husky, each the real
//! one. A staged plaintext value is stopped while the work tree is clean, a good commit goes through, no value is printed.

use expect_test::expect;

use crate::canary::Canary;
use crate::fixture::{TWO_ENVIRONMENTS, alice_with_git, edit};
use crate::sandbox::Person;
use crate::tools::require;

/// The lines that `hooks install` says are to be added, as they were printed.
fn advice(person: &Person) -> String {
    let output = person.secretree(["hooks", "install"]).run();
    output.succeeds();
    let said = output.stderr();
    let lines = said.lines().skip_while(|line| !line.starts_with("warning: ")).skip(1);
    let lines = lines.take_while(|line| line.starts_with("  "));
    lines.map(|line| format!("{}\n", &line[2..])).collect()
}

fn alice() -> Person {
    let alice = alice_with_git(TWO_ENVIRONMENTS);
    edit(&alice, "dev", "a: one\n").run().succeeds();
    alice.commit("dev");
    alice
}

/// What every way of starting the hook has to do.
fn stops_plaintext_and_nothing_else(person: &Person) {
    let canary = Canary::new();
    person.git(["add", "--all"]).run().succeeds();
    person
        .git(["commit", "--quiet", "--message", "set up"])
        .run()
        .succeeds();
    let sealed = person.read_text("secrets/dev.yaml");
    person.write("secrets/dev.yaml", format!("b: {}\n{sealed}", canary.value()));
    person.git(["add", "."]).run().succeeds();
    person.write("secrets/dev.yaml", &sealed);
    let before = person.git(["rev-parse", "HEAD"]).run().stdout();
    let output = person.git(["commit", "-m", "x"]).inside("secrets").run();
    output.code(1);
    let printed = output.stdout() + &output.stderr();
    assert!(
        printed.contains("error[plaintext-value]: `dev:b` (`secrets/dev.yaml` line 1)"),
        "{printed}"
    );
    assert!(!printed.contains(canary.value()), "{printed}");
    assert_eq!(person.git(["rev-parse", "HEAD"]).run().stdout(), before);
    // The index of `commit -a` is not the one that is there.
    person.write("secrets/dev.yaml", format!("b: {}\n{sealed}", canary.value()));
    person.git(["commit", "-a", "-m", "x"]).inside("secrets").run().code(1);
    person.write("secrets/dev.yaml", &sealed);
    person.secretree(["set", "dev", "c"]).input("three").run().succeeds();
    person.git(["add", "."]).run().succeeds();
    person
        .git(["commit", "--quiet", "-m", "good"])
        .inside("secrets")
        .run()
        .code(0);
    assert_ne!(person.git(["rev-parse", "HEAD"]).run().stdout(), before);
    let status = person.secretree(["hooks", "status"]).run().stdout();
    assert!(status.starts_with("installed  pre-commit hook"), "{status}");
    person.secretree(["doctor"]).run();
}

#[test]
fn the_framework_starts_it_as_a_local_hook() {
    if !require(&["pre-commit"]) {
        return;
    }
    let alice = alice();
    alice.write(".pre-commit-config.yaml", "repos: []\n");
    alice.command("pre-commit", ["install"]).run().code(0);
    alice.secretree(["hooks", "install"]).run().check(expect![[r#"
        status: 0
        --- stderr
        warning: pre-commit hook: pre-commit starts the hooks here; add to .pre-commit-config.yaml:
          - repo: local
            hooks:
            - id: secretree
              name: secretree
              entry: secretree git pre-commit
              language: system
              require_serial: true
        diff driver: installed in .git/config
        merge driver: installed in .git/config
        attributes: installed in .gitattributes
    "#]]);
    let lines: String = advice(&alice).lines().map(|line| format!("{line}\n")).collect();
    alice.write(".pre-commit-config.yaml", format!("repos:\n{lines}"));
    stops_plaintext_and_nothing_else(&alice);
    alice
        .secretree(["hooks", "uninstall"])
        .run()
        .code(0)
        .says("take the lines of secretree out");
}

#[test]
fn the_framework_takes_it_from_this_repository() {
    if !require(&["pre-commit"]) {
        return;
    }
    let alice = alice();
    let source = alice.sandbox().person("source");
    source.write(".pre-commit-hooks.yaml", include_bytes!("../../.pre-commit-hooks.yaml"));
    source.git(["init", "--quiet"]).run().succeeds();
    source.commit("hooks");
    let (url, revision) = (source.work(""), source.git(["rev-parse", "HEAD"]).run().stdout());
    let repository = format!(
        "- repo: {}\n  rev: {revision}  hooks:\n  - id: secretree\n",
        url.display()
    );
    alice.write(".pre-commit-config.yaml", format!("repos:\n{repository}"));
    alice.command("pre-commit", ["install"]).run().code(0);
    stops_plaintext_and_nothing_else(&alice);
    // All files, as a job asks for them: what was committed past the hook is found.
    alice.write("secrets/prod.yaml", "x: 1\n");
    alice.commit("past the hook");
    let all = alice.command("pre-commit", ["run", "--all-files"]).run();
    all.code(1);
    assert!(all.stdout().contains("`prod:x`"), "{}", all.stdout());
}

#[test]
fn our_hook_goes_on_when_the_framework_comes_later() {
    if !require(&["pre-commit"]) {
        return;
    }
    let alice = alice();
    alice.secretree(["hooks", "install"]).run().succeeds();
    alice.write(".pre-commit-config.yaml", "repos: []\n");
    alice.command("pre-commit", ["install"]).run().code(0);
    let sealed = alice.read_text("secrets/dev.yaml");
    alice.write("secrets/dev.yaml", format!("b: plain\n{sealed}"));
    alice.git(["add", "."]).run().succeeds();
    alice.git(["commit", "-m", "x"]).run().code(1).says("`dev:b`");
}

#[test]
fn lefthook_starts_it() {
    if !require(&["lefthook"]) {
        return;
    }
    let alice = alice();
    alice.write("lefthook.yml", "output: false\n");
    alice.secretree(["hooks", "install"]).run().check(expect![[r#"
        status: 0
        --- stderr
        warning: pre-commit hook: lefthook starts the hooks here; add to lefthook.yml:
          pre-commit:
            commands:
              secretree:
                run: secretree git pre-commit
        diff driver: installed in .git/config
        merge driver: installed in .git/config
        attributes: installed in .gitattributes
    "#]]);
    alice.write("lefthook.yml", advice(&alice));
    alice.command("lefthook", ["install"]).run().code(0);
    stops_plaintext_and_nothing_else(&alice);
}

#[test]
fn husky_starts_it() {
    if !require(&["husky", "node"]) {
        return;
    }
    let alice = alice();
    alice.command("husky", [""; 0]).run().code(0);
    alice.secretree(["hooks", "install"]).run().check(expect![[r#"
        status: 0
        --- stderr
        pre-commit hook: installed in .husky/pre-commit
        diff driver: installed in .git/config
        merge driver: installed in .git/config
        attributes: installed in .gitattributes
        note: the hook is a file of the repository: commit it, and everybody has it
    "#]]);
    stops_plaintext_and_nothing_else(&alice);
    alice.secretree(["hooks", "uninstall"]).run().code(0);
    assert!(!alice.work(".husky/pre-commit").exists());
}
