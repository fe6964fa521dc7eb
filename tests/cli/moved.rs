//! `apply` where names changed: environments that are called otherwise, a policy with another `id`, files that stand
//! elsewhere. And proposals that nobody can open, which must not be in the way.

use expect_test::expect;

use crate::fixture::{alice_with_git, changes_nothing};
use crate::sandbox::Person;
use crate::team::{POLICY_ID, Team};

const REST: &str =
    "environments:\n  dev: {file: dev.yaml, readers: [alice, bob]}\n  prod: {file: prod.yaml, readers: [alice, bob]}\n";

/// Both environments have a value, and everything is committed.
fn team() -> Team {
    let team = Team::with_policy(&["alice", "bob"], REST);
    let alice = team.person("alice");
    for name in ["dev", "prod"] {
        alice.secretree(["set", name, "a.b"]).input(name).run().succeeds();
    }
    team.share(&alice, "values");
    team.update(&team.person("bob"));
    team
}

fn change_policy(person: &Person, from: &str, to: &str) {
    let text = person.read_text(".secrets.yaml");
    assert!(text.contains(from), "{text}");
    person.write(".secrets.yaml", text.replace(from, to));
}

/// The version of the only value.
fn version(person: &Person, file: &str) -> String {
    let text = person.read_text(file);
    let start = text.find(",v").expect("it holds a token") + 1;
    text[start..start + 9].to_owned()
}

#[test]
fn an_environment_that_is_called_otherwise_moves_and_its_versions_stay() {
    let team = team();
    let (alice, bob) = (team.person("alice"), team.person("bob"));
    let before = version(&alice, "prod.yaml");
    change_policy(&alice, "prod: {file: prod.yaml", "production: {file: production.yaml");
    alice.git(["mv", "prod.yaml", "production.yaml"]).run().succeeds();
    changes_nothing(alice.secretree(["get", "production", "a.b"])).code(5);
    changes_nothing(alice.secretree(["apply"])).check(expect![[r#"
        status: 5
        --- stderr
        error: the file of `production` was sealed for `prod`, and `--yes` does not move it
        hint: see who renamed it: git log -p -- .secrets.yaml
        hint: if it was meant: secretree apply --move --yes
    "#]]);
    // Another's file would look the same: `--yes` does not say that it was meant.
    changes_nothing(alice.secretree(["apply", "--yes"])).check(expect![[r#"
        status: 5
        --- stderr
        error: the file of `production` was sealed for `prod`, and `--yes` does not move it
        hint: see who renamed it: git log -p -- .secrets.yaml
        hint: if it was meant: secretree apply --move --yes
    "#]]);
    alice.secretree(["apply", "--yes", "--move"]).run().check(expect![[r#"
        status: 0
        --- stderr
        production: was called `prod`; every value moves to the new name and keeps its version
        production: new key k…; every value is sealed anew
        wrote production.yaml
    "#]]);
    assert_eq!(version(&alice, "production.yaml"), before);
    alice
        .secretree(["get", "production", "a.b"])
        .run()
        .succeeds()
        .prints("prod");
    alice
        .secretree(["apply"])
        .run()
        .says("every file is what the policy says");
    team.share(&alice, "prod is production");
    team.update(&bob);
    bob.secretree(["get", "production", "a.b"])
        .run()
        .succeeds()
        .prints("prod");
}

#[test]
fn a_person_at_a_terminal_is_asked() {
    let team = team();
    let alice = team.person("alice");
    change_policy(&alice, "prod: {", "production: {");
    let mut terminal = alice.on_terminal(["apply"]);
    terminal.expect("was called `prod`").expect("apply this?").send("y\n");
    terminal.finish().code(0);
    alice
        .secretree(["get", "production", "a.b"])
        .run()
        .succeeds()
        .prints("prod");
}

#[test]
fn a_file_of_another_environment_does_not_pass_for_a_renamed_one() {
    let team = team();
    let alice = team.person("alice");
    alice.write("prod.yaml", alice.read("dev.yaml"));
    changes_nothing(alice.secretree(["apply", "--yes", "--move"])).check(expect![[r#"
        status: 5
        --- stderr
        error: `prod.yaml` belongs to `prod`, but its footer says `dev`
        hint: put the file of `prod` back: git log -- prod.yaml
    "#]]);
}

#[test]
fn a_policy_with_another_id_takes_all_its_files_along() {
    let team = team();
    let (alice, bob) = (team.person("alice"), team.person("bob"));
    let before = version(&alice, "dev.yaml");
    let id = "00000000000000000000000000000001";
    change_policy(&alice, POLICY_ID, id);
    changes_nothing(alice.secretree(["get", "dev", "a.b"])).code(5);
    changes_nothing(alice.secretree(["apply", "dev", "--yes", "--move"])).check(expect![[r#"
        status: 5
        --- stderr
        error: the file of `dev` belongs to the policy `ID`, but the policy here is `ID`
        hint: see who changed it: git log -p -- .secrets.yaml
        hint: if it was meant, for all files at once: secretree apply --move
    "#]]);
    changes_nothing(alice.secretree(["apply", "--yes"])).check(expect![[r#"
        status: 5
        --- stderr
        error: the file of `dev` was sealed for the policy `ID`, and `--yes` does not move it
        hint: see who renamed it: git log -p -- .secrets.yaml
        hint: if it was meant: secretree apply --move --yes
    "#]]);
    alice
        .secretree(["apply", "--yes", "--move", "--commit"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            dev: belonged to the policy `ID`; every value moves to the new name and keeps its version
            dev: new key k…; every value is sealed anew
            prod: belonged to the policy `ID`; every value moves to the new name and keeps its version
            prod: new key k…; every value is sealed anew
            policy: another `id`: no grant of before holds (not committed yet)
            wrote dev.yaml, prod.yaml
            committed COMMIT
        "#]]);
    assert_eq!(version(&alice, "dev.yaml"), before);
    for name in ["dev", "prod"] {
        alice.secretree(["get", name, "a.b"]).run().succeeds().prints(name);
    }
    // The others are told, and decide.
    team.share(&alice, "another id");
    team.update(&bob);
    changes_nothing(bob.secretree(["get", "dev", "a.b"])).check(expect![[r#"
        status: 5
        --- stderr
        error: the policy here has the id `ID`, but `ID` was known in this folder or above it
        hint: ask who wrote that commit; only if it was meant: secretree trust dev
    "#]]);
    bob.secretree(["trust", "dev", "--yes"]).run().succeeds();
    bob.secretree(["get", "dev", "a.b"]).run().succeeds().prints("dev");
}

#[test]
fn a_policy_of_somebody_else_in_the_place_of_ours_moves_nothing() {
    let team = team();
    let (alice, bob) = (team.person("alice"), team.person("bob"));
    change_policy(&alice, POLICY_ID, "00000000000000000000000000000001");
    team.share(&alice, "another id, and nothing applied");
    team.update(&bob);
    // Bob's machine knows the old id, so this is his to decide; nothing is moved unasked.
    changes_nothing(bob.secretree(["apply", "--yes"])).code(5);
}

#[test]
fn a_file_that_stands_elsewhere_is_not_made_anew() {
    let team = team();
    let alice = team.person("alice");
    change_policy(&alice, "file: prod.yaml", "file: secrets/prod.yaml");
    changes_nothing(alice.secretree(["apply", "--yes"])).check(expect![[r#"
        status: 1
        --- stderr
        error: the policy has the file of `prod` at `secrets/prod.yaml`, but it stands at `prod.yaml`
        hint: git mv prod.yaml secrets/prod.yaml
    "#]]);
    std::fs::create_dir(alice.work("secrets")).unwrap();
    alice.git(["mv", "prod.yaml", "secrets/prod.yaml"]).run().succeeds();
    alice
        .secretree(["apply", "--yes"])
        .run()
        .says("every file is what the policy says");
    alice.secretree(["get", "prod", "a.b"]).run().succeeds().prints("prod");
}

#[test]
fn a_proposal_that_nobody_can_open_does_not_stop_a_new_key() {
    let alice = alice_with_git(
        "environments:\n  dev: {file: dev.yaml, readers: [alice]}\n  prod: {file: prod.yaml, readers: [alice]}\n",
    );
    let bob = alice.sandbox().person("bob");
    for name in ["dev", "prod"] {
        alice.secretree(["set", name, "a"]).input("1").run().succeeds();
    }
    alice.commit("values");
    bob.git(["clone", "--quiet", "../../alice/work", "."]).run().succeeds();
    bob.secretree(["set", "dev", "b"]).input("sound").run().succeeds();
    bob.secretree(["set", "prod", "b"])
        .input("for another environment")
        .run()
        .succeeds();
    // A proposal for `prod`, hung under `dev`: whoever may write the repository can do that.
    let proposals = |text: &str| text.split("  proposals:\n").nth(1).unwrap().to_owned();
    let junk = proposals(&bob.read_text("prod.yaml"));
    let text = bob.read_text("dev.yaml");
    let both = format!("{text}{junk}");
    alice.write("dev.yaml", both);
    alice.commit("proposals");
    alice
        .secretree(["apply", "dev", "--new-key", "--yes"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            dev: new key k…; every value is sealed anew
            dev: drops the proposal p… (commit COMMIT of alice, 2026-01-05), which nobody can accept: it was altered, or sealed under another key
            wrote dev.yaml
        "#]]);
    assert_eq!(proposals(&alice.read_text("dev.yaml")).matches(": |-").count(), 1);
    alice.secretree(["get", "dev", "a"]).run().succeeds().prints("1");
}
