//! `import`: what a file becomes, what an environment keeps, what is refused, and what git still holds. What other tools
//! wrote is in `import_peers`.

use expect_test::expect;

use crate::canary::Canary;
use crate::fixture::{TWO_ENVIRONMENTS, alice, alice_with_dev, alice_with_git, changes_nothing, edit};
use crate::sandbox::{Person, Sandbox};

/// The decrypted text of `dev`.
fn text(person: &Person) -> String {
    person.secretree(["decrypt", "dev"]).reveals().run().succeeds().stdout()
}

#[test]
fn an_empty_environment_becomes_the_file_with_its_comments() {
    let alice = alice_with_git(TWO_ENVIRONMENTS);
    alice.write(
        ".env",
        "# the shop\nSTRIPE_KEY=sk_1 # live\n\nexport PORT=5432\n#OLD=x\nURL=\"http://$HOST\"\nPEM='a\nb'\n",
    );
    alice.secretree(["import", "dev", ".env"]).run().check(expect![[r#"
        status: 0
        --- stderr
        dev: makes secrets/dev.yaml
        dev: + alice (x25519-7cb1b2c9014e3eb1) can read (commit COMMIT of alice, 2026-01-05)
        note: `OLD`: an assignment in a comment, left out: comments stay readable
        note: `URL`: `$…` is kept as text; nothing is expanded here
        note: comments stay readable (2 in the file): look at them before you commit
        + dev:STRIPE_KEY
        + dev:PORT
        + dev:URL
        + dev:PEM
        `dev`, from dotenv `.env`: 4 added, 0 changed, 0 the same
        next: delete `.env`, which still holds the values, or put it into .gitignore
    "#]]);
    assert_eq!(
        text(&alice),
        "# the shop\nSTRIPE_KEY: sk_1 # live\n\nPORT: \"5432\"\nURL: \"http://$HOST\"\nPEM: |-\n  a\n  b\n"
    );
    // A second time changes nothing, not even a token.
    changes_nothing(alice.secretree(["import", "dev", ".env"])).check(expect![[r#"
        status: 0
        --- stderr
        note: `OLD`: an assignment in a comment, left out: comments stay readable
        note: `URL`: `$…` is kept as text; nothing is expanded here
        = dev:STRIPE_KEY
        = dev:PORT
        = dev:URL
        = dev:PEM
        `dev`, from dotenv `.env`: 0 added, 0 changed, 4 the same
        unchanged; nothing was written
        next: delete `.env`, which still holds the values, or put it into .gitignore
    "#]]);
}

#[test]
fn an_environment_with_values_keeps_the_others() {
    let alice = alice_with_dev("# mine\nstripe:\n  key: old # live\n  name: shop\nhosts: [a, b]\nlog: {level: info}\n");
    let before = alice.read_text("secrets/dev.yaml");
    alice.write(
        "new.json",
        r#"{"stripe": {"key": "new", "name": "shop", "max": 1.10}, "hosts": ["c"], "log": {"format": "json"}}"#,
    );
    changes_nothing(alice.secretree(["import", "dev", "new.json"])).check(expect![[r#"
        status: 1
        --- stderr
        ~ dev:stripe.key
        ~ dev:hosts.0
        - dev:hosts.1
        error: no terminal to ask on: replace these values?
        hint: `--yes` answers with yes
    "#]]);
    alice
        .secretree(["import", "dev", "new.json", "--yes"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            ~ dev:stripe.key
            ~ dev:hosts.0
            - dev:hosts.1
            + dev:stripe.max
            + dev:log.format
            = dev:stripe.name
            note: `dev:log.format` stands readable, as `plaintext` in the policy says
            `dev`, from json `new.json`: 2 added, 2 changed, 1 the same
            next: delete `new.json`, which still holds the values
        "#]]);
    assert_eq!(
        text(&alice),
        "# mine\nstripe:\n  key: new # live\n  max: 1.10\n  name: shop\nhosts: [\"c\"]\nlog: {level: info, \"format\": \"json\"}\n"
    );
    let token = |text: &str| {
        let name = text
            .split("name: |-")
            .nth(1)
            .map(|rest| rest.trim_start().lines().next().map(String::from));
        name.flatten().unwrap()
    };
    assert_eq!(token(&before), token(&alice.read_text("secrets/dev.yaml")));
    let question = "replace these values?";
    alice.write("new.json", r#"{"stripe": {"key": "third"}}"#);
    let mut terminal = alice.on_terminal(["import", "dev", "new.json"]);
    terminal.expect("~ dev:stripe.key").expect(question).send("n\n");
    terminal.finish().code(1);
}

#[test]
fn json_says_what_was_done_by_path() {
    let alice = alice_with_dev("a: 1\nb: 2\n");
    alice
        .secretree(["import", "dev", "-", "--yes", "--json"])
        .input("b: 3\n\"x.y\": 4 # why\na: 1\n")
        .run()
        .check(expect![[r#"
            status: 0
            --- stdout
            {
              "environment": "dev",
              "file": "standard input",
              "kind": "yaml",
              "added": [
                "\"x.y\""
              ],
              "changed": [
                "b"
              ],
              "removed": [],
              "same": [
                "a"
              ],
              "comments": 1,
              "notes": []
            }
            --- stderr
            ~ dev:b
        "#]]);
}

#[test]
fn what_no_environment_can_hold_is_refused_before_anything_is_written() {
    let alice = alice_with_dev("a: 1\nmap: {b: 1}\n");
    let refused = |kind: &str, text: &str| {
        let run = alice
            .secretree(["import", "dev", "-", "--yes", "--from", kind])
            .input(text);
        changes_nothing(run).code(1).stderr()
    };
    let token = "ENC[age,k3f9c0b71d2a4e658,v8e11c07a,YWdl]";
    let mut said = String::new();
    for (kind, text) in [
        ("dotenv", format!("A={token}\n")),
        ("dotenv", "A=1\nsecretree=1\n".to_owned()),
        ("dotenv", "A=1\nB='x\n".to_owned()),
        ("dotenv", "A=1\nwhat is this\n".to_owned()),
        ("json", format!("{{\"x\": [\"{token}\"]}}")),
        ("json", "{\"x\": 1, \"x\": 2}".to_owned()),
        ("json", "[1]".to_owned()),
        ("json", "{\"x\"".to_owned()),
        ("yaml", format!("x: {token}\n")),
        ("yaml", "secretree: 1\n".to_owned()),
        ("yaml", "x: &a 1\n".to_owned()),
        ("yaml", "map: 1\n".to_owned()),
        ("doppler", "{\"A\": 1}".to_owned()),
        ("dotenvx", "A=encrypted:AAAA\n".to_owned()),
        ("sops", "x: 1\n".to_owned()),
    ] {
        said.push_str(&refused(kind, &text));
    }
    expect![[r#"
        error: `standard input` holds an encrypted token at `A`, not its value
        hint: `secretree decrypt` gives the values of an environment
        error: `standard input` has a root key `secretree`, which is the footer's place
        hint: rename it there
        error: `standard input` line 2: a quote that is never closed
        hint: a line is NAME=value, or a comment that begins with `#`
        error: `standard input` line 2: neither an assignment nor a comment
        hint: a line is NAME=value, or a comment that begins with `#`
        error: `standard input` holds an encrypted token at `x.0`, not its value
        hint: `secretree decrypt` gives the values of an environment
        error: `standard input` names `x` twice
        hint: take one of them out; readers differ about which one counts
        error: `standard input` is no JSON object, so its values have no names
        hint: put it under a name: {"name": …}
        error: `standard input` line 1 column 4: no JSON: EOF while parsing an object
        error: `standard input` line 1 column 4: a value that has the shape of an encrypted token
        hint: write the value itself
        error: `standard input` line 1 column 1: a root key `secretree`, which is the name of the footer
        hint: give the key another name
        error: `standard input` line 1 column 4: an anchor (`&…`)
        hint: write the value out where it is needed
        error: `dev:map` is a mapping, but a value in `standard input`
        hint: rename it there, or take it out here first: secretree unset dev map
        error: `standard input` has a value that is no string, `A`, and Doppler's are
        hint: --from json takes any JSON
        error: `standard input` has a malformed encrypted value, `A`
        error: `standard input` is no sops file: it has no `sops` part
    "#]]
    .assert_eq(&said);
    // A file in the code page of an old machine, or UTF-16: what to do is known.
    for (name, bytes) in [("latin.env", &b"A=1\nB=caf\xe9\n"[..]), ("wide.env", b"\xff\xfeA\0=\0")] {
        alice.write(name, bytes);
        changes_nothing(alice.secretree(["import", "dev", name])).code(1);
    }
    changes_nothing(alice.secretree(["import", "dev", "latin.env"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `latin.env` line 2 column 6: text that is not UTF-8
        hint: save it as UTF-8
    "#]]);
    let unknown = changes_nothing(alice.secretree(["import", "dev", "-"]).input("\u{1}binary"));
    unknown.check(expect![[r#"
        status: 1
        --- stderr
        error: `standard input` is no kind of file that is known here
        hint: say what it is: --from dotenv|json|yaml|sops|dotenvx|doppler
    "#]]);
    changes_nothing(alice.secretree(["import", "dev", "absent.env"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `absent.env` does not exist
    "#]]);
    alice.write(".env", "A=1\n");
    changes_nothing(alice.secretree(["import", "staging", ".env"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `staging` is no environment
        hint: environments are dev, prod
        hint: to make it, add to `environments` in `.secrets.yaml`: staging: {file: secrets/staging.yaml, readers: [NAME]}
    "#]]);
    changes_nothing(alice.secretree(["import", "dev"])).code(2);
}

#[test]
fn a_file_that_git_has_is_named_with_its_first_commit() {
    let alice = alice_with_git(TWO_ENVIRONMENTS);
    alice.write(".env", "A=1\n");
    alice.commit("values in the open");
    alice.write(".env", "A=2\n");
    alice.commit("more");
    alice.secretree(["import", "dev", ".env"]).run().check(expect![[r#"
        status: 0
        --- stderr
        dev: makes secrets/dev.yaml
        dev: + alice (x25519-7cb1b2c9014e3eb1) can read (commit COMMIT of alice, 2026-01-05)
        + dev:A
        `dev`, from dotenv `.env`: 1 added, 0 changed, 0 the same
        warning: `.env` is in git's history since COMMIT, and so are its values: make new ones (rotate)
        next: git rm --cached .env, put it into .gitignore, and delete it
    "#]]);
    alice.git(["rm", "--quiet", "--cached", ".env"]).run().succeeds();
    alice.write(".gitignore", ".env\n");
    alice.commit("gone");
    alice
        .secretree(["import", "prod", ".env", "--commit"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            prod: makes secrets/prod.yaml
            prod: + alice (x25519-7cb1b2c9014e3eb1) can read (commit COMMIT of alice, 2026-01-05)
            + prod:A
            `prod`, from dotenv `.env`: 1 added, 0 changed, 0 the same
            warning: `.env` is in git's history since COMMIT, and so are its values: make new ones (rotate)
            next: delete `.env`, which still holds the values
            committed COMMIT
        "#]]);
    alice
        .git(["log", "-1", "--format=%s", "--name-only"])
        .run()
        .prints("secrets: import prod: A\n\nsecrets/prod.yaml\n");
}

#[test]
fn other_branches_are_history_too_and_names_are_quoted() {
    let alice = alice_with_git(TWO_ENVIRONMENTS);
    alice.write("it's/.env", "A=1\n");
    alice.git(["switch", "--quiet", "--create", "aside"]).run().succeeds();
    alice.commit("values on a branch");
    alice.git(["switch", "--quiet", "-"]).run().succeeds();
    alice.write("it's/.env", "A=2\n");
    alice.secretree(["import", "dev", "it's/.env"]).run().check(expect![[r#"
        status: 0
        --- stderr
        dev: makes secrets/dev.yaml
        dev: + alice (x25519-7cb1b2c9014e3eb1) can read (commit COMMIT of alice, 2026-01-05)
        + dev:A
        `dev`, from dotenv `it's/.env`: 1 added, 0 changed, 0 the same
        warning: `it's/.env` is in git's history since COMMIT, and so are its values: make new ones (rotate)
        next: delete `it's/.env`, which still holds the values, or put it into .gitignore
    "#]]);
}

#[test]
fn what_git_cannot_tell_is_said_and_the_values_are_taken() {
    let alice = alice_with_git(TWO_ENVIRONMENTS);
    alice.write(".env", "A=1\n");
    alice.commit("values in the open");
    alice.git(["rm", "--quiet", ".env"]).run().succeeds();
    alice.commit("gone");
    let origin = format!("file://{}", alice.work("").display());
    let clone = |operands: &[&str]| {
        let _ = std::fs::remove_dir_all(alice.work("clone"));
        alice
            .git([&["clone", "--quiet"], operands, &[&origin, "clone"]].concat())
            .run()
            .succeeds();
        alice.write("clone/.env", "A=1\n");
        alice.secretree(["-C", "clone", "import", "dev", ".env"])
    };
    clone(&["--depth", "1"]).run().check(expect![[r#"
        status: 0
        --- stderr
        dev: makes secrets/dev.yaml
        dev: + alice (x25519-7cb1b2c9014e3eb1) can read (by no commit of this cut history)
        + dev:A
        `dev`, from dotenv `.env`: 1 added, 0 changed, 0 the same
        warning: `.env` may be in git's history, of which this clone has a part only; where it is whole: git log --all -- .env
        next: delete `.env`, which still holds the values, or put it into .gitignore
    "#]]);
    // The last commit of the branch is all that it has, and the file is in it.
    alice.write(".env", "A=2\n");
    alice.commit("back");
    clone(&["--depth", "1"]).run().check(expect![[r#"
        status: 0
        --- stderr
        dev: makes secrets/dev.yaml
        dev: + alice (x25519-7cb1b2c9014e3eb1) can read (by no commit of this cut history)
        + dev:A
        `dev`, from dotenv `.env`: 1 added, 0 changed, 0 the same
        warning: `.env` is in git's history since COMMIT at least, and so are its values: make new ones (rotate)
        next: git rm --cached .env, put it into .gitignore, and delete it
    "#]]);
    alice
        .git(["init", "--quiet", "--object-format=sha256", "other"])
        .run()
        .succeeds();
    alice.write("other/.env", "A=1\n");
    alice.write("other/.secrets.yaml", alice.read(".secrets.yaml"));
    alice.secretree(["-C", "other", "import", "dev", ".env"]).run().check(expect![[r#"
        status: 0
        --- stderr
        dev: makes secrets/dev.yaml
        dev: + alice (x25519-7cb1b2c9014e3eb1) can read
        + dev:A
        `dev`, from dotenv `.env`: 1 added, 0 changed, 0 the same
        warning: whether git has `.env` is not seen here (its objects are named by SHA-256, which is not supported); look with git log --all -- .env
        next: git rm --cached --ignore-unmatch .env, put it into .gitignore, and delete it
    "#]]);
}

#[test]
fn who_cannot_read_the_environment_cannot_import() {
    let alice = alice_with_dev("a: 1\n");
    alice.write(".env", "B=1\n");
    let stranger = Sandbox::new().person("eve");
    let identity = stranger.identity_file();
    std::fs::copy(identity, alice.identity_file()).unwrap();
    changes_nothing(alice.secretree(["import", "dev", ".env"])).code(4);
}

#[test]
fn a_canary_in_a_file_is_seen_nowhere_else() {
    let alice = alice_with_git(TWO_ENVIRONMENTS);
    let canary = Canary::new();
    let value = canary.value();
    let kinds = [
        (
            "one.env",
            format!("A=1\nB={value}\n#C={value}\nD=\"${{X}}{value}\" # x\n"),
        ),
        ("two.json", format!("{{\"two\": {{\"b\": [\"{value}\"]}}}}")),
        ("three.yaml", format!("three: {value}\n")),
        (
            "four.json",
            format!("{{\"E\": {{\"computed\": \"{value}\", \"raw\": \"x\"}}}}"),
        ),
        ("broken.env", format!("A={value}\n{value} x\n")),
        ("broken.json", format!("{{\"a\": \"{value}\" \"b\"}}")),
        ("broken.yaml", format!("a: \"{value}\n")),
        ("clash.yaml", format!("three: {{b: {value}}}\n")),
        ("sealed.env", format!("DOTENV_PUBLIC_KEY=x\nA=encrypted:{value}\n")),
        (
            "token.json",
            format!("{{\"a\": \"ENC[age,k3f9c0b71d2a4e658,v8e11c07a,{value}]\"}}"),
        ),
    ];
    let mut files = Vec::new();
    for (name, text) in &kinds {
        let file = alice.folder().join(name);
        std::fs::write(&file, text).unwrap();
        let import = alice.secretree(["import", "dev", file.to_str().unwrap(), "--yes", "--verbose"]);
        let output = if *name == "two.json" {
            import.operand("--commit")
        } else {
            import
        }
        .run();
        let broken = ["broken", "clash", "sealed", "token"]
            .iter()
            .any(|start| name.starts_with(start));
        assert_eq!(output.exit_code() != Some(0), broken, "{name}: {}", output.stderr());
        files.push(file);
    }
    alice.commit("all");
    canary.assert_unseen(alice.sandbox(), &files);
}

#[test]
fn thousands_of_values_come_into_an_environment_with_as_many() {
    let alice = alice(TWO_ENVIRONMENTS);
    let lines = |value: &str| (0..2_000).map(|key| format!("K{key}={value}\n")).collect::<String>();
    alice.write("old.env", lines("old"));
    alice.write("new.env", lines("new").replace("K1", "L1"));
    alice.secretree(["import", "dev", "old.env", "-q"]).run().succeeds();
    // Parsing the file anew for each value would take longer than any command may.
    alice
        .secretree(["import", "dev", "new.env", "-q", "-y"])
        .run()
        .succeeds();
    assert_eq!(text(&alice).lines().count(), 2_000 + 1_111);
}

#[test]
fn what_edit_made_stays_where_import_adds() {
    let alice = alice(TWO_ENVIRONMENTS);
    edit(&alice, "dev", "# one\nb: |\n  x\n\n# two\nd: [1, {a: 2}]\n")
        .run()
        .succeeds();
    alice
        .secretree(["import", "dev", "-", "--from", "yaml"])
        .input("# new\nc:\n  # deep\n  e: '007' # why\na: 1\n")
        .run()
        .succeeds();
    assert_eq!(
        text(&alice),
        "# one\na: 1\nb: |\n  x\n# new\nc:\n  # deep\n  e: '007' # why\n\n# two\nd: [1, {a: 2}]\n"
    );
}
