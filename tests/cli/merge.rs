//! What git makes of environment files without any driver of ours: small differences, clean merges of neighbours, and
//! tokens of an old key that a merge leaves in a newer file, which are worth no more than a proposal.

use expect_test::expect;

use crate::forgery::{Forgery, assert_gets, clone_of, footer_of, key_held_by, sealed, set};
use crate::rollback::remove_mallory;
use crate::sandbox::Person;
use crate::team::Team;

const FILE: &str = "secrets/dev.yaml";

/// Makes this the text of `dev`, as an editor does.
fn edit(person: &Person, text: &str) {
    let draft = person.sandbox().temporary().join("draft.yaml");
    std::fs::write(&draft, text).expect("the sandbox is ours");
    let copy = format!("cp {}", draft.display());
    person.secretree(["edit", "dev"]).env("EDITOR", copy).run().succeeds();
    std::fs::remove_file(draft).expect("it was just written");
}

#[test]
fn one_of_a_thousand_values_is_one_line() {
    let alice = Team::new(&["alice"]).person("alice");
    let text: String = (0..1000)
        .map(|number| format!("key{number:04}: value {number}\n"))
        .collect();
    edit(&alice, &text);
    alice.commit("a thousand");
    set(&alice, "dev", "key0500", "other").succeeds();
    alice.git(["diff", "--stat", "--", FILE]).run().check(expect![[r#"
        status: 0
        --- stdout
         secrets/dev.yaml | 2 +-
         1 file changed, 1 insertion(+), 1 deletion(-)
    "#]]);
    assert_gets(&alice, "dev", "key0499", "value 499");
    assert_gets(&alice, "dev", "key0500", "other");
}

#[test]
fn neighbours_merge_without_a_driver() {
    let (team, alice, bob) = pair("first: one\nsecond: two\nhosts:\n- a\n- b\n- c\ndeep:\n  x: 1\n  y: 2\n");
    set(&alice, "dev", "first", "alice").succeeds();
    set(&alice, "dev", "hosts.1", "alice").succeeds();
    set(&alice, "dev", "deep.x", "alice").succeeds();
    team.share(&alice, "from alice");
    set(&bob, "dev", "second", "bob").succeeds();
    set(&bob, "dev", "hosts.0", "bob").succeeds();
    set(&bob, "dev", "hosts.2", "bob").succeeds();
    set(&bob, "dev", "deep.y", "bob").succeeds();
    bob.commit("from bob");
    team.update(&bob);
    let expected = [
        ("first", "alice"),
        ("second", "bob"),
        ("hosts.0", "bob"),
        ("hosts.1", "alice"),
        ("hosts.2", "bob"),
        ("deep.x", "alice"),
        ("deep.y", "bob"),
    ];
    for (path, value) in expected {
        assert_gets(&bob, "dev", path, value);
    }
}

#[test]
fn a_new_key_merges_with_a_branch_that_changed_something_else() {
    let (team, alice, bob) = pair("db: real\n");
    alice.secretree(["apply", "dev", "--new-key", "--yes"]).run().succeeds();
    team.share(&alice, "new key");
    bob.write("notes.txt", "unrelated\n");
    set(&bob, "prod", "other", "value").succeeds();
    bob.commit("unrelated");
    team.update(&bob);
    assert_gets(&bob, "dev", "db", "real");
    set(&bob, "dev", "db", "newer").succeeds();
}

/// A text whose comments keep git's hunks apart.
const SPACED: &str =
    "# one\n# two\n# three\n# four\na: first\n# five\n# six\n# seven\n# eight\n# nine\n# ten\nz: last\n";

/// The same with a value in the middle.
fn with_middle(value: &str) -> String {
    SPACED.replace("# seven\n", &format!("# seven\nm: {value}\n"))
}

fn pair(text: &str) -> (Team, Person, Person) {
    let team = Team::new(&["alice", "bob"]);
    let (alice, bob) = (team.person("alice"), team.person("bob"));
    edit(&alice, text);
    team.share(&alice, "first text");
    team.update(&bob);
    (team, alice, bob)
}

#[test]
fn a_stale_token_is_taken_over_where_all_who_held_its_key_still_read() {
    let (team, alice, bob) = pair(SPACED);
    edit(&bob, &with_middle("from-a-branch"));
    bob.commit("a value under the old key");
    alice.secretree(["apply", "dev", "--new-key", "--yes"]).run().succeeds();
    team.share(&alice, "new key");
    team.update(&bob);
    let get = bob.secretree(["get", "dev", "m"]).run();
    get.check(expect![[r#"
        status: 5
        --- stderr
        error: the token at `dev:m` is sealed under the key `k…`, but the key of the file is `k…`
        hint: a merge may have left it: secretree apply dev
    "#]]);
    bob.secretree(["apply", "dev", "--yes"]).run().check(expect![[r#"
        status: 0
        --- stderr
        dev: takes over `m` from the key k… (commit COMMIT of bob, 2026-01-05): everybody who held that key still reads
        wrote secrets/dev.yaml
    "#]]);
    assert_gets(&bob, "dev", "m", "from-a-branch");
    assert_gets(&bob, "dev", "a", "first");
}

/// Mallory held the old key and is removed; a branch of hers leaves a token of that key in the new file.
fn stale_token_of_a_removed_reader() -> (Team, Person, Person) {
    let team = Team::new(&["alice", "bob", "mallory"]);
    let [alice, bob, mallory] = ["alice", "bob", "mallory"].map(|name| team.person(name));
    edit(&alice, SPACED);
    team.share(&alice, "first text");
    team.update(&bob);
    team.update(&mallory);
    edit(&mallory, &with_middle("from-mallory"));
    mallory.commit("a value of hers");
    mallory.git(["push", "--quiet", "origin", "HEAD:topic"]).run().code(0);
    remove_mallory(&alice);
    team.share(&alice, "remove mallory");
    bob.git(["pull", "--quiet", "--no-rebase", "origin", "main"])
        .run()
        .code(0);
    bob.git(["pull", "--quiet", "--no-rebase", "origin", "topic"])
        .run()
        .code(0);
    (team, alice, bob)
}

#[test]
fn a_stale_token_of_a_removed_reader_is_asked_about() {
    let (_team, _, bob) = stale_token_of_a_removed_reader();
    let before = bob.read(FILE);
    bob.secretree(["get", "dev", "m"]).run().code(5).prints("");
    bob.secretree(["apply", "dev", "--yes"]).run().check(expect![[r#"
        status: 5
        --- stderr
        error: the token at `dev:m` is sealed under another key (`k…`), and nothing proves that only readers held it (commit COMMIT of mallory, 2026-01-05)
        hint: look at who wrote it: git log -p -- secrets/dev.yaml
        hint: if it was meant: secretree apply dev --take-over 'm'
    "#]]);
    bob.secretree(["apply", "dev", "--yes", "--new-key"]).run().code(5);
    bob.secretree(["apply", "dev", "--yes", "--take-over", "a"])
        .run()
        .code(5);
    assert!(bob.read(FILE) == before, "it was written");
    // A person is asked, and shown what it is and who wrote it.
    let mut terminal = bob.on_terminal(["apply", "dev"]);
    terminal
        .expect("takes over `m`")
        .expect("of mallory")
        .expect("[y/N] ")
        .send("n\n");
    terminal.finish().code(1);
    assert!(bob.read(FILE) == before, "it was written");
    let taken = bob.secretree(["apply", "dev", "--yes", "--take-over", "m"]).run();
    taken.succeeds();
    assert_gets(&bob, "dev", "m", "from-mallory");
}

#[test]
fn a_token_of_a_key_that_was_forged_once_proves_nothing() {
    let (mut team, alice, bob) = pair(SPACED);
    let mallory = team.add("mallory");
    let original = mallory.read_text(FILE);
    // Mallory holds this key without a grant; those who were granted it all still read.
    let forgery = Forgery::of_dev().granted_to(&[&alice, &bob]).with("a", "forged");
    mallory.write(FILE, forgery.text());
    team.share(&mallory, "rotate");
    let name = footer_of(&original).environment;
    let token = sealed(&forgery.key, &name, "m", "forged");
    mallory.write(
        FILE,
        original.replace("# seven\n", &format!("# seven\nm: |-\n  {token}\n")),
    );
    team.share(&mallory, "put back");
    team.update(&alice);
    let before = alice.read(FILE);
    alice.secretree(["apply", "dev", "--yes"]).run().code(5).says("`dev:m`");
    assert!(alice.read(FILE) == before, "it was written");
}

#[test]
fn a_token_of_a_branch_of_keys_that_was_joined_is_asked_about() {
    // Mallory, removed, lets a key of hers follow the one she held, and grants it to readers only. A new key that joins
    // both does not make what she sealed under hers any truer.
    let team = Team::new(&["alice", "bob", "mallory"]);
    let [alice, bob, mallory] = ["alice", "bob", "mallory"].map(|name| team.person(name));
    edit(&alice, SPACED);
    team.share(&alice, "first text");
    team.update(&mallory);
    let old = key_held_by(&mallory, &mallory.read_text(FILE));
    remove_mallory(&alice);
    team.share(&alice, "remove mallory");
    team.update(&mallory);
    let original = alice.read_text(FILE);
    let forgery = Forgery::of_dev().granted_to(&[&alice, &bob]).following(&old);
    mallory.write(FILE, forgery.text());
    team.share(&mallory, "rotate");
    team.update(&alice);
    alice.write(FILE, original);
    alice.secretree(["apply", "dev", "--yes", "--new-key"]).run().succeeds();
    team.share(&alice, "join");
    team.update(&mallory);
    let joined = mallory.read_text(FILE);
    let token = sealed(&forgery.key, &footer_of(&joined).environment, "m", "forged");
    mallory.write(
        FILE,
        joined.replace("# seven\n", &format!("# seven\nm: |-\n  {token}\n")),
    );
    team.share(&mallory, "one more value");
    let mut team = team;
    let fresh = clone_of(&mut team, &bob, "fresh");
    fresh.secretree(["apply", "dev", "--yes"]).run().code(5).says("`dev:m`");
}

/// Begins a merge of `topic` without any driver, keeps our file and policy, and leaves the merge unfinished.
fn begin_merge(person: &Person) {
    person.git(["fetch", "--quiet", "origin", "topic"]).run().code(0);
    person
        .git(["merge", "--no-commit", "--no-ff", "FETCH_HEAD"])
        .run()
        .code(1);
    person.git(["checkout", "--ours", "--", FILE]).run().code(0);
}

#[test]
fn who_held_a_key_on_the_merged_branch_counts_before_the_merge_is_committed() {
    let team = Team::with_policy(
        &["alice", "bob", "carol"],
        "groups: {more: [bob]}\nenvironments: {dev: {file: secrets/dev.yaml, readers: [alice, more]}}\n",
    );
    let (alice, bob) = (team.person("alice"), team.person("bob"));
    edit(&alice, SPACED);
    team.share(&alice, "first text");
    team.update(&bob);
    // On the branch carol is granted the key that alice replaces meanwhile.
    let policy = bob.read_text(".secrets.yaml");
    bob.write(".secrets.yaml", policy.replace("more: [bob]", "more: [bob, carol]"));
    bob.secretree(["apply", "dev", "--yes"]).run().succeeds();
    edit(&bob, &with_middle("from-a-branch"));
    bob.commit("carol reads");
    bob.git(["push", "--quiet", "origin", "HEAD:topic"]).run().code(0);
    let brought = bob.read_text(FILE);
    let token = brought
        .lines()
        .skip_while(|line| !line.starts_with("m:"))
        .nth(1)
        .unwrap();
    alice.secretree(["apply", "dev", "--new-key", "--yes"]).run().succeeds();
    alice.commit("new key");
    begin_merge(&alice);
    let ours = alice.read_text(FILE);
    alice.write(FILE, ours.replace("# seven\n", &format!("# seven\nm: |-\n{token}\n")));
    let before = alice.read(FILE);
    // The policy of the merge lists carol, and that of the commit which brought the key does not.
    alice.secretree(["apply", "dev", "--yes"]).run().code(5).says("`dev:m`");
    assert!(alice.read(FILE) == before, "it was written");
}

#[test]
fn a_new_key_made_in_a_merge_follows_both_sides() {
    let (team, alice, bob) = pair("a: one\n");
    bob.secretree(["apply", "dev", "--new-key", "--yes"]).run().succeeds();
    bob.commit("new key of bob");
    bob.git(["push", "--quiet", "origin", "HEAD:topic"]).run().code(0);
    let theirs = footer_of(&bob.read_text(FILE)).drop_box.id();
    alice.secretree(["apply", "dev", "--new-key", "--yes"]).run().succeeds();
    team.share(&alice, "new key of alice");
    begin_merge(&alice);
    alice.secretree(["apply", "dev", "--new-key", "--yes"]).run().succeeds();
    let footer = footer_of(&alice.read_text(FILE));
    assert!(footer.follows.contains_key(&theirs), "{:?}", footer.follows.keys());
    team.share(&alice, "joined");
    // Bob, whose machine knows only his own key, follows without being asked.
    bob.git(["fetch", "--quiet", "origin", "main"]).run().code(0);
    bob.git(["reset", "--quiet", "--hard", "FETCH_HEAD"]).run().code(0);
    assert_gets(&bob, "dev", "a", "one");
}
