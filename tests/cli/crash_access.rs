//! A change of access that dies at any moment: policy and files are all the old ones or all the new ones.

use std::collections::BTreeSet;

use crate::crash::kill_again_and_again;
use crate::sandbox::Person;
use crate::team::Team;

/// How many environments change together.
const MANY: usize = 30;

fn names() -> Vec<String> {
    (0..MANY).map(|number| format!("e{number}")).collect()
}

/// Alice and bob, and thirty environments that alice reads, with a value each.
fn alice() -> (Team, Person) {
    let environments = names().into_iter();
    let environments = environments.map(|name| format!("  {name}: {{file: secrets/{name}.yaml, readers: [alice]}}\n"));
    let team = Team::with_policy(
        &["alice", "bob"],
        &format!("environments:\n{}", environments.collect::<String>()),
    );
    let alice = team.person("alice");
    alice.secretree(["apply", "--yes"]).run().succeeds();
    alice.secretree(["set", "e7", "a"]).input("value").run().succeeds();
    team.share(&alice, "secrets");
    (team, alice)
}

/// What stands in a file about the question at hand; every file must give the same answer.
fn of_each(alice: &Person, tell: impl Fn(&str) -> String) -> Vec<String> {
    let texts = names().into_iter();
    texts
        .map(|name| tell(&alice.read_text(&format!("secrets/{name}.yaml"))))
        .collect()
}

#[test]
fn new_keys_for_thirty_environments_are_all_made_or_none() {
    let (_team, alice) = alice();
    let key = |text: &str| text.split("\n  key: ").nth(1).unwrap_or_default()[..17].to_owned();
    let mut before = of_each(&alice, key);
    kill_again_and_again(
        20,
        |_| alice.secretree(["apply", "--new-key", "--yes"]),
        |_| {
            alice.secretree(["get", "e7", "a"]).run().succeeds().prints("value");
            let now = of_each(&alice, key);
            let changed: BTreeSet<_> = before.iter().zip(&now).map(|(before, now)| before != now).collect();
            assert_eq!(changed.len(), 1, "some changed and some did not");
            before = now;
        },
    );
}

#[test]
fn policy_and_thirty_files_change_together_or_not_at_all() {
    let (_team, alice) = alice();
    let is_granted = |text: &str| text.contains("\n    bob:\n").to_string();
    let words = |verb: &str| -> Vec<String> {
        let head = [verb, "bob"].map(String::from).into_iter();
        head.chain(names()).chain(["--yes".to_owned()]).collect()
    };
    let both = std::cell::Cell::new(false);
    kill_again_and_again(
        20,
        |_| alice.secretree(words(if both.get() { "revoke" } else { "grant" })),
        |_| {
            alice.secretree(["get", "e7", "a"]).run().succeeds().prints("value");
            let answers: BTreeSet<_> = of_each(&alice, is_granted).into_iter().collect();
            assert_eq!(answers.len(), 1, "some are granted and some are not");
            both.set(answers.contains("true"));
            let in_policy = alice.read_text(".secrets.yaml").matches("[alice, bob]").count();
            assert_eq!(in_policy, if both.get() { MANY } else { 0 });
        },
    );
}
