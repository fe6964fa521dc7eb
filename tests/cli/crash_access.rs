//! A change of access that dies at any moment: policy and files are all the old ones or all the new ones.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::crash::{kill_again_and_again, leftovers};
use crate::run::Run;
use crate::sandbox::Person;
use crate::team::Team;
use crate::tools::require;

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

/// What changes files for good, as the kernel calls it; names that this machine has not are skipped.
const STEPS: &str = "?rename,?renameat,?renameat2,fsync,?unlink,unlinkat";

/// `offboard bob` under strace, which writes those calls down and, if asked, kills it at the Nth of one of them.
fn offboard(alice: &Person, kill: Option<(&str, usize)>) -> Run {
    let trace = trace_of(alice).display().to_string();
    let watched = format!("trace={STEPS}");
    let mut words = vec!["strace", "-qq", "-o", &trace, "-e", &watched];
    let inject = kill.map(|(call, number)| format!("inject={call}:signal=KILL:when={number}"));
    words.extend(inject.iter().flat_map(|inject| ["-e", inject]));
    alice.secretree(["offboard", "bob", "--yes"]).under(&words)
}

fn trace_of(person: &Person) -> PathBuf {
    person.folder().join("trace")
}

/// Where to kill, once the trust file is written: every kind of step, and of a row of equal ones the first, one in the
/// middle and the last.
fn moments(trace: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = trace.lines().collect();
    let calls = lines
        .iter()
        .filter_map(|line| line.split_once('(')?.0.split_whitespace().next_back());
    let calls: Vec<&str> = calls.collect();
    let noted = lines.iter().rposition(|line| line.contains("trust.json")).unwrap_or(0) + 1;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for call in &calls[..noted] {
        *counts.entry(call).or_default() += 1;
    }
    let mut moments = Vec::new();
    for row in calls[noted..].chunk_by(|one, other| one == other) {
        let before = counts.entry(row[0]).or_default();
        let chosen = BTreeSet::from([1, row.len().div_ceil(2), row.len()]);
        moments.extend(chosen.iter().map(|number| (row[0].to_owned(), *before + number)));
        *before += row.len();
    }
    moments
}

#[test]
fn policy_and_thirty_files_are_left_by_an_offboarding_that_dies_at_any_step_as_they_were_or_done() {
    if !require(&["strace"]) {
        return;
    }
    let (_team, alice) = alice();
    let grant: Vec<_> = ["grant", "bob"].map(String::from).into_iter().chain(names()).collect();
    alice
        .secretree(grant)
        .operand("--yes")
        .operand("--commit")
        .run()
        .succeeds();
    let key = |text: &str| text.split("\n  key: ").nth(1).unwrap_or_default()[..17].to_owned();
    let before = of_each(&alice, key);
    let undone = || {
        alice.git(["reset", "--quiet", "--hard"]).run().succeeds();
    };
    let whole = offboard(&alice, None).run();
    if whole.exit_code() != Some(0) && whole.stderr().contains("Operation not permitted") {
        eprintln!("skipped: no process may be traced here");
        return;
    }
    whole.succeeds();
    let trace = std::fs::read_to_string(trace_of(&alice)).unwrap();
    let moments = moments(&trace);
    let is_there = |call: &str| moments.iter().any(|(known, _)| known.starts_with(call));
    assert!(
        moments.len() >= 8 && is_there("rename") && is_there("unlink"),
        "{trace}"
    );
    let mut outcomes = BTreeSet::new();
    for (call, number) in &moments {
        undone();
        let died = offboard(&alice, Some((call, *number))).run();
        assert!(died.signal().is_some(), "{call} {number}: {}", died.stderr());
        // Whichever command comes next finishes what was begun.
        alice.secretree(["get", "e7", "a"]).run().succeeds().prints("value");
        let done = !alice.read_text(".secrets.yaml").contains("bob");
        let granted = of_each(&alice, |text| text.contains("\n    bob:\n").to_string());
        let changed = of_each(&alice, key)
            .into_iter()
            .zip(&before)
            .map(|(now, before)| now != *before);
        assert!(
            granted.iter().all(|granted| *granted == (!done).to_string()),
            "{call} {number}"
        );
        assert!(changed.into_iter().all(|changed| changed == done), "{call} {number}");
        outcomes.insert(done);
    }
    assert_eq!(outcomes, BTreeSet::from([false, true]), "{moments:?}");
    undone();
    offboard(&alice, None).run().succeeds();
    assert_eq!(leftovers(&alice.work("")), Vec::<PathBuf>::new());
}
