//! `recipient import`: a list of people from elsewhere drives a group, and nothing but what was shown is done. Lists that
//! deceive are `recipient_import_hostile`'s.

use expect_test::expect;

use crate::fixture::{changes_nothing, edit};
use crate::recipient::SSH;
use crate::run::Run;
use crate::sandbox::Person;
use crate::team::Team;

const REST: &str = "\
groups:
  # Everybody who builds.
  developers: [alice, dave, oncall]   # as the forge says
  oncall: [alice]
environments:
  dev: {file: secrets/dev.yaml, readers: [developers]}
  prod: {file: secrets/prod.yaml, readers: [oncall]}
";

/// Alice and dave are developers; bob and carol have keys at the forge, and erin has none.
fn team() -> (Team, Person) {
    let team = Team::with_policy(&["alice", "dave"], REST);
    let alice = team.person("alice");
    edit(&alice, "dev", "a: b\n").run().succeeds();
    edit(&alice, "prod", "a: b\n").run().succeeds();
    team.share(&alice, "values");
    let bob = alice.sandbox().person("bob").public_key();
    let keys = alice.folder().join("keys");
    std::fs::create_dir(&keys).unwrap();
    std::fs::write(keys.join("Bob-L.keys"), format!("{bob}\necdsa-sha2-nistp256 AAAA\n")).unwrap();
    std::fs::write(keys.join("carol.keys"), format!("{SSH}\n")).unwrap();
    (team, alice)
}

/// `recipient import --group developers` with a list and more operands.
pub(crate) fn import(person: &Person, list: impl Into<Vec<u8>>, operands: &str) -> Run {
    let words = ["recipient", "import", "--group", "developers"].into_iter();
    person.secretree(words.chain(operands.split_whitespace())).input(list)
}

const MEMBERS: &str = r#"[{"login": "alice", "id": 1, "type": "User"}, {"login": "Bob-L", "id": 2}]
[{"login": "carol", "id": 3, "site_admin": false}, {"login": "erin", "id": 4}]"#;

#[test]
fn a_team_of_the_forge_becomes_a_group() {
    let (team, alice) = team();
    changes_nothing(import(&alice, MEMBERS, "--keys ../keys")).check(expect![[r#"
        status: 1
        --- stderr
        .secrets.yaml:
          +  bob-l: {keys: [age1…]}
          +  carol: {keys: [ssh-ed25519 AAAA…]}
          -  developers: [alice, dave, oncall]   # as the forge says
          +  developers: [alice, oncall, bob-l, carol]   # as the forge says
        `bob-l` joins `developers`: new, Bob-L in the list, with this key:
          x25519-beb9c93eba2ffa2a  age1…
        `carol` joins `developers`: new, carol in the list, with this key:
          ssh-ed25519-f296e69247c1901f  ssh-ed25519 AAAA…
        `dave` leaves `developers`: not in the list
        no list is about these, and they stay in `developers`: `oncall`
        `bob-l`, `carol` may then read and change dev
        `dave` may then no longer read and change dev
        left out, since no public key came for them: `erin`
        left out: `Bob-L.keys`: the ecdsa-sha2-nistp256 key in line 2 is of a kind that age cannot use: only `ssh-ed25519` and `ssh-rsa` can decrypt
        error: no terminal to ask on: write this?
        hint: `--yes` answers with yes
    "#]]);
    changes_nothing(import(&alice, MEMBERS, "--keys ../keys --dry-run")).succeeds();
    let before = alice.read_text(".secrets.yaml");
    import(&alice, MEMBERS, "--keys ../keys --yes --commit")
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            .secrets.yaml:
              +  bob-l: {keys: [age1…]}
              +  carol: {keys: [ssh-ed25519 AAAA…]}
              -  developers: [alice, dave, oncall]   # as the forge says
              +  developers: [alice, oncall, bob-l, carol]   # as the forge says
            `bob-l` joins `developers`: new, Bob-L in the list, with this key:
              x25519-beb9c93eba2ffa2a  age1…
            `carol` joins `developers`: new, carol in the list, with this key:
              ssh-ed25519-f296e69247c1901f  ssh-ed25519 AAAA…
            `dave` leaves `developers`: not in the list
            no list is about these, and they stay in `developers`: `oncall`
            `bob-l`, `carol` may then read and change dev
            `dave` may then no longer read and change dev
            left out, since no public key came for them: `erin`
            left out: `Bob-L.keys`: the ecdsa-sha2-nistp256 key in line 2 is of a kind that age cannot use: only `ssh-ed25519` and `ssh-rsa` can decrypt
            wrote .secrets.yaml
            committed COMMIT
            next: `secretree apply dev --commit`, then push
            until then the files grant what they granted; who has gone for good, and not only from `developers`: secretree offboard dave
            for keys from a forge: curl -sf -o ../keys/erin.keys https://github.com/erin.keys, then again
        "#]]);
    alice
        .git(["show", "--format=%s", "--name-only", "HEAD"])
        .run()
        .prints("secrets: developers: + bob-l, carol - dave\n\n.secrets.yaml\n");
    let after = alice.read_text(".secrets.yaml");
    let kept = before
        .lines()
        .filter(|line| after.lines().any(|other| other == *line))
        .count();
    assert_eq!(before.lines().count() - kept, 1, "one line is another:\n{after}");
    // What the files grant follows by `apply`, and by that alone.
    let bob = team.sandbox().person("bob").folder().join("config");
    let get = || alice.secretree(["get", "dev", "a"]).env("XDG_CONFIG_HOME", &bob).run();
    get().code(4);
    alice
        .secretree(["apply", "dev", "--yes", "--commit"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            dev: new key k…; every value is sealed anew
            dev: + bob-l (x25519-beb9c93eba2ffa2a) can read (commit COMMIT of alice, 2026-01-05)
            dev: + carol (ssh-ed25519-f296e69247c1901f) can read (commit COMMIT of alice, 2026-01-05)
            dev: - dave (x25519-69b3371675b4b634) can no longer read what is written from now on (commit COMMIT of alice, 2026-01-05)
            policy: carol signs with ssh-ed25519 AAAA… (commit COMMIT of alice, 2026-01-05)
            wrote secrets/dev.yaml
            committed COMMIT
        "#]]);
    get().prints("b");
    changes_nothing(import(&alice, MEMBERS, "--keys ../keys --yes")).check(expect![[r#"
        status: 0
        --- stderr
        left out, since no public key came for them: `erin`
        `developers` has the people of the list already; nothing was written
        for keys from a forge: curl -sf -o ../keys/erin.keys https://github.com/erin.keys, then again
    "#]]);
}

const USERS: &str = r#"{
  "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
  "totalResults": 3, "itemsPerPage": 3, "startIndex": 1,
  "Resources": [
    {"id": "1", "userName": "alice@example.com", "active": true, "emails": [{"value": "Alice@Example.com", "primary": true}]},
    {"id": "2", "userName": "dave@example.com", "active": false, "emails": [{"value": "dave@example.com", "primary": true}]},
    {"id": "3", "userName": "carol@example.com", "displayName": "Carol", "emails": [{"value": "c.carol@example.com", "primary": true}]}
  ]
}"#;

#[test]
fn users_of_an_identity_provider_are_known_by_address() {
    let (_, alice) = team();
    changes_nothing(import(&alice, USERS, "--yes")).check(expect![[r#"
        status: 1
        --- stderr
        error: the list goes by address, and the policy has none for `alice`, `dave`; nothing was written
        hint: write it down: `email: ADDRESS` under `recipients.alice`
    "#]]);
    let addressed = |name: &str, text: &str| {
        let line = text
            .lines()
            .find(|line| line.starts_with(&format!("  {name}:")))
            .unwrap()
            .to_owned();
        text.replace(&line, &line.replace('}', &format!(", email: {name}@example.com}}")))
    };
    let text = addressed("dave", &addressed("alice", &alice.read_text(".secrets.yaml")));
    alice.write(".secrets.yaml", text);
    import(&alice, USERS, "--yes --keys ../keys --json")
        .run()
        .check(expect![[r#"
            status: 0
            --- stdout
            {
              "group": "developers",
              "dry_run": false,
              "joins": [
                {
                  "name": "carol",
                  "listed_as": "c.carol@example.com",
                  "by": "new",
                  "email": "c.carol@example.com",
                  "keys": [
                    {
                      "kind": "ssh-ed25519",
                      "label": "ssh-ed25519-f296e69247c1901f",
                      "public_key": "ssh-ed25519 AAAA…"
                    }
                  ]
                }
              ],
              "leaves": [
                {
                  "name": "dave",
                  "inactive": true,
                  "still_member": false
                }
              ],
              "stays": [
                "alice"
              ],
              "kept": [
                "oncall"
              ],
              "left_out": [],
              "gains": [
                {
                  "name": "carol",
                  "reads": [
                    "dev"
                  ],
                  "writes": [
                    "dev"
                  ],
                  "maintainer": false
                }
              ],
              "losses": [
                {
                  "name": "dave",
                  "reads": [
                    "dev"
                  ],
                  "writes": [
                    "dev"
                  ],
                  "maintainer": false
                }
              ]
            }
            --- stderr
            .secrets.yaml:
              +  carol: {keys: [ssh-ed25519 AAAA…], email: c.carol@example.com}
              -  developers: [alice, dave, oncall]   # as the forge says
              +  developers: [alice, oncall, carol]   # as the forge says
            `carol` joins `developers`: new, c.carol@example.com in the list, with this key:
              ssh-ed25519-f296e69247c1901f  ssh-ed25519 AAAA…
            `dave` leaves `developers`: the account is not active in the list
            no list is about these, and they stay in `developers`: `oncall`
            `carol` may then read and change dev
            `dave` may then no longer read and change dev
            wrote .secrets.yaml
            next: `secretree apply dev`, then commit
            until then the files grant what they granted; who has gone for good, and not only from `developers`: secretree offboard dave
        "#]]);
}

#[test]
fn a_scim_group_needs_its_users() {
    let (_, alice) = team();
    let text = alice
        .read_text(".secrets.yaml")
        .replacen('}', ", email: alice@example.com}", 1);
    alice.write(".secrets.yaml", text.replace("alice, dave, oncall", "alice, oncall"));
    let group = r#"{"schemas": [], "totalResults": 1, "Resources": [{"displayName": "Developers",
        "members": [{"value": "1", "display": "Alice"}, {"value": "3", "display": "Carol"}]}]}"#;
    changes_nothing(import(&alice, group, "--yes")).check(expect![[r#"
        status: 1
        --- stderr
        error: standard input has only a group, and nothing tells the address of its member 1; nothing was written
        hint: give the users too, before or behind it: { curl …/Users; curl …/Groups?filter=…; } | …
    "#]]);
    import(&alice, format!("{USERS}\n{group}"), "--yes --keys ../keys")
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            .secrets.yaml:
              +  carol: {keys: [ssh-ed25519 AAAA…], email: c.carol@example.com}
              -  developers: [alice, oncall]   # as the forge says
              +  developers: [alice, oncall, carol]   # as the forge says
            `carol` joins `developers`: new, c.carol@example.com in the list, with this key:
              ssh-ed25519-f296e69247c1901f  ssh-ed25519 AAAA…
            no list is about these, and they stay in `developers`: `oncall`
            `carol` may then read and change dev
            wrote .secrets.yaml
            next: `secretree apply dev`, then commit
        "#]]);
}

#[test]
fn somebody_with_another_login_is_known_by_a_key() {
    let (_, alice) = team();
    let dave = alice.sandbox().person("dave").public_key();
    std::fs::write(alice.folder().join("keys/d4ve.keys"), dave).unwrap();
    std::fs::write(alice.folder().join("keys/alice.keys"), SSH).unwrap();
    let list = r#"[{"login": "alice"}, {"login": "d4ve"}]"#;
    changes_nothing(import(&alice, list, "--keys ../keys")).check(expect![[r#"
        status: 0
        --- stderr
        other keys came than the policy has, and change nothing: `alice`
        `developers` has the people of the list already; nothing was written
    "#]]);
    let fewer = alice
        .read_text(".secrets.yaml")
        .replace("alice, dave, oncall", "alice, oncall");
    alice.write(".secrets.yaml", fewer);
    import(&alice, list, "--keys ../keys --yes").run().check(expect![[r#"
        status: 0
        --- stderr
        .secrets.yaml:
          -  developers: [alice, oncall]   # as the forge says
          +  developers: [alice, oncall, dave]   # as the forge says
        `dave` joins `developers`: known by the key x25519-69b3371675b4b634 of d4ve
        no list is about these, and they stay in `developers`: `oncall`
        `dave` may then read and change dev
        other keys came than the policy has, and change nothing: `alice`
        wrote .secrets.yaml
        next: `secretree apply dev`, then commit
    "#]]);
}

#[test]
fn a_list_that_looks_cut_takes_nobody_out() {
    let (_, alice) = team();
    let full: Vec<_> = (0..30).map(|at| format!(r#"{{"login": "p{at}"}}"#)).collect();
    for list in ["[]".to_owned(), "[[]]".to_owned(), format!("[{}]", full.join(","))] {
        changes_nothing(import(&alice, list.as_str(), "--yes")).code(1);
    }
    changes_nothing(import(&alice, "[]", "--yes")).check(expect![[r#"
        status: 1
        --- stderr
        error: the list has nobody, so 2 people would leave `developers`
        hint: look at what the command before the pipe prints
        hint: if that is meant: --whole
    "#]]);
    changes_nothing(import(&alice, format!("[{}]", full.join(",")), "--yes")).check(expect![[r#"
        status: 1
        --- stderr
        error: the last page of the list is full (30 people), so there may be another one, and 2 people would leave `developers`
        hint: fetch all pages: gh api --paginate …
        hint: if it was the last page: --whole
    "#]]);
    changes_nothing(import(&alice, r#"[{"login": "erin"}]"#, "--yes")).check(expect![[r#"
        status: 1
        --- stderr
        error: nobody of `developers` is in the list, so 2 people would leave it
        hint: is it the list of this team?
        hint: if that is meant: --whole
    "#]]);
    changes_nothing(import(
        &alice,
        r#"{"totalResults": 5, "Resources": [{"userName": "alice"}]}"#,
        "--yes --whole",
    ))
    .check(expect![[r#"
        status: 1
        --- stderr
        error: standard input is not the whole list: 1 of 5 users; nothing was written
        hint: fetch the other pages too (`startIndex`, `count`), and give all of them, one behind the other
    "#]]);
    import(&alice, "[]", "--yes --whole").run().check(expect![[r#"
        status: 0
        --- stderr
        .secrets.yaml:
          -  developers: [alice, dave, oncall]   # as the forge says
          +  developers: [oncall]   # as the forge says
        `alice` leaves `developers`: not in the list, and a member still through a group in it
        `dave` leaves `developers`: not in the list
        no list is about these, and they stay in `developers`: `oncall`
        `dave` may then no longer read and change dev
        wrote .secrets.yaml
        next: `secretree apply dev`, then commit
        until then the files grant what they granted; who has gone for good, and not only from `developers`: secretree offboard dave
    "#]]);
}

#[test]
fn what_is_typed_wrong_is_said() {
    let (_, alice) = team();
    changes_nothing(import(&alice, MEMBERS, "--keys nowhere")).check(expect![[r#"
        status: 1
        --- stderr
        error: `nowhere` is no folder; `--keys` names one that has LOGIN.keys files
    "#]]);
    changes_nothing(
        alice
            .secretree(["recipient", "import", "--group", "develpers"])
            .input(MEMBERS),
    )
    .check(expect![[r#"
        status: 1
        --- stderr
        error: `develpers` is no group
        hint: did you mean `developers`?
        hint: a new group is a line below `groups:` in .secrets.yaml: `develpers: []`
    "#]]);
    changes_nothing(alice.secretree(["recipient", "import"]).input(MEMBERS)).code(2);
    changes_nothing(import(&alice, "", "")).check(expect![[r#"
        status: 1
        --- stderr
        error: standard input is empty, which says nothing of anybody; nothing was written
    "#]]);
    changes_nothing(import(&alice, r#"{"message": "Not Found", "status": "404"}"#, "")).check(expect![[r#"
        status: 1
        --- stderr
        error: standard input is neither a SCIM list, which has `totalResults`, nor an array of members; nothing was written
        hint: is it an error that the command before the pipe got?
    "#]]);
    let mut terminal = alice.on_terminal(["recipient", "import", "--group", "developers"]);
    terminal.expect("reads a list of people on standard input");
    terminal.finish().code(2);
}
