//! Several commands at once: every writer's value is there in the end, and an editor never overwrites what came
//! meanwhile.

use std::path::Path;

use crate::sandbox::Person;
use crate::team::Team;

fn alice() -> (Team, Person) {
    let team = Team::new(&["alice"]);
    let alice = team.person("alice");
    (team, alice)
}

fn get(person: &Person, name: &str, path: &str) -> String {
    let run = person.secretree(["get", name, path]).reveals();
    run.run().succeeds().stdout()
}

#[test]
fn four_writers_at_once_lose_nothing() {
    let (_team, alice) = alice();
    // The first round makes the file, too.
    for round in 0..6 {
        let path = |writer: usize| format!("round{round}.writer{writer}");
        let running: Vec<_> = (0..4)
            .map(|writer| {
                alice
                    .secretree(["set", "dev", &path(writer)])
                    .input(path(writer))
                    .start()
            })
            .collect();
        for one in running {
            one.finish().succeeds();
        }
        for writer in 0..4 {
            assert_eq!(get(&alice, "dev", &path(writer)), path(writer));
        }
    }
}

#[test]
fn the_last_of_four_writers_of_one_value_wins_whole() {
    let (_team, alice) = alice();
    let running: Vec<_> = (0..4)
        .map(|writer| {
            alice
                .secretree(["set", "dev", "a"])
                .input(format!("value{writer}"))
                .start()
        })
        .collect();
    for one in running {
        one.finish().succeeds();
    }
    assert!((0..4).any(|writer| get(&alice, "dev", "a") == format!("value{writer}")));
}

#[test]
fn writers_and_new_keys_at_once_lose_nothing() {
    let (_team, alice) = alice();
    for name in ["dev", "prod"] {
        alice.secretree(["set", name, "first"]).input("first").run().succeeds();
    }
    for round in 0..4 {
        let mut running = Vec::new();
        for name in ["dev", "prod"] {
            let path = format!("round{round}");
            running.push(alice.secretree(["set", name, &path]).input("value").start());
        }
        for _ in 0..2 {
            running.push(alice.secretree(["apply", "--new-key", "--yes"]).start());
        }
        let reader = alice.secretree(["get", "prod", "first"]).reveals().start();
        for one in running {
            one.finish().succeeds();
        }
        reader.finish().succeeds().prints("first");
        for name in ["dev", "prod"] {
            assert_eq!(get(&alice, name, &format!("round{round}")), "value");
        }
    }
}

/// Runs `edit dev` with an editor that changes the text while `meanwhile` happens, and returns what was said.
fn edit_while(person: &Person, meanwhile: &str) -> String {
    let script = format!("#!/bin/sh\n{meanwhile}\necho 'edited: by hand' >> \"$1\"\n");
    let editor = person.sandbox().script("editor", &script);
    let output = person.secretree(["edit", "dev"]).env("EDITOR", editor).run();
    output.code(1);
    output.stderr()
}

#[test]
fn an_editor_never_overwrites_what_came_meanwhile() {
    for meanwhile in [
        "echo new | secretree set dev a 2> /dev/null",
        "echo new | secretree set dev b.c 2> /dev/null",
        "secretree apply dev --new-key --yes 2> /dev/null",
        "rm secrets/dev.yaml",
        "echo '# a comment' | cat - secrets/dev.yaml > new; mv new secrets/dev.yaml",
        "echo 'half a' > secrets/dev.yaml",
    ] {
        let (_team, alice) = alice();
        alice.secretree(["set", "dev", "a"]).input("old").run().succeeds();
        let said = edit_while(&alice, meanwhile);
        assert!(said.contains("`secrets/dev.yaml` changed on disk meanwhile"), "{said}");
        let kept = Path::new(said.split_once("kept in `").unwrap().1.split_once('`').unwrap().0);
        assert_eq!(std::fs::read_to_string(kept).unwrap(), "a: old\nedited: by hand\n");
        std::fs::remove_dir_all(kept.parent().unwrap()).unwrap();
        let text = std::fs::read_to_string(alice.work("secrets/dev.yaml")).unwrap_or_default();
        assert!(!text.contains("edited"), "{text}");
    }
}

#[test]
fn the_second_of_two_editors_is_refused() {
    let (_team, alice) = alice();
    alice.secretree(["set", "dev", "a"]).input("old").run().succeeds();
    let inner = alice
        .sandbox()
        .script("inner", "#!/bin/sh\necho 'inner: was first' >> \"$1\"\n");
    let said = edit_while(&alice, &format!("EDITOR={inner} secretree edit dev 2> /dev/null"));
    assert!(said.contains("changed on disk meanwhile"), "{said}");
    let kept = Path::new(said.split_once("kept in `").unwrap().1.split_once('`').unwrap().0);
    std::fs::remove_dir_all(kept.parent().unwrap()).unwrap();
    assert_eq!(get(&alice, "dev", "inner"), "was first");
}
