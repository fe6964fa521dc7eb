//! A branch by somebody who may write the repository and was granted nothing, or no longer: whatever it brings, the driver
//! seals nothing of it under a key that holds, and grants nobody anything.

use crate::forgery::{Forgery, assert_gets, footer_of, set};
use crate::merge_driver::team;
use crate::rollback::remove_mallory;
use crate::sandbox::Person;
use crate::team::Team;

const FILE: &str = "secrets/dev.yaml";

/// The tokens of a text that stand under the key with this id.
fn tokens(text: &str, key: &str) -> Vec<String> {
    let opening = format!("ENC[age,{key},");
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| line.starts_with(&opening))
        .map(str::to_owned)
        .collect()
}

/// Puts this text on a branch `topic` that everybody can fetch.
fn push(person: &Person, text: &str) {
    person.write(FILE, text);
    person.commit("innocent");
    person
        .git(["push", "--quiet", "--force", "origin", "HEAD:topic"])
        .run()
        .code(0);
}

/// Merges `topic`; the code with which git ends, and the text that is left.
fn merge(person: &Person) -> (Option<i32>, String, String) {
    person.git(["fetch", "--quiet", "origin", "topic"]).run().code(0);
    let merged = person.git(["merge", "--no-edit", "FETCH_HEAD"]).run();
    (merged.exit_code(), person.read_text(FILE), merged.stderr())
}

fn abort(person: &Person) {
    person.git(["merge", "--abort"]).run().code(0);
}

/// Everybody has `dev`; mallory may push and is no reader.
fn with_outsider() -> (Team, Person, Person) {
    let mut team = team(&["alice", "bob"], "a: one\nb: two\nc: three\n");
    let mallory = team.add("mallory");
    let alice = team.person("alice");
    (team, alice, mallory)
}

#[test]
fn nothing_is_sealed_under_a_forged_key() {
    let (team, alice, mallory) = with_outsider();
    let bob = team.person("bob");
    let original = mallory.read_text(FILE);
    let forgery = Forgery::of_dev().granted_to(&[&alice, &bob]);
    let forged = forgery.with("a", "one").with("b", "two").with("c", "forged");
    let key = forged.key.id().to_string();
    push(&mallory, &forged.text());
    set(&alice, "dev", "a", "only for readers").succeeds();
    alice.commit("a value");
    let (code, text, said) = merge(&alice);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("not trusted") || said.contains("does not vouch"),
        "{said}"
    );
    let brought = forged.text();
    assert!(
        tokens(&text, &key).iter().all(|token| brought.contains(token)),
        "sealed under it: {text}"
    );
    alice.secretree(["get", "dev", "a"]).run().code(1);
    abort(&alice);
    // Nor if it claims to follow the key that holds.
    let old = footer_of(&original).drop_box.id();
    let claims = Forgery::of_dev().granted_to(&[&alice, &bob]).with("c", "forged");
    let sealer = claims.key.clone();
    let claims = claims.claiming_to_follow(old, &sealer);
    let key = claims.key.id().to_string();
    push(&mallory, &claims.text());
    let (code, text, said) = merge(&alice);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        tokens(&text, &key).iter().all(|token| claims.text().contains(token)),
        "{text}"
    );
    abort(&alice);
    assert_gets(&alice, "dev", "a", "only for readers");
}

#[test]
fn a_token_of_another_place_is_not_sealed_anew() {
    let (_team, alice, mallory) = with_outsider();
    let original = mallory.read_text(FILE);
    let key = footer_of(&original).drop_box.id().to_string();
    let all = tokens(&original, &key);
    let swapped = original
        .replace(&all[0], "HERE")
        .replace(&all[1], &all[0])
        .replace("HERE", &all[1]);
    push(&mallory, &swapped);
    alice.secretree(["apply", "dev", "--new-key", "--yes"]).run().succeeds();
    alice.commit("new key");
    let (code, text, said) = merge(&alice);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        text.contains("<<<<<<<") && said.contains("taken over"),
        "{said}\n{text}"
    );
    let new = footer_of(&alice.git(["show", &format!("HEAD:{FILE}")]).run().stdout());
    let before = alice.git(["show", &format!("HEAD:{FILE}")]).run().stdout();
    let own = tokens(&text, new.drop_box.id().as_str());
    assert!(
        own.iter().all(|token| before.contains(token)),
        "nothing was sealed: {text}"
    );
    abort(&alice);
    // Under one key nothing is sealed either, and the file does not open.
    let (_team, alice, mallory) = with_outsider();
    let original = mallory.read_text(FILE);
    let all = tokens(&original, footer_of(&original).drop_box.id().as_str());
    let swapped = original
        .replace(&all[0], "HERE")
        .replace(&all[1], &all[0])
        .replace("HERE", &all[1]);
    push(&mallory, &swapped);
    set(&alice, "dev", "c", "ours").succeeds();
    alice.commit("ours");
    merge(&alice);
    alice
        .secretree(["get", "dev", "a"])
        .run()
        .code(5)
        .says("was sealed for `dev:b`");
}

#[test]
fn a_removed_readers_value_is_left_to_a_person() {
    let team = team(&["alice", "bob", "mallory"], "a: one\nb: two\n");
    let (alice, mallory) = (team.person("alice"), team.person("mallory"));
    set(&mallory, "dev", "b", "from-mallory").succeeds();
    let text = mallory.read_text(FILE);
    push(&mallory, &text);
    remove_mallory(&alice);
    alice.commit("mallory left");
    let (code, text, said) = merge(&alice);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("only readers held it"), "{said}");
    let brought = tokens(
        &mallory.read_text(FILE),
        footer_of(&mallory.read_text(FILE)).drop_box.id().as_str(),
    );
    assert!(text.contains(&brought[1]), "it can be taken by a person: {text}");
    abort(&alice);
    assert_gets(&alice, "dev", "b", "two");
}

#[test]
fn a_merge_grants_nobody_and_says_who_was_granted() {
    let mut team = team(&["alice", "bob", "mallory"], "a: one\nb: two\n");
    let (alice, mallory) = (team.person("alice"), team.person("mallory"));
    // Mallory, a reader, gives the key to a second machine of hers, in the file and in the policy.
    let second = team.add("second");
    let original = mallory.read_text(FILE);
    let policy = mallory.read_text(".secrets.yaml").replace(
        "recipients:\n",
        &format!("recipients:\n  second: {{keys: [{}]}}\n", second.public_key()),
    );
    mallory.write(
        ".secrets.yaml",
        policy.replace("alice, bob, mallory", "alice, bob, mallory, second"),
    );
    mallory.secretree(["apply", "dev", "--yes"]).run().succeeds();
    let granted = mallory.read_text(FILE);
    assert!(granted.contains("    second:\n"), "{granted}");
    push(&mallory, &granted);
    // Under one key the grant is there already, and is said.
    set(&alice, "dev", "a", "ours").succeeds();
    alice.commit("ours");
    let (code, text, said) = merge(&alice);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("dev: + second (x25519-"), "{said}");
    assert!(text.contains("    second:\n"), "{text}");
    alice.git(["reset", "--quiet", "--hard", "HEAD~1"]).run().code(0);
    // Mallory is removed: the new key goes to nobody that our side did not give it to.
    remove_mallory(&alice);
    alice.commit("mallory left");
    let (_, text, said) = merge(&alice);
    assert!(!text.contains("    second:\n"), "{text}");
    assert!(
        said.contains("second (x25519-") && said.contains("not the new one"),
        "{said}"
    );
    assert_eq!(
        footer_of(&original).grants.len(),
        3,
        "alice, bob and mallory held the first key"
    );
}
