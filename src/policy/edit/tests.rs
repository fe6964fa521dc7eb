//! Stories about edits: what a person wrote, what was asked, and every byte of what stands there afterwards.

mod random;

use std::path::PathBuf;

use super::{NamedKey, NewRecipient, PolicyChange, PolicyEdit};
use crate::error::Result;
use crate::names::{EnvironmentName, RecipientName};
use crate::policy::tests::{KEY, KEY2, KEY3, SSH, failure_of};
use crate::policy::{LoadedPolicy, Policy, Reach};

const HEAD: &str = "version: 1\nid: \"0123456789abcdef0123456789abcdef\"\n";

fn loaded(text: &str) -> LoadedPolicy {
    LoadedPolicy {
        root_folder: PathBuf::from("/nowhere"),
        policy: Policy::parse(text, ".secrets.yaml").unwrap_or_else(|error| panic!("{error}\n{text}")),
        reach: Reach::Everything,
    }
}

fn name(text: &str) -> RecipientName {
    RecipientName::new(text).unwrap()
}

fn key(text: &str) -> NamedKey {
    NamedKey::parse(text).unwrap()
}

fn newcomer(called: &str, public: &str) -> NewRecipient {
    NewRecipient {
        name: name(called),
        keys: vec![key(public)],
        email: None,
        machine: false,
    }
}

/// The root's text after an edit.
fn text_of(change: &PolicyChange, before: &str) -> String {
    change
        .files
        .first()
        .map_or_else(|| before.to_owned(), |(.., new)| new.clone())
}

/// The text behind `HEAD` after `edit`.
fn edited(rest: &str, edit: impl FnOnce(&mut PolicyEdit<'_>) -> Result<()>) -> Result<String> {
    let head = if rest.contains('\r') {
        HEAD.replace('\n', "\r\n")
    } else {
        HEAD.to_owned()
    };
    let text = format!("{head}{rest}");
    let loaded = loaded(&text);
    let mut policy = PolicyEdit::new(&loaded);
    edit(&mut policy)?;
    let new = text_of(&policy.finish()?, &text);
    Ok(new.strip_prefix(&head).unwrap().to_owned())
}

#[track_caller]
fn becomes(before: &str, after: &str, edit: impl FnOnce(&mut PolicyEdit<'_>) -> Result<()>) {
    let put_in = |text: &str| {
        text.replace("KEY2", KEY2)
            .replace("KEY3", KEY3)
            .replace("KEY1", KEY)
            .replace("SSH", SSH)
    };
    assert_eq!(edited(&put_in(before), edit).unwrap(), put_in(after));
}

#[test]
fn a_recipient_is_written_as_its_neighbours_are() {
    let add = |edit: &mut PolicyEdit<'_>| edit.add_recipient(&newcomer("bob", KEY2));
    for (before, after) in [
        (
            "recipients:\n  alice: {keys: [KEY1]}\n",
            "recipients:\n  alice: {keys: [KEY1]}\n  bob: {keys: [KEY2]}\n",
        ),
        (
            "recipients:\n  alice:   # leads\n    keys:\n      - KEY1   # laptop\n    # away in May\n\n# all\ngroups: {}\n",
            "recipients:\n  alice:   # leads\n    keys:\n      - KEY1   # laptop\n    # away in May\n  bob:\n    keys:\n      - KEY2\n\n# all\ngroups: {}\n",
        ),
        (
            "recipients:\n    alice:\n        keys:\n        - KEY1\n    carol:\n        keys: [KEY3]\n",
            "recipients:\n    alice:\n        keys:\n        - KEY1\n    bob:\n        keys: [KEY2]\n    carol:\n        keys: [KEY3]\n",
        ),
        (
            "recipients: {\"alice\": {keys: [KEY1]}}\n",
            "recipients: {\"alice\": {keys: [KEY1]}, bob: {keys: [KEY2]}}\n",
        ),
        (
            "recipients: {\n  alice: {keys: [KEY1]},  # leads\n  }\n",
            "recipients: {\n  alice: {keys: [KEY1]},  # leads\n  bob: {keys: [KEY2]},\n  }\n",
        ),
        (
            "recipients:\r\n  alice: {keys: [KEY1]}\r\n",
            "recipients:\r\n  alice: {keys: [KEY1]}\r\n  bob: {keys: [KEY2]}\r\n",
        ),
        (
            "recipients:\n  alice: {keys: [KEY1]}",
            "recipients:\n  alice: {keys: [KEY1]}\n  bob: {keys: [KEY2]}\n",
        ),
        (
            "recipients:\n  # carol leads\n  carol: {keys: [KEY1]}\n",
            "recipients:\n  bob: {keys: [KEY2]}\n  # carol leads\n  carol: {keys: [KEY1]}\n",
        ),
        (
            "recipients:\n# nobody yet\ngroups: {}\n",
            "recipients:\n  bob:\n    keys:\n      - KEY2\n# nobody yet\ngroups: {}\n",
        ),
        ("recipients: {}\n", "recipients: {bob: {keys: [KEY2]}}\n"),
        ("# empty\n", "# empty\nrecipients:\n  bob:\n    keys:\n      - KEY2\n"),
        // What `init` wrote: the examples that are commented out stay with whom they are about.
        (
            "recipients:\n  alice:\n    keys:\n      - KEY1\n#:     email: a@b.c\n#:   ci:\n#:     machine: true\n",
            "recipients:\n  alice:\n    keys:\n      - KEY1\n#:     email: a@b.c\n  bob:\n    keys:\n      - KEY2\n#:   ci:\n#:     machine: true\n",
        ),
    ] {
        becomes(before, after, add);
    }
}

#[test]
fn a_recipient_comes_with_everything_that_is_known() {
    let machine = NewRecipient {
        keys: vec![key(KEY2), key(&format!("{SSH} ci@example.com"))],
        email: Some("o'ops+ci@example.com".to_owned()),
        machine: true,
        ..newcomer("ci", KEY2)
    };
    for (before, after) in [
        (
            "recipients:\n  alice: {keys: [KEY1]}\n",
            "recipients:\n  alice: {keys: [KEY1]}\n  ci: {keys: [KEY2, SSH ci@example.com], email: \"o'ops+ci@example.com\", machine: true}\n",
        ),
        (
            "recipients:\n  alice:\n    keys:\n    - KEY1\n",
            "recipients:\n  alice:\n    keys:\n    - KEY1\n  ci:\n    keys:\n    - KEY2\n    - SSH ci@example.com\n    email: \"o'ops+ci@example.com\"\n    machine: true\n",
        ),
    ] {
        becomes(before, after, |edit| edit.add_recipient(&machine));
    }
}

const TEAM: &str = "recipients:\n  alice: {keys: [KEY1]}\n  bob: {keys: [KEY2, SSH]}\n";

#[test]
fn names_join_lists_of_every_style() {
    for (before, after) in [
        ("groups: {all: [alice]}\n", "groups: {all: [alice, bob]}\n"),
        (
            "groups: {all: [ alice ]}  # us\n",
            "groups: {all: [ alice, bob ]}  # us\n",
        ),
        ("groups:\n  all: []\n", "groups:\n  all: [bob]\n"),
        ("groups:\n  all: [ ]\n", "groups:\n  all: [bob]\n"),
        (
            "groups:\n  all:\n    -   \"alice\"  # leads\n    # and\n  none: []\n",
            "groups:\n  all:\n    -   \"alice\"  # leads\n    -   bob\n    # and\n  none: []\n",
        ),
        ("groups:\n  all:\n  - alice\n", "groups:\n  all:\n  - alice\n  - bob\n"),
        (
            "groups:\n  all: [\n    alice,   # leads\n    ]\n",
            "groups:\n  all: [\n    alice,   # leads\n    bob,\n    ]\n",
        ),
        (
            "groups:\n  all: [\n    alice   # leads\n    ]\n",
            "groups:\n  all: [\n    alice,   # leads\n    bob\n    ]\n",
        ),
    ] {
        let (before, after) = (format!("{TEAM}{before}"), format!("{TEAM}{after}"));
        becomes(&before, &after, |edit| edit.add_member(&name("all"), &name("bob")));
        becomes(&after, &after, |edit| edit.add_member(&name("all"), &name("bob")));
    }
}

#[test]
fn names_leave_lists_of_every_style() {
    for (before, after) in [
        ("groups: {all: [alice, bob]}\n", "groups: {all: [alice]}\n"),
        ("groups: {all: [bob, alice]}\n", "groups: {all: [alice]}\n"),
        ("groups: {all: ['bob']}\n", "groups: {all: []}\n"),
        (
            "groups:\n  all:  # us\n    # one\n    - bob  # leads\n  none: []\n",
            "groups:\n  all: []  # us\n    # one\n  none: []\n",
        ),
        ("groups:\n  all:\n  - bob\n  - alice\n", "groups:\n  all:\n  - alice\n"),
        (
            "groups:\n  all: [\n    bob,   # leads\n    alice,\n    ]\n",
            "groups:\n  all: [\n    alice,\n    ]\n",
        ),
        (
            "groups:\r\n  all:\r\n    - alice\r\n    - bob\r\n",
            "groups:\r\n  all:\r\n    - alice\r\n",
        ),
    ] {
        let (before, after) = (format!("{TEAM}{before}"), format!("{TEAM}{after}"));
        becomes(&before, &after, |edit| {
            assert!(edit.remove_member(&name("all"), &name("bob"))?);
            assert!(!edit.remove_member(&name("all"), &name("bob"))?);
            Ok(())
        });
    }
}

#[test]
fn keys_come_and_go() {
    let before = "recipients:\n  alice:\n    keys:\n      - KEY1  # laptop\n    machine: true\n";
    let after = "recipients:\n  alice:\n    keys:\n      - KEY1  # laptop\n      - SSH a@b\n    machine: true\n";
    becomes(before, after, |edit| {
        edit.add_key(&name("alice"), &key(&format!("{SSH} a@b")))
    });
    becomes(after, before, |edit| edit.remove_key(&name("alice"), &key(SSH).key));
    let failure = failure_of(edited(&before.replace("KEY1", KEY), |edit| {
        edit.remove_key(&name("alice"), &key(SSH).key)
    }));
    assert_eq!(failure.message(), "`alice` has no such key");
    // The last key: what is left is no policy.
    let failure = failure_of(edited(&before.replace("KEY1", KEY), |edit| {
        edit.remove_key(&name("alice"), &key(KEY).key)
    }));
    assert!(
        failure
            .message()
            .contains("recipient `alice` has no key after this change"),
        "{}",
        failure.message()
    );
}

#[test]
fn readers_are_those_of_one_environment() {
    let before = format!(
        "{TEAM}environments:\n  dev: {{file: dev.yaml, readers: [alice]}}\n  \"prod\":\n    readers:\n      - alice\n    file: prod.yaml\n"
    );
    let dev = before.replace("dev.yaml, readers: [alice]", "dev.yaml, readers: [alice, bob]");
    let prod = before.replace("      - alice\n", "      - alice\n      - bob\n");
    for (environment, after) in [("dev", dev), ("prod", prod)] {
        let environment = EnvironmentName::new(environment).unwrap();
        becomes(&before, &after, |edit| edit.add_reader(&environment, &name("bob")));
        becomes(&after, &before, |edit| {
            edit.remove_reader(&environment, &name("bob"))
                .map(|stood| assert!(stood))
        });
    }
}

#[test]
fn a_name_is_taken_out_everywhere() {
    let before = format!(
        "maintainers: [bob, alice]\n{TEAM}groups:\n  all: [alice, bob]  # us\n  some:\n    - bob\nenvironments:\n  \
         dev: {{file: dev.yaml, readers: [all, bob], writers: [bob, alice]}}\n"
    );
    let after = before
        .replace("[bob, alice]", "[alice]")
        .replace("  bob: {keys: [KEY2, SSH]}\n", "")
        .replace("[alice, bob]", "[alice]")
        .replace("  some:\n    - bob\n", "  some: []\n")
        .replace("[all, bob]", "[all]");
    becomes(&before, &after, |edit| {
        let places = edit.remove_everywhere(&name("bob"))?;
        let expected =
            "maintainers groups.all groups.some environments.dev.readers environments.dev.writers recipients";
        assert_eq!(places.join(" "), expected);
        Ok(())
    });
}

#[test]
fn nothing_is_left_to_nobody() {
    for (rest, reason) in [
        (
            "environments: {dev: {file: d.yaml, readers: [bob]}}\n",
            "`dev` would be left without readers",
        ),
        (
            "groups: {all: [bob]}\nenvironments: {dev: {file: d.yaml, readers: [all]}}\n",
            "`dev` would be left without readers",
        ),
        (
            "environments: {dev: {file: d.yaml, readers: [alice, bob], writers: [bob]}}\n",
            "`dev` would be left without writers",
        ),
        ("maintainers: [bob]\n", "the policy would be left without maintainers"),
        ("secrets: {a: {owner: bob}}\n", "`bob` owns declared values"),
    ] {
        let text = format!("{TEAM}{rest}")
            .replace("KEY2", KEY2)
            .replace("KEY1", KEY)
            .replace("SSH", SSH);
        let failure = failure_of(edited(&text, |edit| edit.remove_everywhere(&name("bob")).map(drop)));
        assert!(failure.message().contains(reason), "{}", failure.message());
    }
}

#[test]
fn what_cannot_be_changed_safely_is_left_to_a_person() {
    let text = format!(
        "recipients:\n  alice: {{keys: [{KEY}]}}\ngroups:\n  all: [\n    alice\n    # and more\n    ,\n    ]\n"
    );
    let outcome = edited(&text, |edit| edit.add_member(&name("all"), &name("alice")));
    assert_eq!(outcome.unwrap(), text, "already there");
    let text = format!("recipients: ~\n#{KEY}\n");
    let failure = failure_of(edited(&text, |edit| edit.add_recipient(&newcomer("bob", KEY2))));
    assert_eq!(
        (failure.message(), failure.hints().join("; ")),
        (
            "`.secrets.yaml` line 3: this is laid out in a way that cannot be changed safely; nothing was written",
            format!("by hand: add under `recipients`: bob: {{keys: [{KEY2}]}}")
        )
    );
}

#[test]
fn a_name_in_very_many_lists_is_taken_out_at_once() {
    let groups: String = (0..3000).map(|index| format!("  g{index}: [alice, bob]\n")).collect();
    let text = format!("{TEAM}groups:\n{groups}")
        .replace("KEY2", KEY2)
        .replace("KEY1", KEY)
        .replace("SSH", SSH);
    let after = edited(&text, |edit| {
        edit.remove_everywhere(&name("bob"))
            .map(|places| assert_eq!(places.len(), 3001))
    });
    assert!(!after.unwrap().contains("bob"));
}
