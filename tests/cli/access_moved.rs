//! `access` and `exposure` where names, files and policies moved since: whoever could have read a value is found by its
//! version, whatever environment, file and folder are called now.

use crate::sandbox::Person;
use crate::team::Team;

/// Alice's clone, in which bob read the environment in `folder` until he was taken out.
fn without_bob(folder: &str, environment: &str) -> (Team, Person) {
    let rest = |readers: &str| {
        format!("environments:\n  {environment}: {{file: secrets/{environment}.yaml, readers: [{readers}]}}\n")
    };
    let team = Team::with_policy(&["alice", "bob"], &rest("alice, bob"));
    let alice = team.person("alice");
    if !folder.is_empty() {
        std::fs::create_dir_all(alice.work(folder)).unwrap();
        alice.git(["mv", ".secrets.yaml", folder]).run().succeeds();
        alice.commit("policy");
    }
    set(&alice, folder, environment, "stripe.key");
    alice.commit("values");
    write_policy(&alice, folder, &team.policy(&rest("alice")));
    alice.secretree(["apply", "--yes"]).inside(folder).run().code(0);
    alice.commit("bob leaves");
    (team, alice)
}

fn set(person: &Person, folder: &str, environment: &str, path: &str) {
    person
        .secretree(["set", environment, path])
        .inside(folder)
        .input("1")
        .run()
        .succeeds();
}

fn write_policy(person: &Person, folder: &str, text: &str) {
    person.write(person.work(folder).join(".secrets.yaml").to_str().unwrap(), text);
}

#[track_caller]
fn tells_of_bob(person: &Person, folder: &str, environment: &str) {
    let place = format!("{environment}:stripe.key");
    for (words, expected) in [
        (&["access", environment, "stripe.key"] as &[&str], "bob"),
        (&["access", environment], "bob"),
        (&["exposure", "bob", "--current"], &place),
    ] {
        let output = person.secretree(words).inside(folder).run();
        let told = output.code(0).stdout();
        assert!(told.contains(expected), "{words:?}: {told}");
    }
}

#[test]
fn an_environment_that_was_renamed_with_its_file_keeps_its_readers() {
    let (team, alice) = without_bob("", "prod");
    let rest = "environments:\n  live: {file: secrets/live.yaml, readers: [alice]}\n";
    alice.write(".secrets.yaml", team.policy(rest));
    alice
        .git(["mv", "secrets/prod.yaml", "secrets/live.yaml"])
        .run()
        .succeeds();
    alice.secretree(["apply", "--yes", "--move"]).run().code(0);
    alice.commit("prod is called live");
    tells_of_bob(&alice, "", "live");
    // The old name is another environment's now.
    let both = format!("{rest}  prod: {{file: secrets/prod.yaml, readers: [alice]}}\n");
    alice.write(".secrets.yaml", team.policy(&both));
    alice.secretree(["apply", "--yes", "prod"]).run().code(0);
    set(&alice, "", "prod", "other");
    alice.commit("another prod");
    tells_of_bob(&alice, "", "live");
    let exposed = alice.secretree(["exposure", "bob", "--current"]).run();
    assert!(!exposed.stdout().contains("prod:other"), "{}", exposed.stdout());
}

#[test]
fn a_policy_that_moved_up_or_down_keeps_its_readers() {
    let (_team, alice) = without_bob("", "prod");
    std::fs::create_dir(alice.work("app")).unwrap();
    alice.git(["mv", ".secrets.yaml", "secrets", "app"]).run().succeeds();
    alice.commit("down");
    tells_of_bob(&alice, "app", "prod");
    alice
        .git(["mv", "app/.secrets.yaml", "app/secrets", "."])
        .run()
        .succeeds();
    alice.commit("up");
    tells_of_bob(&alice, "", "prod");
}

#[test]
fn a_folder_with_a_policy_of_its_own_that_moved_keeps_its_readers() {
    let team = Team::with_policy(
        &["alice", "bob"],
        "environments:\n  dev: {file: secrets/dev.yaml, readers: [alice, bob]}\n",
    );
    let alice = team.person("alice");
    let own = |readers: &str| {
        format!("version: 1\nenvironments:\n  prod: {{file: secrets/prod.yaml, readers: [{readers}]}}\n")
    };
    alice.write("billing/.secrets.yaml", own("alice, bob"));
    set(&alice, "", "billing/prod", "stripe.key");
    alice.commit("values");
    alice.write("billing/.secrets.yaml", own("alice"));
    alice.secretree(["apply", "--yes", "billing/prod"]).run().code(0);
    alice.commit("bob leaves");
    std::fs::create_dir(alice.work("services")).unwrap();
    alice.git(["mv", "billing", "services"]).run().succeeds();
    alice.commit("services have a folder");
    tells_of_bob(&alice, "", "billing/prod");
}

#[test]
fn a_branch_that_was_published_and_taken_back_counts() {
    let team = Team::with_policy(
        &["alice", "bob"],
        "environments:\n  prod: {file: secrets/prod.yaml, readers: [alice]}\n",
    );
    let alice = team.person("alice");
    set(&alice, "", "prod", "stripe.key");
    team.share(&alice, "values");
    alice.git(["switch", "--quiet", "-c", "topic"]).run().succeeds();
    alice.secretree(["grant", "bob", "prod", "--yes"]).run().code(0);
    alice.commit("bob reads");
    alice.git(["push", "--quiet", "origin", "topic"]).run().code(0);
    alice.git(["reset", "--quiet", "--hard", "main"]).run().succeeds();
    alice
        .git(["push", "--quiet", "--force", "origin", "topic"])
        .run()
        .code(0);
    std::fs::remove_file(alice.work(".git/ORIG_HEAD")).unwrap();
    tells_of_bob(&alice, "", "prod");
}

#[test]
fn a_proposal_that_was_sealed_anew_was_open_before_too() {
    let team = Team::with_policy(
        &["alice", "bob", "carol"],
        "environments:\n  prod: {file: secrets/prod.yaml, readers: [alice, bob]}\n",
    );
    let alice = team.person("alice");
    set(&alice, "", "prod", "other");
    team.share(&alice, "values");
    let carol = team.person("carol");
    team.update(&carol);
    set(&carol, "", "prod", "stripe.key");
    team.share(&carol, "a proposal");
    team.update(&alice);
    let rest = "environments:\n  prod: {file: secrets/prod.yaml, readers: [alice]}\n";
    alice.write(".secrets.yaml", team.policy(rest));
    alice.secretree(["apply", "--yes"]).run().code(0);
    alice.commit("bob leaves");
    alice
        .secretree(["proposals", "accept", "prod", "stripe.key", "--yes"])
        .run()
        .code(0);
    set(&alice, "", "prod", "later");
    alice.commit("accepted");
    tells_of_bob(&alice, "", "prod");
    let exposed = alice.secretree(["exposure", "bob", "--current"]).run();
    assert!(exposed.stdout().contains("prod:other"));
}

#[test]
fn a_grant_in_a_file_beside_the_one_that_counts_is_found() {
    let rest = |file: &str, readers: &str| {
        format!("environments:\n  prod: {{file: secrets/{file}.yaml, readers: [{readers}]}}\n")
    };
    let team = Team::with_policy(&["alice", "bob"], &rest("old", "alice"));
    let alice = team.person("alice");
    set(&alice, "", "prod", "stripe.key");
    alice.commit("values");
    std::fs::copy(alice.work("secrets/old.yaml"), alice.work("secrets/new.yaml")).unwrap();
    alice.write(".secrets.yaml", team.policy(&rest("new", "alice")));
    alice.commit("the file is called otherwise, and the old one is left");
    alice.write(".secrets.yaml", team.policy(&rest("old", "alice, bob")));
    alice.secretree(["apply", "--yes"]).run().code(0);
    alice.write(".secrets.yaml", team.policy(&rest("new", "alice")));
    set(&alice, "", "prod", "other");
    alice.commit("both in one commit");
    tells_of_bob(&alice, "", "prod");
}
