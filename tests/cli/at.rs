//! `get --at` and `decrypt --at`: values as they stood in a commit, by the policy of then, also under keys that were
//! replaced since; and what somebody put into an old branch who never held a key.

use expect_test::expect;
use secretree::crypto::key::EnvironmentKey;

use crate::fixture::{alice_with_git, changes_nothing, edit};
use crate::forgery::{Forgery, clone_of, footer_of, key_held_by, set, shallow_clone_of};
use crate::rollback::remove_mallory;
use crate::sandbox::Person;
use crate::team::{POLICY_ID, Team};

const FILE: &str = "secrets/dev.yaml";

/// `get dev db --at REV` prints this value and says nothing.
#[track_caller]
fn gave(person: &Person, revision: &str, value: &str) {
    let output = changes_nothing(person.secretree(["get", "dev", "db", "--at", revision]));
    output.succeeds().prints(value);
    assert_eq!(output.stderr(), "", "at {revision}");
}

/// `get dev db --at REV` delivers nothing and says `words`, and so does `decrypt`.
#[track_caller]
fn refused(person: &Person, revision: &str, words: &str) {
    for command in [
        ["get", "dev", "db"].as_slice(),
        &["decrypt", "dev"],
        &["decrypt", "dev", "--format", "json"],
    ] {
        let run = person.secretree(command.iter().copied().chain(["--at", revision]));
        changes_nothing(run).code(5).says(words).prints("");
    }
}

/// Alice and bob share `dev` with a first and a second value of `db`, under one key.
fn two_values() -> (Team, Person, Person) {
    let team = Team::new(&["alice", "bob"]);
    let (alice, bob) = (team.person("alice"), team.person("bob"));
    set(&alice, "dev", "db", "first").succeeds();
    team.share(&alice, "first value");
    alice.git(["tag", "v1"]).run().succeeds();
    set(&alice, "dev", "db", "second").succeeds();
    team.share(&alice, "second value");
    team.update(&bob);
    (team, alice, bob)
}

#[test]
fn a_value_is_read_as_it_stood_in_a_commit_a_tag_or_on_a_day() {
    let (team, alice, _) = two_values();
    gave(&alice, "HEAD", "second");
    gave(&alice, "HEAD~1", "first");
    gave(&alice, "v1", "first");
    gave(&alice, "main~1", "first");
    team.sandbox().wait(40 * 86_400);
    set(&alice, "dev", "db", "third").succeeds();
    team.share(&alice, "third value");
    alice
        .secretree(["get", "dev", "db", "--at", "2026-01-31"])
        .run()
        .check(expect![[r#"
        status: 0
        --- stdout
        second[no newline]
        --- stderr
        note: `2026-01-31` is commit COMMIT of alice, 2026-01-05: second value
    "#]]);
    let quiet = alice.secretree(["get", "dev", "db", "--at", "2026-01-31", "-q"]).run();
    quiet.succeeds().prints("second");
    assert_eq!(quiet.stderr(), "");
    let verbose = alice.secretree(["get", "dev", "db", "--at", "v1", "-v"]).run();
    verbose.succeeds().prints("first").says("`v1` is commit");
}

#[test]
fn a_whole_environment_is_decrypted_as_it_stood_with_what_it_extended() {
    let alice = alice_with_git(
        "environments:\n  base: {file: base.yaml, readers: [alice]}\n  dev: {file: dev.yaml, readers: [alice], extends: [base], plaintext: [\"log.*\"]}\n",
    );
    edit(&alice, "base", "shared: one # kept\n").run().succeeds();
    edit(&alice, "dev", "own: 1.10\nlog:\n  level: info\n").run().succeeds();
    alice.commit("values");
    edit(&alice, "base", "shared: two\n").run().succeeds();
    edit(&alice, "dev", "own: 2\n").run().succeeds();
    let policy = alice.read_text(".secrets.yaml");
    alice.write(
        ".secrets.yaml",
        policy.replace(", extends: [base], plaintext: [\"log.*\"]", ""),
    );
    alice.commit("apart");
    let at = |words: &[&str]| {
        let operands = ["decrypt", "dev", "--at", "HEAD~1"];
        changes_nothing(alice.secretree(operands.into_iter().chain(words.iter().copied())))
    };
    at(&[]).succeeds().prints("own: 1.10\nlog:\n  level: info\n");
    at(&["--merged"])
        .succeeds()
        .prints("shared: one\nown: \"1.10\"\nlog:\n  level: info\n");
    at(&["--format", "dotenv"])
        .succeeds()
        .prints("SHARED=one\nOWN=1.10\nLOG_LEVEL=info\n");
    at(&["--format", "json", "--flat"]).succeeds();
    let output = alice.secretree(["get", "dev", "shared", "--at", "HEAD~1"]).run();
    output.succeeds().prints("one");
    let output = alice.secretree(["decrypt", "base", "--at", "HEAD~1"]).run();
    output.succeeds().prints("shared: one # kept\n");
    // A file that secretree writes today is not overwritten by the past.
    let run = alice.secretree(["decrypt", "dev", "--at", "HEAD~1", "--force", "-o", "dev.yaml"]);
    changes_nothing(run).code(1).says("plaintext never replaces it");
}

#[test]
fn who_came_later_reads_what_the_key_sealed_before() {
    let (mut team, alice, _) = two_values();
    let carol = team.add("carol");
    alice.write(
        ".secrets.yaml",
        team.policy("environments:\n  dev: {file: secrets/dev.yaml, readers: [alice, bob, carol]}\n"),
    );
    alice.secretree(["apply", "dev", "--yes"]).run().succeeds();
    team.share(&alice, "carol reads");
    team.update(&carol);
    carol.secretree(["get", "dev", "db"]).run().succeeds();
    gave(&carol, "HEAD~2", "first");
    gave(&carol, "HEAD~1", "second");
    carol.secretree(["decrypt", "dev", "--at", "HEAD~2"]).run().succeeds();
    // Not what stood under a key that was gone before she came.
    let dave = team.add("dave");
    alice.write(
        ".secrets.yaml",
        team.policy("environments:\n  dev: {file: secrets/dev.yaml, readers: [alice, carol, dave]}\n"),
    );
    alice.secretree(["apply", "dev", "--yes"]).run().succeeds();
    team.share(&alice, "bob is out, dave reads");
    team.update(&dave);
    dave.secretree(["get", "dev", "db"]).run().succeeds();
    gave(&dave, "HEAD", "second");
    let run = dave.secretree(["get", "dev", "db", "--at", "HEAD~3"]);
    changes_nothing(run).code(4).says("its readers then were alice, bob");
}

#[test]
fn the_past_is_read_under_a_key_that_was_replaced_since() {
    let (mut team, alice, bob) = two_values();
    alice.secretree(["apply", "dev", "--new-key", "--yes"]).run().succeeds();
    team.share(&alice, "new key");
    set(&alice, "dev", "db", "third").succeeds();
    team.share(&alice, "third value");
    team.update(&bob);
    gave(&alice, "v1", "first");
    bob.secretree(["get", "dev", "db"]).run().succeeds();
    gave(&bob, "HEAD~2", "second");
    // A machine that never saw the old key, before and after it knew the new one.
    let fresh = clone_of(&mut team, &alice, "fresh");
    let output = fresh.secretree(["get", "dev", "db", "--at", "HEAD~3"]).run();
    output
        .succeeds()
        .prints("first")
        .says("was never seen on this machine (commit");
    fresh.secretree(["get", "dev", "db"]).run().succeeds().prints("third");
    gave(&fresh, "HEAD~3", "first");
    gave(&fresh, "HEAD", "third");
    // A newer key on a branch, which the one here vouches for.
    alice.git(["switch", "--quiet", "-c", "ahead"]).run().succeeds();
    alice.secretree(["apply", "dev", "--new-key", "--yes"]).run().succeeds();
    set(&alice, "dev", "db", "ahead").succeeds();
    alice.commit("another key");
    alice.git(["push", "--quiet", "origin", "ahead"]).run().code(0);
    fresh.git(["fetch", "--quiet"]).run().code(0);
    gave(&fresh, "origin/ahead", "ahead");
    fresh.secretree(["get", "dev", "db"]).run().succeeds().prints("third");
}

#[test]
fn who_could_not_read_it_then_is_told_who_could() {
    let (mut team, alice, _) = two_values();
    let carol = team.add("carol");
    let readers = |names: &str| {
        let rest = format!("environments: {{dev: {{file: {FILE}, readers: [{names}]}}}}\n");
        team.policy(&rest)
    };
    alice.write(".secrets.yaml", readers("alice, carol"));
    alice.secretree(["apply", "--yes"]).run().succeeds();
    team.share(&alice, "carol for bob");
    team.update(&carol);
    carol.secretree(["get", "dev", "db"]).run().succeeds().prints("second");
    let run = carol.secretree(["get", "dev", "db", "--at", "HEAD~1"]);
    changes_nothing(run).check(expect![[r#"
        status: 4
        --- stderr
        error: in `HEAD~1`: no identity here can open `dev`
        hint: its readers then were alice, bob: ask one of them
    "#]]);
}

#[test]
fn renamed_files_and_environments_are_found_by_the_policy_of_then() {
    let (_, alice, _) = two_values();
    alice.git(["mv", FILE, "moved.yaml"]).run().succeeds();
    let policy = alice.read_text(".secrets.yaml");
    alice.write(".secrets.yaml", policy.replace(FILE, "moved.yaml"));
    alice.commit("moved");
    gave(&alice, "HEAD~1", "second");
    gave(&alice, "HEAD", "second");
    // Moved a commit before the policy said so.
    alice.git(["mv", "moved.yaml", "again.yaml"]).run().succeeds();
    alice.commit("moved again");
    alice.write(".secrets.yaml", policy.replace(FILE, "again.yaml"));
    alice.commit("and said so");
    gave(&alice, "HEAD~1", "second");
    gave(&alice, "v1", "first");
    // Under another name: what it was called then is what is asked for.
    let renamed = policy.replace(FILE, "again.yaml").replace("dev", "development");
    alice.write(".secrets.yaml", renamed);
    alice.commit("a longer name");
    gave(&alice, "HEAD~1", "second");
    alice
        .secretree(["get", "development", "db", "--at", "v1"])
        .run()
        .check(expect![[r#"
        status: 1
        --- stderr
        error: in `v1`: `development` is no environment
        hint: environments are dev, prod
    "#]]);
    alice
        .secretree(["get", "development", "db", "--at", "HEAD~1"])
        .run()
        .check(expect![[r#"
        status: 1
        --- stderr
        error: in `HEAD~1`: `development` is no environment
        hint: its file was the one of `dev` then
    "#]]);
}

#[test]
fn what_is_not_there_is_said() {
    let (mut team, alice, _) = two_values();
    let at = |operands: &[&str], revision: &str| {
        let run = alice.secretree(operands.iter().copied().chain(["--at", revision]));
        changes_nothing(run)
    };
    at(&["get", "dev", "db"], "v9").check(expect![[r#"
        status: 1
        --- stderr
        error: `v9` names no commit here
        hint: a commit, a branch, a tag, or a day such as 2026-01-31: git log --oneline
    "#]]);
    at(&["get", "dev", "db"], "2025-12-31").check(expect![[r#"
        status: 1
        --- stderr
        error: there was no commit here yet on 2025-12-31
        hint: the first one: git log --reverse --format='%h %cs %s'
    "#]]);
    at(&["get", "dev", "bd"], "v1").check(expect![[r#"
        status: 1
        --- stderr
        error: in `v1`: `dev` has no `bd`
        hint: did you mean `db`? secretree get dev db --at v1
    "#]]);
    at(&["get", "dev", "stripe.key"], "v1").check(expect![[r#"
        status: 1
        --- stderr
        error: in `v1`: `dev` has no `stripe.key`
        hint: what there was: secretree decrypt dev --at v1
    "#]]);
    at(&["get", "prod", "db"], "v1").check(expect![[r#"
        status: 1
        --- stderr
        error: in `v1`: `prod` had no file: there was no `secrets/prod.yaml`
        hint: see when there was: git log --oneline --all -- ':/secrets/prod.yaml'
    "#]]);
    at(&["get", "stage", "db"], "v1").check(expect![[r#"
        status: 1
        --- stderr
        error: in `v1`: `stage` is no environment
        hint: environments are dev, prod
    "#]]);
    let orphan = alice.git([
        "commit-tree",
        "-m",
        "nothing",
        "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    ]);
    let empty = orphan.run().stdout();
    alice.git(["tag", "empty", empty.trim()]).run().succeeds();
    at(&["decrypt", "dev"], "empty").check(expect![[r#"
        status: 1
        --- stderr
        error: in `empty`: there was no `.secrets.yaml`
        hint: see where it came from: git log --oneline -- ':/.secrets.yaml'
    "#]]);
    alice.write(".secrets.yaml", "version: 1\nrecipients: {}\nwrong: 1\n");
    alice.commit("malformed");
    alice.git(["tag", "malformed"]).run().succeeds();
    alice.git(["revert", "--no-edit", "HEAD"]).run().code(0);
    at(&["decrypt", "dev"], "malformed").check(expect![[r#"
        status: 1
        --- stderr
        error: in `malformed`: `.secrets.yaml` line 3 column 1: unknown field `wrong`
        hint: see it: git show COMMIT:.secrets.yaml
    "#]]);
    let shallow = shallow_clone_of(&mut team, &alice, "shallow");
    shallow
        .secretree(["get", "dev", "db", "--at", "HEAD~1"])
        .run()
        .check(expect![[r#"
        status: 1
        --- stderr
        error: `HEAD~1` names no commit here: this clone is shallow
        hint: git fetch --unshallow
    "#]]);
    let output = shallow.secretree(["get", "dev", "db", "--at", "HEAD"]).run();
    output.succeeds().prints("second").says("the history here is cut");
}

#[test]
fn without_a_history_to_read_the_way_round_is_said() {
    let (_, alice, _) = two_values();
    std::fs::remove_dir_all(alice.work(".git")).unwrap();
    alice
        .secretree(["get", "dev", "db", "--at", "HEAD"])
        .run()
        .check(expect![[r#"
        status: 1
        --- stderr
        error: there is no git history here
        hint: work inside a clone of the repository
    "#]]);
    alice
        .git(["init", "--quiet", "--object-format=sha256"])
        .run()
        .succeeds();
    alice.commit("values");
    alice
        .secretree(["get", "dev", "db", "--at", "HEAD"])
        .run()
        .check(expect![[r#"
        status: 1
        --- stderr
        error: the history here cannot be read: its objects are named by SHA-256, which is not supported
        hint: git worktree add ../then REV, and read the values there: secretree -C ../then …
    "#]]);
}

#[test]
fn a_forged_key_in_an_old_branch_delivers_nothing() {
    let (mut team, alice, bob) = two_values();
    let mallory = team.add("mallory");
    let forged = || Forgery::of_dev().granted_to(&[&alice, &bob]).with("db", "forged");
    let branch = |name: &str, from: &str, text: String| {
        mallory.git(["switch", "--quiet", "-C", name, from]).run().succeeds();
        mallory.write(FILE, text);
        mallory.commit("an old state");
        mallory.git(["push", "--quiet", "origin", name]).run().code(0);
    };
    // On top of the true key; from before there was one; and in a history of its own.
    branch("on-top", "main", forged().text());
    branch("before", "main~2", forged().text());
    mallory.git(["switch", "--quiet", "--orphan", "apart"]).run().succeeds();
    mallory.write(".secrets.yaml", alice.read_text(".secrets.yaml"));
    mallory.write(FILE, forged().text());
    mallory.commit("the first state");
    mallory.git(["push", "--quiet", "origin", "apart"]).run().code(0);
    alice.git(["fetch", "--quiet"]).run().code(0);
    let fresh = clone_of(&mut team, &alice, "fresh");
    for person in [&alice, &fresh] {
        for revision in ["origin/on-top", "origin/before", "origin/apart"] {
            refused(person, revision, "is not trusted: nothing connects it");
        }
    }
    // The forger's key claims that the true one follows it, in a footer that anybody can write.
    let invented = EnvironmentKey::generate();
    let real = footer_of(&alice.read_text(FILE)).drop_box;
    let claimed = Forgery::with_key("dev", POLICY_ID, invented.clone()).granted_to(&[&alice, &bob]);
    branch("claims", "main~2", claimed.with("db", "forged").text());
    let claim = Forgery::with_key("dev", POLICY_ID, invented.clone()).vouching_for(&real, &alice.read_text(FILE));
    mallory.write(FILE, claim);
    mallory.commit("back again");
    mallory.git(["push", "--quiet", "origin", "claims"]).run().code(0);
    for person in [&alice, &fresh] {
        person.git(["fetch", "--quiet"]).run().code(0);
        refused(person, "origin/claims~1", "is not trusted: nothing connects it");
    }
    // Only a person's word helps.
    let trust = format!("dev:{}", invented.drop_box());
    let get = alice.secretree(["get", "dev", "db", "--at", "origin/claims~1"]);
    get.env("SECRETREE_TRUST", trust).run().succeeds().prints("forged");
    gave(&alice, "main", "second");
}

#[test]
fn a_forged_commit_stays_refused_after_it_was_healed() {
    let (mut team, alice, bob) = two_values();
    let mallory = team.add("mallory");
    let original = alice.read_text(FILE);
    let forged = Forgery::of_dev().granted_to(&[&alice, &bob]).with("db", "forged");
    mallory.write(FILE, forged.text());
    team.share(&mallory, "rotate");
    team.update(&alice);
    alice.write(FILE, original);
    alice.secretree(["apply", "dev", "--new-key", "--yes"]).run().succeeds();
    team.share(&alice, "heal");
    let fresh = clone_of(&mut team, &alice, "fresh");
    for person in [&alice, &fresh] {
        person.git(["fetch", "--quiet", "--tags"]).run().code(0);
        refused(person, "HEAD~1", "is not trusted: nothing connects it");
    }
    gave(&alice, "HEAD~2", "second");
    gave(&alice, "HEAD", "second");
}

#[test]
fn what_a_removed_reader_wrote_afterwards_is_named() {
    let team = Team::new(&["alice", "bob", "mallory"]);
    let [alice, bob, mallory] = ["alice", "bob", "mallory"].map(|name| team.person(name));
    set(&alice, "dev", "db", "real").succeeds();
    team.share(&alice, "first value");
    team.update(&mallory);
    let old = key_held_by(&mallory, &mallory.read_text(FILE));
    remove_mallory(&alice);
    team.share(&alice, "remove mallory");
    let rolled_back = || {
        let forgery = Forgery::with_key("dev", POLICY_ID, old.clone()).granted_to(&[&alice, &bob]);
        forgery.with("db", "rolled-back").text()
    };
    // On a branch from before: the key was right then, and whoever held it could have written this.
    mallory.git(["switch", "--quiet", "-c", "late"]).run().succeeds();
    mallory.write(FILE, rolled_back());
    mallory.commit("an old state");
    mallory.git(["push", "--quiet", "origin", "late"]).run().code(0);
    alice.git(["fetch", "--quiet"]).run().code(0);
    let output = alice.secretree(["get", "dev", "db", "--at", "origin/late"]).run();
    output.succeeds().says("whoever held it once could have written this");
    gave(&alice, "HEAD~1", "real");
    // Behind the removal it never was.
    team.update(&bob);
    bob.write(FILE, rolled_back());
    bob.commit("roll back");
    bob.git(["revert", "--no-edit", "HEAD"]).run().code(0);
    bob.secretree(["get", "dev", "db"]).run().succeeds().prints("real");
    refused(&bob, "HEAD~1", "had replaced already (commit");
}

#[test]
fn another_policy_is_not_the_one_of_this_folder() {
    let (team, alice, bob) = two_values();
    let other = "00000000000000000000000000000bad";
    bob.git(["switch", "--quiet", "-c", "other"]).run().succeeds();
    let policy = bob.read_text(".secrets.yaml");
    bob.write(".secrets.yaml", policy.replace(POLICY_ID, other));
    let forgery = Forgery::with_key("dev", other, EnvironmentKey::generate()).granted_to(&[&alice]);
    bob.write(FILE, forgery.with("db", "forged").text());
    bob.commit("another policy");
    bob.git(["push", "--quiet", "origin", "other"]).run().code(0);
    alice.git(["fetch", "--quiet"]).run().code(0);
    refused(&alice, "origin/other", "but the one of this folder is");
    drop(team);
}

#[test]
fn a_readable_value_in_the_place_of_a_token_is_refused_in_the_past_too() {
    let (team, alice, bob) = two_values();
    bob.git(["switch", "--quiet", "-c", "readable"]).run().succeeds();
    let policy = bob.read_text(".secrets.yaml");
    let file = format!("{{file: {FILE}, ");
    bob.write(
        ".secrets.yaml",
        policy.replace(&file, &format!("{file}plaintext: [db], ")),
    );
    let text = bob.read_text(FILE);
    let footer = &text[text.find("\nsecretree:").unwrap()..];
    bob.write(FILE, format!("db: readable\n{footer}"));
    bob.commit("plainly");
    bob.git(["push", "--quiet", "origin", "readable"]).run().code(0);
    alice.git(["fetch", "--quiet"]).run().code(0);
    refused(&alice, "origin/readable", "stands readable where a token stood");
    drop(team);
}
