//! The merge driver beyond the table: what else brings branches together (cherry-pick, revert, stash), keys that two
//! machines made, what it says, and what it does with a file that is none.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

use expect_test::expect;

use crate::canary::Canary;
use crate::fixture::edit;
use crate::forgery::{assert_gets, footer_of, set};
use crate::merge_matrix::DRIVER;
use crate::sandbox::Person;
use crate::team::Team;

const FILE: &str = "secrets/dev.yaml";

/// Has git use the driver in this person's clone.
pub(crate) fn use_driver(person: &Person) {
    person.git(["config", "merge.secretree.driver", DRIVER]).run().code(0);
}

/// A team whose `dev` holds this text, with the driver in every clone.
pub(crate) fn team(names: &[&str], text: &str) -> Team {
    let team = Team::new(names);
    let first = team.person(names[0]);
    edit(&first, "dev", text).run().succeeds();
    first.write(".gitattributes", "secrets/*.yaml merge=secretree\n");
    team.share(&first, "secrets");
    for name in names {
        let person = team.person(name);
        team.update(&person);
        use_driver(&person);
    }
    team
}

fn branch(person: &Person, name: &str, start: &str) {
    person.git(["checkout", "--quiet", "-b", name, start]).run().code(0);
}

fn new_key(person: &Person) {
    person
        .secretree(["apply", "dev", "--new-key", "--yes"])
        .run()
        .succeeds();
}

#[test]
fn a_cherry_picked_value_and_a_revert_are_carried_into_a_new_key() {
    let team = team(&["alice", "bob"], "a: one\nb: two\n");
    let alice = team.person("alice");
    branch(&alice, "topic", "main");
    set(&alice, "dev", "a", "picked").succeeds();
    set(&alice, "dev", "new", "also").succeeds();
    alice.commit("topic");
    alice.git(["checkout", "--quiet", "main"]).run().code(0);
    set(&alice, "dev", "b", "bad rotation").succeeds();
    alice.commit("rotate b");
    new_key(&alice);
    alice.commit("new key");
    alice.git(["cherry-pick", "topic"]).run().code(0);
    assert_gets(&alice, "dev", "a", "picked");
    assert_gets(&alice, "dev", "new", "also");
    assert_gets(&alice, "dev", "b", "bad rotation");
    // The commit stands under the old key, and so does what it replaced.
    alice.git(["revert", "--no-edit", "HEAD~2"]).run().code(0);
    assert_gets(&alice, "dev", "b", "two");
    assert_gets(&alice, "dev", "a", "picked");
    // A new key itself is not taken back.
    let key = footer_of(&alice.read_text(FILE)).drop_box;
    alice.git(["revert", "--no-edit", "HEAD~2"]).run();
    assert_eq!(footer_of(&alice.read_text(FILE)).drop_box, key);
    assert_gets(&alice, "dev", "b", "two");
}

#[test]
fn what_hooks_install_sets_up_merges() {
    let team = Team::new(&["alice"]);
    let alice = team.person("alice");
    edit(&alice, "dev", "z: one\n").run().succeeds();
    alice.secretree(["hooks", "install"]).run().code(0);
    alice.commit("secrets");
    // Two branches that were merged with each other have two common ancestors, which git merges before.
    branch(&alice, "topic", "main");
    set(&alice, "dev", "y", "theirs").succeeds();
    alice.commit("topic");
    alice.git(["checkout", "--quiet", "main"]).run().code(0);
    set(&alice, "dev", "x", "ours").succeeds();
    alice.commit("main");
    alice.git(["branch", "before"]).run().code(0);
    alice.git(["merge", "--no-edit", "topic"]).run().code(0);
    alice.git(["checkout", "--quiet", "topic"]).run().code(0);
    alice.git(["merge", "--no-edit", "before"]).run().code(0);
    set(&alice, "dev", "z", "theirs").succeeds();
    alice.commit("z");
    alice.git(["checkout", "--quiet", "main"]).run().code(0);
    set(&alice, "dev", "w", "ours").succeeds();
    alice.commit("w");
    alice.git(["merge", "--no-edit", "topic"]).run().code(0);
    for (path, value) in [("z", "theirs"), ("\"y\"", "theirs"), ("x", "ours"), ("w", "ours")] {
        assert_gets(&alice, "dev", path, value);
    }
}

#[test]
fn a_stash_meets_a_new_key() {
    let team = team(&["alice", "bob"], "a: one\nb: two\n");
    let (alice, bob) = (team.person("alice"), team.person("bob"));
    set(&bob, "dev", "a", "from bob").succeeds();
    bob.git(["stash", "--quiet"]).run().code(0);
    new_key(&alice);
    team.share(&alice, "new key");
    team.update(&bob);
    bob.git(["stash", "pop"]).run().code(0);
    assert_gets(&bob, "dev", "a", "from bob");
    assert_gets(&bob, "dev", "b", "two");
}

#[test]
fn keys_that_two_machines_made_are_joined_once_both_are_trusted() {
    let team = team(&["alice", "bob", "carol"], "a: one\nb: two\nc: three\n");
    let (alice, bob, carol) = (team.person("alice"), team.person("bob"), team.person("carol"));
    assert_gets(&bob, "dev", "a", "one");
    set(&bob, "dev", "b", "from bob").succeeds();
    new_key(&bob);
    bob.commit("new key of bob");
    bob.git(["push", "--quiet", "origin", "HEAD:topic"]).run().code(0);
    let theirs = footer_of(&bob.read_text(FILE));
    let policy = alice.read_text(".secrets.yaml");
    alice.write(".secrets.yaml", policy.replace("alice, bob, carol", "alice, bob"));
    alice.secretree(["apply", "dev", "--yes"]).run().succeeds();
    set(&alice, "dev", "a", "from alice").succeeds();
    team.share(&alice, "carol left");
    let ours = footer_of(&alice.read_text(FILE));
    alice.git(["fetch", "--quiet", "origin", "topic"]).run().code(0);
    alice.git(["merge", "--no-edit", "FETCH_HEAD"]).run().check(expect![[r#"
        status: 1
        --- stdout
        Auto-merging secrets/dev.yaml
        CONFLICT (content): Merge conflict in secrets/dev.yaml
        Automatic merge failed; fix conflicts and then commit the result.
        --- stderr
        warning: `secrets/dev.yaml`: `b` stands under a key on their side that cannot be taken over
        error: `dev`: both sides made a new key, and one of them is not trusted here: the key `k…` of `dev` (no commit yet) is not trusted: the key `k…`, known here, does not vouch for it
        hint: see who made it, on its branch: git log -p
        hint: if a reader made it: git merge --abort, and merge again with SECRETREE_TRUST=dev:age1…
        hint: keep one side between the markers in secrets/dev.yaml, then: git add -- secrets/dev.yaml
    "#]]);
    let undecided = alice.read_text(FILE);
    for key in [&ours, &theirs] {
        assert!(undecided.contains(key.drop_box.as_str()), "{undecided}");
    }
    alice.git(["merge", "--abort"]).run().code(0);
    // A person looked at it.
    let trust = format!("dev:{}", theirs.drop_box.as_str());
    alice
        .git(["merge", "--no-edit", "FETCH_HEAD"])
        .env("SECRETREE_TRUST", trust)
        .run()
        .check(expect![[r#"
            status: 0
            --- stdout
            Auto-merging secrets/dev.yaml
            Merge made by the 'ort' strategy.
             secrets/dev.yaml | 20 ++++++++++++--------
             1 file changed, 12 insertions(+), 8 deletions(-)
            --- stderr
            dev: both sides made a new key; k… follows both, and every value is sealed anew
            dev: - carol (x25519-4d6de9b73c422ec0) was removed on one side
        "#]]);
    let joined = footer_of(&alice.read_text(FILE));
    let names: Vec<_> = joined.grants.keys().map(|name| name.as_str().to_owned()).collect();
    assert_eq!(names, ["alice", "bob"], "carol was removed on one side");
    for key in [&ours, &theirs] {
        assert!(joined.follows.contains_key(&key.drop_box.id()), "it follows both");
    }
    for (path, value) in [("a", "from alice"), ("b", "from bob"), ("c", "three")] {
        assert_gets(&alice, "dev", path, value);
    }
    alice.git(["push", "--quiet", "origin", "HEAD:main"]).run().code(0);
    // Who knew the one key and who knew the other believe the third.
    team.update(&bob);
    assert_gets(&bob, "dev", "a", "from alice");
    team.update(&carol);
    carol.secretree(["get", "dev", "a"]).run().code(4);
}

#[test]
fn what_is_left_to_a_person_is_said_place_by_place() {
    let canary = Canary::new();
    let team = team(&["alice"], "a: one\nb: two\n# c\nc: three\n");
    let alice = team.person("alice");
    branch(&alice, "topic", "main");
    edit(&alice, "dev", format!("a: {}\n# theirs\nc: three\n", canary.value()))
        .run()
        .succeeds();
    alice.commit("topic");
    alice.git(["checkout", "--quiet", "main"]).run().code(0);
    edit(
        &alice,
        "dev",
        format!("a: {0}2\nb: {0}\n# ours\nc: three\n", canary.value()),
    )
    .run()
    .succeeds();
    alice.commit("main");
    let merged = alice.git(["merge", "topic"]).run();
    merged.check(expect![[r#"
        status: 1
        --- stdout
        Auto-merging secrets/dev.yaml
        CONFLICT (content): Merge conflict in secrets/dev.yaml
        Automatic merge failed; fix conflicts and then commit the result.
        --- stderr
        warning: `secrets/dev.yaml`: `a` has another value on each side
        warning: `secrets/dev.yaml`: `b` was removed on their side and changed on our side
        warning: `secrets/dev.yaml`: both sides changed the comment at `c`
        hint: keep one side between the markers in secrets/dev.yaml, then: git add -- secrets/dev.yaml
    "#]]);
    let text = alice.read_text(FILE);
    let lines: Vec<_> = text.lines().take_while(|line| !line.contains("secretree:")).collect();
    let shown = lines.iter().map(|line| match line.contains("ENC[age,") {
        true => "  TOKEN",
        false => line,
    });
    expect![[r#"
        a: |-
        <<<<<<< HEAD
          TOKEN
        =======
          TOKEN
        >>>>>>> topic
        <<<<<<< HEAD
        b: |-
          TOKEN
        =======
        >>>>>>> topic
        <<<<<<< HEAD
        # ours
        =======
        # theirs
        >>>>>>> topic
        c: |-
          TOKEN
    "#]]
    .assert_eq(&shown.collect::<Vec<_>>().join("\n"));
    std::fs::remove_file(alice.folder().join("edited.yaml")).unwrap();
    canary.assert_unseen(team.sandbox(), &[]);
}

#[test]
fn the_common_ancestor_is_shown_where_git_is_told_to() {
    let team = team(&["alice"], "a: one\nb: two\n");
    let alice = team.person("alice");
    alice.git(["config", "merge.conflictStyle", "diff3"]).run().code(0);
    branch(&alice, "topic", "main");
    set(&alice, "dev", "a", "theirs").succeeds();
    alice.commit("topic");
    alice.git(["checkout", "--quiet", "main"]).run().code(0);
    set(&alice, "dev", "a", "ours").succeeds();
    alice.commit("main");
    alice.git(["merge", "topic"]).run().code(1);
    let text = alice.read_text(FILE);
    assert_eq!(
        text.lines().filter(|line| line.starts_with("|||||||")).count(),
        1,
        "{text}"
    );
    assert_eq!(text.matches("ENC[age,").count(), 4, "three of `a`, one of `b`: {text}");
}

#[test]
fn a_file_that_is_none_is_merged_by_lines_and_that_is_said() {
    let team = team(&["alice"], "a: one\n");
    let alice = team.person("alice");
    let lines = |text: &str| alice.write("secrets/notes.yaml", text);
    lines("one\n\n\n\ntwo\n");
    alice.commit("notes");
    branch(&alice, "topic", "main");
    lines("one\n\n\n\n2\n");
    alice.commit("topic");
    alice.git(["checkout", "--quiet", "main"]).run().code(0);
    lines("1\n\n\n\ntwo\n");
    alice.commit("main");
    let merged = alice.git(["merge", "topic"]).run();
    merged.code(1).says("cannot be merged by path").says("line by line");
    assert_eq!(alice.read_text("secrets/notes.yaml"), "1\n\n\n\n2\n");
}

#[test]
fn a_thousand_values_with_few_changes_are_merged_by_place() {
    let text: String = (0..1000)
        .map(|number| format!("key{number:04}: value {number}\n"))
        .collect();
    let team = team(&["alice"], &text);
    let alice = team.person("alice");
    branch(&alice, "topic", "main");
    set(&alice, "dev", "key0500", "theirs").succeeds();
    alice.commit("topic");
    alice.git(["checkout", "--quiet", "main"]).run().code(0);
    new_key(&alice);
    set(&alice, "dev", "key0501", "ours").succeeds();
    alice.commit("main");
    alice.git(["merge", "--no-edit", "topic"]).run().code(0);
    for (path, value) in [("key0499", "value 499"), ("key0500", "theirs"), ("key0501", "ours")] {
        assert_gets(&alice, "dev", path, value);
    }
}

#[test]
fn no_name_makes_it_leave_one_side_alone() {
    let team = team(&["alice"], "a: one\n");
    let alice = team.person("alice");
    let attributes = "* merge=secretree\n--help merge=secretree\n";
    alice.write(".gitattributes", attributes);
    let named = |text: &str| ["--help", "-x.yaml"].map(|name| alice.write(name, text));
    named("one\n\n\n\ntwo\n");
    alice.commit("odd names");
    branch(&alice, "topic", "main");
    set(&alice, "dev", "theirs", "theirs").succeeds();
    named("one\n\n\n\n2\n");
    alice.commit("topic");
    // The name of a branch is bytes.
    let odd = OsString::from_vec(b"caf\xe9".to_vec());
    alice.git([OsString::from("branch"), odd.clone()]).run().code(0);
    alice.git(["checkout", "--quiet", "main"]).run().code(0);
    set(&alice, "dev", "ours", "ours").succeeds();
    named("1\n\n\n\ntwo\n");
    alice.commit("main");
    alice.git([OsString::from("merge"), odd]).run().code(1);
    for name in ["--help", "-x.yaml"] {
        assert_eq!(alice.read_text(name), "1\n\n\n\n2\n", "{name}");
    }
    assert_gets(&alice, "dev", "ours", "ours");
    assert_gets(&alice, "dev", "theirs", "theirs");
}

#[test]
fn a_side_that_is_too_large_is_between_the_markers() {
    let alice = team(&["alice"], "a: one\n").person("alice");
    for (name, text) in [("base", "one\n"), ("ours", "1\n")] {
        alice.write(name, text);
    }
    let line = format!("{}\n", "#".repeat(1023));
    alice.write("theirs", line.repeat(64 << 10) + "2\n");
    let operands = [
        "git", "merge", "--", "base", "ours", "theirs", "7", FILE, "b", "HEAD", "topic",
    ];
    alice.secretree(operands).run().code(1).says("larger than 64 MiB");
    let text = alice.read_text("ours");
    assert!(text.starts_with("<<<<<<< HEAD\n1\n=======\n###"), "{}", &text[..40]);
}
