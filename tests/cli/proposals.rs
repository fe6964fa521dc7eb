//! `proposals`: what others suggest is listed with who did, taken over exactly as it was shown, or taken out. Attacks on
//! the way are in `proposals_hostile`.

use expect_test::expect;

use crate::canary::Canary;
use crate::fixture::changes_nothing;
use crate::forgery::{assert_gets, footer_of, set};
use crate::sandbox::Person;
use crate::team::Team;

pub(crate) const FILE: &str = "secrets/dev.yaml";

/// Alice and bob read `dev`, which holds `db`; carol reads nothing.
pub(crate) fn team() -> (Team, Person, Person, Person) {
    team_with("")
}

/// The same with more behind the environments of the policy.
pub(crate) fn team_with(rest: &str) -> (Team, Person, Person, Person) {
    let environments = "environments:\n  dev: {file: secrets/dev.yaml, readers: [alice, bob], plaintext: [\"log.*\"]}\n  \
                        prod: {file: secrets/prod.yaml, readers: [alice]}\n";
    let team = Team::with_policy(&["alice", "bob", "carol"], &format!("{environments}{rest}"));
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| team.person(name));
    set(&alice, "dev", "db", "real").succeeds();
    team.share(&alice, "first value");
    team.update(&bob);
    team.update(&carol);
    (team, alice, bob, carol)
}

/// Carol proposes values, and alice gets them.
pub(crate) fn proposed(team: &Team, carol: &Person, alice: &Person, values: &[(&str, &str)]) {
    for (path, value) in values {
        let run = carol.secretree(["set", "dev", path, "--raw"]).input(*value);
        run.run().succeeds();
    }
    team.share(carol, "proposals");
    team.update(alice);
}

pub(crate) fn labels(person: &Person) -> Vec<String> {
    let footer = footer_of(&person.read_text(FILE));
    footer.proposals.keys().map(ToString::to_string).collect()
}

#[test]
fn what_is_proposed_is_listed_with_who_did_and_never_shown() {
    let (team, alice, _, carol) = team();
    let canary = Canary::new();
    alice.secretree(["proposals"]).run().check(expect![[r#"
        status: 0
        --- stderr
        nothing is proposed
    "#]]);
    proposed(&team, &carol, &alice, &[("api.key", canary.value())]);
    let list = changes_nothing(alice.secretree(["proposals"]));
    let stdout = list.succeeds().stdout();
    let lines: Vec<&str> = stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{stdout}");
    assert!(lines[0].starts_with("PROPOSAL"), "{stdout}");
    let [label] = &labels(&alice)[..] else {
        panic!("one proposal")
    };
    for part in [
        label,
        "dev:api.key",
        "a new value",
        "to 32",
        "commit ",
        "of carol, 2026-01-05",
    ] {
        assert!(lines[1].contains(part), "{part}: {stdout}");
    }
    list.says("secretree proposals accept dev PATH");
    // The same by its name, and for programs.
    changes_nothing(alice.secretree(["proposals", "list", "dev", "--json"])).check(expect![[r#"
        status: 0
        --- stdout
        {
          "proposals": [
            {
              "environment": "dev",
              "label": "p…",
              "state": "new",
              "reason": null,
              "path": "api.key",
              "size": 32,
              "readable": false,
              "raw": false,
              "commit": "COMMIT",
              "author": "carol",
              "time": 1767603780,
              "again": null,
              "resealed": false,
              "at_least": false
            }
          ]
        }
    "#]]);
    // Who proposed it sees labels and origins only.
    changes_nothing(carol.secretree(["proposals", "dev", "--json"])).check(expect![[r#"
        status: 0
        --- stdout
        {
          "proposals": [
            {
              "environment": "dev",
              "label": "p…",
              "state": "sealed",
              "reason": null,
              "path": null,
              "size": null,
              "readable": false,
              "raw": false,
              "commit": "COMMIT",
              "author": "carol",
              "time": 1767603780,
              "again": null,
              "resealed": false,
              "at_least": false
            }
          ]
        }
        --- stderr
        1 proposal of `dev` cannot be opened: no identity here can open `dev`
    "#]]);
    let output = changes_nothing(carol.secretree(["proposals"]));
    assert!(!output.succeeds().stdout().contains("api"), "{}", output.stdout());
    canary.assert_unseen(team.sandbox(), &[]);
}

#[test]
fn sizes_and_effects_are_told_and_no_more() {
    let (team, alice, _, carol) = team();
    let long = "x".repeat(33);
    let values = [
        ("db", "real"),
        ("db2", ""),
        ("log.level", "debug"),
        ("long", &*long),
        ("raw", "a\u{1b}b"),
    ];
    proposed(&team, &carol, &alice, &values);
    let output = alice.secretree(["proposals", "dev"]).run();
    let stdout = output.succeeds().stdout();
    for (path, what, size) in [
        ("dev:db ", "the same value ", "to 32 "),
        ("dev:db2 ", "a new value ", "to 32 "),
        ("dev:log.level ", "a new value, readable ", "to 32 "),
        ("dev:long ", "a new value ", "to 64 "),
        ("dev:raw ", "a new value, raw ", "to 32 "),
    ] {
        let line = stdout.lines().find(|line| line.contains(path));
        let line = line.unwrap_or_else(|| panic!("{path}: {stdout}"));
        assert!(line.contains(what) && line.contains(size), "{line}");
    }
    set(&alice, "dev", "db", "another").succeeds();
    let stdout = alice.secretree(["proposals", "dev"]).run().succeeds().stdout();
    assert!(stdout.contains("another value"), "{stdout}");
}

#[test]
fn what_was_shown_is_accepted() {
    let (team, alice, bob, carol) = team();
    let canary = Canary::new();
    proposed(&team, &carol, &alice, &[("api.key", canary.value()), ("db", "newer")]);
    let before = alice.read_text(FILE);
    changes_nothing(alice.secretree(["proposals", "accept", "dev", "api.key"])).check(expect![[r#"
        status: 1
        --- stderr
        `dev:api.key` from p… (commit COMMIT of carol, 2026-01-05): a new value, up to 32 bytes
        error: no terminal to ask on: accept this?
        hint: `--yes` answers with yes
    "#]]);
    alice
        .secretree(["proposals", "accept", "dev", "API_KEY", "--yes", "--commit"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            `dev:api.key` from p… (commit COMMIT of carol, 2026-01-05): a new value, up to 32 bytes
            accepted `dev:api.key`
            committed COMMIT
        "#]]);
    let log = alice.git(["log", "-1", "--format=%s"]).run();
    log.prints("secrets: accept dev:api.key\n");
    assert_eq!(labels(&alice).len(), 1);
    let old_token = token_of(&before, "db");
    assert_eq!(
        token_of(&alice.read_text(FILE), "db"),
        old_token,
        "what was not accepted keeps its token"
    );
    alice.git(["push", "--quiet", "origin", "HEAD:main"]).run().code(0);
    team.update(&bob);
    let output = bob.secretree(["get", "dev", "api.key"]).reveals().run();
    output.succeeds().prints(canary.value());
    // The rest on a terminal, by its label; the value it replaces gets a new version.
    let label = labels(&bob).remove(0);
    let mut terminal = bob.on_terminal(["proposals", "accept", "dev", &label]);
    terminal
        .expect("`dev:db` from ")
        .expect("of carol")
        .expect("replaces the value there")
        .expect("accept this? [y/N] ")
        .send("y\n");
    terminal.finish().succeeds();
    assert_gets(&bob, "dev", "db", "newer");
    assert!(labels(&bob).is_empty() && !bob.read_text(FILE).contains("proposals:"));
    assert_ne!(token_of(&bob.read_text(FILE), "db"), old_token);
    canary.assert_unseen(team.sandbox(), &[]);
}

/// The line of the token at a root key.
fn token_of(text: &str, key: &str) -> String {
    let mut lines = text.lines().skip_while(|line| !line.starts_with(&format!("{key}:")));
    lines.nth(1).expect("a token stands below its key").to_owned()
}

#[test]
fn only_reveal_shows_a_value() {
    let (team, alice, _, carol) = team();
    let canary = Canary::new();
    proposed(&team, &carol, &alice, &[("api.key", canary.value())]);
    let accept = ["proposals", "accept", "dev", "api.key"];
    let shown = alice.secretree(accept).operand("--reveal").reveals().run();
    shown.code(1).says(canary.value());
    alice.secretree(accept).operand("--yes").operand("-v").run().succeeds();
    canary.assert_unseen(team.sandbox(), &[]);
}

#[test]
fn several_values_for_one_path_are_told_apart_by_label() {
    let (team, alice, _, carol) = team();
    proposed(
        &team,
        &carol,
        &alice,
        &[("api.key", "one"), ("api.key", "two"), ("other", "x")],
    );
    changes_nothing(alice.secretree(["proposals", "accept", "dev", "api.key", "--yes"])).check(expect![[r#"
        status: 1
        --- stderr
        error: 2 values are proposed for `dev:api.key`
        hint: name one of p…, p…
        hint: secretree proposals dev
    "#]]);
    let all = changes_nothing(alice.secretree(["proposals", "accept", "dev", "--all", "--yes"]));
    all.code(1).says("2 values are proposed for `dev:api.key`");
    changes_nothing(alice.secretree(["proposals", "reject", "dev", "api.key"])).code(1);
    // One of the two by its label; the other stays what it is.
    let first = labels(&alice).into_iter().find(|label| {
        let accept = ["proposals", "accept", "dev", label, "--reveal"];
        alice.secretree(accept).run().stderr().contains("  two")
    });
    let first = first.expect("one of them is `two`");
    alice
        .secretree(["proposals", "accept", "dev", &first, "--yes"])
        .run()
        .succeeds();
    assert_gets(&alice, "dev", "api.key", "two");
    assert_eq!(labels(&alice).len(), 2);
    alice
        .secretree(["proposals", "accept", "dev", "--all", "--yes"])
        .run()
        .succeeds();
    assert_gets(&alice, "dev", "api.key", "one");
    assert_gets(&alice, "dev", "other", "x");
}

#[test]
fn what_must_not_become_a_value_is_refused() {
    let (team, alice, _, carol) = team_with("secrets:\n  token: {pattern: \"^tok_\"}\n");
    // Who proposes is held to the pattern too; an older program was not.
    set(&carol, "dev", "token", "canary").code(1).says("`^tok_`");
    let policy = carol.read_text(".secrets.yaml");
    carol.write(".secrets.yaml", policy.replace("^tok_", "^"));
    set(&carol, "dev", "token", "canary").succeeds();
    carol.write(".secrets.yaml", policy);
    proposed(&team, &carol, &alice, &[("escape", "a\u{1b}[2Jb"), ("tab", "a\tb\n")]);
    changes_nothing(alice.secretree(["proposals", "accept", "dev", "token", "--yes"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `.secrets.yaml` line 11 column 20: the value for `dev:token` does not match this pattern: `^tok_`
        hint: give a value that matches, or change `pattern` in .secrets.yaml
        hint: secretree proposals reject dev p…
    "#]]);
    changes_nothing(alice.secretree(["proposals", "accept", "dev", "escape", "--yes"])).check(expect![[r#"
        status: 1
        --- stderr
        error: the value proposed for `dev:escape` holds control characters or is no text
        hint: look at it first: secretree proposals accept dev escape --raw --reveal
        hint: secretree proposals reject dev p…
    "#]]);
    let shown = alice
        .secretree(["proposals", "accept", "dev", "escape", "--raw", "--reveal"])
        .run();
    shown.code(1).says("a\\u{1b}[2Jb");
    changes_nothing(alice.secretree(["proposals", "accept", "dev", "--all", "--yes"])).code(1);
    alice
        .secretree(["proposals", "accept", "dev", "tab", "--yes"])
        .run()
        .succeeds();
    let raw = alice
        .secretree(["proposals", "accept", "dev", "escape", "--yes", "--raw"])
        .run();
    raw.succeeds();
    assert_gets(&alice, "dev", "escape", "a\u{1b}[2Jb");
    assert_gets(&alice, "dev", "tab", "a\tb\n");
    alice
        .secretree(["proposals", "reject", "dev", "token"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            rejected `dev:token`, p… (commit COMMIT of carol, 2026-01-05)
        "#]]);
    assert!(labels(&alice).is_empty());
}

#[test]
fn a_word_that_means_nothing_says_what_to_type() {
    let (team, alice, _, carol) = team();
    proposed(&team, &carol, &alice, &[("api.key", "x")]);
    for (operands, code, words) in [
        (&["accept", "dev"] as &[&str], 2, "secretree proposals accept dev --all"),
        (&["reject", "dev"], 2, "secretree proposals reject dev --junk"),
        (&["accept", "dev", "db"], 1, "nothing is proposed for `dev:db`"),
        (&["accept", "dev", "p0123456789abcdef"], 1, "secretree proposals dev"),
        (&["accept", "api.key"], 1, "is no environment"),
        (&["accept", "dev", "a..b"], 1, "nothing is proposed"),
        (&["accept", "prod", "api.key"], 1, "secretree apply prod"),
        (&["accept", "dev", "--all", "api.key"], 2, "--all"),
        (&["nowhere"], 1, "`nowhere` is no environment"),
    ] {
        let run = operands
            .iter()
            .fold(alice.secretree(["proposals"]), |run, operand| run.operand(*operand));
        changes_nothing(run).code(code).says(words);
    }
}

#[test]
fn a_proposal_is_rejected_by_a_reader_or_taken_back_by_who_made_it() {
    let (team, alice, _, carol) = team();
    proposed(&team, &carol, &alice, &[("one", "1"), ("two", "2"), ("three", "3")]);
    let before = alice.read_text(FILE);
    let reject = |operands: &[&str]| {
        let run = operands
            .iter()
            .fold(alice.secretree(["proposals", "reject", "dev"]), |run, operand| {
                run.operand(*operand)
            });
        run.run()
    };
    reject(&["one", "--commit"]).check(expect![[r#"
        status: 0
        --- stderr
        rejected `dev:one`, p… (commit COMMIT of carol, 2026-01-05)
        committed COMMIT
    "#]]);
    alice
        .git(["log", "-1", "--format=%s"])
        .run()
        .prints("secrets: reject dev:one\n");
    assert_eq!(labels(&alice).len(), 2);
    assert_eq!(
        alice.read_text(FILE).split("\nsecretree:").next(),
        before.split("\nsecretree:").next(),
        "the body keeps its bytes"
    );
    reject(&["--junk"]).succeeds().says("nothing to reject");
    reject(&["--all"]).code(1).says("reject all of this?");
    reject(&["--all", "--yes"]).succeeds();
    assert!(labels(&alice).is_empty());
    // Carol knows her own by its label; what it says stays hers.
    let mine = labels(&carol).remove(0);
    let refused = changes_nothing(carol.secretree(["proposals", "reject", "dev", "one"]));
    refused.code(1).says("nothing is proposed for");
    changes_nothing(carol.secretree(["proposals", "accept", "dev", &mine, "--yes"])).code(4);
    changes_nothing(carol.secretree(["proposals", "reject", "dev", "--junk"])).code(4);
    carol.secretree(["proposals", "reject", "dev", &mine]).run().succeeds();
    assert_eq!(labels(&carol).len(), 2);
}

#[test]
fn another_who_was_quicker_is_not_undone() {
    let (team, alice, _, carol) = team();
    proposed(&team, &carol, &alice, &[("db", "newer"), ("other", "x")]);
    let accept = |path: &str| {
        let mut terminal = alice.on_terminal(["proposals", "accept", "dev", path]);
        terminal.expect("accept this? [y/N] ");
        terminal
    };
    // What stands there is another value now.
    let mut waiting = accept("db");
    set(&alice, "dev", "db", "meanwhile").succeeds();
    waiting.send("y\n");
    let output = waiting.finish();
    assert!(
        output.code(1).stdout().contains("`dev:db` changed meanwhile"),
        "{}",
        output.stdout()
    );
    assert_gets(&alice, "dev", "db", "meanwhile");
    // The proposal is gone.
    let mut waiting = accept("db");
    alice.secretree(["proposals", "reject", "dev", "db"]).run().succeeds();
    waiting.send("y\n");
    let output = waiting.finish();
    assert!(
        output.code(1).stdout().contains("is not in the file any more"),
        "{}",
        output.stdout()
    );
    // Something else changed: that is no reason to stop.
    let mut waiting = accept("other");
    set(&alice, "dev", "unrelated", "1").succeeds();
    waiting.send("y\n");
    waiting.finish().succeeds();
    assert_gets(&alice, "dev", "other", "x");
    assert_gets(&alice, "dev", "unrelated", "1");
}
