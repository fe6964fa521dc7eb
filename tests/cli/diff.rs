//! `diff`: what a pull request does, as somebody reads it who has no key; what is not committed yet; two environments side by
//! side; and that nothing of a value, and nothing that others wrote, gets where it does not belong.

use expect_test::expect;

use crate::fixture::{alice_with_git, changes_nothing, edit};
use crate::forgery::{Forgery, footer_of, key_held_by, set, shallow_clone_of};
use crate::sandbox::Person;
use crate::team::{POLICY_ID, Team};

const FILE: &str = "secrets/prod.yaml";

/// The program with these words, which changes nothing.
fn diff(person: &Person, words: &str) -> crate::output::Output {
    changes_nothing(person.secretree(words.split(' ')))
}

/// Alice and bob read `prod`; a reviewer has a clone and no key. On the branch `pull` alice takes carol in and lets `log.*`
/// stand readable, and bob changes two values, removes one and adds one.
fn pull_request() -> (Team, Person) {
    let mut team = Team::with_policy(
        &["alice", "bob"],
        &format!(
            "groups: {{platform: [alice, bob]}}\nenvironments:\n  prod: {{file: {FILE}, readers: [platform]}}\n\
             secrets:\n  stripe.key: {{required: [prod], description: payments, owner: platform, env: STRIPE_KEY}}\n"
        ),
    );
    let (alice, bob) = (team.person("alice"), team.person("bob"));
    for path in ["database.password", "api.token", "old.key"] {
        set(&alice, "prod", path, "first").succeeds();
    }
    team.share(&alice, "values");
    let reviewer = team.add("reviewer");
    std::fs::remove_file(reviewer.identity_file()).unwrap();
    let carol = team.sandbox().person("carol");
    alice.git(["switch", "--quiet", "-c", "pull"]).run().succeeds();
    let policy = alice.read_text(".secrets.yaml");
    let policy = policy
        .replace(
            "groups: {platform: [alice, bob]}",
            "groups: {platform: [alice, bob, carol]}",
        )
        .replace("readers: [platform]", "readers: [platform], plaintext: [\"log.*\"]")
        .replace(
            "groups:",
            &format!("  carol: {{keys: [{}]}}\ngroups:", carol.public_key()),
        );
    alice.write(".secrets.yaml", policy);
    alice.commit("carol joins");
    alice.secretree(["apply", "--yes"]).run().succeeds();
    alice.commit("let carol in");
    alice.git(["push", "--quiet", "origin", "pull"]).run().code(0);
    bob.git(["pull", "--quiet", "origin", "pull"]).run().code(0);
    set(&bob, "prod", "database.password", "second").succeeds();
    set(&bob, "prod", "api.token", "second").succeeds();
    set(&bob, "prod", "log.level", "debug").succeeds();
    bob.secretree(["unset", "prod", "old.key"]).run().succeeds();
    bob.commit("new values");
    bob.git(["push", "--quiet", "origin", "HEAD:pull"]).run().code(0);
    // Meanwhile, main moves on.
    alice.git(["switch", "--quiet", "main"]).run().succeeds();
    set(&alice, "prod", "meanwhile", "first").succeeds();
    team.share(&alice, "meanwhile");
    reviewer.git(["fetch", "--quiet"]).run().code(0);
    reviewer
        .git(["switch", "--quiet", "--detach", "origin/pull"])
        .run()
        .succeeds();
    (team, reviewer)
}

#[test]
fn a_reviewer_without_a_key_reads_what_a_pull_request_does() {
    let (_team, reviewer) = pull_request();
    diff(&reviewer, "diff --from origin/main").check(expect![[r#"
        status: 0
        --- stdout
        since commit COMMIT of `alice`, 2026-01-05, where this left `origin/main`, up to the work tree

        `prod`, `secrets/prod.yaml`
          values
            ~ api.token          changed          v… → v…
            ~ database.password  changed          v… → v…
            + log.level          added, readable  readable
            - old.key            removed          v…
          who may read
            + carol  x25519-4d6de9b73c422ec0  may read: named in the policy, granted in the file  commit COMMIT of `alice`, 2026-01-05
          missing
            ~ stripe.key  STRIPE_KEY  required, and missing as before: `payments`, owner `platform`

        .secrets.yaml
          policy
            + recipient carol added                             commit COMMIT of `alice`, 2026-01-05
            + carol has the public key x25519-4d6de9b73c422ec0  commit COMMIT of `alice`, 2026-01-05
            + carol may write prod                              commit COMMIT of `alice`, 2026-01-05
            ! carol may change the policy                       commit COMMIT of `alice`, 2026-01-05
            ! values of prod at log.* may stand readable        commit COMMIT of `alice`, 2026-01-05
            ~ group `platform`, joined by `carol`
    "#]]);
    diff(&reviewer, "diff --from origin/main --markdown").check(expect![[r#"
        status: 0
        --- stdout
        ### Secrets in this change

        Since commit COMMIT of `alice`, 2026-01-05, where this left `origin/main`, up to the work tree.

        #### `prod`, `secrets/prod.yaml`

        | values | path | what | version |
        | --- | --- | --- | --- |
        | changed | `api.token` | changed | v… → v… |
        | changed | `database.password` | changed | v… → v… |
        | new | `log.level` | added, readable | readable |
        | gone | `old.key` | removed | v… |

        | who may read | who | public key | what | brought by |
        | --- | --- | --- | --- | --- |
        | new | `carol` | `x25519-4d6de9b73c422ec0` | may read: named in the policy, granted in the file | commit COMMIT of `alice`, 2026-01-05 |

        | missing | path | variable | what |
        | --- | --- | --- | --- |
        | changed | `stripe.key` | `STRIPE_KEY` | required, and missing as before: `payments`, owner `platform` |

        #### `.secrets.yaml`

        | policy | what | brought by |
        | --- | --- | --- |
        | new | `recipient carol added` | commit COMMIT of `alice`, 2026-01-05 |
        | new | `carol has the public key x25519-4d6de9b73c422ec0` | commit COMMIT of `alice`, 2026-01-05 |
        | new | `carol may write prod` | commit COMMIT of `alice`, 2026-01-05 |
        | **look** | `carol may change the policy` | commit COMMIT of `alice`, 2026-01-05 |
        | **look** | `values of prod at log.* may stand readable` | commit COMMIT of `alice`, 2026-01-05 |
        | changed | group `platform`, joined by `carol` |  |
    "#]]);
    diff(&reviewer, "diff --from origin/main --json").check(expect![[r#"
        status: 0
        --- stdout
        {
          "from": {
            "commit": "COMMIT",
            "revision": "origin/main",
            "merge_base": true
          },
          "to": {
            "commit": null,
            "revision": null
          },
          "policy": [
            {
              "event": "recipient-added",
              "recipient": "carol",
              "brought": {
                "commit": "COMMIT",
                "author": "alice",
                "date": "2026-01-05"
              }
            },
            {
              "event": "key-added",
              "recipient": "carol",
              "label": "x25519-4d6de9b73c422ec0",
              "brought": {
                "commit": "COMMIT",
                "author": "alice",
                "date": "2026-01-05"
              }
            },
            {
              "event": "reader-added",
              "environment": "prod",
              "recipient": "carol",
              "brought": {
                "commit": "COMMIT",
                "author": "alice",
                "date": "2026-01-05"
              }
            },
            {
              "event": "writer-added",
              "environment": "prod",
              "recipient": "carol",
              "brought": {
                "commit": "COMMIT",
                "author": "alice",
                "date": "2026-01-05"
              }
            },
            {
              "event": "maintainer-added",
              "recipient": "carol",
              "brought": {
                "commit": "COMMIT",
                "author": "alice",
                "date": "2026-01-05"
              }
            },
            {
              "event": "plaintext-added",
              "environment": "prod",
              "pattern": "log.*",
              "brought": {
                "commit": "COMMIT",
                "author": "alice",
                "date": "2026-01-05"
              }
            }
          ],
          "groups": [
            {
              "group": "platform",
              "joined": [
                "carol"
              ],
              "left": []
            }
          ],
          "environments": [
            {
              "environment": "prod",
              "former": null,
              "file": "secrets/prod.yaml",
              "events": [
                {
                  "event": "granted",
                  "recipient": "carol",
                  "label": "x25519-4d6de9b73c422ec0"
                },
                {
                  "event": "changed",
                  "path": "api.token",
                  "before": "v…",
                  "version": "v…"
                },
                {
                  "event": "changed",
                  "path": "database.password",
                  "before": "v…",
                  "version": "v…"
                },
                {
                  "event": "added",
                  "path": "log.level",
                  "version": null
                },
                {
                  "event": "removed",
                  "path": "old.key",
                  "version": "v…"
                }
              ],
              "access": [
                {
                  "recipient": "carol",
                  "key": "x25519-4d6de9b73c422ec0",
                  "policy": {
                    "before": false,
                    "after": true
                  },
                  "file": {
                    "before": false,
                    "after": true
                  },
                  "keeps_key": false,
                  "brought": {
                    "commit": "COMMIT",
                    "author": "alice",
                    "date": "2026-01-05"
                  }
                }
              ],
              "lacking": [
                {
                  "path": "stripe.key",
                  "variable": "STRIPE_KEY",
                  "required": true,
                  "was_lacking": true,
                  "description": "payments",
                  "owner": "platform"
                }
              ],
              "foreign": []
            }
          ]
        }
    "#]]);
    // The same from elsewhere, and one environment alone.
    reviewer
        .git(["switch", "--quiet", "--detach", "origin/main"])
        .run()
        .succeeds();
    let there = diff(&reviewer, "diff --from HEAD --to origin/pull");
    assert!(
        there.stdout().contains("where this left `HEAD`, up to `origin/pull`"),
        "{}",
        there.stdout()
    );
    diff(&reviewer, "diff prod --from HEAD --to origin/pull").check(expect![[r#"
        status: 0
        --- stdout
        since commit COMMIT of `alice`, 2026-01-05, where this left `HEAD`, up to `origin/pull`

        `prod`, `secrets/prod.yaml`
          values
            ~ api.token          changed          v… → v…
            ~ database.password  changed          v… → v…
            + log.level          added, readable  readable
            - old.key            removed          v…
          who may read
            + carol  x25519-4d6de9b73c422ec0  may read: named in the policy, granted in the file  commit COMMIT of `alice`, 2026-01-05
          missing
            ~ stripe.key  STRIPE_KEY  required, and missing as before: `payments`, owner `platform`

        .secrets.yaml
          policy
            + carol may write prod                        commit COMMIT of `alice`, 2026-01-05
            ! values of prod at log.* may stand readable  commit COMMIT of `alice`, 2026-01-05
    "#]]);
    // The other way round, seen from where main is: what main brought since.
    diff(&reviewer, "diff --from origin/pull").check(expect![[r#"
        status: 0
        --- stdout
        since commit COMMIT of `alice`, 2026-01-05, where this left `origin/pull`, up to the work tree

        `prod`, `secrets/prod.yaml`
          values
            + meanwhile  added  v…
          missing
            ~ stripe.key  STRIPE_KEY  required, and missing as before: `payments`, owner `platform`
    "#]]);
}

#[test]
fn what_is_not_committed_yet_is_told_without_revisions() {
    let alice =
        alice_with_git("environments:\n  dev: {file: dev.yaml, readers: [alice]}\nsecrets:\n  db: {required: [dev]}\n");
    diff(&alice, "diff").check(expect![[r#"
        status: 0
        --- stderr
        no value, no access and nothing in the policy changed
    "#]]);
    set(&alice, "dev", "other", "1").succeeds();
    diff(&alice, "diff").check(expect![[r#"
        status: 0
        --- stdout
        `dev`, `dev.yaml`
          file and key
            + file added
            ~ new key k…
          values
            + other  added  v…
          who may read
            + alice  x25519-7cb1b2c9014e3eb1  may read: named in the policy, granted in the file  not committed yet
          missing
            ~ db  DB  required, and missing as before
    "#]]);
    alice.commit("a value");
    set(&alice, "dev", "db", "1").succeeds();
    edit(&alice, "dev", "db: 2\nmoved: \"1\"\n").run().succeeds();
    diff(&alice, "diff").check(expect![[r#"
        status: 0
        --- stdout
        `dev`, `dev.yaml`
          values
            + db     added                                v…
            > moved  the same value as at `other` before  v…
    "#]]);
    let policy = alice.read_text(".secrets.yaml");
    alice.write(
        ".secrets.yaml",
        format!("{policy}rotators: {{r: {{command: [./rotate, \"a b\"]}}}}\nmaintainers: [alice]\n"),
    );
    diff(&alice, "diff").check(expect![[r#"
        status: 0
        --- stdout
        `dev`, `dev.yaml`
          values
            + db     added                                v…
            > moved  the same value as at `other` before  v…

        .secrets.yaml
          policy
            ! rotator `r` runs ./rotate 'a b'  not committed yet
    "#]]);
    std::fs::remove_file(alice.work("dev.yaml")).unwrap();
    diff(&alice, "diff").check(expect![[r#"
        status: 0
        --- stdout
        `dev`, `dev.yaml`
          file and key
            - file removed
          who may read
            ! alice  x25519-7cb1b2c9014e3eb1  lost its grant, but the policy still names it  not committed yet
          missing
            ~ db  DB  required, and missing as before

        .secrets.yaml
          policy
            ! rotator `r` runs ./rotate 'a b'  not committed yet
    "#]]);
    alice.write("dev.yaml", "<<<<<<< HEAD\n");
    diff(&alice, "diff").check(expect![[r#"
        status: 0
        --- stdout
        `dev`, `dev.yaml`
          file and key
            ! file cannot be read: line 1 column 1: a merge conflict (`<<<<<<<`)
          who may read
            ! alice  x25519-7cb1b2c9014e3eb1  lost its grant, but the policy still names it  not committed yet
          missing
            ~ db  DB  required, and missing as before

        .secrets.yaml
          policy
            ! rotator `r` runs ./rotate 'a b'  not committed yet
    "#]]);
}

#[test]
fn before_the_first_commit_everything_is_new() {
    let alice = crate::fixture::alice("environments:\n  dev: {file: dev.yaml, readers: [alice]}\n");
    alice.git(["init", "--quiet"]).run().succeeds();
    set(&alice, "dev", "db", "1").succeeds();
    diff(&alice, "diff").check(expect![[r#"
        status: 0
        --- stdout
        `dev`, `dev.yaml`
          file and key
            + file added
            ~ new key k…
          values
            + db  added  v…
          who may read
            + alice  x25519-7cb1b2c9014e3eb1  may read: named in the policy, granted in the file  not committed yet

        .secrets.yaml
          policy
            + policy added  not committed yet
    "#]]);
}

#[test]
fn a_new_key_changes_no_value() {
    let team = Team::new(&["alice", "bob"]);
    let alice = team.person("alice");
    for path in ["a", "b.c", "d"] {
        set(&alice, "dev", path, "first").succeeds();
    }
    team.share(&alice, "values");
    alice.secretree(["apply", "dev", "--new-key", "--yes"]).run().succeeds();
    diff(&alice, "diff").check(expect![[r#"
        status: 0
        --- stdout
        `dev`, `secrets/dev.yaml`
          file and key
            ~ new key k…
    "#]]);
    // Offboarding and one value in one squashed commit: that one value counts as changed.
    let policy = alice.read_text(".secrets.yaml");
    alice.write(".secrets.yaml", policy.replace("[alice, bob]", "[alice]"));
    alice.secretree(["apply", "--yes"]).run().succeeds();
    set(&alice, "dev", "d", "second").succeeds();
    team.share(&alice, "bob leaves");
    diff(&alice, "diff --from HEAD~1").check(expect![[r#"
        status: 0
        --- stdout
        since commit COMMIT of `alice`, 2026-01-05, up to the work tree

        `dev`, `secrets/dev.yaml`
          file and key
            ~ new key k…
          values
            ~ d  changed  v… → v…
          who may read
            - bob  x25519-beb9c93eba2ffa2a  may no longer read what is written from now on  commit COMMIT of `alice`, 2026-01-05

        `prod`, `secrets/prod.yaml`
          file and key
            + file added
            ~ new key k…
          who may read
            + alice  x25519-7cb1b2c9014e3eb1  may read: named in the policy, granted in the file  commit COMMIT of `alice`, 2026-01-05
            - bob    x25519-beb9c93eba2ffa2a  is no reader any more; it was never granted         commit COMMIT of `alice`, 2026-01-05

        .secrets.yaml
          policy
            - bob may no longer write dev          commit COMMIT of `alice`, 2026-01-05
            - bob may no longer write prod         commit COMMIT of `alice`, 2026-01-05
            - bob may no longer change the policy  commit COMMIT of `alice`, 2026-01-05
    "#]]);
}

#[test]
fn an_environment_under_another_name_is_the_same_one() {
    let team = Team::new(&["alice"]);
    let alice = team.person("alice");
    set(&alice, "dev", "a", "first").succeeds();
    team.share(&alice, "values");
    let policy = alice.read_text(".secrets.yaml");
    let policy = policy
        .replace("default_environment: dev\n", "")
        .replace("  dev:", "  development:");
    alice.write(".secrets.yaml", policy);
    diff(&alice, "diff").check(expect![[r#"
        status: 0
        --- stdout
        `development`, `secrets/dev.yaml`
          file and key
            ! the policy called it `dev`, and its file still does

        .secrets.yaml
          policy
            + environment development declared        not committed yet
            - environment dev no longer declared      not committed yet
            + alice may write development             not committed yet
            - alice may no longer write dev           not committed yet
            ~ `default_environment` is no longer dev  not committed yet
    "#]]);
    // `apply` makes the file what the policy says; the values are the same ones by their versions.
    alice.secretree(["apply", "--move", "--yes"]).run().succeeds();
    set(&alice, "development", "b", "second").succeeds();
    diff(&alice, "diff").check(expect![[r#"
        status: 0
        --- stdout
        `development`, `secrets/dev.yaml`
          file and key
            > renamed from dev to development
            ~ new key k…
          values
            + b  added  v…

        `prod`, `secrets/prod.yaml`
          file and key
            + file added
            ~ new key k…
          who may read
            + alice  x25519-7cb1b2c9014e3eb1  may read: named in the policy, granted in the file  not committed yet

        .secrets.yaml
          policy
            + environment development declared        not committed yet
            - environment dev no longer declared      not committed yet
            + alice may write development             not committed yet
            - alice may no longer write dev           not committed yet
            ~ `default_environment` is no longer dev  not committed yet
    "#]]);
}

#[test]
fn where_file_and_policy_do_not_agree_is_to_be_looked_at() {
    let team = Team::new(&["alice", "bob"]);
    let (alice, bob) = (team.person("alice"), team.person("bob"));
    set(&alice, "dev", "db", "first").succeeds();
    team.share(&alice, "values");
    team.update(&bob);
    // Bob grants the key to somebody whom the policy does not name, who is told by the file alone.
    let mallory = team.sandbox().person("mallory");
    let file = "secrets/dev.yaml";
    let text = bob.read_text(file);
    let key = key_held_by(&bob, &text);
    let body = text.split_once("\nsecretree:").unwrap().0;
    let forgery = Forgery::with_key("dev", POLICY_ID, key.clone()).granted_to(&[&alice, &bob, &mallory]);
    bob.write(file, forgery.with_text(body).text());
    bob.commit("tidy");
    diff(&bob, "diff --from HEAD~1").check(expect![[r#"
        status: 0
        --- stdout
        since commit COMMIT of `alice`, 2026-01-05, up to the work tree

        `dev`, `secrets/dev.yaml`
          who may read
            ! mallory  x25519-c8efd43f5d1e2314  was granted the key, but is no reader by the policy  commit COMMIT of `bob`, 2026-01-05
    "#]]);
    // Takes alice's grant out and leaves the key as it is.
    let forgery = Forgery::with_key("dev", POLICY_ID, key).granted_to(&[&bob]);
    bob.write(file, forgery.with_text(body).text());
    diff(&bob, "diff --from HEAD~1").check(expect![[r#"
        status: 0
        --- stdout
        since commit COMMIT of `alice`, 2026-01-05, up to the work tree

        `dev`, `secrets/dev.yaml`
          who may read
            ! alice  x25519-7cb1b2c9014e3eb1  lost its grant, but the key is the old one, which it still opens  not committed yet
    "#]]);
    assert_eq!(footer_of(&bob.read_text(file)).grants.len(), 1);
}

#[test]
fn what_others_wrote_stays_text() {
    let alice = alice_with_git("environments:\n  dev: {file: dev.yaml, readers: [alice], plaintext: [\"log.*\"]}\n");
    let name = "\u{1b}[2J`bob` | <b>@team</b> \u{202e}";
    alice.git(["config", "user.name", name]).run().succeeds();
    let text =
        "\"a|b\": 1\n\"`c`\": 1\n\"<img src=x onerror=y>\": 1\n\"[x](http://x)\": 1\n\"e\\u001b[2Jf\": 1\n\"\": 1\n";
    edit(&alice, "dev", text).run().succeeds();
    let policy = alice.read_text(".secrets.yaml");
    alice.write(".secrets.yaml", policy.replace("log.*", "log.*\", \"\\\"x|`y`\\\".*"));
    alice.commit("odd");
    let output = diff(&alice, "diff --from HEAD~1");
    output.check(expect![[r#"
        status: 0
        --- stdout
        since commit COMMIT of `alice`, 2026-01-05, up to the work tree

        `dev`, `dev.yaml`
          file and key
            + file added
            ~ new key k…
          values
            + ""                       added  v…
            + "<img src=x onerror=y>"  added  v…
            + "[x](http://x)"          added  v…
            + "`c`"                    added  v…
            + "a|b"                    added  v…
            + "e\u001b[2Jf"            added  v…
          who may read
            + alice  x25519-7cb1b2c9014e3eb1  may read: named in the policy, granted in the file  commit COMMIT of `[2J`bob` | b@team/b \u{202e}`, 2026-01-05

        .secrets.yaml
          policy
            ! values of dev at "x|`y`".* may stand readable  commit COMMIT of `[2J`bob` | b@team/b \u{202e}`, 2026-01-05
    "#]]);
    assert!(!output.stdout().contains(['\u{1b}', '\u{202e}']));
    let output = diff(&alice, "diff --from HEAD~1 --markdown");
    output.check(expect![[r#"
        status: 0
        --- stdout
        ### Secrets in this change

        Since commit COMMIT of `alice`, 2026-01-05, up to the work tree.

        #### `dev`, `dev.yaml`

        | file and key | what |
        | --- | --- |
        | new | `file added` |
        | changed | `new key k…` |

        | values | path | what | version |
        | --- | --- | --- | --- |
        | new | `""` | added | v… |
        | new | `"<img src=x onerror=y>"` | added | v… |
        | new | `"[x](http://x)"` | added | v… |
        | new | `` "`c`" `` | added | v… |
        | new | `"a\u{7c}b"` | added | v… |
        | new | `"e\u001b[2Jf"` | added | v… |

        | who may read | who | public key | what | brought by |
        | --- | --- | --- | --- | --- |
        | new | `alice` | `x25519-7cb1b2c9014e3eb1` | may read: named in the policy, granted in the file | commit COMMIT of `` [2J`bob` \u{7c} b@team/b \u{202e} ``, 2026-01-05 |

        #### `.secrets.yaml`

        | policy | what | brought by |
        | --- | --- | --- |
        | **look** | `` values of dev at "x\u{7c}`y`".* may stand readable `` | commit COMMIT of `` [2J`bob` \u{7c} b@team/b \u{202e} ``, 2026-01-05 |
    "#]]);
    assert!(!output.stdout().contains(['\u{1b}', '\u{202e}']));
}

#[test]
fn readers_see_values_when_they_ask() {
    let (team, _) = pull_request();
    let alice = team.person("alice");
    alice.git(["fetch", "--quiet"]).run().code(0);
    diff(&alice, "diff --from main --to origin/pull --reveal").check(expect![[r#"
        status: 0
        --- stdout
        since commit COMMIT of `alice`, 2026-01-05, where this left `main`, up to `origin/pull`

        `prod`, `secrets/prod.yaml`
          values
            ~ api.token          changed          v… → v…  first  second
            ~ database.password  changed          v… → v…  first  second
            + log.level          added, readable  readable                      debug
            - old.key            removed          v…              first
          who may read
            + carol  x25519-4d6de9b73c422ec0  may read: named in the policy, granted in the file  commit COMMIT of `alice`, 2026-01-05
          missing
            ~ stripe.key  STRIPE_KEY  required, and missing as before: `payments`, owner `platform`

        .secrets.yaml
          policy
            + recipient carol added                             commit COMMIT of `alice`, 2026-01-05
            + carol has the public key x25519-4d6de9b73c422ec0  commit COMMIT of `alice`, 2026-01-05
            + carol may write prod                              commit COMMIT of `alice`, 2026-01-05
            ! carol may change the policy                       commit COMMIT of `alice`, 2026-01-05
            ! values of prod at log.* may stand readable        commit COMMIT of `alice`, 2026-01-05
            ~ group `platform`, joined by `carol`
    "#]]);
    set(&alice, "prod", "meanwhile", "\u{1b}[2Jsecond").succeeds();
    diff(&alice, "diff --reveal").check(expect![[r#"
        status: 0
        --- stdout
        `prod`, `secrets/prod.yaml`
          values
            ~ meanwhile  changed  v… → v…  first  \u{1b}[2Jsecond
          missing
            ~ stripe.key  STRIPE_KEY  required, and missing as before: `payments`, owner `platform`
    "#]]);
    diff(&alice, "diff --reveal --json").check(expect![[r#"
        status: 0
        --- stdout
        {
          "from": {
            "commit": "COMMIT",
            "revision": null
          },
          "to": {
            "commit": null,
            "revision": null
          },
          "policy": [],
          "groups": [],
          "environments": [
            {
              "environment": "prod",
              "former": null,
              "file": "secrets/prod.yaml",
              "events": [
                {
                  "event": "changed",
                  "path": "meanwhile",
                  "before": "v…",
                  "version": "v…"
                }
              ],
              "access": [],
              "lacking": [
                {
                  "path": "stripe.key",
                  "variable": "STRIPE_KEY",
                  "required": true,
                  "was_lacking": true,
                  "description": "payments",
                  "owner": "platform"
                }
              ],
              "foreign": [],
              "values": {
                "meanwhile": {
                  "before": "first",
                  "after": "\u001b[2Jsecond"
                }
              }
            }
          ]
        }
    "#]]);
    std::fs::remove_file(alice.identity_file()).unwrap();
    diff(&alice, "diff --reveal").check(expect![[r#"
        status: 4
        --- stderr
        warning: in `COMMIT`: no identity here can open `prod`: its values are not shown
        error: in `COMMIT`: no identity here can open `prod`
        hint: its readers then were alice, bob: ask one of them
    "#]]);
}

#[test]
fn two_environments_stand_side_by_side() {
    let mut team = Team::new(&["alice", "bob"]);
    let alice = team.person("alice");
    for (environment, path, value) in [
        ("dev", "db.password", "one"),
        ("dev", "same", "equal"),
        ("dev", "stripe.test", "x"),
        ("prod", "db.password", "two"),
        ("prod", "same", "equal"),
        ("prod", "tls.key", "x"),
    ] {
        set(&alice, environment, path, value).succeeds();
    }
    team.share(&alice, "values");
    diff(&alice, "diff dev prod").check(expect![[r#"
        status: 0
        --- stdout
        `dev` and `prod`
          only in dev
            - stripe.test
          only in prod
            + tls.key
          in both, different
            ~ db.password
          in both, equal
            = same
    "#]]);
    diff(&alice, "diff dev prod --json").check(expect![[r#"
        status: 0
        --- stdout
        {
          "environments": [
            "dev",
            "prod"
          ],
          "only": [
            [
              "stripe.test"
            ],
            [
              "tls.key"
            ]
          ],
          "both": [
            "db.password",
            "same"
          ],
          "equal": [
            "same"
          ],
          "different": [
            "db.password"
          ]
        }
    "#]]);
    diff(&alice, "diff dev prod --reveal").check(expect![[r#"
        status: 0
        --- stdout
        `dev` and `prod`
          only in dev
            - stripe.test  x
          only in prod
            + tls.key    x
          in both, different
            ~ db.password  one  two
          in both, equal
            = same  equal  equal
    "#]]);
    let stranger = team.add("stranger");
    diff(&stranger, "diff dev prod").check(expect![[r#"
        status: 0
        --- stdout
        `dev` and `prod`
          only in dev
            - stripe.test
          only in prod
            + tls.key
          in both
              db.password
              same
        --- stderr
        no identity here can open `dev`: whether values are equal only readers of both can tell
    "#]]);
    diff(&stranger, "diff dev prod --reveal").code(4).prints("");
    diff(&alice, "diff dev dev").check(expect![[r#"
        status: 2
        --- stderr
        error: both are `dev`
        hint: name two environments: secretree diff dev prod
    "#]]);
    diff(&alice, "diff dev prot").check(expect![[r#"
        status: 1
        --- stderr
        error: `prot` is no environment
        hint: did you mean `prod`?
    "#]]);
}

#[test]
fn wrong_words_are_told_how_to_be_right() {
    let (mut team, reviewer) = pull_request();
    diff(&reviewer, "diff --from nowhere").check(expect![[r#"
        status: 1
        --- stderr
        error: `nowhere` names no commit here
        hint: a commit, a branch, a tag, or a day such as 2026-01-31: git log --oneline
    "#]]);
    diff(&reviewer, "diff --to origin/pull").code(2).says("--from");
    diff(&reviewer, "diff --from main --markdown --json")
        .code(2)
        .says("`--markdown` does not go with `--json`");
    diff(&reviewer, "diff --markdown --reveal").code(2);
    diff(&reviewer, "diff prod dev --from main").code(2);
    diff(&reviewer, "diff prot --from origin/main").check(expect![[r#"
        status: 1
        --- stderr
        error: `prot` is no environment, neither before nor after
        hint: did you mean `prod`?
    "#]]);
    diff(&reviewer, "diff HEAD~1").check(expect![[r#"
        status: 1
        --- stderr
        error: `HEAD~1` is no environment, neither before nor after
        hint: a revision? secretree diff --from HEAD~1
    "#]]);
    diff(&reviewer, "diff HEAD~1 HEAD").check(expect![[r#"
        status: 1
        --- stderr
        error: `HEAD~1` is no environment
        hint: environments are prod
        hint: revisions? secretree diff --from HEAD~1 --to HEAD
    "#]]);
    let alice = team.person("alice");
    let shallow = shallow_clone_of(&mut team, &alice, "shallow");
    shallow
        .git(["fetch", "--quiet", "--depth", "1", "origin", "pull:pull"])
        .run()
        .code(0);
    diff(&shallow, "diff --from pull").check(expect![[r#"
        status: 1
        --- stderr
        error: where this left `pull` is not in this clone, which is shallow
        hint: git fetch --unshallow; in a job of GitHub: actions/checkout with `fetch-depth: 0`
    "#]]);
    std::fs::remove_dir_all(alice.work(".git")).unwrap();
    diff(&alice, "diff").check(expect![[r#"
        status: 1
        --- stderr
        error: there is no git history here
        hint: work inside a clone of the repository
    "#]]);
}
