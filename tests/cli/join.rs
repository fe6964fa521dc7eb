//! `join`: what it changes in policies of either style, what it gives, and what it never does unsaid.

use std::sync::Arc;

use expect_test::expect;

use crate::canary::Canary;
use crate::fixture::{changes_nothing, edit};
use crate::sandbox::{Person, Sandbox};
use crate::team::{POLICY_ID, Team};

const ENVIRONMENTS: &str = "\
default_environment: dev
environments:
  dev: {file: secrets/dev.yaml, readers: [alice]}   # everybody
  prod: {file: secrets/prod.yaml, readers: [alice]}
";

/// Alice's policy with an environment file, and bob, whom it does not name, in a clone.
fn team(rest: &str) -> (Team, Person, Person) {
    let mut team = Team::with_policy(&["alice"], rest);
    let alice = team.person("alice");
    edit(&alice, "dev", "a: value\n").run().succeeds();
    team.share(&alice, "values");
    let bob = team.add("bob");
    (team, alice, bob)
}

/// The lines of the policy that one has and the other has not.
fn changed_lines(before: &str, after: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let gone = old
        .iter()
        .filter(|line| !new.contains(line))
        .map(|line| format!("-{line}\n"));
    let come = new
        .iter()
        .filter(|line| !old.contains(line))
        .map(|line| format!("+{line}\n"));
    gone.chain(come).collect()
}

#[test]
fn a_flow_policy_changes_in_the_lines_concerned() {
    let (_team, _, bob) = team(ENVIRONMENTS);
    let before = bob.read_text(".secrets.yaml");
    bob.secretree(["join", "--yes"]).run().check(expect![[r#"
        status: 0
        --- stderr
        your identity is in `[SANDBOX]/bob/config/secretree/identity.txt`: age1…
        .secrets.yaml:
          +  bob: {keys: [age1…]}
          -  dev: {file: secrets/dev.yaml, readers: [alice]}   # everybody
          +  dev: {file: secrets/dev.yaml, readers: [alice, bob]}   # everybody
        `bob` may then read and change dev
        wrote .secrets.yaml
        next: git switch -c join-bob && git add .secrets.yaml && git commit -m 'secrets: bob joins dev' && git push -u origin join-bob
        then: alice runs `secretree apply dev`, commits and pushes
    "#]]);
    let key = bob.public_key();
    assert_eq!(
        changed_lines(&before, &bob.read_text(".secrets.yaml")),
        format!(
            "-  dev: {{file: secrets/dev.yaml, readers: [alice]}}   # everybody\n+  bob: {{keys: [{key}]}}\n\
             +  dev: {{file: secrets/dev.yaml, readers: [alice, bob]}}   # everybody\n"
        )
    );
}

#[test]
fn a_block_policy_with_other_line_ends_does_too() {
    let sandbox = Sandbox::new();
    let (alice, bob) = (sandbox.person("alice"), sandbox.person("bob"));
    let policy = format!(
        "version: 1\nid: \"{POLICY_ID}\"\n# people\nrecipients:\n  \"alice\":   # first\n    keys:\n    - {}  # laptop\n\n\
         # files\nenvironments:\n  dev:\n    readers:\n    - 'alice'  # always\n    file: dev.yaml\n",
        alice.public_key()
    );
    let policy = policy.replace('\n', "\r\n");
    bob.write(".secrets.yaml", &policy);
    bob.secretree(["join", "dev", "--yes"]).run().succeeds();
    let after = bob.read_text(".secrets.yaml");
    assert_eq!(after.matches('\n').count(), after.matches("\r\n").count());
    assert_eq!(
        changed_lines(&policy, &after),
        format!("+  bob:\n+    - {}\n+    - bob\n", bob.public_key())
    );
}

#[test]
fn what_init_wrote_can_be_joined() {
    let (_sandbox, alice, bob) = two_in_a_folder();
    alice.secretree(["init", "--name", "alice", "--yes"]).run().succeeds();
    for file in [".secrets.yaml", "secrets/dev.yaml", "secrets/prod.yaml"] {
        bob.write(file, alice.read(file));
    }
    let before = bob.read_text(".secrets.yaml");
    bob.secretree(["join", "dev", "prod", "--yes", "--name", "bob"])
        .run()
        .succeeds();
    let after = bob.read_text(".secrets.yaml");
    expect![[r#"
        -    readers: [alice]
        -    readers: [alice]
        +  bob:
        +      - KEY
        +    readers: [alice, bob]
        +    readers: [alice, bob]
    "#]]
    .assert_eq(&changed_lines(&before, &after).replace(&bob.public_key(), "KEY"));
    alice.write(".secrets.yaml", after);
    alice.secretree(["apply", "--yes"]).run().succeeds();
}

fn two_in_a_folder() -> (Arc<Sandbox>, Person, Person) {
    let sandbox = Sandbox::new();
    let (alice, bob) = (sandbox.person("alice"), sandbox.person("bob"));
    (sandbox, alice, bob)
}

const GROUPS: &str = "\
maintainers: [platform]
groups:
  platform: [alice]
  developers: [platform]
environments:
  dev: {file: secrets/dev.yaml, readers: [developers]}
  base: {file: secrets/base.yaml, readers: [developers]}
  prod: {file: secrets/prod.yaml, readers: [platform], writers: [platform], extends: [base]}
";

#[test]
fn a_group_that_gives_more_needs_to_be_named() {
    let (_team, _, bob) = team(GROUPS);
    changes_nothing(bob.secretree(["join", "dev"])).check(expect![[r#"
        status: 1
        --- stderr
        your identity is in `[SANDBOX]/bob/config/secretree/identity.txt`: age1…
        .secrets.yaml:
          +  bob: {keys: [age1…]}
          -  dev: {file: secrets/dev.yaml, readers: [developers]}
          +  dev: {file: secrets/dev.yaml, readers: [developers, bob]}
        `bob` may then read and change dev
        error: no terminal to ask on: write this?
        hint: `--yes` answers with yes
    "#]]);
    changes_nothing(bob.secretree(["join", "dev", "base"])).check(expect![[r#"
        status: 1
        --- stderr
        your identity is in `[SANDBOX]/bob/config/secretree/identity.txt`: age1…
        .secrets.yaml:
          +  bob: {keys: [age1…]}
          -  developers: [platform]
          +  developers: [platform, bob]
        `bob` may then read and change base, dev
        error: no terminal to ask on: write this?
        hint: `--yes` answers with yes
    "#]]);
    changes_nothing(bob.secretree(["join", "prod"])).check(expect![[r#"
        status: 1
        --- stderr
        your identity is in `[SANDBOX]/bob/config/secretree/identity.txt`: age1…
        .secrets.yaml:
          +  bob: {keys: [age1…]}
          -  base: {file: secrets/base.yaml, readers: [developers]}
          -  prod: {file: secrets/prod.yaml, readers: [platform], writers: [platform], extends: [base]}
          +  base: {file: secrets/base.yaml, readers: [developers, bob]}
          +  prod: {file: secrets/prod.yaml, readers: [platform, bob], writers: [platform], extends: [base]}
        `bob` may then read and change base
        `bob` may then read prod
        error: no terminal to ask on: write this?
        hint: `--yes` answers with yes
    "#]]);
    changes_nothing(bob.secretree(["join", "--group", "platform"])).check(expect![[r#"
        status: 1
        --- stderr
        your identity is in `[SANDBOX]/bob/config/secretree/identity.txt`: age1…
        .secrets.yaml:
          +  bob: {keys: [age1…]}
          -  platform: [alice]
          +  platform: [alice, bob]
        `bob` may then read and change base, dev, prod
        `bob` is then a maintainer: may change who reads what in .secrets.yaml
        error: no terminal to ask on: write this?
        hint: `--yes` answers with yes
    "#]]);
    changes_nothing(bob.secretree(["join", "--group", "platfrom"])).check(expect![[r#"
        status: 1
        --- stderr
        your identity is in `[SANDBOX]/bob/config/secretree/identity.txt`: age1…
        error: `platfrom` is no group
        hint: did you mean `platform`?
    "#]]);
    changes_nothing(bob.secretree(["join"])).check(expect![[r#"
        status: 1
        --- stderr
        error: no environment was named, and the policy has no `default_environment`
        hint: name one of base, dev, prod
    "#]]);
}

#[test]
fn a_new_machine_adds_its_key_to_the_name_it_says() {
    let (team, alice, bob) = team(ENVIRONMENTS);
    bob.git(["config", "user.name", "Alice"]).run().succeeds();
    changes_nothing(bob.secretree(["join"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `alice` is in the policy already, with other keys than yours
        hint: if that is you, on a new machine: secretree join --name alice
        hint: if it is somebody else: secretree join --name NAME
    "#]]);
    bob.secretree(["join", "--name", "alice", "--yes"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            your identity is in `[SANDBOX]/bob/config/secretree/identity.txt`: age1…
            .secrets.yaml:
              -  alice: {keys: [age1…]}
              +  alice: {keys: [age1…, age1…]}
            `alice` may then read and change dev, prod
            `alice` is then a maintainer: may change who reads what in .secrets.yaml
            wrote .secrets.yaml
            next: git switch -c join-alice && git add .secrets.yaml && git commit -m 'secrets: a new key of alice' && git push -u origin join-alice
            then: alice runs `secretree apply dev prod`, commits and pushes
        "#]]);
    team.share(&bob, "my laptop");
    team.update(&alice);
    alice.secretree(["apply", "--yes"]).run().succeeds();
    team.share(&alice, "apply");
    team.update(&bob);
    bob.secretree(["get", "dev", "a"]).run().prints("value");
    changes_nothing(bob.secretree(["join", "--name", "bob"])).check(expect![[r#"
        status: 1
        --- stderr
        error: the policy knows your key as `alice`, not as `bob`
        hint: leave `--name` out, or use another identity: -i FILE
    "#]]);
}

#[test]
fn somebody_who_is_there_gets_what_is_missing() {
    let (team, _, bob) = team(ENVIRONMENTS);
    bob.secretree(["join", "--yes", "--commit"]).run().check(expect![[r#"
            status: 0
            --- stderr
            your identity is in `[SANDBOX]/bob/config/secretree/identity.txt`: age1…
            .secrets.yaml:
              +  bob: {keys: [age1…]}
              -  dev: {file: secrets/dev.yaml, readers: [alice]}   # everybody
              +  dev: {file: secrets/dev.yaml, readers: [alice, bob]}   # everybody
            `bob` may then read and change dev
            wrote .secrets.yaml
            committed COMMIT
            next: `git push`, or where your branch is protected `git push origin HEAD:join-bob` and ask for a review
            then: alice runs `secretree apply dev`, commits and pushes
        "#]]);
    bob.git(["show", "--format=%s", "--name-only", "HEAD"])
        .run()
        .prints("secrets: bob joins dev\n\n.secrets.yaml\n");
    changes_nothing(bob.secretree(["join", "dev"])).check(expect![[r#"
        status: 0
        --- stderr
        the policy knows you as `bob`, with all of this
        then: alice runs `secretree apply dev`, commits and pushes
    "#]]);
    bob.secretree(["join", "prod", "--yes"]).run().check(expect![[r#"
        status: 0
        --- stderr
        .secrets.yaml:
          -  prod: {file: secrets/prod.yaml, readers: [alice]}
          +  prod: {file: secrets/prod.yaml, readers: [alice, bob]}
        `bob` may then read and change prod
        `bob` is then a maintainer: may change who reads what in .secrets.yaml
        wrote .secrets.yaml
        next: git switch -c join-bob && git add .secrets.yaml && git commit -m 'secrets: bob joins prod' && git push -u origin join-bob
        then: alice runs `secretree apply prod`, commits and pushes
    "#]]);
    bob.write("deep/er/file", "");
    changes_nothing(bob.secretree(["join", "prod"]).inside("deep/er")).check(expect![[r#"
        status: 0
        --- stderr
        the policy knows you as `bob`, with all of this
        next: git switch -c join-bob && git add ':/.secrets.yaml' && git commit -m 'secrets: bob joins' && git push -u origin join-bob
        then: alice runs `secretree apply prod`, commits and pushes
    "#]]);
    drop(team);
}

#[test]
fn environments_of_folders_are_joined_where_they_are_declared() {
    let (_team, _, bob) = team(
        "groups: {team-billing: [alice]}\nenvironments:\n  dev: {file: secrets/dev.yaml, readers: [alice]}\n  \
         prod: {file: \"services/{service}/prod.yaml\", readers: [alice, \"team-{service}\"]}\n  \
         stage: {file: \"services/{service}/stage.yaml\", readers: [\"team-{service}\"]}\n",
    );
    bob.write("services/billing/keep", "");
    bob.write(
        "apps/shop/.secrets.yaml",
        "version: 1\nenvironments:\n  dev:\n    file: dev.yaml\n    readers:   # of the shop\n    - alice\n",
    );
    changes_nothing(bob.secretree(["join", "billing/prod"])).check(expect![[r#"
        status: 1
        --- stderr
        your identity is in `[SANDBOX]/bob/config/secretree/identity.txt`: age1…
        error: `billing/prod` is declared together with others by a placeholder (`prod`)
        hint: name a group that reads it: --group team-billing
    "#]]);
    changes_nothing(bob.secretree(["join", "--group", "team-billing"]))
        .code(1)
        .says("may then read and change billing/prod, billing/stage");
    let root = bob.read_text(".secrets.yaml");
    bob.secretree(["join", "dev", "--yes"])
        .inside("apps/shop")
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            your identity is in `[SANDBOX]/bob/config/secretree/identity.txt`: age1…
            .secrets.yaml:
              +  bob: {keys: [age1…]}
            apps/shop/.secrets.yaml:
              +    - bob
            `bob` may then read and change shop/dev
            wrote .secrets.yaml, apps/shop/.secrets.yaml
            next: git switch -c join-bob && git add ':/.secrets.yaml' ':/apps/shop/.secrets.yaml' && git commit -m 'secrets: bob joins shop/dev' && git push -u origin join-bob
            then: alice runs `secretree apply shop/dev`, commits and pushes
        "#]]);
    let nested = bob.read_text("apps/shop/.secrets.yaml");
    assert!(
        nested.ends_with("    readers:   # of the shop\n    - alice\n    - bob\n"),
        "{nested}"
    );
    assert_eq!(
        changed_lines(&root, &bob.read_text(".secrets.yaml")),
        format!("+  bob: {{keys: [{}]}}\n", bob.public_key())
    );
}

#[test]
fn two_who_join_at_once_are_both_in() {
    let (_team, alice, _) = team(ENVIRONMENTS);
    let names = ["carol", "dave", "erin", "frank"];
    let running: Vec<_> = names
        .iter()
        .map(|name| {
            let other = alice.sandbox().person(name);
            let mut operands = vec!["join", "--yes", "--name", name, "-i"];
            let file = other.identity_file().display().to_string();
            operands.push(&file);
            alice
                .secretree(operands.clone())
                .env("XDG_CONFIG_HOME", other.folder().join("none"))
                .start()
        })
        .collect();
    for one in running {
        one.finish().succeeds();
    }
    let policy = alice.read_text(".secrets.yaml");
    for name in names {
        assert!(policy.contains(&format!("  {name}: {{keys: [age1")), "{policy}");
        let list = policy.lines().find(|line| line.contains("dev.yaml")).unwrap();
        assert!(list.contains(&format!(", {name}")), "{list}");
    }
}

#[test]
fn a_folder_that_cannot_be_written_keeps_what_it_has() {
    let (_team, _, bob) = team(ENVIRONMENTS);
    std::fs::remove_file(bob.identity_file()).unwrap();
    let before = bob.read(".secrets.yaml");
    // What a dead writer left beside the file; nobody else may be written to through it.
    std::fs::create_dir(bob.work(".secrets.yaml.d")).unwrap();
    std::os::unix::fs::symlink(".secrets.yaml.d", bob.work("..secrets.yaml.secretree-new")).unwrap();
    bob.secretree(["join", "--yes"]).run().succeeds();
    assert_ne!(bob.read(".secrets.yaml"), before);
    assert!(std::fs::read_dir(bob.work(".secrets.yaml.d")).unwrap().next().is_none());

    bob.write(".secrets.yaml", &before);
    std::fs::set_permissions(bob.work("."), std::os::unix::fs::PermissionsExt::from_mode(0o555)).unwrap();
    let output = bob.secretree(["join", "--yes"]).without_privileges().run();
    std::fs::set_permissions(bob.work("."), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    output.code(1).says("permission denied");
    assert_eq!(bob.read(".secrets.yaml"), before);
}

#[test]
fn values_and_private_keys_are_seen_nowhere() {
    let canary = Canary::new();
    let mut team = Team::with_policy(&["alice"], ENVIRONMENTS);
    let alice = team.person("alice");
    alice
        .secretree(["set", "dev", "a"])
        .input(canary.value())
        .run()
        .succeeds();
    team.share(&alice, "values");
    let bob = team.add("bob");
    std::fs::remove_file(bob.identity_file()).unwrap();
    for operands in [
        &["join"][..],
        &["join", "-v", "--yes"],
        &["join", "prod", "--yes", "--json"],
    ] {
        bob.secretree(operands.iter().copied()).run();
    }
    canary.assert_unseen(team.sandbox(), &[]);
    crate::keygen::assert_no_key_was_shown(team.sandbox());
}
