//! A declared `pattern` holds for every way in: `edit` and `import` are held to it as `set` is (see `set_value`).

use expect_test::expect;

use crate::canary::Canary;
use crate::fixture::{alice, changes_nothing, edit};
use crate::sandbox::Person;
use crate::terminal::Terminal;

const REST: &str = "\
environments: {dev: {file: dev.yaml, readers: [alice], plaintext: [\"log.*\"]}}
secrets:
  db.password: {pattern: \"^long-\"}
  \"keys.*\": {pattern: \"^sk_\"}
  log.level: {pattern: \"^(info|debug)$\"}
";

/// Alice, whose `dev` holds a value from before there was a pattern for it.
fn with_old_value() -> Person {
    let alice = alice(&REST.replace("^long-", ""));
    edit(&alice, "dev", "db:\n  password: short\nkeys:\n  one: sk_1\n")
        .run()
        .succeeds();
    let policy = alice.read_text(".secrets.yaml");
    alice.write(
        ".secrets.yaml",
        policy.replace("password: {pattern: \"\"", "password: {pattern: \"^long-\""),
    );
    alice
}

#[test]
fn edit_refuses_what_does_not_match_and_lets_stand_what_stood_there() {
    let alice = with_old_value();
    let canary = Canary::new();
    let text = format!(
        "db:\n  password: {0}\nkeys:\n  one: sk_1\n  two: {0}\n  three: null\nlog:\n  level: {0}\n",
        canary.value()
    );
    let output = changes_nothing(edit(&alice, "dev", text));
    output.check(expect![[r#"
        status: 1
        --- stderr
        error: `.secrets.yaml` line 7 column 26: the value for `dev:db.password` does not match this pattern: `^long-`
        hint: give a value that matches, or change `pattern` in .secrets.yaml
        hint: others that do not match theirs: `dev:keys.two`, `dev:log.level`
    "#]]);
    let edited = alice.folder().join("edited.yaml");
    canary.assert_unseen(alice.sandbox(), &[edited]);
    // What was there before is no fault of this edit; `null` stands for no value.
    let text = "db:\n  password: short\nkeys:\n  one: sk_2\n  three: null\nlog:\n  level: info\n";
    edit(&alice, "dev", text).run().check(expect![[r#"
        status: 0
        --- stderr
        + dev:keys.three
        + dev:log.level
        ~ dev:keys.one
    "#]]);
    // Under another path the same value is a new one.
    let renamed = text
        .replace("  password", "  passphrase")
        .replace("keys:\n", "keys:\n  old: short\n");
    changes_nothing(edit(&alice, "dev", renamed))
        .code(1)
        .says("`dev:keys.old` does not match");
}

#[test]
fn the_editor_opens_again_with_the_text() {
    let alice = with_old_value();
    let script = "#!/bin/sh\nif grep -q 'one: bad' \"$1\"; then sed -i 's/one: bad/one: sk_3/' \"$1\"\n\
                  else sed -i 's/one: .*/one: bad/; s/short/long-one/' \"$1\"; fi\n";
    let editor = alice.sandbox().script("editor", script);
    let mut terminal = Terminal::start(alice.secretree(["edit", "dev"]).env("EDITOR", editor));
    terminal
        .expect("`dev:keys.one` does not match")
        .expect("press Enter")
        .send("\n");
    terminal.finish().code(0);
    alice.secretree(["get", "dev", "keys.one"]).run().prints("sk_3");
    alice.secretree(["get", "dev", "db.password"]).run().prints("long-one");
}

#[test]
fn import_takes_nothing_if_one_value_does_not_match() {
    let alice = with_old_value();
    let canary = Canary::new();
    let json = format!(
        "{{\"db\": {{\"password\": \"{0}\"}}, \"fine\": 1, \"keys\": {{\"two\": \"{0}\"}}}}",
        canary.value()
    );
    alice.write("new.json", json);
    changes_nothing(alice.secretree(["import", "dev", "new.json", "--yes"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `.secrets.yaml` line 7 column 26: the value for `dev:db.password` does not match this pattern: `^long-`
        hint: give a value that matches, or change `pattern` in .secrets.yaml
        hint: others that do not match theirs: `dev:keys.two`
    "#]]);
    canary.assert_unseen(alice.sandbox(), &[alice.work("new.json")]);
    // Into an environment without values too.
    let empty = self::alice(REST);
    empty.write("keys.json", "{\"keys\": {\"two\": \"pk_1\"}}");
    changes_nothing(empty.secretree(["import", "dev", "keys.json"]))
        .code(1)
        .says("`dev:keys.two` does not match");
    assert!(!empty.work("dev.yaml").exists());
    // What is there already may be in the file.
    alice.write(
        "new.json",
        "{\"db\": {\"password\": \"short\"}, \"keys\": {\"two\": \"sk_2\"}}",
    );
    alice
        .secretree(["import", "dev", "new.json"])
        .run()
        .succeeds()
        .says("+ dev:keys.two");
}
