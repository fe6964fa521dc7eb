//! `log`: what each commit did, said as a person would, without a key and without a value.

use expect_test::expect;

use crate::canary::Canary;
use crate::fixture::{TWO_ENVIRONMENTS, alice, alice_with_git, changes_nothing, edit};
use crate::sandbox::Person;
use crate::team::Team;

/// Sets a value without a trailing word on standard error.
fn set(person: &Person, path: &str, value: &str) {
    person.secretree(["set", "dev", path]).input(value).run().succeeds();
}

/// The lines of `log` below the heads of commits, for these operands.
fn events(person: &Person, operands: &[&str]) -> Vec<String> {
    let words = ["log"].iter().chain(operands).copied();
    let output = changes_nothing(person.secretree(words));
    output.code(0);
    let text = output.stdout();
    let lines = text.lines().filter(|line| line.starts_with("  "));
    lines.map(|line| line.trim().to_owned()).collect()
}

#[test]
fn each_commit_says_what_it_did() {
    let alice = alice_with_git(TWO_ENVIRONMENTS);
    edit(&alice, "dev", "stripe: {key: 1}\nhosts: [x, y]\nlog: {level: info}\n")
        .run()
        .succeeds();
    alice.commit("dev, with \u{1b}[31mcolour");
    set(&alice, "stripe.key", "2");
    set(&alice, "stripe.other", "3");
    alice.commit("two values");
    edit(
        &alice,
        "dev",
        "stripe: {secret: \"2\"}\nhosts: [y]\nlog: {level: debug}\n",
    )
    .run()
    .succeeds();
    alice.commit("tidy");
    std::fs::remove_file(alice.identity_file()).unwrap();
    changes_nothing(alice.secretree(["log"])).check(expect![[r#"
        status: 0
        --- stdout
        COMMIT 2026-01-05 alice (unsigned): tidy
          dev: removed hosts.0
          dev: moved hosts.1 to hosts.0
          dev: changed log.level, readable
          dev: removed stripe.other
          dev: moved stripe.key to stripe.secret
        COMMIT 2026-01-05 alice (unsigned): two values
          dev: changed stripe.key
          dev: added stripe.other
        COMMIT 2026-01-05 alice (unsigned): dev, with \u{1b}[31mcolour
          dev: file added
          dev: new key k…
          dev: granted to alice (x25519-7cb1b2c9014e3eb1)
          dev: added hosts.0
          dev: added hosts.1
          dev: added log.level, readable
          dev: added stripe.key
        COMMIT 2026-01-05 alice (unsigned): policy
          policy: policy added
    "#]]);
    changes_nothing(alice.secretree(["log", "dev", "stripe.secret", "--json"])).check(expect![[r#"
        status: 0
        --- stdout
        {
          "complete": true,
          "commits": [
            {
              "commit": "COMMIT",
              "date": "2026-01-05",
              "time": 1767603840,
              "author": "alice",
              "email": "alice@example.com",
              "signed": false,
              "subject": "tidy",
              "policy": [],
              "environments": [
                {
                  "environment": "dev",
                  "events": [
                    {
                      "event": "moved",
                      "from": "stripe.key",
                      "path": "stripe.secret",
                      "version": "v…"
                    }
                  ]
                }
              ]
            },
            {
              "commit": "COMMIT",
              "date": "2026-01-05",
              "time": 1767603780,
              "author": "alice",
              "email": "alice@example.com",
              "signed": false,
              "subject": "two values",
              "policy": [],
              "environments": [
                {
                  "environment": "dev",
                  "events": [
                    {
                      "event": "changed",
                      "path": "stripe.key",
                      "before": "v…",
                      "version": "v…"
                    }
                  ]
                }
              ]
            },
            {
              "commit": "COMMIT",
              "date": "2026-01-05",
              "time": 1767603720,
              "author": "alice",
              "email": "alice@example.com",
              "signed": false,
              "subject": "dev, with \u001b[31mcolour",
              "policy": [],
              "environments": [
                {
                  "environment": "dev",
                  "events": [
                    {
                      "event": "added",
                      "path": "stripe.key",
                      "version": "v…"
                    }
                  ]
                }
              ]
            }
          ]
        }
    "#]]);
    assert_eq!(
        events(&alice, &["dev", "STRIPE_SECRET"]),
        [
            "dev: moved stripe.key to stripe.secret",
            "dev: changed stripe.key",
            "dev: added stripe.key"
        ]
    );
    assert_eq!(events(&alice, &["-n", "1", "prod"]), ["policy: policy added"; 0]);
    changes_nothing(alice.secretree(["log", "dve"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `dve` is no environment
        hint: did you mean `dev`?
    "#]]);
    changes_nothing(alice.secretree(["log", "dev", "stripe.kye"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `dev` has no `stripe.kye` and never had
        hint: did you mean `stripe.key`? secretree log dev stripe.key
    "#]]);
}

#[test]
fn a_value_set_back_and_a_revert_are_called_so() {
    let alice = alice_with_git(TWO_ENVIRONMENTS);
    set(&alice, "a", "1");
    alice.commit("first");
    set(&alice, "a", "2");
    alice.commit("second");
    alice.git(["revert", "--no-edit", "HEAD"]).run().code(0);
    alice.secretree(["unset", "dev", "a"]).run().succeeds();
    alice.commit("without");
    alice.git(["revert", "--no-edit", "HEAD"]).run().code(0);
    // The same text again is a new value all the same: nobody can see that it is the old one.
    set(&alice, "a", "2");
    alice.commit("once more");
    let found = events(&alice, &["dev", "a"]);
    let back = |line: &String| line.starts_with("dev: set a back to v");
    assert_eq!(found.len(), 6, "{found:?}");
    assert_eq!(found[0], "dev: changed a");
    assert!(back(&found[1]), "{found:?}");
    assert_eq!(found[2], "dev: removed a");
    assert!(back(&found[3]), "{found:?}");
    assert_eq!(found[4..], ["dev: changed a", "dev: added a"]);
}

#[test]
fn a_merge_and_a_cherry_pick_count_once() {
    let alice = alice_with_git(TWO_ENVIRONMENTS);
    edit(&alice, "dev", "a: 1\nb: 1\nc: 1\n").run().succeeds();
    alice.commit("base");
    alice.git(["switch", "--quiet", "--create", "side"]).run().code(0);
    set(&alice, "a", "2");
    alice.commit("side");
    alice.git(["switch", "--quiet", "main"]).run().code(0);
    set(&alice, "c", "2");
    alice.commit("main");
    alice.git(["cherry-pick", "side"]).run().code(0);
    alice.git(["merge", "--quiet", "--no-edit", "side"]).run().code(0);
    let found = events(&alice, &["dev"]);
    let changed: Vec<_> = found.iter().filter(|line| line.contains("changed")).collect();
    assert_eq!(
        changed,
        ["dev: changed a", "dev: changed c", "dev: changed a"],
        "{found:?}"
    );
    assert!(!found.iter().any(|line| line.contains("back")), "{found:?}");
}

#[test]
fn an_offboarding_with_three_new_values_in_one_commit_changes_three() {
    let team = Team::new(&["alice", "bob"]);
    let alice = team.person("alice");
    edit(&alice, "dev", "a: 1\nb: 1\nc: 1\nd: 1\ne: 1\n").run().succeeds();
    alice.commit("values");
    let policy = alice.read_text(".secrets.yaml").replace("[alice, bob]", "[alice]");
    alice.write(".secrets.yaml", policy);
    alice.secretree(["apply", "--yes"]).run().code(0);
    alice.commit("bob left");
    for path in ["a", "c", "e"] {
        set(&alice, path, "2");
        alice.commit(path);
    }
    alice.git(["reset", "--quiet", "--soft", "HEAD~4"]).run().code(0);
    alice.commit("squashed");
    std::fs::remove_file(alice.identity_file()).unwrap();
    changes_nothing(alice.secretree(["log", "-n", "1"])).check(expect![[r#"
        status: 0
        --- stdout
        COMMIT 2026-01-05 alice (unsigned): squashed
          policy: bob may no longer read dev
          policy: bob may no longer read prod
          policy: bob may no longer write dev
          policy: bob may no longer write prod
          policy: bob may no longer change the policy
          dev: new key k…
          dev: revoked from bob (x25519-beb9c93eba2ffa2a)
          dev: changed a
          dev: changed c
          dev: changed e
          prod: file added
          prod: new key k…
          prod: granted to alice (x25519-7cb1b2c9014e3eb1)
    "#]]);
}

#[test]
fn files_that_move_go_and_come_back_stay_one_environment() {
    let alice = alice_with_git(TWO_ENVIRONMENTS);
    set(&alice, "a", "1");
    alice.commit("value");
    for (from, to) in [("secrets/dev.yaml", "conf/dev.yaml"), ("conf/dev.yaml", "dev.yaml")] {
        std::fs::create_dir_all(alice.work("conf")).unwrap();
        alice.git(["mv", from, to]).run().code(0);
        alice.write(".secrets.yaml", alice.read_text(".secrets.yaml").replace(from, to));
        alice.commit("moved");
    }
    alice.git(["rm", "--quiet", "dev.yaml"]).run().code(0);
    alice.commit("gone");
    alice.git(["revert", "--no-edit", "HEAD"]).run().code(0);
    let found = events(&alice, &["dev"]);
    let found: Vec<_> = found.iter().filter(|line| !line.contains("x25519-")).collect();
    let expected = [
        "dev: file is back",
        "dev: old key k",
        "dev: set a back to v",
        "dev: file removed",
        "policy: dev has its file at dev.yaml, not conf/dev.yaml",
        "dev: file moved from conf/dev.yaml to dev.yaml",
        "policy: dev has its file at conf/dev.yaml, not secrets/dev.yaml",
        "dev: file moved from secrets/dev.yaml to conf/dev.yaml",
        "dev: file added",
        "dev: new key k",
        "dev: added a",
    ];
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found} is not {expected}");
    }
}

#[test]
fn what_was_changed_while_nobody_could_read_the_file_is_not_lost() {
    let alice = alice_with_git(TWO_ENVIRONMENTS);
    edit(&alice, "dev", "a: 1\nb: 1\n").run().succeeds();
    alice.commit("base");
    let sound = alice.read_text("secrets/dev.yaml");
    alice.write("secrets/dev.yaml", format!("<<<<<<< HEAD\n{sound}"));
    alice.commit("conflict");
    alice.write("secrets/dev.yaml", &sound);
    set(&alice, "a", "2");
    alice.commit("mended");
    assert_eq!(
        events(&alice, &["dev", "-n", "2"]),
        [
            "dev: file can be read again",
            "dev: changed a",
            "dev: file cannot be read: line 1 column 1: a merge conflict (`<<<<<<<`)",
        ]
    );
}

#[test]
fn where_history_ends_early_or_cannot_be_read_that_is_said() {
    let alice = alice_with_git(TWO_ENVIRONMENTS);
    for value in ["1", "2", "3"] {
        set(&alice, "a", value);
        alice.commit(value);
    }
    let shallow = alice.folder().join("shallow");
    let source = format!("file://{}", alice.work("").display());
    alice
        .git(["clone", "--quiet", "--depth", "2", &source])
        .operand(&shallow)
        .run()
        .code(0);
    let log = |folder: &std::path::Path| {
        let folder = folder.to_str().unwrap().to_owned();
        alice.secretree(["-C", &folder, "log", "dev"]).run()
    };
    log(&shallow).check(expect![[r#"
        status: 0
        --- stdout
        COMMIT 2026-01-05 alice (unsigned): 3
          dev: changed a
        COMMIT 2026-01-05 alice (unsigned): 2
          dev: history ends here: what the file holds may be older
        --- stderr
        warning: this clone is shallow, so this is at least what there was; to know all: git fetch --unshallow
    "#]]);
    for format in ["--ref-format=reftable", "--object-format=sha256"] {
        let folder = alice.folder().join(format.replace(['-', '='], "_"));
        std::fs::create_dir_all(folder.join("secrets")).unwrap();
        alice.git(["init", "--quiet", format]).operand(&folder).run().code(0);
        for file in [".secrets.yaml", "secrets/dev.yaml"] {
            std::fs::copy(alice.work(file), folder.join(file)).unwrap();
        }
        let output = log(&folder);
        output.code(1);
        assert!(output.stderr().contains("cannot be read"), "{}", output.stderr());
        let folder = folder.to_str().unwrap().to_owned();
        alice.secretree(["-C", &folder, "get", "dev", "a"]).run().code(0);
        let output = alice.secretree(["-C", &folder, "access", "dev"]).run();
        output.code(0);
        assert!(output.stderr().contains("at least"), "{}", output.stderr());
        assert!(output.stdout().contains("alice"), "{}", output.stdout());
    }
}

#[test]
fn a_clone_without_old_contents_answers_at_least() {
    let alice = alice_with_git(TWO_ENVIRONMENTS);
    for value in ["1", "2", "3"] {
        set(&alice, "a", value);
        alice.commit(value);
    }
    alice.git(["config", "uploadpack.allowFilter", "true"]).run().succeeds();
    let partial = alice.folder().join("partial");
    let source = format!("file://{}", alice.work("").display());
    alice
        .git(["clone", "--quiet", "--filter=blob:none", &source])
        .operand(&partial)
        .run()
        .code(0);
    let folder = partial.to_str().unwrap().to_owned();
    for words in ["log dev", "log dev a", "access dev", "access dev a", "exposure alice"] {
        let words = ["-C", &folder].into_iter().chain(words.split(' '));
        let output = alice.secretree(words).run();
        output.code(0);
        assert!(
            output.stderr().contains("at least"),
            "{}{}",
            output.stdout(),
            output.stderr()
        );
        assert!(!output.stdout().is_empty(), "{}", output.stderr());
    }
    alice.secretree(["-C", &folder, "get", "dev", "a"]).run().code(0);
}

#[test]
fn without_history_there_is_nothing_to_show() {
    let alice = alice(TWO_ENVIRONMENTS);
    changes_nothing(alice.secretree(["log"])).check(expect![[r#"
        status: 1
        --- stderr
        error: there is no git history here
        hint: work inside a clone of the repository
    "#]]);
    alice.git(["init", "--quiet"]).run().succeeds();
    changes_nothing(alice.secretree(["log"])).check(expect![[r#"
        status: 0
        --- stderr
        nothing of this is committed yet; what there is: secretree diff
    "#]]);
    changes_nothing(alice.secretree(["log", "--json", "--quiet"])).check(expect![[r#"
        status: 0
        --- stdout
        {
          "complete": true,
          "commits": []
        }
    "#]]);
    // A revision names nothing before the first commit, and `git log` would only fail.
    for words in ["diff --from main", "get dev a --at HEAD", "access dev --at 2026-01-01"] {
        let refused = changes_nothing(alice.secretree(words.split(' ')));
        refused
            .code(1)
            .says("error: nothing is committed here yet\nhint: what there is: secretree diff");
    }
}

#[test]
fn a_value_that_is_not_committed_yet_is_no_unknown_one() {
    let alice = alice_with_git(TWO_ENVIRONMENTS);
    set(&alice, "stripe.key", "1");
    alice.secretree(["log", "dev", "stripe.key"]).run().check(expect![[r#"
        status: 0
        --- stderr
        nothing of this is committed yet; what there is: secretree diff
    "#]]);
    alice.secretree(["log", "dev", "stripe"]).run().check(expect![[r#"
        status: 1
        --- stderr
        error: `stripe` is no value of `dev`: it holds others
        hint: secretree log dev stripe.key
    "#]]);
    alice
        .secretree(["set", "prod", "paypal.key"])
        .input("1")
        .run()
        .succeeds();
    // The hint names the environment that has it, not just the first one.
    alice.secretree(["log", "paypal.key"]).run().check(expect![[r#"
        status: 1
        --- stderr
        error: `paypal.key` is no environment
        hint: secretree log prod paypal.key
    "#]]);
}

#[test]
fn other_work_trees_stashes_and_a_bisect_are_no_obstacle() {
    let alice = alice_with_git(TWO_ENVIRONMENTS);
    for value in ["1", "2", "3", "4"] {
        set(&alice, "a", value);
        alice.commit(value);
    }
    let linked = alice.folder().join("linked");
    alice
        .git(["worktree", "add", "--quiet", "--detach"])
        .operand(&linked)
        .operand("HEAD~1")
        .run()
        .code(0);
    let folder = linked.to_str().unwrap().to_owned();
    let there = alice.secretree(["-C", &folder, "log", "dev", "a"]).run();
    there.code(0);
    assert_eq!(there.stdout().lines().filter(|line| line.starts_with("  ")).count(), 3);
    alice.git(["bisect", "start", "HEAD", "HEAD~3"]).run().code(0);
    let during = events(&alice, &["dev", "a"]).len();
    assert!((2..4).contains(&during), "{during}");
    let exposed = alice.secretree(["exposure", "alice"]).run();
    assert!(
        exposed.stdout().contains("4 versions of values"),
        "{}",
        exposed.stdout()
    );
}

#[test]
fn readers_may_see_the_values() {
    let alice = alice_with_git(TWO_ENVIRONMENTS);
    set(&alice, "a", "first");
    alice.commit("first");
    set(&alice, "a", "second\u{1b}[2J");
    alice.commit("second");
    alice.secretree(["unset", "dev", "a"]).run().succeeds();
    alice.commit("third");
    changes_nothing(alice.secretree(["log", "dev", "a", "--reveal"])).check(expect![[r#"
        status: 0
        --- stdout
        COMMIT 2026-01-05 alice (unsigned): third
          dev: removed a: `second\u{1b}[2J`
        COMMIT 2026-01-05 alice (unsigned): second
          dev: changed a: `second\u{1b}[2J`, before `first`
        COMMIT 2026-01-05 alice (unsigned): first
          dev: added a: `first`
    "#]]);
    changes_nothing(alice.secretree(["log", "dev", "a", "--reveal", "-n1", "--json"])).check(expect![[r#"
        status: 0
        --- stdout
        {
          "complete": true,
          "commits": [
            {
              "commit": "COMMIT",
              "date": "2026-01-05",
              "time": 1767603840,
              "author": "alice",
              "email": "alice@example.com",
              "signed": false,
              "subject": "third",
              "policy": [],
              "environments": [
                {
                  "environment": "dev",
                  "events": [
                    {
                      "event": "removed",
                      "path": "a",
                      "version": "v…",
                      "values": {
                        "before": "second\u001b[2J",
                        "after": null
                      }
                    }
                  ]
                }
              ]
            }
          ]
        }
    "#]]);
    std::fs::remove_file(alice.identity_file()).unwrap();
    changes_nothing(alice.secretree(["log", "dev", "a", "--reveal", "-n", "2"])).check(expect![[r#"
        status: 4
        --- stdout
        COMMIT 2026-01-05 alice (unsigned): third
          dev: removed a
        COMMIT 2026-01-05 alice (unsigned): second
          dev: changed a
        --- stderr
        warning: values of `dev` are not shown: no identity here opens them
        error: no identity here can open `dev`
        hint: its readers then were alice: ask one of them
    "#]]);
}

#[test]
fn no_value_is_shown() {
    let canary = Canary::new();
    let alice = alice_with_git(TWO_ENVIRONMENTS);
    edit(&alice, "dev", format!("a: {0}\nlog: {{level: {0}}}\n", canary.value()))
        .run()
        .succeeds();
    alice.commit("values");
    for words in [
        "log",
        "log dev",
        "log dev a",
        "log --json",
        "access dev a",
        "access dev log.level",
        "exposure alice",
    ] {
        let output = alice.secretree(words.split(' ')).run();
        assert!(
            !output.stdout().contains(canary.value()),
            "{words}: {}",
            output.stdout()
        );
        assert!(
            !output.stderr().contains(canary.value()),
            "{words}: {}",
            output.stderr()
        );
    }
}
