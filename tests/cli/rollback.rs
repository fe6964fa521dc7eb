//! Back to an old key: a removed reader still holds the key of before, and can seal under it what nobody else sealed. A
//! file under that key is refused wherever a later one is known; so is a second key that the removed reader lets follow
//! it.

use secretree::crypto::key::EnvironmentKey;

use crate::forgery::{Forgery, assert_gets, assert_refused, clone_of, footer_of, key_held_by, set, shallow_clone_of};
use crate::sandbox::Person;
use crate::team::{POLICY_ID, Team};

const FILE: &str = "secrets/dev.yaml";

/// What a removed reader left behind, and who is left.
struct Removal {
    team: Team,
    alice: Person,
    bob: Person,
    mallory: Person,
    /// The key that mallory holds.
    old: EnvironmentKey,
    /// A machine of alice's that last looked before mallory was removed.
    away: Person,
}

/// Mallory read `dev` and was removed; bob's clone has followed, `away` has not.
fn removal() -> Removal {
    let mut team = Team::new(&["alice", "bob", "mallory"]);
    let [alice, bob, mallory] = ["alice", "bob", "mallory"].map(|name| team.person(name));
    set(&alice, "dev", "db", "real").succeeds();
    team.share(&alice, "first value");
    team.update(&bob);
    team.update(&mallory);
    assert_gets(&bob, "dev", "db", "real");
    let old = key_held_by(&mallory, &mallory.read_text(FILE));
    let away = clone_of(&mut team, &alice, "away");
    assert_gets(&away, "dev", "db", "real");
    remove_mallory(&alice);
    team.share(&alice, "remove mallory");
    team.update(&bob);
    assert_gets(&bob, "dev", "db", "real");
    Removal {
        team,
        alice,
        bob,
        mallory,
        old,
        away,
    }
}

/// Takes mallory out of the readers, and the file under a new key.
pub(crate) fn remove_mallory(person: &Person) {
    let policy = person.read_text(".secrets.yaml");
    person.write(".secrets.yaml", policy.replace("alice, bob, mallory", "alice, bob"));
    person.secretree(["apply", "--yes"]).run().succeeds();
}

impl Removal {
    /// A file under the old key with a value of mallory's.
    fn rolled_back(&self) -> String {
        let forgery = Forgery::with_key("dev", POLICY_ID, self.old.clone());
        forgery
            .granted_to(&[&self.alice, &self.bob])
            .with("db", "forged")
            .text()
    }

    /// A key of mallory's that the old key vouches for.
    fn second_successor(&self) -> String {
        let forgery = Forgery::of_dev().granted_to(&[&self.alice, &self.bob]);
        forgery.following(&self.old).with("db", "forged").text()
    }
}

#[test]
fn a_file_under_the_old_key_is_refused() {
    let mut removal = removal();
    let words = "replaced (commit";
    // In the work tree, then staged.
    let bob = removal.bob.clone();
    bob.write(FILE, removal.rolled_back());
    assert_refused(&bob, "dev", FILE, words, None);
    bob.git(["add", FILE]).run().succeeds();
    assert_refused(&bob, "dev", FILE, words, None);
    bob.git(["reset", "--quiet", "--hard"]).run().succeeds();
    // Committed: for those who saw the new key, those who were away, and those who never saw any.
    removal.team.update(&removal.mallory);
    removal.mallory.write(FILE, removal.rolled_back());
    removal.team.share(&removal.mallory, "restore");
    let fresh = clone_of(&mut removal.team, &removal.alice, "fresh");
    removal.team.update(&removal.away);
    removal.team.update(&bob);
    for person in [&bob, &removal.away, &fresh] {
        assert_refused(person, "dev", FILE, words, None);
        // A word for the old key is no word against the one that replaced it.
        let trust = format!("dev:{}", removal.old.drop_box());
        assert_refused(person, "dev", FILE, words, Some(&trust));
    }
}

#[test]
fn a_new_key_that_is_only_staged_is_known() {
    let removal = removal();
    let before = removal.away.read(FILE);
    let away = &removal.away;
    away.secretree(["apply", "dev", "--new-key", "--yes"]).run().succeeds();
    away.git(["add", FILE]).run().succeeds();
    away.write(FILE, before);
    assert_refused(away, "dev", FILE, "take the staged file", None);
    away.git(["restore", "--", FILE]).run().succeeds();
    assert_gets(away, "dev", "db", "real");
}

#[test]
fn a_new_key_that_a_merge_is_about_to_bring_is_known() {
    let removal = removal();
    let away = &removal.away;
    set(away, "dev", "db", "mine").succeeds();
    away.commit("mine");
    away.git(["pull", "--quiet", "--no-rebase", "origin", "main"])
        .run()
        .code(1);
    away.git(["checkout", "--quiet", "--ours", FILE]).run().succeeds();
    assert_refused(away, "dev", FILE, "replaced", None);
    away.git(["checkout", "--quiet", "--theirs", FILE]).run().succeeds();
    assert_gets(away, "dev", "db", "real");
}

#[test]
fn a_footer_that_a_formatter_quoted_is_read_in_history_too() {
    let removal = removal();
    let bob = &removal.bob;
    let text = bob.read_text(FILE);
    bob.git(["reset", "--quiet", "--soft", "HEAD~1"]).run().succeeds();
    bob.write(FILE, text.replace("\nsecretree:", "\n\"secretree\":"));
    assert_gets(bob, "dev", "db", "real");
    bob.commit("remove mallory, formatted");
    bob.write(FILE, removal.rolled_back());
    assert_refused(bob, "dev", FILE, "replaced (commit", None);
}

#[test]
fn a_checkout_from_before_the_new_key_is_what_it_was() {
    let removal = removal();
    let bob = &removal.bob;
    bob.git(["reset", "--quiet", "--hard", "HEAD~1"]).run().succeeds();
    // Other branches and the reflog do not count, or work on an old branch would stop; it is said, though.
    let output = bob.secretree(["get", "dev", "db"]).run();
    output
        .succeeds()
        .prints("real")
        .says("this machine knows a newer key of `dev`");
    bob.git(["reset", "--quiet", "--hard", "origin/main"]).run().succeeds();
    assert_gets(bob, "dev", "db", "real");
    bob.write(FILE, removal.rolled_back());
    assert_refused(bob, "dev", FILE, "replaced (commit", None);
}

#[test]
fn a_file_that_was_elsewhere_in_between_is_not_forgotten() {
    let mut removal = removal();
    let mallory = &removal.mallory;
    removal.team.update(mallory);
    let policy = mallory.read_text(".secrets.yaml");
    // Whoever was away since the old key sees, at once: the new key, the file moved, moved back, and rolled back.
    mallory.write(".secrets.yaml", policy.replace(FILE, "ops/dev.yaml"));
    mallory.write("ops/dev.yaml", removal.rolled_back());
    mallory.git(["rm", "--quiet", FILE]).run().succeeds();
    removal.team.share(mallory, "move");
    let fresh = clone_of(&mut removal.team, &removal.alice, "fresh");
    removal.team.update(&removal.away);
    removal.team.update(&removal.bob);
    for person in [&removal.bob, &removal.away, &fresh] {
        assert_refused(person, "dev", "ops/dev.yaml", "replaced (commit", None);
    }
}

#[test]
fn a_new_key_that_stood_elsewhere_is_not_forgotten() {
    let mut team = Team::new(&["alice", "bob", "mallory"]);
    let [alice, bob, mallory] = ["alice", "bob", "mallory"].map(|name| team.person(name));
    set(&alice, "dev", "db", "real").succeeds();
    team.share(&alice, "first value");
    for person in [&bob, &mallory] {
        team.update(person);
        assert_gets(person, "dev", "db", "real");
    }
    let old = bob.read(FILE);
    // The new key comes with a file elsewhere; mallory, removed, puts the old file and its place back.
    let policy = alice.read_text(".secrets.yaml").replace(FILE, "ops/dev.yaml");
    alice.write(".secrets.yaml", policy);
    std::fs::create_dir_all(alice.work("ops")).unwrap();
    alice.git(["mv", FILE, "ops/dev.yaml"]).run().succeeds();
    remove_mallory(&alice);
    team.share(&alice, "remove mallory, move dev");
    team.update(&mallory);
    let policy = mallory.read_text(".secrets.yaml").replace("ops/dev.yaml", FILE);
    mallory.write(".secrets.yaml", policy);
    mallory.git(["rm", "--quiet", "ops/dev.yaml"]).run().succeeds();
    mallory.write(FILE, old);
    team.share(&mallory, "move back");
    team.update(&bob);
    assert_refused(&bob, "dev", FILE, "replaced (commit", None);
    let fresh = clone_of(&mut team, &alice, "fresh");
    assert_refused(&fresh, "dev", FILE, "replaced (commit", None);
}

#[test]
fn what_a_shallow_clone_could_not_see_counts_once_it_is_there() {
    let mut removal = removal();
    removal.team.update(&removal.mallory);
    removal.mallory.write(FILE, removal.rolled_back());
    removal.team.share(&removal.mallory, "restore");
    let ci = shallow_clone_of(&mut removal.team, &removal.alice, "ci");
    let output = ci.secretree(["get", "dev", "db"]).run();
    output.succeeds().says("first sight");
    ci.git(["fetch", "--quiet", "--unshallow"]).run().code(0);
    assert_refused(&ci, "dev", FILE, "replaced (commit", None);
}

#[test]
fn a_removed_reader_cannot_let_another_key_follow_the_old_one() {
    let mut removal = removal();
    removal.team.update(&removal.mallory);
    removal.mallory.write(FILE, removal.second_successor());
    removal.team.share(&removal.mallory, "rotate");
    let fresh = clone_of(&mut removal.team, &removal.alice, "fresh");
    removal.team.update(&removal.away);
    removal.team.update(&removal.bob);
    for person in [&removal.bob, &removal.away, &fresh] {
        assert_refused(person, "dev", FILE, "is not trusted: the key", None);
    }
}

#[test]
fn a_branch_from_before_the_new_key_brings_no_other_new_key() {
    let removal = removal();
    let (bob, mallory) = (&removal.bob, &removal.mallory);
    // Mallory's branch starts before her removal: nothing behind it knows the true successor, but bob's machine does.
    mallory.git(["switch", "--quiet", "--create", "topic"]).run().succeeds();
    mallory.write(FILE, removal.second_successor());
    mallory.commit("rotate");
    mallory.git(["push", "--quiet", "origin", "topic"]).run().code(0);
    bob.git(["fetch", "--quiet", "origin"]).run().code(0);
    bob.git(["switch", "--quiet", "--detach", "origin/topic"])
        .run()
        .succeeds();
    assert_refused(bob, "dev", FILE, "is not trusted: the key", None);
    // Nor was it noted: on main it is as strange as before.
    bob.git(["switch", "--quiet", "main"]).run().succeeds();
    assert_gets(bob, "dev", "db", "real");
    bob.write(FILE, removal.second_successor());
    assert_refused(bob, "dev", FILE, "is not trusted: the key", None);
    let known = footer_of(&removal.alice.read_text(FILE)).drop_box;
    let noted = std::fs::read_to_string(bob.folder().join("state/secretree/trust.json")).unwrap();
    assert!(noted.contains(known.as_str()));
}
