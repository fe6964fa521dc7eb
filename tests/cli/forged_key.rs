//! The forged key: grants need only public keys, so somebody who may write the repository and reads nothing can invent an
//! environment key and grant it to everybody. Whatever such a file says, nothing of it is delivered and nothing is ever
//! sealed under its key.

use secretree::crypto::key::EnvironmentKey;

use crate::forgery::{Forgery, assert_gets, assert_refused, clone_of, copy_tree, footer_of, set, shallow_clone_of};
use crate::sandbox::Person;
use crate::team::{POLICY_ID, Team};

const FILE: &str = "secrets/dev.yaml";
const REFUSAL: &str = "is not trusted: the key";

/// Alice and bob share `dev` with one value; mallory can push and reads nothing.
fn shared_secret() -> (Team, Person, Person, Person) {
    let mut team = Team::new(&["alice", "bob"]);
    let (alice, bob) = (team.person("alice"), team.person("bob"));
    set(&alice, "dev", "db", "real").succeeds();
    team.share(&alice, "first value");
    team.update(&bob);
    assert_gets(&bob, "dev", "db", "real");
    let mallory = team.add("mallory");
    (team, alice, bob, mallory)
}

#[test]
fn nothing_is_delivered_or_sealed_under_a_forged_key() {
    let (mut team, alice, bob, mallory) = shared_secret();
    let forgery = Forgery::of_dev().granted_to(&[&alice, &bob]).with("db", "forged");
    mallory.write(FILE, forgery.text());
    team.share(&mallory, "rotate");
    team.update(&alice);
    assert_refused(&alice, "dev", FILE, REFUSAL, None);
    // Who had never seen the environment learns the true key from the history.
    let fresh = clone_of(&mut team, &alice, "fresh");
    assert_refused(&fresh, "dev", FILE, REFUSAL, None);
    // A word for the true key does not help the forged one; a word for the forged one is a person's own.
    let real = footer_of(&bob.read_text(FILE)).drop_box;
    let wrong = clone_of(&mut team, &alice, "wrong");
    assert_refused(&wrong, "dev", FILE, REFUSAL, Some(&format!("dev:{real}")));
    let told = clone_of(&mut team, &alice, "told");
    let named = format!("dev:{}", forgery.key.drop_box());
    let get = told.secretree(["get", "dev", "db"]).env("SECRETREE_TRUST", named);
    get.run().succeeds().prints("forged");
}

#[test]
fn only_a_footer_forged_around_true_tokens_is_refused() {
    let (team, alice, bob, mallory) = shared_secret();
    let text = mallory.read_text(FILE);
    let body = text.split_once("\nsecretree:").unwrap().0;
    let forgery = Forgery::of_dev().granted_to(&[&alice, &bob]).with_text(body);
    mallory.write(FILE, forgery.text());
    team.share(&mallory, "tidy the footer");
    team.update(&alice);
    assert_refused(&alice, "dev", FILE, REFUSAL, None);
    // An empty body: nothing to open, and `set` would be the first to seal.
    mallory.write(FILE, Forgery::of_dev().granted_to(&[&alice, &bob]).text());
    team.share(&mallory, "start over");
    team.update(&alice);
    assert_refused(&alice, "dev", FILE, REFUSAL, None);
}

#[test]
fn a_forged_key_is_refused_before_it_is_committed() {
    let (mut team, alice, bob, _) = shared_secret();
    let forged = Forgery::of_dev()
        .granted_to(&[&alice, &bob])
        .with("db", "forged")
        .text();
    let fresh = clone_of(&mut team, &alice, "fresh");
    for person in [&alice, &fresh] {
        person.write(FILE, &forged);
        assert_refused(person, "dev", FILE, "no commit yet", None);
        person.git(["add", FILE]).run().succeeds();
        assert_refused(person, "dev", FILE, REFUSAL, None);
    }
}

#[test]
fn without_git_what_the_machine_knew_still_counts() {
    let (_, alice, bob, _) = shared_secret();
    std::fs::remove_dir_all(alice.work(".git")).unwrap();
    assert_gets(&alice, "dev", "db", "real");
    alice.write(
        FILE,
        Forgery::of_dev()
            .granted_to(&[&alice, &bob])
            .with("db", "forged")
            .text(),
    );
    assert_refused(&alice, "dev", FILE, "cannot be checked", None);
}

#[test]
fn a_shallow_clone_that_knew_the_key_names_what_it_lacks() {
    let (mut team, alice, bob, mallory) = shared_secret();
    mallory.write(
        FILE,
        Forgery::of_dev()
            .granted_to(&[&alice, &bob])
            .with("db", "forged")
            .text(),
    );
    team.share(&mallory, "rotate");
    let real = footer_of(&bob.read_text(FILE)).drop_box;
    let shallow = shallow_clone_of(&mut team, &alice, "shallow");
    let trust = format!("dev:{real}");
    assert_refused(&shallow, "dev", FILE, "git fetch --unshallow", Some(&trust));
}

#[test]
fn a_file_deleted_and_made_again_is_refused() {
    for commits in [1, 2] {
        let (mut team, alice, bob, mallory) = shared_secret();
        let forged = Forgery::of_dev()
            .granted_to(&[&alice, &bob])
            .with("db", "forged")
            .text();
        mallory.git(["rm", "--quiet", FILE]).run().succeeds();
        if commits == 2 {
            team.share(&mallory, "drop dev");
        }
        mallory.write(FILE, forged);
        team.share(&mallory, "make dev");
        team.update(&alice);
        assert_refused(&alice, "dev", FILE, REFUSAL, None);
        let fresh = clone_of(&mut team, &alice, "fresh");
        assert_refused(&fresh, "dev", FILE, REFUSAL, None);
    }
}

#[test]
fn a_file_moved_elsewhere_is_refused() {
    let (mut team, alice, bob, mallory) = shared_secret();
    let policy = mallory.read_text(".secrets.yaml");
    mallory.write(".secrets.yaml", policy.replace(FILE, "ops/dev.yaml"));
    mallory.git(["rm", "--quiet", FILE]).run().succeeds();
    let forged = Forgery::of_dev()
        .granted_to(&[&alice, &bob])
        .with("db", "forged")
        .text();
    mallory.write("ops/dev.yaml", forged);
    team.share(&mallory, "move dev");
    team.update(&alice);
    assert_refused(&alice, "dev", "ops/dev.yaml", REFUSAL, None);
    let fresh = clone_of(&mut team, &alice, "fresh");
    assert_refused(&fresh, "dev", "ops/dev.yaml", REFUSAL, None);
}

#[test]
fn another_policy_id_is_no_way_round() {
    let (mut team, alice, bob, mallory) = shared_secret();
    let other = "00000000000000000000000000000bad";
    let policy = mallory.read_text(".secrets.yaml");
    mallory.write(".secrets.yaml", policy.replace(POLICY_ID, other));
    let forgery = Forgery::with_key("dev", other, EnvironmentKey::generate()).granted_to(&[&alice, &bob]);
    mallory.write(FILE, forgery.with("db", "forged").text());
    team.share(&mallory, "new policy");
    team.update(&alice);
    assert_refused(&alice, "dev", FILE, "was known in this folder", None);
    let fresh = clone_of(&mut team, &alice, "fresh");
    assert_refused(&fresh, "dev", FILE, "was known in this folder", None);
    // Only a person's word makes it the policy of this folder.
    fresh.secretree(["trust", "dev", "--yes"]).run().succeeds();
    assert_gets(&fresh, "dev", "db", "forged");
    // Without git, the machine still knows what stood in the folder.
    std::fs::remove_dir_all(alice.work(".git")).unwrap();
    assert_refused(&alice, "dev", FILE, "was known in this folder", None);
}

#[test]
fn another_projects_policy_and_file_are_not_put_in_place_of_ours() {
    // Alice reads both projects; mallory writes this one, and could not open what its code would be given.
    let (team, alice, _, mallory) = shared_secret();
    let elsewhere = Team::new(&["alice"]);
    let other = "11111111111111111111111111111111";
    let there = elsewhere.person("alice");
    let policy = there.read_text(".secrets.yaml").replace(POLICY_ID, other);
    there.write(".secrets.yaml", &policy);
    set(&there, "dev", "db", "of-the-other-project").succeeds();
    // One machine: alice works on the other project too.
    let visit = alice.folder().join("other");
    copy_tree(&there.work("."), &visit);
    std::fs::remove_dir_all(visit.join(".git")).unwrap();
    let output = alice.secretree(["get", "dev", "db"]).inside("../other").run();
    output.succeeds().prints("of-the-other-project");
    mallory.write(".secrets.yaml", policy);
    mallory.write(FILE, there.read(FILE));
    team.share(&mallory, "swap");
    team.update(&alice);
    assert_refused(&alice, "dev", FILE, "was known in this folder", None);
    // So does a clone that never opened anything: the history tells.
    let clone = alice.folder().join("clone");
    alice
        .git(["clone", "--quiet", "../../origin.git"])
        .operand(&clone)
        .run()
        .code(0);
    let output = alice.secretree(["get", "dev", "db"]).inside("../clone").run();
    output.code(5).says("was known in this folder").prints("");
}

#[test]
fn successors_and_predecessors_that_do_not_open_count_for_nothing() {
    let (mut team, alice, bob, mallory) = shared_secret();
    let real = footer_of(&mallory.read_text(FILE)).drop_box;
    // Claims to follow the true key, by a token that mallory sealed under a key of hers.
    let forgery = Forgery::of_dev().granted_to(&[&alice, &bob]).with("db", "forged");
    let forgery = forgery.claiming_to_follow(real.id(), &EnvironmentKey::generate());
    let original = mallory.read_text(FILE);
    mallory.write(FILE, forgery.text());
    team.share(&mallory, "rotate");
    team.update(&alice);
    assert_refused(&alice, "dev", FILE, REFUSAL, None);
    let fresh = clone_of(&mut team, &alice, "fresh");
    assert_refused(&fresh, "dev", FILE, REFUSAL, None);
    // Once the file is put back, the claim stays in the history and stops nobody.
    mallory.write(FILE, original);
    team.share(&mallory, "put back");
    team.update(&alice);
    assert_gets(&alice, "dev", "db", "real");
    set(&alice, "dev", "db", "newer").succeeds();
    team.share(&alice, "newer");
    assert_gets(&alice, "dev", "db", "newer");
    // A clone that never knew cannot tell which of two beginnings is true, until somebody says so.
    let late = clone_of(&mut team, &alice, "late");
    late.secretree(["get", "dev", "db"])
        .run()
        .code(5)
        .says("secretree trust dev");
    late.secretree(["trust", "dev", "--yes"]).run().succeeds();
    assert_gets(&late, "dev", "db", "newer");
}

#[test]
fn a_forged_key_below_an_environment_stops_the_whole() {
    let readers = "readers: [alice, bob]";
    let team = Team::with_policy(
        &["alice", "bob"],
        &format!(
            "environments:\n  base: {{file: secrets/base.yaml, {readers}}}\n  dev: {{file: {FILE}, {readers}, extends: [base]}}\n"
        ),
    );
    let (alice, bob) = (team.person("alice"), team.person("bob"));
    set(&alice, "base", "shared", "real").succeeds();
    set(&alice, "dev", "db", "real").succeeds();
    team.share(&alice, "first values");
    assert_gets(&alice, "dev", "db", "real");
    let forgery = Forgery::with_key("base", POLICY_ID, EnvironmentKey::generate());
    let forgery = forgery.granted_to(&[&alice, &bob]).with("shared", "forged");
    alice.write("secrets/base.yaml", forgery.text());
    for command in [
        &["get", "dev", "db"] as &[&str],
        &["get", "dev", "shared"],
        &["run", "dev", "--", "env"],
        &["decrypt", "dev", "--format", "json"],
    ] {
        alice.secretree(command).run().code(5).says(REFUSAL).prints("");
    }
    assert_refused(&alice, "base", "secrets/base.yaml", REFUSAL, None);
}

#[test]
fn a_new_name_for_an_environment_is_seen_for_the_first_time() {
    let (team, alice, bob, mallory) = shared_secret();
    let policy = mallory.read_text(".secrets.yaml");
    let renamed = policy.replace("  dev: {", "  development: {");
    mallory.write(".secrets.yaml", renamed.replace("default_environment: dev\n", ""));
    let forgery = Forgery::with_key("development", POLICY_ID, EnvironmentKey::generate());
    mallory.write(FILE, forgery.granted_to(&[&alice, &bob]).with("db", "forged").text());
    team.share(&mallory, "a longer name");
    team.update(&alice);
    // The name that people and scripts use is gone; another name is another environment, and says who made it.
    alice.secretree(["get", "dev", "db"]).run().code(1).prints("");
    let output = alice.secretree(["get", "development", "db"]).run();
    output.says("first sight of the key").says("of mallory");
    // The true file under the new name is a file of another environment.
    alice.write(FILE, bob.read(FILE));
    assert_refused(&alice, "development", FILE, "`dev`", None);
}

#[test]
fn authors_do_not_draw_on_the_terminal() {
    let (team, alice, bob, mallory) = shared_secret();
    mallory.write(FILE, Forgery::of_dev().granted_to(&[&alice, &bob]).text());
    let name = "\u{1b}[2Jalice\u{202e}";
    mallory.git(["config", "user.name", name]).run().succeeds();
    team.share(&mallory, "rotate");
    team.update(&alice);
    let output = alice.secretree(["get", "dev", "db"]).run();
    output.code(5).says("alice");
    assert!(!output.stderr().contains(['\u{1b}', '\u{202e}']));
}

#[test]
fn a_new_key_over_a_forged_commit_heals_every_clone() {
    let (mut team, alice, bob, mallory) = shared_secret();
    let original = alice.read_text(FILE);
    mallory.write(
        FILE,
        Forgery::of_dev()
            .granted_to(&[&alice, &bob])
            .with("db", "forged")
            .text(),
    );
    team.share(&mallory, "rotate");
    team.update(&alice);
    alice.write(FILE, original);
    alice.secretree(["apply", "dev", "--new-key", "--yes"]).run().succeeds();
    team.share(&alice, "heal");
    team.update(&bob);
    assert_gets(&bob, "dev", "db", "real");
    let fresh = clone_of(&mut team, &alice, "fresh");
    assert_gets(&fresh, "dev", "db", "real");
}
